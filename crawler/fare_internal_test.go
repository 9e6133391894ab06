package crawler

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/pace"
	"linkstead/crawler/scope"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestPledge: what a host asks for holds from the moment on at which it is known, also if the worker is killed then.
func TestPledge(t *testing.T) {
	clock := storagetest.NewClock()
	db := storagetest.OpenRows(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db"), clock.Now)
	_, err := db.Enqueue(t.Context(), []storage.Task{{Host: "a.test", Run: 1, ID: 1, URL: "http://a.test/", Kind: "page"}})
	if err != nil {
		t.Fatal(err)
	}
	ls, err := db.Claim(t.Context(), "w", 1, 1, time.Minute)
	if err != nil || len(ls) != 1 {
		t.Fatalf("claimed %+v, %v", ls, err)
	}
	c := &Crawler{Queue: db, Log: slog.New(slog.DiscardHandler), Lease: time.Minute, Now: clock.Now, last: t.Context(), Pace: pace.Limits{RetryAfter: time.Hour}}
	c.held.init(c.Log)
	_, lost := context.WithCancel(t.Context())
	defer lost()
	c.held.add(ls[0], time.Now().Add(time.Minute), c.margin(), lost)
	defer c.held.drop(ls[0])
	spec := scope.Default()
	spec.Source = "http://a.test/"
	compiled, err := spec.Compile()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{}
	r.scope.Store(compiled)
	h := &host{c: c, lease: ls[0]}
	head, err := httpmsg.ParseHead([]byte("HTTP/1.1 503 Busy\r\nRetry-After: 600\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	after, again := h.fares(r, &warc.Exchange{URL: "http://a.test/", Head: head, Outcome: outcome.Captured})
	if want := clock.Now().Add(10 * time.Minute); !after.Equal(want) || !again {
		t.Errorf("to be tried again after %s, %v; want %s", after, again, want)
	}
	if err := db.FreeOwner(t.Context(), "w", clock.Now()); err != nil { // it was killed, and starts again
		t.Fatal(err)
	}
	clock.Advance(10*time.Minute - time.Second)
	if ls, err := db.Claim(t.Context(), "w", 1, 1, time.Minute); err != nil || len(ls) > 0 {
		t.Errorf("claimed too early: %+v, %v", ls, err)
	}
	clock.Advance(time.Second)
	ls, err = db.Claim(t.Context(), "w", 1, 1, time.Minute)
	if err != nil || len(ls) != 1 || ls[0].Pace.Reason != string(pace.ReasonRetryAfter) {
		t.Errorf("claimed %+v, %v", ls, err)
	}
}
