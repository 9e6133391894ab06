package repair

// Scores of the last step (Needleman and Wunsch): words that are the same must outweigh what is passed over for them.
const (
	same    = 3
	other   = -2
	skipped = -1
)

// steps back.
const (
	diagonal = iota
	upward   // a word of a alone
	leftward // a word of b alone
)

// band sets each word of a gap against each, within a band about the diagonal, and aligns those that are the same on the best way
// through. A gap that is too long for it is left alone.
func (l *aligner) band(g gap) {
	n, m := g.a1-g.a0, g.b1-g.b0
	if n > maxGap || m > maxGap {
		return
	}
	half := max(n-m, m-n) + bandWidth
	width := min(2*half+1, m+1)
	if (n+1)*width > l.cells {
		return
	}
	l.cells -= (n + 1) * width
	from := func(i int) int { // the first column of a row
		return min(max(0, i*m/max(n, 1)-half), m+1-width)
	}
	const worst = -1 << 30
	back := make([]uint8, (n+1)*width)
	last, row := make([]int32, m+1), make([]int32, m+1)
	for i := range n + 1 {
		lo := from(i)
		lastLo, lastHi := from(max(i-1, 0)), from(max(i-1, 0))+width
		for j := lo; j < lo+width; j++ {
			best, step := int32(worst), uint8(leftward)
			if j > lo {
				best = row[j-1] + skipped
			}
			if i > 0 && j >= lastLo && j < lastHi && last[j]+skipped > best {
				best, step = last[j]+skipped, upward
			}
			if i > 0 && j > lastLo && j <= lastHi {
				s := int32(other)
				if l.a[g.a0+i-1] == l.b[g.b0+j-1] {
					s = same
				}
				if last[j-1]+s >= best {
					best, step = last[j-1]+s, diagonal
				}
			}
			if i == 0 && j == 0 {
				best = 0
			}
			row[j], back[i*width+j-lo] = best, step
		}
		last, row = row, last
	}
	for i, j := n, m; i > 0 && j > 0; {
		switch back[i*width+j-from(i)] {
		case diagonal:
			i, j = i-1, j-1
			if l.a[g.a0+i] == l.b[g.b0+j] {
				l.of[g.b0+j] = int32(g.a0 + i) //nolint:gosec // bounded by maxWords
			}
		case upward:
			i--
		default:
			j--
		}
	}
}
