package warc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"linkstead/storage"
)

// maxOriginals bounds how many copies of a payload are tried for one reader.
const maxOriginals = 8

// original opens what a revisit refers to. If that is damaged or gone, an equal payload that stands elsewhere in the collection
// is as good: of a page that was not modified, one of the same address. The error is that of what it refers to.
func (l *Library) original(ctx context.Context, c *storage.Capture) (*Memento, error) {
	var err error
	damaged := l.rotten.has(c.RefersTo)
	if !damaged {
		var o *Memento
		if o, err = l.refersTo(ctx, c); err == nil || !isGone(err) {
			return o, err
		}
	}
	holders, herr := l.Shelves.Holders(ctx, c.Collection, c.Digest)
	if herr != nil {
		return nil, errors.Join(err, herr)
	}
	turn := c.Originals(holders, "")
	for _, h := range turn[:min(maxOriginals, len(turn))] {
		place := location(h.Segment, h.Offset)
		if place == c.RefersTo || l.rotten.has(place) {
			continue
		}
		o, herr := l.proven(ctx, &h, c.Digest)
		if herr == nil || !isGone(herr) {
			return o, herr
		}
	}
	if damaged { // as far as it can be read
		return l.refersTo(ctx, c)
	}
	return nil, err
}

// isGone says whether other copies are to be tried, since this one can't be read, today or ever.
func isGone(err error) bool {
	return errors.As(err, new(*TornError)) || errors.Is(err, ErrNoPayload) || errors.Is(err, storage.ErrNotFound) || errors.Is(err, errNoPlace)
}

// refersTo opens the capture that a revisit names.
func (l *Library) refersTo(ctx context.Context, c *storage.Capture) (*Memento, error) {
	segment, offset, err := splitLocation(c.RefersTo)
	if err != nil {
		return nil, err
	}
	o, err := l.Shelves.CaptureAt(ctx, segment, offset)
	if errors.Is(err, storage.ErrNotFound) {
		o, err = storage.Capture{Segment: segment, Offset: offset, Length: -1}, nil
	}
	if err != nil {
		return nil, err
	}
	return l.proven(ctx, &o, c.Digest)
}

// maxProven bounds what is held of a payload to prove it before any of it is sent, in bytes.
const maxProven = 512 << 10

// proven opens a whole response. A payload that is not long is read and held against its digest first; of a long one it shows
// when it is read, and is remembered for the next reader.
func (l *Library) proven(ctx context.Context, c *storage.Capture, digest string) (*Memento, error) {
	m := &Memento{Capture: *c}
	if err := m.open(ctx, l, *c); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	var head bytes.Buffer
	n, err := io.CopyN(&head, m.Payload, maxProven+1)
	want, derr := digestOf(digest)
	switch {
	case errors.Is(err, io.EOF) && derr == nil && want.want != nil:
		want.hash.Write(head.Bytes())
		if err = nil; !want.fits() {
			err = &TornError{Offset: c.Offset, Err: fmt.Errorf("the %d bytes of its payload are not those of the digest", n)}
		}
	case errors.Is(err, io.EOF):
		err = nil
	}
	if err != nil {
		if isGone(err) {
			l.rotten.add(location(c.Segment, c.Offset))
		}
		return nil, errors.Join(err, m.Close())
	}
	m.Payload = io.MultiReader(&head, m.Payload)
	return m, nil
}

// rotten are the last places that were found damaged while they were read. One may be named though its store has only
// answered wrong once: then an equal payload is read in its place, which is no harm.
type rotten struct {
	mu     sync.Mutex
	places []string
}

const maxRotten = 256

func (r *rotten) add(place string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.places, place) {
		r.places = append(r.places[max(0, len(r.places)+1-maxRotten):], place)
	}
}

func (r *rotten) has(place string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.places, place)
}
