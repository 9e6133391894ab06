package repair

import (
	"bytes"
	"unicode/utf8"

	"linkstead/archive/post"
	"linkstead/archive/scar"
)

// Blocks are what can be aligned of a document: its prose, with the links in it. Links that are not to be captured are Dead, and
// so are the originals of mementos, which follow those where they stand.
func Blocks(d post.Document) []Block {
	out := make([]Block, 0, len(d.Blocks))
	for i := range d.Blocks {
		b := &d.Blocks[i]
		block := Block{Text: b.Text, At: b.Source}
		for _, l := range b.Links {
			if l.Citation < 0 || l.Citation >= len(d.Citations) {
				continue
			}
			c := d.Citations[l.Citation]
			dead := c.LeftOut != "" || c.Where != post.InContent || c.Of != ""
			block.Links = append(block.Links, Link{Start: l.Start, End: l.End, URL: c.URL, Dead: dead})
		}
		out = append(out, block)
	}
	return out
}

// Text is a text without blocks of its own, each of whose paragraphs is one.
func Text(src []byte) []Block {
	var out []Block
	before := 0
	for part := range bytes.SplitAfterSeq(src, []byte("\n\n")) {
		text, from := string(part), before
		out = append(out, Block{Text: text, At: func(start, end int) (int, int) {
			return from + utf8.RuneCountInString(text[:start]), from + utf8.RuneCountInString(text[:end])
		}})
		before += utf8.RuneCount(part)
	}
	return out
}

// Scars are the places of a document where a link seems to be missing: those that are one by themselves, and those about words that a
// link may have stood on. Quotations and reprints without a source lost no link of their own.
func Scars(d post.Document) []Scar {
	return scars(d, func(c scar.Class) bool { return c.Strong() || c == scar.NoBreakSpace })
}

// Quotations are the places of a document where somebody is quoted, and nothing tells where it is from.
func Quotations(d post.Document) []Scar {
	return scars(d, func(c scar.Class) bool { return c == scar.Quotation })
}

func scars(d post.Document, want func(scar.Class) bool) []Scar {
	var out []Scar
	for _, s := range d.Damaged {
		if want(s.Class) {
			out = append(out, Scar{Key: s.Key, Class: string(s.Class), Start: s.Start, End: s.End, Text: s.Context, Said: s.Text, Confidence: s.Confidence})
		}
	}
	return out
}

// Strong says whether a scar is evidence of a lost link by itself.
func Strong(s Scar) bool { return scar.Class(s.Class).Strong() }
