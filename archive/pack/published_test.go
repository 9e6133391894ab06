package pack_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"linkstead/archive/guard"
	"linkstead/archive/pack"
	"linkstead/storage"
)

// shelf is one as a reader's.
func (w *world) shelf() *pack.Shelf {
	return &pack.Shelf{Store: w.blobs, Readers: &guard.Guard{Rows: w.db, Rules: w.db, Now: w.clock.Now, Fresh: time.Nanosecond}, Now: w.clock.Now}
}

func (w *world) publish(s *pack.Shelf, name string, body []byte) {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "x")
	must(w.t, os.WriteFile(path, body, 0o600))
	sum := sha256.Sum256(body)
	must(w.t, s.Put(w.t.Context(), name, path, hex.EncodeToString(sum[:])))
}

// TestShelf: a published file is given out as long as readers may see all that is in it.
func TestShelf(t *testing.T) {
	t.Parallel()
	w := mixed(t)
	s := w.shelf()
	raw := w.wacz(pack.Package{Title: "All of it"})
	w.publish(s, "all.wacz", raw)
	p, err := s.Look(t.Context(), "all.wacz")
	if err != nil || p.Title != "All of it" || p.Collection != collection || p.Size != int64(len(raw)) || p.Created.IsZero() || len(p.Tag) != 34 {
		t.Fatalf("%+v, %v", p, err)
	}
	in, err := s.Open(t.Context(), "all.wacz", -22, -1)
	must(t, err)
	tail, err := io.ReadAll(in)
	if must(t, errors.Join(err, in.Close())); string(tail) != string(raw[len(raw)-22:]) {
		t.Errorf("%x", tail)
	}
	for _, name := range []string{"none.wacz", "../all.wacz", "all", "", "ALL.wacz", ".wacz"} {
		if _, err := s.Look(t.Context(), name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	w.publish(s, "broken.wacz", []byte("PK\x03\x04 and no more"))
	bad := 0
	list, err := s.List(t.Context(), func(string, error) { bad++ })
	if err != nil || len(list) != 1 || bad != 1 {
		t.Errorf("%+v, %v, %d", list, err, bad)
	}
	// An answer to POST is found again by its own key, so that a rule about something else closes nothing.
	w.hide("never.test")
	if _, err := s.Look(t.Context(), "all.wacz"); err != nil {
		t.Error(err)
	}
	if has, err := s.Has(t.Context(), "all.wacz"); !has || err != nil {
		t.Error(has, err)
	}
	must(t, s.Take(t.Context(), "all.wacz"))
	if _, err := s.Look(t.Context(), "all.wacz"); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if err := s.Take(t.Context(), "all.wacz"); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
}

// TestShelfCloses: a rule closes at once what holds anything that it is about, whichever way it is kept.
func TestShelfCloses(t *testing.T) {
	t.Parallel()
	for _, about := range []string{"http://other.test/again", "http://blog.test/api", "[::1]", "http://blog.test/same", "*"} {
		w := mixed(t)
		s := w.shelf()
		w.publish(s, "all.wacz", w.wacz(pack.Package{}))
		_, err := s.Look(t.Context(), "all.wacz")
		must(t, err)
		w.hide(about)
		if p, err := s.Look(t.Context(), "all.wacz"); !errors.Is(err, pack.ErrClosed) || !p.Closed {
			t.Errorf("%s: %+v, %v", about, p, err)
		}
		if _, err := (&pack.Shelf{Store: w.blobs, Now: w.clock.Now}).Look(t.Context(), "all.wacz"); err != nil {
			t.Errorf("%s: the archivist does not get it: %v", about, err)
		}
	}
}

// TestShelfPurged: what was taken out of the archive is not given out in an export either, some time later at most.
func TestShelfPurged(t *testing.T) {
	t.Parallel()
	w := mixed(t)
	s := w.shelf()
	w.publish(s, "all.wacz", w.wacz(pack.Package{}))
	_, err := s.Look(t.Context(), "all.wacz")
	must(t, err)
	s.Readers = without{s.Readers, "test,other)/again"}
	w.clock.Advance(2 * time.Hour)
	if _, err := s.Look(t.Context(), "all.wacz"); !errors.Is(err, pack.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// without is an index of which an address was purged.
type without struct {
	pack.Readers
	key string
}

func (w without) Captures(ctx context.Context, collection, key string) iter.Seq2[storage.Capture, error] {
	if key == w.key {
		return func(func(storage.Capture, error) bool) {}
	}
	return w.Readers.Captures(ctx, collection, key)
}
