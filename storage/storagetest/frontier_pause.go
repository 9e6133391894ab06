package storagetest

import (
	"errors"
	"slices"
	"time"

	"linkstead/storage"
)

// frontierPause: nothing of a paused run is due, not even what is added meanwhile; resumed, all is as it was.
func frontierPause(b *bench) {
	r := b.startRun(task("h", 0, 1, 7), task("h", 0, 2, b.ms()), task("g", 0, 3, b.ms()+1000))
	other := b.startRun(task("h", 0, 1, 9))
	for range 2 { // twice is once
		if err := b.PauseRun(b.t.Context(), r.ID); err != nil {
			b.t.Fatal(err)
		}
	}
	if got, err := b.Run(b.t.Context(), r.ID); err != nil || got.State != storage.RunPaused {
		b.t.Errorf("the run is %q, %v", got.State, err)
	}
	if n := b.enqueue(task("h", r.ID, 4, 1), task("f", r.ID, 5, 1)); n != 2 {
		b.t.Errorf("%d new, want 2", n)
	}
	l := b.claimOne("h")
	if len(l.Tasks) != 1 || l.Tasks[0].Run != other.ID {
		b.t.Errorf("claimed %+v, want the task of the other run alone", l.Tasks)
	}
	b.commit(nil, done(l, l.Tasks[0]))
	b.release(time.Second, l)
	b.clock.Advance(500 * time.Millisecond)
	b.claimNone("paused")
	if next, err := b.NextDue(b.t.Context()); err != nil || next != storage.Never {
		b.t.Errorf("NextDue is %d, %v, want never: all is paused", next, err)
	}
	if open, err := b.Open(b.t.Context(), r.ID); err != nil || !open {
		b.t.Errorf("a paused run is still open: %v, %v", open, err)
	}
	for range 2 {
		if err := b.ResumeRun(b.t.Context(), r.ID); err != nil {
			b.t.Fatal(err)
		}
	}
	b.claimOne("f") // h is polite for half a second, g is due in half a second
	b.clock.Advance(500 * time.Millisecond)
	ls := b.claim(10)
	if got := hosts(ls); !slices.Equal(got, []string{"g", "h"}) {
		b.t.Fatalf("claimed %q, want g and h", got)
	}
	if got := ids(ls[1].Tasks); !slices.Equal(got, []int64{4, 1, 2}) || ls[1].Tasks[1].Due != 7 {
		b.t.Errorf("tasks %+v, want 4, 1, 2 with their priorities", ls[1].Tasks)
	}
}

// frontierPauseAtWork: a run is paused while a worker is at it. What the worker brings home counts; what it discovers,
// and what is to be tried again, waits.
func frontierPauseAtWork(b *bench) {
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 1))
	l := b.claimOne("h")
	if err := b.PauseRun(b.t.Context(), r.ID); err != nil {
		b.t.Fatal(err)
	}
	fenced := b.commit(nil, done(l, l.Tasks[0], task("new", r.ID, 3, 1)), again(l, l.Tasks[1], b.ms()+100))
	if len(fenced) != 0 {
		b.t.Errorf("fenced %d, want none", fenced)
	}
	b.release(0, l)
	b.clock.Advance(time.Second)
	b.claimNone("paused")
	if err := b.ResumeRun(b.t.Context(), r.ID); err != nil {
		b.t.Fatal(err)
	}
	if got := hosts(b.claim(10)); !slices.Equal(got, []string{"h", "new"}) {
		b.t.Errorf("resumed, claimed %q", got)
	}
	r.State, r.Ended = storage.RunDone, b.clock.Now()
	if err := b.UpdateRun(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
	if err := errors.Join(b.PauseRun(b.t.Context(), r.ID), b.ResumeRun(b.t.Context(), r.ID)); err != nil {
		b.t.Fatal(err)
	}
	if got, err := b.Run(b.t.Context(), r.ID); err != nil || got.State != storage.RunDone {
		b.t.Errorf("a run that was done is %q, %v", got.State, err)
	}
}

func frontierNextDue(b *bench) {
	expect := func(want int64, why string) {
		b.t.Helper()
		if got, err := b.NextDue(b.t.Context()); err != nil || got != want {
			b.t.Errorf("%s: NextDue = %d, %v, want %d", why, got, err, want)
		}
	}
	expect(storage.Never, "nothing there")
	b.enqueue(task("h", 1, 1, b.ms()+500))
	expect(b.ms()+500, "a task in half a second")
	b.enqueue(task("g", 1, 1, 4))
	expect(4, "an urgent one")
	l := b.claimOne("g")
	expect(b.ms()+500, "the urgent one is held longer than that")
	b.commit(nil, done(l, l.Tasks[0]))
	b.release(0, l)
	b.clock.Advance(time.Second)
	l = b.claimOne("h")
	expect(b.ms()+ttl.Milliseconds(), "a held host counts with the end of its lease")
	b.commit(nil, again(l, l.Tasks[0], b.ms()+100))
	b.release(3*time.Second, l)
	expect(b.ms()+3000, "polite longer than the task waits")
	b.clock.Advance(3 * time.Second)
	l = b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0]))
	b.release(0, l)
	expect(storage.Never, "all done")
}

func frontierManyTasks(b *bench) {
	var ts []storage.Task
	for i := range int64(500) {
		ts = append(ts, task([]string{"a", "b", "c"}[i%3], 1, i, 5))
	}
	if n := b.enqueue(ts...); n != 500 {
		b.t.Errorf("%d new, want 500", n)
	}
	total := 0
	for range 3 {
		ls, err := b.Claim(b.t.Context(), "w", 1, 1000, ttl)
		if err != nil || len(ls) != 1 {
			b.t.Fatalf("claimed %d, %v", len(ls), err)
		}
		var ends []storage.End
		for _, t := range ls[0].Tasks {
			ends = append(ends, done(ls[0], t))
		}
		if fenced := b.commit(nil, ends...); len(fenced) != 0 {
			b.t.Errorf("fenced %d", fenced)
		}
		total += len(ends)
	}
	if total != 500 {
		b.t.Errorf("%d tasks came back, want 500", total)
	}
}
