package repair

import (
	"cmp"
	"slices"
)

// aligned tells of each word of one text which word of the other it is; or -1. What is aligned rises with the words, but for what was
// moved.
type aligned []int32

// aligner aligns the words of two texts: shingles that are rare in both tie them together, in order; what lies between is tied by
// shorter ones; and of what still lies between, each word is set against each within a band about the diagonal. Time and memory
// are about linear in the texts, whatever they hold.
type aligner struct {
	a, b  []uint64
	of    aligned // for each of b
	cells int     // that may still be looked at
	gaps  []gap

	within bool   // it aligns a passage that was moved, in which nothing is moved
	gone   uint64 // words that were taken out because they were moved
}

// gap is what lies between two ties.
type gap struct{ a0, a1, b0, b1 int }

const (
	maxCells   = 16 << 20 // of all bands together
	maxGap     = 2_000    // words on either side between which each is set against each
	bandWidth  = 96       // words to either side of the diagonal
	rarely     = 4        // times a shingle may stand in either text to tie
	deepest    = 6        // levels of ties
	maxTies    = 1 << 20
	firstRunes = 5 // words of the shingles that tie first
)

// align aligns the words of b with those of a.
func align(a, b []uint64) aligned {
	l := &aligner{a: slices.Clone(a), b: slices.Clone(b), of: make(aligned, len(b)), cells: maxCells}
	l.run()
	return l.of
}

func (l *aligner) run() {
	for i := range l.of {
		l.of[i] = -1
	}
	l.tie(gap{0, len(l.a), 0, len(l.b)}, firstRunes, 0)
	for _, g := range l.gaps {
		l.band(g)
	}
}

// tie ties what lies in a gap by shingles of k words, then the gaps between them by shorter ones.
func (l *aligner) tie(g gap, k, depth int) {
	g = l.trim(g)
	if g.a0 >= g.a1 || g.b0 >= g.b1 {
		return
	}
	if k == 0 || depth > deepest || (g.a1-g.a0)*(g.b1-g.b0) <= 64 {
		l.gaps = append(l.gaps, g)
		return
	}
	ties, once := l.shared(g, k)
	chain := rising(ties)
	if depth == 0 && once && !l.within {
		l.moved(g, ties, chain)
	}
	if len(chain) == 0 {
		l.tie(g, shorter(k), depth+1)
		return
	}
	at := g
	for _, t := range chain {
		if int(t.a) < at.a0 || int(t.b) < at.b0 { // within the last shingle
			if int(t.a)-at.a0 != int(t.b)-at.b0 {
				continue
			}
		} else {
			l.tie(gap{at.a0, int(t.a), at.b0, int(t.b)}, shorter(k), depth+1)
		}
		for i := range k {
			l.of[int(t.b)+i] = t.a + int32(i) //nolint:gosec // k is small
		}
		at.a0, at.b0 = int(t.a)+k, int(t.b)+k
	}
	l.tie(at, shorter(k), depth+1)
}

func shorter(k int) int {
	if k > 3 {
		return 3
	}
	return k - 1
}

// trim aligns the words that are the same at both ends of a gap.
func (l *aligner) trim(g gap) gap {
	for g.a0 < g.a1 && g.b0 < g.b1 && l.a[g.a0] == l.b[g.b0] {
		l.of[g.b0] = int32(g.a0) //nolint:gosec // bounded by maxWords
		g.a0, g.b0 = g.a0+1, g.b0+1
	}
	for g.a0 < g.a1 && g.b0 < g.b1 && l.a[g.a1-1] == l.b[g.b1-1] {
		g.a1, g.b1 = g.a1-1, g.b1-1
		l.of[g.b1] = int32(g.a1) //nolint:gosec // bounded by maxWords
	}
	return g
}

// tied is a shingle that stands in both texts: where it begins.
type tied struct{ a, b int32 }

// shared are the shingles of k words that are rare on both sides of a gap, in the order of b. Those that stand once on either side are
// taken alone, if there are any: then it says so.
func (l *aligner) shared(g gap, k int) (ties []tied, single bool) {
	if g.a1-g.a0 < k || g.b1-g.b0 < k {
		return nil, false
	}
	type places struct {
		a, b   [rarely]int32
		na, nb int
	}
	in := make(map[uint64]*places, min(g.a1-g.a0, g.b1-g.b0))
	shingles(l.b[g.b0:g.b1], k, func(i int, h uint64) {
		p := in[h]
		if p == nil {
			p = &places{}
			in[h] = p
		}
		if p.nb < rarely {
			p.b[p.nb] = int32(g.b0 + i) //nolint:gosec // bounded by maxWords
		}
		p.nb++
	})
	shingles(l.a[g.a0:g.a1], k, func(i int, h uint64) {
		if p := in[h]; p != nil {
			if p.na < rarely {
				p.a[p.na] = int32(g.a0 + i) //nolint:gosec // bounded by maxWords
			}
			p.na++
		}
	})
	var once, few []tied
	for _, p := range in {
		switch {
		case p.na == 1 && p.nb == 1:
			once = append(once, tied{p.a[0], p.b[0]})
		case len(few) < maxTies && 0 < p.na && p.na <= rarely && p.nb <= rarely && k > 1:
			for _, x := range p.a[:p.na] {
				for _, y := range p.b[:p.nb] {
					few = append(few, tied{x, y})
				}
			}
		}
	}
	if single = len(once) > 0; !single {
		once = few
	}
	once = slices.DeleteFunc(once, func(t tied) bool { // equal hashes are not yet equal words
		return !slices.Equal(l.a[t.a:int(t.a)+k], l.b[t.b:int(t.b)+k])
	})
	slices.SortFunc(once, func(x, y tied) int { return cmp.Or(cmp.Compare(x.b, y.b), cmp.Compare(y.a, x.a)) })
	return once, single
}

// shingles calls f with each run of k words and its hash.
func shingles(w []uint64, k int, f func(i int, h uint64)) {
	for i := range len(w) - k + 1 {
		h := uint64(0)
		for _, x := range w[i : i+k] {
			h = (h ^ x) * 0x9e3779b97f4a7c15
			h ^= h >> 29
		}
		f(i, h)
	}
}

// rising is the longest part of the ties, which are in the order of b, that rises in a, too (patience sorting).
func rising(ties []tied) []tied {
	var tails []int32 // of the shortest-ending chain of each length
	prev := make([]int32, len(ties))
	for i, t := range ties {
		n, _ := slices.BinarySearchFunc(tails, t.a, func(j, a int32) int { return cmp.Compare(ties[j].a, a) })
		prev[i] = -1
		if n > 0 {
			prev[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, int32(i)) //nolint:gosec // bounded by maxTies and maxWords
		} else {
			tails[n] = int32(i) //nolint:gosec // bounded by maxTies and maxWords
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]tied, len(tails))
	for i, n := tails[len(tails)-1], len(out)-1; i >= 0; i, n = prev[i], n-1 {
		out[n] = ties[i]
	}
	return out
}
