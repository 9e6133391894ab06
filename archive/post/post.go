package post

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

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
	Citations []Citation
	Images    []Citation // of a Markdown document, which has no other markup to find its requisites by
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
}

// ErrURL says that the URL or base of a document is no absolute URL.
var ErrURL = errors.New("the document's URL is not an absolute URL")

// found is a citation before it is judged. Its offsets are bytes of the decoded source.
type found struct {
	Citation
	ref     string // what to resolve, if that isn't Raw
	content bool
	rule    string   // a rule that the elements around it have decided
	rel     []string // of the element
}

// judge turns what was found into citations: resolved, classed, left out by the rules, with the originals of mementos,
// in the order of the source. own are the addresses of the document itself.
func judge(offsets *offsetter, base *urlkey.Base, links []found, mode Mode, own ...string) []Citation {
	slices.SortStableFunc(links, func(a, b found) int { return cmp.Compare(a.Start, b.Start) })
	out := make([]Citation, 0, len(links))
	for _, l := range links {
		c := l.Citation
		url, ok := resolve(base, cmp.Or(l.ref, c.Raw))
		if !ok {
			if why := unasked(cmp.Or(l.ref, c.Raw)); why != "" {
				c.URL, c.Start, c.End = strings.TrimSpace(c.Raw), offsets.at(c.Start), offsets.at(c.End)
				c.Where, c.LeftOut = InContent, why
				out = append(out, c)
			}
			continue
		}
		c.URL = url
		c.Start, c.End = offsets.at(c.Start), offsets.at(c.End)
		l.Citation = c
		if !urlkey.Fetchable(url) {
			c.Where, c.LeftOut = InContent, "no base"
			out = append(out, c)
			continue
		}
		out = append(out, place(l, mode, own))
		for memento := url; ; {
			original, ok := Unwrap(memento)
			if !ok {
				break
			}
			l.URL, l.Of = original, memento
			out = append(out, place(l, mode, own))
			memento = original
		}
	}
	for i := range out {
		out[i].Seq = i
	}
	return out
}

// unasked says why a reference can't be asked for that was meant to name a source; empty if it names none, as mailto: and
// javascript: do.
func unasked(ref string) string {
	scheme, _, ok := strings.Cut(strings.ToLower(strings.TrimSpace(ref)), ":")
	switch {
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

// offsetter turns byte offsets of a text into code points; it is quick for offsets that don't fall.
type offsetter struct {
	count       func(from, to int) int // code points between two bytes
	size        int                    // of the text, in bytes
	byteAt, cps int
}

func inString(s string) *offsetter {
	return &offsetter{count: func(from, to int) int { return utf8.RuneCountInString(s[from:to]) }, size: len(s)}
}

func inBytes(b []byte) *offsetter {
	return &offsetter{count: func(from, to int) int { return utf8.RuneCount(b[from:to]) }, size: len(b)}
}

func (o *offsetter) at(i int) int {
	i = min(max(i, 0), o.size)
	if i < o.byteAt {
		return o.cps - o.count(i, o.byteAt)
	}
	o.cps += o.count(o.byteAt, i)
	o.byteAt = i
	return o.cps
}
