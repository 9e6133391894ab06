package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

const sqlLetRuns = `DELETE FROM segment_runs WHERE segment=$1`

// holdRuns takes note of the runs of which the segments hold something now: they are not done before it is stored.
func (x *tx) holdRuns(ends []End, fenced []int) error {
	type pair struct {
		segment string
		run     int64
	}
	var pairs []pair
	add := func(segment string, run int64) {
		if p := (pair{segment, run}); run != 0 && !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	for i := range ends {
		if slices.Contains(fenced, i) {
			continue
		}
		for _, c := range ends[i].Captures {
			add(c.Segment, c.Run)
		}
		for _, a := range ends[i].Attempts {
			add(a.Segment, a.Run)
		}
	}
	args := make([]any, 0, 2*len(pairs))
	for _, p := range pairs {
		args = append(args, p.segment, p.run)
	}
	_, err := x.insert(`INSERT INTO segment_runs (segment, run)`, ` ON CONFLICT DO NOTHING`, 2, args)
	return err
}

// keep writes what an end hands on. A task that is done anew hands on anew.
func (x *tx) keep(e *End) error {
	if e.Keep == nil {
		return nil
	}
	_, err := x.exec(`INSERT INTO kept (run, host, task, body) VALUES ($1,$2,$3,$4)
		ON CONFLICT (run, host, task) DO UPDATE SET body=excluded.body`, e.Task.Run, e.Task.Host, e.Task.ID, e.Keep)
	return err
}

// Kept brings what a task handed on when it ended; ErrNotFound if it handed on nothing, or the run is done.
func (db *DB) Kept(ctx context.Context, host string, run, task int64) ([]byte, error) {
	var body []byte
	err := db.r.QueryRowContext(ctx, `SELECT body FROM kept WHERE run=$1 AND host=$2 AND task=$3`, run, host, task).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("what task %d of run %d handed on: %w", task, run, err)
	}
	return body, nil
}
