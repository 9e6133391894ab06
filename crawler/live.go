package crawler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"linkstead/archive/outcome"
	"linkstead/crawler/scope"
	"linkstead/crawler/session"
	"linkstead/storage"
)

// run is a run that this process works on.
type run struct {
	row   storage.Run
	line  *line
	who   *session.Session            // as whom it asks; nil: as nobody
	scope atomic.Pointer[scope.Scope] // rooted anew once the post's own address is known

	spending spending

	off   atomic.Bool  // it is paused or done
	users atomic.Int64 // tasks under way

	mu    sync.Mutex
	traps traps

	nested nested

	count storage.Counts      // this crawler's
	saved storage.Counts      // as the database has it
	told  map[string]bool     // see untold
	anew  map[int64]bool      // tasks whose copy can't be read: what comes next of them is kept in full
	seen  map[int64]bool      // ids of tasks that the database has
	since map[int64]time.Time // when a robots.txt of another host was first waited for, by its task
}

// maxSeen bounds the cache of seen tasks, to some 8 MB a run: beyond it, the database alone says what is new.
const maxSeen = 1 << 18

func (r *run) spec() scope.Spec { return r.scope.Load().Spec() }

func (r *run) delay() time.Duration { return time.Duration(r.spec().DelayMS) * time.Millisecond }

// fresh are the tasks that the database may not have yet.
func (r *run) fresh(tasks []storage.Task) []storage.Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := tasks[:0]
	for _, t := range tasks {
		if !r.seen[t.ID] {
			out = append(out, t)
		}
	}
	return out
}

// committed takes note of an exchange that counts: its own task, and those that it led to.
func (r *run) committed(e Event, own int64, tasks []storage.Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learn(own)
	for _, t := range tasks {
		r.learn(t.ID)
	}
	r.count.Found += int64(e.Found)
	r.count.Bytes += e.Bytes
	if e.Outcome.Kept() {
		r.count.Captured++
	}
	if !e.Retry {
		r.count.Ended++
		if e.Kind == string(scope.KindPage) {
			r.count.Pages++
		}
		if !e.Outcome.Kept() && e.Outcome != outcome.Pending {
			r.count.Failed++
		}
	}
}

// distrust takes note that the copy of what a task asks for can't be read.
func (r *run) distrust(task int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.anew == nil {
		r.anew = map[int64]bool{}
	}
	if len(r.anew) < maxSeen {
		r.anew[task] = true
	}
}

func (r *run) distrusts(task int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.anew[task]
}

// waited is for how long a robots.txt has been waited for.
func (r *run) waited(task int64, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since == nil {
		r.since = map[int64]time.Time{}
	}
	if r.since[task].IsZero() {
		r.since[task] = now
	}
	return now.Sub(r.since[task])
}

// maxTold bounds for how many hosts and reasons it is known that an example was told.
const maxTold = 10_000

// untold says whether no example of a link that was left out for a reason was told yet of a host.
func (r *run) untold(host, reason string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := host + " " + reason
	if r.told[key] || len(r.told) >= maxTold {
		return false
	}
	if r.told == nil {
		r.told = map[string]bool{}
	}
	r.told[key] = true
	return true
}

// learn takes note of a task that the database has. The lock is held.
func (r *run) learn(id int64) {
	if len(r.seen) < maxSeen {
		r.seen[id] = true
	}
}

// found counts tasks that nobody had found before.
func (r *run) found(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count.Found += int64(n)
}

// unsaved are the counts, if the database does not have them yet.
func (r *run) unsaved() (storage.Counts, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, r.count != r.saved
}

// wrote takes note that the database has these counts.
func (r *run) wrote(c storage.Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saved = c
}

// run is the run of that number, read once.
func (c *Crawler) run(ctx context.Context, id int64) (*run, error) {
	if r, ok := c.live.get(id); ok {
		return r, nil
	}
	row, err := c.row(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := ReadSpec(row)
	if err != nil {
		return nil, err
	}
	r := &run{row: row, line: c.lines.of(s, c.Recorder), seen: map[int64]bool{}, nested: nested{c: c}}
	compiled, err := s.Compile()
	if err != nil {
		return nil, fmt.Errorf("run %d: %w: %w", id, errRun, err)
	}
	if c.Session != nil {
		if r.who, err = c.Session(s); err != nil {
			return nil, fmt.Errorf("run %d: %w: %w", id, errRun, err)
		}
	}
	compiled = compiled.In(row.Started)
	post, err := c.Index.PostOf(ctx, id)
	switch {
	case err == nil:
		if rooted, err := compiled.Rooted(post.URL); err == nil && s.Single() { // a document handed in has no root
			compiled = rooted
		}
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	}
	r.scope.Store(compiled)
	if r.count, err = c.Runs.Counts(ctx, id, c.name()); err != nil {
		return nil, err
	}
	r.saved = r.count
	c.live.mu.Lock()
	defer c.live.mu.Unlock()
	if other := c.live.runs[id]; other != nil {
		return other, nil
	}
	c.live.runs[id] = r
	c.Log.Info("work on a run begins", "run", id, "collection", r.row.Collection, "url", r.row.Source)
	return r, nil
}

// row is the row of a run; the standing run has none.
func (c *Crawler) row(ctx context.Context, id int64) (storage.Run, error) {
	if id == storage.Standing && c.Watch != nil {
		return c.standing(), nil
	}
	return c.Runs.Run(ctx, id)
}

// errRun says that a run can't be carried out here: a newer program wrote its row, or it is damaged, or the cookies that
// it names are not on this machine.
var errRun = errors.New("what it asks for can't be done")

// shelve puts a run aside that can't be carried out: the others go on.
func (c *Crawler) shelve(ctx context.Context, id int64, why error) error {
	c.Log.Error("a run can't be carried out, and is paused", "run", id, "error", why)
	_, told, ok := strings.Cut(why.Error(), errRun.Error()+": ")
	if !ok {
		told = why.Error()
	}
	return c.Cuts.ShelveRun(ctx, id, sentence(errors.New(told)))
}

// handed says whether what was handed in for a run, if t is to take that in, is there: it is dropped when the run is done, and a
// segment that is lost later makes the task due again.
func (c *Crawler) handed(ctx context.Context, t storage.Task) error {
	if t.Kind != KindDocument {
		return nil
	}
	_, err := c.Index.Document(ctx, t.Run)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("run %d: %w: what was handed in is lost with the segment that held it; capture the file once more", t.Run, errRun)
	}
	return err
}

// ReadSpec reads the spec of a run's row.
func ReadSpec(row storage.Run) (scope.Spec, error) {
	s, err := scope.Decode(row.Spec)
	if err != nil {
		return scope.Spec{}, fmt.Errorf("run %d: %w: %w", row.ID, errRun, err)
	}
	return s, nil
}
