package crawler

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Cuts ends what is left of runs whose budgets are used up, and puts runs aside.
type Cuts interface {
	ShelveRun(ctx context.Context, id int64, fault string) error
	CutRun(ctx context.Context, run int64, budget string) (bool, error)
	CutTasks(ctx context.Context, l storage.Lease, run int64, busy []int64) error
}

var _ Cuts = (*storage.DB)(nil)

// spending is what is known of a run's budget beyond what this crawler has counted: what other nodes have done is asked for
// once in a while.
type spending struct {
	pages atomic.Int64 // under way, or about to be
	bytes atomic.Int64 // fetched, not acknowledged

	mu     sync.Mutex
	asked  time.Time
	others storage.Counts // nodes
	cut    string         // the budget that is used up
}

// begins and ends take note of what is under way.
func (s *spending) begins(t storage.Task) { s.change(t, 1) }
func (s *spending) ends(t storage.Task)   { s.change(t, -1) }

func (s *spending) change(t storage.Task, by int64) {
	if t.Kind == string(scope.KindPage) {
		s.pages.Add(by)
	}
}

const (
	askEvery = time.Second
	fullWait = 10 * time.Millisecond // until what is under way may have been acknowledged
)

// spent tells which budget of a run is used up, "" if none is; and whether one would be, once what this process has under
// way is acknowledged. Other nodes learn of each other within a second: what they fetch meanwhile still counts, so a run may
// go beyond its budget by that much.
func (c *Crawler) spent(ctx context.Context, r *run) (cut string, full bool, err error) {
	r.spending.mu.Lock()
	defer r.spending.mu.Unlock()
	return c.judge(ctx, r)
}

// reserve is spent, and counts t as under way if there is room for it: ends gives the room back.
func (c *Crawler) reserve(ctx context.Context, r *run, t storage.Task) (cut string, full bool, err error) {
	r.spending.mu.Lock()
	defer r.spending.mu.Unlock()
	cut, full, err = c.judge(ctx, r)
	if err == nil && cut == "" && !full {
		r.spending.begins(t)
	}
	return cut, full, err
}

// judge is spent with the lock held.
func (c *Crawler) judge(ctx context.Context, r *run) (cut string, full bool, err error) {
	b := r.spec().Budget
	if b == (scope.Budget{}) {
		return "", false, nil
	}
	s := &r.spending
	if s.cut != "" {
		return s.cut, true, nil
	}
	now := c.Now()
	if s.asked.IsZero() || now.Sub(s.asked) >= askEvery || now.Before(s.asked) {
		if err := c.askOthers(ctx, r); err != nil {
			return "", false, err
		}
		s.asked = now
		if s.cut != "" {
			return s.cut, true, nil
		}
	}
	pages, bytes := s.pages.Load(), s.bytes.Load() // before the counts: what ends meanwhile counts twice rather than not at all
	r.mu.Lock()
	own := r.count
	r.mu.Unlock()
	own.Pages, own.Bytes = own.Pages+s.others.Pages, own.Bytes+s.others.Bytes
	since := now.Sub(r.row.Started)
	cut = over(b, own.Pages, own.Bytes, since)
	if cut == "" {
		return "", over(b, own.Pages+pages, own.Bytes+bytes, since) != "", nil
	}
	if ok, err := c.Cuts.CutRun(ctx, r.row.ID, cut); err != nil || !ok {
		return "", false, err
	}
	s.cut = cut
	return cut, true, nil
}

// over names the budget that is used up; "" if none is.
func over(b scope.Budget, pages, bytes int64, since time.Duration) string {
	switch {
	case b.Pages > 0 && pages >= b.Pages:
		return "pages"
	case b.Bytes > 0 && bytes >= b.Bytes:
		return "bytes"
	case b.Seconds > 0 && since >= time.Duration(b.Seconds)*time.Second:
		return "seconds"
	}
	return ""
}

// askOthers learns what other nodes have done for a run, and whether one of them has cut it. The lock is held.
func (c *Crawler) askOthers(ctx context.Context, r *run) error {
	row, err := c.Runs.Run(ctx, r.row.ID)
	if err != nil {
		return err
	}
	others, err := c.Runs.OthersCounts(ctx, r.row.ID, c.name()) // in one look: own counts are written meanwhile
	if err != nil {
		return err
	}
	r.spending.cut, r.spending.others = row.Cut, others
	return nil
}

// heldBack says whether a task that was taken out of those that are ready must not begin: a budget of its run is used up,
// and the run's tasks on this host end but for those under way; or what is under way may use it up, and is waited for. Room
// is reserved for one that may.
func (h *host) heldBack(ctx, work context.Context, r *run, t storage.Task) (bool, error) {
	cut, full, err := h.c.reserve(work, r, t)
	switch {
	case err != nil:
		return false, err
	case cut != "":
		return true, h.cutShort(work, r)
	case full:
		h.ready = append([]storage.Task{t}, h.ready...)
		h.wait(ctx, work, h.c.Now().Add(fullWait))
	}
	return full, nil
}

// cutShort ends the tasks of a run on this host, but for those under way.
func (h *host) cutShort(ctx context.Context, r *run) error {
	var busy []int64
	h.mu.Lock()
	for k := range h.busy {
		if k.run == r.row.ID {
			busy = append(busy, k.id)
		}
	}
	h.mu.Unlock()
	h.forget(r.row.ID)
	return h.c.Cuts.CutTasks(ctx, h.lease, r.row.ID, busy)
}

// forget leaves out what is ready of a run.
func (h *host) forget(run int64) {
	h.ready = slices.DeleteFunc(h.ready, func(t storage.Task) bool { return t.Run == run })
}

// cutLate ends what is left of runs whose time is up while none of their tasks is due; and what a host had under way when its
// run was cut, and is to be tried again later.
func (c *Crawler) cutLate(ctx context.Context) error {
	for _, r := range c.live.all() {
		if r.off.Load() {
			continue
		}
		cut, _, err := c.spent(ctx, r)
		if err == nil && cut != "" {
			_, err = c.Cuts.CutRun(ctx, r.row.ID, cut)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
