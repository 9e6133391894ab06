package post

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"linkstead/archive/scar"
)

// Markdown reads a CommonMark document with tables and footnotes: inline and reference links, autolinks, bare URLs, www.
// forms, DOIs, and the links of the HTML in it. Front matter may give title, date, lang and canonicalURL. base resolves relative
// links and may be empty. What nests or brackets beyond all reason is read as plain text. Its only error is ErrURL.
func Markdown(src []byte, base string, o Options) (Document, error) {
	b, err := optionalBase(base)
	if err != nil {
		return Document{}, err
	}
	text := decode(src, o.ContentType, false)
	if tangled(text) {
		return Text(src, base, o)
	}
	d, body := frontMatter(text)
	m := &mdWalker{src: []byte(text[body:]), text: text, shift: body}
	root := mdParser().Parse(gmtext.NewReader(m.src))
	m.block(root, surroundings{})
	m.flush()
	if d.Title == "" {
		d.Title = m.title
	}
	own := ownAddress(b, &d)
	d.judge(inString(text), b, m.links, m.runs, o.Links, own...)
	d.Images = judgeImages(text, b, m.images)
	return d, nil
}

// Bounds of what is read as Markdown: beyond them its parser takes time that grows with the square of the text, or worse.
const (
	maxMarkdown = 1 << 20 // bytes of a document
	maxNesting  = 100     // containers that begin on one line
	maxBrackets = 4000    // square brackets and parentheses in one paragraph
)

// tangled says whether a text is none that a person wrote as Markdown.
func tangled(text string) bool {
	if len(text) > maxMarkdown {
		return true
	}
	brackets := 0
	for line := range strings.Lines(text) {
		bare := strings.TrimLeft(line, " \t\r\n")
		if bare == "" || strings.ContainsRune("-*+#0123456789", rune(bare[0])) {
			brackets = 0 // another item, or another paragraph
		}
		if brackets += strings.Count(bare, "[") + strings.Count(bare, "("); brackets > maxBrackets {
			return true
		}
		lead := bare[:len(bare)-len(strings.TrimLeft(bare, "0123456789.)>-+*: \t"))]
		if strings.Count(lead, ">")+strings.Count(lead, " ")+strings.Count(lead, "\t") > maxNesting {
			return true
		}
	}
	return false
}

// mdParser is CommonMark's, with links that know where they end.
func mdParser() parser.Parser {
	p := parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(spanned{parser.NewLinkParser()}, 200),
			util.Prioritized(spanned{parser.NewAutoLinkParser()}, 300),
			util.Prioritized(parser.NewRawHTMLParser(), 400),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)
	return goldmark.New(goldmark.WithParser(p), goldmark.WithExtensions(
		extension.Table, extension.Strikethrough, extension.Footnote, extension.DefinitionList,
	)).Parser()
}

// spanned notes on each link where its construct ends, and of autolinks where they begin.
type spanned struct{ parser.InlineParser }

const (
	startAttr = "linkstead-start"
	endAttr   = "linkstead-end"
)

// Parse implements parser.InlineParser.
func (s spanned) Parse(parent ast.Node, block gmtext.Reader, pc parser.Context) ast.Node {
	_, before := block.Position()
	n := s.InlineParser.Parse(parent, block, pc)
	_, after := block.Position()
	switch n := n.(type) {
	case *ast.Link, *ast.Image:
		n.SetAttributeString(startAttr, n.Pos())
		n.SetAttributeString(endAttr, after.Start)
	case *ast.AutoLink:
		n.SetAttributeString(startAttr, before.Start)
		n.SetAttributeString(endAttr, after.Start)
	}
	return n
}

// CloseBlock implements parser.CloseBlocker, which the link parser needs.
func (s spanned) CloseBlock(parent ast.Node, block gmtext.Reader, pc parser.Context) {
	if c, ok := s.InlineParser.(parser.CloseBlocker); ok {
		c.CloseBlock(parent, block, pc)
	}
}

// placed is a link whose sentence is not known yet.
type placed struct {
	found
	first, last int // in the prose of its block
}

// mdWalker goes through a document's tree once.
type mdWalker struct {
	src    []byte
	text   string // with the front matter
	shift  int    // where src begins in text
	title  string
	links  []found
	images []found
	seen   int // how many runs there were when the last picture was met

	runs     []*builder
	prose    *builder // the last of them, while a block is read
	pending  []placed
	from, to int     // text of the block not yet searched for bare links
	html     *placed // an a element of inline HTML that is open
}

// block walks a block node and what is in it.
func (m *mdWalker) block(n ast.Node, within surroundings) {
	switch n := n.(type) {
	case *ast.HTMLBlock:
		m.htmlBlock(n)
		return
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		m.code(n)
		return
	case *ast.LinkReferenceDefinition:
		return
	}
	within = within.inMarkdown(n)
	if c := n.FirstChild(); c != nil && c.Type() == ast.TypeInline {
		m.begin(within)
		m.inlines(n)
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 && m.title == "" {
			m.flush()
			m.title = collapse(m.prose.String())
		}
		m.end()
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		m.block(c, within)
	}
}

// begin begins a block of prose.
func (m *mdWalker) begin(within surroundings) {
	m.prose = &builder{}
	m.prose.Kind, m.prose.Level, m.prose.Content = cmp.Or(within.kind, Paragraph), within.level, true
	m.prose.Pictured = m.seen > 0 && len(m.runs)-m.seen < near
	m.runs = append(m.runs, m.prose)
}

// code takes a block of code, in which nothing is cited.
func (m *mdWalker) code(n ast.Node) {
	m.begin(surroundings{kind: Pre})
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		m.prose.add(string(seg.Value(m.src)), m.shift+seg.Start, seg.Len(), seg.Padding == 0 && !seg.ForceNewline)
	}
	m.prose = nil
}

func (m *mdWalker) inlines(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		m.inline(c)
	}
}

func (m *mdWalker) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		m.textNode(n)
	case *ast.String:
		m.prose.add(string(n.Value), m.prose.last, 0, false)
	case *ast.CodeSpan:
		m.flush()
		m.codeSpan(n)
	case *ast.Link:
		m.link(n, n.Destination, false)
	case *ast.Image:
		m.link(n, n.Destination, true)
	case *ast.AutoLink:
		if n.AutoLinkType == ast.AutoLinkURL {
			m.link(n, n.URL(m.src), false)
		} else {
			m.flush()
			m.label(n)
		}
	case *ast.RawHTML:
		m.flush()
		m.rawHTML(n)
	default:
		m.inlines(n)
	}
}

// textNode gathers text that touches, so that a URL with emphasis marks in it is found whole.
func (m *mdWalker) textNode(n *ast.Text) {
	seg := n.Segment
	if m.to > m.from && m.touches(seg.Start) {
		m.to = seg.Stop
	} else {
		m.flush()
		m.from, m.to = seg.Start, seg.Stop
	}
	if n.SoftLineBreak() || n.HardLineBreak() {
		m.flush()
		m.prose.spaces()
	}
}

// touches reports whether text at start goes on with a URL that the text before it has begun.
func (m *mdWalker) touches(start int) bool {
	if start < m.to || start > m.to+3 || start < len(m.src) && m.src[start] <= ' ' || len(bytes.Trim(m.src[m.to:start], `*_~\`)) > 0 {
		return false
	}
	if start == m.to {
		return true
	}
	tail := m.src[m.from:m.to]
	tail = tail[bytes.LastIndexAny(tail, " \t(")+1:]
	return bareStart.Match(tail) || bytes.Contains(tail, []byte("10."))
}

// flush searches the gathered text for bare links and adds it to the prose.
func (m *mdWalker) flush() {
	s := string(m.src[m.from:m.to])
	at := m.from
	m.from, m.to = 0, 0
	done := 0
	for _, b := range findURLs(s) {
		m.plain(s[done:b.start], at+done)
		raw := s[b.start:b.end]
		p := placed{found: b.found(raw), first: m.prose.next()}
		if b.ref == "" {
			p.ref = target(b, plain(raw))
		}
		m.verbatim(at+b.start, at+b.end)
		p.last = m.prose.Len()
		p.Start, p.End = m.shift+at+b.start, m.shift+at+b.end
		if len(m.links)+len(m.pending) < MaxLinks {
			m.pending = append(m.pending, p)
		}
		done = b.end
	}
	if done < len(s) {
		m.plain(s[done:], at+done)
	}
}

// plain adds text to the prose that stands at a place of src, its escapes and entities decoded.
func (m *mdWalker) plain(s string, at int) {
	for s != "" {
		i := strings.IndexAny(s, "\\&")
		if i < 0 {
			i = len(s)
		}
		if i > 0 {
			m.prose.add(s[:i], m.shift+at, i, true)
			s, at = s[i:], at+i
			continue
		}
		n := 1
		if s[0] == '\\' && len(s) > 1 && util.IsPunct(s[1]) {
			n = 2
		} else if s[0] == '&' {
			if end := strings.IndexByte(s[:min(len(s), maxRef)], ';'); end > 0 && plain(s[:end+1]) != s[:end+1] {
				n = end + 1
			}
		}
		m.prose.add(plain(s[:n]), m.shift+at, n, n == 1)
		s, at = s[n:], at+n
	}
}

// verbatim adds a part of the source to the prose as it is.
func (m *mdWalker) verbatim(from, to int) {
	m.prose.add(string(m.src[from:to]), m.shift+from, to-from, true)
}

func (m *mdWalker) codeSpan(n *ast.CodeSpan) {
	start := m.prose.next()
	defer func() { m.prose.Code = append(m.prose.Code, scar.Span{Start: start, End: m.prose.Len()}) }()
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			m.verbatim(t.Segment.Start, t.Segment.Stop)
		}
	}
}

// label adds the text of an autolink.
func (m *mdWalker) label(n *ast.AutoLink) {
	start, end := offset(n, startAttr), offset(n, endAttr)
	label := string(n.Label(m.src))
	if i := bytes.Index(m.src[min(start, end):end], []byte(label)); i >= 0 {
		m.verbatim(start+i, start+i+len(label))
		return
	}
	m.prose.add(label, m.prose.last, 0, false)
}

// plain decodes the escapes and entities of Markdown text.
func plain(s string) string {
	return string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations([]byte(s)))))
}

// link adds a link or picture whose children are its text.
func (m *mdWalker) link(n ast.Node, destination []byte, image bool) {
	m.flush()
	start, end := offset(n, startAttr), offset(n, endAttr)
	if end <= start || end > len(m.src) {
		return
	}
	p := placed{found: found{content: true, ref: plain(string(destination))}, first: m.prose.next()}
	outer := m.pending
	m.pending = nil
	if a, ok := n.(*ast.AutoLink); ok {
		m.label(a)
	} else if !image {
		m.inlines(n)
		m.flush()
	}
	// CommonMark knows no link within a link: a bare URL in a link's text is its text.
	m.pending = outer
	p.last = m.prose.Len()
	p.Raw = spelled(string(m.src[start:end]), string(destination))
	p.Text = collapse(string(inlineText(n, m.src)))
	if a, ok := n.(*ast.AutoLink); ok {
		p.Text = string(a.Label(m.src))
	}
	p.Start, p.End = m.shift+start, m.shift+end
	if image {
		m.images = append(m.images, p.found)
		m.seen, m.prose.Pictured = len(m.runs), true
		return
	}
	if len(m.links)+len(m.pending) < MaxLinks {
		m.pending = append(m.pending, p)
	}
}

// spelled returns the destination as the author wrote it in the construct, if it stands there.
func spelled(construct, destination string) string {
	if strings.Contains(construct, destination) {
		return destination
	}
	if i := strings.LastIndex(construct, "]("); i >= 0 {
		raw := strings.TrimLeft(construct[i+2:], " \t\n<")
		if end := strings.IndexAny(raw, " \t\n>"); end >= 0 {
			return raw[:end]
		}
		return strings.TrimSuffix(raw, ")")
	}
	return destination
}

func offset(n ast.Node, name string) int {
	v, _ := n.AttributeString(name)
	i, _ := v.(int)
	return i
}

// inlineText returns the text under an inline node, with pictures' alternative texts.
func inlineText(n ast.Node, src []byte) []byte {
	var out []byte
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			out = append(out, plain(string(c.Segment.Value(src)))...)
			if c.SoftLineBreak() {
				out = append(out, ' ')
			}
		case *ast.String:
			out = append(out, c.Value...)
		default:
			out = append(out, inlineText(c, src)...)
		}
	}
	return out
}

// end closes a block.
func (m *mdWalker) end() {
	m.flush()
	if m.html != nil {
		m.closeHTML(m.html.End)
	}
	for _, p := range m.pending {
		p.block, p.from, p.to = len(m.runs)-1, p.first, max(p.first, p.last)
		m.links = append(m.links, p.found)
	}
	m.pending = nil
	m.prose = nil
}
