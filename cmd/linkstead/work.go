package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// workCmd works tasks off.
type workCmd struct {
	Concurrency *int    `help:"Hosts at the same time." placeholder:"N"`
	Listen      *string `help:"Answer /healthz and /readyz there, such as 127.0.0.1:8082 (default: nowhere)." placeholder:"HOST:PORT"`
}

func (c *workCmd) run(ctx context.Context, e *env) (err error) {
	set(&e.cfg.Concurrency, c.Concurrency)
	e.patience = patient
	s, err := e.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	h := &health{s: s}
	listening, hangUp := context.WithCancel(ctx)
	defer hangUp()
	quiet := func() error { return nil }
	if c.Listen != nil {
		if quiet, err = h.listen(listening, e, *c.Listen); err != nil {
			return err
		}
	}
	defer func() { hangUp(); err = errors.Join(err, quiet()) }()
	crowd := &crowded{e: e, say: func(what string) { e.log.Warn(what) }}
	for first := true; ; first = false {
		began := time.Now()
		err := c.workOnce(ctx, e, s, h, crowd, first)
		if ctx.Err() != nil || !crowd.full(err) {
			return err
		}
		crowd.calm(began)
		if !crowd.rest(ctx, err) {
			return nil
		}
	}
}

// workOnce works until ctx ends or something local fails.
func (c *workCmd) workOnce(ctx context.Context, e *env, s *store, h *health, crowd *crowded, first bool) error {
	w, err := e.hire(ctx, s, nil)
	if err != nil && ctx.Err() != nil {
		return nil // stopped before it began
	}
	if err != nil {
		return err
	}
	h.journal.Store(w.journal)
	crowd.goesOn()
	if first {
		fmt.Fprintf(e.stderr, "Node %s works on %s.\n", w.spool.Node(), s.blobs)
	}
	return e.work(ctx, s, w, 1)
}

// patient is the patience of a process that works: a database that is away is waited for, until somebody stops the process.
const patient = -1

// How a worker stops within ten seconds of being told to: exchanges under way get the grace, what they brought is
// acknowledged in the parting, and by the last of these times the segments are stored or wait for the next start.
const (
	stopGrace   = 4500 * time.Millisecond
	stopParting = 2 * time.Second
	stopStored  = 8 * time.Second
)

// work lets n crawlers work on one spool until ctx ends, and leaves. That the store or the database could not be reached
// at the end is no error: what is acknowledged is safe in the spool.
func (e *env) work(ctx context.Context, s *store, w *worker, n int) error {
	last, cancel := after(ctx, stopStored)
	defer cancel()
	g, working := errgroup.WithContext(ctx)
	watch := e.watch(s)
	for i := range n {
		c := w.crawler
		if i > 0 {
			c = e.crawler(s, w, nil)
			c.Walls, c.Session = w.crawler.Walls, w.crawler.Session
			c.Name = fmt.Sprintf("%s#%d", w.spool.Node(), i+1)
		}
		c.Grace, c.Parting, c.Watch = stopGrace, stopParting, watch
		g.Go(func() error {
			return c.Work(working, func(context.Context) (bool, error) { return false, nil })
		})
	}
	g.Go(func() error {
		e.indexAlong(working, s, w.spool.Node())
		return nil
	})
	err := g.Wait()
	if ctx.Err() == nil { // it failed: its segments are stored all the same, if that can be
		var failed context.CancelFunc
		last, failed = context.WithTimeout(last, stopStored)
		defer failed()
	}
	return e.parting(ctx, err, w.close(last))
}

// after is ctx, but ends some time after it.
func after(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() { stop(); cancel() }
}

// parting judges the errors with which a worker left: if it was told to, those of waiting in vain are none.
func (e *env) parting(ctx context.Context, errs ...error) error {
	var out error
	for _, err := range errs {
		switch {
		case ctx.Err() != nil && errors.Is(err, warc.ErrAbandoned):
			e.log.Warn("the database can't be reached; what was captured last waits in the spool, and is acknowledged at the next start")
		case ctx.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
			e.log.Warn("the store can't be reached; what was captured waits in the spool, and is stored at the next start")
		default:
			out = errors.Join(out, err)
		}
	}
	return out
}

// Waits of a server that wants to work, too.
const (
	roleEvery  = 2 * time.Second  // another process has the worker role
	againAfter = 10 * time.Second // the work failed
)

// workAlong works beside serving: it takes the worker role as soon as that is free, and begins anew after a failure. The
// database is waited for, by a handle of the worker's own.
func (e *env) workAlong(ctx context.Context, h *health, n int) {
	told := false
	crowd := &crowded{e: e, say: func(what string) { e.log.Warn(what) }}
	for ctx.Err() == nil {
		err := e.workOnce(ctx, h, n, crowd)
		wait := againAfter
		if ctx.Err() == nil && crowd.full(err) {
			crowd.rest(ctx, err)
			continue
		}
		if errors.Is(err, storage.ErrBusy) {
			wait = roleEvery
			if !told {
				told = true
				fmt.Fprintln(e.stderr, "Another process works on this archive; this one serves, and works when the other is done.")
			}
		} else if err != nil && ctx.Err() == nil {
			e.log.Error("the work stopped, and is begun again in a moment; serving goes on", "error", err)
		}
		pause(ctx, wait)
	}
}

func (e *env) workOnce(ctx context.Context, h *health, n int, crowd *crowded) (err error) {
	own := *e
	own.patience = patient
	s, err := own.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	w, err := own.hire(ctx, s, nil)
	if err != nil {
		return err
	}
	h.journal.Store(w.journal)
	defer h.journal.Store(nil)
	crowd.goesOn()
	return own.work(ctx, s, w, n)
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

const (
	seenEvery = 10 * time.Second // how often a node says that it is there
	farewell  = time.Second      // for how long it tries to say that it leaves
)

// announce says that a node is there, until the returned function is called, which says that it has left: nobody needs to
// wait for it then.
func (e *env) announce(s *store, node string, j *warc.Journal) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	n := storage.Node{Name: node, Started: s.db.Now(), Version: version}
	var saying sync.WaitGroup
	say := func(ctx context.Context) error {
		var full, stuck bool
		n.SpoolUsed, n.SpoolMax, full, stuck = j.State()
		switch n.Waits = ""; {
		case full:
			n.Waits = storage.NodeWaitsSpool
		case stuck:
			n.Waits = storage.NodeWaitsStore
		}
		return s.db.Announce(ctx, n)
	}
	saying.Go(func() {
		for ctx.Err() == nil {
			if err := say(ctx); err != nil && ctx.Err() == nil {
				e.log.Warn("this node can't say that it is there", "node", node, "error", err)
			}
			pause(ctx, seenEvery)
		}
	})
	return func() {
		cancel()
		saying.Wait()
		last, done := context.WithTimeout(context.Background(), farewell)
		defer done()
		err := say(last) // what is in its spool, now that all was stored that could be
		if err == nil {
			err = s.db.Leave(last, node)
		}
		if err != nil {
			e.log.Warn("this node could not say that it leaves: it counts as at work for a minute", "node", node, "error", err)
		}
	}
}
