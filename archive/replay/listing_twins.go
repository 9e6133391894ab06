package replay

import (
	"context"
	"errors"
	"iter"
	"slices"

	"linkstead/archive/cdx"
	"linkstead/storage"
)

// bySeconds yields rows of one key as they come, but for those of one second: their addresses are the same. It tells what tells them
// apart, and if the nearest to a moment are asked for, the one that their address shows is the first of them.
func (l *Listing) bySeconds(ctx context.Context, q *cdx.Query, rows iter.Seq2[storage.Capture, error], twin map[cdx.Place]string) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		var held []storage.Capture
		flush := func() bool {
			err := l.tellApart(ctx, q, held, twin)
			if err != nil {
				return yield(storage.Capture{}, err)
			}
			for k := range held {
				if !yield(held[k], nil) {
					return false
				}
			}
			held = held[:0]
			return true
		}
		for c, err := range rows {
			if len(held) > 0 && (err != nil || stampOf(c.At) != stampOf(held[0].At) || len(held) == maxScan) && !flush() {
				return
			}
			if err != nil {
				yield(c, err)
				return
			}
			held = append(held, c)
		}
		flush()
	}
}

// maxTwins bounds how many are remembered; an answer holds up to 10,000 rows back.
const maxTwins = 20_000

// tellApart looks at captures of a second.
func (l *Listing) tellApart(ctx context.Context, q *cdx.Query, held []storage.Capture, twin map[cdx.Place]string) error {
	if len(held) < 2 {
		return nil
	}
	if len(twin) > maxTwins {
		clear(twin)
	}
	for k, pick := range twins(held) {
		if pick != "" {
			twin[cdxRow(&held[k]).Place] = pick
		}
	}
	if q.Order != cdx.Nearest || l.Shown == nil {
		return nil
	}
	asked := map[string]bool{}
	for k := 0; k < len(held); k++ {
		url := urlOf(&held[k])
		if asked[url] {
			continue
		}
		asked[url] = true
		shown, err := l.Shown(ctx, &held[k])
		if errors.Is(err, storage.ErrNotFound) {
			continue // it was purged meanwhile
		}
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(held, func(c storage.Capture) bool { return c.Place() == shown.Place() }); i > k {
			c := held[i]
			held = slices.Insert(slices.Delete(held, i, i+1), k, c)
		}
	}
	return nil
}
