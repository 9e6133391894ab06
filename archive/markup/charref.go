package markup

import (
	"bytes"
	"html"
	"strings"
	"unicode/utf8"
)

// unescapeRefs undoes the character references of an attribute's value (HTML §13.2.5.72–80). at, if wanted, tells where
// each byte of the result came from, with one more for the end.
func unescapeRefs(b []byte, at *[]int32) []byte {
	out := make([]byte, 0, len(b))
	mark := func(i, n int, each bool) {
		if at == nil {
			return
		}
		for k := range n {
			if each {
				*at = append(*at, int32(i+k))
			} else {
				*at = append(*at, int32(i))
			}
		}
	}
	for i := 0; i < len(b); {
		if b[i] == '&' {
			if s, n := reference(b[i:]); n > 0 {
				mark(i, len(s), false)
				out = append(out, s...)
				i += n
				continue
			}
		}
		j := bytes.IndexByte(b[i+1:], '&')
		if j < 0 {
			j = len(b) - i - 1
		}
		mark(i, j+1, true)
		out = append(out, b[i:i+j+1]...)
		i += j + 1
	}
	if at != nil {
		*at = append(*at, int32(len(b)))
	}
	return out
}

// reference reads the character reference at the start of b, which is an ampersand. n is 0 if there is none.
func reference(b []byte) (s string, n int) {
	if len(b) > 2 && b[1] == '#' {
		return numericReference(b)
	}
	n = 1
	for n < len(b) && n < 40 && isAlnum(b[n]) {
		n++
	}
	if n == 1 {
		return "", 0
	}
	name := string(b[:n])
	whole := html.UnescapeString(name + ";")
	if strings.HasPrefix(whole, "&") && whole != "&" || strings.HasSuffix(whole, ";") && whole != ";" {
		return "", 0 // not a name, or only its first letters are one, which doesn't count in an attribute
	}
	if n < len(b) && b[n] == ';' {
		return whole, n + 1
	}
	// Without its semicolon only an old name counts, and only if no equals sign follows: "?a=1&copy=2" is a query.
	if html.UnescapeString(name) != whole || n < len(b) && b[n] == '=' {
		return "", 0
	}
	return whole, n
}

// numericReference reads &#10; or &#xA; (HTML §13.2.5.80, numeric character reference end state).
func numericReference(b []byte) (string, int) {
	i, radix := 2, 10
	if b[i] == 'x' || b[i] == 'X' {
		i, radix = 3, 16
	}
	first, v := i, 0
	for ; i < len(b); i++ {
		d := hexDigit(b[i])
		if d < 0 || d >= radix {
			break
		}
		v = min(v*radix+d, utf8.MaxRune+1)
	}
	if i == first {
		return "", 0
	}
	n := i
	if n < len(b) && b[n] == ';' {
		n++
	}
	if v >= 0x80 && v < 0xA0 {
		return string(windows1252[v-0x80]), n
	}
	if v == 0 || v > utf8.MaxRune || v >= 0xD800 && v < 0xE000 {
		return "\uFFFD", n
	}
	return string(rune(v)), n
}

// windows1252 is what references to C1 controls mean (the table in HTML §13.2.5.80).
var windows1252 = [32]rune{
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
}

var (
	quotedEscaper   = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&#39;", "<", "&lt;")
	unquotedEscaper = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&#39;", "<", "&lt;", ">", "&gt;", "`", "&#96;",
		"=", "&#61;", " ", "&#32;", "\t", "&#9;", "\n", "&#10;", "\f", "&#12;", "\r", "&#13;")
)

// escapeQuoted spells s so that it can stand in a quoted attribute.
func escapeQuoted(s string) string {
	if !strings.ContainsAny(s, `&"'<`) {
		return s
	}
	return quotedEscaper.Replace(s)
}

// escapeUnquoted spells s so that it can stand in an attribute without quotes (HTML §13.1.2.3).
func escapeUnquoted(s string) string {
	return unquotedEscaper.Replace(s)
}

// escapeText spells s so that it can stand in the text of a foreign or XML element.
func escapeText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
