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

	keep    bool            // addresses in attributes keep how they were spelt, see spelling
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
func (r *references) inside(ref string, mod modifier) (string, bool) {
	return r.from(r.base, ref, mod, false)
}

// from is inside, for a reference relative to base; kept if the address is to keep how it was spelt.
func (r *references) from(base *urlkey.Base, ref string, mod modifier, kept bool) (string, bool) {
	if base == nil || ref == "" || ref[0] == '#' || len(ref) > urlkey.MaxLength {
		return "", false
	}
	if r.inward(ref) {
		return "", false
	}
	u, err := base.Resolve(ref)
	if err != nil || !r.archived(u) {
		return "", false
	}
	s, front := spelling{head: u}, r.root+r.stamp+string(mod)+"/"
	if kept {
		s = r.spelt(base, front, u, ref)
	}
	to := s.lead + front + s.head + s.mark + s.tail
	if f, ok := urlkey.Fragment(ref); ok && kept && r.keeps(f) {
		to += "#" + f
	} else if f := urlkey.SerialisedFragment(ref); f != "" || strings.HasSuffix(ref, "#") {
		to += "#" + f
	}
	return to, true
}

// nowhere is what stands, in an address of ours, for a reference that names no URL of ours, or one that is too long: the archive says
// so. In an attribute what was written follows as its fragment, which is sent to nobody.
const nowhere = "http://"

// inward says whether a reference is an address of ours already.
func (r *references) inward(ref string) bool {
	if _, ours := r.ours(ref); ours {
		return true
	}
	path, _, _ := strings.Cut(ref, "#")
	return strings.HasPrefix(path, r.root) && strings.HasSuffix(path, "/"+nowhere)
}

// strays says whether a browser may ask a server for a reference that was not understood. Those with a scheme of their own
// (data:, mailto:, javascript:) ask nobody, or the policy stops them.
func strays(ref string) bool {
	if ref == "" || ref[0] == '#' {
		return false
	}
	scheme := make([]byte, 0, 8) // browsers know none that matters and is longer
	for i := 0; i < len(ref); i++ {
		switch c := ref[i]; {
		case c == '\t' || c == '\n' || c == '\r' || c <= ' ' && len(scheme) == 0: // URL standard §4.4, which drops them
		case c == ':':
			switch strings.ToLower(string(scheme)) {
			case "http", "https", "ftp", "ws", "wss", "":
				return true
			}
			return false
		case isLower(c | 0x20), len(scheme) > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
			scheme = append(scheme, c)
		default:
			return true // it is relative
		}
		if len(scheme) > maxScheme {
			return true
		}
	}
	return true
}

const maxScheme = 64 // bytes

// maxRefresh bounds a Refresh field, in bytes: an address of ours with the longest URL that there is fits in.
const maxRefresh = 2 * urlkey.MaxLength

// visit is how documents are rewritten: see markup.Visit.
func (r *references) visit(ref markup.Ref) (string, bool) {
	kept := r.keep && strings.Contains(ref.Context, "/@") && ref.Context != "meta/@refresh" && !strings.HasSuffix(ref.Context, "/@import")
	switch ref.Role {
	case markup.Link:
		if ref.Context == "script/speculationrules" {
			return "", false // they rule no more: see renames
		}
	case markup.Canonical, markup.Social:
		return "", false // names, which nobody fetches
	case markup.Base:
		if to, ok := r.from(r.doc, r.charset.URL(ref.URL), asPage, kept); ok || r.inward(ref.URL) || !strays(ref.URL) {
			return to, ok
		}
		return "", true // which is the document's own, as for withBase
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
	to, ok := r.from(base, r.charset.URL(ref.URL), mod, kept)
	if !ok && strays(ref.URL) && !r.inward(ref.URL) {
		to, ok = r.root+r.stamp+string(mod)+"/"+nowhere, true
		if text := r.charset.URL(ref.URL); kept && len(text) <= urlkey.MaxLength/2 && r.keeps(text) {
			to += "#" + text
		}
	}
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

// refresh rewrites a Refresh field. One that browsers may read otherwise than we do is none.
func (r *references) refresh(value string) string {
	value = unbroken(value)
	var out bytes.Buffer
	if !markup.ClearRefresh([]byte(value)) || markup.RefreshHeader(&out, []byte(value), r.visit) != nil || out.Len() > maxRefresh {
		return ""
	}
	return out.String()
}
