package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Progress says how far rows account for a segment's bytes.
type Progress struct {
	Segment   string
	Committed int64
}

// End is how one try of a task ended, with all that it brought.
type End struct {
	Task     Task  // Outcome, Due and Attempts as they are now; Due is Never unless it is tried again
	Token    int64 // the lease under which it was done
	Captures []Capture
	Attempts []Attempt
	Post     *Post
	New      []Task        // discovered
	Keep     []byte        // what whoever holds the host next needs of the task while its segment is not stored; see DB.Kept
	Bytes    int64         // of the payload
	Took     time.Duration // the whole exchange, to the millisecond
	LeftOut  []LeftOut     // links that did not become tasks
	Counted  []string      // kinds of pages that it counts for, see DB.Tallies; empty where nothing is counted
	Named    []Named       // requisites that it names and that count against a limit; those of a try that is repeated count, too
	Look     *LookEnd      // of a look at a link: what it says of that
	Added    int           // how many of New the database did not have; Commit fills it in
}

// Commit is the acknowledgement: one transaction that makes a group of exchanges count, whose bytes the caller has made
// durable before. They are counted for the node whose segments they stand in, so that a budget holds whatever is killed.
// It tells the indexes of those ends whose lease was no longer held: nothing of them counts. If a
// segment is no longer open, nothing is written and the error is ErrSegmentGone.
func (db *DB) Commit(ctx context.Context, progress []Progress, ends []End) (fenced []int, err error) {
	err = db.write(ctx, func(x *tx) error {
		fenced = fenced[:0]
		nodes, err := x.advance(progress)
		if err != nil {
			return err
		}
		var found, ended []Task
		for i := range ends {
			found, ended = append(found, ends[i].New...), append(ended, ends[i].Task)
			if l := ends[i].Look; l != nil && l.Root.Host != "" {
				found = append(found, l.Root)
			}
		}
		touched := slices.Concat(ended, found)
		paused, err := x.paused(touched)
		if err != nil {
			return err
		}
		node, err := nodes()
		if err != nil {
			return err
		}
		// The host of a task that is leased has its row already.
		if err := x.makeHosts(hostsOf(found)); err != nil {
			return err
		}
		if err := x.lockHosts(hostsOf(touched)); err != nil {
			return err
		}
		held, err := x.endAll(ends, paused)
		if err != nil {
			return err
		}
		for i := range ends {
			if !held[i] {
				fenced = append(fenced, i)
				if err := x.insertVoided(&ends[i]); err != nil {
					return err
				}
			}
		}
		if err := x.noteEnds(node, ends, held); err != nil {
			return err
		}
		if err := x.tally(ends, held); err != nil {
			return err
		}
		if err := x.endLooks(ends, held); err != nil {
			return err
		}
		return x.holdRuns(ends, fenced)
	})
	if err != nil {
		return nil, fmt.Errorf("commit exchanges: %w", err)
	}
	return fenced, nil
}

// advance notes how far segments have come. After the next trip, node tells whose they are.
func (x *tx) advance(progress []Progress) (node func() (string, error), err error) {
	nodes := make([]string, len(progress))
	there := make([]bool, len(progress))
	for i, p := range progress {
		err := x.soon(func(r row) error {
			there[i] = true
			return r.Scan(&nodes[i])
		}, `UPDATE segments SET committed=$1 WHERE id=$2 AND state=$3 AND committed<=$1 RETURNING node`, p.Committed, p.Segment, SegmentOpen)
		if err != nil {
			return nil, err
		}
	}
	return func() (node string, err error) {
		for i, p := range progress {
			if !there[i] {
				return "", fmt.Errorf("segment %s: %w", p.Segment, ErrSegmentGone)
			}
			node = nodes[i]
		}
		return node, nil
	}, nil
}

// end writes one task's end, if its lease is still held, it has not ended already, and what its revisit refers to is there.
func (x *tx) end(e *End, paused runSet) (held bool, err error) {
	if ok, err := x.settle(e); err != nil || !ok[0] {
		return false, err
	}
	t := paused.parkOne(e.Task)
	status, version := e.answer()
	n, err := x.exec(`UPDATE tasks SET due_at=$1, attempts=$2, outcome=$3, status=$8, version=$9, stands=$10 WHERE host=$4 AND run=$5 AND id=$6 AND `+sqlOpen+`
		AND EXISTS (SELECT 1 FROM hosts WHERE host=$4 AND lease=$7 AND lease<>0)`, t.Due, t.Attempts, t.Outcome, foldKey(t.Host), t.Run, t.ID, e.Token,
		status, version, e.mark())
	if err != nil || n == 0 {
		return false, err
	}
	if err := x.insertCaptures(e.Captures); err != nil {
		return false, err
	}
	if err := x.insertAttempts(e.Attempts); err != nil {
		return false, err
	}
	if e.Post != nil {
		if err := x.insertPost(*e.Post); err != nil {
			return false, err
		}
	}
	if err := x.keep(e); err != nil {
		return false, err
	}
	e.Added = 0
	if len(e.New) > 0 {
		if e.Added, err = x.enqueue(paused.park(e.New)); err != nil {
			return false, err
		}
	}
	return true, x.noteEntries(e)
}

// Uncounted tells the indexes of those ends whose captures and attempts have no rows: they were fenced.
func (db *DB) Uncounted(ctx context.Context, ends []End) (out []int, err error) {
	for i := range ends {
		ok := true
		for _, c := range ends[i].Captures {
			if ok, err = db.has(ctx, "captures", c.Collection, foldKey(c.URLKey), micros(c.At), c.Segment, c.Offset); err != nil || !ok {
				break
			}
		}
		for _, a := range ends[i].Attempts {
			if err != nil || !ok {
				break
			}
			ok, err = db.has(ctx, "attempts", a.Collection, foldKey(a.URLKey), micros(a.At), a.Segment, a.Offset)
		}
		if err != nil {
			return nil, fmt.Errorf("look for the rows of exchanges: %w", err)
		}
		if !ok {
			out = append(out, i)
		}
	}
	return out, nil
}

// has tells whether an index table has the row of a key.
func (db *DB) has(ctx context.Context, table string, key ...any) (bool, error) {
	var one int
	err := db.r.QueryRowContext(ctx, `SELECT 1 FROM `+table+` WHERE collection=$1 AND urlkey=$2 AND at=$3 AND segment=$4 AND pos=$5`, key...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

const captureCols = `collection, urlkey, at, segment, pos, length, url, status, mime, digest, kind, refers_to, redirect, record_id, run, outcome, flags, etag, modified, tls_invalid, size, ms, canonical, unmodified`

const captureWidth = 24 // columns

// bit is a truth as a column has it.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (x *tx) insertCaptures(cs []Capture) error {
	args := make([]any, 0, captureWidth*len(cs))
	for i := range cs {
		c := &cs[i]
		args = append(args, c.Collection, foldKey(c.URLKey), micros(c.At), c.Segment, c.Offset, c.Length, c.URL, c.Status, c.Mime,
			c.Digest, c.Kind, c.RefersTo, c.Redirect, c.RecordID, c.Run, c.Outcome,
			c.Flags, c.ETag, c.Modified, c.TLSInvalid, c.Size, c.MS, c.Canonical, bit(c.Unmodified))
	}
	if err := x.putRows(`INSERT INTO captures (`+captureCols+`)`, ` ON CONFLICT DO NOTHING`, captureWidth, args); err != nil {
		return err
	}
	return x.tailCaptures(cs)
}

const attemptCols = `collection, urlkey, at, segment, pos, url, run, outcome, detail, record_id, ms, link, look`

func (x *tx) insertAttempts(as []Attempt) error {
	args := make([]any, 0, 13*len(as))
	for i := range as {
		a := &as[i]
		args = append(args, a.Collection, foldKey(a.URLKey), micros(a.At), a.Segment, a.Offset, a.URL, a.Run, a.Outcome, a.Detail, a.RecordID, a.MS, a.Link, a.Look)
	}
	return x.putRows(`INSERT INTO attempts (`+attemptCols+`)`, ` ON CONFLICT DO NOTHING`, 13, args)
}

func (x *tx) insertPost(p Post) error {
	err := x.put(`INSERT INTO posts (id, run, collection, source, url, title, dated, at, segment, pos, linked)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,1) ON CONFLICT DO NOTHING`,
		p.ID, p.Run, p.Collection, p.Source, p.URL, p.Title, p.Dated, micros(p.At), p.Segment, p.Offset)
	if err != nil {
		return err
	}
	args := make([]any, 0, 18*len(p.Citations))
	for _, c := range p.Citations {
		args = append(args, p.ID, p.Run, c.Seq, c.URL, c.Raw, c.Text, c.Context, c.Start, c.End, c.Where, c.LeftOut, c.Of, c.Page,
			c.Selector, c.Quotation, c.Dated, c.Entry, c.Alternatives)
	}
	if err := x.putRows(`INSERT INTO citations (post, run, seq, url, raw, anchor, context, c_start, c_end, place, left_out, original_of, page,
		selector, quotation, dated, entry, alternatives)`, ` ON CONFLICT DO NOTHING`, 18, args); err != nil {
		return err
	}
	if err := x.insertScars(&p); err != nil {
		return err
	}
	return x.insertLinks(p)
}

// Adopt writes the rows of exchanges that a rebuild reads from stored segments: nothing fences them, and tasks are
// written with the ends that they had.
func (db *DB) Adopt(ctx context.Context, ends []End) error {
	err := db.write(ctx, func(x *tx) error {
		g := Ledger{}
		for i := range ends {
			e := &ends[i]
			g.Add(e)
			tasks := e.New
			if e.Task.Host != "" {
				tasks = append([]Task{e.Task}, e.New...)
			}
			if err := x.prepareHosts(hostsOf(tasks)); err != nil {
				return err
			}
			if err := x.adopt(e); err != nil {
				return err
			}
		}
		return x.addLedger(g)
	})
	if err != nil {
		return fmt.Errorf("adopt exchanges: %w", err)
	}
	return nil
}

func (x *tx) adopt(e *End) error {
	if e.Task.Host != "" && e.Task.Kind != KindProbe { // when a link is looked at again, its row says once it is folded
		if _, err := x.enqueue([]Task{e.Task}); err != nil {
			return err
		}
		t := e.Task
		// What the task itself told is right; another page may have led to it, too. An earlier try may be read later.
		if _, err := x.exec(`UPDATE tasks SET due_at=$1, attempts=$2, outcome=$3, url=$4, kind=$5, depth=$6, hops=$7, via=$8
			WHERE host=$9 AND run=$10 AND id=$11 AND attempts<=$2 AND `+sqlOpen,
			t.Due, t.Attempts, t.Outcome, t.URL, t.Kind, t.Depth, t.Hops, t.Via, foldKey(t.Host), t.Run, t.ID); err != nil {
			return err
		}
		status, version := e.answer()
		if _, err := x.exec(`UPDATE tasks SET status=$1, version=$2 WHERE host=$3 AND run=$4 AND id=$5 AND attempts=$6`,
			status, version, foldKey(t.Host), t.Run, t.ID, t.Attempts); err != nil {
			return err
		}
	}
	if err := errors.Join(x.insertCaptures(e.Captures), x.insertAttempts(e.Attempts)); err != nil {
		return err
	}
	if e.Post != nil {
		if err := x.insertPost(*e.Post); err != nil {
			return err
		}
	}
	if _, err := x.enqueue(e.New); err != nil {
		return err
	}
	return x.noteEntries(e)
}
