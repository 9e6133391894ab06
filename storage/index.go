package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"
)

// Closest brings the capture nearest in time to at. Among captures whose keys are equal, those of exactly this URL come
// first; among those, whole ones come before truncated ones; on a tie the earlier one wins. ErrNotFound if there is
// none.
func (db *DB) Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (Capture, error) {
	urlkey = foldKey(urlkey)
	const key = `WHERE collection=$1 AND urlkey=$2`
	for _, f := range []struct {
		where string
		args  []any
	}{
		{key + ` AND url=$3 AND kind<>'truncated'`, []any{collection, urlkey, url}},
		{key + ` AND url=$3`, []any{collection, urlkey, url}},
		{key + ` AND url<>$3 AND kind<>'truncated'`, []any{collection, urlkey, url}},
		{key + ` AND url<>$3`, []any{collection, urlkey, url}},
	} {
		c, err := db.nearest(ctx, f.where, f.args, micros(at))
		if !errors.Is(err, ErrNotFound) {
			return c, err
		}
	}
	return Capture{}, fmt.Errorf("capture of %s: %w", url, ErrNotFound)
}

func (db *DB) nearest(ctx context.Context, where string, args []any, at int64) (Capture, error) {
	args = append(args, at)
	before, err := db.oneCapture(ctx, where+` AND at<=$4 ORDER BY at DESC, segment DESC, pos DESC LIMIT 1`, args...)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Capture{}, err
	}
	after, err2 := db.oneCapture(ctx, where+` AND at>$4 ORDER BY at, segment, pos LIMIT 1`, args...)
	switch {
	case err2 != nil && !errors.Is(err2, ErrNotFound):
		return Capture{}, err2
	case err2 != nil:
		return before, err
	case err != nil:
		return after, nil
	}
	if micros(after.At)-at < at-micros(before.At) {
		return after, nil
	}
	return before, nil
}

// Captures yields the captures whose key is urlkey, oldest first.
func (db *DB) Captures(ctx context.Context, collection, urlkey string) iter.Seq2[Capture, error] {
	return db.captures(ctx, `WHERE collection=$1 AND urlkey=$2 AND (at, segment, pos) > ($3, $4, $5) ORDER BY at, segment, pos LIMIT $6`,
		[]any{collection, foldKey(urlkey)}, []any{math.MinInt64, "", -1}, func(c Capture) []any { return []any{micros(c.At), c.Segment, c.Offset} })
}

// SegmentCaptures yields the captures in a segment in the order of their offsets.
func (db *DB) SegmentCaptures(ctx context.Context, segment string) iter.Seq2[Capture, error] {
	return db.captures(ctx, `WHERE segment=$1 AND (pos, urlkey) > ($2, $3) ORDER BY pos, urlkey LIMIT $4`,
		[]any{segment}, []any{-1, ""}, func(c Capture) []any { return []any{c.Offset, c.URLKey} })
}

// CaptureAt brings the capture that begins at an offset of a segment; ErrNotFound if none does.
func (db *DB) CaptureAt(ctx context.Context, segment string, offset int64) (Capture, error) {
	return db.oneCapture(ctx, `WHERE segment=$1 AND pos=$2`, segment, offset)
}

const pageRows = 500

// captures yields what where selects, page by page: key are its first arguments, after the place to begin behind, last
// tells that place of a row. Between the pages no connection is held, so that whoever walks through a list may ask for
// more meanwhile, and takes the time that it takes.
func (db *DB) captures(ctx context.Context, where string, key, after []any, last func(Capture) []any) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {
		from := after
		for {
			page, err := db.page(ctx, where, slices.Concat(key, from, []any{pageRows})...)
			if err != nil {
				yield(Capture{}, fmt.Errorf("read captures: %w", err))
				return
			}
			for _, c := range page {
				if !yield(c, nil) {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
			from = last(page[len(page)-1])
		}
	}
}

func (db *DB) page(ctx context.Context, where string, args ...any) ([]Capture, error) {
	return rowsOf(ctx, db, scanCapture, `SELECT `+captureCols+` FROM captures `+where, args...)
}

// Attempts brings the attempts on a key, oldest first.
func (db *DB) Attempts(ctx context.Context, collection, urlkey string) ([]Attempt, error) {
	return db.attempts(ctx, `WHERE collection=$1 AND urlkey=$2 ORDER BY at, segment, pos`, collection, foldKey(urlkey))
}

func (db *DB) attempts(ctx context.Context, where string, args ...any) ([]Attempt, error) {
	out, err := rowsOf(ctx, db, scanAttempt, `SELECT `+attemptCols+` FROM attempts `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	return out, nil
}

func scanAttempt(r row) (a Attempt, err error) {
	var at int64
	err = r.Scan(&a.Collection, &a.URLKey, &at, &a.Segment, &a.Offset, &a.URL, &a.Run, &a.Outcome, &a.Detail)
	a.At = fromMicros(at)
	return a, err
}
