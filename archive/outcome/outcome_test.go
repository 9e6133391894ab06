package outcome

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumented holds docs/json.md to the list, word for word and in its order.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(doc), fmt.Sprintf("## Outcomes, list version %d\n", Version))
	if !ok {
		t.Fatalf("docs/json.md does not document version %d", Version)
	}
	var want strings.Builder
	for _, d := range All() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", d.Outcome, d.Meaning)
	}
	if !strings.Contains(table, want.String()) {
		t.Errorf("docs/json.md has another list than this:\n%s", want.String())
	}
}

// TestDescribed holds each word to what is built on it.
func TestDescribed(t *testing.T) {
	seen := map[Outcome]bool{}
	for _, d := range All() {
		if d.Outcome == Pending || seen[d.Outcome] || d.Short == "" || !strings.HasSuffix(d.Meaning, ".") {
			t.Errorf("%+v", d)
		}
		seen[d.Outcome] = true
		if d.Outcome.Describe() != d {
			t.Errorf("%s is described as %+v", d.Outcome, d.Outcome.Describe())
		}
	}
	for o, kept := range map[Outcome]bool{Captured: true, CutShort: true, TooLong: true, TooSlow: true, DNS: false, Robots: false, Pending: false} {
		if o.Kept() != kept {
			t.Errorf("%q: kept is %t", o, o.Kept())
		}
	}
	for o, again := range map[Outcome]bool{Timeout: true, Reset: true, CutShort: true, DNS: false, TLS: false, Captured: false, Robots: false} {
		if o.Retry() != again {
			t.Errorf("%q: retry is %t", o, o.Retry())
		}
	}
	if d := Outcome("strange").Describe(); d.Short != "strange" || d.Kept || d.Retry {
		t.Errorf("an unknown word is described as %+v", d)
	}
}
