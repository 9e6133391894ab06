package fulltext

import (
	"slices"
	"strings"

	"linkstead/archive/text"
	"linkstead/storage"
)

// Lengths of a snippet, in bytes.
const (
	snippetLength = 240
	snippetAround = 100
)

// span is a stretch of a text that a query found.
type span struct{ start, end, term int }

// spans are all places of a text at which a term of a query stands, in order, as many as tell enough.
func spans(body string, terms []storage.TextTerm) (out []span) {
	const most = 2000
	var window []text.Term // the last words of the text, as many as the longest term has
	longest := 1
	for _, t := range terms {
		longest = max(longest, len(t.Words))
	}
	for w := range text.Terms(body) {
		if window = append(window, w); len(window) > longest {
			window = window[1:]
		}
		for i, t := range terms {
			if n := len(t.Words); n <= len(window) && stands(window[len(window)-n:], t) {
				out = append(out, span{window[len(window)-n].Start, w.End, i})
			}
		}
		if len(out) >= most {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b span) int { return a.start - b.start })
	return out
}

// stands says whether words are those of a term.
func stands(words []text.Term, t storage.TextTerm) bool {
	for i, w := range t.Words {
		if t.Prefix && i == len(words)-1 {
			return strings.HasPrefix(words[i].Text, w)
		}
		if words[i].Text != w {
			return false
		}
	}
	return true
}

// snippet is the stretch of a text in which most of what was looked for stands, with marks; the beginning, if only the title has it.
func snippet(body string, terms []storage.TextTerm) []Piece {
	all := spans(body, terms)
	if len(all) == 0 {
		_, _, after := text.Excerpt(body, 0, 0, snippetLength)
		return pieces(Piece{after, false})
	}
	best, most := 0, 0
	for i := range all {
		seen := map[int]bool{}
		for k := i; k < len(all) && k < i+50 && all[k].end-all[i].start <= snippetLength; k++ {
			seen[all[k].term] = true
		}
		if len(seen) > most {
			best, most = i, len(seen)
		}
	}
	first, last := all[best], all[best].end
	for _, s := range all[best:] {
		if s.end-first.start > snippetLength {
			break
		}
		last = max(last, s.end)
	}
	before, _, _ := text.Excerpt(body, first.start, first.start, snippetAround)
	_, _, after := text.Excerpt(body, last, last, max(snippetAround, snippetLength-(last-first.start)))
	out := []Piece{{before, false}}
	at := first.start
	for _, s := range all[best:] {
		if s.end > last {
			break
		}
		if s.end <= at {
			continue
		}
		s.start = max(s.start, at)
		out = append(out, Piece{flat(body[at:s.start]), false}, Piece{flat(body[s.start:s.end]), true})
		at = s.end
	}
	return pieces(append(out, Piece{after, false})...)
}

func flat(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// pieces leaves out what is empty.
func pieces(ps ...Piece) []Piece {
	return slices.DeleteFunc(ps, func(p Piece) bool { return p.Text == "" })
}
