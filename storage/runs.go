package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const runCols = `id, collection, source, spec, counters, state, started, ended`

// StartRun writes a new run with its first tasks and gives it its number. The tasks' Run is set to it.
func (db *DB) StartRun(ctx context.Context, r Run, first []Task) (Run, error) {
	r.State = RunActive
	err := db.write(ctx, func(x *tx) error {
		if err := x.t.QueryRowContext(ctx, `SELECT COALESCE(MAX(id),0)+1 FROM runs`).Scan(&r.ID); err != nil {
			return fmt.Errorf("number run: %w", err)
		}
		if err := x.insertRun(r); err != nil {
			return err
		}
		for i := range first {
			first[i].Run = r.ID
		}
		if err := x.prepareHosts(hostsOf(first)); err != nil {
			return err
		}
		_, err := x.enqueue(first)
		return err
	})
	if err != nil {
		return Run{}, fmt.Errorf("start run: %w", err)
	}
	return r, nil
}

func (x *tx) insertRun(r Run) error {
	_, err := x.exec(`INSERT INTO runs (`+runCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT DO NOTHING`,
		r.ID, r.Collection, r.Source, string(r.Spec), string(r.Counters), r.State, micros(r.Started), micros(r.Ended))
	return err
}

// AdoptRun writes the row of a run that a rebuild found, or leaves the one that is there.
func (db *DB) AdoptRun(ctx context.Context, r Run) error {
	if err := db.write(ctx, func(x *tx) error { return x.insertRun(r) }); err != nil {
		return fmt.Errorf("adopt run %d: %w", r.ID, err)
	}
	return nil
}

// UpdateRun writes a run's counters, and its state and end.
func (db *DB) UpdateRun(ctx context.Context, r Run) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE runs SET counters=$1, state=$2, ended=$3 WHERE id=$4`, string(r.Counters), r.State, micros(r.Ended), r.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("update run %d: %w", r.ID, err)
	}
	return nil
}

// PauseRun parks what is left of a run: nothing of it is due until ResumeRun.
func (db *DB) PauseRun(ctx context.Context, id int64) error {
	return db.shift(ctx, id, RunPaused, `UPDATE tasks SET due_at=due_at+$1 WHERE run=$2 AND due_at<$1 AND `+sqlOpen)
}

// ResumeRun makes what is left of a run due again.
func (db *DB) ResumeRun(ctx context.Context, id int64) error {
	return db.shift(ctx, id, RunActive, `UPDATE tasks SET due_at=due_at-$1 WHERE run=$2 AND due_at>=$1 AND `+sqlOpen)
}

func (db *DB) shift(ctx context.Context, id int64, state RunState, q string) error {
	err := db.write(ctx, func(x *tx) error {
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
			if _, err := x.exec(`UPDATE hosts SET next_at = COALESCE((SELECT MIN(due_at) FROM tasks WHERE host=$1 AND `+sqlOpen+`), $2)
				WHERE host=$1 AND lease=0`, h, Never); err != nil {
				return err
			}
		}
		_, err = x.exec(`UPDATE runs SET state=$1 WHERE id=$2`, state, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("set run %d to %s: %w", id, state, err)
	}
	return nil
}

// Run brings one run; ErrNotFound if there is none.
func (db *DB) Run(ctx context.Context, id int64) (Run, error) {
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
		var spec, counters sql.NullString
		var started, ended int64
		if err := rows.Scan(&r.ID, &r.Collection, &r.Source, &spec, &counters, &r.State, &started, &ended); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		r.Spec, r.Counters = []byte(spec.String), []byte(counters.String)
		r.Started, r.Ended = fromMicros(started), fromMicros(ended)
		out = append(out, r)
	}
	return out, rows.Err()
}
