package warc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"linkstead/storage"
)

// orphans finds objects that no row names, and adopts them if it may.
func (i *Inspector) orphans(ctx context.Context, n *Inspection) error {
	doomed, err := i.Index.Doomed(ctx)
	if err != nil {
		return err
	}
	for blob, err := range i.listed(ctx) {
		if err != nil {
			return err
		}
		if slices.Contains(doomed, blob.Key) {
			continue // the next purge deletes it
		}
		f := Flaw{Word: WordUnknown, Offset: -1}
		n.Segment, n.Key = segmentID(blob.Key), blob.Key
		if blob.Odd != "" {
			f.Detail, f.Try = "it is "+blob.Odd+", no file, and was passed over, as a rebuild does", "put the file itself there if it should be a segment; else move it away"
			n.flaw(f)
			continue
		}
		if !strings.HasSuffix(blob.Key, segmentSuffix) {
			n.Segment = ""
			f.Detail, f.Try = "it is no WARC file", "look at it; move it away if it is not yours"
			n.flaw(f)
			continue
		}
		row, err := i.Rows.Segment(ctx, n.Segment)
		switch {
		case errors.Is(err, storage.ErrPurged):
			f.Detail, f.Try = "a purge has replaced this segment, and what it took out still stands there", "delete the object, once no object of its collection is told of as missing"
			n.flaw(f)
			continue
		case errors.Is(err, storage.ErrNotFound):
			f.Detail = "no row tells of this segment"
		case err != nil:
			return err
		case row.State == storage.SegmentLost:
			f.Detail = "the segment was given up, and the store has it all the same"
		case Imported(row.ID) && storage.Outside(row.Location) && SegmentKey(row) == blob.Key:
			continue // it tells where the records are
		case row.Location == blob.Key || row.State != storage.SegmentStored && SegmentKey(row) == blob.Key:
			continue
		default:
			f.Detail = fmt.Sprintf("segment %s stands at %s by its row", row.ID, row.Location)
		}
		if err := i.orphan(ctx, n, f, blob, row); err != nil {
			return err
		}
	}
	n.Segment, n.Key = "", ""
	return nil
}

// orphan tells of an object that no row names. One with the bytes of a segment that is known is a copy of it.
func (i *Inspector) orphan(ctx context.Context, n *Inspection, f Flaw, blob storage.Blob, row storage.Segment) error {
	sum, err := i.sumOf(ctx, blob.Key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // it is gone meanwhile
	}
	if err != nil {
		return err
	}
	all, err := i.Rows.Segments(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.SHA256 != sum || s.State == storage.SegmentLost {
			continue
		}
		if err := i.copyOf(ctx, &f, blob, s); err != nil {
			return err
		}
		n.flaw(f)
		return nil
	}
	if row.ID != "" && row.State != storage.SegmentLost {
		n.flaw(f)
		return nil
	}
	if err := i.Mender.adopt(ctx, i, &f, blob, row); err != nil {
		return err
	}
	n.flaw(f)
	return nil
}

// copyOf tells of an object that no row names and that holds the bytes of a segment which is known. It may be the only one
// that does: what is called a copy, and can go, is one beside a segment whose own object was read and is whole.
func (i *Inspector) copyOf(ctx context.Context, f *Flaw, blob storage.Blob, s storage.Segment) error {
	if s.Location == blob.Key || s.State != storage.SegmentStored {
		f.Detail = fmt.Sprintf("it holds the bytes of a segment that is called %s by its row", s.ID)
		f.Try = "leave it where it is; 'linkstead rebuild' makes the rows anew by the names of the objects"
		return nil
	}
	sum, err := i.sumOf(ctx, s.Location)
	switch {
	case errors.Is(err, storage.ErrNotFound) && SegmentKey(s) == blob.Key:
		f.Detail = fmt.Sprintf("it is segment %s, whose row says that it stands at %s", s.ID, s.Location)
		f.Try = tryRepair
		s.Location = blob.Key
		return i.Mender.relocate(ctx, f, s)
	case errors.Is(err, storage.ErrNotFound):
		f.Detail = fmt.Sprintf("it holds what should stand at %s as segment %s", s.Location, s.ID)
		f.Try = "rename it, or 'linkstead verify --repair', which copies it there"
		return i.Mender.putBack(ctx, i.Blobs, f, blob, s)
	case err != nil:
		return err
	case sum != s.SHA256:
		f.Detail = fmt.Sprintf("it holds what was stored as segment %s; the object at %s is damaged", s.ID, s.Location)
		f.Try = "keep it: move the damaged object away, and rename this one to its key"
		return nil
	}
	f.Detail = fmt.Sprintf("it is a copy of segment %s, which stands whole at %s", s.ID, s.Location)
	f.Try = "delete the copy"
	return nil
}

// adoptable says why the object of no row is none that can be taken in; empty if it can. It tells which runs are not known.
func (i *Inspector) adoptable(ctx context.Context, blob storage.Blob) (why string, runs []int64, err error) {
	r := &reading{Inspection: &Inspection{}, sum: sha256.New(), v: newVerifier(), want: newWanted(path.Base(path.Dir(blob.Key)), segmentID(blob.Key)),
		open: func(ctx context.Context, off int64) (io.ReadCloser, error) {
			return i.Blobs.Open(ctx, blob.Key, off, -1)
		}}
	r.v.take = r.want.unit
	if err := r.read(ctx); err != nil {
		return "", nil, err
	}
	c, err := collectionOf(r.at(ctx), r.Size)
	switch {
	case errors.Is(err, errForeign) || errors.Is(err, errNeverBegun):
		return err.Error(), nil, nil
	case err != nil:
		return "", nil, err
	case c != r.want.collection:
		return fmt.Sprintf("it says that it is of collection %s", c), nil, nil
	}
	for _, u := range r.want.units {
		for _, v := range u.end.Captures {
			there, err := i.Rows.Moved(ctx, v)
			if errors.Is(err, storage.ErrNotFound) || err == nil && there.Segment == v.Segment {
				continue
			}
			if err != nil {
				return "", nil, err
			}
			return "its records stand in segment " + there.Segment, nil, nil
		}
	}
	for id := range r.want.runs {
		if _, err := i.Index.Run(ctx, id); errors.Is(err, storage.ErrNotFound) {
			runs = append(runs, id)
		} else if err != nil {
			return "", nil, err
		}
	}
	return "", runs, nil
}
