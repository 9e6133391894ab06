package report

import "testing"

// What is marked is the scar itself, not an equal sign elsewhere among the words around it.
func TestMarked(t *testing.T) {
	for _, c := range [][4]string{
		{"… of some (old) apocalypse ( is actually here …", "(", "… of some (old) apocalypse ", " is actually here …"},
		{"As  reported on", "As  reported", "", " on"},
		{"nothing of it", "(", "", ""},
		{"", "(", "", ""},
		{"all", "", "", ""},
	} {
		if before, after := Marked(c[0], c[1]); before != c[2] || after != c[3] {
			t.Errorf("%q in %q: %q and %q", c[1], c[0], before, after)
		}
	}
}
