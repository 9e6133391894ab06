package post

import (
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// The elements that hold the main content, the surest first.
var contentSelectors = []string{
	`.entry-content, .post-content, .post-body, .post__content, .post-entry, .entry-body, .article-body, .article-content, .article__body,
	.article__content, .story-body, .story-content, .e-content, .blog-content, .single-content, .page-content, .markdown-body, .mw-parser-output, #mw-content-text,
	[itemprop="articleBody"], [itemprop~="articleBody"]`,
	`article, [role="article"]`,
	`main, [role="main"], #main-content, #main, #content, #post`,
}

// Comments are content, wherever they stand.
const commentSelector = `#comments, .comments, .comments-area, .comment-list, .commentlist, .comments-list, .wp-block-comments, .wp-block-comment-template,
	.comment-content, .comment-body, .h-cite, [itemtype$="schema.org/Comment"]`

// What stands inside the content and isn't.
const asideSelector = `nav, [role="navigation"], .sharedaddy, .jp-relatedposts, .related-posts, .related, .yarpp-related, .post-navigation,
	.nav-links, .navigation, .pagination, .pager, .breadcrumb, .breadcrumbs, .sidebar, .widget, .widget-area, .wp-block-comments-pagination,
	.tags, .post-tags, .tag-list, .site-header, .site-footer`

// contentMap tells of an element whether it begins (true) or ends (false) the content; what isn't in it inherits.
type contentMap struct {
	begins map[*html.Node]bool
}

func (m *contentMap) at(n *html.Node, inherited bool) bool {
	if v, ok := m.begins[n]; ok {
		return v
	}
	return inherited
}

func mainContent(doc *goquery.Document) *contentMap {
	m := &contentMap{begins: map[*html.Node]bool{}}
	comments := nodes(doc.Find(commentSelector))
	out := nodes(doc.Find(asideSelector))
	for n := range out {
		m.begins[n] = false
	}
	weigh := func(n *html.Node) int { return weight(n, comments, out) }
	for _, n := range roots(doc, weigh, comments, out) {
		m.begins[n] = true
	}
	for n := range comments {
		m.begins[n] = true
	}
	return m
}

// roots returns the elements of the first selector that hold enough of the page's prose.
func roots(doc *goquery.Document, weigh func(*html.Node) int, comments, out map[*html.Node]bool) []*html.Node {
	levels := make([][]*html.Node, len(contentSelectors))
	weights := make([]int, len(contentSelectors))
	for i, sel := range contentSelectors {
		levels[i], weights[i] = largest(doc.Find(sel), weigh, comments, out)
	}
	body := doc.Find("body").Get(0)
	if body == nil {
		return nil
	}
	for i := range levels {
		wider := 0
		for _, w := range weights[i+1:] {
			wider = max(wider, w)
		}
		if wider == 0 {
			wider = weigh(body) / 2
		}
		if weights[i] > 0 && 4*weights[i] >= wider {
			return levels[i]
		}
	}
	return []*html.Node{densest(body, comments, out)}
}

// largest returns the outermost of the selected elements whose text isn't a fifth of the longest one's, and the
// length of all their text. Teasers of other posts are dropped so.
func largest(sel *goquery.Selection, weigh func(*html.Node) int, comments, out map[*html.Node]bool) ([]*html.Node, int) {
	all := nodes(sel)
	var keep []*html.Node
	var weights []int
	most := 0
	for _, n := range sel.Nodes {
		if under(n.Parent, all) || under(n, comments) || under(n, out) {
			continue
		}
		w := weigh(n)
		keep, weights, most = append(keep, n), append(weights, w), max(most, w)
	}
	total, chosen := 0, keep[:0]
	for i, n := range keep {
		if weights[i] > 0 && 5*weights[i] >= most {
			chosen, total = append(chosen, n), total+weights[i]
		}
	}
	return chosen, total
}

// weight is the length of an element's text in code points, without comments, asides and what nobody reads.
func weight(n *html.Node, comments, out map[*html.Node]bool) int {
	total := 0
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		switch {
		case k.Type == html.TextNode:
			total += utf8.RuneCountInString(strings.TrimSpace(k.Data))
		case k.Type == html.ElementNode && !silent[k.Data] && !comments[k] && !out[k]:
			total += weight(k, comments, out)
		}
	}
	return total
}

// Blocks that may hold a whole post.
var containers = set(`body div section article main td tr table tbody center form layer ul ol dl dd font span blockquote`)

// Elements that hold no prose of a post.
var furniture = set(`nav header footer aside button label`)

// densest descends from body to the smallest block that holds seven tenths of its paragraphs: text of 80 code points
// and more outside links, in one element. A page without such paragraphs is taken whole.
func densest(body *html.Node, comments, out map[*html.Node]bool) *html.Node {
	weights := map[*html.Node]int{}
	var weigh func(n *html.Node) (own int)
	weigh = func(n *html.Node) int {
		own := 0 // the text that belongs to this block, through inline elements
		for k := n.FirstChild; k != nil; k = k.NextSibling {
			switch {
			case k.Type == html.TextNode:
				own += utf8.RuneCountInString(strings.TrimSpace(k.Data))
			case k.Type != html.ElementNode || silent[k.Data] || furniture[k.Data] || comments[k] || out[k] || k.Data == "a":
			default:
				sub := weigh(k)
				if w := weights[k]; w > 0 {
					weights[n] += w
				}
				if !blocks[k.Data] {
					own += sub
				}
			}
		}
		if (blocks[n.Data] || n.Data == "body") && own >= 80 {
			weights[n] += own
		}
		return own
	}
	weigh(body)
	at := body
	for weights[at] > 0 {
		var down *html.Node
		for k := at.FirstChild; k != nil; k = k.NextSibling {
			if k.Type == html.ElementNode && containers[k.Data] && 10*weights[k] >= 7*weights[at] {
				down = k
			}
		}
		if down == nil {
			break
		}
		at = down
	}
	return at
}

func nodes(sel *goquery.Selection) map[*html.Node]bool {
	m := make(map[*html.Node]bool, len(sel.Nodes))
	for _, n := range sel.Nodes {
		if n.Data != "body" && n.Data != "html" {
			m[n] = true
		}
	}
	return m
}

// under reports whether a node or one of its ancestors is in the set.
func under(n *html.Node, set map[*html.Node]bool) bool {
	for ; n != nil; n = n.Parent {
		if set[n] {
			return true
		}
	}
	return false
}
