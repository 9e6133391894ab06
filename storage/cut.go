package storage

import (
	"context"
	"fmt"
)

// outcomeQuota is how a task ends that a budget leaves no room for, see archive/outcome.
const outcomeQuota = "quota"

// CutRun ends what is left of a run, because one of its budgets is used up; the first that says so is written into its
// row. Tasks on hosts that somebody holds are left to the holder, who may have them under way (CutTasks); what is
// discovered from now on ends as it comes. A run that has nothing left is not cut: it tells whether this one is.
func (db *DB) CutRun(ctx context.Context, run int64, budget string) (cut bool, err error) {
	err = db.write(ctx, func(x *tx) error {
		// The run's row first: who adds tasks to the run looks at it under a lock.
		if _, err := x.exec(`UPDATE runs SET cut=$1 WHERE id=$2 AND cut='' AND state=$3
			AND EXISTS (SELECT 1 FROM tasks t WHERE t.run=$2 AND t.`+sqlOpen+`)`, budget, run, RunActive); err != nil {
			return err
		}
		was, err := x.strings(`SELECT cut FROM runs WHERE id=$1 AND cut<>''`, run)
		if cut = len(was) > 0; err != nil || !cut {
			return err
		}
		hosts, err := x.strings(`SELECT DISTINCT host FROM tasks WHERE run=$1 AND `+sqlOpen+` ORDER BY host`, run)
		if err != nil {
			return err
		}
		if len(hosts) == 0 {
			return nil
		}
		if err := x.lockHosts(hosts); err != nil {
			return err
		}
		_, err = x.exec(`UPDATE tasks SET due_at=$1, outcome=$2 WHERE run=$3 AND `+sqlOpen+`
			AND EXISTS (SELECT 1 FROM hosts WHERE hosts.host=tasks.host AND lease=0)`, Never, outcomeQuota, run)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("cut run %d: %w", run, err)
	}
	return cut, nil
}

// CutTasks ends the tasks of a run that was cut on a leased host, but for those that the holder has under way.
func (db *DB) CutTasks(ctx context.Context, l Lease, run int64, busy []int64) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.lockHosts([]string{l.Host}); err != nil {
			return err
		}
		args := []any{Never, outcomeQuota, l.Host, run, l.Token}
		q := `UPDATE tasks SET due_at=$1, outcome=$2 WHERE host=$3 AND run=$4 AND ` + sqlOpen +
			` AND EXISTS (SELECT 1 FROM hosts WHERE host=$3 AND lease=$5 AND lease<>0)`
		for i, id := range busy {
			q += fmt.Sprintf(` AND id<>$%d`, i+6)
			args = append(args, id)
		}
		_, err := x.exec(q, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("cut run %d on %s: %w", run, l.Host, err)
	}
	return nil
}
