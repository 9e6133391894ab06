package markup

import "github.com/tdewolff/parse/v2/js"

// reads says whether the name at i is a reference to a variable, rather than a binding, a key, a label or a method
// (ECMAScript §13–15). If in doubt it is none: what is left alone works as it did, what is changed in the wrong place
// is a syntax error.
func (c *scoper) reads(i int, top *scopeLevel) bool {
	prev, next := c.tt(i-1), c.tt(i+1)
	switch prev {
	case js.FunctionToken, js.ClassToken, js.ImportToken, js.AsToken, js.VarToken, js.ConstToken, js.TypeofToken:
		return false
	case js.BreakToken, js.ContinueToken:
		return c.toks[i].newline
	case js.LetToken:
		return !c.declares(i - 1)
	case js.MulToken:
		if c.tt(i-2) == js.FunctionToken {
			return false
		}
	case js.OpenParenToken:
		if c.tt(i-2) == js.TypeofToken && next == js.CloseParenToken || c.is(i-2, valueOf) {
			return false
		}
	}
	switch {
	case next == js.ArrowToken,
		next == js.ColonToken && c.toks[i+1].kind != jsTernary && prev != js.CaseToken,
		top.pattern && c.binding(i-1),
		top.list && prev == js.CommaToken,
		top.kind == jsForHead && prev == js.OpenParenToken && (next == js.InToken || next == js.OfToken):
		return false
	}
	switch top.kind {
	case jsNames:
		return false
	case jsObject:
		return !c.key(i)
	case jsClass:
		return (js.IsOperator(prev) || prev == js.QuestionToken || prev == js.ColonToken || prev == js.ArrowToken || prev == js.CommaToken) &&
			prev != js.IncrToken && prev != js.DecrToken && !c.method(i)
	}
	return true
}

// key says whether the name at i is one of a property in an object literal. Without a value it is a reference, too.
func (c *scoper) key(i int) bool {
	switch c.tt(i - 1) {
	case js.OpenBraceToken, js.CommaToken:
		return c.tt(i+1) == js.OpenParenToken || c.tt(i+1) == js.EqToken
	case js.GetToken, js.SetToken, js.AsyncToken, js.MulToken:
		return c.method(i)
	}
	return false
}

// method says whether parentheses and a body follow the name at i.
func (c *scoper) method(i int) bool {
	return c.tt(i+1) == js.OpenParenToken && c.tt(int(c.toks[i+1].match)+1) == js.OpenBraceToken
}

// declares says whether the word at i begins a declaration: let may be a variable.
func (c *scoper) declares(i int) bool {
	if p := c.tt(i - 1); p == js.DotToken || p == js.OptChainToken {
		return false
	}
	next := c.tt(i + 1)
	return js.IsIdentifier(next) || next == js.OpenBraceToken || next == js.OpenBracketToken || next == js.YieldToken || next == js.AwaitToken
}

// binding says whether after the token at i, in parameters or a pattern, comes a name that is bound.
func (c *scoper) binding(i int) bool {
	switch c.tt(i) {
	case js.OpenParenToken, js.OpenBraceToken, js.OpenBracketToken, js.CommaToken, js.EllipsisToken:
		return true
	case js.ColonToken:
		return c.toks[i].kind != jsTernary
	}
	return false
}

// binds says whether the bracket at i, in top, opens parameters or a pattern.
func (c *scoper) binds(i int, top *scopeLevel) bool {
	t := &c.toks[i]
	prev, after := c.tt(i-1), c.tt(int(t.match)+1)
	if t.tt == js.OpenParenToken {
		return after == js.ArrowToken || after == js.OpenBraceToken && t.kind == jsPlain
	}
	if t.tt != js.OpenBracketToken && t.kind != jsObject {
		return false
	}
	inPlace := c.binding(i - 1)
	if t.tt == js.OpenBracketToken && top.kind == jsObject && (prev == js.OpenBraceToken || prev == js.CommaToken) {
		return false // a computed key
	}
	switch {
	case prev == js.VarToken, prev == js.ConstToken, prev == js.LetToken, top.list && prev == js.CommaToken, top.pattern && inPlace:
		return true
	case after == js.EqToken:
		return t.tt == js.OpenBraceToken || !c.endsExpression(i-1)
	case top.kind == jsForHead && prev == js.OpenParenToken:
		return after == js.InToken || after == js.OfToken
	}
	return false
}

// receiver is the expression before a property's name.
type receiver struct {
	start    int  // its first token
	optional bool // it has a "?." of its own
}

// receiver finds the expression that ends with the token at i, from its end to its start: a name, this or parentheses,
// and all properties, indices and calls after them. It is not ok where that isn't plain to see.
func (c *scoper) receiver(i int) (r receiver, ok bool) {
	last, called := i, false
	for i >= 0 {
		t := &c.toks[i]
		prev := c.tt(i - 1)
		switch {
		case t.tt == js.CloseParenToken || t.tt == js.CloseBracketToken:
			if t.match < 0 || t.kind == jsHead || t.kind == jsForHead {
				return r, false
			}
			open := int(t.match)
			called = called || t.tt == js.CloseParenToken
			switch {
			case c.tt(open-1) == js.CloseBraceToken:
				return r, false // the end of a function, or of a block?
			case c.tt(open-1) == js.OptChainToken:
				r.optional = true
				i = open - 2
			case c.endsExpression(open - 1):
				i = open - 1
			default:
				return c.starts(r, open, last, called)
			}
		case prev == js.DotToken && js.IsIdentifierName(t.tt), prev == js.DotToken && t.tt == js.PrivateIdentifierToken:
			i -= 2
		case prev == js.OptChainToken:
			r.optional = true
			i -= 2
		case js.IsIdentifier(t.tt) && t.kind != jsOf, t.tt == js.ThisToken, t.tt == js.ImportToken:
			return c.starts(r, i, last, called)
		default:
			return r, false
		}
	}
	return r, false
}

// starts ends the search for a receiver: whether it is one, and whether "new" belongs to it.
func (c *scoper) starts(r receiver, start, last int, called bool) (receiver, bool) {
	r.start = start
	if p := c.tt(start - 1); p == js.DotToken || p == js.OptChainToken {
		return r, false
	}
	inner := start
	if c.tt(start) == js.OpenParenToken && int(c.toks[start].match) == last {
		inner, last = start+1, last-1 // new (__lsO(x)).location
	}
	if c.is(inner, ownerOf) && c.tt(inner+1) == js.OpenParenToken && int(c.toks[inner+1].match) == last {
		return r, false
	}
	if c.tt(start-1) == js.NewToken && called && c.tt(start) != js.OpenParenToken {
		r.start = start - 1
	}
	return r, true
}

// endsExpression says whether an expression may end with the token at i, so that a bracket after it is a call or an
// index.
func (c *scoper) endsExpression(i int) bool {
	tt := c.tt(i)
	switch tt {
	case js.CloseParenToken:
		return c.toks[i].kind == jsPlain
	case js.CloseBracketToken, js.ThisToken, js.SuperToken, js.ImportToken, js.TemplateToken, js.TemplateEndToken, js.StringToken,
		js.PrivateIdentifierToken, js.RegExpToken:
		return true
	}
	if js.IsReservedWord(tt) {
		p := c.tt(i - 1)
		return p == js.DotToken || p == js.OptChainToken || tt == js.NullToken || tt == js.TrueToken || tt == js.FalseToken
	}
	return js.IsNumeric(tt) || js.IsIdentifier(tt) && c.toks[i].kind != jsOf
}
