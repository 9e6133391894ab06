package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/configs"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// captureCmd captures posts.
type captureCmd struct {
	Sources []string `arg:"" name:"source" help:"An http(s) address, an HTML, Markdown, text or PDF file, or - for standard input."`

	Collection   *string           `help:"Collection that the captures go into."`
	Links        string            `help:"Which links of the post are its sources: content, outbound, all; without it, content and outbound together." enum:",content,outbound,all" default:"" placeholder:"WHICH"`
	Depth        *int              `help:"Beyond the post's sources, follow links in --scope up to so many hops from the post: 1 takes in its navigation, 2 what that leads to." placeholder:"N"`
	Scope        string            `help:"How far --depth may lead: host (if neither this nor the collection says otherwise), prefix, domain, any." enum:",host,prefix,domain,any" default:"" placeholder:"BOUND"`
	Sitemaps     *bool             `help:"Read the site's sitemaps and feeds for pages, too, from a --depth of 2 on; without it, if the source is the site's front page." negatable:""`
	Exclude      []string          `help:"Leave out addresses that match (RE2); repeatable." placeholder:"REGEX" sep:"none"`
	Base         string            `help:"What the relative links of a file are resolved against." placeholder:"URL"`
	Date         string            `help:"When the post was written: 2016, 2016-02, 2016-02-21." placeholder:"DATE"`
	DryRun       bool              `help:"Fetch the post alone, write nothing, and tell what would be captured. robots.txt is asked first and obeyed, for the post and what stands on its hosts; those of other hosts, which a capture obeys, too, are not asked."`
	JSON         bool              `name:"json" help:"Print one JSON document on standard output."`
	Cookies      *string           `help:"Cookies: off, session (what servers set is sent back), or a file in Netscape format." placeholder:"MODE"`
	Language     *string           `help:"Accept-Language, such as de-CH, de;q=0.9." placeholder:"LIST"`
	Robots       *string           `help:"What robots.txt means: obey, ignore, record (fetch it, but don't obey)." placeholder:"POLICY"`
	Concurrency  *int              `help:"Hosts at the same time." placeholder:"N"`
	PerHost      *int              `help:"Requests at the same time to one host." placeholder:"N"`
	Delay        *configs.Duration `help:"Pause between requests to one host, such as 500ms." placeholder:"TIME"`
	Retries      *int              `help:"Tries after the first, for failures that may pass." placeholder:"N"`
	Resolve      []string          `help:"HOST:PORT:ADDRESS as in curl; repeatable." placeholder:"ENTRY" sep:"none"`
	AllowPrivate bool              `help:"Allow private and loopback addresses."`
	TLSVerify    *string           `name:"tls-verify" help:"What an invalid certificate means: record (captured, and noted; the default) or require (a failure)." placeholder:"POLICY"`

	Missing       bool `help:"SOURCE is a post that is kept (its short name, or its address): ask for what its newest capture lacks, and for nothing else: what failed, came in part or showed a wall, of the post, its links and what their pages need. Not what was answered for good: 404, 410 and the like, redirects that lead nowhere, what robots.txt forbids."`
	NoConditional bool `name:"no-conditional" help:"Ask for everything anew, not only for what has changed since it was captured."`

	Detach bool `help:"Hand the capture over to whoever works on this archive ('linkstead work', 'linkstead serve'), and print the number of its run."`
	Serve  bool `help:"Serve the archive while and after capturing, until interrupted."`
	places
}

// overlay lays the flags on the configuration.
func (c *captureCmd) overlay(cfg *configs.Config) {
	set(&cfg.Collection, c.Collection)
	set(&cfg.Cookies, c.Cookies)
	set(&cfg.Language, c.Language)
	set(&cfg.Robots, c.Robots)
	set(&cfg.Concurrency, c.Concurrency)
	set(&cfg.PerHost, c.PerHost)
	set(&cfg.Delay, c.Delay)
	set(&cfg.Retries, c.Retries)
	if len(c.Resolve) > 0 {
		cfg.Resolve = append(cfg.Resolve, c.Resolve...)
	}
	cfg.AllowPrivate = cfg.AllowPrivate || c.AllowPrivate
	set(&cfg.TLS.Verify, c.TLSVerify)
	cfg.Recrawl.Conditional = cfg.Recrawl.Conditional && !c.NoConditional
	c.places.overlay(cfg)
}

func set[T any](to *T, flag *T) {
	if flag != nil {
		*to = *flag
	}
}

// spec is the run that the flags ask for, for one source.
func (c *captureCmd) spec(cfg configs.Config, source string) scope.Spec {
	s := scope.Default()
	s.Source, s.Base, s.Dated, s.Exclude = source, c.Base, c.Date, c.Exclude
	s.Robots, s.Collection = scope.Policy(cfg.Robots), cfg.Collection
	c.choose(&s)
	s.MaxRequisites, s.MaxRedirects, s.Retries = cfg.Limits.Requisites, cfg.Limits.Redirects, cfg.Retries
	s.Traps, s.Sitemaps = trapsOf(cfg), mapsOf(c.Sitemaps)
	s.PerHost, s.DelayMS = cfg.PerHost, time.Duration(cfg.Delay).Milliseconds()
	s.Language = cfg.Language
	s.AllowPrivate, s.Resolve, s.RequireValid = cfg.AllowPrivate, cfg.Resolve, cfg.TLS.Verify == tlsRequire
	s.Unconditional = !cfg.Recrawl.Conditional
	return s
}

// trapsOf are the limits against traps that the settings ask for.
func trapsOf(cfg configs.Config) scope.Traps {
	t := cfg.Traps
	return scope.Traps{
		Length: t.Length, Path: t.Path, Fields: t.Fields, Repeats: t.Repeats, Growth: t.Growth, Ahead: t.Ahead, Back: t.Back,
		Host: int64(t.Host), Depth: int64(t.Depth), Pattern: int64(t.Pattern), Same: int64(t.Same), Lists: int64(t.Lists),
		Nested: int64(t.Nested), NestedHost: int64(t.NestedHost),
	}
}

// mapsOf is what a flag says of sitemaps; nothing if it was not given.
func mapsOf(flag *bool) scope.Maps {
	switch {
	case flag == nil:
		return ""
	case *flag:
		return scope.MapsRead
	}
	return scope.MapsLeave
}

// choose lays the flags that a collection may set, too, on a spec.
func (c *captureCmd) choose(s *scope.Spec) {
	if c.Links != "" {
		s.Links = scope.Links(c.Links)
	}
	if c.Scope != "" {
		s.Scope = scope.Bound(c.Scope)
	}
	if c.Depth != nil {
		s.Depth = *c.Depth
	}
}

// inherit gives the runs what their collection says of its captures, where neither flags nor settings say it.
func (c *captureCmd) inherit(ctx context.Context, e *env, s *store, jobs []*job) error {
	about, err := s.about(ctx, e.cfg.Collection)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := inherit(&j.spec, about); err != nil {
			return err
		}
		c.choose(&j.spec)
		if c.Robots != nil || e.cfg.Given("robots") {
			j.spec.Robots = scope.Policy(e.cfg.Robots)
		}
	}
	return nil
}

// job is one source and its run.
type job struct {
	spec scope.Spec
	doc  *storage.Document
	run  storage.Run
	gaps *gaps // what an earlier run lacks, if that is all that is asked for
}

func (c *captureCmd) run(ctx context.Context, e *env) (err error) {
	c.overlay(&e.cfg)
	if err := e.cfg.Validate(); err != nil {
		return usageError{err}
	}
	if c.Detach && (c.Serve || c.DryRun) {
		return usageError{errors.New("--detach goes with neither --serve nor --dry-run\nLeave one of them out")}
	}
	if c.Missing {
		return c.missing(ctx, e)
	}
	jobs, err := c.jobs(e)
	if err != nil {
		return err
	}
	if _, err := e.sites(); err != nil && !c.Detach { // before anything is begun
		return err
	}
	e.patience = patient
	if c.DryRun {
		return c.preview(ctx, e, jobs)
	}
	open := e.open
	if c.Detach {
		open = e.openTables
	}
	s, err := open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := c.inherit(ctx, e, s, jobs); err != nil {
		return err
	}
	serving := func() error { return nil }
	if c.Serve {
		if serving, err = e.serve(ctx, s, &health{s: s}); err != nil {
			return err
		}
	}
	err = c.capture(ctx, e, s, jobs)
	if c.Serve && ctx.Err() == nil && (err == nil || errors.As(err, new(exitError))) {
		fmt.Fprintf(e.stderr, "\nServing the archive on %s — press Ctrl-C to stop.\n", e.cfg.Serve.Pages())
		<-ctx.Done()
	}
	return errors.Join(err, serving())
}

// jobs reads the sources and checks what is asked of them, before any work starts.
func (c *captureCmd) jobs(e *env) ([]*job, error) {
	if c.Base != "" {
		base, err := urlkey.Parse("", c.Base)
		if err != nil || !urlkey.Fetchable(base) {
			return nil, usageError{fmt.Errorf("--base %q is no http(s) address", c.Base)}
		}
	}
	if day := c.Date[:min(len(c.Date), len(time.DateOnly))]; len(day) >= len("2016-02") {
		if _, err := time.Parse(time.DateOnly[:len(day)], day); err != nil {
			return nil, usageError{fmt.Errorf("--date %q is no day of the calendar: write it as 2024, 2024-05 or 2024-05-17", c.Date)}
		}
	}
	var jobs []*job
	for _, arg := range c.Sources {
		name, doc, err := e.source(arg)
		if err != nil {
			return nil, err
		}
		if doc == nil && hasUser(arg) {
			fmt.Fprintln(e.stderr, "The name and the password in the address are left out: what a site is to be asked with stands in the configuration, under sites.")
		}
		j := &job{spec: c.spec(e.cfg, name), doc: doc}
		if j.spec.Cookies, err = cookies(e.cfg.Cookies); err != nil {
			return nil, err
		}
		if _, err := j.spec.Compile(); err != nil {
			return nil, usageError{err}
		}
		if doc == nil && c.Base != "" {
			return nil, usageError{fmt.Errorf("--base is for documents; %s is an address and its own base", name)}
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

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
		err = errors.Join(worked, c.leave(ctx, s, w, jobs, progress))
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
func (c *captureCmd) leave(ctx context.Context, s *store, w *worker, jobs []*job, p *progress) error {
	last, cancel := after(ctx, stopStored)
	defer cancel()
	if ctx.Err() == nil {
		return w.close(last)
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
	complete := true
	for _, j := range jobs {
		run, err := s.db.Run(ctx, j.run.ID)
		if err != nil {
			return err
		}
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
	case interrupted:
		if !c.JSON {
			fmt.Fprintln(e.stdout, "Interrupted. Run the same command again to go on.")
		}
		return exitError(exitInterrupted)
	case !complete:
		return exitError(exitFailed)
	}
	return nil
}
