package repair

import (
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWords bounds the words that are read of one document.
const maxWords = 400_000

// word is a word of a document, folded: letters and digits without case; a letter of a script that has no spaces is a word.
type word struct {
	id         uint64 // of the folded word
	block      int32
	start, end int32 // bytes of the block's text
}

// seed makes ids that no document can foresee.
var seed = maphash.MakeSeed()

// wordsOf splits blocks into words.
func wordsOf(blocks []Block) []word {
	var out []word
	for i := range blocks {
		each(blocks[i].Text, func(start, end int) bool {
			out = append(out, word{id: idOf(blocks[i].Text[start:end]), block: int32(i), start: int32(start), end: int32(end)}) //nolint:gosec // bounded by what a document may have: 2 GB are read by nobody
			return len(out) < maxWords
		})
	}
	return out
}

// each calls f with the bounds of each word of a text, until it says no.
func each(s string, f func(start, end int) bool) {
	start := -1
	for at := 0; at < len(s); {
		r, n := utf8.DecodeRuneInString(s[at:])
		switch {
		case spaceless(r):
			if start >= 0 && !f(start, at) || !f(at, at+n) {
				return
			}
			start = -1
		case unicode.IsLetter(r), unicode.IsDigit(r), start >= 0 && inWord(r, s[at+n:]):
			if start < 0 {
				start = at
			}
		default:
			if start >= 0 && !f(start, at) {
				return
			}
			start = -1
		}
		at += n
	}
	if start >= 0 {
		f(start, len(s))
	}
}

// inWord says whether a sign is part of a word that goes on behind it: combining marks, soft hyphens, apostrophes.
func inWord(r rune, rest string) bool {
	switch r {
	case '\u00ad', '\u200b', '\u200c', '\u200d':
		return true
	case '\'', '’', 'ʼ':
		next, _ := utf8.DecodeRuneInString(rest)
		return unicode.IsLetter(next)
	}
	return unicode.Is(unicode.M, r)
}

// spaceless says whether a letter is of a script that doesn't part words by spaces.
func spaceless(r rune) bool {
	return r >= 0x0e00 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// fold makes words equal that differ in case, soft hyphens or the apostrophe.
func fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || 'A' <= s[i] && s[i] <= 'Z' || s[i] == '\'' {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u00ad', '\u200b', '\u200c', '\u200d', '\'', '’', 'ʼ':
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

func idOf(s string) uint64 { return maphash.String(seed, fold(s)) }
