package urlkey

import (
	"bytes"
	"strings"
)

// Most references on real pages are plain: ASCII, nothing to encode, no address in a strange notation. They are
// resolved here at a tenth of the full parser's price. Whatever is not obviously plain is left to the full parser; a
// fuzz test holds the two equal.

// class tells where a byte stands as it is.
type class uint8

const (
	inPath  class = 1 << iota // stays unchanged in a path
	inQuery                   // stays unchanged in the query of an http URL
	inHost                    // stays unchanged in a host name
	inName                    // may stand in a scheme
)

var classes = func() (t [256]class) {
	for c := 'a'; c <= 'z'; c++ {
		t[c] = inPath | inQuery | inHost | inName
		t[c-'a'+'A'] = inPath | inQuery | inName
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = inPath | inQuery | inHost | inName
	}
	for _, c := range "-." {
		t[c] = inPath | inQuery | inHost | inName
	}
	for _, c := range "_~!$&()*+,;=:@/%" {
		t[c] = inPath | inQuery
	}
	t['+'] |= inName
	t['?'] = inQuery
	return t
}()

func all(s string, in class) bool {
	for i := range len(s) {
		if classes[s[i]]&in == 0 {
			return false
		}
	}
	return true
}

// fast resolves a plain reference; ok is false where the full parser must decide.
func (b *Base) fast(ref string) (url string, ok bool) {
	if b.scheme == "" {
		return "", false
	}
	if i := strings.IndexByte(ref, '#'); i >= 0 {
		ref = ref[:i]
	}
	if ref == "" {
		return b.href, true
	}
	switch {
	case strings.HasPrefix(ref, "//"):
		return authority(b.scheme, ref[2:])
	case ref[0] == '/':
		return join(b.origin, ref)
	case ref[0] == '?':
		return join(b.origin+b.path, ref)
	}
	if end := strings.IndexAny(ref, ":/?"); end >= 0 && ref[end] == ':' {
		return absolute(ref)
	}
	return join(b.origin, b.dir+ref)
}

// absolute serialises a plain absolute http or https URL.
func absolute(ref string) (url string, ok bool) {
	if i := strings.IndexByte(ref, '#'); i >= 0 {
		ref = ref[:i]
	}
	if rest, is := strings.CutPrefix(ref, "http://"); is {
		return authority("http:", rest)
	}
	if rest, is := strings.CutPrefix(ref, "https://"); is {
		return authority("https:", rest)
	}
	return "", false
}

// authority serialises "host:port/path?query" after a scheme.
func authority(scheme, rest string) (url string, ok bool) {
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, port, hasPort := strings.Cut(rest[:end], ":")
	if !plainHost(host) || hasPort && !plainPort(port) {
		return "", false
	}
	if hasPort && (port == "80" && scheme == "http:" || port == "443" && scheme == "https:") {
		return join(scheme+"//"+host, rest[end:])
	}
	return join(scheme+"//"+rest[:end], rest[end:])
}

// plainHost reports whether a host is a plain name: lower case, no punycode to check, no number at its end.
func plainHost(h string) bool {
	if h == "" || len(h) > 253 || !all(h, inHost) || strings.Contains(h, "xn--") || strings.Contains(h, "..") {
		return false
	}
	last := h[strings.LastIndexByte(h, '.')+1:]
	return h[0] != '.' && last != "" && (last[0] < '0' || last[0] > '9')
}

func plainPort(p string) bool {
	if p == "" || len(p) > 4 || p[0] == '0' {
		return false
	}
	return strings.Trim(p, "0123456789") == ""
}

// join puts a plain path and query behind an origin, or a query behind origin and path.
func join(front, rest string) (url string, ok bool) {
	path, query, hasQuery := strings.Cut(rest, "?")
	if !all(path, inPath) || !all(query, inQuery) {
		return "", false
	}
	if hasQuery {
		query = rest[len(path):]
	}
	if strings.IndexByte(path, '%') >= 0 && encodedDot(path) {
		return "", false
	}
	if strings.Contains(path, "/.") {
		path = undot(path)
	}
	if path == "" && strings.Count(front, "/") == 2 {
		path = "/"
	}
	return front + path + query, true
}

// encodedDot reports whether a path holds %2e, which the standard reads as a dot.
func encodedDot(p string) bool {
	for i := 0; i+2 < len(p); i++ {
		if p[i] == '%' && p[i+1] == '2' && p[i+2]|0x20 == 'e' {
			return true
		}
	}
	return false
}

// undot resolves the "." and ".." segments of a path that begins with a slash. Empty segments are segments.
func undot(p string) string {
	out := make([]byte, 0, len(p))
	for p != "" {
		seg := p[1:]
		if i := strings.IndexByte(seg, '/'); i >= 0 {
			seg = seg[:i]
		}
		p = p[1+len(seg):]
		switch seg {
		case ".":
			if p == "" {
				out = append(out, '/')
			}
		case "..":
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
			if p == "" {
				out = append(out, '/')
			}
		default:
			out = append(out, '/')
			out = append(out, seg...)
		}
	}
	return string(out)
}
