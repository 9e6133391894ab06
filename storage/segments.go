package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const segmentCols = `id, collection, node, location, state, committed, size, sha256, created`

// OpenSegment writes the row of a new segment. It comes before the segment's first byte.
func (db *DB) OpenSegment(ctx context.Context, s Segment) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`INSERT INTO segments (`+segmentCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			s.ID, s.Collection, s.Node, s.Location, s.State, s.Committed, s.Size, s.SHA256, micros(s.Created))
		return err
	})
	if err != nil {
		return fmt.Errorf("open segment %s: %w", s.ID, err)
	}
	return nil
}

// SealSegment says that an open segment is complete. ErrSegmentGone if it is not open, or has more bytes committed.
func (db *DB) SealSegment(ctx context.Context, id string, size int64, sum string) error {
	return db.moveSegment(ctx, id, `UPDATE segments SET state=$1, size=$2, sha256=$3, committed=$2
		WHERE id=$4 AND state=$5 AND committed<=$2`,
		SegmentSealed, size, sum, id, SegmentOpen)
}

// StoreSegment says that a sealed segment is in the blob store under location, checksum confirmed.
func (db *DB) StoreSegment(ctx context.Context, id, location string) error {
	return db.settleSegment(ctx, id, `UPDATE segments SET state=$1, location=$2 WHERE id=$3 AND state=$4`,
		SegmentStored, location, id, SegmentSealed)
}

// DropSegment removes the row of a segment that holds nothing: it was opened, and not one exchange was committed.
func (db *DB) DropSegment(ctx context.Context, id string) error {
	return db.settleSegment(ctx, id, `DELETE FROM segments WHERE id=$1 AND state=$2 AND (committed=0 OR
		NOT EXISTS (SELECT 1 FROM captures WHERE segment=$1) AND
		NOT EXISTS (SELECT 1 FROM attempts WHERE segment=$1) AND
		NOT EXISTS (SELECT 1 FROM posts WHERE segment=$1))`, id, SegmentOpen)
}

// settleSegment is moveSegment for one that no run waits for any more.
func (db *DB) settleSegment(ctx context.Context, id, q string, args ...any) error {
	return db.moveSegmentAnd(ctx, id, func(x *tx) error {
		_, err := x.exec(sqlLetRuns, id)
		return err
	}, q, args...)
}

func (db *DB) moveSegment(ctx context.Context, id, q string, args ...any) error {
	return db.moveSegmentAnd(ctx, id, func(*tx) error { return nil }, q, args...)
}

func (db *DB) moveSegmentAnd(ctx context.Context, id string, then func(*tx) error, q string, args ...any) error {
	err := db.write(ctx, func(x *tx) error {
		n, err := x.exec(q, args...)
		if err == nil && n != 1 {
			err = ErrSegmentGone
		}
		if err != nil {
			return err
		}
		return then(x)
	})
	if err != nil {
		return fmt.Errorf("change state of segment %s: %w", id, err)
	}
	return nil
}

// AdoptSegment writes the row of a segment found in the blob store, or leaves the one that is there. Its exchanges are
// adopted next: what the ledger had of them goes.
func (db *DB) AdoptSegment(ctx context.Context, s Segment) error {
	err := db.write(ctx, func(x *tx) error {
		if _, err := x.exec(`DELETE FROM ledger WHERE segment=$1`, s.ID); err != nil {
			return err
		}
		_, err := x.exec(`INSERT INTO segments (`+segmentCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT DO NOTHING`,
			s.ID, s.Collection, s.Node, s.Location, s.State, s.Committed, s.Size, s.SHA256, micros(s.Created))
		return err
	})
	if err != nil {
		return fmt.Errorf("adopt segment %s: %w", s.ID, err)
	}
	return nil
}

// TakeSegment gives a segment that is not stored yet to the node in whose spool it was found. ErrAtWork if its own node is
// alive.
func (db *DB) TakeSegment(ctx context.Context, id, node string) error {
	err := db.write(ctx, func(x *tx) error {
		n, err := x.exec(`UPDATE segments SET node=$1 WHERE id=$2 AND state IN ('open','sealed')
			AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.node=segments.node AND n.seen>$3 AND n.started>=0)`, node, id, micros(db.Now().Add(-aliveFor)))
		if err == nil && n != 1 {
			err = ErrAtWork
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take segment %s: %w", id, err)
	}
	return nil
}

// Segment brings one segment; ErrNotFound if there is none.
func (db *DB) Segment(ctx context.Context, id string) (Segment, error) {
	ss, err := db.segments(ctx, `WHERE id=$1`, id)
	if err == nil && len(ss) == 0 {
		err = db.noSegment(ctx, id)
	}
	if err != nil {
		return Segment{}, err
	}
	return ss[0], nil
}

// Waiting brings the segments of a node that are not stored yet, oldest first.
func (db *DB) Waiting(ctx context.Context, node string) ([]Segment, error) {
	return db.segments(ctx, `WHERE node=$1 AND state IN ('open','sealed') AND state<>'stored' ORDER BY id`, node)
}

// Segments brings all segments in the order of their names.
func (db *DB) Segments(ctx context.Context) ([]Segment, error) {
	return db.segments(ctx, `ORDER BY id`)
}

func (db *DB) segments(ctx context.Context, where string, args ...any) ([]Segment, error) {
	out, err := rowsOf(ctx, db, scanSegment, `SELECT `+segmentCols+` FROM segments `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return out, nil
}

func scanSegment(r row) (s Segment, err error) {
	var created int64
	err = r.Scan(&s.ID, &s.Collection, &s.Node, &s.Location, &s.State, &s.Committed, &s.Size, &s.SHA256, &created)
	s.Created = fromMicros(created)
	return s, err
}

// Original finds a capture of the same payload that a revisit in the same collection may refer to: a whole response in
// a stored segment, or in the segment named (which is being written). ErrNotFound if there is none.
func (db *DB) Original(ctx context.Context, collection, digest, segment string) (Capture, error) {
	return db.oneCapture(ctx, `WHERE digest=$1 AND collection=$2 AND kind='response' AND `+sqlOwn+` AND (segment=$3 OR EXISTS
		(SELECT 1 FROM segments s WHERE s.id=captures.segment AND s.state='stored')) ORDER BY at LIMIT 1`, digest, collection, segment)
}

func (db *DB) oneCapture(ctx context.Context, where string, args ...any) (Capture, error) {
	c, err := scanCapture(db.r.often(ctx, `SELECT `+captureCols+` FROM captures `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Capture{}, ErrNotFound
	}
	if err != nil {
		return Capture{}, fmt.Errorf("read capture: %w", err)
	}
	return c, nil
}

func scanCapture(r row) (Capture, error) {
	var c Capture
	var at, unmodified int64
	err := r.Scan(&c.Collection, &c.URLKey, &at, &c.Segment, &c.Offset, &c.Length, &c.URL, &c.Status, &c.Mime,
		&c.Digest, &c.Kind, &c.RefersTo, &c.Redirect, &c.RecordID, &c.Run, &c.Outcome,
		&c.Flags, &c.ETag, &c.Modified, &c.TLSInvalid, &c.Size, &c.MS, &c.Canonical, &unmodified)
	c.At, c.Unmodified = fromMicros(at), unmodified != 0
	return c, err
}
