package text

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// node is an element that matters to where text belongs, or a run of text. Elements within a line are left out: their text is
// their parent's. Nodes stand in document order, so that parents come before their children.
type node struct {
	parent int32
	tag    atom.Atom // 0: text
	mark   mark
	text   string
}

// mark is what an element is, as far as its name and its attributes tell.
type mark uint16

const (
	isBlock   mark = 1 << iota
	isLink         // a
	isAside        // stands beside the content: menus, notices, lists of other pages
	isComment      // what readers wrote
	isSilent       // nobody reads it here
	isPre          // spaces count
	isFirm         // said to be the text of the article …
	isArticle      // … an article …
	isMain         // … the page's main part
	isByline
	isBreak // ends a line
)

// maxDepth is how deep elements are followed; what is deeper belongs to the last of these.
const maxDepth = 400

// tree is the page as a list of nodes, of which the first is the root.
type tree struct {
	nodes []node
	open  []opened
	over  int // elements that are open beyond maxDepth
	head  head

	within bool // what is read is what browsers without scripts show
}

type opened struct {
	tag atom.Atom
	at  int32 // its node, or that of the element around it if it has none
}

func set(names ...atom.Atom) map[atom.Atom]bool {
	m := make(map[atom.Atom]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

var (
	blocks = set(atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Caption, atom.Center, atom.Dd, atom.Details, atom.Dialog,
		atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Form, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5,
		atom.H6, atom.Header, atom.Hgroup, atom.Hr, atom.Li, atom.Main, atom.Menu, atom.Nav, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Summary,
		atom.Table, atom.Tbody, atom.Td, atom.Tfoot, atom.Th, atom.Thead, atom.Tr, atom.Ul, atom.Listing, atom.Xmp)
	voids = set(atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Param, atom.Source,
		atom.Track, atom.Wbr, atom.Bgsound, atom.Basefont, atom.Frame, atom.Keygen, atom.Command)
	silent = set(atom.Script, atom.Style, atom.Template, atom.Textarea, atom.Select, atom.Svg, atom.Math, atom.Iframe, atom.Object, atom.Video,
		atom.Audio, atom.Canvas, atom.Button, atom.Datalist, atom.Noembed, atom.Noframes, atom.Applet, atom.Title)
	// What the end of a block does not reach beyond.
	barriers = set(atom.Table, atom.Td, atom.Th, atom.Caption, atom.Template, atom.Object, atom.Html)
)

// parse brings the tree of a page.
func parse(src string) *tree {
	t := &tree{nodes: make([]node, 1, 64+len(src)/200)}
	t.nodes[0] = node{parent: -1, tag: atom.Html, mark: isBlock}
	t.open = append(t.open, opened{atom.Html, 0})
	t.read(src)
	return t
}

// read adds what a page, or a part of it, holds.
func (t *tree) read(src string) {
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return
		case html.TextToken:
			t.addText(z)
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			t.start(z, atom.Lookup(name), more, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := z.TagName()
			if tag := atom.Lookup(name); tag == atom.P && !t.has(atom.P) || tag == atom.Br {
				t.add(node{parent: t.top().at, tag: atom.Br, mark: isBreak})
			} else {
				t.end(tag)
			}
		}
	}
}

func (t *tree) top() opened { return t.open[len(t.open)-1] }

func (t *tree) add(n node) int32 {
	t.nodes = append(t.nodes, n)
	return int32(len(t.nodes) - 1)
}

func (t *tree) addText(z *html.Tokenizer) {
	top := t.top()
	if top.tag == atom.Title {
		if t.head.title == "" {
			t.head.title = short(string(z.Text()))
		}
		return
	}
	if t.nodes[top.at].mark&isSilent != 0 {
		z.Text()
		return
	}
	if text := string(z.Text()); top.tag == atom.Noscript && !t.within && strings.IndexByte(text, '<') >= 0 {
		t.within = true // one in another can't be
		depth := len(t.open)
		t.read(text)
		t.open, t.over, t.within = t.open[:min(depth, len(t.open))], 0, false
	} else if text != "" {
		t.add(node{parent: top.at, text: text})
	}
}

// start opens an element.
func (t *tree) start(z *html.Tokenizer, tag atom.Atom, more, closed bool) {
	m := t.attributes(z, tag, more)
	if blocks[tag] {
		m |= isBlock
		t.imply(tag)
	}
	switch tag {
	case atom.Br, atom.Hr:
		m |= isBreak
	case atom.Pre, atom.Listing, atom.Xmp:
		m |= isPre
	case atom.A:
		t.end(atom.A)
	}
	if silent[tag] {
		m |= isSilent
	}
	at := t.top().at
	inherited := t.nodes[at].mark & (isSilent | isPre)
	if m |= inherited; m != inherited {
		at = t.add(node{parent: at, tag: tag, mark: m})
	}
	if voids[tag] || closed && (tag == 0 || inherited&isSilent != 0) {
		return
	}
	if len(t.open) >= maxDepth {
		t.over++
		return
	}
	t.open = append(t.open, opened{tag, at})
}

// What ends when an element begins, and what that does not reach beyond.
var implied = map[atom.Atom]struct{ ends, within map[atom.Atom]bool }{
	atom.Li:    {set(atom.Li), set(atom.Ul, atom.Ol, atom.Menu)},
	atom.Dt:    {set(atom.Dt, atom.Dd), set(atom.Dl)},
	atom.Dd:    {set(atom.Dt, atom.Dd), set(atom.Dl)},
	atom.Td:    {set(atom.Td, atom.Th), set(atom.Tr)},
	atom.Th:    {set(atom.Td, atom.Th), set(atom.Tr)},
	atom.Tr:    {set(atom.Tr), set(atom.Table)},
	atom.Tbody: {set(atom.Tbody, atom.Thead, atom.Tfoot), set(atom.Table)},
	atom.Tfoot: {set(atom.Tbody, atom.Thead, atom.Tfoot), set(atom.Table)},
}

// imply ends what a block ends by beginning: a paragraph, and its own like in a list or a table.
func (t *tree) imply(tag atom.Atom) {
	if t.has(atom.P) {
		t.end(atom.P)
	}
	rule, ok := implied[tag]
	if !ok {
		return
	}
	for i := len(t.open) - 1; i > 0; i-- {
		switch o := t.open[i].tag; {
		case rule.ends[o]:
			t.open = t.open[:i]
			return
		case rule.within[o] || o == atom.Table:
			return
		}
	}
}

// has says whether an element is open that an end tag would reach.
func (t *tree) has(tag atom.Atom) bool {
	for i := len(t.open) - 1; i > 0; i-- {
		if o := t.open[i].tag; o == tag {
			return true
		} else if barriers[o] {
			return false
		}
	}
	return false
}

// end closes an element and all in it. An end tag of nothing that is open does nothing, and that of an element within a line
// ends no block.
func (t *tree) end(tag atom.Atom) {
	if t.over > 0 {
		t.over--
		return
	}
	wide := blocks[tag] || silent[tag]
	for i := len(t.open) - 1; i > 0; i-- {
		switch o := t.open[i].tag; {
		case o == tag:
			t.open = t.open[:i]
			return
		case barriers[o] && !tabular[tag], blocks[o] && !wide:
			return
		}
	}
}

// tabular are the elements whose ends reach beyond cells.
var tabular = set(atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Caption, atom.Template, atom.Object, atom.Body, atom.Html)
