package crawler_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/warc"
	"linkstead/crawler"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestLocalFaults: when a part of ours fails, the work ends at once with one clear error; nothing hangs, and what was
// acknowledged stays so.
func TestLocalFaults(t *testing.T) {
	t.Parallel()
	point := func(s string) func(*parts) {
		return func(p *parts) {
			at, err := storagetest.ParsePoint(s)
			if err != nil {
				panic(err)
			}
			p.fs = storagetest.NewFaultFS(storage.OS{}, at, nil)
		}
	}
	for name, c := range map[string]struct {
		change func(*parts)
		during func(*node) // once some exchanges are acknowledged
		says   string
	}{
		"segment can't be made":    {change: point("open@.warc.gz:1"), says: "segment"},
		"segment can't be written": {change: point("write@.warc.gz:9+"), says: "append to segment"},
		"torn write":               {change: point("write@.warc.gz:12:half"), says: "append to segment"},
		"segment can't be synced":  {change: point("sync@.warc.gz:4"), says: "sync segment"},
		"commit fails": {change: func(p *parts) {
			p.journal.Rows = &crash{DB: p.journal.Rows.(*storage.DB), after: 3}
		}, says: errCrash.Error()},
		"database closed": {during: func(n *node) { _ = n.db.Close() }, says: "closed"},
		"spool gone": {change: func(p *parts) { p.limits.Memory = 1 },
			during: func(n *node) { _ = os.RemoveAll(n.spool.Temp()) }, says: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			album(w, "a.test", 14)
			album(w, "b.test", 14)
			w.html("post.test/", `<article><a href="{a.test/}">a</a> <a href="{b.test/}">b</a></article>`)
			dir := archive(t)
			var change []func(*parts)
			if c.change != nil {
				change = append(change, c.change)
			}
			n := newNode(t, dir, change...)
			n.dead = true
			var once sync.Once
			told := 0
			n.Tell = func(crawler.Event) {
				if told++; told >= 5 && c.during != nil {
					once.Do(func() { go c.during(n) })
				}
			}
			s := w.spec("post.test/", "a.test", "b.test")
			s.PerHost, s.DelayMS = 3, 5
			r := n.begin(s)
			err := end(t, n.start(t.Context()))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the work ended with %v; want one error about %q", err, c.says)
			}
			n.close()
			again := newNode(t, dir)
			again.work()
			again.done(r)
			for u := range w.hits() {
				capture(again, w.at(u))
			}
			if got := len(w.hits()); got != 31 {
				t.Errorf("%d addresses, want 31", got)
			}
		})
	}
}

// away is a blob store that can't be reached.
type away struct {
	*storage.Dir
	back  atomic.Bool
	tries atomic.Int32
}

func (a *away) Put(ctx context.Context, key, path, sum string) error {
	a.tries.Add(1)
	if !a.back.Load() {
		return errors.New("the store is away")
	}
	return a.Dir.Put(ctx, key, path, sum)
}

// TestStoreAway: while the blob store is away no run comes to its end, but others go on, and the work can be
// stopped.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", `<p>One.</p>`)
	g := newGate(w, "b.test/")
	dir := archive(t)
	blobs, err := storage.OpenDir(dir, storage.OS{})
	must(t, err)
	store := &away{Dir: blobs}
	n := newNode(t, dir, func(p *parts) { p.journal.Blobs = store })
	n.Grace = 100 * time.Millisecond
	one, two := n.begin(w.spec("a.test/")), n.begin(w.spec("b.test/"))
	ctx, cancel := context.WithCancel(t.Context())
	work := n.start(ctx)
	<-g.came
	waitFor(t, "the store is asked", func() bool { return store.tries.Load() > 1 })
	three := n.begin(w.spec("a.test/three"))
	waitFor(t, "a run that came later is captured", func() bool { return w.hits()["a.test/three"] == 1 })
	close(g.open)
	waitFor(t, "the slow one is captured", func() bool { return len(captures(n, w.at("b.test/"))) == 1 })
	for _, r := range []storage.Run{one, two, three} {
		if r, err = n.db.Run(t.Context(), r.ID); err != nil || r.State != storage.RunActive {
			t.Errorf("run %d is %s, %v, with its captures nowhere but in the spool", r.ID, r.State, err)
		}
	}
	cancel()
	must(t, end(t, work))
	store.back.Store(true)
	n.work()
	for _, r := range []storage.Run{one, two, three} {
		n.done(r)
	}
	w.expect(t, "a.test/", "a.test/three", "b.test/")
}

// asked counts how often the database is asked what is due.
type asked struct {
	*storage.DB
	n atomic.Int32
}

func (a *asked) NextDue(ctx context.Context) (int64, error) {
	a.n.Add(1)
	return a.DB.NextDue(ctx)
}

// TestNoSpin: while all places are taken and others wait for one, nobody looks again and again.
func TestNoSpin(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	g := newGate(w, "a.test/")
	w.html("post.test/", `<article><a href="{a.test/}">a</a> <a href="{b.test/}">b</a> <a href="{c.test/}">c</a></article>`)
	n := newNode(t, archive(t))
	counts := &asked{DB: n.db}
	n.Tasks, n.Hosts = counts, 1
	r := n.begin(w.spec("post.test/", "a.test", "b.test", "c.test"))
	work := n.start(t.Context())
	<-g.came
	waitFor(t, "the post is acknowledged", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.events) >= 1 })
	before := counts.n.Load()
	select {
	case <-time.After(600 * time.Millisecond):
	case <-t.Context().Done():
	}
	if asked := counts.n.Load() - before; asked > 8 {
		t.Errorf("asked %d times in 0.6 s", asked)
	}
	close(g.open)
	must(t, end(t, work))
	n.done(r)
}

// TestEmptyLease: a host without a due task is given back and not claimed again at once.
func TestEmptyLease(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	n := newNode(t, archive(t))
	r := n.begin(w.spec("a.test/"))
	later := storage.Task{Host: "b.test", Run: r.ID, ID: 1, URL: w.at("b.test/"), Kind: "page", Due: time.Now().Add(300 * time.Millisecond).UnixMilli()}
	_, err := n.db.Enqueue(t.Context(), []storage.Task{later})
	must(t, err)
	// The lease of somebody who is gone runs out before anything is due.
	ls, err := n.db.Claim(t.Context(), "gone", 10, 0, 20*time.Millisecond)
	if err != nil || len(ls) == 0 {
		t.Fatalf("claimed %v, %v", ls, err)
	}
	n.work()
	n.done(r)
	w.expect(t, "a.test/")
	if len(n.events) != 2 {
		t.Errorf("%d tasks ended, want 2", len(n.events))
	}
}

var _ warc.Putter = (*away)(nil)
