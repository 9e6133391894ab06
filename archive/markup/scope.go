package markup

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// The functions that a scoped script calls. The archive's own script defines them before any other runs, in pages and
// in workers:
//
//	__lsV(location)                        the value, or what an archived script is to see in its place
//	__lsO(x).location                      x, or what stands for it while one of its properties is taken
//	__lsT(location,v=>location=v).v = …    a target of assignment that leads to the archive, or sets the variable
//	eval(__lsE(code))                      the code, scoped
//	import(__lsI(specifier))               the specifier, turned inward
//	__lsU(import.meta.url)                 the URL that an address of the archive shows
//
// What they get may be anything at all, since any of these names may be a script's own variable; what they don't know
// they give back. That is why no scope of the script need be understood: see decision 0032.
const (
	valueOf  = "__lsV"
	ownerOf  = "__lsO"
	targetOf = "__lsT"
	codeOf   = "__lsE"
	importOf = "__lsI"
	urlOf    = "__lsU"
)

// maxScopedTokens bounds the memory that a script takes, 20 bytes a token. One with more keeps its names.
const maxScopedTokens = 3 << 20

// ScopedJavaScript is JavaScript, and makes the script see an archived world: what it reads of location and top, by
// whatever way, and what it evaluates, posts and imports, goes through functions of the archive. They are as few as can
// be, since all else can be put right in the page. A script that names none of it stays as it is, to the byte, as does one
// that has a fault.
func ScopedJavaScript(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) {
		s.scope = true
		scopeScript(s, t, "js/import")
	})
}

// scopeScript is scanScript for a script that sees the archived world.
func scopeScript(s *scan, t *text, context string) {
	if s.out.dst == nil || !hasScopeNames(t.b) {
		scanScript(s, t, context)
		return
	}
	c := scoper{b: t.b}
	r := readScript(t.b, func(k jsToken) bool {
		if k.match >= 0 {
			c.toks[k.match].match = int32(len(c.toks)) //nolint:gosec // at most maxScopedTokens
		}
		c.toks = append(c.toks, k)
		return len(c.toks) < maxScopedTokens
	})
	c.module = r.module
	if r.faults == 0 && !r.unbalanced && len(c.toks) < maxScopedTokens {
		c.walk()
	}
	c.sort()
	m := imports{exact: true}
	for i := range c.toks {
		c.apply(s, t, c.toks[i].start)
		m.visit(s, t, &c.toks[i], context)
	}
	c.apply(s, t, int32(len(t.b))) //nolint:gosec // run has checked the length
}

// hasScopeNames says whether a script may have something to scope, at the price of a search.
func hasScopeNames(b []byte) bool {
	for _, name := range [...]string{"location", "top", "postMessage", "eval", "import"} {
		for rest := b; ; {
			n := bytes.Index(rest, []byte(name))
			if n < 0 {
				break
			}
			at := len(b) - len(rest) + n
			if end := at + len(name); (at == 0 || !isNameByte(b[at-1])) && (end == len(b) || !isNameByte(b[end])) {
				return true
			}
			rest = rest[n+len(name):]
		}
	}
	return false
}

func isNameByte(b byte) bool { return isAlnum(b) || b == '_' || b == '$' }

// scoper tells what is to be changed in a script.
type scoper struct {
	b      []byte
	toks   []jsToken
	module bool
	levels []scopeLevel
	edits  []scopeEdit
	done   int // edits that have been applied
}

// scopeLevel is an open bracket.
type scopeLevel struct {
	kind    jsKind
	pattern bool // it holds parameters, or a pattern of destructuring: its names are bound, not read
	list    bool // a declaration has begun, in which names follow commas
}

// scopeEdit overwrites [start, end) of the script, or puts one half of a call there.
type scopeEdit struct {
	start, end int32
	with       string
	half       uint8 // 0: it closes a call, 1: it opens one, 2: it overwrites
	other      int32 // where the other half stands
	rank       uint8 // of calls around the same tokens, the lowest is the outermost
}

var ranks = map[string]uint8{ownerOf: 0, codeOf: 1, importOf: 1, urlOf: 2, valueOf: 3}

// surround puts text before and after the tokens from one to another, both included.
func (c *scoper) surround(from, to int, open, end string, rank uint8) {
	a, b := c.toks[from].start, c.toks[to].end
	c.edits = append(c.edits, scopeEdit{a, a, open, 1, b, rank}, scopeEdit{b, b, end, 0, a, rank})
}

// replace overwrites a token.
func (c *scoper) replace(i int, with string) {
	t := &c.toks[i]
	c.edits = append(c.edits, scopeEdit{start: t.start, end: t.end, with: with, half: 2})
}

// wrap makes the tokens from one to another, both included, the argument of a function.
func (c *scoper) wrap(name string, from, to int) {
	open, end := name+"(", ")"
	if start := c.toks[from].start; c.tt(from-1) == js.NewToken { // "new f(x).y()" would call the result of new f(x)
		open, end = "("+open, "))"
	} else if start > 0 && isNameByte(c.b[start-1]) {
		open = " " + open
	}
	c.surround(from, to, open, end, ranks[name])
}

// sort brings the edits in the order of the script, and calls around calls.
func (c *scoper) sort() {
	slices.SortStableFunc(c.edits, func(a, b scopeEdit) int {
		if n := cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.half, b.half)); n != 0 {
			return n
		}
		n := cmp.Compare(b.other, a.other) // what opens first closes last
		if a.half == 0 {
			return cmp.Or(n, cmp.Compare(b.rank, a.rank))
		}
		return cmp.Or(n, cmp.Compare(a.rank, b.rank))
	})
}

// apply makes the edits up to a position.
func (c *scoper) apply(s *scan, t *text, to int32) {
	for ; c.done < len(c.edits) && c.edits[c.done].start <= to; c.done++ {
		e := &c.edits[c.done]
		s.edit(t, int(e.start), int(e.end), e.with)
	}
}

// tt is the type of a token; 0 beyond the ends.
func (c *scoper) tt(i int) js.TokenType {
	if i < 0 || i >= len(c.toks) {
		return 0
	}
	return c.toks[i].tt
}

// is says whether a token is a name.
func (c *scoper) is(i int, name string) bool {
	return c.tt(i) == js.IdentifierToken && string(c.b[c.toks[i].start:c.toks[i].end]) == name
}

// walk finds what is to be changed.
func (c *scoper) walk() {
	c.levels = append(c.levels, scopeLevel{kind: jsBlock})
	for i := 0; i < len(c.toks); i++ {
		t := &c.toks[i]
		top := &c.levels[len(c.levels)-1]
		switch t.tt {
		case js.OpenParenToken, js.OpenBraceToken, js.OpenBracketToken, js.TemplateStartToken:
			if t.tt == js.OpenBracketToken {
				c.indexed(i)
			}
			c.levels = append(c.levels, scopeLevel{kind: t.kind, pattern: c.binds(i, top)})
		case js.CloseParenToken, js.CloseBraceToken, js.CloseBracketToken, js.TemplateEndToken:
			c.levels = c.levels[:len(c.levels)-1]
		case js.VarToken, js.ConstToken, js.LetToken:
			top.list = c.declares(i)
		case js.SemicolonToken, js.InToken, js.IfToken, js.ReturnToken, js.ForToken, js.WhileToken, js.DoToken, js.SwitchToken,
			js.ThrowToken, js.TryToken:
			top.list = false
		case js.OfToken:
			top.list = top.list && t.kind != jsOf
		case js.ImportToken:
			c.imported(i)
		case js.EqToken:
			c.destructured(i)
		case js.IdentifierToken:
			i = c.name(i, top)
		}
	}
}

// name looks at an identifier, and returns the last token that has been dealt with.
func (c *scoper) name(i int, top *scopeLevel) int {
	t := &c.toks[i]
	switch string(c.b[t.start:t.end]) {
	case "location", "top", "eval":
		if p := c.tt(i - 1); p == js.DotToken || p == js.OptChainToken {
			c.member(i-1, i)
		} else if c.reads(i, top) {
			c.bare(i, top)
		}
	case "postMessage":
		if p := c.tt(i - 1); p == js.DotToken || p == js.OptChainToken {
			c.member(i-1, i)
		}
	case targetOf:
		if c.tt(i+1) == js.OpenParenToken {
			return int(c.toks[i+1].match)
		}
	}
	return i
}

// bare changes a name that is read or assigned to.
func (c *scoper) bare(i int, top *scopeLevel) {
	name := string(c.b[c.toks[i].start:c.toks[i].end])
	next := c.tt(i + 1)
	switch {
	case assigns(next):
		if name == "location" && (next == js.EqToken || next == js.AddEqToken) {
			c.replace(i, targetOf+"(location,v=>location=v).v")
		}
	case next == js.IncrToken && !c.toks[i+1].newline, next == js.DecrToken && !c.toks[i+1].newline,
		c.tt(i-1) == js.IncrToken, c.tt(i-1) == js.DecrToken:
	case name == "eval" && next == js.OpenParenToken:
		// The call must stay what it is: a direct eval sees the variables around it (ECMAScript §19.2.1).
		if last := int(c.toks[i+1].match); last > i+2 && !c.is(i+2, codeOf) {
			c.wrap(codeOf, i+2, last-1)
		}
	case top.kind == jsObject && (c.tt(i-1) == js.OpenBraceToken || c.tt(i-1) == js.CommaToken):
		c.surround(i, i, name+":"+valueOf+"(", ")", ranks[valueOf])
	default:
		c.wrap(valueOf, i, i)
	}
}

// assigns says whether a token is an assignment operator.
func assigns(tt js.TokenType) bool {
	switch tt {
	case js.EqToken, js.AddEqToken, js.SubEqToken, js.MulEqToken, js.ExpEqToken, js.DivEqToken, js.ModEqToken, js.LtLtEqToken,
		js.GtGtEqToken, js.GtGtGtEqToken, js.BitAndEqToken, js.BitOrEqToken, js.BitXorEqToken, js.AndEqToken, js.OrEqToken, js.NullishEqToken:
		return true
	}
	return false
}

// member changes the receiver of a property, whose name is the last token, and which the token "dot" begins.
func (c *scoper) member(dot, name int) {
	next := c.tt(name + 1)
	if string(c.b[c.toks[name].start:c.toks[name].end]) == "top" && (assigns(next) || dot > 0 && c.is(dot-1, "style")) {
		return // no window lets it be set, and boxes of styles have one
	}
	r, ok := c.receiver(dot - 1)
	if !ok {
		return
	}
	c.wrap(ownerOf, r.start, dot-1)
	if r.optional && c.tt(dot) == js.DotToken {
		c.replace(dot, "?.")
	} else if r.optional && c.tt(dot) == js.OpenBracketToken {
		c.replace(dot, "?.[")
	}
}

// indexed changes the receiver of x["location"].
func (c *scoper) indexed(i int) {
	if c.tt(i+1) != js.StringToken || c.tt(i+2) != js.CloseBracketToken || i == 0 {
		return
	}
	s := c.b[c.toks[i+1].start+1 : c.toks[i+1].end-1]
	switch string(s) {
	case "location", "top", "postMessage", "eval":
	default:
		return
	}
	next := c.tt(i + 3)
	if string(s) == "top" && assigns(next) {
		return
	}
	if c.tt(i-1) == js.OptChainToken {
		c.member(i-1, i+1)
	} else if c.endsExpression(i - 1) {
		c.member(i, i+1)
	}
}

// destructured changes what a pattern that names location or top takes apart, if that is a mere name: var {top} = window.
func (c *scoper) destructured(i int) {
	end := i + 2
	if t := c.tt(i + 1); c.tt(i-1) != js.CloseBraceToken || c.toks[i-1].match < 0 || t != js.ThisToken && !js.IsIdentifier(t) ||
		end < len(c.toks) && !c.toks[end].newline && !js.IsPunctuator(c.tt(end)) {
		return
	}
	switch c.tt(end) {
	case js.DotToken, js.OptChainToken, js.OpenParenToken, js.OpenBracketToken, js.QuestionToken, js.ArrowToken:
		return
	}
	if js.IsOperator(c.tt(end)) {
		return
	}
	for k := int(c.toks[i-1].match) + 1; k < i; k++ {
		if c.toks[k].match > int32(k) { //nolint:gosec // at most maxScopedTokens
			k = int(c.toks[k].match)
		} else if p := c.tt(k - 1); (p == js.OpenBraceToken || p == js.CommaToken) && (c.is(k, "location") || c.is(k, "top")) {
			c.wrap(ownerOf, i+1, i+1)
			return
		}
	}
}

// imported changes the URLs of modules: import.meta.url, and what is imported by a computed specifier.
func (c *scoper) imported(i int) {
	if p := c.tt(i - 1); p == js.DotToken || p == js.OptChainToken {
		return
	}
	switch c.tt(i + 1) {
	case js.DotToken:
		if c.tt(i+2) == js.MetaToken && c.tt(i+3) == js.DotToken && c.is(i+4, "url") && !assigns(c.tt(i+5)) && !c.is(i-2, urlOf) &&
			!c.ofImport(i) {
			c.wrap(urlOf, i, i+4)
		}
	case js.OpenParenToken:
		from, last := i+2, int(c.toks[i+1].match)
		to := from
		for to < last && c.tt(to) != js.CommaToken {
			to = max(to, int(c.toks[to].match)) + 1
		}
		literal := to == from+1 && (c.tt(from) == js.StringToken || c.tt(from) == js.TemplateToken)
		if from >= to || literal || c.is(from, importOf) || c.method(i) {
			return // also import("…") of a literal, which is visited, and a method of that name
		}
		end := ")"
		if c.module {
			end = ",import.meta.url)"
		}
		c.surround(from, to-1, importOf+"(", end, ranks[importOf])
	}
}

// ofImport says whether import.meta.url is an argument that imported has put there.
func (c *scoper) ofImport(i int) bool {
	if c.tt(i-1) != js.CommaToken || c.tt(i+5) != js.CloseParenToken {
		return false
	}
	return c.is(int(c.toks[i+5].match)-1, importOf)
}
