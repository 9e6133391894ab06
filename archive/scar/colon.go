package scar

import (
	"strings"
	"unicode"
)

// colons finds those whose object is gone: what follows at once is a comma, a semicolon or a full stop. A colon at the end is none: a list, a
// picture or a quotation follows.
func colons(t *text) []finding {
	var out []finding
	for p := strings.IndexByte(t.s, ':'); p >= 0; p = next(t.s, p, ':') {
		q := t.skip(p + 1)
		if !announces(t, p) && (q == p+1 || !unicode.IsLetter(t.before(p))) {
			continue
		}
		c, then := t.after(q), t.after(q+1)
		if c != ',' && c != ';' && c != '.' && (c != ')' || q == p+1) {
			continue
		}
		if then != 0 && !unicode.IsSpace(then) && !isQuote(then) && then != ')' {
			continue
		}
		if c == ')' && !within(t.s, p) {
			continue
		}
		f := finding{class: ColonObject, start: p, end: p + 1, confidence: 0.96, reason: "a colon announces something, and a " + sign(byte(c)) + " follows at once"}
		if q > p+1 {
			f.reason = "a colon announces something, and only a " + sign(byte(c)) + " follows"
		}
		out = append(out, f)
	}
	if len(out) > 2 { // labels are told of: "http:, ftp:, or file:, …"
		return nil
	}
	return out
}

// announces says whether a colon stands behind a word of prose.
func announces(t *text, p int) bool {
	r := t.before(p)
	if isQuote(r) || r == ')' {
		return p > 2
	}
	w, ok := t.wordEnding(p)
	if !ok {
		return false
	}
	r = t.before(w.start)
	if r == '_' || r == '.' || r == '/' || unicode.IsDigit(r) { // a name in a program, a host
		return program(t.s, p)
	}
	return w.end-w.start > 1 && (r == 0 || unicode.IsSpace(r) || isQuote(r) || r == '(' || r == '-')
}

// program says whether what ends at a place is a name of letters, digits and signs, and no label by itself.
func program(s string, p int) bool {
	from := strings.LastIndexFunc(s[:p], unicode.IsSpace) + 1
	return from > 0 && p-from > 3 && !strings.ContainsFunc(s[from:p], func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.-/:", r)
	})
}

// within says whether a parenthesis is open at a place.
func within(s string, at int) bool {
	i := strings.LastIndexAny(s[:at], "()")
	return i >= 0 && s[i] == '('
}
