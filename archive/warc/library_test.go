package warc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
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
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
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

// remembering is a store whose answers pass through bad, and are remembered as a cache does.
type remembering struct {
	*storage.Dir
	bad  func([]byte) []byte
	kept map[string][]byte
}

func (r *remembering) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	at := fmt.Sprint(key, " ", off, " ", n)
	if r.kept[at] == nil {
		in, err := r.Dir.Open(ctx, key, off, n)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		r.kept[at] = r.bad(b)
	}
	return io.NopCloser(bytes.NewReader(r.kept[at])), nil
}

func (r *remembering) Forget(key string) {
	for at := range r.kept {
		if strings.HasPrefix(at, key+" ") {
			delete(r.kept, at)
		}
	}
}

// TestLibraryForgets: a store that answers wrong once is asked once more, at once or, where the payload was on its way
// already, by the next reader.
func TestLibraryForgets(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(3, 2)
	r := w.run("default", u...)
	body, endless := "payload "+noise(40_000), "long "+noise(maxProven+70_000)
	c, long := w.page(r, u[0], body), w.page(r, u[2], endless)
	other := w.page(r, u[1], "another")
	w.settled()
	in, err := w.blobs.Open(t.Context(), w.segment(other.Segment).Location, other.Offset, other.Length)
	must(t, err)
	neighbor, err := io.ReadAll(in)
	must(t, errors.Join(err, in.Close()))
	wrong := 0
	store := &remembering{Dir: w.blobs, kept: map[string][]byte{}}
	w.lib = &Library{Shelves: w.db, Blobs: store, Spool: w.lib.Spool}
	once := func(change func(b []byte) []byte) {
		clear(store.kept)
		wrong = 1
		store.bad = func(b []byte) []byte {
			if wrong--; wrong >= 0 {
				return change(b)
			}
			return b
		}
	}
	for what, change := range map[string]func(b []byte) []byte{
		"nothing":    func([]byte) []byte { return []byte{} },
		"other":      func(b []byte) []byte { return make([]byte, len(b)) },
		"cut":        func(b []byte) []byte { return b[:40] },
		"a neighbor": func([]byte) []byte { return neighbor },
	} {
		once(change)
		if got, err := w.payload(c); err != nil || got != body || wrong >= 0 {
			t.Errorf("%s at first: %d bytes, %v", what, len(got), err)
		}
	}
	once(func(b []byte) []byte { return b[:len(b)-30] })
	w.reads(c, body)
	once(func(b []byte) []byte { return b[:len(b)-30] })
	if _, err := w.payload(long); err == nil {
		t.Error("a payload without its end was passed for whole")
	}
	w.reads(long, endless)
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
