package markup

import (
	"bytes"
	"regexp"
)

// XMLShape tells what a browser could do with an XML document of itself, as far as can be told without reading all of it.
type XMLShape struct {
	// Clear says that the beginning was understood, up to and with the start tag of the root element. In any other document nothing
	// that XML tells about URLs may be believed.
	Clear bool
	// Active says that elements of XHTML, SVG or MathML may be in it, whose scripts and addresses browsers obey.
	Active bool
	// Place says that Options.Insert finds a place before anything that could run: the root element has content, which is neither
	// a script's nor a template's.
	Place bool
	// Root is the name of the root element, without its prefix.
	Root string
}

// livelyNames are the namespaces of elements that browsers obey, in the part that no other has. hiddenName finds declarations of
// a namespace that hide which one it is.
var (
	livelyNames = [...]string{"1999/xhtml", "2000/svg", "Math/MathML"}
	hiddenName  = regexp.MustCompile(`xmlns[^\s=<>"']*\s*=\s*(?:"[^"<]*&|'[^'<]*&)`)
)

// ShapeOfXML reads the beginning of a document as HTML and XML do, in UTF-16 if that is what its byte order mark says.
func ShapeOfXML(src []byte) (s XMLShape) {
	b := document(src).b
	for _, name := range livelyNames {
		s.Active = s.Active || bytes.Contains(b, []byte(name))
	}
	s.Active = s.Active || hiddenName.Match(b)
	i := 0
	if bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")) {
		i = 3
	}
	for i = skipSpace(b, i); i >= 0 && i < len(b); i = skipSpace(b, i) {
		rest := b[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<?")):
			i = past(b, i+2, "?>")
		case bytes.HasPrefix(rest, []byte("<!--")):
			i = past(b, i+4, "-->")
		case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
			d := readDoctype(b, i)
			if !d.clear {
				return s
			}
			s.Active = s.Active || d.names
			i = d.end
		case len(rest) > 1 && rest[0] == '<' && startsXMLName(rest[1]):
			s.root(b, i+1)
			return s
		default:
			return s
		}
		if i < 0 {
			return s
		}
	}
	return s
}

func startsXMLName(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == ':' || c >= 0x80
}

// root reads the start tag of the root element, whose name stands at i.
func (s *XMLShape) root(b []byte, i int) {
	from := i
	for i < len(b) && !isSpace(b[i]) && b[i] != '>' && b[i] != '/' {
		i++
	}
	name := b[from:i]
	if n := bytes.LastIndexByte(name, ':'); n >= 0 {
		name = name[n+1:]
	}
	s.Root = string(name)
	for i = skipSpace(b, i); i < len(b); i = skipSpace(b, i) {
		switch b[i] {
		case '>':
			s.Clear, s.Place = true, hasContent(name)
			return
		case '/':
			s.Clear = i+1 < len(b) && b[i+1] == '>'
			return
		}
		n := bytes.IndexByte(b[i:], '=')
		if n <= 0 || bytes.ContainsAny(b[i:i+n], `<>"'/`) {
			return
		}
		if i = skipSpace(b, i+n+1); i >= len(b) || b[i] != '"' && b[i] != '\'' {
			return
		}
		if n = bytes.IndexByte(b[i+1:], b[i]); n < 0 {
			return
		}
		i += n + 2
	}
}

// hasContent says whether a script can be put into a root element of that name, and runs there before all others.
func hasContent(name []byte) bool { return !equalFold(name, "script") && !equalFold(name, "template") }

// insertXML looks whether the place for what is inserted is after the start tag that ends at end: that of the head if the root
// element begins with one, that of the root element otherwise.
func (h *htmlScan) insertXML(elem uint8, name []byte, end int, selfClosing bool) {
	switch {
	case h.rooted:
		if h.headNext && elem == elemHead {
			h.insert(end)
		}
	case selfClosing || !hasContent(name):
	case elem == elemHTML && h.headAt(end):
		h.headNext = true
	default:
		h.insert(end)
	}
}

// headAt says whether the next tag from i on is that of a head.
func (h *htmlScan) headAt(i int) bool {
	for i = skipSpace(h.b, i); bytes.HasPrefix(h.b[i:], []byte("<!--")); {
		i = skipSpace(h.b, h.comment(i+4))
	}
	if i+1 >= len(h.b) || h.b[i] != '<' || !h.startsName(h.b[i+1]) {
		return false
	}
	return equalFold(h.localName(i+1, h.tagName(i+1)), "head")
}
