package web

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/storage"
)

var update = flag.Bool("update", false, "write the goldens anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as it was; if that is meant, run the test with -update and look at the difference:\n%s", path, got)
	}
}

func TestPagesAsTheyWere(t *testing.T) {
	a := filled(t)
	for name, path := range map[string]string{
		"home.html": "/", "post.html": "/posts/waf3kq2m7ayz", "older.html": "/posts/waf3kq2m7ayz?run=1",
		"follow.html": "/posts/busy22222222?follow=1", "document.html": "/posts/k2notes4sfds", "outcomes.html": "/outcomes",
		"missing.html": "/posts/nothing", "post.json": "/posts/waf3kq2m7ayz.json",
	} {
		w := a.get(path)
		golden(t, name, strings.ReplaceAll(w.Body.String(), styleTag, "STYLE"))
	}
	golden(t, "empty.html", strings.ReplaceAll(newArchive(t).get("/").Body.String(), styleTag, "STYLE"))
	if a.log.Len() > 0 {
		t.Error(a.log.String())
	}
}

func TestStatusAndHeaders(t *testing.T) {
	a := filled(t)
	for _, c := range []struct {
		method, host, path string
		status             int
		mime               string
	}{
		{"GET", "localhost:8080", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "localhost:8080", "/", 200, "text/html; charset=utf-8"},
		{"GET", "127.0.0.1:8080", "/posts/waf3kq2m7ayz", 200, "text/html; charset=utf-8"},
		{"GET", "[::1]:8080", "/posts/waf3kq2m7ayz.json", 200, jsonType},
		{"GET", "localhost", "/posts/waf3kq2m7ayz?run=1", 200, "text/html; charset=utf-8"},
		{"GET", "localhost", "/posts/waf3kq2m7ayz?run=3", 404, "text/html; charset=utf-8"},
		{"GET", "localhost", "/posts/waf3kq2m7ayz?run=x", 400, "text/html; charset=utf-8"},
		{"GET", "localhost", "/posts/waf3kq2m7ayz?show=x", 400, "text/html; charset=utf-8"},
		{"GET", "localhost", "/posts/nothing", 404, "text/html; charset=utf-8"},
		{"GET", "localhost", "/posts/nothing.json", 404, jsonType},
		{"GET", "localhost", "/nothing/here", 404, "text/html; charset=utf-8"},
		{"GET", "localhost", "/?page=2", 404, "text/html; charset=utf-8"},
		{"GET", "localhost", "/?page=0", 404, "text/html; charset=utf-8"},
		{"GET", "localhost", "/outcomes", 200, "text/html; charset=utf-8"},
		{"GET", "localhost", "/links", 200, "text/html; charset=utf-8"},
		{"GET", "localhost", "/links?state=gone", 200, "text/html; charset=utf-8"},
		{"GET", "localhost", "/links?state=odd", 400, "text/html; charset=utf-8"},
		{"GET", "localhost", "/links.json", 200, jsonType},
		{"GET", "localhost", "/schedules", 200, "text/html; charset=utf-8"},
		{"GET", "localhost", "/schedules.json", 200, jsonType},
		{"GET", "localhost", stylePath, 200, "text/css; charset=utf-8"},
		{"POST", "localhost", "/", 405, "text/plain; charset=utf-8"},
		{"DELETE", "localhost", "/posts/waf3kq2m7ayz", 405, "text/plain; charset=utf-8"},
		{"OPTIONS", "localhost", "/", 405, "text/plain; charset=utf-8"},
		{"GET", "rebound.example:8080", "/", 421, "text/plain; charset=utf-8"},
		{"GET", "replay.localhost:8080", "/", 421, "text/plain; charset=utf-8"},
		{"POST", "rebound.example", "/", 421, "text/plain; charset=utf-8"},
	} {
		w := a.ask(c.method, c.host, c.path)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.mime {
			t.Errorf("%s %s%s = %d %s, want %d %s", c.method, c.host, c.path, w.Code, w.Header().Get("Content-Type"), c.status, c.mime)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self' " + replayOrigin + "; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s %s%s: %s: %q", c.method, c.host, c.path, name, got)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		listen, header string
		want           bool
	}{
		{"127.0.0.1:8080", "localhost:8080", true},
		{"127.0.0.1:8080", "LOCALHOST.:8080", true},
		{"127.0.0.1:8080", "127.9.8.7", true},
		{"127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", true},
		{"127.0.0.1:8080", "localhost.evil.example", false},
		{"127.0.0.1:8080", "x.replay.localhost:8080", false},
		{"127.0.0.1:8080", "192.168.1.5:8080", false},
		{"127.0.0.1:8080", "", false},
		{"127.0.0.1:8080", "[]", false},
		{"192.168.1.5:8080", "192.168.1.5:8080", true},
		{"192.168.1.5:8080", "192.168.1.6:8080", false},
		{"archive.example:80", "Archive.Example", true},
		{":8080", "192.168.1.6:8080", true},
		{"0.0.0.0:8080", "[2001:db8::1]:8080", true},
		{"0.0.0.0:8080", "evil.example:8080", false},
		{"[::]:8080", "evil.example", false},
		{"127.0.0.1:8080", "behind.proxy.example", true},
	} {
		if got := newHostSet(c.listen, []string{"behind.proxy.example", ""}).has(c.header); got != c.want {
			t.Errorf("listening on %q, Host %q: %v, want %v", c.listen, c.header, got, c.want)
		}
	}
}

func TestJSONIsTheReport(t *testing.T) {
	a := filled(t)
	for _, c := range []struct {
		query string
		run   int64
	}{{"", 2}, {"?run=1", 1}} {
		run, err := a.db.Run(t.Context(), c.run)
		if err != nil {
			t.Fatal(err)
		}
		want, err := a.pages.Reports.BuildPost(t.Context(), run, "waf3kq2m7ayz")
		if err != nil {
			t.Fatal(err)
		}
		var got report.Report
		if err := json.Unmarshal(a.get("/posts/waf3kq2m7ayz.json"+c.query).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Post.Run != c.run || len(got.Links) != len(want.Links) || got.Totals.Dead != want.Totals.Dead {
			t.Errorf("JSON of run %d = %+v", c.run, got)
		}
	}
}

// What people are told adds up to what the report counts.
func TestTalliesAgreeWithTheReport(t *testing.T) {
	a := filled(t)
	for id := int64(1); id <= 5; id++ {
		run, err := a.db.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.pages.Reports.(*report.Builder).Build(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		got := tally{Links: len(r.Links), LeftOut: len(r.LeftOut)}
		count := map[group]*int{captured: &got.Captured, partial: &got.Partial, walled: &got.Walled, dead: &got.Dead, notCaptured: &got.NotCaptured, pending: &got.Pending, purged: &got.Purged}
		for i := range r.Links {
			*count[fateOf(&r.Links[i].Fate).Group]++
		}
		if want := tallyOf(r); got != want {
			t.Errorf("run %d: the groups of its links are %+v, the report has %+v", id, got, want)
		}
	}
}

func TestEveryOutcomeHasAGroup(t *testing.T) {
	for _, d := range outcome.All() {
		for _, code := range []int{0, 200, 304, 404, 599} {
			f := fateOf(&report.Fate{Outcome: string(d.Outcome), Status: code})
			shows := code < 400 && code != 304
			if d.Kept && (f.Group == captured || f.Group == partial) != shows || !d.Kept && f.Group != dead && f.Group != notCaptured || f.Word == "" {
				t.Errorf("%s with status %d = %+v", d.Outcome, code, f)
			}
		}
	}
	if f := fateOf(&report.Fate{Outcome: report.Pending}); f.Group != pending {
		t.Errorf("pending = %+v", f)
	}
	if f := fateOf(&report.Fate{Outcome: report.Purged}); f.Group != purged {
		t.Errorf("purged = %+v", f)
	}
	if f := fateOf(&report.Fate{Outcome: "a word of a later version"}); f.Group != dead || f.Word != "Dead: a word of a later version" {
		t.Errorf("unknown = %+v", f)
	}
}

func TestSelection(t *testing.T) {
	a := filled(t)
	for show, want := range map[string]int{"": 9, "captured": 3, "partial": 1, "dead": 4, "not-captured": 1, "pending": 0} {
		body := a.get("/posts/waf3kq2m7ayz?show=" + show).Body.String()
		if got := strings.Count(body, `class="link"`); got != want {
			t.Errorf("show=%s: %d links, want %d", show, got, want)
		}
	}
	if body := a.get("/posts/waf3kq2m7ayz?run=1&show=dead").Body.String(); !strings.Contains(body, `href="/posts/waf3kq2m7ayz?run=1#links"`) {
		t.Error("the way back to all links loses the version")
	}
}

// The place of a link can be linked to, and stays in the next version.
func TestAnchorsStay(t *testing.T) {
	a := filled(t)
	id := `id="` + anchor("https://docs.example/tutorial") + `"`
	for _, path := range []string{"/posts/waf3kq2m7ayz", "/posts/waf3kq2m7ayz?run=1", "/posts/waf3kq2m7ayz?show=captured"} {
		if strings.Count(a.get(path).Body.String(), id) != 1 {
			t.Errorf("%s has no single %s", path, id)
		}
	}
}

func TestFollow(t *testing.T) {
	a := filled(t)
	const refresh = `http-equiv="refresh"`
	for path, want := range map[string]bool{
		"/posts/busy22222222": false, "/posts/busy22222222?follow=1": true, "/posts/waf3kq2m7ayz?follow=1": false,
		"/runs/4": false, "/runs/4?follow=1": true, "/runs/2?follow=1": false,
	} {
		if got := strings.Contains(a.get(path).Body.String(), refresh); got != want {
			t.Errorf("%s loads itself again: %v, want %v", path, got, want)
		}
	}
	if body := a.get("/runs/4").Body.String(); !strings.Contains(body, `<a href="/runs/4?follow=1">Follow it`) {
		t.Errorf("a run that goes on can't be followed:\n%s", body)
	}
	if body := a.get("/runs/2").Body.String(); !strings.Contains(body, `<a class="button" href="`+replayOrigin+`/web/`) || strings.Contains(body, "Follow it") {
		t.Errorf("a run that has ended does not lead to its copy:\n%s", body)
	}
	if err := a.db.PauseRun(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	body := a.get("/posts/busy22222222?follow=1").Body.String()
	if strings.Contains(body, refresh) || !strings.Contains(body, "Interrupted") {
		t.Error("an interrupted run is followed, or not told")
	}
}

func TestLookup(t *testing.T) {
	a := newArchive(t)
	for asked, want := range map[string]string{
		"https%3A%2F%2Fexample.org%2Fa%3Fb%3Dc%23d":    "/web/*/https://example.org/a?b=c",
		"example.org/page":                             "/web/*/http://example.org/page",
		"+Example.ORG+":                                "/web/*/http://example.org/",
		"%2F%2Fexample.org%2F":                         "/web/*/http://example.org/",
		"http%3A%2F%2Fexample.org%2F%0D%0ASet-Cookie:": "/web/*/http://example.org/Set-Cookie:",
		"http%3A%2F%2Fuser:word%40example.org":         "/web/*/http://example.org/",
		"javascript:alert(1)":                          "",
		"file%3A%2F%2F%2Fetc%2Fpasswd":                 "",
		"":                                             "",
		"+":                                            "",
		"http%3A%2F%2F":                                "",
	} {
		w := a.get("/lookup?url=" + asked)
		if want == "" {
			if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" {
				t.Errorf("%q: %d, to %q", asked, w.Code, w.Header().Get("Location"))
			}
			continue
		}
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != replayOrigin+want {
			t.Errorf("%q: %d, to %q, want %q", asked, w.Code, got, replayOrigin+want)
		}
	}
}

func TestStyleIsCached(t *testing.T) {
	a := newArchive(t)
	w := a.get(stylePath)
	if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.String() != string(styleSheet) {
		t.Errorf("style: %v", w.Header())
	}
	if w := a.get("/style.css?v=old"); w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("another version's style: %v", w.Header())
	}
}

func TestPaging(t *testing.T) {
	a := newArchive(t)
	for i := range perPage + 3 {
		a.now = a.now.Add(time.Minute)
		p := storage.Post{Source: "https://a.example/" + string(rune('A'+i))}
		p.URL = p.Source
		a.finish(a.capture("post"+string(rune('a'+i)), p, fact{url: p.Source, outcome: outcome.Captured, status: 200}))
	}
	first, second := a.get("/").Body.String(), a.get("/?page=2").Body.String()
	if n := strings.Count(first, `class="title"`); n != perPage || !strings.Contains(first, `href="/?page=2"`) || strings.Contains(first, "Newer posts") {
		t.Errorf("first page: %d posts\n%s", n, first)
	}
	if n := strings.Count(second, `class="title"`); n != 3 || !strings.Contains(second, `<a href="/" rel="prev">`) || strings.Contains(second, "Older posts") {
		t.Errorf("second page: %d posts\n%s", n, second)
	}
}

// A run's counts change until it is done, and every reader sees it at once.
func TestCountsAreOnlyRememberedOfRunsThatAreDone(t *testing.T) {
	a := newArchive(t)
	p := storage.Post{Source: "https://a.example/", URL: "https://a.example/", Citations: numbered([]storage.Citation{places("https://b.example/", "b", "", "")})}
	run := a.capture("aaaa", p, fact{url: p.Source, outcome: outcome.Captured, status: 200}, fact{url: "https://b.example/"})
	if body := a.get("/").Body.String(); !strings.Contains(body, "1 not tried yet") || !strings.Contains(body, "Being captured") {
		t.Error(body)
	}
	leases, err := a.db.Claim(t.Context(), "worker", 10, 10, time.Minute)
	if err != nil || len(leases) != 1 {
		t.Fatal(leases, err)
	}
	e := a.end(leases[0].Tasks[0], fact{url: "https://b.example/", outcome: outcome.Captured, status: 410}, "", 9)
	e.Token = leases[0].Token
	if _, err := a.db.Commit(t.Context(), nil, []storage.End{e}); err != nil {
		t.Fatal(err)
	}
	a.finish(run)
	for range 2 {
		if body := a.get("/").Body.String(); !strings.Contains(body, "1 dead") || strings.Contains(body, "not tried yet") {
			t.Error(body)
		}
	}
}

func TestManyReadersAtOnce(t *testing.T) {
	a := filled(t)
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			for _, path := range []string{"/", "/posts/waf3kq2m7ayz", "/posts/busy22222222.json"} {
				if w := a.get(path); w.Code != http.StatusOK {
					return fmt.Errorf("%s: %d", path, w.Code)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// A fault inside is for the log; people get a plain page and the word that nothing is harmed.
func TestFaultsStayInside(t *testing.T) {
	a := filled(t)
	if err := a.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/posts/waf3kq2m7ayz", "/posts/waf3kq2m7ayz.json"} {
		a.log.Reset()
		w := a.get(path)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "sql") || !strings.Contains(w.Body.String(), "could not make this page") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if !strings.Contains(a.log.String(), "sql: database is closed") {
			t.Errorf("%s: the log says %q", path, a.log.String())
		}
	}
}

type failing struct{ Reports }

func (failing) BuildPost(context.Context, storage.Run, string) (*report.Report, error) {
	return nil, errors.New("disk on fire")
}

func TestAReportThatFails(t *testing.T) {
	a := filled(t)
	a.pages.Reports = failing{}
	if w := a.get("/posts/waf3kq2m7ayz"); w.Code != 500 || strings.Contains(w.Body.String(), "fire") || !strings.Contains(a.log.String(), "disk on fire") {
		t.Errorf("%d %s\nlog: %s", w.Code, w.Body, a.log.String())
	}
}
