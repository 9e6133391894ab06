package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/crawler/pace"
	"linkstead/storage"
)

// busyFor answers so often with a status and a Retry-After before it answers well.
func busyFor(times int, code int, after func() string) http.HandlerFunc {
	var n atomic.Int32
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		if int(n.Add(1)) > times {
			fmt.Fprint(rw, "well")
			return
		}
		if v := after(); v != "" {
			rw.Header().Set("Retry-After", v)
		}
		rw.WriteHeader(code)
		fmt.Fprint(rw, `Busy. <a href="/status">x</a>`)
	}
}

// TestRetryAfter: a host that asks to be left alone is, whatever else is due there; then it is asked again. What it said is
// kept, and no reader gets it.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) func() string {
		return func() string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	}
	words := func(s string) func() string { return func() string { return s } }
	for name, c := range map[string]struct {
		code  int
		after func() string
		least time.Duration
	}{
		"429 seconds":    {429, words("1"), time.Second},
		"503 date":       {503, in(2 * time.Second), time.Second}, // whole seconds
		"503 too long":   {503, words("86400"), 1500 * time.Millisecond},
		"429 far date":   {429, in(48 * time.Hour), 1500 * time.Millisecond},
		"429 past date":  {429, in(-time.Hour), 0},
		"429 garbage":    {429, words("when it suits you"), 0},
		"503 negative":   {503, words("-5"), 0},
		"429 says none":  {429, words(""), 0},
		"504 is no wish": {504, words("1000"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("post.test/", `<article><a href="{a.test/busy}">a</a> <a href="{a.test/2}">b</a> <a href="{a.test/3}">c</a></article>`)
			w.set("a.test/busy", busyFor(1, c.code, c.after))
			w.html("a.test/2", "2")
			w.html("a.test/3", "3")
			n := newNode(t, archive(t))
			n.Pace = pace.Limits{RetryAfter: 1500 * time.Millisecond}
			r := n.capture(w.spec("post.test/", "a.test"))
			url := w.at("a.test/busy")
			task, err := n.db.Task(t.Context(), urlkey.Host(url), r.ID, urlkey.ID(url))
			if err != nil || task.Outcome != string(outcome.Captured) || task.Attempts != 2 {
				t.Errorf("the task is %+v, %v; want captured after two tries", task, err)
			}
			if cs := captures(n, url); len(cs) != 2 || cs[0].Status != c.code || cs[1].Status != 200 {
				t.Errorf("captured as %+v, want the answer that it was busy, too", cs)
			} else {
				n.prefers(r, url, cs[1])
			}
			if got := w.hits()["a.test/status"]; got != 0 {
				t.Errorf("the page of the refusal was followed")
			}
			w.leftAlone(t, "a.test", "/busy", c.least)
		})
	}
}

// prefers checks which capture of an address a reader gets, at whatever time, and a report tells of.
func (n *node) prefers(r storage.Run, url string, want storage.Capture) {
	n.t.Helper()
	for _, at := range []time.Time{want.At.Add(-time.Hour), want.At, want.At.Add(time.Hour)} {
		got, err := n.db.Closest(n.t.Context(), "default", urlkey.Key(url), url, at)
		if err != nil || got.Offset != want.Offset || got.Status != want.Status {
			n.t.Errorf("who asks for %s gets status %d, %v", at, got.Status, err)
		}
	}
	rep, err := (&report.Builder{Rows: n.db}).Build(n.t.Context(), r)
	must(n.t, err)
	for _, l := range rep.Links {
		if l.URL == url && l.Status != want.Status {
			n.t.Errorf("the report tells of status %d", l.Status)
		}
	}
}

// leftAlone checks that after the first visit to a path, a host is left alone for so long.
func (w *web) leftAlone(t testing.TB, host, path string, least time.Duration) {
	t.Helper()
	var asked time.Time
	for _, v := range w.seen(t) {
		if v.host != host {
			continue
		}
		if !asked.IsZero() {
			if gap := v.begun.Sub(asked); gap < least {
				t.Errorf("%s came %s after the refusal, want %s", v.path, gap, least)
			}
			return
		}
		if v.path == path {
			asked = v.ended
		}
	}
	t.Errorf("%s was not asked again after %s", host, path)
}

// TestRetryAfterAcrossWorkers: it holds for every worker on the database, also for one that begins later.
func TestRetryAfterAcrossWorkers(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var text strings.Builder
	for i := range 12 {
		fmt.Fprintf(&text, `<a href="{a.test/%d}">x</a> <a href="{b.test/%d}">y</a>`, i, i)
		w.set(fmt.Sprintf("a.test/%d", i), busyFor(1, 429, func() string { return "1" }))
		w.html(fmt.Sprintf("b.test/%d", i), "b")
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	dir := archive(t)
	one := newNode(t, dir)
	two := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "spool2") })
	r := one.begin(w.spec("post.test/", "a.test", "b.test"))
	var g errgroup.Group
	for _, n := range []*node{one, two} {
		n.Hosts, n.Hold = 2, 60*time.Millisecond
		n.Pace = pace.Limits{RetryAfter: time.Minute}
		g.Go(func() error { return n.Work(t.Context(), nil) })
	}
	must(t, g.Wait())
	one.done(r)
	var last visit
	visits := 0
	asked := map[string]bool{}
	for _, v := range w.seen(t) {
		if v.host != "a.test" {
			continue
		}
		if gap := v.begun.Sub(last.ended); visits > 0 && !asked[last.path] && gap < time.Second {
			t.Errorf("%s came %s after %s was refused", v.path, gap, last.path)
		}
		if visits > 0 {
			asked[last.path] = true
		}
		last = v
		visits++
	}
	if visits != 24 {
		t.Errorf("%d visits, want two for each of 12", visits)
	}
}

// TestStorm: a host that refuses everything is asked for every link of the post, once at least, and for nothing else in the
// end; the capture comes to its end.
func TestStorm(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	const links, pictures = 5, 30
	var text strings.Builder
	for i := range links {
		fmt.Fprintf(&text, `<a href="{a.test/%d}">x</a>`, i)
	}
	for i := range pictures {
		fmt.Fprintf(&text, `<img src="{a.test/%d.png}">`, i)
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	for i := range pictures {
		w.status(fmt.Sprintf("a.test/%d", i), 429)
		w.status(fmt.Sprintf("a.test/%d.png", i), 429)
	}
	n := newNode(t, archive(t))
	n.Pace = pace.Limits{RetryAfter: time.Minute, Backoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond, DownAfter: 4, Patience: 300 * time.Millisecond}
	r := n.capture(w.spec("post.test/", "a.test"))
	hits := w.hits()
	for i := range links {
		if hits[fmt.Sprintf("a.test/%d", i)] == 0 {
			t.Errorf("link %d was not asked for", i)
		}
	}
	n.tally(r, outcome.Down, 1)
	for i := range pictures {
		u := fmt.Sprintf("a.test/%d.png", i)
		as, err := n.db.Attempts(t.Context(), "default", urlkey.Key(w.at(u)))
		must(t, err)
		if len(as) > 0 && (hits[u] != 0 || as[0].Outcome != string(outcome.Down) || !strings.Contains(as[0].Detail, "times in a row since")) {
			t.Errorf("%s, asked for %d times, ended as %+v", u, hits[u], as)
		}
	}
}

// TestLongStorm: where a host asks for long waits, what need not be asked for does not wait once it is given up; what has to
// be asked for does.
func TestLongStorm(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var text strings.Builder
	refuses := func(path string) {
		w.set("a.test/"+path, busyFor(1000, 429, func() string { return "2" }))
	}
	for i := range 2 {
		fmt.Fprintf(&text, `<a href="{a.test/%d}">x</a>`, i)
		refuses(fmt.Sprint(i))
	}
	for i := range 60 {
		fmt.Fprintf(&text, `<img src="{a.test/%d.png}">`, i)
		refuses(fmt.Sprintf("%d.png", i))
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	n.Pace = pace.Limits{RetryAfter: 1200 * time.Millisecond, DownAfter: 2, Patience: time.Second}
	r := n.capture(w.spec("post.test/", "a.test"))
	n.tally(r, outcome.Down, 50)
	var last visit
	visits := 0
	for _, v := range w.seen(t) {
		if v.host != "a.test" {
			continue
		}
		if gap := v.begun.Sub(last.ended); visits > 0 && gap < 1200*time.Millisecond {
			t.Errorf("%s came %s after %s was refused", v.path, gap, last.path)
		}
		last = v
		visits++
	}
	if hits := w.hits(); visits > 12 || hits["a.test/0"] == 0 || hits["a.test/1"] == 0 {
		t.Errorf("%d requests: %v", visits, hits)
	}
}

// TestDownAcrossWorkers: what one worker has found out, the other needs not.
func TestDownAcrossWorkers(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var text strings.Builder
	var asked atomic.Int32
	for i := range 40 {
		fmt.Fprintf(&text, `<img src="{a.test/%d.png}"><img src="{b.test/%d.png}">`, i, i)
		w.set(fmt.Sprintf("a.test/%d.png", i), func(http.ResponseWriter, *http.Request) { asked.Add(1); panic(http.ErrAbortHandler) })
		w.page(fmt.Sprintf("b.test/%d.png", i), "image/png", "B")
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	dir := archive(t)
	one := newNode(t, dir)
	two := newNode(t, dir, func(p *parts) { p.spool = filepath.Join(dir, "spool2") })
	r := one.begin(w.spec("post.test/", "a.test", "b.test"))
	var g errgroup.Group
	for _, n := range []*node{one, two} {
		n.Hosts, n.Hold = 1, 10*time.Millisecond
		n.Pace = pace.Limits{Backoff: 5 * time.Millisecond, MaxBackoff: time.Hour, DownAfter: 4, Patience: 200 * time.Millisecond}
		g.Go(func() error { return n.Work(t.Context(), nil) })
	}
	must(t, g.Wait())
	one.done(r)
	one.tally(r, outcome.Down, 25)
	one.tally(r, outcome.Captured, 41)
	if got := asked.Load(); got > 15 {
		t.Errorf("the host was asked %d times until both had given it up", got)
	}
}

// tally checks that so many tasks of a run at least ended so.
func (n *node) tally(r storage.Run, o outcome.Outcome, least int) {
	n.t.Helper()
	tally, err := n.db.Tally(n.t.Context(), r.ID)
	must(n.t, err)
	if tally[string(o)] < least || tally["pending"] > 0 {
		n.t.Errorf("the run ended as %v, want %d or more %s", tally, least, o)
	}
}

// TestDown: a host that nobody answers on is tried for a while, then each link of the post once, and the rest not at all.
func TestDown(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var text strings.Builder
	for i := range 10 {
		fmt.Fprintf(&text, `<a href="http://down.test:1/%d">x</a>`, i)
	}
	for i := range 50 {
		fmt.Fprintf(&text, `<img src="http://down.test:1/%d.png">`, i)
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	n.Pace = pace.Limits{Backoff: 5 * time.Millisecond, MaxBackoff: 50 * time.Millisecond, DownAfter: 3, Patience: 100 * time.Millisecond}
	s := w.spec("post.test/")
	s.Resolve = append(s.Resolve, "down.test:1:127.0.0.1")
	r := n.capture(s)
	n.tally(r, outcome.Refused, 10)
	n.tally(r, outcome.Down, 1)
	for i := range 10 {
		url := fmt.Sprintf("http://down.test:1/%d", i)
		task, err := n.db.Task(t.Context(), urlkey.Host(url), r.ID, urlkey.ID(url))
		if err != nil || task.Outcome != string(outcome.Refused) {
			t.Errorf("link %d ended as %+v, %v", i, task, err)
		}
	}
	_, err := n.db.Enqueue(t.Context(), []storage.Task{{Host: "down.test:1", Run: r.ID, ID: 77, URL: "http://down.test:1/x", Kind: "page", Due: 1}})
	must(t, err)
	for end := time.Now().Add(time.Minute); ; {
		ls, err := n.db.Claim(t.Context(), "w", 10, 10, time.Minute)
		must(t, err)
		if len(ls) == 1 {
			if p := ls[0].Pace; p.Failures < 3 || p.Why != "down" || p.Since.IsZero() || p.Retry.IsZero() {
				t.Errorf("of the host is known %+v", p)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("the host is not to be had")
		}
	}
}

// TestRecovers: a host that is down for a while, well within the patience, loses nothing.
func TestRecovers(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var down atomic.Int32
	down.Store(12) // requests
	var text strings.Builder
	for i := range 20 {
		fmt.Fprintf(&text, `<img src="{a.test/%d.png}">`, i)
		w.set(fmt.Sprintf("a.test/%d.png", i), func(rw http.ResponseWriter, _ *http.Request) {
			if down.Add(-1) >= 0 {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(rw, "P")
		})
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	n.Pace = pace.Limits{Backoff: 5 * time.Millisecond, MaxBackoff: 40 * time.Millisecond, DownAfter: 3, Patience: time.Minute}
	s := w.spec("post.test/", "a.test")
	s.Retries = 12
	r := n.capture(s)
	n.tally(r, outcome.Captured, 21)
}

// TestWaitIsCancelled: who waits because a host asked for it stops at once when told to, and the next worker knows.
func TestWaitIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<article><a href="{a.test/1}">x</a><a href="{a.test/2}">x</a></article>`)
	w.set("a.test/1", busyFor(100, 503, func() string { return "3600" }))
	dir := archive(t)
	n := newNode(t, dir)
	n.Pace = pace.Limits{RetryAfter: 10 * time.Minute}
	n.begin(w.spec("post.test/", "a.test"))
	ctx, cancel := context.WithCancel(t.Context())
	work := n.start(ctx)
	waitFor(t, "the refusal is acknowledged", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.events) >= 2 })
	cancel()
	must(t, end(t, work))
	if got := w.hits(); got["a.test/1"] != 1 || got["a.test/2"] != 0 {
		t.Errorf("asked for %v", got)
	}
	if ls, err := n.db.Claim(t.Context(), "another", 10, 10, time.Minute); err != nil || len(ls) > 0 {
		t.Errorf("another worker may ask it: %+v, %v", ls, err)
	}
}

// TestSlowHost: the pause grows with the time that a host takes to answer.
func TestSlowHost(t *testing.T) {
	t.Parallel()
	const takes = 80 * time.Millisecond
	w := newWeb(t)
	var text strings.Builder
	for i := range 6 {
		fmt.Fprintf(&text, `<img src="/%d.png">`, i)
		w.set(fmt.Sprintf("a.test/%d.png", i), slowly(takes, "P"))
	}
	w.set("a.test/", slowly(takes, text.String()))
	n := newNode(t, archive(t))
	n.Pace = pace.Limits{Factor: 3, MaxDelay: 2 * time.Second}
	s := w.spec("a.test/")
	s.DelayMS = 20
	n.capture(s)
	w.mu.Lock()
	w.visits = w.visits[1:] // nothing was known of it yet
	w.mu.Unlock()
	if got := w.polite(t, "a.test", 3*takes-time.Millisecond); got != 6 {
		t.Errorf("%d requests, want 6", got)
	}
}
