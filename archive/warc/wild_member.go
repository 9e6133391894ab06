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
	given   int64 // the length of the block, where it was found out; -1: it wasn't
	arc     bool  // the record at hand is one of an ARC file
	sure    bool  // its block ends where its header says, as far as can be seen from a little before
	over    bool  // it does not: it ends where another record begins, or with all
	said    int64 // bytes of its block, by its header
	clear   int   // bytes of out in which no other record begins
	got     int64 // bytes of its block that were read
	records int
	strange int64 // bytes behind records that are none
	note    string

	unpacked counted // the bytes of a gzip member, unpacked
	headAt   int64   // where the record at hand begins in them
	opened   bool    // there are any
	taken    int     // records that were read to their ends
	seam     []byte  // the last bytes of its block that were handed out unread
	hidden   bool    // in those, another record may begin
	mixed    bool    // … and the record is shorter than it says
	unpacks  bool    // that fails, so that the member is read in another way
}

var wildMembers = sync.Pool{New: func() any {
	return &wildMember{memberReader: memberReader{in: bufio.NewReaderSize(nil, 64<<10), out: bufio.NewReaderSize(nil, 16<<10)}}
}}

func newWildMember(r io.Reader, at int64, zipped bool, given int64) *wildMember {
	m := wildMembers.Get().(*wildMember)
	m.src = source{r: r, n: at}
	m.in.Reset(&m.src)
	m.start, m.zipped, m.lax, m.given, m.records, m.strange = at, zipped, false, given, 0, 0
	m.unpacks, m.opened, m.taken = false, false, 0
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
	m.sure, m.over, m.clear, m.got = false, false, 0, 0
	m.hidden, m.mixed, m.seam = false, false, append(m.seam[:0], '\n')
	if first {
		if err := m.open(); err != nil {
			return nil, m.fail(err)
		}
	} else if !m.zipped {
		return nil, nil
	}
	m.headAt = m.unpacked.n - int64(m.out.Buffered())
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
	m.arc, m.said = arc, h.Length
	if m.left = h.Length; m.given >= 0 {
		if m.left = m.given; m.given != h.Length {
			m.odd(h.Length, m.given)
		}
		h.Length = m.given
	}
	m.records++
	w := &Wild{ARC: arc, m: m}
	w.Record = &Record{Offset: m.start, Header: h, Block: (*wildBlock)(m), m: &m.memberReader, others: true}
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
	m.unpacked, m.headAt, m.opened = counted{r: &m.gz}, 0, true
	m.out.Reset(&m.unpacked)
	return nil
}

// odd notes that a record is not as long as it says.
func (m *wildMember) odd(said, has int64) {
	m.note = fmt.Sprintf("its Content-Length is %d, and it has %d bytes", said, has)
}

// follows says whether another gzip member follows at once, or behind line ends, and goes on to it.
func (m *wildMember) follows() bool {
	if !m.zipped {
		return false
	}
	for {
		if b, _ := m.in.Peek(1); len(b) == 0 || b[0] != '\r' && b[0] != '\n' {
			break
		}
		_, _ = m.in.Discard(1) // it was peeked at
	}
	sign, _ := m.in.Peek(len(gzipMagic))
	if !bytes.Equal(sign, gzipMagic) {
		return false
	}
	m.start, m.records, m.strange, m.opened, m.taken = m.at(), 0, 0, false, 0
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
	w.Note, w.Header.Length = m.note, m.got
	m.taken++
	if !m.zipped {
		w.Length, w.Alone = m.at()-int64(m.out.Buffered())-m.start, true
		m.in.Reset(bytes.NewReader(nil)) // at was taken
		m.src.n = w.Length + m.start
		return
	}
	w.Alone = m.records == 1 && !m.mixed && m.atEnd()
	w.Length = m.at() - m.start
}

// atEnd says whether nothing but line ends is left of the member.
func (m *wildMember) atEnd() bool {
	return m.blank() != nil
}

// wildBlock reads the block of the record at hand. Where what is read ends within it, the block does, and where neither another record
// nor an end follows on it, it goes on.
type wildBlock wildMember

func (b *wildBlock) Read(p []byte) (n int, err error) {
	m := (*wildMember)(b)
	switch {
	case m.err != nil || len(p) == 0:
		return 0, m.err
	case m.given >= 0:
		n, err = m.known(p)
	case m.over:
		n, err = m.further(p)
	default:
		n, err = m.careful(p)
	}
	m.got += int64(n)
	return n, err
}

// known reads a block whose length was found out.
func (m *wildMember) known(p []byte) (int, error) {
	if m.left == 0 {
		m.err = m.close()
		return 0, m.err
	}
	n, err := m.out.Read(p[:min(int64(len(p)), m.left)])
	if m.left -= int64(n); err != nil {
		return n, m.fail(err)
	}
	return n, nil
}

// separatorRoom is how many bytes at most stand between a block and the next record.
const separatorRoom = 4

// lookAhead is how far before the place where a block should end it is looked at what is there, in bytes.
const lookAhead = 8 << 10

// careful reads a block up to where its header says that it ends. The last bytes before the end of all wait: if that comes too early, they are
// not part of the block.
func (m *wildMember) careful(p []byte) (int, error) {
	if m.left <= lookAhead && !m.sure {
		b, err := m.out.Peek(int(m.left) + 2*startLength)
		if err != nil && (!errors.Is(err, io.EOF) || m.src.err != nil) {
			return 0, m.fail(err)
		}
		if m.sure = m.arc && !m.lax || len(b) >= int(m.left) && endsRecord(b[m.left:]); !m.sure {
			if err := m.swallows(b); err != nil {
				return 0, err
			}
			m.over = true
			return m.further(p)
		}
	}
	if m.left == 0 {
		m.err = m.close()
		return 0, m.err
	}
	b, err := m.out.Peek(separatorRoom + 1)
	if len(b) <= separatorRoom {
		if !errors.Is(err, io.EOF) || m.src.err != nil {
			return 0, m.fail(err)
		}
		if m.left > int64(len(b)) {
			if err := m.swallows(b); err != nil {
				return 0, err
			}
			return m.last(p, b)
		}
		return m.take(p, b[:m.left])
	}
	b, _ = m.out.Peek(m.out.Buffered()) // there are as many
	b = b[:min(len(b)-separatorRoom, len(p))]
	b = b[:min(int64(len(b)), m.left)]
	m.look(b)
	return m.take(p, b)
}

// endsRecord says whether b, behind a block, is what follows on one: line ends, and the end of all or another record.
func endsRecord(b []byte) bool {
	rest := bytes.TrimLeft(b, "\r\n")
	return len(rest) == 0 || startsRecord(rest)
}

// take hands out of b, which was peeked at, what there is room for.
func (m *wildMember) take(p, b []byte) (int, error) {
	n, err := m.out.Discard(copy(p, b))
	m.left = max(0, m.left-int64(n))
	m.clear = max(0, m.clear-n)
	return n, err
}

// further reads a block whose header does not tell where it ends: up to where another record begins, or to the end of all.
func (m *wildMember) further(p []byte) (int, error) {
	b, err := m.out.Peek(m.out.Size())
	if err != nil && (!errors.Is(err, io.EOF) || m.src.err != nil) {
		return 0, m.fail(err)
	}
	all := err != nil
	for from := max(1, m.clear); ; {
		at, cut := findRecord(b, from, false)
		switch {
		case at < 0 && all:
			return m.last(p, b)
		case at < 0:
			m.clear = len(b)
			return m.take(p, b[:len(b)-separatorRoom])
		case !cut:
			m.clear = at
			return m.last(p, b[:at])
		case !all && at > separatorRoom: // once more, with more behind it
			m.clear = at
			return m.take(p, b[:at-separatorRoom])
		}
		from = at + 1
	}
}

// last ends a block with the last bytes before another record or the end of all, less those that only close the record.
func (m *wildMember) last(p, b []byte) (int, error) {
	if b = b[:len(b)-separator(b)]; len(b) > len(p) {
		return m.take(p, b[:len(p)])
	}
	n, err := m.take(p, b)
	if err != nil {
		return n, m.fail(err)
	}
	if has := m.got + int64(n); has != m.said {
		m.odd(m.said, has)
	}
	m.left, m.err = 0, m.close()
	return n, m.err
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
