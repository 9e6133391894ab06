package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"linkstead/storage"
)

// MimeImport is the media type of the metadata record that tells where imported records come from.
const MimeImport = "application/vnd.linkstead.import+json"

// ActionImport is the word for an import in the log: see storage.Audit.
const ActionImport = "import"

// ErrNotApart says that a file can't be read at random where it lies: records share a gzip member.
var ErrNotApart = errors.New("several records share one gzip member, so that none of them can be read by itself")

// ErrOnlyInPlace says that a file that is to be copied was imported in place before: copying it now could bring back what was purged of it.
var ErrOnlyInPlace = errors.New("it was imported in place before, and the archive has no copy of it")

// ErrNoRecords says that a file holds no record that could be read.
var ErrNoRecords = errors.New("there is no WARC or ARC record in it that can be read")

// ImportRows is what an import writes.
type ImportRows interface {
	AdoptSegment(ctx context.Context, s storage.Segment) error
	captureAdopter
	AdoptAudit(ctx context.Context, a storage.Audit) error
	Audited(ctx context.Context, id string) (bool, error)
	SegmentsLike(ctx context.Context, collection, prefix string) ([]storage.Segment, error)
	DropImported(ctx context.Context, segment string) error
	ResolveRevisits(ctx context.Context) (lost int, err error)
}

// ImportStore is what an import asks of the blob store.
type ImportStore interface {
	Putter
	List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error]
	Delete(ctx context.Context, key string) error
}

// Importer takes in WARC and ARC files that other programs wrote: it copies their records, a gzip member each, into segments of the
// archive, or indexes them where they lie. An import that was interrupted leaves nothing that the next try does not take away.
type Importer struct {
	Rows    ImportRows
	Blobs   ImportStore
	Temp    string // folder for one segment at a time
	MaxSize int64  // of a segment, bytes
	Info    Info   // what each segment tells of itself, save for its name and date
	Node    string // who imports
	Now     func() time.Time
	Read    func(n int64) // is told how many bytes of the file were dealt with; may be nil
}

// Source is a file to be imported.
type Source struct {
	Name       string // as a person knows it
	Location   string // where it lies, see storage.Outside; of a copy it is only told
	R          io.ReaderAt
	Size       int64  // bytes
	Parts      []Part // the WARC files in it; none: it is one
	Collection string
	InPlace    bool
	Passed     []string // what in it is no source, for the report

	Pages *Pages // what the file tells of its pages, the same for all sources of a file; nil: nothing
	More  bool   // another source of the same file comes after it
}

// ImportNote is what the archive keeps of where imported records come from: a metadata record at the head of each segment, and one
// at the end of a file's last.
type ImportNote struct {
	Name     string    `json:"name"`
	Location string    `json:"location"`
	InPlace  bool      `json:"in_place"` // the records stand there, and not in this segment
	Size     int64     `json:"size"`     // of the file, bytes
	SHA256   string    `json:"sha256"`   // of the file, lower-case hex
	Parts    []Part    `json:"parts"`
	At       time.Time `json:"at"`

	Node string        `json:"node,omitempty"` // that imported it
	Done *ImportReport `json:"done,omitempty"` // what it came to; nil: there is more of it
}

// auditID is under what an import is noted in the log.
func (n *ImportNote) auditID(collection string) string {
	return "import " + collection + " " + n.SHA256
}

// audit is the line of the log.
func (n *ImportNote) audit(collection string) storage.Audit {
	detail, err := json.Marshal(n.Done)
	if err != nil {
		detail = []byte("{}") // strings and numbers can be encoded
	}
	return storage.Audit{ID: n.auditID(collection), At: n.At, Node: n.Node, Action: ActionImport, Detail: detail}
}

// ImportReport tells what came of an import.
type ImportReport struct {
	Name     string         `json:"name"`
	SHA256   string         `json:"sha256"`
	Into     string         `json:"collection,omitempty"`
	Already  bool           `json:"already,omitempty"` // it was imported before, and nothing was done
	InPlace  bool           `json:"in_place"`
	Segments []string       `json:"segments"`
	Records  int            `json:"records"`               // read
	Captures int            `json:"captures,omitempty"`    // indexed
	Left     map[string]int `json:"left_out,omitempty"`    // records with a page that got no row, by why
	Skipped  []Skip         `json:"skipped,omitempty"`     // the first maxSkips stretches that are no record …
	Skips    int            `json:"skips"`                 // … of so many …
	Lost     int64          `json:"skipped_bytes"`         // … with so many bytes
	Odd      int            `json:"odd,omitempty"`         // records whose length was not what they said
	Passed   []string       `json:"passed_over,omitempty"` // files within it that were not read, with why

	Pages     int            `json:"pages,omitempty"`          // that are posts now
	PagesLeft map[string]int `json:"pages_left_out,omitempty"` // those that are none, by why
}

// maxSkips bounds how many skipped stretches a report lists.
const maxSkips = 1000

func (r *ImportReport) skip(s Skip) {
	if r.Skips++; len(r.Skipped) < maxSkips {
		r.Skipped = append(r.Skipped, s)
	}
	r.Lost += s.lost()
}

// importBatch is how many rows are written at once.
const importBatch = 2000

// Import takes in one file. Its bytes are read twice: for their digest, by which it is known again, and for its records.
func (im *Importer) Import(ctx context.Context, src Source) (ImportReport, error) {
	rep := ImportReport{Name: src.Name, InPlace: src.InPlace, Into: src.Collection}
	sum, err := im.sum(ctx, &src)
	if err != nil {
		return rep, err
	}
	rep.SHA256 = hex.EncodeToString(sum[:])
	if len(src.Parts) == 0 {
		src.Parts = []Part{{Length: src.Size}}
	}
	note := ImportNote{
		Name: src.Name, Location: src.Location, InPlace: src.InPlace, Size: src.Size, SHA256: rep.SHA256, Parts: src.Parts,
		At: im.Now().UTC(), Node: im.Node,
	}
	if src.Pages == nil {
		src.Pages = &Pages{}
	}
	if rep.Already, err = im.already(ctx, note.auditID(src.Collection), &src, sum); err != nil || rep.Already {
		src.Pages.partial = true
		return rep, err
	}
	if err := im.clear(ctx, src.Collection, sum); err != nil {
		return rep, err
	}
	c := &copier{ctx: ctx, im: im, src: &src, sum: sum, note: note, rep: &rep, made: &Composer{Dir: im.Temp}, block: storage.NewSpill(im.Temp, 1<<20)}
	defer c.drop()
	if src.InPlace {
		err = im.inPlace(ctx, c)
	} else {
		err = c.all()
	}
	if err != nil {
		// What is there of it goes; the next try would do so, too.
		return rep, errors.Join(err, im.clear(context.WithoutCancel(ctx), src.Collection, sum))
	}
	if _, err := im.Rows.ResolveRevisits(ctx); err != nil {
		return rep, err
	}
	note.Done = &rep
	return rep, im.Rows.AdoptAudit(ctx, note.audit(src.Collection))
}

// already says whether the file was imported, and nothing of that was given up since.
func (im *Importer) already(ctx context.Context, id string, src *Source, sum [32]byte) (bool, error) {
	noted, err := im.Rows.Audited(ctx, id)
	if err != nil || !noted {
		return false, err
	}
	there, err := im.Rows.SegmentsLike(ctx, src.Collection, importedName(src.Collection, sum))
	lost := slices.ContainsFunc(there, func(s storage.Segment) bool { return s.State != storage.SegmentStored })
	if err != nil || len(there) == 0 || lost {
		return false, err
	}
	if !src.InPlace && slices.ContainsFunc(there, func(s storage.Segment) bool { return storage.Outside(s.Location) }) {
		return false, ErrOnlyInPlace
	}
	return true, nil
}

// sum is the SHA-256 of the file.
func (im *Importer) sum(ctx context.Context, src *Source) (sum [32]byte, err error) {
	h := sha256.New()
	n, err := copyFrom(h, obedient{ctx, io.NewSectionReader(src.R, 0, src.Size)})
	if err == nil && n != src.Size {
		err = fmt.Errorf("%d of %d bytes: %w", n, src.Size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return sum, fmt.Errorf("read %s: %w", src.Name, err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// obedient is a reader that ends with its context.
type obedient struct {
	ctx context.Context
	io.Reader
}

func (o obedient) Read(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.Reader.Read(p)
}

// clear takes away what an earlier try left: its rows, then its blobs.
func (im *Importer) clear(ctx context.Context, collection string, sum [32]byte) error {
	prefix := importedName(collection, sum)
	old, err := im.Rows.SegmentsLike(ctx, collection, prefix)
	if err != nil {
		return err
	}
	for _, s := range old {
		if err := im.Rows.DropImported(ctx, s.ID); err != nil {
			return err
		}
	}
	var keys []string
	for blob, err := range im.Blobs.List(ctx, KeyPrefix+collection+"/"+prefix) {
		if err != nil {
			return err
		}
		keys = append(keys, blob.Key)
	}
	for _, key := range keys {
		if err := im.Blobs.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// inPlace indexes a file where it lies. Then a small segment in the store tells of it, for a rebuild.
func (im *Importer) inPlace(ctx context.Context, c *copier) error {
	src, rep := c.src, c.rep
	row := storage.Segment{
		ID: importedName(src.Collection, c.sum) + "0001", Collection: src.Collection, Location: src.Location, State: storage.SegmentStored,
		Committed: src.Size, Size: src.Size, SHA256: rep.SHA256, Created: c.note.At,
	}
	if err := im.Rows.AdoptSegment(ctx, row); err != nil {
		return err
	}
	rep.Segments = append(rep.Segments, row.ID)
	err := im.rows(ctx, row, src.R, src.Parts, rep, src.Pages, func(w *Wild) error {
		if !w.Alone {
			return fmt.Errorf("%s at %d: %w", src.Name, w.Offset, ErrNotApart)
		}
		rep.note(w)
		return src.pageInfo(w)
	})
	if err == nil && rep.Records == 0 {
		err = ErrNoRecords
	}
	if err != nil {
		return err
	}
	return c.noteInPlace(row)
}

// noteInPlace stores the segment that tells of a file which is indexed where it lies, and of its pages.
func (c *copier) noteInPlace(row storage.Segment) error {
	pages := c.src.Pages.take()
	c.rep.Pages = len(pages)
	c.pagesLeft()
	c.note.Done = c.rep
	if err := c.begin(); err != nil {
		return err
	}
	for _, n := range pages {
		if err := c.writePage(n); err != nil {
			return err
		}
	}
	note, size := c.file.Name(), c.size
	if err := c.seal(); err != nil {
		return err
	}
	in, err := os.Open(note)
	if err == nil {
		b := &rowBatch{ctx: c.ctx, to: c.im.Rows}
		if err = pagesOf(row, in, size, b.addPost); err == nil {
			err = b.flush()
		}
		err = errors.Join(err, in.Close())
	}
	if err = errors.Join(err, os.Remove(note)); err != nil {
		return fmt.Errorf("store the note of %s: %w", c.src.Name, err)
	}
	return nil
}

// pageInfo reads a record of a file that lies elsewhere if browsertrix tells of a page in it.
func (src *Source) pageInfo(w *Wild) error {
	if w.Header.Type() != TypeResource || !strings.HasPrefix(w.Header.URL(), pageInfo) {
		return nil
	}
	rec, err := readMember(io.NewSectionReader(src.R, w.Offset, src.Size-w.Offset), src.Name)
	if errors.As(err, new(*TornError)) {
		return nil // it was read before; a strict reader knows better
	}
	if err != nil {
		return err
	}
	src.Pages.record(rec.Block)
	return rec.Close()
}

func (r *ImportReport) note(w *Wild) {
	r.Records++
	if w.Note != "" {
		r.Odd++
	}
}

// rows indexes the records of a segment.
func (im *Importer) rows(ctx context.Context, row storage.Segment, file io.ReaderAt, parts []Part, rep *ImportReport, pages *Pages, each func(*Wild) error) error {
	m, b := importingInto(ctx, row, im.Rows)
	m.pages = pages
	m.left = rep.Left
	err := m.all(obedientAt{ctx, file}, row.Size, parts, rep.skip, each)
	if rep.Left = m.left; err == nil {
		err = b.flush()
	}
	if rep.Captures += b.n; err != nil {
		return fmt.Errorf("index %s: %w", row.ID, err)
	}
	return nil
}

// captureAdopter takes rows of captures and pages.
type captureAdopter interface {
	AdoptCaptures(ctx context.Context, cs []storage.Capture) error
	AdoptPosts(ctx context.Context, ps []storage.Post) error
}

// rowBatch writes rows, some at a time.
type rowBatch struct {
	ctx  context.Context
	to   captureAdopter
	rows []storage.Capture
	n    int // that were written

	posts []storage.Post
}

func (b *rowBatch) addPost(p storage.Post) error {
	if b.posts = append(b.posts, p); len(b.posts) < importBatch {
		return nil
	}
	return b.flushPosts()
}

func (b *rowBatch) flushPosts() error {
	if len(b.posts) == 0 {
		return nil
	}
	err := b.to.AdoptPosts(b.ctx, b.posts)
	b.posts = b.posts[:0]
	return err
}

func (b *rowBatch) add(c storage.Capture) error {
	if b.rows = append(b.rows, c); len(b.rows) < importBatch {
		return nil
	}
	return b.flush()
}

func (b *rowBatch) flush() error {
	err := b.to.AdoptCaptures(b.ctx, b.rows)
	b.n += len(b.rows)
	b.rows = b.rows[:0]
	return errors.Join(err, b.flushPosts())
}

// importingInto is what makes the rows of an imported segment, and what writes them. The last are written by its flush.
func importingInto(ctx context.Context, row storage.Segment, to captureAdopter) (*importing, *rowBatch) {
	b := &rowBatch{ctx: ctx, to: to, rows: make([]storage.Capture, 0, importBatch)}
	m := importingOf(row, b.add)
	m.posts = b.addPost
	return m, b
}

// obedientAt is a reader that ends with its context.
type obedientAt struct {
	ctx context.Context
	io.ReaderAt
}

func (o obedientAt) ReadAt(p []byte, off int64) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.ReaderAt.ReadAt(p, off)
}

// importingOf is what makes the rows of an imported segment.
func importingOf(row storage.Segment, emit func(storage.Capture) error) *importing {
	return &importing{
		collection: row.Collection, segment: row.ID, run: importedRun(row.ID), emit: emit, ours: map[string]bool{},
		begun: storage.Outside(row.Location), // nothing in a file that lies elsewhere is of this archive
	}
}

// base is the last part of a name, for what tells of a file in a few words.
func base(name string) string { return path.Base(name) }
