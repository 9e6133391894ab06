package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Inspect verifies what is asked for. The error is that of reading or writing, and says nothing about the archive.
func (i *Inspector) Inspect(ctx context.Context) (*Inspected, error) {
	done := &Inspected{}
	segments, err := i.chosen(ctx)
	if err != nil {
		return done, err
	}
	var bytes int64
	for _, s := range segments {
		bytes += max(s.Size, s.Committed)
	}
	if i.Begin != nil {
		i.Begin(len(segments), bytes)
	}
	if err := i.all(ctx, segments, done); err != nil {
		return done, err
	}
	if i.Segment == "" {
		err = i.rest(ctx, done)
	}
	if err == nil && i.Mender != nil {
		err = i.again(ctx, done)
	}
	if err == nil {
		err = i.rotten(ctx, done)
	}
	if err == nil {
		i.State.complete()
	}
	return done, err
}

// chosen are the segments to be verified, in the order of their names.
func (i *Inspector) chosen(ctx context.Context) ([]storage.Segment, error) {
	all, err := i.Rows.Segments(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s storage.Segment) bool {
		return s.State == storage.SegmentLost && i.Segment != s.ID || i.Segment != "" && i.Segment != s.ID || i.Collection != "" && i.Collection != s.Collection
	})
	if i.Segment != "" && len(all) == 0 {
		return nil, fmt.Errorf("segment %s: %w", i.Segment, storage.ErrNotFound)
	}
	return all, nil
}

// all verifies segments, some at a time.
func (i *Inspector) all(ctx context.Context, segments []storage.Segment, done *Inspected) error {
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(max(1, i.Jobs))
	var mu sync.Mutex
	for _, s := range segments {
		if each.Err() != nil {
			break
		}
		g.Go(func() error {
			n := i.State.before(s)
			if n == nil {
				var err error
				if n, err = i.inspect(each, s); err != nil || n == nil {
					return err
				}
				i.State.note(n)
			}
			mu.Lock()
			defer mu.Unlock()
			done.add(n)
			if i.Tell != nil {
				i.Tell(n)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.Sort(done.Elsewhere)
	slices.SortStableFunc(done.Flaws, func(a, b Flaw) int { return strings.Compare(a.Segment, b.Segment) })
	return ctx.Err()
}

// rest looks at what no segment's row tells of.
func (i *Inspector) rest(ctx context.Context, done *Inspected) error {
	n := &Inspection{}
	if err := i.orphans(ctx, n); err != nil {
		return err
	}
	if err := i.gone(ctx, done); err != nil {
		return err
	}
	if i.Collection == "" {
		if err := i.strays(ctx, n); err != nil {
			return err
		}
		if err := i.spool(ctx, n); err != nil {
			return err
		}
	}
	if err := i.ended(ctx, n, done); err != nil {
		return err
	}
	done.More += n.More
	done.take(n.Flaws)
	return nil
}

// again looks once more at revisits that led nowhere: what they lead to may have its row again.
func (i *Inspector) again(ctx context.Context, done *Inspected) error {
	i.objects.Clear()
	i.settled = true
	left := map[string]map[int64]string{}
	for k := range done.Flaws {
		f := &done.Flaws[k]
		if f.Word != WordDangling || f.Mended != "" {
			continue
		}
		if left[f.Segment] == nil {
			row, err := i.Rows.Segment(ctx, f.Segment)
			if err != nil {
				return err
			}
			n, err := i.inspect(ctx, row)
			if err != nil || n == nil {
				return err
			}
			left[f.Segment] = map[int64]string{}
			for _, g := range n.Flaws {
				if g.Word == WordDangling {
					left[f.Segment][g.Offset] = g.Mended
				}
			}
		}
		switch how, still := left[f.Segment][f.Offset]; {
		case !still:
			f.mended("what it leads to is there again")
		case how != "":
			f.mended("%s", how)
		default:
			continue
		}
		done.Mended++
	}
	return nil
}

// gone deals with the segments whose objects are missing, now that it is known whether the store has them elsewhere.
func (i *Inspector) gone(ctx context.Context, done *Inspected) error {
	for k := range done.Flaws {
		f := &done.Flaws[k]
		if f.Word != WordMissing || f.Mended != "" {
			continue
		}
		row, err := i.Rows.Segment(ctx, f.Segment)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if there, err := i.stat(ctx, row.Location); err == nil && there && row.State == storage.SegmentStored {
			f.mended("its object was copied back")
		} else if err := i.Mender.giveUp(ctx, f, row); err != nil {
			return err
		}
		if f.Mended != "" {
			done.Mended++
		}
	}
	return nil
}

func (i *Inspector) sumOf(ctx context.Context, key string) (string, error) {
	in, err := i.Blobs.Open(ctx, key, 0, -1)
	if err != nil {
		return "", err
	}
	sum, _, err := sumAll(in)
	return sum, errors.Join(err, in.Close())
}

// stat says whether an object is there.
func (i *Inspector) stat(ctx context.Context, key string) (ok bool, err error) {
	in, err := i.Blobs.Open(ctx, key, 0, 1)
	if err != nil {
		return false, err
	}
	return true, in.Close()
}

// strays finds rows that name no segment.
func (i *Inspector) strays(ctx context.Context, n *Inspection) error {
	list, err := i.Index.Strays(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		why := "the database does not know"
		if s.Lost {
			why = "was given up"
		}
		n.Segment = s.Segment
		f := Flaw{Word: WordStray, Offset: -1, Detail: fmt.Sprintf("%d rows in %s name a segment that %s", s.Rows, s.Table, why)}
		if err := i.Mender.dropStrays(ctx, &f, s); err != nil {
			return err
		}
		n.flaw(f)
	}
	n.Segment = ""
	return nil
}

// spool looks for files that wait for nothing.
func (i *Inspector) spool(ctx context.Context, n *Inspection) error {
	names, err := filepath.Glob(storage.SpoolPath(i.Spool, "*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		n.Segment, n.Key = segmentID(filepath.ToSlash(name)), name
		row, err := i.Rows.Segment(ctx, n.Segment)
		why, try := "", ""
		switch {
		case errors.Is(err, storage.ErrPurged):
			why = "a purge has replaced the segment"
		case errors.Is(err, storage.ErrNotFound):
			why, try = "the database does not know the segment", "'linkstead rebuild' takes it in"
		case err != nil:
			return err
		case row.State == storage.SegmentLost:
			why, try = "the segment was given up, and nothing refers to the file", "keep it if what it holds was not captured again: 'linkstead rebuild' takes it in; else delete it"
		case row.State == storage.SegmentStored:
			why = "the segment is stored"
		}
		if why != "" && i.stays(ctx, name) {
			n.flaw(Flaw{Word: WordSpool, Offset: -1, Detail: why, Try: try})
		}
	}
	n.Segment, n.Key = "", ""
	return nil
}

// ended looks for tasks that ended, and of which nothing was kept. Those whose records were found without rows are known.
func (i *Inspector) ended(ctx context.Context, n *Inspection, done *Inspected) error {
	known := map[string]bool{}
	for _, f := range done.Flaws {
		known[f.URL] = true
	}
	runs, err := i.Index.Runs(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if i.Collection != "" && run.Collection != i.Collection || run.Source == "" {
			continue
		}
		for last := (*storage.Task)(nil); ; {
			page, err := i.Index.EndedTasks(ctx, run.ID, last)
			if err != nil {
				return err
			}
			for k := range page {
				if err := i.endedTask(ctx, n, run, &page[k], known); err != nil {
					return err
				}
			}
			if len(page) == 0 {
				break
			}
			last = &page[len(page)-1]
		}
	}
	return nil
}

func (i *Inspector) endedTask(ctx context.Context, n *Inspection, run storage.Run, t *storage.Task, known map[string]bool) error {
	o := outcome.Outcome(t.Outcome)
	if t.URL == "" || t.Kind == "tick" || o.Ours() || o.Describe().Short == "" || known[t.URL] {
		return nil
	}
	ok, err := i.Index.Tried(ctx, run.Collection, urlkey.Key(t.URL), t.URL, run.ID)
	if err != nil || ok {
		return err
	}
	n.flaw(Flaw{Word: WordTask, Offset: -1, URL: t.URL, Detail: fmt.Sprintf("its task in run %d ended with %q, and no record tells of it", run.ID, t.Outcome),
		Try: "capture the post again"})
	return nil
}

// sumAll hashes what is left of a stream.
func sumAll(in io.Reader) (string, int64, error) {
	h := sha256.New()
	n, err := copyFrom(h, in)
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// stays says whether a file is still there after a moment: a worker may be about to drop it.
func (i *Inspector) stays(ctx context.Context, name string) bool {
	wait := time.NewTicker(100 * time.Millisecond)
	defer wait.Stop()
	for range 20 {
		if _, err := os.Stat(name); err != nil {
			return false
		}
		select {
		case <-wait.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
