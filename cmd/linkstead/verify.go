package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"linkstead/archive/warc"
	"linkstead/configs"
	"linkstead/storage"
)

// verifyCmd reads a whole archive and tells what is wrong with it.
type verifyCmd struct {
	Collection string `help:"Only this collection." placeholder:"NAME"`
	Segment    string `help:"Only this segment." placeholder:"ID"`
	Jobs       *int   `help:"Segments that are read at a time (default: as many as there are processors)." placeholder:"N"`
	Resume     bool   `help:"Go on where an interrupted verification stopped."`
	State      string `help:"File that notes what was verified (default: verify.state in the spool folder)." placeholder:"FILE"`
	Repair     bool   `help:"Write rows as the records tell them, and take in objects without rows. No byte of the store is deleted."`
	DeleteRows bool   `help:"With --repair: also delete rows whose records are gone; what a missing object held is captured again."`
	JSON       bool   `name:"json" help:"Print JSON."`
}

// verdict is what 'linkstead verify --json' prints.
type verdict struct {
	Version   int         `json:"version"`
	Blobs     string      `json:"blobs"`
	Database  string      `json:"database"`
	OK        bool        `json:"ok"`
	Segments  int         `json:"segments"`
	Before    int         `json:"before"`
	Elsewhere []string    `json:"elsewhere"`
	Bytes     int64       `json:"bytes"`
	Records   int         `json:"records"`
	Rows      int         `json:"rows"`
	Seconds   float64     `json:"seconds"`
	Faults    []warc.Flaw `json:"faults"`
	More      int         `json:"more"`
	Mended    int         `json:"mended"`
	Old       int         `json:"old"`
}

const verdictVersion = 1

func (c *verifyCmd) run(ctx context.Context, e *env) (err error) {
	switch {
	case c.DeleteRows && !c.Repair:
		return usageError{errors.New("--delete-rows goes with --repair")}
	case c.Jobs != nil && *c.Jobs < 1:
		return usageError{errors.New("--jobs wants a number from 1 on")}
	case c.Segment != "" && c.Resume:
		return usageError{errors.New("--resume goes on with a whole verification, and --segment is for one segment: leave one of them out")}
	}
	s, err := e.openSteps(ctx, false, e.openRows, e.orphaned)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := e.openBlobs(ctx, s, c.Repair); err != nil {
		return err
	}
	if !c.Repair {
		return c.verify(ctx, e, s, nil)
	}
	owner, release, err := storage.HoldPurge(e.cfg.SpoolDir())
	if err != nil {
		return repairWaits(err)
	}
	defer func() { err = errors.Join(err, release()) }()
	m := &warc.Mender{Rows: s.db, Adopter: s.db, Store: s.blobs, Temp: e.cfg.SpoolDir(), Node: owner, DeleteRows: c.DeleteRows, Now: e.now}
	return repairWaits((&warc.Purger{Locks: s.db, Node: owner, Log: e.log}).Alone(ctx, func(ctx context.Context) error {
		return c.verify(ctx, e, s, m)
	}))
}

func repairWaits(err error) error {
	if errors.Is(err, storage.ErrLocked) {
		return fmt.Errorf("%w\nA purge, a rebuild or another repair goes on. Repair when it is done; one that was killed gives way after two minutes, a rebuild to the next rebuild", err)
	}
	return err
}

func (c *verifyCmd) verify(ctx context.Context, e *env, s *store, m *warc.Mender) (err error) {
	node, err := warc.SpoolNode(e.cfg.SpoolDir())
	if err != nil {
		return err
	}
	if err := c.known(ctx, s.db); err != nil {
		return err
	}
	var state *warc.InspectState
	if c.Segment == "" {
		if state, err = c.state(e); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, state.Close()) }()
	}
	unnoted(e.stderr, state)
	early := state.Fault() != nil
	show := newVerifying(e.stderr, e.now)
	i := &warc.Inspector{
		Rows: s.db, Index: s.db, Blobs: s.blobs, Spool: e.cfg.SpoolDir(), Node: node, Collection: c.Collection, Segment: c.Segment,
		Jobs: runtime.NumCPU(), Begin: show.begin, Read: show.read, Tell: show.tell, Mender: m, Now: e.now, State: state,
	}
	if c.Jobs != nil {
		i.Jobs = *c.Jobs
	}
	began := e.now()
	done, err := i.Inspect(ctx)
	show.close()
	if !early {
		unnoted(e.stderr, state)
	}
	if err == nil && m != nil && len(m.Runs()) > 0 {
		err = finishRuns(ctx, s.db, m.Runs())
	}
	switch {
	case errors.Is(err, storage.ErrNotFound) && c.Segment != "":
		return fmt.Errorf("there is no segment %s\nThe files below warc/ in the store are named after their segments, 'ID.warc.gz'; 'linkstead segments' lists those that are not stored yet", c.Segment)
	case err != nil && ctx.Err() != nil && c.Segment == "":
		return fmt.Errorf("%w\n%s verified; 'linkstead verify --resume' goes on from there", err, plural(done.Segments, "segment was", "segments were"))
	case err != nil:
		return err
	}
	return c.report(e, done, e.now().Sub(began))
}

// known is an error if there is no such collection: to verify nothing is no good news.
func (c *verifyCmd) known(ctx context.Context, db *storage.DB) error {
	if c.Collection == "" {
		return nil
	}
	all, err := db.Collections(ctx)
	if err != nil || slices.ContainsFunc(all, func(k storage.Collection) bool { return k.Name == c.Collection }) {
		return err
	}
	return fmt.Errorf("there is no collection %q\n'linkstead collection list' tells which there are", c.Collection)
}

// unnoted says that what is verified can't be noted. It is verified all the same: on a full disk, just then one wants to know.
func unnoted(w io.Writer, state *warc.InspectState) {
	if err := state.Fault(); err != nil {
		fmt.Fprintf(w, "%v\nThe verification goes on; if it is interrupted, --resume begins anew. --state FILE notes it elsewhere.\n", err)
	}
}

// state opens the file that notes what was verified.
func (c *verifyCmd) state(e *env) (*warc.InspectState, error) {
	path := c.State
	if path == "" {
		path = filepath.Join(e.cfg.SpoolDir(), "verify.state")
	}
	return warc.OpenInspectState(path, fmt.Sprintf("%s %s %s", e.cfg.BlobStore(), configs.Redact(e.cfg.Database()), c.Collection), c.Resume)
}

func (c *verifyCmd) report(e *env, done *warc.Inspected, took time.Duration) error {
	left := done.Left()
	if c.JSON {
		v := verdict{
			Version: verdictVersion, Blobs: e.cfg.BlobStore(), Database: configs.Redact(e.cfg.Database()), OK: left == 0,
			Segments: done.Segments, Before: done.Before, Elsewhere: done.Elsewhere, Bytes: done.Bytes, Records: done.Records, Rows: done.Rows,
			Seconds: took.Seconds(), Faults: done.Flaws, More: done.More, Mended: done.Mended, Old: done.Old,
		}
		if v.Faults == nil {
			v.Faults = []warc.Flaw{}
		}
		if v.Elsewhere == nil {
			v.Elsewhere = []string{}
		}
		if err := encode(e.stdout, v); err != nil {
			return err
		}
	} else {
		printVerdict(e.stdout, done, c.Repair, took)
	}
	if left > 0 {
		return exitError(exitFailed)
	}
	return nil
}

// maxPrinted bounds the faults that are printed for people.
const maxPrinted = 200

func printVerdict(w io.Writer, done *warc.Inspected, repair bool, took time.Duration) {
	for k := range done.Flaws {
		if k == maxPrinted {
			fmt.Fprintf(w, "… and %d more; --json lists them\n", len(done.Flaws)-k)
			break
		}
		printFlaw(w, &done.Flaws[k])
	}
	fmt.Fprintf(w, "Verified %s (%s) with %s and %s in %s", plural(done.Segments, "segment", "segments"), size(done.Bytes),
		plural(done.Records, "record", "records"), plural(done.Rows, "row", "rows"), since(took))
	if done.Before > 0 {
		fmt.Fprintf(w, ", %d of the segments before the interruption", done.Before)
	}
	fmt.Fprintln(w, ".")
	if n := len(done.Elsewhere); n > 0 {
		fmt.Fprintf(w, "%s in spools of other machines: run 'linkstead verify' there, or when they are stored ('linkstead segments' lists them).\n", plural(n, "segment is", "segments are"))
	}
	switch {
	case done.Old > 0 && repair:
		fmt.Fprintf(w, "%s of an older version of this program knew less than the records, and now know what those tell.\n", plural(done.Old, "row", "rows"))
	case done.Old > 0:
		fmt.Fprintf(w, "%s of an older version of this program know less than the records: no fault. 'linkstead verify --repair' fills them in.\n", plural(done.Old, "row", "rows"))
	}
	switch left := done.Left(); {
	case left > 0 && done.Mended > 0:
		fmt.Fprintf(w, "%s left; %d mended.\n", plural(left, "fault is", "faults are"), done.Mended)
	case left > 0:
		fmt.Fprintf(w, "%s.\n", plural(left, "fault", "faults"))
	case done.Mended > 0:
		fmt.Fprintf(w, "%s, all mended.\n", plural(done.Mended, "fault", "faults"))
	default:
		fmt.Fprintln(w, "No faults.")
	}
}

func printFlaw(w io.Writer, f *warc.Flaw) {
	what := f.Segment
	if what == "" {
		what = f.Key
	}
	if f.Offset >= 0 {
		what += fmt.Sprintf(" at %d", f.Offset)
	}
	if f.Record != "" {
		what += ", record " + clean(f.Record)
	}
	fmt.Fprintf(w, "%-15s %s\n", f.Word, clean(what))
	if f.URL != "" {
		fmt.Fprintf(w, "%-15s %s\n", "", clean(f.URL))
	}
	detail := clean(f.Detail)
	if f.Clause != "" {
		detail += " (" + f.Clause + ")"
	}
	fmt.Fprintf(w, "%-15s %s\n", "", detail)
	if f.Mended != "" {
		fmt.Fprintf(w, "%-15s Mended: %s\n", "", f.Mended)
	} else {
		fmt.Fprintf(w, "%-15s Try: %s\n", "", f.Try)
	}
}

// printRepair prints a line of the log that tells of a repair.
func printRepair(w io.Writer, a storage.Audit) error {
	var d warc.Repair
	if err := json.Unmarshal(a.Detail, &d); err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	fmt.Fprintf(w, "%s  %s on %s: segment %s", stamp(a.At), a.Action, a.Node, clean(d.Segment))
	for _, word := range slices.Sorted(maps.Keys(d.Faults)) {
		fmt.Fprintf(w, ", %d %s", d.Faults[word], clean(word))
	}
	fmt.Fprintln(w)
	return nil
}
