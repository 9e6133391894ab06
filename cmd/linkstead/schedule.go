package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/configs"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// scheduleCmd holds the commands on schedules.
type scheduleCmd struct {
	Add    scheduleAddCmd    `cmd:"" help:"Watch something: capture it again and again."`
	List   scheduleListCmd   `cmd:"" help:"List the schedules, and when each runs next."`
	Show   scheduleShowCmd   `cmd:"" help:"Show a schedule: its runs, and what differed from one to the next."`
	Run    scheduleRunCmd    `cmd:"" help:"Run a schedule now, once, besides its times; also while it is paused."`
	Pause  schedulePauseCmd  `cmd:"" help:"Let a schedule start no runs until it is resumed."`
	Resume scheduleResumeCmd `cmd:"" help:"Let a paused schedule go on."`
	Remove scheduleRemoveCmd `cmd:"" help:"Forget a schedule. What it captured stays."`
	Apply  scheduleApplyCmd  `cmd:"" help:"Make the schedules what a file says (see docs/schedules.yaml)."`
	Export scheduleExportCmd `cmd:"" help:"Print the schedules as the file that apply takes."`
}

// scheduleAddCmd adds a schedule, or changes one.
type scheduleAddCmd struct {
	Name   string `arg:"" help:"What the schedule is called: a-z, 0-9, dot, dash and underscore."`
	Kind   string `arg:"" help:"What is watched: post, recheck (a post's links), feed, sitemap, site, list." enum:"post,recheck,feed,sitemap,site,list"`
	Source string `arg:"" help:"An http(s) address; for list, also a text file of addresses; for recheck, also a post's short name."`

	Every    string `help:"How often: 90m, 6h, 7d." placeholder:"TIME"`
	Cron     string `help:"When: minute hour day-of-month month day-of-week." placeholder:"EXPR"`
	At       string `help:"When, once: 2026-12-01T10:00." placeholder:"TIME"`
	Adaptive string `help:"Sooner when there was change, later when not: shortest and longest pause, such as 1h,30d." placeholder:"MIN,MAX"`
	TZ       string `name:"tz" help:"Time zone of --cron, --at and --start: Europe/Zurich (default UTC)." placeholder:"ZONE"`
	Start    string `help:"When the first run is due, of --every and --adaptive (default: now)." placeholder:"TIME"`

	BudgetPages int              `help:"End a run after so many pages." placeholder:"N"`
	BudgetBytes configs.Size     `help:"End a run after so many bytes: 500MiB." placeholder:"SIZE"`
	BudgetTime  configs.Duration `help:"End a run after so long: 2h." placeholder:"TIME"`

	Collection   *string           `help:"Collection that the captures go into."`
	Links        string            `help:"Which links of a post are its sources: content, outbound, all; without it, content and outbound together." enum:",content,outbound,all" default:"" placeholder:"WHICH"`
	Depth        *int              `help:"Follow links in --scope up to so many hops." placeholder:"N"`
	Scope        string            `help:"How far --depth may lead, and a sitemap's entries: host, prefix, domain, any; without it, host." enum:",host,prefix,domain,any" default:"" placeholder:"BOUND"`
	Exclude      []string          `help:"Leave out addresses that match (RE2); repeatable." placeholder:"REGEX" sep:"none"`
	Posts        bool              `help:"Of a sitemap: its entries are posts, captured with their sources."`
	Robots       *string           `help:"What robots.txt means: obey, ignore, record." placeholder:"POLICY"`
	PerHost      *int              `help:"Requests at the same time to one host." placeholder:"N"`
	Delay        *configs.Duration `help:"Pause between requests to one host, such as 500ms." placeholder:"TIME"`
	Retries      *int              `help:"Tries after the first, for failures that may pass." placeholder:"N"`
	Resolve      []string          `help:"HOST:PORT:ADDRESS as in curl; repeatable." placeholder:"ENTRY" sep:"none"`
	AllowPrivate bool              `help:"Allow private and loopback addresses."`
}

// written is the schedule as a file would have it.
func (c *scheduleAddCmd) written(cfg configs.Config) (configs.Schedule, error) {
	s := cfg.NewSchedule()
	s.Name, s.Kind, s.Source = c.Name, c.Kind, c.Source
	s.Every, s.Cron, s.At, s.TZ, s.Start = c.Every, c.Cron, c.At, c.TZ, c.Start
	if c.Adaptive != "" {
		shortest, longest, ok := cutComma(c.Adaptive)
		if !ok {
			return s, usageError{fmt.Errorf("--adaptive %q: give the shortest and the longest pause, as in --adaptive 1h,30d", c.Adaptive)}
		}
		s.AdaptiveMin, s.AdaptiveMax = shortest, longest
	}
	s.BudgetPages, s.BudgetBytes, s.BudgetTime = c.BudgetPages, c.BudgetBytes, c.BudgetTime
	set(&s.Collection, c.Collection)
	set(&s.PerHost, c.PerHost)
	set(&s.Delay, c.Delay)
	set(&s.Retries, c.Retries)
	if c.Robots != nil {
		s.Robots = *c.Robots
		s.Give("robots")
	}
	if c.Links != "" {
		s.Links = c.Links
		s.Give("links")
	}
	if c.Depth != nil {
		s.Depth = *c.Depth
		s.Give("depth")
	}
	if c.Scope != "" {
		s.Scope = c.Scope
		s.Give("scope")
	}
	s.Exclude, s.Posts = c.Exclude, c.Posts
	s.Resolve = append(s.Resolve, c.Resolve...)
	s.AllowPrivate = s.AllowPrivate || c.AllowPrivate
	return s, nil
}

func (c *scheduleAddCmd) run(ctx context.Context, e *env) (err error) {
	written, err := c.written(e.cfg)
	if err != nil {
		return err
	}
	s, err := e.schedule(written, ".")
	if err != nil {
		return usageError{fmt.Errorf("schedule %s: %w", c.Name, err)}
	}
	if err := e.notPast(s); err != nil {
		return usageError{err}
	}
	st, err := e.openTables(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	if _, err := st.db.Schedule(ctx, c.Name); err == nil {
		return fmt.Errorf("there is a schedule %s already\n'linkstead schedule remove %s' forgets it; 'linkstead schedule apply' changes it", c.Name, c.Name)
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if err := st.inherit(ctx, s, written); err != nil {
		return err
	}
	p := plannedSchedule{name: s.Name, want: s}
	if err := p.look(ctx, st); err != nil {
		return err
	}
	if err := p.put(ctx, st); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Schedule %s: %s %s, %s. First run: %s.\n", s.Name, s.Kind, clean(s.Spec.Source), s.When, p.next)
	p.tell(e)
	return nil
}

// notPast refuses a schedule whose only time is over: it would run at once.
func (e *env) notPast(s *watch.Schedule) error {
	timing, err := s.When.Compile()
	if err == nil && s.When.At != "" && timing.First(e.now()).Before(e.now()) {
		err = fmt.Errorf("at %s lies in the past: name a time to come, or leave the schedule out", s.When.At)
	}
	if err != nil {
		return fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	return nil
}

// schedule makes of what was written what is carried out. Files are looked for from dir.
func (e *env) schedule(c configs.Schedule, dir string) (*watch.Schedule, error) {
	spec := scope.Default()
	spec.Source, spec.Links, spec.Depth, spec.Scope, spec.Exclude = c.Source, scope.Links(c.Links), c.Depth, scope.Bound(c.Scope), c.Exclude
	spec.Robots, spec.Collection, spec.Posts = scope.Policy(c.Robots), c.Collection, c.Posts
	spec.MaxRequisites, spec.MaxRedirects, spec.Retries = e.cfg.Limits.Requisites, e.cfg.Limits.Redirects, c.Retries
	spec.PerHost, spec.DelayMS = c.PerHost, time.Duration(c.Delay).Milliseconds()
	spec.AllowPrivate, spec.Resolve = c.AllowPrivate, c.Resolve
	spec.Budget = scope.Budget{Pages: int64(c.BudgetPages), Bytes: int64(c.BudgetBytes), Seconds: int64(time.Duration(c.BudgetTime) / time.Second)}
	if c.BudgetTime != 0 && spec.Budget.Seconds <= 0 {
		return nil, fmt.Errorf("budget.time %s is too short: a second is the least", c.BudgetTime)
	}
	s := &watch.Schedule{Name: c.Name, Kind: watch.Kind(c.Kind), Spec: spec, URLs: c.URLs, When: watch.When{
		Every: c.Every, Cron: c.Cron, At: c.At, TZ: c.TZ, Start: c.Start,
	}}
	if c.AdaptiveMin != "" || c.AdaptiveMax != "" {
		s.When.Adaptive = &watch.Bounds{Min: c.AdaptiveMin, Max: c.AdaptiveMax}
	}
	if url, err := urlkey.Parse("", c.Source); err == nil && urlkey.Fetchable(url) {
		s.Spec.Source = url
	} else if c.Source == "" {
		return nil, fmt.Errorf("it has no source: give an http(s) address")
	}
	if err := e.scheduleURLs(s, dir); err != nil {
		return nil, err
	}
	return s, s.Check()
}

// inherit gives a schedule what its collection says of its captures, where nobody else does.
func (s *store) inherit(ctx context.Context, to *watch.Schedule, written configs.Schedule) error {
	about, err := s.about(ctx, to.Spec.Collection)
	if err != nil {
		return err
	}
	for key := range about {
		if written.Given(key) {
			delete(about, key)
		}
	}
	if err := inherit(&to.Spec, about); err != nil {
		return err
	}
	return to.Check()
}

// scheduleURLs reads the addresses of a list, out of its file if they are not given.
func (e *env) scheduleURLs(s *watch.Schedule, dir string) error {
	if s.Kind != watch.List {
		if len(s.URLs) > 0 {
			return fmt.Errorf("urls is for lists")
		}
		return nil
	}
	var text []byte
	switch {
	case len(s.URLs) > 0:
		for _, u := range s.URLs {
			text = append(text, u+"\n"...)
		}
	case urlkey.Fetchable(s.Spec.Source):
		return nil
	default:
		path := s.Spec.Source
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		var err error
		if text, err = readFile(path); err != nil {
			return fmt.Errorf("read the list: %w", err)
		}
		s.Spec.Source = fileName(path)
	}
	urls, err := watch.ReadList(text)
	if err != nil {
		return fmt.Errorf("the list %s: %w", s.Spec.Source, err)
	}
	s.URLs = urls
	return nil
}

// asWritten is a schedule as a file has it.
func asWritten(s *watch.Schedule) configs.Schedule {
	p := s.Spec
	c := configs.Schedule{
		Name: s.Name, Kind: string(s.Kind), Source: p.Source, URLs: s.URLs,
		Every: s.When.Every, Cron: s.When.Cron, At: s.When.At, TZ: s.When.TZ, Start: s.When.Start,
		Collection: p.Collection, Links: string(p.Links), Depth: p.Depth, Scope: string(p.Scope), Exclude: p.Exclude, Posts: p.Posts,
		BudgetPages: int(p.Budget.Pages), BudgetBytes: configs.Size(p.Budget.Bytes),
		BudgetTime: configs.Duration(time.Duration(p.Budget.Seconds) * time.Second),
		Robots:     string(p.Robots), Delay: configs.Duration(time.Duration(p.DelayMS) * time.Millisecond), PerHost: p.PerHost,
		Retries: p.Retries, AllowPrivate: p.AllowPrivate, Resolve: p.Resolve,
	}
	if b := s.When.Adaptive; b != nil {
		c.AdaptiveMin, c.AdaptiveMax = b.Min, b.Max
	}
	return c
}

// putSchedule writes a schedule, and tells when it is due. One that is there keeps its times if its when is the same.
func putSchedule(ctx context.Context, st *store, s *watch.Schedule, old *storage.Schedule) (int64, error) {
	raw, err := s.Encode()
	if err != nil {
		return 0, err
	}
	timing, err := s.When.Compile()
	if err != nil {
		return 0, err
	}
	now := st.db.Now()
	row := storage.Schedule{Name: s.Name, Spec: raw, Created: now}
	next := timing.First(now)
	if old != nil {
		was, err := watch.Decode(*old)
		if err != nil {
			return 0, err
		}
		switch {
		case was.When.Same(s.When):
			return old.Due, st.db.PutSchedule(ctx, row)
		case old.LastRun != 0 && s.When.At == "":
			next = timing.Next(now, now)
		}
	}
	row.Due = next.UnixMilli()
	return row.Due, st.db.PutSchedule(ctx, row)
}

// schedulePauseCmd pauses a schedule.
type schedulePauseCmd struct {
	Name string `arg:"" help:"The schedule."`
}

func (c *schedulePauseCmd) run(ctx context.Context, e *env) error {
	return e.withSchedule(ctx, e.openTables, c.Name, func(st *store, row storage.Schedule) error {
		if row.Paused {
			fmt.Fprintf(e.stdout, "Schedule %s was paused already.\n", c.Name)
			return nil
		}
		if err := st.db.PauseSchedule(ctx, c.Name, true, 0); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Schedule %s is paused: it starts no runs. One that is going on goes on.\n", c.Name)
		return nil
	})
}

// scheduleResumeCmd lets a schedule go on.
type scheduleResumeCmd struct {
	Name string `arg:"" help:"The schedule."`
}

func (c *scheduleResumeCmd) run(ctx context.Context, e *env) error {
	return e.withSchedule(ctx, e.openTables, c.Name, func(st *store, row storage.Schedule) error {
		if !row.Paused {
			fmt.Fprintf(e.stdout, "Schedule %s was not paused.\n", c.Name)
			return nil
		}
		s, err := watch.Decode(row)
		if err != nil {
			return err
		}
		timing, err := s.When.Compile()
		if err != nil {
			return err
		}
		due, now := row.Due, st.db.Now()
		if due < now.UnixMilli() && row.LastRun != 0 { // what it would have run while it was paused is not missed
			if next := timing.Next(time.UnixMilli(due), now); next.IsZero() {
				due = storage.Never
			} else {
				due = next.UnixMilli()
			}
		}
		if err := st.db.PauseSchedule(ctx, c.Name, false, due); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Schedule %s goes on. Next run: %s.\n", c.Name, moment(due, now))
		return nil
	})
}

// scheduleRemoveCmd forgets a schedule.
type scheduleRemoveCmd struct {
	Name string `arg:"" help:"The schedule."`
}

func (c *scheduleRemoveCmd) run(ctx context.Context, e *env) error {
	return e.withSchedule(ctx, e.openTables, c.Name, func(st *store, _ storage.Schedule) error {
		if err := st.db.RemoveSchedule(ctx, c.Name); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Schedule %s is forgotten. What it captured stays.\n", c.Name)
		return nil
	})
}

// opener opens an archive: its rows alone, or all of it.
type opener func(ctx context.Context, create bool) (*store, error)

// withSchedule does something with a schedule that is there.
func (e *env) withSchedule(ctx context.Context, open opener, name string, do func(*store, storage.Schedule) error) (err error) {
	st, err := open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	row, err := st.db.Schedule(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("no schedule is called %q\n'linkstead schedule list' tells which there are", name)
	}
	if err != nil {
		return err
	}
	return do(st, row)
}

// scheduleRunCmd runs a schedule now.
type scheduleRunCmd struct {
	Name   string `arg:"" help:"The schedule."`
	Detach bool   `help:"Hand the run over to whoever works on this archive, and print its number."`
}

func (c *scheduleRunCmd) run(ctx context.Context, e *env) error {
	e.patience = patient
	open := e.open
	if c.Detach {
		open = e.openTables
	}
	return e.withSchedule(ctx, open, c.Name, func(st *store, row storage.Schedule) error {
		run, err := c.begin(ctx, e, st, row)
		if err != nil {
			return err
		}
		if c.Detach {
			fmt.Fprintf(e.stdout, "Run %d of schedule %s.\n", run.ID, c.Name)
			return nil
		}
		last, cancel := after(ctx, lastWords)
		defer cancel()
		if err := new(captureCmd).work(ctx, e, st, []*job{{run: run}}); err != nil {
			return err
		}
		return c.tell(last, e, st, run, ctx.Err() != nil)
	})
}

// begin starts the run, or finds the one that is going on.
func (c *scheduleRunCmd) begin(ctx context.Context, e *env, st *store, row storage.Schedule) (storage.Run, error) {
	s, err := watch.Decode(row)
	if err != nil {
		return storage.Run{}, err
	}
	run, first, err := crawler.Scheduled(ctx, st.db, s, st.db.Now())
	if err != nil {
		return run, noPost(err, s)
	}
	run, err = st.db.StartScheduled(ctx, storage.Start{Schedule: c.Name, Run: run, First: first})
	if !errors.Is(err, storage.ErrOverlap) {
		return run, err
	}
	if row, err = st.db.Schedule(ctx, c.Name); err != nil {
		return run, err
	}
	fmt.Fprintf(e.stderr, "Run %d of this schedule is going on: it is joined.\n", row.LastRun)
	if run, err = st.db.Run(ctx, row.LastRun); err != nil || run.State != storage.RunPaused {
		return run, err
	}
	return run, st.db.ResumeRun(ctx, run.ID)
}

// noPost adds to an error that says that a recheck's post is not kept what to try.
func noPost(err error, s *watch.Schedule) error {
	switch {
	case !errors.Is(err, crawler.ErrNoPost):
		return err
	case urlkey.Fetchable(s.Spec.Source):
		return fmt.Errorf("%w\nCapture the post first: linkstead capture %s", err, s.Spec.Source)
	}
	return fmt.Errorf("%w\n'linkstead list' tells the short names of the posts that are kept; one that is not kept yet is named by its address", err)
}

// tell says what the run came to. A run that was interrupted is not parked: the schedule's next would wait for it.
func (c *scheduleRunCmd) tell(ctx context.Context, e *env, st *store, run storage.Run, interrupted bool) error {
	if interrupted {
		fmt.Fprintf(e.stdout, "Interrupted. Whoever works on this archive next goes on with run %d.\n", run.ID)
		return errors.Join(st.db.ResumeRun(ctx, run.ID), exitError(exitInterrupted))
	}
	row, err := st.db.Schedule(ctx, c.Name)
	if err != nil {
		return err
	}
	r, err := crawler.ReportSchedule(ctx, st.db, e.reports(st), row, 1)
	if err != nil {
		return err
	}
	printRun(e.stdout, r.Runs[0], true)
	posts, err := st.db.PostsOf(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, p := range posts {
		if err := e.printPost(ctx, st, p); err != nil {
			return err
		}
	}
	if r.Runs[0].Failed() {
		return exitError(exitFailed)
	}
	return nil
}
