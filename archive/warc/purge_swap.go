package warc

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"linkstead/storage"
)

// plan makes the swap of what was written.
func (b *batch) plan() error {
	s := &b.swap
	s.Lock, s.Forget = b.token, b.order.Forget
	for _, rw := range b.all() {
		s.Old, s.New, s.Ledger = append(s.Old, rw.rows), append(s.New, rw.row), s.Ledger.Join(rw.ledger)
		s.Keys = append(s.Keys, rw.key)
		plan := b.planRows
		if Imported(rw.row.ID) {
			plan = b.planImported
		}
		if err := plan(rw); err != nil {
			return err
		}
		for _, e := range rw.note.Ended {
			if e.Due >= storage.Never {
				s.Ended = append(s.Ended, e.task())
			}
		}
	}
	for from := range b.instead {
		to := b.instead[from]
		for range len(b.instead) { // what stands there may go, too
			next, goes := b.instead[to]
			if !goes {
				break
			}
			to = next
		}
		if b.going[to] {
			to = "<>"
		}
		b.moves[from] = cmp.Or(b.moves[to], to)
	}
	s.Moves = b.moves
	var err error
	s.Audit, err = b.all()[0].note.audit(b.so.Counts)
	return err
}

// planRows moves the rows of a segment to the new one.
func (b *batch) planRows(rw *rewrite) error {
	s, id := &b.swap, rw.row.ID
	for _, c := range rw.rows.Captures {
		at, stays := rw.mains[c.Offset]
		if !stays {
			if !rw.out[c.Offset] {
				return fmt.Errorf("segment %s has no record at %d, where the copy of %s should be: %w", c.Segment, c.Offset, c.URL, storage.ErrDamaged)
			}
			continue
		}
		b.moves[location(c.Segment, c.Offset)] = location(id, at)
		if n, ok := rw.lengths[c.Offset]; ok {
			c.Kind, c.RefersTo, c.Length, c.Unmodified = KindResponse, "", n, false
		}
		c.Segment, c.Offset = id, at
		s.Captures = append(s.Captures, c)
	}
	for _, a := range rw.rows.Attempts {
		if at, stays := rw.mains[a.Offset]; stays {
			a.Segment, a.Offset = id, at
			s.Attempts = append(s.Attempts, a)
		}
	}
	for _, p := range rw.rows.Posts {
		if at, stays := rw.extras[p.Offset]; stays {
			p.Segment, p.Offset = id, at
			s.Posts = append(s.Posts, p)
		} else {
			s.Gone = append(s.Gone, p)
		}
	}
	return nil
}

// apply puts the new segments in the place of the old ones. Until the swap the new blobs are doomed, from then on the old
// ones are: whatever stops it, the next purge deletes what no row names.
func (b *batch) apply(ctx context.Context) error {
	var fresh []string
	for _, rw := range b.all() {
		fresh = append(fresh, rw.key)
	}
	if err := b.Rows.Doom(ctx, b.token, fresh...); err != nil {
		return err
	}
	for _, rw := range b.all() {
		if err := b.Blobs.Put(ctx, rw.key, rw.path, rw.sum); err != nil {
			return err
		}
	}
	err := b.Rows.Swap(ctx, &b.swap)
	if errors.Is(err, storage.ErrStale) {
		for _, key := range fresh {
			err = errors.Join(err, b.delete(ctx, key))
		}
	}
	if err != nil {
		return err
	}
	for _, rw := range b.all() {
		if err := b.delete(ctx, rw.was); err != nil {
			return fmt.Errorf("%w\nThe purge is done; the old file is deleted by the next purge or worker", err)
		}
	}
	return nil
}
