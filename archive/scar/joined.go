package scar

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words that stand before an anchor. No word begins with one of the first, save those in the lists; many begin with the others, as with
// prefixes.
var (
	joiners = set(`the of and that this these those which with from have been were was are his her their our its they where while about also
		already would could some such than then there when who will had each many most two three said says
		being between during after before because both but did does every first last like made more only other through until using uses whose against provides contains describes returns without`)
	// Names in programs begin with these.
	flags    = set(`is has no not see should what how your can get set in on over under out up all as or be`)
	prefixes = set(`a an to for by at it off so if we he do down into`)
	// Names of examples begin with these ("mytable"): nothing is told by where else they stand.
	fillers = set(`my your some one any`)
	// A verb follows, which no compound begins with.
	before = set(`can cannot could should will would must may might also always not`)
	// In names with capitals within, these too.
	camels  = set(`with from first last each said will would could before after had more only many most like until made other that when then was were did does been`)
	closers = set(`the of that with from which were was their this have has and`)
)

// joined finds words that have grown together where an anchor began or ended. It knows by words of a script with spaces alone.
func (d *doc) joined(t *text) []finding {
	l := d.language()
	if l.name == "" || len(t.words) < 4 {
		return nil
	}
	var out []finding
	for i, w := range t.words {
		if w.end-w.start < 5 || w.end-w.start > 40 || !t.free(w) {
			continue
		}
		at, sure := 0, 0.0
		if l.name == "en" {
			at, sure = d.splitEnglish(t, i)
		} else {
			at, sure = d.splitAt(t, l, w)
		}
		if sure > 0 {
			out = append(out, finding{
				class: JoinedWords, confidence: sure, start: w.start, end: w.end,
				reason: "“" + t.s[w.start:w.start+at] + "” and “" + t.s[w.start+at:w.end] + "” have grown together",
			})
		}
	}
	return out
}

// free says that a word is no part of a name with signs in it.
func (t *text) free(w word) bool {
	r, n := t.before(w.start), t.after(w.end)
	if r != 0 && !unicode.IsSpace(r) && !isQuote(r) && r != '(' && r != '—' {
		return false
	}
	if r == '(' && unicode.IsLetter(t.before(w.start-1)) { // what is handed to a function
		return false
	}
	if n != 0 && !unicode.IsSpace(n) && !isQuote(n) && !strings.ContainsRune(",.;:!?)—–", n) {
		return false
	}
	if n == '.' || n == ':' || n == '!' || n == '?' { // a file, a host, a name
		n = t.after(w.end + 1)
		return n == 0 || unicode.IsSpace(n) || isQuote(n) || n == ')'
	}
	return true
}

// splitEnglish returns where a word falls into two, and how sure that is.
func (d *doc) splitEnglish(t *text, i int) (int, float64) {
	w := t.words[i]
	s := t.s[w.start:w.end]
	inner := strings.IndexFunc(s[1:], unicode.IsUpper) + 1
	if inner > 0 {
		if d.seen[w.low] > 1 {
			return 0, 0
		}
		return d.splitCapital(s, inner)
	}
	first, _ := utf8.DecodeRuneInString(s)
	if unicode.IsUpper(first) && i > 0 && !ends(t.s[t.words[i-1].end:w.start]) || !latin(s) {
		return 0, 0
	}
	if unicode.IsLower(first) && (i == 0 || strings.ContainsAny(t.s[t.words[i-1].end:w.start], ".!?=")) { // a name: a sentence has a capital
		return 0, 0
	}
	if english(w.low) || stem(w.low) {
		return 0, 0
	}
	at, sure := 0, 0.0
	for k := 1; k < len(s); k++ {
		if p := d.pair(t, i, w.low[:k], w.low[k:]); p > sure {
			at, sure = k, p
		}
	}
	return at, sure
}

// pair is how sure it is that two words have grown together that make none: by what they are, then by what the document says elsewhere.
func (d *doc) pair(t *text, i int, a, b string) float64 {
	seen := d.seen[t.words[i].low]
	if seen > 2 || seen > 1 && a != "the" && d.twice(a, b) < 2 || seen > 1 && !small(a) && !describes(a) {
		return 0
	}
	return max(d.made(a, b), d.told(t, i, a, b))
}

// made judges two words by what they are.
func (d *doc) made(a, b string) float64 {
	switch {
	case len(b) < 2, len(b) == 2 && !preps[b] && !verbs[b]:
		return 0
	case joiners[a] && (listed(commonWords, b) || len(b) > 3 && d.known(b)):
		return 0.93
	case joiners[a] && d.seen[b] > 0 && (len(b) > 3 || a == "the" && len(b) > 2):
		return 0.88
	case a == "not" && len(b) > 4 && listed(commonWords, b):
		return 0.8
	case (prefixes[a] || flags[a]) && (articles[b] || joiners[b] && len(b) > 2):
		return 0.9
	case prefixes[a] && len(a) > 1 && len(b) > 4 && d.seen[b] > 0:
		return 0.8
	case a == "a" && (len(b) > 4 && d.seen[b] > 0 || len(b) > 5) && english(b) && !strings.ContainsRune("aeiou", rune(b[0])):
		return 0.8
	case a == "an" && len(b) > 4 && english(b) && strings.ContainsRune("aeiou", rune(b[0])):
		return 0.8
	case closers[b] && (len(a) > 3 || len(a) > 2 && b == "the") && listed(commonWords, a):
		return 0.85
	}
	return 0
}

// told judges two words by where the document has them elsewhere: beside each other, and beside the words that stand around here.
func (d *doc) told(t *text, i int, a, b string) float64 {
	if len(b) < 2 || d.seen[a] == 0 && !small(a) || d.seen[b] == 0 {
		return 0
	}
	left, right := 0, 0
	if i > 0 && d.twice(t.words[i-1].low, a) > 0 && t.apart(i-1) {
		left = 1
	}
	if i+1 < len(t.words) && d.twice(b, t.words[i+1].low) > 0 && t.apart(i) {
		right = 1
	}
	in := d.twice(a, b)
	switch {
	case fillers[a]:
		return 0
	case a == "the" && d.seen[b] > 1 && right > 0:
		return 0.85
	case small(a) && in > 0 && (len(a)+len(b) > 5 || left+right > 0):
		return 0.9
	case small(a) && len(b) > 2 && left+right == 2:
		return 0.87
	case small(a) && len(b) > 3 && (right > 0 && !flags[a] || left > 0 && !flags[a] || !prefixes[a] && !flags[a]):
		return 0.82
	case len(a) < 3 || len(b) < 3 || !english(a):
		return 0
	case i > 0 && before[t.words[i-1].low] && t.apart(i-1) && listed(commonWords, a):
		return 0.82
	case describes(a) && (in > 0 || left+right > 0 && len(b) > 3):
		return 0.82
	}
	return 0
}

// small says whether a word does something in a sentence and names nothing: it is the first part of no compound, save those in the lists.
func small(w string) bool {
	return joiners[w] || prefixes[w] || flags[w] || preps[w] || articles[w] || verbs[w] || pronouns[w]
}

// describes says whether a word has the form of an adjective or a participle, which no compound begins with.
func describes(w string) bool {
	for _, e := range adjectives {
		if s, ok := strings.CutSuffix(w, e); ok && len(s) > 2 {
			return true
		}
	}
	return false
}

// splitCapital judges a word with a capital within: the second word begins with it.
func (d *doc) splitCapital(s string, k int) (int, float64) {
	a, b := s[:k], s[k:]
	if strings.IndexFunc(b[1:], unicode.IsUpper) >= 0 && strings.ToUpper(b) != b || d.upper[b] == 0 || len(b) < 2 {
		return 0, 0
	}
	if a = strings.ToLower(a); joiners[a] && !camels[a] {
		return k, 0.9
	}
	return 0, 0
}

// splitAt judges a word of another language: a small word of it, and one that the document has elsewhere.
func (d *doc) splitAt(t *text, l *language, w word) (int, float64) {
	s := t.s[w.start:w.end]
	for k := 2; k < len(s)-4; k++ {
		if d.seen[w.low] > 1 || !utf8.RuneStart(s[k]) || !l.joiner[w.low[:min(k, len(w.low))]] || len(w.low) != len(s) {
			continue
		}
		b := s[k:]
		if r, _ := utf8.DecodeRuneInString(b); unicode.IsUpper(r) && d.upper[b] > 0 && s[:k] == w.low[:k] {
			return k, 0.9
		}
	}
	return 0, 0
}

// ends says whether a sentence ends between two words.
func ends(between string) bool { return strings.ContainsAny(between, ".!?:”\"“") }

// latin says whether a word has no letters but those of English.
func latin(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

var (
	fronts     = []string{"off", "un", "re", "non", "pre", "sub", "multi", "super", "inter", "auto", "micro", "anti", "over", "under", "out", "de", "dis", "mis", "co", "meta", "mega", "hyper", "counter", "post", "pro", "semi", "pseudo", "ultra", "cyber", "bi", "up", "down", "self", "cross"}
	backs      = []string{"es", "ed", "d", "ing", "er", "ers", "or", "ors", "ly", "ness", "able", "ible", "less", "like", "wise", "ize", "ise", "ized", "ised", "izing", "ization", "isation", "ity", "ism", "ist", "ists", "ful", "ish", "y", "al", "ally", "ial", "ian", "ians", "ship", "hood", "dom", "bility", "able", "ability", "izer", "ward", "wards"}
	adjectives = []string{"ed", "ing", "ous", "ary", "ular", "ant", "ful", "ive", "ible", "able", "less", "ic", "al", "ly"}
	// What compounds end with.
	compounds = []string{"land", "town", "time", "set", "point", "name", "names", "line", "lines", "man", "men", "base", "space", "code", "file", "book", "work", "house", "side", "list"}
)

// stem says whether a word that isn't in the lists is made of one that is.
func stem(w string) bool {
	for _, p := range fronts {
		if s, ok := strings.CutPrefix(w, p); ok && len(s) > 2 && english(s) {
			return true
		}
	}
	for _, e := range backs {
		s, ok := strings.CutSuffix(w, e)
		if ok && len(s) > 2 && (english(s) || english(s+"e") || len(s) > 3 && s[len(s)-1] == s[len(s)-2] && english(s[:len(s)-1])) {
			return true
		}
	}
	return slices.ContainsFunc(compounds, func(e string) bool {
		s, ok := strings.CutSuffix(w, e)
		return ok && len(s) > 3 && english(s)
	})
}
