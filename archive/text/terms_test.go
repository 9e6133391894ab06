package text_test

import (
	"strings"
	"testing"

	"linkstead/archive/text"
)

func TestTerms(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"The Café’s Ærø, naïve", "the cafe s ærø naive"},
		{"東京都 行", "東京 京都 都 行"},
		{"iPhoneを買う2", "iphone を買 買う う 2"},
		{"שָׁלוֹם", "שלום"},
		{"Ελλάδα Ёлка", "ελλαδα елка"},
		{"हिन्दी", "हिन्दी"},
		{strings.Repeat("x", 500), strings.Repeat("x", 64)},
		{"", ""},
	} {
		var got []string
		for term := range text.Terms(c.in) {
			got = append(got, term.Text)
			if term.Start < 0 || term.End <= term.Start || term.End > len(c.in) || strings.ContainsAny(term.Text, " \n") {
				t.Errorf("%q: %+v", c.in, term)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
