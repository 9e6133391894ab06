package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"
)

// Closest brings the capture nearest in time to at. Among captures whose keys are equal, those without flags come first;
// among those, those of exactly this URL; among those, whole ones come before truncated ones; on a tie the earlier one
// wins. One that tells of a moment alone counts for nothing where the same run had a better answer later. ErrNotFound if
// there is none. Mostly what stands about that time decides; if not, all of the key does.
func (db *DB) Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (Capture, error) {
	near, err := db.Around(ctx, collection, urlkey, at, 2)
	if err != nil {
		return Capture{}, fmt.Errorf("capture of %s: %w", url, err)
	}
	c, ok := near.Closest(url, at)
	switch {
	case !ok:
		return db.closestOfAll(ctx, collection, urlkey, url, at)
	case c == nil:
		return Capture{}, fmt.Errorf("capture of %s: %w", url, ErrNotFound)
	}
	return *c, nil
}

// closestOfAll is Closest where a key has many captures that are not to be preferred.
func (db *DB) closestOfAll(ctx context.Context, collection, urlkey, url string, at time.Time) (Capture, error) {
	args := []any{collection, foldKey(urlkey), url}
	const key = `WHERE collection=$1 AND urlkey=$2 AND NOT (` + sqlMomentary + ` AND EXISTS (SELECT 1 FROM captures better
		WHERE better.collection=captures.collection AND better.urlkey=captures.urlkey AND better.at>captures.at AND better.flags=''
		AND better.run=captures.run AND better.url=captures.url AND better.status NOT IN (` + momentary + `)))`
	for _, where := range []string{
		key + ` AND url=$3 AND flags='' AND kind<>'truncated'`, key + ` AND url=$3 AND flags=''`,
		key + ` AND url<>$3 AND flags='' AND kind<>'truncated'`, key + ` AND url<>$3 AND flags=''`,
		key + ` AND url=$3 AND kind<>'truncated'`, key + ` AND url=$3`,
		key + ` AND url<>$3 AND kind<>'truncated'`, key + ` AND url<>$3`,
	} {
		c, err := db.nearest(ctx, where, args, micros(at))
		if !errors.Is(err, ErrNotFound) {
			return c, err
		}
	}
	return Capture{}, fmt.Errorf("capture of %s: %w", url, ErrNotFound)
}

// momentary are the statuses with which a server says that it can't answer now: a run asks again.
const (
	momentary    = `408, 429, 502, 503, 504`
	sqlMomentary = `status IN (` + momentary + `)`
)

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

// Taken brings the first capture of exactly this URL in the second that begins at from, a whole one, whatever its flags.
// ErrNotFound if there is none.
func (db *DB) Taken(ctx context.Context, collection, urlkey, url string, from time.Time) (Capture, error) {
	return db.oneCapture(ctx, `WHERE collection=$1 AND urlkey=$2 AND url=$3 AND at>=$4 AND at<$5 ORDER BY at, segment, pos LIMIT 1`,
		collection, foldKey(urlkey), url, micros(from), micros(from.Add(time.Second)))
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

// Validated brings the newest capture of exactly a URL that a conditional request can be made by, and the one that holds its
// payload, which may be the same. The page is whole and answered 200, no wall stood before it, its certificate was good,
// and its payload stands in a stored segment of the collection, under the same URL. ErrNotFound if there is none.
func (db *DB) Validated(ctx context.Context, collection, urlkey, url string) (last, original Capture, err error) {
	const good = ` status=200 AND flags='' AND tls_invalid='' AND ` + sqlOwn + ` `
	const stored = `EXISTS (SELECT 1 FROM segments s WHERE s.id=captures.segment AND s.state='stored')`
	var isStored int
	last, err = scanCapture(beside{db.r.often(ctx, `SELECT `+captureCols+`, CASE WHEN `+stored+` THEN 1 ELSE 0 END FROM captures
		WHERE collection=$1 AND urlkey=$2 AND url=$3 AND kind IN ('response','revisit') AND (etag<>'' OR modified<>'') AND`+
		good+`ORDER BY at DESC, segment DESC, pos DESC LIMIT 1`, collection, foldKey(urlkey), url), &isStored})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return last, original, ErrNotFound
	case err != nil:
		return last, original, fmt.Errorf("read capture: %w", err)
	case last.Kind == "response" && last.RefersTo == "": // it is its own original, and need not be looked up again
		if isStored == 0 {
			return last, original, fmt.Errorf("capture of %s in %s: %w", url, last.Segment, ErrNotFound)
		}
		return last, last, nil
	}
	segment, pos, ok := Referred(last.RefersTo)
	if !ok {
		return last, original, fmt.Errorf("capture of %s refers to %q: %w", url, last.RefersTo, ErrNotFound)
	}
	original, err = db.oneCapture(ctx, `WHERE segment=$1 AND pos=$2 AND collection=$3 AND url=$4 AND kind='response' AND`+good+`AND `+stored,
		segment, pos, collection, url)
	return last, original, err
}

// beside reads one column more than a row of its kind has.
type beside struct {
	row
	more any
}

func (b beside) Scan(dst ...any) error { return b.row.Scan(append(dst, b.more)...) }

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

// Attempts brings the attempts on a key, oldest first; no looks at links.
func (db *DB) Attempts(ctx context.Context, collection, urlkey string) ([]Attempt, error) {
	return db.attempts(ctx, `WHERE collection=$1 AND urlkey=$2 AND link=0 ORDER BY at, segment, pos`, collection, foldKey(urlkey))
}

// AttemptBy brings the attempt whose record has a WARC-Record-ID; ErrNotFound if none has.
func (db *DB) AttemptBy(ctx context.Context, recordID string) (Attempt, error) {
	return db.attempt(ctx, `WHERE record_id=$1 AND record_id<>'' ORDER BY segment LIMIT 1`, harmlessText(recordID))
}

// AttemptAt brings the attempt whose record stands at an offset of a segment; ErrNotFound if none does.
func (db *DB) AttemptAt(ctx context.Context, segment string, offset int64) (Attempt, error) {
	return db.attempt(ctx, `WHERE segment=$1 AND pos=$2 LIMIT 1`, harmlessText(segment), offset)
}

func (db *DB) attempt(ctx context.Context, where string, args ...any) (Attempt, error) {
	as, err := db.attempts(ctx, where, args...)
	if err == nil && len(as) == 0 {
		err = fmt.Errorf("attempt: %w", ErrNotFound)
	}
	if err != nil {
		return Attempt{}, err
	}
	return as[0], nil
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
	err = r.Scan(&a.Collection, &a.URLKey, &at, &a.Segment, &a.Offset, &a.URL, &a.Run, &a.Outcome, &a.Detail, &a.RecordID, &a.MS, &a.Link, &a.Look)
	a.At = fromMicros(at)
	return a, err
}
