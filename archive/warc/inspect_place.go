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
