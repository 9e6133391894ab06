package warc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// AllWilds is Wilds for whoever copies what is read: where the records of a gzip member can't be told apart by reading it once, since
// one says that it is longer than it is or the member is torn, the member is unpacked into a file of the folder temp and they are found
// there, as in a plain file. What was told of the record at hand then counts for nothing, see Wild.Finish; it comes once more, if it is one.
func AllWilds(r io.ReaderAt, size int64, temp string, skip func(Skip)) iter.Seq2[*Wild, error] {
	return wilds(&wildFile{w: window{r: r, size: size}, size: size, skip: skip, spare: 4*size + 1<<20, temp: temp})
}

// errSwallowed says that a record ended before the place that its header tells of, and that others may begin in what was taken for it.
var errSwallowed = errors.New("a record is not as long as it says, and others may stand in it")

// recordSign begins a line with which a record may begin.
var recordSign = []byte("\nWARC/")

// look notes whether a record may begin in bytes of a block that are handed out unread.
func (m *wildMember) look(b []byte) {
	if m.hidden || !m.zipped {
		return
	}
	keep := len(recordSign) - 1
	m.seam = append(m.seam, b[:min(len(b), keep)]...)
	m.hidden = bytes.Contains(m.seam, recordSign) || bytes.Contains(b, recordSign)
	if len(b) < keep {
		b = m.seam
	}
	m.seam = append(m.seam[:0], b[max(0, len(b)-keep):]...)
}

// swallows is asked where a block turns out to be shorter than its header says: b follows on what was handed out. The error is
// errSwallowed if that may hold other records and they can be looked for.
func (m *wildMember) swallows(b []byte) error {
	if m.lax || !m.zipped {
		return nil
	}
	m.look(b[:min(len(b), len(recordSign))])
	if m.mixed = m.hidden; m.mixed && m.unpacks {
		return m.fail(errSwallowed)
	}
	return nil
}

// maxUnpacked bounds what a gzip member is unpacked to, in bytes.
const maxUnpacked = 1 << 40

// unpackable says whether what can't be read on in a member is to be looked for in what it unpacks to.
func (f *wildFile) unpackable(m *wildMember, err error) bool {
	if f.temp == "" || !m.zipped || m.src.err != nil || f.spare < 0 {
		return false
	}
	return errors.Is(err, errSwallowed) || errors.Is(err, io.ErrUnexpectedEOF) && m.opened
}

// unpacked reads the records of a gzip member from what it unpacks to, from the one at hand on.
func (f *wildFile) unpacked(yield func(*Wild, error) bool, m *wildMember, cause error) (more bool, err error) {
	file, err := os.CreateTemp(f.temp, "member-*")
	if err != nil {
		return false, fmt.Errorf("unpack a gzip member: %w", err)
	}
	defer file.Close() //nolint:errcheck // it has no name, and was only read since
	if err := os.Remove(file.Name()); err != nil {
		return false, fmt.Errorf("unpack a gzip member: %w", err)
	}
	whole := newWildMember(f.w.from(m.start, f.size), m.start, true, -1)
	defer whole.free()
	torn := whole.open()
	var n int64
	if torn == nil {
		in := tornReader{r: whole.out}
		if n, err = copyFrom(file, io.LimitReader(&in, maxUnpacked)); err != nil {
			return false, fmt.Errorf("unpack a gzip member: %w", err)
		}
		torn = in.err
	}
	if whole.src.err != nil {
		return false, fmt.Errorf("read member at %d: %w", m.start, whole.src.err)
	}
	end := whole.at()
	f.spare -= end - m.start
	in := &within{start: m.start, length: end - m.start, whole: torn == nil, arcs: f.arcs}
	more, err = in.records(file, n, min(m.headAt, n), yield)
	if !more || err != nil {
		return more, err
	}
	f.arcs = in.arcs
	if m.taken+in.n == 0 {
		return true, f.torn(m, cause.Error())
	}
	return true, f.behind(m, end, in, torn)
}

// behind goes on behind a member whose records were read from what it unpacks to, and tells of what in it is no record.
func (f *wildFile) behind(m *wildMember, end int64, in *within, torn error) error {
	lost, why := m.strange+in.lost, "bytes within the gzip member are no record"
	if torn != nil {
		why = fmt.Sprintf("the gzip member can't be read to its end: %v", torn)
	}
	if (lost > 0 || torn != nil) && f.skip != nil {
		f.skip(Skip{From: m.start, To: m.start, Within: lost, Why: why})
	}
	if f.pos = end; torn == nil {
		return nil
	}
	next, err := f.next(m.start + 1) // what follows may have been taken for a part of it
	if err != nil {
		return err
	}
	if f.pos = next; next < 0 {
		f.pos = f.size
	}
	return nil
}

// within is a gzip member while its records are read from what it unpacks to.
type within struct {
	start, length int64 // of the member in its file
	n             int   // records that were read
	lost          int64 // unpacked bytes that are no record
	whole         bool  // its checksum was right
	arcs          bool
}

// records reads the records from an offset of the unpacked bytes on.
func (in *within) records(r io.ReaderAt, size, from int64, yield func(*Wild, error) bool) (more bool, err error) {
	f := &wildFile{
		w: window{r: r, size: size}, size: size, pos: from, spare: 4*size + 1<<20, whole: in.whole, arcs: in.arcs,
		skip: func(s Skip) { in.lost += s.lost() },
	}
	for f.pos < size {
		more, err := f.member(func(w *Wild, err error) bool {
			w.within, w.Offset = in, in.start
			if !yield(w, err) {
				return false
			}
			if w.Finish() == nil {
				in.n++
			}
			return true
		})
		if err != nil || !more {
			return more, err
		}
	}
	in.arcs = f.arcs
	return true, nil
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// tornReader ends where its reader fails, and remembers how.
type tornReader struct {
	r   io.Reader
	err error
}

func (t *tornReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && err != io.EOF {
		t.err, err = err, io.EOF
	}
	return n, err
}
