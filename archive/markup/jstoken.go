package markup

import (
	"bytes"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// jsToken is a token of a script that is neither space nor comment.
type jsToken struct {
	tt         js.TokenType
	kind       jsKind // of a bracket, both of the pair; of a colon; of "of"
	newline    bool   // a line ends between the token before and this one
	start, end int32
	match      int32 // the index of the other bracket of the pair; -1: there is none
}

// jsKind tells what a bracket holds, or what a token that has several meanings means.
type jsKind uint8

const (
	jsPlain   jsKind = iota
	jsHead           // parentheses after if, while, with, switch: what follows them is a statement
	jsForHead        // those after for
	jsBlock          // braces around statements
	jsObject         // an object literal or pattern
	jsClass          // the body of a class
	jsNames          // the braces of an import or export declaration
	jsTernary        // the colon of a conditional expression
	jsOf             // the keyword of a for head
)

// maxScriptFaults is after how many faults a script is given up. A browser runs none that has a single one; a few allow
// for a slash that we took for a regular expression. The lexer counts lines from the start at each, so many take
// quadratic time.
const maxScriptFaults = 8

// jsLevel is an open bracket.
type jsLevel struct {
	kind      jsKind
	closes    js.TokenType // what closes it
	open      int32
	ternaries int  // question marks without their colon
	class     bool // a class has begun whose body has not
	imports   bool // an import or export declaration has begun
}

// jsReader follows the tokens of a script: the lexer does not know by itself where a slash begins a regular expression
// (ECMAScript §12, goal symbols), nor what a brace holds.
type jsReader struct {
	last, before js.TokenType
	closed       jsKind // of the last closing bracket
	ternary      bool   // the last colon is one of a conditional expression, or comes after a key
	levels       []jsLevel
	unbalanced   bool
	module       bool // it has declarations that only modules may have
	faults       int
	count        int32
}

// readScript calls f with each token that is neither space nor comment, until f returns false or the end.
func readScript(b []byte, f func(jsToken) bool) *jsReader {
	// The lexer writes a NUL behind its input, so that one is copied.
	in := parse.NewInputBytes(append(make([]byte, 0, len(b)+1), b...))
	if bytes.HasPrefix(b, []byte("#!")) {
		n := bytes.IndexAny(b, "\r\n")
		if n < 0 {
			n = len(b)
		}
		in.Move(n)
		in.Skip()
	}
	lexer := js.NewLexer(in)
	r := &jsReader{levels: make([]jsLevel, 1, 16)}
	r.levels[0] = jsLevel{kind: jsBlock, open: -1}
	regexps, newline := true, false
	for at := in.Offset(); ; {
		tt, _ := lexer.Next()
		if (tt == js.DivToken || tt == js.DivEqToken) && regexps && r.regexpMayBegin() {
			if tt, _ = lexer.RegExp(); tt == js.ErrorToken {
				regexps = false // broken: don't look for its end again and again
			}
		}
		start := at
		at = in.Offset()
		if at >= len(b) && tt == js.ErrorToken || at <= start {
			if start < len(b) {
				r.faults++
			}
			break
		}
		switch tt {
		case js.ErrorToken:
			r.faults++
			if r.faults > maxScriptFaults {
				return r
			}
		case js.LineTerminatorToken, js.CommentLineTerminatorToken:
			newline = true
			continue
		case js.WhitespaceToken, js.CommentToken:
			continue
		}
		t := jsToken{tt: tt, start: int32(start), end: int32(at), newline: newline, match: -1} //nolint:gosec // run has checked the length
		newline = false
		r.follow(&t)
		if !f(t) {
			return r
		}
	}
	r.unbalanced = r.unbalanced || len(r.levels) > 1
	return r
}

// follow takes note of a token, and completes it.
func (r *jsReader) follow(t *jsToken) {
	top := &r.levels[len(r.levels)-1]
	switch t.tt {
	case js.OpenParenToken:
		top.class = top.class && r.last != js.ClassToken
		t.kind = r.parenKind()
		r.push(t, js.CloseParenToken)
	case js.OpenBracketToken:
		r.push(t, js.CloseBracketToken)
	case js.OpenBraceToken:
		t.kind = r.braceKind(top)
		top.class = false
		r.push(t, js.CloseBraceToken)
	case js.TemplateStartToken:
		r.push(t, js.TemplateEndToken)
	case js.TemplateMiddleToken:
		r.pop(t, js.TemplateEndToken)
		r.push(t, js.TemplateEndToken)
	case js.CloseParenToken, js.CloseBracketToken, js.CloseBraceToken, js.TemplateEndToken:
		r.pop(t, t.tt)
	default:
		r.word(t, top)
	}
	r.before, r.last = r.last, t.tt
	r.count++
}

// word takes note of a token that is no bracket.
func (r *jsReader) word(t *jsToken, top *jsLevel) {
	own := r.last != js.DotToken && r.last != js.OptChainToken // and not the name of a property
	switch t.tt {
	case js.QuestionToken:
		top.ternaries++
	case js.ColonToken:
		r.ternary = top.kind == jsObject
		if top.ternaries > 0 {
			top.ternaries--
			t.kind, r.ternary = jsTernary, true
		}
		top.class = top.class && r.last != js.ClassToken
	case js.ClassToken:
		top.class = own
	case js.ImportToken, js.ExportToken:
		top.imports = own
		r.module = r.module || own && t.tt == js.ExportToken && len(r.levels) == 1
	case js.StringToken:
		// import "x", import a from "x"; import("x") has a level of its own.
		r.module = r.module || top.imports && len(r.levels) == 1 && (r.last == js.ImportToken || r.last == js.FromToken)
		top.imports = false
	case js.SemicolonToken:
		top.ternaries, top.class, top.imports = 0, false, false
	case js.MetaToken:
		r.module = r.module || r.last == js.DotToken && r.before == js.ImportToken
	case js.OfToken:
		if top.kind == jsForHead && own {
			t.kind = jsOf
		}
	}
}

func (r *jsReader) parenKind() jsKind {
	if r.before == js.DotToken || r.before == js.OptChainToken {
		return jsPlain
	}
	switch r.last {
	case js.IfToken, js.WhileToken, js.WithToken, js.SwitchToken:
		return jsHead
	case js.ForToken:
		return jsForHead
	case js.AwaitToken:
		if r.before == js.ForToken {
			return jsForHead
		}
	}
	return jsPlain
}

// braceKind tells what the brace after the last token opens (ECMAScript §13.2.5, §14.2).
func (r *jsReader) braceKind(top *jsLevel) jsKind {
	switch {
	case top.class:
		return jsClass
	case top.imports && (r.last == js.ImportToken || r.last == js.ExportToken || r.last == js.CommaToken):
		return jsNames
	}
	switch r.last {
	case 0, js.SemicolonToken, js.OpenBraceToken, js.CloseBraceToken, js.CloseParenToken, js.ArrowToken, js.ElseToken, js.DoToken,
		js.TryToken, js.FinallyToken, js.CloseBracketToken, js.StringToken, js.TemplateToken, js.TemplateEndToken, js.RegExpToken,
		js.PrivateIdentifierToken, js.ThisToken, js.NullToken, js.TrueToken, js.FalseToken, js.IncrToken, js.DecrToken, js.CatchToken,
		js.BreakToken, js.ContinueToken, js.DebuggerToken, js.StaticToken:
		return jsBlock
	case js.ColonToken:
		if !r.ternary {
			return jsBlock
		}
	case js.LetToken:
		return jsObject
	case js.OfToken:
		if top.kind != jsForHead {
			return jsBlock
		}
	default:
		if js.IsIdentifier(r.last) || js.IsNumeric(r.last) {
			return jsBlock
		}
	}
	return jsObject
}

func (r *jsReader) push(t *jsToken, closes js.TokenType) {
	r.levels = append(r.levels, jsLevel{kind: t.kind, closes: closes, open: r.count})
}

func (r *jsReader) pop(t *jsToken, closes js.TokenType) {
	top := r.levels[len(r.levels)-1]
	if len(r.levels) == 1 || top.closes != closes {
		r.unbalanced = true
		if len(r.levels) == 1 {
			return
		}
	}
	r.levels = r.levels[:len(r.levels)-1]
	r.closed, t.match, t.kind = top.kind, top.open, top.kind
}

// regexpMayBegin says whether a slash after the last token begins a regular expression.
func (r *jsReader) regexpMayBegin() bool {
	switch r.last {
	case js.CloseParenToken:
		return r.closed == jsHead || r.closed == jsForHead
	case js.CloseBraceToken:
		return r.closed == jsBlock
	case js.CloseBracketToken, js.StringToken, js.TemplateToken, js.TemplateEndToken, js.RegExpToken, js.PrivateIdentifierToken,
		js.ThisToken, js.SuperToken, js.NullToken, js.TrueToken, js.FalseToken, js.IncrToken, js.DecrToken:
		return false
	}
	return r.before != js.DotToken && !js.IsNumeric(r.last) && !js.IsIdentifier(r.last)
}
