package main

import (
	"context"
	"errors"
	"fmt"

	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// gaps are what the newest capture of a post lacks.
type gaps struct {
	post  storage.Post
	run   storage.Run // that captured it
	tasks []storage.Task
}

// missing captures what posts that are kept lack.
func (c *captureCmd) missing(ctx context.Context, e *env) (err error) {
	if c.Base != "" || c.Date != "" || c.Links != "" || c.Depth != nil || c.Scope != "" || len(c.Exclude) > 0 {
		return usageError{errors.New("--missing goes by the rules of the capture that it completes\nLeave --base, --date, --links, --depth, --scope and --exclude out")}
	}
	if err := e.usable(); err != nil && !c.Detach {
		return err
	}
	e.patience = patient
	open := e.open
	if c.Detach || c.DryRun {
		open = e.openTables
	}
	s, err := open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var jobs, all []*job
	var whole []*report.Report
	for _, name := range c.Sources {
		j, err := c.lacking(ctx, e, s, name)
		if err != nil {
			return err
		}
		all = append(all, j)
		if len(j.gaps.tasks) > 0 {
			jobs = append(jobs, j)
			continue
		}
		r, err := e.reports(s).BuildPost(ctx, j.gaps.run, j.gaps.post.ID)
		if err != nil {
			return err
		}
		whole = append(whole, r)
	}
	for _, r := range whole {
		if !c.JSON && !c.DryRun {
			fmt.Fprintf(e.stdout, "Nothing is missing of %s that can be had.\n", r.Post.Source)
		}
	}
	switch {
	case c.DryRun:
		return c.wouldAsk(e, all)
	case len(jobs) == 0 && c.JSON:
		return printJSON(e.stdout, whole)
	case len(jobs) == 0:
		return nil
	}
	serving := func() error { return nil }
	if c.Serve {
		if serving, err = e.serve(ctx, s, &health{s: s}); err != nil {
			return err
		}
	}
	return errors.Join(c.capture(ctx, e, s, jobs), serving())
}

// lacking is the job that completes a post.
func (c *captureCmd) lacking(ctx context.Context, e *env, s *store, name string) (*job, error) {
	versions, err := (&showCmd{Post: name}).find(ctx, s)
	if err != nil {
		return nil, err
	}
	if versions[0].Run < 0 {
		return nil, errImported(versions[0])
	}
	g := &gaps{post: versions[0]}
	if g.run, err = s.db.Run(ctx, g.post.Run); err != nil {
		return nil, err
	}
	old, err := crawler.ReadSpec(g.run)
	if err != nil {
		return nil, err
	}
	if old.Missing != 0 { // the post itself was missing
		if g.run, err = s.db.Run(ctx, old.Missing); err == nil {
			old, err = crawler.ReadSpec(g.run)
		}
		if err != nil {
			return nil, err
		}
	}
	if g.run.State != storage.RunDone {
		return nil, fmt.Errorf("run %d of %s is not done yet, and nobody knows what it lacks: capture it without --missing to go on with it", g.run.ID, g.post.Source)
	}
	j := &job{spec: c.spec(e.cfg, g.run.Source), gaps: g}
	j.spec.Missing, j.spec.Base, j.spec.Dated, j.spec.Links, j.spec.Exclude = g.run.ID, old.Base, old.Dated, old.Links, old.Exclude
	j.spec.Depth, j.spec.Scope, j.spec.Collection, j.spec.Watch, j.spec.Posts = old.Depth, old.Scope, old.Collection, old.Watch, old.Posts
	if c.Robots == nil {
		j.spec.Robots = old.Robots
	}
	if g.tasks, err = crawler.Missing(ctx, s.db, g.run, g.post, j.spec, int64(e.cfg.Limits.Bytes)); err != nil {
		return nil, err
	}
	_, err = j.spec.Compile()
	return j, err
}

// planned is what --missing would ask for, of each post that was named.
type planned struct {
	Version int           `json:"version"`
	Posts   []plannedPost `json:"posts"`
}

type plannedPost struct {
	Post    string `json:"post"`
	Source  string `json:"source"`
	Run     int64  `json:"run"`
	Missing []lack `json:"missing"`
}

// lack is an address that is missing, and as what.
type lack struct {
	URL  string `json:"url"`
	Kind string `json:"kind"`
}

// wouldAsk tells what the runs would ask for.
func (c *captureCmd) wouldAsk(e *env, jobs []*job) error {
	out := planned{Version: 1, Posts: []plannedPost{}}
	for _, j := range jobs {
		p := plannedPost{Post: j.gaps.post.ID, Source: j.gaps.post.Source, Run: j.gaps.run.ID, Missing: []lack{}}
		for _, t := range j.gaps.tasks {
			p.Missing = append(p.Missing, lack{t.URL, string(scope.Role(t.Hops))})
		}
		out.Posts = append(out.Posts, p)
	}
	if c.JSON {
		return encode(e.stdout, out)
	}
	for _, p := range out.Posts {
		if len(p.Missing) == 0 {
			fmt.Fprintf(e.stdout, "Nothing is missing of %s that can be had.\n\n", clean(p.Source))
			continue
		}
		fmt.Fprintf(e.stdout, "Missing of %s, as run %d captured it: %s\n", clean(p.Source), p.Run, plural(len(p.Missing), "address", "addresses"))
		for _, l := range p.Missing {
			fmt.Fprintf(e.stdout, "  %-10s %s\n", l.Kind, clean(l.URL))
		}
		fmt.Fprintln(e.stdout)
	}
	fmt.Fprintln(e.stdout, "Nothing was written.")
	return nil
}
