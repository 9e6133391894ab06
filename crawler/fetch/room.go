package fetch

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Room bounds the memory of documents longer than Limits.Memory that recorders have in hand at the same time: those for which
// there is none wait. It may be shared by recorders.
type Room struct {
	size int64
	sem  *semaphore.Weighted
}

// NewRoom makes room for so many bytes.
func NewRoom(bytes int64) *Room { return &Room{bytes, semaphore.NewWeighted(bytes)} }

// take waits for room, and returns what gives it back. What asks for more than there is gets it all.
func (r *Room) take(ctx context.Context, bytes int64) (free func(), err error) {
	if r == nil {
		return func() {}, nil
	}
	bytes = min(bytes, r.size)
	if err := r.sem.Acquire(ctx, bytes); err != nil {
		return nil, err
	}
	return func() { r.sem.Release(bytes) }, nil
}
