package replay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/fuzzy"
	"linkstead/archive/guard"
	"linkstead/archive/outcome"
	"linkstead/archive/replay"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// What must never come out: the payloads, names and times of what is kept from readers.
const (
	marker     = "Xenolith"            // in every payload and head of it
	secretHost = "http://hush.test/"   // all of which is secret …
	secretPage = "http://mix.test/sly" // … as is one page of a host that is public else
	neverThere = "http://hush.test/never-captured"
	sharedText = "words that a public page and a secret one have in common, long enough to be shared"
)

var (
	secrets = []string{secretHost, secretHost + "a/page", secretHost + "a/script.js", secretPage, secretPage + "?q=1"}
	publics = []string{"http://mix.test/", "http://mix.test/open", "http://mix.test/shared", "http://other.test/", "http://mix.test/leads"}
	years   = []int{2016, 2018, 2020}
)

// hushed is an archive with secrets, and another index of the same segments that has never heard of them.
type hushed struct {
	*testArchive
	pruned *storage.DB
	guard  *guard.Guard
	bare   *replay.Handler // shows what an archive without the secrets would
	ruled  *replay.Handler
	open   map[string]string // what bare says, by what it was asked: no rule changes that
}

func newHushed(t *testing.T) *hushed {
	h := &hushed{testArchive: newArchive(t), open: map[string]string{}}
	at := func(y int) time.Time { return time.Date(y, 5, 17, 10, 20, 30, 0, time.UTC) }
	for _, y := range years {
		for i, u := range secrets {
			body := fmt.Sprintf("<title>%s</title><p>%s %d of %d", marker, marker, i, y)
			h.capture(capture{url: u, at: at(y), response: message(200, "text/html", body, "X-Name: "+marker)})
		}
		h.capture(capture{url: secretHost + "moved", at: at(y), response: message(302, "text/html", "", "Location: /"+marker)})
		h.capture(capture{url: secretHost + "form", at: at(y), request: "POST /form HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=1",
			response: message(200, "text/plain", marker)})
		h.failure(secretHost+"gone", at(y), outcome.DNS, marker)
		for _, u := range publics[:2] {
			h.capture(capture{url: u, at: at(y), response: message(200, "text/html", fmt.Sprintf("<p>open %s %d <img src=%sa/page>", u, y, secretHost))})
		}
	}
	// A secret page is the first that has a payload; a public one refers to it.
	h.capture(capture{url: secretHost + "first", at: at(2016), response: message(200, "text/plain", sharedText, "X-Name: "+marker)})
	h.capture(capture{url: publics[2], at: at(2018), response: message(200, "text/plain", sharedText)})
	h.capture(capture{url: publics[3], at: at(2020), response: message(200, "text/html", "elsewhere")})
	h.capture(capture{url: publics[4], at: at(2020), response: message(302, "text/html", "", "Location: "+secretHost)})
	must(t, h.journal.FlushAll(t.Context()))
	h.prune()
	h.guard = &guard.Guard{Rows: h.db, Rules: h.db, Now: h.clock.Now, Fresh: 1}
	h.ruled, h.bare = h.over(h.guard, h.guard), h.over(h.pruned, nil)
	return h
}

func (h *hushed) over(index replay.Index, rules replay.Access) *replay.Handler {
	return &replay.Handler{
		Index: index, Access: rules, Library: h.handler.Library, Collection: collection, Origin: testOrigin, Mode: replay.PerSite, Pages: testPages,
		Collections: func(_ context.Context, name string) (bool, error) { return name == collection, nil },
		Now:         h.clock.Now, Log: h.handler.Log, Fuzzy: fuzzy.Default,
		Evidence: func(a storage.Attempt) string { return "/attempts/" + a.RecordID },
	}
}

// prune makes the rows that are left without the secrets.
func (h *hushed) prune() {
	h.t.Helper()
	var err error
	h.pruned, err = storage.OpenDB(h.t.Context(), "sqlite:"+filepath.Join(h.t.TempDir(), "pruned.db"), storage.DBOptions{Now: h.clock.Now})
	must(h.t, err)
	h.t.Cleanup(func() { must(h.t, h.pruned.Close()) })
	segments, err := h.db.Segments(h.t.Context())
	must(h.t, err)
	for _, s := range segments {
		must(h.t, h.pruned.AdoptSegment(h.t.Context(), s))
		for c, err := range h.db.SegmentCaptures(h.t.Context(), s.ID) {
			must(h.t, err)
			if !isSecret(c.URL) {
				must(h.t, h.pruned.Adopt(h.t.Context(), []storage.End{{Captures: []storage.Capture{c}}}))
			}
		}
	}
}

func isSecret(url string) bool {
	return strings.HasPrefix(url, secretHost) || strings.HasPrefix(url, secretPage)
}

// rules sets the rules of the collection, in the place of all that there were.
func (h *hushed) rules(rules ...access.Rule) {
	h.t.Helper()
	must(h.t, h.db.ChangeAccess(h.t.Context(), collection, func(holds []storage.AccessChange) ([]storage.AccessChange, error) {
		var out []storage.AccessChange
		for _, was := range holds {
			was.ID, was.Sets = storage.Random(5), false
			out = append(out, was)
		}
		for _, r := range rules {
			r.ID, r.Collection, r.Since = storage.Random(5), collection, day
			if r.Reason == "" {
				r.Reason = "not for readers"
			}
			c := access.Change{ID: storage.Random(5), At: day, Sets: true, Rule: r}
			raw, err := json.Marshal(c)
			if err != nil {
				return nil, err
			}
			out = append(out, storage.AccessChange{ID: c.ID, Rule: r.ID, At: day, Sets: true, Change: raw})
		}
		return out, nil
	}))
}

// shape is one way of asking for a URL.
type shape struct {
	target string // %s: the URL, %h: its host
	fields []string
}

func (s shape) of(url string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s.target, "%s", url), "%h", urlkey.Hostname(url))
}

// shapes are all ways of asking for a URL: every endpoint, in many forms.
func shapes() (out []shape) {
	add := func(target string, fields ...string) { out = append(out, shape{target, fields}) }
	for _, name := range []string{"web", "main"} {
		p := "/" + name + "/"
		add(p + "%s")
		add(p+"%s", "Accept-Datetime: Tue, 17 May 2016 10:20:30 GMT")
		for _, stamp := range []string{"20160517102030", "20180517102030", "20200517102030", "2016", "2", "20990101000000"} {
			add(p + stamp + "/%s")
		}
		for _, list := range []string{"*/%s", "2016*/%s", "*/%s*", "*/http://%h/*", "2018*/http://%h/*", "*/*.%h", "timemap/link/%s", "timemap/json/%s", "timemap/cdxj/%s", "timemap/link/1/%s"} {
			add(p + list)
		}
	}
	for _, mod := range []string{"id_", "if_", "mp_", "im_", "js_", "cs_", "oe_"} {
		add("/web/20180517102030" + mod + "/%s")
		add("/web/20180517102030"+mod+"/%s", "Sec-Fetch-Dest: image")
	}
	for _, field := range []string{"HEAD", "Range: bytes=0-3", "Range: bytes=-1", "If-None-Match: *", "Sec-Fetch-Dest: document", "Sec-Fetch-Dest: iframe", "OPTIONS"} {
		add("/web/20180517102030/%s", field)
		add("/web/20180517102030id_/%s", field)
	}
	add("/web/20180517102030mp_/%s", "POST", "Content-Type: application/x-www-form-urlencoded")
	for _, cdx := range []string{"/web/cdx?url=%s", "/main/wayback-cdx?url=%s"} {
		for _, more := range []string{"", "&output=json", "&matchType=prefix", "&matchType=host", "&matchType=domain", "&showNumPages=true", "&matchType=domain&showNumPages=true",
			"&sort=reverse", "&closest=2018", "&limit=1", "&limit=-1", "&resolveRevisits=true&matchType=domain", "&showResumeKey=true&limit=2&matchType=host", "&output=link", "&collapse=digest&matchType=host",
			"&page=0&pageSize=1&matchType=domain", "&showDupeCount=true&matchType=domain", "&filter=!statuscode:404"} {
			add(cdx + more)
		}
	}
	add("/main/")
	add("/web/?url=%s&date=2018-05-17")
	add("/a/script.js", "Referer: "+testOrigin+"/web/20180517102030/%s")
	add("/web/20180517102030/%s", "Host: hush-test.replay.localhost:8081", "Sec-Fetch-Dest: document")
	return out
}

// ask asks a handler, and tells all that it said.
func (h *hushed) ask(handler *replay.Handler, s shape, url string) string {
	h.t.Helper()
	h.handler = handler
	var fields []string
	for _, f := range s.fields {
		fields = append(fields, strings.ReplaceAll(f, "%s", url))
	}
	got := h.get(s.of(url), fields...)
	var sb strings.Builder
	fmt.Fprintln(&sb, got.StatusCode)
	for _, name := range slices.Sorted(maps.Keys(got.Header)) {
		fmt.Fprintln(&sb, name, got.Header[name])
	}
	return sb.String() + "\n" + got.body
}

// without is what an archive without the secrets says, which is asked once.
func (h *hushed) without(s shape, url string) string {
	h.t.Helper()
	key := fmt.Sprintf("%q %q", s, url)
	said, ok := h.open[key]
	if !ok {
		said = h.ask(h.bare, s, url)
		h.open[key] = said
	}
	return said
}

// leaks says whether an answer tells of a secret more than was asked.
func leaks(text string) string {
	for _, word := range []string{marker, "secret-digest"} {
		if strings.Contains(text, word) {
			return word
		}
	}
	return ""
}

// kept are rules that keep all the secrets, and nothing else, in all the ways in which that can be said.
func kept(base access.Rule) map[string][]access.Rule {
	with := func(patterns ...string) (out []access.Rule) {
		for _, p := range patterns {
			r := base
			r.Pattern = p
			out = append(out, r)
		}
		return out
	}
	open := func(patterns ...string) (out []access.Rule) {
		for _, p := range patterns {
			out = append(out, access.Rule{Pattern: p, Effect: access.Public})
		}
		return out
	}
	timed := with("hush.test", secretPage+"*")
	late := with("hush.test", secretPage+"*")
	for i := range timed {
		timed[i].Before = time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
		late[i].From = timed[i].Before
	}
	out := map[string][]access.Rule{
		"hosts":    with("hush.test", secretPage+"*"),
		"domains":  with("*.hush.test", "surt:test,mix)/sly"),
		"prefixes": with(secretHost+"*", secretPage, secretPage+"?*"),
		"times":    append(timed, late...),
	}
	if base.Effect != access.Withheld { // no rule opens what is withheld
		out["all but"] = append(with("*"), open("http://mix.test/", "http://mix.test/open", "http://mix.test/shared", "http://mix.test/leads", "other.test")...)
	}
	return out
}

// TestHiddenIsAsNeverCaptured: whatever is asked, an archive that hides something answers byte for byte as one that never had it.
func TestHiddenIsAsNeverCaptured(t *testing.T) {
	t.Parallel()
	h := newHushed(t)
	tag := h.tagOf(t)
	for name, rules := range kept(access.Rule{Effect: access.Private, Hidden: true}) {
		h.rules(rules...)
		urls := slices.Concat(secrets, publics, []string{secretHost + "moved", secretHost + "form", secretHost + "gone", secretHost + "first", neverThere})
		n := 0
		for _, s := range append(shapes(), shape{"/web/20180517102030id_/%s", []string{"If-None-Match: " + tag}}) {
			for _, url := range urls {
				if name == "all but" && strings.Contains(s.target, "%h") {
					continue // of what nobody has said anything of, it is the same; asked above
				}
				got, want := h.ask(h.ruled, s, url), h.without(s, url)
				if got != want {
					t.Errorf("%s: %s %q of %s:\n%s\n--- as never captured:\n%s", name, s.target, s.fields, url, got, want)
				}
				n++
			}
		}
		t.Logf("%s: %d requests", name, n)
		if t.Failed() {
			return
		}
	}
}

// tagOf is the entity tag of a secret, as who saw it before it was one has it.
func (h *hushed) tagOf(t *testing.T) string {
	h.rules()
	h.handler = h.ruled
	got := h.get("/web/20180517102030id_/" + secretPage)
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, marker) || got.Header.Get("ETag") == "" {
		t.Fatalf("without a rule: %d %v", got.StatusCode, got.Header)
	}
	return got.Header.Get("ETag")
}

var lengths = regexp.MustCompile(`Content-Length \[\d+\]`)

// TestRefusalTellsNothing: what is asked for by its own address is refused as the rule says, alike whether it was ever captured
// or not; and whatever is asked for else, it is left out.
func TestRefusalTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHushed(t)
	tag := h.tagOf(t)
	for _, c := range []struct {
		rule   access.Rule
		status int
	}{
		{access.Rule{Effect: access.Private}, 403},
		{access.Rule{Effect: access.Embargo, Until: h.clock.Now().AddDate(3, 0, 0)}, 403},
		{access.Rule{Effect: access.Withheld, Reason: "an order"}, 451},
	} {
		for name, rules := range kept(c.rule) {
			h.rules(rules...)
			for _, s := range append(shapes(), shape{"/web/20180517102030id_/%s", []string{"If-None-Match: " + tag}}) {
				if name == "times" && strings.Contains(s.target, "timemap") {
					continue
				}
				for _, url := range publics {
					if got, want := h.ask(h.ruled, s, url), h.without(s, url); got != want && (name != "all but" || !strings.Contains(s.target, "%h")) {
						t.Errorf("%s %s: %s %q of %s:\n%s\n--- without the secrets:\n%s", c.rule.Effect, name, s.target, s.fields, url, got, want)
					}
				}
				alike := func(got, url string) string {
					return lengths.ReplaceAllString(strings.ReplaceAll(got, url, "URL"), "")
				}
				nothing := map[string]string{} // what is said of what was never captured, by its URL
				for _, url := range append(secrets, secretHost+"moved", secretHost+"form", secretHost+"gone", secretHost+"first") {
					got := h.ask(h.ruled, s, url)
					if word := leaks(got); word != "" {
						t.Errorf("%s %s: %s %q of %s tells %q:\n%s", c.rule.Effect, name, s.target, s.fields, url, word, got)
					}
					if s.direct() && name != "times" && !strings.HasPrefix(got, fmt.Sprint(c.status)) {
						t.Errorf("%s %s: %s %q of %s: %.3s, want %d", c.rule.Effect, name, s.target, s.fields, url, got, c.status)
					}
					if !s.direct() || name == "times" {
						continue
					}
					never := neverThere
					if strings.HasPrefix(url, secretPage) {
						never = secretPage + "?never=1"
					}
					if nothing[never] == "" {
						nothing[never] = alike(h.ask(h.ruled, s, never), never)
					}
					if alike(got, url) != nothing[never] {
						t.Errorf("%s %s: %s %q of %s:\n%s\n--- of what was never captured:\n%s", c.rule.Effect, name, s.target, s.fields, url, alike(got, url), nothing[never])
					}
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

// direct says whether a shape asks for one URL and nothing else.
func (s shape) direct() bool {
	return strings.HasSuffix(s.target, "/%s") && !slices.Contains(s.fields, "OPTIONS") && !strings.Contains(s.target, "cdx?")
}

// TestWithheldPage: the tombstone tells what RFC 7725 wants, and only that.
func TestWithheldPage(t *testing.T) {
	h := newHushed(t)
	h.handler = h.ruled
	h.rules(access.Rule{Pattern: "hush.test", Effect: access.Withheld, Reason: "Order <7> & more", Contact: "mailto:desk@example.org", BlockedBy: "https://archive.example/who"},
		access.Rule{Pattern: "mix.test", Effect: access.Private, Reason: "a private reason"})
	got := h.get("/web/2018/" + secretHost)
	for _, want := range []string{"Order &lt;7&gt; &amp; more", "17 May 2020", "mailto:desk@example.org", "https://archive.example/who"} {
		if got.StatusCode != 451 || !strings.Contains(got.body, want) {
			t.Errorf("%d lacks %q:\n%s", got.StatusCode, want, got.body)
		}
	}
	if link := got.Header.Values("Link"); !slices.Equal(link, []string{`<https://archive.example/who>; rel="blocked-by"`}) || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q %v", link, got.Header)
	}
	if got := h.get("/web/2018im_/"+secretHost, "Sec-Fetch-Dest: image"); got.StatusCode != 451 || got.body != "Withheld for legal reasons.\nOrder <7> & more\n" {
		t.Errorf("as a picture: %d %q", got.StatusCode, got.body)
	}
	if got := h.get("/web/2018/http://mix.test/", "HEAD"); got.StatusCode != 403 || got.body != "" || got.Header.Get("Memento-Datetime") != "" {
		t.Errorf("its head: %d %q %v", got.StatusCode, got.body, got.Header)
	}
	if got := h.get("/web/2018/http://mix.test/"); strings.Contains(got.body, "a private reason") {
		t.Errorf("a reason that is not for readers:\n%s", got.body)
	}
	h.rules(access.Rule{Pattern: "mix.test", Effect: access.Embargo, After: access.Period{Months: 36}, Reason: "r"})
	if got := h.get("/web/20180517102030/http://mix.test/"); got.StatusCode != 403 || !strings.Contains(got.body, "Under embargo until 2021-05-17 10:20:30 UTC") {
		t.Errorf("an embargo: %d\n%s", got.StatusCode, got.body)
	}
	if got := h.get("/web/20160517102030id_/http://mix.test/"); got.StatusCode != 200 {
		t.Errorf("after its embargo: %d", got.StatusCode)
	}
}
