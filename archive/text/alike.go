package text

import (
	"math/bits"
	"slices"
)

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hash is that of a word: FNV-1a, the same in every program and year.
func hash(s string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// mix spreads the bits of a hash over all of it (the last step of MurmurHash3).
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func hashes(s string) []uint64 {
	out := make([]uint64, 0, len(s)/6)
	for w := range Words(s) {
		out = append(out, hash(w.Text))
	}
	return out
}

// runs are the hashes of all runs of k words, in the order of the text; of all words, if they are fewer.
func runs(words []uint64, k int) []uint64 {
	if len(words) == 0 {
		return nil
	}
	k = max(1, min(k, len(words)))
	out := make([]uint64, 0, len(words)-k+1)
	for i := 0; i+k <= len(words); i++ {
		h := uint64(fnvOffset)
		for _, w := range words[i : i+k] {
			h = mix(h*fnvPrime ^ w)
		}
		out = append(out, h)
	}
	return out
}

// Shingles are the runs of k words of a text, as hashes, each once, in ascending order. A text of fewer words has one shingle, one without
// words none.
func Shingles(s string, k int) []uint64 {
	out := runs(hashes(s), k)
	slices.Sort(out)
	return slices.Compact(out)
}

// simhashRun is how many words a feature of a simhash has: enough that two texts of one language have few in common.
const simhashRun = 3

// Simhash is a fingerprint of a text of which near texts differ in few bits: see Distance. 0 is that of a text without words.
func Simhash(s string) uint64 {
	var sums [64]int32
	features := runs(hashes(s), simhashRun)
	if len(features) == 0 {
		return 0
	}
	for _, f := range features {
		for b := range sums {
			sums[b] += int32(f>>b&1)*2 - 1
		}
	}
	var h uint64
	for b, n := range sums {
		if n > 0 {
			h |= 1 << b
		}
	}
	return h
}

// Distance is in how many of 64 bits two simhashes differ: 0 for equal texts, up to about 10 for one text in two wordings, about 32 for
// two that have nothing in common.
func Distance(a, b uint64) int { return bits.OnesCount64(a ^ b) }

// Similarity is how much two texts have in common, from 0 to 1: twice the number of pairs of neighbouring words that stand in both, divided by
// that of all. Each word that differs costs two pairs, wherever it stands; the order of paragraphs costs nothing. A text without words is like
// no other: 0.
func Similarity(a, b string) float64 {
	as, bs := pairs(a), pairs(b)
	if len(as) == 0 || len(bs) == 0 {
		return 0
	}
	return 2 * float64(common(as, bs)) / float64(len(as)+len(bs))
}

// Containment is how much of a text stands in another, from 0 to 1, in pairs of neighbouring words; 0 if it has no words.
func Containment(part, whole string) float64 {
	ps, ws := pairs(part), pairs(whole)
	if len(ps) == 0 {
		return 0
	}
	return float64(common(ps, ws)) / float64(len(ps))
}

// pairs are all pairs of neighbouring words in ascending order, as often as they stand there.
func pairs(s string) []uint64 {
	out := runs(hashes(s), 2)
	slices.Sort(out)
	return out
}

// common counts what stands in both of two ascending lists.
func common(a, b []uint64) (n int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			n, i, j = n+1, i+1, j+1
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return n
}

// Count is the number of words of a text.
func Count(s string) (n int) {
	for range Words(s) {
		n++
	}
	return n
}
