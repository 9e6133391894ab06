package repair

import "math"

const (
	movedLeap  = 40 // words between two shingles of one passage that was moved, at most
	movedDrift = 12 // words that may be put in or taken out there
	movedLeast = 8  // words of a passage that are the same, at least
)

// moved aligns passages that stand in another order in the two texts: shingles that stand once on either side, but not in the chain
// that rises. What is aligned so is no word of the texts any more for what comes after.
func (l *aligner) moved(g gap, all, chain []tied) {
	var passage []tied
	here := g // what lies between the ties of the chain before and behind
	end := func() {
		if len(passage) > 0 {
			l.pass(passage, g, here)
			passage = passage[:0]
		}
	}
	for _, t := range all {
		if len(chain) > 0 && t == chain[0] {
			here.a1, here.b1 = int(t.a), int(t.b)
			end()
			here.a0, here.b0 = int(t.a)+1, int(t.b)+1
			if chain = chain[1:]; len(chain) > 0 {
				here.a1, here.b1 = int(chain[0].a), int(chain[0].b)
			} else {
				here.a1, here.b1 = g.a1, g.b1
			}
			continue
		}
		if n := len(passage); n > 0 {
			da, db := int(t.a-passage[n-1].a), int(t.b-passage[n-1].b)
			if da <= 0 || da > movedLeap || db > movedLeap || abs(da-db) > movedDrift {
				end()
			}
		}
		passage = append(passage, t)
	}
	end()
}

// pass aligns one passage, if there is enough of it, and if most of its words don't stand where they are due, too: then they were edited
// there, and what else is like them is another matter.
func (l *aligner) pass(ties []tied, g, here gap) {
	first, last := ties[0], ties[len(ties)-1]
	in := gap{int(first.a), int(last.a) + firstRunes, int(first.b), int(last.b) + firstRunes}
	for in.a0 > g.a0 && in.b0 > g.b0 && l.a[in.a0-1] == l.b[in.b0-1] {
		in.a0, in.b0 = in.a0-1, in.b0-1
	}
	for in.a1 < g.a1 && in.b1 < g.b1 && l.a[in.a1] == l.b[in.b1] {
		in.a1, in.b1 = in.a1+1, in.b1+1
	}
	if min(in.a1-in.a0, in.b1-in.b0) < movedLeast || l.due(in, here) {
		return
	}
	own := aligner{a: l.a[in.a0:in.a1], b: l.b[in.b0:in.b1], of: make(aligned, in.b1-in.b0), cells: l.cells, within: true}
	own.run()
	l.cells = own.cells
	for i, x := range own.of {
		if x < 0 {
			continue
		}
		a, b := in.a0+int(x), in.b0+i
		l.of[b] = int32(a) //nolint:gosec // bounded by maxWords
		l.gone += 2
		l.a[a], l.b[b] = math.MaxUint64-l.gone, math.MaxUint64-l.gone-1
	}
}

// due says whether most words of a passage stand among those of the other text between the same neighbours.
func (l *aligner) due(in, here gap) bool {
	n := in.b1 - in.b0
	from := min(max(here.a0, here.a0+in.b0-here.b0-n), here.a1)
	to := max(from, min(here.a1, here.a1-(here.b1-in.b1)+n))
	there := make(map[uint64]int, to-from)
	for _, w := range l.a[from:to] {
		there[w]++
	}
	found := 0
	for _, w := range l.b[in.b0:in.b1] {
		if there[w] > 0 {
			there[w]--
			found++
		}
	}
	return 2*found > n
}
