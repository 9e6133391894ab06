package crawler

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"linkstead/crawler/scope"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// stopped is a journal that takes nothing any more.
type stopped struct{ Journal }

var errStopped = errors.New("the disk is full")

func (stopped) Room() (bool, error) { return false, errStopped }

// roomy is a journal with room.
type roomy struct{ Journal }

func (roomy) Room() (bool, error) { return true, nil }

// TestMayBegin: no exchange begins under a lease whose time is up by either clock, though its watch has not come yet, as in
// a process that was stopped; nor for a journal that keeps nothing, nor after a failure.
func TestMayBegin(t *testing.T) {
	for name, c := range map[string]struct {
		slept   time.Duration // by the wall clock
		journal Journal
		failed  error
		want    bool
	}{
		"now":                {0, roomy{}, nil, true},
		"after a while":      {30 * time.Second, roomy{}, nil, true},
		"after a long sleep": {70 * time.Second, roomy{}, nil, false},
		"journal stopped":    {0, stopped{}, nil, false},
		"something failed":   {0, roomy{}, errStopped, false},
	} {
		t.Run(name, func(t *testing.T) {
			crawler := &Crawler{Journal: c.journal, Log: slog.New(slog.DiscardHandler), Lease: time.Minute}
			crawler.held.init(crawler.Log)
			work, lost := context.WithCancel(context.Background())
			defer lost()
			l := storage.Lease{Host: "a.test", Token: 1}
			crawler.held.add(l, time.Now().Add(time.Minute), crawler.margin(), lost)
			defer crawler.held.drop(l)
			crawler.held.now = func() time.Time { return time.Now().Round(0).Add(c.slept) }
			h := &host{c: crawler, lease: l, err: c.failed}
			if got := h.may(work); got != c.want {
				t.Errorf("an exchange may begin: %t", got)
			}
			if over := c.slept > time.Minute; over != (work.Err() != nil) {
				t.Errorf("the work under the lease has ended: %v", work.Err())
			}
		})
	}
}

// TestStoppedJournal: a crawler whose journal takes nothing any more does not wait for room, but ends with the reason.
func TestStoppedJournal(t *testing.T) {
	c := &Crawler{Journal: stopped{}}
	if _, err := c.claim(t.Context(), t.Context(), nil, make(chan struct{}, 1)); !errors.Is(err, errStopped) {
		t.Errorf("claim: %v", err)
	}
	h := &host{c: c}
	if _, err := h.serve(t.Context(), t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("serve: %v", err)
	}
}

// TestPromise: before an exchange that a delay follows, the host's row knows that delay; a host that is somebody else's by
// then is asked for nothing.
func TestPromise(t *testing.T) {
	clock := storagetest.NewClock()
	db := storagetest.OpenRows(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db"), clock.Now)
	due := storage.Task{Host: "a.test", Run: 1, ID: 1, URL: "http://a.test/", Kind: "page"}
	_, err := db.Enqueue(t.Context(), []storage.Task{due})
	if err != nil {
		t.Fatal(err)
	}
	claim := func(want int) (l storage.Lease) {
		ls, err := db.Claim(t.Context(), "w", 1, 1, time.Minute)
		if err != nil || len(ls) != want {
			t.Fatalf("claimed %+v, %v", ls, err)
		}
		if want > 0 {
			l = ls[0]
		}
		return l
	}
	c := &Crawler{Queue: db, Log: slog.New(slog.DiscardHandler), Lease: time.Minute}
	c.held.init(c.Log)
	hold := func(l storage.Lease) (*host, context.Context) {
		work, lost := context.WithCancel(t.Context())
		t.Cleanup(lost)
		c.held.add(l, time.Now().Add(time.Minute), c.margin(), lost)
		t.Cleanup(func() { c.held.drop(l) })
		return &host{c: c, lease: l, owed: l.Delay}, work
	}
	spec := scope.Default()
	spec.Source, spec.DelayMS = "http://a.test/", 5000
	compiled, err := spec.Compile()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{}
	r.scope.Store(compiled)
	h, work := hold(claim(1))
	h.slowDown(time.Hour)
	if err := h.promise(work, r); err != nil || work.Err() != nil {
		t.Fatal(err, work.Err())
	}
	if err := db.FreeOwner(t.Context(), "w", clock.Now()); err != nil { // it was killed, and starts again
		t.Fatal(err)
	}
	clock.Advance(time.Hour - time.Second)
	claim(0)
	clock.Advance(time.Second)
	late, work := hold(claim(1))
	if late.owed != time.Hour {
		t.Errorf("the row knows %s", late.owed)
	}
	if err := db.FreeOwner(t.Context(), "w", clock.Now()); err != nil {
		t.Fatal(err)
	}
	late.slowDown(2 * time.Hour)
	if err := late.promise(work, r); err != nil || work.Err() == nil {
		t.Errorf("a lost host: %v, and the work goes on", err)
	}
}
