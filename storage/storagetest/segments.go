package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"linkstead/storage"
)

// Segments holds a database to the contract of segments and of the acknowledgement.
func Segments(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Life", segmentsLife},
		{"WrongMoves", segmentsWrongMoves},
		{"Waiting", segmentsWaiting},
		{"Drop", segmentsDrop},
		{"Committed", segmentsCommitted},
		{"AllOrNothing", segmentsAllOrNothing},
		{"Adopt", segmentsAdopt},
		{"Lost", segmentsLost},
		{"LostDone", segmentsLostDone},
		{"LostSkew", segmentsLostSkew},
		{"LostCut", segmentsLostCut},
		{"LostEntries", segmentsLostEntries},
		{"Nodes", segmentsNodes},
	})
}

func (b *bench) segment(id string) storage.Segment {
	b.t.Helper()
	s, err := b.Segment(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func segmentsLife(b *bench) {
	ctx := b.t.Context()
	want := storage.Segment{ID: "s", Collection: "c", Node: "n", State: storage.SegmentOpen, Created: b.clock.Now().Add(time.Microsecond)}
	if err := b.OpenSegment(ctx, want); err != nil {
		b.t.Fatal(err)
	}
	if got := b.segment("s"); got != want {
		b.t.Errorf("opened: %+v, want %+v", got, want)
	}
	if err := b.OpenSegment(ctx, want); err == nil {
		b.t.Error("two segments of one name")
	}
	b.commit([]storage.Progress{{Segment: "s", Committed: 40}})
	if err := b.SealSegment(ctx, "s", 50, "abc"); err != nil {
		b.t.Fatal(err)
	}
	want.State, want.Size, want.SHA256, want.Committed = storage.SegmentSealed, 50, "abc", 50
	if got := b.segment("s"); got != want {
		b.t.Errorf("sealed: %+v, want %+v", got, want)
	}
	if err := b.StoreSegment(ctx, "s", "c/s.warc.gz"); err != nil {
		b.t.Fatal(err)
	}
	want.State, want.Location = storage.SegmentStored, "c/s.warc.gz"
	if got := b.segment("s"); got != want {
		b.t.Errorf("stored: %+v, want %+v", got, want)
	}
	if _, err := b.Segment(ctx, "none"); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("no such segment: %v", err)
	}
}

// segmentsWrongMoves: each move from a state that it does not start from is refused and changes nothing.
func segmentsWrongMoves(b *bench) {
	ctx := b.t.Context()
	moves := map[string]func(id string) error{
		"seal":  func(id string) error { return b.SealSegment(ctx, id, 50, "abc") },
		"store": func(id string) error { return b.StoreSegment(ctx, id, "loc") },
		"drop":  func(id string) error { return b.DropSegment(ctx, id) },
		"commit": func(id string) error {
			_, err := b.Commit(ctx, []storage.Progress{{Segment: id, Committed: 60}}, nil)
			return err
		},
	}
	for state, allowed := range map[storage.SegmentState][]string{
		storage.SegmentOpen:   {"seal", "drop", "commit"},
		storage.SegmentSealed: {"store"},
		storage.SegmentStored: {},
		storage.SegmentLost:   {},
		"":                    {}, // no such segment
	} {
		for name, move := range moves {
			id := fmt.Sprint(state, "-", name)
			if state != "" {
				s := storage.Segment{ID: id, Collection: "c", Node: "n", State: state, Committed: 5, Created: b.clock.Now()}
				if err := b.AdoptSegment(ctx, s); err != nil {
					b.t.Fatal(err)
				}
			}
			err := move(id)
			if slices.Contains(allowed, name) {
				if err != nil {
					b.t.Errorf("%s of an %q segment: %v", name, state, err)
				}
				continue
			}
			if !errors.Is(err, storage.ErrSegmentGone) {
				b.t.Errorf("%s of a segment that is %q: %v, want ErrSegmentGone", name, state, err)
			}
			if state == "" {
				continue
			}
			if got := b.segment(id); got.State != state || got.Committed != 5 || got.Location != "" {
				b.t.Errorf("%s of a segment that is %q made it %+v", name, state, got)
			}
		}
	}
}

func segmentsWaiting(b *bench) {
	ctx := b.t.Context()
	for _, s := range []storage.Segment{
		{ID: "4", Node: "n", State: storage.SegmentOpen}, {ID: "2", Node: "n", State: storage.SegmentSealed},
		{ID: "3", Node: "n", State: storage.SegmentStored}, {ID: "1", Node: "n", State: storage.SegmentLost},
		{ID: "5", Node: "m", State: storage.SegmentOpen},
	} {
		if err := b.AdoptSegment(ctx, s); err != nil {
			b.t.Fatal(err)
		}
	}
	names := func(ss []storage.Segment, err error) (out []string) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
		for _, s := range ss {
			out = append(out, s.ID)
		}
		return out
	}
	if got := names(b.Waiting(ctx, "n")); !slices.Equal(got, []string{"2", "4"}) {
		b.t.Errorf("Waiting(n) = %q, want 2 and 4", got)
	}
	if got := names(b.Waiting(ctx, "none")); len(got) != 0 {
		b.t.Errorf("Waiting(none) = %q", got)
	}
	if got := names(b.Segments(ctx)); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		b.t.Errorf("Segments = %q", got)
	}
}

// segmentsDrop: a segment with anything acknowledged in it is never dropped, be it only that a source is dead.
func segmentsDrop(b *bench) {
	ctx := b.t.Context()
	for id, e := range map[string]storage.End{
		"empty":   {},
		"capture": {Captures: []storage.Capture{capture("capture", 0, "http://e/", b.clock.Now())}},
		"attempt": {Attempts: []storage.Attempt{{Collection: "c", URLKey: "k", At: b.clock.Now(), Segment: "attempt", Outcome: "dns"}}},
		"post":    {Post: &storage.Post{ID: "p", Run: 1, Collection: "c", At: b.clock.Now(), Segment: "post"}},
	} {
		b.openSegment(id)
		if err := b.Adopt(ctx, []storage.End{e}); err != nil {
			b.t.Fatal(err)
		}
		b.commit([]storage.Progress{{Segment: id, Committed: 10}})
		err := b.DropSegment(ctx, id)
		_, gone := b.Segment(ctx, id)
		if id == "empty" {
			if err != nil || !errors.Is(gone, storage.ErrNotFound) {
				b.t.Errorf("an empty segment: %v, then %v", err, gone)
			}
		} else if !errors.Is(err, storage.ErrSegmentGone) || gone != nil {
			b.t.Errorf("a segment that holds %s of an acknowledged exchange: %v, then %v", id, err, gone)
		}
	}
}

// segmentsCommitted: what rows account for never shrinks.
func segmentsCommitted(b *bench) {
	ctx := b.t.Context()
	b.openSegment("s")
	for _, n := range []int64{10, 10, 1 << 40} {
		b.commit([]storage.Progress{{Segment: "s", Committed: n}})
	}
	if _, err := b.Commit(ctx, []storage.Progress{{Segment: "s", Committed: 11}}, nil); err == nil {
		b.t.Error("committed went back")
	}
	if err := b.SealSegment(ctx, "s", 11, "abc"); err == nil {
		b.t.Error("sealed with fewer bytes than are committed")
	}
	if got := b.segment("s"); got.Committed != 1<<40 || got.State != storage.SegmentOpen {
		b.t.Errorf("the segment is %+v", got)
	}
}

// segmentsAllOrNothing: a group of exchanges over two segments of which one is gone writes nothing at all.
func segmentsAllOrNothing(b *bench) {
	ctx := b.t.Context()
	b.openSegment("good")
	b.openSegment("bad")
	if err := b.SealSegment(ctx, "bad", 1, "x"); err != nil {
		b.t.Fatal(err)
	}
	b.enqueue(task("h", 1, 1, 1))
	l := b.claimOne("h")
	e := done(l, l.Tasks[0], task("g", 1, 2, 1))
	e.Captures = []storage.Capture{capture("good", 0, "http://h/1", b.clock.Now())}
	e.Post = &storage.Post{ID: "p", Run: 1, Collection: "c", At: b.clock.Now()}
	for _, progress := range [][]storage.Progress{
		{{Segment: "good", Committed: 10}, {Segment: "bad", Committed: 10}},
		{{Segment: "bad", Committed: 10}, {Segment: "good", Committed: 10}},
		{{Segment: "none", Committed: 10}},
	} {
		if fenced, err := b.Commit(ctx, progress, []storage.End{e}); !errors.Is(err, storage.ErrSegmentGone) || fenced != nil {
			b.t.Fatalf("Commit(%v) = %d, %v, want ErrSegmentGone", progress, fenced, err)
		}
	}
	if got := b.segment("good").Committed; got != 0 {
		b.t.Errorf("committed %d bytes of the good segment", got)
	}
	if got := b.task("h", 1, 1); got.Due != 1 || got.Outcome != "" {
		b.t.Errorf("the task ended: %+v", got)
	}
	if got := b.captures("key(http://h/1)"); len(got) != 0 {
		b.t.Errorf("captures: %+v", got)
	}
	b.claimNone("nothing was discovered")
	if _, err := b.PostOf(ctx, 1); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("a post was kept: %v", err)
	}
	if fenced := b.commit([]storage.Progress{{Segment: "good", Committed: 10}}, e); len(fenced) != 0 {
		b.t.Errorf("the same exchanges, later: fenced %d", fenced)
	}
}

func segmentsAdopt(b *bench) {
	ctx := b.t.Context()
	s := storage.Segment{ID: "s", Collection: "c", Node: "n", Location: "c/s", State: storage.SegmentStored, Committed: 9, Size: 9,
		SHA256: "abc", Created: b.clock.Now()}
	for range 2 {
		if err := b.AdoptSegment(ctx, s); err != nil {
			b.t.Fatal(err)
		}
	}
	if got := b.segment("s"); got != s {
		b.t.Errorf("adopted %+v, want %+v", got, s)
	}
	b.openSegment("open")
	s.ID = "open"
	if err := b.AdoptSegment(ctx, s); err != nil {
		b.t.Fatal(err)
	}
	if got := b.segment("open"); got.State != storage.SegmentOpen {
		b.t.Errorf("a segment that was there was changed: %+v", got)
	}
}
