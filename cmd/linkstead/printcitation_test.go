package main

import (
	"strings"
	"testing"

	"linkstead/archive/report"
)

// TestPrintCitation: show tells the quotation of a citation and what it has of its own, fit for a terminal.
func TestPrintCitation(t *testing.T) {
	long := strings.Repeat("语", maxShown+1)
	for _, c := range []struct {
		of   report.Citation
		want string
	}{
		{report.Citation{Context: "As said.", Dated: "2016-02-21"}, "| As said.\n"},
		{report.Citation{Context: "As said.", Page: 3, Quotation: "the bombs\x1b[31m fall", Dated: "2015-05-03", Entry: "A day"},
			"| p. 3: As said.\nfor “the bombs [31m fall”, cited 2015-05-03, in the entry A day\n"},
		{report.Citation{Quotation: long[:3*maxShown]}, "| \nfor “" + long[:3*maxShown] + "”\n"},
		{report.Citation{Quotation: long}, "| \nfor “" + long[:3*(maxShown-1)] + "…”\n"},
	} {
		var out strings.Builder
		printCitation(&out, &c.of, "2016-02-21")
		var got strings.Builder
		for line := range strings.Lines(out.String()) {
			got.WriteString(strings.TrimLeft(line, " "))
		}
		if got.String() != c.want {
			t.Errorf("%+v: %q, not %q", c.of, got.String(), c.want)
		}
	}
}
