package post

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"golang.org/x/net/html"
)

// surroundings are what the elements around a run of prose say of its kind.
type surroundings struct {
	kind  string
	level int
	quote bool
}

// in are the surroundings within a further element.
func (s surroundings) in(n *html.Node) surroundings {
	switch n.Data {
	case "h1", "h2", "h3", "h4", "h5", "h6":
		s.kind, s.level = Heading, int(n.Data[1]-'0')
	case "blockquote":
		s.kind, s.quote = Quote, true
	case "li", "dd", "dt":
		s.kind = Item
	case "figcaption", "caption":
		s.kind = Caption
	case "pre":
		s.kind = Pre
	case "td", "th", "nav", "header", "footer", "form", "fieldset", "button", "option", "select", "menu", "dialog", "summary":
		s.kind, s.level = Other, 0
	case "p":
		switch {
		case slices.ContainsFunc(strings.Fields(attr(n, "class")), func(c string) bool { return c == "wp-caption-text" || c == "caption" || c == "image-caption" }):
			s.kind = Caption
		case s.kind == Other: // a table that lays out a page
			s.kind = Paragraph
		}
	case "div", "section", "article", "main", "body":
		if s.kind == Other && n.Data != "div" {
			s.kind = Paragraph
		}
	}
	if s.quote && (s.kind == Paragraph || s.kind == "") {
		s.kind = Quote
	}
	return s
}

// inMarkdown are the surroundings within a further block of Markdown.
func (s surroundings) inMarkdown(n ast.Node) surroundings {
	switch n := n.(type) {
	case *ast.Heading:
		return surroundings{kind: Heading, level: n.Level}
	case *ast.Blockquote:
		return surroundings{kind: Quote, quote: true}
	case *ast.ListItem, *extast.Footnote, *extast.DefinitionTerm, *extast.DefinitionDescription:
		s.kind = Item
	case *extast.TableCell:
		s.kind = Other
	}
	return s
}
