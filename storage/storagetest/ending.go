package storagetest

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// opened writes the row of an open segment.
func (b *bench) opened(id, node string) {
	b.t.Helper()
	s := storage.Segment{ID: id, Collection: "c", Node: node, State: storage.SegmentOpen, Created: b.clock.Now()}
	if err := b.OpenSegment(b.t.Context(), s); err != nil {
		b.t.Fatal(err)
	}
}

// captured is the end of a task with a capture in a segment.
func (b *bench) captured(l storage.Lease, t storage.Task, segment string, offset int64, fresh ...storage.Task) storage.End {
	e := done(l, t, fresh...)
	e.Captures = []storage.Capture{{
		Collection: "c", URLKey: t.URL, At: b.clock.Now(), Segment: segment, Offset: offset, Length: 10, URL: t.URL, Status: 200,
		Mime: "text/html", Digest: "sha256:X", Kind: "response", RecordID: "<urn:uuid:1>", Run: t.Run, Outcome: "ok",
	}}
	return e
}

// failed is a try of a task without a capture; it is tried again at due, or has ended if that is never.
func (b *bench) failed(l storage.Lease, t storage.Task, segment string, offset, due int64) storage.End {
	e := done(l, t)
	if e.Task.Due = due; due != storage.Never {
		e.Task.Outcome = ""
	}
	e.Attempts = []storage.Attempt{{
		Collection: "c", URLKey: t.URL, URL: t.URL, At: b.clock.Now(), Run: t.Run, Outcome: "dns", Segment: segment, Offset: offset,
	}}
	return e
}

func (b *bench) finish(run int64) bool {
	b.t.Helper()
	did, err := b.FinishRun(b.t.Context(), run, b.clock.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return did
}

func (b *bench) active() []storage.ActiveRun {
	b.t.Helper()
	rs, err := b.Active(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return rs
}

func (b *bench) counts(run int64) storage.Counts {
	b.t.Helper()
	c, err := b.Counts(b.t.Context(), run, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// runsFinish: a run is done when no task of it is open and no segment that is not stored holds anything of it; one of all
// that try at once finishes it.
func runsFinish(b *bench) {
	ctx := b.t.Context()
	r := b.startRun(task("h", 0, 1, 1))
	b.opened("s", "n")
	is := func(what string, open, held bool) {
		b.t.Helper()
		if rs := b.active(); len(rs) != 1 || rs[0] != (storage.ActiveRun{ID: r.ID, Open: open, Held: held}) {
			b.t.Errorf("%s: active runs %+v", what, rs)
		}
		if b.finish(r.ID) {
			b.t.Fatalf("%s: the run is done", what)
		}
	}
	is("a task is open", true, false)
	l := b.claimOne("h")
	end := b.captured(l, l.Tasks[0], "s", 10, task("h", r.ID, 1, 1), task("g", r.ID, 2, 1))
	end.Keep = []byte("kept\x00")
	ends := []storage.End{end}
	if _, err := b.Commit(ctx, []storage.Progress{{Segment: "s", Committed: 20}}, ends); err != nil || ends[0].Added != 1 {
		b.t.Fatalf("%d tasks were added, want 1; %v", ends[0].Added, err)
	}
	is("another task was found", true, true)
	g := b.claimOne("g")
	b.commit(nil, b.failed(g, g.Tasks[0], "s", 20, storage.Never))
	is("a segment is open", false, true)
	if err := b.SealSegment(ctx, "s", 30, "x"); err != nil {
		b.t.Fatal(err)
	}
	is("a segment is sealed", false, true)
	if got, err := b.Kept(ctx, "h", r.ID, 1); err != nil || string(got) != "kept\x00" {
		b.t.Errorf("Kept = %q, %v", got, err)
	}
	if err := b.StoreSegment(ctx, "s", "k"); err != nil {
		b.t.Fatal(err)
	}
	if rs := b.active(); len(rs) != 1 || rs[0].Open || rs[0].Held {
		b.t.Errorf("all is stored: active runs %+v", rs)
	}
	b.finishAtOnce(r)
	if _, err := b.Kept(ctx, "h", r.ID, 1); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("what was kept is still there: %v", err)
	}
}

// finishAtOnce lets eight workers finish a run at the same time.
func (b *bench) finishAtOnce(r storage.Run) {
	b.t.Helper()
	ended := b.clock.Now().Add(time.Second)
	var done atomic.Int64
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			did, err := b.FinishRun(b.t.Context(), r.ID, ended)
			if did {
				done.Add(1)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil || done.Load() != 1 {
		b.t.Errorf("%d workers finished the run, want 1; %v", done.Load(), err)
	}
	if got, err := b.Run(b.t.Context(), r.ID); err != nil || got.State != storage.RunDone || !got.Ended.Equal(ended) {
		b.t.Errorf("the run is %+v, %v", got, err)
	}
	if rs := b.active(); len(rs) != 0 {
		b.t.Errorf("active runs: %+v", rs)
	}
}

// runsFinishRace: while the last tasks end, and each leads to another one, nobody sees a run without anything open.
func runsFinishRace(b *bench) {
	ctx := b.t.Context()
	const long = 40
	r := b.startRun(task("h", 0, 1, 1))
	b.opened("s", "n")
	var g errgroup.Group
	over := make(chan struct{})
	g.Go(func() error {
		defer close(over)
		l := b.claimOne("h")
		t := l.Tasks[0]
		for i := range int64(long) {
			next := task("h", r.ID, i+2, 1)
			end := b.captured(l, t, "s", i+1, next)
			if i == long-1 {
				end.New = nil
			}
			if _, err := b.Commit(ctx, []storage.Progress{{Segment: "s", Committed: i + 2}}, []storage.End{end}); err != nil {
				return err
			}
			t = next
		}
		return nil
	})
	for range 2 {
		g.Go(func() error {
			for {
				if did, err := b.FinishRun(ctx, r.ID, b.clock.Now()); err != nil || did {
					return errors.Join(err, errors.New("the run was finished"))
				}
				select {
				case <-over:
					return nil
				default:
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Error(err)
	}
}

// runsFinishNot: a run that is paused, or has nothing, or is not there.
func runsFinishNot(b *bench) {
	r := b.startRun(task("h", 0, 1, 1))
	l := b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0]))
	if err := b.PauseRun(b.t.Context(), r.ID); err != nil {
		b.t.Fatal(err)
	}
	if b.finish(r.ID) || len(b.active()) != 0 {
		b.t.Error("a paused run was finished, or is active")
	}
	if err := b.ResumeRun(b.t.Context(), r.ID); err != nil {
		b.t.Fatal(err)
	}
	if !b.finish(r.ID) || b.finish(r.ID) || b.finish(99) {
		b.t.Error("a run is finished once, and one that is not there never")
	}
	if empty := b.startRun(); !b.finish(empty.ID) {
		b.t.Error("a run without any task is not done")
	}
}

// runsCounts: each node counts for itself; the tasks with which a run begins are counted when it does.
func runsCounts(b *bench) {
	ctx := b.t.Context()
	r, other := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 1)), b.startRun()
	for range 2 { // to write the same again changes nothing
		err := b.CountRuns(ctx, "n1", map[int64]storage.Counts{r.ID: {Found: 5, Ended: 4, Captured: 3, Failed: 1, Bytes: 100}, other.ID: {Found: 1}})
		err = errors.Join(err, b.CountRuns(ctx, "n2", map[int64]storage.Counts{r.ID: {Found: 1, Bytes: 7}}))
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if got, want := b.counts(r.ID), (storage.Counts{Found: 8, Ended: 4, Captured: 3, Failed: 1, Bytes: 107}); got != want {
		b.t.Errorf("all nodes: %+v, want %+v", got, want)
	}
	if got, err := b.Counts(ctx, r.ID, "n2"); err != nil || got != (storage.Counts{Found: 1, Bytes: 7}) {
		b.t.Errorf("one node: %+v, %v", got, err)
	}
	if got, err := b.OthersCounts(ctx, r.ID, "n2"); err != nil || got != (storage.Counts{Found: 7, Ended: 4, Captured: 3, Failed: 1, Bytes: 100}) {
		b.t.Errorf("all but one node: %+v, %v", got, err)
	}
	if got := b.counts(other.ID); got.Found != 1 {
		b.t.Errorf("the other run: %+v", got)
	}
}

// runsCountsKilled: what was acknowledged is counted, even if the node was killed before it wrote its counts; counts that
// it writes late take nothing back; what came too late counts for nothing; a lost segment's pages are there to be had again.
func runsCountsKilled(b *bench) {
	robots := task("h", 0, 3, 1)
	robots.Kind = "robots"
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 1), robots, task("h", 0, 4, 1))
	b.opened("s", "n")
	l := b.claimOne("h")
	page := b.captured(l, b.task("h", r.ID, 1), "s", 10, task("g", r.ID, 9, 1), task("h", r.ID, 2, 1))
	page.Bytes = 100
	late := b.captured(l, b.task("h", r.ID, 4), "s", 50)
	late.Token++
	b.commit([]storage.Progress{{Segment: "s", Committed: 90}}, page, b.failed(l, b.task("h", r.ID, 2), "s", 20, 1),
		b.captured(l, b.task("h", r.ID, 3), "s", 30), late)
	want := storage.Counts{Found: 1, Ended: 2, Captured: 2, Bytes: 100, Pages: 1}
	is := func(what string) {
		b.t.Helper()
		if got, err := b.Counts(b.t.Context(), r.ID, "n"); err != nil || got != want {
			b.t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
		}
	}
	is("committed")
	count := func(c storage.Counts) {
		b.t.Helper()
		if err := b.CountRuns(b.t.Context(), "n", map[int64]storage.Counts{r.ID: c}); err != nil {
			b.t.Fatal(err)
		}
	}
	count(storage.Counts{Ended: 1, Captured: 1, Pages: 1})
	is("counts from before")
	b.commit([]storage.Progress{{Segment: "s", Committed: 99}}, b.failed(l, b.task("h", r.ID, 2), "s", 40, storage.Never))
	want.Ended, want.Failed, want.Pages = 3, 1, 2
	is("another page")
	want.Found = 4
	count(want)
	is("counts from after")
	b.lose("s", 3, 0)
	if got := b.counts(r.ID); got.Pages != 0 || got.Ended != 0 || got.Captured != 0 || got.Failed != 0 {
		b.t.Errorf("all is lost: %+v", got)
	}
}
