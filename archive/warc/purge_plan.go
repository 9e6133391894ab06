package warc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"linkstead/storage"
)

// batch is a number of segments that are rewritten together.
type batch struct {
	*Purger
	order    *PurgeOrder
	so       Purged // with this batch
	began    time.Time
	going    map[string]bool // places of everything that is to go, in other batches, too
	rewrites map[string]*rewrite
	todo     []*rewrite         // whose payloads that go are not looked at yet
	instead  map[string]string  // places that go, and where their payloads stand instead
	promoted map[payload]string // places of revisits that are to hold a payload
	moves    map[string]string  // from every place in an old segment to the one in the new segment
	swap     storage.Swap
}

// payload is what others refer to; url is set where they refer to its head, too: a page that was not modified.
type payload struct{ collection, digest, url string }

// rewrite is one segment on its way.
type rewrite struct {
	rows    storage.SegmentRows
	file    *os.File
	row     storage.Segment // the new one
	path    string          // its file
	note    purgeNote
	out     map[int64]bool     // units that go, by the offset that their rows name
	servers map[string]bool    // fingerprints of certificates under which what stays was captured
	holds   map[int64]original // revisits that become responses, by offset
	lost    []lostPayload      // payloads that go
	mains   map[int64]int64    // where main records and records of failures stand in the new file
	extras  map[int64]int64    // the same for posts' records
	lengths map[int64]int64    // of members that are no copies, by the old offset
	ledger  storage.Ledger     // what stays came to

	key, was string         // of the new blob, and of the old one
	sum      string         // of the new blob
	size     int64          // of file, bytes
	outer    bool           // the records lie in a file that is not the archive's: file only tells of it
	gone     map[int64]bool // of a segment of another program: records that are left out, by offset
	written  int64          // of the new file, bytes
	unpaged  map[int64]bool // of one that tells of a file elsewhere: records of pages that are left out, by offset
}

// original is where a payload is taken from.
type original struct {
	from   *rewrite
	offset int64
	named  bool // a revisit of another program refers to it by name: its digest may be of other bytes
}

type lostPayload struct {
	payload
	to       string // of a revisit: what it refers to
	headless bool   // it is no HTTP response, which another could become
	place    string
	offset   int64
}

func newBatch(p *Purger, o *PurgeOrder, so Purged, began time.Time) *batch {
	b := &batch{
		Purger: p, order: o, so: so, began: began, going: map[string]bool{}, rewrites: map[string]*rewrite{},
		instead: map[string]string{}, promoted: map[payload]string{}, moves: map[string]string{},
	}
	for id, offsets := range o.Spots {
		for _, off := range offsets {
			b.going[location(id, off)] = true
		}
	}
	return b
}

// run rewrites segments and puts the new ones in their place.
func (b *batch) run(ctx context.Context, segments []string) (err error) {
	defer func() { err = errors.Join(err, b.tidy()) }()
	for _, id := range segments {
		if _, err := b.load(ctx, id); err != nil {
			return err
		}
	}
	for len(b.todo) > 0 {
		rw := b.todo[0]
		b.todo = b.todo[1:]
		for _, l := range rw.lost {
			if err := b.rescue(ctx, rw, l); err != nil {
				return err
			}
		}
	}
	var with []string
	for _, rw := range b.all() {
		with = append(with, rw.row.ID)
	}
	for _, rw := range b.all() {
		rw.note.With = with
		if err := b.write(ctx, rw); err != nil {
			return fmt.Errorf("rewrite segment %s: %w", rw.rows.Segment.ID, err)
		}
		b.so.Counts.add(rw.note.Counts)
		b.so.Promoted += len(rw.note.Promoted)
	}
	if err := b.plan(); err != nil {
		return err
	}
	return b.apply(ctx)
}

// all are the rewrites in the order of their names.
func (b *batch) all() []*rewrite {
	out := make([]*rewrite, 0, len(b.rewrites))
	for _, rw := range b.rewrites {
		out = append(out, rw)
	}
	slices.SortFunc(out, func(x, y *rewrite) int { return strings.Compare(x.rows.Segment.ID, y.rows.Segment.ID) })
	return out
}

// tidy closes and removes the files.
func (b *batch) tidy() error {
	var err error
	for _, rw := range b.rewrites {
		err = errors.Join(err, rw.file.Close())
		if rw.path != "" {
			if gone := b.FS.Remove(rw.path); !errors.Is(gone, os.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}

// load takes a segment into the batch and reads what of it goes.
func (b *batch) load(ctx context.Context, id string) (*rewrite, error) {
	if rw := b.rewrites[id]; rw != nil {
		return rw, nil
	}
	rows, err := b.stored(ctx, id)
	if err != nil {
		return nil, err
	}
	s := rows.Segment
	blob, outer := s, storage.Outside(s.Location)
	if outer { // of the note of the import, no row keeps a checksum
		blob.Location, blob.SHA256 = SegmentKey(s), ""
	}
	file, err := b.fetch(ctx, blob)
	if err != nil {
		return nil, err
	}
	row := storage.Segment{ID: stem(s.ID) + "-" + storage.Random(5), Collection: s.Collection, Node: s.Node, State: storage.SegmentStored, Created: s.Created}
	row.Location = SegmentKey(row)
	rw := &rewrite{
		key: SegmentKey(row), was: blob.Location, outer: outer, gone: map[int64]bool{}, unpaged: map[int64]bool{},
		rows: rows, file: file, row: row, out: map[int64]bool{}, servers: map[string]bool{}, holds: map[int64]original{}, mains: map[int64]int64{},
		extras: map[int64]int64{}, lengths: map[int64]int64{}, ledger: storage.Ledger{},
		note: purgeNote{
			Purge: b.so.ID, At: b.began, Node: b.Node, Reason: b.order.Reason, By: b.order.By, What: b.order.What, Replaces: s.ID,
			Counts: PurgeCounts{Segments: 1},
		},
	}
	b.rewrites[id] = rw
	b.todo = append(b.todo, rw)
	if outer {
		rw.row.Location, rw.row.Size, rw.row.Committed, rw.row.SHA256, rw.rows.Key = s.Location, s.Size, s.Committed, s.SHA256, blob.Location
	}
	if err = rw.measure(); err == nil && Imported(id) {
		err = b.readImported(ctx, rw)
	} else if err == nil {
		err = b.read(ctx, rw)
	}
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", id, err)
	}
	return rw, b.forgotten(ctx, rw)
}

// stored waits until a segment is stored, and brings its rows.
func (b *batch) stored(ctx context.Context, id string) (storage.SegmentRows, error) {
	deadline := time.NewTimer(b.Wait)
	defer deadline.Stop()
	tick := time.NewTicker(max(b.Wait/100, 50*time.Millisecond))
	defer tick.Stop()
	slow := time.NewTimer(min(time.Second, b.Wait/2))
	defer slow.Stop()
	for {
		rows, err := b.Index.SegmentRows(ctx, id)
		switch {
		case errors.Is(err, storage.ErrPurged):
			return rows, fmt.Errorf("segment %s: %w", id, storage.ErrStale)
		case err != nil || rows.Segment.State == storage.SegmentStored:
			return rows, err
		}
		select {
		case <-ctx.Done():
			return rows, fmt.Errorf("wait for segment %s to be stored: %w", id, ctx.Err())
		case <-tick.C:
			continue
		case <-slow.C:
			if b.Waiting != nil {
				b.Waiting(rows.Segment)
			}
			continue
		case <-deadline.C:
		}
		return rows, fmt.Errorf("%w: segment %s is %s, in the spool of %s", ErrNotStored, id, rows.Segment.State, rows.Segment.Node)
	}
}

// ErrNotStored says that a purge has waited in vain for a segment to be stored.
var ErrNotStored = errors.New("what is to be purged is not in the store yet")

// forgotten lists the runs of which nothing is left.
func (b *batch) forgotten(ctx context.Context, rw *rewrite) error {
	for _, id := range b.order.Forget {
		r, err := b.Tasks.Run(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		rw.note.Forgotten = append(rw.note.Forgotten, forgottenRun{ID: r.ID, Collection: r.Collection, Started: r.Started})
	}
	return nil
}

// newPath is the file of a new segment in the making.
func (b *batch) newPath(rw *rewrite) string {
	return filepath.Join(b.Dir, "new-"+rw.row.ID+segmentSuffix)
}
