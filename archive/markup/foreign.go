package markup

import "bytes"

// isRaw says whether an element of HTML holds text instead of markup. A preload scanner takes one of SVG for it, up to its end tag,
// which htmlScan.shadow remembers.
func isRaw(elem uint8) bool {
	switch elem {
	case elemScript, elemStyle, elemTextarea, elemTitle, elemXMP, elemIframe, elemNoembed, elemNoframes, elemPlaintext, elemNoscript:
		return true
	}
	return false
}

// maxForeign bounds the stack of elements in foreign content: browsers nest no deeper. What comes then is read in every way.
const maxForeign = 512

// What an element is of: neither of HTML.
const (
	inSVG  = 's'
	inMath = 'm'
)

// openElement is one in foreign content, or of the HTML in that.
type openElement struct {
	name  []byte // as the page spells it
	space byte   // 0: HTML
	point bool   // its content is HTML (HTML §13.2.6, HTML and MathML text integration points) …
	text  bool   // … but for two elements of MathML
}

// inForeign says whether the element being read is SVG or MathML, in which CDATA sections exist (HTML §13.2.5.42).
func (h *htmlScan) inForeign() bool {
	n := len(h.foreign)
	return n > 0 && h.foreign[n-1].space != 0
}

// doubtful says whether browsers may read what comes in more ways than one: in foreign content, which their preload scanners know
// nothing of; in a select element, which has changed what may be in it; and after what only a whole tree builder could follow.
func (h *htmlScan) doubtful() bool {
	return (h.messy || h.inSelect || h.shadow != 0 || len(h.foreign) > 0) && h.opts.Defuse != "" && !h.xml
}

var (
	svgPoints  = newNameTable("foreignobject", "desc", "title")
	mathPoints = newNameTable("mi", "mo", "mn", "ms", "mtext")
	mathInText = newNameTable("mglyph", "malignmark")
)

// breakouts are start tags that end foreign content (HTML §13.2.6.5).
var breakouts = newNameTable("b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed",
	"h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre", "ruby",
	"s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var")

// voids are elements of HTML without content; unruly those whose tags may open and close others.
var (
	voids = newNameTable("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
		"basefont", "bgsound", "frame", "keygen")
	unruly = newNameTable("html", "head", "body", "frameset", "table", "caption", "colgroup", "tbody", "thead", "tfoot", "tr", "td", "th",
		"select", "option", "optgroup", "form", "a", "nobr", "button", "template", "isindex", "plaintext", "image", "li", "dd", "dt")
)

// enter follows a start tag, and notes in h.space what its element is.
func (h *htmlScan) enter(elem uint8, name []byte, selfClosing bool) {
	h.space = 0
	if elem == elemTemplate && (!selfClosing || !h.xml) && !h.inForeign() {
		h.templates++
	}
	if h.xml {
		h.enterXML(elem, name, selfClosing)
		return
	}
	h.selects(name)
	if len(h.foreign) == 0 && elem != elemSVG && elem != elemMath {
		return
	}
	h.foreignSeen = true
	if h.isForeign(elem, name) && h.breaksOut(name) {
		h.backToHTML()
	}
	if !h.isForeign(elem, name) {
		h.enterHTML(elem, name, selfClosing)
		return
	}
	h.space = h.foreign[len(h.foreign)-1].space
	if h.shadow == 0 && isRaw(elem) {
		h.shadow, h.hidden = elem, false
	}
	if selfClosing {
		return
	}
	e := openElement{name: name, space: h.space}
	switch {
	case h.space == inSVG:
		e.point = svgPoints.lookup(name) != 0
	case equalFold(name, "annotation-xml"):
		encoding := h.attrNamed("encoding")
		e.point = equalFold(encoding, "text/html") || equalFold(encoding, "application/xhtml+xml")
	default:
		e.text = mathPoints.lookup(name) != 0
		e.point = e.text
	}
	h.push(e)
}

// enterXML follows a start tag of XML, where nothing is closed but by its own end tag, as far as it matters for addresses.
func (h *htmlScan) enterXML(elem uint8, name []byte, selfClosing bool) {
	if h.inForeign() && !h.foreign[len(h.foreign)-1].point {
		h.space = h.foreign[len(h.foreign)-1].space
	}
	switch {
	case selfClosing || len(h.foreign) >= maxForeign:
	case elem == elemSVG:
		h.push(openElement{name: name, space: inSVG})
	case elem == elemMath:
		h.push(openElement{name: name, space: inMath})
	case h.space == inSVG && svgPoints.lookup(name) != 0:
		h.push(openElement{name: name, space: inSVG, point: true})
	case h.space == inMath && equalFold(name, "annotation-xml"):
		h.push(openElement{name: name, space: inMath, point: true})
	}
}

// selects follows the elements in which the tags of others have been ignored, and are no more.
func (h *htmlScan) selects(name []byte) {
	switch {
	case equalFold(name, "select"):
		h.inSelect = true
	case equalFold(name, "frameset"), h.inSelect && (equalFold(name, "svg") || equalFold(name, "math")):
		h.messy = true
	}
}

// enterHTML follows the start tag of an element of HTML, in foreign content or at its beginning.
func (h *htmlScan) enterHTML(elem uint8, name []byte, selfClosing bool) {
	switch {
	case selfClosing && (elem == elemSVG || elem == elemMath):
	case elem == elemSVG:
		h.push(openElement{name: name, space: inSVG})
	case elem == elemMath:
		h.push(openElement{name: name, space: inMath})
	case len(h.foreign) > 0 && voids.lookup(name) == 0:
		h.messy = h.messy || unruly.lookup(name) != 0
		h.push(openElement{name: name})
	}
}

func (h *htmlScan) push(e openElement) {
	if len(h.foreign) >= maxForeign {
		h.messy = true
		return
	}
	h.foreign = append(h.foreign, e)
}

// isForeign says whether a start tag is read by the rules of foreign content (HTML §13.2.6, tree construction dispatcher).
func (h *htmlScan) isForeign(elem uint8, name []byte) bool {
	if !h.inForeign() {
		return false
	}
	switch top := h.foreign[len(h.foreign)-1]; {
	case top.text:
		return mathInText.lookup(name) != 0
	case top.point:
		return false
	case elem == elemSVG && top.space == inMath:
		return !equalFold(top.name, "annotation-xml")
	}
	return true
}

// breaksOut says whether a start tag ends foreign content.
func (h *htmlScan) breaksOut(name []byte) bool {
	if equalFold(name, "font") {
		return h.attrNamed("color") != nil || h.attrNamed("face") != nil || h.attrNamed("size") != nil
	}
	return breakouts.lookup(name) != 0
}

// backToHTML closes what is open of foreign content, up to where HTML may be.
func (h *htmlScan) backToHTML() {
	for n := len(h.foreign); n > 0 && h.foreign[n-1].space != 0 && !h.foreign[n-1].point; n-- {
		h.foreign = h.foreign[:n-1]
	}
}

// leave follows an end tag.
func (h *htmlScan) leave(name []byte) {
	if h.templates > 0 && equalFold(name, "template") {
		h.templates--
	}
	if equalFold(name, "select") {
		h.inSelect = false
	}
	if h.shadow != 0 && equalFold(name, table.elems.names[h.shadow]) {
		h.messy = h.messy || h.shadow == elemScript && h.hidden // which may hide this tag
		h.shadow = 0
	}
	n := len(h.foreign)
	if n == 0 {
		return
	}
	if h.xml {
		for i := n - 1; i >= 0; i-- {
			if bytes.Equal(h.foreign[i].name, name) {
				h.foreign = h.foreign[:i]
				return
			}
		}
		return
	}
	if h.foreign[n-1].space != 0 && (equalFold(name, "p") || equalFold(name, "br")) {
		h.backToHTML()
		return
	}
	of := h.foreign[n-1].space != 0 // the rules that are followed: of foreign content, until the first element of HTML
	for i := n - 1; i >= 0; i-- {
		e := h.foreign[i]
		if of && e.space == 0 || !of && e.space != 0 {
			h.messy = true // what the rules of HTML make of it, they know
			return
		}
		if bytes.EqualFold(e.name, name) {
			h.messy = h.messy || !of && i < n-1
			h.foreign = h.foreign[:i]
			return
		}
	}
	// If an element around it is of that name, all is closed; if not, nothing is.
	h.messy, h.foreign = true, h.foreign[:0]
}

// attrNamed returns the value of an attribute of the tag just read, whether it is known or not; nil if there is none.
func (h *htmlScan) attrNamed(name string) []byte {
	for i := range h.attrs {
		if a := &h.attrs[i]; equalFold(h.b[a.name:a.nameTo], name) {
			return unescapeRefs(h.b[a.start:a.end], nil)
		}
	}
	return nil
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
