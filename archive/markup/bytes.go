package markup

// The classes of bytes that scanners stop at.
const (
	space   = 1 << iota // HTML's ASCII whitespace
	nameEnd             // ends a tag's or an attribute's name
	alnum
	cssName  // may stand in a CSS identifier
	cssPlain // means nothing to the CSS scanner
)

var class = func() (c [256]uint8) {
	for i := range c {
		b := byte(i)
		lower := b | 0x20
		letter, digit := lower >= 'a' && lower <= 'z' && b < 0x80, b >= '0' && b <= '9'
		switch b {
		case ' ', '\t', '\n', '\f', '\r':
			c[i] |= space | nameEnd
		case '/', '>', '=':
			c[i] |= nameEnd
		}
		if letter || digit {
			c[i] |= alnum
		}
		if letter || digit || b == '-' || b == '_' || b >= 0x80 {
			c[i] |= cssName
		}
		switch b {
		case '"', '\'', '/', '\\', '@', '#', '{', '}', '(', ')', '[', ']', ';':
		default:
			if c[i]&cssName == 0 {
				c[i] |= cssPlain
			}
		}
	}
	return c
}()

func isSpace(b byte) bool { return class[b]&space != 0 }
func isAlnum(b byte) bool { return class[b]&alnum != 0 }

func hexDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return -1
}

// skipSpace returns the first position from i on that holds no ASCII whitespace.
func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// trim narrows [start, end) of b by the C0 controls and spaces at its ends, which the URL standard drops (§4.4).
func trim(b []byte, start, end int) (int, int) {
	for start < end && b[start] <= ' ' {
		start++
	}
	for end > start && b[end-1] <= ' ' {
		end--
	}
	return start, end
}

// equalFold compares b to a string in lower case, without regard to ASCII case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// trimFold compares b, without the spaces around it, to a string in lower case.
func trimFold(b []byte, lower string) bool {
	start, end := trim(b, 0, len(b))
	return equalFold(b[start:end], lower)
}

// eachWord calls f with the bounds of each space-separated word of b.
func eachWord(b []byte, f func(start, end int)) {
	for i := skipSpace(b, 0); i < len(b); i = skipSpace(b, i) {
		start := i
		for i < len(b) && !isSpace(b[i]) {
			i++
		}
		f(start, i)
	}
}
