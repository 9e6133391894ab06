package post

import (
	"strings"
	"testing"
)

// The rule files carry their fixtures.
func TestLeftOutRules(t *testing.T) {
	for _, r := range leftOutRules {
		if r.Name == "" || len(r.Hits) == 0 || len(r.Miss) == 0 {
			t.Errorf("rule %q has no name or too few fixtures", r.Name)
		}
		for _, f := range r.Hits {
			if got := apply(f); got != r.Name {
				t.Errorf("%s: %+v is left out as %q", r.Name, f, got)
			}
		}
		for _, f := range r.Miss {
			if got := apply(f); got != "" {
				t.Errorf("%s: %+v is left out as %q", r.Name, f, got)
			}
		}
	}
}

func apply(f fixture) string {
	if name := ruleByClass(f.Class, ""); name != "" {
		return name
	}
	return leftOut(link{url: f.URL, text: f.Text, rel: strings.Fields(f.Rel), own: f.From != "content"})
}

func TestMementoRules(t *testing.T) {
	for _, r := range archiveRules {
		for _, h := range r.Hits {
			if got, ok := Unwrap(h[0]); !ok || got != h[1] {
				t.Errorf("%s: %s is unwrapped to %q, not %q", r.Name, h[0], got, h[1])
			}
			if !r.re.MatchString(h[0]) {
				t.Errorf("%s does not match its own %s", r.Name, h[0])
			}
		}
		for _, m := range r.Miss {
			if got, ok := Unwrap(m); ok {
				t.Errorf("%s: %s is unwrapped to %q", r.Name, m, got)
			}
		}
	}
}
