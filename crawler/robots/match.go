package robots

import (
	"fmt"
	"strings"
)

// rule is one allow or disallow line.
type rule struct {
	allow   bool
	pattern string // normalised
	line    int    // from 1; 0 for no rule
}

// String is the rule as a person would quote it; empty for none. It is ASCII without control characters.
func (x rule) String() string {
	switch {
	case x.line == 0:
		return ""
	case x.allow:
		return fmt.Sprintf("Allow: %s (line %d)", x.pattern, x.line)
	default:
		return fmt.Sprintf("Disallow: %s (line %d)", x.pattern, x.line)
	}
}

// match returns how many octets of rule match the normalised path, 0 for no match. An allowed index.html allows its
// folder too, as it does for Google.
func (x rule) match(path string) int {
	if matches(x.pattern, path) {
		return len(x.pattern)
	}
	if slash := strings.LastIndexByte(x.pattern, '/'); x.allow && slash >= 0 && strings.HasPrefix(x.pattern[slash:], "/index.htm") {
		if folder := x.pattern[:slash+1] + "$"; matches(folder, path) {
			return len(folder)
		}
	}
	return 0
}

// matches says whether the pattern matches the beginning of path (RFC 9309 §2.2.3): "*" stands for any octets, "$" at
// the end for the end of path. Each part is looked for once, leftmost, so the time is linear and not the site's to
// choose.
func matches(pattern, path string) bool {
	pattern, anchored := strings.CutSuffix(pattern, "$")
	part, rest, more := strings.Cut(pattern, "*")
	if !strings.HasPrefix(path, part) {
		return false
	}
	path = path[len(part):]
	if !more {
		return !anchored || path == ""
	}
	for more {
		part, rest, more = strings.Cut(rest, "*")
		if !more && anchored {
			return strings.HasSuffix(path, part)
		}
		i := strings.Index(path, part)
		if i < 0 {
			return false
		}
		path = path[i+len(part):]
	}
	return true
}

// target is the path, parameters and query of a URL, what rules are matched against; "/" at least.
func target(url string) string {
	url, _, _ = strings.Cut(url, "#")
	url = strings.TrimPrefix(url, "//")
	if i := strings.Index(url, "://"); i >= 0 && !strings.ContainsAny(url[:i], "/?;") {
		url = url[i+3:]
	}
	i := strings.IndexAny(url, "/?;")
	switch {
	case i < 0:
		return "/"
	case url[i] != '/':
		return "/" + url[i:]
	}
	return url[i:]
}

const (
	unreserved = "-._~" // besides letters and digits, RFC 3986 §2.3
	reserved   = ":/?#[]@!$&'()*+,;="
	hexDigits  = "0123456789ABCDEF"
)

// normalise gives paths and patterns the one spelling in which they are compared (RFC 9309 §2.2.2): escapes of
// unreserved characters are undone, other escapes have capital digits, and what may not stand in a URL is escaped. "*"
// and "$" are escaped wherever they stand for themselves: anywhere in a path, and "$" within a pattern.
func normalise(s string, pattern bool) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			if c = byte(unhex(s[i+1])<<4 | unhex(s[i+2])); isUnreserved(c) {
				b.WriteByte(c)
			} else {
				escape(&b, c)
			}
			i += 2
		case c == '*' && !pattern, c == '$' && (!pattern || i+1 < len(s)):
			escape(&b, c)
		case c == '%', isUnreserved(c), strings.IndexByte(reserved, c) >= 0:
			b.WriteByte(c)
		default:
			escape(&b, c)
		}
	}
	return b.String()
}

// plain says that nothing in s needs another spelling.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isUnreserved(c) && c != '/' {
			return false
		}
	}
	return true
}

func escape(b *strings.Builder, c byte) {
	b.WriteByte('%')
	b.WriteByte(hexDigits[c>>4])
	b.WriteByte(hexDigits[c&15])
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isUnreserved(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte(unreserved, c) >= 0
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
