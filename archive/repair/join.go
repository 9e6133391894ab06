package repair

import (
	"unicode/utf8"
)

// parted splits words of one text that are two words of the other: where links are torn out, the space before them often goes, too.
// A word is split only if the other text doesn't have it as one.
func parted(words []word, blocks []Block, by []word, byBlocks []Block) []word {
	known := make(map[uint64]bool, len(by))
	for _, w := range by {
		known[w.id] = true
	}
	unknown := map[uint64]bool{}
	for _, w := range words {
		if !known[w.id] {
			unknown[w.id] = true
		}
	}
	if len(unknown) == 0 {
		return words
	}
	halves := map[uint64][2]word{}
	for i := 1; i < len(by); i++ {
		x, y := by[i-1], by[i]
		if x.block != y.block || x.end-x.start+y.end-y.start > maxJoined {
			continue
		}
		if id := idOf(read(byBlocks, x) + read(byBlocks, y)); unknown[id] {
			halves[id] = [2]word{x, y}
		}
	}
	if len(halves) == 0 {
		return words
	}
	out := make([]word, 0, len(words)+len(halves))
	for _, w := range words {
		pair, ok := halves[w.id]
		text, first := read(blocks, w), read(byBlocks, pair[0])
		cut := 0
		if ok { // by characters: cases may have other lengths
			for range utf8.RuneCountInString(first) {
				_, n := utf8.DecodeRuneInString(text[cut:])
				cut += n
			}
		}
		if cut == 0 || cut >= len(text) || idOf(text[:cut]) != pair[0].id || idOf(text[cut:]) != pair[1].id {
			out = append(out, w)
			continue
		}
		at := w.start + int32(cut) //nolint:gosec // within the word
		out = append(out, word{id: pair[0].id, block: w.block, start: w.start, end: at}, word{id: pair[1].id, block: w.block, start: at, end: w.end})
	}
	return out
}

// maxJoined bounds the words that are looked for as one, in bytes.
const maxJoined = 64

// read is a word as it is written.
func read(blocks []Block, w word) string {
	return blocks[w.block].Text[w.start:w.end]
}
