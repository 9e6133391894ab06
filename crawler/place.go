package crawler

import (
	"context"
	"time"

	"linkstead/storage"
)

// timeToLook is the wait that is used to look for what the archive has already.
const timeToLook = 5 * time.Millisecond

// place is what an exchange takes up: one among those under way, if it is not the only one of its host, and from the end of
// its response on one among those that are not acknowledged. It is for one goroutine after the other.
type place struct {
	h     *host
	under bool
	ended bool

	looked bool // for what the archive has of what is to be fetched …
	before *known
	err    error
}

// look looks for what a task can be asked for by, while there is time to: its host is left alone until its turn comes.
func (p *place) look(ctx context.Context, r *run, t storage.Task) {
	p.before, p.err = p.h.c.known(ctx, r, t)
	p.looked = true
}

// known is what was found, or finds it now.
func (p *place) known(r *run, t storage.Task) func(context.Context) (*known, error) {
	return func(ctx context.Context) (*known, error) {
		if !p.looked {
			p.look(ctx, r, t)
		}
		return p.before, p.err
	}
}

// take takes a place among the exchanges under way, if there is one.
func (p *place) take() bool {
	select {
	case p.h.c.more <- struct{}{}:
		p.under = true
	default:
	}
	return p.under
}

// end takes a place among the exchanges that wait for their acknowledgement, unless the work is to stop before.
func (p *place) end(ctx, work context.Context) bool {
	select {
	case p.h.c.room <- struct{}{}:
		p.ended = true
	case <-ctx.Done():
	case <-work.Done():
	}
	return p.ended
}

// move goes over from the exchanges under way to those that wait for their acknowledgement, of which there are not too many
// at a time: until then the exchange still counts as under way. Without time left it does not wait.
func (p *place) move() {
	if !p.ended {
		p.end(p.h.c.last, p.h.c.last)
	}
	if p.under {
		<-p.h.c.more
		p.under = false
	}
}

// leave gives back what is taken.
func (p *place) leave() {
	if p.under {
		<-p.h.c.more
	}
	if p.ended {
		<-p.h.c.room
	}
	p.under, p.ended = false, false
}
