package storage

import (
	"context"
	"errors"
	"fmt"
)

// Unstored brings the segments that are to be stored yet, open or sealed, by node, oldest first.
func (db *DB) Unstored(ctx context.Context) ([]Segment, error) {
	return db.segments(ctx, `WHERE state IN ('open','sealed') ORDER BY node, id`)
}

// Lost brings the segments that were given up, by node, oldest first.
func (db *DB) Lost(ctx context.Context) ([]Segment, error) {
	return db.segments(ctx, `WHERE state='lost' ORDER BY node, id`)
}

// Loss is what went with a segment.
type Loss struct {
	Captures, Attempts, Posts int64
	Tasks                     int64 // due again
	Runs                      []int64
}

// againDue is the due time of a task whose capture was lost: at once, before what is less urgent than a page's requisites.
const againDue = 100

// LoseSegment gives a segment up whose machine never comes back. In one transaction its captures, attempts and posts go,
// the tasks that they had ended are due again, and their runs are active again if they were done. ErrSegmentGone if it is
// stored, lost already, or not there.
func (db *DB) LoseSegment(ctx context.Context, id string) (Loss, error) {
	var l Loss
	err := db.write(ctx, func(x *tx) (err error) {
		l, err = x.loseSegment(id)
		return err
	})
	if err != nil {
		return Loss{}, fmt.Errorf("give up segment %s: %w", id, err)
	}
	return l, nil
}

func (x *tx) loseSegment(id string) (Loss, error) {
	var l Loss
	// The segment's row first: a commit into it waits, and finds it lost.
	n, err := x.exec(`UPDATE segments SET state=$1 WHERE id=$2 AND state IN ('open','sealed')`, SegmentLost, id)
	if err == nil && n != 1 {
		err = ErrSegmentGone
	}
	if err != nil {
		return l, err
	}
	node, err := x.strings(`SELECT node FROM segments WHERE id=$1`, id)
	if err != nil {
		return l, err
	}
	if l.Runs, err = x.numbers(`SELECT run FROM segment_runs WHERE segment=$1 ORDER BY run`, id); err != nil {
		return l, err
	}
	for _, run := range l.Runs {
		again, err := x.loseOf(id, run)
		if err != nil {
			return l, err
		}
		l.Tasks += again
		if err := x.uncount(id, node[0], run, again); err != nil {
			return l, err
		}
	}
	err = x.dropRows(id, &l)
	return l, err
}

// loseOf makes those tasks of a run due again whose last end stands in the segment.
func (x *tx) loseOf(id string, run int64) (int64, error) {
	if _, err := x.exec(`UPDATE runs SET state=$1, ended=0 WHERE id=$2 AND state=$3`, RunActive, run, RunDone); err != nil {
		return 0, err
	}
	paused, err := x.paused([]Task{{Run: run}})
	if err != nil {
		return 0, err
	}
	const ended = `run=$2 AND due_at=1152921504606846976 AND url IN (` + sqlLastIn + `)`
	hosts, err := x.strings(`SELECT DISTINCT host FROM tasks WHERE `+ended+` ORDER BY host`, id, run)
	if err != nil || len(hosts) == 0 {
		return 0, err
	}
	for _, h := range hosts { // one by one: they may be more than a statement takes
		if err := x.lockHosts([]string{h}); err != nil {
			return 0, err
		}
	}
	due := paused.parkOne(Task{Run: run, Due: againDue}).Due
	n, err := x.exec(`UPDATE tasks SET due_at=$3, outcome='' WHERE `+ended, id, run, due)
	if err != nil {
		return 0, err
	}
	for _, h := range hosts {
		if _, err := x.exec(sqlWake, h); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// sqlLastIn are the URLs of run $2 whose last exchange stands in segment $1.
const sqlLastIn = `SELECT a.url FROM captures a WHERE a.segment=$1 AND a.run=$2` + sqlNoneAfter + `
	UNION SELECT a.url FROM attempts a WHERE a.segment=$1 AND a.run=$2` + sqlNoneAfter

const sqlNoneAfter = ` AND NOT EXISTS (SELECT 1 FROM captures o WHERE o.collection=a.collection AND o.urlkey=a.urlkey
		AND o.at>a.at AND o.run=a.run AND o.url=a.url AND o.segment<>a.segment)
	AND NOT EXISTS (SELECT 1 FROM attempts o WHERE o.collection=a.collection AND o.urlkey=a.urlkey
		AND o.at>a.at AND o.run=a.run AND o.url=a.url AND o.segment<>a.segment)`

// uncount takes what is lost out of a run's counts, in a row of its own: the node may still write its own row.
func (x *tx) uncount(id, node string, run, again int64) error {
	captured, err := x.numbers(`SELECT COUNT(*) FROM captures WHERE segment=$1 AND run=$2`, id, run)
	if err != nil {
		return err
	}
	_, err = x.exec(`INSERT INTO progress (run, node, found, ended, captured, failed, bytes) VALUES ($1,$2,0,$3,$4,$5,0)
		ON CONFLICT (run, node) DO UPDATE SET ended=progress.ended+excluded.ended, captured=progress.captured+excluded.captured,
		failed=progress.failed+excluded.failed`, run, "lost by "+node, -again, -captured[0], -max(0, again-captured[0]))
	return err
}

// dropRows deletes all that stands in the segment.
func (x *tx) dropRows(id string, l *Loss) error {
	for _, d := range []struct {
		n *int64
		q string
	}{
		{nil, `DELETE FROM citations WHERE run IN (SELECT run FROM segment_runs WHERE segment=$1)
			AND EXISTS (SELECT 1 FROM posts p WHERE p.id=citations.post AND p.run=citations.run AND p.segment=$1)`},
		{&l.Posts, `DELETE FROM posts WHERE run IN (SELECT run FROM segment_runs WHERE segment=$1) AND segment=$1`},
		{&l.Captures, `DELETE FROM captures WHERE segment=$1`},
		{&l.Attempts, `DELETE FROM attempts WHERE segment=$1`},
		{nil, sqlLetRuns},
	} {
		n, err := x.exec(d.q, id)
		if err != nil {
			return err
		}
		if d.n != nil {
			*d.n = n
		}
	}
	return nil
}

func (x *tx) numbers(q string, args ...any) (out []int64, err error) {
	rows, err := x.query(q, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}
