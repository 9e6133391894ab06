package markup

import (
	"bytes"
	"io"
	"strings"
)

// CSS visits the URLs of a stylesheet: url() and src(), @import, and the strings of image-set(). Namespaces and the
// conditions of @document name no resource and are left alone.
func CSS(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) { scanCSS(s, t, cssContext{"css/url()", "css/@import"}) })
}

// cssContext are the contexts of what a scan finds.
type cssContext struct{ url, imported string }

var styleContext = cssContext{"style/url()", "style/@import"}

// The kinds of open blocks, besides the brackets themselves.
const (
	imageSet = 'i'
	fontFace = 'f'
)

// cssScan tokenizes by CSS Syntax Level 3 §4, as far as URLs need it: comments, strings, names with escapes, url tokens
// with their recovery, and blocks, so that a string in image-set() is told from one beside it.
type cssScan struct {
	*scan
	t       *text
	b       []byte
	context cssContext

	open     []byte // the blocks around the position
	fonts    int    // font-face blocks among them
	imported bool   // an @import awaits its URL
	muted    bool   // in a prelude whose URLs are names
	face     bool   // an @font-face awaits its block
}

func scanCSS(s *scan, t *text, context cssContext) {
	c := &cssScan{scan: s, t: t, b: t.b, context: context}
	for i := 0; i < len(c.b); {
		i = c.token(i)
	}
}

// token reads the token at i and returns the position after it.
func (c *cssScan) token(i int) int {
	b := c.b
	switch ch := b[i]; {
	case class[ch]&cssPlain != 0:
		if !isSpace(ch) {
			c.imported = false
		}
		for i++; i < len(b) && class[b[i]]&cssPlain != 0; i++ {
			if !isSpace(b[i]) {
				c.imported = false
			}
		}
		return i
	case class[ch]&cssName != 0:
		return c.name(i)
	}
	switch ch := b[i]; ch {
	case '/':
		if i+1 < len(b) && b[i+1] == '*' {
			return skipCSSComment(b, i)
		}
	case '"', '\'':
		return c.quoted(i, c.imported || c.top() == imageSet)
	case '\\':
		if cssEscape(b, i) > i {
			return c.name(i)
		}
	case '@':
		return c.atRule(i)
	case '#':
		c.imported = false
		return cssNameEnd(b, i+1)
	case '[':
		if c.selects != nil {
			if end := c.selector(i); end > i {
				return end
			}
		}
		c.bracket(ch)
	default:
		c.bracket(ch)
	}
	c.imported = false
	return i + 1
}

// bracket follows blocks and the ends of statements (§5.4.1–5.4.8).
func (c *cssScan) bracket(ch byte) {
	switch ch {
	case '{':
		if c.face {
			ch = fontFace
			c.fonts++
		}
		c.muted, c.face = false, false
		c.open = append(c.open, ch)
	case '(', '[':
		c.open = append(c.open, ch)
	case ')', ']', '}':
		if top := c.top(); closes(top, ch) {
			c.open = c.open[:len(c.open)-1]
			if top == fontFace {
				c.fonts--
			}
		}
	case ';':
		c.muted, c.face = false, false
	}
}

func closes(open, end byte) bool {
	switch end {
	case ')':
		return open == '(' || open == imageSet
	case ']':
		return open == '['
	}
	return open == '{' || open == fontFace
}

func (c *cssScan) top() byte {
	if len(c.open) == 0 {
		return 0
	}
	return c.open[len(c.open)-1]
}

// name reads an identifier, a number with its unit, or a function's name (§4.3.3, §4.3.4).
func (c *cssScan) name(i int) int {
	end := cssNameEnd(c.b, i)
	if end >= len(c.b) || c.b[end] != '(' {
		c.imported = false
		return end
	}
	word := c.b[i:end]
	if bytes.IndexByte(word, '\\') >= 0 {
		word = []byte(unescapeCSS(word))
	}
	switch {
	case equalFold(word, "url"):
		return c.url(end + 1)
	case equalFold(word, "src"):
		if at := skipSpace(c.b, end+1); at < len(c.b) && (c.b[at] == '"' || c.b[at] == '\'') {
			return c.url(end + 1)
		}
	case equalFold(word, "image-set"), equalFold(word, "-webkit-image-set"):
		c.imported = false
		c.open = append(c.open, imageSet)
		return end + 1
	}
	c.imported = false
	c.open = append(c.open, '(')
	return end + 1
}

func (c *cssScan) atRule(i int) int {
	end := cssNameEnd(c.b, i+1)
	word := c.b[i+1 : end]
	if bytes.IndexByte(word, '\\') >= 0 {
		word = []byte(unescapeCSS(word))
	}
	c.imported, c.face, c.muted = false, false, false
	switch {
	case equalFold(word, "import"):
		c.imported = true
	case equalFold(word, "font-face"):
		c.face = true
	case equalFold(word, "namespace"), equalFold(word, "document"), equalFold(word, "-moz-document"):
		c.muted = true
	}
	return end
}

// url reads what follows "url(": a string, or an unquoted URL (§4.3.6).
func (c *cssScan) url(i int) int {
	b := c.b
	i = skipSpace(b, i)
	if i < len(b) && (b[i] == '"' || b[i] == '\'') {
		c.open = append(c.open, '(')
		return c.quoted(i, true)
	}
	start := i
	for i < len(b) {
		switch ch := b[i]; {
		case ch == ')':
			c.address(start, i, escapeCSSURL)
			return i + 1
		case isSpace(ch):
			end := i
			if i = skipSpace(b, i); i < len(b) && b[i] != ')' {
				return c.badURL(i)
			}
			c.address(start, end, escapeCSSURL)
			return min(i+1, len(b))
		case ch == '"' || ch == '\'' || ch == '(' || ch < ' ' || ch == 0x7F:
			return c.badURL(i)
		case ch == '\\':
			end := cssEscape(b, i)
			if end == i {
				return c.badURL(i)
			}
			i = end
		default:
			i++
		}
	}
	c.address(start, i, escapeCSSURL)
	return i
}

// badURL skips the remnants of a bad url (§4.3.14).
func (c *cssScan) badURL(i int) int {
	c.imported = false
	for i < len(c.b) && c.b[i] != ')' {
		if end := cssEscape(c.b, i); end > i {
			i = end
		} else {
			i++
		}
	}
	return min(i+1, len(c.b))
}

// quoted reads a string (§4.3.5), which is a URL or not. One that a newline cuts is bad, and is none.
func (c *cssScan) quoted(i int, isURL bool) int {
	b, quote := c.b, c.b[i]
	start := i + 1
	for i = start; i < len(b) && b[i] != quote; {
		switch b[i] {
		case '\n', '\r', '\f':
			c.imported = false
			return i
		case '\\':
			if end := cssEscape(b, i); end > i {
				i = end
			} else {
				i = cssNewline(b, i+1)
			}
		default:
			i++
		}
	}
	if isURL {
		c.address(start, i, escapeCSSString)
	}
	c.imported = false
	return min(i+1, len(b))
}

// address visits the URL at [start, end).
func (c *cssScan) address(start, end int, esc func(string) string) {
	imported := c.imported
	c.imported = false
	if c.muted {
		return
	}
	start, end = trim(c.b, start, end)
	r := Ref{Role: Image, Context: c.context.url, Start: start, End: end}
	switch {
	case imported:
		r.Role, r.Context = Import, c.context.imported
	case c.fonts > 0:
		r.Role = Font
	}
	if raw := c.b[start:end]; bytes.IndexByte(raw, '\\') >= 0 {
		r.URL = strings.Trim(unescapeCSS(raw), " ")
	} else {
		r.URL = string(raw)
	}
	c.found(c.t, r, esc)
}
