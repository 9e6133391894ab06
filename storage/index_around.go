package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Around is what stands about a moment among the captures of a key.
type Around struct {
	Before, After []Capture // at the moment or before it, and after it; the nearest first
	First, Last   bool      // nothing stands before the last of Before, nothing after the last of After
}

// beforeKey and afterKey walk the primary key both ways from a moment. The limit is a part of the text: SQLite, whose plans
// depend on it, parses a statement anew each time that one is bound, which took three quarters of the query's time.
const (
	beforeKey = `WHERE collection=$1 AND urlkey=$2 AND at<=$3 ORDER BY at DESC, segment DESC, pos DESC LIMIT `
	afterKey  = `WHERE collection=$1 AND urlkey=$2 AND at>$3 ORDER BY at, segment, pos LIMIT `
)

// Around brings up to n captures of a key on either side of a moment, by one query.
func (db *DB) Around(ctx context.Context, collection, urlkey string, at time.Time, n int) (Around, error) {
	limit := strconv.Itoa(n)
	cs, err := rowsOften(ctx, db, scanCapture, `SELECT `+captureCols+` FROM (SELECT `+captureCols+` FROM captures `+beforeKey+limit+`) b
		UNION ALL SELECT `+captureCols+` FROM (SELECT `+captureCols+` FROM captures `+afterKey+limit+`) a`,
		collection, foldKey(urlkey), micros(at))
	if err != nil {
		return Around{}, fmt.Errorf("read captures: %w", err)
	}
	slices.SortFunc(cs, func(a, b Capture) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Segment, b.Segment), cmp.Compare(a.Offset, b.Offset))
	})
	i, _ := slices.BinarySearchFunc(cs, micros(at), func(c Capture, at int64) int {
		return cmp.Or(cmp.Compare(micros(c.At), at), -1)
	})
	near := Around{Before: cs[:i:i], After: cs[i:]}
	slices.Reverse(near.Before)
	near.First, near.Last = i < n, len(cs)-i < n
	return near, nil
}

// Closest decides as DB.Closest does, if what stands about the moment is enough to tell; not ok if it is not. There is
// none if nothing stands about it at all.
func (a *Around) Closest(url string, at time.Time) (c *Capture, ok bool) {
	url = harmlessText(url)
	best := 8
	before, after := a.Before, a.After
	for len(before)+len(after) > 0 {
		if len(before) == 0 && !a.First || len(after) == 0 && !a.Last {
			return nil, false // what comes next there may be nearer
		}
		var next *Capture
		if len(before) > 0 && (len(after) == 0 || micros(after[0].At)-micros(at) >= micros(at)-micros(before[0].At)) {
			next, before = &before[0], before[1:]
		} else {
			next, after = &after[0], after[1:]
		}
		if isMomentary(next.Status) {
			return nil, false // whether it counts, another row tells
		}
		switch r := next.rank(url); {
		case r == 0:
			return next, true
		case r < best:
			best, c = r, next
		}
	}
	return c, a.First && a.Last
}

// rank orders captures of equal keys, whatever their times, the best first: see Closest.
func (c *Capture) rank(url string) (r int) {
	if c.Flags != "" {
		r += 4
	}
	if c.URL != url {
		r += 2
	}
	if c.Kind == "truncated" {
		r++
	}
	return r
}

func isMomentary(status int) bool {
	switch status {
	case 408, 429, 502, 503, 504:
		return true
	}
	return false
}

// Beside are the captures of a key that stand about one: the first and the last of all, which may be it, and those next to it.
// nil where there is none.
type Beside struct{ First, Prev, Next, Last *Capture }

const besideKey = `SELECT 0, ` + captureCols + ` FROM (SELECT ` + captureCols + ` FROM captures
		WHERE collection=$1 AND urlkey=$2 ORDER BY at, segment, pos LIMIT 1) f
	UNION ALL SELECT 1, ` + captureCols + ` FROM (SELECT ` + captureCols + ` FROM captures
		WHERE collection=$1 AND urlkey=$2 AND (at, segment, pos) < ($3, $4, $5) ORDER BY at DESC, segment DESC, pos DESC LIMIT 1) p
	UNION ALL SELECT 2, ` + captureCols + ` FROM (SELECT ` + captureCols + ` FROM captures
		WHERE collection=$1 AND urlkey=$2 AND (at, segment, pos) > ($3, $4, $5) ORDER BY at, segment, pos LIMIT 1) n
	UNION ALL SELECT 3, ` + captureCols + ` FROM (SELECT ` + captureCols + ` FROM captures
		WHERE collection=$1 AND urlkey=$2 ORDER BY at DESC, segment DESC, pos DESC LIMIT 1) l`

// Beside brings what stands about a place, whose key is in it, by one query.
func (db *DB) Beside(ctx context.Context, collection string, p Place) (Beside, error) {
	type numbered struct {
		n int
		c Capture
	}
	rows, err := rowsOften(ctx, db, func(r row) (x numbered, err error) {
		x.c, err = scanCapture(first{r, &x.n})
		return x, err
	}, besideKey, collection, foldKey(p.URLKey), micros(p.At), p.Segment, p.Offset)
	if err != nil {
		return Beside{}, fmt.Errorf("read captures: %w", err)
	}
	var at [4]*Capture
	for i := range rows {
		at[rows[i].n] = &rows[i].c
	}
	return Beside{at[0], at[1], at[2], at[3]}, nil
}

// first reads one column that stands before those of a row.
type first struct {
	row
	to any
}

func (f first) Scan(dst ...any) error { return f.row.Scan(append([]any{f.to}, dst...)...) }
