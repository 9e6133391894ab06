package warc

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"linkstead/storage"
)

// commitLoop makes groups durable, and stores the segments that are full or old.
func (j *Journal) commitLoop() {
	age := time.NewTicker(min(max(j.MaxAge/4, 10*time.Millisecond), time.Second))
	defer age.Stop()
	for {
		select {
		case <-j.wake:
			j.gather()
			j.commit()
		case <-age.C:
			j.retireOld()
		case <-j.quit:
			j.commit()
			j.storeClosing()
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
		if j.Now().Sub(s.row.Created) >= j.MaxAge {
			j.retire(c)
		}
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
		j.fail(err)
		j.mu.Unlock()
	}
	out := map[int]bool{}
	for _, i := range fenced {
		out[i] = true
	}
	for i, a := range batch {
		a.done(err == nil && !out[i], err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, a := range batch {
		a.seg.pending--
		if out[i] && err == nil {
			j.void(a)
		}
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
	return j.Rows.Commit(j.ctx, progress, ends)
}

// void notes in the segment that an exchange did not count, so that a rebuild leaves it out too. The lock is held.
func (j *Journal) void(a *appended) {
	j.Log.Warn("an exchange came too late: its host was leased to somebody else", "url", a.end.Task.URL)
	g, err := j.Composer.Void(a.closingID, j.Now().UTC(), "the lease was no longer held", Options{WarcinfoID: a.seg.infoID})
	if err == nil {
		_, err = a.seg.append(g)
	}
	if err != nil {
		j.fail(err)
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
	wait := 200 * time.Millisecond
	sum := hex.EncodeToString(s.hash.Sum(nil))
	sealed := false
	for {
		err := error(nil)
		if !sealed {
			if err = j.seal(s, sum); err == nil {
				sealed = true
			}
		}
		if err == nil {
			err = j.put(s.row, sum)
		}
		if err == nil {
			j.mu.Lock()
			j.closing = slices.DeleteFunc(j.closing, func(o *segment) bool { return o == s })
			j.mu.Unlock()
			close(s.stored)
			return
		}
		j.Log.Error("a segment can't be stored yet; it waits in the spool", "segment", s.row.ID, "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-j.ctx.Done():
			t.Stop()
			return
		}
		wait = min(2*wait, 30*time.Second)
	}
}

func (j *Journal) seal(s *segment, sum string) error {
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync segment %s: %w", s.row.ID, err)
	}
	if err := j.Segments.SealSegment(j.ctx, s.row.ID, s.size, sum); err != nil {
		return err
	}
	if err := s.file.Close(); err != nil {
		j.Log.Warn("closing a sealed segment", "segment", s.row.ID, "error", err)
	}
	return nil
}

// SegmentKey is the blob key of a segment.
func SegmentKey(s storage.Segment) string {
	return keyPrefix + s.Collection + "/" + s.ID + segmentSuffix
}

// keyPrefix keeps segments apart from whatever else a store may hold.
const keyPrefix = "warc/"

// put stores a sealed segment: the blob first, the row second, the spool copy last. A crash in between repeats the rest.
func (j *Journal) put(row storage.Segment, sum string) error {
	key := SegmentKey(row)
	if err := j.Blobs.Put(j.ctx, key, j.Spool.Path(row.ID), sum); err != nil {
		return err
	}
	if err := j.Segments.StoreSegment(j.ctx, row.ID, key); err != nil {
		return err
	}
	return j.Spool.Drop(row.ID)
}
