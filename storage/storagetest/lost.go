package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"linkstead/storage"
)

// segmentsLost: what a segment that is given up has ended is due again, and nothing of it is left; what other segments hold
// stays.
func segmentsLost(b *bench) {
	ctx := b.t.Context()
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 2), task("h", 0, 3, 3), task("h", 0, 4, 4), task("h", 0, 5, 5))
	b.opened("gone", "n1")
	b.opened("safe", "n2")
	l := b.claimOne("h")
	first := b.captured(l, l.Tasks[0], "gone", 10)
	first.Keep = []byte("robots")
	first.Post = &storage.Post{ID: "p", Run: r.ID, Collection: "c", URL: "http://h/1", At: b.clock.Now(), Segment: "gone", Offset: 15,
		Citations: []storage.Citation{{Seq: 0, URL: "http://h/2"}}}
	b.commit([]storage.Progress{{Segment: "gone", Committed: 90}, {Segment: "safe", Committed: 90}},
		first,
		b.failed(l, l.Tasks[1], "gone", 20, storage.Never), // its end is lost
		b.captured(l, l.Tasks[2], "safe", 30),              // nothing of it is lost
		b.failed(l, l.Tasks[3], "gone", 40, 1),             // a try before the end, in the lost segment
		b.failed(l, l.Tasks[4], "safe", 50, 1))             // … and in the other one
	b.clock.Advance(time.Second)
	b.commit([]storage.Progress{{Segment: "gone", Committed: 99}}, b.captured(l, l.Tasks[3], "safe", 60), b.captured(l, l.Tasks[4], "gone", 70))
	b.release(0, l)
	b.claimNone("everything has ended")
	loss, err := b.LoseSegment(ctx, "gone")
	want := storage.Loss{Captures: 2, Attempts: 2, Posts: 1, Tasks: 3, Runs: []int64{r.ID}}
	if err != nil || fmt.Sprint(loss) != fmt.Sprint(want) {
		b.t.Fatalf("LoseSegment = %+v, %v, want %+v", loss, err, want)
	}
	var again []int64
	for _, t := range b.claimOne("h").Tasks {
		again = append(again, t.ID)
	}
	if slices.Sort(again); !slices.Equal(again, []int64{1, 2, 5}) {
		b.t.Errorf("tasks %v are due again, want 1, 2, 5", again)
	}
	if _, err := b.PostOf(ctx, r.ID); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the post is still there: %v", err)
	}
	for c, err := range b.SegmentCaptures(ctx, "gone") {
		b.t.Errorf("a capture is still there: %+v, %v", c, err)
	}
	if got := b.counts(r.ID); got.Ended != 2 || got.Captured != 2 || got.Failed != 0 {
		b.t.Errorf("counts %+v, want 2 ended and 2 captured", got)
	}
	if got, want := b.ledger(r.ID), []string{"h dns 1", "h ok 2"}; !slices.Equal(got, want) {
		b.t.Errorf("the ledger has %q, want %q", got, want)
	}
	b.lostIsLost()
}

// lostIsLost: nothing can be done with a lost segment, and the node's open ones are told.
func (b *bench) lostIsLost() {
	b.t.Helper()
	ctx := b.t.Context()
	for what, err := range map[string]error{
		"seal": b.SealSegment(ctx, "gone", 90, "x"), "store": b.StoreSegment(ctx, "gone", "k"), "drop": b.DropSegment(ctx, "gone"),
	} {
		if !errors.Is(err, storage.ErrSegmentGone) {
			b.t.Errorf("%s a lost segment: %v, want ErrSegmentGone", what, err)
		}
	}
	if _, err := b.Commit(ctx, []storage.Progress{{Segment: "gone", Committed: 100}}, nil); !errors.Is(err, storage.ErrSegmentGone) {
		b.t.Errorf("commit into a lost segment: %v, want ErrSegmentGone", err)
	}
	for _, id := range []string{"gone", "none"} {
		if _, err := b.LoseSegment(ctx, id); !errors.Is(err, storage.ErrSegmentGone) {
			b.t.Errorf("lose %s: %v, want ErrSegmentGone", id, err)
		}
	}
	left, err := b.Unstored(ctx)
	if err != nil || len(left) != 1 || left[0].ID != "safe" {
		b.t.Errorf("Unstored = %+v, %v", left, err)
	}
	lost, err := b.Lost(ctx)
	if err != nil || len(lost) != 1 || lost[0].ID != "gone" || lost[0].State != storage.SegmentLost {
		b.t.Errorf("Lost = %+v, %v", lost, err)
	}
	if w, err := b.Waiting(ctx, "n1"); err != nil || len(w) != 0 {
		b.t.Errorf("Waiting = %+v, %v: the node has nothing to go on with", w, err)
	}
}

// segmentsLostDone: a run that was taken for done, or is paused, when a segment of it is given up.
func segmentsLostDone(b *bench) {
	ctx := b.t.Context()
	for i, state := range []storage.RunState{storage.RunDone, storage.RunPaused} {
		host, seg := fmt.Sprintf("h%d", i), fmt.Sprintf("s%d", i)
		r := b.startRun(task(host, 0, 1, 1))
		b.opened(seg, "n")
		l := b.claimOne(host)
		b.commit([]storage.Progress{{Segment: seg, Committed: 20}}, b.captured(l, l.Tasks[0], seg, 10))
		b.release(0, l)
		r.State = state
		if err := b.UpdateRun(ctx, r); err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.LoseSegment(ctx, seg); err != nil {
			b.t.Fatal(err)
		}
		if state == storage.RunDone {
			b.claimOne(host)
		} else {
			b.claimNone("the run is paused")
			if err := b.ResumeRun(ctx, r.ID); err != nil {
				b.t.Fatal(err)
			}
			b.claimOne(host)
		}
		if rs := b.active(); !slices.Contains(rs, storage.ActiveRun{ID: r.ID, Open: true}) {
			b.t.Errorf("a %s run: active %+v", state, rs)
		}
	}
}

// segmentsNodes: who has announced itself, and who has only left segments.
func segmentsNodes(b *bench) {
	ctx := b.t.Context()
	n := storage.Node{Name: "n1", Started: b.clock.Now(), Version: "v"}
	if err := b.Announce(ctx, n); err != nil {
		b.t.Fatal(err)
	}
	b.clock.Advance(time.Minute)
	if err := b.Announce(ctx, n); err != nil {
		b.t.Fatal(err)
	}
	b.opened("s1", "n0")
	b.opened("s2", "n0")
	b.opened("s3", "n1")
	n.Seen = b.clock.Now()
	if got, err := b.Nodes(ctx); err != nil || fmt.Sprint(got) != fmt.Sprint([]storage.Node{{Name: "n0"}, n}) {
		b.t.Errorf("Nodes = %+v, %v", got, err)
	}
	// It leaves: it was seen when it was, and what it held may be taken at once. Later it is there again.
	for range 2 {
		if err := b.Leave(ctx, "n1"); err != nil {
			b.t.Fatal(err)
		}
	}
	gone := n
	gone.Ended = true
	if got, err := b.Nodes(ctx); err != nil || fmt.Sprint(got) != fmt.Sprint([]storage.Node{{Name: "n0"}, gone}) {
		b.t.Errorf("after it has left, Nodes = %+v, %v", got, err)
	}
	if err := b.Alone(ctx); err != nil {
		b.t.Errorf("who has left is at work: %v", err)
	}
	if err := b.TakeSegment(ctx, "s3", "n0"); err != nil {
		b.t.Errorf("the segment of a node that has left: %v", err)
	}
	if err := b.Announce(ctx, n); err != nil {
		b.t.Fatal(err)
	}
	if err := b.Alone(ctx); !errors.Is(err, storage.ErrAtWork) {
		b.t.Errorf("who is back is not at work: %v", err)
	}
}
