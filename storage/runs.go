package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// errNumber says that another run got the number first: what asks for it begins again.
var errNumber = errors.New("the run's number is taken")

const runCols = `id, collection, source, spec, schedule, state, started, ended, cut, changes, fault`

// StartRun writes a new run with its first tasks and gives it its number, which the tasks get too. A run that captures
// a document brings it along; otherwise doc is nil.
func (db *DB) StartRun(ctx context.Context, r Run, doc *Document, first []Task) (Run, error) {
	r.State = RunActive
	err := db.write(ctx, func(x *tx) error {
		if err := x.prepareHosts(hostsOf(first)); err != nil {
			return err
		}
		return x.startRun(&r, doc, first)
	})
	if err != nil {
		return Run{}, fmt.Errorf("start run: %w", err)
	}
	return r, nil
}

// startRun writes a run. The hosts of its first tasks are made and locked: before the run gets its number, for which
// another one that begins may wait.
func (x *tx) startRun(r *Run, doc *Document, first []Task) error {
	if err := x.one(&r.ID, `SELECT COALESCE(MAX(id),0)+1 FROM runs`); err != nil {
		return fmt.Errorf("number run: %w", err)
	}
	if n, err := x.insertRun(*r); err != nil {
		return err
	} else if n != 1 {
		return errNumber
	}
	if doc != nil {
		if _, err := x.exec(`INSERT INTO documents (run, mime, body) VALUES ($1,$2,$3)`, r.ID, doc.Mime, doc.Body); err != nil {
			return err
		}
	}
	for i := range first {
		first[i].Run = r.ID
	}
	n, err := x.enqueue(first)
	if err != nil {
		return err
	}
	return x.countFirst(r.ID, n)
}

func (x *tx) insertRun(r Run) (int64, error) {
	return x.exec(`INSERT INTO runs (`+runCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON CONFLICT DO NOTHING`,
		r.ID, r.Collection, r.Source, string(r.Spec), r.Schedule, r.State, micros(r.Started), micros(r.Ended), r.Cut, string(r.Changes), r.Fault)
}

// AdoptRun writes the row of a run that a rebuild found, or leaves the one that is there.
func (db *DB) AdoptRun(ctx context.Context, r Run) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.insertRun(r)
		return err
	})
	if err != nil {
		return fmt.Errorf("adopt run %d: %w", r.ID, err)
	}
	return nil
}

// Counts tells how far one node has come with a run, or all of them if node is empty.
func (db *DB) Counts(ctx context.Context, run int64, node string) (Counts, error) {
	return db.sum(ctx, run, node, `node=$2 OR $2=''`)
}

// OthersCounts tells how far all nodes but one have come with a run.
func (db *DB) OthersCounts(ctx context.Context, run int64, node string) (Counts, error) {
	return db.sum(ctx, run, node, `node<>$2`)
}

// sum adds up the counts of a run's nodes that are meant.
func (db *DB) sum(ctx context.Context, run int64, node, meant string) (Counts, error) {
	var c Counts
	err := db.r.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(found),0) AS BIGINT), CAST(COALESCE(SUM(ended),0) AS BIGINT),
		CAST(COALESCE(SUM(captured),0) AS BIGINT), CAST(COALESCE(SUM(failed),0) AS BIGINT), CAST(COALESCE(SUM(bytes),0) AS BIGINT),
		CAST(COALESCE(SUM(pages),0) AS BIGINT) FROM progress WHERE run=$1 AND (`+meant+`)`, run, node).Scan(&c.Found, &c.Ended,
		&c.Captured, &c.Failed, &c.Bytes, &c.Pages)
	if err != nil {
		return Counts{}, fmt.Errorf("counts of run %d: %w", run, err)
	}
	return c, nil
}

// UpdateRun writes a run's state and end.
func (db *DB) UpdateRun(ctx context.Context, r Run) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE runs SET state=$1, ended=$2, cut=$3, changes=$4 WHERE id=$5`, r.State, micros(r.Ended), r.Cut, string(r.Changes), r.ID)
		if err == nil && r.State == RunDone {
			err = x.runIsDone(r.ID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("update run %d: %w", r.ID, err)
	}
	return nil
}

// Document brings what was handed in for a run; ErrNotFound if nothing was, or the run is done.
func (db *DB) Document(ctx context.Context, run int64) (Document, error) {
	var d Document
	err := db.r.QueryRowContext(ctx, `SELECT mime, body FROM documents WHERE run=$1`, run).Scan(&d.Mime, &d.Body)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Document{}, fmt.Errorf("document of run %d: %w", run, err)
	}
	return d, nil
}

// PauseRun parks what is left of a run: nothing of it is due until ResumeRun.
func (db *DB) PauseRun(ctx context.Context, id int64) error {
	return db.shift(ctx, id, RunPaused, "", `UPDATE tasks SET due_at=due_at+$1 WHERE run=$2 AND due_at<$1 AND `+sqlOpen)
}

// ShelveRun pauses a run that can't be carried out, and writes why into its row, in a sentence.
func (db *DB) ShelveRun(ctx context.Context, id int64, fault string) error {
	return db.shift(ctx, id, RunPaused, fault, `UPDATE tasks SET due_at=due_at+$1 WHERE run=$2 AND due_at<$1 AND `+sqlOpen)
}

// HandIn gives a run its document anew, if it has none any more.
func (db *DB) HandIn(ctx context.Context, run int64, doc Document) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`INSERT INTO documents (run, mime, body) VALUES ($1,$2,$3) ON CONFLICT DO NOTHING`, run, doc.Mime, doc.Body)
		return err
	})
	if err != nil {
		return fmt.Errorf("hand a document in for run %d: %w", run, err)
	}
	return nil
}

// ResumeRun makes what is left of a run due again. Why it could not be carried out is forgotten.
func (db *DB) ResumeRun(ctx context.Context, id int64) error {
	return db.shifted(ctx, id, RunActive, func(x *tx) error { return x.resume(id) })
}

func (x *tx) resume(id int64) error {
	return x.shift(id, RunActive, "", `UPDATE tasks SET due_at=due_at-$1 WHERE run=$2 AND due_at>=$1 AND `+sqlOpen)
}

func (db *DB) shift(ctx context.Context, id int64, state RunState, fault, q string) error {
	return db.shifted(ctx, id, state, func(x *tx) error { return x.shift(id, state, fault, q) })
}

func (db *DB) shifted(ctx context.Context, id int64, state RunState, f func(x *tx) error) error {
	if err := db.write(ctx, f); err != nil {
		return fmt.Errorf("set run %d to %s: %w", id, state, err)
	}
	return nil
}

func (x *tx) shift(id int64, state RunState, fault, q string) error {
	// The run's row first: who adds tasks to the run looks at its state under a lock.
	n, err := x.exec(`UPDATE runs SET state=$1, fault=CASE WHEN $4<>'' THEN $4 WHEN $1='active' AND state='paused' THEN '' ELSE fault END
		WHERE id=$2 AND state<>$3`, state, id, RunDone, fault)
	if err != nil || n == 0 {
		return err
	}
	hosts, err := x.strings(`SELECT DISTINCT host FROM tasks WHERE run=$1 AND `+sqlOpen+` ORDER BY host`, id)
	if err != nil {
		return err
	}
	if len(hosts) > 0 {
		if err := x.lockHosts(hosts); err != nil {
			return err
		}
	}
	if _, err := x.exec(q, parked, id); err != nil {
		return err
	}
	for _, h := range hosts {
		if _, err := x.exec(sqlWake, h); err != nil {
			return err
		}
	}
	return nil
}

// runSet holds the numbers of runs whose tasks are not simply due: they are paused, or cut.
type runSet map[int64]runHold

type runHold struct{ paused, cut bool }

// paused tells which runs of the tasks are paused or cut, and keeps them from changing until the transaction ends.
func (x *tx) paused(tasks []Task) (runSet, error) {
	var runs []int64
	for _, t := range tasks {
		if len(runs) == 0 || runs[len(runs)-1] != t.Run {
			runs = append(runs, t.Run)
		}
	}
	slices.Sort(runs)
	out := runSet{}
	x.schedules = map[int64]string{}
	for _, id := range slices.Compact(runs) {
		err := x.soon(func(r row) error {
			var state, cut, schedule string
			err := r.Scan(&state, &cut, &schedule)
			x.schedules[id] = schedule
			if hold := (runHold{RunState(state) == RunPaused, cut != ""}); hold != (runHold{}) {
				out[id] = hold
			}
			return err
		}, `SELECT state, cut, schedule FROM runs WHERE id=$1`+x.db.d.forShare, id)
		if err != nil {
			return nil, err
		}
	}
	return out, x.send()
}

// park gives the tasks as they are kept: those of paused runs parked, those of runs that were cut ended.
func (s runSet) park(tasks []Task) []Task {
	if len(s) == 0 {
		return tasks
	}
	out := slices.Clone(tasks)
	for i := range out {
		out[i] = s.parkOne(out[i])
	}
	return out
}

func (s runSet) parkOne(t Task) Task {
	switch hold := s[t.Run]; {
	case hold.cut && t.Due < Never:
		t.Due, t.Outcome = Never, outcomeQuota
	case hold.paused && t.Due < parked:
		t.Due += parked
	}
	return t
}

// Run brings one run; ErrNotFound if there is none. What came with an imported file has a number below zero and no row: it is done, has no
// tasks, and is there as long as a post of it is.
func (db *DB) Run(ctx context.Context, id int64) (Run, error) {
	if id < 0 {
		return db.importedRun(ctx, id)
	}
	rs, err := db.runs(ctx, `WHERE id=$1`, id)
	if err == nil && len(rs) == 0 {
		err = fmt.Errorf("run %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Run{}, err
	}
	return rs[0], nil
}

// Unfinished brings the runs that are not done, oldest first.
func (db *DB) Unfinished(ctx context.Context) ([]Run, error) {
	return db.runs(ctx, `WHERE state<>$1 ORDER BY id`, RunDone)
}

// SettleHosts sets the turn of each host that nobody holds by what it has to do. A rebuild needs it: what it reads of a segment
// makes tasks due that a later segment ends.
func (db *DB) SettleHosts(ctx context.Context) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE hosts SET next_at=` + sqlTurn(`hosts.host`, `polite_until`) + ` WHERE lease=0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle hosts: %w", err)
	}
	return nil
}

// Runs brings all runs, oldest first.
func (db *DB) Runs(ctx context.Context) ([]Run, error) { return db.runs(ctx, `ORDER BY id`) }

func (db *DB) runs(ctx context.Context, where string, args ...any) (out []Run, err error) {
	rows, err := db.r.QueryContext(ctx, `SELECT `+runCols+` FROM runs `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r Run
		var spec, changes string
		var started, ended int64
		if err := rows.Scan(&r.ID, &r.Collection, &r.Source, &spec, &r.Schedule, &r.State, &started, &ended, &r.Cut, &changes, &r.Fault); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		r.Spec = json.RawMessage(spec)
		if changes != "" {
			r.Changes = json.RawMessage(changes)
		}
		r.Started, r.Ended = fromMicros(started), fromMicros(ended)
		out = append(out, r)
	}
	return out, rows.Err()
}

// LastExchanges tells of each run that has any when its last exchange was. It reads the whole index.
func (db *DB) LastExchanges(ctx context.Context) (out map[int64]time.Time, err error) {
	rows, err := db.r.QueryContext(ctx, `SELECT run, MAX(at) FROM (SELECT run, at FROM captures UNION ALL SELECT run, at FROM attempts) e GROUP BY run`)
	if err != nil {
		return nil, fmt.Errorf("read the ends of runs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[int64]time.Time{}
	for rows.Next() {
		var run, at int64
		if err := rows.Scan(&run, &at); err != nil {
			return nil, fmt.Errorf("read the ends of runs: %w", err)
		}
		out[run] = fromMicros(at)
	}
	return out, rows.Err()
}

// Tally counts a run's tasks by outcome; "pending" for those that have not ended, "purged" for those of which a purge took
// what they brought.
func (db *DB) Tally(ctx context.Context, run int64) (out map[string]int, err error) {
	rows, err := db.r.QueryContext(ctx, `SELECT CASE WHEN `+sqlOpen+` THEN 'pending' WHEN url='' THEN 'purged' ELSE outcome END, COUNT(*) FROM tasks
		WHERE run=$1 GROUP BY 1`, run)
	if err != nil {
		return nil, fmt.Errorf("count tasks of run %d: %w", run, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string]int{}
	for rows.Next() {
		var o string
		var n int
		if err := rows.Scan(&o, &n); err != nil {
			return nil, err
		}
		out[o] = n
	}
	return out, rows.Err()
}
