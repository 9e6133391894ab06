package warc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"linkstead/storage"
)

// TestLibraryPlaces reads captures and revisits wherever their segments lie.
func TestLibraryPlaces(t *testing.T) {
	var away sync.Mutex
	w := newWorld(t, nil, func(p *JournalParts) { p.Blobs = gate{p.Blobs, &away} })
	u := urls(5, 2)
	r := w.run("default", u...)
	first := w.page(r, u[0], "same")
	all := map[string]string{u[0]: "same"}
	w.flush()
	w.clock.Advance(time.Millisecond)
	check := func(where string) {
		t.Helper()
		for url, body := range all {
			w.reads(w.capture("default", url), body)
		}
		if t.Failed() {
			t.Fatal(where)
		}
	}
	check("stored")
	c := w.page(r, u[1], "same") // refers to a stored segment, from an open one
	if c.Kind != KindRevisit || c.Segment == first.Segment {
		t.Errorf("revisit %+v", c)
	}
	all[u[1]] = "same"
	w.add(w.entry(r, u[2], chunkedResponse))
	all[u[2]] = "hello world"
	w.page(r, u[3], "other")
	w.page(r, u[4], "other") // refers to its own segment
	all[u[3]], all[u[4]] = "other", "other"
	check("open")
	away.Lock()
	w.j.mu.Lock()
	w.j.retire("default")
	w.j.mu.Unlock()
	w.waitFor(c.Segment, storage.SegmentSealed)
	check("sealed")
	away.Unlock()
	w.settled()
	check("stored, after its place was known to be the spool")

	m, err := w.lib.Open(t.Context(), c)
	must(t, err)
	if m.Header.Type() != TypeRevisit || m.Head.Status != 200 || m.Original.Get("Content-Length") != "4" || m.Capture != c {
		t.Errorf("memento %+v", m)
	}
	must(t, m.Close())
	must(t, m.Close())
}

// TestLibraryWhileMoving: readers never meet a moment at which a segment is nowhere.
func TestLibraryWhileMoving(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(12, 3)
	r := w.run("default", u...)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i, url := range u {
		body := fmt.Sprint("body ", i/2)
		c := w.page(r, url, body)
		for range 2 {
			wg.Go(func() {
				fresh := &Library{Shelves: w.db, Blobs: w.blobs, Spool: w.lib.Spool} // it has to look where the segment is
				for ctx.Err() == nil {
					m, err := fresh.Open(ctx, c)
					if ctx.Err() != nil {
						return
					}
					if err != nil {
						t.Errorf("%s: %v", url, err)
						return
					}
					got, err := io.ReadAll(m.Payload)
					if err = errors.Join(err, m.Close()); err != nil || string(got) != body {
						t.Errorf("%s reads back as %q, %v", url, got, err)
					}
					if w.segment(c.Segment).State == storage.SegmentStored {
						return
					}
				}
			})
		}
		if i%2 == 1 {
			w.flush()
		}
	}
	wg.Wait()
	w.settled()
}

func TestLibraryElsewhere(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", urls(1, 1)...)
	c := w.page(r, urls(1, 1)[0], "body")
	other := &Library{Shelves: w.db, Blobs: w.blobs, Spool: fastDir(t)}
	if _, err := other.Open(t.Context(), c); !errors.Is(err, ErrElsewhere) {
		t.Errorf("another machine: %v, want ErrElsewhere", err)
	}
	w.flush()
	if _, err := other.Open(t.Context(), c); err != nil {
		t.Errorf("another machine, once it is stored: %v", err)
	}
	c.Segment, c.RecordID = "none", "" // no row tells of it, under whatever name
	if _, err := other.Open(t.Context(), c); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("no such segment: %v, want ErrNotFound", err)
	}
	for _, where := range []string{"", "x", "x/", "/1", "x/y"} {
		c.Kind, c.RefersTo, c.Segment = KindRevisit, where, w.published()[0]
		if _, err := other.Open(t.Context(), c); err == nil {
			t.Errorf("a revisit of %q opens", where)
		}
	}
}

// TestLibraryDamage flips and cuts bytes of a stored capture: reading it fails, or brings the very payload; it never
// panics and never passes other bytes for it.
func TestLibraryDamage(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", urls(2, 2)...)
	body := "payload " + noise(400)
	c := w.page(r, urls(2, 2)[0], body)
	revisit := w.page(r, urls(2, 2)[1], body)
	w.settled()
	name := filepath.Join(w.dir, "blobs", w.segment(c.Segment).Location)
	whole, err := os.ReadFile(name)
	must(t, err)
	must(t, os.Chmod(name, 0o644))
	failed := 0
	try := func(what string, b []byte) {
		t.Helper()
		must(t, os.WriteFile(name, b, 0o644))
		for _, c := range []storage.Capture{c, revisit} {
			got, err := w.payload(c)
			if err == nil && got != body {
				t.Errorf("%s: %s passes %d other bytes for its payload", what, c.Kind, len(got))
			}
			if err != nil {
				failed++
			}
		}
	}
	for i := c.Offset; i < c.Offset+c.Length; i += 7 {
		b := bytes.Clone(whole)
		b[i] ^= 0x55
		try(fmt.Sprint("a flip at ", i-c.Offset), b)
		try(fmt.Sprint("cut at ", i-c.Offset), whole[:i])
	}
	if failed < int(c.Length)/7*3 {
		t.Errorf("only %d readings failed", failed)
	}
	try("whole again", whole)
	w.reads(revisit, body)
	must(t, os.Remove(name))
	if _, err := w.payload(c); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the blob is gone: %v", err)
	}
}
