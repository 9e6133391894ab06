package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"linkstead/storage"
)

// adoptImported makes the rows of a segment whose records another program wrote: they stand in it, or where its note says.
func (b *Rebuilder) adoptImported(ctx context.Context, blob storage.Blob, row storage.Segment, file io.ReaderAt, done *Rebuilt) error {
	note, t, err := importNote(file, row.Size)
	if err != nil || note == nil {
		done.Damaged = append(done.Damaged, row.ID+" at 0: what it says of the file that was imported can't be read")
		b.hurt = append(b.hurt, row.ID)
		return err
	}
	if t.told.After(b.about[row.Collection].told) {
		b.about[row.Collection] = tail{about: t.about, told: t.told}
	}
	row.Created = t.begun
	parts := []Part{{Length: row.Size}}
	var tells io.ReaderAt // of the pages of a file elsewhere
	var size int64
	if note.InPlace {
		row.Location, row.Size, row.SHA256, parts = note.Location, note.Size, note.SHA256, note.Parts
		if err := b.stillThere(ctx, row, done); err != nil {
			return err
		}
		tells, size = file, blob.Size
		file = storage.NewReaderAt(ctx, b.Blobs, row.Location, row.Size)
	} else {
		b.compare(blob, row, done)
	}
	row.Committed = row.Size
	if err := b.Rows.AdoptSegment(ctx, row); err != nil {
		return err
	}
	n, end, err := b.importedRows(ctx, row, file, parts, takenOut(t.notes), done)
	if !note.InPlace && end != nil && end.SHA256 == note.SHA256 { // another one is of the imported file, whatever it says
		note = end
	}
	if note.InPlace && errors.Is(err, storage.ErrNotFound) {
		err = nil // it was told of
	}
	if err == nil && tells != nil {
		to := &rowBatch{ctx: ctx, to: b.Rows}
		if err = pagesOf(row, tells, size, to.addPost); err == nil {
			err = to.flushPosts()
		}
	}
	if err != nil {
		return err
	}
	b.taken[stem(row.ID)] += n
	if note.Done != nil {
		if note.Done.Into = row.Collection; note.Done.Captures == 0 { // of a copy, its last segment could not tell
			note.Done.Captures = b.taken[stem(row.ID)]
		}
		if err := b.Rows.AdoptAudit(ctx, note.audit(row.Collection)); err != nil {
			return err
		}
	}
	if err := b.adoptPurges(ctx, &t); err != nil {
		return err
	}
	done.Segments++
	done.Exchanges += n
	if b.Tell != nil {
		b.Tell(row.ID, n)
	}
	return nil
}

// stillThere tells if the file that was indexed where it lies is not there, or is another one.
func (b *Rebuilder) stillThere(ctx context.Context, row storage.Segment, done *Rebuilt) error {
	in, err := b.Blobs.Open(ctx, row.Location, 0, -1)
	if errors.Is(err, storage.ErrNotFound) {
		done.Damaged = append(done.Damaged, fmt.Sprintf("%s: the file %s, which was imported in place, is not there", row.ID, row.Location))
		b.hurt = append(b.hurt, row.ID)
		return nil
	}
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = copyFrom(h, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != row.SHA256 {
		done.Damaged = append(done.Damaged, fmt.Sprintf("%s: the file %s, which was imported in place, has changed since: its SHA-256 is %s", row.ID, row.Location, got))
		b.hurt = append(b.hurt, row.ID)
	}
	return nil
}

// importedRows writes the rows of an imported segment.
func (b *Rebuilder) importedRows(ctx context.Context, row storage.Segment, file io.ReaderAt, parts []Part, out map[int64]bool, done *Rebuilt) (n int, end *ImportNote, err error) {
	m, batch := importingInto(ctx, row, b.Rows)
	m.out = out
	err = m.all(file, row.Size, parts, func(s Skip) {
		if row.Location == SegmentKey(row) { // of a file that lies elsewhere, what is no record was told of when it was imported
			done.Damaged = append(done.Damaged, fmt.Sprintf("%s at %d", row.ID, s.From))
		}
	}, nil)
	if err == nil {
		err = batch.flush()
	}
	return batch.n, m.done, err
}

// importNote reads the first records of an imported segment: what its collection tells of itself, what purges took out, and where it
// comes from.
func importNote(file io.ReaderAt, size int64) (*ImportNote, tail, error) {
	var t tail
	for rec, err := range Scan(io.NewSectionReader(file, 0, size), 0) {
		if errors.As(err, new(*TornError)) {
			return nil, t, nil
		}
		if err != nil {
			return nil, t, err
		}
		switch {
		case rec.Header.Type() == TypeWarcinfo: // the first one, or that of a purge and, behind its note, the one before
			f := Found{Offset: rec.Offset, Header: rec.Header}
			if err := rec.Finish(); err != nil {
				return nil, t, nil
			}
			f.Length = rec.Length()
			t.begun = f.Header.Date()
			if err := t.collection(&f, file); err != nil {
				return nil, t, err
			}
		case rec.Header.Get(fieldContentType) == MimePurge:
			var note purgeNote
			if decodeJSON(rec.Block, &note) != nil || rec.Finish() != nil {
				return nil, t, nil
			}
			t.notes = append(t.notes, note)
		case rec.Header.Get(fieldContentType) == MimeImport:
			var note ImportNote
			if decodeJSON(rec.Block, &note) != nil {
				return nil, t, nil
			}
			return &note, t, nil
		default:
			return nil, t, nil
		}
	}
	return nil, t, nil
}
