package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// purgeCmd takes captures out of the archive for good.
type purgeCmd struct {
	What       []string `arg:"" optional:"" name:"post-or-url" help:"A post's short name: all its versions, and all that its runs captured, also those that completed it. An address: every capture of exactly that address."`
	Collection *string  `help:"Collection to purge from."`
	Before     *string  `help:"Only what was captured before: 2016, 2016-02, 2016-02-21, which begin in UTC, or 2016-02-21T12:00:00+01:00; without a post or address, all of the collection that is older." placeholder:"DATE"`
	Prefix     bool     `help:"All addresses that begin with the ones given."`
	Reason     string   `help:"Why, which a purge must say: kept in the log and in the WARC files." placeholder:"TEXT"`
	Yes        bool     `help:"Don't ask."`
	DryRun     bool     `help:"Tell what would be purged, and change nothing."`
	JSON       bool     `name:"json" help:"Print JSON."`
	Log        bool     `help:"Print the log of purges, and purge nothing."`
}

func (c *purgeCmd) run(ctx context.Context, e *env) (err error) {
	set(&e.cfg.Collection, c.Collection)
	before, err := c.check()
	if err != nil {
		return err
	}
	if c.Log {
		return c.printLog(ctx, e)
	}
	s, err := e.openToChange(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if !c.DryRun {
		e.finishPurges(ctx, s)
		if err := e.storeWaiting(ctx, s); err != nil {
			return err
		}
	}
	sel := newSelection(e, s, before, c.Prefix)
	if err := sel.choose(ctx, c.What); err != nil {
		return err
	}
	if sel.empty() {
		return c.nothing(e, sel)
	}
	if c.DryRun {
		return c.tellPlan(e, sel, "Would purge")
	}
	if !c.Yes {
		if err := c.confirm(e, sel); err != nil {
			return err
		}
	}
	return c.purge(ctx, e, s, sel)
}

// check reads the flags that no parser checks.
func (c *purgeCmd) check() (before *time.Time, err error) {
	if c.Log {
		if len(c.What) > 0 || c.Before != nil {
			return before, usageError{errors.New("--log prints the log of purges and takes nothing else")}
		}
		return before, nil
	}
	if c.Before != nil {
		at, err := dateOf(*c.Before)
		if err != nil {
			return nil, usageError{err}
		}
		before = &at
	}
	switch {
	case len(c.What) == 0 && before == nil:
		return before, usageError{errNothingNamed}
	case c.Prefix && len(c.What) == 0:
		return before, usageError{errors.New("--prefix needs an address")}
	case !c.DryRun && strings.TrimSpace(c.Reason) == "":
		return before, usageError{errors.New("say why with --reason TEXT: it is kept in the log and in the WARC files\n--dry-run tells what would be purged, and needs none")}
	case clean(c.Reason) != c.Reason || len(c.Reason) > maxField:
		return before, usageError{fmt.Errorf("--reason: write one line of plain text, up to %d bytes", maxField)}
	}
	return before, nil
}

var errNothingNamed = errors.New("name a post or an address, or what is too old with --before DATE\nTry 'linkstead purge --help'")

// firstYear is when the web began: an earlier date is a slip of the pen.
const firstYear = 1990

// dateOf is the beginning of a year, month or day, in UTC, or a moment.
func dateOf(s string) (time.Time, error) { return dateGiven("--before", s) }

// openToChange opens an archive that is there, to change what it holds.
func (e *env) openToChange(ctx context.Context) (*store, error) {
	if path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:"); embedded && empty(path) {
		return e.open(ctx, false) // which says that there is none
	}
	return e.open(ctx, true)
}

// storeWaiting stores what a stopped worker left in this machine's spool, if there is something. Where a worker is at work,
// it does so itself.
func (e *env) storeWaiting(ctx context.Context, s *store) (err error) {
	if _, err := os.Stat(filepath.Join(e.cfg.SpoolDir(), "node")); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	spool, err := storage.HoldSpool(e.cfg.SpoolDir(), e.fs)
	if errors.Is(err, storage.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	j := e.journal(s, spool)
	if _, err := j.Recover(ctx); err != nil {
		j.Abandon()
		if cerr := j.Close(ctx); !errors.Is(cerr, warc.ErrAbandoned) {
			err = errors.Join(err, cerr)
		}
		return err
	}
	return j.Close(ctx)
}

// nothing says that there is nothing to purge.
func (c *purgeCmd) nothing(e *env, sel *selection) error {
	if c.JSON {
		return encode(e.stdout, sel.json(nil))
	}
	fmt.Fprintf(e.stdout, "Nothing to purge: collection %s holds nothing like that.\n", e.cfg.Collection)
	return nil
}

// confirm asks the person at the terminal.
func (c *purgeCmd) confirm(e *env, sel *selection) error {
	in, ok := e.stdin.(*os.File)
	if !ok || !terminal(in) {
		return usageError{errors.New("a purge can't be undone, and nobody is there to be asked\nLook at it with --dry-run, and then give --yes")}
	}
	sel.print(e.stderr, "About to purge")
	fmt.Fprint(e.stderr, "This can't be undone. Type yes to go on: ")
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "yes" {
		fmt.Fprintln(e.stderr, "Nothing was purged.")
		return exitError(exitFailed)
	}
	return nil
}

func (c *purgeCmd) tellPlan(e *env, sel *selection, verb string) error {
	if c.JSON {
		return encode(e.stdout, sel.json(nil))
	}
	sel.print(e.stdout, verb)
	return nil
}

// purger is the part that takes captures out. release gives the role up.
func (e *env) purger(s *store) (p *warc.Purger, release func() error, err error) {
	owner, release, err := storage.HoldPurge(e.cfg.SpoolDir())
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(e.cfg.SpoolDir(), "purge")
	wait := 2 * time.Duration(e.cfg.Segment.Age)
	return &warc.Purger{
		Index: s.db, Tasks: s.db, Rows: s.db, Locks: s.db, Blobs: s.blobs,
		Composer: &warc.Composer{Dir: dir, Memory: int64(e.cfg.Limits.Spill)}, Info: e.info(), Collection: s.db.Collection,
		FS: e.fs, Dir: dir, Node: owner, Wait: wait, Now: e.now, Log: e.log,
		Waiting: func(g storage.Segment) {
			fmt.Fprintf(e.stderr, "Waiting for segment %s to be stored by node %s, up to %s.\n", g.ID, g.Node, age(wait))
		},
	}, release, nil
}

func (c *purgeCmd) purge(ctx context.Context, e *env, s *store, sel *selection) error {
	p, release, err := e.purger(s)
	if err == nil {
		var done warc.Purged
		done, err = p.Purge(ctx, sel.order(c.Reason, e.cfg.Operator))
		if err = errors.Join(err, release()); err == nil {
			e.keepNotes(ctx, s)
			return c.tellDone(e, sel, done)
		}
	}
	switch {
	case errors.Is(err, storage.ErrLocked):
		err = fmt.Errorf("%w\nAnother purge goes on, or a rebuild. Give the same command again when it is done; one that was killed gives way after two minutes, a rebuild to the next rebuild", err)
	case errors.Is(err, storage.ErrRunActive):
		err = fmt.Errorf("%w\nWait for it or interrupt it, and purge then", err)
	case errors.Is(err, warc.ErrNotStored):
		err = fmt.Errorf("%w\nStart a worker there ('linkstead work'), or give that machine up with 'linkstead segments --lost NODE', and purge again", err)
	case ctx.Err() != nil:
		err = fmt.Errorf("%w\nWhat is purged is purged; the same command goes on with the rest", err)
	}
	return err
}

func (c *purgeCmd) tellDone(e *env, sel *selection, done warc.Purged) error {
	if c.JSON {
		return encode(e.stdout, sel.json(&done))
	}
	n := done.Counts
	fmt.Fprintf(e.stdout, "Purged %s, %s and %s: %s with all their records. %s rewritten", plural(int(n.Captures), "capture", "captures"),
		plural(int(n.Attempts), "failed attempt", "failed attempts"), plural(int(n.Posts), "post", "posts"), size(n.Bytes),
		plural(int(n.Segments), "WARC file was", "WARC files were"))
	if done.Promoted > 0 {
		fmt.Fprintf(e.stdout, "; %s now", plural(done.Promoted, "capture that shared a payload with it holds that payload", "captures that shared payloads with it hold those"))
	}
	fmt.Fprintf(e.stdout, ".\n")
	if done.Lost > 0 {
		fmt.Fprintf(e.stdout, "%s with it and can't be shown any more: the file that was imported in place has nothing else of it.\n",
			plural(done.Lost, "capture shared its payload", "captures shared their payload"))
	}
	sel.tellOutside(e.stdout, "are")
	return nil
}

// printLog prints who purged what.
func (c *purgeCmd) printLog(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	audits, err := s.db.Audits(ctx)
	if err != nil {
		return err
	}
	audits = slices.DeleteFunc(audits, func(a storage.Audit) bool { // 'linkstead access log' tells of changes of rules
		return a.Action == warc.ActionImport || a.Action == storage.ActionAccess
	})
	if c.JSON {
		if audits == nil {
			audits = []storage.Audit{}
		}
		return encode(e.stdout, audits)
	}
	if len(audits) == 0 {
		fmt.Fprintln(e.stdout, "Nothing was ever purged.")
	}
	for _, a := range audits {
		if a.Action == warc.ActionRepair {
			if err := printRepair(e.stdout, a); err != nil {
				return err
			}
			continue
		}
		var d struct {
			Reason, By, What string
			Counts           warc.PurgeCounts
			Runs             []int64
		}
		if err := json.Unmarshal(a.Detail, &d); err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		fmt.Fprintf(e.stdout, "%s  %s on %s: %s\n", stamp(a.At), a.Action, a.Node, clean(d.Reason))
		if d.What != "" {
			fmt.Fprintf(e.stdout, "  %s\n", clean(d.What))
		}
		fmt.Fprintf(e.stdout, "  %s, %s, %s, %s%s\n", plural(int(d.Counts.Captures), "capture", "captures"),
			plural(int(d.Counts.Attempts), "failed attempt", "failed attempts"), plural(int(d.Counts.Posts), "post", "posts"),
			size(d.Counts.Bytes), by(d.By))
		for _, run := range d.Runs {
			fmt.Fprintf(e.stdout, "  nothing is left of %s\n", runName(run))
		}
	}
	return nil
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return "; by " + clean(who)
}

// finishPurges deletes what interrupted purges have left, as a worker or a purge starts. What can't be deleted now is for
// the next one.
func (e *env) finishPurges(ctx context.Context, s *store) {
	p, release, err := e.purger(s)
	if err == nil {
		err = errors.Join(p.Clean(ctx), release())
	}
	if err != nil && !errors.Is(err, storage.ErrLocked) {
		e.log.Warn("what a purge left could not be deleted yet", "error", err)
	}
}
