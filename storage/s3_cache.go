package storage

import (
	lru "container/list"
	"context"
	"sync"
)

// hotRanges keeps small ranges of objects in memory: what many read at the same time is asked for once. Blobs never
// change, so that what is kept stays right until the blob is deleted.
type hotRanges struct {
	limit int64 // bytes in all
	entry int64 // bytes of one range

	mu     sync.Mutex
	bytes  int64
	order  *lru.List // of *hotRange, the last used first
	kept   map[span]*lru.Element
	asking map[span]*asked
}

// span is a range of an object.
type span struct {
	name   string
	off, n int64
}

type hotRange struct {
	at span
	b  []byte
}

// asked is a range on its way. Who else wants it waits for it.
type asked struct {
	done chan struct{}
	b    []byte
	err  error
}

func newHotRanges(limit, entry int64) *hotRanges {
	return &hotRanges{limit: limit, entry: entry, order: lru.New(), kept: map[span]*lru.Element{}, asking: map[span]*asked{}}
}

// get brings a range: the one that is kept, or the one that read brings. The bytes are shared and must not be changed.
// Who waits for another's read and sees it fail reads by itself: the other's context is not its own.
func (h *hotRanges) get(ctx context.Context, at span, read func() ([]byte, error)) ([]byte, error) {
	for {
		h.mu.Lock()
		if e := h.kept[at]; e != nil {
			h.order.MoveToFront(e)
			h.mu.Unlock()
			return e.Value.(*hotRange).b, nil
		}
		a := h.asking[at]
		if a == nil {
			break
		}
		h.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-a.done:
			if a.err == nil {
				return a.b, nil
			}
		}
	}
	a := &asked{done: make(chan struct{})}
	h.asking[at] = a
	h.mu.Unlock()
	a.b, a.err = read()
	h.mu.Lock()
	if h.asking[at] == a { // else it was forgotten on its way
		delete(h.asking, at)
		if a.err == nil {
			h.keep(at, a.b)
		}
	}
	h.mu.Unlock()
	close(a.done)
	return a.b, a.err
}

// keep takes a range in, and lets go of those that nobody has used for the longest time. h.mu is held.
func (h *hotRanges) keep(at span, b []byte) {
	if int64(len(b)) > h.limit {
		return
	}
	h.kept[at] = h.order.PushFront(&hotRange{at, b})
	h.bytes += int64(len(b)) + rangeCost
	for h.bytes > h.limit && h.order.Len() > 1 {
		h.drop(h.order.Back())
	}
}

// rangeCost is about what it takes to remember a range, beside its bytes.
const rangeCost = 256

func (h *hotRanges) drop(e *lru.Element) {
	r := h.order.Remove(e).(*hotRange)
	delete(h.kept, r.at)
	h.bytes -= int64(len(r.b)) + rangeCost
}

// forget lets go of all ranges of an object; those on their way are not kept.
func (h *hotRanges) forget(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for at := range h.asking {
		if at.name == name {
			delete(h.asking, at)
		}
	}
	for at, e := range h.kept {
		if at.name == name {
			h.drop(e)
		}
	}
}
