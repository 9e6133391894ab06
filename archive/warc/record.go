package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"linkstead/archive/httpmsg"
)

// maxHead bounds the head of an archived HTTP message, in bytes: what is longer is neither written nor read.
const maxHead = 1 << 20

// ErrNoPayload says that a record of this type has no payload to be read (WARC 1.1 §4), or no HTTP head where one must
// be.
var ErrNoPayload = errors.New("record without a payload")

// TornError says that what begins at Offset is not a whole gzip member holding one whole record: the bytes end within
// it (errors.Is io.ErrUnexpectedEOF), or they are something else. Errors of the underlying reader are never a TornError.
type TornError struct {
	Offset int64 // of the member
	Cut    int64 // where to cut, so that only whole exchanges remain; Offset, where exchanges are not looked at
	Err    error
}

func (e *TornError) Error() string { return fmt.Sprintf("member at %d: %v", e.Offset, e.Err) }

// Unwrap returns the cause.
func (e *TornError) Unwrap() error { return e.Err }

// Record is one record being read out of its gzip member. It holds no more than some buffers, whatever its size.
type Record struct {
	Offset int64 // of its member, bytes
	Header Header
	Block  io.Reader // the block; its end comes only after the record's end, the member's end and checksum were right
	m      *memberReader
	wild   *wildMember // whose reader m is, if it is read as it was found
	others bool        // another program wrote it
}

// Length is the size of the record's member, in bytes compressed. It is known once Block was read to its end or Finish
// was called, and 0 before.
func (r *Record) Length() int64 { return r.m.length }

// Finish reads what is left of the record and says whether its member is whole.
func (r *Record) Finish() error {
	if _, err := copyFrom(io.Discard, r.Block); err != nil {
		return err
	}
	return nil
}

// Close frees the buffers of a record that ReadMember returned; neither its Block nor its payload must be read after
// that. It does not close the reader underneath.
func (r *Record) Close() error {
	m, wild := r.m, r.wild
	r.m, r.wild, r.Block = nil, nil, nil
	switch {
	case wild != nil:
		wild.free()
	case m != nil:
		m.free()
	}
	return nil
}

// Truncated is WARC-Truncated (WARC 1.1 §5.15), or "".
func (r *Record) Truncated() string { return r.Header.Get(fieldTruncated) }

// ReadMember reads the record whose gzip member begins where r stands, as the index tells by offset and length. What
// comes after the member's end is of no account. The caller closes the record.
func ReadMember(r io.Reader) (*Record, error) {
	m := newMemberReader(r, 0)
	rec, err := m.next()
	if rec == nil && err == nil {
		err = &TornError{Err: io.ErrUnexpectedEOF}
	}
	if err != nil {
		m.free()
		return nil, err
	}
	return rec, nil
}

// HTTP reads the head of an archived response out of the block and returns the payload, dechunked and still
// content-encoded (WARC 1.1 §6.3.2). A revisit has a head and no payload; a resource a payload and no head (§6.4). A
// body that lacks its end, or whose chunks break off into something else, ends where it does: see Truncated. Call it once,
// instead of reading Block.
func (r *Record) HTTP() (httpmsg.Head, io.Reader, error) {
	switch r.Header.Type() {
	case TypeResource:
		return httpmsg.Head{}, r.Block, nil
	case TypeResponse, TypeRevisit:
	default:
		return httpmsg.Head{}, nil, fmt.Errorf("%w: %s", ErrNoPayload, r.Header.Type())
	}
	if r.Header.Type() == TypeRevisit && r.Header.Length == 0 {
		return httpmsg.Head{}, strings.NewReader(""), nil
	}
	head, rest, err := readHead(r.Block)
	if err != nil {
		return head, nil, err
	}
	if r.Header.Type() == TypeRevisit || head.Len == r.Header.Length {
		// A head alone: a revisit, an answer to HEAD, or one whose body never came. Either way nothing follows.
		return head, rest, nil
	}
	body := httpmsg.Body
	if r.others {
		body = httpmsg.KeptBody
	}
	return head, lenient{body(head, "", rest), r.Block, r.m}, nil
}

// readHead reads the head of a response and returns the reader of what follows it.
func readHead(r io.Reader) (httpmsg.Head, io.Reader, error) {
	buf := make([]byte, 0, 4<<10)
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		from := len(buf)
		buf = buf[:len(buf)+n]
		if end := httpmsg.HeadEnd(buf, from); end >= 0 {
			head, perr := httpmsg.ParseHead(buf[:end])
			if perr != nil {
				return head, nil, fmt.Errorf("%w: %w", ErrNoPayload, perr)
			}
			if err != nil && err != io.EOF {
				return head, nil, err
			}
			return head, io.MultiReader(bytes.NewReader(buf[end:]), r), nil
		}
		if err == io.EOF || len(buf) > maxHead {
			return httpmsg.Head{}, nil, fmt.Errorf("%w: no complete HTTP head", ErrNoPayload)
		}
		if err != nil {
			return httpmsg.Head{}, nil, err
		}
	}
}

// lenient ends a body where the archived message does, whole or not; but where the record could not be read, it fails. The
// end of the body comes only after the record's end and the member's checksum were right.
type lenient struct {
	body  io.Reader
	block io.Reader
	m     *memberReader
}

func (l lenient) Read(p []byte) (int, error) {
	n, err := l.body.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, httpmsg.ErrMalformed) {
		err = io.EOF
	}
	if err == io.EOF && !l.m.broken {
		_, _ = copyFrom(io.Discard, l.block) // its error stays in the reader
	}
	if l.m.broken {
		return n, l.m.err
	}
	return n, err
}

// source counts the bytes read from r and remembers how it failed, so that a failing disk is never taken for a torn
// segment.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// memberReader reads gzip members, each with one record, one after another.
type memberReader struct {
	src    source
	in     *bufio.Reader
	gz     gzip.Reader
	out    *bufio.Reader
	header []byte
	start  int64 // of the member
	left   int64 // of the block
	length int64 // of the member, once it is whole
	err    error // what the block's reader says next
	broken bool  // err is not the clean end
}

var memberReaders = sync.Pool{New: func() any {
	return &memberReader{in: bufio.NewReaderSize(nil, 32<<10), out: bufio.NewReaderSize(nil, 16<<10)}
}}

func newMemberReader(r io.Reader, at int64) *memberReader {
	m := memberReaders.Get().(*memberReader)
	m.src = source{r: r, n: at}
	m.in.Reset(&m.src)
	m.err = nil
	return m
}

func (m *memberReader) free() {
	m.src = source{}
	m.in.Reset(nil)
	memberReaders.Put(m)
}

// at is the offset of the next byte that no member has taken.
func (m *memberReader) at() int64 { return m.src.n - int64(m.in.Buffered()) }

// next reads the header of the next record. It returns neither record nor error at a clean end.
func (m *memberReader) next() (*Record, error) {
	m.start, m.length, m.left, m.err, m.broken = m.at(), 0, 0, nil, false
	if _, err := m.in.Peek(1); errors.Is(err, io.EOF) && m.src.err == nil {
		return nil, nil
	}
	if err := m.gz.Reset(m.in); err != nil {
		return nil, m.fail(err)
	}
	m.gz.Multistream(false)
	m.out.Reset(&m.gz)
	raw, err := m.readHeader()
	if err != nil {
		return nil, m.fail(err)
	}
	h, err := ParseHeader(raw)
	if err != nil {
		return nil, m.fail(err)
	}
	m.left = h.Length
	return &Record{Offset: m.start, Header: h, Block: (*blockReader)(m), m: m}, nil
}

// readHeader reads up to the blank line.
func (m *memberReader) readHeader() ([]byte, error) {
	if sign, err := m.out.Peek(5); err != nil {
		return nil, err
	} else if string(sign) != "WARC/" {
		return nil, fmt.Errorf("%w: no version line", ErrHeader)
	}
	m.header = m.header[:0]
	for line := 0; ; {
		part, err := m.out.ReadSlice('\n')
		m.header = append(m.header, part...)
		line += len(part)
		if len(m.header) > maxHeader {
			return nil, fmt.Errorf("%w: longer than %d bytes", ErrHeader, maxHeader)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if line == 1 || (line == 2 && part[0] == '\r') {
			return m.header, nil
		}
		line = 0
	}
}

// fail makes the error of a member that is not whole, unless it was the reader underneath that failed.
func (m *memberReader) fail(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	m.broken = true
	if m.src.err != nil {
		m.err = fmt.Errorf("read member at %d: %w", m.start, m.src.err)
	} else {
		m.err = &TornError{Offset: m.start, Cut: m.start, Err: err}
	}
	return m.err
}

// blockReader reads the block of the record at hand.
type blockReader memberReader

func (b *blockReader) Read(p []byte) (int, error) {
	m := (*memberReader)(b)
	if m.err != nil || len(p) == 0 {
		return 0, m.err
	}
	if m.left == 0 {
		return 0, m.end()
	}
	n, err := m.out.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	if err != nil {
		return n, m.fail(err)
	}
	return n, nil
}

// end reads the two line ends that close a record and makes sure that the member ends there, with a right checksum.
func (m *memberReader) end() error {
	var tail [4]byte
	if _, err := io.ReadFull(m.out, tail[:]); err != nil {
		return m.fail(err)
	}
	if string(tail[:]) != "\r\n\r\n" {
		return m.fail(fmt.Errorf("%w: no line ends after the block", ErrHeader))
	}
	if _, err := m.out.ReadByte(); err == nil {
		return m.fail(fmt.Errorf("%w: bytes after the record in its member", ErrHeader))
	} else if err != io.EOF {
		return m.fail(err)
	}
	m.length = m.at() - m.start
	m.err = io.EOF
	return m.err
}
