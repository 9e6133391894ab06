package post

import (
	"strings"
	"testing"
)

// The rule files carry their fixtures.
func TestLeftOutRules(t *testing.T) {
	for _, r := range leftOutRules {
		if len(r.hits) == 0 || len(r.misses) == 0 {
			t.Errorf("rule %s has too few fixtures", r.name)
		}
		for _, f := range r.hits {
			if got := apply(f); got != r.name {
				t.Errorf("%s: %s is left out as %q", r.name, f, got)
			}
		}
		for _, f := range r.misses {
			if got := apply(f); got != "" {
				t.Errorf("%s: %s is left out as %q", r.name, f, got)
			}
		}
	}
}

// apply judges a fixture: "URL | text=… | class=… | rel=… | content".
func apply(fixture string) string {
	parts := strings.Split(fixture, " | ")
	l := link{url: parts[0], own: true}
	class := ""
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(p, "=")
		switch key {
		case "text":
			l.text = value
		case "class":
			class = value
		case "rel":
			l.rel = strings.Fields(value)
		case "content":
			l.own = false
		}
	}
	if name := ruleByClass(class, ""); name != "" {
		return name
	}
	return leftOut(l)
}

func TestMementoRules(t *testing.T) {
	for _, r := range archiveRules {
		if len(r.hits) == 0 || len(r.misses) == 0 {
			t.Errorf("rule %s has too few fixtures", r.name)
		}
		for _, h := range r.hits {
			memento, original, _ := strings.Cut(h, " ")
			if got, ok := Unwrap(memento); !ok || got != original {
				t.Errorf("%s: %s is unwrapped to %q, not %q", r.name, memento, got, original)
			}
			if !r.pattern.MatchString(memento) {
				t.Errorf("%s does not match its own %s", r.name, memento)
			}
		}
		for _, m := range r.misses {
			if got, ok := Unwrap(m); ok {
				t.Errorf("%s: %s is unwrapped to %q", r.name, m, got)
			}
		}
	}
}
