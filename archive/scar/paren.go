package scar

import (
	"strings"
	"unicode"
)

// parentheses finds those that were opened for a link which is gone. One that is closed, as "( x )", holds something; one that
// follows its word at once is a call, or a plural; one behind an eye is a face.
func (d *doc) parentheses(t *text) []finding {
	closed := pairs(t.s)
	var out []finding
	for p := strings.IndexByte(t.s, '('); p >= 0; p = next(t.s, p, '(') {
		if !opens(t, p) {
			continue
		}
		q := t.skip(p + 1)
		end, matched := closed[p]
		f := finding{class: OpenParenthesis, start: p, end: p + 1}
		switch c := t.after(q); {
		case c == 0:
			f.confidence, f.reason = 0.97, "a parenthesis is opened at the end, and nothing follows"
			if len(t.words) < 3 || t.b.Kind == Other {
				continue
			}
		case c == ')':
			if f.confidence = d.hollow(t, p); f.confidence == 0 {
				continue
			}
			f.end, f.reason = end+1, "a pair of parentheses with nothing in it"
		case strings.ContainsRune(",;.!?", c):
			if f.confidence, f.reason = punctuated(t, p, q, end, matched); f.confidence == 0 {
				continue
			}
		case matched && lead(t.s[p+1:end]):
			f.end, f.confidence, f.reason = end+1, 0.9, "parentheses that announce a source and name none"
		case q > p+1 && !matched && d.loose < 3 && (unicode.IsLetter(c) || unicode.IsDigit(c) || isQuote(c)):
			f.confidence, f.reason = 0.93, "a parenthesis is opened, a space follows, and it is never closed"
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

func next(s string, from int, c byte) int {
	i := strings.IndexByte(s[from+1:], c)
	if i < 0 {
		return -1
	}
	return from + 1 + i
}

// pairs returns where each parenthesis is closed that is.
func pairs(s string) map[int]int {
	out := map[int]int{}
	var open []int
	for i := range len(s) {
		switch s[i] {
		case '(':
			open = append(open, i)
		case ')':
			if n := len(open); n > 0 {
				out[open[n-1]] = i
				open = open[:n-1]
			}
		}
	}
	return out
}

// opens says whether a parenthesis stands where one in prose is opened.
func opens(t *text, p int) bool {
	switch r := t.before(p); {
	case r == 0:
		return len(t.words) > 2
	case unicode.IsSpace(r):
		return true
	default:
		return strings.ContainsRune(`"”’»,;.`, r)
	}
}

// punctuated judges a parenthesis that is followed by punctuation.
func punctuated(t *text, p, q, end int, matched bool) (float64, string) {
	c, after := t.s[q], t.after(q+1)
	if !unicode.IsSpace(after) && after != 0 || len(t.words) == 0 || t.words[0].start > p {
		return 0, ""
	}
	rest := t.skip(q + 1)
	if matched && end < rest+1 {
		return 0, ""
	}
	if matched {
		if c != ',' && c != ';' || q > p+1 || !startsWord(t, rest) {
			return 0, ""
		}
		return 0.9, "what stood first in the parentheses is gone: they begin with a " + sign(c)
	}
	if c == ';' && q == p+1 && !unicode.IsLower(t.after(rest)) { // ends like a face
		return 0, ""
	}
	return 0.96, "a parenthesis is opened, and a " + sign(c) + " follows at once"
}

func startsWord(t *text, i int) bool {
	r := t.after(i)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func sign(c byte) string {
	switch c {
	case ',':
		return "comma"
	case ';':
		return "semicolon"
	case '.':
		return "full stop"
	case ')':
		return "closing parenthesis"
	}
	return "punctuation mark"
}

// hollow is how sure it is that "()" or "( )" held a link: in what tells of programs it stands behind the name of a function.
func (d *doc) hollow(t *text, p int) float64 {
	i := t.skipBack(p)
	r := t.before(i)
	w, ok := t.wordEnding(i)
	switch {
	case r == 0, strings.ContainsRune("→=", t.after(t.skip(strings.IndexByte(t.s[p:], ')')+p+1))):
		return 0
	case isQuote(r) || strings.ContainsRune(".;!?)", r) || unicode.IsDigit(r), r == ',' && d.calls < 2:
		return 0.9
	case i == p || len(w.low) == 1 || spoken[w.low] || d.spaced > 2 && d.spaced >= d.calls || !unicode.IsLetter(r):
		return 0
	case d.calls > 1: // here calls are written without a space
		return 0.8
	}
	if !ok || !d.known(w.low) || t.hasWord("function", "functions", "call", "calls", "macro", "routine") {
		return 0
	}
	return 0.85
}

// What "()" itself is called.
var spoken = set(`parentheses parenthesis brackets tuple empty or and just write the with as`)

// skipBack returns the last place up to one before which there is no white space.
func (t *text) skipBack(i int) int {
	for i > 0 {
		r := t.before(i)
		if !unicode.IsSpace(r) {
			break
		}
		i -= len(string(r))
	}
	return i
}

// wordEnding returns the word that ends at a place.
func (t *text) wordEnding(at int) (word, bool) {
	i := t.wordAt(at)
	if i > 0 && t.words[i-1].end == at {
		return t.words[i-1], true
	}
	return word{}, false
}

func (t *text) hasWord(these ...string) bool {
	for _, w := range t.words {
		for _, a := range these {
			if w.low == a {
				return true
			}
		}
	}
	return false
}

// lead says whether what stands in parentheses only announces something: "see ", "via: ".
func lead(inner string) bool {
	s := strings.ToLower(strings.TrimSpace(inner))
	if s == "" || len(inner) > 40 {
		return false
	}
	trailing := strings.HasSuffix(inner, " ") || strings.HasSuffix(inner, "\u00a0")
	if name, ok := strings.CutSuffix(s, ":"); ok {
		return trailing || leads[name]
	}
	return trailing && !strings.HasPrefix(inner, " ") && leads[s]
}
