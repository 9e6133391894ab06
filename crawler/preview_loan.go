package crawler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/storage"
)

// Hosts lends hosts to those who only look: nobody asks a host without its lease.
type Hosts interface {
	HostPause(ctx context.Context, host string) (storage.Pause, error)
	Borrow(ctx context.Context, host, owner string, ttl time.Duration) (storage.Lease, bool, error)
	Renew(ctx context.Context, held []storage.Lease, ttl time.Duration) (lost []storage.Lease, err error)
	Release(ctx context.Context, held []storage.Lease, politeUntil time.Time) error
	Now() time.Time
}

// A preview holds a host for previewLease at a time. What it can't give back within previewReturn comes free by itself.
const (
	previewLease  = time.Minute
	previewReturn = 10 * time.Second
	previewOwner  = "dry-run"
)

// ask makes one request, under the host's lease.
func (p *Preview) ask(ctx context.Context, w *fetch.Worker, r *run, req fetch.Request, look func(fetch.Document) error) (*warc.Exchange, error) {
	host := urlkey.Host(req.URL)
	l, err := p.turn(ctx, r, host)
	if err != nil {
		return nil, err
	}
	work, stop := p.keep(ctx, l)
	x, err := w.Fetch(work, req, look)
	stop()
	p.asked[host] = p.Now()
	if err != nil {
		err = fmt.Errorf("fetch %s: %w", req.URL, err)
	}
	if err = errors.Join(err, p.giveBack(ctx, r, host, l)); err != nil && x != nil {
		return nil, errors.Join(err, p.Recorder.Release(x))
	}
	return x, err
}

// borrow takes a host's lease, if nobody else has it. Without an archive there is none.
func (p *Preview) borrow(ctx context.Context, host string) (storage.Lease, bool, error) {
	if p.Hosts == nil {
		return storage.Lease{}, true, nil
	}
	return p.Hosts.Borrow(ctx, host, previewOwner, previewLease)
}

// keep prolongs a lease until stop is called. The context ends if that fails, well before the lease does.
func (p *Preview) keep(ctx context.Context, l storage.Lease) (work context.Context, stop func()) {
	if p.Hosts == nil {
		return ctx, func() {}
	}
	work, end := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(previewLease / 3)
		defer t.Stop()
		for {
			select {
			case <-work.Done():
				return
			case <-t.C:
			}
			asking, cancel := context.WithTimeout(work, previewLease/3)
			lost, err := p.Hosts.Renew(asking, []storage.Lease{l}, previewLease)
			cancel()
			if err == nil && len(lost) > 0 {
				err = errors.New("somebody else has it now")
			}
			if err != nil {
				end(fmt.Errorf("the lease of %s was lost: %w\nTry again", l.Host, err))
				return
			}
		}
	}()
	return work, func() { end(nil); <-done }
}

// giveBack ends a lease, also if the preview was called off: the host is left alone for the pause that follows any request.
func (p *Preview) giveBack(ctx context.Context, r *run, host string, l storage.Lease) error {
	if p.Hosts == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), previewReturn)
	defer cancel()
	l.Pace.Reason = string(pace.ReasonDelay)
	pause := max(r.delay(), l.Delay)
	if slow := p.slow[host]; slow > pause {
		pause, l.Pace.Reason = slow, string(pace.ReasonCrawlDelay)
	}
	return p.Hosts.Release(ctx, []storage.Lease{l}, p.Hosts.Now().Add(pause))
}
