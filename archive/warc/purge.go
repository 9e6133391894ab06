package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"linkstead/storage"
)

// PurgeIndex is what a purge asks of the index to see what hangs on what.
type PurgeIndex interface {
	Segment(ctx context.Context, id string) (storage.Segment, error)
	SegmentRows(ctx context.Context, segment string) (storage.SegmentRows, error)
	Referrers(ctx context.Context, place string) ([]storage.Capture, error)
	Holders(ctx context.Context, collection, digest string) ([]storage.Capture, error)
}

// PurgeTasks is what a purge asks of the runs whose exchanges go.
type PurgeTasks interface {
	Run(ctx context.Context, id int64) (storage.Run, error)
	Task(ctx context.Context, host string, run, id int64) (storage.Task, error)
	Spots(ctx context.Context, s storage.Span) iter.Seq2[storage.Spot, error]
}

// PurgeRows is what a purge writes.
type PurgeRows interface {
	Swap(ctx context.Context, s *storage.Swap) error
	Doom(ctx context.Context, lock int64, locations ...string) error
	Doomed(ctx context.Context) ([]string, error)
	Deleted(ctx context.Context, location string) error
}

// Locker keeps purges apart, on however many machines.
type Locker interface {
	Lock(ctx context.Context, name, owner string, ttl time.Duration) (int64, error)
	KeepLock(ctx context.Context, name string, token int64, ttl time.Duration) error
	Unlock(ctx context.Context, name string, token int64) error
}

// PurgeStore is what a purge asks of the blob store.
type PurgeStore interface {
	Store
	Delete(ctx context.Context, key string) error
}

// Purger takes exchanges out of an archive for good. Segments that hold some are written anew without them, under new
// keys: what stays is copied byte for byte, with its record ids. Where other captures refer to a payload that goes, the
// earliest of them becomes a response that holds it. The rows are swapped in one transaction, and only then do the old
// blobs go. Whenever it is stopped, either the old segments count or the new ones, and the next purge deletes the rest.
type Purger struct {
	Index    PurgeIndex
	Tasks    PurgeTasks
	Rows     PurgeRows
	Locks    Locker
	Blobs    PurgeStore
	Composer *Composer
	Info     Info // of new segments, as in JournalParts
	// Collection tells of a collection; nil: nothing is known of any.
	Collection func(ctx context.Context, name string) (storage.Collection, error)
	FS         storage.FS
	Dir        string        // for files in the making; nobody else uses it
	Node       string        // the name of this machine; nobody else of that name purges
	Wait       time.Duration // for how long segments are waited for that are not stored yet
	// Waiting is told of each segment that is waited for longer than a moment; nil: nobody is.
	Waiting func(s storage.Segment)
	Batch   int // segments that are rewritten together; 0: 16
	Now     func() time.Time
	Log     *slog.Logger

	token int64
}

// PurgeOrder says what is to go, and why.
type PurgeOrder struct {
	Spots  map[string][]int64 // by segment: the offsets of captures, attempts and voided exchanges
	Forget []int64            // runs of which nothing is to be left; all their exchanges are among the spots
	Reason string             // for the log and the WARC files
	By     string
	What   string // the rule, if it is one; a takedown names nothing
}

// Purged tells what a purge did.
type Purged struct {
	ID       string
	Counts   PurgeCounts
	Promoted int // revisits that hold their payload now
	Lost     int // imported revisits of which nothing is shown any more: they lie in files that are not the archive's
}

// purgeTTL is how long a purge that does not say that it goes on keeps others from purging.
const purgeTTL = 2 * time.Minute

// maxStale bounds how often a plan is made anew because the archive has changed.
const maxStale = 10

// Purge carries an order out. storage.ErrLocked if another purge goes on.
func (p *Purger) Purge(ctx context.Context, o PurgeOrder) (done Purged, err error) {
	err = p.Alone(ctx, func(ctx context.Context) error {
		done, err = p.purge(ctx, o)
		return err
	})
	return done, err
}

// Clean deletes what interrupted purges have left. storage.ErrLocked if one goes on.
func (p *Purger) Clean(ctx context.Context) error {
	doomed, err := p.Rows.Doomed(ctx)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(p.Dir, "*"))
	if err != nil || len(doomed)+len(files) == 0 {
		return err
	}
	return p.Alone(ctx, p.clean)
}

// Alone does something while nobody else purges, and while that stays so. It needs Locks, Node and Log alone.
// storage.ErrLocked if a purge goes on.
func (p *Purger) Alone(ctx context.Context, do func(context.Context) error) error {
	var err error
	if p.token, err = p.Locks.Lock(ctx, storage.PurgeLock, p.Node, purgeTTL); err != nil {
		return err
	}
	held, lose := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		p.keep(held, lose)
	}()
	err = do(held)
	if cause := context.Cause(held); err != nil && cause != nil && ctx.Err() == nil {
		err = cause
	}
	lose(nil)
	<-kept
	return errors.Join(err, p.Locks.Unlock(context.WithoutCancel(ctx), storage.PurgeLock, p.token))
}

// keep prolongs the lock until ctx ends, and ends ctx if the lock is lost.
func (p *Purger) keep(ctx context.Context, lose context.CancelCauseFunc) {
	tick := time.NewTicker(purgeTTL / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := p.Locks.KeepLock(ctx, storage.PurgeLock, p.token, purgeTTL)
		if errors.Is(err, storage.ErrLocked) {
			lose(err)
			return
		}
		if err != nil && ctx.Err() == nil {
			p.Log.Warn("the lock of a purge could not be prolonged yet", "error", err)
		}
	}
}

// clean deletes blobs that no row names, and files that a purge on this machine left.
func (p *Purger) clean(ctx context.Context) error {
	doomed, err := p.Rows.Doomed(ctx)
	if err != nil {
		return err
	}
	for _, key := range doomed {
		if err := p.delete(ctx, key); err != nil {
			return err
		}
	}
	left, err := filepath.Glob(filepath.Join(p.Dir, "*"))
	for _, name := range left {
		err = errors.Join(err, p.FS.Remove(name))
	}
	return err
}

func (p *Purger) delete(ctx context.Context, key string) error {
	if err := p.Blobs.Delete(ctx, key); err != nil {
		return err
	}
	return p.Rows.Deleted(ctx, key)
}

func (p *Purger) purge(ctx context.Context, o PurgeOrder) (Purged, error) {
	done := Purged{ID: storage.Random(10)}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return done, fmt.Errorf("make a folder for the purge: %w", err)
	}
	if err := p.clean(ctx); err != nil {
		return done, fmt.Errorf("delete what an earlier purge left: %w", err)
	}
	began := p.Now().UTC().Truncate(time.Microsecond)
	left := make(map[string]bool, len(o.Spots))
	for id := range o.Spots {
		left[id] = true
	}
	batch := p.Batch
	if batch == 0 {
		batch = 16
	}
	if len(o.Forget) > 0 { // a run is forgotten in one go
		batch = max(1, len(left))
	}
	stale := 0
	for len(left) > 0 {
		some := next(left, batch)
		b := newBatch(p, &o, done, began)
		err := b.run(ctx, some)
		if errors.Is(err, storage.ErrStale) && stale < maxStale {
			stale++
			continue
		}
		if err != nil {
			return done, err
		}
		stale = 0
		for id := range b.rewrites {
			delete(left, id)
		}
		done = b.so
	}
	return done, nil
}

// next are the newest segments: what refers to a payload goes before, or with, what holds it.
func next(left map[string]bool, n int) []string {
	all := make([]string, 0, len(left))
	for id := range left {
		all = append(all, id)
	}
	slices.Sort(all)
	return all[max(0, len(all)-n):]
}

// fetch copies a stored segment to a file of its own and makes sure that it is what was stored.
func (p *Purger) fetch(ctx context.Context, s storage.Segment) (*os.File, error) {
	f, err := os.CreateTemp(p.Dir, "old-*")
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", s.ID, err)
	}
	err = os.Remove(f.Name()) // it needs no name
	var in io.ReadCloser
	if err == nil {
		in, err = p.Blobs.Open(ctx, s.Location, 0, -1)
	}
	if err == nil {
		err = errors.Join(copySum(f, in, s.SHA256), in.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read segment %s: %w", s.ID, err), f.Close())
	}
	return f, nil
}
