package warc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// read finds the units that go: those that were ordered, and those that never counted.
func (b *batch) read(ctx context.Context, rw *rewrite) error {
	id, size := rw.rows.Segment.ID, rw.rows.Segment.Size
	found := 0
	for u, err := range Exchanges(rw.file, 0, size) {
		var torn *TornError
		if errors.As(err, &torn) {
			return fmt.Errorf("it is damaged at %d, and nothing is taken out of a damaged segment: %w", torn.Offset, err)
		}
		if err != nil {
			return err
		}
		if u.Closing == nil {
			continue
		}
		at := u.rowOffset()
		ordered := b.going[location(id, at)]
		if ordered {
			found++
		}
		if !ordered && !u.Voided {
			if t := u.Closing.TLS; t != nil {
				rw.servers[t.Fingerprint] = true
			}
			continue
		}
		rw.out[at] = true
		b.going[location(id, at)] = true
		if err := b.count(ctx, rw, u); err != nil {
			return err
		}
	}
	if want := len(uniq(b.order.Spots[id])); found != want {
		return fmt.Errorf("it holds %d of the %d exchanges that its rows name: %w", found, want, storage.ErrStale)
	}
	return nil
}

func uniq(offsets []int64) []int64 {
	out := slices.Clone(offsets)
	slices.Sort(out)
	return slices.Compact(out)
}

// rowOffset is the place of the unit that rows name: its main record, or the one that tells of the failure.
func (u *Unit) rowOffset() int64 {
	if m := u.Main(); m != nil {
		return m.Offset
	}
	return u.Last().Offset
}

// count notes what goes with a unit.
func (b *batch) count(ctx context.Context, rw *rewrite, u *Unit) error {
	c := &rw.note.Counts
	c.Bytes += u.End - u.Offset
	m := u.Main()
	switch {
	case u.Voided:
		c.Voided++
	case m != nil:
		c.Captures++
	default:
		c.Attempts++
	}
	if m != nil && m.Kind() == KindResponse {
		rw.lost = append(rw.lost, lostPayload{
			payload: payload{rw.rows.Segment.Collection, m.Digest(), ""}, place: location(rw.rows.Segment.ID, m.Offset), offset: m.Offset,
		})
	}
	for _, x := range u.Extras() {
		if !u.Voided && x.Header.Get(fieldContentType) == MimePost {
			c.Posts++
		}
	}
	if u.Voided || slices.Contains(b.order.Forget, u.Closing.Run) {
		return nil
	}
	return b.keepTasks(ctx, rw, u)
}

// keepTasks notes what only the unit tells of tasks: the end of its own if no exchange of it is left, and those that it
// led to and that nobody has carried out.
func (b *batch) keepTasks(ctx context.Context, rw *rewrite, u *Unit) error {
	c := u.Closing
	own, err := b.Tasks.Task(ctx, c.Host, c.Run, c.Task)
	if err == nil {
		var left bool
		if left, err = b.isLeft(ctx, rw.rows.Segment.Collection, u); err == nil && !left {
			rw.note.Ended = append(rw.note.Ended, endedOf(own))
		}
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	for _, t := range c.Tasks(u.URL()) {
		t, err := b.Tasks.Task(ctx, t.Host, t.Run, t.ID)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if t.Due < storage.Never {
			rw.note.Ended = append(rw.note.Ended, endedOf(t))
		}
	}
	return nil
}

// isLeft says whether another exchange of a unit's task stays.
func (b *batch) isLeft(ctx context.Context, collection string, u *Unit) (bool, error) {
	key := urlkey.Key(u.Asked())
	for s, err := range b.Tasks.Spots(ctx, storage.Span{Collection: collection, From: key, To: key}) {
		if err != nil {
			return false, err
		}
		if s.Kind != storage.SpotVoided && s.Run == u.Closing.Run && s.URL == u.URL() && !b.going[location(s.Segment, s.Offset)] {
			return true, nil
		}
	}
	return false, nil
}
