// Package scar finds damaged citations in prose: what is left of a link where somebody kept the words and lost it. A
// parenthesis that nothing fills, a colon with no object, the tail of a URL, words that have grown together. It reads text alone,
// changes nothing, and asks nobody: where it isn't sure it says so, and where a language isn't known to a rule the rule is silent.
package scar

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Class says what kind of damage a scar is.
type Class string

// The classes. The first six are strong: clean prose has next to none of them. The others are hints.
const (
	OpenParenthesis Class = "open-parenthesis"
	ColonObject     Class = "colon-object"
	MissingWord     Class = "missing-word"
	URLTail         Class = "url-tail"
	JoinedWords     Class = "joined-words"
	LostPicture     Class = "caption-without-picture"

	NoBreakSpace Class = "no-break-space"
	Quotation    Class = "quotation-without-source"
	Reprint      Class = "reprint-without-source"
	Reference    Class = "reference-without-link"
)

// Classes are all classes, the strong ones first.
var Classes = []Class{OpenParenthesis, ColonObject, MissingWord, URLTail, JoinedWords, LostPicture, NoBreakSpace, Quotation, Reprint, Reference}

// Strong says whether finding one is evidence of a lost citation by itself.
func (c Class) Strong() bool {
	i := slices.Index(Classes, c)
	return i >= 0 && i < slices.Index(Classes, NoBreakSpace)
}

// Kinds of blocks that are read otherwise than a paragraph is. What else a block calls itself is a paragraph.
const (
	Heading = "heading"
	Item    = "item"
	Caption = "caption"
	Quote   = "quote"
	Pre     = "pre"
	Other   = "other"
)

// Span is a part of a block's text, in bytes. One without length is a place.
type Span struct{ Start, End int }

// Block is one block of a document's prose, in the order of reading.
type Block struct {
	Text string
	Kind string
	// At tells where a part of the text, in bytes, stands in the source, in code points; of a place, where that is. Nil: the
	// text is the source.
	At       func(from, to int) (start, end int)
	Links    []Span // anchors, those over pictures without length
	Code     []Span // what is set as code
	Pictured bool   // a picture belongs to it
}

// Scar is one damaged citation.
type Scar struct {
	Class      Class   `json:"class"`
	Confidence float64 `json:"confidence"` // that a citation was lost here, 0 to 1
	Start      int     `json:"start"`      // in the source, code points
	End        int     `json:"end"`
	Text       string  `json:"text"`    // what stands there, as it is read; MaxText code points at most
	Context    string  `json:"context"` // some words before and behind it
	Reason     string  `json:"reason"`
	Key        string  `json:"key"` // names it in each copy of the same text
}

// Bounds on what is found in one document.
const (
	MaxScars = 2000
	MaxWeak  = 500 // of them, in the weak classes
	MaxText  = 300
)

// finding is a scar by its bytes in a block.
type finding struct {
	class      Class
	confidence float64
	start, end int
	reason     string
}

// Find returns the damaged citations of a document, in the order of its blocks. It takes time in proportion to the text.
func Find(blocks []Block) []Scar {
	d := survey(blocks)
	var out []Scar
	seen := map[string]int{}
	weak := 0
	for i := range blocks {
		if len(out) >= MaxScars {
			break
		}
		b := &blocks[i]
		for _, f := range d.block(blocks, i) {
			if !f.class.Strong() {
				if weak++; weak > MaxWeak {
					continue
				}
			}
			if len(out) >= MaxScars {
				break
			}
			s := Scar{Class: f.class, Confidence: f.confidence, Reason: f.reason, Text: cut(b.Text[f.start:f.end], MaxText)}
			s.Start, s.End = b.at(f.start, f.end)
			s.Context = around(b.Text, f.start, f.end)
			s.Key = key(b.Text, f, seen)
			out = append(out, s)
		}
	}
	return out
}

// block returns the findings in one block.
func (d *doc) block(blocks []Block, i int) []finding {
	b := &blocks[i]
	if b.Kind == Pre || strings.TrimSpace(b.Text) == "" {
		return nil
	}
	t := readText(b)
	if t.code() {
		return nil
	}
	var out []finding
	out = append(out, d.parentheses(t)...)
	out = append(out, colons(t)...)
	out = append(out, tails(t)...)
	out = append(out, d.slots(t)...)
	out = append(out, d.joined(t)...)
	out = append(out, captions(t)...)
	out = slices.DeleteFunc(out, func(f finding) bool { return t.filled(f) })
	strong := len(out) > 0
	out = append(out, d.noBreaks(t)...)
	if !strong {
		out = append(out, quotations(t)...)
	}
	out = append(out, references(t)...)
	out = append(out, reprints(blocks, i)...)
	return settle(out)
}

// settle puts findings in order; of two that overlap the surer one stays.
func settle(all []finding) []finding {
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.confidence, a.confidence))
	})
	var out []finding
	for _, f := range all {
		if n := len(out); n > 0 && f.start < out[n-1].end {
			if f.confidence > out[n-1].confidence {
				out[n-1] = f
			}
			continue
		}
		out = append(out, f)
	}
	return out
}

// at tells where a part of the text stands in the source.
func (b *Block) at(from, to int) (start, end int) {
	if b.At != nil {
		return b.At(from, to)
	}
	start = utf8.RuneCountInString(b.Text[:from])
	return start, start + utf8.RuneCountInString(b.Text[from:to])
}
