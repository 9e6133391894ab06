package fulltext_test

import (
	"fmt"
	"strings"
	"testing"

	"linkstead/archive/fulltext"
	"linkstead/storage"
)

// Whether a capture holds quotations is told by its text, also across its parts, and by its document where that does not tell.
func TestHolds(t *testing.T) {
	w := newWorld(t)
	var long strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&long, "word%d ", i)
	}
	across := "" // where the first part ends: longer than what two parts have in common
	for i := 3950; i < 4050; i++ {
		across += fmt.Sprintf("word%d ", i)
	}
	const said = "that nobody knew what to do"
	w.shelf["http://a.test/long"] = "<title>Long</title><nav>the menu says something, too</nav><article><p>" + long.String() + "</p></article>"
	w.shelf["http://a.test/new"] = "<p>They said " + said + " about it."
	w.shelf["http://a.test/huge"] = "<p>" + strings.Repeat("so it goes on ", 1000) + said
	w.shelf["http://a.test/away"] = "elsewhere"
	w.captured(nil, "http://a.test/long")
	w.index()
	w.captured(nil, "http://a.test/new", "http://a.test/huge", "http://a.test/away", "http://a.test/image")
	kept := &fulltext.Reader{Texts: w.db}
	full := &fulltext.Reader{Texts: w.db, Library: w.shelf, MaxInput: 1 << 17, Room: make(chan struct{}, 1)}
	small := &fulltext.Reader{Texts: w.db, Library: w.shelf, MaxInput: 4000}
	for _, c := range []struct {
		in     *fulltext.Reader
		name   string
		quotes []string
		holds  bool
		known  bool
		fails  bool
	}{
		{kept, "long", []string{across}, true, true, false},
		{kept, "long", []string{across, "word8990 word8991 word8992"}, true, true, false},
		{kept, "long", []string{across, "no such words at all"}, false, false, false},
		{full, "long", []string{across, "no such words at all"}, false, true, false},
		{full, "long", []string{"the menu says something, too"}, true, true, false},
		{kept, "new", []string{said}, false, false, false},
		{full, "new", []string{said}, true, true, false},
		{full, "new", []string{"that everybody did what they knew"}, false, true, false},
		{full, "new", nil, false, false, false},
		{full, "huge", []string{said}, true, true, false},
		{small, "huge", []string{said}, false, false, false}, // it stands behind what is read
		{full, "away", []string{said}, false, false, true},
		{full, "image", []string{said}, false, false, true},
	} {
		url := "http://a.test/" + c.name
		holds, known, err := c.in.Holds(t.Context(), storage.Capture{Collection: "c", URL: url, Digest: url, Mime: "text/html", Kind: "response", Status: 200}, c.quotes)
		if holds != c.holds || known != c.known || (err != nil) != c.fails {
			t.Errorf("%s, %.40q: %v, %v, %v", c.name, c.quotes, holds, known, err)
		}
	}
	if len(full.Room) != 0 {
		t.Error("room is not given back")
	}
}
