package crawler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/outcome"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// skewed is a clock that goes on by itself and can be set ahead.
type skewed struct{ ahead atomic.Int64 }

func (s *skewed) now() time.Time        { return time.Now().Add(time.Duration(s.ahead.Load())) }
func (s *skewed) later(d time.Duration) { s.ahead.Add(int64(d)) }

// watching is a node that looks at links, on an archive with a post.
type watching struct {
	*node
	clock *skewed
}

func newWatching(t *testing.T, w *web, post string, hosts ...string) *watching {
	t.Helper()
	return newWatchingBy(t, w, nil, post, hosts...)
}

// newWatchingBy is newWatching with a name server, for hosts that are not named.
func newWatchingBy(t *testing.T, w *web, names *net.Resolver, post string, hosts ...string) *watching {
	t.Helper()
	clock := &skewed{}
	n := newNode(t, archive(t), func(p *parts) { p.now, p.names = clock.now, names })
	s := w.spec(post, hosts...)
	n.capture(s)
	n.Watch = &crawler.Watch{Parking: link.DefaultParking, Links: n.db, History: n.db, Rules: link.Defaults(), Spec: s, Every: 10 * time.Millisecond}
	return &watching{n, clock}
}

func (n *watching) link(url string) storage.Link {
	n.t.Helper()
	l, err := n.db.Link(n.t.Context(), storage.LinkID("default", url))
	must(n.t, err)
	return l
}

// looks are what looks at a link told, oldest first.
func (n *watching) looks(url string) (out []link.Evidence) {
	n.t.Helper()
	as, err := n.db.Looks(n.t.Context(), n.link(url).ID)
	must(n.t, err)
	for _, a := range as {
		if a.Look == "" {
			continue
		}
		var e link.Evidence
		must(n.t, json.Unmarshal([]byte(a.Look), &e))
		out = append(out, e)
	}
	return out
}

// until works until something holds.
func (n *watching) until(what string, ok func() bool) {
	n.t.Helper()
	ctx, stop := context.WithTimeout(n.t.Context(), time.Minute)
	defer stop()
	worked := make(chan error, 1)
	go func() { worked <- n.Work(ctx, func(context.Context) (bool, error) { return false, nil }) }()
	met := false
	for tick := time.NewTicker(5 * time.Millisecond); ctx.Err() == nil && !met; <-tick.C {
		met = ok()
	}
	stop()
	must(n.t, <-worked)
	if !met {
		n.t.Fatalf("worked in vain until %s", what)
	}
}

// look has every link that is due looked at, once a time has passed.
func (n *watching) look(after time.Duration, urls ...string) {
	n.t.Helper()
	n.clock.later(after)
	before := map[string]int{}
	for _, u := range urls {
		before[u] = len(n.looks(u))
	}
	n.until("the links were looked at", func() bool {
		for _, u := range urls {
			if len(n.looks(u)) <= before[u] || n.link(u).Stale != 0 {
				return false
			}
		}
		return true
	})
}

func words(seed string, n int) string {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, "%s%d ", seed, i)
	}
	return "<p>" + sb.String() + "</p>"
}

// TestWatch: what links do over weeks is seen, judged by the rules, and told in records of their own; captures are none of them.
func TestWatch(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/lives}">this</a>, <a href="{b.test/dies}">that</a> and <a href="{c.test/moves}">more</a>, long ago.</p></article>`)
	w.html("a.test/lives", "<title>It lives</title>"+words("life", 80))
	w.html("b.test/dies", words("death", 80))
	w.html("c.test/moves", words("move", 80))
	n := newWatching(t, w, "blog.test/post", "a.test", "b.test", "c.test", "d.test")
	lives, dies, moves := w.at("a.test/lives"), w.at("b.test/dies"), w.at("c.test/moves")

	n.until("the links are folded", func() bool {
		return n.link(lives).Live == "alive" && n.link(dies).Live == "alive" && n.link(moves).Live == "alive"
	})
	if next := time.UnixMilli(n.link(lives).Next); next.Before(n.clock.now().Add(6 * 24 * time.Hour)) {
		t.Errorf("what was captured just now is due at %s", next)
	}
	if got := n.looks(lives); len(got) != 0 {
		t.Errorf("it was looked at already: %+v", got)
	}

	w.status("b.test/dies", http.StatusNotFound)
	w.status("c.test/moves", http.StatusMovedPermanently, "Location", "{d.test/new}")
	w.html("d.test/new", words("move", 80))
	n.look(10*24*time.Hour, lives, dies, moves)
	if l := n.link(dies); l.Live != "alive" || l.Strikes != 1 {
		t.Errorf("after one 404: %+v", l)
	}
	e := n.looks(moves)[0]
	if len(e.Hops) != 1 || e.Final != w.at("d.test/new") || e.Status != 200 || e.Copy == nil || !e.Copy.Equal || len(e.Siblings) != 0 {
		t.Errorf("of what moved: %+v", e)
	}
	if e := n.looks(lives)[0]; e.Status != 200 || e.Copy == nil || !e.Copy.Equal || len(e.Siblings) != 0 {
		t.Errorf("of what lives: %+v", e)
	}
	for range 2 {
		n.look(4*24*time.Hour, dies)
	}
	if l := n.link(dies); l.Live != "gone" || l.Strikes != 3 {
		t.Errorf("after three of them: %+v", l)
	}
	n.until("no look is under way", func() bool { return n.link(moves).Look == nil })
	if l := n.link(moves); l.Live != "redirected" || l.Hop != 0 {
		t.Errorf("what moved is %s", l.State)
	}
	w.html("b.test/dies", words("death", 80))
	n.look(90*24*time.Hour, dies)
	if l := n.link(dies); l.Live != "alive" || l.Strikes != 0 {
		t.Errorf("back again: %+v", l)
	}

	if err := n.journal.FlushAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	cs := n.closings()[moves]
	last := cs[len(cs)-1]
	if last.Kind != storage.KindProbe || last.Link != n.link(moves).ID || last.Run != storage.Standing || len(last.Request) == 0 || !strings.Contains(string(last.Evidence), "301 Moved") {
		t.Errorf("the record of a look: %+v", last)
	}
	for c, err := range n.db.Captures(t.Context(), "default", n.link(moves).URLKey) {
		if must(t, err); c.Run == storage.Standing {
			t.Errorf("a look is a capture: %+v", c)
		}
	}
}

// TestWatchSoft404: a page that says that it is there, as its host says of everything, is found out; one that is a copy of ours is
// not asked about.
func TestWatchSoft404(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/dir/page}">this</a> and its author, long ago.</p></article>`)
	w.html("a.test/dir/page", words("page", 80))
	n := newWatching(t, w, "blog.test/post", "a.test")
	url := w.at("a.test/dir/page")
	for _, p := range []string{"a.test/dir/page", "a.test/*"} {
		w.html(p, "<title>Sorry</title>"+words("sorry", 80))
	}
	n.look(40*24*time.Hour, url)
	e := n.looks(url)[0]
	if len(e.Siblings) != 1 || !e.Siblings[0].Random || e.Siblings[0].Similarity < 0.99 || !strings.HasPrefix(e.Siblings[0].URL, w.at("a.test/dir/")) {
		t.Fatalf("%+v", e)
	}
	n.look(4*24*time.Hour, url)
	if l := n.link(url); l.Live != "soft-404" {
		t.Errorf("%+v", l)
	}
}

// TestWatchParked: a page that shows what parked domains show, and nothing of our copy, is somebody else's.
func TestWatchParked(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/dir/page}">this</a> and its author, long ago.</p></article>`)
	w.html("a.test/dir/page", words("page", 80))
	n := newWatching(t, w, "blog.test/post", "a.test")
	url := w.at("a.test/dir/page")
	w.html("a.test/dir/page", `<title>a.test</title><script src="//www.google.com/adsense/domains/caf.js"></script>`+words("loans", 40))
	n.look(40*24*time.Hour, url)
	if e := n.looks(url)[0]; e.Host == nil || !slices.Contains(e.Host.Parking, "lander-adsense") {
		t.Fatalf("%+v", e)
	}
	n.look(4*24*time.Hour, url)
	if l := n.link(url); l.Live != "usurped" {
		t.Errorf("%+v", l)
	}
}

// TestWatchOutage: while our own network fails, nothing that was seen counts; canaries tell, if there are some.
func TestWatchOutage(t *testing.T) {
	for _, canaries := range []bool{false, true} {
		t.Run(fmt.Sprint(canaries), func(t *testing.T) {
			w := newWeb(t)
			w.html("blog.test/post", `<article><p>On <a href="{a.test/x}">one</a>, <a href="{b.test/x}">two</a>, <a href="{c.test/x}">three</a>, <a href="{d.test/x}">four</a>.</p></article>`)
			hosts := []string{"a.test", "b.test", "c.test", "d.test"}
			var urls []string
			for _, h := range hosts {
				w.html(h+"/x", words(h, 80))
				urls = append(urls, w.at(h+"/x"))
			}
			n := newWatching(t, w, "blog.test/post", hosts...)
			n.until("the links are folded", func() bool { return n.link(urls[3]).Live == "alive" && n.link(urls[0]).Live == "alive" })
			n.Watch.Spec.Resolve = nil // nobody listens where the names lead now
			for _, h := range append(hosts, "canary.test") {
				n.Watch.Spec.Resolve = append(n.Watch.Spec.Resolve, h+":"+w.port+":127.0.0.2")
			}
			n.Watch.Spec.Retries = 0
			if canaries {
				n.Watch.Canaries = []string{w.at("canary.test/")}
			}
			n.look(40*24*time.Hour, urls...)
			void := 0
			for _, u := range urls {
				e := n.looks(u)[0]
				if e.Void {
					void++
				}
				if e.Outcome != string(outcome.Refused) || n.link(u).Live != "alive" {
					t.Errorf("%+v: %+v", n.link(u), e)
				}
			}
			if want := 2; void < want || canaries && void != 4 {
				t.Errorf("%d looks do not count", void)
			}
		})
	}
}

// TestUnwatched: who captures one post looks at no link of others, though it is due, and keeps nobody from doing so later.
func TestUnwatched(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/x}">this</a> and its author, long ago.</p></article>`)
	w.html("blog.test/other", `<article><p>No links.</p></article>`)
	w.html("a.test/x", words("x", 80))
	n := newWatching(t, w, "blog.test/post", "a.test")
	n.until("the link is folded", func() bool { return n.link(w.at("a.test/x")).Live != "" })
	n.clock.later(40 * 24 * time.Hour)
	watch := n.Watch
	n.Watch = nil
	n.capture(w.spec("blog.test/other", "a.test"))
	if got := w.hits()["a.test/x"]; got != 1 {
		t.Errorf("the link was asked for %d times", got)
	}
	n.Watch = watch
	n.look(0, w.at("a.test/x"))
}

// TestWatchRobots: what robots.txt asks not to fetch is not looked at, and that is all that is said of it.
func TestWatchRobots(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/x}">this</a> and its author, long ago.</p></article>`)
	w.html("a.test/x", words("x", 80))
	n := newWatching(t, w, "blog.test/post", "a.test")
	w.page("a.test/robots.txt", "text/plain", "User-agent: *\nDisallow: /\n")
	n.Watch.Spec.Robots = scope.RobotsObey
	url := w.at("a.test/x")
	n.look(40*24*time.Hour, url)
	if e, l := n.looks(url)[0], n.link(url); e.Outcome != string(outcome.Robots) || l.Live != "excluded" || w.hits()["a.test/x"] != 1 {
		t.Errorf("%+v: %+v", l, e)
	}
}
