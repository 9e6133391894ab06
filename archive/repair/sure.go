package repair

import (
	"slices"
	"strings"
)

// unsure is the most that a place has of which it isn't beyond doubt that it is the link's: it waits for an archivist.
const unsure = Sure - 0.01

const (
	wide  = 12  // words of a sentence, to either side of a link, that must be the same
	broad = 8   // of them behind which another word is none of this link's business
	short = 4   // words of a sentence that says hardly anything
	run   = 400 // words in which what stands once is looked for
)

// doubted says why a place is not beyond doubt; it is empty if it is. Texts that are alike but for a word (the lines of a list, the rows of
// a table, a paragraph that comes twice) are told apart by that word alone, so it is not enough that most words are the same: the
// sentence of the link has to stand word for word in both texts, and in each only once; or, if it stands more often, what is the same
// before it and behind it has to.
func (h *hanger) doubted(p spot) string {
	const edited = "its sentence is not word for word the same"
	n := p.e - p.s
	left, right := p.first-1, p.last // words of the damaged text beside the link
	switch {
	case p.own == 0 && (!p.near || p.behind-p.before != 1):
		return "other words stand here"
	case p.own == 0:
		left, right = p.before, p.behind
	case p.own != n || p.last-p.first != n || int(h.of[p.s]) != p.first || int(h.of[p.e-1]) != p.last-1:
		return edited
	}
	from, ok := h.sentence(p.s-1, left, -1, n < short)
	if !ok {
		return edited
	}
	to, ok := h.sentence(p.e, right, 1, false)
	if !ok {
		return edited
	}
	if h.once(from+1, to) {
		return ""
	}
	if !h.tied(p, p.s-1, left, -1) || !h.tied(p, p.e, right, 1) {
		return "such a sentence stands elsewhere, too"
	}
	return ""
}

// sentence follows the words of both texts from beside a link to the end of its sentence, in one direction, as long as they are the same.
// It returns the first word of the copy that isn't of the sentence any more. Words that other links stood on may be lost. If it is to go on,
// the sentence beside has to be the same, too, where this one says hardly anything, such as "Read more".
func (h *hanger) sentence(i, x, dir int, on bool) (edge int, ok bool) {
	edge = -2 // not reached
	at := func() int {
		if edge != -2 {
			return edge
		}
		return i
	}
	for n := 0; n < wide; {
		end, here := h.ends(h.copied, h.b, i, dir), h.ends(h.damaged, h.a, x, dir)
		if on && end && here && n < short && i >= 0 && x >= 0 && i < len(h.b) && x < len(h.a) {
			edge, on, end, here = i, false, false, false
		}
		switch {
		case end && here:
			return at(), true
		case end || here || int(h.of[i]) != x:
			if !end && h.of[i] < 0 && h.linkedOver(i) && h.rejoins(i, x, dir) {
				i += dir
				continue
			}
			return at(), n >= broad && edge == -2
		}
		i, x, n = i+dir, x+dir, n+1
	}
	return at(), true
}

// rejoins says whether the words of the copy go on at a word of the damaged text, behind words of one link that are lost.
func (h *hanger) rejoins(i, x, dir int) bool {
	for range maxLost {
		if i < 0 || i >= len(h.b) {
			return false
		}
		if h.of[i] >= 0 {
			return int(h.of[i]) == x
		}
		if !h.linkedOver(i) {
			return false
		}
		i += dir
	}
	return false
}

const maxLost = 12 // words of a link that are passed over if they are lost

// linkedOver says whether a word of the copy is part of a link.
func (h *hanger) linkedOver(i int) bool {
	w := h.b[i]
	for _, l := range h.copied[w.block].Links {
		if l.Start < int(w.end) && int(w.start) < l.End {
			return true
		}
	}
	return false
}

// ends says whether a word is out of the sentence of its neighbour against a direction, or out of the text.
func (h *hanger) ends(blocks []Block, words []word, i, dir int) bool {
	if i < 0 || i >= len(words) {
		return true
	}
	j := i - dir
	if j < 0 || j >= len(words) {
		return false
	}
	x, y := words[min(i, j)], words[max(i, j)]
	return x.block != y.block || strings.ContainsAny(blocks[x.block].Text[x.end:y.start], ".?!…。？！")
}

// once says whether some words among [from, to) of the copy are aligned, and stand only there in either text.
func (h *hanger) once(from, to int) bool { return count(h.only, from, to-telling+1) > 0 }

// tied says whether, in one direction, both texts go on word for word from beside a link until they have words that stand only there, or
// both end, and the words of the link don't come again before. In a row of links with the same words only order would tell them apart, and
// a row may have lost one and gained another.
func (h *hanger) tied(p spot, i, x, dir int) bool {
	own := h.b[p.s:p.e]
	again := func(at int) bool {
		return len(own) > 0 && at >= 0 && at+len(own) <= len(h.b) && slices.EqualFunc(own, h.b[at:at+len(own)], func(x, y word) bool { return x.id == y.id })
	}
	for range run {
		out, outHere := i < 0 || i >= len(h.b), x < 0 || x >= len(h.a)
		if out || outHere {
			return out && outHere
		}
		if int(h.of[i]) != x {
			return false
		}
		from := min(i, i-dir*(telling-1)) // what is on the link's other side proves nothing
		if (dir > 0 && from >= p.s || dir < 0 && from+telling <= p.e) && h.once(from, from+telling) {
			return true
		}
		if again(i) {
			return false
		}
		i, x = i+dir, x+dir
	}
	return false
}
