package crawler_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// turned is a clock that goes as the real one does, and can be turned forward.
type turned struct{ by atomic.Int64 }

func (c *turned) now() time.Time          { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *turned) forward(d time.Duration) { c.by.Add(int64(d)) }

func timed(c *turned) func(*parts) { return func(p *parts) { p.now = c.now } }

// put writes a schedule that is due now.
func (n *node) put(s *watch.Schedule) {
	n.t.Helper()
	must(n.t, s.Check())
	raw, err := s.Encode()
	must(n.t, err)
	must(n.t, n.db.PutSchedule(n.t.Context(), storage.Schedule{Name: s.Name, Spec: raw, Created: n.Now(), Due: n.Now().UnixMilli()}))
}

// runs are the runs of a schedule, oldest first; all have to be done.
func (n *node) runs(name string) []storage.Run {
	n.t.Helper()
	rs, err := n.db.ScheduleRuns(n.t.Context(), name, 100)
	must(n.t, err)
	slices.Reverse(rs)
	for _, r := range rs {
		if r.State != storage.RunDone {
			n.t.Errorf("run %d of %s is %s", r.ID, name, r.State)
		}
	}
	return rs
}

func (n *node) due(name string) time.Time {
	n.t.Helper()
	s, err := n.db.Schedule(n.t.Context(), name)
	must(n.t, err)
	return time.UnixMilli(s.Due)
}

// diff is what a run's row says of its changes, in a few words.
func diff(t *testing.T, r storage.Run) string {
	t.Helper()
	d, ok, err := watch.DecodeDiff(r.Changes)
	if err != nil || !ok {
		t.Fatalf("run %d keeps no changes: %v", r.ID, err)
	}
	return fmt.Sprintf("against %d: %d new %d changed %d failed %d back %d gone %d same", d.Against, d.New, d.Changed, d.Failed, d.Back, d.Gone, d.Same)
}

func schedule(kind watch.Kind, spec scope.Spec) *watch.Schedule {
	return &watch.Schedule{Name: "s", Kind: kind, When: watch.When{Every: "6h"}, Spec: spec}
}

// TestTick: a schedule's run begins when it is due, once however many were missed, and is compared with the one before.
func TestTick(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("p.test/", `<article><a href="{a.test/same}">a</a> <a href="{a.test/other}">a</a> <a href="{a.test/dies}">a</a></article>`)
	w.html("a.test/same", "same")
	w.html("a.test/other", "one")
	w.html("a.test/dies", "alive")
	n := newNode(t, archive(t), timed(c))
	n.put(schedule(watch.Post, w.spec("p.test/", "a.test", "b.test")))
	n.work()
	rs := n.runs("s")
	if len(rs) != 1 || rs[0].Schedule != "s" || diff(t, rs[0]) != "against 0: 0 new 0 changed 0 failed 0 back 0 gone 0 same" {
		t.Fatalf("%+v", rs)
	}
	if in := n.due("s").Sub(c.now()); in < 6*time.Hour-time.Minute || in > 6*time.Hour {
		t.Errorf("the next run is due in %s", in)
	}
	n.work()
	if len(n.runs("s")) != 1 {
		t.Error("it ran again before it was due")
	}
	c.forward(50 * 6 * time.Hour) // fifty were missed
	w.html("a.test/other", "two")
	w.status("a.test/dies", 404)
	n.work()
	n.work()
	if rs = n.runs("s"); len(rs) != 2 || diff(t, rs[1]) != "against 1: 0 new 1 changed 1 failed 0 back 0 gone 2 same" {
		t.Fatalf("%d runs; %s", len(rs), diff(t, rs[len(rs)-1]))
	}
	if in := n.due("s").Sub(c.now()); in < 5*time.Hour || in > 6*time.Hour {
		t.Errorf("after downtime the next run is due in %s", in)
	}
	c.forward(6 * time.Hour)
	w.html("a.test/dies", "alive again")
	w.html("p.test/", `<article><a href="{a.test/same}">a</a> <a href="{a.test/dies}">a</a> <a href="{b.test/new}">a</a></article>`)
	n.work()
	if rs = n.runs("s"); len(rs) != 3 || diff(t, rs[2]) != "against 2: 1 new 1 changed 0 failed 1 back 1 gone 1 same" {
		t.Errorf("%d runs; %s", len(rs), diff(t, rs[len(rs)-1]))
	}
}

// TestTickNoOverlap: while a run goes on, no other of its schedule begins; and none while the schedule is paused.
func TestTickNoOverlap(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	g := newGate(w, "p.test/")
	n := newNode(t, archive(t), timed(c))
	n.put(schedule(watch.Post, w.spec("p.test/")))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Work(ctx, func(context.Context) (bool, error) { return false, nil }) }()
	<-g.came
	c.forward(7 * time.Hour)
	waitFor(t, "the tick has looked", func() bool {
		s, err := n.db.Schedule(t.Context(), "s")
		at := time.UnixMilli(s.Due).Sub(c.now())
		return err == nil && at > 0 && at <= 10*time.Second
	})
	if rs, err := n.db.ScheduleRuns(t.Context(), "s", 9); err != nil || len(rs) != 1 {
		t.Errorf("%d runs, %v", len(rs), err)
	}
	close(g.open)
	waitFor(t, "the first run is done", func() bool { r, err := n.db.Run(t.Context(), 1); return err == nil && r.State == storage.RunDone })
	c.forward(10 * time.Second)
	waitFor(t, "the second has run", func() bool { r, err := n.db.Run(t.Context(), 2); return err == nil && r.State == storage.RunDone })
	must(t, n.db.PauseSchedule(t.Context(), "s", true, 0))
	c.forward(100 * time.Hour)
	must(t, n.db.PutSchedule(t.Context(), storage.Schedule{Name: "other", Spec: mustEncode(t, schedule(watch.Post, w.spec("p.test/"))), Created: c.now(), Due: c.now().UnixMilli()}))
	waitFor(t, "another has run", func() bool { r, err := n.db.Run(t.Context(), 3); return err == nil && r.State == storage.RunDone })
	stop()
	must(t, <-done)
	if rs := n.runs("s"); len(rs) != 2 {
		t.Errorf("%d runs while it was paused", len(rs))
	}
	if s, err := n.db.Schedule(t.Context(), "s"); err != nil || !s.Paused {
		t.Errorf("%+v, %v", s, err)
	}
}

func mustEncode(t *testing.T, s *watch.Schedule) []byte {
	t.Helper()
	must(t, s.Check())
	raw, err := s.Encode()
	must(t, err)
	return raw
}

// TestBeginBesideSchedule: a capture of what a schedule's run is capturing is a run of its own: it may be interrupted.
func TestBeginBesideSchedule(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("p.test/", "P.")
	n := newNode(t, archive(t))
	s := schedule(watch.Post, w.spec("p.test/"))
	n.put(s)
	run, first, err := crawler.Scheduled(t.Context(), n.db, s, time.Now())
	must(t, err)
	run, err = n.db.StartScheduled(t.Context(), storage.Start{Schedule: "s", Run: run, First: first})
	must(t, err)
	if r, resumed, err := crawler.Begin(t.Context(), n.db, s.Spec, nil, time.Now()); err != nil || resumed || r.ID == run.ID {
		t.Errorf("run %d, %v, %v", r.ID, resumed, err)
	}
	must(t, n.db.PauseSchedule(t.Context(), "s", true, 0))
	n.work()
	if got := w.hits()["p.test/"]; got != 2 {
		t.Errorf("asked for %d times", got)
	}
}

// TestTickOnce: a schedule of one time runs once.
func TestTickOnce(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("p.test/", "P.")
	n := newNode(t, archive(t), timed(c))
	s := schedule(watch.Post, w.spec("p.test/"))
	s.When = watch.When{At: "2026-01-01"}
	n.put(s)
	n.work()
	c.forward(1000 * time.Hour)
	n.work()
	row, err := n.db.Schedule(t.Context(), "s")
	if err != nil || row.Due != storage.Never || len(n.runs("s")) != 1 {
		t.Errorf("%+v, %v; %d runs", row, err, len(n.runs("s")))
	}
}

// TestTickAdaptive: sooner after a change, later without one.
func TestTickAdaptive(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("p.test/", "1")
	n := newNode(t, archive(t), timed(c))
	s := schedule(watch.Post, w.spec("p.test/"))
	s.When = watch.When{Adaptive: &watch.Bounds{Min: "1h", Max: "16h"}}
	n.put(s)
	n.work()
	for i, step := range []struct {
		after time.Duration
		runs  int
	}{{3 * time.Hour, 1}, {time.Hour + time.Minute, 2}, {5 * time.Hour, 2}, {time.Hour + time.Minute, 3}} {
		c.forward(step.after)
		n.work()
		if got := len(n.runs("s")); got != step.runs {
			t.Errorf("step %d: %d runs, want %d", i, got, step.runs)
		}
	}
	w.html("p.test/", "2")
	c.forward(9*time.Hour + time.Minute)
	n.work()
	c.forward(4*time.Hour + 31*time.Minute)
	n.work()
	if got := len(n.runs("s")); got != 5 {
		t.Errorf("after a change: %d runs, want 5", got)
	}
}

// feed writes an RSS feed of items, each a title and an address of the web.
func feed(links ...string) string {
	var sb strings.Builder
	sb.WriteString(`<rss version="2.0"><channel><title>Blog</title><link>{b.test/}</link>`)
	for _, l := range links {
		sb.WriteString("<item><title>T</title><link>" + l + "</link></item>")
	}
	return sb.String() + "</channel></rss>"
}

func (n *node) posts(run int64) string {
	n.t.Helper()
	ps, err := n.db.PostsOf(n.t.Context(), run)
	must(n.t, err)
	var out []string
	for _, p := range ps {
		full, err := n.db.PostIn(n.t.Context(), p.ID, run)
		must(n.t, err)
		if p.ID != crawler.PostID(p.Collection, p.Source) {
			n.t.Errorf("post %s of %s", p.ID, p.Source)
		}
		out = append(out, fmt.Sprintf("%s %s %d", p.Source, p.Title, len(full.Citations)))
	}
	return strings.Join(out, "\n")
}

// TestFeed: each new entry becomes a post of the run with its sources, once; one that could not be had is tried again.
func TestFeed(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.page("b.test/feed", "application/rss+xml", feed("one", "{b.test/moved}", "/busy"))
	w.html("b.test/one", `<title>One</title><link rel=stylesheet href=/s.css><article><a href="{a.test/1}">x</a></article>`)
	w.status("b.test/moved", 301, "Location", "{c.test/on}")
	w.status("c.test/on", 302, "Location", "{c.test/two}")
	w.html("c.test/two", `<title>Two</title><article><a href="{a.test/2}">x</a> <a href="{a.test/1}">y</a></article>`)
	w.status("b.test/busy", 503)
	w.page("b.test/s.css", "text/css", "a{}")
	for _, p := range []string{"a.test/1", "a.test/2", "a.test/3"} {
		w.html(p, p)
	}
	n := newNode(t, archive(t), timed(c))
	n.put(schedule(watch.Feed, w.spec("b.test/feed", "a.test", "c.test")))
	n.work()
	w.expect(t, "b.test/feed", "b.test/one", "b.test/moved", "c.test/on", "c.test/two", "b.test/busy", "b.test/s.css", "a.test/1", "a.test/2")
	if got, want := n.posts(1), w.at("b.test/moved")+" Two 2\n"+w.at("b.test/one")+" One 1"; got != want {
		t.Errorf("posts\n%s\nwant\n%s", got, want)
	}
	c.forward(6 * time.Hour)
	n.work()
	if hits := w.hits(); hits["b.test/feed"] != 2 || hits["b.test/one"] != 1 || hits["b.test/moved"] != 1 || hits["b.test/busy"] != 2 {
		t.Errorf("the second run asked for %v", hits)
	}
	w.html("b.test/busy", `<title>Three</title><article><a href="{a.test/3}">x</a></article>`)
	w.html("b.test/four", `<title>Four</title>`)
	w.page("b.test/feed", "application/rss+xml", feed("four", "one", "{b.test/moved}", "/busy"))
	c.forward(6 * time.Hour)
	n.work()
	if got, want := n.posts(3), w.at("b.test/busy")+" Three 1\n"+w.at("b.test/four")+" Four 0"; got != want {
		t.Errorf("posts\n%s\nwant\n%s", got, want)
	}
	rs := n.runs("s")
	if got := diff(t, rs[2]); got != "against 2: 2 new 1 changed 0 failed 1 back 0 gone 0 same" {
		t.Errorf("changes: %s", got)
	}
	c.forward(6 * time.Hour)
	n.work()
	if hits := w.hits(); hits["b.test/busy"] != 3 || hits["b.test/four"] != 1 || hits["a.test/3"] != 1 {
		t.Errorf("the fourth run asked for %v", hits)
	}
}

// report is a schedule's report.
func (n *node) report(name string) *crawler.ScheduleReport {
	n.t.Helper()
	row, err := n.db.Schedule(n.t.Context(), name)
	must(n.t, err)
	r, err := crawler.ReportSchedule(n.t.Context(), n.db, &report.Builder{Rows: n.db}, row, 10)
	must(n.t, err)
	return r
}

// TestFeedBroken: a feed that can't be read is captured, leads nowhere, which its run tells, and the next run looks again.
func TestFeedBroken(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("b.test/feed", "<html>Under construction <a href=/one>one</a></html>")
	w.html("b.test/one", "One")
	n := newNode(t, archive(t), timed(c))
	n.put(schedule(watch.Feed, w.spec("b.test/feed")))
	n.work()
	w.expect(t, "b.test/feed")
	if notes := n.closing(w.at("b.test/feed")).Notes; len(notes) != 1 || !strings.Contains(notes[0], "neither RSS nor Atom nor JSON Feed") {
		t.Errorf("notes: %q", notes)
	}
	const fault = "the feed can't be read: it is neither RSS nor Atom nor JSON Feed."
	if r := n.report("s").Runs[0]; r.Fault != fault || !r.Failed() {
		t.Errorf("the run: %+v", r)
	}
	w.page("b.test/feed", "application/feed+json", `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"1","url":"one"}]}`)
	c.forward(6 * time.Hour)
	n.work()
	if w.hits()["b.test/one"] != 1 {
		t.Error("the entry was not captured")
	}
	if rs := n.report("s").Runs; rs[0].Fault != "" || rs[0].Failed() || rs[1].Fault != fault {
		t.Errorf("the runs: %+v", rs)
	}
}

// TestSitemap: new entries and those with another lastmod become pages, of nested and compressed sitemaps too; those of
// other hosts don't.
func TestSitemap(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	sitemap := func(entries ...string) string {
		var sb strings.Builder
		for _, e := range entries {
			loc, mod, _ := strings.Cut(e, " ")
			sb.WriteString("<url><loc>" + loc + "</loc><lastmod>" + mod + "</lastmod></url>")
		}
		return w.fill("<urlset>" + sb.String() + "</urlset>")
	}
	pack := func(s string) http.HandlerFunc {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(s))
		must(t, errors.Join(err, z.Close()))
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/x-gzip")
			_, _ = rw.Write(b.Bytes())
		}
	}
	w.page("s.test/map", "application/xml", "<sitemapindex><sitemap><loc>{s.test/1.gz}</loc></sitemap><sitemap><loc>{s.test/2}</loc></sitemap></sitemapindex>")
	w.set("s.test/1.gz", pack(sitemap("{s.test/a} 2026-01-01", "{s.test/b} 2026-01-01", "{far.test/} 2026-01-01")))
	w.page("s.test/2", "text/xml", "<sitemapindex><sitemap><loc>{s.test/3}</loc></sitemap></sitemapindex>")
	w.html("s.test/a", `<img src=/i.png><a href=/link>link</a>`)
	w.html("s.test/b", "B")
	w.page("s.test/i.png", "image/png", "png")
	n := newNode(t, archive(t), timed(c))
	n.put(schedule(watch.Sitemap, w.spec("s.test/map")))
	n.work()
	w.expect(t, "s.test/map", "s.test/1.gz", "s.test/2", "s.test/a", "s.test/b", "s.test/i.png")
	w.set("s.test/1.gz", pack(sitemap("{s.test/a} 2026-01-02", "{s.test/b} 2026-01-01", "{s.test/c} ")))
	w.html("s.test/c", "C")
	c.forward(6 * time.Hour)
	n.work()
	c.forward(6 * time.Hour)
	n.work()
	want := map[string]int{"s.test/map": 3, "s.test/1.gz": 3, "s.test/2": 3, "s.test/a": 2, "s.test/b": 1, "s.test/c": 1, "s.test/i.png": 2}
	if got := w.hits(); !maps.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
	if got := n.posts(1); got != "" {
		t.Errorf("pages of a sitemap are posts: %s", got)
	}
}

// TestSitemapTooLong: a note says how many entries are beyond what one document may lead to.
func TestSitemapTooLong(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	var sb strings.Builder
	for i := range 5_000 { // of 1.8 KiB each
		fmt.Fprintf(&sb, "<url><loc>http://far.test/%04d/%s</loc></url>", i, strings.Repeat("x", 1800))
	}
	w.page("s.test/map", "application/xml", "<urlset>"+sb.String()+"</urlset>")
	n := newNode(t, archive(t), timed(c))
	n.put(schedule(watch.Sitemap, w.spec("s.test/map")))
	n.work()
	meta := n.closing(w.at("s.test/map"))
	left := fmt.Sprintf("%d entries were left out: the document names more than can be kept", 5_000-len(meta.Outlinks))
	if len(meta.Outlinks) < 4_000 || len(meta.Outlinks) == 5_000 || !slices.Contains(meta.Notes, left) {
		t.Errorf("%d entries, notes %q", len(meta.Outlinks), meta.Notes)
	}
}

// TestLists: the addresses of a file, the links of a page, the links of a post that is kept.
func TestLists(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("p.test/", `<link rel=icon href=/i.ico><article><a href="{a.test/1}">x</a> <a href="{a.test/2}">y</a></article>`)
	w.html("a.test/1", `<img src=/pic> <a href=/3>3</a>`)
	w.html("a.test/2", "2")
	n := newNode(t, archive(t), timed(c))
	spec := w.spec("p.test/", "a.test")
	file := schedule(watch.List, spec)
	file.Name, file.Spec.Source, file.URLs = "file", "urls.txt", []string{w.at("a.test/1"), w.at("a.test/2")}
	n.put(file)
	n.work()
	w.expect(t, "a.test/1", "a.test/pic", "a.test/2")
	page := schedule(watch.List, spec)
	page.Name = "page"
	n.put(page)
	n.work()
	want := map[string]int{"p.test/": 1, "p.test/i.ico": 1, "a.test/1": 2, "a.test/pic": 2, "a.test/2": 2}
	if got := w.hits(); !maps.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
	recheck := schedule(watch.Recheck, spec)
	recheck.Name = "recheck"
	n.put(recheck)
	n.work()
	if rs := n.runs("recheck"); len(rs) != 0 {
		t.Errorf("a post that is not kept was rechecked: %+v", rs)
	}
	none := "the post " + w.at("p.test/") + " is not kept in collection default: there is nothing to capture yet."
	if got := n.report("recheck").Fault; got != none {
		t.Errorf("the fault is %q, want %q", got, none)
	}
	n.capture(spec)
	c.forward(6 * time.Hour)
	must(t, n.db.PauseSchedule(t.Context(), "file", true, 0))
	must(t, n.db.PauseSchedule(t.Context(), "page", true, 0))
	before := w.hits()
	n.work()
	got := w.hits()
	if len(n.runs("recheck")) != 1 || got["a.test/1"] != before["a.test/1"]+1 || got["a.test/2"] != before["a.test/2"]+1 ||
		got["a.test/pic"] != before["a.test/pic"] || got["p.test/"] != before["p.test/"] {
		t.Errorf("a recheck asked for %v, after %v", got, before)
	}
	if got := n.report("recheck").Fault; got != "" {
		t.Errorf("now that there is a post, the fault is %q", got)
	}
}

// TestBudget: what a budget has no room for ends as such, and what is cut of a feed is captured by the next run.
func TestBudget(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	var links []string
	for i := range 20 {
		links = append(links, fmt.Sprintf("/%d", i))
		w.html(fmt.Sprintf("b.test/%d", i), "post "+strings.Repeat("x", 1000))
	}
	w.page("b.test/feed", "application/rss+xml", feed(links...))
	n := newNode(t, archive(t), timed(c))
	s := schedule(watch.Feed, w.spec("b.test/feed"))
	s.Spec.Budget.Pages = 6
	n.put(s)
	n.work()
	rs := n.runs("s")
	tally, err := n.db.Tally(t.Context(), rs[0].ID)
	must(t, err)
	if rs[0].Cut != "pages" || tally["captured"] != 6 || tally["captured"]+tally["quota"] != 21 || tally["pending"] != 0 {
		t.Errorf("cut by %q: %v", rs[0].Cut, tally)
	}
	for range 4 {
		c.forward(6 * time.Hour)
		n.work()
	}
	for i := range 20 {
		if got := w.hits()[fmt.Sprintf("b.test/%d", i)]; got != 1 {
			t.Errorf("/%d was asked for %d times", i, got)
		}
	}
	s.Name, s.Spec.Budget = "bytes", scope.Budget{Bytes: 3000}
	n.put(s)
	n.work()
	if rs := n.runs("bytes"); len(rs) != 1 || rs[0].Cut != "bytes" {
		t.Errorf("%+v", rs)
	}
}

// TestBudgetOfTime ends a run of which nothing is due.
func TestBudgetOfTime(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("p.test/", `<article><a href="{a.test/busy}">x</a></article>`)
	w.set("a.test/busy", func(rw http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	n := newNode(t, archive(t), timed(c))
	n.RetryWait = time.Hour
	s := schedule(watch.Post, w.spec("p.test/", "a.test"))
	s.Spec.Budget.Seconds = 600
	n.put(s)
	done := make(chan error, 1)
	go func() { done <- n.Work(t.Context(), nil) }()
	waitFor(t, "the source was asked for", func() bool { return w.hits()["a.test/busy"] > 0 })
	c.forward(10 * time.Minute)
	must(t, end(t, done))
	rs := n.runs("s")
	if tally, err := n.db.Tally(t.Context(), 1); err != nil || rs[0].Cut != "seconds" || tally["quota"] != 1 {
		t.Errorf("cut by %q: %v, %v", rs[0].Cut, tally, err)
	}
}
