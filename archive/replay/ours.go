package replay

import (
	"strings"

	"linkstead/archive/urlkey"
)

// ours says whether a reference is an address of this archive already, as in a page that was itself captured here, or has been
// rewritten before: it stays, at its own time. What looks like one on a page of another archive is that archive's.
func (r *references) ours(ref string) (address, bool) {
	path := ref
	if scheme, base, ok := strings.Cut(r.origin, "://"); ok && hasScheme(ref, scheme+"://") {
		host, rest, slash := strings.Cut(ref[len(scheme)+3:], "/")
		if !slash || host != base && !strings.HasSuffix(host, "."+base) {
			return address{}, false
		}
		path = "/" + rest
	} else if r.foreign {
		return address{}, false
	}
	if path = unled(path); !strings.HasPrefix(path, r.root) {
		return address{}, false
	}
	path, _, _ = strings.Cut(path, "#")
	a, err := parseAddress(path)
	return a, err == nil && a.kind == ofMemento && !a.loose
}

// isArchive says whether a document is a page of another archive of this kind, whose addresses look like ours.
func isArchive(url string) bool {
	switch urlkey.Host(url) {
	case "web.archive.org", "wayback.archive.org", "web-beta.archive.org":
		return true
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		a, err := parseAddress("/" + path)
		return err == nil && a.kind == ofMemento
	}
	return false
}
