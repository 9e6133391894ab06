package crawler

import (
	"math/rand/v2"
	"sync"
	"time"
)

// network judges whether our own network works, by what this node's looks came to of late. It is for many goroutines.
type network struct {
	mu   sync.Mutex
	last map[string]time.Time // hosts that failed at the network since the last answer
	up   time.Time            // of the last answer
	told time.Time            // when canaries were asked last …
	fine bool                 // … and whether one answered
}

// outHosts is of how many hosts, all of which fail while none answers, it is said that they can't all have died.
const outHosts = 3

// maxFailing bounds how many failing hosts are remembered.
const maxFailing = 1000

// note takes note of what a look at a host came to: whether anything was answered.
func (n *network) note(host string, answered bool, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if answered {
		n.up, n.last = at, nil
		return
	}
	if n.last == nil {
		n.last = map[string]time.Time{}
	}
	if len(n.last) < maxFailing {
		n.last[host] = at
	}
}

// out says whether it is our own network that fails: within the window several hosts did, and none answered.
func (n *network) out(at time.Time, window time.Duration) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up.IsZero() && at.Sub(n.up) < window {
		return false
	}
	failing := 0
	for host, t := range n.last {
		if at.Sub(t) >= window {
			delete(n.last, host)
			continue
		}
		failing++
	}
	return failing >= outHosts
}

// canary is what canaries said within the last while, if they were asked.
func (n *network) canary(at time.Time, within time.Duration) (fine, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fine, !n.told.IsZero() && at.Sub(n.told) < within
}

func (n *network) heard(fine bool, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told, n.fine = at, fine
}

// looksBegun counts the looks of a day.
type looksBegun struct {
	mu    sync.Mutex
	day   int64
	all   int
	hosts map[string]int
}

// begin says whether one more look at a host may be begun, and if not, when the day is over.
func (b *looksBegun) begin(host string, at time.Time, perHost, perDay int) (ok bool, until time.Time) {
	const day = 24 * time.Hour
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := at.Unix() / int64(day/time.Second); d != b.day || b.hosts == nil {
		b.day, b.all, b.hosts = d, 0, map[string]int{}
	}
	if perHost > 0 && b.hosts[host] >= perHost || perDay > 0 && b.all >= perDay {
		end := time.Unix(0, 0).Add(time.Duration(b.day+1) * day)
		return false, end.Add(time.Duration(rand.Int64N(int64(day)))).UTC() // spread, or all of them come at midnight
	}
	b.hosts[host]++
	b.all++
	return true, time.Time{}
}

// honestHosts are those that say of an address which nobody ever wrote that it is not there. They are asked for such once a day.
type honestHosts struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// maxHonest bounds how many such hosts are remembered.
const maxHonest = 10_000

func (h *honestHosts) is(host string, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.since[host]
	return ok && at.Sub(t) < 24*time.Hour
}

func (h *honestHosts) note(host string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since == nil || len(h.since) >= maxHonest {
		h.since = map[string]time.Time{}
	}
	h.since[host] = at
}
