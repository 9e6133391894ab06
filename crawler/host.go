package crawler

import (
	"context"
	"errors"
	"sync"
	"time"

	"linkstead/storage"
)

// host is one host while its lease is ours: this process alone talks to it.
type host struct {
	c      *Crawler
	lease  storage.Lease
	since  time.Time
	ready  []storage.Task         // due, not begun
	rules  map[string]*permission // by run and origin
	signal chan struct{}

	mu       sync.Mutex
	busy     map[taskKey]bool  // begun, not acknowledged
	settled  map[taskKey]int64 // when those acknowledged are due again: what a reader saw before may be stale
	slow     time.Duration     // the site's own Crawl-delay
	fetching int               // exchanges under way
	last     time.Time         // when the last exchange ended or, at several a time, began
	err      error
}

type taskKey struct{ run, id int64 }

func keyOf(t storage.Task) taskKey { return taskKey{t.Run, t.ID} }

// keep works a host's tasks off until it has none left, its time is up or the work is to stop; then it gives the host
// back.
func (c *Crawler) keep(ctx, work context.Context, l storage.Lease) error {
	work, cancel := context.WithCancel(work)
	defer cancel()
	c.held.watch(l.Host, cancel)
	h := &host{
		c: c, lease: l, since: c.Now(), ready: l.Tasks, rules: map[string]*permission{}, busy: map[taskKey]bool{},
		settled: map[taskKey]int64{}, signal: make(chan struct{}, 1),
	}
	until, err := h.serve(ctx, work)
	h.drain()
	c.held.drop(l.Host)
	h.mu.Lock()
	if err == nil {
		err = h.err
	}
	if polite := h.last; polite.After(until) {
		until = polite
	}
	h.mu.Unlock()
	if errors.Is(err, context.Canceled) && work.Err() != nil {
		err = nil // the lease was lost, or the grace is over: the task stays open
	}
	return errors.Join(err, c.Queue.Release(context.WithoutCancel(work), []storage.Lease{l}, until))
}

// serve starts one task after another. It returns the time before which the host must be left alone for other reasons
// than politeness.
func (h *host) serve(ctx, work context.Context) (time.Time, error) {
	for ctx.Err() == nil && work.Err() == nil {
		if err := h.failed(); err != nil {
			return time.Time{}, err
		}
		t, ok, err := h.next(work)
		if err != nil {
			return time.Time{}, err
		}
		if !ok {
			if len(h.ready) > 0 {
				continue
			}
			if h.idle() {
				return time.Time{}, nil
			}
			h.wait(ctx, work, time.Time{})
			continue
		}
		if h.c.Now().Sub(h.since) > h.c.Hold {
			return time.Time{}, nil // let others have a turn; what is ready stays due
		}
		r, err := h.c.run(work, t.Run)
		if err != nil {
			return time.Time{}, err
		}
		p, err := h.permission(work, r, t)
		if err != nil {
			return time.Time{}, err
		}
		if p.wait > 0 {
			return h.c.Now().Add(p.wait), nil
		}
		if p.first != nil {
			h.ready = append([]storage.Task{t}, h.ready...)
			if !h.begun(*p.first) {
				h.begin(ctx, work, r, *p.first, nil)
			}
			h.drain()
			continue
		}
		h.begin(ctx, work, r, t, p)
	}
	return time.Time{}, nil
}

// next takes the most urgent task that has not been begun.
func (h *host) next(ctx context.Context) (storage.Task, bool, error) {
	if len(h.ready) == 0 {
		h.mu.Lock()
		n := len(h.busy)
		h.mu.Unlock()
		due, err := h.c.Queue.Due(ctx, h.lease.Host, n+32)
		if err != nil {
			return storage.Task{}, false, err
		}
		h.mu.Lock()
		for _, t := range due {
			if at, known := h.settled[keyOf(t)]; !h.busy[keyOf(t)] && (!known || t.Due >= at) {
				h.ready = append([]storage.Task{t}, h.ready...)
			}
		}
		h.mu.Unlock()
	}
	if len(h.ready) == 0 {
		return storage.Task{}, false, nil
	}
	t := h.ready[0]
	h.ready = h.ready[1:]
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, known := h.settled[keyOf(t)]; h.busy[keyOf(t)] || known && t.Due < at {
		return storage.Task{}, false, nil // begun out of turn meanwhile
	}
	return t, true, nil
}

// begin starts a task once there is a free place and the politeness delay is over. p is nil for robots.txt itself.
func (h *host) begin(ctx, work context.Context, r *run, t storage.Task, p *permission) {
	if p == nil || p.allowed() {
		for !h.mayFetch(r) {
			if ctx.Err() != nil || work.Err() != nil {
				return
			}
			h.wait(ctx, work, h.politeAt(r))
		}
	}
	select {
	case h.c.room <- struct{}{}:
	case <-work.Done():
		return
	}
	h.mu.Lock()
	h.busy[keyOf(t)] = true
	fetches := p == nil || p.allowed()
	if fetches {
		h.fetching++
		h.last = h.c.Now().Add(h.delay(r))
	}
	h.mu.Unlock()
	go h.do(work, r, t, p, fetches)
}

// mayFetch says whether another exchange may begin now.
func (h *host) mayFetch(r *run) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fetching < r.spec().PerHost && !h.c.Now().Before(h.last)
}

func (h *host) politeAt(r *run) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fetching >= r.spec().PerHost {
		return time.Time{} // a signal will come
	}
	return h.last
}

// do carries one task out; the goroutine ends when the entry has been handed to the journal, the task when that
// acknowledges it.
func (h *host) do(work context.Context, r *run, t storage.Task, p *permission, fetches bool) {
	fetched := func() {
		if fetches {
			h.mu.Lock()
			h.fetching--
			h.last = h.c.Now().Add(h.delay(r))
			h.mu.Unlock()
			h.poke()
		}
	}
	ended := func(due int64, err error) {
		h.mu.Lock()
		delete(h.busy, keyOf(t))
		if err == nil {
			h.settled[keyOf(t)] = due
		}
		if err != nil && h.err == nil {
			h.err = err
		}
		h.mu.Unlock()
		<-h.c.room
		h.poke()
	}
	if err := h.c.task(work, h.lease, r, t, p, fetched, ended); err != nil {
		ended(0, err)
	}
}

// delay is the pause after an exchange: the run's, or the site's own if that is longer.
func (h *host) delay(r *run) time.Duration { return max(r.delay(), h.slow) }

func (h *host) begun(t storage.Task) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.busy[keyOf(t)]
}

func (h *host) poke() {
	select {
	case h.signal <- struct{}{}:
	default:
	}
}

// wait waits for a signal, or until a time if there is one.
func (h *host) wait(ctx, work context.Context, until time.Time) {
	var at <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(until.Sub(h.c.Now()))
		defer t.Stop()
		at = t.C
	}
	select {
	case <-h.signal:
	case <-at:
	case <-ctx.Done():
	case <-work.Done():
	}
}

// drain waits until every task begun is acknowledged or has failed. Each ends: the fetch by its context, the
// acknowledgement by the journal.
func (h *host) drain() {
	for !h.idle() {
		<-h.signal
	}
	h.poke()
}

func (h *host) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.busy) == 0
}

func (h *host) failed() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}
