package post

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"golang.org/x/net/html"
)

// rawHTML reads one tag of inline HTML.
func (m *mdWalker) rawHTML(n *ast.RawHTML) {
	if n.Segments.Len() == 0 {
		return
	}
	start := n.Segments.At(0).Start
	end := n.Segments.At(n.Segments.Len() - 1).Stop
	z := html.NewTokenizer(bytes.NewReader(m.src[start:end]))
	z.Next()
	t := z.Token()
	switch {
	case t.Data == "a" && t.Type == html.EndTagToken && m.html != nil:
		m.closeHTML(m.shift + end)
	case t.Data == "a" && t.Type == html.StartTagToken:
		if m.html != nil {
			m.closeHTML(m.shift + start)
		}
		p := placed{found: found{content: true}, first: m.prose.next()}
		p.Raw = tokenAttr(t, "href")
		p.rel = strings.Fields(strings.ToLower(tokenAttr(t, "rel")))
		p.Start, p.End = m.shift+start, m.shift+end
		if p.Raw != "" {
			m.html = &p
		}
	case t.Data == "img" && tokenAttr(t, "src") != "":
		f := found{content: true}
		f.Raw, f.Text = tokenAttr(t, "src"), collapse(tokenAttr(t, "alt"))
		f.Start, f.End = m.shift+start, m.shift+end
		m.images = append(m.images, f)
	}
}

func (m *mdWalker) closeHTML(end int) {
	p := *m.html
	m.html = nil
	p.End, p.last = end, m.prose.Len()
	first := min(p.first, p.last)
	p.Text = collapse(m.prose.String()[first:p.last])
	m.pending = append(m.pending, p)
}

func tokenAttr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// htmlBlock reads a block of HTML as a page of its own, all of it content.
func (m *mdWalker) htmlBlock(n *ast.HTMLBlock) {
	if n.Lines().Len() == 0 {
		return
	}
	start := n.Lines().At(0).Start
	end := max(n.Lines().At(n.Lines().Len()-1).Stop, n.ClosureLine.Stop)
	marked, err := parse(m.src[start:end], nil)
	if err != nil {
		return
	}
	w := walk(marked)
	first := len(m.runs)
	for _, r := range w.runs {
		r.Content = true
		for i := range r.pieces {
			r.pieces[i].src += m.shift + start
		}
	}
	m.runs = append(m.runs, w.runs...)
	for _, f := range w.links() {
		f.content = true
		f.block += first
		f.Start += m.shift + start
		f.End += m.shift + start
		m.links = append(m.links, f)
	}
	for _, img := range marked.doc.Find("img[src]").Nodes {
		f := found{content: true}
		f.Raw, f.Text = attr(img, "src"), collapse(attr(img, "alt"))
		f.Start, f.End = m.shift+start, m.shift+end
		m.images = append(m.images, f)
	}
}
