// Package pdf reads the text of a PDF, its link annotations and what it says of itself. It is pure, and made for files that
// may be hostile or broken: it believes no cross-reference table but looks for the objects, counts what it reads, and stops
// where a file asks for more than any paper does. It draws nothing, runs nothing and fetches nothing.
package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Document is what a PDF says.
type Document struct {
	Title  string // of the XMP metadata or the information dictionary, else the largest text of the first page; may be empty
	Author string // of the information dictionary, else the first of the XMP metadata; may be empty
	Dated  string // ISO 8601, as far as known: when it was published, else when it was made
	Lang   string // BCP 47, as spelled there
	Base   string // for relative links; empty if there is none
	Text   string // of all pages, UTF-8; a form feed ends each. Lines and paragraphs are as they seem
	Pages  []int  // where each page begins in Text, in bytes
	Links  []Link // in the order of the pages
	Cut    bool   // it asks for more than any paper does, and only its beginning was read
}

// Link is a link annotation (ISO 32000-1 §12.5.6.5) that leads to an address.
type Link struct {
	URI        string
	Page       int // from 1
	Start, End int // the text under it, bytes of Text; both where the page begins if there is none
}

// The errors of Read.
var (
	ErrForm   = errors.New("not a PDF")
	ErrSlow   = errors.New("it takes too long to read the PDF")
	ErrLocked = errors.New("the PDF can only be read with a password")
)

// Bounds of a document.
const (
	maxPages    = 20_000
	maxText     = 32 << 20 // bytes
	maxPageText = 4 << 20
	maxLinks    = 50_000
	maxURI      = 8 << 10 // bytes
	maxTreeDeep = 64
)

// Is says whether bytes begin as a PDF does: within the first kilobyte.
func Is(src []byte) bool { return bytes.Contains(src[:min(len(src), 1024)], []byte("%PDF-")) }

// Read reads a PDF; once expired says so, it gives up with ErrSlow (nil: never). A fault of ours that a file provokes is an
// error of that file.
func Read(src []byte, expired func() bool) (doc *Document, err error) {
	defer func() {
		if v := recover(); v != nil {
			doc, err = nil, fmt.Errorf("the PDF can't be read: %v", v)
		}
	}()
	return read(src, expired)
}

func read(src []byte, expired func() bool) (*Document, error) {
	if !Is(src) {
		return nil, ErrForm
	}
	f := open(src, expired)
	switch {
	case f.fuel.ask():
		return nil, ErrSlow
	case f.locked():
		return nil, ErrLocked
	}
	root := f.dict(f.trailer["Root"])
	d := &Document{}
	var pages []*page
	var sb strings.Builder
	fonts := map[int]*font{}
	for _, leaf := range f.pages(root) {
		if sb.Len() >= maxText || f.fuel.left < 0 || f.full {
			break
		}
		if f.fuel.ask() {
			break
		}
		p := f.paint(leaf, fonts, min(maxPageText, maxText-sb.Len()))
		start := sb.Len()
		d.Pages = append(d.Pages, start)
		sb.WriteString(p.sb.String())
		sb.WriteByte('\f')
		f.annotations(d, leaf, p, start)
		if len(pages) == 0 {
			pages = append(pages, p)
		}
	}
	if f.fuel.slow {
		return nil, ErrSlow
	}
	d.Text = sb.String()
	f.describe(d, root, pages)
	d.Cut = f.fuel.left < 0 || f.full || sb.Len() >= maxText
	return d, nil
}

// leaf is a page of the tree, with what it inherits.
type leaf struct {
	dict      dict
	resources any
}

// pages walks the page tree (§7.7.3); where there is none, the pages are those that stand in the file.
func (f *file) pages(root dict) []leaf {
	var out []leaf
	seen := map[int]bool{}
	var walk func(v any, resources any, depth int)
	walk = func(v any, resources any, depth int) {
		if r, ok := v.(ref); ok {
			if seen[r.num] {
				return
			}
			seen[r.num] = true
		}
		d := f.dict(v)
		if d == nil || depth > maxTreeDeep || len(out) >= maxPages || f.fuel.left < 0 {
			return
		}
		if r := d["Resources"]; r != nil {
			resources = r
		}
		kids := f.list(d["Kids"])
		if kids == nil {
			out = append(out, leaf{d, resources})
			return
		}
		for _, k := range kids {
			walk(k, resources, depth+1)
		}
	}
	if p := root["Pages"]; p != nil {
		walk(p, nil, 0)
	}
	if len(out) > 0 {
		return out
	}
	for _, n := range f.numbers() {
		if d, ok := f.object(n).(dict); ok && f.resolve(d["Type"]) == name("Page") && len(out) < maxPages {
			out = append(out, leaf{d, d["Resources"]})
		}
	}
	return out
}

// paint runs a page's content.
func (f *file) paint(l leaf, fonts map[int]*font, limit int) *page {
	p := &page{limit: limit}
	var content []byte
	for _, v := range f.list(l.dict["Contents"]) {
		if s, ok := f.resolve(v).(*stream); ok {
			content = append(append(content, f.decoded(s)...), '\n')
		}
		if len(content) > maxStream {
			f.full = true
			break
		}
	}
	paint := &painter{f: f, page: p, fonts: fonts, tm: identity, tlm: identity, state: state{ctm: identity, scale: 1}}
	paint.run(content, f.dict(l.resources))
	return p
}

// annotations takes the links of a page; those that stand one behind the other and lead to one place, as a link broken
// over lines has them, are one.
func (f *file) annotations(d *Document, l leaf, p *page, start int) {
	shown := p.sb.String()
	for _, v := range f.list(l.dict["Annots"]) {
		a := f.dict(v)
		if f.resolve(a["Subtype"]) != name("Link") || len(d.Links) >= maxLinks || f.fuel.left < 0 {
			continue
		}
		act := f.dict(first(a["A"], a["PA"]))
		uri, ok := f.resolve(act["URI"]).(text)
		if f.resolve(act["S"]) != name("URI") || !ok || len(uri) > maxURI || strings.TrimSpace(string(uri)) == "" {
			continue
		}
		k := Link{URI: strings.ToValidUTF8(strings.TrimSpace(string(uri)), "%EF%BF%BD"), Page: len(d.Pages), Start: start, End: start}
		if r, ok := floats(f.resolved(a["Rect"]), 4); ok {
			f.fuel.spend(len(p.pieces) / 8)
			if from, to, ok := p.within(r[0], r[1], r[2], r[3]); ok {
				k.Start, k.End = start+from, start+to
			}
		}
		if n := len(d.Links); n > 0 && k.End > k.Start {
			prev := &d.Links[n-1]
			if prev.URI == k.URI && prev.Page == k.Page && prev.End > prev.Start && prev.End <= k.Start &&
				strings.TrimSpace(shown[prev.End-start:k.Start-start]) == "" {
				prev.End = k.End
				continue
			}
		}
		d.Links = append(d.Links, k)
	}
}

// resolved is a list whose items are no references.
func (f *file) resolved(v any) []any {
	list := f.list(v)
	out := make([]any, len(list))
	for i := range list {
		out[i] = f.resolve(list[i])
	}
	return out
}
