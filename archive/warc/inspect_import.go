package warc

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"

	"linkstead/storage"
)

// tryBytes is what to try about the bytes of an imported segment that are gone; "" for another one, of which the word's help tells.
func tryBytes(s storage.Segment) string {
	if !Imported(s.ID) {
		return ""
	}
	const giveUp = "if there is none, 'linkstead verify --repair --delete-rows' gives its captures up, and 'linkstead import' takes the file in again wherever it turns up"
	if file := strings.TrimPrefix(s.Location, "file:"); storage.Outside(s.Location) {
		return "the archive has no copy of it: bring " + file + " back as it was; " + giveUp
	}
	return "bring the object back from a copy of the store; " + giveUp
}

// tryImport is what to try about a revisit of another program.
const tryImport = "import the file that holds its original into the same collection: mostly an earlier one of the same crawl"

const tryRebuild = "'linkstead rebuild' makes the rows as the records tell them"

// inspectImported verifies a segment whose records another program wrote: its bytes as a whole against their digest, and its rows
// against its records, both ways. What those records say of themselves was never for this archive to answer for.
func (i *Inspector) inspectImported(ctx context.Context, r *reading) (*Inspection, error) {
	err := i.hashAll(ctx, r)
	if err == nil {
		err = i.importedRows(ctx, r)
	}
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		r.flaw(Flaw{Word: WordMissing, Offset: -1, Detail: "the segment's object is gone", Try: tryBytes(r.row)})
		return r.Inspection, nil
	}
	if err != nil {
		return nil, fmt.Errorf("verify segment %s: %w", r.row.ID, err)
	}
	return r.Inspection, nil
}

// hashAll reads all bytes, and holds them against the segment's row.
func (i *Inspector) hashAll(ctx context.Context, r *reading) (err error) {
	in, err := r.open(ctx, 0)
	if err != nil {
		return err
	}
	r.Size, err = copyFrom(r.sum, countingReader{in, i.Read})
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	r.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	if r.Size != r.row.Size || r.SHA256 != r.row.SHA256 {
		r.flaw(Flaw{Word: WordDiffers, Offset: -1, Detail: fmt.Sprintf("it has %d bytes with the SHA-256 %s, and %d with %s were imported", r.Size, r.SHA256, r.row.Size, r.row.SHA256)})
	}
	return nil
}

// countingReader tells how much is read.
type countingReader struct {
	io.Reader
	tell func(int)
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.tell != nil {
		c.tell(n)
	}
	return n, err
}

// importedRows holds rows and records against each other, in the order of their places, so that neither is held in memory.
func (i *Inspector) importedRows(ctx context.Context, r *reading) error {
	parts, out := []Part{{Length: r.row.Size}}, map[int64]bool(nil)
	pages := map[int64]storage.Post{}
	wanted := func(p storage.Post) error { pages[p.Offset] = p; return nil }
	if storage.Outside(r.row.Location) {
		in, err := i.Blobs.Open(ctx, SegmentKey(r.row), 0, -1)
		if errors.Is(err, storage.ErrNotFound) {
			r.flaw(Flaw{Word: WordMissing, Offset: -1, Detail: "the note of the import is gone, without which a rebuild does not know the file: " + SegmentKey(r.row)})
			return nil
		}
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(io.LimitReader(in, maxTells))
		if err = errors.Join(err, in.Close()); err != nil {
			return err
		}
		note, head, err := importNote(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return err
		}
		if note == nil {
			r.flaw(Flaw{Word: WordFraming, Offset: -1, Detail: "the note of the import can't be read, without which a rebuild does not know the file: " + SegmentKey(r.row)})
			return nil
		}
		parts, out = note.Parts, takenOut(head.notes)
		if err := pagesOf(r.row, bytes.NewReader(raw), int64(len(raw)), wanted); err != nil {
			return err
		}
	}
	next, stop := iter.Pull2(i.Rows.SegmentCaptures(ctx, r.row.ID))
	defer stop()
	j := &joined{ctx: ctx, i: i, r: r, next: next}
	if err := j.step(); err != nil {
		return err
	}
	m := importingOf(r.row, j.take)
	m.out, m.posts = out, wanted
	damaged := r.differs()
	err := m.all(storage.NewReaderAt(ctx, i.Blobs, r.row.Location, r.row.Size), r.row.Size, parts, func(s Skip) {
		if !storage.Outside(r.row.Location) && !damaged {
			r.flaw(Flaw{Word: WordFraming, Offset: s.From, Detail: s.Why})
		}
	}, func(*Wild) error { r.Records++; return nil })
	if err != nil {
		return err
	}
	if err := j.rest(); err != nil {
		return err
	}
	return i.importedPages(ctx, r, pages)
}

// maxTells bounds what is read of a segment that tells of a file elsewhere and of its pages, in bytes.
const maxTells = 256 << 20

// importedPages holds the rows of pages against their records, both ways.
func (i *Inspector) importedPages(ctx context.Context, r *reading, want map[int64]storage.Post) error {
	rows, err := i.Rows.SegmentPosts(ctx, r.row.ID)
	if err != nil {
		return err
	}
	r.Rows += len(rows)
	for k := range rows {
		p := &rows[k]
		w, ok := want[p.Offset]
		delete(want, p.Offset)
		f := Flaw{Offset: p.Offset, URL: p.URL, Try: tryRebuild}
		switch {
		case !ok:
			f.Word, f.Detail = WordNoRecord, "the record of the page that the row in posts tells of is not there"
		case !reflect.DeepEqual(w, *p):
			f.Word, f.Detail = WordRow, "the row in posts: "+difference(w, *p)
		default:
			continue
		}
		r.flaw(f)
	}
	for _, off := range slices.Sorted(maps.Keys(want)) {
		r.flaw(Flaw{Word: WordNoRow, Offset: off, URL: want[off].URL, Detail: "no row in posts tells of the page", Try: tryRebuild})
	}
	return nil
}

// joined walks through rows and records in the order of their places.
type joined struct {
	ctx  context.Context
	i    *Inspector
	r    *reading
	next func() (storage.Capture, error, bool)
	row  storage.Capture
	ok   bool // row is one
}

func (j *joined) step() (err error) {
	j.row, err, j.ok = j.next()
	if j.ok {
		j.r.Rows++
	}
	return err
}

// take is given the row that a record asks for.
func (j *joined) take(want storage.Capture) error {
	for j.ok && j.row.Offset < want.Offset {
		if err := j.noRecord(); err != nil {
			return err
		}
	}
	if !j.ok || j.row.Offset > want.Offset {
		j.r.flaw(Flaw{Word: WordNoRow, Offset: want.Offset, Record: want.RecordID, URL: want.URL, Detail: "no row tells of it", Try: tryRebuild})
		return nil
	}
	was := j.row
	was.RefersTo, want.RefersTo = "", "" // led to where the original stands
	if want = want.Stored(); want != was {
		j.r.flaw(Flaw{Word: WordRow, Offset: want.Offset, Record: want.RecordID, URL: want.URL, Detail: "its row says something else", Try: tryRebuild})
	}
	if j.row.Kind == KindRevisit {
		why, err := j.i.lacks(j.ctx, &j.row)
		if err != nil {
			return err
		}
		if why != "" {
			j.r.flaw(Flaw{Word: WordDangling, Offset: want.Offset, Record: want.RecordID, URL: want.URL, Detail: why, Try: tryImport})
		}
	}
	return j.step()
}

func (j *joined) noRecord() error {
	j.r.flaw(Flaw{Word: WordNoRecord, Offset: j.row.Offset, Record: j.row.RecordID, URL: j.row.URL, Detail: "the record that the row tells of is not there", Try: tryRebuild})
	return j.step()
}

func (j *joined) rest() error {
	for j.ok {
		if err := j.noRecord(); err != nil {
			return err
		}
	}
	return nil
}
