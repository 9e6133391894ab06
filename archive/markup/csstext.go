package markup

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// cssEscape returns the end of the escape at i, or i if there is none (CSS Syntax §4.3.7, §4.3.8). The one space after
// hexadecimal digits is part of it.
func cssEscape(b []byte, i int) int {
	if b[i] != '\\' || i+1 >= len(b) {
		return i
	}
	switch b[i+1] {
	case '\n', '\r', '\f':
		return i
	}
	end := i + 1
	for end < len(b) && end < i+7 && hexDigit(b[end]) >= 0 {
		end++
	}
	switch {
	case end == i+1:
		return i + 2
	case end+1 < len(b) && b[end] == '\r' && b[end+1] == '\n':
		return end + 2
	case end < len(b) && isSpace(b[end]):
		return end + 1
	}
	return end
}

// cssNewline returns the position after the newline at i, if there is one.
func cssNewline(b []byte, i int) int {
	switch {
	case i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n':
		return i + 2
	case i < len(b):
		return i + 1
	}
	return i
}

// cssNameEnd returns the end of the name at i (§4.3.11).
func cssNameEnd(b []byte, i int) int {
	for i < len(b) {
		if class[b[i]]&cssName != 0 {
			i++
			continue
		}
		end := cssEscape(b, i)
		if end == i {
			break
		}
		i = end
	}
	return i
}

func skipCSSComment(b []byte, i int) int {
	n := bytes.Index(b[i+2:], []byte("*/"))
	if n < 0 {
		return len(b)
	}
	return i + 2 + n + 2
}

// unescapeCSS undoes the escapes of a name, a string or a url.
func unescapeCSS(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		end := cssEscape(b, i)
		switch {
		case end == i: // a newline, which a string may hold so, or the end
			i = cssNewline(b, i+1)
			continue
		case hexDigit(b[i+1]) < 0:
			out = append(out, b[i+1])
		default:
			r := rune(0)
			for _, c := range b[i+1 : end] {
				if d := hexDigit(c); d >= 0 {
					r = r<<4 | rune(d)
				}
			}
			if r == 0 || !utf8.ValidRune(r) {
				r = utf8.RuneError
			}
			out = utf8.AppendRune(out, r)
		}
		i = end
	}
	return string(out)
}

var (
	cssStringEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, "\n", `\a `, "\r", `\d `, "\f", `\c `, "<", `\3c `)
	cssURLEscaper    = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, "\n", `\a `, "\r", `\d `, "\f", `\c `, "<", `\3c `,
		" ", `\ `, "\t", `\9 `, "(", `\(`, ")", `\)`)
)

// escapeCSSString spells s so that it can stand in a quoted string, in a style element too.
func escapeCSSString(s string) string { return cssStringEscaper.Replace(s) }

// escapeCSSURL spells s so that it can stand in url() without quotes.
func escapeCSSURL(s string) string { return cssURLEscaper.Replace(s) }
