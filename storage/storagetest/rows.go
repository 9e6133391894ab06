package storagetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"linkstead/storage"
)

// Rows makes an empty database for one test and gives its name for storage.OpenDB. The database goes after the test.
// A backend whose server has a clock of its own must use the clock handed to OpenDB in the suites: they turn it.
type Rows func(t testing.TB) (dsn string)

// Clock is a clock that is turned by hand. It may be read and turned by many goroutines.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock gives a clock that stands at a time with an even number of milliseconds.
func NewClock() *Clock { return &Clock{t: time.UnixMilli(1_700_000_000_000).UTC()} }

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance turns the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// OpenRows opens a database for a test and closes it after the test.
func OpenRows(t testing.TB, dsn string, now func() time.Time) *storage.DB {
	t.Helper()
	db, err := storage.OpenDB(context.Background(), dsn, storage.DBOptions{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// bench is a database with a hand-turned clock, and verbs that fail the test where an error is not expected.
type bench struct {
	*storage.DB
	t     testing.TB
	dsn   string
	clock *Clock
}

func newBench(t testing.TB, rows Rows) *bench {
	t.Helper()
	b := &bench{t: t, dsn: rows(t), clock: NewClock()}
	b.DB = OpenRows(t, b.dsn, b.clock.Now)
	return b
}

func (b *bench) ms() int64 { return b.clock.Now().UnixMilli() }

// task is a task with a made-up address.
func task(host string, run, id, due int64) storage.Task {
	return storage.Task{Host: host, Run: run, ID: id, URL: fmt.Sprintf("http://%s/%d", host, id), Kind: "page", Depth: 1,
		Hops: "L", Via: "http://via.test/", Due: due}
}

func (b *bench) enqueue(tasks ...storage.Task) int {
	b.t.Helper()
	n, err := b.Enqueue(b.t.Context(), tasks)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

const ttl = 30 * time.Second

// claim leases up to n hosts with up to 100 tasks each, in the order of their names.
func (b *bench) claim(n int) []storage.Lease {
	b.t.Helper()
	ls, err := b.Claim(b.t.Context(), "worker", n, 100, ttl)
	if err != nil {
		b.t.Fatal(err)
	}
	slices.SortFunc(ls, func(x, y storage.Lease) int { return slices.Compare([]byte(x.Host), []byte(y.Host)) })
	return ls
}

// claimOne leases a host that must be the only one to be had.
func (b *bench) claimOne(host string) storage.Lease {
	b.t.Helper()
	ls := b.claim(10)
	if len(ls) != 1 || ls[0].Host != host || ls[0].Token <= 0 {
		b.t.Fatalf("claimed %+v, want %s alone", ls, host)
	}
	return ls[0]
}

func (b *bench) claimNone(why string) {
	b.t.Helper()
	if ls := b.claim(10); len(ls) != 0 {
		b.t.Fatalf("%s: claimed %+v, want nothing", why, ls)
	}
}

func (b *bench) release(polite time.Duration, ls ...storage.Lease) {
	b.t.Helper()
	if err := b.Release(b.t.Context(), ls, b.clock.Now().Add(polite)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) commit(progress []storage.Progress, ends ...storage.End) (fenced []int) {
	b.t.Helper()
	fenced, err := b.Commit(b.t.Context(), progress, ends)
	if err != nil {
		b.t.Fatal(err)
	}
	return fenced
}

// done is the end of a task for good.
func done(l storage.Lease, t storage.Task, fresh ...storage.Task) storage.End {
	t.Due, t.Attempts, t.Outcome = storage.Never, t.Attempts+1, "ok"
	return storage.End{Task: t, Token: l.Token, New: fresh}
}

// again is the end of a try that is followed by another one.
func again(l storage.Lease, t storage.Task, due int64) storage.End {
	t.Due, t.Attempts, t.Outcome = due, t.Attempts+1, "timeout"
	return storage.End{Task: t, Token: l.Token}
}

func (b *bench) task(host string, run, id int64) storage.Task {
	b.t.Helper()
	t, err := b.Task(b.t.Context(), host, run, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return t
}

func ids(tasks []storage.Task) []int64 {
	out := make([]int64, len(tasks))
	for i, t := range tasks {
		out[i] = t.ID
	}
	return out
}

// hosts names the hosts of leases.
func hosts(ls []storage.Lease) []string {
	out := make([]string, len(ls))
	for i, l := range ls {
		out[i] = l.Host
	}
	return out
}

func capture(segment string, offset int64, url string, at time.Time) storage.Capture {
	return storage.Capture{Collection: "c", URLKey: "key(" + url + ")", At: at.UTC(), Segment: segment, Offset: offset, Length: 10,
		URL: url, Status: 200, Mime: "text/html", Digest: "sha256:X", Kind: "response", RecordID: "<urn:uuid:1>", Run: 1, Outcome: "ok"}
}

func (b *bench) openSegment(id string) {
	b.t.Helper()
	err := b.OpenSegment(b.t.Context(), storage.Segment{ID: id, Collection: "c", Node: "node", State: storage.SegmentOpen, Created: b.clock.Now()})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) captures(urlkey string) (out []storage.Capture) {
	b.t.Helper()
	for c, err := range b.Captures(b.t.Context(), "c", urlkey) {
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// suite runs tests, each on a database of its own.
func suite(t *testing.T, rows Rows, tests []test) {
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) { c.run(newBench(t, rows)) })
	}
}

type test struct {
	name string
	run  func(*bench)
}
