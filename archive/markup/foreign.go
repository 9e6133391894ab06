package markup

import "bytes"

// maxForeign bounds the stack of foreign elements. Deeper ones are read as their surroundings are.
const maxForeign = 64

// The entries of htmlScan.foreign: SVG, MathML, and the elements in them whose content is HTML again, which are inHTML
// and their number among the integration points.
const (
	inSVG  = 's'
	inMath = 'm'
	inHTML = 0x80
)

// inForeign says whether tags are read as SVG or MathML (HTML §13.2.6, tree construction dispatcher), where style and
// title hold markup, and CDATA sections exist.
func (h *htmlScan) inForeign() bool {
	n := len(h.foreign)
	return n > 0 && h.foreign[n-1] < inHTML
}

// integrationPoints have HTML content (HTML §13.2.6, HTML and MathML text integration points).
var integrationPoints = newNameTable("foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext")

// breakouts are start tags that end foreign content (HTML §13.2.6.5).
var breakouts = newNameTable("b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed",
	"h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre", "ruby",
	"s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var")

// enter follows a start tag, and notes in h.space what its element is.
func (h *htmlScan) enter(elem uint8, name []byte, selfClosing bool) {
	h.space = 0
	if len(h.foreign) == 0 && elem != elemSVG && elem != elemMath && elem != elemTemplate {
		return
	}
	h.foreignSeen = h.foreignSeen || elem != elemTemplate
	if h.inForeign() && !h.xml && breakouts.lookup(name) != 0 {
		for h.inForeign() {
			h.foreign = h.foreign[:len(h.foreign)-1]
		}
	}
	if h.inForeign() {
		h.space = h.foreign[len(h.foreign)-1]
	}
	if selfClosing && (h.xml || elem != elemTemplate) || len(h.foreign) >= maxForeign {
		return
	}
	switch {
	case elem == elemSVG:
		h.foreign = append(h.foreign, inSVG)
	case elem == elemMath:
		h.foreign = append(h.foreign, inMath)
	case h.space != 0 && integrationPoints.lookup(name) != 0:
		h.foreign = append(h.foreign, inHTML|integrationPoints.lookup(name))
	case elem == elemTemplate && h.space == 0:
		h.templates++
	}
}

// leave follows an end tag.
func (h *htmlScan) leave(name []byte) {
	if h.templates > 0 && equalFold(name, "template") {
		h.templates--
	}
	if len(h.foreign) == 0 {
		return
	}
	kind := inHTML | integrationPoints.lookup(name)
	switch {
	case equalFold(name, "svg"):
		kind = inSVG
	case equalFold(name, "math"):
		kind = inMath
	case kind == inHTML:
		return
	}
	if n := bytes.LastIndexByte(h.foreign, kind); n >= 0 {
		h.foreign = h.foreign[:n]
	}
}

// foreignText reads a stretch of the text of a style or script element in SVG or XML, where character references count
// unless it is a CDATA section.
func (h *htmlScan) foreignText(start, end int, cdata bool) {
	if h.visit == nil {
		return
	}
	t := &text{b: h.b[start:end:end], outer: h.t, base: start, esc: escapeText}
	if cdata {
		t.esc = escapeCDATA
	} else if bytes.IndexByte(t.b, '&') >= 0 {
		t.at = make([]int32, 0, len(t.b)+1)
		t.b = unescapeRefs(h.b[start:end], &t.at)
	}
	switch {
	case h.content >= textAddress:
		h.feedText(t)
	case h.content == elemScript:
		h.script(t)
	case h.css:
		scanCSS(h.scan, t, styleContext)
	}
}

func escapeCDATA(s string) string {
	return string(bytes.ReplaceAll([]byte(s), []byte("]]>"), []byte("]]]]><![CDATA[>")))
}
