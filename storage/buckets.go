package storage

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Bucket is how much was captured in a part of a span's time.
type Bucket struct {
	From     time.Time
	N        int64 // captures …
	Good     int64 // … of those, with a status 2xx or none …
	Moved    int64 // … 3xx …
	Revisits int64 // … and, of any status, those whose payload was there already
}

// Add counts a capture.
func (b *Bucket) Add(c *Capture) {
	b.N++
	switch c.Status / 100 {
	case 0, 2:
		b.Good++
	case 3:
		b.Moved++
	}
	if c.Kind == "revisit" {
		b.Revisits++
	}
}

// Join adds another part's counts.
func (b *Bucket) Join(o Bucket) {
	b.N, b.Good, b.Moved, b.Revisits = b.N+o.N, b.Good+o.Good, b.Moved+o.Moved, b.Revisits+o.Revisits
}

// maxBuckets bounds how many parts of a time are told of: the days of a century and a half.
const maxBuckets = 60_000

// Buckets counts the captures of one key by parts of a span's time, which has a beginning: equal ones, from there on. Parts without
// captures are left out. Unless what is wanted, too, the captures alone are counted, from the key and without their rows.
func (db *DB) Buckets(ctx context.Context, s KeySpan, unit time.Duration, what bool) ([]Bucket, error) {
	where, args := s.where(Place{}, false)
	rest, inner := `0, 0, 0`, `at`
	if what {
		rest = `SUM(CASE WHEN status BETWEEN 200 AND 299 OR status=0 THEN 1 ELSE 0 END), SUM(CASE WHEN status BETWEEN 300 AND 399 THEN 1 ELSE 0 END),
			SUM(CASE WHEN kind='revisit' THEN 1 ELSE 0 END)`
		inner = `at, status, kind`
	}
	since := micros(s.Since)
	part := `(at-(` + strconv.FormatInt(since, 10) + `))/` + strconv.FormatInt(unit.Microseconds(), 10)
	out, err := rowsOf(ctx, db, func(r row) (b Bucket, err error) {
		var n int64
		err = r.Scan(&n, &b.N, &b.Good, &b.Moved, &b.Revisits)
		b.From = time.UnixMicro(since + n*unit.Microseconds()).UTC()
		return b, err
	}, `SELECT `+part+` AS part, COUNT(*), `+rest+` FROM (SELECT `+inner+` FROM captures `+where+`) c GROUP BY 1 ORDER BY 1 LIMIT `+strconv.Itoa(maxBuckets), args...)
	if err != nil {
		return nil, fmt.Errorf("count captures: %w", err)
	}
	return out, nil
}

// RecentPosts brings the newest posts of a collection, newest first, each in its newest version, without citations. It looks at no
// more than the newest thousand of the archive.
func (db *DB) RecentPosts(ctx context.Context, collection string, n int) ([]Post, error) {
	return db.posts(ctx, `p WHERE collection=$1 AND `+sqlNewestRun+`
		AND at>=COALESCE((SELECT at FROM posts ORDER BY at DESC LIMIT 1 OFFSET 1000), at) ORDER BY at DESC, id LIMIT `+strconv.Itoa(n), collection)
}
