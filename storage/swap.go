package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Swap puts rewritten segments in the place of old ones.
type Swap struct {
	Lock     int64             // the token of PurgeLock
	Old      []SegmentRows     // as the plan found them
	New      []Segment         // in the store already …
	Keys     []string          // … under these keys, which are doomed no more
	Captures []Capture         // of the new segments
	Attempts []Attempt         // of the new segments
	Posts    []Post            // that have moved, without citations
	Ledger   Ledger            // of what stands in the new segments
	Moves    map[string]string // places ("segment/offset") that revisits refer to in old segments, and where they find an equal payload now
	Gone     []Post            // that are purged
	Ended    []Task            // ended tasks of which no exchange is left: they stay ended, and nothing else is kept of them
	Forget   []int64           // runs of which nothing is to be left
	Audit    Audit
}

// Swap carries a swap out in one transaction: from then on the old blobs are doomed and the new ones are not. ErrStale if
// the archive has changed since the plan was made, ErrRunActive if a run that is to be forgotten goes on, ErrLocked if the
// lock was lost.
func (db *DB) Swap(ctx context.Context, s *Swap) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.holds(PurgeLock, s.Lock); err != nil {
			return err
		}
		return x.swap(s)
	})
	if err != nil {
		return fmt.Errorf("swap segments: %w", err)
	}
	return nil
}

func (x *tx) swap(s *Swap) error {
	if err := x.restRuns(s.Forget); err != nil {
		return err
	}
	var texts []payload
	for i := range s.Old {
		of, err := x.textsOf(s.Old[i].Segment.ID)
		if err == nil {
			err = x.dropOld(&s.Old[i])
		}
		if err != nil {
			return err
		}
		texts = append(texts, of...)
	}
	for _, n := range s.New {
		if _, err := x.exec(`INSERT INTO segments (`+segmentCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			n.ID, n.Collection, n.Node, n.Location, SegmentStored, n.Committed, n.Size, n.SHA256, micros(n.Created)); err != nil {
			return err
		}
	}
	for _, key := range s.Keys {
		if _, err := x.exec(`DELETE FROM doomed WHERE location=$1`, key); err != nil {
			return err
		}
	}
	if err := errors.Join(x.insertCaptures(s.Captures), x.insertAttempts(s.Attempts), x.addLedger(s.Ledger)); err != nil {
		return err
	}
	// Now, not before: whoever committed a revisit held the row of its original, so that by now its own row is seen.
	for i := range s.Old {
		if err := x.repoint(s.Old[i].Segment.ID, s.Moves); err != nil {
			return err
		}
	}
	for _, p := range s.Posts {
		if _, err := x.exec(`UPDATE posts SET segment=$1, pos=$2 WHERE id=$3 AND run=$4`, p.Segment, p.Offset, p.ID, p.Run); err != nil {
			return err
		}
	}
	return errors.Join(x.dropTexts(texts), x.forget(s), x.audit(s.Audit))
}

// restRuns makes sure that runs which are to be forgotten do not go on, and keeps them from it until the transaction ends.
func (x *tx) restRuns(runs []int64) error {
	for _, run := range slices.Sorted(slices.Values(runs)) {
		state, err := x.strings(`SELECT state FROM runs WHERE id=$1`+x.db.d.forUpdate, run)
		if err != nil {
			return err
		}
		if len(state) > 0 && RunState(state[0]) == RunActive {
			return fmt.Errorf("run %d: %w", run, ErrRunActive)
		}
		more, err := x.completions(run)
		if err != nil {
			return err
		}
		for _, id := range more {
			if !slices.Contains(runs, id) { // it began since the plan was made
				return fmt.Errorf("run %d, which completes run %d: %w", id, run, ErrRunActive)
			}
		}
	}
	return nil
}

// dropOld takes the rows of an old segment away, if they are still what the plan saw.
func (x *tx) dropOld(old *SegmentRows) error {
	s := &old.Segment
	n, err := x.exec(`DELETE FROM segments WHERE id=$1 AND state=$2 AND location=$3`, s.ID, SegmentStored, s.Location)
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("segment %s: %w", s.ID, ErrStale)
	}
	for _, t := range []struct {
		table string
		want  int
	}{{"captures", len(old.Captures)}, {"attempts", len(old.Attempts)}, {"voided", -1}, {"ledger", -1}} {
		n, err := x.exec(`DELETE FROM `+t.table+` WHERE segment=$1`, s.ID)
		if err != nil {
			return err
		}
		if t.want >= 0 && n != int64(t.want) {
			return fmt.Errorf("segment %s has %d %s, not %d: %w", s.ID, n, t.table, t.want, ErrStale)
		}
	}
	if _, err := x.exec(`INSERT INTO doomed (location) VALUES ($1) ON CONFLICT DO NOTHING`, cmp.Or(old.Key, s.Location)); err != nil {
		return err
	}
	_, err = x.exec(`INSERT INTO purged (segment) VALUES ($1) ON CONFLICT DO NOTHING`, s.ID)
	return err
}

// repoint leads the revisits of what stood in an old segment to where it stands now. One for whose original the plan
// knows no place was committed after the plan was made.
func (x *tx) repoint(segment string, moves map[string]string) error {
	places, err := x.strings(`SELECT DISTINCT refers_to FROM captures WHERE refers_to>=$1 AND refers_to<$2 AND refers_to<>''`,
		segment+"/", segment+"0") // the byte after the slash
	if err != nil {
		return err
	}
	for _, from := range places {
		to := moves[from]
		if to == "" {
			return fmt.Errorf("%s is referred to: %w", from, ErrStale)
		}
		if _, err := x.exec(`UPDATE captures SET refers_to=$1 WHERE refers_to=$2 AND refers_to<>''`, to, from); err != nil {
			return err
		}
	}
	return nil
}

// forget takes away what rows outside of segments keep of purged exchanges.
func (x *tx) forget(s *Swap) error {
	for _, p := range s.Gone {
		for _, q := range []string{`DELETE FROM posts WHERE id=$1 AND run=$2`, `DELETE FROM citations WHERE post=$1 AND run=$2`, `DELETE FROM scars WHERE post=$1 AND run=$2`} {
			if _, err := x.exec(q, p.ID, p.Run); err != nil {
				return err
			}
		}
		if err := x.forgetRepairs(p.ID); err != nil {
			return err
		}
	}
	for _, t := range s.Ended {
		if _, err := x.exec(`UPDATE tasks SET url='', via='', hops='', status=0, version=0 WHERE host=$1 AND run=$2 AND id=$3 AND due_at=$4`,
			t.Host, t.Run, t.ID, Never); err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM kept WHERE run=$1 AND host=$2 AND task=$3`, t.Run, t.Host, t.ID); err != nil {
			return err
		}
	}
	if err := x.dropUncited(); err != nil {
		return err
	}
	// What is left is folded anew without what goes now.
	if _, err := x.exec(`UPDATE links SET stale=stale+1`); err != nil {
		return err
	}
	return x.forgetRuns(s.Forget)
}

// AdoptForgotten takes away what a rebuild has made of runs that purges have forgotten.
func (db *DB) AdoptForgotten(ctx context.Context, runs ...int64) error {
	err := db.write(ctx, func(x *tx) error { return x.forgetRuns(runs) })
	if err != nil {
		return fmt.Errorf("forget runs: %w", err)
	}
	return nil
}

func (x *tx) forgetRuns(runs []int64) error {
	for _, run := range runs {
		if _, err := x.exec(`UPDATE runs SET source='', spec='{}', changes='', cut='', state=$1 WHERE id=$2`, RunDone, run); err != nil {
			return err
		}
		for _, table := range []string{"tasks", "progress", "kept", "documents", "ledger", "traps"} {
			if _, err := x.exec(`DELETE FROM `+table+` WHERE run=$1`, run); err != nil {
				return err
			}
		}
	}
	return nil
}
