package pdf

import (
	"bytes"
	"strconv"
)

// Objects (ISO 32000-1 §7.3) are nil, bool, float64, name, text (a string's bytes), []any, dict, ref and *stream. In an array or a
// dictionary, later may stand for one.
type (
	name string
	text string
	dict map[name]any
	ref  struct{ num, gen int }
)

// word is what is no object: an operator, a keyword.
type word string

// stream is a dictionary with bytes, still encoded.
type stream struct {
	dict dict
	raw  []byte
	of   ref // the object that it is, by which it is encrypted
}

// Bounds of one object.
const (
	maxDepth = 40
	maxItems = 1 << 20 // of an array
	maxKeys  = 1 << 16 // of a dictionary
	maxWord  = 1 << 10 // bytes of a name or a keyword
)

// parser reads objects out of bytes. It never fails: what is no object is skipped.
type parser struct {
	src    []byte
	at     int
	fuel   *fuel
	built  int     // parts of the object that is read
	skim   bool    // it is passed over: what is returned is not to be used
	source *source // of those that are read later
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c byte) bool { return !isSpace(c) && !isDelimiter(c) }

func (p *parser) skip() {
	for p.at < len(p.src) {
		switch c := p.src[p.at]; {
		case isSpace(c):
			p.at++
		case c == '%':
			for p.at < len(p.src) && p.src[p.at] != '\n' && p.src[p.at] != '\r' {
				p.at++
			}
		default:
			return
		}
	}
}

// end is what next brings at the end, and when the fuel is used up.
type end struct{}

// next reads an object or a word; closing brackets are words.
func (p *parser) next(depth int) any {
	if depth == 0 {
		p.built = 0
	}
	p.built++
	from := p.at
	p.skip()
	if p.fuel.spend(1 + (p.at-from)>>perToken); p.at >= len(p.src) || p.fuel.left < 0 {
		return end{}
	}
	from = p.at
	v := p.object(depth)
	p.fuel.spend((p.at - from) >> perToken) // a string may be as long as the file
	return v
}

func (p *parser) object(depth int) any {
	c := p.src[p.at]
	switch {
	case c == '/':
		return p.name()
	case c == '(':
		return p.literal()
	case c == '<' && p.at+1 < len(p.src) && p.src[p.at+1] == '<':
		p.at += 2
		return p.dict(depth)
	case c == '<':
		return p.hex()
	case c == '>' && p.at+1 < len(p.src) && p.src[p.at+1] == '>':
		p.at += 2
		return word(">>")
	case c == '[':
		p.at++
		return p.array(depth)
	case isDelimiter(c):
		p.at++
		return word(string(c))
	}
	start := p.at
	for p.at < len(p.src) && isRegular(p.src[p.at]) {
		p.at++
	}
	return atom(p.src[start:min(p.at, start+maxWord)])
}

// atom is a number, a constant or a word.
func atom(b []byte) any {
	if c := b[0]; '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' {
		if n, err := strconv.ParseFloat(string(b), 64); err == nil && n < 1e15 && n > -1e15 {
			return n
		}
		if n, ok := sloppy(b); ok {
			return n
		}
	}
	switch string(b) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return word(b)
}

// sloppy reads numbers as bad writers write them: "--5", "1.2.3".
func sloppy(b []byte) (float64, bool) {
	b = bytes.TrimLeft(b, "+-")
	n := 0
	for n < len(b) && ('0' <= b[n] && b[n] <= '9' || b[n] == '.' && bytes.IndexByte(b[:n], '.') < 0) {
		n++
	}
	f, err := strconv.ParseFloat(string(b[:n]), 64)
	return f, err == nil && f < 1e15
}

func (p *parser) name() any {
	p.at++
	var out []byte
	for n := 0; p.at < len(p.src) && isRegular(p.src[p.at]) && n < maxWord; {
		c := p.src[p.at]
		if c == '#' && p.at+2 < len(p.src) {
			if h, ok := hexByte(p.src[p.at+1], p.src[p.at+2]); ok {
				c = h
				p.at += 2
			}
		}
		if n++; !p.skim {
			out = append(out, c)
		}
		p.at++
	}
	if p.skim {
		return name("x")
	}
	return name(out)
}

func hexByte(a, b byte) (byte, bool) {
	h, ok := hexDigit(a)
	l, ok2 := hexDigit(b)
	return h<<4 | l, ok && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// literal reads a string in parentheses (§7.3.4.2).
func (p *parser) literal() any {
	p.at++
	var out []byte
	for depth := 1; p.at < len(p.src); p.at++ {
		c := p.src[p.at]
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.at++
				return text(out)
			}
		case '\\':
			if out = p.escape(out); p.skim {
				out = out[:0]
			}
			continue
		}
		if !p.skim {
			out = append(out, c)
		}
	}
	return text(out)
}

func (p *parser) escape(out []byte) []byte {
	if p.at++; p.at >= len(p.src) {
		return out
	}
	c := p.src[p.at]
	if i := bytes.IndexByte([]byte("nrtbf"), c); i >= 0 {
		return append(out, "\n\r\t\b\f"[i])
	}
	if c == '\r' || c == '\n' { // the line goes on
		if c == '\r' && p.at+1 < len(p.src) && p.src[p.at+1] == '\n' {
			p.at++
		}
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	n := 0
	i := 0
	for ; i < 3 && p.at+i < len(p.src) && '0' <= p.src[p.at+i] && p.src[p.at+i] <= '7'; i++ {
		n = n<<3 | int(p.src[p.at+i]-'0')
	}
	p.at += i - 1
	return append(out, byte(n))
}

func (p *parser) hex() any {
	p.at++
	var out []byte
	half := -1
	for ; p.at < len(p.src) && p.src[p.at] != '>'; p.at++ {
		d, ok := hexDigit(p.src[p.at])
		switch {
		case !ok || p.skim:
		case half < 0:
			half = int(d)
		default:
			out = append(out, byte(half)<<4|d)
			half = -1
		}
	}
	p.at++
	if half >= 0 {
		out = append(out, byte(half)<<4)
	}
	return text(out)
}

// array reads up to the closing bracket. References are three tokens that become one.
func (p *parser) array(depth int) any {
	out := []any{}
	for n := 0; ; n++ {
		switch v := p.value(depth + 1); v {
		case end{}, word("]"):
			return out
		case word("R"):
			if r, ok := asRef(out); ok {
				out = append(out[:len(out)-2], r)
			}
		default:
			if v == word(">>") || v == word("endobj") || n >= maxItems {
				return out
			}
			if _, isWord := v.(word); !isWord && !p.skim {
				out = append(out, plain(v))
			}
		}
	}
}

// value is next, with what can't be compared behind a pointer.
func (p *parser) value(depth int) any {
	if depth > maxDepth {
		p.fuel.left = -1 // nothing sound nests so deep
		return end{}
	}
	if !p.skim && p.built > maxBuilt && p.begins() {
		return p.later(depth)
	}
	v := p.next(depth)
	switch v := v.(type) {
	case []any:
		return &v
	case dict:
		return &v
	}
	return v
}

// plain undoes what value wraps.
func plain(v any) any {
	switch v := v.(type) {
	case *[]any:
		return *v
	case *dict:
		return *v
	}
	return v
}

func asRef(items []any) (ref, bool) {
	if len(items) < 2 {
		return ref{}, false
	}
	num, ok := items[len(items)-2].(float64)
	gen, ok2 := items[len(items)-1].(float64)
	if !ok || !ok2 || num < 1 || num > maxNumber || gen < 0 || gen > 65535 {
		return ref{}, false
	}
	return ref{int(num), int(gen)}, true
}

// maxNumber bounds the numbers of objects.
const maxNumber = 8_388_607

func (p *parser) dict(depth int) any {
	var out dict
	if !p.skim {
		out = dict{}
	}
	var items []any // behind the last key
	var key name
	flush := func() {
		if key != "" && len(items) > 0 && len(out) < maxKeys && !p.skim {
			out[key] = plain(items[len(items)-1])
		}
		key, items = "", items[:0]
	}
	for {
		switch v := p.value(depth + 1).(type) {
		case end:
			flush()
			return out
		case name:
			if key == "" || len(items) > 0 {
				flush()
				key = v
			} else {
				items = append(items, v)
			}
		case word:
			if v == "R" {
				if r, ok := asRef(items); ok {
					items = append(items[:len(items)-2], r)
				}
				continue
			}
			if v == ">>" || v == "endobj" || v == "stream" {
				flush()
				return out
			}
		default:
			if len(items) < 8 {
				items = append(items, v)
			}
		}
	}
}
