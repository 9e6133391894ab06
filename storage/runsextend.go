package storage

import (
	"context"
	"fmt"
)

// ExtendRun gives a run more tasks and makes what is left of it due, as ResumeRun does. It says no, and changes nothing, if the run
// can't take any: it is done, or one of its limits is used up. A run that has taken tasks is not done before they have ended.
func (db *DB) ExtendRun(ctx context.Context, id int64, more []Task) (bool, error) {
	var took bool
	err := db.write(ctx, func(x *tx) error {
		var err error
		took, err = x.extendRun(id, more)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("give run %d more to do: %w", id, err)
	}
	return took, nil
}

func (x *tx) extendRun(id int64, more []Task) (bool, error) {
	takes := false
	// The run's row first, as whoever finishes it does.
	err := x.each(func(r row) error {
		takes = true
		return r.Scan(&id)
	}, `SELECT id FROM runs WHERE id=$1 AND state<>'done' AND cut=''`+x.db.d.forUpdate, id)
	if err != nil || !takes {
		return false, err
	}
	if err := x.resume(id); err != nil {
		return false, err
	}
	if err := x.prepareHosts(hostsOf(more)); err != nil {
		return false, err
	}
	for i := range more {
		more[i].Run = id
	}
	n, err := x.enqueue(more)
	if err != nil || n == 0 {
		return err == nil, err
	}
	return true, x.addCounts(beginner, map[int64]Counts{id: {Found: int64(n)}})
}
