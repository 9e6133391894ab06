package main

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// TestFinishRuns: a run that was rebuilt has ended with its last record, not with the rebuild, and how it differs from the one
// before is found out anew.
func TestFinishRuns(t *testing.T) {
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	spec, err := (&scope.Spec{Collection: "c", Source: "http://x/list"}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2016, 2, 21, 10, 0, 0, 0, time.UTC)
	const url = "http://x/page"
	for i := range 3 {
		run := int64(i + 1)
		at := began.Add(time.Duration(i) * time.Hour)
		r := storage.Run{ID: run, Collection: "c", Source: "http://x/list", Spec: spec, Schedule: "s", State: storage.RunActive, Started: at}
		if err := db.AdoptRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		end := storage.End{
			Task: storage.Task{Host: "x", Run: run, ID: urlkey.ID(url), URL: url, Kind: "page", Due: storage.Never, Attempts: 1, Outcome: "captured"},
			Captures: []storage.Capture{{Collection: "c", URL: url, URLKey: urlkey.Key(url), At: at.Add(time.Minute), Segment: "s", Offset: run,
				Status: 200, Kind: "response", RecordID: "<urn:x>", Run: run, Outcome: "captured", Digest: []string{"a", "b", "b"}[i]}},
		}
		if err := db.Adopt(t.Context(), []storage.End{end}); err != nil {
			t.Fatal(err)
		}
	}
	if err := finishRuns(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	runs, err := db.Runs(t.Context())
	if err != nil || len(runs) != 3 {
		t.Fatal(runs, err)
	}
	for i, want := range []watch.Diff{{}, {Against: 1, Changed: 1}, {Against: 2, Same: 1}} {
		r := runs[i]
		if r.State != storage.RunDone || !r.Ended.Equal(r.Started.Add(time.Minute)) {
			t.Errorf("run %d is %s and ended at %s, a run that began at %s", r.ID, r.State, r.Ended, r.Started)
		}
		d, ok, err := watch.DecodeDiff(r.Changes)
		if err != nil || !ok || d.Against != want.Against || d.Changed != want.Changed || d.Same != want.Same || d.New != 0 {
			t.Errorf("the changes of run %d: %s, want %+v (%v)", r.ID, r.Changes, want, err)
		}
	}
}

// TestFinishScheduled: what is left of a schedule's run goes on, since the schedule waits for its end; what is left of another
// run waits until somebody asks for it.
func TestFinishScheduled(t *testing.T) {
	t.Parallel()
	db := openTestRows(t, filepath.Join(t.TempDir(), "x.db"))
	for id, schedule := range map[int64]string{1: "s", 2: ""} {
		url := "http://x/page"
		r := storage.Run{ID: id, Collection: "c", Source: url, Spec: []byte("{}"), Schedule: schedule, State: storage.RunActive, Started: time.Now()}
		end := storage.End{
			Task: storage.Task{Host: "x", Run: id, ID: urlkey.ID(url), URL: url, Kind: "page", Due: storage.Never, Attempts: 1, Outcome: "captured"},
			New:  []storage.Task{{Host: "x", Run: id, ID: urlkey.ID(url + "2"), URL: url + "2", Kind: "page"}},
		}
		if err := errors.Join(db.AdoptRun(t.Context(), r), db.Adopt(t.Context(), []storage.End{end})); err != nil {
			t.Fatal(err)
		}
	}
	if err := finishRuns(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	runs, err := db.Runs(t.Context())
	if err != nil || len(runs) != 2 || runs[0].State != storage.RunActive || runs[1].State != storage.RunPaused {
		t.Error(runs, err)
	}
}
