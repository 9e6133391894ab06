package text

import (
	"regexp"
	"strings"
)

// Match is where a quotation stands in a text.
type Match struct {
	Found      bool    // surely enough: Score is EnoughQuoted at least
	Score      float64 // 1: word for word; less by the share of words that differ, are missing or stand between
	Start, End int     // in the text, bytes; what lies between parts of a quotation with omissions is within
}

// EnoughQuoted is the score from which on a text counts as the source of a quotation: of twenty words, four may be others.
const EnoughQuoted = 0.8

const (
	fewestWords = 4    // of fewer words, only what stands there word for word is found
	omission    = 1000 // how many words an ellipsis may stand for
	insertion   = 12   // how many words of the source a bracketed insertion may replace
	longestPart = 200  // words; a longer part is looked for piece by piece
	maxQuoted   = 4000 // words of a quotation that are looked at
	firstTries  = 16   // places of the first part that are tried
)

// Quoted says whether a quotation stands in a text, how well, and where it begins, in bytes. Case, punctuation and typography count for
// nothing. “[…]” and “…” stand for words left out, words in brackets for others of the source; beyond that, small edits are
// tolerated, and lower the score. See Find.
func Quoted(body, quotation string) (found bool, score float64, at int) {
	m := Find(body, quotation)
	return m.Found, m.Score, m.Start
}

// Find looks for a quotation in a text, as Quoted tells. It takes time in proportion to the length of both.
func Find(body, quotation string) Match { return Prepare(body).Find(quotation) }

// Body is a text in which many quotations are looked for.
type Body struct {
	words  []uint64
	places []int32 // where each begins and ends: two numbers a word
}

// Prepare reads a text once.
func Prepare(body string) *Body {
	b := &Body{words: make([]uint64, 0, len(body)/6), places: make([]int32, 0, len(body)/3)}
	for w := range Words(body) {
		b.words = append(b.words, hash(w.Text))
		b.places = append(b.places, int32(w.Start), int32(w.End))
	}
	return b
}

// piece is a run of words of a quotation, and how far it may stand behind the one before.
type piece struct {
	words []uint64
	gap   int
}

var (
	omitted  = regexp.MustCompile(`\[\s*(?:…|\.\s?\.\s?\.+)\s*\]|\(\s*(?:…|\.\s?\.\s?\.+)\s*\)|…|\.\s?\.\s?\.+`)
	inserted = regexp.MustCompile(`\[[^\[\]]{0,200}\]`)
)

// pieces takes a quotation apart where words are left out or put in.
func pieces(quotation string) (out []piece, total int) {
	for i, part := range omitted.Split(quotation, -1) {
		for j, s := range inserted.Split(part, -1) {
			// “[t]he” is a letter changed, not a word.
			gap := 0
			if j > 0 {
				gap = insertion
			} else if i > 0 {
				gap = omission
			}
			words := hashes(s)
			for len(words) > 0 && total < maxQuoted {
				n := min(len(words), longestPart, maxQuoted-total)
				out = append(out, piece{words[:n], gap})
				words, total, gap = words[n:], total+n, insertion
			}
		}
	}
	return out, total
}

// letter is a letter in brackets that begins or ends a word: its case was changed, or an ending added.
var letter = regexp.MustCompile(`\[(\pL{1,3})\](\pL)`)

// Find is text.Find in this text.
func (b *Body) Find(quotation string) Match {
	quotation = letter.ReplaceAllString(quotation, "$1$2")
	ps, total := pieces(quotation)
	if total == 0 || len(b.words) == 0 {
		return Match{}
	}
	if m, ok := b.literally(ps); ok {
		return m
	}
	if total < fewestWords {
		return Match{}
	}
	return b.nearly(ps, total)
}

// literally looks for pieces that stand there word for word, in order.
func (b *Body) literally(ps []piece) (Match, bool) {
	from := 0
	for range firstTries {
		first := b.index(ps[0].words, from, len(b.words))
		if first < 0 {
			break
		}
		end, ok := first+len(ps[0].words), true
		for _, p := range ps[1:] {
			at := b.index(p.words, end, end+p.gap+len(p.words))
			if at < 0 {
				ok = false
				break
			}
			end = at + len(p.words)
		}
		if ok {
			return b.match(1, first, end), true
		}
		from = first + 1
	}
	return Match{}, false
}

// index is where words stand first, from a place on and before another; -1 if they don't.
func (b *Body) index(words []uint64, from, before int) int {
	before = min(before, len(b.words))
	fail := failures(words)
	for i, k := from, 0; i < before; i++ {
		for k > 0 && words[k] != b.words[i] {
			k = fail[k-1]
		}
		if words[k] == b.words[i] {
			k++
		}
		if k == len(words) {
			return i - k + 1
		}
	}
	return -1
}

// failures is the table of Knuth, Morris and Pratt: how much of the beginning ends at each place.
func failures(words []uint64) []int {
	fail := make([]int, len(words))
	for i, k := 1, 0; i < len(words); i++ {
		for k > 0 && words[k] != words[i] {
			k = fail[k-1]
		}
		if words[k] == words[i] {
			k++
		}
		fail[i] = k
	}
	return fail
}

// nearly looks for the best place of each piece behind the one before. The longest piece is placed first: it is the surest.
func (b *Body) nearly(ps []piece, total int) Match {
	longest := 0
	for i, p := range ps {
		if len(p.words) > len(ps[longest].words) {
			longest = i
		}
	}
	var best Match
	for _, d := range b.diagonals(ps[longest].words, 0, len(b.words)) {
		mid := b.align(ps[longest].words, d, 0, len(b.words))
		if mid.matched == 0 {
			continue
		}
		matched, span, start, end := mid.matched, mid.end-mid.start, mid.start, mid.end
		for i := longest + 1; i < len(ps); i++ {
			if f := b.fit(ps[i].words, end, end+ps[i].gap+2*len(ps[i].words)); f.matched > 0 {
				matched, span, end = matched+f.matched, span+f.end-f.start, f.end
			}
		}
		for i := longest - 1; i >= 0; i-- {
			if f := b.fit(ps[i].words, start-ps[i+1].gap-2*len(ps[i].words), start); f.matched > 0 {
				matched, span, start = matched+f.matched, span+f.end-f.start, f.start
			}
		}
		if score := 2 * float64(matched) / float64(total+span); score > best.Score {
			best = b.match(min(score, 0.999), start, end)
		}
	}
	return best
}

// fit is the best place of a piece within a stretch of the text.
func (b *Body) fit(words []uint64, from, before int) (best fitted) {
	from, before = max(0, from), min(before, len(b.words))
	if from >= before {
		return fitted{}
	}
	if at := b.index(words, from, before); at >= 0 {
		return fitted{len(words), at, at + len(words)}
	}
	for _, d := range b.diagonals(words, from, before) {
		if f := b.align(words, d, from, before); f.matched > best.matched {
			best = f
		}
	}
	if 2*best.matched < len(words) { // chance
		return fitted{}
	}
	return best
}

const (
	band    = 16 // how far apart the beginnings are that count as one
	perWord = 8  // places of one word in a quotation that are looked at
	tries   = 3
)

// diagonals are the places at which words may begin: those for which most words of the text stand where they should, roughly.
func (b *Body) diagonals(words []uint64, from, before int) []int {
	where := map[uint64][]int32{}
	for i, w := range words {
		if at := where[w]; len(at) < perWord {
			where[w] = append(at, int32(i))
		}
	}
	votes := make([]uint16, (before-from+len(words))/band+2)
	for i := from; i < before; i++ {
		for _, at := range where[b.words[i]] {
			votes[(i-from-int(at)+len(words))/band]++
		}
	}
	var out []int
	for range tries {
		top, most := -1, 0
		for i := range len(votes) - 1 {
			if n := int(votes[i]) + int(votes[i+1]); n > most {
				top, most = i, n
			}
		}
		if top < 0 {
			break
		}
		votes[top], votes[top+1] = 0, 0
		out = append(out, from+top*band-len(words))
	}
	return out
}

// fitted is how many words of a piece stand in a stretch of the text.
type fitted struct{ matched, start, end int }

// align finds the longest common subsequence of words and of the text about a place, and where it begins and ends.
func (b *Body) align(words []uint64, at, from, before int) fitted {
	slack := len(words)/4 + 4
	lo, hi := max(from, at-slack), min(before, at+2*band+len(words)+slack)
	if lo >= hi {
		return fitted{}
	}
	text := b.words[lo:hi]
	m := len(words)
	rows := make([][]int16, len(text)+1)
	flat := make([]int16, (len(text)+1)*(m+1))
	for i := range rows {
		rows[i] = flat[i*(m+1) : (i+1)*(m+1)]
	}
	for i, t := range text {
		for j, w := range words {
			if t == w {
				rows[i+1][j+1] = rows[i][j] + 1
			} else {
				rows[i+1][j+1] = max(rows[i][j+1], rows[i+1][j])
			}
		}
	}
	f := fitted{matched: int(rows[len(text)][m]), start: -1}
	for i, j := len(text), m; i > 0 && j > 0 && rows[i][j] > 0; {
		switch {
		case text[i-1] == words[j-1]:
			if f.end == 0 {
				f.end = lo + i
			}
			f.start = lo + i - 1
			i, j = i-1, j-1
		case rows[i-1][j] == rows[i][j]:
			i--
		default:
			j--
		}
	}
	return f
}

func (b *Body) match(score float64, first, end int) Match {
	return Match{Found: score >= EnoughQuoted, Score: score, Start: int(b.places[2*first]), End: int(b.places[2*end-1])}
}

// Excerpt brings the stretch of a text about a place, with its line ends made spaces: as many bytes before and behind it at most, from
// word to word.
func Excerpt(body string, start, end, around int) (before, middle, after string) {
	from, to := max(0, start-around), min(len(body), end+around)
	for from > 0 && from < start && body[from-1] != ' ' && body[from-1] != '\n' {
		from++
	}
	for to < len(body) && to > end && body[to] != ' ' && body[to] != '\n' {
		to--
	}
	flat := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\n", " ") }
	return flat(body[from:start]), flat(body[start:end]), flat(body[end:to])
}
