package main

import (
	"context"
	"fmt"

	"linkstead/archive/repair"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// capture captures what was accepted and has not been asked for yet, as the post's run would have.
func (m *mender) capture(ctx context.Context, c *captureCmd) error {
	j, err := m.mending(ctx, m.store, *m.post)
	if err != nil || j == nil {
		return err
	}
	if err := m.usable(); err != nil && !c.Detach {
		return err
	}
	own := *m.env
	own.patience = patient
	run, resumed, err := crawler.Complete(ctx, m.store.db, j.spec, j.gaps.tasks, m.now())
	if err != nil {
		return err
	}
	j.run = run
	if resumed {
		fmt.Fprintf(m.stderr, "Going on with run %d of %s.\n", run.ID, j.spec.Source)
	}
	if c.Detach {
		fmt.Fprintf(m.stderr, "Run %d captures what was found again.\n", run.ID)
		return nil
	}
	return c.work(ctx, &own, m.store, []*job{j})
}

// mending is the job that captures the repaired links of a post; nil if there is nothing to do.
func (e *env) mending(ctx context.Context, s *store, p storage.Post) (*job, error) {
	if p.Run < 0 {
		return nil, nil // what was imported has no run that could be completed
	}
	c := &captureCmd{}
	run, err := s.db.Run(ctx, p.Run)
	if err != nil {
		return nil, err
	}
	old, err := crawler.ReadSpec(run)
	if err == nil && old.Missing != 0 {
		if run, err = s.db.Run(ctx, old.Missing); err == nil {
			old, err = crawler.ReadSpec(run)
		}
	}
	if err != nil {
		return nil, err
	}
	r, err := e.reports(s).BuildPost(ctx, run, p.ID)
	if err != nil {
		return nil, err
	}
	var tasks []storage.Task
	asked := map[string]bool{}
	for i := range r.Repairs {
		m := &r.Repairs[i]
		if m.Repaired == nil || m.Fate == nil || m.Fate.Outcome != report.Pending || asked[m.Repaired.URL] {
			continue
		}
		url := m.Repaired.URL
		asked[url] = true
		tasks = append(tasks, storage.Task{
			Host: urlkey.Host(url), ID: urlkey.PageID(url), URL: url, Kind: string(scope.KindPage), Depth: 1, Hops: string(scope.HopLink), Via: p.URL,
			Due: scope.Again(scope.KindPage, string(scope.HopLink), 1),
		})
	}
	if len(tasks) == 0 {
		return nil, nil
	}
	j := &job{spec: c.spec(e.cfg, run.Source), gaps: &gaps{post: p, run: run, tasks: tasks}}
	j.spec.Missing, j.spec.Base, j.spec.Dated, j.spec.Links, j.spec.Exclude = run.ID, old.Base, old.Dated, old.Links, old.Exclude
	j.spec.Depth, j.spec.Scope, j.spec.Collection, j.spec.Watch, j.spec.Posts = old.Depth, old.Scope, old.Collection, old.Watch, old.Posts
	j.spec.Robots = old.Robots
	if j.spec.Cookies, err = cookies(e.cfg.Cookies); err != nil {
		return nil, err
	}
	_, err = j.spec.Compile()
	return j, err
}

// tell prints what is known of the damaged citations.
func (m *mender) tell(ctx context.Context) error {
	out := repaired{Version: 1, Source: m.Post, With: m.with, Written: m.wrote, Repairs: []report.Repair{}}
	if out.With == nil {
		out.With = []string{}
	}
	if m.post != nil && !m.DryRun {
		run, err := m.store.db.Run(ctx, m.post.Run)
		if err != nil {
			return err
		}
		r, err := m.reports(m.store).BuildPost(ctx, run, m.post.ID)
		if err != nil {
			return err
		}
		out.Repairs = append(out.Repairs, r.Repairs...)
	} else {
		out.Repairs = append(out.Repairs, report.Repairs(repair.Fold(m.notes))...)
	}
	if m.post != nil {
		out.Post, out.Source = m.post.ID, m.post.Source
	}
	if m.JSON {
		return encode(m.stdout, out)
	}
	m.print(&out)
	return nil
}

func (m *mender) print(r *repaired) {
	fmt.Fprintf(m.stdout, "Damaged citations of %s\n", clean(r.Source))
	for _, w := range r.With {
		fmt.Fprintf(m.stdout, "  aligned with %s\n", clean(w))
	}
	if len(r.Repairs) == 0 {
		fmt.Fprintf(m.stdout, "  None is known.\n")
		return
	}
	open, done := 0, 0
	for i := range r.Repairs {
		c := &r.Repairs[i]
		switch c.State {
		case report.StateRepaired:
			done++
		case report.StateProposed:
			open++
		}
		printMended(m.stdout, c, true)
	}
	fmt.Fprintf(m.stdout, "\n%s: %d repaired, %d to be decided, %d without a candidate\n", plural(len(r.Repairs), "damaged citation", "damaged citations"),
		done, open, len(r.Repairs)-done-open)
	switch {
	case m.post == nil:
		fmt.Fprintf(m.stdout, "Nothing was written: the file is not kept. With 'linkstead capture %s' it is.\n", clean(m.Post))
	case m.DryRun:
		fmt.Fprintln(m.stdout, "Nothing was written.")
	case open > 0:
		fmt.Fprintf(m.stdout, "Decide with --accept N, --reject N or --url N URL.\n")
	}
}
