package crawler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// TestLinkRoom holds what documents with many links take to the room there is.
func TestLinkRoom(t *testing.T) {
	ctx := t.Context()
	room := NewLinkRoom(1 << 20)
	a, b := &warc.Entry{}, &warc.Entry{}
	if got, err := room.claim(ctx, a, 1<<20); got != 1<<20 || err != nil {
		t.Fatal("a document that asks for more than there is got", got, err)
	}
	if got, err := room.claim(ctx, a, 1<<20); got != 1<<20 || err != nil {
		t.Fatal("the same entry, asking again, got", got, err)
	}
	short, stop := context.WithCancel(ctx)
	stop()
	if _, err := room.claim(short, b, 1); !errors.Is(err, context.Canceled) {
		t.Error("a wait that was given up ended with", err)
	}
	room.settle(a, 1<<19)
	room.settle(a, 1<<20) // no more than it holds
	if got, err := room.claim(ctx, b, 1); got != fewLinks+linkRatio || err != nil {
		t.Error("what the first one gave back: got", got, err)
	}
	room.free(a)
	room.free(a)
	room.free(b)
	if len(room.held) != 0 || !room.sem.TryAcquire(room.size) {
		t.Error("not all the room was given back")
	}
	var none *LinkRoom
	none.settle(a, 1)
	none.free(a)
}

// TestDiscoverWithin searches a page of many links, where there is room for all, for few, and none before the work ends.
func TestDiscoverWithin(t *testing.T) {
	const links = 5000
	var page strings.Builder
	for i := range links {
		fmt.Fprintf(&page, `<a href="/page/%d">p</a>`, i)
	}
	d := fetch.Document{URL: "http://a.test/", Status: 200, Mime: "text/html", Body: []byte(page.String())}
	search := func(ctx context.Context, room *LinkRoom) (*warc.Entry, error) {
		spec := scope.Default()
		spec.Source = "http://post.test/"
		s, err := spec.Compile()
		if err != nil {
			t.Fatal(err)
		}
		r := &run{seen: map[int64]bool{}}
		r.scope.Store(s)
		e := &warc.Entry{Task: storage.Task{URL: d.URL, Hops: "L", Depth: 1}}
		return e, (&Crawler{Now: time.Now, Links: room}).discover(ctx, r, e, d)
	}
	for _, c := range []struct {
		room     *LinkRoom
		least    int
		most     int
		leftOut  bool
		heldMost int64
	}{
		{nil, links, links, false, 0},
		{NewLinkRoom(64 << 20), links, links, false, links * (linkCost + linkCopies*64)},
		{NewLinkRoom(1 << 20), 1000, links - 1, true, 1 << 20},
	} {
		e, err := search(t.Context(), c.room)
		if n := len(e.Meta.Outlinks); err != nil || n < c.least || n > c.most {
			t.Errorf("%d links, %v", n, err)
		}
		if got := strings.Contains(strings.Join(e.Meta.Notes, "\n"), "names more than can be kept"); got != c.leftOut {
			t.Errorf("notes %q", e.Meta.Notes)
		}
		if c.room != nil && (c.room.held[e] == 0 || c.room.held[e] > c.heldMost) {
			t.Errorf("%d bytes are held", c.room.held[e])
		}
		c.room.free(e)
	}
	full := NewLinkRoom(1 << 20)
	if _, err := full.claim(t.Context(), &warc.Entry{}, 1<<20); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := search(ctx, full); !errors.Is(err, context.Canceled) {
		t.Error("a search whose wait was given up ended with", err)
	}
}
