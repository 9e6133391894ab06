package post

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestTangled: what no person writes, and a Markdown parser takes hours for, is read as plain text; long lists are not.
func TestTangled(t *testing.T) {
	link := "\n\nSee http://a.test/x for that."
	for name, text := range map[string]string{
		"links": strings.Repeat("[a](", 100_000), "brackets": strings.Repeat("/[", 100_000), "quotes": strings.Repeat("> ", 100_000),
		"lists": strings.Repeat("1. ", 100_000), "definitions": strings.Repeat("[x]: y\n", 50_000), "long": strings.Repeat("x\n", maxMarkdown/2+1),
	} {
		if !tangled(text) {
			t.Errorf("%s: is parsed", name)
			continue
		}
		d, err := Markdown([]byte(text+link), "http://b.test/", Options{})
		if err != nil || len(d.Citations) == 0 || d.Citations[len(d.Citations)-1].URL != "http://a.test/x" {
			t.Errorf("%s: %d citations, %v", name, len(d.Citations), err)
		}
	}
	var list strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&list, "- [%d](http://a.test/%d)\n    - > (so) [it](/) is\n", i, i)
	}
	for _, text := range []string{list.String(), "> > > a\n", strings.Repeat("A paragraph with [one](/x) link.\n\n", 10_000), "---- - - - ----\n"} {
		if tangled(text) {
			t.Errorf("%.60q is not parsed", text)
		}
	}
}

// TestExpired: a page whose reader would wait no longer is given up.
func TestExpired(t *testing.T) {
	asked := 0
	o := Options{Expired: func() bool { asked++; return asked > 3 }}
	src := []byte(strings.Repeat("<p><a href=/x>x</a>", 50_000))
	if d, err := HTML(src, "http://a.test/", o); !errors.Is(err, ErrSlow) || len(d.Citations) > 0 {
		t.Errorf("%d citations, %v", len(d.Citations), err)
	}
	if asked != 4 {
		t.Errorf("it was asked %d times", asked)
	}
}
