package warc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// emptyDB makes a database with nothing but its schema, once: migrating takes most of a short test's time.
var emptyDB = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "linkstead-schema-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	db, err := storage.OpenDB(context.Background(), "sqlite:"+path, storage.DBOptions{})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// world is an archive in a folder, with all that a journal needs. It can be stopped and started again.
type world struct {
	t      testing.TB
	dir    string
	vfs    string // of SQLite; empty: its own
	fs     storage.FS
	clock  *storagetest.Clock
	log    *logBuffer
	tune   func(*JournalParts) // the journal's settings that a test wants otherwise
	db     *storage.DB
	spool  *storage.Spool
	blobs  *storage.Dir
	j      *Journal
	lib    *Library
	parts  JournalParts
	tokens map[string]int64 // leases, by host
	mu     sync.Mutex
	acked  map[string]string // bodies of what was acknowledged, by URL
	ends   map[string]int    // how often done was called
	errs   []error           // that done told
}

type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fastDir is a folder for a test: in memory if the system has such a place, since these tests sync thousands of times and
// no machine stops under them.
func fastDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "linkstead-test-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// newWorld is a fresh archive whose changes go through fsys (nil: the machine's own).
func newWorld(t testing.TB, fsys storage.FS, tune func(*JournalParts)) *world {
	t.Helper()
	dir := fastDir(t)
	empty, err := emptyDB()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "linkstead.db"), empty, 0o644))
	w := worldIn(t, dir, fsys, tune)
	must(t, w.start())
	return w
}

func worldIn(t testing.TB, dir string, fsys storage.FS, tune func(*JournalParts)) *world {
	if fsys == nil {
		fsys = storage.OS{}
	}
	w := &world{t: t, dir: dir, fs: fsys, clock: storagetest.NewClock(), log: &logBuffer{}, tune: tune,
		tokens: map[string]int64{}, acked: map[string]string{}, ends: map[string]int{}}
	t.Cleanup(func() { _ = w.stop() })
	return w
}

// start opens everything. What was opened before an error is closed by stop.
func (w *world) start() (err error) {
	if w.db, err = storage.OpenDB(context.Background(), "sqlite:"+filepath.Join(w.dir, "linkstead.db"), storage.DBOptions{Now: w.clock.Now, VFS: w.vfs}); err != nil {
		return err
	}
	if w.spool, err = storage.HoldSpool(filepath.Join(w.dir, "spool"), w.fs); err != nil {
		return err
	}
	if w.blobs, err = storage.OpenDir(filepath.Join(w.dir, "blobs"), w.fs); err != nil {
		return err
	}
	w.parts = JournalParts{
		Rows: w.db, Segments: w.db, Shelves: w.db, Blobs: w.blobs, Spool: w.spool,
		Composer: &Composer{Dir: w.spool.Temp(), Memory: 64 << 10}, Info: Info{Software: "linkstead/test", Robots: "obey"},
		MaxSize: 1 << 30, MaxAge: time.Hour, Window: time.Millisecond, Retry: time.Millisecond, Now: w.clock.Now,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	if w.tune != nil {
		w.tune(&w.parts)
	}
	w.j = NewJournal(w.parts)
	w.lib = &Library{Shelves: w.db, Blobs: w.blobs, Spool: filepath.Join(w.dir, "spool")}
	return nil
}

// stop ends everything at once, as far as it was started: what is not stored waits in the spool.
func (w *world) stop() error {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	var err error
	if w.j != nil {
		if err = w.j.Close(gone); errors.Is(err, context.Canceled) {
			err = nil // as it was told to
		}
	}
	if w.spool != nil {
		err = errors.Join(err, w.spool.Close())
	}
	if w.db != nil {
		err = errors.Join(err, w.db.Close())
	}
	w.j, w.spool, w.db = nil, nil, nil
	return err
}

// again stops and starts, and recovers.
func (w *world) again() Recovered {
	w.t.Helper()
	_ = w.stop()
	must(w.t, w.start())
	r, err := w.j.Recover(context.Background())
	must(w.t, err)
	return r
}

// run starts a run whose first tasks are the URLs, and leases every host that has something due.
func (w *world) run(collection string, urls ...string) storage.Run {
	w.t.Helper()
	var first []storage.Task
	for _, u := range urls {
		first = append(first, storage.Task{Host: urlkey.Host(u), ID: urlkey.ID(u), URL: u, Kind: "page", Due: 1})
	}
	r, err := w.db.StartRun(context.Background(), storage.Run{Collection: collection, Source: urls[0], Spec: []byte(`{"depth":1}`),
		Started: w.clock.Now()}, nil, first)
	must(w.t, err)
	w.lease()
	return r
}

// lease takes the leases of all hosts that are due and free.
func (w *world) lease() {
	w.t.Helper()
	leases, err := w.db.Claim(context.Background(), w.spool.Node(), 1000, 1, 1000*time.Hour)
	must(w.t, err)
	for _, l := range leases {
		w.tokens[l.Host] = l.Token
	}
}

// entry is what the task of a URL yielded: an exchange with this response.
func (w *world) entry(r storage.Run, url, response string) *Entry {
	w.t.Helper()
	host, id := urlkey.Host(url), urlkey.ID(url)
	e := &Entry{Collection: r.Collection, Exchange: exchangeOf(w.t, url, response),
		Task: storage.Task{Host: host, Run: r.ID, ID: id, URL: url, Kind: "page", Due: 1},
		Meta: Meta{Run: r.ID, Host: host, Task: id, Token: w.tokens[host], Kind: "page", Attempt: 1}}
	e.Exchange.At = w.clock.Now().UTC()
	e.Meta.Mime = e.Exchange.Head.Mime()
	return e
}

// append appends an entry and notes its end; wait waits for it.
func (w *world) append(e *Entry) (wait func() (held bool, err error), err error) {
	type end struct {
		held bool
		err  error
	}
	ended := make(chan end, 2)
	err = w.j.Append(context.Background(), e, func(held bool, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ends[e.Task.URL]++
		if held && err == nil {
			w.acked[e.Task.URL] = bodyOf(w.t, e)
		} else if err != nil {
			w.errs = append(w.errs, err)
		}
		ended <- end{held, err}
	})
	return func() (bool, error) {
		select {
		case r := <-ended:
			return r.held, r.err
		case <-time.After(20 * time.Second):
			return false, errors.New("done was never called")
		}
	}, err
}

// add appends an entry and waits until it counts.
func (w *world) add(e *Entry) {
	w.t.Helper()
	wait, err := w.append(e)
	must(w.t, err)
	if held, err := wait(); !held || err != nil {
		w.t.Fatalf("%s: held %v, %v", e.Task.URL, held, err)
	}
}

// page adds an exchange that was answered with a body.
func (w *world) page(r storage.Run, url, body string) storage.Capture {
	w.t.Helper()
	w.add(w.entry(r, url, okResponse(body)))
	return w.capture(r.Collection, url)
}

func (w *world) flush() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	must(w.t, w.j.FlushAll(ctx))
}

// bodyOf is the payload of an entry.
func bodyOf(t testing.TB, e *Entry) string {
	if e.Resource != nil {
		return string(e.Resource.Body)
	}
	if e.Exchange.Head.Len == 0 {
		return ""
	}
	b, err := io.ReadAll(e.Exchange.Response.From(e.Exchange.Head.Len))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// captures brings the captures of exactly this URL.
func (w *world) captures(collection, url string) (out []storage.Capture) {
	w.t.Helper()
	for c, err := range w.db.Captures(context.Background(), collection, urlkey.Key(url)) {
		must(w.t, err)
		if c.URL == url {
			out = append(out, c)
		}
	}
	return out
}

func (w *world) capture(collection, url string) storage.Capture {
	w.t.Helper()
	cs := w.captures(collection, url)
	if len(cs) != 1 {
		w.t.Fatalf("%s has %d captures: %+v", url, len(cs), cs)
	}
	return cs[0]
}

// payload reads a capture back.
func (w *world) payload(c storage.Capture) (string, error) {
	m, err := w.lib.Open(context.Background(), c)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(m.Payload)
	return string(b), errors.Join(err, m.Close())
}

// reads fails the test unless a capture reads back as body.
func (w *world) reads(c storage.Capture, body string) {
	w.t.Helper()
	got, err := w.payload(c)
	if err != nil || got != body {
		w.t.Errorf("%s (%s) reads back as %.40q, %v; want %.40q", c.URL, c.Kind, got, err, body)
	}
}

func (w *world) segment(id string) storage.Segment {
	w.t.Helper()
	s, err := w.db.Segment(context.Background(), id)
	must(w.t, err)
	return s
}

func (w *world) spooled() []string {
	names, err := filepath.Glob(filepath.Join(w.dir, "spool", "*.warc.gz"))
	must(w.t, err)
	return names
}

// published are the files of the blob store; each must be a whole and right segment.
func (w *world) published() (names []string) {
	w.t.Helper()
	must(w.t, filepath.WalkDir(filepath.Join(w.dir, "blobs"), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !strings.HasSuffix(name, segmentSuffix) {
			w.t.Errorf("the store holds %s", name)
			return nil
		}
		names = append(names, name)
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		faults, err := Verify(bytes.NewReader(b), int64(len(b)))
		if len(faults) > 0 {
			w.t.Errorf("the store holds a segment with faults: %s: %+v", name, faults)
		}
		return err
	}))
	return names
}

// settled stores everything and checks that nothing is left over.
func (w *world) settled() {
	w.t.Helper()
	w.flush()
	ss, err := w.db.Segments(context.Background())
	must(w.t, err)
	for _, s := range ss {
		if s.State != storage.SegmentStored {
			w.t.Errorf("segment %s is %s", s.ID, s.State)
		}
	}
	if left := w.spooled(); len(left) > 0 {
		w.t.Errorf("the spool still holds %v", left)
	}
	if n := len(w.published()); n != len(ss) {
		w.t.Errorf("%d segments in the store, %d rows", n, len(ss))
	}
}

// accounts checks every task of a run: what was acknowledged is there once, reads back and is done; the rest is there
// once and done, or not at all and open.
func (w *world) accounts(r storage.Run, acked map[string]string, all map[string]string) {
	w.t.Helper()
	for url, body := range all {
		cs := w.captures(r.Collection, url)
		task, err := w.db.Task(context.Background(), urlkey.Host(url), r.ID, urlkey.ID(url))
		must(w.t, err)
		_, held := acked[url]
		switch {
		case held && len(cs) != 1, len(cs) > 1:
			w.t.Errorf("%s: %d captures (acknowledged: %v)", url, len(cs), held)
		case len(cs) == 1:
			w.reads(cs[0], body)
			if task.Due != storage.Never || task.Outcome != string(outcome.Captured) {
				w.t.Errorf("%s: captured, and its task is %+v", url, task)
			}
		case task.Due == storage.Never || task.Outcome != "":
			w.t.Errorf("%s: no capture, and its task has ended: %+v", url, task)
		}
	}
}
