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
type rebuildCmd struct {
	schedules string // what became of them
}

func (c *rebuildCmd) run(ctx context.Context, e *env) (err error) {
	if err := e.cfg.Validate(); err != nil {
		return usageError{err}
	}
	folder, local := strings.CutPrefix(e.cfg.BlobStore(), "dir:")
	if _, err := os.Stat(folder); local && errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no archive in %s\nName another with --archive", e.cfg.Archive)
	}
	spool, err := storage.HoldSpool(e.cfg.SpoolDir(), e.fs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:")
	if !embedded {
		return c.onServer(ctx, e, spool)
	}
	began := e.now()
	fresh := path + ".rebuilding"
	if err := removeDatabase(fresh); err != nil { // of a rebuild that was stopped
		return err
	}
	db, err := storage.OpenDB(ctx, "sqlite:"+fresh, storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return err
	}
	done, err := c.rebuild(ctx, e, spool, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return errors.Join(fmt.Errorf("%w\nThe old database was left as it is", err), removeDatabase(fresh))
	}
	aside, err := putAside(path, began)
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("put the new database in place: %w", err)
	}
	return c.tell(e, done, aside, e.now().Sub(began))
}

// onServer makes the rows anew in a schema beside the one in use, which then gives way.
func (c *rebuildCmd) onServer(ctx context.Context, e *env, spool *storage.Spool) (err error) {
	began := e.now()
	old := &store{}
	empty := false
	if err = e.openRows(ctx, old, false); err == nil {
		empty, err = old.db.Fresh(ctx)
	}
	if err == nil { // this process holds its spool: whoever was seen there has ended
		err = old.db.Leave(ctx, spool.Node())
	}
	if err = errors.Join(err, old.close()); err != nil {
		return err
	}
	db, err := storage.OpenFresh(ctx, e.cfg.Database(), storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	done, err := c.rebuild(ctx, e, spool, db)
	aside := ""
	if err == nil {
		aside, err = db.PutInPlace(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w\nThe old rows were left as they are", err)
	}
	if aside != "" && !empty {
		aside = "schema " + aside
	} else {
		aside = "" // nobody misses an empty one
	}
	return c.tell(e, done, aside, e.now().Sub(began))
}

// rebuild makes the rows in a new database.
func (c *rebuildCmd) rebuild(ctx context.Context, e *env, spool *storage.Spool, db *storage.DB) (done warc.Rebuilt, err error) {
	s := &store{}
	if err := e.openBlobs(ctx, s, true); err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b := &warc.Rebuilder{Rows: db, Blobs: s.blobs, Store: s.blobs, Spool: spool, Temp: spool.Temp(),
		Tell: func(segment string, n int) { fmt.Fprintf(e.stderr, "%6d exchanges in %s\n", n, segment) }}
	if done, err = b.Rebuild(ctx); err != nil {
		return done, err
	}
	if c.schedules, err = e.keepSchedules(ctx, db, e.cfg.Database()); err != nil {
		return done, err
	}
	return done, finishRuns(ctx, db, e.now())
}

// tell says what was made anew, and what could not be. Damage is a failure, however much was saved.
func (c *rebuildCmd) tell(e *env, done warc.Rebuilt, aside string, took time.Duration) error {
	fmt.Fprintf(e.stdout, "The database was made anew from %s with %s in %s.\n", plural(done.Segments, "segment", "segments"),
		plural(done.Exchanges, "exchange", "exchanges"), since(took))
	if aside != "" {
		fmt.Fprintf(e.stdout, "The old one was kept as %s; delete it when you are content. Start 'linkstead serve' again if it is running.\n", aside)
	}
	if c.schedules != "" {
		fmt.Fprintln(e.stdout, c.schedules)
	}
	for _, id := range done.Torn {
		fmt.Fprintf(e.stdout, "Segment %s has a torn end; what came before it was taken.\n", id)
	}
	for _, place := range done.Damaged {
		fmt.Fprintf(e.stdout, "Damaged: segment %s; what stands there is lost, what came before and after it was taken.\n", place)
	}
	if len(done.Damaged) > 0 {
		return exitError(exitFailed)
	}
	return nil
}

// removeDatabase removes a database and what belongs to it, if it is there.
func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an unfinished database: %w", err)
		}
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
func finishRuns(ctx context.Context, db *storage.DB, now time.Time) error {
	runs, err := db.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		open, err := db.Open(ctx, r.ID)
		if err != nil {
			return err
		}
		if open {
			err = db.PauseRun(ctx, r.ID)
		} else {
			r.State, r.Ended = storage.RunDone, now.UTC()
			err = db.UpdateRun(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// since rounds for people.
func since(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
