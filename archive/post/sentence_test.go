package post

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLongSentence: a sentence that is too long is cut between words, around its link; what has no spaces is cut anywhere.
func TestLongSentence(t *testing.T) {
	words := strings.Repeat("neighbourhood ", 60)
	for _, c := range []struct {
		name, text string
		whole      bool
	}{
		{"words before and behind", words + "LINK " + words, true},
		{"words behind", "LINK " + words, true},
		{"words before", words + "LINK", true},
		{"none", strings.Repeat("語", 400) + "LINK" + strings.Repeat("語", 400), false},
	} {
		at := strings.Index(c.text, "LINK")
		got := sentence(strings.TrimSpace(c.text), at, at+4)
		if n := utf8.RuneCountInString(got); n > maxContext+2 || n < maxContext/2 || !strings.Contains(got, "LINK") || !utf8.ValidString(got) {
			t.Errorf("%s: %d, %q", c.name, n, got)
		}
		for _, w := range strings.Fields(strings.Trim(got, "…")) {
			if c.whole && w != "neighbourhood" && w != "LINK" {
				t.Errorf("%s: cut within %q", c.name, w)
			}
		}
	}
	if got := collapse(words); !strings.HasSuffix(got, "neighbourhood…") {
		t.Errorf("%q", got)
	}
}
