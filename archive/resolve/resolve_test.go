package resolve_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/cite"
	"linkstead/archive/guard"
	"linkstead/archive/link"
	"linkstead/archive/resolve"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

var (
	now     = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	written = time.Date(2016, 2, 6, 12, 0, 0, 0, time.UTC)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is an archive with one post, and links of every kind.
type world struct {
	t       *testing.T
	db      *storage.DB
	post    storage.Post
	end     storage.End
	states  map[string]link.State
	offset  int64
	handler *resolve.Handler
	others  asked
}

// asked is another archive, which has a copy of everything.
type asked struct{ n int }

func (a *asked) Near(_ context.Context, of string, at time.Time) []resolve.Version {
	a.n++
	return []resolve.Version{{URL: "https://other.test/web/" + of, At: at.Add(-3 * 24 * time.Hour), Archive: "Other"}}
}

func newWorld(t *testing.T) *world {
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "linkstead.db"), storage.DBOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	w := &world{t: t, db: db, states: map[string]link.State{}, post: storage.Post{
		ID: "p1", Run: 1, Collection: "c", Source: "http://blog.test/post", URL: "http://blog.test/post", Dated: "2016-02-06T12:00:00Z", At: now.AddDate(-1, 0, 0),
	}}
	g := &guard.Guard{Rows: db, Rules: db, Now: func() time.Time { return now }, Fresh: 1}
	r := &resolve.Resolver{
		Links: db, Index: g, Access: g, Others: &w.others, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Memento: func(c storage.Capture) string {
			return "http://r.test/web/" + c.At.UTC().Format("20060102150405") + "/" + c.URL
		},
		About: func(q resolve.Question) string {
			return "http://r.test/resolve?" + url.Values{"url": {q.URL}, "at": {q.At.ISO()}, "format": {"html"}}.Encode()
		},
	}
	w.handler = &resolve.Handler{Resolver: r, Collection: "c", Sites: []string{"https://blog.test"}}
	return w
}

// link has the post cite a URL of which a state is known.
func (w *world) link(u string, s link.State) {
	s.URL = u
	w.states[u] = s
	w.post.Citations = append(w.post.Citations, storage.Citation{Seq: len(w.post.Citations), URL: u})
}

// copy captures a URL.
func (w *world) copy(u string, at time.Time, change func(*storage.Capture)) {
	w.offset++
	c := storage.Capture{Collection: "c", URLKey: urlkey.Key(u), URL: u, At: at, Segment: "s", Offset: w.offset, Status: 200, Mime: "text/html",
		Kind: "response", Digest: "sha256:" + string(rune('a'+w.offset)), Outcome: "captured", Run: 1}
	if change != nil {
		change(&c)
	}
	w.end.Captures = append(w.end.Captures, c)
}

// write writes all of it.
func (w *world) write() {
	ctx := w.t.Context()
	w.end.Post = &w.post
	must(w.t, w.db.Adopt(ctx, []storage.End{w.end}))
	for more := true; more; {
		var err error
		more, err = w.db.LinkPosts(ctx)
		must(w.t, err)
	}
	for u, s := range w.states {
		raw, err := json.Marshal(s)
		must(w.t, err)
		l, err := w.db.Link(ctx, storage.LinkID("c", u))
		must(w.t, err)
		l.URLKey, l.Host, l.Live, l.State, l.Next = urlkey.Key(u), urlkey.Host(u), string(s.Verdict), raw, storage.Never
		must(w.t, w.db.SaveLinks(ctx, []storage.Link{l}))
	}
}

func (w *world) rule(r access.Rule) {
	w.t.Helper()
	r.Collection, r.ID, r.Reason, r.Since = "c", storage.Random(5), "why", now
	c := access.Change{ID: storage.Random(5), At: now, Sets: true, Rule: r}
	raw, err := c.Encode()
	must(w.t, err)
	must(w.t, w.db.ChangeAccess(w.t.Context(), "c", func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: c.ID, Rule: r.ID, At: c.At, Sets: true, Change: raw}}, nil
	}))
}

func (w *world) get(target string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}

func dead(v link.Verdict, reason string) link.State {
	since := time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC)
	return link.State{Verdict: v, Since: since, Reason: reason, Strikes: 3, Needed: 3, Looks: 5, First: written, Last: since.AddDate(0, 0, 9), Evidence: []link.Reference{
		{Ref: "s/1", At: since, Kind: link.Probe, Shows: v, Reason: reason, Strike: true},
	}}
}

// TestResolve: what becomes of each kind of link.
func TestResolve(t *testing.T) {
	w := newWorld(t)
	const at = "http://src.test/"
	w.link(at+"alive", link.State{Verdict: link.Alive, Looks: 2})
	w.link(at+"moved", link.State{Verdict: link.Moved, Looks: 4, Target: "http://new.test/"})
	w.link(at+"shaky", link.State{Verdict: link.Alive, Looks: 2, Suspect: link.Gone, Strikes: 1, Needed: 3})
	for _, v := range link.Verdicts {
		if v.Dead() {
			w.link(at+string(v), dead(v, "why"))
			w.copy(at+string(v), written.Add(2*time.Hour), nil)
		}
	}
	for _, v := range []link.Verdict{link.Drifted, link.Blocked, link.Paywalled, link.Excluded, link.Unknown} {
		w.link(at+string(v), link.State{Verdict: v, Looks: 1})
	}
	w.link(at+"lost", dead(link.Gone, "404"))
	w.link(at+"law", dead(link.Gone, "404"))
	w.link(at+"law-alive", link.State{Verdict: link.Alive, Looks: 2})
	w.link(at+"priv", dead(link.Gone, "404"))
	w.link(at+"hid", dead(link.Gone, "404"))
	for _, name := range []string{"alive", "shaky", "drifted", "law", "law-alive", "priv", "hid"} {
		w.copy(at+name, written.Add(2*time.Hour), nil)
	}
	w.copy(at+"uncited", written, nil)
	w.write()
	w.rule(access.Rule{Pattern: at + "law", Effect: access.Withheld, BlockedBy: "https://court.test/"})
	w.rule(access.Rule{Pattern: at + "law-alive", Effect: access.Withheld})
	w.rule(access.Rule{Pattern: at + "priv", Effect: access.Private})
	w.rule(access.Rule{Pattern: at + "hid", Effect: access.Private, Hidden: true})
	cases := []struct {
		name   string
		status int
		to     string // Location, or what the page says
	}{
		{"alive", 302, at + "alive"}, {"moved", 302, at + "moved"},
		{"shaky", 200, "Copy of 6 February 2016, 2 hours after the link was written"},
		{"drifted", 200, "Copy of 6 February 2016"}, {"blocked", 200, "at Other, 3 days before"}, {"unknown", 200, "Nobody has looked"},
		{"lost", 302, "https://other.test/web/" + at + "lost"},
		{"law", 451, "withheld"}, {"law-alive", 302, at + "law-alive"}, {"priv", 403, "not public"},
		{"hid", 404, "knows nothing"}, {"never", 404, "knows nothing"}, {"uncited", 200, "Copy of 6 February 2016"},
	}
	for _, v := range link.Verdicts {
		if v.Dead() {
			cases = append(cases, struct {
				name   string
				status int
				to     string
			}{string(v), 302, "http://r.test/web/20160206140000/" + at + string(v)})
		}
	}
	for _, c := range cases {
		got := w.get("/resolve?url=" + url.QueryEscape(at+c.name))
		said := got.Header().Get("Location")
		if c.status != 302 {
			said = got.Body.String()
		}
		if got.Code != c.status || !strings.Contains(said, c.to) {
			t.Errorf("%s: %d %s, want %d with %q", c.name, got.Code, said, c.status, c.to)
		}
		if got.Code != 302 && !strings.Contains(got.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: policy %q", c.name, got.Header().Get("Content-Security-Policy"))
		}
	}
	hid, never := w.get("/resolve?url="+url.QueryEscape(at+"hid")), w.get("/resolve?url="+url.QueryEscape(at+"nev"))
	if strings.ReplaceAll(never.Body.String(), "/nev", "/hid") != hid.Body.String() {
		t.Errorf("what is hidden is told:\n%s\n%s", hid.Body, never.Body)
	}
	if got := w.get("/resolve?url=" + url.QueryEscape(at+"law")).Header().Values("Link"); !strings.Contains(strings.Join(got, ","), `<https://court.test/>; rel="blocked-by"`) {
		t.Errorf("Link: %q", got)
	}
}

// TestJSON: one link with its evidence, several without, and who may read it by script.
func TestJSON(t *testing.T) {
	w := newWorld(t)
	w.link("http://src.test/a", dead(link.Gone, "404"))
	w.copy("http://src.test/a", written.Add(2*time.Hour), nil)
	w.write()
	var one resolve.Answer
	got := w.get("/resolve?url=http://src.test/a", "Accept", "application/json", "Origin", "https://blog.test")
	must(t, json.Unmarshal(got.Body.Bytes(), &one))
	if one.Does != resolve.Copy || one.Verdict != link.Gone || one.Copy == nil || one.State == nil || len(one.State.Evidence) != 1 || one.To != one.Copy.URL {
		t.Errorf("%+v", one)
	}
	if !strings.Contains(one.Says, "Gone since") || !strings.Contains(one.Says, "3 August") || !strings.Contains(one.Says, "404") || !strings.Contains(one.Says, "Copy of 6 February 2016, 2 hours after the link was written") {
		t.Errorf("says %q", one.Says)
	}
	if o := got.Header().Get("Access-Control-Allow-Origin"); o != "https://blog.test" {
		t.Errorf("shared with %q", o)
	}
	if o := w.get("/resolve?url=http://src.test/a", "Origin", "https://evil.test").Header().Get("Access-Control-Allow-Origin"); o != "" {
		t.Errorf("shared with %q", o)
	}
	var several struct{ Links []resolve.Answer }
	got = w.get("/resolve?format=json&url=http://src.test/a&url=http://src.test/b")
	must(t, json.Unmarshal(got.Body.Bytes(), &several))
	if len(several.Links) != 2 || several.Links[0].State != nil || several.Links[1].Does != resolve.Unknown {
		t.Errorf("%s", got.Body)
	}
	if w.others.n != 0 {
		t.Errorf("others were asked %d times for what is here, or unknown", w.others.n)
	}
}

// TestBadQuestions: each is told what to write.
func TestBadQuestions(t *testing.T) {
	w := newWorld(t)
	w.write()
	for _, c := range []struct {
		target string
		status int
		says   string
	}{
		{"/resolve", 400, "Ask for one"},
		{"/resolve?url=", 400, "http and https"},
		{"/resolve?url=javascript:alert(1)", 400, "http and https"},
		{"/resolve?url=http://a.test/&at=yesterday", 400, "2016-02-21"},
		{"/resolve?url=http://a.test/&format=xml", 400, "json or html"},
		{"/resolve?url=http://a.test/&url=http://b.test/", 400, "format=json"},
		{"/resolve?url=http://a.test/&collection=none", 404, "no collection"},
		{"/resolve?url=http://a.test/&quote=" + strings.Repeat("x", 3000), 400, "too long"},
		{"/resolve?url=http://a.test/%zz", 400, "malformed"},
		{"/resolve?format=json" + strings.Repeat("&url=http://a.test/", 51), 400, "50"},
	} {
		if got := w.get(c.target); got.Code != c.status || !strings.Contains(got.Body.String(), c.says) {
			t.Errorf("%.60s: %d %s", c.target, got.Code, got.Body)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/resolve?url=http://a.test/", nil)
	out := httptest.NewRecorder()
	if w.handler.ServeHTTP(out, r); out.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", out.Code)
	}
}

// TestScript: small, cacheable, and for every page.
func TestScript(t *testing.T) {
	w := newWorld(t)
	got := w.get(resolve.ScriptPath)
	if got.Code != 200 || got.Body.Len() >= 10_000 || got.Body.Len() < 1000 || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/javascript") || got.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("%d, %d bytes, %v", got.Code, got.Body.Len(), got.Header())
	}
	if again := w.get(resolve.ScriptPath, "If-None-Match", got.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("again: %d", again.Code)
	}
}

// TestBestCopy: what is valid goes first, a redirect is as good as what it led to, and a quotation counts before nearness.
func TestBestCopy(t *testing.T) {
	w := newWorld(t)
	const src = "http://src.test/"
	for _, name := range []string{"led", "nowhere", "wall", "quote", "same"} {
		w.link(src+name, dead(link.Gone, "404"))
	}
	hour := func(n int) time.Time { return written.Add(time.Duration(n) * time.Hour) }
	redirect := func(to string) func(*storage.Capture) {
		return func(c *storage.Capture) { c.Status, c.Redirect = 301, to }
	}
	w.copy(src+"led", hour(1), redirect(src+"target"))
	w.copy(src+"target", hour(1).Add(time.Second), nil)
	w.copy(src+"nowhere", hour(1), redirect("http://away.test/"))
	w.copy(src+"wall", hour(1), func(c *storage.Capture) { c.Flags = "bot" })
	w.copy(src+"wall", hour(9), nil)
	w.copy(src+"quote", hour(1), nil)
	w.copy(src+"quote", hour(40), nil)
	for _, at := range []int{-1, 3} {
		w.copy(src+"same", hour(at), func(c *storage.Capture) { c.Digest = "sha256:same" })
	}
	w.write()
	w.handler.Resolver.Quoted = func(_ context.Context, c storage.Capture, quotes []string) (link.Answer, error) {
		if c.At.Equal(hour(40)) && slices.Equal(quotes, []string{"said"}) {
			return link.Yes, nil
		}
		return link.No, nil
	}
	for _, c := range []struct{ query, does, copied, says string }{
		{"led", "copy", "2016-02-06T13", "60 minutes after the link"},
		{"nowhere", "copy", "2016-02-06T13", "at Other"}, // to the other archive's
		{"wall", "copy", "2016-02-06T21", "9 hours after"},
		{"quote", "copy", "2016-02-06T13", "60 minutes after"},
		{"quote&quote=said", "copy", "2016-02-08T04", "contains the quoted sentence"},
		{"same", "copy", "2016-02-06T11", "the same before and after"},
		{"same&at=2016-02-06T14:30:00Z", "copy", "2016-02-06T15", "30 minutes after"},
	} {
		var a resolve.Answer
		must(t, json.Unmarshal(w.get("/resolve?url="+src+c.query, "Accept", "application/json").Body.Bytes(), &a))
		if string(a.Does) != c.does || a.Copy == nil || a.Copy.At.Format("2006-01-02T15") != c.copied || !strings.Contains(a.Says, c.says) {
			t.Errorf("%s: %s, %+v, %q", c.query, a.Does, a.Copy, a.Says)
		}
	}
}

// TestQuotationOfThePost: without a question's own, the quotation of the first post counts that readers may know of; a redirect is read where it led to,
// a payload once, and what can't be read is not told.
func TestQuotationOfThePost(t *testing.T) {
	w := newWorld(t)
	const src = "http://src.test/"
	for _, name := range []string{"a", "led", "broken", "none"} {
		w.link(src+name, dead(link.Gone, "404"))
		if name != "none" {
			w.post.Citations[len(w.post.Citations)-1].Quotation = "what " + name + " says"
		}
		w.copy(src+name, written.Add(2*time.Hour), func(c *storage.Capture) {
			if c.Digest = "sha256:" + name; name == "led" {
				c.Status, c.Redirect = 301, src+"target"
			}
		})
	}
	w.copy(src+"a", written.Add(3*time.Hour), func(c *storage.Capture) { c.Digest = "sha256:a" })
	w.copy(src+"target", written.Add(2*time.Hour).Add(time.Second), func(c *storage.Capture) { c.Digest = "sha256:target" })
	w.write()
	asked := map[string]int{}
	w.handler.Resolver.Quoted = func(_ context.Context, c storage.Capture, quotes []string) (link.Answer, error) {
		said := c.Digest + " " + strings.Join(quotes, "|")
		asked[said]++
		switch said {
		case "sha256:a what a says", "sha256:target what led says", "sha256:a mine":
			return link.Yes, nil
		case "sha256:broken what broken says":
			return link.Unasked, errors.New("torn")
		}
		return link.No, nil
	}
	for _, c := range []struct{ query, says string }{
		{"a", "Copy of 6 February 2016, 2 hours after the link was written; contains the quoted sentence."},
		{"a&quote=mine", "; contains the quoted sentence."}, {"a&quote=yours", "; does not contain the quoted sentence."},
		{"led", "; contains the quoted sentence."}, {"broken", "the link was written."}, {"none", "the link was written."},
	} {
		for _, form := range []string{"json", "html"} {
			if got := w.get("/resolve?format=" + form + "&url=" + src + c.query).Body.String(); !strings.Contains(got, c.says) {
				t.Errorf("%s as %s: %s", c.query, form, got)
			}
		}
	}
	if asked["sha256:a what a says"] != 2 { // once each time
		t.Errorf("asked: %v", asked)
	}
	w.rule(access.Rule{Pattern: "http://blog.test/post", Effect: access.Private, Hidden: true})
	var a resolve.Answer
	must(t, json.Unmarshal(w.get("/resolve?url="+src+"a", "Accept", "application/json").Body.Bytes(), &a))
	if a.State != nil || a.At != "" || a.Copy == nil || a.Copy.Quoted != link.Unasked {
		t.Errorf("of a link in a hidden post: %+v", a)
	}
}

// TestNames: what short identifiers lead to, and what is told of those that name nothing that readers may know of.
func TestNames(t *testing.T) {
	w := newWorld(t)
	const src = "http://src.test/"
	for _, name := range []string{"gone", "hid"} {
		w.link(src+name, dead(link.Gone, "404"))
	}
	for _, name := range []string{"gone", "hid", "uncited"} {
		w.copy(src+name, written.Add(2*time.Hour), nil)
	}
	w.write()
	w.rule(access.Rule{Pattern: src + "hid", Effect: access.Private, Hidden: true})
	at := cite.DateOf(written.Add(2 * time.Hour))
	names := map[string]resolve.Named{
		"g1": {Question: resolve.Question{Collection: "c", URL: src + "gone", At: at}},
		"h1": {Question: resolve.Question{Collection: "c", URL: src + "hid", At: at}},
		"u1": {Question: resolve.Question{Collection: "c", URL: src + "uncited", At: at}},
		"o1": {Question: resolve.Question{Collection: "other", URL: src + "gone", At: at}},
		"p1": {Question: resolve.Question{Collection: "c", URL: "http://blog.test/post", At: at}, To: "http://r.test/web/2016/http://blog.test/post"},
		"x1": {Gone: true},
	}
	w.handler.Named = func(_ context.Context, id string) (resolve.Named, error) {
		n, ok := names[id]
		if !ok {
			return n, resolve.ErrNoName
		}
		return n, nil
	}
	for _, c := range []struct {
		id, want string
		status   int
	}{
		{"g1", "http://r.test/web/20160206140000/" + src + "gone", 302}, {"u1", "http://r.test/web/20160206140000/" + src + "uncited", 302},
		{"p1", "http://r.test/web/2016/http://blog.test/post", 302}, {"x1", "taken out", 410}, {"n1", "no such identifier", 404},
		{"h1", "no such identifier", 404}, {"o1", "no such identifier", 404}, {"g1?format=html", "This page is gone", 200}, {"g1?format=json", `"does":"copy"`, 200},
	} {
		got := w.get("/r/" + c.id)
		said := got.Header().Get("Location")
		if c.status != 302 {
			said = got.Body.String()
		}
		if got.Code != c.status || !strings.Contains(said, c.want) || strings.Contains(said, "src.test/hid") {
			t.Errorf("%s: %d %q, want %d with %q", c.id, got.Code, said, c.status, c.want)
		}
	}
	for path, want := range map[string]bool{"/r/g1": true, "/r/": false, "/r/2016/http:/a.test": false, "/resolve": true, "/resolve/x": false, "/linkstead.js": true, "/": false} {
		if got := resolve.Claims(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("claims %s: %v", path, got)
		}
	}
}
