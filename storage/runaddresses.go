package storage

import (
	"context"
	"fmt"
	"iter"
	"math"
)

// RunAddress is a task of a run, and how its last try was answered.
type RunAddress struct {
	Task
	Status int // 0 if there was no response
}

// RunRequisites brings up to n addresses that the pages of a run need to be seen, in no order: URL, Via, Due, Outcome and Status of
// each. What was purged is not among them.
func (db *DB) RunRequisites(ctx context.Context, run int64, n int) ([]RunAddress, error) {
	out, err := rowsOf(ctx, db, func(r row) (a RunAddress, err error) {
		a.Run, a.Kind = run, "requisite"
		err = r.Scan(&a.URL, &a.Via, &a.Due, &a.Outcome, &a.Status)
		return a, err
	}, `SELECT url, via, due_at, outcome, status FROM tasks WHERE run=$1 AND kind='requisite' AND url<>'' LIMIT $2`, run, n)
	if err != nil {
		return nil, fmt.Errorf("read what the pages of run %d need: %w", run, err)
	}
	return out, nil
}

// RunAddresses yields all that a run asked for, or is still to.
func (db *DB) RunAddresses(ctx context.Context, run int64) iter.Seq2[RunAddress, error] {
	scan := func(r row) (a RunAddress, err error) {
		a.Run = run
		err = r.Scan(&a.Host, &a.ID, &a.URL, &a.Kind, &a.Depth, &a.Hops, &a.Via, &a.Due, &a.Attempts, &a.Outcome, &a.Status)
		return a, err
	}
	return func(yield func(RunAddress, error) bool) {
		host, id := "", int64(math.MinInt64)
		for {
			page, err := rowsOf(ctx, db, scan, `SELECT host, id, url, kind, depth, hops, via, due_at, attempts, outcome, status FROM tasks
				WHERE run=$1 AND (host, id) > ($2, $3) ORDER BY host, id LIMIT $4`, run, host, id, pageRows)
			if err != nil {
				yield(RunAddress{}, fmt.Errorf("read what run %d asked for: %w", run, err))
				return
			}
			for _, a := range page {
				if !yield(a, nil) {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
			host, id = page[len(page)-1].Host, page[len(page)-1].ID
		}
	}
}

// Completions brings the runs that were begun to ask for what a run lacked, oldest first. Their specs name it.
func (db *DB) Completions(ctx context.Context, r Run) ([]Run, error) {
	return db.runs(ctx, `WHERE collection=$1 AND source=$2 AND id>$3 AND spec LIKE $4 ORDER BY id`,
		r.Collection, r.Source, r.ID, sqlMissing(r.ID))
}

// completions are the numbers of the runs that complete a run.
func (x *tx) completions(run int64) (out []int64, err error) {
	err = x.each(func(r row) error {
		var id int64
		err := r.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT c.id FROM runs c, runs r WHERE r.id=$1 AND c.collection=r.collection AND c.source=r.source AND c.id>r.id AND c.spec LIKE $2 ORDER BY c.id`,
		run, sqlMissing(run))
	return out, err
}

// sqlMissing is how the specs of runs look that complete a run: "missing", followed by another field.
func sqlMissing(run int64) string { return fmt.Sprintf(`%%"missing":%d,%%`, run) }
