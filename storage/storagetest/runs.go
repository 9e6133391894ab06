package storagetest

import (
	"errors"
	"fmt"
	"maps"
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
		{"Tally", runsTally},
		{"Finish", runsFinish},
		{"FinishRace", runsFinishRace},
		{"FinishNot", runsFinishNot},
		{"Extend", runsExtend},
		{"ExtendRace", runsExtendRace},
		{"Counts", runsCounts},
		{"CountsKilled", runsCountsKilled},
		{"Ledger", ledgerAddsUp},
		{"Tallies", runsTallies},
	})
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
	r.Changes, r.State, r.Ended = []byte(`{"n":1}`), storage.RunDone, b.clock.Now().Add(time.Second)
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
	all, err := b.Runs(b.t.Context())
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
	if rs, err := b.Runs(b.t.Context()); err != nil || len(seen) != 12 || len(rs) != 12 {
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

// runsTally: a task that failed once and is to be tried again has not ended.
func runsTally(b *bench) {
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 2), task("h", 0, 3, 3), task("h", 0, 4, b.ms()+1000))
	b.startRun(task("h", 0, 1, 4))
	l := b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0]), again(l, l.Tasks[1], b.ms()+1000), done(l, l.Tasks[2]))
	got, err := b.Tally(b.t.Context(), r.ID)
	if want := map[string]int{"ok": 2, "pending": 2}; err != nil || !maps.Equal(got, want) {
		b.t.Errorf("Tally = %v, %v, want %v", got, err, want)
	}
	if got, err := b.Tally(b.t.Context(), 99); err != nil || len(got) != 0 {
		b.t.Errorf("Tally of no run = %v, %v", got, err)
	}
}
