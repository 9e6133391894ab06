package urlkey

import (
	"regexp"
	"slices"
	"strings"
)

const hex = "0123456789abcdef"

// The schemes that a key folds, with their default ports.
var hierarchical = []struct{ prefix, port string }{{"http://", "80"}, {"https://", "443"}, {"ftp://", "21"}}

// Session ids, as Heritrix and the Wayback Machine's canonicaliser document them.
var (
	pathSession  = regexp.MustCompile(`(?i);jsessionid=[0-9a-z]{32}$`)
	aspSession   = regexp.MustCompile(`(?i)/\((?:[a-z]\([0-9a-z]{24}\))+\)(/[^?]+\.aspx)`)
	querySession = regexp.MustCompile(`(?i)^(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}$|^aspsessionid[a-z]{8}=[a-z]{24}$`)
	wwwPrefix    = regexp.MustCompile(`^www[0-9]*\.`)
)

// Key returns the urlkey of a serialised URL: its SURT as CDXJ has it, canonicalised by the rules in the package
// documentation. A string that is no http, https or ftp URL is its own key, so a key is its own key too. Keys hold no
// bytes up to 0x20 nor from 0x7F.
func Key(url string) string {
	for _, s := range hierarchical {
		if len(url) > len(s.prefix) && strings.EqualFold(url[:len(s.prefix)], s.prefix) {
			rest, _, _ := strings.Cut(url[len(s.prefix):], "#")
			if key, ok := surt(rest, s.port); ok {
				return key
			}
		}
	}
	url, _, _ = strings.Cut(url, "#")
	return escape(url, "")
}

func surt(rest, defaultPort string) (string, bool) {
	end := strings.IndexAny(rest, "/?\\")
	if end < 0 {
		end = len(rest)
	}
	host, path := rest[:end], rest[end:]
	host = host[strings.LastIndexByte(host, '@')+1:]
	port := ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	host = keyHost(host)
	if host == "" {
		return "", false
	}
	if port != "" && port != defaultPort {
		host += ":" + escape(port, "#%")
	}
	path, query, _ := strings.Cut(path, "?")
	path, query = keyPath(unescape(path)), keyQuery(unescape(query))
	if query != "" {
		query = "?" + query
	}
	return host + ")" + escape(lower(path+query), "#%"), true
}

func keyHost(h string) string {
	h = lower(unescape(h))
	if strings.HasPrefix(h, "[") {
		return escape(h, "#%")
	}
	labels := strings.FieldsFunc(h, func(r rune) bool { return r == '.' })
	if len(labels) == 0 {
		return escape(h, "#%")
	}
	if len(labels) > 1 && wwwPrefix.MatchString(labels[0]+".") {
		labels = labels[1:]
	}
	slices.Reverse(labels)
	for i, l := range labels {
		labels[i] = escape(l, "#%,") // or "com,example" would be found as example.com
	}
	return strings.Join(labels, ",")
}

func keyPath(p string) string {
	segs := make([]string, 0, 8)
	for seg := range strings.SplitSeq(strings.ReplaceAll(p, `\`, "/"), "/") {
		switch seg {
		case "", ".":
		case "..":
			segs = segs[:max(0, len(segs)-1)]
		default:
			segs = append(segs, seg)
		}
	}
	p = "/" + strings.Join(segs, "/")
	p = pathSession.ReplaceAllString(p, "")
	p = aspSession.ReplaceAllString(p, "$1")
	if len(p) > 1 {
		p = strings.TrimRight(p, "/")
	}
	if p == "" {
		return "/"
	}
	return p
}

func keyQuery(q string) string {
	if q == "" {
		return ""
	}
	fields := strings.Split(q, "&")
	cold := slices.ContainsFunc(fields, func(f string) bool { return hasName(f, "cfid") }) &&
		slices.ContainsFunc(fields, func(f string) bool { return hasName(f, "cftoken") })
	fields = slices.DeleteFunc(fields, func(f string) bool {
		return f == "" || querySession.MatchString(f) || cold && (hasName(f, "cfid") || hasName(f, "cftoken"))
	})
	for i, f := range fields {
		fields[i] = lower(f)
	}
	slices.SortFunc(fields, func(a, b string) int {
		an, av, _ := strings.Cut(a, "=")
		bn, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		if c := strings.Compare(av, bv); c != 0 {
			return c
		}
		return len(a) - len(b)
	})
	return strings.Join(fields, "&")
}

func hasName(field, name string) bool {
	return len(field) > len(name) && field[len(name)] == '=' && strings.EqualFold(field[:len(name)], name)
}

// unescape decodes percent-escapes until none is left. Every round shortens s, so it ends; a chain of n escapes takes n
// rounds, so beyond a bound the rest stays.
func unescape(s string) string {
	for range 64 {
		if strings.IndexByte(s, '%') < 0 {
			return s
		}
		out := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
				out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
				i += 2
				continue
			}
			out = append(out, s[i])
		}
		if len(out) == len(s) {
			return s
		}
		s = string(out)
	}
	return s
}

// unhex returns the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	if c >= 'A' && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte(hex, c)
}

// escape percent-encodes bytes up to 0x20 and from 0x7F, and those in also.
func escape(s, also string) string {
	clean := func(c byte) bool { return c > 0x20 && c < 0x7F && strings.IndexByte(also, c) < 0 }
	i := 0
	for i < len(s) && clean(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)+16), s[:i]...)
	for ; i < len(s); i++ {
		if clean(s[i]) {
			out = append(out, s[i])
		} else {
			out = append(out, '%', hex[s[i]>>4], hex[s[i]&15])
		}
	}
	return string(out)
}

// lower lower-cases ASCII letters alone: other bytes may be of any encoding.
func lower(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
