package warc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// story is a short life of a journal that fails somewhere: two segments, a revisit across them, a lease that is lost.
type story struct {
	*world
	run  storage.Run
	all  map[string]string // bodies by URL
	lost string            // the URL whose lease is lost
	life context.Context   // ends when the process crashes: a dead one waits for nothing
	die  func()
}

func newStory(w *world) *story {
	s := &story{world: w, all: map[string]string{}, lost: "http://lost.test/"}
	s.life, s.die = context.WithTimeout(context.Background(), 2*time.Minute)
	w.t.Cleanup(s.die)
	s.run = w.run("default", append(urls(3, 2), s.lost)...)
	for i, url := range urls(3, 2) {
		s.all[url] = fmt.Sprintf("body %d", i/2)
	}
	return s
}

// play goes as far as it comes and tells the first error.
func (s *story) play() error {
	lost := s.entry(s.run, s.lost, okResponse("body 0"))
	lost.Meta.Token++
	for i, url := range urls(3, 2) {
		err := s.one(s.entry(s.run, url, okResponse(s.all[url])))
		if err == nil && i == 0 {
			if err = s.one(lost); err == nil {
				err = s.flushSoon()
			}
		}
		if err != nil {
			return err
		}
	}
	return s.flushSoon()
}

func (s *story) one(e *Entry) error {
	wait, err := s.append(e)
	if err == nil {
		_, err = wait()
	}
	return err
}

func (s *story) flushSoon() error { return s.j.FlushAll(s.life) }

// goOn starts anew over a sound file system, checks what is there, captures the rest, and checks again.
func (s *story) goOn() {
	t := s.t
	t.Helper()
	acked := maps.Clone(s.acked)
	s.fs, s.tune = storage.OS{}, nil
	if r := s.again(); len(r.Missing) > 0 {
		t.Errorf("missing: %v", r.Missing)
	}
	s.accounts(s.run, acked, s.all)
	for url, body := range s.all {
		if len(s.captures("default", url)) == 0 {
			s.add(s.entry(s.run, url, okResponse(body)))
		}
	}
	s.settled()
	s.accounts(s.run, s.all, s.all)
	if cs := s.captures("default", s.lost); len(cs) != 0 {
		t.Errorf("a lost lease has captures: %+v", cs)
	}
	live := s.unvoided()
	if live[s.lost] != 0 {
		t.Errorf("an exchange whose lease was lost is not voided")
	}
	for url := range s.all {
		if n := live[url]; n != 1 {
			t.Errorf("%s stands %d times in the segments", url, n)
		}
	}
}

// unvoided counts the exchanges in the store that a rebuild takes.
func (w *world) unvoided() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, name := range w.published() {
		f, err := os.Open(name)
		must(w.t, err)
		st, err := f.Stat()
		must(w.t, err)
		for u, err := range Exchanges(f, 0, st.Size()) {
			must(w.t, err)
			if u.Closing != nil && !u.Voided {
				out[u.URL()]++
			}
		}
		must(w.t, f.Close())
	}
	return out
}

// TestFaults fails each file-system operation in turn. Whatever fails: nothing acknowledged is lost, the journal takes
// nothing more after a failure to write or sync, what can't be stored is tried again, and the next start goes on.
func TestFaults(t *testing.T) {
	for _, p := range []storagetest.Point{
		{Op: storagetest.OpOpen}, {Op: storagetest.OpWrite}, {Op: storagetest.OpWrite, When: storagetest.Half},
		{Op: storagetest.OpSync}, {Op: storagetest.OpSync, When: storagetest.After},
		{Op: storagetest.OpLink}, {Op: storagetest.OpLink, When: storagetest.After}, {Op: storagetest.OpRemove},
		{Op: storagetest.OpSyncDir}, {Op: storagetest.OpClose},
	} {
		t.Run(strings.TrimSuffix(p.String(), ":0"), func(t *testing.T) {
			t.Parallel()
			p.N = 1 + rand.IntN(stride)
			for ; oneFault(t, p); p.N += stride {
			}
		})
	}
}

func oneFault(t *testing.T, p storagetest.Point) (reached bool) {
	fsys := new(switchFS).to(storage.OS{})
	w := newWorld(t, fsys, nil)
	s := newStory(w)
	f := storagetest.NewFaultFS(storage.OS{}, p, nil)
	fsys.to(f)
	err := s.play()
	switch {
	case p.Op == storagetest.OpWrite && f.Seen() >= p.N && err == nil:
		t.Errorf("%s: a write failed and nobody was told", p)
	case err != nil && !errors.Is(err, storagetest.ErrInjected):
		t.Errorf("%s: %v", p, err)
	case err != nil:
		// It stays stopped, and says why.
		again := w.j.Append(context.Background(), w.entry(s.run, "http://h0.test/0", okResponse("x")), func(bool, error) {})
		if !errors.Is(again, storagetest.ErrInjected) || !strings.Contains(again.Error(), "until the next start") {
			t.Errorf("%s: after a failure: %v", p, again)
		}
	}
	w.published()
	s.goOn()
	must(t, w.stop())
	if t.Failed() {
		t.Fatalf("failed at %s; the log:\n%s", p, w.log)
	}
	return f.Seen() >= p.N
}

// switchFS is a file system that can be exchanged for another.
type switchFS struct{ now atomic.Pointer[storage.FS] }

func (s *switchFS) to(fsys storage.FS) *switchFS {
	s.now.Store(&fsys)
	return s
}

func (s *switchFS) OpenFile(name string, flag int, perm os.FileMode) (storage.File, error) {
	return (*s.now.Load()).OpenFile(name, flag, perm)
}
func (s *switchFS) Link(from, to string) error { return (*s.now.Load()).Link(from, to) }
func (s *switchFS) Remove(name string) error   { return (*s.now.Load()).Remove(name) }
func (s *switchFS) SyncDir(name string) error  { return (*s.now.Load()).SyncDir(name) }

// TestFaultTruncate: a torn write that can't be cut off again is cut off by the next start.
func TestFaultTruncate(t *testing.T) {
	torn := storagetest.NewFaultFS(storage.OS{}, storagetest.Point{Op: storagetest.OpWrite, Suffix: segmentSuffix, N: 4, When: storagetest.Half}, nil)
	stuck := storagetest.NewFaultFS(torn, storagetest.Point{Op: storagetest.OpTruncate, N: 1, Rest: true}, nil)
	s := newStory(newWorld(t, stuck, nil))
	if err := s.play(); !errors.Is(err, storagetest.ErrInjected) || stuck.Seen() == 0 {
		t.Errorf("played on: %v", err)
	}
	if err := s.stop(); err == nil {
		t.Error("a failed journal closes without a word")
	}
	must(t, s.start())
	if _, err := s.j.Recover(t.Context()); !errors.Is(err, storagetest.ErrInjected) {
		t.Errorf("recovery that can't cut: %v", err)
	}
	s.goOn()
}

// TestFaultStore: puts that fail, or whose answer is lost, are tried again until the store is back; one that finds the key
// taken is given up, and the rest goes on.
func TestFaultStore(t *testing.T) {
	for _, p := range []string{"put:1", "put:2:after", "put:1+"} {
		point, err := storagetest.ParsePoint(p)
		must(t, err)
		w := newWorld(t, nil, func(parts *JournalParts) {
			parts.Blobs = storagetest.NewFaultBlobs(parts.Blobs.(storagetest.BlobStore), point, nil)
		})
		s := newStory(w)
		if point.Rest {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			w.page(s.run, "http://h0.test/0", "body 0")
			if err := w.j.FlushAll(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a store that stays away: %v", err)
			}
			cancel()
			w.reads(w.capture("default", "http://h0.test/0"), "body 0")
			if _, err := w.append(w.entry(s.run, "http://h1.test/1", okResponse("body 0"))); err != nil {
				t.Errorf("while the store is away: %v", err)
			}
		} else {
			must(t, s.play())
		}
		s.goOn()
		must(t, w.stop())
	}
}

// TestStoreTaken: other bytes under a segment's key, or a segment that changed on the disk, are for a person to look at.
func TestStoreTaken(t *testing.T) {
	for name, harm := range map[string]func(w *world, s storage.Segment) error{
		"key taken": func(w *world, s storage.Segment) error {
			path := filepath.Join(w.dir, "blobs", SegmentKey(s))
			return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("other"), 0o644))
		},
		"changed": func(w *world, s storage.Segment) error {
			f, err := os.OpenFile(w.spool.Path(s.ID), os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte("?"), 100)
			}
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			r, other := w.run("default", urls(1, 1)...), w.run("other", urls(1, 1)...)
			c, o := w.page(r, urls(1, 1)[0], "one"), w.page(other, urls(1, 1)[0], "two")
			must(t, harm(w, w.segment(c.Segment)))
			for range 2 {
				err := w.j.FlushAll(t.Context())
				if err == nil || !strings.Contains(err.Error(), "stays in") || !strings.Contains(err.Error(), c.Segment) {
					t.Errorf("flush: %v", err)
				}
				if s := w.segment(c.Segment); s.State != storage.SegmentSealed || len(w.spooled()) != 1 {
					t.Errorf("segment %+v, spool %v", s, w.spooled())
				}
				w.waitFor(o.Segment, storage.SegmentStored)
				w.again() // and the same once more
			}
		})
	}
}

// TestFaultDatabase: rows that can't be written stop the journal; nothing acknowledged is lost.
func TestFaultDatabase(t *testing.T) {
	for _, table := range []string{"captures", "segments", "closed"} {
		t.Run(table, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			s := newStory(w)
			w.page(s.run, "http://h0.test/0", "body 0")
			raw, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db")+"?_pragma=busy_timeout(5000)")
			must(t, err)
			defer raw.Close()
			fail := func() {
				if table == "closed" {
					must(t, w.db.Close())
					return
				}
				_, err = raw.Exec(`CREATE TRIGGER no BEFORE INSERT ON ` + table + ` BEGIN SELECT RAISE(ABORT, 'no more rows'); END`)
				must(t, err)
			}
			other := w.run("other", "http://h2.test/") // and so a new segment
			fail()
			err = s.one(w.entry(other, "http://h2.test/", okResponse("other")))
			if err == nil || table != "closed" && !strings.Contains(err.Error(), "no more rows") {
				t.Errorf("append: %v", err)
			}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if err := s.one(w.entry(s.run, "http://h1.test/1", okResponse("body 0"))); err == nil {
						t.Error("the journal goes on")
					}
				})
			}
			wg.Wait()
			if err := s.flushSoon(); err == nil {
				t.Error("flush says nothing")
			}
			if table != "closed" {
				_, err = raw.Exec(`DROP TRIGGER no`)
				must(t, err)
			}
			s.goOn()
		})
	}
}
