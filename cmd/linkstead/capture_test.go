package main

import (
	"errors"
	"path/filepath"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestFollowPaused: who waits for a run that somebody else pauses is told so; an interruption pauses the run, whoever works
// on it.
func TestFollowPaused(t *testing.T) {
	clock := storagetest.NewClock()
	s := &store{db: storagetest.OpenRows(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db"), clock.Now)}
	var jobs []*job
	for range 2 {
		r, err := s.db.StartRun(t.Context(), storage.Run{Started: clock.Now()}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, &job{run: r})
	}
	if done, err := allDone(t.Context(), s, jobs); done || err != nil {
		t.Errorf("two active runs: %t, %v", done, err)
	}
	if err := (&captureCmd{}).park(t.Context(), s, jobs[1:], nil); err != nil {
		t.Fatal(err)
	}
	var paused pausedError
	if _, err := allDone(t.Context(), s, jobs); !errors.As(err, &paused) || int64(paused) != jobs[1].run.ID {
		t.Errorf("the second one is paused: %v", err)
	}
}
