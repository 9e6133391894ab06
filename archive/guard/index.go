package guard

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Rows is the index as the database has it.
type Rows interface {
	Around(ctx context.Context, collection, urlkey string, at time.Time, n int) (storage.Around, error)
	Beside(ctx context.Context, collection string, p storage.Place) (storage.Beside, error)
	Buckets(ctx context.Context, s storage.KeySpan, unit time.Duration, what bool) ([]storage.Bucket, error)
	Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error)
	Taken(ctx context.Context, collection, urlkey, url string, from time.Time) (storage.Capture, error)
	CapturesIn(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error]
	PassOver(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool, n int64) (storage.Place, int64, error)
	Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error)
	CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error)
	Segment(ctx context.Context, id string) (storage.Segment, error)
	SegmentCaptures(ctx context.Context, segment string) iter.Seq2[storage.Capture, error]
	RecentPosts(ctx context.Context, collection string, n int) ([]storage.Post, error)
	CapturesOfText(ctx context.Context, collection, digest string, n int) ([]storage.Capture, error)
}

var (
	_ Rows  = (*storage.DB)(nil)
	_ Rules = (*storage.DB)(nil)
)

// Around is DB.Around of what may be seen.
func (g *Guard) Around(ctx context.Context, collection, urlkey string, at time.Time, n int) (storage.Around, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return storage.Around{}, err
	}
	if s == nil || s.open(urlkey, "") {
		near, err := g.Rows.Around(ctx, collection, urlkey, at, n)
		if err == nil && s != nil {
			near.Before, near.After = s.sift(near.Before), s.sift(near.After)
		}
		return near, err
	}
	span := storage.OneKey(collection, urlkey)
	middle := storage.Place{URLKey: span.From, At: at.Truncate(time.Microsecond).Add(time.Microsecond), Offset: -1}
	var near storage.Around
	if near.Before, near.First, err = first(g.CapturesIn(ctx, span, middle, true), n); err != nil {
		return near, err
	}
	near.After, near.Last, err = first(g.CapturesIn(ctx, span, middle, false), n)
	return near, err
}

// Beside is DB.Beside of what may be seen.
func (g *Guard) Beside(ctx context.Context, collection string, p storage.Place) (storage.Beside, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return storage.Beside{}, err
	}
	if s == nil || s.open(p.URLKey, "") {
		b, err := g.Rows.Beside(ctx, collection, p)
		hidden := func(c *storage.Capture) bool { return c != nil && !s.shows(c) }
		if err != nil || s == nil || !hidden(b.First) && !hidden(b.Prev) && !hidden(b.Next) && !hidden(b.Last) {
			return b, err
		}
	}
	var b storage.Beside
	span := storage.OneKey(collection, p.URLKey)
	p.URLKey = span.From
	for _, one := range []struct {
		to        **storage.Capture
		from      storage.Place
		backwards bool
	}{{&b.First, storage.Place{}, false}, {&b.Prev, p, true}, {&b.Next, p, false}, {&b.Last, storage.Place{}, true}} {
		for c, err := range g.CapturesIn(ctx, span, one.from, one.backwards) {
			if err != nil {
				return storage.Beside{}, err
			}
			*one.to = &c
			break
		}
	}
	return b, nil
}

// sift leaves what may be seen. Rows of an open key may still be of a URL that is not: an answer to POST under another key.
func (s *sieve) sift(cs []storage.Capture) []storage.Capture {
	return slices.DeleteFunc(cs, func(c storage.Capture) bool { return !s.shows(&c) })
}

// first takes up to n captures, and says whether there are no more.
func first(all iter.Seq2[storage.Capture, error], n int) (out []storage.Capture, whole bool, err error) {
	for c, err := range all {
		if err != nil {
			return out, false, err
		}
		if len(out) == n {
			return out, false, nil
		}
		out = append(out, c)
	}
	return out, true, nil
}

// Closest is DB.Closest of what may be seen.
func (g *Guard) Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return storage.Capture{}, err
	}
	if s == nil || s.open(urlkey, url) {
		c, err := g.Rows.Closest(ctx, collection, urlkey, url, at)
		if err != nil || s == nil || s.shows(&c) {
			return c, err
		}
	}
	return storage.BestOf(g.Captures(ctx, collection, urlkey), url, at)
}

// Taken is DB.Taken of what may be seen.
func (g *Guard) Taken(ctx context.Context, collection, urlkey, url string, from time.Time) (storage.Capture, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return storage.Capture{}, err
	}
	c, err := g.Rows.Taken(ctx, collection, urlkey, url, from)
	if err == nil && s != nil && !s.shows(&c) {
		return storage.Capture{}, fmt.Errorf("capture of %s: %w", url, storage.ErrNotFound)
	}
	return c, err
}

// Captures is DB.Captures of what may be seen.
func (g *Guard) Captures(ctx context.Context, collection, urlkey string) iter.Seq2[storage.Capture, error] {
	return g.CapturesIn(ctx, storage.OneKey(collection, urlkey), storage.Place{}, false)
}

// CapturesIn is DB.CapturesIn of what may be seen.
func (g *Guard) CapturesIn(ctx context.Context, span storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		s, err := g.sieve(ctx, span.Collection)
		if err != nil {
			yield(storage.Capture{}, err)
			return
		}
		for _, part := range s.parts(span, backwards) {
			for c, err := range g.Rows.CapturesIn(ctx, part, after, backwards) {
				if err == nil && s != nil && !s.shows(&c) {
					continue
				}
				if !yield(c, err) || err != nil {
					return
				}
			}
		}
	}
}

// parts are those of a span that may hold what may be seen: of one key, the times that its rules leave, so that no row
// is read of what is hidden.
func (s *sieve) parts(span storage.KeySpan, backwards bool) []storage.KeySpan {
	if s == nil || span.To == "" || span != withTimes(storage.OneKey(span.Collection, span.From), span) {
		return []storage.KeySpan{span}
	}
	var out []storage.KeySpan
	for _, t := range s.spans(span.From) {
		part := span
		if part.Since.Before(t.From) {
			part.Since = t.From
		}
		if !t.Before.IsZero() && (part.Until.IsZero() || t.Before.Before(part.Until)) {
			part.Until = t.Before
		}
		if part.Until.IsZero() || part.Since.Before(part.Until) {
			out = append(out, part)
		}
	}
	if backwards {
		slices.Reverse(out)
	}
	return out
}

func withTimes(one, of storage.KeySpan) storage.KeySpan {
	one.Since, one.Until, one.Brief = of.Since, of.Until, of.Brief
	return one
}

// PassOver is DB.PassOver of what may be seen.
func (g *Guard) PassOver(ctx context.Context, span storage.KeySpan, after storage.Place, backwards bool, n int64) (storage.Place, int64, error) {
	s, err := g.sieve(ctx, span.Collection)
	if err != nil {
		return storage.Place{}, 0, err
	}
	if s == nil {
		return g.Rows.PassOver(ctx, span, after, backwards, n)
	}
	var passed int64
	for c, err := range g.CapturesIn(ctx, span, after, backwards) {
		if err != nil {
			return storage.Place{}, 0, err
		}
		if passed == n {
			break
		}
		after = c.Place()
		passed++
	}
	return after, passed, nil
}

// Buckets is DB.Buckets of what may be seen.
func (g *Guard) Buckets(ctx context.Context, span storage.KeySpan, unit time.Duration, what bool) (out []storage.Bucket, err error) {
	s, err := g.sieve(ctx, span.Collection)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return g.Rows.Buckets(ctx, span, unit, what)
	}
	for c, err := range g.CapturesIn(ctx, span, storage.Place{}, false) {
		if err != nil {
			return nil, err
		}
		since := span.Since.UnixMicro() // a Duration does not span a thousand years
		from := time.UnixMicro(since + (c.At.UnixMicro()-since)/unit.Microseconds()*unit.Microseconds()).UTC()
		if n := len(out); n == 0 || !out[n-1].From.Equal(from) {
			out = append(out, storage.Bucket{From: from})
		}
		if b := &out[len(out)-1]; what {
			b.Add(&c)
		} else {
			b.N++
		}
	}
	return out, nil
}

// Attempts is DB.Attempts of what may be seen: an attempt counts as a capture of its moment would.
func (g *Guard) Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return nil, err
	}
	as, err := g.Rows.Attempts(ctx, collection, urlkey)
	if s == nil || err != nil {
		return as, err
	}
	return slices.DeleteFunc(as, func(a storage.Attempt) bool { return !s.verdict(a.URLKey, a.URL, a.At).Shown() }), nil
}

// CaptureAt is DB.CaptureAt of what may be seen.
func (g *Guard) CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error) {
	c, err := g.Rows.CaptureAt(ctx, segment, offset)
	if err != nil {
		return c, err
	}
	s, err := g.sieve(ctx, c.Collection)
	if err == nil && s != nil && !s.shows(&c) {
		err = fmt.Errorf("capture at %d of %s: %w", offset, segment, storage.ErrNotFound)
	}
	if err != nil {
		return storage.Capture{}, err
	}
	return c, nil
}

// Segment brings the row of a segment, in whatever collection: where its records stand is told of captures alone that may be seen.
func (g *Guard) Segment(ctx context.Context, id string) (storage.Segment, error) {
	return g.Rows.Segment(ctx, id)
}

// SegmentCaptures is DB.SegmentCaptures of what may be seen, of one collection.
func (g *Guard) SegmentCaptures(ctx context.Context, collection, segment string) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		s, err := g.sieve(ctx, collection)
		if err != nil {
			yield(storage.Capture{}, err)
			return
		}
		for c, err := range g.Rows.SegmentCaptures(ctx, segment) {
			if err == nil && (c.Collection != collection || s != nil && !s.shows(&c)) {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// CapturesOfText is DB.CapturesOfText of what may be seen; none of a collection that readers do not find at all.
func (g *Guard) CapturesOfText(ctx context.Context, collection, digest string, n int) ([]storage.Capture, error) {
	if ok, err := g.Served(ctx, collection); err != nil || !ok {
		return nil, err
	}
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return nil, err
	}
	cs, err := g.Rows.CapturesOfText(ctx, collection, digest, n)
	if err == nil && s != nil {
		cs = s.sift(cs)
	}
	return cs, err
}

// maxRecent bounds how many posts are looked at for those that may be seen.
const maxRecent = 1000

// RecentPosts is DB.RecentPosts of what may be seen: a post is, if its copy is.
func (g *Guard) RecentPosts(ctx context.Context, collection string, n int) ([]storage.Post, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return g.Rows.RecentPosts(ctx, collection, n)
	}
	posts, err := g.Rows.RecentPosts(ctx, collection, max(n, maxRecent))
	if err != nil {
		return nil, err
	}
	posts = slices.DeleteFunc(posts, func(p storage.Post) bool {
		return !s.verdict(urlkey.Key(p.URL), p.URL, p.At).Shown() || !s.verdict(urlkey.Key(p.Source), p.Source, p.At).Shown()
	})
	return posts[:min(n, len(posts))], nil
}
