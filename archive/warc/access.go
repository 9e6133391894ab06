package warc

import (
	"context"
	"fmt"
	"io"

	"linkstead/archive/access"
	"linkstead/storage"
)

// MimeAccess is the media type of a record that tells of a change of an access rule, as access.Change in JSON.
const MimeAccess = "application/vnd.linkstead.access+json"

// AccessAdopter is what a rebuild asks of the new database to take in access rules.
type AccessAdopter interface {
	AdoptAccess(ctx context.Context, changes ...storage.AccessChange) error
}

// accessChange reads a change of an access rule out of its record. It is one of the collection in whose folder the segment lies.
func accessChange(f *Found, file io.ReaderAt) (storage.AccessChange, error) {
	raw, err := f.small(file)
	if err != nil {
		return storage.AccessChange{}, err
	}
	c, err := access.ReadChange(raw)
	if err != nil {
		return storage.AccessChange{}, fmt.Errorf("record %s at %d: %w", f.Header.ID(), f.Offset, err)
	}
	// Of changes that were made at the same time, the dates of the records tell which was the later one.
	return storage.AccessChange{ID: c.ID, Rule: c.Rule.ID, At: f.Header.Date(), Sets: c.Sets, Change: raw, Node: c.Node}, nil
}

// adoptAccess takes in the changes of access rules that a segment tells of.
func (b *Rebuilder) adoptAccess(ctx context.Context, row storage.Segment, changes []storage.AccessChange) error {
	for i := range changes {
		changes[i].Collection, changes[i].Segment = row.Collection, row.ID
	}
	return b.Rows.AdoptAccess(ctx, changes...)
}
