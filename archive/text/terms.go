package text

import (
	"iter"

	"golang.org/x/text/unicode/norm"
)

// Term is a word of an index of texts.
type Term struct {
	Text       string // without spaces
	Start, End int    // in the text it was found in, bytes
	Last       bool   // the last sign of a run of signs, alone: see Terms
}

// maxTerm bounds a term, in bytes: nobody looks for more of a word.
const maxTerm = 64

// Terms yields the words of a text as an index has them: folded, without accents. Of scripts without spaces the terms are each two signs that
// follow upon one another, and the last of them alone: what is looked for is found wherever a word would begin, and one sign by all terms that
// begin with it.
func Terms(s string) iter.Seq[Term] {
	return func(yield func(Term) bool) {
		var sign Word // that waits for the next one
		for w := range Words(s) {
			if sign.Text != "" {
				t := Term{Text: sign.Text, Start: sign.Start, End: sign.End, Last: true}
				if w.Joined {
					t.Text, t.End, t.Last = sign.Text+w.Text, w.End, false
				}
				if !yield(t) {
					return
				}
				sign = Word{}
			}
			if w.Sign {
				sign = w
				continue
			}
			if !yield(Term{Text: clip(plainWord(w.Text), maxTerm), Start: w.Start, End: w.End}) {
				return
			}
		}
		if sign.Text != "" {
			yield(Term{Text: sign.Text, Start: sign.Start, End: sign.End, Last: true})
		}
	}
}

// plainWord takes the accents off the letters of a word: those of Latin, Greek and Cyrillic, and the points of Hebrew and Arabic. Of
// other scripts marks are vowels.
func plainWord(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s
	}
	out := make([]rune, 0, len(s))
	for _, r := range norm.NFD.String(s) {
		if r >= 0x300 && r <= 0x36F || r >= 0x591 && r <= 0x5C7 || r >= 0x64B && r <= 0x65F || r == 0x670 {
			continue
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return s
	}
	return norm.NFC.String(string(out))
}
