package replay

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"linkstead/archive/urlkey"
)

// How an author spelt a reference can be read from the address that stands in its place (docs/decisions/0037): by dot
// segments, which every URL parser takes out of it before anything is asked for (URL standard, "path state").
//
//	http://x.test/a    /web/TIME/http://x.test/a
//	http://x.test      /web/TIME/http://x.test/.
//	//x.test/a         /./web/TIME/http://x.test/a
//	/a                 /web/TIME/http://site.test/./a
//	?a                 /web/TIME/http://site.test/dir/%2E/page?a
//	../a               /web/TIME/http://site.test/dir/%2e/../a
//
// The shim reads it (address.js), and selectors of attributes are turned so that they match what was written (selectors.go).
type spelling struct {
	lead string // before the archive's path
	head string // the URL's first part, …
	mark string
	tail string // … and what comes after the mark
}

const (
	leadOfScheme  = "/." // ref begins with a host
	markOfHost    = "."  // ref ends with its host
	markOfPath    = "/."
	markOfQuery   = "%2E/"
	markOfSegment = "%2e/"
)

// unled is a path without the lead of a spelling, for whoever asks without taking it out.
func unled(path string) string {
	if strings.HasPrefix(path, leadOfScheme+"/") {
		return path[len(leadOfScheme):]
	}
	return path
}

// serialised tells how ref, which is u by base, is to stand in an attribute if it was spelt as URLs are serialised. Otherwise it is
// as if its author had spelt it so.
func serialised(base *urlkey.Base, u, ref string) spelling {
	ref, _, _ = strings.Cut(ref, "#")
	path, _, _ := strings.Cut(ref, "?")
	start := strings.Index(u, "://")
	if start < 0 || ref == "" {
		return spelling{head: u}
	}
	if start += 3; strings.HasPrefix(ref, "//") {
		s := spelling{lead: leadOfScheme, head: u}
		if endsWithHost(u[start:], ref[2:]) {
			s.mark = markOfHost
		}
		return s
	}
	if strings.HasPrefix(ref, u[:start]) {
		if endsWithHost(u[start:], ref[start:]) {
			return spelling{head: u, mark: markOfHost}
		}
		return spelling{head: u}
	}
	host := strings.IndexByte(u[start:], '/') + start
	switch {
	case host < start:
	case ref[0] == '/':
		return spelling{head: u[:host], mark: markOfPath, tail: u[host:]}
	case path == "":
		if page, ok := strings.CutSuffix(u, ref); ok {
			slash := strings.LastIndexByte(page, '/') + 1
			return spelling{head: u[:slash], mark: markOfQuery, tail: u[slash:]}
		}
	default:
		if dir := base.Dir(); resolves(dir, host, u, ref, path) {
			return spelling{head: dir, mark: markOfSegment, tail: ref}
		}
	}
	return spelling{head: u}
}

// spelt tells how ref, which is u by base, is to stand in an attribute behind front, the archive's path. What URL parsers would
// spell otherwise ("/{x}", "/ä", "/a/../b") stands there as it was written, if it leads where u does.
func (r *references) spelt(base *urlkey.Base, front, u, ref string) spelling {
	s := serialised(base, u, ref)
	ref, _, _ = strings.Cut(ref, "#")
	if ref == "" || s.writes(ref) || !r.keeps(ref) {
		return s
	}
	raw := verbatimly(base, u, ref)
	if raw.head == "" || raw.written() != ref {
		return s
	}
	want, err := anywhere.Resolve(front + u)
	if err != nil {
		return s
	}
	if got, err := anywhere.Resolve(raw.lead + front + raw.head + raw.mark + raw.tail); err != nil || got != want {
		return s
	}
	return raw
}

// anywhere is where addresses of ours are held against each other.
var anywhere = func() *urlkey.Base {
	base, err := urlkey.NewBase("http://replay.test/")
	if err != nil {
		panic(err) // it is a URL
	}
	return base
}()

// keeps says whether s can stand in an attribute as it is. Quotes and angle brackets can't: they would be tags to who reads the page
// otherwise than we do. Beyond ASCII it means the same to every browser if all of them read the page as UTF-8. Spaces beyond
// ASCII are some to scripts.
func (r *references) keeps(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	ascii := true
	for _, c := range s {
		if c == utf8.RuneError || c == '\uFEFF' || unicode.IsControl(c) || c > ' ' && unicode.IsSpace(c) || strings.ContainsRune("\"<>`", c) {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || r.charset.ToldUTF8()
}

// verbatimly is ref, which is u by base, with the marks of its kind; nothing where no mark would do.
func verbatimly(base *urlkey.Base, u, ref string) spelling {
	start := strings.Index(u, "://")
	if start < 0 || base.Dir() == "" {
		return spelling{}
	}
	start += 3
	switch host := strings.IndexByte(u[start:], '/') + start; {
	case host < start:
		return spelling{}
	case strings.HasPrefix(ref, "//"):
		return hosted(leadOfScheme, u[:start], ref[2:])
	case strings.HasPrefix(ref, u[:start]):
		return hosted("", u[:start], ref[start:])
	case ref[0] == '/':
		return spelling{head: u[:host], mark: markOfPath, tail: ref}
	case ref[0] == '?':
		page, _, _ := strings.Cut(base.String(), "?")
		return spelling{head: base.Dir(), mark: markOfQuery, tail: page[len(base.Dir()):] + ref}
	}
	return spelling{head: base.Dir(), mark: markOfSegment, tail: ref}
}

// hosted is a reference that begins with a host, whose path is empty if no slash comes next.
func hosted(lead, scheme, rest string) spelling {
	i := strings.IndexAny(rest, `/?\`)
	if i < 0 {
		i = len(rest)
	}
	s := spelling{lead: lead, head: scheme + rest[:i], tail: rest[i:]}
	if !strings.HasPrefix(s.tail, "/") {
		s.mark = "/" + markOfHost
	}
	return s
}

// writes says whether ref is what is read from a serialised spelling.
func (s spelling) writes(ref string) bool {
	switch s.mark {
	case markOfPath, markOfSegment:
		return s.tail == ref
	case markOfQuery:
		return strings.HasSuffix(s.tail, ref)
	}
	head := s.head
	if s.lead != "" {
		head = head[strings.IndexByte(head, ':')+1:]
	}
	if s.mark == markOfHost {
		return len(head) == len(ref)+1 && strings.HasPrefix(head, ref)
	}
	return head == ref
}

// written is what the shim reads from a spelling.
func (s spelling) written() string {
	scheme, rest, _ := strings.Cut(s.head+s.mark+s.tail, "//")
	host := "//" + rest
	rest = ""
	if i := strings.IndexAny(host[2:], "/?#"); i >= 0 {
		host, rest = host[:i+2], host[i+2:]
	}
	path := rest
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		path = rest[:i]
	}
	if path == "/." {
		rest = rest[2:]
	}
	if s.lead != "" {
		return host + rest
	}
	if i := strings.Index(path, "/"+markOfSegment); i >= 0 {
		return rest[i+1+len(markOfSegment):]
	}
	if strings.Contains(path, "/"+markOfQuery) {
		return rest[len(path):]
	}
	if i := strings.Index(path, markOfPath+"/"); i >= 0 {
		return rest[i+len(markOfPath):]
	}
	return scheme + host + rest
}

// endsWithHost says whether ref is but the host of a URL, whose path is a slash then.
func endsWithHost(url, ref string) bool {
	return len(url) == len(ref)+1 && url[len(ref)] == '/' && url[:len(ref)] == ref
}

// resolves says whether a browser finds u where the relative ref stands behind dir: it climbs no higher than to the host,
// which ends at that offset of dir, and all else in it is serialised.
func resolves(dir string, host int, u, ref, path string) bool {
	if host >= len(dir) || strings.HasPrefix(path, "/") {
		return false
	}
	for {
		skip := 0
		switch {
		case strings.HasPrefix(path, "./"):
			skip = 2
		case strings.HasPrefix(path, "../"):
			skip = 3
			if dir = dir[:strings.LastIndexByte(dir[:len(dir)-1], '/')+1]; len(dir) <= host {
				return false
			}
		default:
			return len(u) == len(dir)+len(ref) && strings.HasPrefix(u, dir) && strings.HasSuffix(u, ref)
		}
		path, ref = path[skip:], ref[skip:]
	}
}
