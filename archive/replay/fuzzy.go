package replay

import (
	"context"
	"errors"
	"net/http"
	"time"

	"linkstead/archive/fuzzy"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Bounds of one search for what differs in nothing that matters.
const (
	maxKeys    = 500 // keys that are looked at
	maxSame    = 20  // … of which so many may mean the same
	maxSameKey = 20  // captures of one key that are read over before the search leaps behind it
	longKey    = 900 // bytes: of longer ones the index keeps a digest
)

// DefaultFuzzyWithin is how far from the time of its page such a capture may be, unless somebody says otherwise: what one
// run captured, as a rule.
const DefaultFuzzyWithin = 24 * time.Hour

func (h *Handler) fuzzyWithin() time.Duration {
	if h.FuzzyWithin > 0 {
		return h.FuzzyWithin
	}
	return DefaultFuzzyWithin
}

// find brings the capture that an address asks for, or for a part of a page one that differs in nothing that matters.
func (h *Handler) find(r *http.Request, a *address) (choice, error) {
	c, err := h.choose(r.Context(), a, topLevel(r, a.mod))
	if h.Fuzzy == nil || !errors.Is(err, storage.ErrNotFound) || a.mod == asIs || !embedded(r, a.mod) {
		return c, err
	}
	s := search{h: h, a: a, asked: h.Fuzzy.Of(a.key()), seen: map[string]bool{}}
	for _, span := range s.asked.Spans() {
		if err := s.walk(r.Context(), span); err != nil {
			return c, err
		}
		if s.best != nil {
			near, err := h.Index.Around(r.Context(), a.collection, s.best.URLKey, a.at(), about)
			return choice{*s.best, near, &s.differs}, err
		}
	}
	return c, err
}

// search looks for a capture under other keys.
type search struct {
	h     *Handler
	a     *address
	asked fuzzy.Address
	seen  map[string]bool // keys that were compared
	same  int             // how many of them mean the same

	best    *storage.Capture
	differs fuzzy.Difference
}

// walk looks at the keys of a span, and leaps over those that have many captures.
func (s *search) walk(ctx context.Context, span fuzzy.Span) error {
	in := storage.KeySpan{Collection: s.a.collection, From: span.From, To: span.To}
	after, keys := storage.Place{}, 0
	for keys < maxKeys && s.same < maxSame {
		leap := false
		last, n := after.URLKey, 0
		for c, err := range s.h.Index.CapturesIn(ctx, in, after, false) {
			if err != nil {
				return err
			}
			if c.URLKey != last {
				last, n = c.URLKey, 0
				if keys++; keys > maxKeys || s.same >= maxSame {
					return nil
				}
				if err := s.compare(ctx, &c); err != nil {
					return err
				}
			}
			if n++; n > maxSameKey {
				leap, after = true, storage.Place{URLKey: last, At: endOfTime}
				break
			}
		}
		if !leap {
			return nil
		}
	}
	return nil
}

// endOfTime is behind every capture: the last moment that the index's microseconds can tell is further off.
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// compare takes the nearest capture of a key, if the key means the same and the capture is good enough.
func (s *search) compare(ctx context.Context, c *storage.Capture) error {
	key := c.URLKey
	if len(key) > longKey {
		key = urlkey.Key(c.URL)
	}
	if s.seen[key] {
		return nil
	}
	s.seen[key] = true
	d, same := s.asked.Same(key)
	if !same || d.Far() == 0 {
		return nil
	}
	s.same++
	near, err := s.h.Index.Closest(ctx, s.a.collection, c.URLKey, c.URL, s.a.at())
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// An answer that was none is no better than none.
	if near.Flags != "" || near.Status >= http.StatusBadRequest || leadsBack(&near) || s.off(&near) > s.h.fuzzyWithin() {
		return nil
	}
	if s.best == nil || d.Far() < s.differs.Far() || d.Far() == s.differs.Far() && s.off(&near) < s.off(s.best) {
		s.best, s.differs = &near, d
	}
	return nil
}

// off is how far a capture is from the time that is asked for.
func (s *search) off(c *storage.Capture) time.Duration { return c.At.Sub(s.a.at()).Abs() }
