package crawler_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/crawler"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// TestBegin: an interrupted run of the very same spec goes on; no other does, and none that is done.
func TestBegin(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", "A.")
	w.html("b.test/", "B.")
	n := newNode(t, archive(t))
	s := w.spec("a.test/", "b.test")
	begin := func(s scope.Spec, doc *storage.Document) (storage.Run, bool) {
		t.Helper()
		r, resumed, err := crawler.Begin(t.Context(), n.db, s, doc, time.Now())
		must(t, err)
		return r, resumed
	}
	first, resumed := begin(s, nil)
	if resumed {
		t.Error("a new run goes on with another")
	}
	must(t, n.db.PauseRun(t.Context(), first.ID))
	other := s
	other.Source = w.at("b.test/")
	second, resumed := begin(other, nil)
	if resumed || second.ID == first.ID {
		t.Error("a run of another source goes on with the first")
	}
	deeper := s
	deeper.Depth = 3
	if third, resumed := begin(deeper, nil); resumed || third.ID == first.ID {
		t.Error("a run of another depth goes on with the first")
	} else {
		must(t, n.db.PauseRun(t.Context(), third.ID))
	}
	n.work() // the second alone
	w.expect(t, "b.test/")
	n.done(second)
	if r, resumed := begin(s, nil); !resumed || r.ID != first.ID {
		t.Errorf("run %d, %v; want to go on with run %d", r.ID, resumed, first.ID)
	}
	n.work()
	w.expect(t, "a.test/", "b.test/")
	n.done(first)
	if r, resumed := begin(s, nil); resumed || r.ID == first.ID {
		t.Error("a run that is done goes on")
	}
	for _, bad := range []func(*scope.Spec){
		func(s *scope.Spec) { s.Source = "ftp://a.test/" },
		func(s *scope.Spec) { s.Source = "" },
		func(s *scope.Spec) { s.Exclude = []string{"("} },
	} {
		b := s
		bad(&b)
		if _, _, err := crawler.Begin(t.Context(), n.db, b, nil, time.Now()); err == nil {
			t.Errorf("%+v begins", b)
		}
	}
}

// TestDocument: a document that was handed in is a resource, and its links are captured; the same document again is
// another run.
func TestDocument(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/x", "A.")
	n := newNode(t, archive(t))
	s := w.spec("a.test/", "a.test")
	s.Source, s.Base, s.Dated = "file:///notes.md", w.at("a.test/"), "2016-02"
	doc := &storage.Document{Mime: "text/markdown", Body: []byte("# Notes\nSee [x](x) and [gone](" + w.at("b.test/") + ").")}
	var ids []int64
	for range 2 {
		r, resumed, err := crawler.Begin(t.Context(), n.db, s, doc, time.Now())
		if err != nil || resumed || slices.Contains(ids, r.ID) {
			t.Fatalf("run %d, %v, %v", r.ID, resumed, err)
		}
		ids = append(ids, r.ID)
		doc.Body = append(doc.Body, '\n') // another document under the same name is another run
	}
	n.work()
	for _, id := range ids {
		p, err := n.db.PostOf(t.Context(), id)
		if err != nil || len(p.Citations) != 2 || p.Dated != "2016-02" || p.Source != s.Source {
			t.Errorf("the post is %+v, %v", p, err)
		}
	}
	if got := w.hits()["a.test/x"]; got != 2 {
		t.Errorf("two runs asked %d times", got)
	}
	if cs := captures(n, s.Source); len(cs) != 2 || cs[0].Kind != "resource" {
		t.Errorf("captured as %+v", cs)
	}
}

// TestFollow: a run that another process writes into the queue is worked off by whoever is at work, even if that is about
// to end for its own part; and it ends when its own part is done.
func TestFollow(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	g := newGate(w, "a.test/")
	slow := newGate(w, "c.test/")
	w.html("b.test/", "B.")
	dir := archive(t)
	n := newNode(t, dir)
	n.Grace = 100 * time.Millisecond
	own := n.begin(w.spec("a.test/"))
	done := make(chan error, 1)
	go func() {
		done <- n.Work(t.Context(), func(ctx context.Context) (bool, error) {
			r, err := n.db.Run(ctx, own.ID)
			return r.State == storage.RunDone, err
		})
	}()
	<-g.came
	db, err := storage.OpenDB(t.Context(), "sqlite:"+dir+"/linkstead.db", storage.DBOptions{})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	begin := func(s scope.Spec) storage.Run {
		r, _, err := crawler.Begin(t.Context(), db, s, nil, time.Now())
		must(t, err)
		return r
	}
	followed := begin(w.spec("b.test/"))
	waitFor(t, "the follower's run is done", func() bool {
		r, err := db.Run(t.Context(), followed.ID)
		return err == nil && r.State == storage.RunDone
	})
	hangs := begin(w.spec("c.test/"))
	<-slow.came
	close(g.open)
	must(t, end(t, done))
	n.done(own)
	n.free()
	close(slow.open)
	n.work()
	n.done(hangs)
}

// TestPreview tells what a capture would do, from the post alone, and keeps nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.status("p.test/", 302, "Location", "{q.test/door}")
	w.html("q.test/door", `<meta http-equiv=refresh content="0;url=/post">`)
	w.html("q.test/post", `<title>It</title><link rel=stylesheet href=/s.css><article><a href="{a.test/}">a</a>
		<a href="{x.test/out}">out</a></article><a href="{q.test/deeper}">deeper</a>`)
	s := w.spec("p.test/", "q.test")
	s.Exclude, s.Links = []string{"out$"}, scope.LinksContent
	resolve := map[string]string{"p.test:" + w.port: "127.0.0.1", "q.test:" + w.port: "127.0.0.1"}
	rec := &fetch.Recorder{Resolve: resolve, AllowPrivate: true, Spool: t.TempDir()}
	defer rec.Close()
	v := &crawler.Preview{Recorder: rec, Agent: "linkstead"}
	p, err := v.Plan(t.Context(), s, nil)
	must(t, err)
	if p.URL != w.at("q.test/post") || p.Title != "It" || p.Status != 200 || p.Outcome != "captured" {
		t.Errorf("the post is %+v", p)
	}
	if want := []string{w.at("a.test/")}; !slices.Equal(p.Links, want) {
		t.Errorf("links %q, want %q", p.Links, want)
	}
	if want := []string{w.at("q.test/s.css")}; !slices.Equal(p.Requisites, want) {
		t.Errorf("requisites %q, want %q", p.Requisites, want)
	}
	if len(p.LeftOut) != 2 || p.LeftOut[0].URL != w.at("x.test/out") || !strings.Contains(p.LeftOut[0].Reason, "out$") {
		t.Errorf("left out %+v", p.LeftOut)
	}
	w.expect(t, "p.test/", "q.test/door", "q.test/post")

	doc := &storage.Document{Mime: "text/plain", Body: []byte("See http://a.test/1 and www.b.test.")}
	s.Source = "file:///notes.txt"
	p, err = v.Plan(t.Context(), s, doc)
	if want := []string{"http://a.test/1", "http://www.b.test/"}; err != nil || !slices.Equal(p.Links, want) {
		t.Errorf("links %+v, %v, want %q", p, err, want)
	}
	s.Source = "http://unknown.invalid/"
	p, err = v.Plan(t.Context(), s, nil)
	if err != nil || p.Outcome != "dns" || p.Detail == "" {
		t.Errorf("of a post that is not there: %+v, %v", p, err)
	}
	s.Source = w.at("loop.test/")
	resolve["loop.test:"+w.port] = "127.0.0.1"
	w.status("loop.test/", 302, "Location", "{loop.test/?}")
	w.status("loop.test/?", 302, "Location", "{loop.test/}")
	p, err = v.Plan(t.Context(), s, nil)
	if err != nil || p.Status != 302 {
		t.Errorf("of a loop: %+v, %v", p, err)
	}
}

// TestDocumentLost: a run whose document is lost is put aside with the reason, and the others go on; the same command, which
// brings the document once more, goes on with it.
func TestDocumentLost(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("b.test/", "b")
	n := newNode(t, archive(t))
	s := w.spec("b.test/")
	s.Source = "file:///notes.txt"
	doc := &storage.Document{Mime: "text/plain", Body: []byte("See " + w.at("b.test/"))}
	lost, _, err := crawler.Begin(t.Context(), n.db, s, doc, time.Now())
	must(t, err)
	for _, state := range []storage.RunState{storage.RunDone, storage.RunActive} { // the document of a run that is done is dropped
		lost.State = state
		must(t, n.db.UpdateRun(t.Context(), lost))
	}
	other, _, err := crawler.Begin(t.Context(), n.db, w.spec("b.test/"), nil, time.Now())
	must(t, err)
	n.work()
	n.done(other)
	if r, err := n.db.Run(t.Context(), lost.ID); err != nil || r.State != storage.RunPaused || !strings.Contains(r.Fault, "is lost with the segment") {
		t.Errorf("the run whose document is lost: %+v, %v", r, err)
	}
	again, resumed, err := crawler.Begin(t.Context(), n.db, s, doc, time.Now())
	if err != nil || !resumed || again.ID != lost.ID {
		t.Fatalf("run %d, %t, %v; want run %d to go on", again.ID, resumed, err, lost.ID)
	}
	n.work()
	n.done(lost)
	if r, err := n.db.Run(t.Context(), lost.ID); err != nil || r.Fault != "" {
		t.Errorf("it still says %q, %v", r.Fault, err)
	}
}
