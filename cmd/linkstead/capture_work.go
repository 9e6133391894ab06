package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/warc"
	"linkstead/crawler"
	"linkstead/storage"
)

// capture starts the runs, sees them through, and reports.
func (c *captureCmd) capture(ctx context.Context, e *env, s *store, jobs []*job) error {
	for _, j := range jobs {
		var resumed bool
		var err error
		if j.gaps != nil {
			j.run, resumed, err = crawler.Complete(ctx, s.db, j.spec, j.gaps.tasks, e.now())
		} else {
			j.run, resumed, err = crawler.Begin(ctx, s.db, j.spec, j.doc, e.now())
		}
		if err != nil {
			return err
		}
		if resumed && j.run.State == storage.RunActive {
			fmt.Fprintf(e.stderr, "Going on with run %d of %s, which has begun already.\n", j.run.ID, j.spec.Source)
		} else if resumed {
			fmt.Fprintf(e.stderr, "Going on with run %d of %s, which was interrupted.\n", j.run.ID, j.spec.Source)
		}
	}
	if c.Detach {
		return c.detached(e, jobs)
	}
	last, cancel := after(ctx, lastWords) // counted from the interruption, not from the end of the work
	defer cancel()
	var paused pausedError
	if err := c.work(ctx, e, s, jobs); errors.As(err, &paused) {
		fmt.Fprintln(e.stderr, paused)
		return exitError(exitInterrupted)
	} else if err != nil {
		return err
	}
	return c.report(last, e, s, jobs, ctx.Err() != nil)
}

// detached tells the numbers of the runs that were handed over.
func (c *captureCmd) detached(e *env, jobs []*job) error {
	type handed struct {
		Run    int64  `json:"run"`
		Source string `json:"source"`
	}
	out := make([]handed, 0, len(jobs))
	for _, j := range jobs {
		out = append(out, handed{j.run.ID, j.spec.Source})
		if !c.JSON {
			fmt.Fprintf(e.stdout, "Run %d: %s\n", j.run.ID, j.spec.Source)
		}
	}
	if c.JSON {
		return encode(e.stdout, out)
	}
	return nil
}

// work works the runs off, or follows the process that does.
func (c *captureCmd) work(ctx context.Context, e *env, s *store, jobs []*job) error {
	progress := newProgress(e.stderr)
	defer progress.close()
	defer e.logs.above(progress)()
	told := context.AfterFunc(ctx, func() {
		progress.say("Interrupted: what is under way is being finished and stored. Press Ctrl-C again to stop at once.")
	})
	defer told()
	done := func(ctx context.Context) (bool, error) { return allDone(ctx, s, jobs) }
	crowd := &crowded{e: e, say: progress.say}
	for waiting := false; ; {
		began := time.Now()
		w, err := e.hire(ctx, s, progress.tell)
		if crowd.full(err) {
			if !crowd.rest(ctx, err) {
				return c.park(ctx, s, jobs, progress)
			}
			continue
		}
		if errors.Is(err, storage.ErrBusy) {
			if !waiting {
				what := "capture"
				if jobs[0].run.Schedule != "" {
					what = "run"
				}
				progress.say("Another process works on this archive; it has been given this " + what + ", too. Waiting for it.")
				waiting = true
			}
			if err := c.follow(ctx, s, jobs, progress); err != nil && ctx.Err() == nil {
				return err
			}
			if ctx.Err() != nil {
				return c.park(ctx, s, jobs, progress)
			}
			if ok, err := done(ctx); ok || err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		crowd.goesOn()
		w.crawler.Grace, w.crawler.Parting = stopGrace, stopParting
		worked := w.crawler.Work(ctx, done)
		if ctx.Err() != nil && errors.Is(worked, warc.ErrAbandoned) {
			worked = nil // leave tells it
		}
		err = errors.Join(worked, c.leave(ctx, e, s, w, jobs, progress))
		if ctx.Err() != nil || !crowd.full(err) {
			return err
		}
		crowd.calm(began)
		if !crowd.rest(ctx, err) {
			return c.park(ctx, s, jobs, progress)
		}
	}
}

// How a capture stops within ten seconds of an interruption, as a worker does: see stopGrace.
const (
	lastWords  = 8500 * time.Millisecond // the report is made by then, or left out
	lastParked = 500 * time.Millisecond  // for the runs to be parked, once the work has ended
)

// leave stores what is open and gives the worker role up. After an interruption it parks the runs first, and does not wait
// for a store or a database that is away: what is acknowledged is safe in the spool.
func (c *captureCmd) leave(ctx context.Context, e *env, s *store, w *worker, jobs []*job, p *progress) error {
	last, cancel := after(ctx, stopStored)
	defer cancel()
	if ctx.Err() == nil {
		node := w.spool.Node()
		err := w.close(last)
		if err == nil {
			e.indexOnce(ctx, s, node)
		}
		return err
	}
	err := c.park(last, s, jobs, p)
	left := w.close(last)
	switch {
	case errors.Is(left, warc.ErrAbandoned):
		p.say("What was captured last waits in the spool, and is acknowledged at the next start.")
		left = nil
	case errors.Is(left, context.DeadlineExceeded), errors.Is(left, context.Canceled):
		p.say("The store can't be reached. What was captured waits in the spool and is stored at the next start.")
		left = nil
	}
	return errors.Join(err, left)
}

// park parks what is left of the runs after an interruption, whoever works on them.
func (c *captureCmd) park(ctx context.Context, s *store, jobs []*job, p *progress) error {
	parking, parked := context.WithTimeout(context.WithoutCancel(ctx), lastParked)
	defer parked()
	var err error
	for _, j := range jobs {
		err = errors.Join(err, parkOne(parking, s, j))
	}
	if parking.Err() != nil {
		p.say("The database can't be reached, so that the capture is not paused: whoever works on this archive next goes on with it.")
		return nil
	}
	return err
}

// parkOne parks what is left of a run until somebody asks for it again.
func parkOne(ctx context.Context, s *store, j *job) error {
	r, err := s.db.Run(ctx, j.run.ID)
	if err != nil || r.State == storage.RunDone {
		return err
	}
	return s.db.PauseRun(ctx, r.ID)
}

// follow waits while another process works the runs off, until they are done or that process is gone.
func (c *captureCmd) follow(ctx context.Context, s *store, jobs []*job, p *progress) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for try := 0; ; try++ {
		if ok, err := allDone(ctx, s, jobs); ok || err != nil {
			return err
		}
		var sum storage.Counts
		for _, j := range jobs {
			n, err := s.db.Counts(ctx, j.run.ID, "")
			if err != nil {
				return err
			}
			sum.Found, sum.Ended, sum.Failed, sum.Bytes = sum.Found+n.Found, sum.Ended+n.Ended, sum.Failed+n.Failed, sum.Bytes+n.Bytes
		}
		p.counted(sum)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if try%4 == 3 {
			return nil // look whether the role is free by now
		}
	}
}

// pausedError says that somebody else has paused a run that is waited for.
type pausedError int64

func (e pausedError) Error() string {
	return fmt.Sprintf("run %d was paused: the command that also captured it was interrupted, or it can't be carried out here, as the log tells\n"+
		"Run the same command again to go on", int64(e))
}

// allDone says whether the runs are done. One that somebody else has paused is an error.
func allDone(ctx context.Context, s *store, jobs []*job) (bool, error) {
	all := true
	for _, j := range jobs {
		r, err := s.db.Run(ctx, j.run.ID)
		if err != nil {
			return false, err
		}
		if r.State == storage.RunPaused {
			return false, pausedError(r.ID)
		}
		all = all && r.State == storage.RunDone
	}
	return all, nil
}

// report tells what became of every post and link.
func (c *captureCmd) report(ctx context.Context, e *env, s *store, jobs []*job, interrupted bool) error {
	if interrupted && s.db.Ready(ctx) != nil { // nothing can be told of it now
		return exitError(exitInterrupted)
	}
	var reports []*report.Report
	complete, ended := true, true
	for _, j := range jobs {
		run, err := s.db.Run(ctx, j.run.ID)
		if err != nil {
			return err
		}
		ended = ended && run.State == storage.RunDone
		var r *report.Report
		if j.gaps != nil {
			r, err = e.reports(s).BuildPost(ctx, j.gaps.run, j.gaps.post.ID)
		} else {
			r, err = e.reports(s).Build(ctx, run)
		}
		if err != nil {
			return err
		}
		complete = complete && r.Complete()
		reports = append(reports, r)
	}
	if c.JSON {
		if err := printJSON(e.stdout, reports); err != nil {
			return err
		}
	} else {
		for _, r := range reports {
			printReport(e.stdout, r)
			if r.Post.ID != "" {
				fmt.Fprintf(e.stdout, "\n  linkstead show %s   tells of every link.\n", r.Post.ID)
			}
		}
	}
	switch {
	case interrupted && !ended: // an interruption may come when nothing is left to do
		if !c.JSON {
			fmt.Fprintln(e.stdout, "Interrupted. Run the same command again to go on.")
		}
		return exitError(exitInterrupted)
	case !complete:
		return exitError(exitFailed)
	}
	return nil
}
