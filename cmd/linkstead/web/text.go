package web

import (
	"fmt"
	"strings"
	"unicode"

	"linkstead/archive/urlkey"
)

// Limits of what is shown of hostile text, in code points.
const (
	maxTitle   = 200
	maxText    = 300
	maxContext = 1000
	maxURL     = 400
	maxMarks   = 3 // combining marks in a row
)

// clean makes text from the web fit to stand among ours: one line, no control characters, nothing that turns the
// direction of what follows or hides letters, no towers of combining marks, at most limit code points.
func clean(s string, limit int) string {
	var b strings.Builder
	marks := 0
	for _, r := range s {
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			continue
		}
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			b.WriteByte(' ')
		case invisible(r):
		default:
			b.WriteRune(r)
		}
	}
	return cut(strings.Join(strings.Fields(b.String()), " "), limit)
}

// invisible says whether a code point shows nothing and may deceive. The joiners stay: Persian, Hindi and emoji need
// them.
func invisible(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	if r == nonJoiner || r == joiner {
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) || r == '\u115f' || r == '\u1160' || r == '\u3164'
}

func cut(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return strings.TrimRight(s[:i], " ") + "…"
		}
		n++
	}
	return s
}

// shownURL spells an address so that a person sees what it is: all that is no plain letter, digit or sign is escaped,
// and the middle of a very long one is left out.
func shownURL(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsGraphic(r) || unicode.Is(unicode.M, r) {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			continue
		}
		b.WriteRune(r)
	}
	out := []rune(b.String())
	if len(out) <= maxURL {
		return string(out)
	}
	const tail = 60
	return string(out[:maxURL-tail]) + "…" + string(out[len(out)-tail:])
}

// liveURL is an address that may be linked to; empty for everything but http and https.
func liveURL(s string) string {
	u, err := urlkey.Parse("", s)
	if err != nil || !urlkey.Fetchable(u) {
		return ""
	}
	return u
}

// copyURL is the address of a copy; empty if it isn't the replay's.
func (p *Pages) copyURL(s string) string {
	if !strings.HasPrefix(s, p.Replay+"/web/") {
		return ""
	}
	return s
}
