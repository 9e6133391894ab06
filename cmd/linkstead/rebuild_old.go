package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// replaced are the rows in use, whose place a rebuild takes. There may be none, or none that can be read: to mend that is
// what a rebuild is for.
type replaced struct {
	db    *storage.DB // nil: see above
	runs  []storage.Run
	purge string // the name under which this process keeps purges away
}

// openReplaced opens the rows in use. A damaged database file is told of and left alone; a server has to answer.
func (e *env) openReplaced(ctx context.Context, owner string) (*replaced, error) {
	path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:")
	if embedded && empty(path) {
		return &replaced{}, nil
	}
	s := &store{}
	old := &replaced{purge: owner}
	err := e.openRows(ctx, s, false)
	if err == nil {
		old.db = s.db
		err = old.probe(ctx)
	}
	if err == nil {
		return old, nil
	}
	err = errors.Join(err, s.close())
	if !embedded || ctx.Err() != nil || errors.Is(err, storage.ErrLocked) {
		return nil, purgeGoesOn(err)
	}
	e.log.Warn("the old database can't be read: what it alone knows is lost", "error", err)
	return &replaced{}, nil
}

// probe reads what is needed of the rows, and writes to them.
func (old *replaced) probe(ctx context.Context) (err error) {
	if old.runs, err = old.db.Runs(ctx); err != nil {
		return err
	}
	if _, err = old.db.Unstored(ctx); err != nil {
		return err
	}
	// Rows that are in place have not been put aside: whoever took the lock for that was stopped before it did.
	for _, owner := range []string{putAsideBy, old.purge} {
		token, err := old.db.Lock(ctx, storage.PurgeLock, owner, time.Minute)
		if err == nil {
			err = old.db.Unlock(ctx, storage.PurgeLock, token)
		} else if owner == putAsideBy && errors.Is(err, storage.ErrLocked) {
			err = nil // it is not one of those
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func purgeGoesOn(err error) error {
	if errors.Is(err, storage.ErrLocked) {
		return fmt.Errorf("%w\nA purge goes on. Rebuild when it is done; one that was killed gives way after two minutes", err)
	}
	return err
}

// unpurged does something while nobody purges: what a purge takes away meanwhile, a rebuild would bring back.
func (old *replaced) unpurged(ctx context.Context, e *env, do func(context.Context) error) error {
	if old.db == nil {
		return do(ctx)
	}
	return purgeGoesOn((&warc.Purger{Locks: old.db, Node: old.purge, Log: e.log}).Alone(ctx, do))
}

// asideFor is for how long rows that were put aside take no purge: one may have opened them before, and waits for a person
// who says yes.
const asideFor = 24 * time.Hour

// putAsideBy is who takes the lock then. The next rebuild frees it if the rows were not put aside after all.
const putAsideBy = "a rebuild that put this database aside"

// retire closes a database that is put aside.
func (old *replaced) retire(ctx context.Context) error {
	if old.db == nil {
		return nil
	}
	_, err := old.db.Lock(ctx, storage.PurgeLock, putAsideBy, asideFor)
	return purgeGoesOn(errors.Join(err, old.close()))
}

func (old *replaced) close() error {
	if old.db == nil {
		return nil
	}
	db := old.db
	old.db = nil
	return db.Close()
}

// elsewhere is an error if captures are in no reach of this process: acknowledged, not stored yet, and in the spools of
// other machines.
func (old *replaced) elsewhere(ctx context.Context, spool *storage.Spool) error {
	if old.db == nil {
		return nil
	}
	unstored, err := old.db.Unstored(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for _, g := range unstored {
		if g.State == storage.SegmentLost || g.Node == spool.Node() || max(g.Committed, g.Size) == 0 {
			continue
		}
		if _, err := os.Stat(spool.Path(g.ID)); err == nil {
			continue
		}
		lines = append(lines, fmt.Sprintf("  node %s: segment %s, %s", g.Node, g.ID, size(max(g.Committed, g.Size))))
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("other machines hold captures that are not stored yet, and a rebuild would leave them out:\n%s\n"+
		"Start a worker there ('linkstead work'), and rebuild once it has stored them; give a machine up that never comes back "+
		"with 'linkstead segments --lost NODE'; or add --force", strings.Join(lines, "\n"))
}

// carryRuns keeps the runs of which no WARC file tells: nothing of them is left, but their numbers are taken.
func (old *replaced) carryRuns(ctx context.Context, db *storage.DB) error {
	made, err := db.Runs(ctx)
	if err != nil {
		return err
	}
	there := make(map[int64]bool, len(made))
	for _, r := range made {
		there[r.ID] = true
	}
	for _, r := range old.runs {
		if there[r.ID] {
			continue
		}
		if r.State != storage.RunDone {
			r.State, r.Ended = storage.RunDone, r.Started
		}
		if err := db.AdoptRun(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// carryAccess keeps the changes of access rules of which no WARC file tells, or none that could be read: a rebuild must not open
// what is closed. They are told of by the next worker.
func (old *replaced) carryAccess(ctx context.Context, db *storage.DB) error {
	if old.db == nil {
		return nil
	}
	was, err := old.db.AccessChanges(ctx)
	if err != nil {
		return err
	}
	made, err := db.AccessChanges(ctx)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(made))
	for _, c := range made {
		there[c.ID] = true
	}
	was = slices.DeleteFunc(was, func(c storage.AccessChange) bool { return there[c.ID] })
	for i := range was {
		was[i].Segment = ""
		if c, err := access.ReadChange(was[i].Change); err == nil {
			was[i].Node = c.Node
		}
	}
	return db.AdoptAccess(ctx, was...)
}

// carryNotes keeps the notes of which no WARC file tells, or none that could be read. They are told of by the next worker.
func (old *replaced) carryNotes(ctx context.Context, db *storage.DB) error {
	if old.db == nil {
		return nil
	}
	was, err := old.db.AllNotes(ctx)
	if err != nil {
		return err
	}
	made, err := db.AllNotes(ctx)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(made))
	for i := range made {
		there[made[i].ID] = true
	}
	was = slices.DeleteFunc(was, func(n storage.Note) bool { return there[n.ID] })
	for i := range was {
		was[i].Segment = ""
	}
	return db.AdoptNotes(ctx, was...)
}
