package markup

import (
	"bytes"
	"io"
)

// Selector is an attribute selector that asks for the value of an attribute which may hold a URL (Selectors 4 §6).
type Selector struct {
	Attr  string // as the style sheet spells it, with the prefix of its namespace
	Op    byte   // '=' or what stands before it: '^', '$', '*', '~'
	Value string // escapes undone
	Flag  byte   // 'i', 's', or 0
}

// Selects has selectors replaced.
type Selects struct {
	// Root begins values that only replacements ask for: a group "[attr]:where(…)" with it is one, and stays.
	Root string
	// Turn tells what a style sheet is to say in the place of a selector.
	Turn func(Selector) (replacement string, ok bool)
}

// maxSelector bounds the value of a selector that is handed over, in bytes.
const maxSelector = 2 << 10

// SelectingCSS is CSS, and hands the attribute selectors over as well.
func SelectingCSS(dst io.Writer, src []byte, selects *Selects, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) {
		s.selects = selects
		scanCSS(s, t, cssContext{"css/url()", "css/@import"})
	})
}

// CSSString spells s as a string of CSS, quotes and all, which can stand in a style element, too.
func CSSString(s string) string { return `"` + escapeCSSString(s) + `"` }

// selected are the attributes that Selector is about.
var selected = newNameTable("href", "xlink:href", "src", "action", "formaction", "poster", "background", "data", "cite", "longdesc",
	"data-src", "data-href", "data-lazy-src", "data-original", "data-bg", "data-image", "data-thumb", "data-poster")

// selector reads the attribute selector at i, and returns the position after it; i if it is none that is replaced. What looks like one in
// a value is none of our business there either: only selectors compare.
func (c *cssScan) selector(i int) int {
	b := c.b
	name := skipSpace(b, i+1)
	if name < len(b) && b[name] == '*' && name+1 < len(b) && b[name+1] == '|' {
		name++
	}
	end := cssNameEnd(b, name)
	local := name
	if end < len(b)-1 && b[end] == '|' && b[end+1] != '=' {
		local = end + 1
		end = cssNameEnd(b, local)
	}
	if selected.lookup([]byte(unescapeCSS(b[local:end]))) == 0 {
		return i
	}
	if at := skipSpace(b, end); at < len(b) && b[at] == ']' {
		return c.turned(i, b[i+1:at], at+1)
	}
	s := Selector{Attr: string(b[skipSpace(b, i+1):end]), Op: '='}
	at := skipSpace(b, end)
	if at < len(b) && bytes.IndexByte([]byte("^$*~"), b[at]) >= 0 {
		s.Op = b[at]
		at++
	}
	if at >= len(b) || b[at] != '=' {
		return i
	}
	start, stop := c.operand(skipSpace(b, at+1))
	if start < 0 || stop-start > maxSelector {
		return i
	}
	s.Value = unescapeCSS(b[start:stop])
	if at = stop; at < len(b) && (b[at] == '"' || b[at] == '\'') {
		at++
	}
	if at = skipSpace(b, at); at < len(b) && (b[at]|0x20 == 'i' || b[at]|0x20 == 's') {
		s.Flag = b[at] | 0x20
		at = skipSpace(b, at+1)
	}
	if at >= len(b) || b[at] != ']' {
		return i
	}
	with, ok := c.selects.Turn(s)
	if !ok {
		return i
	}
	c.imported = false
	c.edit(c.t, i, at+1, with)
	return at + 1
}

// turned returns the position after what has been put in the place of a selector of the attribute at i, if that is what follows at
// the position after it; else i.
func (c *cssScan) turned(i int, attr []byte, after int) int {
	b := c.b
	rest, ok := bytes.CutPrefix(b[after:], []byte(":where(["+string(attr)))
	if !ok {
		return i
	}
	depth := 2
	for at := len(b) - len(rest); at < len(b); at++ {
		switch b[at] {
		case '"', '\'':
			_, end := c.operand(at)
			if end < 0 {
				return i
			}
			at = end
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth == 0 {
				if !bytes.Contains(b[after:at], []byte(c.selects.Root)) {
					return i
				}
				c.imported = false
				return at + 1
			}
		case '{', '}':
			return i
		}
	}
	return i
}

// operand returns the bounds of the string or name at i, without quotes; -1 if there is none.
func (c *cssScan) operand(i int) (start, end int) {
	b := c.b
	if i >= len(b) {
		return -1, -1
	}
	if b[i] != '"' && b[i] != '\'' {
		if end = cssNameEnd(b, i); end == i {
			return -1, -1
		}
		return i, end
	}
	for end = i + 1; end < len(b) && b[end] != b[i]; {
		switch next := cssEscape(b, end); {
		case next > end:
			end = next
		case b[end] == '\\' || b[end] == '\n' || b[end] == '\r' || b[end] == '\f':
			return -1, -1
		default:
			end++
		}
	}
	if end >= len(b) {
		return -1, -1
	}
	return i + 1, end
}
