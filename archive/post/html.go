package post

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"linkstead/archive/urlkey"
)

// HTML reads a page that was found at url, after redirects. Its base element is obeyed. Its errors are ErrURL and
// ErrSlow: there is no page that can't be read.
func HTML(src []byte, url string, o Options) (Document, error) {
	page, err := urlkey.NewBase(url)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrURL, err)
	}
	text := decoded(src, o.ContentType, true)
	marked, err := parse(text, o.Expired)
	if err != nil {
		return Document{}, fmt.Errorf("read %s: %w", page, err)
	}
	doc := marked.doc
	base := page
	if href, ok := doc.Find("base[href]").First().Attr("href"); ok {
		if u, err := page.Resolve(href); err == nil {
			if b, err := urlkey.NewBase(u); err == nil {
				base = b
			}
		}
	}
	d := describe(doc, page.String())
	d.URL, d.Cut = page.String(), marked.cut
	if href, ok := doc.Find(`link[rel~="canonical"][href]`).First().Attr("href"); ok {
		if u, err := base.Resolve(href); err == nil && urlkey.Fetchable(u) {
			d.Canonical = u
		}
	}
	w := walk(marked)
	own := []string{d.URL}
	if d.Canonical != "" && urlkey.Site(d.Canonical) == urlkey.Site(d.URL) {
		own = append(own, d.Canonical)
	}
	d.judge(inBytes(text), base, w.links(), w.runs, o.Links, own...)
	return d, nil
}

// page is a page whose elements and runs of text know where they stand.
type page struct {
	doc   *goquery.Document
	spans []span // of its links, by mark
	texts texts
	cut   bool // it has more nodes than are read
}

// parse builds the marked DOM. The parser refuses what nests deeper than 512 elements; of that, links and blocks remain.
func parse(text []byte, expired func() bool) (*page, error) {
	m, cut := markAnchors(text, false)
	root, err := build(m.out.String(), expired)
	if err != nil && !errors.Is(err, ErrSlow) {
		m, cut = markAnchors(text, true)
		root, err = build(m.out.String(), expired)
	}
	if err != nil {
		return nil, err
	}
	return &page{goquery.NewDocumentFromNode(root), m.spans, m.unmark(root), cut}, nil
}

// build runs the parser as a browser without scripts does: what stands in noscript can be read.
func build(marked string, expired func() bool) (*html.Node, error) {
	return html.ParseWithOptions(&patient{strings.NewReader(marked), expired}, html.ParseOptionEnableScripting(false))
}

// patient reads until its reader would wait no longer. The parser reads a few thousand bytes at a time, and does what they
// cost before it asks for more.
type patient struct {
	r       io.Reader
	expired func() bool
}

func (p *patient) Read(b []byte) (int, error) {
	if p.expired != nil && p.expired() {
		return 0, ErrSlow
	}
	return p.r.Read(b)
}

// Elements that end a run of prose.
var blocks = set(`address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form
	h1 h2 h3 h4 h5 h6 header hr li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul option select`)

// Elements whose text nobody reads.
var silent = set(`script style template head title textarea select svg math iframe object video audio canvas`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// cite is a marked element on the walk.
type cite struct {
	span       span
	node       *html.Node
	raw        string
	rel        []string
	text, alt  strings.Builder
	run        int // in which run of prose it begins …
	start, end int // … and its bytes there
	content    bool
	rule       string
}

// walker goes through the DOM once, collecting the runs of prose and the links in them.
type walker struct {
	content *contentMap
	spans   []span
	texts   texts
	cites   []*cite // by mark; nil until met
	runs    []*builder
	open    []*cite
	last    int // where the last marked element stood
	within  surroundings
	seen    int // how many runs there were when the last picture was met
}

func walk(p *page) *walker {
	w := &walker{content: mainContent(p.doc), spans: p.spans, texts: p.texts, cites: make([]*cite, len(p.spans)), runs: []*builder{{}}}
	for _, n := range p.doc.Nodes {
		w.node(n, false, "")
	}
	return w
}

func (w *walker) node(n *html.Node, content bool, rule string) {
	switch n.Type {
	case html.TextNode:
		w.prose(n, content)
		return
	case html.ElementNode:
	default:
		w.children(n, content, rule)
		return
	}
	content = w.content.at(n, content)
	if rule == "" && n.Data != "html" && n.Data != "body" {
		rule = ruleByClass(attr(n, "class"), attr(n, "id"))
	}
	block := blocks[n.Data]
	if block {
		w.boundary()
		outer := w.within
		w.within = outer.in(n)
		defer func() { w.within = outer }()
	}
	c := w.enter(n, content, rule)
	switch n.Data {
	case "br":
		w.run().spaces()
		w.text("\n")
	case "img":
		w.picture(n)
	}
	first, run := w.run().next(), w.run()
	if read(n) {
		w.children(n, content, rule)
	}
	if n.Data == "q" && run == w.run() && run.Len() > first {
		run.quotes = append(run.quotes, [2]int{first, run.Len()})
	}
	if codes[n.Data] {
		run.code(first)
	}
	if block {
		w.boundary()
	}
	if c != nil {
		w.leave(c)
	}
}

func (w *walker) children(n *html.Node, content bool, rule string) {
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		w.node(k, content, rule)
	}
}

// read reports whether people may read what is in an element. An SVG title is read, an HTML one isn't.
func read(n *html.Node) bool {
	if n.Namespace != "" {
		return n.Data != "style" && n.Data != "script"
	}
	return !silent[n.Data]
}

func (w *walker) run() *builder { return w.runs[len(w.runs)-1] }

// prose takes a run of text.
func (w *walker) prose(n *html.Node, content bool) {
	b := w.run()
	if b.Len() == 0 {
		b.Kind, b.Level, b.Content = w.within.kind, w.within.level, content
		if b.Kind == "" {
			b.Kind = Paragraph
		}
		b.Pictured = w.pictured(n, b.Kind)
	}
	rest := n.Data
	for _, p := range w.texts[n] {
		if p.size == 0 && p.n > 0 {
			p.src, p.verbatim = b.last, false
		}
		b.add(rest[:p.n], p.src, p.size, p.verbatim)
		rest = rest[p.n:]
	}
	if rest != "" {
		b.add(rest, b.last, 0, false)
	}
	w.text(n.Data)
}

func (w *walker) text(s string) {
	for _, c := range w.open {
		c.text.WriteString(s)
	}
}

func (w *walker) picture(n *html.Node) {
	w.seen = len(w.runs)
	w.run().Pictured = true
	for _, c := range w.open {
		c.alt.WriteString(attr(n, "alt") + " ")
	}
}

// boundary ends a run of prose. A link that has no text yet begins in the next one.
func (w *walker) boundary() {
	if w.run().Len() == 0 {
		return
	}
	w.runs = append(w.runs, &builder{})
	for _, c := range w.open {
		if strings.TrimSpace(c.text.String()) == "" {
			c.run, c.start = len(w.runs)-1, 0
		} else {
			c.text.WriteByte(' ')
		}
	}
}

// enter notes a marked element; a double that the parser made of it adds its text to the first.
func (w *walker) enter(n *html.Node, content bool, rule string) *cite {
	raw, cites := reference(n)
	if !cites {
		return nil
	}
	i, marked := mark(n, len(w.spans))
	if marked && w.cites[i] != nil {
		c := w.cites[i]
		c.text.WriteByte(' ')
		w.open = append(w.open, c)
		return c
	}
	if !marked && len(w.cites) >= MaxLinks {
		return nil
	}
	c := &cite{node: n, raw: raw, content: content, rule: rule, rel: strings.Fields(strings.ToLower(attr(n, "rel")))}
	c.run, c.start = len(w.runs)-1, w.run().next()
	if marked {
		c.span = w.spans[i]
		w.cites[i] = c
		w.last = max(w.last, c.span.end)
	} else {
		c.span = span{start: w.last, end: w.last}
		w.cites = append(w.cites, c)
	}
	if c.span.doi != "" {
		c.raw = html.UnescapeString(c.span.doi)
	}
	w.open = append(w.open, c)
	return c
}

func (w *walker) leave(c *cite) {
	w.open = slices.Delete(w.open, len(w.open)-1, len(w.open))
	if c.end == 0 && c.run < len(w.runs) {
		c.end = w.runs[c.run].Len()
	}
}

// links returns what was met, each with its sentence.
func (w *walker) links() []found {
	out := make([]found, 0, len(w.cites))
	for _, c := range w.cites {
		if c == nil {
			continue
		}
		f := found{content: c.content, rule: c.rule, rel: c.rel}
		f.Start, f.End = c.span.start, c.span.end
		f.Raw = c.raw
		f.Text = collapse(c.text.String())
		if f.Text == "" {
			f.Text = collapse(c.alt.String() + " " + attr(c.node, "aria-label") + " " + attr(c.node, "title"))
		}
		if c.node.Data == "blockquote" || c.node.Data == "q" {
			f.Text = ""
		}
		f.block, f.from, f.to = c.run, c.start, max(c.start, c.end)
		if c.span.doi != "" {
			f.ref = doiURL(f.Raw)
		}
		out = append(out, f)
	}
	return out
}

// reference returns the URL that an element cites, as spelled.
func reference(n *html.Node) (string, bool) {
	key := "href"
	switch n.Data {
	case "a", "area":
	case "blockquote", "q", "ins", "del":
		key = "cite"
	case doiTag:
		return "", true
	default:
		return "", false
	}
	for _, a := range n.Attr {
		if a.Key == key && (a.Namespace == "" || a.Namespace == "xlink") || a.Key == "xlink:href" && key == "href" {
			return a.Val, true
		}
	}
	return "", false
}

func mark(n *html.Node, count int) (int, bool) {
	i, err := strconv.Atoi(attr(n, markAttr))
	return i, err == nil && i >= 0 && i < count
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}
