package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// readMember is ReadMember for the records of a segment, whoever wrote them.
func readMember(r io.Reader, segment string) (*Record, error) {
	if !Imported(segment) {
		return ReadMember(r)
	}
	m := newWildMember(r, 0, false, -1)
	sign, _ := m.in.Peek(len(gzipMagic))
	m.zipped, m.lax = bytes.Equal(sign, gzipMagic), true
	w, err := m.next(true)
	if w == nil && err == nil {
		err = &TornError{Err: io.ErrUnexpectedEOF}
	}
	if err != nil {
		m.free()
		return nil, err
	}
	w.wild = m
	return w.Record, nil
}

// wildMember reads the records of one gzip member, or one plain record.
type wildMember struct {
	memberReader
	zipped  bool
	lax     bool  // the bytes end where the record does, whatever its header says
	given   int64 // the length of the block, where it is known better than by the header; -1: it isn't
	records int
	strange int64 // bytes behind records that are none
	note    string
}

var wildMembers = sync.Pool{New: func() any {
	return &wildMember{memberReader: memberReader{in: bufio.NewReaderSize(nil, 64<<10), out: bufio.NewReaderSize(nil, 16<<10)}}
}}

func newWildMember(r io.Reader, at int64, zipped bool, given int64) *wildMember {
	m := wildMembers.Get().(*wildMember)
	m.src = source{r: r, n: at}
	m.in.Reset(&m.src)
	m.start, m.zipped, m.lax, m.given, m.records, m.strange = at, zipped, false, given, 0, 0
	return m
}

func (m *wildMember) free() {
	m.src = source{}
	m.in.Reset(nil)
	wildMembers.Put(m)
}

// next reads the header of the next record; neither record nor error at a clean end.
func (m *wildMember) next(first bool) (*Wild, error) {
	m.length, m.left, m.err, m.broken, m.note = 0, 0, nil, false, ""
	if first {
		if err := m.open(); err != nil {
			return nil, m.fail(err)
		}
	} else if !m.zipped {
		return nil, nil
	}
	if err := m.blank(); err != nil {
		return nil, m.ended(err)
	}
	h, arc, err := m.wildHeader()
	if err != nil {
		if m.zipped && m.records > 0 && !m.failing(err) { // what is left of the member is no record
			return nil, m.leftover()
		}
		return nil, m.fail(err)
	}
	if m.left = h.Length; m.given >= 0 {
		m.left, m.note = m.given, fmt.Sprintf("its Content-Length is %d, and it has %d bytes", h.Length, m.given)
		h.Length = m.given
	}
	m.records++
	w := &Wild{ARC: arc, m: m}
	w.Record = &Record{Offset: m.start, Header: h, Block: (*wildBlock)(m), m: &m.memberReader}
	return w, nil
}

func (m *wildMember) open() error {
	if !m.zipped {
		m.out.Reset(m.in)
		return nil
	}
	if err := m.gz.Reset(m.in); err != nil {
		return err
	}
	m.gz.Multistream(false)
	m.out.Reset(&m.gz)
	return nil
}

// follows says whether another gzip member follows at once, and goes on to it.
func (m *wildMember) follows() bool {
	sign, _ := m.in.Peek(len(gzipMagic))
	if !m.zipped || !bytes.Equal(sign, gzipMagic) {
		return false
	}
	m.start, m.records, m.strange = m.at(), 0, 0
	return true
}

// failing says whether it is the compressed bytes that can't be read, and not what they hold.
func (m *wildMember) failing(err error) bool {
	return m.src.err != nil || !errors.Is(err, ErrHeader) && !errors.Is(err, io.EOF)
}

// ended tells the clean end of a member from one that can't be read.
func (m *wildMember) ended(err error) error {
	if errors.Is(err, io.EOF) && m.src.err == nil && (m.records > 0 || !m.zipped) {
		return nil
	}
	return m.fail(err)
}

// leftover reads what is left of a member that is no record.
func (m *wildMember) leftover() error {
	n, err := copyFrom(io.Discard, m.out)
	m.strange += n + int64(len(m.header))
	if err != nil {
		return m.fail(err)
	}
	return nil
}

// blank passes over line ends.
func (m *wildMember) blank() error {
	for {
		b, err := m.out.Peek(1)
		if err != nil {
			return err
		}
		if b[0] != '\r' && b[0] != '\n' {
			return nil
		}
		if _, err := m.out.Discard(1); err != nil {
			return err
		}
	}
}

// wildHeader reads the header of a WARC record, or the line of an ARC record.
func (m *wildMember) wildHeader() (h Header, arc bool, err error) {
	m.header = m.header[:0]
	sign, err := m.out.Peek(5)
	if err != nil && len(sign) == 0 {
		return h, false, err
	}
	if string(sign) == "WARC/" {
		raw, err := m.readHeader()
		if err != nil {
			return h, false, err
		}
		h, err = ParseHeader(raw)
		return h, false, err
	}
	for {
		part, err := m.out.ReadSlice('\n')
		m.header = append(m.header, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return h, false, fmt.Errorf("%w: no record", ErrHeader)
		}
		if len(m.header) > maxLine {
			return h, false, fmt.Errorf("%w: no record", ErrHeader)
		}
	}
	h, err = arcHeader(bytes.TrimRight(m.header, "\r\n"))
	return h, true, err
}

// settle is told that a record was read to its end.
func (m *wildMember) settle(w *Wild) {
	w.Note = m.note
	if !m.zipped {
		w.Length, w.Alone = m.at()-int64(m.out.Buffered())-m.start, true
		m.in.Reset(bytes.NewReader(nil)) // at was taken
		m.src.n = w.Length + m.start
		return
	}
	w.Alone = m.records == 1 && m.atEnd()
	w.Length = m.at() - m.start
}

// atEnd says whether nothing but line ends is left of the member.
func (m *wildMember) atEnd() bool {
	return m.blank() != nil
}

// wildBlock reads the block of the record at hand. Where the member ends within it, the block does.
type wildBlock wildMember

func (b *wildBlock) Read(p []byte) (int, error) {
	m := (*wildMember)(b)
	switch {
	case m.err != nil || len(p) == 0:
		return 0, m.err
	case m.left == 0:
		m.err = m.close()
		return 0, m.err
	}
	n, err := m.out.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	if errors.Is(err, io.EOF) && (m.zipped || m.lax) && m.src.err == nil {
		m.note = fmt.Sprintf("its Content-Length is %d bytes too long", m.left)
		m.left, m.err = 0, io.EOF
		return n, m.err
	}
	if err != nil {
		return n, m.fail(err)
	}
	return n, nil
}

// close reads what stands behind a block: in a gzip member up to the next record in it, which proves the checksum if there is
// none.
func (m *wildMember) close() error {
	err := m.blank()
	if errors.Is(err, io.EOF) && m.src.err == nil {
		return io.EOF
	}
	if err != nil && (m.zipped || m.src.err != nil) {
		return m.fail(err)
	}
	return io.EOF
}
