package crawler

import (
	"sync"
	"time"
)

// lendAfter is for how long a host may be waited for, to be found, reached or to begin its answer, before its place is
// another's.
const lendAfter = time.Second

// seat is the place of a host among those that are worked on at the same time. One whose host says nothing is lent: the host
// goes on in a place among the exchanges under way, of which there are far more, and keeps it until it is given back. So what
// is under way at the same time stays bounded as it was.
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

// patience lends the place unless answered is called soon: once the answer begins, or the exchange is over.
func (s *seat) patience(after time.Duration) (answered func()) {
	var mu sync.Mutex
	over := false
	var t *time.Timer
	mu.Lock()
	defer mu.Unlock()
	t = time.AfterFunc(after, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over && !s.lend() {
			t.Reset(lendAfter)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		t.Stop()
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
