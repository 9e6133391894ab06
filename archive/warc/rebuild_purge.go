package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"linkstead/storage"
)

// PurgeAdopter is what a rebuild asks of the new database to take in what purges have left.
type PurgeAdopter interface {
	AdoptVoided(ctx context.Context, ends []storage.End) error
	AdoptAudit(ctx context.Context, a storage.Audit) error
	AdoptDoomed(ctx context.Context, locations ...string) error
	AdoptForgotten(ctx context.Context, runs ...int64) error
}

// Resolver leads revisits to where their originals stand now.
type Resolver interface {
	ResolveRevisits(ctx context.Context) (lost int, err error)
	LeadRevisits(ctx context.Context, segment string) (lost int, err error) // of what could not be read in a segment
}

// segmentID is the segment that a blob holds.
func segmentID(key string) string { return strings.TrimSuffix(path.Base(key), segmentSuffix) }

// stem is what the names of a segment and of those that replace it have in common: the collection and the time.
func stem(id string) string { return id[:max(0, strings.LastIndexByte(id, '-'))] }

// chosen are the segments that count. A purge that was interrupted leaves both the old segments and the new ones: if all the
// new ones are there, they count, else the old ones do. What does not count is doomed. Copies count for nothing, and stay.
func (b *Rebuilder) chosen(ctx context.Context) ([]storage.Blob, error) {
	var all []storage.Blob
	for blob, err := range b.Blobs.List(ctx, KeyPrefix) {
		if err != nil {
			return nil, err
		}
		switch {
		case blob.Odd != "":
			b.odd = append(b.odd, fmt.Sprintf("%s is %s", blob.Key, blob.Odd))
		case strings.HasSuffix(blob.Key, segmentSuffix):
			all = append(all, blob)
		}
	}
	all, err := b.withoutCopies(ctx, all)
	if err != nil {
		return nil, err
	}
	b.known = map[string]bool{}
	like := map[string]int{}
	for _, blob := range all {
		b.known[segmentID(blob.Key)] = true
		like[stem(segmentID(blob.Key))]++
	}
	b.listed, b.gone = maps.Clone(b.known), map[string]bool{}
	out := map[string]bool{}
	for _, blob := range all {
		id := segmentID(blob.Key)
		if like[stem(id)] < 2 {
			continue
		}
		note, err := b.firstNote(ctx, blob)
		if err != nil {
			return nil, err
		}
		if note == nil || !b.known[note.Replaces] {
			continue
		}
		if slices.ContainsFunc(note.With, func(id string) bool { return !b.known[id] }) {
			out[id] = true
		} else {
			out[note.Replaces] = true
		}
	}
	return b.doom(ctx, all, out)
}

// doom leaves out what does not count.
func (b *Rebuilder) doom(ctx context.Context, all []storage.Blob, out map[string]bool) ([]storage.Blob, error) {
	var doomed []string
	all = slices.DeleteFunc(all, func(blob storage.Blob) bool {
		if out[segmentID(blob.Key)] {
			doomed = append(doomed, blob.Key)
		}
		return out[segmentID(blob.Key)]
	})
	for id := range out {
		delete(b.known, id)
	}
	if len(doomed) == 0 {
		return all, nil
	}
	return all, b.Rows.AdoptDoomed(ctx, doomed...)
}

// firstNote reads the note of the purge that made a segment; nil if none did. It stands behind the first record.
func (b *Rebuilder) firstNote(ctx context.Context, blob storage.Blob) (*purgeNote, error) {
	in, err := b.Blobs.Open(ctx, blob.Key, 0, -1)
	if err != nil {
		return nil, err
	}
	note, err := readNote(in)
	return note, errors.Join(err, in.Close())
}

func readNote(in io.Reader) (*purgeNote, error) {
	n := 0
	for rec, err := range Scan(in, 0) {
		var torn *TornError
		if errors.As(err, &torn) {
			return nil, nil // whoever reads the segment will tell
		}
		if err != nil {
			return nil, err
		}
		if n++; n < 2 {
			continue
		}
		if rec.Header.Get(fieldContentType) != MimePurge {
			return nil, nil
		}
		note := new(purgeNote)
		return note, decodeJSON(rec.Block, note)
	}
	return nil, nil
}

// adoptPurges takes in what the notes of a segment tell.
func (b *Rebuilder) adoptPurges(ctx context.Context, t *tail) error {
	for i := range t.notes {
		n := &t.notes[i]
		b.gone[n.Replaces] = true
		so := b.purges[n.Purge]
		so.add(n.Counts)
		b.purges[n.Purge] = so
		a, err := n.audit(so)
		if err == nil {
			err = b.Rows.AdoptAudit(ctx, a)
		}
		for _, f := range n.Forgotten {
			b.forgotten = append(b.forgotten, f.ID)
			if err == nil {
				err = b.Rows.AdoptRun(ctx, f.run())
			}
		}
		ends := make([]storage.End, len(n.Ended))
		for k, e := range n.Ended {
			ends[k].Task = e.task()
		}
		if err == nil && len(ends) > 0 {
			err = b.Rows.Adopt(ctx, ends)
		}
		if err != nil {
			return fmt.Errorf("take in the note of purge %s: %w", n.Purge, err)
		}
	}
	if len(t.voided) == 0 {
		return nil
	}
	return b.Rows.AdoptVoided(ctx, t.voided)
}

// seek marks the revisits whose originals have moved since: the segment that they name is gone. They are found by name once
// all segments are read.
func (b *Rebuilder) seek(t *tail) {
	for i := range t.ends {
		for k := range t.ends[i].Captures {
			c := &t.ends[i].Captures[k]
			segment, _, ok := storage.Referred(c.RefersTo)
			if !ok || b.known[segment] {
				continue
			}
			if c.RefersTo = t.refers[i]; c.RefersTo == "" {
				c.RefersTo = "<>"
			}
		}
	}
}

// resolve finds them. It also takes away what older notes told of runs that were forgotten since.
func (b *Rebuilder) resolve(ctx context.Context, done *Rebuilt) error {
	if err := b.Rows.AdoptForgotten(ctx, b.forgotten...); err != nil {
		return err
	}
	lost, err := b.Rows.ResolveRevisits(ctx)
	for _, id := range b.hurt {
		if err == nil {
			var more int
			more, err = b.Rows.LeadRevisits(ctx, id)
			lost += more
		}
	}
	if lost > 0 {
		done.Damaged = append(done.Damaged, fmt.Sprintf("none: %d payloads that revisits refer to are nowhere", lost))
	}
	return err
}

// adoptCollections writes what the newest warcinfo records tell of collections.
func (b *Rebuilder) adoptCollections(ctx context.Context) error {
	for _, t := range b.about {
		if err := b.Rows.AdoptCollection(ctx, t.about); err != nil {
			return err
		}
	}
	return nil
}
