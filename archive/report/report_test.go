package report

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

var at = time.Date(2016, 2, 21, 10, 0, 0, 0, time.UTC)

// archive is a database with one run of one post.
type archive struct {
	t   *testing.T
	db  *storage.DB
	run storage.Run
	n   int64
}

func newArchive(t *testing.T, collection string) *archive {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	run, err := db.StartRun(t.Context(), storage.Run{Collection: collection, Source: "http://blog/p", Spec: []byte("{}"), Started: at}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &archive{t: t, db: db, run: run}
}

func (a *archive) adopt(e storage.End) {
	a.t.Helper()
	if err := a.db.Adopt(a.t.Context(), []storage.End{e}); err != nil {
		a.t.Fatal(err)
	}
}

// capture adds a capture of a URL, a second later than the one before.
func (a *archive) capture(url string, status int, outcome, redirect string) {
	a.t.Helper()
	a.flagged(url, status, outcome, redirect, "")
}

// flagged adds one that shows a wall.
func (a *archive) flagged(url string, status int, outcome, redirect, flags string) {
	a.t.Helper()
	a.n++
	kind := "response"
	if outcome != "captured" {
		kind = "truncated"
	}
	a.adopt(storage.End{Captures: []storage.Capture{{
		Collection: a.run.Collection, URL: url, URLKey: urlkey.Key(url), At: at.Add(time.Duration(a.n) * time.Second), Segment: "s", Offset: a.n,
		Length: 1, Status: status, Kind: kind, Redirect: redirect, RecordID: "<urn:x>", Run: a.run.ID, Outcome: outcome, Digest: "sha256:D", Flags: flags,
	}}})
}

func (a *archive) attempt(url, outcome, detail string) {
	a.t.Helper()
	a.n++
	a.adopt(storage.End{Attempts: []storage.Attempt{{
		Collection: a.run.Collection, URL: url, URLKey: urlkey.Key(url), At: at.Add(time.Duration(a.n) * time.Second), Segment: "s", Offset: a.n,
		Run: a.run.ID, Outcome: outcome, Detail: detail,
	}}})
}

// post adds the post, citing urls; those with a "!" are left out.
func (a *archive) post(urls ...string) {
	a.t.Helper()
	p := storage.Post{ID: "id", Run: a.run.ID, Collection: a.run.Collection, Source: a.run.Source, URL: a.run.Source, Title: "T", At: at}
	for i, u := range urls {
		c := storage.Citation{Seq: i, URL: strings.TrimPrefix(u, "!"), Text: "t", Context: "c", Start: i, End: i + 1}
		if strings.HasPrefix(u, "!") {
			c.LeftOut = "share"
		}
		p.Citations = append(p.Citations, c)
	}
	a.adopt(storage.End{Post: &p})
}

func (a *archive) build(b Builder) *Report {
	a.t.Helper()
	b.Rows = a.db
	r, err := b.Build(context.Background(), a.run)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

func TestFates(t *testing.T) {
	a := newArchive(t, "c")
	a.capture("http://blog/p", 200, "captured", "")
	a.capture("http://x/moved", 301, "captured", "http://x/moved2")
	a.capture("http://x/moved2", 302, "captured", "http://x/here")
	a.capture("http://x/here", 200, "captured", "")
	a.capture("http://x/gone", 404, "captured", "")
	a.capture("http://x/cut", 200, "cut-short", "")
	a.capture("http://x/twice", 200, "cut-short", "")
	a.capture("http://x/twice", 200, "captured", "")
	a.capture("http://x/twice", 200, "too-slow", "")
	a.attempt("http://x/dead", "timeout", "slow")
	a.attempt("http://x/dead", "refused", "nobody")
	a.capture("http://x/loop", 302, "captured", "http://x/loop2")
	a.capture("http://x/loop2", 302, "captured", "http://x/loop")
	a.capture("http://x/out", 302, "captured", "http://elsewhere/")
	a.capture("http://x/away", 302, "captured", "http://x/dead")
	a.adopt(storage.End{Captures: []storage.Capture{{Collection: "c", URL: "http://x/dead", URLKey: urlkey.Key("http://x/dead"), At: at.Add(-time.Hour),
		Segment: "earlier", Status: 200, Kind: "response", Run: 99, Outcome: "captured"}}})
	for url, to := range map[string]string{"http://x/loop": "http://x/loop2", "http://x/out": "http://x/here"} { // the first leads nowhere
		a.adopt(storage.End{Captures: []storage.Capture{{Collection: "c", URL: url, URLKey: urlkey.Key(url), At: at.Add(-time.Hour),
			Segment: "earlier " + url, Status: 302, Redirect: to, Kind: "response", Run: 99, Outcome: "captured"}}})
	}
	// A purge leaves the ended task alone, without its address.
	a.adopt(storage.End{Task: storage.Task{Host: urlkey.Host("http://x/purged"), Run: a.run.ID, ID: urlkey.ID("http://x/purged"), Kind: "page",
		Due: storage.Never, Attempts: 1, Outcome: "captured"}})
	a.run.State = storage.RunDone
	a.post("http://x/moved", "http://x/gone", "http://x/cut", "http://x/twice", "http://x/dead", "http://x/loop", "http://x/out",
		"http://x/away", "http://x/new", "http://x/purged", "http://x/gone", "!http://share/")
	r := a.build(Builder{Replay: "http://r", Collection: "c"})
	if !r.Post.Good() || r.Post.ID != "id" || r.Post.Replay != "http://r/web/20160221100001/http://blog/p" {
		t.Errorf("post %+v", r.Post)
	}
	for i, want := range []struct {
		url, outcome, final string
		status, hops        int
		good                bool
	}{
		{"http://x/moved", "captured", "http://x/here", 200, 2, true},
		{"http://x/gone", "captured", "", 404, 0, false},
		{"http://x/cut", "cut-short", "", 200, 0, true},
		{"http://x/twice", "captured", "", 200, 0, true},
		{"http://x/dead", "refused", "", 0, 0, false},
		{"http://x/loop", "redirect-loop", "http://x/loop", 302, 2, false},
		{"http://x/out", "excluded", "http://elsewhere/", 0, 1, false},
		{"http://x/away", "refused", "http://x/dead", 0, 1, false},
		{"http://x/new", "pending", "", 0, 0, false},
		{"http://x/purged", "purged", "", 0, 0, false},
	} {
		l := r.Links[i]
		if l.URL != want.url || l.Outcome != want.outcome || l.Status != want.status || len(l.Redirects) != want.hops || l.Good() != want.good || l.Final != want.final {
			t.Errorf("link %d: %+v, want %+v", i, l, want)
		}
	}
	if o := r.Links[4].Other; o == nil || o.Run != 99 || o.Replay != "http://r/web/20160221090000/http://x/dead" {
		t.Errorf("the copy of an earlier run: %+v", o)
	}
	if r.Links[5].Other != nil {
		t.Errorf("a loop of an earlier run is no copy: %+v", r.Links[5].Other)
	}
	if o := r.Links[6].Other; o == nil || o.Run != 99 {
		t.Errorf("an earlier run's redirect to what the archive has: %+v", o)
	}
	if r.Links[0].Other != nil || r.Links[1].Other != nil {
		t.Error("a copy of another run where there is none, or none is needed")
	}
	if n := len(r.Links[1].Citations); n != 2 {
		t.Errorf("a link cited twice has %d citations", n)
	}
	got, err := json.Marshal(r.Totals)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"links":10,"captured":2,"partial":1,"walled":0,"dead":4,"not_captured":1,"pending":1,"purged":1,"left_out":1,"tasks":{"purged":1}}`; string(got) != want {
		t.Errorf("totals %s, want %s", got, want)
	}
	if r.Complete() {
		t.Error("complete, with a link pending")
	}
}

// TestWalls: a copy that shows a wall is not captured, and nothing is said of its source's life; another copy is the better
// one, of this run or of an earlier one.
func TestWalls(t *testing.T) {
	a := newArchive(t, "c")
	a.flagged("http://blog/p", 200, "captured", "", "needs-browser")
	a.flagged("http://x/bot", 403, "captured", "", "bot-wall needs-browser")
	a.flagged("http://x/login", 302, "captured", "http://x/sign-in", "login")
	a.capture("http://x/page", 200, "captured", "")
	a.flagged("http://x/page", 200, "captured", "", "consent-wall")
	a.flagged("http://x/cut", 200, "captured", "", "cookie-wall")
	a.capture("http://x/cut", 200, "cut-short", "")
	for i, flags := range []string{"", "bot-wall"} {
		a.adopt(storage.End{Captures: []storage.Capture{{Collection: "c", URL: "http://x/bot", URLKey: urlkey.Key("http://x/bot"), Flags: flags,
			At: at.Add(time.Duration(i-9) * time.Hour), Segment: "earlier", Offset: int64(i), Status: 200, Kind: "response", Run: int64(98 + i), Outcome: "captured"}}})
	}
	a.post("http://x/bot", "http://x/login", "http://x/page", "http://x/cut")
	r := a.build(Builder{Replay: "http://r", Collection: "c"})
	if r.Complete() || r.Post.Good() || r.Post.Failure() == "" || r.Post.Dead() {
		t.Errorf("the post is a wall: %+v, %q", r.Post.Fate, r.Post.Failure())
	}
	if n := r.Totals; n.Walled != 2 || n.Captured != 1 || n.Partial != 1 || n.Dead != 0 {
		t.Errorf("totals %+v", n)
	}
	bot, login := r.Links[0], r.Links[1]
	if !bot.Walled() || bot.Dead() || bot.Good() || bot.Other == nil || bot.Other.Run != 98 || len(bot.Flags) != 2 {
		t.Errorf("a bot wall: %+v, other copy %+v", bot.Fate, bot.Other)
	}
	if !login.Walled() || login.Status != 302 || login.Final != "" || login.Replay == "" {
		t.Errorf("a redirect to a login page: %+v", login.Fate)
	}
	if p := r.Links[2]; p.Walled() || p.CapturedAt.Second() != 4 {
		t.Errorf("a page, then a wall: %+v", p.Fate)
	}
}

// TestNoPost is a run whose post never came.
// TestMomentary: of several captures that a run made, one that tells of a moment is told of only if there is no other.
func TestMomentary(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		want     int
	}{
		"busy, then well":  {[]int{503, 429, 200}, 200},
		"well, then busy":  {[]int{200, 503}, 200},
		"busy, then gone":  {[]int{503, 404}, 404},
		"busy all along":   {[]int{429, 502, 503}, 503},
		"broken, not busy": {[]int{500, 500}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, "default")
			a.capture("http://blog/p", 200, "captured", "")
			for _, status := range c.statuses {
				a.capture("http://a/", status, "captured", "")
			}
			a.post("http://a/")
			r, err := (&Builder{Rows: a.db}).Build(t.Context(), a.run)
			if err != nil || len(r.Links) != 1 || r.Links[0].Status != c.want {
				t.Errorf("the report tells of %+v, %v; want %d", r.Links, err, c.want)
			}
		})
	}
}

// TestEmptyAnswers: what shows nothing of a page is no copy of it, whatever its status says.
func TestEmptyAnswers(t *testing.T) {
	a := newArchive(t, "default")
	a.capture("http://blog/p", 200, "captured", "")
	for status, why := range map[int]string{304: "not asked whether", 302: "leads nowhere", 308: "leads nowhere"} {
		url := fmt.Sprintf("http://a/%d", status)
		a.capture(url, status, "captured", "")
		a.post(url)
		r, err := (&Builder{Rows: a.db}).Build(t.Context(), a.run)
		if err != nil || len(r.Links) != 1 || r.Totals.Dead != 1 || r.Totals.Captured != 0 || !strings.Contains(r.Links[0].Failure(), why) {
			t.Errorf("%d: %+v, %+v, %v", status, r.Totals, r.Links, err)
		}
		a = newArchive(t, "default")
		a.capture("http://blog/p", 200, "captured", "")
	}
}

func TestNoPost(t *testing.T) {
	a := newArchive(t, "c")
	a.attempt("http://blog/p", "dns", "no such name")
	r := a.build(Builder{Replay: "http://r", Collection: "c"})
	if r.Complete() || r.Post.Outcome != "dns" || r.Post.Detail != "no such name" || r.Links == nil || r.LeftOut == nil || r.Post.Replay != "" {
		t.Errorf("%+v", r)
	}
}

// TestOtherCollection: what is not replayed has no address.
func TestOtherCollection(t *testing.T) {
	a := newArchive(t, "private")
	a.capture("http://blog/p", 200, "captured", "")
	a.post()
	if r := a.build(Builder{Replay: "http://r", Collection: "default"}); r.Post.Replay != "" || !r.Complete() {
		t.Errorf("%+v", r.Post)
	}
}

// TestLimit: what ends by the limit of redirects says so, and what may be tried again is pending while the run goes on.
func TestLimit(t *testing.T) {
	a := newArchive(t, "c")
	a.run.Spec = []byte(`{"max_redirects":2}`)
	a.capture("http://x/1", 302, "captured", "http://x/2")
	a.capture("http://x/2", 302, "captured", "http://x/3")
	a.attempt("http://x/slow", "timeout", "slow")
	a.attempt("http://x/none", "dns", "none")
	a.post("http://x/1", "http://x/slow", "http://x/none")
	for _, want := range []struct {
		state    storage.RunState
		outcomes [3]string
	}{
		{storage.RunActive, [3]string{"pending", "pending", "dns"}},
		{storage.RunDone, [3]string{"redirects", "timeout", "dns"}},
	} {
		a.run.State = want.state
		r := a.build(Builder{})
		for i, o := range want.outcomes {
			if r.Links[i].Outcome != o {
				t.Errorf("%s: link %d is %s, want %s", want.state, i, r.Links[i].Outcome, o)
			}
		}
	}
}

// TestRequisites: what pages need counts for the page that named it first, through styles that name more; what another run
// captured that completes this one is there; what was purged is told no more.
func TestRequisites(t *testing.T) {
	a := newArchive(t, "c")
	a.capture("http://blog/p", 200, "captured", "")
	a.capture("http://x/moved", 301, "captured", "http://x/here")
	a.capture("http://x/here", 200, "captured", "")
	a.capture("http://x/bare", 200, "captured", "")
	need := func(run int64, url, via, outcome string, status int) {
		t.Helper()
		due := storage.Never
		if outcome == "" {
			due = 7
		}
		e := storage.End{Task: storage.Task{Host: urlkey.Host(url), Run: run, ID: urlkey.ID(url), URL: url, Via: via, Kind: "requisite",
			Due: due, Attempts: 1, Outcome: outcome}}
		if a.n++; status != 0 {
			e.Captures = []storage.Capture{{Collection: "c", URL: url, URLKey: urlkey.Key(url), At: at.Add(time.Duration(a.n) * time.Second), Segment: "s",
				Offset: a.n, Length: 1, Status: status, Kind: "response", Run: run, Outcome: outcome}}
		}
		a.adopt(e)
	}
	need(a.run.ID, "http://blog/s.css", "http://blog/p", "captured", 200)
	need(a.run.ID, "http://x/s.css", "http://x/here", "captured", 200)
	need(a.run.ID, "http://x/font", "http://x/s.css", "captured", 404)
	need(a.run.ID, "http://x/pic", "http://x/here", "timeout", 0)
	need(a.run.ID, "http://x/script", "http://x/here", "robots", 0)
	need(a.run.ID, "http://x/later", "http://x/here", "", 0)
	need(a.run.ID, "http://y/pic", "http://y/beyond", "timeout", 0)
	a.post("http://x/moved", "http://x/bare")
	r := a.build(Builder{})
	if q := r.Post.Requisites; q == nil || *q != (Requisites{N: 1, Captured: 1}) || q.Incomplete() {
		t.Errorf("the post needs %+v", q)
	}
	if q := r.Links[0].Requisites; q == nil || *q != (Requisites{N: 5, Captured: 1, Lacking: 3, Pending: 1}) || q.Lacks() != "3 of 5 requisites are lacking" {
		t.Errorf("the link's page needs %+v", q)
	}
	if q := r.Links[1].Requisites; q != nil {
		t.Errorf("a bare page needs %+v", q)
	}
	if q := r.Totals.Requisites; q == nil || q.Words() != "6 requisites: 2 captured, 3 lacking, 1 not tried yet" {
		t.Errorf("together %+v", q)
	}
	run, err := BuildRun(t.Context(), a.db, a.run)
	if err != nil {
		t.Fatal(err)
	}
	if q := run.Requisites; q == nil || *q != (Requisites{N: 7, Captured: 2, Lacking: 4, Pending: 1}) {
		t.Errorf("the run's pages need %+v", q)
	}
	if len(run.Incomplete) != 2 || run.Incomplete[0].URL != "http://x/here" || run.Incomplete[0].Lacking != 3 || run.Incomplete[1].URL != "http://y/beyond" {
		t.Errorf("incomplete: %+v", run.Incomplete)
	}
}

// TestReplacedRequisites: what a copy lacked that another has replaced is not lacking to the new one, unless the new one's run
// asked for it, too; and what belongs to no copy isn't told.
func TestReplacedRequisites(t *testing.T) {
	a := newArchive(t, "c")
	a.flagged("http://x/wall", 403, "captured", "", "challenge")
	a.capture("http://x/error", 503, "captured", "")
	a.capture("http://x/kept", 200, "captured", "")
	need := func(url, via string, status int) {
		t.Helper()
		a.n++
		a.adopt(storage.End{
			Task: storage.Task{Host: urlkey.Host(url), Run: a.run.ID, ID: urlkey.ID(url), URL: url, Via: via, Kind: "requisite",
				Due: storage.Never, Attempts: 1, Outcome: "captured"},
			Captures: []storage.Capture{{Collection: "c", URL: url, URLKey: urlkey.Key(url), At: at.Add(time.Duration(a.n) * time.Second),
				Segment: "s", Offset: a.n, Length: 1, Status: status, Kind: "response", Run: a.run.ID, Outcome: "captured"}},
		})
	}
	need("http://x/challenge.js", "http://x/wall", 404)
	need("http://x/error.css", "http://x/error", 404)
	need("http://x/site.css", "http://x/error", 404)
	need("http://x/kept.png", "http://x/kept", 404)
	need("http://x/purged.png", "http://x/purged", 404)
	a.post("http://x/wall", "http://x/error", "http://x/kept", "http://x/purged")
	root := a.run
	next, err := a.db.StartRun(t.Context(), storage.Run{Collection: "c", Source: root.Source, Started: at,
		Spec: fmt.Appendf(nil, `{"missing":%d,"x":0}`, root.ID)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.run = next
	a.capture("http://x/wall", 200, "captured", "")
	a.capture("http://x/error", 200, "captured", "")
	need("http://x/site.css", "http://x/error", 404)
	a.run = root
	r := a.build(Builder{})
	for i, want := range []*Requisites{nil, {N: 1, Lacking: 1}, {N: 1, Lacking: 1}, nil} {
		if q := r.Links[i].Requisites; (q == nil) != (want == nil) || q != nil && *q != *want {
			t.Errorf("%s needs %+v, want %+v", r.Links[i].URL, q, want)
		}
	}
	if q := r.Totals.Requisites; q == nil || *q != (Requisites{N: 2, Lacking: 2}) {
		t.Errorf("together %+v", q)
	}
}
