package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"linkstead/storage"
)

// Adopter is what a rebuild asks of the new database.
type Adopter interface {
	AdoptSegment(ctx context.Context, s storage.Segment) error
	AdoptRun(ctx context.Context, r storage.Run) error
	Adopt(ctx context.Context, ends []storage.End) error
	AdoptCollection(ctx context.Context, c storage.Collection) error
	captureAdopter
	PurgeAdopter
	AccessAdopter
	NoteAdopter
	Resolver
}

// Lister lists and reads blobs.
type Lister interface {
	Getter
	List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error]
}

// Rebuilder makes the rows of an archive anew from its segments alone.
type Rebuilder struct {
	Rows  Adopter
	Blobs Lister
	Store Putter
	Spool *storage.Spool
	Temp  string                              // folder for one segment at a time
	Tell  func(segment string, exchanges int) // progress; may be nil
	Knew  map[string]storage.Segment          // what an older database says of segments; may be nil

	listed map[string]bool        // segments that the store lists …
	known  map[string]bool        // … those that count …
	gone   map[string]bool        // … and those that purges have replaced
	purges map[string]PurgeCounts // what their notes have told so far
	taken  map[string]int         // captures so far, by what the segments of an imported file have in common
	about  map[string]tail        // by collection: what the newest warcinfo record tells

	forgotten []int64 // runs
	odd       []string
	copies    []string
	hurt      []string // segments of which not all could be read
}

// Rebuilt tells what a rebuild made.
type Rebuilt struct {
	Segments, Exchanges int
	Foreign             []string // files of the spool that are none of ours; they stay where they are
	Damaged             []string // places within segments that could not be read; what came before and after was taken
	Differ              []string // where the store holds other bytes than Rebuilder.Knew tells of
	Odd                 []string // what stands among the segments and is no file: it was passed over
	Copies              []string // what is only a copy of a segment that was taken, or has its name: it was passed over, too

	// Spooled are the segments of the spool, all of them stored or empty now. Their files go by DropSpooled once the new rows
	// are in place: until then the old ones need them.
	Spooled []string
}

const segmentSuffix = ".warc.gz"

// Rebuild reads every segment of the blob store, and those that wait in the spool, which it stores.
func (b *Rebuilder) Rebuild(ctx context.Context) (Rebuilt, error) {
	var done Rebuilt
	if err := b.storeSpooled(ctx, &done); err != nil {
		return done, err
	}
	blobs, err := b.chosen(ctx)
	if err != nil {
		return done, err
	}
	done.Odd, done.Copies = b.odd, b.copies
	b.purges, b.about, b.taken = map[string]PurgeCounts{}, map[string]tail{}, map[string]int{}
	for _, blob := range blobs {
		if err := b.segment(ctx, blob, &done); err != nil {
			return done, fmt.Errorf("rebuild from %s: %w", blob.Key, err)
		}
	}
	b.missing(&done)
	return done, errors.Join(b.resolve(ctx, &done), b.adoptCollections(ctx))
}

// storeSpooled cuts, seals and stores the segments that a stopped process left in the spool.
func (b *Rebuilder) storeSpooled(ctx context.Context, done *Rebuilt) error {
	names, err := filepath.Glob(b.Spool.Path("*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		id := strings.TrimSuffix(filepath.Base(name), segmentSuffix)
		switch err := b.storeOne(ctx, id); {
		case errors.Is(err, errForeign):
			done.Foreign = append(done.Foreign, id) // for a person to look at
		case err != nil:
			return fmt.Errorf("store segment %s of the spool: %w", id, err)
		default:
			done.Spooled = append(done.Spooled, id)
		}
	}
	return nil
}

func (b *Rebuilder) storeOne(ctx context.Context, id string) error {
	file, size, err := b.Spool.Open(id)
	if err != nil {
		return err
	}
	row := storage.Segment{ID: id}
	row.Collection, err = collectionOf(file, size)
	if errors.Is(err, errNeverBegun) {
		return file.Close()
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	var t tail
	if t, err = salvage(row, file, size); err == nil && t.end < size {
		err = b.cut(ctx, row, file, t.end)
	}
	if err == nil {
		row, err = sealFile(row, file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if len(t.ends) > 0 {
		return b.Store.Put(ctx, SegmentKey(row), b.Spool.Path(id), row.SHA256)
	}
	return nil
}

// DropSpooled takes the spool's files away, of which the rows that are in place now say that they are stored.
func (r *Rebuilt) DropSpooled(spool *storage.Spool) error {
	for _, id := range r.Spooled {
		if err := spool.Drop(id); err != nil {
			return err
		}
	}
	return nil
}

// cut cuts the torn end of a segment off, unless the store has the segment already: its blob may be this very file.
func (b *Rebuilder) cut(ctx context.Context, row storage.Segment, file storage.File, end int64) error {
	in, err := b.Blobs.Open(ctx, SegmentKey(row), 0, 0)
	if errors.Is(err, storage.ErrNotFound) {
		return file.Truncate(end)
	}
	if err != nil {
		return err
	}
	return in.Close()
}

// What a file in the spool is if it does not begin with a warcinfo record of ours.
var (
	errNeverBegun = errors.New("it ends within its first record")
	errForeign    = errors.New("it does not begin with a warcinfo record that names a collection")
)

// collectionOf reads the collection out of a segment's warcinfo record.
func collectionOf(r io.ReaderAt, size int64) (string, error) {
	if size == 0 {
		return "", errNeverBegun
	}
	rec, err := ReadMember(io.NewSectionReader(r, 0, size))
	if err == nil {
		defer rec.Close() //nolint:errcheck // it frees buffers alone
	}
	var block []byte
	if err == nil && rec.Header.Type() == TypeWarcinfo {
		block, err = io.ReadAll(io.LimitReader(rec.Block, 1<<20))
	}
	var torn *TornError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "", errNeverBegun
	case err != nil && !errors.As(err, &torn):
		return "", err
	}
	for line := range strings.Lines(string(block)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && name == "isPartOf" {
			return value, nil
		}
	}
	return "", errForeign
}

// segment reads one blob by way of a temporary file, since it is read twice.
func (b *Rebuilder) segment(ctx context.Context, blob storage.Blob, done *Rebuilt) error {
	file, err := os.CreateTemp(b.Temp, "rebuild-*")
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it has no name
	if err := os.Remove(file.Name()); err != nil {
		return err
	}
	in, err := b.Blobs.Open(ctx, blob.Key, 0, -1)
	if err != nil {
		return err
	}
	h := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, h), in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	row := storage.Segment{
		ID: segmentID(blob.Key), Location: blob.Key, State: storage.SegmentStored,
		Size: size, SHA256: hex.EncodeToString(h.Sum(nil)),
	}
	row.Collection = path.Base(path.Dir(blob.Key))
	if Imported(row.ID) {
		return b.adoptImported(ctx, blob, row, file, done)
	}
	b.compare(blob, row, done)
	return b.adopt(ctx, row, file, done)
}

func (b *Rebuilder) adopt(ctx context.Context, row storage.Segment, file io.ReaderAt, done *Rebuilt) error {
	t, err := salvage(row, file, row.Size)
	if err != nil {
		return err
	}
	for _, at := range t.bad {
		done.Damaged = append(done.Damaged, fmt.Sprintf("%s at %d", row.ID, at))
	}
	if t.end < row.Size && !slices.Contains(t.bad, t.end) { // what was stored was whole
		done.Damaged = append(done.Damaged, fmt.Sprintf("%s at %d, to its end", row.ID, t.end))
	}
	if row.Size == 0 {
		done.Damaged = append(done.Damaged, row.ID+" is empty")
	}
	if len(t.bad) > 0 || t.end < row.Size || row.Size == 0 {
		b.hurt = append(b.hurt, row.ID)
	}
	b.seek(&t)
	if t.told.After(b.about[row.Collection].told) {
		b.about[row.Collection] = tail{about: t.about, told: t.told}
	}
	row.Committed, row.Created = row.Size, t.begun
	if err := b.Rows.AdoptSegment(ctx, row); err != nil {
		return err
	}
	for _, r := range t.runs {
		r.State = storage.RunActive
		if err := b.Rows.AdoptRun(ctx, r); err != nil {
			return err
		}
	}
	for ends := t.ends; len(ends) > 0; ends = ends[min(200, len(ends)):] {
		if err := b.Rows.Adopt(ctx, ends[:min(200, len(ends))]); err != nil {
			return err
		}
	}
	if err := errors.Join(b.adoptPurges(ctx, &t), b.adoptAccess(ctx, row, t.access), b.adoptNotes(ctx, row, t.said)); err != nil {
		return err
	}
	done.Segments++
	done.Exchanges += len(t.ends)
	if b.Tell != nil {
		b.Tell(row.ID, len(t.ends))
	}
	return nil
}

// adoptOne makes the rows of one more segment, beside those that are known.
func (b *Rebuilder) adoptOne(ctx context.Context, blob storage.Blob, known map[string]bool) (done Rebuilt, err error) {
	b.listed, b.known, b.gone = known, known, map[string]bool{}
	b.purges, b.about, b.taken = map[string]PurgeCounts{}, map[string]tail{}, map[string]int{} // what it tells of its collection may be old
	if err := b.segment(ctx, blob, &done); err != nil {
		return done, err
	}
	return done, b.resolve(ctx, &done)
}
