package crawler

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// saveEvery is how often counts are written while they change: followers see them.
const saveEvery = time.Second

// settle looks after the runs: it writes their counts, finishes those that have come to their end, and forgets those that
// are no longer worked on, whoever ended or paused them. It says whether none is left. What is waited for before a run is
// done, the storing of segments, goes on beside the work: the blob store may be away for hours.
func (c *Crawler) settle(work context.Context, g *errgroup.Group, idle bool) (bool, error) {
	if c.took > 20*time.Millisecond && time.Since(c.settled) < 10*c.took {
		return false, nil // many runs: looking after them must not be all that is done
	}
	began := time.Now()
	defer func() { c.settled, c.took = time.Now(), time.Since(began) }()
	known := c.live.all() // before the rows are read: a run that begins meanwhile is not taken for one that has gone
	active, err := c.Runs.Active(work)
	if err != nil {
		return false, err
	}
	ends := c.live.notice(known, active)
	if ends || time.Since(c.saved) >= saveEvery {
		if err := c.saveCounts(work); err != nil {
			return false, err
		}
	}
	if err := c.cutLate(work); err != nil {
		return false, err
	}
	c.live.forgetIdle()
	left := len(active)
	for _, r := range active {
		did, err := c.finish(work, g, r)
		if err != nil {
			return false, err
		}
		if did {
			left--
		}
	}
	return left == 0 && idle, nil
}

// finish ends a run that has nothing open: what it captured is stored first, by whichever node has it.
func (c *Crawler) finish(work context.Context, g *errgroup.Group, r storage.ActiveRun) (bool, error) {
	switch {
	case r.Open:
		c.live.opened(r.ID)
		return false, nil
	case !r.Held:
		if err := c.compare(work, r.ID); errors.Is(err, errRun) {
			return true, c.shelve(work, r.ID, err)
		} else if err != nil {
			return false, err
		}
		did, err := c.Runs.FinishRun(work, r.ID, c.Now().UTC())
		if did {
			c.Log.Info("a run is done", "run", r.ID)
		}
		return did, err
	case c.live.flush(r.ID):
		g.Go(func() error {
			defer c.nudge()
			if err := c.Journal.FlushAll(work); err != nil && work.Err() == nil {
				return err
			}
			return nil
		})
	}
	return false, nil
}

// saveCounts writes the counts that have changed.
func (c *Crawler) saveCounts(ctx context.Context) error {
	changed := map[int64]storage.Counts{}
	runs := c.live.all()
	for _, r := range runs {
		if n, ok := r.unsaved(); ok {
			changed[r.row.ID] = n
		}
	}
	c.saved = time.Now()
	if len(changed) == 0 {
		return nil
	}
	if err := c.Runs.CountRuns(ctx, c.name(), changed); err != nil {
		return err
	}
	for _, r := range runs {
		if n, ok := changed[r.row.ID]; ok {
			r.wrote(n)
		}
	}
	return nil
}

func (c *Crawler) name() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Owner
}

// live are the runs that this process works on.
type live struct {
	mu      sync.Mutex
	runs    map[int64]*run
	flushed map[int64]bool // runs for whose end the open segments were sealed
}

func (l *live) init() { l.runs, l.flushed = map[int64]*run{}, map[int64]bool{} }

// notice takes note of which runs are worked on, of those known. It says whether one has come to its end.
func (l *live) notice(known []*run, active []storage.ActiveRun) (ends bool) {
	on := make(map[int64]bool, len(active)+1)
	on[storage.Standing] = true
	for _, r := range active {
		on[r.ID] = true
		ends = ends || !r.Open
	}
	for _, r := range known {
		r.off.Store(!on[r.row.ID])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.flushed {
		if !on[id] {
			delete(l.flushed, id)
		}
	}
	return ends
}

// forgetIdle forgets the runs that are no longer worked on, once nothing of them is under way.
func (l *live) forgetIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.runs {
		if _, unsaved := r.unsaved(); r.off.Load() && r.users.Load() == 0 && !unsaved {
			delete(l.runs, id)
		}
	}
}

// flush says whether the open segments are to be stored for the end of a run: once.
func (l *live) flush(id int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.flushed[id]
	l.flushed[id] = true
	return !was
}

// opened takes note that a run has something to do (again).
func (l *live) opened(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.flushed, id)
}

func (l *live) get(id int64) (*run, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.runs[id]
	return r, ok
}

func (l *live) all() []*run {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*run, 0, len(l.runs))
	for _, r := range l.runs {
		out = append(out, r)
	}
	return out
}
