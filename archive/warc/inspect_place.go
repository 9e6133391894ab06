package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"linkstead/storage"
)

// errNoRecord says that no whole record stands at a place.
var errNoRecord = errors.New("no whole record stands there")

// recordAt reads the record at a place of a stored segment to its end, checksum and digest of its payload and all, and brings its
// header; wanted is a digest that its payload must have, too, or empty. errNoRecord if no whole one can be read there; any other error says nothing about the archive.
func (i *Inspector) recordAt(ctx context.Context, s storage.Segment, offset int64, wanted string) (_ *Header, err error) {
	if offset >= s.Size {
		return nil, errNoRecord
	}
	in, err := i.Blobs.Open(ctx, s.Location, offset, s.Size-offset)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrKey) {
		return nil, fmt.Errorf("%w: %w", errNoRecord, err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	rec, err := readMember(in, s.ID)
	if err == nil {
		err = rec.prove(wanted)
		if cerr := rec.Close(); err == nil {
			err = cerr
		}
	}
	if isDamage(err) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %w", errNoRecord, err)
	}
	if err != nil {
		return nil, err
	}
	return &rec.Header, nil
}

// stands says whether the payload of a revisit stands where its record says: in a segment that is there, by its row or, since
// that may be missing just now, by what can be read there. While it is not known yet whether the object of a segment is
// missing or only elsewhere in the store, it is taken to be there.
func (i *Inspector) stands(ctx context.Context, segment string, offset int64, record string) (bool, error) {
	s, err := i.Rows.Segment(ctx, segment)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil || s.State != storage.SegmentStored {
		return err == nil && s.State != storage.SegmentLost, err
	}
	if why, err := i.objectOf(ctx, segment); err != nil || why != "" {
		return err == nil && !i.settled, err
	}
	if _, err := i.Rows.CaptureAt(ctx, segment, offset); !errors.Is(err, storage.ErrNotFound) {
		return err == nil, err
	}
	h, err := i.recordAt(ctx, s, offset, "")
	if errors.Is(err, errNoRecord) {
		return false, nil
	}
	return err == nil && (record == "" || h.ID() == record), err
}

// holder is where a whole payload stands that is equal to that of a revisit: in the record that it refers to, wherever that is
// now, or else in the oldest; of a page that was not modified, in one of the same address, whose head counts, too. Empty if
// there is none. It is read to its end: that it has a row says nothing of its bytes.
func (i *Inspector) holder(ctx context.Context, revisit *storage.Capture, refers string) (string, error) {
	holders, err := i.Index.Holders(ctx, revisit.Collection, revisit.Digest)
	if err != nil {
		return "", err
	}
	for _, h := range revisit.Originals(holders, refers) {
		if whole, err := i.isWhole(ctx, &h); err != nil || whole {
			return location(h.Segment, h.Offset), err
		}
	}
	return "", nil
}

// isWhole says whether the record of a stored capture can be read to its end, and has the payload of its digest. Of each it is asked once.
func (i *Inspector) isWhole(ctx context.Context, c *storage.Capture) (bool, error) {
	place := location(c.Segment, c.Offset)
	if whole, ok := i.read.Load(place); ok {
		return whole.(bool), nil
	}
	whole := false
	if why, err := i.objectOf(ctx, c.Segment); err != nil {
		return false, err
	} else if why == "" {
		s, err := i.Rows.Segment(ctx, c.Segment)
		if errors.Is(err, storage.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		_, err = i.recordAt(ctx, s, c.Offset, c.Digest)
		if err != nil && !errors.Is(err, errNoRecord) {
			return false, err
		}
		whole = err == nil
	}
	i.read.Store(place, whole)
	return whole, nil
}

// rotten tells of the revisits that lead to what was found to be damaged, and leads them to equal payloads that are whole. Their
// rows, and that of the damaged capture, agree with their records: only its bytes don't.
func (i *Inspector) rotten(ctx context.Context, done *Inspected) error {
	told := map[string]bool{}
	var bad []string
	for k := range done.Flaws {
		switch f := &done.Flaws[k]; {
		case f.Word == WordDangling:
			told[location(f.Segment, f.Offset)] = true
		case f.Segment != "" && f.Offset >= 0 && (f.Word == WordTorn || f.Word == WordFraming || f.Word == WordDigest):
			bad = append(bad, location(f.Segment, f.Offset))
		}
	}
	slices.Sort(bad)
	n := &Inspection{}
	for _, place := range slices.Compact(bad) {
		referrers, err := i.Index.Referrers(ctx, place)
		if err != nil {
			return err
		}
		for k := range referrers {
			if r := &referrers[k]; !told[location(r.Segment, r.Offset)] {
				if err := i.rot(ctx, n, place, r); err != nil {
					return err
				}
			}
		}
	}
	done.More += n.More
	done.take(n.Flaws)
	return nil
}

func (i *Inspector) rot(ctx context.Context, n *Inspection, place string, revisit *storage.Capture) error {
	f := Flaw{Word: WordDangling, Offset: revisit.Offset, Record: revisit.RecordID, URL: revisit.URL,
		Detail: fmt.Sprintf("the revisit leads to %q: what stands there is damaged", place)}
	n.Segment, n.Key = revisit.Segment, ""
	to := ""
	if i.Mender != nil {
		var err error
		if to, err = i.holder(ctx, revisit, ""); err != nil {
			return err
		}
	}
	if to != "" && to != place {
		if err := i.Mender.lead(ctx, &f, revisit, to); err != nil {
			return err
		}
	}
	n.flaw(f)
	return nil
}

// objectOf says why nothing of a segment can be read; empty if it may be there. Of each it is asked once.
func (i *Inspector) objectOf(ctx context.Context, segment string) (string, error) {
	if why, ok := i.objects.Load(segment); ok {
		return why.(string), nil
	}
	s, err := i.Rows.Segment(ctx, segment)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", err
	}
	why := ""
	switch {
	case err != nil: // no capture stands there, or its row names no segment: others tell
		return "", nil
	case s.State == storage.SegmentLost:
		why = "that segment was given up"
	case s.State == storage.SegmentStored:
		there, err := i.stat(ctx, s.Location)
		if err != nil && !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrKey) {
			return "", err
		}
		if !there {
			why = "that segment's object is missing"
		}
	default:
		return "", nil // it may be stored any moment
	}
	i.objects.Store(segment, why)
	return why, nil
}
