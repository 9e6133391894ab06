package crawler

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// Schedules starts the runs of schedules.
type Schedules interface {
	Schedule(ctx context.Context, name string) (storage.Schedule, error)
	ScheduleRuns(ctx context.Context, name string, n int) ([]storage.Run, error)
	StartScheduled(ctx context.Context, s storage.Start) (storage.Run, error)
	PostponeTick(ctx context.Context, l storage.Lease, due int64, fault string) error
}

// Watched tells what is known of what schedules watch.
type Watched interface {
	Known(ctx context.Context, schedule string, ids []int64) (map[int64]string, error)
	EntryOf(ctx context.Context, schedule string, task int64) (string, error)
	PostVersions(ctx context.Context, id string) ([]storage.Post, error)
	PostIn(ctx context.Context, id string, run int64) (storage.Post, error)
}

// History compares the runs of a schedule, and notes what it finds.
type History interface {
	RunBefore(ctx context.Context, r storage.Run) (storage.Run, error)
	RunEnds(ctx context.Context, run int64) iter.Seq2[storage.RunEnd, error]
	SetChanges(ctx context.Context, run int64, changes []byte) error
	SetFault(ctx context.Context, run int64, fault string) error
}

var (
	_ Schedules = (*storage.DB)(nil)
	_ Watched   = (*storage.DB)(nil)
	_ History   = (*storage.DB)(nil)
)

const (
	overlapWait = 10 * time.Second // a tick looks again after it while the last run goes on
	faultWait   = time.Hour        // and after it where there is nothing to do yet, or its schedule can't be read
	adaptOver   = 30               // runs by which an adaptive schedule is judged
)

// ErrNothing says that there is nothing to do for a run of a schedule yet.
var ErrNothing = errors.New("there is nothing to capture yet")

// ErrNoPost is the ErrNothing of a recheck whose post is not kept.
var ErrNoPost = fmt.Errorf("%w", ErrNothing)

// hold works under a lease: of a host, or of a schedule's tick.
func (c *Crawler) hold(ctx, work context.Context, l storage.Lease, lost context.CancelFunc) error {
	name, ok := strings.CutPrefix(l.Host, storage.HostSchedule)
	if !ok {
		return c.keep(ctx, work, l, lost)
	}
	var err error
	if len(l.Tasks) > 0 {
		err = c.tick(work, l, name)
	}
	c.held.drop(l)
	released := c.parting(c.Queue.Release(c.last, []storage.Lease{l}, time.UnixMilli(0)))
	switch {
	case err != nil && work.Err() != nil: // the tick stays due
		return released
	case err != nil:
		return err
	}
	return released
}

// tick carries a schedule's tick out: it starts the next run, unless the last one is not done or it is too early. A crash
// leaves either all of it or nothing.
func (c *Crawler) tick(ctx context.Context, l storage.Lease, name string) error {
	row, err := c.Schedules.Schedule(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := c.Now()
	start, wait, err := c.plan(ctx, row, l.Tasks[0].Due, now)
	switch {
	case errors.Is(err, errSchedule):
		c.Log.Error("a schedule can't be carried out", "schedule", name, "error", err)
		return c.Schedules.PostponeTick(ctx, l, now.Add(faultWait).UnixMilli(), sentence(err))
	case errors.Is(err, ErrNothing):
		c.Log.Warn("a schedule has nothing to do yet", "schedule", name, "error", err)
		return c.Schedules.PostponeTick(ctx, l, min(start.Due, now.Add(faultWait).UnixMilli()), sentence(err))
	case err != nil:
		return err
	case wait.After(now):
		return c.Schedules.PostponeTick(ctx, l, wait.UnixMilli(), "")
	}
	start.Lease = &l
	run, err := c.Schedules.StartScheduled(ctx, start)
	switch {
	case errors.Is(err, storage.ErrOverlap):
		if err := c.lateRun(ctx, row.LastRun); err != nil {
			return err
		}
		return c.Schedules.PostponeTick(ctx, l, now.Add(overlapWait).UnixMilli(), "")
	case errors.Is(err, storage.ErrLeaseLost) || errors.Is(err, storage.ErrNotFound):
		return nil // somebody else's by now, paused or removed
	case err != nil:
		return err
	}
	c.Log.Info("a scheduled run begins", "schedule", name, "run", run.ID)
	return nil
}

// lateRun ends a run whose time is up, if none of its tasks has been due since this process began.
func (c *Crawler) lateRun(ctx context.Context, id int64) error {
	r, err := c.run(ctx, id)
	if errors.Is(err, errRun) {
		return c.shelve(ctx, id, err)
	}
	if err != nil {
		return err
	}
	_, _, err = c.spent(ctx, r)
	return err
}

// errSchedule says that a schedule's row is at fault: a newer program wrote it.
var errSchedule = errors.New("its row can't be read")

// plan says what the tick of a schedule that was due at due comes to: the run to start, or how long to wait.
func (c *Crawler) plan(ctx context.Context, row storage.Schedule, due int64, now time.Time) (start storage.Start, wait time.Time, err error) {
	s, err := watch.Decode(row)
	if err != nil {
		return start, wait, errors.Join(errSchedule, err)
	}
	timing, err := s.When.Compile()
	if err != nil {
		return start, wait, errors.Join(errSchedule, err)
	}
	start.Schedule, start.Due = row.Name, storage.Never
	if next := timing.Next(time.UnixMilli(due), now); !next.IsZero() {
		start.Due = next.UnixMilli()
	}
	if s.When.Adaptive != nil {
		history, err := c.past(ctx, row.Name)
		if err != nil {
			return start, wait, err
		}
		if wait = timing.Ready(history); wait.After(now) {
			return start, wait, nil
		}
	}
	start.Run, start.First, err = Scheduled(ctx, c.Watched, s, now)
	if err != nil && !errors.Is(err, ErrNothing) && ctx.Err() == nil && !errors.Is(err, storage.ErrAway) {
		err = errors.Join(errSchedule, err)
	}
	return start, wait, err
}

// past is the history of a schedule, oldest first.
func (c *Crawler) past(ctx context.Context, name string) ([]watch.Past, error) {
	runs, err := c.Schedules.ScheduleRuns(ctx, name, adaptOver)
	if err != nil {
		return nil, err
	}
	return Past(runs)
}

// Past is what an adaptive schedule goes by, oldest first, of its runs, newest first.
func Past(runs []storage.Run) ([]watch.Past, error) {
	var out []watch.Past
	for _, r := range slices.Backward(runs) {
		d, ok, err := watch.DecodeDiff(r.Changes)
		if err != nil {
			return nil, err
		}
		out = append(out, watch.Past{Started: r.Started, Changed: d.Any(), Unknown: !ok})
	}
	return out, nil
}

// Scheduled is the run that a schedule begins, and its first tasks. ErrNothing if there is nothing to ask for.
func Scheduled(ctx context.Context, rows Watched, s *watch.Schedule, now time.Time) (storage.Run, []storage.Task, error) {
	compiled, err := s.Spec.Compile()
	if err != nil {
		return storage.Run{}, nil, err
	}
	spec, err := s.Spec.Encode()
	if err != nil {
		return storage.Run{}, nil, err
	}
	run := storage.Run{
		Collection: s.Spec.Collection, Source: s.Spec.Source, Spec: spec, Schedule: s.Name, Started: now.UTC(),
	}
	var first []storage.Task
	add := func(url, via string, v scope.Verdict) {
		if v.Admitted {
			first = append(first, storage.Task{
				Host: urlkey.Host(url), ID: urlkey.ID(url), URL: url, Kind: string(v.Kind), Depth: v.Depth, Hops: v.Hops, Via: via, Due: v.Due,
			})
		}
	}
	switch {
	case s.Kind == watch.Recheck:
		post, err := newest(ctx, rows, s.Spec)
		if err != nil {
			return run, nil, err
		}
		run.Source = post.Source
		seen := map[string]bool{}
		for _, ct := range post.Citations {
			if ct.LeftOut == "" && !seen[ct.URL] {
				seen[ct.URL] = true
				add(ct.URL, post.URL, compiled.Admit(scope.Link{URL: ct.URL, Hop: scope.HopLink, Cited: true, From: post.URL}))
			}
		}
	case len(s.URLs) > 0:
		for _, u := range s.URLs {
			add(u, "", compiled.Admit(scope.Link{URL: u, Hop: scope.HopEntry}))
		}
	default:
		add(s.Spec.Source, "", compiled.Post())
	}
	if len(first) == 0 {
		return run, nil, fmt.Errorf("%s has no links that may be asked for: %w", run.Source, ErrNothing)
	}
	return run, first, nil
}

// newest is the newest version of the post whose links a schedule rechecks, with its citations.
func newest(ctx context.Context, rows Watched, spec scope.Spec) (storage.Post, error) {
	names := []string{PostID(spec.Collection, spec.Source), spec.Source}
	if u, err := urlkey.Parse("", spec.Source); err == nil {
		names = append(names, PostID(spec.Collection, u))
	}
	for _, id := range names {
		versions, err := rows.PostVersions(ctx, id)
		if err != nil {
			return storage.Post{}, err
		}
		if len(versions) > 0 {
			return rows.PostIn(ctx, versions[0].ID, versions[0].Run)
		}
	}
	return storage.Post{}, fmt.Errorf("the post %s is not kept in collection %s: %w", spec.Source, spec.Collection, ErrNoPost)
}

// compare notes how a scheduled run whose tasks have all ended differs from the one before. Whoever is about to finish the
// run does so; that it may be done twice does no harm.
func (c *Crawler) compare(ctx context.Context, id int64) error {
	r, err := c.Runs.Run(ctx, id)
	if err != nil {
		return err
	}
	return NoteChanges(ctx, c.History, r)
}

// NoteChanges notes how a run whose tasks have all ended differs from the one before of its schedule, if it has one.
func NoteChanges(ctx context.Context, rows History, r storage.Run) error {
	if r.Schedule == "" {
		return nil
	}
	spec, err := ReadSpec(r)
	if err != nil {
		return err
	}
	before, err := rows.RunBefore(ctx, r)
	d := watch.Diff{List: []watch.Item{}}
	switch {
	case errors.Is(err, storage.ErrNotFound):
	case err != nil:
		return err
	default:
		// A feed or a sitemap is asked for what is new in it: what was asked for before is no loss.
		goes := spec.Watch != scope.WatchFeed && spec.Watch != scope.WatchSitemap && r.Cut == ""
		if d, err = watch.Compare(rows.RunEnds(ctx, before.ID), rows.RunEnds(ctx, r.ID), goes); err != nil {
			return err
		}
		d.Against = before.ID
	}
	raw, err := d.Encode()
	if err != nil {
		return err
	}
	return rows.SetChanges(ctx, r.ID, raw)
}
