package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/atom"
)

// layout is what is known of each node of a tree, by its number.
type layout struct {
	*tree
	out   []bool  // in an aside, in comments, or silent
	said  []bool  // in comments
	chars []int32 // length of the text in it that is not out, in code points; a sign of a script without spaces counts as three …
	links []int32 // … of which in links
	prose []int32 // of blocks that hold paragraphs: their length
}

// paragraph is how long a block's own text must be outside of links to be prose, in code points.
const paragraph = 80

func survey(t *tree) *layout {
	n := len(t.nodes)
	l := &layout{tree: t, out: make([]bool, n), said: make([]bool, n), chars: make([]int32, n), links: make([]int32, n), prose: make([]int32, n)}
	own := make([]int32, n) // outside of links, of this very block
	linked := make([]bool, n)
	for i := range t.nodes {
		e := &t.nodes[i]
		if e.parent >= 0 {
			l.out[i], l.said[i], linked[i] = l.out[e.parent], l.said[e.parent], linked[e.parent]
		}
		l.said[i] = l.said[i] || e.mark&isComment != 0
		l.out[i] = l.out[i] || e.mark&(isAside|isComment|isSilent) != 0
		linked[i] = linked[i] || e.mark&isLink != 0
		if e.text == "" || l.out[i] {
			continue
		}
		l.chars[i] = weight(e.text)
		if linked[i] {
			l.links[i] = l.chars[i]
		} else {
			own[l.block(e.parent)] += l.chars[i]
		}
	}
	for i := n - 1; i > 0; i-- {
		e := &t.nodes[i]
		l.chars[e.parent] += l.chars[i]
		l.links[e.parent] += l.links[i]
		if own[i] >= paragraph && !furniture[e.tag] {
			l.prose[i] += own[i]
		}
		if !furniture[e.tag] {
			l.prose[e.parent] += l.prose[i]
		}
	}
	return l
}

// block is the nearest block around a node, itself included.
func (l *layout) block(i int32) int32 {
	for i > 0 && l.nodes[i].mark&isBlock == 0 {
		i = l.nodes[i].parent
	}
	return i
}

// Elements that hold no prose of an article.
var furniture = set(atom.Nav, atom.Header, atom.Footer, atom.Aside, atom.Label)

func weight(s string) (n int32) {
	space := true
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			if !space {
				n++
			}
			space = true
			continue
		case r >= 0x2E80 && spaceless(r):
			n += 2
		}
		n++
		space = false
	}
	return n
}

// levels are the marks of elements that hold the main text, the surest first.
var levels = [...]mark{isFirm, isArticle, isMain}

// roots are the elements that hold the main text: those of the surest mark that hold enough of the page, else the smallest block
// that holds most of its paragraphs.
func (l *layout) roots() []int32 {
	var at [len(levels)][]int32
	var weights [len(levels)]int32
	for i, m := range levels {
		at[i], weights[i] = l.largest(m)
	}
	for i := range levels {
		wider := int32(0)
		for _, w := range weights[i+1:] {
			wider = max(wider, w)
		}
		if wider == 0 {
			wider = l.chars[0] / 2
		}
		if weights[i] > 0 && 4*weights[i] >= wider {
			return at[i]
		}
	}
	return []int32{l.densest()}
}

// largest brings the outermost elements with a mark whose text isn't a fifth of the longest one's, and the length of all their
// text: teasers of other articles are dropped so.
func (l *layout) largest(m mark) (chosen []int32, total int32) {
	var all []int32
	most := int32(0)
	in := make([]bool, len(l.nodes))
	for i := range l.nodes {
		e := &l.nodes[i]
		in[i] = e.parent >= 0 && in[e.parent]
		if e.mark&m != 0 && !in[i] {
			in[i] = true
			if !l.out[i] && l.chars[i] > 0 {
				all, most = append(all, int32(i)), max(most, l.chars[i])
			}
		}
	}
	for _, i := range all {
		if 5*int64(l.chars[i]) >= int64(most) {
			chosen, total = append(chosen, i), total+l.chars[i]
		}
	}
	return chosen, total
}

// densest goes down to the smallest block that holds seven tenths of the paragraphs. A page without any is taken whole.
func (l *layout) densest() int32 {
	at := int32(0)
	for i := range l.nodes {
		e := &l.nodes[i]
		if e.parent == at && e.mark&isBlock != 0 && l.prose[at] > 0 && 10*int64(l.prose[i]) >= 7*int64(l.prose[at]) && e.tag != atom.P {
			at = int32(i)
		}
	}
	return at
}

// writer puts text together, a line a block.
type writer struct {
	sb    strings.Builder
	space bool // one stands between what is written and what comes
}

func (w *writer) line() {
	if n := w.sb.Len(); n > 0 && w.sb.String()[n-1] != '\n' {
		w.sb.WriteByte('\n')
	}
	w.space = false
}

// text writes a run of text with its spaces collapsed, or with its line ends where they count.
func (w *writer) text(s string, pre bool) {
	start := -1
	for i, r := range s {
		if !unicode.IsSpace(r) && r != 0 {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			w.word(s[start:i])
			start = -1
		}
		if pre && r == '\n' {
			w.line()
		} else {
			w.space = true
		}
	}
	if start >= 0 {
		w.word(s[start:])
	}
}

func (w *writer) word(s string) {
	if n := w.sb.Len(); w.space && n > 0 && w.sb.String()[n-1] != '\n' {
		w.sb.WriteByte(' ')
	}
	w.space = false
	w.sb.WriteString(s)
}

func (w *writer) String() string { return strings.TrimSpace(w.sb.String()) }

// write brings the text of the nodes that are chosen.
func (l *layout) write(chosen func(i int) bool) string {
	var w writer
	last := int32(0) // the block of what was written last
	broken := false
	for i := range l.nodes {
		e := &l.nodes[i]
		if e.mark&(isBreak|isBlock) != 0 {
			broken = true
		}
		if e.text == "" || !chosen(i) {
			continue
		}
		if b := l.block(e.parent); b != last || broken {
			w.line()
			last, broken = b, false
		}
		w.text(e.text, l.nodes[e.parent].mark&isPre != 0)
	}
	return w.String()
}

// readHTML brings a page out of its markup.
func readHTML(src string) Page {
	l := survey(parse(src))
	within := l.under(l.roots())
	lists := l.lists(within)
	p := Page{
		Text:     l.write(func(i int) bool { return within[i] && !l.out[i] && !lists[i] }),
		Comments: l.write(func(i int) bool { return l.said[i] && l.nodes[l.nodes[i].parent].mark&isSilent == 0 }),
		All:      l.write(func(int) bool { return true }),
		Lang:     l.head.lang,
	}
	l.describe(&p)
	return p
}

// under says of each node whether it is in one of these.
func (l *layout) under(roots []int32) []bool {
	in := make([]bool, len(l.nodes))
	for _, r := range roots {
		in[r] = true
	}
	for i := range l.nodes {
		if p := l.nodes[i].parent; p >= 0 && in[p] {
			in[i] = true
		}
	}
	return in
}

// lists says of each node whether it is in a block of little but links. Where that is most of the text, it is what the page is
// about, and none is.
func (l *layout) lists(within []bool) []bool {
	in := make([]bool, len(l.nodes))
	all, dropped := int32(0), int32(0)
	for i := range l.nodes {
		e := &l.nodes[i]
		if e.parent < 0 || !within[i] {
			continue
		}
		in[i] = in[e.parent] || within[e.parent] && bundles[e.tag] && l.chars[i] >= 20 && 4*int64(l.links[i]) >= 3*int64(l.chars[i])
		if e.text != "" && !l.out[i] {
			all += l.chars[i]
			if in[i] {
				dropped += l.chars[i]
			}
		}
	}
	if 2*int64(dropped) >= int64(all) {
		clear(in)
	}
	return in
}

// Elements that may be lists of links. A paragraph may be of links alone and is prose.
var bundles = set(atom.Ul, atom.Ol, atom.Dl, atom.Div, atom.Table, atom.Section, atom.Header, atom.Footer, atom.Menu, atom.Form)

// describe tells what the page says of itself.
func (l *layout) describe(p *Page) {
	h := &l.head
	p.Title = h.said("og:title", "citation_title", "dc.title", "twitter:title")
	heading := l.first(func(e *node) bool { return e.tag == atom.H1 })
	if p.Title == "" && heading != "" && (h.title == "" || strings.Contains(Fold(h.title), Fold(heading))) {
		p.Title = heading
	}
	if p.Title == "" {
		p.Title = h.title
	}
	p.Byline = h.said("author", "citation_author", "dc.creator", "article:author", "parsely-author")
	if p.Byline == "" || strings.HasPrefix(p.Byline, "http") {
		if b := l.first(func(e *node) bool { return e.mark&isByline != 0 }); utf8.RuneCountInString(b) <= 120 {
			p.Byline = b
		}
	}
	p.Site = h.said("og:site_name", "application-name", "citation_journal_title")
	p.Published = h.said("article:published_time", "og:published_time", "datepublished", "citation_publication_date", "citation_date", "dc.date.issued",
		"dcterms.issued", "dc.date", "dcterms.date", "publish-date", "pubdate", "date")
	if p.Lang == "" {
		p.Lang = h.said("content-language", "dc.language", "og:locale")
	}
	p.Lang = strings.ReplaceAll(p.Lang, "_", "-")
}

// first brings the text of the first element of a kind that has any, outside of comments.
func (l *layout) first(kind func(*node) bool) string {
	for i := range l.nodes {
		if e := &l.nodes[i]; e.tag != 0 && kind(e) && !l.said[i] && e.mark&isSilent == 0 {
			if s := l.inside(i); s != "" {
				return s
			}
		}
	}
	return ""
}

// inside is the text of an element, as long as a title at most.
func (l *layout) inside(at int) string {
	var sb strings.Builder
	in := map[int32]bool{int32(at): true}
	for i := at + 1; i < len(l.nodes) && sb.Len() < 2*maxTitle; i++ {
		e := &l.nodes[i]
		if !in[e.parent] {
			if e.parent < int32(at) {
				break
			}
			continue
		}
		if in[int32(i)] = true; e.text != "" && e.mark&isSilent == 0 && !l.aside(int32(i), int32(at)) {
			sb.WriteString(e.text)
		} else if e.mark&(isBlock|isBreak) != 0 {
			sb.WriteByte(' ')
		}
	}
	return short(sb.String())
}

// aside says whether a node stands in an aside below another: a heading's permanent link, say.
func (l *layout) aside(i, below int32) bool {
	for ; i > below; i = l.nodes[i].parent {
		if l.nodes[i].mark&(isAside|isSilent) != 0 {
			return true
		}
	}
	return false
}
