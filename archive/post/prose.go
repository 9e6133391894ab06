package post

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"linkstead/archive/scar"
)

// Kinds of blocks.
const (
	Paragraph = "paragraph"
	Heading   = "heading"
	Item      = "item" // of a list, a definition, a footnote
	Caption   = "caption"
	Quote     = "quote" // a block that the document marks as a quotation; its lists are items
	Pre       = "pre"   // code, verse: white space is as it stands
	Other     = "other" // cells of tables, navigation, forms
)

// Block is one block of what people read of a document: a paragraph, a heading, an item of a list. Its text is as it is
// read (character references and escapes decoded, markup taken away), and each place of it knows where it stands in the
// source.
//
// White space at its ends is dropped; between words it is as it stands, no-break spaces and several spaces in a row among it, but what
// has a line break or a tab in it is one space, save in a Pre. No place of a text stands in two blocks, and none is empty.
type Block struct {
	Text    string
	Kind    string
	Level   int  // of a Heading, from 1
	Content bool // in the main content; see "Where a citation stands"
	Page    int  // of a PDF, from 1
	Entry   int  // of a feed, from 1
	Links   []Anchor

	Code     []scar.Span // what is marked as code in it
	Pictured bool        // a picture belongs to it, or may

	pieces []piece
	quotes [][2]int // what q elements mark as quotations, in bytes of the text
}

// Anchor is a citation in a block, or the part of it that stands there, in bytes of the block's text. One over a picture is
// empty, and End is Start.
type Anchor struct {
	Start, End int
	Citation   int // its index in Document.Citations
}

// piece tells of n bytes of a block's text where they stand in the source. Those of a verbatim one stand there as they are, a byte for
// a byte; any other can't be divided. While a block is built, the source is counted in bytes, then in code points.
type piece struct {
	text, n   int
	src, size int
	verbatim  bool
}

// maxPiece bounds what is counted to find one place.
const maxPiece = 1024

// Source tells where a part of the block's text, in bytes, stands in the source, in code points (see "Offsets"). A part that is
// empty is a place: right behind the character before it.
func (b *Block) Source(from, to int) (start, end int) {
	from = min(max(from, 0), len(b.Text))
	to = min(max(to, from), len(b.Text))
	if from == to {
		if from == 0 {
			start, _ = b.place(0)
			return start, start
		}
		_, end = b.place(from - 1)
		return end, end
	}
	start, _ = b.place(from)
	_, end = b.place(to - 1)
	return start, max(start, end)
}

// place is where the character stands in the source that a byte of the text belongs to, and where it ends.
func (b *Block) place(at int) (start, end int) {
	i, ok := slices.BinarySearchFunc(b.pieces, at, func(p piece, at int) int { return cmp.Compare(p.text, at) })
	if !ok {
		i--
	}
	if i < 0 || i >= len(b.pieces) {
		return 0, 0
	}
	p := b.pieces[i]
	if !p.verbatim || at >= p.text+p.n {
		return p.src, p.src + p.size
	}
	for at > p.text && !utf8.RuneStart(b.Text[at]) {
		at--
	}
	n := utf8.RuneCountInString(b.Text[p.text:at])
	return p.src + n, p.src + n + 1
}

// Table returns where each code point of the text begins in the source, and behind them where the last one ends.
func (b *Block) Table() []int {
	out := make([]int, 0, len(b.Text)+1)
	last := 0
	for _, p := range b.pieces {
		for i := range b.Text[p.text : p.text+p.n] {
			if p.verbatim && i > 0 {
				last++
			} else {
				last = p.src
			}
			out = append(out, last)
		}
		last = p.src + p.size
		if p.verbatim {
			last = out[len(out)-1] + 1
		}
	}
	return append(out, last)
}

// Extent tells where the block's text begins and ends in the source, in code points.
func (b *Block) Extent() (start, end int) { return b.Source(0, len(b.Text)) }

// builder makes a block.
type builder struct {
	Block
	b    strings.Builder
	gap  []piece // white space that came since the last character
	torn bool    // there is a line break or a tab in it
	last int     // where the source was left
}

const maxGap = 64 // spaces that are kept apart

// Len is the length of the text so far.
func (b *builder) Len() int { return b.b.Len() }

// String is the text so far.
func (b *builder) String() string { return b.b.String() }

// next returns where the next character will stand.
func (b *builder) next() int {
	if b.Len() == 0 || len(b.gap) == 0 {
		return b.Len()
	}
	if b.torn {
		return b.Len() + 1
	}
	n := b.Len()
	for _, g := range b.gap {
		n += g.n
	}
	return n
}

// spaces takes note of white space that stands nowhere.
func (b *builder) spaces() { b.add("\n", b.last, 0, false) }

// add adds text that stands at a place of the source. It stands there byte for byte if it is verbatim.
func (b *builder) add(s string, src, size int, verbatim bool) {
	if !verbatim {
		b.last = src + size
		for s != "" {
			end := 1
			for end < len(s) && white(s[end]) == white(s[0]) {
				end++
			}
			if p := (piece{n: end, src: src, size: size}); white(s[0]) && (b.Kind != Pre || b.Len() == 0) {
				b.space(p, s[:end])
			} else {
				b.put(s[:end], p)
			}
			s = s[end:]
		}
		return
	}
	for at := 0; at < len(s); {
		end := at
		isBlank := white(s[at])
		for end < len(s) && white(s[end]) == isBlank {
			end++
		}
		p := piece{n: end - at, src: src + at, size: end - at, verbatim: true}
		if isBlank && (b.Kind != Pre || b.Len() == 0) {
			b.space(p, s[at:end])
		} else {
			b.put(s[at:end], p)
		}
		at = end
	}
	b.last = src + size
}

func white(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func (b *builder) space(p piece, s string) {
	if b.Len() == 0 {
		return
	}
	b.torn = b.torn || strings.Trim(s, " ") != "" || len(s) > maxGap || len(b.gap) >= maxGap
	if b.torn && len(b.gap) > 0 { // one space for all of it
		first := b.gap[0]
		b.gap = append(b.gap[:0], piece{src: first.src, size: max(first.size, p.src+p.size-first.src)})
		return
	}
	b.gap = append(b.gap, p)
}

// put adds text that is no white space.
func (b *builder) put(s string, p piece) {
	if b.torn && len(b.gap) > 0 {
		g := b.gap[0]
		b.write(" ", piece{n: 1, src: g.src, size: g.size})
	} else {
		for _, g := range b.gap {
			b.write(strings.Repeat(" ", g.n), g)
		}
	}
	b.gap, b.torn = b.gap[:0], false
	b.write(s, p)
}

func (b *builder) write(s string, p piece) {
	p.text, p.n = b.Len(), len(s)
	b.b.WriteString(s)
	if !p.verbatim {
		b.pieces = append(b.pieces, p)
		return
	}
	p.size = p.n
	if i := len(b.pieces) - 1; i >= 0 && b.pieces[i].verbatim && b.pieces[i].src+b.pieces[i].size == p.src && b.pieces[i].n+p.n <= maxPiece {
		b.pieces[i].n += p.n
		b.pieces[i].size += p.n
		return
	}
	for p.n > maxPiece {
		n := maxPiece
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		b.pieces = append(b.pieces, piece{text: p.text, n: n, src: p.src, size: n, verbatim: true})
		s, p.text, p.src, p.n = s[n:], p.text+n, p.src+n, p.n-n
		p.size = p.n
	}
	b.pieces = append(b.pieces, p)
}

// block ends the building.
func (b *builder) block() *Block {
	out := b.Block
	out.Text = strings.TrimRight(b.String(), " \t\n\v\f\r")
	for i := len(b.pieces) - 1; i >= 0 && b.pieces[i].text+b.pieces[i].n > len(out.Text); i-- {
		p := &b.pieces[i]
		if p.n = max(0, len(out.Text)-p.text); p.n == 0 {
			out.pieces = b.pieces[:i]
		} else if p.verbatim {
			p.size = p.n
		}
	}
	return &out
}

// counted turns the places of blocks from bytes into code points of the source, and drops those that say nothing. It returns
// for each what its index is now, or -1.
func counted(blocks []*Block, offsets *offsetter) (kept []Block, index []int) {
	index = make([]int, len(blocks))
	for i, b := range blocks {
		if index[i] = -1; b.Text == "" {
			continue
		}
		for j := range b.pieces {
			p := &b.pieces[j]
			start := offsets.at(p.src)
			p.size = offsets.at(p.src+p.size) - start
			p.src = start
		}
		index[i] = len(kept)
		kept = append(kept, *b)
	}
	return kept, index
}
