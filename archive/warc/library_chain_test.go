package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
)

// bent are shelves of which some captures refer to others than their rows say.
type bent struct {
	*storage.DB
	to map[string]string // by place
}

func (b bent) CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error) {
	c, err := b.DB.CaptureAt(ctx, segment, offset)
	if to, ok := b.to[location(segment, offset)]; ok {
		c.Kind, c.RefersTo = KindRevisit, to
	}
	return c, err
}

// TestRevisitChains: revisits of revisits lead to the payload, however many they are, with the head that their profiles say;
// those that lead nowhere are found by their digest, and loops end.
func TestRevisitChains(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(2, 1)
	body := "page " + noise(3000)
	r := w.run("default", u...)
	w.add(w.entry(r, u[0], fmt.Sprintf(taggedResponse, len(body), body)))
	original := w.capture("default", u[0])
	w.flush()
	grow := func(chain []storage.Capture, n int) []storage.Capture {
		for i := range n {
			w.clock.Advance(time.Hour)
			last := chain[len(chain)-1]
			w.add(w.unmodified(w.run("default", last.URL), last, strings.ReplaceAll(later304, "X-Own: later", fmt.Sprintf("X-Own: later %d\r\nX-%d: here", i, i))))
			w.flush()
			all := w.captures("default", last.URL)
			chain = append(chain, all[len(all)-1])
		}
		return chain
	}
	// Another address with the same payload and a head of its own, then four times "not modified" since, each by the one before.
	w.add(w.entry(r, u[1], strings.ReplaceAll(fmt.Sprintf(taggedResponse, len(body), body), "X-Own: first", "X-Own: other address\r\nX-Kept: yes")))
	w.flush()
	chain := grow([]storage.Capture{w.capture("default", u[1])}, 4)
	if chain[0].Kind != KindRevisit {
		t.Fatalf("no revisit: %+v", chain[0])
	}
	for i, c := range chain {
		if i > 1 && c.RefersTo != location(chain[i-1].Segment, chain[i-1].Offset) {
			t.Fatalf("%d refers to %s", i, c.RefersTo)
		}
		w.reads(c, body)
	}
	m, err := w.lib.Open(t.Context(), chain[4])
	must(t, err)
	head := m.Original.Updated(m.Head)
	if head.Status != 200 || head.Get("X-Own") != "later 3" || head.Get("X-Kept") != "yes" || head.Get("X-0") != "here" || head.Get("X-2") != "here" || head.Get("Content-Type") != "text/html" {
		t.Errorf("the head is %+v", head)
	}
	must(t, m.Close())

	// What leads nowhere is found by its digest: of a page that was not modified, under its own address.
	none := chain[0]
	none.RefersTo = ""
	if got, err := readAll(t, w.lib, none); err != nil || got != body {
		t.Errorf("by its digest: %.40q, %v", got, err)
	}
	none.Digest = "sha256:UNKNOWN"
	if _, err := readAll(t, w.lib, none); err == nil {
		t.Error("a payload that nobody has is read")
	}
	chain = grow([]storage.Capture{original}, 4)
	at := func(c storage.Capture) string { return location(c.Segment, c.Offset) }
	for name, c := range map[string]struct {
		to   map[string]string
		read storage.Capture
	}{
		"a loop":                       {map[string]string{at(chain[1]): at(chain[3])}, chain[4]},
		"to itself":                    {map[string]string{at(chain[3]): at(chain[3])}, chain[4]},
		"to what refers to it":         {map[string]string{at(chain[3]): at(chain[4])}, chain[4]},
		"to nothing, in the middle":    {map[string]string{at(chain[2]): ""}, chain[4]},
		"to what is not there":         {map[string]string{at(chain[2]): chain[2].Segment + "/1"}, chain[4]},
		"to a segment that is unknown": {map[string]string{at(chain[2]): "none/0"}, chain[4]},
	} {
		lib := &Library{Shelves: bent{w.db, c.to}, Blobs: w.blobs, Spool: w.lib.Spool}
		got, err := readAll(t, lib, c.read)
		if err != nil || got != body {
			t.Errorf("%s: %.40q, %v", name, got, err)
		}
	}
}

func readAll(t *testing.T, l *Library, c storage.Capture) (string, error) {
	t.Helper()
	m, err := l.Open(t.Context(), c)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(m.Payload)
	return string(b), errors.Join(err, m.Close())
}
