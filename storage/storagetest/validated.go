package storagetest

import (
	"errors"
	"fmt"
	"time"

	"linkstead/storage"
)

// indexValidated: a conditional request is made by the newest capture that is good enough, and only if its payload stands
// where a revisit may refer to it.
func indexValidated(b *bench) {
	ctx := b.t.Context()
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	for _, s := range []string{"stored", "open"} {
		b.openSegment(s)
	}
	must(b.SealSegment(ctx, "stored", 10, "x"))
	must(b.StoreSegment(ctx, "stored", "c/stored"))
	n := int64(0)
	for name, c := range map[string]struct {
		rows []func(*storage.Capture) // oldest first; each differs from a good response in the stored segment
		want string                   // place of the last and of the original, from 0; empty: none
	}{
		"nothing":                {nil, ""},
		"a good one":             {[]func(*storage.Capture){func(*storage.Capture) {}}, "0 0"},
		"the newest":             {[]func(*storage.Capture){func(*storage.Capture) {}, func(*storage.Capture) {}}, "1 1"},
		"by its date":            {[]func(*storage.Capture){func(c *storage.Capture) { c.ETag, c.Modified = "", "then" }}, "0 0"},
		"no validator":           {[]func(*storage.Capture){func(c *storage.Capture) { c.ETag = "" }}, ""},
		"an error after it":      {[]func(*storage.Capture){func(*storage.Capture) {}, func(c *storage.Capture) { c.Status = 500 }}, "0 0"},
		"a wall":                 {[]func(*storage.Capture){func(c *storage.Capture) { c.Flags = "login" }}, ""},
		"a bad certificate":      {[]func(*storage.Capture){func(c *storage.Capture) { c.TLSInvalid = "expired" }}, ""},
		"a part":                 {[]func(*storage.Capture){func(c *storage.Capture) { c.Kind = "truncated" }}, ""},
		"not stored":             {[]func(*storage.Capture){func(c *storage.Capture) { c.Segment = "open" }}, ""},
		"another URL":            {[]func(*storage.Capture){func(c *storage.Capture) { c.URL += "?" }}, ""},
		"another collection":     {[]func(*storage.Capture){func(c *storage.Capture) { c.Collection = "other" }}, ""},
		"a revisit of it":        {[]func(*storage.Capture){func(*storage.Capture) {}, revisits(0)}, "1 0"},
		"an unstored revisit":    {[]func(*storage.Capture){func(*storage.Capture) {}, func(c *storage.Capture) { revisits(0)(c); c.Segment = "open" }}, "1 0"},
		"of another URL":         {[]func(*storage.Capture){func(c *storage.Capture) { c.URL += "?" }, revisits(0)}, ""},
		"of an error":            {[]func(*storage.Capture){func(c *storage.Capture) { c.Status = 404 }, revisits(0)}, ""},
		"of what is not stored":  {[]func(*storage.Capture){func(c *storage.Capture) { c.Segment = "open" }, revisits(0)}, ""},
		"of what is gone":        {[]func(*storage.Capture){revisits(7)}, ""},
		"refers to what is none": {[]func(*storage.Capture){func(c *storage.Capture) { c.Kind, c.RefersTo = "revisit", "<urn:uuid:7>" }}, ""},
	} {
		n += 100
		url := fmt.Sprintf("http://e/%d", n)
		for i, differ := range c.rows {
			row := capture("stored", n+int64(i), url, b.clock.Now().Add(time.Duration(i)*time.Second))
			row.ETag = `"1"`
			if differ(&row); row.Kind == "revisit" && row.RefersTo[0] != '<' {
				row.RefersTo = fmt.Sprintf("%s/%d", placeOf(c.rows), n+int64(row.RefersTo[0]-'0'))
			}
			b.adopt(row)
		}
		last, orig, err := b.Validated(ctx, "c", "key("+url+")", url)
		got := ""
		if err == nil {
			got = fmt.Sprint(last.Offset-n, " ", orig.Offset-n)
		} else if !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("%s: %v", name, err)
		}
		if got != c.want {
			b.t.Errorf("%s: Validated brings %q, want %q", name, got, c.want)
		}
	}
}

// revisits makes a revisit of the nth row.
func revisits(n int) func(*storage.Capture) {
	return func(c *storage.Capture) { c.Kind, c.RefersTo = "revisit", fmt.Sprint(n) }
}

// placeOf is the segment that the first row stands in.
func placeOf(rows []func(*storage.Capture)) string {
	c := storage.Capture{Segment: "stored", RefersTo: "-"}
	rows[0](&c)
	return c.Segment
}

// indexRunAddresses: all that a run asked for comes, page by page, and so do the runs that complete it.
func indexRunAddresses(b *bench) {
	ctx := b.t.Context()
	const n = 1100
	tasks := make([]storage.Task, n)
	for i := range tasks {
		tasks[i] = storage.Task{Host: fmt.Sprintf("h%d.test", i%7), ID: int64(i), URL: fmt.Sprintf("http://h%d.test/%d", i%7, i), Kind: "page",
			Depth: 2, Hops: "LE", Via: "http://v/", Due: 7}
	}
	run := b.startRun(tasks...)
	other := b.startRun(storage.Task{Host: "h1.test", ID: 1, URL: "http://h1.test/1", Kind: "page", Due: 7})
	seen := map[string]bool{}
	for a, err := range b.RunAddresses(ctx, run.ID) {
		if err != nil {
			b.t.Fatal(err)
		}
		if a.Run != run.ID || a.Kind != "page" || a.Depth != 2 || a.Hops != "LE" || a.Via != "http://v/" || a.Outcome != "" || a.Status != 0 || seen[a.URL] {
			b.t.Fatalf("asked for %+v", a)
		}
		seen[a.URL] = true
	}
	if len(seen) != n {
		b.t.Errorf("%d addresses, want %d", len(seen), n)
	}
	start := func(spec string, differ func(*storage.Run)) {
		r := storage.Run{Collection: run.Collection, Source: run.Source, Spec: []byte(spec), Started: b.clock.Now()}
		differ(&r)
		if _, err := b.StartRun(ctx, r, nil, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	same := func(*storage.Run) {}
	start(fmt.Sprintf(`{"source":"x","missing":%d,"links":"all"}`, run.ID), same)
	start(fmt.Sprintf(`{"source":"x","missing":%d,"links":"all"}`, run.ID), func(r *storage.Run) { r.Source = "y" })
	start(fmt.Sprintf(`{"source":"x","missing":%d,"links":"all"}`, run.ID), func(r *storage.Run) { r.Collection = "y" })
	start(fmt.Sprintf(`{"source":"x","missing":%d1,"links":"all"}`, run.ID), same)
	start(fmt.Sprintf(`{"source":"\"missing\":%d,","links":"all"}`, run.ID), same)
	got, err := b.Completions(ctx, run)
	if err != nil || len(got) != 1 || got[0].ID != other.ID+1 {
		b.t.Errorf("completed by %+v, %v", got, err)
	}
}
