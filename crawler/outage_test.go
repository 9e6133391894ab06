package crawler_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/warc"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// shut is a blob store that can go away.
type shut struct {
	warc.Store
	away atomic.Bool
}

func (s *shut) Put(ctx context.Context, key, path, sum string) error {
	if s.away.Load() {
		return errors.New("the store is away")
	}
	return s.Store.Put(ctx, key, path, sum)
}

// TestSpoolFull: a worker whose spool is full begins nothing more and gives its hosts back; another one, which has room,
// goes on with them; once segments could be stored, all resumes by itself.
func TestSpoolFull(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	const pages = 60 // more than may be under way before the first one counts
	var links strings.Builder
	for i := range pages {
		fmt.Fprintf(&links, `<a href="{c.test/%d}">x</a>`, i)
		w.page(fmt.Sprintf("c.test/%d", i), "text/plain", body(i))
	}
	w.html("post.test/", "<article>"+links.String()+"</article>")
	dir := archive(t)
	blobs, err := storage.OpenDir(dir, storage.OS{})
	must(t, err)
	store := &shut{Store: blobs}
	store.away.Store(true)
	full := newNode(t, dir, func(p *parts) {
		p.journal.Blobs, p.journal.Budget, p.journal.MaxAge, p.journal.Retry = store, warc.Budget{Max: 40 << 10}, 200*time.Millisecond, 10*time.Millisecond
	})
	s := w.spec("post.test/", "c.test")
	s.DelayMS = 20
	r := full.begin(s)
	work := full.start(t.Context())
	waitFor(t, "the spool is full", func() bool { room, err := full.journal.Room(); must(t, err); return !room })
	waitFor(t, "no host is held", func() bool {
		next, err := full.db.NextDue(t.Context())
		must(t, err)
		return next <= time.Now().UnixMilli()
	})
	asked := len(w.seen(t))
	select {
	case <-time.After(300 * time.Millisecond):
	case <-t.Context().Done():
	}
	if more := len(w.seen(t)) - asked; more != 0 || asked < 2 || asked > pages {
		t.Errorf("%d requests were made before the spool was full, %d after", asked, more)
	}
	other := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "other") })
	ctx, cancel := context.WithCancel(t.Context())
	others := other.start(ctx)
	waitFor(t, "the other one has done the rest", func() bool { return len(w.hits()) == pages+1 })
	if run, err := full.db.Run(t.Context(), r.ID); err != nil || run.State != storage.RunActive {
		t.Errorf("the run is %s while the spool holds a part of it; %v", run.State, err)
	}
	store.away.Store(false)
	must(t, end(t, work))
	must(t, end(t, others))
	cancel()
	full.done(r)
	for i := range pages {
		capture(full, w.at(fmt.Sprintf("c.test/%d", i)))
	}
	for u, n := range w.hits() {
		if n != 1 {
			t.Errorf("%s was asked for %d times", u, n)
		}
	}
}

// body is some 16 KiB that hardly compress, others for each i.
func body(i int) string {
	var sb strings.Builder
	x := uint64(i + 1)
	for sb.Len() < 24<<10 {
		x = x*6364136223846793005 + 1442695040888963407
		fmt.Fprintf(&sb, "%x", x)
	}
	return sb.String()
}

// awayDB is a database that can't be reached: a patient handle waits until it is back, or the context ends.
type awayDB struct {
	*storage.DB
	mu   sync.Mutex
	back chan struct{} // nil while it is there
}

func (a *awayDB) goAway() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.back = make(chan struct{})
}

func (a *awayDB) comeBack() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.back)
	a.back = nil
}

func (a *awayDB) wait(ctx context.Context) error {
	a.mu.Lock()
	back := a.back
	a.mu.Unlock()
	if back == nil {
		return nil
	}
	select {
	case <-back:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the database: %w", ctx.Err())
	}
}

func (a *awayDB) Claim(ctx context.Context, owner string, hosts, each int, ttl time.Duration) ([]storage.Lease, error) {
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return a.DB.Claim(ctx, owner, hosts, each, ttl)
}

func (a *awayDB) Due(ctx context.Context, host string, n int) ([]storage.Task, error) {
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return a.DB.Due(ctx, host, n)
}

func (a *awayDB) Renew(ctx context.Context, held []storage.Lease, ttl time.Duration) ([]storage.Lease, error) {
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return a.DB.Renew(ctx, held, ttl)
}

func (a *awayDB) Release(ctx context.Context, held []storage.Lease, until time.Time) error {
	if err := a.wait(ctx); err != nil {
		return err
	}
	return a.DB.Release(ctx, held, until)
}

func (a *awayDB) Commit(ctx context.Context, p []storage.Progress, e []storage.End) ([]int, error) {
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return a.DB.Commit(ctx, p, e)
}

func (a *awayDB) NextDue(ctx context.Context) (int64, error) {
	if err := a.wait(ctx); err != nil {
		return 0, err
	}
	return a.DB.NextDue(ctx)
}

func (a *awayDB) Active(ctx context.Context) ([]storage.ActiveRun, error) {
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return a.DB.Active(ctx)
}

// awayNode is a worker whose database can go away.
func awayNode(t *testing.T, dir string) (*node, *awayDB) {
	db := &awayDB{}
	n := newNode(t, dir, func(p *parts) {
		db.DB = p.journal.Rows.(*storage.DB)
		p.journal.Rows = db
	})
	n.Queue, n.Tasks, n.Runs = db, db, db
	return n, db
}

// TestLeaseEnds: a worker whose database is away talks to no host after its leases have ended, while others that reach the
// database go on with them; what comes too late counts for nothing, and it goes on when the database is back.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	const delay = 30 * time.Millisecond
	const lease = 1500 * time.Millisecond
	var links strings.Builder
	for i := range 60 {
		fmt.Fprintf(&links, `<img src=/%d.png>`, i)
		w.page(fmt.Sprintf("c.test/%d.png", i), "image/png", "x")
	}
	w.html("c.test/", links.String())
	dir := archive(t)
	n, db := awayNode(t, dir)
	n.Lease = lease
	s := w.spec("c.test/")
	s.DelayMS = delay.Milliseconds()
	r := n.begin(s)
	work := n.start(t.Context())
	waitFor(t, "some are done", func() bool { return len(w.hits()) > 5 })
	db.goAway()
	gone := time.Now()
	other := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "other") })
	others := other.start(t.Context())
	waitFor(t, "the other one has done the rest", func() bool {
		open, err := other.db.Active(t.Context())
		must(t, err)
		return !open[0].Open
	})
	waited := time.Since(gone)
	db.comeBack() // what the first one has goes into the store, and so the run is done
	must(t, end(t, work))
	must(t, end(t, others))
	other.done(r)
	if len(other.events) == 0 || waited < lease/2 {
		t.Errorf("the other worker did %d tasks, after %s", len(other.events), waited)
	}
	w.polite(t, "c.test", delay) // one worker at a time, and no faster than its delay
	again := 0
	for _, k := range w.hits() {
		again += k - 1
	}
	if again > 48 { // what the first one had not acknowledged
		t.Errorf("%d requests were made again", again)
	}
	n.close()
	other.close()
	check := newNode(t, dir)
	for u, cs := range check.closings() {
		if len(cs) != 1 {
			t.Errorf("%s counts %d times", u, len(cs))
		}
	}
}

// TestStopAway: to be stopped while the database is away takes no longer than the grace and the parting, and what was
// under way is recovered by the next start.
func TestStopAway(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<article><a href="{c.test/}">c</a></article>`)
	w.page("c.test/", "text/plain", "c")
	dir := archive(t)
	n, db := awayNode(t, dir)
	n.Grace, n.Parting = 100*time.Millisecond, 100*time.Millisecond
	g := newGate(w, "c.test/")
	r := n.begin(w.spec("post.test/", "c.test"))
	ctx, cancel := context.WithCancel(t.Context())
	work := n.start(ctx)
	<-g.came
	db.goAway()
	close(g.open)
	waitFor(t, "the answer is in the spool", func() bool { return w.seen(t)[1].ended.Before(time.Now()) })
	begun := time.Now()
	cancel()
	if err := end(t, work); err != nil && !errors.Is(err, warc.ErrAbandoned) {
		t.Errorf("work: %v", err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	db.comeBack()
	n.dead = true
	n.close()
	next := newNode(t, dir)
	next.work()
	next.done(r)
	capture(next, w.at("c.test/"))
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s)) // a buffer takes all
	_ = z.Close()             // the same
	return b.Bytes()
}

// TestRobotsOnce: robots.txt is asked for once a run and origin, though the host changes hands and the segment that holds
// it lies in another machine's spool.
func TestRobotsOnce(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	hosts := []string{"a.test", "b.test", "d.test", "e.test"}
	var links strings.Builder
	for _, h := range hosts {
		w.set(h+"/robots.txt", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			rw.Header().Set("Content-Type", "text/plain")
			_, _ = rw.Write(gzipped("User-agent: *\nDisallow: /3\n"))
		})
		for i := range 12 {
			fmt.Fprintf(&links, `<a href="{%s/%d}">x</a>`, h, i)
			w.page(fmt.Sprintf("%s/%d", h, i), "text/plain", "x")
		}
	}
	w.html("post.test/", "<article>"+links.String()+"</article>")
	dir := archive(t)
	one := newNode(t, dir)
	two := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "two") })
	s := w.spec("post.test/", hosts...)
	s.Robots, s.DelayMS = scope.RobotsObey, 30
	r := one.begin(s)
	var g errgroup.Group
	for _, n := range []*node{one, two} {
		n.Hosts, n.Hold = 1, 20*time.Millisecond // a turn is one task or two
		n.Library = &warc.Library{Shelves: n.db, Spool: filepath.Join(dir, "nothing")}
		g.Go(func() error { return n.Work(t.Context(), nil) })
		waitFor(t, "the hosts are known", func() bool { return len(w.hits()) > 3 })
	}
	must(t, g.Wait())
	one.done(r)
	for _, h := range hosts {
		w.polite(t, h, 30*time.Millisecond)
		hits := w.hits()
		if hits[h+"/robots.txt"] != 1 || hits[h+"/3"] != 0 || hits[h+"/5"] != 1 {
			t.Errorf("%s: requests %v", h, hits)
		}
	}
	if a, b := len(one.events), len(two.events); a == 0 || b == 0 {
		t.Errorf("one worker did %d tasks, the other %d", a, b)
	}
	counts, err := one.db.Counts(t.Context(), r.ID, "")
	must(t, err)
	tally, err := one.db.Tally(t.Context(), r.ID)
	must(t, err)
	total := 0
	for _, n := range tally {
		total += n
	}
	if int(counts.Found) != total || int(counts.Ended) != total || counts.Captured != 2+4*12 || counts.Failed != 4 {
		t.Errorf("counts %+v of %d tasks: %v", counts, total, tally)
	}
}

// TestRunPausedElsewhere: a run that another process pauses is not asked for any more, though its tasks were read already;
// resumed, it goes on.
func TestRunPausedElsewhere(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var links strings.Builder
	for i := range 40 {
		fmt.Fprintf(&links, `<img src=/%d.png>`, i)
		w.page(fmt.Sprintf("c.test/%d.png", i), "image/png", "x")
	}
	w.html("c.test/", links.String())
	n := newNode(t, archive(t))
	s := w.spec("c.test/")
	s.DelayMS = 100
	r := n.begin(s)
	never := func(context.Context) (bool, error) { return false, nil }
	ctx, cancel := context.WithCancel(t.Context())
	work := make(chan error, 1)
	go func() { work <- n.Work(ctx, never) }()
	waitFor(t, "some are done", func() bool { return len(w.hits()) > 3 })
	must(t, n.db.PauseRun(t.Context(), r.ID))
	var before int
	waitFor(t, "the pause is noticed", func() bool { // for longer than the delay, nothing is asked
		before = len(w.hits())
		select {
		case <-time.After(400 * time.Millisecond):
		case <-t.Context().Done():
		}
		return len(w.hits()) == before
	})
	if before > 30 {
		t.Errorf("%d were asked for before the pause was noticed", before)
	}
	must(t, n.db.ResumeRun(t.Context(), r.ID))
	waitFor(t, "it goes on", func() bool { return len(w.hits()) > before })
	cancel()
	must(t, end(t, work))
}
