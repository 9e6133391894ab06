package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"linkstead/storage"
)

// stretch is a part of a segment that could not be read: from the exchange that it breaks to the next whole record.
type stretch struct{ from, to int64 }

// reading is a segment while it is read.
type reading struct {
	*Inspection
	row     storage.Segment // as the database has it
	whole   bool            // not only what is acknowledged of it
	limit   int64           // bytes that are to be there; -1: nobody knows
	v       *verifier
	want    *wanted
	damage  []stretch
	sum     hash.Hash
	open    func(ctx context.Context, off int64) (io.ReadCloser, error)
	counted func(n int)
}

// inspect verifies one segment as its row stands. A row that changes meanwhile is looked at once more.
func (i *Inspector) inspect(ctx context.Context, row storage.Segment) (*Inspection, error) {
	for try := 0; ; try++ {
		n, err := i.inspectOnce(ctx, row)
		if err != nil || len(n.Flaws) == 0 || try == 3 {
			return n, err
		}
		now, err := i.Rows.Segment(ctx, row.ID)
		if errors.Is(err, storage.ErrPurged) {
			return nil, nil // a purge has replaced it
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		if err == nil && now == row || err != nil {
			return n, nil
		}
		row = now
	}
}

func (i *Inspector) inspectOnce(ctx context.Context, row storage.Segment) (*Inspection, error) {
	r := &reading{Inspection: &Inspection{Segment: row.ID, State: string(row.State), At: i.Now().UTC()}, row: row, limit: -1,
		sum: sha256.New(), counted: i.Read}
	if row.State == storage.SegmentLost {
		return r.Inspection, nil // Strays tells of what should not be there
	}
	if err := i.place(ctx, r); err != nil || r.open == nil {
		return r.Inspection, err
	}
	if Imported(row.ID) {
		return i.inspectImported(ctx, r)
	}
	r.want = newWanted(r.collection(), row.ID)
	r.v = newVerifier()
	r.v.take = r.want.unit
	if err := r.read(ctx); err != nil {
		if errors.Is(err, storage.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			r.flaw(Flaw{Word: WordMissing, Offset: -1, Detail: "the segment's object is gone"})
			return r.Inspection, nil
		}
		return nil, fmt.Errorf("verify segment %s: %w", row.ID, err)
	}
	r.judge()
	if err := i.compare(ctx, r); err != nil {
		return nil, fmt.Errorf("verify the rows of segment %s: %w", row.ID, err)
	}
	return r.Inspection, nil
}

// collection is the one that the segment's place tells of, where it has one.
func (r *reading) collection() string {
	if r.row.State == storage.SegmentStored && !storage.Outside(r.row.Location) {
		return path.Base(path.Dir(r.row.Location))
	}
	return r.row.Collection
}

// place finds where the bytes are: in the store, or in this machine's spool. r.open stays nil if they can't be read here.
func (i *Inspector) place(ctx context.Context, r *reading) error {
	if r.row.State == storage.SegmentStored {
		r.Key, r.whole, r.limit = r.row.Location, true, r.row.Size
		b, err := i.Blobs.Open(ctx, r.Key, 0, 1)
		if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrKey) {
			r.flaw(Flaw{Word: WordMissing, Offset: -1, Detail: fmt.Sprintf("the store has no object %s, of which %d bytes were stored", r.Key, r.row.Size), Try: tryBytes(r.row)})
			return nil
		}
		if err != nil {
			return err
		}
		r.open = func(ctx context.Context, off int64) (io.ReadCloser, error) { return i.Blobs.Open(ctx, r.Key, off, -1) }
		return b.Close()
	}
	if r.row.State == storage.SegmentOpen && r.row.Committed == 0 {
		return nil // nothing of it is acknowledged yet
	}
	name := storage.SpoolPath(i.Spool, r.Segment)
	st, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return i.away(ctx, r, name)
	}
	if err != nil {
		return err
	}
	r.Key, r.limit = name, r.row.Committed
	if r.row.State == storage.SegmentSealed {
		r.whole, r.limit = true, r.row.Size
	}
	if st.Size() < r.limit {
		r.flaw(Flaw{Word: WordDiffers, Offset: -1, Detail: fmt.Sprintf("the spool has %d bytes of it, and %d were acknowledged", st.Size(), r.limit),
			Try: "bring the file back; 'linkstead rebuild' takes in what is left of it"})
		r.limit = st.Size()
	}
	r.open = func(_ context.Context, off int64) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(f, off, max(0, r.limit-off)), f}, nil
	}
	return nil
}

// away deals with a segment that is not stored, and that this machine's spool does not have.
func (i *Inspector) away(ctx context.Context, r *reading, name string) error {
	if r.row.Node != i.Node {
		r.Elsewhere = r.row.Node
		return nil
	}
	stored, err := i.stat(ctx, SegmentKey(r.row))
	if err != nil && !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrKey) {
		return err
	}
	if stored { // nothing is to be given up; whoever has stored it just now has changed the row, too, and inspect looks again
		r.Key = SegmentKey(r.row)
		try := "'linkstead rebuild' takes it in as it stands in the store"
		if r.row.State == storage.SegmentSealed {
			try = "the next start of a worker notes that it is stored"
		}
		r.flaw(Flaw{Word: WordRow, Offset: -1, Detail: fmt.Sprintf("the segment's row says that it is not stored, and the store has it at %s", r.Key), Try: try})
		return nil
	}
	r.Key = name
	r.flaw(Flaw{Word: WordMissing, Offset: -1, Detail: fmt.Sprintf("it is not stored, and its file is not in the spool; %d bytes were acknowledged", max(r.row.Committed, r.row.Size)),
		Try: "bring the file back and start a worker, or " + giveUp(r.row)})
	return nil
}

// read reads all bytes once, and what can't be read as records is passed over.
func (r *reading) read(ctx context.Context) (err error) {
	in, err := r.open(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	src := newHashing(in, r.sum, r.counted)
	defer src.close()
	err = r.v.records(src, 0)
	for torn := (*TornError)(nil); errors.As(err, &torn); {
		if _, err := io.Copy(io.Discard, src); err != nil { // its checksum tells of the whole
			return err
		}
		src.finish()
		var next int64
		if next, err = r.behind(ctx, torn, src.n); err != nil {
			return err
		}
		torn = nil
		if next < 0 {
			break
		}
		err = r.readFrom(ctx, next)
	}
	if err != nil && !errors.As(err, new(*TornError)) {
		return err
	}
	if _, err := io.Copy(io.Discard, src); err != nil {
		return err
	}
	src.finish()
	r.Size = src.n
	r.v.end(r.Size)
	r.Records = len(r.v.seen)
	return nil
}

// readFrom reads the records from a whole one on.
func (r *reading) readFrom(ctx context.Context, off int64) (err error) {
	in, err := r.open(ctx, off)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return r.v.records(in, off)
}

// behind tells of what could not be read, and finds the next record; -1 if there is none.
func (r *reading) behind(ctx context.Context, torn *TornError, size int64) (int64, error) {
	r.v.torn(torn)
	r.v.broken, r.v.damaged = true, true
	from := min(r.v.group.unit.Offset, torn.Offset)
	next, err := nextMember(r.at(ctx), torn.Offset+1, size)
	to := next
	if next < 0 {
		to = max(size, r.limit, torn.Offset+1)
	}
	r.damage = append(r.damage, stretch{from, to})
	return next, err
}

// at reads parts of the segment, to find what comes after damage.
func (r *reading) at(ctx context.Context) io.ReaderAt { return &partReader{ctx: ctx, open: r.open} }

// partReader reads parts of a segment, each anew.
type partReader struct {
	ctx  context.Context
	open func(ctx context.Context, off int64) (io.ReadCloser, error)
}

// ReadAt implements io.ReaderAt.
func (p *partReader) ReadAt(b []byte, off int64) (n int, err error) {
	in, err := p.open(p.ctx, off)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	n, err = io.ReadFull(in, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// judge holds the bytes against what the segment's row says, and tells what the verifier found.
func (r *reading) judge() {
	r.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	switch {
	case r.whole && r.Size != r.row.Size:
		r.flaw(Flaw{Word: WordDiffers, Offset: -1, Detail: fmt.Sprintf("it has %d bytes, and %d were stored", r.Size, r.row.Size)})
	case r.whole && r.SHA256 != r.row.SHA256:
		r.flaw(Flaw{Word: WordDiffers, Offset: -1, Detail: fmt.Sprintf("its SHA-256 is %s, and %s was stored", r.SHA256, r.row.SHA256)})
	}
	for _, f := range r.v.faults {
		r.flaw(Flaw{Word: f.word(), Offset: f.Offset, Record: f.RecordID, URL: r.want.urls[f.Offset], Clause: f.Clause, Detail: f.Detail})
	}
	r.More += r.v.more
}

// word is the word for a fault of a segment.
func (f Fault) word() Word {
	switch f.Clause {
	case clauseMember:
		if strings.Contains(f.Detail, io.ErrUnexpectedEOF.Error()) {
			return WordTorn
		}
		return WordFraming
	case clauseBlock, clausePayload:
		return WordDigest
	case clauseUnclosed:
		return WordUnclosed
	}
	return WordRecord
}

// isBroken says whether an offset lies in what could not be read.
func (r *reading) isBroken(off int64) bool {
	for _, d := range r.damage {
		if off >= d.from && off < d.to {
			return true
		}
	}
	return false
}

// SpoolNode reads the name of the node whose spool is in a folder; empty if no worker has ever been there.
func SpoolNode(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "node"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read node name: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
