package repair

// Alike is how much of what a document says another says, too: the part of its runs of four words that stand there, from 0 to 1.
func Alike(damaged, copied []Block) float64 {
	const k = 4
	there := map[uint64]bool{}
	shingles(ids(wordsOf(copied)), k, func(_ int, h uint64) { there[h] = true })
	all, same := 0, 0
	shingles(ids(wordsOf(damaged)), k, func(_ int, h uint64) {
		all++
		if there[h] {
			same++
		}
	})
	if all == 0 {
		return 0
	}
	return float64(same) / float64(all)
}

// Live counts the links of a document that may be hung elsewhere.
func Live(blocks []Block) (n int) {
	for _, b := range blocks {
		for _, l := range b.Links {
			if !l.Dead {
				n++
			}
		}
	}
	return n
}

// SameTitle says whether two titles have the same words, or one has all words of the other and more, such as a site's name.
func SameTitle(a, b string) bool {
	x, y := titleWords(a), titleWords(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) == 0 || len(x) < 3 && len(x) < len(y) {
		return false
	}
	for w := range x {
		if !y[w] {
			return false
		}
	}
	return true
}

func titleWords(s string) map[string]bool {
	out := map[string]bool{}
	each(s, func(start, end int) bool {
		out[fold(s[start:end])] = true
		return len(out) < 100
	})
	return out
}
