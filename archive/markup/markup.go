// Package markup finds every place where a URL stands in HTML, XML, CSS, srcset, scripts and a few smaller notations,
// and can put another URL in that place. Extraction and rewriting share each scanner, so what the crawler fetches is
// what replay rewrites.
//
// A scanner never alters a byte that it was not asked to alter: with a visitor that replaces nothing the output equals
// the input, whatever the input is. It never fails on hostile input, never fetches, and never resolves a URL against a
// base. Time is linear in the length of the input, memory too.
//
// Input is a whole document in memory, decoded from its content encoding but in its own charset. Any charset that keeps
// ASCII in its place will do (UTF-8, windows-125x, ISO-8859-x, Shift_JIS, GBK, EUC): URLs are handed over in the
// document's bytes, save for character references, which become UTF-8. UTF-16 is understood by its byte order mark
// and handed over as UTF-8. UTF-16 without the mark, UTF-32 and ISO-2022-JP yield nothing useful, and stay intact.
package markup

import (
	"errors"
	"io"
	"math"
)

// ErrTooLong is returned for documents of 2 GiB or more. Nothing has been written then.
var ErrTooLong = errors.New("markup: document of 2 GiB or more")

// Ref is one URL, where it stands.
type Ref struct {
	// URL is as the page spells it, without the spaces and control characters at its ends that the URL standard
	// ignores (§4.4), with character references, CSS and JavaScript escapes undone. It is never empty, since an
	// empty address names the document itself.
	URL  string
	Role Role
	// Context tells the kind of place: "a/@href", "img/@srcset", "style/url()", "@style/url()", "meta/@refresh",
	// "script/import", "Link".
	Context string
	// Rel is what a Canonical or Alternate is by its rel: canonical, alternate or amphtml. Feed says that its type is that
	// of a feed.
	Rel  string
	Feed bool
	// Base, if not empty, is an address that URL is resolved against first, and that is itself relative to the
	// document's base: the codebase of an object or applet, or the base element of a srcdoc document.
	Base string
	// Early says that no base element stands before the place. What a browser loads as soon as it meets it, it has resolved
	// against the document then; a link obeys whatever base there is when it is followed.
	Early bool
	// Depth is 0 in the document itself and counts the srcdoc documents around the place.
	Depth int
	// Start and End are the byte offsets in the input of what a replacement overwrites.
	Start, End int
}

// Visit is called for every URL, in the order of the document. If ok, the replacement takes the URL's place, escaped as
// the place demands. A nil Visit finds nothing.
type Visit func(Ref) (replacement string, ok bool)

// Options are what HTML and XML can do besides visiting URLs. The zero value does nothing.
type Options struct {
	// Rename gives attributes other names, which neutralises and keeps them: what they hold is neither visited nor altered. One
	// of integrity on any element renames the digests of import maps, too.
	Rename []Rename
	// Insert is called once a document, at most, and tells what to put before the first element that could load or run
	// anything: after what html, head, meta and title elements there are, so that a meta element that names the charset
	// stays among the first 1,024 bytes (HTML §4.2.5.4). In XML it comes right after the start tag of the root element, or of
	// the head that it begins with. The depth is that of Ref.
	Insert func(depth int) string
	// Defuse, if not empty, is put before the names of attributes that a browser would obey in a way that was not understood, such as
	// the http-equiv of a refresh that leads who knows where. It also takes out of the internal subset of XML what could bring markup
	// or attributes into the document, and keeps apart what browsers read in two ways.
	Defuse string
	// Feeds has XML visit, in feeds, sitemaps and manifests of DASH, the addresses that stand there as text, those in the HTML that stands there as
	// text, and what only feeds call an address. (The crawler reads feeds by a reader of its own.)
	Feeds bool
	// Scope makes classic scripts, modules, event handlers and javascript: URLs see an archived world: see ScopedJavaScript.
	Scope bool
	// Selects, if not nil, has attribute selectors in style elements replaced: see SelectingCSS.
	Selects *Selects
}

// Rename tells which attributes get another name, or another word.
type Rename struct {
	Element string // lower case; "": any
	Attr    string // lower case
	Value   string // lower case, compared without regard to case and surrounding space; "": any
	To      string // the new name, before which other attributes may stand that take the old one's place
	Word    string // if not empty, the attribute keeps its name, and has this word among those that it holds
}

// scan is what all scanners of one call share.
type scan struct {
	out   editor
	visit Visit
	depth int
	base  string // of the refs being found
	early bool   // no base element has come yet
	scope bool   // scripts see the archived world

	selects *Selects // nil: selectors stay as they are
}

// run checks the length, scans src by f, and writes what is left.
func run(dst io.Writer, src []byte, visit Visit, f func(*scan, *text)) error {
	if len(src) > math.MaxInt32 {
		return ErrTooLong
	}
	s := &scan{out: editor{dst: dst, src: src}, visit: visit}
	f(s, document(src))
	return s.out.close()
}

// found hands over the URL that stands at [r.Start, r.End) of t, and puts its replacement there, escaped by esc.
func (s *scan) found(t *text, r Ref, esc func(string) string) {
	if s.visit == nil || r.URL == "" {
		return
	}
	start, end := r.Start, r.End
	r.Start, r.End = t.raw(start), t.raw(end)
	r.Depth, r.Early = s.depth, s.early
	if r.Base == "" && r.Role != Base {
		r.Base = s.base
	}
	with, ok := s.visit(r)
	if !ok || s.out.dst == nil {
		return
	}
	if esc != nil {
		with = esc(with)
	}
	s.edit(t, start, end, with)
}

// edit overwrites [start, end) of t.
func (s *scan) edit(t *text, start, end int, with string) {
	if s.out.dst != nil {
		s.out.replace(t.raw(start), t.raw(end), t.escape(with))
	}
}
