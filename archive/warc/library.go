package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"linkstead/archive/httpmsg"
	"linkstead/storage"
)

// ErrElsewhere says that a capture is acknowledged, but only another machine's spool holds it yet.
var ErrElsewhere = errors.New("only another machine holds this capture yet")

// Shelves is what a library asks of the database.
type Shelves interface {
	Segment(ctx context.Context, id string) (storage.Segment, error)
	CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error)
	Holders(ctx context.Context, collection, digest string) ([]storage.Capture, error) // whole responses of a payload
	Moved(ctx context.Context, c storage.Capture) (storage.Capture, error)             // its row as it stands now
}

// Getter reads a part of a blob.
type Getter interface {
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
}

// Lender reads parts of blobs, and may remember them.
type Lender interface {
	Getter
	Forget(key string) // what is remembered of a blob
}

// Library opens the records of captures wherever they lie: in the blob store, or in the spool of this machine.
type Library struct {
	Shelves Shelves
	Blobs   Lender
	Spool   string // folder of the spool
	places  sync.Map
	rotten  rotten
}

// Memento is a capture opened for reading. The caller closes it.
type Memento struct {
	Capture  storage.Capture
	Head     httpmsg.Head    // of the capture itself; of a resource none
	Original httpmsg.Head    // tells the payload's coding: Head, unless the capture says that nothing was modified
	Header   Header          // of the capture's own record
	Payload  io.Reader       // dechunked, still content-encoded
	From     storage.Capture // of a revisit, whose payload it is
	Damage   error           // why all that was read of a response is an equal copy's; nil: it is its own
	record   *Record
	closers  []io.Closer
	size     int64 // of the payload, bytes, if sized
	sized    bool
}

// Size is the length of the payload in bytes, or -1 if only reading it tells, as of one that came in chunks.
func (m *Memento) Size() int64 {
	if !m.sized {
		return -1
	}
	return m.size
}

// measure tells the size of a payload from its record's header and head: what is kept of it, and no more than was announced.
func (m *Memento) measure() {
	m.size, m.sized = max(0, m.Header.Length-m.Head.Len), true
	if m.Head.Len == 0 { // a resource: all of the block
		return
	}
	switch f := m.Head.Framing(""); f.Kind {
	case httpmsg.Length:
		if m.record != nil && m.record.others { // theirs go on behind it, see httpmsg.KeptBody
			m.sized = m.size <= f.Length || m.size > f.Length+4
			return
		}
		m.size = min(m.size, f.Length)
	case httpmsg.None:
		m.size = 0
	case httpmsg.Chunked, httpmsg.Conflict:
		m.sized = false
	}
}

// Close frees what reading holds.
func (m *Memento) Close() error {
	var err error
	for _, c := range m.closers {
		err = errors.Join(err, c.Close())
	}
	m.closers = nil
	return err
}

// Open opens a capture. A revisit brings its own head and the payload of what it refers to. A payload is held against its digest:
// if it is damaged, an equal copy of the same address is opened instead, or else it is a TornError, at once or, of a long one,
// in the place of the end of its payload. A capture that a purge has
// moved since it was looked up is looked up once more. storage.ErrNotFound if the bytes are gone, ErrElsewhere if they are
// on another machine still.
func (l *Library) Open(ctx context.Context, c storage.Capture) (*Memento, error) {
	m, err := l.openOnce(ctx, c)
	if !errors.Is(err, storage.ErrNotFound) || c.RecordID == "" {
		return m, err
	}
	now, merr := l.Shelves.Moved(ctx, c)
	if errors.Is(merr, storage.ErrNotFound) {
		return nil, err
	}
	if merr != nil {
		return nil, errors.Join(err, merr)
	}
	if now == c {
		return nil, err
	}
	return l.openOnce(ctx, now)
}

func (l *Library) openOnce(ctx context.Context, c storage.Capture) (*Memento, error) {
	if c.Kind != KindRevisit {
		return l.response(ctx, c)
	}
	m := &Memento{Capture: c}
	if err := m.open(ctx, l, c); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s at %d in %s: %w", c.URL, c.Offset, c.Segment, err), m.Close())
	}
	m.Original = m.Head
	o, err := l.original(ctx, &c)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read what the revisit of %s refers to (%s): %w", c.URL, c.RefersTo, err), m.Close())
	}
	m.size, m.sized, m.From = o.size, o.sized, o.Capture
	m.Original, m.Payload, m.closers = o.Head, o.Payload, append(o.closers, m.closers...)
	// The bytes are the same; what they mean is for the server to say that sent them. Another site may have sent them
	// first, with another coding. Only a 304 says nothing of that.
	if m.Head.Len > 0 && !notModified(&m.Header) {
		m.Original = m.Head
	}
	return m, nil
}

// response opens what holds its payload itself.
func (l *Library) response(ctx context.Context, c storage.Capture) (*Memento, error) {
	known := l.rotten.has(location(c.Segment, c.Offset))
	var m *Memento
	var err error
	if known {
		if m, err = l.equal(ctx, &c, errKnown); errors.Is(err, errKnown) {
			m, err = l.proven(ctx, &c, "") // as far as it can be read
		}
	} else if m, err = l.proven(ctx, &c, ""); isDamage(err) {
		m, err = l.equal(ctx, &c, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s at %d in %s: %w", c.URL, c.Offset, c.Segment, err)
	}
	m.Original = m.Head
	return m, nil
}

// errKnown says that a record was found damaged when it was read before.
var errKnown = errors.New("it was found damaged when it was read before")

// isDamage says whether bytes are there that are not what they should be.
func isDamage(err error) bool {
	return errors.As(err, new(*TornError)) || errors.Is(err, ErrNoPayload)
}

// Attempt reads the record of an attempt: what it tells, and its date and place on the net. storage.ErrNotFound if the bytes
// are gone, ErrElsewhere if they are on another machine still.
func (l *Library) Attempt(ctx context.Context, a storage.Attempt) (*Closing, Header, error) {
	c := storage.Capture{URL: a.URL, Segment: a.Segment, Offset: a.Offset, Length: -1, RecordID: a.RecordID}
	closing, header, err := l.attempt(ctx, c)
	if l.forget(c, err) {
		closing, header, err = l.attempt(ctx, c)
	}
	if err != nil {
		err = fmt.Errorf("read the attempt on %s at %d in %s: %w", a.URL, a.Offset, a.Segment, err)
	}
	return closing, header, err
}

func (l *Library) attempt(ctx context.Context, c storage.Capture) (_ *Closing, _ Header, err error) {
	raw, err := l.member(ctx, c)
	if err != nil {
		return nil, Header{}, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	rec, err := ReadMember(raw)
	if err != nil {
		return nil, Header{}, err
	}
	defer func() { err = errors.Join(err, rec.Close()) }()
	if err := isRecord(rec, c); err != nil {
		return nil, Header{}, err
	}
	block, err := io.ReadAll(io.LimitReader(rec.Block, MaxClosing))
	if err != nil {
		return nil, Header{}, err
	}
	closing, err := ParseMeta(block)
	return &closing, rec.Header, err
}

// ErrNoOriginal says that a revisit leads to nothing that holds its payload: what it refers to was never captured or imported here, or
// was taken out.
var ErrNoOriginal = errors.New("what it refers to is not in this archive")

// errNoPlace says that what a row names is no place in a segment.
var errNoPlace = fmt.Errorf("it is no place in a segment: %w", ErrNoOriginal)

func splitLocation(s string) (string, int64, error) {
	segment, offset, ok := storage.Referred(s)
	if !ok {
		return "", 0, fmt.Errorf("%q: %w", s, errNoPlace)
	}
	return segment, offset, nil
}

// open reads the record of c up to its payload. Bytes that are not that record may be a wrong answer of the store: they
// are forgotten, and asked for once more.
func (m *Memento) open(ctx context.Context, l *Library, c storage.Capture) error {
	err := m.read(ctx, l, c)
	if l.forget(c, err) {
		err = m.read(ctx, l, c)
		l.forget(c, err)
	}
	return err
}

// read reads the record of c up to its payload, or opens nothing.
func (m *Memento) read(ctx context.Context, l *Library, c storage.Capture) error {
	raw, err := l.member(ctx, c)
	if err != nil {
		return err
	}
	rec, err := readMember(raw, c.Segment)
	if err != nil {
		return errors.Join(err, raw.Close())
	}
	if err = isRecord(rec, c); err == nil {
		m.Header, m.record = rec.Header, rec
		m.Head, m.Payload, err = rec.HTTP()
		if Imported(c.Segment) && c.Size > 0 { // what its header says may be wrong; when it was indexed, it was read
			m.Header.Length = m.Head.Len + c.Size
		}
		m.measure()
	}
	if err != nil {
		return errors.Join(err, rec.Close(), raw.Close())
	}
	m.Payload = &forgetful{m.Payload, l, c}
	m.closers = append([]io.Closer{rec}, append(m.closers, raw)...)
	return nil
}

// isRecord says no if a whole record is not the one that stands there.
func isRecord(rec *Record, c storage.Capture) error {
	if c.RecordID == "" || rec.Header.ID() == c.RecordID {
		return nil
	}
	return &TornError{Err: fmt.Errorf("it holds record %s, not %s", rec.Header.ID(), c.RecordID)}
}

// forget lets go of the bytes of a capture if err tells that they are not what they should be, and says whether the store
// can be asked for them once more.
func (l *Library) forget(c storage.Capture, err error) bool {
	if !isDamage(err) {
		return false
	}
	key, stored := l.places.Load(c.Segment)
	if stored {
		l.Blobs.Forget(key.(string))
	}
	return stored
}

// forgetful reads a payload. If it turns out to be damaged, whoever opens it next has it read anew.
type forgetful struct {
	io.Reader
	l *Library
	c storage.Capture
}

func (f *forgetful) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && f.l.forget(f.c, err) {
		f.l.rotten.add(location(f.c.Segment, f.c.Offset))
	}
	return n, err
}

// member opens the bytes of a capture's gzip member.
func (l *Library) member(ctx context.Context, c storage.Capture) (io.ReadCloser, error) {
	if key, ok := l.places.Load(c.Segment); ok {
		return l.Blobs.Open(ctx, key.(string), c.Offset, c.Length)
	}
	for range 3 { // it may be on its way from the spool to the store
		s, err := l.Shelves.Segment(ctx, c.Segment)
		if err != nil {
			return nil, err
		}
		if s.State == storage.SegmentStored {
			l.places.Store(c.Segment, s.Location)
			return l.Blobs.Open(ctx, s.Location, c.Offset, c.Length)
		}
		if s.State == storage.SegmentLost {
			return nil, fmt.Errorf("segment %s was given up: %w", s.ID, storage.ErrNotFound)
		}
		f, err := os.Open(storage.SpoolPath(l.Spool, c.Segment))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n := c.Length
		if n < 0 {
			n = 1 << 62
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(f, c.Offset, n), f}, nil
	}
	return nil, ErrElsewhere
}
