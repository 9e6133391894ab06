package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"
)

// PurgeLock is the name of the lock under which purges write.
const PurgeLock = "purge"

// ErrStale says that the archive has changed since what is to be written was planned: plan it again.
var ErrStale = errors.New("the archive has changed meanwhile")

// ErrRunActive says that a run which a purge is to forget captures more.
var ErrRunActive = errors.New("it goes on and captures more")

// ErrPurged says that a segment is gone because a purge has replaced it.
var ErrPurged = errors.New("a purge has replaced it")

// Spot is a place in a segment where an exchange stands: its capture, its attempt, or what was voided.
type Spot struct {
	Kind    SpotKind
	URL     string
	URLKey  string
	At      time.Time
	Segment string
	Offset  int64
	Length  int64 // of the capture's member; 0 for others
	Run     int64
}

// SpotKind says which rows tell of a spot.
type SpotKind string

// The kinds of spots.
const (
	SpotCapture SpotKind = "captures"
	SpotAttempt SpotKind = "attempts"
	SpotVoided  SpotKind = "voided"
)

// Span selects spots of a collection. Keys lie between From and To, both included.
type Span struct {
	Collection string
	From, To   string
	Before     *time.Time // nil: at any time. The zero time is no bound and is refused
}

// Everything is the span of a whole collection up to a moment.
func Everything(collection string, before time.Time) Span {
	return Span{Collection: collection, To: "\U0010FFFF", Before: &before}
}

// errNoMoment is a bound that somebody has forgotten to set.
var errNoMoment = errors.New("its bound in time is the zero time, which is none")

// Spots yields the exchanges of a span in the order of their keys, kind after kind.
func (db *DB) Spots(ctx context.Context, s Span) iter.Seq2[Spot, error] {
	return func(yield func(Spot, error) bool) {
		if s.Before != nil && s.Before.IsZero() {
			yield(Spot{}, fmt.Errorf("read collection %s: %w", s.Collection, errNoMoment))
			return
		}
		for _, kind := range []SpotKind{SpotCapture, SpotAttempt, SpotVoided} {
			last := Spot{URLKey: "", At: time.UnixMicro(math.MinInt64 / 2), Offset: -1}
			for {
				page, err := db.spots(ctx, s, kind, last)
				if err != nil {
					yield(Spot{}, fmt.Errorf("read %s of collection %s: %w", kind, s.Collection, err))
					return
				}
				for _, p := range page {
					if !yield(p, nil) {
						return
					}
				}
				if len(page) < pageRows {
					break
				}
				last = page[len(page)-1]
			}
		}
	}
}

func (db *DB) spots(ctx context.Context, s Span, kind SpotKind, last Spot) ([]Spot, error) {
	length := "0"
	if kind == SpotCapture {
		length = "length"
	}
	before := int64(math.MaxInt64)
	if s.Before != nil {
		before = micros(*s.Before)
	}
	scan := func(r row) (Spot, error) {
		p := Spot{Kind: kind}
		var at int64
		err := r.Scan(&p.URL, &p.URLKey, &at, &p.Segment, &p.Offset, &p.Length, &p.Run)
		p.At = fromMicros(at)
		return p, err
	}
	return rowsOf(ctx, db, scan, `SELECT url, urlkey, at, segment, pos, `+length+`, run FROM `+string(kind)+`
		WHERE collection=$1 AND urlkey>=$2 AND urlkey<=$3 AND at<$4 AND (urlkey, at, segment, pos) > ($5, $6, $7, $8)
		ORDER BY urlkey, at, segment, pos LIMIT $9`, s.Collection, foldKey(s.From), foldKey(s.To), before,
		last.URLKey, last.At.UnixMicro(), last.Segment, last.Offset, pageRows)
}

// RunTasks yields what a run asked for: addresses, and what led to each.
func (db *DB) RunTasks(ctx context.Context, run int64) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		host, id := "", int64(math.MinInt64)
		for {
			page, err := db.taskPage(ctx, run, host, id)
			if err != nil {
				yield(Task{}, fmt.Errorf("read the tasks of run %d: %w", run, err))
				return
			}
			for _, t := range page {
				if !yield(t, nil) {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
			host, id = page[len(page)-1].Host, page[len(page)-1].ID
		}
	}
}

func (db *DB) taskPage(ctx context.Context, run int64, host string, id int64) ([]Task, error) {
	return rowsOf(ctx, db, func(r row) (t Task, err error) {
		err = r.Scan(&t.Host, &t.ID, &t.URL, &t.Via)
		return t, err
	},
		`SELECT host, id, url, via FROM tasks WHERE run=$1 AND (host, id) > ($2, $3) ORDER BY host, id LIMIT $4`, run, host, id, pageRows)
}

// Referrers brings the revisits of what stands at a place ("segment/offset"), those in stored segments first, oldest first.
func (db *DB) Referrers(ctx context.Context, place string) ([]Capture, error) {
	out, err := rowsOf(ctx, db, scanCapture, `SELECT `+captureCols+` FROM captures WHERE refers_to=$1 AND refers_to<>'' ORDER BY CASE WHEN EXISTS (SELECT 1 FROM segments s
		WHERE s.id=captures.segment AND s.state='stored') THEN 0 ELSE 1 END, at, record_id`, place)
	if err != nil {
		return nil, fmt.Errorf("read what refers to %s: %w", place, err)
	}
	return out, nil
}

// Holders brings the whole responses of a payload in stored segments of a collection, oldest first.
func (db *DB) Holders(ctx context.Context, collection, digest string) ([]Capture, error) {
	out, err := rowsOf(ctx, db, scanCapture, `SELECT `+captureCols+` FROM captures WHERE digest=$1 AND collection=$2 AND kind='response' AND EXISTS (SELECT 1 FROM segments s
		WHERE s.id=captures.segment AND s.state='stored') ORDER BY at, record_id`, digest, collection)
	if err != nil {
		return nil, fmt.Errorf("read the captures of a payload: %w", err)
	}
	return out, nil
}

// Moved brings a capture's row as it stands now: a purge may have moved the capture since it was looked up. ErrNotFound if
// it is gone.
func (db *DB) Moved(ctx context.Context, c Capture) (Capture, error) {
	now, err := db.oneCapture(ctx, `WHERE collection=$1 AND urlkey=$2 AND at=$3 AND record_id=$4`,
		c.Collection, foldKey(c.URLKey), micros(c.At), c.RecordID)
	if err != nil {
		return c, fmt.Errorf("look again for the capture of %s: %w", c.URL, err)
	}
	return now, nil
}

// SegmentRows are the rows that name a segment.
type SegmentRows struct {
	Segment  Segment
	Key      string // of its blob, where that is not at its Location; who swaps it sets it
	Captures []Capture
	Attempts []Attempt
	Posts    []Post // without citations
	Voided   int
}

// SegmentRows brings the rows that name a segment; ErrNotFound if there is no such segment.
func (db *DB) SegmentRows(ctx context.Context, id string) (SegmentRows, error) {
	var s SegmentRows
	var err error
	if s.Segment, err = db.Segment(ctx, id); err != nil {
		return s, err
	}
	for c, err := range db.SegmentCaptures(ctx, id) {
		if err != nil {
			return s, err
		}
		s.Captures = append(s.Captures, c)
	}
	if s.Attempts, err = db.attempts(ctx, `WHERE segment=$1 ORDER BY pos`, id); err != nil {
		return s, err
	}
	s.Posts, err = db.posts(ctx, `WHERE segment=$1 ORDER BY pos`, id)
	return s, err
}

// Doom says of blobs that no row names them, before they are there: if nobody does until then, the next purge deletes
// them.
func (db *DB) Doom(ctx context.Context, lock int64, locations ...string) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.holds(PurgeLock, lock); err != nil {
			return err
		}
		for _, l := range locations {
			if _, err := x.exec(`INSERT INTO doomed (location) VALUES ($1) ON CONFLICT DO NOTHING`, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("doom blobs: %w", err)
	}
	return nil
}

// Doomed brings the blobs that are to be deleted.
func (db *DB) Doomed(ctx context.Context) ([]string, error) {
	out, err := rowsOf(ctx, db, scanText, `SELECT location FROM doomed ORDER BY location`)
	if err != nil {
		return nil, fmt.Errorf("read doomed blobs: %w", err)
	}
	return out, nil
}

func scanText(r row) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// Deleted says that a doomed blob is gone.
func (db *DB) Deleted(ctx context.Context, location string) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`DELETE FROM doomed WHERE location=$1`, location)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that %s is deleted: %w", location, err)
	}
	return nil
}

// noSegment is the error of a segment that has no row: ErrNotFound, and ErrPurged if a purge has replaced it.
func (db *DB) noSegment(ctx context.Context, id string) error {
	var n int
	if err := db.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM purged WHERE segment=$1`, id).Scan(&n); err != nil {
		return fmt.Errorf("look for segment %s among the purged ones: %w", id, err)
	}
	if n > 0 {
		return fmt.Errorf("segment %s: %w: %w", id, ErrPurged, ErrNotFound)
	}
	return fmt.Errorf("segment %s: %w", id, ErrNotFound)
}

// RunPosts brings the versions of posts that a run kept, with their citations.
func (db *DB) RunPosts(ctx context.Context, run int64) ([]Post, error) {
	ps, err := db.posts(ctx, `WHERE run=$1 ORDER BY id`, run)
	for i := range ps {
		if err == nil {
			err = db.parts(ctx, &ps[i])
		}
	}
	return ps, err
}
