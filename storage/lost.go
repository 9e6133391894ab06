package storage

import (
	"context"
	"fmt"
	"hash/fnv"
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
	Cut                       int64 // tasks that are not: a budget has cut their run
	Runs                      []int64
}

// againDue is the due time of a task whose capture was lost: at once, before what is less urgent than a page's requisites.
const againDue = 100

// LoseSegment gives a segment up whose machine never comes back. In one transaction its captures, attempts and posts go,
// the tasks that they had ended are due again, the entries of feeds and sitemaps among them are not known any more, and
// their runs are active again if they were done. Of a run that a budget has cut, the tasks end as all that there was no
// room for. ErrSegmentGone if it is stored, lost already, or not there.
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
		if err := x.loseOf(id, node[0], run, &l); err != nil {
			return l, err
		}
	}
	err = x.dropRows(id, &l)
	return l, err
}

// segmentMark is what the row of a task keeps of the segment in which its last try stands: enough to tell one of its
// tries from another, in a few bytes. Never 0, which says that nobody knows.
func segmentMark(id string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return int64(h.Sum32()>>1) | 1
}

// mark is the segmentMark of the end of a try; 0 if nothing of it stands anywhere.
func (e *End) mark() int64 {
	switch {
	case len(e.Captures) > 0:
		return segmentMark(e.Captures[len(e.Captures)-1].Segment)
	case len(e.Attempts) > 0:
		return segmentMark(e.Attempts[len(e.Attempts)-1].Segment)
	}
	return 0
}

// sqlEndedIn are the tasks of run $2 whose last end stands in segment $1, whose mark is $3. No clock decides: those of two
// machines differ.
const sqlEndedIn = `run=$2 AND due_at=1152921504606846976 AND stands IN ($3,0) AND url IN (
	SELECT url FROM captures WHERE segment=$1 AND run=$2 UNION SELECT url FROM attempts WHERE segment=$1 AND run=$2)`

// loseOf makes those tasks of a run due again whose last end stands in the segment.
func (x *tx) loseOf(id, node string, run int64, l *Loss) error {
	if _, err := x.exec(`UPDATE runs SET state=$1, ended=0 WHERE id=$2 AND state=$3`, RunActive, run, RunDone); err != nil {
		return err
	}
	paused, err := x.paused([]Task{{Run: run}})
	if err != nil {
		return err
	}
	mark := segmentMark(id)
	hosts, err := x.strings(`SELECT DISTINCT host FROM tasks WHERE `+sqlEndedIn+` ORDER BY host`, id, run, mark)
	if err != nil {
		return err
	}
	for _, h := range hosts { // one by one: they may be more than a statement takes
		if err := x.lockHosts([]string{h}); err != nil {
			return err
		}
	}
	pages, err := x.numbers(`SELECT COUNT(*) FROM tasks WHERE kind='`+kindPage+`' AND `+sqlEndedIn, id, run, mark)
	if err != nil {
		return err
	}
	if _, err := x.exec(`UPDATE entries SET stamp='', run=0 WHERE run=$2 AND stamp<>''
		AND schedule=(SELECT schedule FROM runs WHERE id=$2)
		AND task IN (SELECT id FROM tasks WHERE `+sqlEndedIn+`)`, id, run, mark); err != nil {
		return err
	}
	again := paused.parkOne(Task{Run: run, Due: againDue})
	n, err := x.exec(`UPDATE tasks SET due_at=$4, outcome=$5, status=0, version=0 WHERE `+sqlEndedIn, id, run, mark, again.Due, again.Outcome)
	if err != nil {
		return err
	}
	if again.Due == Never {
		l.Cut += n
	} else {
		l.Tasks += n
	}
	for _, h := range hosts {
		if _, err := x.exec(sqlWake, h); err != nil {
			return err
		}
	}
	return x.uncount(id, node, run, n, pages[0])
}

// uncount takes what is lost out of a run's counts, in a row of its own: the node may still write its own row.
func (x *tx) uncount(id, node string, run, tasks, pages int64) error {
	captured, err := x.numbers(`SELECT COUNT(*) FROM captures WHERE segment=$1 AND run=$2`, id, run)
	if err != nil {
		return err
	}
	return x.addCounts("lost by "+node, map[int64]Counts{run: {Ended: -tasks, Pages: -pages, Captured: -captured[0], Failed: -max(0, tasks-captured[0])}})
}

// dropRows deletes all that stands in the segment.
func (x *tx) dropRows(id string, l *Loss) error {
	texts, err := x.textsOf(id)
	if err != nil {
		return err
	}
	for _, d := range []struct {
		n *int64
		q string
	}{
		{nil, `DELETE FROM citations WHERE run IN (SELECT run FROM segment_runs WHERE segment=$1)
			AND EXISTS (SELECT 1 FROM posts p WHERE p.id=citations.post AND p.run=citations.run AND p.segment=$1)`},
		{nil, `DELETE FROM scars WHERE run IN (SELECT run FROM segment_runs WHERE segment=$1)
			AND EXISTS (SELECT 1 FROM posts p WHERE p.id=scars.post AND p.run=scars.run AND p.segment=$1)`},
		{&l.Posts, `DELETE FROM posts WHERE run IN (SELECT run FROM segment_runs WHERE segment=$1) AND segment=$1`},
		{&l.Captures, `DELETE FROM captures WHERE segment=$1`},
		{&l.Attempts, `DELETE FROM attempts WHERE segment=$1`},
		{nil, `DELETE FROM ledger WHERE segment=$1`},
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
	return x.dropTexts(texts)
}

func (x *tx) numbers(q string, args ...any) (out []int64, err error) {
	err = x.each(func(r row) error {
		var n int64
		err := r.Scan(&n)
		out = append(out, n)
		return err
	}, q, args...)
	return out, err
}
