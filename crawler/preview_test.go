package crawler_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/crawler"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestPreviewPolite: robots.txt is asked once for each host on the way, over its redirects; its pause is kept, and what it forbids
// of the links is left out. A host that
// asked to be left alone is not asked.
func TestPreviewPolite(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.status("q.test/robots.txt", 301, "Location", "{q.test/rules}")
	w.page("q.test/rules", "text/plain", "User-agent: linkstead\nCrawl-delay: 0.2\nDisallow: /no\n")
	w.status("q.test/", 302, "Location", "{q.test/post}")
	w.html("q.test/post", `<title>It</title><img src="/no.png"><article><a href="{q.test/yes}">a</a> <a href="{q.test/no}">b</a>
		<a href="{other.test/no}">c</a></article>`)
	s := w.spec("q.test/", "q.test")
	s.Robots, s.Links = scope.RobotsObey, scope.LinksContent
	rec := &fetch.Recorder{Resolve: map[string]string{"q.test:" + w.port: "127.0.0.1"}, AllowPrivate: true, Spool: t.TempDir()}
	defer rec.Close()
	began := time.Now()
	p, err := (&crawler.Preview{Recorder: rec, Agent: "linkstead"}).Plan(t.Context(), s, nil)
	must(t, err)
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("the pauses before two pages took %s", took)
	}
	if want := []string{w.at("q.test/yes"), w.at("other.test/no")}; !slices.Equal(p.Links, want) || len(p.Requisites) != 0 {
		t.Errorf("links %q, want %q; requisites %q", p.Links, want, p.Requisites)
	}
	if len(p.LeftOut) != 2 || !strings.HasPrefix(p.LeftOut[0].Reason, "robots.txt: Disallow: /no") {
		t.Errorf("left out %+v", p.LeftOut)
	}
	w.expect(t, "q.test/robots.txt", "q.test/rules", "q.test/", "q.test/post")

	// The host's row tells that it asked to be left alone for longer than anybody waits.
	clock := storagetest.NewClock()
	db := storagetest.OpenRows(t, "sqlite:"+t.TempDir()+"/l.db", clock.Now)
	host := "q.test:" + w.port
	_, err = db.Enqueue(t.Context(), []storage.Task{{Host: host, Run: 1, ID: 1, URL: w.at("q.test/"), Kind: "page", Due: 1}})
	must(t, err)
	ls, err := db.Claim(t.Context(), "n", 1, 1, time.Minute)
	must(t, err)
	until := clock.Now().Add(10 * time.Minute)
	ls[0].Pace = storage.Pace{Failures: 1, Since: clock.Now(), Retry: until, Why: "retry-after", Reason: "retry-after"}
	must(t, db.Release(t.Context(), ls, until))
	_, err = (&crawler.Preview{Recorder: rec, Agent: "linkstead", Hosts: db, Now: clock.Now}).Plan(t.Context(), s, nil)
	if err == nil || !strings.Contains(err.Error(), host+" is left alone until ") || !strings.Contains(err.Error(), "it asked for that") {
		t.Errorf("of a host that asked to be left alone: %v", err)
	}
	w.expect(t, "q.test/robots.txt", "q.test/rules", "q.test/", "q.test/post")
}

// TestPreviewBorrows: while a preview asks a host, nobody else may, nor within the pause that follows; and it does not ask while
// somebody else does.
func TestPreviewBorrows(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	db := storagetest.OpenRows(t, "sqlite:"+t.TempDir()+"/l.db", time.Now)
	host := "q.test:" + w.port
	var during storage.Pause
	w.set("q.test/", func(rw http.ResponseWriter, r *http.Request) {
		during, _ = db.HostPause(r.Context(), host)
		_, _ = rw.Write([]byte("<title>It</title>"))
	})
	s := w.spec("q.test/", "q.test")
	s.Robots, s.DelayMS = scope.RobotsIgnore, time.Hour.Milliseconds()
	rec := &fetch.Recorder{Resolve: map[string]string{host: "127.0.0.1"}, AllowPrivate: true, Spool: t.TempDir()}
	defer rec.Close()
	l, ok, err := db.Borrow(t.Context(), host, "worker", time.Minute)
	if must(t, err); !ok {
		t.Fatal("the host is not to be had")
	}
	ctx, cancel := context.WithCancel(t.Context())
	v := &crawler.Preview{Recorder: rec, Agent: "linkstead", Hosts: db, Say: func(string) { cancel() }}
	if _, err := v.Plan(ctx, s, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("while a worker asks the host: %v", err)
	}
	w.expect(t)
	must(t, db.Release(t.Context(), []storage.Lease{l}, db.Now()))
	_, err = v.Plan(t.Context(), s, nil)
	must(t, err)
	w.expect(t, "q.test/")
	if during.Why != storage.WaitLeased {
		t.Errorf("the host was not held while it was asked: %+v", during)
	}
	after, err := db.HostPause(t.Context(), host)
	if must(t, err); after.Why != "delay" || time.Until(after.Until) < 50*time.Minute {
		t.Errorf("afterwards the host is left alone until %s (%q), want an hour", after.Until, after.Why)
	}
}
