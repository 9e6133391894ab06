package warc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"linkstead/storage"
)

// Bounds of what is asked of the store before a revisit refers to what it holds.
const (
	shelfFor    = 10 * time.Minute // for how long an answer is taken for true
	shelfWithin = 3 * time.Second  // a store that does not answer sooner is away
	shelfMost   = 4096             // segments remembered
)

// shelf remembers of segments whether their objects were there.
type shelf struct {
	mu    sync.Mutex
	seen  map[string]seenSegment
	trust time.Time // the store was away: until then everything is taken to be there
}

type seenSegment struct {
	there bool
	until time.Time
}

// stands says whether the stored segment of a capture has its object, whole in length: a payload that has come over the wire
// must not be thrown away for a copy that is lost. A store that can't be asked is no reason to keep everything twice.
func (j *Journal) stands(ctx context.Context, c storage.Capture) bool {
	now := j.Now()
	j.shelf.mu.Lock()
	k, known := j.shelf.seen[c.Segment]
	trust := now.Before(j.shelf.trust)
	j.shelf.mu.Unlock()
	if known && now.Before(k.until) {
		return k.there
	}
	if trust {
		return true
	}
	there, err := j.ask(ctx, c.Segment)
	j.shelf.mu.Lock()
	defer j.shelf.mu.Unlock()
	if err != nil {
		j.shelf.trust = now.Add(shelfFor)
		return true
	}
	if !there {
		j.Log.Warn("the object of a segment is missing or cut short: what it holds is kept anew ('linkstead verify' tells more)", "segment", c.Segment)
	}
	if j.shelf.seen == nil || len(j.shelf.seen) >= shelfMost {
		j.shelf.seen = map[string]seenSegment{}
	}
	j.shelf.seen[c.Segment] = seenSegment{there, now.Add(shelfFor)}
	return there
}

// ask reads the last byte that a segment should have. An error says that nobody knows.
func (j *Journal) ask(ctx context.Context, segment string) (bool, error) {
	ctx, stop := context.WithTimeout(ctx, shelfWithin)
	defer stop()
	s, err := j.Shelves.Segment(ctx, segment)
	if errors.Is(err, storage.ErrNotFound) || err == nil && s.State == storage.SegmentLost {
		return false, nil
	}
	if err != nil || s.State != storage.SegmentStored {
		return true, err
	}
	in, err := j.Blobs.Open(ctx, s.Location, max(0, s.Size-1), 1)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, err := io.Copy(io.Discard, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return false, err
	}
	return n == 1, nil
}
