package crawler

import (
	"sync"
	"time"
)

// lendAfter is for how long a host may be waited for, to be found, reached or to begin its answer, before its place is
// another's.
const lendAfter = time.Second

// seat is the place of a host among those that are worked on at the same time. One whose host says nothing, or next to
// nothing, is lent: the host goes on in a place among the exchanges under way, of which there are far more, and keeps it until
// it is given back. So what is under way at the same time stays bounded as it was.
type seat struct {
	c     *Crawler
	hosts chan struct{}

	mu   sync.Mutex
	lent bool
	left bool
}

// lend lends the place, and says whether there is no more to do: there may be no place to go to, for the moment.
func (s *seat) lend() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent || s.left {
		return true
	}
	select {
	case s.c.more <- struct{}{}:
	default:
		return false
	}
	s.lent = true
	<-s.hosts
	s.c.nudge()
	return true
}

// leave gives the place back, wherever it is.
func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	if s.lent {
		<-s.c.more
	} else {
		<-s.hosts
	}
	s.c.working.Add(-1)
}

// An answer trickles if fewer bytes of it come within trickleAfter than trickleBytes: a kilobyte a second. It may take as long as
// an exchange may. One that comes faster keeps its host's place for so many times trickleAfter and no longer: a server needs
// only to know the bound to stay above it.
const (
	trickleAfter = 10 * time.Second
	trickleBytes = 10 << 10
	trickleTimes = 6
)

// patience lends the place of a host unless its answer begins soon, then comes at some speed, and is over some time.
type patience struct {
	seat    *seat
	trickle time.Duration // see trickleAfter

	mu      sync.Mutex
	timer   *time.Timer
	answers bool  // the answer has begun
	came    int64 // bytes of it, since the timer was set
	times   int   // that the timer was set since then
	over    bool
}

// patience begins to wait for an answer.
func (s *seat) patience(after, trickle time.Duration) *patience {
	p := &patience{seat: s, trickle: trickle}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(after, p.ends)
	return p
}

// ends is called when the time is up.
func (p *patience) ends() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over:
	case p.answers && p.came >= trickleBytes && p.times < trickleTimes:
		p.came = 0
		p.times++
		p.timer.Reset(p.trickle)
	case !p.seat.lend():
		p.timer.Reset(lendAfter)
	}
}

// answered says that the answer begins.
func (p *patience) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && !p.answers {
		p.answers, p.times = true, 1
		p.timer.Reset(p.trickle)
	}
}

// bytes says that so many bytes of the answer came.
func (p *patience) bytes(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came += int64(n)
}

// end says that the exchange is over.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.over = true
		p.timer.Stop()
	}
}

// waitable is for how long the host is waited for before its place is another's: not at all if it failed before.
func (h *host) waitable() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state.Failures > 0 {
		return 0
	}
	return lendAfter
}
