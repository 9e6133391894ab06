// Package crawler decides what to fetch, and fetches it: lease a host, fetch a task, record the exchange, discover what
// it leads to. It never renders a page, never judges a link's life, and keeps no state that the database does not have.
package crawler

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/outcome"
	"linkstead/archive/wall"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/crawler/scope"
	"linkstead/crawler/session"
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
	Kept(ctx context.Context, host string, run, task int64) ([]byte, error)
}

// Runs reads runs, and brings them to their end.
type Runs interface {
	Run(ctx context.Context, id int64) (storage.Run, error)
	Active(ctx context.Context) ([]storage.ActiveRun, error)
	FinishRun(ctx context.Context, id int64, ended time.Time) (bool, error)
	Counter
}

// Counter writes how far a worker has come with runs, and reads what their hosts have been counted for.
type Counter interface {
	Counts(ctx context.Context, run int64, node string) (storage.Counts, error)
	OthersCounts(ctx context.Context, run int64, node string) (storage.Counts, error)
	CountRuns(ctx context.Context, node string, counts map[int64]storage.Counts) error
	Tallies(ctx context.Context, run int64, host string) (map[string]storage.Tally, error)
	NamedSoFar(ctx context.Context, run int64, host, what string) (int64, error)
}

// Index looks captures, posts and what was handed in up.
type Index interface {
	Document(ctx context.Context, run int64) (storage.Document, error)
	Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error)
	Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error)
	Validated(ctx context.Context, collection, urlkey, url string) (last, original storage.Capture, err error)
	PostOf(ctx context.Context, run int64) (storage.Post, error)
}

// Copies lists what was captured of an address, oldest first.
type Copies interface {
	Captures(ctx context.Context, collection, urlkey string) iter.Seq2[storage.Capture, error]
}

// Journal makes entries count: *warc.Journal.
type Journal interface {
	Append(ctx context.Context, e *warc.Entry, done func(held bool, err error)) error
	FlushAll(ctx context.Context) error
	Room() (bool, error) // for more exchanges; the error is why it takes none any more
	Abandon()            // waits for nothing any more
}

// Reader opens captures, and reads the records of attempts: *warc.Library.
type Reader interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
	Attempt(ctx context.Context, a storage.Attempt) (*warc.Closing, warc.Header, error)
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
	Found   int   // tasks that it led to and that nobody had found before
}

// Crawler works tasks off until nothing is left of any active run. Its fields are set once, before Work.
type Crawler struct {
	Queue     Queue
	Tasks     Tasks
	Runs      Runs
	Index     Index
	Copies    Copies
	Journal   Journal
	Library   Reader
	Schedules Schedules
	Watched   Watched
	History   History
	Cuts      Cuts
	Recorder  func(scope.Spec) *fetch.Recorder // what talks to the web for runs of such a spec
	Owner     string                           // this node's name, on its leases
	Name      string                           // this crawler's own among those of its node, under which it counts; "": Owner
	Agent     string                           // product token in robots.txt
	Hosts     int                              // at the same time
	More      int                              // exchanges at the same time, beyond one a host; 0: 512
	Lease     time.Duration                    // how long a host stays ours without renewal
	Hold      time.Duration                    // after how long a host is given back though it has more to do
	RetryWait time.Duration                    // before the second try; doubled for each further one
	Trickle   time.Duration                    // after which an answer that comes at less than a kilobyte a second lends its host's place; 0: 10 s
	Links     *LinkRoom                        // for the links of documents with many; nil: no bound
	Discover  time.Duration                    // to find what a document leads to; 0: 1 min
	Pace      pace.Limits                      // how hosts are treated that are slow, fail or ask to be left alone
	Grace     time.Duration                    // for exchanges under way when the work is to stop
	Parting   time.Duration                    // after the grace, for the database to take what they brought; 0: 3 s
	Watch     *Watch                           // how links are looked at; nil: they are not, and their tasks wait
	Walls     *wall.Rules                      // what stands before the pages that were asked for; nil: wall.Default
	Now       func() time.Time
	Log       *slog.Logger
	Tell      func(Event) // called for each exchange that counts; may be nil

	Session func(scope.Spec) (*session.Session, error) // as whom a run of such a spec asks; nil: as nobody

	live    live
	held    held
	lines   lines
	wake    chan struct{}
	working atomic.Int64  // hosts, wherever their places are
	more    chan struct{} // exchanges under way beyond the first one of each host
	room    chan struct{} // exchanges between the end of their response and their acknowledgement

	last    context.Context // ends when nothing is waited for any more
	settled time.Time       // when runs were last looked after …
	took    time.Duration   // … and how long that took
	saved   time.Time       // when counts were last written
}

// Two bounds, which must not be one: a hundred hosts that say nothing would keep all others from being asked.
const (
	// maxUnacknowledged bounds the exchanges that have come to their end and do not count yet. With those under way, it is
	// what a killed worker has to fetch again.
	maxUnacknowledged = 48
	// maxMore bounds, unless another bound is set, the exchanges under way at the same time beyond the first one of each host,
	// for which there is always a place, and the hosts that have lent theirs: connections, file descriptors, and memory.
	maxMore = 512
)

// Work works until done says so, or ctx ends, or something local fails. done is asked when nothing is due; it may be nil:
// then the work ends when no active run has an open task. When the work is to stop, exchanges under way have some grace
// to come to their end, and are acknowledged before Work returns, if the database answers in the time for parting: if
// not, the journal is abandoned, and what is in the spool is recovered by the next start. To be stopped is no error.
func (c *Crawler) Work(ctx context.Context, done func(context.Context) (bool, error)) error {
	c.wake = make(chan struct{}, 1)
	c.more = make(chan struct{}, cmp.Or(c.More, maxMore))
	c.room = make(chan struct{}, maxUnacknowledged)
	c.live.init()
	c.held.init(c.Log)
	defer c.lines.hangUp()
	ctx, finish := context.WithCancel(ctx)
	defer finish()
	fetching, stop := graceful(ctx, c.Grace)
	defer stop()
	last, stopLast := graceful(ctx, c.Grace+cmp.Or(c.Parting, 3*time.Second))
	defer stopLast()
	kept := context.AfterFunc(last, c.Journal.Abandon)
	defer kept()
	c.last = last
	all, fetching := errgroup.WithContext(fetching)
	holding, letGo := context.WithCancel(context.WithoutCancel(ctx))
	all.Go(func() error { return c.renewals(holding) })
	all.Go(func() error { return c.watchLinks(holding) })
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
	if saved := c.parting(c.saveCounts(last)); err == nil {
		err = saved
	}
	return err
}

// parting is the error of what is written last. That there was no time left for it is none: leases end by themselves, and
// the rest is recovered.
func (c *Crawler) parting(err error) error {
	if err != nil && c.last.Err() != nil {
		c.Log.Warn("there was no time left to write to the database", "error", err)
		return nil
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
		if err == nil && (n == 0 || time.Since(c.settled) > time.Second) {
			finished, err = c.settle(work, g, n == 0 && c.working.Load() == 0)
		}
		if err == nil && n == 0 && done != nil {
			finished, err = done(work)
		}
		if err == nil && n == 0 && !finished {
			room, _ := c.Journal.Room() // the next claim tells of the error
			err = c.rest(ctx, work, len(hosts) == cap(hosts) || !room)
		}
		switch {
		case work.Err() != nil: // what failed for that reason is no failure
			return nil
		case err != nil || finished && (done == nil || n == 0):
			return err
		}
	}
	return nil
}

// claim starts the hosts that are due, as far as there is room, and tells how many. Nothing is claimed that the spool has
// no room for: other workers may have.
func (c *Crawler) claim(ctx, work context.Context, g *errgroup.Group, hosts chan struct{}) (int, error) {
	free := cap(hosts) - len(hosts)
	if room, err := c.Journal.Room(); err != nil || free == 0 || !room {
		return 0, err
	}
	next, err := c.Tasks.NextDue(work)
	if err != nil {
		return 0, err
	}
	if next > c.Now().UnixMilli() {
		return 0, nil
	}
	// A lease counts from before it was asked for: an answer that comes late brings leases that are nearly over.
	began := time.Now()
	asking, cancel := context.WithTimeout(work, c.Lease/3)
	defer cancel()
	leases, err := c.Queue.Claim(asking, c.Owner, min(free, 32), 32, c.Lease)
	if err != nil && asking.Err() != nil && work.Err() == nil {
		return 0, nil // the database is away; what it may have leased comes free by itself
	}
	if err != nil {
		return 0, err
	}
	for _, l := range leases {
		hosts <- struct{}{}
		c.working.Add(1)
		place := &seat{c: c, hosts: hosts}
		work, lost := context.WithCancel(work)
		c.held.add(l, began.Add(c.Lease), c.margin(), lost)
		g.Go(func() error {
			defer func() { lost(); place.leave(); c.nudge() }()
			return c.hold(ctx, work, l, lost, place)
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
