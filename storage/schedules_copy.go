package storage

import (
	"context"
	"errors"
	"fmt"
)

// CopySchedules carries what no WARC file tells from one database over to another that was made anew: schedules, with
// their pauses and due times, what they know of entries, and of each of their runs that was done that it was, what cut it
// and how it differed. It tells how many schedules there are. What is there already stays.
func CopySchedules(ctx context.Context, from, to *DB) (int, error) {
	list, err := from.Schedules(ctx)
	if err != nil {
		return 0, err
	}
	for _, s := range list {
		if err := to.PutSchedule(ctx, s); err != nil {
			return 0, err
		}
		if err := to.copyEntries(ctx, from, s.Name); err != nil {
			return 0, fmt.Errorf("copy schedule %s: %w", s.Name, err)
		}
		runs, err := from.ScheduleRuns(ctx, s.Name, 1<<30)
		if err == nil {
			err = to.copyEnds(ctx, s, runs)
		}
		if err != nil {
			return 0, fmt.Errorf("copy the runs of schedule %s: %w", s.Name, err)
		}
	}
	return len(list), nil
}

func (db *DB) copyEntries(ctx context.Context, from *DB, name string) (err error) {
	rows, err := from.r.QueryContext(ctx, `SELECT id, url, stamp, listed, task, run FROM entries WHERE schedule=$1`, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var args []any
	flush := func() error {
		err := db.write(ctx, func(x *tx) error {
			_, err := x.insert(`INSERT INTO entries (schedule, id, url, stamp, listed, task, run)`,
				` ON CONFLICT (schedule, id) DO UPDATE SET stamp=excluded.stamp, listed=excluded.listed, task=excluded.task, run=excluded.run`, 7, args)
			return err
		})
		args = args[:0]
		return err
	}
	for rows.Next() {
		var id, task, run int64
		var url, stamp, listed string
		if err := rows.Scan(&id, &url, &stamp, &listed, &task, &run); err != nil {
			return err
		}
		if args = append(args, name, id, url, stamp, listed, task, run); len(args) >= 7*512 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return flush()
}

// copyEnds ends the runs that were done: of one that was cut, what is left is what the budget had no room for.
func (db *DB) copyEnds(ctx context.Context, s Schedule, runs []Run) error {
	return db.write(ctx, func(x *tx) error {
		last, err := x.strings(`SELECT 'there' FROM runs WHERE id=$1`, s.LastRun)
		if err != nil {
			return err
		}
		if len(last) > 0 {
			if _, err := x.exec(`UPDATE schedules SET last_run=$1 WHERE name=$2`, s.LastRun, s.Name); err != nil {
				return err
			}
		}
		for _, r := range runs {
			if r.State != RunDone {
				continue
			}
			if r.Cut != "" {
				if _, err := x.exec(`UPDATE tasks SET due_at=$1, outcome=$2 WHERE run=$3 AND `+sqlOpen, Never, outcomeQuota, r.ID); err != nil {
					return err
				}
			}
			if _, err := x.exec(`UPDATE runs SET state=$1, ended=$2, cut=$3, changes=$4, fault=$7 WHERE id=$5 AND schedule=$6
				AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.run=$5 AND t.`+sqlOpen+`)`,
				RunDone, micros(r.Ended), r.Cut, string(r.Changes), r.ID, s.Name, r.Fault); err != nil {
				return err
			}
		}
		return nil
	})
}
