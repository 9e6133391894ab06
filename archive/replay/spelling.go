package replay

import (
	"strings"

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

// spelt tells how ref, which is u by base, is to stand in an attribute. What was not spelt as URLs are serialised is as if
// its author had spelt it so.
func spelt(base *urlkey.Base, u, ref string) spelling {
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
