package post

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A text fragment (WICG, https://wicg.github.io/scroll-to-text-fragment/) finds words, whatever their case and accents, in
// one block, with the words right before and right behind them if need be. So what is compared here are words.
const (
	maxIndexed = 2 << 20 // bytes of prose in which places are selected
	maxWords   = 8       // of a selected text that is written out; of a longer one, its first and last four
	maxAround  = 24      // words before and behind that may be needed to tell it from others
	maxLooks   = 1 << 22 // words that are compared for all selectors of a document
	maxBlocks  = 1 << 17
)

// word is one word of the prose: letters and digits, and what stands within them as in don't and 1.5; of scripts that have no spaces,
// one character.
type word struct {
	hash       uint64
	block      int32
	start, end int32 // in its text
}

// wordIndex finds words in the prose of a document.
type wordIndex struct {
	blocks []Block
	words  []word
	first  []int   // of each block, in words
	order  []int32 // the words in the order of their hashes
	looks  int
	seed   maphash.Seed
}

// index makes the index of a document's prose; it knows nothing of one that is too long.
func index(blocks []Block) *wordIndex {
	x := &wordIndex{blocks: blocks, seed: maphash.MakeSeed()}
	size, links := 0, 0
	for i := range blocks {
		size, links = size+len(blocks[i].Text), links+len(blocks[i].Links)
	}
	if size > maxIndexed || links == 0 || len(blocks) > maxBlocks {
		return x
	}
	for i := range blocks {
		x.first = append(x.first, len(x.words))
		text := blocks[i].Text
		for at := 0; at < len(text); {
			start, end := nextWord(text, at)
			if start < end {
				x.words = append(x.words, word{maphash.String(x.seed, fold(text[start:end])), int32(i), int32(start), int32(end)}) //nolint:gosec // within maxIndexed
			}
			at = max(end, at+1)
		}
	}
	x.first = append(x.first, len(x.words))
	x.order = make([]int32, len(x.words))
	for i := range x.order {
		x.order[i] = int32(i) //nolint:gosec // within maxIndexed
	}
	slices.SortFunc(x.order, func(a, b int32) int { return cmp.Or(cmp.Compare(x.words[a].hash, x.words[b].hash), cmp.Compare(a, b)) })
	return x
}

// nextWord is the first word from a place on; of none it is empty, and stands at the end.
func nextWord(s string, at int) (start, end int) {
	for at < len(s) {
		r, n := utf8.DecodeRuneInString(s[at:])
		if inWord(r) {
			break
		}
		at += n
	}
	start = at
	for at < len(s) {
		r, n := utf8.DecodeRuneInString(s[at:])
		switch {
		case !spaced(r) && inWord(r):
			if at == start {
				at += n
			}
			return start, at
		case inWord(r):
		case at > start && strings.ContainsRune("'’.·:,", r):
			if next, _ := utf8.DecodeRuneInString(s[at+n:]); !inWord(next) || !spaced(next) || r == ',' && !unicode.IsDigit(next) {
				return start, at
			}
		default:
			return start, at
		}
		at += n
	}
	return start, at
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}

// spaced says whether a character is of a script that sets spaces between words.
func spaced(r rune) bool { return !wordRune(r) || joins(r) }

// fold is what of a word is compared.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsMark(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// selector is the text directive that leads to a part of a block and to no other place in the prose; empty if there is none.
func (x *wordIndex) selector(block, start, end int) string {
	if len(x.words) == 0 || start >= end {
		return ""
	}
	from, to := x.within(block, start, end)
	if from >= to {
		return ""
	}
	low, high := x.around(block, from, to)
	if to-from > maxWords {
		return x.long(from, to, low)
	}
	before, behind := from, to
	for n := 0; ; n++ {
		if x.alone(before, behind) {
			break
		}
		switch {
		case n >= maxAround, before == low && behind == high:
			return ""
		case before > low && (from-before <= behind-to || behind == high):
			before--
		default:
			behind++
		}
	}
	out := x.text(from, to)
	if before < from {
		out = x.text(before, from) + "-," + out
	}
	if behind > to {
		out += ",-" + x.text(to, behind)
	}
	return "text=" + out
}

// long selects a longer text by its first and its last words.
func (x *wordIndex) long(from, to, low int) string {
	first, last, before := from+4, to-4, from
	for !x.alone(before, first) {
		switch {
		case first < min(last, from+maxAround):
			first++
		case before > low && from-before < maxAround:
			before--
		default:
			return ""
		}
	}
	for x.earlier(first, last, to) {
		if last--; last <= first || to-last > maxAround {
			return ""
		}
	}
	out := "text="
	if before < from {
		out += x.text(before, from) + "-,"
	}
	return out + x.text(from, first) + "," + x.text(last, to)
}

// earlier says whether the words at the end of a text stand in it before.
func (x *wordIndex) earlier(from, last, to int) bool {
	for at := from; at < last; at++ {
		k := 0
		for k < to-last && x.words[at+k].hash == x.words[last+k].hash {
			k++
		}
		if x.looks += k + 1; k == to-last || x.looks > maxLooks {
			return true
		}
	}
	return false
}

// around are the words that may be told along with some words: those of their block; beyond it, where they begin or end it, those of the
// next one. Each of the three parts of a directive must lie in one block.
func (x *wordIndex) around(block, from, to int) (low, high int) {
	low, high = x.first[block], x.first[block+1]
	if from == low && low > 0 {
		low = x.first[x.words[low-1].block]
	}
	if to == high && high < len(x.words) {
		high = x.first[x.words[high].block+1]
	}
	return low, high
}

// text is what stands from one word to another, escaped.
func (x *wordIndex) text(from, to int) string {
	a, b := x.words[from], x.words[to-1]
	return escaped(x.blocks[a.block].Text[a.start:b.end])
}

// within are the words of a part of a block, whole.
func (x *wordIndex) within(block, start, end int) (from, to int) {
	words := x.words[x.first[block]:x.first[block+1]]
	from, _ = slices.BinarySearchFunc(words, start, func(w word, at int) int { return cmp.Compare(int(w.end), at+1) })
	to, _ = slices.BinarySearchFunc(words, end, func(w word, at int) int { return cmp.Compare(int(w.start), at) })
	return x.first[block] + from, x.first[block] + to
}

// alone says whether a sequence of words stands nowhere else. If that is not known within bounds, it says no.
func (x *wordIndex) alone(from, to int) bool {
	var rare []int32
	at := from
	for i := from; i < to; i++ {
		if same := x.same(x.words[i].hash); i == from || len(same) < len(rare) {
			rare, at = same, i
		}
		if len(rare) == 1 {
			return true
		}
	}
	for _, o := range rare {
		begin := int(o) - (at - from)
		if begin == from || begin < 0 || begin+to-from > len(x.words) {
			continue
		}
		equal := true
		for k := 0; k < to-from && equal; k++ {
			x.looks++
			equal = x.words[begin+k].hash == x.words[from+k].hash
		}
		if equal || x.looks > maxLooks {
			return false
		}
	}
	return true
}

// same are the places of a word.
func (x *wordIndex) same(hash uint64) []int32 {
	compare := func(i int32, h uint64) int { return cmp.Compare(x.words[i].hash, h) }
	low, _ := slices.BinarySearchFunc(x.order, hash, compare)
	high, _ := slices.BinarySearchFunc(x.order[low:], hash, func(i int32, h uint64) int {
		if x.words[i].hash > h {
			return 0
		}
		return -1
	})
	return x.order[low : low+high]
}

// escaped is a text as it may stand in a text directive.
func escaped(s string) string {
	const digits = "0123456789ABCDEF"
	var sb strings.Builder
	for _, word := range strings.Fields(s) {
		if sb.Len() > 0 {
			sb.WriteString("%20")
		}
		for i := range len(word) {
			c := word[i]
			if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '~' {
				sb.WriteByte(c)
			} else {
				sb.Write([]byte{'%', digits[c>>4], digits[c&15]})
			}
		}
	}
	return sb.String()
}
