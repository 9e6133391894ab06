package post

import "strings"

// situate tells of each citation that is to be kept the selector of its place, the quotation that it supports and the date that
// stands beside it.
func (d *Document) situate() {
	words := index(d.Blocks)
	quotes := quotations{blocks: d.Blocks, spans: map[int][]quoteSpan{}}
	dates := headingDates(d.Blocks, d.Title)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		for _, l := range b.Links {
			c := &d.Citations[l.Citation]
			if c.LeftOut != "" && c.LeftOut != "other scheme" && c.LeftOut != "no base" {
				continue
			}
			c.Selector = words.selector(i, l.Start, l.End)
			c.Quotation = quotes.of(i, l.Start, l.End)
			if date := retrieved(b.Text, l.Start, l.End); date != "" {
				c.Dated = date
			} else if c.Dated == "" {
				c.Dated = dates[i]
			}
			for j := l.Citation + 1; j < len(d.Citations) && d.Citations[j].Of != ""; j++ {
				o := &d.Citations[j]
				o.Selector, o.Quotation, o.Dated = c.Selector, c.Quotation, c.Dated
			}
		}
	}
}

// clip bounds a text to a number of code points, at the end of a word.
func clip(s string, most int) string {
	to := ahead(s, 0, most)
	if to >= len(s) {
		return s
	}
	if i := strings.LastIndexByte(s[:to], ' '); i > to/2 {
		to = i
	}
	return strings.TrimSpace(s[:to])
}
