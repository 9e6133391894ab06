package warc

import (
	"context"
	"errors"
	"fmt"
	"io"

	"linkstead/storage"
)

// errNoRecord says that no whole record stands at a place.
var errNoRecord = errors.New("no whole record stands there")

// recordAt reads the record at a place of a stored segment to its end, checksum and all, and brings its header. errNoRecord
// if none can be read there; any other error says nothing about the archive.
func (i *Inspector) recordAt(ctx context.Context, s storage.Segment, offset int64) (_ *Header, err error) {
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
	rec, err := ReadMember(in)
	if err == nil {
		_, err = io.Copy(io.Discard, rec.Block)
		if cerr := rec.Close(); err == nil {
			err = cerr
		}
	}
	if errors.As(err, new(*TornError)) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
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
	h, err := i.recordAt(ctx, s, offset)
	if errors.Is(err, errNoRecord) {
		return false, nil
	}
	return err == nil && (record == "" || h.ID() == record), err
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
