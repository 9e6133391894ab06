package crawler

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"linkstead/archive/warc"
	"linkstead/crawler/pace"
	"linkstead/storage"
)

// host is one host while its lease is ours: this process alone talks to it.
type host struct {
	c      *Crawler
	lease  storage.Lease
	lost   context.CancelFunc // ends all work under the lease
	seat   *seat
	since  time.Time
	owed   time.Duration          // the delay that the host's row knows …
	used   time.Duration          // … and the longest one since the lease began
	begun  int                    // tasks
	ready  []storage.Task         // due, not begun
	rules  map[string]*permission // by run and origin
	counts map[int64]*tallies     // by run
	signal chan struct{}
	doing  sync.WaitGroup // goroutines that carry tasks out

	mu       sync.Mutex
	busy     map[taskKey]bool  // begun, not acknowledged
	settled  map[taskKey]int64 // when those acknowledged are due again: what a reader saw before may be stale
	slow     time.Duration     // the site's own Crawl-delay
	state    pace.State        // how it fares
	waits    pace.Reason       // why it is given back for longer than politeness asks for
	fetching int               // exchanges under way
	touched  time.Time         // when an exchange last began, or its answer was over
	quiet    time.Time         // before which the runs that were here want no other
	err      error
}

// pausedWait is for how long a host is left alone of which only tasks of paused runs are known.
const pausedWait = 100 * time.Millisecond

type taskKey struct{ run, id int64 }

func keyOf(t storage.Task) taskKey { return taskKey{t.Run, t.ID} }

// keep works a host's tasks off until it has none left, its time is up or the work is to stop; then it gives the host
// back. lost ends work.
func (c *Crawler) keep(ctx, work context.Context, l storage.Lease, lost context.CancelFunc, place *seat) error {
	h := &host{
		c: c, lease: l, lost: lost, seat: place, owed: l.Delay, since: c.Now(), ready: l.Tasks, rules: map[string]*permission{},
		counts: map[int64]*tallies{},
		busy:   map[taskKey]bool{}, settled: map[taskKey]int64{}, signal: make(chan struct{}, 1),
		state: c.Pace.Remembered(stateOf(l.Pace), c.Now()),
	}
	until, err := h.serve(ctx, work)
	h.drain()
	h.doing.Wait()
	h.forgetTallies()
	c.held.drop(l)
	if err == nil {
		err = h.failed()
	}
	if errors.Is(err, context.Canceled) && work.Err() != nil {
		err = nil // the lease was lost, or the grace is over: the task stays open
	}
	if quiet := h.quietUntil(); quiet.After(until) {
		until = quiet
	}
	// Whole milliseconds, and not one too few.
	l.Delay, l.Pace = cmp.Or(h.used, h.owed), h.pace(until)
	released := c.parting(c.Queue.Release(c.last, []storage.Lease{l}, until.Add(time.Millisecond-1)))
	if err == nil {
		err = released
	}
	return err
}

// serve starts one task after another. It returns the time before which the host must be left alone for other reasons
// than politeness.
func (h *host) serve(ctx, work context.Context) (time.Time, error) {
	for ctx.Err() == nil && work.Err() == nil {
		if err := h.failed(); err != nil {
			return time.Time{}, err
		}
		if room, err := h.c.Journal.Room(); err != nil || !room {
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
		if t.Run == storage.Standing && h.c.Watch == nil {
			if err := h.unwatched(work); err != nil {
				return time.Time{}, err
			}
			continue
		}
		r, err := h.c.run(work, t.Run)
		if err == nil {
			err = h.c.handed(work, t)
		}
		if errors.Is(err, errRun) && t.Run == storage.Standing { // it has no row to tell that in
			h.c.Log.Error("links can't be looked at", "error", err)
			if err := h.unwatched(work); err != nil {
				return time.Time{}, err
			}
			continue
		}
		if errors.Is(err, errRun) {
			h.forget(t.Run)
			err = h.c.shelve(work, t.Run, err)
			r = nil
		}
		if err != nil {
			return time.Time{}, err
		}
		if r == nil {
			continue
		}
		if r.off.Load() { // it was paused after the task was read
			if len(h.ready) == 0 {
				return h.c.Now().Add(pausedWait), nil
			}
			continue
		}
		if held, err := h.heldBack(ctx, work, r, t); err != nil {
			return time.Time{}, err
		} else if held {
			continue
		}
		if quiet, leave, err := h.proceed(ctx, work, r, t); err != nil || leave {
			return quiet, err
		}
	}
	return time.Time{}, nil
}

// proceed begins a task for which there is room in its run's budget, or what has to come before it; the room is given back
// if the task does not begin. leave says that the host is to be given back.
func (h *host) proceed(ctx, work context.Context, r *run, t storage.Task) (quiet time.Time, leave bool, err error) {
	begun := false
	defer func() {
		if !begun {
			r.spending.ends(t)
		}
	}()
	p := h.unasked(t)
	if h.timeUp(r, p == nil) {
		return quiet, true, nil // let others have a turn; what is ready stays due
	}
	if p == nil {
		p, err = h.permission(work, r, t)
	}
	if err != nil {
		return quiet, false, err
	}
	if p.wait > 0 {
		h.waits = p.waits
		return h.c.Now().Add(p.wait), true, nil
	}
	if err := h.promise(work, r); err != nil {
		return quiet, false, err
	}
	if p.first == nil {
		if err := h.look(work, r, t, p); err != nil {
			return quiet, false, err
		}
		begun = h.begin(ctx, work, r, t, p)
		return quiet, false, nil
	}
	h.ready = append([]storage.Task{t}, h.ready...)
	if !h.known(*p.first) {
		h.begin(ctx, work, r, *p.first, nil)
	}
	h.drain()
	return quiet, false, nil
}

// timeUp says whether the host has been held long enough, or would be before the next exchange may begin, if there is to be
// one: a host that is waited for takes the place of one that could be asked. One that is left alone because of how it fares
// is not waited for.
func (h *host) timeUp(r *run, asks bool) bool {
	now := h.c.Now()
	at, alone := now, time.Time{}
	if asks {
		if turn, _, _ := h.turn(r); turn.After(at) {
			at = turn
		}
		h.mu.Lock()
		alone, _ = h.alone(1)
		h.mu.Unlock()
	}
	return h.begun > 0 && (at.Sub(h.since) > h.c.Hold || alone.Sub(now) > leaveFor)
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
		for _, t := range due {
			if !h.known(t) {
				h.ready = append(h.ready, t)
			}
		}
	}
	if len(h.ready) == 0 {
		return storage.Task{}, false, nil
	}
	t := h.ready[0]
	h.ready = h.ready[1:]
	return t, !h.known(t), nil // it may have been begun out of turn meanwhile
}

// known says whether a task, as it was read, is under way or has been acknowledged since.
func (h *host) known(t storage.Task) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, settled := h.settled[keyOf(t)]
	return h.busy[keyOf(t)] || settled && t.Due < at
}

// begin starts a task once there is a free place and the politeness delay is over, unless the work is to stop before, and
// says whether it did. p is nil for robots.txt itself, which is no page and needs no room in a budget.
func (h *host) begin(ctx, work context.Context, r *run, t storage.Task, p *permission) bool {
	fetches := p == nil || p.allowed()
	place := &place{h: h}
	if fetches && !h.await(ctx, work, r, t, place) || !fetches && !place.end(ctx, work) || !h.may(work) {
		place.leave()
		return false
	}
	h.begun++
	r.users.Add(1)
	h.mu.Lock()
	h.busy[keyOf(t)] = true
	h.mu.Unlock()
	if fetches {
		h.touch(r, 1, h.c.Now())
	}
	h.doing.Go(func() { h.do(work, r, t, p, fetches, place) })
	return true
}

// await waits for a place, and until the politeness delay is over. It says whether the exchange may begin; not if the work
// is to stop before, or the host is given up meanwhile.
func (h *host) await(ctx, work context.Context, r *run, t storage.Task, p *place) bool {
	for {
		if h.unasked(t) != nil {
			return false
		}
		at, free, first := h.turn(r)
		if free && !h.c.Now().Before(at) {
			if first || p.take() {
				return true
			}
			at = h.c.Now().Add(placeWait)
		} else if !free {
			at = time.Time{} // a signal will come
		} else if !p.looked && at.Sub(h.c.Now()) > timeToLook {
			p.look(work, r, t)
			continue
		}
		h.wait(ctx, work, at)
		if ctx.Err() != nil || work.Err() != nil || h.failed() != nil {
			return false
		}
	}
}

// placeWait is when to look again for a place among the exchanges under way, where there is none for more than one a host.
const placeWait = 20 * time.Millisecond

// may says whether an exchange may begin at this very moment: it would be kept, and the host is still ours.
func (h *host) may(work context.Context) bool {
	room, err := h.c.Journal.Room() // serve tells of the error
	return err == nil && room && work.Err() == nil && h.failed() == nil && !h.c.held.over(h.lease)
}

// do carries one task out; the goroutine ends when the entry has been handed to the journal, the task when that
// acknowledges it.
func (h *host) do(work context.Context, r *run, t storage.Task, p *permission, fetches bool, place *place) {
	waits := &patience{over: true}
	if fetches {
		waits = h.seat.patience(h.waitable(), cmp.Or(h.c.Trickle, trickleAfter))
	}
	var end time.Time // of the answer: the pause begins then, not once it was read and has found its place
	over := func() {
		end = h.c.Now()
		waits.end()
	}
	fetched := func() {
		waits.end()
		place.move()
		if fetches {
			if end.IsZero() {
				over()
			}
			h.touch(r, -1, end)
			h.poke()
		}
	}
	ended := func(due int64, held bool, err error) {
		place.leave()
		r.users.Add(-1)
		r.nested.ended(t.ID)
		r.spending.ends(t)
		h.mu.Lock()
		delete(h.busy, keyOf(t))
		switch {
		case err != nil && h.err == nil:
			h.err = err
		case err == nil && held:
			h.settled[keyOf(t)] = due
		case err == nil:
			h.lost() // somebody else has the host: not one request more
		}
		h.mu.Unlock()
		h.poke()
	}
	fares := func(x *warc.Exchange) (time.Time, bool) { return h.fares(r, x) }
	if err := h.c.task(work, h.lease, r, t, p, steps{fetched, waits.answered, waits.bytes, over, place.known(r, t), fares, ended}); err != nil {
		ended(0, false, err)
	}
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
