package repair_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"linkstead/archive/repair"
)

// Whatever two texts hold, places lie within the damaged one, and confidence is a part of one.
func FuzzAlign(f *testing.F) {
	f.Add("This scene from some apocalypse ( is actually here", "This scene from some apocalypse (link) is actually here", 29, 33)
	f.Add("for theproblematic entanglements", "for the problematic entanglements", 8, 19)
	f.Add("a b a b a b a b", "b a b a b a", 2, 3)
	f.Add("漢字の文", "漢字と文", 3, 6)
	f.Add("", "", 0, 0)
	f.Add(strings.Repeat("the ", 300), strings.Repeat("the ", 500), 400, 411)
	f.Add("\xff\xfe a\u00adb ’s", "İSTANBUL ab’s \xff", 0, 40)
	f.Fuzz(func(t *testing.T, damaged, copied string, from, to int) {
		if len(damaged)+len(copied) > 1<<16 {
			return
		}
		b := repair.Text([]byte(copied))
		for i := range b {
			b[i].Links = []repair.Link{{Start: from, End: to, URL: "http://a.test/"}, {Start: 1, End: 3, URL: "http://b.test/"}}
		}
		size := utf8.RuneCountInString(damaged)
		scars := []repair.Scar{{Key: "k", Start: size / 3, End: size/3 + 2}, {Key: "l", Start: size, End: size}}
		for _, c := range repair.Align(repair.Text([]byte(damaged)), scars, b) {
			if c.Start < 0 || c.End < c.Start || c.End > size+2 || c.Confidence < 0.5 || c.Confidence >= 1 || c.Key == "" || c.Explanation == "" {
				t.Fatalf("%+v in %d", c, size)
			}
		}
	})
}
