package markup

import (
	"bytes"
	"io"
)

// maxSrcdoc bounds how deep srcdoc documents are followed into one another, so that time stays linear. What is deeper is
// neither visited nor altered.
const maxSrcdoc = 4

// HTML visits the URLs of an HTML document and writes the document to dst with the replacements in their places. A nil
// dst means that only the URLs are wanted.
//
// The tokenizer is our own rather than x/net/html's: that one reads byte by byte from a reader, tells no positions of
// attributes, and takes style and title in SVG for raw text.
func HTML(dst io.Writer, src []byte, opts Options, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) {
		s.scope, s.selects = opts.Scope, opts.Selects
		s.early = true
		newHTMLScan(s, t, opts).document()
	})
}

// XML does the same for SVG, XHTML and other XML: href, xlink:href and src, style, scripts, the xml-stylesheet
// processing instruction. Whether Insert finds a place, ShapeOfXML tells.
func XML(dst io.Writer, src []byte, opts Options, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) {
		h := newHTMLScan(s, t, opts)
		h.xml, s.scope, s.selects = true, opts.Scope, opts.Selects
		h.document()
	})
}

// htmlScan reads one HTML or XML document.
type htmlScan struct {
	*scan
	opts Options
	t    *text
	b    []byte // t.b, or its part up to the end of the noscript element being read
	xml  bool

	attrs   []attr // of the tag being read
	seen    [256]uint32
	stamp   uint32
	renames uint32 // first letters of the attributes to rename, a bit each

	codebase   string // of the object being read
	linkRole   Role   // of the link being read …
	linkRel    string // … and what Ref says of it
	linkFeed   bool
	scriptKind scriptKind
	refreshes  bool // the meta element being read leads on …
	unclear    bool // … to who knows where
	css        bool // the style element being read holds CSS

	foreign     []openElement // see foreign.go
	messy       bool          // what only a whole tree builder could follow has come
	inSelect    bool
	shadow      uint8 // see doubtful
	hidden      bool  // a comment has come since
	space       byte  // inSVG or inMath if the tag being read is of SVG or MathML
	foreignSeen bool  // there has been any
	content     uint8 // the style or script in SVG or XML whose text comes next
	templates   int   // open template elements
	inNoscript  bool
	inserted    bool
	rooted      bool // the root element has begun
	headNext    bool // … and is that of XHTML, with a head at its start
	feed        bool // it is that of a feed
	dash        bool // … of DASH
	deep        int  // open elements of it
	bases       []feedBase

	baseSeen bool // the first base has been met
	baseHref string
	stop     bool // wanted after the first base
	onlyBase bool
}

func newHTMLScan(s *scan, t *text, opts Options) *htmlScan {
	h := &htmlScan{scan: s, t: t, b: t.b, opts: opts, inserted: opts.Insert == nil}
	for _, r := range opts.Rename {
		if r.Attr != "" {
			h.renames |= firstBit(r.Attr[0])
		}
	}
	return h
}

func (h *htmlScan) document() {
	h.tokens(0)
	if !h.inserted && !h.xml {
		h.insert(len(h.b))
	}
}

// tokens reads h.b from i on (HTML §13.2.5.1, data state).
func (h *htmlScan) tokens(i int) {
	for i < len(h.b) && !h.stop {
		n := bytes.IndexByte(h.b[i:], '<')
		if n < 0 {
			n = len(h.b) - i
		}
		if h.content != 0 && n > 0 {
			h.foreignText(i, i+n, false)
		}
		if i += n; i < len(h.b) {
			i = h.token(i)
		}
	}
}

// token reads what the "<" at i begins and returns the position after it (HTML §13.2.5.6, tag open state).
func (h *htmlScan) token(i int) int {
	b := h.b
	if i+1 >= len(b) {
		return len(b)
	}
	switch c := b[i+1]; {
	case h.startsName(c):
		return h.startTag(i)
	case c == '/':
		if i+2 < len(b) && h.startsName(b[i+2]) {
			return h.endTag(i)
		}
		return h.bogus(i)
	case c == '!':
		return h.declaration(i)
	case c == '?':
		if h.xml {
			return h.instruction(i)
		}
		return h.bogus(i)
	}
	return i + 1
}

// bogus reads a comment that is none by its look (HTML §13.2.5.41).
func (h *htmlScan) bogus(i int) int {
	end := h.after(i+2, ">")
	if h.b[end-1] != '>' {
		h.cut(i)
	}
	h.muffled(i+2, end, ltRef)
	return end
}

func (h *htmlScan) startsName(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || h.xml && (c == '_' || c == ':' || c >= 0x80)
}

// after returns the position after the next end from i on, or that of the text's end.
func (h *htmlScan) after(i int, end string) int {
	if i < len(h.b) {
		if n := bytes.Index(h.b[i:], []byte(end)); n >= 0 {
			return i + n + len(end)
		}
	}
	return len(h.b)
}

// declaration reads a comment, a doctype, a CDATA section or a bogus comment (HTML §13.2.5.42).
func (h *htmlScan) declaration(i int) int {
	rest := h.b[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		h.hidden = true
		end := h.comment(i + 4)
		if !bytes.HasSuffix(h.b[i:end], []byte("-->")) && !bytes.HasSuffix(h.b[i:end], []byte("--!>")) {
			h.cut(i)
		}
		h.muffled(i+4, end, ltRef)
		return end
	case (h.xml || h.inForeign()) && bytes.HasPrefix(rest, []byte("<![CDATA[")):
		end := h.after(i+9, "]]>")
		if !bytes.HasSuffix(h.b[i:end], []byte("]]>")) {
			h.cut(i)
		}
		if !h.xml && h.muffled(i+9, end, ltCDATA) {
			return end
		}
		if h.content != 0 {
			h.foreignText(i+9, max(i+9, end-3), true)
		}
		return end
	case h.xml && bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return h.doctype(i)
	}
	return h.bogus(i)
}

// comment returns the position after the comment whose text begins at i. "<!-->" and "<!--->" are whole comments, and
// "--!>" ends one too (HTML §13.2.5.43–52).
func (h *htmlScan) comment(i int) int {
	b := h.b
	if !h.xml {
		if bytes.HasPrefix(b[i:], []byte(">")) {
			return i + 1
		}
		if bytes.HasPrefix(b[i:], []byte("->")) {
			return i + 2
		}
	}
	for {
		n := bytes.Index(b[i:], []byte("--"))
		if n < 0 {
			return len(b)
		}
		i += n + 2
		if i < len(b) && b[i] == '>' {
			return i + 1
		}
		if !h.xml && bytes.HasPrefix(b[i:], []byte("!>")) {
			return i + 2
		}
		i-- // "--->" ends a comment as well
	}
}

// startTag reads the start tag at i, and its content if that isn't markup.
func (h *htmlScan) startTag(i int) int {
	b := h.b
	nameTo := h.tagName(i + 1)
	elem := table.elems.lookup(h.localName(i+1, nameTo))
	end, selfClosing := nameTo+1, false
	if nameTo < len(b) && b[nameTo] == '>' {
		h.attrs = h.attrs[:0]
		h.stamp++
	} else if end, selfClosing = h.tag(nameTo); end < 0 {
		h.cut(i)
		return len(b)
	}
	if !h.inserted && !h.xml && !h.harmless(elem) {
		h.insert(i)
	}
	h.enter(elem, h.localName(i+1, nameTo), selfClosing)
	if h.xml && !h.rooted {
		name := h.localName(i+1, nameTo)
		h.feed = h.opts.Feeds && feedRoots.lookup(name) != 0
		h.dash = h.feed && equalFold(name, "mpd")
	}
	h.element(elem, i+1, nameTo)
	if !h.inserted && h.xml {
		h.insertXML(elem, h.localName(i+1, nameTo), end, selfClosing)
	}
	h.content = 0
	if h.xml {
		h.feedStart(h.localName(i+1, nameTo), selfClosing)
	}
	h.rooted = true
	if h.xml || h.space != 0 {
		if !selfClosing && (elem == elemStyle || elem == elemScript) {
			h.content = elem
		}
		return end
	}
	return h.rawContent(elem, end)
}

// tagName returns the end of the tag name that begins at i (HTML §13.2.5.8).
func (h *htmlScan) tagName(i int) int {
	b := h.b
	for i < len(b) && (class[b[i]]&nameEnd == 0 || b[i] == '=') {
		i++
	}
	return i
}

// localName is a tag's name without the prefix that XML allows.
func (h *htmlScan) localName(start, end int) []byte {
	name := h.b[start:end]
	if h.xml {
		if n := bytes.LastIndexByte(name, ':'); n >= 0 {
			return name[n+1:]
		}
	}
	return name
}

// harmless says whether an element may stand before what is inserted: it loads and runs nothing.
func (h *htmlScan) harmless(elem uint8) bool {
	switch elem {
	case elemHTML, elemHead, elemMeta, elemTitle:
		return true
	}
	return false
}

func (h *htmlScan) endTag(i int) int {
	nameTo := h.tagName(i + 2)
	if !h.inserted && !h.xml && equalFold(h.b[i+2:nameTo], "head") {
		h.insert(i)
	}
	end := nameTo + 1
	if nameTo >= len(h.b) || h.b[nameTo] != '>' {
		if end, _ = h.tag(nameTo); end < 0 {
			h.cut(i)
			return len(h.b)
		}
	}
	h.content = 0
	if end > nameTo+1 && h.doubtful() {
		for k := range h.attrs {
			h.muffle(h.attrs[k].start, h.attrs[k].end, ltRef)
		}
	}
	h.leave(h.localName(i+2, nameTo))
	h.feedEnd()
	return end
}

func (h *htmlScan) insert(at int) {
	h.inserted = true
	h.edit(h.t, at, at, h.opts.Insert(h.depth))
}
