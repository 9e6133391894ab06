package main

import (
	"errors"
	"os"
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

// TestDrawable: no live line on a terminal that does not say how large it is, where none would be seen; lines are told instead.
func TestDrawable(t *testing.T) {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !terminal(f) || drawable(f) {
		t.Errorf("a terminal of no size: a terminal %t, to be drawn on %t", terminal(f), drawable(f))
	}
	if p := newProgress(f); p.bar != nil {
		t.Error("a live line where none can be drawn")
	}
}
