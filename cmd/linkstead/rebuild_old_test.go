package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
)

func openTestRows(t *testing.T, path string) *storage.DB {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), "sqlite:"+path, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestRebuildUnpurged: nobody purges while a database is made anew, nor from the one that was put aside.
func TestRebuildUnpurged(t *testing.T) {
	t.Parallel()
	archive := t.TempDir()
	path := filepath.Join(archive, "linkstead.db")
	db := openTestRows(t, path)
	if err := os.MkdirAll(filepath.Join(archive, "warc"), 0o755); err != nil {
		t.Fatal(err)
	}
	token, err := db.Lock(t.Context(), storage.PurgeLock, "another machine", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	out, err := linkstead(t, "rebuild", "--archive", archive).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "A purge goes on") {
		t.Errorf("a rebuild during a purge: %v\n%s", err, out)
	}
	if err := errors.Join(db.Unlock(t.Context(), storage.PurgeLock, token), db.Close()); err != nil {
		t.Fatal(err)
	}
	_, release, err := storage.HoldPurge(filepath.Join(archive, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	out, err = linkstead(t, "rebuild", "--archive", archive).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "A purge goes on") {
		t.Errorf("a rebuild during a purge of this machine: %v\n%s", err, out)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if out, err = linkstead(t, "rebuild", "--archive", archive).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	aside, err := filepath.Glob(path + ".2*[0-9]")
	if err != nil || len(aside) != 1 {
		t.Fatal(aside, err)
	}
	if _, err := openTestRows(t, aside[0]).Lock(t.Context(), storage.PurgeLock, "x", time.Minute); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a purge of what was put aside: %v", err)
	}
	if _, err := openTestRows(t, path).Lock(t.Context(), storage.PurgeLock, putAsideBy, asideFor); err != nil {
		t.Fatal(err)
	}
	if out, err = linkstead(t, "rebuild", "--archive", archive).CombinedOutput(); err != nil {
		t.Errorf("after a rebuild that was killed before it had put the old rows aside: %v\n%s", err, out)
	}
	old := &replaced{db: openTestRows(t, path), purge: "me"}
	err = old.unpurged(t.Context(), &env{log: slog.New(slog.DiscardHandler)}, func(ctx context.Context) error {
		_, err := old.db.Lock(ctx, storage.PurgeLock, "another machine", time.Minute)
		return err
	})
	if !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a purge during a rebuild: %v", err)
	}
}

// TestRebuildElsewhere: what only other machines hold is named; what this one holds, or nobody any more, is not.
func TestRebuildElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openTestRows(t, filepath.Join(dir, "x.db"))
	spool, err := storage.HoldSpool(filepath.Join(dir, "spool"), storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	for _, s := range []storage.Segment{
		{ID: "ours", Node: spool.Node(), State: storage.SegmentOpen, Committed: 10},
		{ID: "here", Node: "other", State: storage.SegmentSealed, Committed: 10, Size: 10},
		{ID: "lost", Node: "other", State: storage.SegmentLost, Committed: 10},
		{ID: "begun", Node: "other", State: storage.SegmentOpen},
		{ID: "stored", Node: "other", State: storage.SegmentStored, Size: 10},
	} {
		s.Created = time.Now()
		if err := db.OpenSegment(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(spool.Path("here"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	old := &replaced{db: db}
	if err := old.elsewhere(t.Context(), spool); err != nil {
		t.Error(err)
	}
	if err := db.OpenSegment(t.Context(), storage.Segment{ID: "away", Node: "other", State: storage.SegmentOpen, Committed: 10, Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	err = old.elsewhere(t.Context(), spool)
	if err == nil || !strings.Contains(err.Error(), "node other: segment away") || strings.Contains(err.Error(), "begun") {
		t.Error(err)
	}
}
