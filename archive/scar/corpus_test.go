package scar

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// The documentation that .ci/deps installs: clean prose with links in it.
var manuals = []string{"/usr/share/doc/python3.11/html", "/usr/share/doc/postgresql-doc-15/html", "/usr/share/doc/git-doc"}

// pagesOf returns the pages of the manuals that are prose, in order.
func pagesOf(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, dir := range manuals {
		for _, glob := range []string{"*.html", "*/*.html"} {
			files, err := filepath.Glob(filepath.Join(dir, glob))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, files...)
		}
	}
	if len(out) < 500 {
		t.Fatalf("%d pages of documentation: run .ci/deps", len(out))
	}
	return slices.DeleteFunc(out, func(f string) bool {
		name := filepath.Base(f)
		return strings.HasPrefix(name, "genindex") || strings.Contains(name, "py-modindex") || name == "bookindex.html" || name == "search.html"
	})
}

// hash orders pages by chance, always the same.
func hash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// readPage returns the blocks of a page's content.
func readPage(t testing.TB, file string) []Block {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	p := &pageReader{}
	p.node(root)
	p.flush("paragraph")
	return p.out
}

type pageReader struct {
	out   []Block
	text  strings.Builder
	links []Span
	code  []Span
}

var blockKinds = map[string]string{
	"p": "paragraph", "div": "paragraph", "section": "paragraph", "body": "paragraph", "main": "paragraph", "article": "paragraph", "dl": "paragraph", "ul": "paragraph",
	"ol": "paragraph", "table": "other", "tr": "other", "td": "other", "th": "other", "li": "item", "dd": "item", "dt": "heading", "blockquote": "quote", "pre": "pre",
	"h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "h5": "heading", "h6": "heading", "figcaption": "caption", "br": "paragraph",
}

func (p *pageReader) node(n *html.Node) {
	if n.Type == html.TextNode {
		p.add(n.Data)
		return
	}
	if n.Type == html.ElementNode {
		class := ""
		for _, a := range n.Attr {
			if a.Key == "class" {
				class = a.Val
			}
		}
		switch n.Data {
		case "head", "script", "style", "nav", "header", "footer":
			return
		}
		for _, c := range []string{"related", "sphinxsidebar", "navheader", "navfooter", "headerlink", "footer"} {
			if slices.Contains(strings.Fields(class), c) {
				return
			}
		}
		kind, block := blockKinds[n.Data]
		if block {
			p.flush("paragraph")
		}
		from := p.text.Len()
		for k := n.FirstChild; k != nil; k = k.NextSibling {
			p.node(k)
		}
		switch n.Data {
		case "a":
			p.links = append(p.links, Span{from, p.text.Len()})
		case "code", "tt", "kbd", "samp", "var":
			p.code = append(p.code, Span{from, p.text.Len()})
		}
		if block {
			p.flush(kind)
		}
		return
	}
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		p.node(k)
	}
}

func (p *pageReader) add(s string) {
	for _, r := range s {
		if r == '\n' || r == '\t' || r == ' ' {
			if t := p.text.String(); t == "" || strings.HasSuffix(t[max(0, len(t)-1):], " ") {
				continue
			}
			r = ' '
		}
		p.text.WriteRune(r)
	}
}

func (p *pageReader) flush(kind string) {
	s := strings.TrimRight(p.text.String(), " ")
	clip := func(spans []Span) []Span {
		var out []Span
		for _, l := range spans {
			if l.Start <= l.End && l.Start <= len(s) {
				out = append(out, Span{l.Start, min(l.End, len(s))})
			}
		}
		return out
	}
	if s != "" {
		p.out = append(p.out, Block{Text: s, Kind: kind, Links: clip(p.links), Code: clip(p.code)})
	}
	p.text.Reset()
	p.links, p.code = nil, nil
}

func countWords(blocks []Block) (n int) {
	for _, b := range blocks {
		if b.Kind != Pre {
			n += len(strings.Fields(b.Text))
		}
	}
	return n
}

// heldOut are pages that no rule was written on: those are chosen by chance, and must cite.
func heldOut(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, f := range pagesOf(t) {
		if hash(f)%8 == 7 {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(hash(a), hash(b)) })
	citing := out[:0]
	for _, f := range out {
		links := 0
		for _, b := range readPage(t, f) {
			if isProse(b) {
				links += len(b.Links)
			}
		}
		if links >= 15 && len(citing) < 20 {
			citing = append(citing, f)
		}
	}
	if len(citing) < 20 {
		t.Fatalf("%d pages that cite, want 20", len(citing))
	}
	return citing
}

// Clean prose: the words of documentation without its links and without what marks code in it, as a copier would have it. Of half a
// million words nearly nothing may be found, in the strong classes, and less where the links stand.
func TestCleanProse(t *testing.T) {
	words, bare, linked := 0, 0, 0
	for _, f := range pagesOf(t) {
		if hash(f)%4 != 3 {
			continue
		}
		blocks := readPage(t, f)
		words += countWords(blocks)
		for _, s := range Find(blocks) {
			if s.Class.Strong() {
				linked++
			}
		}
		for i := range blocks {
			blocks[i].Links, blocks[i].Code = nil, nil
		}
		for _, s := range Find(blocks) {
			if s.Class.Strong() {
				bare++
				t.Logf("%s %s: %s", filepath.Base(f), s.Class, s.Context)
			}
		}
	}
	t.Logf("%d words: %d without links, %d with them", words, bare, linked)
	if words < 300_000 {
		t.Errorf("%d words of clean prose are too few", words)
	}
	if bare*30_000 > words {
		t.Errorf("%d findings in %d words, want at most one in 30,000", bare, words)
	}
	if linked > bare/2+1 {
		t.Errorf("%d findings where links and code stand, %d where they don't", linked, bare)
	}
}
