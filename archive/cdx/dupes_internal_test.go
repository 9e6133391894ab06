package cdx

import (
	"fmt"
	"io"
	"net/url"
	"testing"
)

// TestDupesAreBounded: the digests that are counted fit in memory, and those of one key are not those of another.
func TestDupesAreBounded(t *testing.T) {
	q, err := Parse(Wayback, url.Values{"url": {"*"}, "showDupeCount": {"true"}})
	if err != nil {
		t.Fatal(err)
	}
	a := NewAnswer(io.Discard, q)
	for i := range maxDupes + 100 {
		if _, err := a.Add(&Row{Key: "a", Digest: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.dupes) != maxDupes {
		t.Errorf("%d digests are held, want %d", len(a.dupes), maxDupes)
	}
	if _, err := a.Add(&Row{Key: "b", Digest: "1"}); err != nil || len(a.dupes) != 1 {
		t.Errorf("of the next key %d digests are held, %v", len(a.dupes), err)
	}
}
