package crawler

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestSeenIsBounded: beyond its bound the cache learns nothing more, and lets the database decide.
func TestSeenIsBounded(t *testing.T) {
	r := &run{seen: map[int64]bool{}}
	for i := range int64(maxSeen + 1000) {
		r.learn(i)
	}
	if len(r.seen) != maxSeen {
		t.Errorf("%d ids are kept, want %d", len(r.seen), maxSeen)
	}
	tasks := []storage.Task{{ID: 1}, {ID: maxSeen + 1}}
	if got := r.fresh(tasks); len(got) != 1 || got[0].ID != maxSeen+1 {
		t.Errorf("fresh: %+v, want the second alone", got)
	}
}

// TestRobotsWait: a robots.txt that redirects to another host is waited for, ever less often, but not for ever.
func TestRobotsWait(t *testing.T) {
	clock := storagetest.NewClock()
	db := storagetest.OpenRows(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db"), clock.Now)
	h := &host{c: &Crawler{Tasks: db, Now: clock.Now, wake: make(chan struct{}, 1)}, lease: storage.Lease{Host: "a.test"}}
	r := &run{row: storage.Run{ID: 1}}
	url := "http://b.test/page"
	_, err := db.Enqueue(context.Background(), []storage.Task{{Host: "b.test", Run: 1, ID: urlkey.ID(url), URL: url, Kind: "page"}})
	if err != nil {
		t.Fatal(err)
	}
	for last := time.Duration(0); ; {
		p, err := h.robots(context.Background(), r, url)
		if err != nil {
			t.Fatal(err)
		}
		if p.wait == 0 {
			if p.allowed() || !strings.Contains(p.detail, url) {
				t.Errorf("in the end: %+v", p)
			}
			break
		}
		if p.wait < last || p.wait > 10*time.Second {
			t.Fatalf("wait %s after %s", p.wait, last)
		}
		last = p.wait
		clock.Advance(p.wait)
	}
	if waited := r.waited(urlkey.ID(url), clock.Now()); waited > maxRobotsWait+10*time.Second {
		t.Errorf("waited for %s", waited)
	}
}
