package replay

import (
	"bytes"
	"net/http"
	"regexp"

	"linkstead/archive/markup"
)

// XML is what browsers obey where it has elements of XHTML, SVG or MathML, whatever its type and its root element. Our script goes into
// each such document that is shown, before anything that runs; what has no place for it stands in a sandbox without scripts.

// shapeOf tells what a browser could do with an XML document.
func shapeOf(src []byte, declared string) markup.XMLShape {
	if mark := wideMark(src, declared); mark != nil {
		src = append(bytes.Clone(mark), src...)
	}
	return markup.ShapeOfXML(src)
}

// picture says whether a drawing is shown as a picture, in which no script runs. An address of a picture may be opened in a window, too.
func picture(r *http.Request, mod modifier) bool {
	return wanted(r) == asImage || mod == asImage && !navigates(r)
}

// stirring finds what a drawing has if anything in it could run: a script, whatever its prefix, an address that is one, an event handler.
// A reference to what is not told there may be any of them.
var stirring = regexp.MustCompile(`(?i)script|\son[a-z]+\s*=|1999/xhtml`)

// plainRef are the references that XML knows of itself.
var plainRef = regexp.MustCompile(`&(?:amp|lt|gt|quot|apos);`)

// lively says whether scripts could run in an XML document that is shown.
func (p *reply) lively(src []byte) bool {
	switch {
	case picture(p.r, p.a.mod):
		return false
	case !p.shape.Clear:
		return true
	case p.shape.Root == "svg":
		src = narrow(src)
		return p.shape.Active && (stirring.Match(src) || bytes.Count(src, []byte("&")) != len(plainRef.FindAllIndex(src, -1)))
	}
	return p.shape.Active
}

// narrow is UTF-16 as ASCII, as far as it is that.
func narrow(src []byte) []byte {
	if bytes.IndexByte(src, 0) < 0 {
		return src
	}
	return bytes.ReplaceAll(src, []byte{0}, nil)
}

// shimmed says whether our script goes along: with all HTML; of XML with what could run scripts, but not into feeds for those who
// only read them. What a script asks for is not rewritten at all.
func (p *reply) shimmed(src []byte, form notation) bool {
	if form != xml {
		return true
	}
	return p.shape.Clear && p.shape.Place && p.lively(src) && (p.shape.Root == "html" || p.shape.Root == "svg" || navigates(p.r))
}

// unheld says whether scripts could run without ours.
func (p *reply) unheld(src []byte, form notation) bool {
	return form == xml && p.lively(src) && !p.shimmed(src, form)
}
