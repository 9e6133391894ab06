package scar

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a block as the rules read it: with its code blotted out, byte for byte, and its words found.
type text struct {
	b     *Block
	s     string
	words []word
	links []Span // in order
}

// word is one word of a text: letters, with the apostrophes within.
type word struct {
	start, end int
	low        string
}

// blot stands where code is: a letter that makes no word.
const blot = 'x'

func readText(b *Block) *text {
	t := &text{b: b, s: b.Text, links: sorted(b.Links, len(b.Text))}
	if len(b.Code) > 0 {
		raw := []byte(t.s)
		for _, c := range b.Code {
			for i := max(0, c.Start); i < min(c.End, len(raw)); i++ {
				raw[i] = blot
			}
		}
		t.s = string(raw)
	}
	t.words = wordsOf(t.s)
	return t
}

func sorted(spans []Span, size int) []Span {
	out := make([]Span, 0, len(spans))
	for _, s := range spans {
		if s.Start >= 0 && s.Start <= s.End && s.End <= size {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return a.Start - b.Start })
	return out
}

// wordsOf returns the words of a text.
func wordsOf(s string) []word {
	out := make([]word, 0, len(s)/6)
	start := -1
	add := func(end int) {
		if start >= 0 {
			out = append(out, word{start, end, strings.ToLower(s[start:end])})
			start = -1
		}
	}
	for i, r := range s {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		case (r == '\'' || r == '’') && start >= 0 && letterAt(s, i+utf8.RuneLen(r)):
		default:
			add(i)
		}
	}
	add(len(s))
	return out
}

func letterAt(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[min(i, len(s)):])
	return unicode.IsLetter(r)
}

// before and after are the characters beside a place; 0 at the ends.
func (t *text) before(i int) rune {
	if i <= 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(t.s[:i])
	return r
}

func (t *text) after(i int) rune {
	if i >= len(t.s) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(t.s[i:])
	return r
}

// skip returns the first place from one on where there is no white space.
func (t *text) skip(i int) int {
	for i < len(t.s) {
		r, n := utf8.DecodeRuneInString(t.s[i:])
		if !unicode.IsSpace(r) {
			break
		}
		i += n
	}
	return i
}

// filled says whether a link stands where a scar was found, or beside it: then nothing is lost there.
func (t *text) filled(f finding) bool {
	touch := func(spans []Span) bool {
		return slices.ContainsFunc(spans, func(s Span) bool { return s.Start <= f.end && s.End >= f.start })
	}
	if f.class == OpenParenthesis || f.class == ColonObject { // what is inside counts, not what stands before
		from, to := f.start+1, t.skip(f.end)
		return slices.ContainsFunc(t.links, func(s Span) bool { return s.Start <= to && s.Start >= from })
	}
	return touch(t.links) || touch(t.b.Code)
}

// code says that the block is no prose, whatever it calls itself: a program, a listing, a table drawn with signs.
func (t *text) code() bool {
	signs, letters := 0, 0
	for _, r := range t.s {
		switch {
		case strings.ContainsRune(`{}[]=<>|\$#@^~*+&`, r):
			signs++
		case unicode.IsLetter(r):
			letters++
		}
	}
	if letters > 0 && letters < 40 {
		return signs > 2 && signs*5 > letters
	}
	return signs*16 > letters
}

// clause returns which of the words, by their numbers, stand in the clause that ends with one.
func (t *text) clause(i int) []word {
	from := i
	for from > 0 && i-from < 40 && !strings.ContainsAny(t.s[t.words[from-1].end:t.words[from].start], ".;:!?,()“”\"—–") {
		from--
	}
	return t.words[from : i+1]
}

func isQuote(r rune) bool { return strings.ContainsRune(`"'”’»“‘«`, r) }
