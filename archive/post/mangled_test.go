package post

import "testing"

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
