package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// gate is a page that is not served before it is opened.
type gate struct {
	came chan struct{} // one for each request
	open chan struct{}
}

func newGate(w *web, hostPath string) *gate {
	g := &gate{came: make(chan struct{}, 100), open: make(chan struct{})}
	w.set(hostPath, func(rw http.ResponseWriter, r *http.Request) {
		g.came <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
		fmt.Fprint(rw, "open")
	})
	return g
}

// start works in the background.
func (n *node) start(ctx context.Context) <-chan error {
	out := make(chan error, 1)
	go func() { out <- n.Work(ctx, nil) }()
	return out
}

// end waits for a work to end.
func end(t testing.TB, work <-chan error) error {
	t.Helper()
	select {
	case err := <-work:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the work does not end")
		return nil
	}
}

// free checks that no host is held.
func (n *node) free() {
	n.t.Helper()
	if next, err := n.db.NextDue(n.t.Context()); err != nil || next > time.Now().Add(n.Lease/2).UnixMilli() && next != storage.Never {
		n.t.Errorf("a host is still held, until %d, %v", next, err)
	}
}

// TestStop: stopped in the middle, what is under way comes to its end and counts; another worker does the rest.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	g := newGate(w, "c.test/")
	w.html("post.test/", `<article><a href="{c.test/}">c</a> <a href="{c.test/later}">later</a></article>`)
	dir := archive(t)
	n := newNode(t, dir)
	r := n.begin(w.spec("post.test/", "c.test"))
	ctx, cancel := context.WithCancel(t.Context())
	work := n.start(ctx)
	<-g.came
	waitFor(t, "the post is acknowledged", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.events) == 1 })
	cancel()
	select {
	case err := <-work:
		t.Fatalf("the work ended before what was under way: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(g.open)
	must(t, end(t, work))
	capture(n, w.at("c.test/"))
	n.free()
	if tally, err := n.db.Tally(t.Context(), r.ID); err != nil || !maps.Equal(tally, map[string]int{"captured": 2, "pending": 1}) {
		t.Errorf("tally %v, %v", tally, err)
	}
	n.close()
	again := newNode(t, dir)
	if got := again.begin(w.spec("post.test/", "c.test")); got.ID != r.ID {
		t.Errorf("run %d goes on as run %d", r.ID, got.ID)
	}
	again.work()
	again.done(r)
	w.expect(t, "post.test/", "c.test/", "c.test/later")
}

// TestGrace: what does not end in time is given up, leaves nothing behind, and is done by the next worker.
func TestGrace(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	g := newGate(w, "c.test/")
	w.html("post.test/", `<article><a href="{c.test/}">c</a></article>`)
	dir := archive(t)
	n := newNode(t, dir)
	n.Grace = 50 * time.Millisecond
	r := n.begin(w.spec("post.test/", "c.test"))
	ctx, cancel := context.WithCancel(t.Context())
	work := n.start(ctx)
	<-g.came
	cancel()
	must(t, end(t, work))
	n.free()
	close(g.open)
	n.work()
	n.done(r)
	if c := capture(n, w.at("c.test/")); c.Status != 200 {
		t.Errorf("captured as %+v", c)
	}
}

// TestStopAnywhere: wherever it is stopped, no task is lost and none counts twice.
func TestStopAnywhere(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	album(w, "a.test", 15)
	album(w, "b.test", 15)
	w.html("post.test/", `<article><a href="{a.test/}">a</a> <a href="{b.test/}">b</a></article>`)
	n := newNode(t, archive(t))
	n.Grace, n.Hold = 3*time.Millisecond, 50*time.Millisecond
	s := w.spec("post.test/", "a.test", "b.test")
	s.PerHost = 3
	r := n.begin(s)
	for i := range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(5+7*i)*time.Millisecond)
		must(t, end(t, n.start(ctx)))
		cancel()
		n.free()
	}
	n.work()
	n.done(r)
	for u := range w.hits() {
		capture(n, w.at(u))
	}
	if got := len(w.hits()); got != 33 {
		t.Errorf("%d addresses, want 33", got)
	}
}

// TestLeaseLost: the host is leased to somebody else while an exchange is under way. What comes too late counts for
// nothing, and the late worker asks for nothing more.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	for name, lease := range map[string]time.Duration{"noticed on renewal": 300 * time.Millisecond, "noticed at the end": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			g := newGate(w, "c.test/0.png")
			w.html("c.test/", `<img src=/0.png><img src=/1.png><img src=/2.png><img src=/3.png>`)
			dir := archive(t)
			late := newNode(t, dir)
			late.Lease = lease
			s := w.spec("c.test/")
			s.DelayMS = 300 // long enough for the late one to learn that it came too late
			r := late.begin(s)
			work := late.start(t.Context())
			<-g.came
			must(t, late.db.FreeOwner(t.Context(), late.Owner, time.Now()))
			thief := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "thief") })
			stolen := thief.start(t.Context())
			<-g.came // the thief asks, too, if the late one has not come back first
			if lease < time.Second {
				waitFor(t, "the late one gives up", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.under["c.test"] == 1 })
			}
			close(g.open)
			must(t, end(t, stolen))
			must(t, end(t, work))
			thief.done(r)
			late.close()
			thief.close()
			n := newNode(t, dir)
			for i := range 4 {
				capture(n, w.at(fmt.Sprintf("c.test/%d.png", i)))
			}
			for u, cs := range n.closings() {
				if len(cs) != 1 {
					t.Errorf("%s counts %d times in the segments", u, len(cs))
				}
			}
			hits := w.hits()
			if hits["c.test/0.png"] != 2 || hits["c.test/"] != 1 {
				t.Errorf("requests: %v", hits)
			}
			if more := hits["c.test/1.png"] + hits["c.test/2.png"] + hits["c.test/3.png"]; more != 3 {
				t.Errorf("requests: %v; the late one asked on", hits)
			}
		})
	}
}

// TestRenew: a slow exchange outlives many leases, also while the work is to stop.
func TestRenew(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	g := newGate(w, "c.test/")
	dir := archive(t)
	n := newNode(t, dir)
	n.Lease = 1500 * time.Millisecond
	n.begin(w.spec("c.test/"))
	ctx, cancel := context.WithCancel(t.Context())
	work := n.start(ctx)
	<-g.came
	other := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "other") })
	watch := func() {
		for end := time.Now().Add(1800 * time.Millisecond); time.Now().Before(end); {
			if ls, err := other.db.Claim(t.Context(), "other", 10, 10, time.Minute); err != nil || len(ls) > 0 {
				t.Fatalf("the host is up for grabs: %v, %v", ls, err)
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
	}
	watch()
	cancel()
	watch()
	close(g.open)
	must(t, end(t, work))
	capture(n, w.at("c.test/"))
}

// crash is a database that a dying worker reaches no more.
type crash struct {
	*storage.DB
	after int
}

var errCrash = errors.New("the power is gone")

func (c *crash) Commit(ctx context.Context, p []storage.Progress, e []storage.End) ([]int, error) {
	if c.after--; c.after < 0 {
		return nil, errCrash
	}
	return c.DB.Commit(ctx, p, e)
}

func (c *crash) Release(context.Context, []storage.Lease, time.Time) error { return nil }

// TestCrash: a worker dies with leases held and exchanges not acknowledged. The next one of the same node goes on at once,
// and asks again for nothing whose bytes are on the disk.
func TestCrash(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	album(w, "a.test", 14)
	album(w, "b.test", 14)
	w.html("post.test/", `<article><a href="{a.test/}">a</a> <a href="{b.test/}">b</a></article>`)
	dir := archive(t)
	dies := &crash{after: 2}
	n := newNode(t, dir, func(p *parts) {
		dies.DB = p.journal.Rows.(*storage.DB)
		p.journal.Rows = dies
		p.journal.Window = 30 * time.Millisecond // several exchanges are lost together
	})
	n.Queue, n.dead = dies, true
	r := n.begin(w.spec("post.test/", "a.test", "b.test"))
	if err := end(t, n.start(t.Context())); !errors.Is(err, errCrash) {
		t.Fatalf("the work ended with %v", err)
	}
	acknowledged := len(n.events)
	n.close()
	again := newNode(t, dir)
	begun := time.Now()
	again.work()
	if took := time.Since(begun); took > again.Lease/4 {
		t.Errorf("going on took %s", took)
	}
	again.done(r)
	seen := map[string]bool{}
	for _, e := range append(slices.Clone(n.events), again.events...) {
		seen[e.URL] = true
	}
	again.close()
	check := newNode(t, dir)
	hits := w.hits()
	repeated := 0
	for u, k := range hits {
		capture(check, w.at(u))
		repeated += k - 1
	}
	if recovered := len(hits) - len(seen); recovered < 1 {
		t.Errorf("%d of %d captures were recovered, want some", recovered, len(hits))
	}
	if len(hits) != 31 || repeated > 12 { // what was between its first byte and the disk
		t.Errorf("%d addresses, %d of them asked for again, after %d were acknowledged", len(hits), repeated, acknowledged)
	}
	for u, cs := range check.closings() {
		if len(cs) != 1 && !strings.HasPrefix(u, "urn:") {
			t.Errorf("%s counts %d times in the segments", u, len(cs))
		}
	}
}

var _ warc.Rows = (*crash)(nil)
