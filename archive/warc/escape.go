package warc

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

var errEscape = errors.New("malformed escape")

const hexDigits = "0123456789abcdef"

// appendEscaped writes s so that it stands in one line of application/warc-fields and comes back byte for byte: a
// backslash is doubled; what is not printable, spaces at the ends, and whatever a reader could take for an encoded word
// (RFC 2047, which WARC 1.1 §4 allows in values) become \xHH. With token set, every space does.
func appendEscaped[S string | []byte](dst []byte, s S, token bool) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			dst = append(dst, '\\', '\\')
		case c == ' ' && (token || i == 0 || i == len(s)-1), c == '=' && i+1 < len(s) && s[i+1] == '?':
			dst = appendHex(dst, c)
		case c >= ' ' && c < 0x7f:
			dst = append(dst, c)
		case c < utf8.RuneSelf:
			dst = appendHex(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			for ; n > 0; n-- {
				if unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != utf8.RuneError {
					dst = append(dst, s[i])
				} else {
					dst = appendHex(dst, s[i])
				}
				i++
			}
			i--
		}
	}
	return dst
}

func appendHex(dst []byte, c byte) []byte {
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// appendToken writes s as one word: escaped, without spaces, "-" for nothing.
func appendToken(dst []byte, s string) []byte {
	switch s {
	case "":
		return append(dst, '-')
	case "-":
		return appendHex(dst, '-')
	}
	return appendEscaped(dst, s, true)
}

// unescape reads what appendEscaped wrote.
func unescape(s string) (string, error) {
	i := 0
	for i < len(s) && s[i] != '\\' {
		i++
	}
	if i == len(s) {
		return s, nil
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '\\' {
			b = append(b, s[i])
			i++
			continue
		}
		if i+1 < len(s) && s[i+1] == '\\' {
			b = append(b, '\\')
			i += 2
			continue
		}
		if i+3 >= len(s) || s[i+1] != 'x' {
			return "", errEscape
		}
		hi, lo := nibble(s[i+2]), nibble(s[i+3])
		if hi > 15 || lo > 15 {
			return "", errEscape
		}
		b = append(b, hi<<4|lo)
		i += 4
	}
	return string(b), nil
}

func unescapeToken(s string) (string, error) {
	if s == "-" {
		return "", nil
	}
	return unescape(s)
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
