package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// rebuildCmd makes the database anew.
type rebuildCmd struct{}

func (c *rebuildCmd) run(ctx context.Context, e *env) (err error) {
	if err := e.cfg.Validate(); err != nil {
		return usageError{err}
	}
	if _, err := os.Stat(strings.TrimPrefix(e.cfg.BlobStore(), "dir:")); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no archive in %s\nName another with --archive", e.cfg.Archive)
	}
	spool, err := storage.HoldSpool(e.cfg.SpoolDir(), e.fs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	began := e.now()
	aside, err := putAside(strings.TrimPrefix(e.cfg.Database(), "sqlite:"), began)
	if err != nil {
		return err
	}
	s, err := e.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b := &warc.Rebuilder{Rows: s.db, Blobs: s.blobs, Store: s.blobs, Spool: spool, Temp: spool.Temp(),
		Tell: func(segment string, n int) { fmt.Fprintf(e.stderr, "%6d exchanges in %s\n", n, segment) }}
	done, err := b.Rebuild(ctx)
	if err != nil {
		return err
	}
	if err := finishRuns(ctx, s, e.now()); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "The database was made anew from %d segments with %d exchanges in %s.\n", done.Segments, done.Exchanges, since(e.now().Sub(began)))
	if aside != "" {
		fmt.Fprintf(e.stdout, "The old one was kept as %s; delete it when you are content.\n", aside)
	}
	for _, id := range done.Torn {
		fmt.Fprintf(e.stdout, "Segment %s has a torn end; what came before it was taken.\n", id)
	}
	return nil
}

// putAside renames a database and tells its new name; "" if there is none.
func putAside(path string, now time.Time) (string, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	to := fmt.Sprintf("%s.%s", path, now.UTC().Format("20060102150405"))
	for _, suffix := range []string{"-wal", "-shm", ""} { // the journal first: without it the database is older, not torn
		if err := os.Rename(path+suffix, to+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("put the old database aside: %w", err)
		}
	}
	return to, nil
}

// finishRuns says of each run whether it is done; what is left of one waits until somebody asks for it.
func finishRuns(ctx context.Context, s *store, now time.Time) error {
	runs, err := s.db.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		open, err := s.db.Open(ctx, r.ID)
		if err != nil {
			return err
		}
		if open {
			err = s.db.PauseRun(ctx, r.ID)
		} else {
			r.State, r.Ended = storage.RunDone, now.UTC()
			err = s.db.UpdateRun(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// since rounds for people.
func since(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
