package storagetest

import (
	"encoding/json"

	"linkstead/storage"
)

// mendLead: what could not be read in a segment is found elsewhere, that of a page that was not modified under its own address
// alone; what stands, and what is nowhere, is left as it is. A repair leads one alone.
func mendLead(b *bench) {
	ctx := b.t.Context()
	b.stored("a", "response")
	b.stored("b", "response")
	b.stored("r", "a/0", "a/10", "a/20", "a0/10")
	page := func(offset int64, url, digest string) storage.Capture {
		c := capture("r", offset, url, b.clock.Now())
		c.Kind, c.RefersTo, c.Digest, c.Unmodified = "revisit", "a/10", digest, true
		return c
	}
	same := b.at("b", 0)
	if err := b.Adopt(ctx, []storage.End{{Captures: []storage.Capture{page(70, same.URL, same.Digest), page(80, "http://other/", same.Digest), page(90, "http://other/", "sha256:Y")}}}); err != nil {
		b.t.Fatal(err)
	}
	lost, err := b.LeadRevisits(ctx, "a")
	if err != nil || lost != 2 {
		b.t.Errorf("%d lost, %v; want 2", lost, err)
	}
	for offset, want := range map[int64]string{0: "a/0", 10: "a/0", 20: "a/0", 30: "a0/10", 70: "b/0", 80: "a/10", 90: "a/10"} {
		if got := b.at("r", offset).RefersTo; got != want {
			b.t.Errorf("revisit at %d refers to %q, want %q", offset, got, want)
		}
	}
	m := storage.Mend{Segment: "r", Lead: map[int64]string{90: "b/0"}, Audit: storage.Audit{ID: "x", At: b.clock.Now(), Node: "n", Action: "repair", Detail: json.RawMessage(`{}`)}}
	if err := b.Mend(ctx, &m); err != nil || b.at("r", 90).RefersTo != "b/0" || b.at("r", 80).RefersTo != "a/10" {
		b.t.Errorf("led: %v, %+v", err, b.at("r", 90))
	}
}

// mendDueAgain: an address of which a run has nothing any more is due again, and its run active; one of which it has something
// is not.
func mendDueAgain(b *bench) {
	ctx := b.t.Context()
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 2))
	b.opened("s", "n")
	l := b.claim(1)[0]
	one, two := b.captured(l, l.Tasks[0], "s", 0), b.captured(l, l.Tasks[1], "s", 10)
	again := b.captured(l, l.Tasks[1], "s", 20)
	two.Captures = append(two.Captures, again.Captures...)
	if fenced, err := b.Commit(ctx, []storage.Progress{{Segment: "s", Committed: 30}}, []storage.End{one, two}); err != nil || len(fenced) > 0 {
		b.t.Fatal(fenced, err)
	}
	r.State = storage.RunDone
	if err := b.UpdateRun(ctx, r); err != nil {
		b.t.Fatal(err)
	}
	m := storage.Mend{Segment: "s", Audit: storage.Audit{ID: "x", At: b.clock.Now(), Node: "n", Action: "repair", Detail: json.RawMessage(`{}`)}}
	for offset, e := range map[int64]storage.End{0: one, 10: two} {
		c := e.Captures[0]
		m.Drop = append(m.Drop, storage.Spot{Kind: storage.SpotCapture, Offset: offset})
		m.Again = append(m.Again, storage.TaskURL{Collection: c.Collection, URLKey: c.URLKey, URL: c.URL, Run: c.Run, Captured: true})
	}
	if err := b.Mend(ctx, &m); err != nil {
		b.t.Fatal(err)
	}
	for k, due := range []bool{true, false} {
		t, err := b.Task(ctx, l.Host, r.ID, l.Tasks[k].ID)
		if err != nil || (t.Due != storage.Never) != due {
			b.t.Errorf("task %d: %+v, %v", k, t, err)
		}
	}
	if now, err := b.Run(ctx, r.ID); err != nil || now.State != storage.RunActive {
		b.t.Errorf("run %+v, %v", now, err)
	}
	if c := b.counts(r.ID); c.Ended != 1 || c.Captured != 2 || c.Failed != 0 {
		b.t.Errorf("counts %+v", c)
	}
}
