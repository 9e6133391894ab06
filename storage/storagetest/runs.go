package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// Runs holds a database to the contract of runs.
func Runs(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"StartUpdate", runsStartUpdate},
		{"Numbers", runsNumbers},
		{"Documents", runsDocuments},
		{"Adopt", runsAdopt},
	})
}

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
	if next, err := b.DB.NextDue(b.t.Context()); err != nil || next != storage.Never {
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

func (b *bench) startRun(first ...storage.Task) storage.Run {
	b.t.Helper()
	r, err := b.StartRun(b.t.Context(), storage.Run{Collection: "c", Source: "http://s/", Spec: []byte(`{"a":"ä"}`), Started: b.clock.Now()}, nil, first)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func runsStartUpdate(b *bench) {
	first := []storage.Task{task("h", 0, 1, 1)}
	r, err := b.StartRun(b.t.Context(), storage.Run{Collection: "c", Source: "http://s/", Spec: []byte(`{"a":"ä"}`), Started: b.clock.Now()}, nil, first)
	if err != nil || r.ID <= 0 || r.State != storage.RunActive || first[0].Run != r.ID {
		b.t.Fatalf("StartRun = %+v, %v; its task is of run %d", r, err, first[0].Run)
	}
	if l := b.claimOne("h"); l.Tasks[0].Run != r.ID {
		b.t.Errorf("claimed %+v", l.Tasks)
	}
	b.startRun()
	r.Counters, r.State, r.Ended = []byte(`{"n":1}`), storage.RunDone, b.clock.Now().Add(time.Second)
	if err := b.UpdateRun(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
	got, err := b.Run(b.t.Context(), r.ID)
	if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", r) {
		b.t.Errorf("Run = %+v, %v, want %+v", got, err, r)
	}
	if _, err := b.Run(b.t.Context(), 99); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("no such run: %v", err)
	}
	all, err := b.DB.Runs(b.t.Context())
	left, err2 := b.Unfinished(b.t.Context())
	if err := errors.Join(err, err2); err != nil || len(all) != 2 || all[0].ID != r.ID || len(left) != 1 || left[0].ID != all[1].ID {
		b.t.Errorf("Runs = %+v, Unfinished = %+v, %v", all, left, err)
	}
}

// runsNumbers: runs that begin at the same time get numbers of their own.
func runsNumbers(b *bench) {
	other := OpenRows(b.t, b.dsn, b.clock.Now)
	var mu sync.Mutex
	seen := map[int64]int{}
	var g errgroup.Group
	for i := range 12 {
		db := []*storage.DB{b.DB, other}[i%2]
		g.Go(func() error {
			r, err := db.StartRun(b.t.Context(), storage.Run{Collection: "c", Started: b.clock.Now()}, nil, []storage.Task{task("h", 0, int64(i), 1)})
			mu.Lock()
			seen[r.ID]++
			mu.Unlock()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Fatal(err)
	}
	if rs, err := b.DB.Runs(b.t.Context()); err != nil || len(seen) != 12 || len(rs) != 12 {
		b.t.Errorf("12 runs got the numbers %v; %d rows, %v", seen, len(rs), err)
	}
	if l := b.claimOne("h"); len(l.Tasks) != 12 {
		b.t.Errorf("%d first tasks, want 12", len(l.Tasks))
	}
}

func runsDocuments(b *bench) {
	doc := storage.Document{Mime: "text/plain", Body: []byte("a\x00b\xff")}
	r, err := b.StartRun(b.t.Context(), storage.Run{Collection: "c", Started: b.clock.Now()}, &doc, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if got, err := b.Document(b.t.Context(), r.ID); err != nil || got.Mime != doc.Mime || string(got.Body) != string(doc.Body) {
		b.t.Errorf("Document = %+v, %v", got, err)
	}
	r.State = storage.RunDone
	if err := b.UpdateRun(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
	for _, id := range []int64{r.ID, 99} {
		if _, err := b.Document(b.t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("document of run %d: %v, want ErrNotFound", id, err)
		}
	}
}

func runsAdopt(b *bench) {
	r := storage.Run{ID: 7, Collection: "c", Source: "s", State: storage.RunDone, Started: b.clock.Now(), Ended: b.clock.Now()}
	for _, collection := range []string{"c", "other"} {
		r.Collection = collection
		if err := b.AdoptRun(b.t.Context(), r); err != nil {
			b.t.Fatal(err)
		}
	}
	if got, err := b.Run(b.t.Context(), 7); err != nil || got.Collection != "c" || got.State != storage.RunDone {
		b.t.Errorf("Run = %+v, %v, want what was adopted first", got, err)
	}
	if next := b.startRun(); next.ID <= 7 {
		b.t.Errorf("the next run is number %d", next.ID)
	}
}
