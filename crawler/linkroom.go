package crawler

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"linkstead/archive/warc"
)

// LinkRoom bounds the memory that the links of documents with many take at the same time, from when they are found until the
// entry counts: a page of a megabyte and a half may name 75,000, which take thirty times its own size. Those for which there is
// none wait; what a document names beyond all the room there is, is left out. It is nil where memory has no bound.
type LinkRoom struct {
	size int64
	sem  *semaphore.Weighted
	mu   sync.Mutex
	held map[*warc.Entry]int64
}

// NewLinkRoom makes room for so many bytes.
func NewLinkRoom(bytes int64) *LinkRoom {
	return &LinkRoom{size: bytes, sem: semaphore.NewWeighted(bytes), held: map[*warc.Entry]int64{}}
}

// What links cost, in bytes: one takes linkCost and linkCopies times its address, in the sets of what was seen, as an outlink, as a
// task and in its record. Documents whose links take up to fewLinks ask for no room: that is among what an exchange costs. For
// the others linkRatio times their length is set aside while they are searched, which is more than any but a hostile one needs.
const (
	linkCost   = 400
	linkCopies = 4
	fewLinks   = 128 << 10
	linkRatio  = 32
)

// claim waits for the room that the links of a document of so many bytes may need, and says how much was set aside. An entry
// that holds some waits for no more, so that no two wait for each other.
func (l *LinkRoom) claim(ctx context.Context, e *warc.Entry, length int) (int64, error) {
	l.mu.Lock()
	had, ok := l.held[e]
	l.mu.Unlock()
	if ok {
		return had, nil
	}
	bytes := min(l.size, fewLinks+linkRatio*int64(length))
	if err := l.sem.Acquire(ctx, bytes); err != nil {
		return 0, fmt.Errorf("wait for memory to keep the links of %s: %w", e.Task.URL, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[e] = bytes
	return bytes, nil
}

// settle gives back what an entry holds beyond what its links turned out to take.
func (l *LinkRoom) settle(e *warc.Entry, bytes int64) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if had := l.held[e]; had > bytes {
		l.held[e] = bytes
		l.sem.Release(had - bytes)
	}
}

// free gives back all that an entry holds, if anything.
func (l *LinkRoom) free(e *warc.Entry) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if had, ok := l.held[e]; ok {
		delete(l.held, e)
		l.sem.Release(had)
	}
}

// afford counts what another link of so many bytes takes, waits for room when it is the first beyond a few, and says whether
// there is any.
func (f *finder) afford(bytes int) bool {
	if f.room == nil || f.fault != nil {
		return f.fault == nil
	}
	f.cost += linkCost + linkCopies*int64(bytes)
	if f.cost <= fewLinks {
		return true
	}
	if f.share == 0 {
		begun := time.Now()
		if f.share, f.fault = f.room.claim(f.ctx, f.e, f.length); f.fault != nil {
			return false
		}
		if !f.until.IsZero() {
			f.until = f.until.Add(time.Since(begun)) // waiting is no searching
		}
	}
	return f.cost <= f.share
}

// within makes the finder's links take room, in the search of a document of so many bytes.
func (f *finder) within(ctx context.Context, room *LinkRoom, length int) {
	f.ctx, f.room, f.length = ctx, room, length
}
