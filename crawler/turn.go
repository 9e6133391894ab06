package crawler

import (
	"context"
	"time"

	"linkstead/storage"
)

// turn is when the next exchange of a run may begin, whether the host has a place for it now, and whether it would be the
// only one.
func (h *host) turn(r *run) (at time.Time, free, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, most := h.alone(r.spec().PerHost)
	if h.quiet.After(at) {
		at = h.quiet
	}
	if own := h.touched.Add(h.delay(r)); !h.touched.IsZero() && own.After(at) {
		at = own
	}
	return at, h.fetching < most, h.fetching == 0
}

// touch takes note that an exchange begins (1), or has ended (-1), and when.
func (h *host) touch(r *run, change int, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fetching += change
	if at.After(h.touched) {
		h.touched = at
	}
	if at := h.touched.Add(h.delay(r)); at.After(h.quiet) {
		h.quiet = at
	}
}

// delay is the pause after an exchange: the run's, longer if the host is slow, or the site's own if that is longer still. The
// lock is held.
func (h *host) delay(r *run) time.Duration {
	return max(h.c.Pace.Delay(r.delay(), h.state.Response), h.slow)
}

// promise writes the delay that an exchange of the run will be followed by into the host's row, before the exchange: whoever
// has the host after a crash keeps it.
func (h *host) promise(ctx context.Context, r *run) error {
	h.mu.Lock()
	delay := h.delay(r)
	h.mu.Unlock()
	h.used = max(h.used, delay)
	if delay <= h.owed {
		return nil
	}
	ls := []storage.Lease{{Host: h.lease.Host, Token: h.lease.Token, Delay: delay}}
	began := time.Now()
	lost, err := h.c.Queue.Renew(ctx, ls, h.c.Lease)
	if err != nil {
		return err
	}
	h.owed = delay
	if len(lost) > 0 {
		h.c.held.lose(ls[0])
		return nil
	}
	h.c.held.prolong(ls, began.Add(h.c.Lease))
	return nil
}

// quietUntil is when somebody else may talk to the host.
func (h *host) quietUntil() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.quiet
	if own := h.touched.Add(h.slow); !h.touched.IsZero() && own.After(at) {
		at = own // the site's wish became known after the exchange
	}
	if alone, _ := h.alone(1); alone.After(at) {
		at = alone
	}
	return at
}

// slowDown obeys a Crawl-delay.
func (h *host) slowDown(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slow = max(h.slow, d)
}
