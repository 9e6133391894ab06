package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeySpan is a part of a collection's index: the captures whose keys are From or behind it, as bytes, and before To, and that
// were made at Since or later, and before Until. A bound that is zero is none.
type KeySpan struct {
	Collection   string
	From, To     string
	Since, Until time.Time

	// Brief asks for no more of the captures than what CDX lines tell: where they stand in the index and in their segment, URL,
	// status, type, digest, kind, what they refer to and redirect to. It takes half the time where there are many.
	Brief bool
}

// justBehind is added to a key to make one that only longer keys could lie before, since no key has a control character.
const justBehind = "\x01"

// OneKey spans the captures of one key.
func OneKey(collection, urlkey string) KeySpan {
	key := foldKey(urlkey)
	return KeySpan{Collection: collection, From: key, To: key + justBehind}
}

// Place is where a capture stands in the order of its collection's index: by key, then by time. The zero Place is before all
// captures of a span, and, backwards, behind them.
type Place struct {
	URLKey  string
	At      time.Time
	Segment string
	Offset  int64
}

// Place is where the capture stands in the index.
func (c *Capture) Place() Place { return Place{c.URLKey, c.At, c.Segment, c.Offset} }

// CapturesIn yields the captures of a span that follow a place, in the order of the index, or against it. Between its pages no
// connection is held: whoever walks through millions of rows may take the time that it takes.
func (db *DB) CapturesIn(ctx context.Context, s KeySpan, after Place, backwards bool) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {
		for n := firstRows; ; n = pageRows {
			where, args := s.where(after, backwards)
			where += ` LIMIT ` + strconv.Itoa(n)
			var page []Capture
			var err error
			if s.Brief {
				page, err = rowsOf(ctx, db, scanBrief, `SELECT `+briefCols+` FROM captures `+where, args...)
			} else {
				page, err = db.page(ctx, where, args...)
			}
			if err != nil {
				yield(Capture{}, fmt.Errorf("read captures: %w", err))
				return
			}
			for i := range page {
				page[i].Collection = s.Collection
				if !yield(page[i], nil) {
					return
				}
			}
			if len(page) < n {
				return
			}
			after = page[len(page)-1].Place()
		}
	}
}

// firstRows are the rows of the first page: most who ask take no more.
const firstRows = 20

// PassOver passes over up to n captures of a span that follow a place, in the order of the index, or against it. It tells how
// many there were and where the last of them stands: the index alone is read for it.
func (db *DB) PassOver(ctx context.Context, s KeySpan, after Place, backwards bool, n int64) (Place, int64, error) {
	if n <= 0 {
		return after, 0, nil
	}
	where, args := s.where(after, backwards)
	at := func(i int64) (Place, error) {
		return db.placeOf(ctx, where+` LIMIT 1 OFFSET `+strconv.FormatInt(i, 10), args)
	}
	if n <= farOff { // most likely there are as many
		if p, err := at(n - 1); err == nil || !errors.Is(err, ErrNotFound) {
			return p, n, err
		}
	}
	var passed int64
	err := db.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM captures `+where+` LIMIT `+strconv.FormatInt(n, 10)+`) AS c`, args...).Scan(&passed)
	if err != nil {
		return Place{}, 0, fmt.Errorf("count captures: %w", err)
	}
	switch passed {
	case 0:
		return after, 0, nil
	case n:
		p, err := at(n - 1)
		return p, n, err
	}
	end, args := s.where(Place{}, !backwards) // it has passed over all of them, and the last is the first from the other end
	p, err := db.placeOf(ctx, end+` LIMIT 1`, args)
	return p, passed, err
}

// farOff is a number of captures that takes a while to count.
const farOff = 100_000

func (db *DB) placeOf(ctx context.Context, where string, args []any) (Place, error) {
	ps, err := rowsOf(ctx, db, scanPlace, `SELECT urlkey, at, segment, pos FROM captures `+where, args...)
	if err == nil && len(ps) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Place{}, fmt.Errorf("find a place in the index: %w", err)
	}
	return ps[0], nil
}

const briefCols = `urlkey, at, segment, pos, length, url, status, mime, digest, kind, refers_to, redirect`

func scanBrief(r row) (c Capture, err error) {
	var at int64
	err = r.Scan(&c.URLKey, &at, &c.Segment, &c.Offset, &c.Length, &c.URL, &c.Status, &c.Mime, &c.Digest, &c.Kind, &c.RefersTo, &c.Redirect)
	c.At = fromMicros(at)
	return c, err
}

func scanPlace(r row) (p Place, err error) {
	var at int64
	err = r.Scan(&p.URLKey, &at, &p.Segment, &p.Offset)
	p.At = fromMicros(at)
	return p, err
}

// where selects what follows a place. It names each bound once: of two, SQLite might walk from the farther one.
func (s KeySpan) where(after Place, backwards bool) (string, []any) {
	var sb strings.Builder
	var args []any
	add := func(text string, vs ...any) {
		for _, v := range vs {
			args = append(args, v)
			text = strings.Replace(text, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		sb.WriteString(text)
	}
	add(`WHERE collection=?`, s.Collection)
	begun := after != Place{} && (backwards && (s.To == "" || after.URLKey < s.To) || !backwards && after.URLKey >= s.From)
	single := s.To != "" && s.To == s.From+justBehind && (!begun || after.URLKey == s.From)
	order, sign := ``, `>`
	if backwards {
		order, sign = ` DESC`, `<`
	}
	switch at := []any{micros(after.At), after.Segment, after.Offset}; {
	case single:
		add(` AND urlkey=?`, s.From)
		if begun {
			add(` AND (at, segment, pos) `+sign+` (?, ?, ?)`, at...)
		}
	case begun:
		add(` AND (urlkey, at, segment, pos) `+sign+` (?, ?, ?, ?)`, slices.Insert(at, 0, any(foldKey(after.URLKey)))...)
	}
	if !single && s.From != "" && (backwards || !begun) {
		add(` AND urlkey>=?`, s.From)
	}
	if !single && s.To != "" && (!backwards || !begun) {
		add(` AND urlkey<?`, s.To)
	}
	if !s.Since.IsZero() && (backwards || !single || !begun || after.At.Before(s.Since)) {
		add(` AND at>=?`, micros(s.Since))
	}
	if !s.Until.IsZero() && (!backwards || !single || !begun || !after.At.Before(s.Until)) {
		add(` AND at<?`, micros(s.Until))
	}
	if single {
		add(` ORDER BY at` + order + `, segment` + order + `, pos` + order)
	} else {
		add(` ORDER BY urlkey` + order + `, at` + order + `, segment` + order + `, pos` + order)
	}
	return sb.String(), args
}
