package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ActiveRun is a run that is worked on.
type ActiveRun struct {
	ID   int64
	Open bool // some task of it has not ended
	Held bool // something of it is not stored yet
}

// Active brings the runs that are worked on, oldest first.
func (db *DB) Active(ctx context.Context) (out []ActiveRun, err error) {
	// The first condition is that of the index.
	rows, err := db.r.QueryContext(ctx, `SELECT id, CASE WHEN EXISTS (SELECT 1 FROM tasks t WHERE t.run=runs.id AND t.`+sqlOpen+`)
		THEN 1 ELSE 0 END, CASE WHEN EXISTS (SELECT 1 FROM segment_runs s WHERE s.run=runs.id) THEN 1 ELSE 0 END FROM runs WHERE state<>'done' AND state=$1 ORDER BY id`, RunActive)
	if err != nil {
		return nil, fmt.Errorf("read active runs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r ActiveRun
		var open, held int
		if err := rows.Scan(&r.ID, &open, &held); err != nil {
			return nil, fmt.Errorf("read active runs: %w", err)
		}
		r.Open, r.Held = open != 0, held != 0
		out = append(out, r)
	}
	return out, rows.Err()
}

// FinishRun marks a run as done, and says whether it did: if the run is active, no task of it is open, and all that it
// captured is stored, on whatever node. Any number of workers may try at the same time; one of them finishes it.
func (db *DB) FinishRun(ctx context.Context, id int64, ended time.Time) (bool, error) {
	var did bool
	err := db.write(ctx, func(x *tx) error {
		// Who gives the run more to do has locked its row: what comes next sees that.
		if lock := db.d.forUpdate; lock != "" {
			if err := x.put(`SELECT id FROM runs WHERE id=$1`+lock, id); err != nil {
				return err
			}
		}
		// One statement, one view of the database: whoever ends the last task notes in the same transaction which segment
		// holds it, so that there is no view in which neither is there.
		n, err := x.exec(`UPDATE runs SET state=$1, ended=$2 WHERE id=$3 AND state=$4
			AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.run=$3 AND t.`+sqlOpen+`)
			AND NOT EXISTS (SELECT 1 FROM segment_runs s WHERE s.run=$3)`, RunDone, micros(ended), id, RunActive)
		did = n == 1
		if err != nil || !did {
			return err
		}
		return x.runIsDone(id)
	})
	if err != nil {
		return false, fmt.Errorf("finish run %d: %w", id, err)
	}
	return did, nil
}

// runIsDone drops what only the work on a run needs.
func (x *tx) runIsDone(id int64) error {
	for _, q := range []string{`DELETE FROM documents WHERE run=$1`, `DELETE FROM kept WHERE run=$1`, `DELETE FROM traps WHERE run=$1`} {
		if _, err := x.exec(q, id); err != nil {
			return err
		}
	}
	return nil
}

// CountRuns writes how far a node has come with runs: all that it has done since each began. What it leaves out, because it
// was stopped before it knew of it, and Commit has counted, stays counted.
func (db *DB) CountRuns(ctx context.Context, node string, counts map[int64]Counts) error {
	err := db.write(ctx, func(x *tx) error {
		return x.putCounts(node, counts, func(col string) string {
			return `CASE WHEN excluded.` + col + `>progress.` + col + ` THEN excluded.` + col + ` ELSE progress.` + col + ` END`
		})
	})
	if err != nil {
		return fmt.Errorf("count runs: %w", err)
	}
	return nil
}

// countEnds counts the ends that count.
func (x *tx) countEnds(node string, ends []End, held []bool) error {
	if node == "" { // nothing of them stands in a segment
		return nil
	}
	counts := map[int64]Counts{}
	for i := range ends {
		if held[i] {
			counts[ends[i].Task.Run] = counts[ends[i].Task.Run].with(&ends[i])
		}
	}
	return x.addCounts(node, counts)
}

// with are the counts with one more end.
func (c Counts) with(e *End) Counts {
	c.Found += int64(e.Added)
	c.Bytes += e.Bytes
	c.Captured += int64(len(e.Captures))
	if e.Task.Due != Never {
		return c
	}
	c.Ended++
	if e.Task.Kind == kindPage {
		c.Pages++
	}
	if len(e.Captures) == 0 {
		c.Failed++
	}
	return c
}

// kindPage is the kind of the tasks that a budget of pages counts, see crawler/scope.
const kindPage = "page"

// addCounts adds to the counts of a node.
func (x *tx) addCounts(node string, counts map[int64]Counts) error {
	return x.putCounts(node, counts, func(col string) string { return `progress.` + col + `+excluded.` + col })
}

// putCounts writes a node's counts, in the order of the runs; where there are some, each becomes what merged says of its
// column.
func (x *tx) putCounts(node string, counts map[int64]Counts, merged func(col string) string) error {
	args := make([]any, 0, 8*len(counts))
	for _, run := range slices.Sorted(maps.Keys(counts)) {
		c := counts[run]
		args = append(args, run, node, c.Found, c.Ended, c.Captured, c.Failed, c.Bytes, c.Pages)
	}
	cols := []string{"found", "ended", "captured", "failed", "bytes", "pages"}
	set := make([]string, len(cols))
	for i, col := range cols {
		set[i] = col + `=` + merged(col)
	}
	return x.putRows(`INSERT INTO progress (run, node, `+strings.Join(cols, ", ")+`)`,
		` ON CONFLICT (run, node) DO UPDATE SET `+strings.Join(set, ", "), 8, args)
}

// beginner is the node that counts the tasks with which a run begins.
const beginner = ""

// countFirst counts the tasks with which a run begins: every other one is counted by the node that finds it.
func (x *tx) countFirst(run int64, n int) error {
	if n == 0 {
		return nil
	}
	_, err := x.exec(`INSERT INTO progress (run, node, found, ended, captured, failed, bytes) VALUES ($1,$2,$3,0,0,0,0)`, run, beginner, n)
	return err
}
