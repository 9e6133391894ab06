package post

import (
	"strings"
	"testing"
)

// TestMangled: what was meant to be an address and is none is told of, not dropped.
func TestMangled(t *testing.T) {
	doc, err := HTML([]byte(`<article><p>See <a href="http://raw.test:99999/">one</a>, <a href="http://exa mple.test/">two</a>,
		<a href="https:">three</a>, <a href="mailto:a@b.example">mail</a>, <a href="javascript:x()">script</a>.</p></article>`), "http://blog.test/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"http://raw.test:99999/", "http://exa mple.test/", "https:"}
	if len(doc.Citations) != len(want) {
		t.Fatalf("%d citations, want %d: %+v", len(doc.Citations), len(want), doc.Citations)
	}
	for i, c := range doc.Citations {
		if c.URL != want[i] || c.LeftOut != "not an address" || c.Start >= c.End {
			t.Errorf("citation %d: %+v", i, c)
		}
	}
}

// TestTooManyLinks: however a document spells its links, no more of them are read than anybody cites.
func TestTooManyLinks(t *testing.T) {
	const n = MaxLinks + 1000
	o := Options{Links: All}
	for name, read := range map[string]func() (Document, error){
		"closed": func() (Document, error) {
			return HTML([]byte(strings.Repeat("<a href=http://a.example/>a</a> ", n)), "http://b.example/", o)
		},
		"open": func() (Document, error) { return HTML([]byte(strings.Repeat("<a href=x>", n)), "http://b.example/", o) },
		"dois": func() (Document, error) {
			return HTML([]byte("<p>"+strings.Repeat("10.1000/1234 ", n)), "http://b.example/", o)
		},
		"text":       func() (Document, error) { return Text([]byte(strings.Repeat("http://a.example/ ", n)), "", o) },
		"text links": func() (Document, error) { return Text([]byte(strings.Repeat("[a](http://a.example/) ", n)), "", o) },
		"markdown": func() (Document, error) {
			return Markdown([]byte(strings.Repeat("http://a.example/ [a](http://a.example/)\n\n", n)), "", o)
		},
	} {
		d, err := read()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := len(d.Citations); got == 0 || got > MaxLinks {
			t.Errorf("%s: %d citations, at most %d are meant", name, got, MaxLinks)
		}
	}
}
