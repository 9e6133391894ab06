package crawler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"linkstead/archive/outcome"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// run is a run that this process works on.
type run struct {
	row   storage.Run
	line  *line
	scope atomic.Pointer[scope.Scope] // rooted anew once the post's own address is known

	mu    sync.Mutex
	count storage.Counts      // this node's
	seen  map[int64]bool      // ids of tasks that the database has
	since map[int64]time.Time // when a robots.txt of another host was first waited for, by its task
}

// maxSeen bounds the cache of seen tasks, to some 8 MB a run: beyond it, the database alone says what is new.
const maxSeen = 1 << 18

func (r *run) spec() scope.Spec { return r.scope.Load().Spec() }

func (r *run) delay() time.Duration { return time.Duration(r.spec().DelayMS) * time.Millisecond }

// fresh are the tasks that the database may not have yet.
func (r *run) fresh(tasks []storage.Task) []storage.Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := tasks[:0]
	for _, t := range tasks {
		if !r.seen[t.ID] {
			out = append(out, t)
		}
	}
	return out
}

// committed takes note of an exchange that counts: its own task, and those that it led to.
func (r *run) committed(e Event, own int64, tasks []storage.Task) (found int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.learn(own) {
		r.count.Found++
	}
	for _, t := range tasks {
		if r.learn(t.ID) {
			found++
		}
	}
	r.count.Found += int64(found)
	r.count.Bytes += e.Bytes
	if e.Outcome.Kept() {
		r.count.Captured++
	}
	if !e.Retry {
		r.count.Ended++
		if !e.Outcome.Kept() && e.Outcome != outcome.Pending {
			r.count.Failed++
		}
	}
	return found
}

// waited is for how long a robots.txt has been waited for.
func (r *run) waited(task int64, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since == nil {
		r.since = map[int64]time.Time{}
	}
	if r.since[task].IsZero() {
		r.since[task] = now
	}
	return now.Sub(r.since[task])
}

// learn takes note of a task that the database has, and says whether it was unknown. The lock is held.
func (r *run) learn(id int64) bool {
	if r.seen[id] {
		return false
	}
	if len(r.seen) < maxSeen {
		r.seen[id] = true
	}
	return true
}

func (r *run) counts() storage.Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// live are the runs that this process works on.
type live struct {
	mu   sync.Mutex
	runs map[int64]*run
	ends map[int64]bool // being finished
}

func (l *live) init() { l.runs, l.ends = map[int64]*run{}, map[int64]bool{} }

// ending says whether a run is to be finished now: it is not being finished already.
func (l *live) ending(id int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.ends[id]
	l.ends[id] = true
	return !was
}

func (l *live) get(id int64) (*run, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.runs[id]
	return r, ok
}

func (l *live) forget(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.runs, id)
	delete(l.ends, id)
}

func (l *live) all() []*run {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*run, 0, len(l.runs))
	for _, r := range l.runs {
		out = append(out, r)
	}
	return out
}

// run is the run of that number, read once.
func (c *Crawler) run(ctx context.Context, id int64) (*run, error) {
	if r, ok := c.live.get(id); ok {
		return r, nil
	}
	row, err := c.Runs.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := ReadSpec(row)
	if err != nil {
		return nil, err
	}
	r := &run{row: row, line: c.lines.of(s, c.Recorder), seen: map[int64]bool{}}
	compiled, err := s.Compile()
	if err != nil {
		return nil, fmt.Errorf("run %d: %w", id, err)
	}
	post, err := c.Index.PostOf(ctx, id)
	switch {
	case err == nil:
		if rooted, err := compiled.Rooted(post.URL); err == nil { // a document handed in has no root
			compiled = rooted
		}
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	}
	r.scope.Store(compiled)
	if r.count, err = c.Runs.Counts(ctx, id, c.Owner); err != nil {
		return nil, err
	}
	c.live.mu.Lock()
	defer c.live.mu.Unlock()
	if other := c.live.runs[id]; other != nil {
		return other, nil
	}
	c.live.runs[id] = r
	return r, nil
}

// ReadSpec reads the spec of a run's row.
func ReadSpec(row storage.Run) (scope.Spec, error) {
	s, err := scope.Decode(row.Spec)
	if err != nil {
		return scope.Spec{}, fmt.Errorf("run %d: %w", row.ID, err)
	}
	return s, nil
}

// held are the leases of this process.
type held struct {
	mu     sync.Mutex
	leases map[leaseKey]context.CancelFunc // which ends the work under the lease
}

// leaseKey tells a lease from an earlier one of the same host, which may still be under work.
type leaseKey struct {
	host  string
	token int64
}

func (h *held) init() { h.leases = map[leaseKey]context.CancelFunc{} }

// add takes note of a lease; lost is called when it turns out not to be ours any more.
func (h *held) add(l storage.Lease, lost context.CancelFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leases[leaseKey{l.Host, l.Token}] = lost
}

func (h *held) drop(l storage.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.leases, leaseKey{l.Host, l.Token})
}

// lose ends the work under a lease, if there is any.
func (h *held) lose(l storage.Lease) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	lost, ok := h.leases[leaseKey{l.Host, l.Token}]
	if ok {
		lost()
	}
	return ok
}

func (h *held) all() []storage.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]storage.Lease, 0, len(h.leases))
	for k := range h.leases {
		out = append(out, storage.Lease{Host: k.host, Token: k.token})
	}
	return out
}
