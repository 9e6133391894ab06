package post

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"linkstead/archive/scar"
	"linkstead/archive/urlkey"
)

// Mode tells which links of a document are its sources.
type Mode string

// The modes. Mementos' originals follow their mementos, and rules leave out share buttons and the like in each mode.
const (
	Default  Mode = ""         // content and outbound together
	Content  Mode = "content"  // the links in the main content, to whatever site
	Outbound Mode = "outbound" // the links to other sites, wherever they stand
	All      Mode = "all"      // navigation too
)

// Options tell what the bytes of a document don't.
type Options struct {
	ContentType string // Content-Type header, or its charset alone; may be empty
	Links       Mode
	Expired     func() bool // asked now and then: true ends the reading with ErrSlow; nil: it takes what it takes
}

// ErrSlow says that reading a document took longer than its reader would wait.
var ErrSlow = errors.New("reading it took too long")

// MaxLinks bounds the links that are read out of one document. What has more is no post, and each costs memory.
const MaxLinks = 10_000

// Document is what a document says of itself, and its citations in the order of the source.
type Document struct {
	Title     string
	Dated     string // ISO 8601 as far as known: "2016-02", "2016-02-21", "2016-02-21T10:00:00+01:00"; empty if unknown
	URL       string // as handed in, serialised; empty if there was none
	Canonical string // rel=canonical, empty if there is none
	Lang      string // of the html element or the front matter, BCP 47 as spelled there
	Cut       bool   // it has more elements than are read: what the rest cites is not here
	Fault     string `json:",omitempty"` // where it is not what its type says, for people: it was read all the same, as far as it could be
	Citations []Citation
	Images    []Citation  // of a Markdown document, which has no other markup to find its requisites by
	Damaged   []scar.Scar `json:",omitempty"` // citations that lost their link, in the order of the prose
	Blocks    []Block     `json:"-"`          // its prose, in the order in which it is read
}

// Where citations stand.
const (
	InContent   = "content"
	IsOutbound  = "outbound"
	IsElsewhere = "elsewhere"
)

// Citation is one place in a document that points to a source. Its fields are those of storage.Citation, in its order.
type Citation struct {
	Seq     int    // order in the document, from 0
	URL     string // the link: resolved, serialised, without fragment
	Raw     string // as the author spelled it, entities and escapes decoded in HTML and Markdown
	Text    string // anchor text, or the alternative text of a linked picture; 300 code points at most
	Context string // the sentence around it, white space collapsed; 300 code points and an ellipsis at either end at most
	Start   int    // offset in the source, Unicode code points
	End     int
	Where   string // content, outbound, elsewhere
	LeftOut string // why it is not to be captured; empty: it is
	Of      string // for the original of a memento link: the memento's URL
	Page    int    `json:",omitempty"` // on which it stands, from 1; 0 in a document without pages

	Selector     string `json:",omitempty"` // of this place: a text directive, "text=…", of a URL's fragment; empty if none leads here alone
	Quotation    string `json:",omitempty"` // that it supports, white space collapsed, without its marks; its first 1000 code points
	Dated        string `json:",omitempty"` // when its author cited it, if that is told of it: ISO 8601 as far as known; else it is the document's
	Entry        string `json:",omitempty"` // of a feed: the title of the entry in which it stands, or its address
	Alternatives string `json:",omitempty"` // other addresses that may be meant by what stands there, a line each, the likeliest first
}

// ErrURL says that the URL or base of a document is no absolute URL.
var ErrURL = errors.New("the document's URL is not an absolute URL")

// found is a citation before it is judged. Its offsets are bytes of the decoded source.
type found struct {
	Citation
	ref     string // what to resolve, if that isn't Raw
	content bool
	rule    string       // a rule that the elements around it have decided
	rel     []string     // of the element
	others  []string     // what else may be meant
	base    *urlkey.Base // that it is resolved against, if it isn't the document's

	block    int // in which it stands, if its blocks have been told …
	from, to int // … and where
}

// judge turns what was found into citations: resolved, classed, left out by the rules, with the originals of mementos,
// in the order of the source; each with its sentence, and with its place in the blocks of the document, if those are told. own are the
// addresses of the document itself.
func (d *Document) judge(offsets *offsetter, base *urlkey.Base, links []found, runs []*builder, mode Mode, own ...string) {
	slices.SortStableFunc(links, func(a, b found) int { return cmp.Compare(a.Start, b.Start) })
	blocks := make([]*Block, len(runs))
	for i, r := range runs {
		blocks[i] = r.block()
	}
	kept, index := counted(blocks, offsets)
	out := make([]Citation, 0, len(links))
	for _, l := range links {
		if len(runs) > 0 && l.block >= 0 {
			b := blocks[l.block]
			l.from, l.to = min(l.from, len(b.Text)), min(l.to, len(b.Text))
			if l.Context == "" {
				l.Context = contextIn(b.Text, l.from, l.to)
			}
			if i := index[l.block]; i >= 0 {
				kept[i].Links = append(kept[i].Links, Anchor{l.from, l.to, len(out)})
			}
		}
		l.Start, l.End = offsets.at(l.Start), offsets.at(l.End)
		more := l.judge(base, mode, own)
		if len(more) == 0 && len(runs) > 0 && l.block >= 0 && index[l.block] >= 0 {
			b := &kept[index[l.block]]
			b.Links = b.Links[:len(b.Links)-1]
		}
		out = append(out, more...)
	}
	for i := range out {
		out[i].Seq = i
	}
	d.Citations, d.Blocks, d.Damaged = out, kept, damage(kept, out)
	d.situate()
}

// judge is the citation that was found, and the originals that it is a memento of; nothing if it is none.
func (l found) judge(base *urlkey.Base, mode Mode, own []string) []Citation {
	c := &l.Citation
	if l.base != nil {
		base = l.base
	}
	url, ok := resolve(base, cmp.Or(l.ref, c.Raw))
	if !ok {
		if c.LeftOut = unasked(cmp.Or(l.ref, c.Raw)); c.LeftOut == "" {
			return nil
		}
		c.URL, c.Where = strings.TrimSpace(c.Raw), InContent
		return []Citation{*c}
	}
	c.URL = url
	c.Alternatives = alternatives(url, l.others)
	if !urlkey.Fetchable(url) {
		c.Where, c.LeftOut = InContent, "no base"
		return []Citation{*c}
	}
	out := []Citation{place(l, mode, own)}
	for {
		original, ok := Unwrap(c.URL)
		if !ok {
			return out
		}
		c.URL, c.Of = original, c.URL
		out = append(out, place(l, mode, own))
	}
}

// unasked says why a reference can't be asked for that was meant to name a source; empty if it names none, as mailto: and
// javascript: do.
func unasked(ref string) string {
	ref = strings.ToLower(strings.TrimSpace(ref))
	scheme, _, ok := strings.Cut(ref, ":")
	switch {
	case len(ref) > 1 && ref[0] == '#':
		return "same page"
	case !ok:
		return ""
	case scheme == "http", scheme == "https":
		return "not an address"
	case slices.Contains(sourceSchemes, scheme):
		return "other scheme"
	}
	return ""
}

// sourceSchemes are those under which there are sources that we can't ask for.
var sourceSchemes = []string{
	"ftp", "ftps", "sftp", "gopher", "gemini", "ipfs", "ipns", "magnet", "news", "nntp", "rtsp", "rtmp", "mms", "doi", "hdl", "urn",
}

// resolve returns the URL of a reference; ok is false for what is no link. A relative reference that nothing resolves
// is returned as it is.
func resolve(base *urlkey.Base, raw string) (string, bool) {
	var url string
	var err error
	if base == nil {
		url, err = urlkey.Parse("", raw)
	} else {
		url, err = base.Resolve(raw)
	}
	if err == nil && urlkey.Fetchable(url) {
		return url, true
	}
	ref := strings.TrimSpace(raw)
	if ref == "" || ref[0] == '#' || hasScheme(ref) || base != nil && urlkey.Fetchable(base.String()) {
		return "", false
	}
	if err != nil {
		url = ref
	}
	return url, true
}

// hasScheme reports whether a reference begins with a URL scheme.
func hasScheme(ref string) bool {
	i := strings.IndexAny(ref, ":/?#")
	return i > 0 && ref[i] == ':'
}

// place says where a link stands and whether it is left out.
func place(l found, mode Mode, own []string) Citation {
	c := l.Citation
	other := len(own) == 0 || urlkey.Site(c.URL) != urlkey.Site(own[0])
	switch {
	case l.content:
		c.Where = InContent
	case other:
		c.Where = IsOutbound
	default:
		c.Where = IsElsewhere
	}
	switch {
	case l.rule != "":
		c.LeftOut = l.rule
	case slices.Contains(own, c.URL), strings.HasPrefix(c.Raw, "#"):
		c.LeftOut = "same page"
	default:
		c.LeftOut = leftOut(link{url: c.URL, text: c.Text, rel: l.rel, own: !other || !l.content})
	}
	if c.LeftOut == "" {
		c.LeftOut = beyond(mode, c.Where, other)
	}
	return c
}

// beyond says why a mode leaves a citation out, or nothing.
func beyond(mode Mode, where string, other bool) string {
	switch {
	case mode == Default && where == IsElsewhere:
		return "navigation"
	case mode == Content && where != InContent:
		return "outside content"
	case mode == Outbound && !other:
		return "same site"
	}
	return ""
}

// offsetter turns byte offsets of a text into code points.
type offsetter struct {
	count func(from, to int) int // code points that begin between two bytes
	size  int                    // of the text, in bytes
	marks []int                  // code points before each stride of it
}

const stride = 1 << 10

func inString(s string) *offsetter {
	return newOffsetter(len(s), func(from, to int) int { return begun(s[from:to]) })
}

func inBytes(b []byte) *offsetter {
	return newOffsetter(len(b), func(from, to int) int { return begun(b[from:to]) })
}

func newOffsetter(size int, count func(from, to int) int) *offsetter {
	return &offsetter{count: count, size: size, marks: []int{0}}
}

// at is how many code points begin before a byte.
func (o *offsetter) at(i int) int {
	i = min(max(i, 0), o.size)
	for len(o.marks) <= i/stride {
		n := len(o.marks)
		o.marks = append(o.marks, o.marks[n-1]+o.count((n-1)*stride, n*stride))
	}
	at := i / stride
	return o.marks[at] + o.count(at*stride, i)
}

// begun is how many code points begin in a text, which may itself begin and end within one.
func begun[T string | []byte](s T) (n int) {
	for i := range len(s) {
		if utf8.RuneStart(s[i]) {
			n++
		}
	}
	return n
}

// alternatives are the addresses that may be meant besides one, a line each.
func alternatives(url string, others []string) string {
	var out []string
	for _, o := range others {
		if u, err := urlkey.Parse("", o); err == nil && urlkey.Fetchable(u) && u != url && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return strings.Join(out, "\n")
}
