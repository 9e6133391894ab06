package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"linkstead/storage"
)

// MimeNote is the media type of a record that tells of a note, as storage.Note in JSON.
const MimeNote = "application/vnd.linkstead.note+json"

// noteURN is the target URI of a note's record.
func noteURN(n *storage.Note) string {
	return "urn:linkstead:note:" + url.PathEscape(n.Kind) + ":" + url.PathEscape(n.Subject)
}

// NoteAdopter is what a rebuild asks of the new database to take in notes.
type NoteAdopter interface {
	AdoptNotes(ctx context.Context, notes ...storage.Note) error
}

// noteOf reads a note out of its record. It is one of the collection in whose folder the segment lies.
func noteOf(f *Found, file io.ReaderAt) (storage.Note, error) {
	raw, err := f.small(file)
	if err != nil {
		return storage.Note{}, err
	}
	n, err := storage.ReadNote(raw)
	if err != nil {
		return storage.Note{}, fmt.Errorf("record %s at %d: %w", f.Header.ID(), f.Offset, err)
	}
	return n, nil
}

// small is the block of a record of ours that is read as a whole.
func (i *Found) small(file io.ReaderAt) ([]byte, error) {
	if i.kept != nil {
		return i.kept, nil
	}
	rec, err := i.Open(file)
	if err != nil {
		return nil, err
	}
	defer rec.Close() //nolint:errcheck // it frees buffers alone
	return io.ReadAll(io.LimitReader(rec.Block, MaxClosing))
}

// adoptNotes takes in the notes that a segment tells of.
func (b *Rebuilder) adoptNotes(ctx context.Context, row storage.Segment, notes []storage.Note) error {
	for i := range notes {
		notes[i].Collection, notes[i].Segment = row.Collection, row.ID
	}
	return b.Rows.AdoptNotes(ctx, notes...)
}

// note takes the record of a note.
func (w *wanted) note(f *Found) {
	n, err := noteOf(f, nil)
	if err != nil {
		w.bad = append(w.bad, Flaw{Word: WordRecord, Offset: f.Offset, Record: f.Header.ID(), Detail: err.Error()})
		return
	}
	n.Collection, n.Segment = w.collection, w.segment
	w.notes = append(w.notes, n)
	w.urls[f.Offset] = f.Header.URL()
}

// notes looks for the rows of notes.
func (c *comparison) notes(ctx context.Context) error {
	for i := range c.want.notes {
		want := &c.want.notes[i]
		have, err := c.i.Rows.Note(ctx, want.ID)
		flaw := Flaw{Offset: -1, URL: noteURN(want)}
		switch {
		case errors.Is(err, storage.ErrNotFound):
			flaw.Word, flaw.Detail = WordNoRow, fmt.Sprintf("a note (%s) about %s in collection %s has no row", want.Kind, want.Subject, want.Collection)
		case err != nil:
			return err
		case !sameNote(&have, want):
			flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("the row of a note (%s) about %s in collection %s is not as its record tells", want.Kind, want.Subject, want.Collection)
		default:
			continue
		}
		c.flaw(flaw)
		c.notesAnew = append(c.notesAnew, *want)
	}
	return nil
}

// sameNote leaves aside which number a note has: where two were found with the same one, one has got another.
func sameNote(a, b *storage.Note) bool {
	return a.Kind == b.Kind && a.Subject == b.Subject && a.Collection == b.Collection && a.Target == b.Target &&
		a.At.Equal(b.At) && a.Node == b.Node && string(a.Body) == string(b.Body)
}
