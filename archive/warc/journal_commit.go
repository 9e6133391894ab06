package warc

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"linkstead/storage"
)

// commitLoop makes groups durable, and stores the segments that are full or old.
func (j *Journal) commitLoop() {
	defer close(j.looped)
	age := time.NewTicker(min(max(j.MaxAge/4, 10*time.Millisecond), time.Second))
	defer age.Stop()
	for {
		select {
		case <-j.wake:
			j.gather()
			j.commit()
		case <-age.C:
			j.retireOld()
			j.makeRoom()
		case <-j.quit:
			j.commit()
			return
		}
		j.storeClosing()
	}
}

// gather waits for exchanges that end together with the first one.
func (j *Journal) gather() {
	if j.Window <= 0 {
		return
	}
	t := time.NewTimer(j.Window)
	defer t.Stop()
	select {
	case <-t.C:
	case <-j.quit:
	}
}

func (j *Journal) retireOld() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for c, s := range j.open {
		if j.Now().Sub(s.begun) >= j.MaxAge {
			j.retire(c)
		}
	}
}

// makeRoom looks at the spool's budget, and stores early what came in after it was used up.
func (j *Journal) makeRoom() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.room() {
		j.retireAll()
	}
}

// commit acknowledges all that is pending: one fsync a segment, one transaction.
func (j *Journal) commit() {
	j.mu.Lock()
	batch, err := j.pending, j.err
	j.pending = nil
	sizes := map[*segment]int64{}
	for _, a := range batch {
		sizes[a.seg] = a.seg.size
	}
	j.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	ends := make([]storage.End, len(batch))
	for i, a := range batch {
		ends[i] = a.end
	}
	var fenced []int
	if err == nil {
		fenced, err = j.acknowledge(sizes, ends)
	}
	if err != nil {
		j.mu.Lock()
		if err = j.fail(err); errors.Is(j.err, ErrAbandoned) {
			err = j.err
		}
		j.mu.Unlock()
	}
	out := map[int]bool{}
	for _, i := range fenced {
		out[i] = true
	}
	j.mu.Lock()
	for i, a := range batch {
		a.seg.pending--
		a.entry.Added = ends[i].Added
		if out[i] && err == nil {
			j.void(a)
		}
	}
	j.mu.Unlock()
	for i, a := range batch { // what they set off must not refer to a payload that does not count
		a.done(err == nil && !out[i], err)
	}
}

func (j *Journal) acknowledge(sizes map[*segment]int64, ends []storage.End) ([]int, error) {
	progress := make([]storage.Progress, 0, len(sizes))
	for s, size := range sizes {
		if err := s.file.Sync(); err != nil {
			return nil, fmt.Errorf("sync segment %s: %w", s.row.ID, err)
		}
		progress = append(progress, storage.Progress{Segment: s.row.ID, Committed: size})
	}
	fenced, err := j.Rows.Commit(j.ctx, progress, ends)
	if errors.Is(err, storage.ErrSegmentGone) {
		err = errors.Join(err, j.lost(slices.Collect(maps.Keys(sizes))...))
	}
	return fenced, err
}

// ErrLost says that this node was declared lost while it was at work.
var ErrLost = errors.New("this node was declared lost with 'linkstead segments --lost'")

// lost tells whether one of the segments was declared lost.
func (j *Journal) lost(segments ...*segment) error {
	for _, s := range segments {
		if row, err := j.Shelves.Segment(j.ctx, s.row.ID); err == nil && row.State == storage.SegmentLost {
			return fmt.Errorf("%w: what it captured is captured again by others, and its files stay in %s", ErrLost, j.Spool.Dir())
		}
	}
	return nil
}

// whyVoid is what can be said of an exchange that the database did not take.
const whyVoid = "its host was no longer held, its task had ended already, or what it repeats was purged"

// void notes in the segment that an exchange did not count, so that a rebuild leaves it out too. Its payload is no
// original any more: revisits of it that stand in the segment already find it by its place. The lock is held.
func (j *Journal) void(a *appended) {
	delete(a.seg.originals, a.digest)
	j.Log.Warn("an exchange came too late and does not count: "+whyVoid, "url", a.end.Task.URL)
	g, err := j.Composer.Void(a.closingID, j.Now().UTC(), whyVoid, Options{WarcinfoID: a.seg.infoID})
	if err == nil {
		_, err = a.seg.append(g)
	}
	if err != nil {
		_ = j.fail(err) // whoever comes next is told
	}
}

// storeClosing sets off the storing of retired segments whose exchanges are all committed.
func (j *Journal) storeClosing() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return
	}
	for _, s := range j.closing {
		if s.pending == 0 && !s.storing {
			s.storing = true
			j.work.Go(func() { j.store(s) })
		}
	}
}

// store seals a segment and puts it into the blob store, however long that store is away.
func (j *Journal) store(s *segment) {
	wait := cmp.Or(j.Retry, 200*time.Millisecond)
	most := 150 * wait
	for {
		err := j.seal(s)
		if err == nil && s.row.State == storage.SegmentSealed {
			err = j.put(s.row)
		}
		// Bytes that the store will never take are for a person to look at; the rest goes on.
		never := errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrDamaged)
		if err == nil || never {
			var refused error
			if never {
				refused = fmt.Errorf("segment %s can't be stored and stays in %s: %w", s.row.ID, j.Spool.Path(s.row.ID), err)
				j.Log.Error("a segment can't be stored", "segment", s.row.ID, "error", err)
			}
			j.mu.Lock()
			if never {
				s.refused, j.refused = refused, append(j.refused, refused)
			}
			j.closing = slices.DeleteFunc(j.closing, func(o *segment) bool { return o == s })
			j.mu.Unlock()
			close(s.stored)
			return
		}
		j.Log.Error("a segment can't be stored yet; it waits in the spool", "segment", s.row.ID, "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-j.failed:
			t.Stop()
			return
		case <-j.ctx.Done():
			t.Stop()
			return
		}
		wait = min(2*wait, most)
	}
}

// seal ends a segment: its bytes first, then its row. One that holds no exchange is dropped instead. A sync that fails
// is not tried again: the second one would succeed whatever became of the bytes.
func (j *Journal) seal(s *segment) error {
	if s.row.State != storage.SegmentOpen {
		return nil
	}
	if s.units == 0 {
		// The file first: a row without a file is dropped at the next start, a file without a row would stay for ever.
		if err := j.Spool.Drop(s.row.ID); err != nil {
			return err
		}
		if err := j.Segments.DropSegment(j.ctx, s.row.ID); err != nil && !errors.Is(err, storage.ErrSegmentGone) {
			return err
		}
		s.row.State = ""
		j.tidy(s.row.ID, s.file.Close())
		return nil
	}
	if err := s.file.Sync(); err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.fail(fmt.Errorf("sync segment %s: %w", s.row.ID, err))
	}
	s.row.Size, s.row.SHA256 = s.size, hex.EncodeToString(s.hash.Sum(nil))
	err := j.Segments.SealSegment(j.ctx, s.row.ID, s.row.Size, s.row.SHA256)
	if err = j.moved(s.row.ID, storage.SegmentSealed, err); err != nil {
		return err
	}
	s.row.State = storage.SegmentSealed
	j.tidy(s.row.ID, s.file.Close())
	return nil
}

// tidy notes what went wrong where nothing depends on it: the next start drops what is left.
func (j *Journal) tidy(segment string, err error) {
	if err != nil {
		j.Log.Warn("tidying up after a segment", "segment", segment, "error", err)
	}
}

// moved judges the error of a change of state: one that comes too late because an earlier try was carried out, and its
// answer lost, is none. A segment that is gone otherwise ends the journal.
func (j *Journal) moved(id string, state storage.SegmentState, err error) error {
	if !errors.Is(err, storage.ErrSegmentGone) {
		return err
	}
	row, rerr := j.Shelves.Segment(j.ctx, id)
	if rerr == nil && row.State == state {
		return nil
	}
	if rerr == nil && row.State == storage.SegmentLost {
		err = errors.Join(err, j.lost(&segment{row: row}))
	}
	if rerr != nil && !errors.Is(rerr, storage.ErrNotFound) {
		return errors.Join(err, rerr)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.fail(err)
}

// SegmentKey is the blob key of a segment.
func SegmentKey(s storage.Segment) string {
	return KeyPrefix + s.Collection + "/" + s.ID + segmentSuffix
}

// KeyPrefix begins the keys of segments and keeps them apart from whatever else a store may hold.
const KeyPrefix = "warc/"

// put stores a sealed segment: the blob first, the row second, the spool copy last. A crash in between repeats the rest.
func (j *Journal) put(row storage.Segment) error {
	key := SegmentKey(row)
	if err := j.Blobs.Put(j.ctx, key, j.Spool.Path(row.ID), row.SHA256); err != nil {
		return err
	}
	if err := j.moved(row.ID, storage.SegmentStored, j.Segments.StoreSegment(j.ctx, row.ID, key)); err != nil {
		return err
	}
	j.tidy(row.ID, j.Spool.Drop(row.ID))
	return nil
}
