package text

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Word is a word where it stands.
type Word struct {
	Text       string // folded
	Start, End int    // in the text it was found in, bytes
	Sign       bool   // one sign of a script that puts no spaces between words …
	Joined     bool   // … which follows upon another such without a gap
}

// Words yields the words of a text, folded: letters and digits; all else stands between words. Of scripts without spaces each sign
// is a word. A word that a line end divides behind a hyphen is one.
func Words(s string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		signEnd := -1
		for at := 0; at < len(s); {
			r, n := rune(s[at]), 1
			if r >= utf8.RuneSelf {
				r, n = utf8.DecodeRuneInString(s[at:])
			}
			if !wordly(r) {
				at += n
				continue
			}
			w := Word{Start: at, Sign: spaceless(r)}
			broken := false
			if w.Sign {
				w.End = at + n + marks(s[at+n:])
				w.Joined = signEnd == at
				signEnd = w.End
			} else {
				w.End, broken = wordEnd(s, at+n)
			}
			w.Text = s[w.Start:w.End]
			if broken {
				w.Text = rejoin(w.Text)
			}
			if w.Text = foldWord(w.Text); w.Text != "" && !yield(w) {
				return
			}
			at = w.End
		}
	}
}

// wordly says whether a code point is a part of words.
func wordly(r rune) bool {
	if r < utf8.RuneSelf {
		return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// unseenIn says whether a code point may stand inside of a word and is no letter: marks, soft hyphens, joiners, directions.
func unseenIn(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.Is(unicode.M, r) || unicode.Is(unicode.Cf, r))
}

// marks is the length of the marks at the start of s, in bytes.
func marks(s string) int {
	for i, r := range s {
		if !unseenIn(r) {
			return i
		}
	}
	return len(s)
}

// wordEnd is where the word ends of which at is inside, and whether a line end divides it.
func wordEnd(s string, at int) (end int, broken bool) {
	end = at
	for at < len(s) {
		r, n := rune(s[at]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[at:])
		}
		switch {
		case wordly(r) && !spaceless(r):
			at += n
			end = at
		case unseenIn(r):
			if at += n; unicode.Is(unicode.M, r) {
				end = at
			}
		case r == '-' || r == '\u2010':
			skip := divided(s[at+n:])
			if skip == 0 {
				return end, broken
			}
			at, broken = at+n+skip, true
		default:
			return end, broken
		}
	}
	return end, broken
}

// divided is the length of a line end behind a hyphen after which the word goes on, in bytes; 0 if there is none.
func divided(s string) int {
	rest := strings.TrimLeft(s, " \t\r")
	if !strings.HasPrefix(rest, "\n") {
		return 0
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	r, _ := utf8.DecodeRuneInString(rest)
	if !unicode.IsLower(r) {
		return 0
	}
	return len(s) - len(rest)
}

// rejoin takes the hyphens and line ends out of a divided word.
func rejoin(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '\u2010' {
			return -1
		}
		return r
	}, s)
}

// spaceless says whether a code point is of a script that puts no spaces between words.
func spaceless(r rune) bool {
	switch {
	case r < 0x0E00:
		return false
	case r <= 0x0EFF: // Thai, Lao
		return unicode.IsLetter(r)
	case r >= 0x1000 && r <= 0x109F, r >= 0x1780 && r <= 0x17FF: // Burmese, Khmer
		return unicode.IsLetter(r)
	case r >= 0x1100 && r <= 0x11FF, r >= 0xAC00 && r <= 0xD7AF: // Korean puts spaces, but between phrases
		return true
	case r < 0x2E80:
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r == 0x30FC
}

// Fold brings a text into a form in which what differs in nothing that a reader would mind is the same: compatibility forms and
// ligatures (NFKC), case, quotes, dashes, spaces, soft hyphens and what cannot be seen.
func Fold(s string) string {
	s = fold(s)
	var sb strings.Builder
	sb.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = sb.Len() > 0
			continue
		case unicode.Is(unicode.Pd, r) || r == '\u2212':
			r = '-'
		case strings.ContainsRune("‘’‚‛′‹›`´ʼ", r):
			r = '\''
		case strings.ContainsRune("“”„‟″«»", r):
			r = '"'
		}
		if space {
			sb.WriteByte(' ')
			space = false
		}
		sb.WriteRune(r)
	}
	return sb.String()
}

// fold is Fold without what it does to quotes, dashes and spaces.
func fold(s string) string {
	ascii, lower := true, true
	for i := range len(s) {
		c := s[i]
		ascii = ascii && c < utf8.RuneSelf
		lower = lower && (c < 'A' || c > 'Z')
	}
	switch {
	case ascii && lower:
		return s
	case ascii:
		return strings.ToLower(s)
	}
	s = norm.NFKC.String(s)
	var sb strings.Builder
	sb.Grow(len(s))
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			sb.WriteRune(unicode.ToLower(r))
		case r == 'ß' || r == 'ẞ':
			sb.WriteString("ss")
		case r == 'ς':
			sb.WriteRune('σ')
		case unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F:
		default:
			sb.WriteRune(unicode.ToLower(r))
		}
	}
	return norm.NFC.String(sb.String())
}

// foldWord is fold for a word.
func foldWord(s string) string { return fold(s) }
