package storagetest

import (
	"fmt"
	"time"

	"linkstead/storage"
)

// lose gives a segment up and compares how many tasks are due again, and how many a cut keeps from it.
func (b *bench) lose(segment string, again, cut int64) {
	b.t.Helper()
	loss, err := b.LoseSegment(b.t.Context(), segment)
	if err != nil || loss.Tasks != again || loss.Cut != cut {
		b.t.Errorf("losing %s: %+v, %v; want %d due again, %d cut", segment, loss, err, again, cut)
	}
}

// segmentsLostSkew: which try of a task was the last, no machine's clock says: the one whose clock is an hour ahead failed
// first, and another captured it then.
func segmentsLostSkew(b *bench) {
	for i, c := range []struct {
		lost  string
		again int64
	}{{"ahead", 0}, {"right", 1}} {
		host := fmt.Sprintf("h%d", i)
		r := b.startRun(task(host, 0, 1, 1))
		ahead, right := fmt.Sprintf("ahead%d", i), fmt.Sprintf("right%d", i)
		b.opened(ahead, "A")
		b.opened(right, "B")
		l := b.claimOne(host)
		f := b.failed(l, l.Tasks[0], ahead, 10, 1)
		f.Attempts[0].At = b.clock.Now().Add(time.Hour)
		b.commit([]storage.Progress{{Segment: ahead, Committed: 90}}, f)
		b.commit([]storage.Progress{{Segment: right, Committed: 90}}, b.captured(l, b.task(host, r.ID, 1), right, 20))
		b.release(0, l)
		b.lose(fmt.Sprintf("%s%d", c.lost, i), c.again, 0)
		if due := b.task(host, r.ID, 1).Due; (due != storage.Never) != (c.again > 0) {
			b.t.Errorf("the segment of the clock that is %s was lost: the task is due at %d", c.lost, due)
		}
		if c.again > 0 {
			b.claimOne(host)
		} else {
			b.claimNone("its capture is there")
		}
	}
}

// segmentsLostCut: what a budget has cut is not due again, and nobody is told that it is: it ends as all else that there
// was no room for.
func segmentsLostCut(b *bench) {
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 2))
	b.opened("s", "A")
	l := b.claimOne("h")
	b.commit([]storage.Progress{{Segment: "s", Committed: 90}}, b.captured(l, l.Tasks[0], "s", 10))
	b.release(0, l)
	if cut, err := b.CutRun(b.t.Context(), r.ID, "pages"); err != nil || !cut {
		b.t.Fatal(cut, err)
	}
	b.lose("s", 0, 1)
	b.claimNone("the run was cut")
	if got, err := b.Tally(b.t.Context(), r.ID); err != nil || fmt.Sprint(got) != "map[quota:2]" {
		b.t.Errorf("the tasks ended as %v, %v", got, err)
	}
}

// segmentsLostEntries: an entry whose capture is lost is not known any more, whatever becomes of the next try; one whose
// capture is in another segment, or of another run, stays known.
func segmentsLostEntries(b *bench) {
	b.putSchedule("s", 100*time.Hour)
	_, l := b.listed(entry(0, 1, "v1"), entry(0, 2, "v1"), entry(0, 3, "v1"))
	b.opened("gone", "A")
	b.opened("safe", "B")
	due, err := b.Due(b.t.Context(), "h", 10)
	if err != nil || len(due) != 3 {
		b.t.Fatal(due, err)
	}
	var ends []storage.End
	for _, t := range due {
		segment := "gone"
		if t.ID == 2 {
			segment = "safe"
		}
		ends = append(ends, b.captured(l, t, segment, 10*t.ID))
	}
	b.commit([]storage.Progress{{Segment: "gone", Committed: 90}, {Segment: "safe", Committed: 90}}, ends...)
	if got := b.known("s", 1, 2, 3); got != "map[1:v1 2:v1 3:v1]" {
		b.t.Fatalf("known are %s", got)
	}
	b.release(0, l)
	b.lose("gone", 2, 0)
	if got := b.known("s", 1, 2, 3); got != "map[2:v1]" {
		b.t.Errorf("after the loss %s are known", got)
	}
	l = b.claimOne("h")
	for _, t := range l.Tasks {
		if t.ID == 1 {
			b.commit(nil, b.failed(l, t, "safe", 50, storage.Never))
		} else {
			b.commit(nil, b.captured(l, t, "safe", 60))
		}
	}
	if got := b.known("s", 1, 2, 3); got != "map[2:v1 3:v1]" {
		b.t.Errorf("captured again, or not, %s are known", got)
	}
}
