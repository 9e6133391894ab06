package storage

import (
	"cmp"
	"fmt"
	"iter"
	"strings"
	"time"
)

// maxMomentary bounds how many captures are held that count only where nothing better came later. Further ones count for
// nothing.
const maxMomentary = 10_000

// BestOf decides as DB.Closest does, among the captures of one key that it is handed. ErrNotFound if there are none.
func BestOf(all iter.Seq2[Capture, error], url string, at time.Time) (Capture, error) {
	type answer struct {
		run int64
		url string
	}
	var best *Capture
	var momentary []Capture
	better := map[answer]time.Time{} // when the last good answer came
	want := harmlessText(url)
	take := func(c Capture) {
		if best == nil || c.before(best, want, at) {
			best = &c
		}
	}
	for c, err := range all {
		if err != nil {
			return Capture{}, err
		}
		if isMomentary(c.Status) {
			if len(momentary) < maxMomentary {
				momentary = append(momentary, c)
			}
			continue
		}
		if c.Flags == "" && (len(better) < maxMomentary || !better[answer{c.Run, c.URL}].IsZero()) {
			if k := (answer{c.Run, c.URL}); c.At.After(better[k]) {
				better[k] = c.At
			}
		}
		take(c)
	}
	for _, c := range momentary {
		if !better[answer{c.Run, c.URL}].After(c.At) {
			take(c)
		}
	}
	if best == nil {
		return Capture{}, fmt.Errorf("capture of %s: %w", url, ErrNotFound)
	}
	return *best, nil
}

// before says whether c is the better answer of two of equal keys.
func (c *Capture) before(best *Capture, url string, at time.Time) bool {
	if r, other := c.rank(url), best.rank(url); r != other {
		return r < other
	}
	if far, other := c.At.Sub(at).Abs(), best.At.Sub(at).Abs(); far != other {
		return far < other
	}
	if !c.At.Equal(best.At) {
		return c.At.Before(best.At)
	}
	behind := cmp.Or(strings.Compare(c.Segment, best.Segment), cmp.Compare(c.Offset, best.Offset))
	return behind > 0 != c.At.After(at) // as the index is walked from the moment on
}
