package post

import (
	"golang.org/x/net/html"

	"linkstead/archive/scar"
)

// damage finds the damaged citations in the prose of a document. What stands around the main content of a page is template, not prose. An
// address of which the text has only the beginning is damaged, too.
func damage(blocks []Block, citations []Citation) []scar.Scar {
	prose := make([]scar.Block, 0, len(blocks))
	for i := range blocks {
		b := &blocks[i]
		if !b.Content {
			continue
		}
		s := scar.Block{Text: b.Text, Kind: b.Kind, At: b.Source, Code: b.Code, Pictured: b.Pictured}
		for _, a := range b.Links {
			if citations[a.Citation].LeftOut == cutOff {
				continue
			}
			s.Links = append(s.Links, scar.Span{Start: a.Start, End: a.End})
		}
		prose = append(prose, s)
	}
	return scar.Find(prose)
}

// Elements whose text is code.
var codes = set(`code kbd samp tt var`)

// near is how many blocks behind a picture its caption may stand.
const near = 2

// code notes that the text since a place is code.
func (b *builder) code(start int) {
	if b.Len() > start {
		b.Code = append(b.Code, scar.Span{Start: start, End: b.Len()})
	}
}

// pictured says whether a picture belongs to the run that begins with a text.
func (w *walker) pictured(n *html.Node, kind string) bool {
	if w.seen > 0 && len(w.runs)-w.seen <= near {
		return true
	}
	if kind != Caption {
		return false
	}
	for e, up := n.Parent, 0; e != nil && up < 4; e, up = e.Parent, up+1 {
		if e.Data == "table" || e.Data != "body" && holdsPicture(e, 6) {
			return true
		}
	}
	return false
}

// pictures are elements that show something.
var pictures = set(`img picture svg video audio object embed iframe canvas table pre math`)

func holdsPicture(n *html.Node, depth int) bool {
	if depth == 0 {
		return false
	}
	k := n.FirstChild
	for i := 0; k != nil && i < 20; i++ {
		if k.Type == html.ElementNode && (pictures[k.Data] || holdsPicture(k, depth-1)) {
			return true
		}
		k = k.NextSibling
	}
	return false
}
