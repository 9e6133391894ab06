package storage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

func startRun(t *testing.T, db *storage.DB, source string) {
	t.Helper()
	_, err := db.StartRun(t.Context(), storage.Run{Collection: "c", Source: source, Started: time.Now()}, nil,
		[]storage.Task{{Host: "h", ID: 1, URL: "u", Due: 1}})
	if err != nil {
		t.Fatal(err)
	}
}

func sourceOfRun1(t *testing.T, db *storage.DB) string {
	t.Helper()
	r, err := db.Run(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return r.Source
}

// TestPostgresFresh: rows made anew take the place of the old ones when nobody works, whole or not at all, and those who
// read go on with the new ones.
func TestPostgresFresh(t *testing.T) {
	dsn := server(t)
	now := storagetest.NewClock()
	o := storage.DBOptions{Now: now.Now}
	old := storagetest.OpenRows(t, dsn, now.Now)
	startRun(t, old, "old")
	sourceOfRun1(t, old)

	stopped, err := storage.OpenFresh(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	startRun(t, stopped, "of a rebuild that was stopped")
	if _, err := storage.OpenFresh(t.Context(), dsn, o); !errors.Is(err, storage.ErrAtWork) {
		t.Errorf("two rebuilds at a time: %v, want ErrAtWork", err)
	}
	if err := stopped.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := stopped.Runs(t.Context()); err == nil {
		t.Error("a fresh schema that was dropped has runs")
	}
	if err := stopped.Close(); err != nil {
		t.Fatal(err)
	}

	fresh, err := storage.OpenFresh(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	if rs, err := fresh.Runs(t.Context()); err != nil || len(rs) != 0 {
		t.Errorf("a fresh schema has %d runs, %v", len(rs), err)
	}
	startRun(t, fresh, "new")
	refused := func(who string) {
		t.Helper()
		if err := old.Alone(t.Context()); !errors.Is(err, storage.ErrAtWork) || !strings.Contains(err.Error(), who) {
			t.Errorf("while %s works: %v, want ErrAtWork", who, err)
		}
		if _, err := fresh.PutInPlace(t.Context()); !errors.Is(err, storage.ErrAtWork) || !strings.Contains(err.Error(), who) {
			t.Errorf("while %s works: %v, want ErrAtWork", who, err)
		}
		if got := sourceOfRun1(t, old); got != "old" {
			t.Errorf("refused, but the rows are the %s ones", got)
		}
	}
	if ls, err := old.Claim(t.Context(), "holder", 1, 1, time.Hour); err != nil || len(ls) != 1 {
		t.Fatal(ls, err)
	}
	refused("holder")
	now.Advance(2 * time.Hour)
	if err := old.Announce(t.Context(), storage.Node{Name: "alive"}); err != nil {
		t.Fatal(err)
	}
	refused("alive")
	if err := old.Leave(t.Context(), "alive"); err != nil {
		t.Fatal(err)
	}
	if err := old.Alone(t.Context()); err != nil {
		t.Errorf("whoever has left is at work: %v", err)
	}

	aside, err := fresh.PutInPlace(t.Context())
	if err != nil || !strings.HasPrefix(aside, "linkstead_20") {
		t.Fatalf("put aside as %q, %v", aside, err)
	}
	if err := fresh.Close(); err != nil {
		t.Error(err)
	}
	if got := sourceOfRun1(t, old); got != "new" {
		t.Errorf("whoever reads all the while reads the %s rows", got)
	}
	if got := sourceOfRun1(t, storagetest.OpenRows(t, dsn, now.Now)); got != "new" {
		t.Errorf("whoever opens it reads the %s rows", got)
	}
	if got := sourceOfRun1(t, storagetest.OpenRows(t, dsn+"&search_path="+aside, now.Now)); got != "old" {
		t.Errorf("the %s rows were put aside", got)
	}
	if _, err := old.PutInPlace(t.Context()); err == nil {
		t.Error("what is no fresh one was put in place")
	}
	if ls, err := old.Claim(t.Context(), "w", 1, 1, time.Minute); err != nil || len(ls) != 1 {
		t.Errorf("the new rows are worked off: %v, %v", ls, err)
	}
}

// TestPostgresFreshFirst: with no rows in use there is nothing to put aside; and a commit whose answer is lost counts.
func TestPostgresFreshFirst(t *testing.T) {
	dsn := server(t)
	c, through := newCutter(t, dsn)
	for i, how := range []string{halfway, unanswered, unsent} {
		fresh, err := storage.OpenFresh(t.Context(), through, storage.DBOptions{Now: func() time.Time { return time.Unix(int64(1000+i), 0) }, Patience: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		startRun(t, fresh, how)
		c.arm(how, "commit", 1)
		aside, err := fresh.PutInPlace(t.Context())
		if !c.cut() {
			t.Error("nothing was cut")
		}
		if err != nil || (aside == "") != (i == 0) {
			t.Errorf("%s: put aside as %q, %v", how, aside, err)
		}
		if err := fresh.Close(); err != nil {
			t.Error(err)
		}
		db, err := storage.OpenDB(context.Background(), dsn, storage.DBOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := sourceOfRun1(t, db); got != how {
			t.Errorf("the rows are those of %q, want %q", got, how)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
