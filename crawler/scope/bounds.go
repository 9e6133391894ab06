package scope

import (
	"fmt"
	"strings"

	"linkstead/archive/urlkey"
)

// root is the address that bounds are measured from; zero if the post has none.
type root struct{ host, site, folder string }

func newRoot(addr string) (root, error) {
	u, err := urlkey.Parse("", addr)
	if err != nil || !urlkey.Fetchable(u) {
		return root{}, fmt.Errorf("measure the scope from %q: not an http(s) address", addr)
	}
	path := pathOf(u)
	return root{host: urlkey.Host(u), site: urlkey.Site(u), folder: path[:strings.LastIndexByte(path, '/')+1]}, nil
}

// pathOf is the path of a serialised http or https URL, "/" at least.
func pathOf(u string) string {
	rest := u[strings.Index(u, "//")+2:]
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return "/"
}

// inBounds says whether a fetchable URL lies within the run's bound.
func (s *Scope) inBounds(u string) bool {
	if s.spec.Scope == BoundAny {
		return true
	}
	if s.root.host == "" {
		return false
	}
	switch s.spec.Scope {
	case BoundDomain:
		return urlkey.Site(u) == s.root.site
	case BoundPrefix:
		return urlkey.Host(u) == s.root.host && strings.HasPrefix(pathOf(u), s.root.folder)
	default:
		return urlkey.Host(u) == s.root.host
	}
}

// bounds says for people what the bound is.
func (s *Scope) bounds() string {
	switch s.spec.Scope {
	case BoundDomain:
		return "not under " + s.root.site
	case BoundPrefix:
		return "not under " + s.root.host + s.root.folder
	default:
		return "not on " + s.root.host
	}
}
