package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Rows is what a listing asks of the database. The rows that somebody may not see are not among those it brings, nor are
// they counted.
type Rows interface {
	CapturesIn(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error]
	PassOver(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool, n int64) (storage.Place, int64, error)
	CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error)
	Segment(ctx context.Context, id string) (storage.Segment, error)
}

// Listing answers CDX queries from the index of a collection. What it holds at once is some hundred rows, whatever it lists.
type Listing struct {
	Rows       Rows
	Collection string
	// Memento is the address of its memento, for output=link. twin tells it from another capture of that URL and second; empty if there is none.
	Memento func(c *storage.Capture, twin string) string
	// Shown is the capture that the address of one shows, of several in a second; nil: the first.
	Shown func(ctx context.Context, c *storage.Capture) (storage.Capture, error)

	MaxRows int64         // that one answer looks at; 0: 5 million. A resume key tells where it was cut
	MaxTime time.Duration // that one answer takes; 0: 5 minutes. The same
}

// What a query can't be answered for.
var (
	// ErrBeyond says that there is no such page.
	ErrBeyond = errors.New("there is no such page")
	// ErrLong says that the time was over before there was anything to answer.
	ErrLong = errors.New("it takes too long; ask for less: a host, a shorter prefix of time")
)

func (l *Listing) maxRows() int64         { return cmp.Or(l.MaxRows, 5_000_000) }
func (l *Listing) maxTime() time.Duration { return cmp.Or(l.MaxTime, 5*time.Minute) }

// mostCounted rows are counted for the number of pages.
const mostCounted = 50_000_000

// Pages brings the number of pages that a query has, and how many blocks these are.
func (l *Listing) Pages(ctx context.Context, q *cdx.Query) (pages, blocks int64, err error) {
	span, err := l.span(q)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := l.limited(ctx)
	defer cancel()
	_, n, err := l.Rows.PassOver(ctx, span, storage.Place{}, false, mostCounted)
	if err != nil {
		return 0, 0, tooLong(ctx, err)
	}
	blocks = (n + cdx.BlockRows - 1) / cdx.BlockRows
	return (blocks + int64(q.PageBlocks) - 1) / int64(q.PageBlocks), blocks, nil
}

// limited ends a context in time.
func (l *Listing) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, l.maxTime(), ErrLong)
}

// tooLong makes ErrLong of an error that came of it.
func tooLong(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrLong) {
		return ErrLong
	}
	return err
}

// Write writes the answer to a query, and says how many rows it has.
func (l *Listing) Write(ctx context.Context, w io.Writer, q *cdx.Query) (int, error) {
	span, err := l.span(q)
	if err != nil {
		return 0, err
	}
	ctx, cancel := l.limited(ctx)
	defer cancel()
	a := cdx.NewAnswer(w, q)
	files := files{rows: l.Rows}
	a.Original = func(r *cdx.Row) (cdx.Original, error) { return l.original(ctx, r, &files) }
	twin := map[cdx.Place]string{} // what tells captures apart that have the same address
	a.Memento = func(r *cdx.Row) string {
		return l.Memento(&storage.Capture{Collection: l.Collection, URL: r.URL, At: r.At}, twin[r.Place])
	}
	after, most := storage.Place{URLKey: q.After.Key, At: q.After.At, Segment: q.After.Segment, Offset: q.After.Offset}, l.maxRows()
	if q.Page >= 0 {
		if after, err = l.page(ctx, span, q); err != nil {
			return 0, tooLong(ctx, err)
		}
		most = int64(q.PageBlocks) * cdx.BlockRows
	}
	var n int64
	rows := l.rows(ctx, span, q, after)
	if q.Match == string(urlkey.MatchExact) {
		rows = l.bySeconds(ctx, q, rows, twin)
	}
	for c, err := range rows {
		switch {
		case err != nil && n > 0 && errors.Is(tooLong(ctx, err), ErrLong):
			return a.Written(), a.End(true)
		case err != nil:
			return a.Written(), tooLong(ctx, err)
		case n == most:
			return a.Written(), a.End(q.Page < 0)
		}
		n++
		row := cdxRow(&c)
		if row.File, err = files.of(ctx, c.Segment); err != nil {
			return a.Written(), tooLong(ctx, err)
		}
		more, err := a.Add(&row)
		if err != nil {
			return a.Written(), err
		}
		if !more {
			break
		}
	}
	if n == 0 && q.Page > 0 {
		return 0, ErrBeyond
	}
	return a.Written(), a.End(false)
}

// page finds the place behind which a page begins.
func (l *Listing) page(ctx context.Context, span storage.KeySpan, q *cdx.Query) (storage.Place, error) {
	skip := int64(q.Page) * int64(q.PageBlocks) * cdx.BlockRows
	if skip > mostCounted {
		return storage.Place{}, ErrBeyond
	}
	at, n, err := l.Rows.PassOver(ctx, span, storage.Place{}, q.Backwards(), skip)
	if err == nil && n < skip {
		err = ErrBeyond
	}
	return at, err
}

// span is the part of the index that a query asks of.
func (l *Listing) span(q *cdx.Query) (storage.KeySpan, error) {
	span := storage.KeySpan{Collection: l.Collection, Since: q.Since, Until: q.Until, Brief: true}
	if q.Match == string(urlkey.MatchExact) {
		key := storage.OneKey(l.Collection, urlkey.Key(q.URL))
		span.From, span.To = key.From, key.To
		return span, nil
	}
	var err error
	if span.From, span.To, err = urlkey.Span(q.URL, urlkey.Match(q.Match)); err != nil {
		return span, &cdx.ParamError{Name: "matchType", Err: err}
	}
	return span, nil
}

// rows yields the rows of a span in the order that a query wants.
func (l *Listing) rows(ctx context.Context, s storage.KeySpan, q *cdx.Query, after storage.Place) iter.Seq2[storage.Capture, error] {
	if q.Order != cdx.Nearest {
		return l.Rows.CapturesIn(ctx, s, after, q.Backwards())
	}
	earlier, later := s, s
	if s.Until.IsZero() || q.Closest.Before(s.Until) {
		earlier.Until = q.Closest
	}
	if s.Since.IsZero() || q.Closest.After(s.Since) {
		later.Since = q.Closest
	}
	return nearest(q.Closest, l.Rows.CapturesIn(ctx, earlier, after, true), l.Rows.CapturesIn(ctx, later, after, false))
}

// nearest merges captures before a moment, last first, and those from it on by their distance; of two that are as near the
// earlier comes first.
func nearest(at time.Time, earlier, later iter.Seq2[storage.Capture, error]) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		nextE, stopE := iter.Pull2(earlier)
		defer stopE()
		nextL, stopL := iter.Pull2(later)
		defer stopL()
		e, errE, okE := nextE()
		l, errL, okL := nextL()
		for okE || okL {
			if err := cmp.Or(errE, errL); err != nil {
				yield(storage.Capture{}, err)
				return
			}
			if okE && (!okL || at.Sub(e.At) <= l.At.Sub(at)) {
				if !yield(e, nil) {
					return
				}
				e, errE, okE = nextE()
				continue
			}
			if !yield(l, nil) {
				return
			}
			l, errL, okL = nextL()
		}
	}
}

// files are the names of the files in which the records of segments stand.
type files struct {
	rows  Rows
	known map[string]string // of segments that were imported
}

// of is the name of a segment's file. One that is there no more is called as it was.
func (f *files) of(ctx context.Context, segment string) (string, error) {
	s := storage.Segment{ID: segment}
	if !strings.HasPrefix(segment, storage.ImportedPrefix) {
		return s.File(), nil
	}
	if name, ok := f.known[segment]; ok {
		return name, nil
	}
	s, err := f.rows.Segment(ctx, segment)
	if errors.Is(err, storage.ErrNotFound) {
		s, err = storage.Segment{ID: segment}, nil
	}
	if err != nil {
		return "", fmt.Errorf("look up the file of segment %s: %w", segment, err)
	}
	if f.known == nil || len(f.known) == 1000 {
		f.known = map[string]string{}
	}
	f.known[segment] = s.File()
	return f.known[segment], nil
}

// cdxRow tells of a capture as CDX files do, but for the file in which it stands.
func cdxRow(c *storage.Capture) cdx.Row {
	r := cdx.Row{
		Key: c.URLKey, At: c.At, URL: c.URL, Mime: c.Mime, Status: c.Status, Digest: c.Digest, Redirect: c.Redirect,
		Length: c.Length, Offset: c.Offset, Revisit: c.Kind == warc.KindRevisit,
		Place: cdx.Place{Key: c.URLKey, At: c.At, Segment: c.Segment, Offset: c.Offset},
	}
	if r.Revisit {
		r.Original = c.RefersTo
	}
	return r
}

// original looks up where the payload of a revisit stands. One that nobody may see, or that is not there, is unknown.
func (l *Listing) original(ctx context.Context, r *cdx.Row, files *files) (cdx.Original, error) {
	segment, offset, ok := storage.Referred(r.Original)
	if !ok {
		return cdx.Original{}, nil
	}
	c, err := l.Rows.CaptureAt(ctx, segment, offset)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return cdx.Original{}, nil
	case err != nil:
		return cdx.Original{}, fmt.Errorf("look up the original of %s: %w", r.URL, err)
	}
	file, err := files.of(ctx, c.Segment)
	return cdx.Original{Length: c.Length, Offset: c.Offset, File: file}, err
}
