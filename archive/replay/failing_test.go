package replay_test

import (
	"context"
	"errors"
	"iter"

	"linkstead/storage"
)

// failing is an index that fails after so many rows of a walk.
type failing struct {
	*storage.DB
	rows int
}

// CapturesIn implements replay.Index.
func (f failing) CapturesIn(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		n := 0
		for c, err := range f.DB.CapturesIn(ctx, s, after, backwards) {
			if n++; n > f.rows {
				yield(storage.Capture{}, errors.New("index on fire"))
				return
			}
			if !yield(c, err) {
				return
			}
		}
	}
}
