package crawler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"linkstead/storage"
)

// margin is how long before its end a lease that could not be renewed counts as over: what is under way is called off
// meanwhile.
func (c *Crawler) margin() time.Duration { return c.Lease / 6 }

// renewals prolongs the leases held until ctx ends: while a host is waited for, too, and while what is under way comes to
// its end.
func (c *Crawler) renewals(ctx context.Context) error {
	wait := max(c.Lease/3, time.Millisecond)
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		renewed, err := c.renew(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		next := wait
		if !renewed {
			next = max(c.Lease/30, time.Millisecond)
		}
		t.Reset(next)
	}
}

// renew prolongs all leases held, and stops work on hosts that are no longer ours. It says whether it could: a database
// that is away is asked again, but not for longer than the leases last.
func (c *Crawler) renew(ctx context.Context) (bool, error) {
	leases := c.held.all()
	if len(leases) == 0 {
		return true, nil
	}
	began := time.Now()
	asking, cancel := context.WithTimeout(ctx, c.Lease/6)
	defer cancel()
	lost, err := c.Queue.Renew(asking, leases, c.Lease)
	if err != nil && asking.Err() != nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, l := range lost {
		if c.held.lose(l) { // or else it was given back meanwhile
			c.Log.Warn("a host was leased to somebody else", "host", l.Host)
		}
	}
	c.held.prolong(leases, began.Add(c.Lease))
	return true, nil
}

// held are the leases of this process.
type held struct {
	log    *slog.Logger
	now    func() time.Time // this machine's clock
	mu     sync.Mutex
	leases map[leaseKey]*holding
}

// leaseKey tells a lease from an earlier one of the same host, which may still be under work.
type leaseKey struct {
	host  string
	token int64
}

// holding is one lease. The work under it ends in time by this machine's own monotonic clock, whether or not the database
// can be reached.
type holding struct {
	lost   context.CancelFunc // ends the work under the lease
	margin time.Duration      // for it to end
	until  time.Time          // by when it is told to
	watch  *time.Timer
	ending bool // the work was told to end: not to be renewed
}

func (h *held) init(log *slog.Logger) {
	h.leases, h.log, h.now = map[leaseKey]*holding{}, log, time.Now
}

// add takes note of a lease that ends at end; lost is called some margin before, or when it turns out not to be ours any
// more.
func (h *held) add(l storage.Lease, end time.Time, margin time.Duration, lost context.CancelFunc) {
	key := leaseKey{l.Host, l.Token}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := &holding{lost: lost, margin: margin, until: end.Add(-margin)}
	n.watch = time.AfterFunc(time.Until(n.until), func() { h.expire(key) })
	h.leases[key] = n
}

// expire ends the work under a lease whose time is up.
func (h *held) expire(key leaseKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.leases[key]
	if n == nil || n.ending {
		return
	}
	if left := time.Until(n.until); left > 0 { // prolonged just now
		n.watch.Reset(left)
		return
	}
	h.lapse(key, n)
}

// lapse ends the work under a lease that was not renewed. The lock is held.
func (h *held) lapse(key leaseKey, n *holding) {
	n.end()
	h.log.Warn("a host's lease could not be renewed in time: no request is made under it any more", "host", key.host)
}

// over says whether no exchange may begin under a lease any more. Its watch may be late where the process was stopped; and
// while the machine sleeps, the wall clock alone goes on.
func (h *held) over(l storage.Lease) bool {
	key := leaseKey{l.Host, l.Token}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.leases[key]
	if n == nil || n.ending {
		return true
	}
	if now := h.now(); now.Before(n.until) && now.Round(0).Before(n.until.Round(0)) {
		return false
	}
	h.lapse(key, n)
	return true
}

func (n *holding) end() {
	n.ending = true
	n.watch.Stop()
	n.lost()
}

// prolong takes note that leases were renewed, but for those lost meanwhile.
func (h *held) prolong(leases []storage.Lease, end time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range leases {
		n := h.leases[leaseKey{l.Host, l.Token}]
		if n == nil || n.ending {
			continue
		}
		n.until = end.Add(-n.margin)
		n.watch.Reset(time.Until(n.until))
	}
}

func (h *held) drop(l storage.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := leaseKey{l.Host, l.Token}
	if n := h.leases[key]; n != nil {
		n.watch.Stop()
		delete(h.leases, key)
	}
}

// lose ends the work under a lease, if there is any.
func (h *held) lose(l storage.Lease) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.leases[leaseKey{l.Host, l.Token}]
	if n == nil || n.ending {
		return false
	}
	n.end()
	return true
}

// all are the leases under which there is work.
func (h *held) all() []storage.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]storage.Lease, 0, len(h.leases))
	for k, n := range h.leases {
		if !n.ending {
			out = append(out, storage.Lease{Host: k.host, Token: k.token})
		}
	}
	return out
}
