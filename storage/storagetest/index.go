package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// Index holds a database to the contract of the index: captures, attempts, posts.
func Index(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Fields", indexFields},
		{"Closest", indexClosest},
		{"Momentary", indexMomentary},
		{"Around", indexAround},
		{"Buckets", indexBuckets},
		{"RecentPosts", indexRecentPosts},
		{"KeysAreBytes", indexKeysAreBytes},
		{"CapturesOrder", indexCapturesOrder},
		{"LongLists", indexLongLists},
		{"NestedReads", indexNestedReads},
		{"Attempts", indexAttempts},
		{"Original", indexOriginal},
		{"Validated", indexValidated},
		{"RunAddresses", indexRunAddresses},
		{"Posts", indexPosts},
		{"ImportedRun", indexImportedRun},
		{"AdoptTwice", indexAdoptTwice},
	})
}

// adopt writes captures without any task.
func (b *bench) adopt(cs ...storage.Capture) {
	b.t.Helper()
	if err := b.Adopt(b.t.Context(), []storage.End{{Captures: cs}}); err != nil {
		b.t.Fatal(err)
	}
}

func indexFields(b *bench) {
	want := storage.Capture{Collection: "c", URLKey: "org,example)/ä?q='\"", At: time.UnixMicro(1_700_000_000_123_456).UTC(), Segment: "s",
		Offset: 1 << 33, Length: 77, URL: "http://example.org/ä", Status: 301, Mime: "text/html; x", Digest: "sha256:ABC", Kind: "revisit",
		RefersTo: "s/12", Redirect: "http://example.org/b", RecordID: "<urn:uuid:2>", Run: 4, Outcome: "redirect",
		Flags: "login needs-browser", ETag: `W/"ä"`, Modified: "Mon, 23 Nov 2026 07:00:00 GMT", TLSInvalid: "the certificate is for another host", Canonical: "http://x/", Unmodified: true}
	b.adopt(want)
	if got := b.captures(want.URLKey); len(got) != 1 || got[0] != want {
		b.t.Errorf("Captures brings %+v, want %+v", got, want)
	}
	if got, err := b.CaptureAt(b.t.Context(), "s", 1<<33); err != nil || got != want {
		b.t.Errorf("CaptureAt brings %+v, %v", got, err)
	}
	if _, err := b.CaptureAt(b.t.Context(), "s", 0); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("CaptureAt of no capture: %v", err)
	}
	if got, err := b.Closest(b.t.Context(), "c", want.URLKey, want.URL, time.Time{}); err != nil || got != want {
		b.t.Errorf("Closest brings %+v, %v", got, err)
	}
}

func indexClosest(b *bench) {
	at := func(sec int) time.Time { return b.clock.Now().Add(time.Duration(sec) * time.Second) }
	row := func(offset int64, url string, sec int, kind string) storage.Capture {
		c := capture("s", offset, url, at(sec))
		c.URLKey, c.Kind = "k", kind
		return c
	}
	const exact, www, onlyCut = "http://e/", "http://www.e/", "http://cut.e/"
	b.adopt(
		row(1, exact, 0, "response"), row(2, exact, 100, "revisit"), row(3, exact, 200, "response"),
		row(4, www, 90, "response"), row(5, exact, 95, "truncated"), row(6, www, 1000, "response"),
		row(7, onlyCut, 50, "truncated"),
	)
	other := row(8, exact, 95, "response")
	other.Collection = "other"
	b.adopt(other)
	for _, c := range []struct {
		url  string
		sec  int
		want int64
		why  string
	}{
		{exact, -1000, 1, "before all"},
		{exact, 0, 1, "at the time"},
		{exact, 49, 1, "nearer to the earlier"},
		{exact, 50, 1, "a tie goes to the earlier"},
		{exact, 51, 2, "nearer to the later"},
		{exact, 92, 2, "the truncated one and another spelling are nearer, but come last"},
		{exact, 1000, 3, "after all, and another spelling is nearer"},
		{www, 0, 4, "the other spelling is exact here"},
		{onlyCut, 200, 7, "a truncated one of this URL comes before whole ones of others"},
		{"https://e/", 94, 4, "no exact one: the nearest whole one of any spelling"},
		{"https://e/", 400, 3, "no exact one"},
	} {
		got, err := b.Closest(b.t.Context(), "c", "k", c.url, at(c.sec))
		if err != nil || got.Offset != c.want {
			b.t.Errorf("Closest(%s, %d s) is number %d, %v, want %d: %s", c.url, c.sec, got.Offset, err, c.want, c.why)
		}
	}
	for _, k := range [][2]string{{"c", "none"}, {"none", "k"}} {
		if _, err := b.Closest(b.t.Context(), k[0], k[1], exact, at(0)); !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("Closest in %q: %v, want ErrNotFound", k, err)
		}
	}
	flagged := func(offset int64, url string, sec int, kind string) storage.Capture {
		c := row(offset, url, sec, kind)
		c.URLKey, c.Flags = "w", "bot-wall needs-browser"
		return c
	}
	cut := row(21, exact, 10, "truncated")
	cut.URLKey = "w"
	b.adopt(flagged(20, exact, 0, "response"), cut, flagged(22, www, 100, "response"), flagged(23, "http://w.e/", 300, "truncated"))
	if got, err := b.Closest(b.t.Context(), "c", "w", exact, at(0)); err != nil || got.Offset != 21 {
		b.t.Errorf("a wall is preferred to a copy that lacks its end: number %d, %v", got.Offset, err)
	}
	if got, err := b.Closest(b.t.Context(), "c", "w", www, at(100)); err != nil || got.Offset != 21 {
		b.t.Errorf("a wall is preferred to another spelling: number %d, %v", got.Offset, err)
	}
	if got, err := b.Taken(b.t.Context(), "c", "w", www, at(100)); err != nil || got.Offset != 22 || got.Flags != "bot-wall needs-browser" {
		b.t.Errorf("the copy of that second: number %d, %q, %v", got.Offset, got.Flags, err)
	}
	if _, err := b.Taken(b.t.Context(), "c", "w", www, at(101)); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("nothing was taken in that second: %v", err)
	}
	only := flagged(24, exact, 50, "response")
	only.URLKey = "only"
	b.adopt(only)
	if got, err := b.Closest(b.t.Context(), "c", "only", exact, at(0)); err != nil || got.Offset != 24 {
		b.t.Errorf("a wall is better than nothing: number %d, %v", got.Offset, err)
	}
	first := row(9, exact, 500, "truncated")
	first.URLKey = "cut"
	b.adopt(first)
	if got, err := b.Closest(b.t.Context(), "c", "cut", "http://x/", at(0)); err != nil || got.Offset != 9 {
		b.t.Errorf("only a truncated one of another spelling: %d, %v", got.Offset, err)
	}
}

// indexKeysAreBytes: keys are compared as bytes, whatever the database takes for equal or for alphabetical.
func indexKeysAreBytes(b *bench) {
	for i, key := range []string{"k", "K", "k ", "ä", "a\u0308", "k%", "k_", "k\t"} {
		c := capture("s", int64(i), "http://e/", b.clock.Now())
		c.URLKey = key
		b.adopt(c)
		if got := b.captures(key); len(got) != 1 || got[0].Offset != int64(i) {
			b.t.Errorf("key %q brings %+v", key, got)
		}
	}
}

func indexCapturesOrder(b *bench) {
	var cs []storage.Capture
	for _, x := range [][3]int64{{5, 2, 0}, {1, 1, 500}, {5, 1, 9}, {5, 1, 10}, {0, 3, 0}, {5, 1, 100}} { // second, segment, offset
		c := capture(fmt.Sprint("s", x[1]), x[2], "http://e/", b.clock.Now().Add(time.Duration(x[0])*time.Second))
		c.URLKey = "k"
		cs = append(cs, c)
	}
	b.adopt(cs...)
	var got []string
	for _, c := range b.captures("k") {
		got = append(got, fmt.Sprint(c.Segment, "/", c.Offset))
	}
	if want := "[s3/0 s1/500 s1/9 s1/10 s1/100 s2/0]"; fmt.Sprint(got) != want {
		b.t.Errorf("Captures yields %v, want %s", got, want)
	}
	got = nil
	for c, err := range b.SegmentCaptures(b.t.Context(), "s1") {
		if err != nil {
			b.t.Fatal(err)
		}
		got = append(got, fmt.Sprint(c.Offset))
	}
	if want := "[9 10 100 500]"; fmt.Sprint(got) != want {
		b.t.Errorf("SegmentCaptures yields %v, want %s", got, want)
	}
	for c, err := range b.Captures(b.t.Context(), "c", "none") {
		b.t.Errorf("no such key, but %+v, %v", c, err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	cancel()
	n := 0
	for _, err := range b.Captures(ctx, "c", "k") {
		if n++; !errors.Is(err, context.Canceled) {
			b.t.Errorf("cancelled, but %v", err)
		}
	}
	if n != 1 {
		b.t.Errorf("a cancelled Captures yields %d times", n)
	}
}

// indexLongLists: lists longer than any page of rows come whole, each row once.
func indexLongLists(b *bench) {
	const n = 2500
	cs := make([]storage.Capture, n)
	for i := range cs {
		// Many at one time, so that no page ends between two times.
		cs[i] = capture("s", int64(i), "http://e/", b.clock.Now().Add(time.Duration(i/900)*time.Second))
		cs[i].URLKey = "k"
	}
	b.adopt(cs...)
	for name, list := range map[string]func() (int64, error){
		"Captures": func() (i int64, err error) {
			for c, err := range b.Captures(b.t.Context(), "c", "k") {
				if err != nil || c.Offset != i {
					return i, fmt.Errorf("row %d is at %d: %w", i, c.Offset, err)
				}
				i++
			}
			return i, nil
		},
		"SegmentCaptures": func() (i int64, err error) {
			for c, err := range b.SegmentCaptures(b.t.Context(), "s") {
				if err != nil || c.Offset != i {
					return i, fmt.Errorf("row %d is at %d: %w", i, c.Offset, err)
				}
				i++
			}
			return i, nil
		},
	} {
		if got, err := list(); err != nil || got != n {
			b.t.Errorf("%s yields %d rows, %v, want %d", name, got, err, n)
		}
	}
}

// indexNestedReads: many readers that look something up, or write, while they walk through a list do not starve each
// other of connections.
func indexNestedReads(b *bench) {
	for i := range int64(3) {
		c := capture("s", i, "http://e/", b.clock.Now())
		c.URLKey = "k"
		b.adopt(c)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	var g errgroup.Group
	for range 40 {
		g.Go(func() error {
			for c, err := range b.Captures(ctx, "c", "k") {
				if err != nil {
					return err
				}
				if _, err := b.CaptureAt(ctx, c.Segment, c.Offset); err != nil {
					return err
				}
				for _, err := range b.SegmentCaptures(ctx, c.Segment) {
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Errorf("readers within readers: %v", err)
	}
}

func indexAttempts(b *bench) {
	mk := func(sec int, outcome string) storage.Attempt {
		return storage.Attempt{Collection: "c", URL: "http://e/", URLKey: "k", At: b.clock.Now().Add(time.Duration(sec) * time.Second).UTC(),
			Run: 2, Outcome: outcome, Detail: "no such host ä", Segment: "s", Offset: int64(sec), RecordID: "<urn:uuid:7>"}
	}
	as := []storage.Attempt{mk(9, "dns"), mk(3, "timeout"), mk(9, "dns")} // the last one again
	if err := b.Adopt(b.t.Context(), []storage.End{{Attempts: as}}); err != nil {
		b.t.Fatal(err)
	}
	got, err := b.Attempts(b.t.Context(), "c", "k")
	if err != nil || len(got) != 2 || got[0] != as[1] || got[1] != as[0] {
		b.t.Errorf("Attempts brings %+v, %v", got, err)
	}
	if got := b.captures("k"); len(got) != 0 {
		b.t.Errorf("attempts are in the index: %+v", got)
	}
	if c, err := b.Closest(b.t.Context(), "c", "k", "http://e/", b.clock.Now()); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("an attempt is the closest capture: %+v, %v", c, err)
	}
	nameless := mk(4, "reset")
	nameless.RecordID, nameless.Offset = "", 77
	other := mk(5, "empty")
	other.RecordID = "<urn:uuid:8>"
	if err := b.Adopt(b.t.Context(), []storage.End{{Attempts: []storage.Attempt{nameless, other}}}); err != nil {
		b.t.Fatal(err)
	}
	if got, err := b.AttemptBy(b.t.Context(), "<urn:uuid:8>"); err != nil || got != other {
		b.t.Errorf("AttemptBy brings %+v, %v", got, err)
	}
	if got, err := b.AttemptAt(b.t.Context(), "s", 77); err != nil || got != nameless {
		b.t.Errorf("AttemptAt brings %+v, %v", got, err)
	}
	for _, id := range []string{"", "<urn:uuid:9>", "a\x00\xff"} {
		if got, err := b.AttemptBy(b.t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("AttemptBy(%q) brings %+v, %v", id, got, err)
		}
	}
	if got, err := b.AttemptAt(b.t.Context(), "s\x00", 78); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("AttemptAt brings %+v, %v", got, err)
	}
}

func indexOriginal(b *bench) {
	ctx := b.t.Context()
	b.openSegment("open")
	b.openSegment("stored")
	b.openSegment("sealed")
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	must(b.SealSegment(ctx, "stored", 10, "x"))
	must(b.StoreSegment(ctx, "stored", "c/stored"))
	must(b.SealSegment(ctx, "sealed", 10, "x"))
	row := func(segment string, offset int64, digest, kind, collection string) storage.Capture {
		c := capture(segment, offset, "http://e/", b.clock.Now().Add(time.Duration(offset)*time.Second))
		c.Digest, c.Kind, c.Collection = digest, kind, collection
		return c
	}
	b.adopt(
		row("stored", 5, "A", "response", "c"), row("stored", 3, "A", "revisit", "c"), row("stored", 2, "A", "truncated", "c"),
		row("stored", 1, "A", "resource", "c"), row("stored", 0, "A", "response", "other"), row("open", 1, "A", "response", "c"),
		row("open", 2, "B", "response", "c"), row("sealed", 1, "C", "response", "c"), row("nowhere", 1, "D", "response", "c"),
	)
	for _, c := range []struct {
		collection, digest, segment, want string
	}{
		{"c", "A", "none", "stored/5"}, {"c", "A", "open", "open/1"}, {"other", "A", "none", "stored/0"},
		{"c", "B", "open", "open/2"}, {"c", "B", "none", ""}, {"c", "C", "open", ""}, {"c", "D", "open", ""},
		{"none", "A", "open", ""}, {"c", "", "open", ""},
	} {
		got, err := b.Original(ctx, c.collection, c.digest, c.segment)
		if c.want == "" {
			if !errors.Is(err, storage.ErrNotFound) {
				b.t.Errorf("Original(%+v) = %s/%d, %v, want ErrNotFound", c, got.Segment, got.Offset, err)
			}
		} else if at := fmt.Sprint(got.Segment, "/", got.Offset); err != nil || at != c.want {
			b.t.Errorf("Original(%+v) = %s, %v", c, at, err)
		}
	}
}

func indexPosts(b *bench) {
	ctx := b.t.Context()
	post := func(id string, run int64, sec int) storage.Post {
		return storage.Post{ID: id, Run: run, Collection: "c", Source: "http://short/" + id, URL: "http://long/" + id, Title: "Tïtle",
			Dated: "2020-05", At: b.clock.Now().Add(time.Duration(sec) * time.Second).UTC(), Segment: "s", Offset: 9}
	}
	a1, a2, x := post("a", 1, 0), post("a", 3, 50), post("x", 2, 20)
	for i := range 70 { // more than one statement holds
		a1.Citations = append(a1.Citations, storage.Citation{Seq: i, URL: fmt.Sprint("http://l/", i), Raw: "/l", Text: "tëxt", Context: "A cöntext.",
			Start: 10 * i, End: 10*i + 4, Where: "content", LeftOut: "share button", Of: "http://web.archive.org/",
			Page: i, Selector: "text=t%C3%ABxt", Quotation: "A “quötation”", Dated: "2015-05-03", Entry: "Ëntry", Alternatives: "http://m/\nhttp://n/"})
	}
	a1.Damaged = []storage.Scar{
		{Class: "open-parenthesis", Confidence: 0.97, Start: 9, End: 10, Text: "(", Context: "bömbed (", Reason: "it is opened", Key: "abc"},
		{Class: "url-tail", Confidence: 0.5, Start: 20, End: 30, Text: "(–a.html)", Reason: "a tail", Key: "abd"},
	}
	imported := []storage.Post{post("a", -7, 90), post("y", -9, 30), post("y", -8, 40), post("y", -3, 10)}
	if err := b.AdoptPosts(ctx, append(imported, imported[0])); err != nil {
		b.t.Fatal(err)
	}
	for _, p := range []storage.Post{a1, a2, x, a1} {
		if err := b.Adopt(ctx, []storage.End{{Post: &p}}); err != nil {
			b.t.Fatal(err)
		}
	}
	got, err := b.PostOf(ctx, 1)
	if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", a1) {
		b.t.Errorf("PostOf(1) = %+v, %v, want %+v", got, err, a1)
	}
	if _, err := b.PostOf(ctx, 9); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("PostOf of another run: %v", err)
	}
	names := func(ps []storage.Post, err error) string {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
		s := ""
		for _, p := range ps {
			s += fmt.Sprint(p.ID, p.Run, " ")
		}
		return s
	}
	for what, c := range map[string][2]string{
		"Posts":                       {names(b.Posts(ctx)), "a3 y-8 x2 "},
		"PostVersions":                {names(b.PostVersions(ctx, "a")), "a3 a1 a-7 "},
		"PostVersions (none of ours)": {names(b.PostVersions(ctx, "y")), "y-8 y-9 y-3 "},
		"PostVersions (none)":         {names(b.PostVersions(ctx, "none")), ""},
		"PostsBy (source)":            {names(b.PostsBy(ctx, "http://short/a")), "a3 "},
		"PostsBy (URL)":               {names(b.PostsBy(ctx, "http://long/x")), "x2 "},
		"PostsBy (none)":              {names(b.PostsBy(ctx, "http://none/")), ""},
	} {
		if c[0] != c[1] {
			b.t.Errorf("%s = %q, want %q", what, c[0], c[1])
		}
	}
}

// indexImportedRun: what came with an imported file is a run that is done, as long as a post of it is there.
func indexImportedRun(b *bench) {
	ctx := b.t.Context()
	p := storage.Post{ID: "a", Run: -5, Collection: "c", Source: "http://a/", URL: "http://a/", At: b.clock.Now().UTC(), Segment: storage.ImportedPrefix + "x-0001", Offset: 7}
	if err := b.AdoptPosts(ctx, []storage.Post{p}); err != nil {
		b.t.Fatal(err)
	}
	if r, err := b.Run(ctx, -5); err != nil || r.ID != -5 || r.Collection != "c" || r.State != storage.RunDone {
		b.t.Errorf("Run(-5) = %+v, %v", r, err)
	}
	if rs, err := b.Runs(ctx); err != nil || len(rs) != 0 {
		b.t.Errorf("Runs = %+v, %v: it has no row", rs, err)
	}
	if ps, err := b.SegmentPosts(ctx, p.Segment); err != nil || len(ps) != 1 || fmt.Sprintf("%+v", ps[0]) != fmt.Sprintf("%+v", p) {
		b.t.Errorf("SegmentPosts = %+v, %v", ps, err)
	}
	if err := b.DropImported(ctx, p.Segment); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.Run(ctx, -5); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("Run(-5) without posts: %v", err)
	}
}

// indexAdoptTwice: a rebuild that is begun again writes the same rows, and finds the tasks ended.
func indexAdoptTwice(b *bench) {
	e := storage.End{Task: task("h", 1, 1, storage.Never), New: []storage.Task{task("h", 1, 2, 5), task("g", 1, 3, 5)}}
	e.Task.Outcome, e.Task.Attempts = "ok", 2
	e.Captures = []storage.Capture{capture("s", 0, "http://h/1", b.clock.Now())}
	e.Attempts = []storage.Attempt{{Collection: "c", URLKey: "k", At: b.clock.Now(), Segment: "s", Outcome: "dns"}}
	found := storage.End{Task: task("h", 1, 4, storage.Never), New: []storage.Task{task("h", 1, 1, 5)}}
	found.Task.Outcome = "ok"
	for range 2 {
		if err := b.Adopt(b.t.Context(), []storage.End{found, e}); err != nil {
			b.t.Fatal(err)
		}
	}
	if got := b.task("h", 1, 1); got.Outcome != "ok" || got.Attempts != 2 || got.Due != storage.Never {
		b.t.Errorf("the task that another page had led to before is %+v", got)
	}
	as, err := b.Attempts(b.t.Context(), "c", "k")
	if got := b.captures("key(http://h/1)"); len(got) != 1 || len(as) != 1 || err != nil {
		b.t.Errorf("%d captures, %d attempts, %v, want one each", len(got), len(as), err)
	}
	ls := b.claim(10)
	if len(ls) != 2 || len(ls[0].Tasks) != 1 || len(ls[1].Tasks) != 1 || ls[1].Tasks[0].ID != 2 {
		b.t.Errorf("left to do: %+v, want task 3 of g and task 2 of h", ls)
	}
}
