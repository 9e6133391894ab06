// Package crawler decides what to fetch, and fetches it: lease a host, fetch a task, record the exchange, discover what
// it leads to. It never renders a page, never judges a link's life, and keeps no state that the database does not have.
package crawler

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Queue hands out hosts and takes them back.
type Queue interface {
	Claim(ctx context.Context, owner string, hosts, each int, ttl time.Duration) ([]storage.Lease, error)
	Due(ctx context.Context, host string, n int) ([]storage.Task, error)
	Renew(ctx context.Context, held []storage.Lease, ttl time.Duration) (lost []storage.Lease, err error)
	Release(ctx context.Context, held []storage.Lease, politeUntil time.Time) error
}

// Tasks looks tasks up and adds to them.
type Tasks interface {
	Task(ctx context.Context, host string, run, id int64) (storage.Task, error)
	Enqueue(ctx context.Context, tasks []storage.Task) (int, error)
	NextDue(ctx context.Context) (int64, error)
	Open(ctx context.Context, run int64) (bool, error)
}

// Runs reads runs and writes how far they have come.
type Runs interface {
	Run(ctx context.Context, id int64) (storage.Run, error)
	UpdateRun(ctx context.Context, r storage.Run) error
	CountRun(ctx context.Context, run int64, node string, c storage.Counts) error
	Counts(ctx context.Context, run int64, node string) (storage.Counts, error)
	Unfinished(ctx context.Context) ([]storage.Run, error)
}

// Index looks captures, posts and what was handed in up.
type Index interface {
	Document(ctx context.Context, run int64) (storage.Document, error)
	Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error)
	Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error)
	PostOf(ctx context.Context, run int64) (storage.Post, error)
}

// Journal makes entries count: *warc.Journal.
type Journal interface {
	Append(ctx context.Context, e *warc.Entry, done func(held bool, err error)) error
	FlushAll(ctx context.Context) error
}

// Reader opens captures: *warc.Library.
type Reader interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
}

// Event tells of one exchange that counts now.
type Event struct {
	Run     int64
	URL     string
	Kind    string
	Depth   int
	Outcome outcome.Outcome
	Status  int   // 0 if there was no response
	Bytes   int64 // of the payload
	Retry   bool  // it is tried again later
	Found   int   // tasks that it led to and that were new to this process
}

// Crawler works tasks off until nothing is left of any active run. Its fields are set once, before Work.
type Crawler struct {
	Queue     Queue
	Tasks     Tasks
	Runs      Runs
	Index     Index
	Journal   Journal
	Library   Reader
	Recorder  func(scope.Spec) *fetch.Recorder // what talks to the web for runs of such a spec
	Owner     string                           // this node's name
	Agent     string                           // product token in robots.txt
	Hosts     int                              // at the same time
	Lease     time.Duration                    // how long a host stays ours without renewal
	Hold      time.Duration                    // after how long a host is given back though it has more to do
	RetryWait time.Duration                    // before the second try; doubled for each further one
	Grace     time.Duration                    // for exchanges under way when the work is to stop
	Now       func() time.Time
	Log       *slog.Logger
	Tell      func(Event) // called for each exchange that counts; may be nil

	live  live
	held  held
	lines lines
	wake  chan struct{}
	room  chan struct{} // exchanges between their first byte and their acknowledgement
}

// maxUnacknowledged bounds what is in memory, and what a killed worker has to fetch again.
const maxUnacknowledged = 48

// Work works until done says so, or ctx ends, or something local fails. done is asked when nothing is due; it may be nil:
// then the work ends when no active run has an open task. When the work is to stop, exchanges under way have some grace
// to come to their end, and are acknowledged before Work returns. To be stopped is no error.
func (c *Crawler) Work(ctx context.Context, done func(context.Context) (bool, error)) error {
	c.wake = make(chan struct{}, 1)
	c.room = make(chan struct{}, maxUnacknowledged)
	c.live.init()
	c.held.init()
	defer c.lines.hangUp()
	ctx, finish := context.WithCancel(ctx)
	defer finish()
	fetching, stop := graceful(ctx, c.Grace)
	defer stop()
	all, fetching := errgroup.WithContext(fetching)
	holding, letGo := context.WithCancel(context.WithoutCancel(ctx))
	all.Go(func() error { return c.renewals(holding) })
	all.Go(func() error {
		defer letGo()
		g, work := errgroup.WithContext(fetching)
		g.Go(func() error {
			defer finish() // who is still at work has the grace, too
			return c.loop(ctx, work, g, done)
		})
		return g.Wait()
	})
	err := all.Wait()
	if saved := c.saveCounters(context.WithoutCancel(ctx)); err == nil {
		err = saved
	}
	return err
}

// graceful is ctx, but ends only some time after it.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := context.AfterFunc(ctx, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() { end(); cancel() }
}

// loop claims hosts while there is room for them, and finishes runs.
func (c *Crawler) loop(ctx, work context.Context, g *errgroup.Group, done func(context.Context) (bool, error)) error {
	hosts := make(chan struct{}, c.Hosts)
	for ctx.Err() == nil && work.Err() == nil {
		n, err := c.claim(ctx, work, g, hosts)
		finished := false
		if err == nil && n == 0 {
			finished, err = c.settle(work, g, len(hosts) == 0, done)
		}
		if err == nil && n == 0 && !finished {
			err = c.rest(ctx, work, len(hosts) == cap(hosts))
		}
		switch {
		case work.Err() != nil: // what failed for that reason is no failure
			return nil
		case err != nil || finished:
			return err
		}
	}
	return nil
}

// claim starts the hosts that are due, as far as there is room, and tells how many.
func (c *Crawler) claim(ctx, work context.Context, g *errgroup.Group, hosts chan struct{}) (int, error) {
	free := cap(hosts) - len(hosts)
	if free == 0 {
		return 0, nil
	}
	next, err := c.Tasks.NextDue(work)
	if err != nil {
		return 0, err
	}
	if next > c.Now().UnixMilli() {
		return 0, nil
	}
	leases, err := c.Queue.Claim(work, c.Owner, min(free, 32), 32, c.Lease)
	if err != nil {
		return 0, err
	}
	for _, l := range leases {
		hosts <- struct{}{}
		work, lost := context.WithCancel(work)
		c.held.add(l, lost)
		g.Go(func() error {
			defer func() { lost(); <-hosts; c.nudge() }()
			return c.keep(ctx, work, l, lost)
		})
	}
	return len(leases), nil
}

// rest waits until something may have become due, or may be claimed again.
func (c *Crawler) rest(ctx, work context.Context, full bool) error {
	wait := 500 * time.Millisecond // tasks that other processes add come to light by looking
	if !full {
		next, err := c.Tasks.NextDue(work)
		if err != nil {
			return err
		}
		if until := time.Duration(next-c.Now().UnixMilli()) * time.Millisecond; next < storage.Never && until < wait {
			wait = max(until, 5*time.Millisecond)
		}
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.wake:
	case <-ctx.Done():
	case <-work.Done():
	}
	return nil
}

func (c *Crawler) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// renewals prolongs the leases held until ctx ends: while a host is waited for, too, and while what is under way comes to
// its end.
func (c *Crawler) renewals(ctx context.Context) error {
	tick := time.NewTicker(max(c.Lease/3, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := c.renew(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// renew prolongs all leases held, and stops work on hosts that are no longer ours.
func (c *Crawler) renew(ctx context.Context) error {
	leases := c.held.all()
	if len(leases) == 0 {
		return nil
	}
	lost, err := c.Queue.Renew(ctx, leases, c.Lease)
	if err != nil {
		return err
	}
	for _, l := range lost {
		if c.held.lose(l) { // or else it was given back meanwhile
			c.Log.Warn("a host was leased to somebody else", "host", l.Host)
		}
	}
	return nil
}

// settle finishes the runs that have come to their end, and says whether the work has. A run is finished beside the work:
// the blob store may be away for hours, and other runs must not wait for it.
func (c *Crawler) settle(work context.Context, g *errgroup.Group, idle bool, done func(context.Context) (bool, error)) (bool, error) {
	runs, err := c.Runs.Unfinished(work)
	if err != nil {
		return false, err
	}
	active := 0
	for _, r := range runs {
		if r.State != storage.RunActive {
			continue
		}
		active++
		open, err := c.Tasks.Open(work, r.ID)
		if err != nil {
			return false, err
		}
		if !open && c.live.ending(r.ID) {
			g.Go(func() error {
				defer c.nudge()
				if err := c.finish(work, r); err != nil && work.Err() == nil {
					return err
				}
				return nil
			})
		}
	}
	if done != nil {
		return done(work)
	}
	return active == 0 && idle, nil
}

// finish ends a run: what it captured is stored before it is called done.
func (c *Crawler) finish(ctx context.Context, r storage.Run) error {
	if err := c.Journal.FlushAll(ctx); err != nil {
		return err
	}
	if l, ok := c.live.get(r.ID); ok {
		if err := c.Runs.CountRun(ctx, r.ID, c.Owner, l.counts()); err != nil {
			return err
		}
	}
	r.State, r.Ended = storage.RunDone, c.Now().UTC()
	if err := c.Runs.UpdateRun(ctx, r); err != nil {
		return err
	}
	c.live.forget(r.ID)
	return nil
}

func (c *Crawler) saveCounters(ctx context.Context) error {
	for _, l := range c.live.all() {
		if err := c.Runs.CountRun(ctx, l.row.ID, c.Owner, l.counts()); err != nil {
			return err
		}
	}
	return nil
}
