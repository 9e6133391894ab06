package main

import (
	"fmt"
	"io"
	"strings"

	"linkstead/archive/report"
)

// maxShown is how much of a quotation a line of text shows, in code points; JSON has all that is kept of it.
const maxShown = 100

// printCitation tells where a link is cited: the sentence, the quotation that it supports, and what the citation has of its own. dated
// is the post's date, which is told once, with the post.
func printCitation(w io.Writer, c *report.Citation, dated string) {
	page := ""
	if c.Page > 0 {
		page = fmt.Sprintf("p. %d: ", c.Page)
	}
	fmt.Fprintf(w, "  %-14s   | %s%s\n", "", page, clean(c.Context))
	var own []string
	if c.Quotation != "" {
		own = append(own, "for “"+shortened(clean(c.Quotation), maxShown)+"”")
	}
	if c.Dated != "" && c.Dated != dated {
		own = append(own, "cited "+clean(c.Dated))
	}
	if c.Entry != "" {
		own = append(own, "in the entry "+shortened(clean(c.Entry), maxShown))
	}
	if len(own) > 0 {
		fmt.Fprintf(w, "  %-14s     %s\n", "", strings.Join(own, ", "))
	}
}

// shortened is the beginning of a text, with an ellipsis if that is not all of it.
func shortened(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return s
}
