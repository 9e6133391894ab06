package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/crawler/scope"
	"linkstead/storage"
)

// album is a page with n pictures on its host.
func album(w *web, host string, n int) {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, `<img src="/%d.png">`, i)
		w.page(fmt.Sprintf("%s/%d.png", host, i), "image/png", fmt.Sprint(host, i))
	}
	w.html(host+"/", sb.String())
}

// polite checks, as a host sees it, that none of its requests came sooner than delay after the end of the one before.
func (w *web) polite(t testing.TB, host string, delay time.Duration) (requests int) {
	t.Helper()
	var last visit
	for _, v := range w.seen(t) {
		if v.host != host {
			continue
		}
		if gap := v.begun.Sub(last.ended); requests > 0 && gap < delay {
			t.Errorf("%s: %s came %s after %s, want %s", host, v.path, gap, last.path, delay)
		}
		last = v
		requests++
	}
	return requests
}

// TestPolite: one request at a time and the pause between, while hosts go side by side; also when hosts are given back
// after every request, and by two runs one after the other.
func TestPolite(t *testing.T) {
	t.Parallel()
	const delay = 100 * time.Millisecond
	for name, hold := range map[string]time.Duration{"held": 15 * time.Second, "handed back": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			album(w, "a.test", 6)
			album(w, "b.test", 6)
			w.html("post.test/", `<article><a href="{a.test/}">a</a><a href="{b.test/}">b</a></article>`)
			w.html("post.test/2", `<article><a href="{b.test/}">b</a><a href="{a.test/}">a</a></article>`)
			n := newNode(t, archive(t))
			n.Hold = hold
			for _, source := range []string{"post.test/", "post.test/2"} {
				s := w.spec(source, "a.test", "b.test")
				s.DelayMS, s.Robots = delay.Milliseconds(), scope.RobotsObey
				n.begin(s)
			}
			n.work()
			for host, want := range map[string]int{"a.test": 16, "b.test": 16, "post.test": 4} {
				if got := w.polite(t, host, delay); got != want {
					t.Errorf("%s: %d requests, want %d", host, got, want)
				}
			}
			switches, last := 0, ""
			for _, v := range w.seen(t) {
				if v.host != "post.test" && v.host != last {
					switches++
					last = v.host
				}
			}
			if switches < 10 { // of 31
				t.Errorf("requests went from one host to the other %d times: they don't go side by side", switches)
			}
		})
	}
}

// TestPoliteAcrossWorkers: two workers with spools of their own share a database, and all promises hold between them.
func TestPoliteAcrossWorkers(t *testing.T) {
	t.Parallel()
	const delay = 50 * time.Millisecond
	w := newWeb(t)
	var links strings.Builder
	hosts := []string{"a.test", "b.test", "c.test", "d.test"}
	for _, h := range hosts {
		album(w, h, 8)
		links.WriteString(`<a href="{` + h + `/}">x</a>`)
	}
	w.html("post.test/", "<article>"+links.String()+"</article>")
	w.meet(hosts...) // a worker bears two hosts: it takes two workers to ask all
	dir := archive(t)
	one := newNode(t, dir)
	two := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "spool2") })
	s := w.spec("post.test/", hosts...)
	s.DelayMS = delay.Milliseconds()
	r := one.begin(s)
	var g errgroup.Group
	for _, n := range []*node{one, two} {
		n.Hosts, n.Hold = 2, 60*time.Millisecond
		g.Go(func() error { return n.Work(t.Context(), nil) })
	}
	must(t, g.Wait())
	one.done(r)
	for _, h := range hosts {
		if got := w.polite(t, h, delay); got != 9 {
			t.Errorf("%s: %d requests, want 9", h, got)
		}
	}
	for u, k := range w.hits() {
		if k != 1 {
			t.Errorf("%s was asked for %d times", u, k)
		}
	}
	if a, b := len(one.events), len(two.events); a == 0 || b == 0 || a+b != 37 {
		t.Errorf("one worker did %d tasks, the other %d; want 37 in all", a, b)
	}
}

// TestOnce: many hosts at a time, eight requests at a time to each, and no address is asked for twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	const hosts, pages = 6, 12
	var names []string
	var every strings.Builder
	for h := range hosts {
		names = append(names, fmt.Sprintf("h%d.test", h))
		for p := range pages {
			fmt.Fprintf(&every, `<a href="{h%d.test/%d}">x</a> <img src="{h%d.test/i%d.png}">`, h, p, h, p)
		}
	}
	for _, h := range names {
		for p := range pages {
			w.set(fmt.Sprintf("%s/%d", h, p), slowly(100*time.Millisecond, w.fill(every.String()))) // it names all others
		}
	}
	w.html("post.test/", "<article>"+every.String()+"</article>")
	n := newNode(t, archive(t))
	n.Hold = 200 * time.Millisecond
	s := w.spec("post.test/", names...)
	s.PerHost, s.Depth, s.Scope, s.Robots, s.Sitemaps = 8, 3, scope.BoundAny, scope.RobotsObey, scope.MapsLeave
	n.capture(s)
	hits := w.hits()
	for u, k := range hits {
		if k != 1 {
			t.Errorf("%s was asked for %d times", u, k)
		}
	}
	if want := hosts*(2*pages+1) + 2; len(hits) != want || len(n.events) != want {
		t.Errorf("%d addresses were asked for, %d tasks ended, want %d", len(hits), len(n.events), want)
	}
	w.seen(t)
	for _, h := range names {
		if w.most[h] > 8 {
			t.Errorf("%s: %d requests at a time, want 8 at most", h, w.most[h])
		}
	}
	if w.most[""] < 9 {
		t.Errorf("never more than %d requests at a time: hosts did not go side by side", w.most[""])
	}
}

// slowly serves a page that takes its time.
func slowly(wait time.Duration, text string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
		}
		fmt.Fprint(rw, text)
	}
}

// TestPoliteSeveral: with several at a time, requests to a host still begin a pause apart.
func TestPoliteSeveral(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	w := newWeb(t)
	album(w, "a.test", 8)
	n := newNode(t, archive(t))
	s := w.spec("a.test/")
	s.PerHost, s.DelayMS = 4, delay.Milliseconds()
	n.capture(s)
	seen := w.seen(t)
	first, last := seen[0], seen[len(seen)-1]
	// A busy server may see any of them late, but not all.
	const slow = 200 * time.Millisecond
	if took, least := last.begun.Sub(first.begun), time.Duration(len(seen)-1)*delay; len(seen) < 9 || took < least-slow {
		t.Errorf("%d requests came within %s; a pause apart they take %s", len(seen), took, least)
	}
}

// TestOrder: what the post itself needs comes first, then its links, then what those need.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, `<a href="/page%d">x</a> <img src="/own%d.png">`, i, i)
		w.html(fmt.Sprintf("o.test/page%d", i), fmt.Sprintf(`<img src="/theirs%d.png">`, i))
	}
	w.html("o.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	n.capture(w.spec("o.test/"))
	visits := w.seen(t)
	if len(visits) != 121 {
		t.Fatalf("%d requests, want 121", len(visits))
	}
	early := 0
	for i, v := range visits {
		want := "/"
		for _, c := range []struct {
			from int
			path string
		}{{1, "/own"}, {41, "/page"}, {81, "/theirs"}} {
			if i >= c.from {
				want = c.path
			}
		}
		if !strings.HasPrefix(v.path, want) {
			early++
		}
	}
	if early > 16 { // what is found meanwhile has to wait until those that were read before are done
		t.Errorf("%d of 120 requests came out of turn", early)
	}
}

// meet has the first page of each host wait until all of them are asked for.
func (w *web) meet(hosts ...string) {
	var all sync.WaitGroup
	all.Add(len(hosts))
	met := make(chan struct{})
	go func() { all.Wait(); close(met) }()
	for _, h := range hosts {
		w.mu.Lock()
		page := w.pages[h+"/"]
		w.mu.Unlock()
		w.set(h+"/", func(rw http.ResponseWriter, r *http.Request) {
			all.Done()
			select {
			case <-met:
			case <-r.Context().Done():
			}
			page(rw, r)
		})
	}
}

// TestMemory: what is found costs rows, not memory.
func TestMemory(t *testing.T) {
	w := newWeb(t)
	const fan, each = 20, 1000
	for i := range fan {
		var sb strings.Builder
		for k := range each {
			fmt.Fprintf(&sb, `<a href="{never.test/a-rather-long-path-for-an-address/%d/%d}">x</a>`, i, k)
		}
		w.html(fmt.Sprintf("m.test/%d", i), sb.String())
	}
	var sb strings.Builder
	for i := range fan {
		fmt.Fprintf(&sb, `<a href="/%d">x</a>`, i)
	}
	w.html("m.test/", "<article>"+sb.String()+"</article>")
	n := newNode(t, archive(t))
	s := w.spec("m.test/", "never.test")
	s.Depth, s.Scope, s.DelayMS, s.Traps, s.Sitemaps = 2, scope.BoundAny, 0, scope.Traps{}, scope.MapsLeave
	r := n.begin(s)
	task := storage.Task{Host: "never.test:" + w.port, Run: r.ID, ID: 1, URL: w.at("never.test/"), Kind: "page"}
	_, err := n.db.Enqueue(t.Context(), []storage.Task{task})
	must(t, err)
	ls, err := n.db.Claim(t.Context(), "somebody else", 1, 1, time.Hour)
	if err != nil || len(ls) != 1 || ls[0].Host != task.Host {
		t.Fatalf("claimed %v, %v", ls, err)
	}
	before := heap()
	must(t, n.Work(t.Context(), func(ctx context.Context) (bool, error) {
		tally, err := n.db.Tally(ctx, r.ID)
		return tally["pending"] == fan*each+1 && tally["captured"] == fan+1, err
	}))
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("the heap has grown by %d KiB over %d addresses", grown>>10, fan*each)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what pools hold outlives the first one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
