package guard_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/guard"
	"linkstead/archive/httpmsg"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB) *storage.DB {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "linkstead.db"), storage.DBOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func guardOf(db *storage.DB) *guard.Guard {
	return &guard.Guard{Rows: db, Rules: db, Now: func() time.Time { return now }, Fresh: 1} // asked anew each time
}

// rule sets a rule.
func rule(t testing.TB, db *storage.DB, r access.Rule) {
	t.Helper()
	if r.Collection == "" {
		r.Collection = "c"
	}
	r.ID, r.Reason, r.Since = storage.Random(5), "why", now
	c := access.Change{ID: storage.Random(5), At: now, Sets: true, Rule: r}
	raw, err := c.Encode()
	must(t, err)
	must(t, db.ChangeAccess(t.Context(), r.Collection, func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: c.ID, Rule: r.ID, At: c.At, Sets: true, Change: raw}}, nil
	}))
}

// world is some captures under few keys, so that rules are about many of them.
func world(r *rand.Rand) (cs []storage.Capture, as []storage.Attempt) {
	hosts := []string{"a.test", "www.a.test", "b.a.test", "b.test:8080"}
	paths := []string{"/", "/dir", "/dir/", "/dir/x", "/dir/y?q=1", "/DIR/x", "/other", "/dir/x?__wb_method=POST&a=1"}
	statuses := []int{200, 200, 404, 503, 301, 429}
	for i := range 150 {
		url := "http://" + hosts[r.IntN(len(hosts))] + paths[r.IntN(len(paths))]
		at := time.Date(2014+r.IntN(13), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, r.IntN(3), 0, time.UTC)
		key := urlkey.Key(url)
		if len(url) > 40 { // an answer to POST has the key of what was asked, and the URL that was
			url = url[:len(url)-len("?__wb_method=POST&a=1")]
		}
		c := storage.Capture{
			Collection: "c", URLKey: key, At: at, Segment: fmt.Sprintf("s%d", r.IntN(3)), Offset: int64(i), URL: url,
			Status: statuses[r.IntN(len(statuses))], Kind: []string{"response", "response", "truncated"}[r.IntN(3)], Digest: "d", Run: int64(r.IntN(3)),
		}
		if r.IntN(4) == 0 {
			c.Flags = "login"
		}
		cs = append(cs, c)
		as = append(as, storage.Attempt{Collection: "c", URLKey: key, URL: url, At: at, Segment: "f", Offset: int64(i), Outcome: "dns"})
	}
	return cs, as
}

func rules(r *rand.Rand) (out []access.Rule) {
	patterns := []string{"*", "a.test", "*.a.test", "http://a.test/dir/*", "http://a.test/dir/x", "http://a.test/dir/x?*", "b.test:8080", "http://a.test/"}
	for range 1 + r.IntN(5) {
		one := access.Rule{Pattern: patterns[r.IntN(len(patterns))]}
		switch r.IntN(6) {
		case 0:
			one.Effect = access.Public
		case 1:
			one.Effect = access.Private
		case 2:
			one.Effect, one.Hidden = access.Private, true
		case 3:
			one.Effect, one.Until = access.Embargo, now.AddDate(r.IntN(3)-1, 0, 0)
		case 4:
			one.Effect, one.After = access.Embargo, access.Period{Months: 1 + r.IntN(80)}
		default:
			one.Effect = access.Withheld
		}
		if r.IntN(3) == 0 {
			one.From = time.Date(2014+r.IntN(13), 3, 1, 0, 0, 0, 0, time.UTC)
		}
		if r.IntN(3) == 0 && one.From.IsZero() {
			one.Before = time.Date(2014+r.IntN(13), 6, 1, 0, 0, 0, 0, time.UTC)
		}
		out = append(out, one)
	}
	return out
}

// shown is what the rules leave, told capture by capture.
func shown(t *testing.T, rs []access.Rule, key, url string, at time.Time) bool {
	t.Helper()
	set, err := access.Compile(rs, guard.KeyOf)
	must(t, err)
	return set.Of(key).At(at, now).Shown() && set.Of(urlkey.Key(url)).At(at, now).Shown()
}

// TestAsIfNotThere: what a guard answers is what a database answers that has nothing but what may be seen.
func TestAsIfNotThere(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			cs, as := world(r)
			full, pruned := open(t), open(t)
			rs := rules(r)
			for i := range rs {
				rule(t, full, rs[i])
				rs[i].Reason, rs[i].Since = "why", now
			}
			var left []storage.End
			var all []storage.End
			for i := range cs {
				end := storage.End{Captures: cs[i : i+1], Attempts: as[i : i+1]}
				all = append(all, end)
				if shown(t, rs, cs[i].URLKey, cs[i].URL, cs[i].At) {
					left = append(left, end)
				}
			}
			must(t, full.Adopt(t.Context(), all))
			must(t, pruned.Adopt(t.Context(), left))
			t.Logf("%d of %d may be seen", len(left), len(cs))
			compare(t, r, guardOf(full), pruned, cs)
		})
	}
}

// compare asks both the same.
func compare(t *testing.T, r *rand.Rand, g *guard.Guard, db *storage.DB, cs []storage.Capture) {
	ctx := t.Context()
	same := func(what string, got, want any, gotErr, wantErr error) {
		t.Helper()
		if (gotErr == nil) != (wantErr == nil) || wantErr != nil && !errors.Is(gotErr, storage.ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, gotErr, wantErr)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", what, got, want)
		}
	}
	for range 40 {
		c := cs[r.IntN(len(cs))]
		at := c.At.Add(time.Duration(r.IntN(3)-1) * time.Duration(r.IntN(1000)) * time.Hour)
		got, err := g.Closest(ctx, "c", c.URLKey, c.URL, at)
		want, err2 := db.Closest(ctx, "c", c.URLKey, c.URL, at)
		same("closest "+c.URL+" "+at.String(), got, want, err, err2)
		got, err = g.Taken(ctx, "c", c.URLKey, c.URL, c.At.Truncate(time.Second))
		want, err2 = db.Taken(ctx, "c", c.URLKey, c.URL, c.At.Truncate(time.Second))
		if !sharesSecond(cs, &c) {
			same("taken "+c.URL, got, want, err, err2)
		}
		near, err := g.Around(ctx, "c", c.URLKey, at, 2)
		wantNear, err2 := db.Around(ctx, "c", c.URLKey, at, 2)
		same("around "+c.URL, fmt.Sprint(near.Before, near.After), fmt.Sprint(wantNear.Before, wantNear.After), err, err2)
		if near.First && len(near.Before) > 2 || wantNear.First && !near.First && len(near.Before) < 2 {
			t.Errorf("around: first %v, want %v", near.First, wantNear.First)
		}
		beside, err := g.Beside(ctx, "c", c.Place())
		wantBeside, err2 := db.Beside(ctx, "c", c.Place())
		same("beside "+c.URL, besideText(beside), besideText(wantBeside), err, err2)
		as, err := g.Attempts(ctx, "c", c.URLKey)
		was, err2 := db.Attempts(ctx, "c", c.URLKey)
		same("attempts", fmt.Sprint(as), fmt.Sprint(was), err, err2)
		span := storage.OneKey("c", c.URLKey)
		if r.IntN(2) == 0 {
			span = storage.KeySpan{Collection: "c", From: "test,a", To: "test,b,"}
		}
		if r.IntN(3) == 0 {
			span.Since = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		after := storage.Place{}
		if r.IntN(2) == 0 {
			after = c.Place()
		}
		back := r.IntN(2) == 0
		same("captures in", all(t, g.CapturesIn(ctx, span, after, back)), all(t, db.CapturesIn(ctx, span, after, back)), nil, nil)
		p, n, err := g.PassOver(ctx, span, after, back, 3)
		wp, wn, err2 := db.PassOver(ctx, span, after, back, 3)
		same("pass over", fmt.Sprint(p, n), fmt.Sprint(wp, wn), err, err2)
		years := storage.OneKey("c", c.URLKey)
		years.Since, years.Until = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		buckets, err := g.Buckets(ctx, years, 24*time.Hour, back)
		wantBuckets, err2 := db.Buckets(ctx, years, 24*time.Hour, back)
		same("buckets", fmt.Sprint(buckets), fmt.Sprint(wantBuckets), err, err2)
		got, err = g.CaptureAt(ctx, c.Segment, c.Offset)
		want, err2 = db.CaptureAt(ctx, c.Segment, c.Offset)
		same("capture at", got, want, err, err2)
	}
}

// sharesSecond says whether a capture is not the only one of its URL in its second: which of them is taken is not said.
func sharesSecond(cs []storage.Capture, c *storage.Capture) bool {
	n := 0
	for i := range cs {
		if cs[i].URLKey == c.URLKey && cs[i].URL == c.URL && cs[i].At.Truncate(time.Second).Equal(c.At.Truncate(time.Second)) {
			n++
		}
	}
	return n > 1
}

func all(t *testing.T, seq iter.Seq2[storage.Capture, error]) (out []storage.Capture) {
	t.Helper()
	for c, err := range seq {
		must(t, err)
		out = append(out, c)
	}
	return out
}

func TestRefused(t *testing.T) {
	db := open(t)
	g := guardOf(db)
	year := func(y int) time.Time { return time.Date(y, 5, 1, 0, 0, 0, 0, time.UTC) }
	for i, url := range []string{"http://priv.test/", "http://hid.test/", "http://law.test/", "http://part.test/", "http://part.test/", "http://only.test/", "http://year.test/"} {
		must(t, db.Adopt(t.Context(), []storage.End{{Captures: []storage.Capture{{
			Collection: "c", URLKey: urlkey.Key(url), URL: url, At: year(2016 + i), Segment: "s", Offset: int64(i), Status: 200, Kind: "response"}}}}))
	}
	for _, r := range []access.Rule{
		{Pattern: "priv.test", Effect: access.Private},
		{Pattern: "hid.test", Effect: access.Private, Hidden: true},
		{Pattern: "law.test", Effect: access.Withheld},
		{Pattern: "part.test", Effect: access.Private, Before: year(2020)}, // of its captures of 2019 and 2020
		{Pattern: "only.test", Effect: access.Private, Before: year(2030)},
		{Pattern: "year.test", Effect: access.Embargo, After: access.Period{Months: 120}},
	} {
		rule(t, db, r)
	}
	for _, c := range []struct {
		url    string
		at     time.Time
		status int
	}{
		{"http://priv.test/", year(2016), 403},
		{"http://priv.test/never", year(2016), 403}, // whether there are captures or not
		{"http://hid.test/", year(2017), 0},
		{"http://hid.test/never", year(2017), 0},
		{"http://law.test/", year(2016), 451},
		{"http://law.test/never", year(2016), 451},
		{"http://part.test/", year(2019), 403}, // exactly that one
		{"http://part.test/", year(2018), 0},   // another one may be seen
		{"http://part.test/", year(2020), 0},
		{"http://part.test/never", year(2019), 0},
		{"http://only.test/", year(2018), 403}, // there is no other
		{"http://year.test/", year(2022), 403},
		{"http://open.test/", year(2022), 0},
	} {
		err := g.Refused(t.Context(), "c", urlkey.Key(c.url), c.url, c.at)
		var why *access.Refusal
		if got := errors.As(err, &why); got != (c.status != 0) || got && why.Status() != c.status || !got && err != nil {
			t.Errorf("%s at %d: %v, want %d", c.url, c.at.Year(), err, c.status)
		}
	}
	if err := g.Refused(t.Context(), "other", urlkey.Key("http://priv.test/"), "http://priv.test/", now); err != nil {
		t.Errorf("another collection: %v", err)
	}
}

// failing is a database whose rules can't be read.
type failing struct {
	*storage.DB
	mu    sync.Mutex
	fails bool
	reads int
}

var errAway = errors.New("away")

func (f *failing) AccessStamp(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reads++; f.fails {
		return "", errAway
	}
	return f.DB.AccessStamp(ctx)
}

// TestFailsClosed: where rules can't be read or understood, nothing is shown.
func TestFailsClosed(t *testing.T) {
	db := open(t)
	must(t, db.Adopt(t.Context(), []storage.End{{Captures: []storage.Capture{
		{Collection: "c", URLKey: "k", URL: "http://a.test/", At: now, Segment: "s", Status: 200, Kind: "response"},
		{Collection: "odd", URLKey: "k", URL: "http://a.test/", At: now, Segment: "s", Offset: 1, Status: 200, Kind: "response"},
	}}}))
	f := &failing{DB: db}
	g := guardOf(db)
	g.Rules = f
	ask := func(collection string) error {
		_, err := g.Closest(t.Context(), collection, "k", "http://a.test/", now)
		for _, more := range []error{
			g.Refused(t.Context(), collection, "k", "http://a.test/", now),
			func() error { _, err := g.Attempts(t.Context(), collection, "k"); return err }(),
			func() error { _, err := g.Around(t.Context(), collection, "k", now, 1); return err }(),
			func() error {
				for _, err := range g.Captures(t.Context(), collection, "k") {
					return err
				}
				return nil
			}(),
			func() error { _, err := g.Taken(t.Context(), collection, "k", "http://a.test/", now); return err }(),
		} {
			if (more == nil) != (err == nil) {
				t.Errorf("%v and %v", err, more)
			}
		}
		return err
	}
	must(t, ask("c"))
	f.fails = true
	if err := ask("c"); !errors.Is(err, errAway) {
		t.Errorf("rules that are away: %v", err)
	}
	if ok, err := g.Served(t.Context(), "c"); ok || err == nil {
		t.Error("a collection is served whose rules are away")
	}
	f.fails = false
	must(t, ask("c"))
	must(t, db.ChangeAccess(t.Context(), "odd", func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: "x", Rule: "r", At: now, Sets: true, Change: []byte(`{"rule":[]}`)}}, nil
	}))
	if err := ask("odd"); err == nil {
		t.Error("rules that nobody understands let everything through")
	}
	must(t, ask("c"))
}

// TestAtOnce: many ask while the rules change; once a rule is set, it holds for whoever asks after the time that rules are fresh.
func TestAtOnce(t *testing.T) {
	db := open(t)
	g := guardOf(db)
	g.Fresh = 20 * time.Millisecond
	must(t, db.Adopt(t.Context(), []storage.End{{Captures: []storage.Capture{
		{Collection: "c", URLKey: urlkey.Key("http://a.test/"), URL: "http://a.test/", At: now, Segment: "s", Status: 200, Kind: "response"}}}}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := g.Refused(t.Context(), "c", urlkey.Key("http://a.test/"), "http://a.test/", now); err != nil && !errors.As(err, new(*access.Refusal)) {
					t.Error(err)
				}
			}
		})
	}
	rule(t, db, access.Rule{Pattern: "*", Effect: access.Private})
	wg.Wait()
	time.Sleep(2 * g.Fresh)
	if err := g.Refused(t.Context(), "c", urlkey.Key("http://a.test/"), "http://a.test/", now); err == nil {
		t.Error("the rule does not hold yet")
	}
}

func TestCollections(t *testing.T) {
	db := open(t)
	g := guardOf(db)
	rule(t, db, access.Rule{Collection: "hidden", Pattern: "*", Effect: access.Private, Hidden: true})
	rule(t, db, access.Rule{Collection: "private", Pattern: "*", Effect: access.Private})
	for name, want := range map[string][]bool{"open": {true, true}, "private": {true, false}, "hidden": {false, false}} {
		served, err := g.Served(t.Context(), name)
		must(t, err)
		listed, err := g.Listed(t.Context(), name)
		must(t, err)
		if !slices.Equal([]bool{served, listed}, want) {
			t.Errorf("%s: served %v, listed %v", name, served, listed)
		}
	}
}

func besideText(b storage.Beside) (text string) {
	for _, c := range []*storage.Capture{b.First, b.Prev, b.Next, b.Last} {
		if text += ", "; c != nil {
			text += fmt.Sprint(*c)
		}
	}
	return text
}

func TestRecentPosts(t *testing.T) {
	db := open(t)
	g := guardOf(db)
	for i, url := range []string{"http://a.test/1", "http://hid.test/2", "http://a.test/3", "http://a.test/4"} {
		p := storage.Post{ID: fmt.Sprint(i), Run: int64(i), Collection: "c", Source: url, URL: url, Title: url, At: now.AddDate(0, 0, i), Segment: "s", Offset: int64(i)}
		must(t, db.Adopt(t.Context(), []storage.End{{Post: &p}}))
	}
	titles := func() (out []string) {
		posts, err := g.RecentPosts(t.Context(), "c", 3)
		must(t, err)
		for _, p := range posts {
			out = append(out, p.ID)
		}
		return out
	}
	if got := titles(); !slices.Equal(got, []string{"3", "2", "1"}) {
		t.Errorf("%q", got)
	}
	rule(t, db, access.Rule{Pattern: "hid.test", Effect: access.Private})
	if got := titles(); !slices.Equal(got, []string{"3", "2", "0"}) {
		t.Errorf("%q", got)
	}
}

// headless opens every capture as a revisit whose record has no head.
type headless struct{ original httpmsg.Head }

func (h headless) Open(_ context.Context, c storage.Capture) (*warc.Memento, error) {
	return &warc.Memento{Capture: c, Original: h.original}, nil
}

// TestHeadlessRevisit: the head of an original that may be another server's tells how the payload is to be read, and no more.
func TestHeadlessRevisit(t *testing.T) {
	db := open(t)
	head, err := httpmsg.ParseHead([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Secret: here\r\nContent-Encoding: gzip\r\nLocation: /there\r\n\r\n"))
	must(t, err)
	lib := guard.Library{Opener: headless{head}, Guard: guardOf(db)}
	told := func() (names []string) {
		m, err := lib.Open(t.Context(), storage.Capture{Collection: "c", Kind: warc.KindRevisit})
		must(t, err)
		for _, f := range m.Original.Fields {
			names = append(names, f.Name)
		}
		return names
	}
	if got := told(); len(got) != 4 {
		t.Errorf("without rules: %q", got)
	}
	rule(t, db, access.Rule{Pattern: "hid.test", Effect: access.Private})
	if got := told(); !slices.Equal(got, []string{"Content-Type", "Content-Encoding"}) {
		t.Errorf("with rules: %q", got)
	}
	if len(head.Fields) != 4 {
		t.Error("the head itself was changed")
	}
}

// repeating opens every revisit with what one capture holds.
type repeating struct{ from storage.Capture }

func (r repeating) Open(_ context.Context, c storage.Capture) (*warc.Memento, error) {
	return &warc.Memento{Capture: c, From: r.from}, nil
}

// TestLibraryNames: an imported revisit that only names what it repeats, without its digest, shows nobody what they may not see.
func TestLibraryNames(t *testing.T) {
	db := open(t)
	secret := storage.Capture{Collection: "c", URL: "http://hid.test/", URLKey: "test,hid)/", At: now, Segment: "imported-x-0001", Offset: 5, Digest: "sha256:AAAA", Kind: warc.KindResponse, RecordID: "<urn:x:1>"}
	must(t, db.AdoptCaptures(t.Context(), []storage.Capture{secret}))
	lib := guard.Library{Opener: repeating{secret}, Guard: guardOf(db)}
	revisit := storage.Capture{Collection: "c", URL: "http://pub.test/", Segment: "imported-y-0001", Digest: "sha1:BBBB", Kind: warc.KindRevisit}
	equal := revisit
	equal.Digest = secret.Digest
	for _, hidden := range []bool{false, true} {
		if hidden {
			rule(t, db, access.Rule{Pattern: "hid.test", Effect: access.Private})
		}
		if _, err := lib.Open(t.Context(), equal); err != nil {
			t.Errorf("of the same digest, hidden %v: %v", hidden, err)
		}
		if _, err := lib.Open(t.Context(), revisit); errors.Is(err, warc.ErrNoOriginal) != hidden {
			t.Errorf("by name alone, hidden %v: %v", hidden, err)
		}
	}
}

// TestTells: of what is hidden readers know nothing, whether all of it is or all that was captured.
func TestTells(t *testing.T) {
	db := open(t)
	g := guardOf(db)
	for i, url := range []string{"http://part.test/", "http://only.test/"} {
		for y := range 2 {
			must(t, db.Adopt(t.Context(), []storage.End{{Captures: []storage.Capture{{Collection: "c", URLKey: urlkey.Key(url), URL: url,
				At: time.Date(2016+y, 5, 1, 0, 0, 0, 0, time.UTC), Segment: "s", Offset: int64(2*i + y), Status: 200, Kind: "response"}}}}))
		}
	}
	for _, r := range []access.Rule{
		{Pattern: "priv.test", Effect: access.Private},
		{Pattern: "law.test", Effect: access.Withheld},
		{Pattern: "hid.test", Effect: access.Private, Hidden: true},
		{Pattern: "part.test", Effect: access.Private, Hidden: true, Before: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Pattern: "only.test", Effect: access.Private, Hidden: true, Before: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		rule(t, db, r)
	}
	for url, want := range map[string]bool{
		"http://open.test/": true, "http://priv.test/": true, "http://law.test/": true, "http://hid.test/": false, "http://hid.test/never": false,
		"http://part.test/": true, "http://only.test/": false, "http://only.test/never": true,
	} {
		if got, err := g.Tells(t.Context(), "c", urlkey.Key(url), url); err != nil || got != want {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
}
