package replay

import (
	"bytes"
	"strings"

	"linkstead/archive/markup"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// references turns the references of one document into addresses of the archive, at the time that was asked for.
type references struct {
	root  string // of the collection's addresses: "/web/"
	stamp string
	doc   *urlkey.Base // the document's own URL
	base  *urlkey.Base // what its references are relative to
	file  bool         // the document was handed in, as a file
	page  modifier     // of what a reader may go to

	charset *markup.Charset // of the document
	origin  string          // of the archive
	foreign bool            // the document is a page of another archive
}

func newReferences(a *address, c *storage.Capture) *references {
	r := &references{root: "/" + a.name + "/", stamp: a.stamp}
	if base, err := urlkey.NewBase(urlOf(c)); err == nil {
		r.doc, r.base = base, base
		r.foreign = isArchive(base.String())
		r.file = strings.HasPrefix(base.String(), "file:")
	}
	return r
}

// withBase obeys a document's base element.
func (r *references) withBase(href string) {
	if r.doc == nil || len(href) > urlkey.MaxLength {
		return
	}
	u, err := r.doc.Resolve(href)
	if a, ok := r.ours(href); ok {
		u, err = a.url, nil
	}
	if err != nil || !r.archived(u) {
		return // data: and javascript: bases do not count (HTML §4.2.3)
	}
	if base, err := urlkey.NewBase(u); err == nil {
		r.base = base
	}
}

// archived says whether a URL may have captures. All others (data:, mailto:, javascript:) stay as they are: they ask
// no server, or the policy stops them.
func (r *references) archived(url string) bool {
	return urlkey.Fetchable(url) || r.file && strings.HasPrefix(url, "file:")
}

// inside is the address of what ref refers to; not ok if it stays as it is.
func (r *references) inside(ref string, mod modifier) (string, bool) { return r.from(r.base, ref, mod) }

func (r *references) from(base *urlkey.Base, ref string, mod modifier) (string, bool) {
	if base == nil || ref == "" || ref[0] == '#' || len(ref) > urlkey.MaxLength {
		return "", false
	}
	if _, ours := r.ours(ref); ours {
		return "", false
	}
	u, err := base.Resolve(ref)
	if err != nil || !r.archived(u) {
		return "", false
	}
	to := r.root + r.stamp + string(mod) + "/" + u
	if f := urlkey.SerialisedFragment(ref); f != "" || strings.HasSuffix(ref, "#") {
		to += "#" + f
	}
	return to, true
}

// visit is how documents are rewritten: see markup.Visit.
func (r *references) visit(ref markup.Ref) (string, bool) {
	switch ref.Role {
	case markup.Link:
		if ref.Context == "script/speculationrules" {
			return "", false // they rule no more: see renames
		}
	case markup.Canonical, markup.Social:
		return "", false // names, which nobody fetches
	case markup.Base:
		return r.from(r.doc, r.charset.URL(ref.URL), asPage)
	}
	base := r.base
	if ref.Early && ref.Role.Requisite() {
		base = r.doc // a browser has loaded it before it meets the base
	}
	if ref.Base != "" && base != nil && len(ref.Base) <= urlkey.MaxLength {
		if u, err := base.Resolve(ref.Base); err == nil && r.archived(u) {
			if b, err := urlkey.NewBase(u); err == nil {
				base = b
			}
		}
	}
	mod := modifierOf(ref)
	if mod == asPage {
		mod = r.page
	}
	to, ok := r.from(base, r.charset.URL(ref.URL), mod)
	if ok && ref.Context == "feed/text" {
		to = r.origin + to // feed readers resolve it against nothing
	}
	return to, ok
}

// modifierOf tells what the place of a reference wants.
func modifierOf(ref markup.Ref) modifier {
	switch ref.Role {
	case markup.Stylesheet, markup.Import:
		return asStyle
	case markup.Script, markup.Module:
		return asScript
	case markup.Prefix:
		if strings.HasPrefix(ref.Context, "importmap/") {
			return asScript
		}
	case markup.Image, markup.Icon, markup.Poster, markup.Use:
		return asImage
	case markup.Media, markup.Track, markup.Font, markup.Object, markup.Manifest, markup.Preload:
		return asEmbed
	case markup.Frame:
		return asFrame
	}
	return asPage
}

// refresh rewrites a Refresh field.
func (r *references) refresh(value string) string {
	var out bytes.Buffer
	if markup.RefreshHeader(&out, []byte(value), r.visit) != nil {
		return ""
	}
	return out.String()
}
