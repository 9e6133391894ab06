package warc

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"linkstead/archive/httpmsg"
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
		o, herr := l.proven(ctx, &h, wantedOf(c))
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

// wantedOf is the digest that a payload must have to stand for a revisit's: none for a revisit of another program, which may have
// taken other bytes for the payload.
func wantedOf(c *storage.Capture) string {
	if Imported(c.Segment) {
		return ""
	}
	return c.Digest
}

// maxChain bounds how many revisits are followed to the payload of one.
const maxChain = 10_000

// maxHeads bounds how many of their records are read for what they say of it.
const maxHeads = 16

// errChain says that revisits refer to each other, or too many to one payload.
var errChain = fmt.Errorf("revisits lead to no payload: %w", errNoPlace)

// refersTo opens the capture that a revisit names. That may be a revisit in turn, as other programs write them: then what that
// one names, and so on, never twice the same.
func (l *Library) refersTo(ctx context.Context, c *storage.Capture) (*Memento, error) {
	var via []storage.Capture
	seen := map[string]bool{location(c.Segment, c.Offset): true}
	for place := c.RefersTo; ; {
		if seen[place] || len(via) == maxChain {
			return nil, errChain
		}
		seen[place] = true
		segment, offset, err := splitLocation(place)
		if err != nil {
			return nil, err
		}
		o, err := l.Shelves.CaptureAt(ctx, segment, offset)
		if errors.Is(err, storage.ErrNotFound) {
			o, err = storage.Capture{Segment: segment, Offset: offset, Length: -1}, nil
		}
		if err == nil && o.Collection != "" && o.Collection != c.Collection {
			err = fmt.Errorf("%s stands in another collection: %w", place, errNoPlace)
		}
		if err != nil {
			return nil, err
		}
		if o.Kind == KindRevisit {
			via, place = append(via, o), o.RefersTo
			continue
		}
		m, err := l.proven(ctx, &o, wantedOf(c))
		if o.RecordID == "" && o.URL == "" && errors.Is(err, storage.ErrNotFound) {
			err = fmt.Errorf("no row tells of %s: %w: %w", place, ErrNoOriginal, err)
		}
		if err == nil && len(via) > 0 {
			m.Head, err = l.headOf(ctx, via, m.Head)
			if err != nil {
				return nil, errors.Join(err, m.Close())
			}
		}
		return m, err
	}
}

// headOf is the head that a 304 of the first of some revisits confirmed: of the nearest that has one of its own, or of what all of
// them refer to, updated by each 304 in between (RFC 9111 §3.2).
func (l *Library) headOf(ctx context.Context, via []storage.Capture, original httpmsg.Head) (httpmsg.Head, error) {
	var updates []httpmsg.Head
	for _, v := range via[:min(maxHeads, len(via))] {
		m := &Memento{Capture: v}
		if err := errors.Join(m.open(ctx, l, v), m.Close()); err != nil {
			if isGone(err) {
				continue
			}
			return original, err
		}
		if m.Head.Len == 0 {
			continue
		}
		if !notModified(&m.Header) {
			original = m.Head
			break
		}
		updates = append(updates, m.Head)
	}
	for _, by := range slices.Backward(updates) {
		original = original.Updated(by)
	}
	return original, nil
}

// equal opens a copy that may be read in the place of a response that is damaged: of the same address, payload and status. The
// error is that of the damage, if there is none.
func (l *Library) equal(ctx context.Context, c *storage.Capture, damage error) (*Memento, error) {
	holders, err := l.Shelves.Holders(ctx, c.Collection, c.Digest)
	if err != nil {
		return nil, errors.Join(damage, err)
	}
	tried := 0
	for k := range holders {
		h := &holders[k]
		place := location(h.Segment, h.Offset)
		if h.URL != c.URL || h.Status != c.Status || h.Kind != c.Kind || place == location(c.Segment, c.Offset) || l.rotten.has(place) {
			continue
		}
		if tried++; tried > maxOriginals {
			break
		}
		o, err := l.proven(ctx, h, c.Digest)
		if err == nil {
			o.Capture, o.Damage = *c, damage
			return o, nil
		}
		if !isGone(err) {
			return nil, errors.Join(damage, err)
		}
	}
	return nil, damage
}

var errLong = &TornError{Err: errors.New("a payload that was read is not that of its digest")}

// maxProven bounds what is held of a payload to prove it before any of it is sent, in bytes.
const maxProven = 512 << 10

// proven opens a whole response. A payload that is not long is read and held against its digests first; of a long one it shows
// when it is read, and is remembered for the next reader. What is damaged may be a wrong answer of the store, and is asked for
// once more.
func (l *Library) proven(ctx context.Context, c *storage.Capture, digest string) (*Memento, error) {
	m, err := l.prove(ctx, c, digest)
	if err == nil || !l.forget(*c, err) {
		return m, err
	}
	return l.prove(ctx, c, digest)
}

func (l *Library) prove(ctx context.Context, c *storage.Capture, digest string) (*Memento, error) {
	m := &Memento{Capture: *c}
	if err := m.open(ctx, l, *c); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	place := location(c.Segment, c.Offset)
	p := proofOf(&m.Header, digest)
	if Imported(c.Segment) { // other programs take other bytes for the payload: what it says of itself is not held against it
		p = proofOf(&Header{}, digest)
	}
	head := bytes.NewBuffer(make([]byte, 0, bytes.MinRead+max(0, min(maxProven+1, m.Header.Length-m.Head.Len))))
	n, err := head.ReadFrom(io.LimitReader(m.Payload, maxProven+1))
	if err == nil && n > maxProven {
		whole := &proving{proof: p, rest: m.record.Finish, damaged: func() { l.forget(*c, errLong); l.rotten.add(place) }}
		whole.in = bufio.NewReader(io.MultiReader(head, m.Payload))
		m.Payload = whole
		return m, nil
	}
	if err == nil {
		_, _ = p.Write(head.Bytes()) // never fails
		err = errors.Join(p.judge(), m.record.Finish())
	}
	if err != nil {
		if isGone(err) {
			l.rotten.add(place)
		}
		return nil, errors.Join(err, m.Close())
	}
	l.rotten.drop(place)
	m.Payload = head
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

// drop forgets a place that was read whole after all.
func (r *rotten) drop(place string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places = slices.DeleteFunc(r.places, func(p string) bool { return p == place })
}
