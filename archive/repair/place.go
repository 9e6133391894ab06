package repair

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Align re-hangs the links of a copy of a document on the damaged one, where the words around them are the same; both may have been
// edited. A link whose own words are lost is placed where they would stand, at the scar if there is one. What has a link already gets
// none, and what is Dead is not hung. The candidates are ranked; none is less sure than a half.
func Align(damaged []Block, scars []Scar, copied []Block) []Candidate {
	a, b := wordsOf(damaged), wordsOf(copied)
	a, b = parted(a, damaged, b, copied), parted(b, copied, a, damaged)
	h := &hanger{damaged: damaged, copied: copied, a: a, b: b, of: align(ids(a), ids(b)), keys: map[string][]Place{}}
	h.scars = slices.Clone(scars)
	slices.SortStableFunc(h.scars, func(x, y Scar) int { return cmp.Compare(x.Start, y.Start) })
	h.measure()
	var out []Candidate
	for i, first := 0, 0; i < len(copied); i++ {
		for first < len(b) && int(b[first].block) < i {
			first++
		}
		for _, l := range copied[i].Links {
			if l.Dead || l.URL == "" {
				continue
			}
			if c, ok := h.hang(i, first, l); ok {
				out = append(out, c)
			}
		}
	}
	return Rank(out)
}

func ids(words []word) []uint64 {
	out := make([]uint64, len(words))
	for i, w := range words {
		out[i] = w.id
	}
	return out
}

// hanger places links by an alignment.
type hanger struct {
	damaged, copied []Block
	scars           []Scar // by place
	a, b            []word
	of              aligned
	only            []int32            // how many shingles up to each word of b tie it to the only place where they stand
	same            []int32            // how many words of b up to each are aligned
	keys            map[string][]Place // that have the same words
}

// telling is the length of a shingle that tells a place from all others, in words.
const telling = 3

// measure counts what confidence is made of.
func (h *hanger) measure() {
	times := map[uint64][2]uint16{}
	add := func(words []word, side int) {
		shingles(ids(words), telling, func(_ int, s uint64) {
			n := times[s]
			n[side] = min(n[side]+1, 2)
			times[s] = n
		})
	}
	add(h.a, 0)
	add(h.b, 1)
	h.only, h.same = make([]int32, len(h.b)+1), make([]int32, len(h.b)+1)
	tells := make([]bool, len(h.b))
	shingles(ids(h.b), telling, func(i int, s uint64) {
		tells[i] = times[s] == [2]uint16{1, 1} && h.of[i] >= 0 && h.of[i+telling-1] == h.of[i]+telling-1
	})
	for i := range h.b {
		h.only[i+1], h.same[i+1] = h.only[i], h.same[i]
		if tells[i] {
			h.only[i+1]++
		}
		if h.of[i] >= 0 {
			h.same[i+1]++
		}
	}
}

// count is what a running count has between two words.
func count(running []int32, from, to int) int {
	n := len(running) - 1
	from, to = min(max(from, 0), n), min(max(to, 0), n)
	return int(running[max(from, to)] - running[from])
}

// spot is where a link would hang: words [first, last) of the damaged text, between two words that are aligned.
type spot struct {
	s, e        int // words of the copy on which the link stands
	before      int // the last aligned word of the damaged text before it; -1 if there is none
	behind      int // the first one behind it; len(a) if there is none
	first, last int
	own         int // of its words are aligned
	near        bool
}

// hang places one link of a block of the copy, the words of which begin at a number.
func (h *hanger) hang(block, begin int, l Link) (Candidate, bool) {
	s := begin
	for s < len(h.b) && int(h.b[s].block) == block && int(h.b[s].end) <= l.Start {
		s++
	}
	e := s
	for e < len(h.b) && int(h.b[e].block) == block && int(h.b[e].start) < l.End {
		e++
	}
	p, ok := h.spot(s, e)
	if !ok {
		return Candidate{}, false
	}
	left, right := h.side(p, -1), h.side(p, 1)
	own := l.text(h.copied[block].Text)
	from, to := h.bounds(p, own)
	c := Candidate{URL: l.URL, Method: ByAlignment, Text: cut(own, 300), Place: Place{from, to}}
	scar, scarred := h.scar(p, from, to)
	if p.own == 0 && scarred {
		c.Start, c.End = scar.Start, scar.End
	}
	if h.linked(p) {
		return Candidate{}, false
	}
	unique := count(h.only, s-telling-5, e+5) > 0
	rate := 1 - float64(count(h.same, s-30, e+30))/float64(max(1, min(len(h.b), e+30)-max(0, s-30)))
	c.Confidence = confidence(p, left, right, unique, scarred, rate)
	if c.Confidence < 0.5 {
		return Candidate{}, false
	}
	c.Explanation = explain(p, left, right, unique, scarred)
	if why := h.doubted(p); why != "" && c.Confidence > unsure {
		c.Confidence = unsure
		c.Explanation = strings.TrimSuffix(c.Explanation, ".") + "; but " + why + "."
	}
	if scarred {
		c.Key, c.Scar = scar.Key, scar.Class
	} else {
		c.Key = h.key(p, c.Place)
	}
	c.Around = h.around(p)
	return c, true
}

// text is what a link stands on.
func (l Link) text(block string) string {
	from := min(max(l.Start, 0), len(block))
	return block[from:min(max(l.End, from), len(block))]
}

const farthest = 12 // words that may be lost between a link and the next word that is aligned

// spot finds where the words [s, e) of the copy stand in the damaged text, or would.
func (h *hanger) spot(s, e int) (spot, bool) {
	p := spot{s: s, e: e, before: -1, behind: len(h.a), first: -1}
	for i := s; i < e; i++ {
		if x := int(h.of[i]); x >= 0 {
			if p.first < 0 {
				p.first = x
			}
			if x < p.last { // a part of it was moved
				return p, false
			}
			p.last = x + 1
			p.own++
		}
	}
	l, r := s-1, e
	for l >= 0 && s-l <= farthest && h.of[l] < 0 {
		l--
	}
	for r < len(h.b) && r-e < farthest && h.of[r] < 0 {
		r++
	}
	if l >= 0 && h.of[l] >= 0 {
		p.before = int(h.of[l])
	}
	if r < len(h.b) && h.of[r] >= 0 {
		p.behind = int(h.of[r])
	}
	if p.own > 0 { // a passage that was moved has others beside it
		if p.before >= p.first || p.first-p.before > 3*farthest {
			p.before = -1
		}
		if p.behind < p.last || p.behind-p.last > 3*farthest {
			p.behind = len(h.a)
		}
	}
	lostBefore, lostBehind := s-1-l, r-e
	if p.before >= p.behind || p.own > 0 && (p.first <= p.before || p.last > p.behind) {
		return p, false
	}
	if p.own == 0 {
		return h.lost(p, lostBefore, lostBehind)
	}
	if p.last-p.first > 2*(e-s)+2 {
		return p, false
	}
	if p.before >= 0 { // the first words of the link may be other ones here
		n := 0
		for i := s; h.of[i] < 0; i++ {
			n++
		}
		p.first -= min(max(p.first-p.before-1-lostBefore, 0), n)
	}
	if p.behind < len(h.a) {
		n := 0
		for i := e - 1; h.of[i] < 0; i-- {
			n++
		}
		p.last += min(max(p.behind-p.last-lostBehind, 0), n)
	}
	p.near = lostBefore == 0 && lostBehind == 0
	return p, true
}

// lost finds where the words would stand of a link of which none is left.
func (h *hanger) lost(p spot, lostBefore, lostBehind int) (spot, bool) {
	n := p.e - p.s
	if p.before < 0 || p.behind >= len(h.a) {
		return p, false
	}
	there := p.behind - p.before - 1
	p.near = lostBefore == 0 && lostBehind == 0
	p.first, p.last = p.before+1, p.behind
	switch {
	case there == lostBefore+n+lostBehind: // each has another in its place
		p.first += lostBefore
		p.last = p.first + n
	case p.near && there <= n+3:
	case there <= n+2:
		p.first += min(lostBefore, there)
		p.last -= min(lostBehind, p.last-p.first)
	default:
		return p, false
	}
	return p, true
}

// bounds is the spot in code points of the damaged source; signs at the ends of the link's text are in it if they stand there, too.
func (h *hanger) bounds(p spot, own string) (start, end int) {
	if p.first < p.last {
		x, y := h.a[p.first], h.a[p.last-1]
		head, tail := signs(own)
		from, to := int(x.start), int(y.end)
		if strings.HasSuffix(h.damaged[x.block].Text[:from], head) {
			from -= len(head)
		}
		if strings.HasPrefix(h.damaged[y.block].Text[to:], tail) {
			to += len(tail)
		}
		start, _ = h.damaged[x.block].At(from, int(x.end))
		_, end = h.damaged[y.block].At(int(y.start), to)
		return start, max(start, end)
	}
	x := h.a[p.before]
	if y := h.a[p.behind]; y.block != x.block && (p.s == 0 || p.s >= len(h.b) || h.b[p.s-1].block != h.b[p.s].block) {
		start, _ = h.damaged[y.block].At(int(y.start), int(y.end))
		return start, start
	}
	_, end = h.damaged[x.block].At(int(x.start), int(x.end))
	return end, end
}

// signs are what a text has before its first word and behind its last.
func signs(s string) (head, tail string) {
	from, to := len(s), len(s)
	each(s, func(start, end int) bool {
		from, to = min(from, start), end
		return true
	})
	return strings.TrimSpace(s[:from]), strings.TrimSpace(s[to:])
}

// scar is the one that the link of a spot would fill: it touches its place, or lies between the words about it if its own are lost.
func (h *hanger) scar(p spot, from, to int) (Scar, bool) {
	if p.own == 0 {
		if p.before >= 0 {
			x := h.a[p.before]
			_, from = h.damaged[x.block].At(int(x.start), int(x.end))
		}
		if p.behind < len(h.a) {
			x := h.a[p.behind]
			to, _ = h.damaged[x.block].At(int(x.start), int(x.end))
		}
	}
	i, _ := slices.BinarySearchFunc(h.scars, from, func(s Scar, at int) int { return cmp.Compare(s.Start, at) })
	for i = max(0, i-3); i < len(h.scars) && h.scars[i].Start <= to; i++ {
		s := h.scars[i]
		if s.End >= from && (p.own == 0 || s.Start < to && s.End > from || s.Start == s.End) {
			return s, true
		}
	}
	return Scar{}, false
}

// linked says whether the damaged text has a link at a spot.
func (h *hanger) linked(p spot) bool {
	x, y := p.first, p.last-1
	if p.first >= p.last {
		x, y = p.before, p.behind
	}
	for i := x; i <= y; i++ {
		if i < 0 || i >= len(h.a) {
			continue
		}
		w := h.a[i]
		for _, l := range h.damaged[w.block].Links {
			switch {
			case p.first < p.last && l.Start < int(w.end) && int(w.start) < l.End,
				p.first >= p.last && i == p.before && l.Start >= int(w.end) && (h.a[p.behind].block != w.block || l.End <= int(h.a[p.behind].start)):
				return true
			}
		}
	}
	return false
}

const reach = 8 // words to either side that tell about a place

// side is how much of the words before (-1) or behind (1) a link is the same and near, from 0 to 1; nearer ones weigh more.
func (h *hanger) side(p spot, dir int) float64 {
	at, here := p.s-1, p.first
	edge := h.a[:min(max(p.first, 0), len(h.a))]
	if dir > 0 {
		at, here = p.e, p.last-1
		edge = h.a[min(max(p.last, 0), len(h.a)):]
	}
	var got, all float64
	for i := range reach {
		k := at + dir*i
		if k < 0 || k >= len(h.b) {
			break
		}
		w := 1 / float64(i+2)
		all += w
		if x := int(h.of[k]); x >= 0 && abs(x-here) <= 2*i+4 {
			got += w
		}
	}
	if all == 0 { // the copy begins or ends here
		if len(edge) <= 2 {
			return 1
		}
		return 0
	}
	return got / all
}

func abs(n int) int { return max(n, -n) }

// confidence of a place is what is left when all doubts are summed up. The weights are held to what tests count: of the candidates in a
// tenth, no smaller part is right than it says.
func confidence(p spot, left, right float64, unique, scarred bool, rate float64) float64 {
	doubt := 0.01 + 0.08*(1-left) + 0.08*(1-right) + 0.3*(1-left)*(1-right) + 0.1*rate
	if !unique {
		doubt += 0.15
	}
	n := p.e - p.s
	switch {
	case p.own > 0:
		doubt += 0.2 * float64(n-p.own) / float64(n)
	case scarred && p.near:
		doubt += 0.01
	case scarred:
		doubt += 0.1
	case p.near && p.last-p.first == n && n > 0:
		doubt += 0.1
	case p.near:
		doubt += 0.2
	default:
		doubt += 0.3
	}
	return max(0, float64(int((1-doubt)*1000))/1000)
}

// explain says in plain words why a link is hung at a spot.
func explain(p spot, left, right float64, unique, scarred bool) string {
	n := p.e - p.s
	var own string
	switch {
	case n == 0:
		own = "In the copy there is a link without words here"
	case p.own == n:
		own = "In the copy these words are a link"
	case p.own > 0:
		own = fmt.Sprintf("In the copy the words here are a link, of which %d of %d are still the same", p.own, n)
	default:
		own = "In the copy there is a link here, of which no word is left"
	}
	if scarred {
		own += ", and a link seems to be missing here"
	}
	why := own + "; " + sides(left, right)
	if !unique {
		why += "; but such words stand elsewhere, too"
	}
	return why + "."
}

func sides(left, right float64) string {
	word := func(x float64) string {
		switch {
		case x > 0.99:
			return "the same"
		case x > 0.6:
			return "mostly the same"
		case x > 0.2:
			return "partly the same"
		}
		return "not the same"
	}
	if word(left) == word(right) {
		return "the words before and behind it are " + word(left)
	}
	return "the words before it are " + word(left) + ", those behind it " + word(right)
}
