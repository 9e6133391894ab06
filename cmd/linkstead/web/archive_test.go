package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

const replayOrigin = "http://replay.localhost:8081"

var day = time.Date(2026, 3, 12, 10, 3, 7, 0, time.UTC)

// archive is a real database that a test fills as a worker does, and the pages over it.
type archive struct {
	t     testing.TB
	db    *storage.DB
	now   time.Time
	log   bytes.Buffer
	pages *Pages
	web   http.Handler
}

func newArchive(t testing.TB) *archive {
	t.Helper()
	a := &archive{t: t, now: day}
	db, err := storage.OpenDB(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "linkstead.db"), storage.DBOptions{Now: func() time.Time { return a.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	a.db = db
	a.pages = &Pages{
		Rows: db, Schedules: db, Runs: db, Status: db, Reports: &report.Builder{Rows: db, Replay: replayOrigin, Collection: "default"}, Replay: replayOrigin, Listen: "127.0.0.1:8080",
		Now: func() time.Time { return a.now }, Log: slog.New(slog.NewTextHandler(&a.log, nil)),
	}
	a.web = a.pages.Handler()
	return a
}

// fact is what came of one address in a run; without an outcome it is still to come.
type fact struct {
	url      string
	outcome  outcome.Outcome
	status   int
	redirect string
	detail   string
}

// capture runs a capture of a post: its tasks are claimed, and what came of them is committed. The run stays active.
func (a *archive) capture(id string, p storage.Post, facts ...fact) storage.Run {
	a.t.Helper()
	ctx := context.Background()
	var tasks []storage.Task
	byID := map[int64]fact{} // the database makes addresses harmless
	for _, f := range facts {
		byID[urlkey.ID(f.url)] = f
		host := urlkey.Host(f.url)
		if host == "" {
			host = "document"
		}
		tasks = append(tasks, storage.Task{Host: host, ID: urlkey.ID(f.url), URL: f.url, Kind: "page", Due: 1})
	}
	run, err := a.db.StartRun(ctx, storage.Run{Collection: p.Collection, Source: p.Source, Spec: []byte(`{}`), Started: a.now}, nil, tasks)
	if err != nil {
		a.t.Fatal(err)
	}
	p.ID, p.Run, p.At = id, run.ID, a.now
	leases, err := a.db.Claim(ctx, "worker", 1000, 10000, time.Minute)
	if err != nil {
		a.t.Fatal(err)
	}
	var ends []storage.End
	for _, l := range leases {
		for _, task := range l.Tasks {
			if f := byID[task.ID]; task.Run == run.ID && f.outcome != outcome.Pending {
				e := a.end(task, f, p.Collection, int64(len(ends)))
				e.Token = l.Token
				if f.url == p.Source && id != "" {
					e.Post = &p
				}
				ends = append(ends, e)
			}
		}
	}
	if fenced, err := a.db.Commit(ctx, nil, ends); err != nil || len(fenced) > 0 {
		a.t.Fatalf("commit: %v, fenced %v", err, fenced)
	}
	if err := a.db.Release(ctx, leases, a.now); err != nil {
		a.t.Fatal(err)
	}
	return run
}

func (a *archive) end(task storage.Task, f fact, collection string, pos int64) storage.End {
	task.Outcome, task.Due, task.Attempts = string(f.outcome), storage.Never, 1
	e := storage.End{Task: task}
	seg, key, at := "seg-"+a.now.Format("20060102"), urlkey.Key(f.url), a.now.Add(time.Duration(pos)*time.Second)
	if !f.outcome.Kept() {
		e.Attempts = []storage.Attempt{{
			Collection: collection, URL: f.url, URLKey: key, At: at, Run: task.Run, Outcome: string(f.outcome), Detail: f.detail,
			Segment: seg, Offset: pos,
		}}
		return e
	}
	e.Captures = []storage.Capture{{
		Collection: collection, URLKey: key, At: at, Segment: seg, Offset: pos, Length: 1, URL: f.url, Status: f.status, Mime: "text/html",
		Digest: "sha256:AAAA", Kind: "response", Redirect: f.redirect, RecordID: "<urn:uuid:x>", Run: task.Run, Outcome: string(f.outcome),
	}}
	return e
}

func (a *archive) finish(run storage.Run) {
	a.t.Helper()
	run.State, run.Ended = storage.RunDone, a.now
	if err := a.db.UpdateRun(context.Background(), run); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) get(path string) *httptest.ResponseRecorder {
	return a.ask(http.MethodGet, "localhost:8080", path)
}

func (a *archive) ask(method, host, path string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	a.web.ServeHTTP(w, r)
	return w
}

func places(url, text, before, after string) storage.Citation {
	return storage.Citation{URL: url, Raw: url, Text: text, Context: before + text + after, Where: "content"}
}

// filled is an archive with a post in two versions, a document that was handed in, a run under way and one that has
// only begun.
func filled(t testing.TB) *archive {
	a := newArchive(t)
	blog := storage.Post{
		Collection: "default", Source: "https://blog.example/2016/02/walls", URL: "https://blog.example/2016/02/walls/",
		Title: "What the walls of Aleppo remember", Dated: "2016-02-21",
	}
	a.now = time.Date(2025, 11, 3, 8, 30, 0, 0, time.UTC)
	first := blog
	first.Citations = numbered([]storage.Citation{places("https://docs.example/tutorial", "the tutorial", "It is all in ", " for beginners.")})
	a.finish(a.capture("waf3kq2m7ayz", first, fact{url: blog.Source, outcome: outcome.Captured, status: 200},
		fact{url: "https://docs.example/tutorial", outcome: outcome.Captured, status: 200}))

	a.now = day
	blog.Citations = numbered(blogCitations())
	a.finish(a.capture("waf3kq2m7ayz", blog, blogFacts(blog.Source)...))

	a.now = day.Add(time.Hour)
	note := storage.Post{Collection: "default", Source: "file:///home/ada/notes/sources.txt", URL: "file:///home/ada/notes/sources.txt"}
	a.finish(a.capture("k2notes4sfds", note, fact{url: note.Source, outcome: outcome.Captured}))

	a.now = day.Add(2 * time.Hour)
	busy := storage.Post{
		Collection: "default", Source: "https://news.example/story", URL: "https://news.example/story", Title: "A story that is being captured",
		Dated: "2026-03", Citations: numbered([]storage.Citation{
			places("https://one.example/", "one", "This is ", " of two."), places("https://two.example/", "two", "This is the ", "."),
		}),
	}
	a.capture("busy22222222", busy, fact{url: busy.Source, outcome: outcome.Captured, status: 200},
		fact{url: "https://one.example/", outcome: outcome.Captured, status: 200}, fact{url: "https://two.example/"})
	a.capture("", storage.Post{Collection: "default", Source: "https://later.example/post"}, fact{url: "https://later.example/post"})
	return a
}

func numbered(cs []storage.Citation) []storage.Citation {
	for i := range cs {
		cs[i].Seq, cs[i].Start, cs[i].End = i, 100*i, 100*i+10
	}
	return cs
}

func blogCitations() []storage.Citation {
	leftOut := func(c storage.Citation, why string) storage.Citation {
		c.LeftOut = why
		return c
	}
	original := places("https://old.example/report.pdf", "an old report", "There is ", ", kept elsewhere.")
	original.Of = "https://web.archive.org/web/2012/https://old.example/report.pdf"
	cs := []storage.Citation{
		places("https://docs.example/tutorial", "the tutorial", "It is all in ", " for beginners."),
		places("https://www.museum.example/collections/manuscripts/damascus-room?lang=en&view=details&utm_source=blog",
			"the Damascus room", "A panelled room of 1766 stands in the museum; see ", " and its long restoration."),
		places("https://gone.example/a-page-that-died", "wrote about it", "Somebody ", " at the time."),
		places("https://no-such-host.example/", "a site", "I found it on ", " that I can't recall."),
		places("https://private.example/members", "members' page", "Details are on the ", "."),
		places("https://slow.example/film", "the film", "You can watch ", " there."),
		places("https://turning.example/a", "round and round", "It goes ", "."),
		places("https://web.archive.org/web/2012/https://old.example/report.pdf", "an old report", "There is ", ", kept elsewhere."),
		original,
		leftOut(places("https://social.example/share?u=1", "Share", "", ""), "share"),
		leftOut(places("https://social.example/tweet?u=1", "Tweet this", "", ""), "share"),
		leftOut(places("https://blog.example/login", "Log in to reply", "", ""), "login"),
	}
	for range 6 {
		cs = append(cs, places("https://docs.example/tutorial", "here", "It says so again ", " in passing."))
	}
	return cs
}

func blogFacts(source string) []fact {
	const museum = "https://www.museum.example/collections/manuscripts/damascus-room?lang=en&view=details&utm_source=blog"
	return []fact{
		{url: source, outcome: outcome.Captured, status: 200},
		{url: "https://docs.example/tutorial", outcome: outcome.Captured, status: 200},
		{url: museum, outcome: outcome.Captured, status: 301, redirect: "https://museum.example/damascus-room"},
		{url: "https://museum.example/damascus-room", outcome: outcome.Captured, status: 302, redirect: "https://museum.example/en/damascus-room"},
		{url: "https://museum.example/en/damascus-room", outcome: outcome.Captured, status: 200},
		{url: "https://gone.example/a-page-that-died", outcome: outcome.Captured, status: 404},
		{url: "https://no-such-host.example/", outcome: outcome.DNS, detail: "lookup no-such-host.example: no such host"},
		{url: "https://private.example/members", outcome: outcome.Robots, detail: "Disallow: /members"},
		{url: "https://slow.example/film", outcome: outcome.TooLong, status: 200},
		{url: "https://turning.example/a", outcome: outcome.Captured, status: 302, redirect: "https://turning.example/b"},
		{url: "https://turning.example/b", outcome: outcome.Timeout, detail: "no answer in 30 s"},
		{url: "https://web.archive.org/web/2012/https://old.example/report.pdf", outcome: outcome.Captured, status: 200},
		{url: "https://old.example/report.pdf", outcome: outcome.Refused, detail: "connection refused"},
	}
}
