package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"linkstead/archive/warc"
	"linkstead/crawler"
	"linkstead/storage"
)

// rebuildCmd makes the database anew.
type rebuildCmd struct {
	Force bool `help:"Even though other machines hold captures that are not stored yet, or the store holds other WARC files than it took: what is not there is left out."`

	old       *replaced
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
	owner, release, err := storage.HoldPurge(e.cfg.SpoolDir())
	if err != nil {
		return purgeGoesOn(err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:"); embedded {
		if err := finishSwitch(path); err != nil {
			return err
		}
	}
	if c.old, err = e.openReplaced(ctx, owner); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.old.close()) }()
	if path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:"); embedded {
		return c.onFile(ctx, e, spool, path)
	}
	return c.onServer(ctx, e, spool)
}

// onFile makes the rows anew in a file beside the one in use, which then gives way.
func (c *rebuildCmd) onFile(ctx context.Context, e *env, spool *storage.Spool, path string) error {
	began := e.now()
	fresh := path + ".rebuilding"
	if err := removeDatabase(fresh); err != nil { // of a rebuild that was stopped
		return err
	}
	db, err := storage.OpenDB(ctx, "sqlite:"+fresh, storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return errors.Join(fmt.Errorf("%w\nThe old database was left as it is", err), removeDatabase(fresh))
	}
	var done warc.Rebuilt
	err = c.old.unpurged(ctx, e, func(ctx context.Context) (err error) {
		done, err = c.rebuild(ctx, e, spool, db)
		return err
	})
	if err = errors.Join(err, db.Close()); err == nil {
		err = c.old.retire(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w\nThe old database was left as it is", err), removeDatabase(fresh))
	}
	if err := os.Rename(fresh, path+rebuilt); err != nil { // from now on it is known to be complete
		return fmt.Errorf("put the new database in place: %w", err)
	}
	aside, err := putAside(path, began)
	if err != nil {
		return err
	}
	if err := os.Rename(path+rebuilt, path); err != nil {
		return fmt.Errorf("put the new database in place: %w", err)
	}
	if err := done.DropSpooled(spool); err != nil {
		return err
	}
	if aside != "" {
		aside += "; delete it when you are content. Start 'linkstead serve' again if it is running"
	}
	return c.tell(e, done, aside, e.now().Sub(began))
}

// onServer makes the rows anew in a schema beside the one in use, which then gives way.
func (c *rebuildCmd) onServer(ctx context.Context, e *env, spool *storage.Spool) (err error) {
	began := e.now()
	empty, err := c.replaceable(ctx, spool)
	if err != nil {
		return err
	}
	db, err := storage.OpenFresh(ctx, e.cfg.Database(), storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var done warc.Rebuilt
	aside := ""
	err = c.old.unpurged(ctx, e, func(ctx context.Context) (err error) {
		done, err = c.rebuild(ctx, e, spool, db)
		if err == nil && !c.Force { // somebody may have worked meanwhile
			err = c.old.elsewhere(ctx, spool)
		}
		if err == nil {
			aside, err = db.PutInPlace(ctx)
		}
		if err == nil {
			err = done.DropSpooled(spool)
		}
		return err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("%w\nThe old rows were left as they are", err), discard(ctx, db))
	}
	if aside == "" || empty { // nobody misses an empty one
		return c.tell(e, done, "", e.now().Sub(began))
	}
	return c.tell(e, done, fmt.Sprintf("schema %[1]s; when you are content, delete it with DROP SCHEMA %[1]s CASCADE", aside), e.now().Sub(began))
}

// replaceable makes sure that nobody works on the rows in use, before all that is read which takes long; it says whether they
// are empty.
func (c *rebuildCmd) replaceable(ctx context.Context, spool *storage.Spool) (empty bool, err error) {
	if empty, err = c.old.db.Fresh(ctx); err != nil {
		return false, err
	}
	if err := c.old.db.Leave(ctx, spool.Node()); err != nil { // this process holds its spool: whoever was seen there has ended
		return false, err
	}
	return empty, c.old.db.Alone(ctx)
}

// discardWithin is for how long a failed rebuild tries to take away what it has made; the next one does it else.
const discardWithin = 5 * time.Second

func discard(ctx context.Context, db *storage.DB) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardWithin)
	defer cancel()
	return db.Discard(last)
}

// rebuild makes the rows in a new database.
func (c *rebuildCmd) rebuild(ctx context.Context, e *env, spool *storage.Spool, db *storage.DB) (done warc.Rebuilt, err error) {
	if !c.Force {
		if err := c.old.elsewhere(ctx, spool); err != nil {
			return done, err
		}
	}
	knew, err := c.old.knew(ctx)
	if err != nil {
		return done, err
	}
	s := &store{}
	if err := e.openBlobs(ctx, s, true); err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b := &warc.Rebuilder{Rows: db, Blobs: s.blobs, Store: s.blobs, Spool: spool, Temp: spool.Temp(), Knew: knew,
		Tell: func(segment string, n int) {
			fmt.Fprintf(e.stderr, "%s in %s\n", plural(n, "exchange", "exchanges"), segment)
		}}
	if done, err = b.Rebuild(ctx); err == nil && !c.Force {
		err = asStored(done)
	}
	if err != nil {
		return done, err
	}
	if err = errors.Join(c.old.carryRuns(ctx, db), c.old.carryAccess(ctx, db), c.old.carryNotes(ctx, db)); err != nil {
		return done, err
	}
	if err = citeFound(ctx, db); err != nil {
		return done, err
	}
	if c.schedules, err = e.keepSchedules(ctx, db, e.cfg.Database()); err != nil {
		return done, err
	}
	if err = finishRuns(ctx, db, nil); err != nil {
		return done, err
	}
	return done, db.SettleHosts(ctx)
}

// tell says what was made anew, and what could not be. Damage is a failure, however much was saved.
func (c *rebuildCmd) tell(e *env, done warc.Rebuilt, aside string, took time.Duration) error {
	fmt.Fprintf(e.stdout, "The database was made anew from %s with %s in %s.\n", plural(done.Segments, "segment", "segments"),
		plural(done.Exchanges, "exchange", "exchanges"), since(took))
	if aside != "" {
		fmt.Fprintf(e.stdout, "The old one was kept as %s.\n", aside)
	}
	if c.schedules != "" {
		fmt.Fprintln(e.stdout, c.schedules)
	}
	for _, id := range done.Foreign {
		fmt.Fprintf(e.stdout, "%s in the spool is no WARC file of this program; it stays there for you to look at.\n", id)
	}
	for _, what := range done.Odd {
		fmt.Fprintf(e.stdout, "Passed over: %s. If it should be a segment, put the file itself there, and rebuild again.\n", what)
	}
	for _, what := range done.Copies {
		fmt.Fprintf(e.stdout, "Passed over: %s. Delete it once 'linkstead verify' calls it a copy; keep it until then.\n", what)
	}
	for _, what := range done.Differ {
		fmt.Fprintf(e.stdout, "Not as stored: %s.\n", what)
	}
	for _, place := range done.Damaged {
		fmt.Fprintf(e.stdout, "Damaged: segment %s; what stands there is lost, what came before and after it was taken.\n", place)
	}
	if len(done.Damaged)+len(done.Differ) > 0 {
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

// rebuilt ends the name of a database that was made anew, is complete, and waits for the old one to give way.
const rebuilt = ".rebuilt"

// finishSwitch puts the new database in place of a rebuild that was stopped when it had put the old one aside: what only
// that knew, such as schedules, has been carried over. One whose old database is still in place counts for nothing.
func finishSwitch(path string) error {
	if !empty(path) {
		return removeDatabase(path + rebuilt)
	}
	if err := os.Rename(path+rebuilt, path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("put the new database of a stopped rebuild in place: %w", err)
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

// finishRuns says of each run whether it is done; what is left of one waits until somebody asks for it, or goes on if a
// schedule does: nobody else would.
// One that is done has ended with its last record: nothing tells more exactly when. Only these runs, if only is not nil.
func finishRuns(ctx context.Context, db *storage.DB, only []int64) error {
	runs, err := db.Unfinished(ctx)
	if err != nil {
		return err
	}
	last, err := db.LastExchanges(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if only != nil && !slices.Contains(only, r.ID) {
			continue
		}
		open, err := db.Open(ctx, r.ID)
		if err != nil {
			return err
		}
		switch {
		case open && r.Schedule != "":
		case open:
			err = db.PauseRun(ctx, r.ID)
		default:
			r.State, r.Ended = storage.RunDone, ended(r, last)
			if err = db.UpdateRun(ctx, r); err == nil {
				err = crawler.NoteChanges(ctx, db, r)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func ended(r storage.Run, last map[int64]time.Time) time.Time {
	if at, ok := last[r.ID]; ok {
		return at
	}
	return r.Started // all that it captured was purged
}

// since rounds for people.
func since(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
