package scar

import (
	"slices"
	"strings"
	"unicode"
)

// Words of English whose neighbours tell that one between them is gone.
var (
	articles = set(`the an my your our their every`)
	preps    = set(`of from with by at into in on for to via upon about between through during towards toward against among under over`)
	finite   = set(`is are was were has have had will would can could should must may might does did`)

	// What an article can't be followed by. In prose about programs these are names too ("the for loop"), so the word behind counts.
	noNoun  = set(`of is are was were has have had and or with by for which`)
	joining = set(`and or with by for`)
	named   = set(`operator operators statement statements keyword keywords clause clauses loop loops expression expressions option options
		command commands word words method function argument parameter flag field form forms prefix part parts list lists gate gates
		condition conditions case cases block blocks construct tag tags sign signs bit bits line lines header headers`)

	// What follows a preposition only if its object is gone.
	pastObject = map[string]map[string]bool{
		"of":      set(`of from by is are was were has have had`),
		"from":    set(`of by is are was were has have had from`),
		"with":    set(`of by from is are was were has have had with`),
		"by":      set(`of on from is are was were has have had`),
		"at":      set(`of by from is are was were has have had`),
		"into":    set(`of by from is are was were has have had with`),
		"via":     set(`of by from is are was were has have had with and or`),
		"between": set(`of by from is are was were has have had`),
		"during":  set(`of by from is are was were has have had with and or`),
		"through": set(`of from is are was were`),
		"as":      set(`reported of are were`),
	}
	pronouns = set(`i you we they he she it who whom which what that where whose how why when one`)
	verbs    = set(`is are was were be been being am has have had do does did will would can could should must may might`)

	pointers = set(`see read watch check via cf like from visit here`)
	deictics = set(`this these`)
	// What begins a sentence: behind a comma, with a capital, it began one before the words between were lost.
	beginners = set(`the it he she they we there in a an this these those but and for on at when while as if`)

	// Behind "as", an object that is gone: "As  reported on Friday".
	tellings = set(`reported said noted wrote told explained argued showed described mentioned stated claimed observed put pointed`)
)

// slots finds places where a word is missing. The rules are those of English, save for what no clause ends with.
func (d *doc) slots(t *text) []finding {
	l := d.language()
	var out []finding
	for i := range t.words {
		f := hangs(t, l, i)
		if d.lang == "en" && f.confidence == 0 {
			f = gap(t, i)
		}
		if f.confidence > 0 {
			out = append(out, f)
		}
	}
	return out
}

// hangs judges a word behind which the clause ends, though none ends with it.
func hangs(t *text, l *language, i int) finding {
	w := t.words[i]
	q := t.skip(w.end)
	c := t.after(q)
	spaced := q > w.end
	if c != ',' && c != '.' && c != ';' || strings.HasPrefix(t.s[q:], "..") {
		return finding{}
	}
	if then := t.after(q + 1); then != 0 && !unicode.IsSpace(then) && then != ')' && !isQuote(then) {
		return finding{}
	}
	if !t.plain(w) || t.s[w.start:w.end] != w.low {
		return finding{}
	}
	f := finding{class: MissingWord, start: w.start, end: q + 1, reason: "“" + w.low + "” is followed by a " + sign(byte(c)) + ": what it speaks of is gone"}
	switch {
	case spaced && (c == ';' || c == '.' && !begins(t, q+1)): // the sign itself is spoken of
		return finding{}
	case l.name == "en" && spaced && (preps[w.low] || w.low == "a" || w.low == "see" || w.low == "as" || w.low == "and" || w.low == "that"):
		f.confidence = 0.88
	case l.hanging[w.low] && !mentioned(t, i):
		f.confidence = 0.9
	case l.name == "en" && (w.low == "via" || w.low == "during" || w.low == "between" || w.low == "upon") && c != ',' && !stranded(t, i):
		f.confidence = 0.85
	}
	return f
}

// begins says whether a sentence or nothing at all begins at a place.
func begins(t *text, i int) bool {
	r := t.after(t.skip(i))
	return !unicode.IsLower(r)
}

// mentioned says that a word is spoken of, not used: the word "the".
func mentioned(t *text, i int) bool {
	if i == 0 {
		return true
	}
	p := t.words[i-1].low
	return p == "word" || p == "article" || p == "like" || p == "or" || p == "and" || len(p) == 1
}

// plain says that a word stands by itself: not in a name with signs, and not in quotation marks.
func (t *text) plain(w word) bool {
	r := t.before(w.start)
	return r == 0 || unicode.IsSpace(r) || r == '('
}

// gap judges what stands between a word and the next one.
func gap(t *text, i int) finding {
	if i+1 >= len(t.words) {
		return finding{}
	}
	a, b := t.words[i], t.words[i+1]
	between := t.s[a.end:b.start]
	if f := points(t, i, between); f.confidence > 0 {
		return f
	}
	if strings.Trim(between, " \u00a0\n\t") != "" || between == "" || !t.plain(a) || !t.closed(b) {
		return finding{}
	}
	if t.s[b.start:b.end] != b.low {
		return finding{}
	}
	wide := len([]rune(between)) > 1
	f := finding{class: MissingWord, start: a.start, end: b.end}
	f.reason = "a word is missing between “" + t.s[a.start:a.end] + "” and “" + b.low + "”"
	third := ""
	if i+2 < len(t.words) {
		third = base(t.words[i+2].low)
	}
	lower := t.s[a.start:a.end] == a.low
	r := t.after(t.skip(b.end))
	named := named[third] || r == '('
	switch {
	case wide && (articles[a.low] || a.low == "a") && (noNoun[b.low] || finite[b.low] || preps[b.low]) && !named:
		f.confidence = 0.95
	case wide && a.low == "as" && tellings[b.low]:
		f.confidence = 0.9
	case wide && (preps[a.low] || a.low == "see" || a.low == "as" || a.low == "and" && b.low == "and") && unobjected(a.low, b.low):
		f.confidence = 0.9
	case !lower && a.low != "see":
		return finding{}
	case articles[a.low] && noNoun[b.low] && !named && !mentioned(t, i) && (a.low == "the" || !joining[b.low]):
		f.confidence = 0.85
	case pastObject[a.low][b.low] && a.low != "as" && (unicode.IsLetter(r) || isQuote(r)) && !named && !stranded(t, i):
		f.confidence = 0.85
	case a.low == "see" && b.low == "for" && (i == 0 || !stranded(t, i)) && (third == "more" || third == "details" || third == "further" || third == "information" || third == "an" || third == "a"):
		f.confidence = 0.85
	default:
		return finding{}
	}
	if third == b.low && verbs[b.low] {
		f.confidence, f.end = 0.95, t.words[i+2].end
	}
	return f
}

// base is a word without what an apostrophe joins to it.
func base(w string) string {
	w, _, _ = strings.Cut(w, "'")
	w, _, _ = strings.Cut(w, "’")
	return w
}

// closed says that a word ends at white space or the punctuation of a sentence, so that it is no part of a name.
func (t *text) closed(w word) bool {
	r := t.after(w.end)
	return r == 0 || unicode.IsSpace(r) || strings.ContainsRune(",.;:!?)", r)
}

// unobjected says that two words can't stand in a row where more than one space is between them.
func unobjected(a, b string) bool {
	return finite[b] || preps[b] || slices.Contains([]string{"and", "or", "that", "which", "but", "as"}, b)
}

// points judges "See this, The …": what points, a comma, and the beginning of a sentence.
func points(t *text, i int, between string) finding {
	a, b := t.words[i], t.words[i+1]
	if strings.TrimSpace(between) != "," || i == 0 || !deictics[a.low] || !pointers[t.words[i-1].low] || !beginners[b.low] {
		return finding{}
	}
	if r := t.after(b.start); !unicode.IsUpper(r) || !t.closed(b) {
		return finding{}
	}
	p := t.words[i-1]
	return finding{
		class: MissingWord, confidence: 0.85, start: p.start, end: b.end,
		reason: "“" + t.s[p.start:a.end] + "” points to something, and a new sentence begins behind the comma",
	}
}

// stranded says whether a preposition may stand without its object, as in "what it is made of is …".
func stranded(t *text, i int) bool {
	c := t.clause(i)
	for _, w := range c[:len(c)-1] {
		if pronouns[base(w.low)] || verbs[w.low] || w.low == "to" || base(w.low) != w.low {
			return true
		}
	}
	if len(c) < 2 { // the word itself is spoken of, or begins the clause
		return true
	}
	p := c[len(c)-2].low
	return articles[p] || p == "a" || p == "instead" || p == "and" || p == "or" || strings.HasSuffix(p, "ed") || p == "to" || preps[p]
}
