package warc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Wild is a record of a file that another program wrote, while it is read.
type Wild struct {
	*Record
	// Length is how many bytes it takes in the file, once Finish was called: from Offset on, its gzip member or, where nothing
	// is compressed, the record itself.
	Length int64
	// Alone says, once Finish was called, that it can be read by offset and length: no other record shares its gzip member.
	Alone bool
	ARC   bool   // an ARC record; its Header is made of the line before it
	Note  string // what was found wrong with the record, and borne; empty: nothing

	m       *wildMember
	settled bool
}

// Finish reads the record to its end. The error is a *TornError if it can't be read: what it told was not certain, and counts for
// nothing.
func (w *Wild) Finish() error {
	if _, err := copyFrom(io.Discard, w.Block); err != nil {
		return err
	}
	if !w.settled {
		w.settled = true
		w.m.settle(w)
	}
	return nil
}

// Skip is a stretch of a file that was passed over.
type Skip struct {
	From int64  `json:"from"` // bytes of the file
	To   int64  `json:"to"`   // its end; To == From: bytes within a gzip member
	Why  string `json:"why"`
}

// Wilds reads the records of a WARC file (0.17 to 1.1) or an ARC file (1 and 2), as they are found: plain or compressed, a gzip
// member each or all in one, with bare line ends, wrong lengths, torn ends, and what is neither between them. It goes on behind
// what it can't read, and tells skip of every byte that belongs to no record. Memory is bounded, whatever the file holds, and time is linear
// in its length. Each record is to be finished before the next one is asked for: one that fails then is skipped, and was told of.
// An error that is yielded is that of reading.
func Wilds(r io.ReaderAt, size int64, skip func(Skip)) iter.Seq2[*Wild, error] {
	return func(yield func(*Wild, error) bool) {
		f := &wildFile{r: r, size: size, skip: skip}
		for f.pos < size {
			more, err := f.member(yield)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// wildFile is a file while its members are read.
type wildFile struct {
	r    io.ReaderAt
	size int64
	pos  int64 // of the next byte that nothing has taken
	skip func(Skip)
}

func (f *wildFile) pass(to int64, why string) {
	if f.skip != nil && to > f.pos {
		f.skip(Skip{f.pos, to, why})
	}
	f.pos = to
}

// member reads what begins at pos: a gzip member with the records in it, or one plain record.
func (f *wildFile) member(yield func(*Wild, error) bool) (more bool, err error) {
	var start [512]byte
	n, err := f.r.ReadAt(start[:min(int64(len(start)), f.size-f.pos)], f.pos)
	if err != nil && err != io.EOF {
		return false, err
	}
	if n == 0 { // the file has become shorter
		f.pass(f.size, "the file ends before")
		return true, nil
	}
	head := start[:n]
	blank := 0
	for blank < len(head) && (head[blank] == '\r' || head[blank] == '\n') {
		blank++
	}
	if blank > 0 { // line ends between records belong to the one before
		f.pos += int64(blank)
		return true, nil
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return f.records(yield, true)
	case startsRecord(head):
		return f.records(yield, false)
	}
	return true, f.resume("no record begins here")
}

// resume passes over what can't be read, to where the next record begins.
func (f *wildFile) resume(why string) error {
	next, err := f.next(f.pos + 1)
	if err != nil {
		return err
	}
	if next < 0 {
		next = f.size
	}
	f.pass(next, why)
	return nil
}

// records reads the records of one gzip member, or one plain record.
func (f *wildFile) records(yield func(*Wild, error) bool, zipped bool) (more bool, err error) {
	length := int64(-1)
	if !zipped {
		if length, err = f.plainLength(); err != nil {
			return false, err
		}
	}
	m := newWildMember(io.NewSectionReader(f.r, f.pos, f.size-f.pos), f.pos, zipped, length)
	defer m.free()
	for first := true; ; {
		w, err := m.next(first)
		first = false
		if err == nil && w == nil {
			f.pos = m.at()
			f.inner(m)
			if !m.follows() {
				return true, nil
			}
			first = true
			continue
		}
		if err == nil {
			if !yield(w, nil) {
				return false, nil
			}
			err = w.Finish()
		}
		var torn *TornError
		switch {
		case errors.As(err, &torn):
			f.pos = m.start
			return true, f.resume(torn.Err.Error())
		case err != nil:
			return false, err
		}
	}
}

// inner tells of bytes within a gzip member that are no record.
func (f *wildFile) inner(m *wildMember) {
	if m.strange > 0 && f.skip != nil {
		f.skip(Skip{m.start, m.start, fmt.Sprintf("%d bytes within the gzip member are no record", m.strange)})
	}
}

// maxLine bounds the line before an ARC record, in bytes.
const maxLine = 16 << 10

// startsRecord says whether b, which may be cut, begins like a record.
func startsRecord(b []byte) bool {
	if bytes.HasPrefix(b, []byte("WARC/")) {
		return true
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	scheme, _, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(scheme) == 0 || len(scheme) > 16 || len(line) > maxLine {
		return false
	}
	for _, c := range scheme {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	if len(line) == len(b) {
		return len(b) >= 512 // a long URL; the line is judged when it is read
	}
	_, err := arcHeader(line)
	return err == nil
}

// searchWindow is how much of a file is looked through at a time, in bytes.
const searchWindow = 256 << 10

// next finds the first place from which a record begins, compressed or at the begin of a line; -1 if there is none. A wrong
// candidate costs the reading of a record's first line.
func (f *wildFile) next(from int64) (int64, error) {
	buf := make([]byte, searchWindow)
	for at := max(0, from-1); at < f.size; { // the byte before tells where a line begins
		n, err := f.r.ReadAt(buf[:min(int64(len(buf)), f.size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return -1, fmt.Errorf("look for the next record: %w", err)
		}
		b := buf[:n]
		for i := 1; i < len(b); i++ {
			k := bytes.IndexAny(b[i:], "\x1fW")
			if k < 0 {
				break
			}
			i += k
			found, err := f.begins(b, i, at+int64(i))
			if err != nil {
				return -1, err
			}
			if found {
				return at + int64(i), nil
			}
		}
		if at+int64(n) >= f.size || n < 16 {
			return -1, nil
		}
		at += int64(n) - 8 // what begins at the end is looked at once more
	}
	return -1, nil
}

// begins says whether a record begins at b[i], which is at offset at of the file.
func (f *wildFile) begins(b []byte, i int, at int64) (bool, error) {
	switch rest := b[i:]; {
	case bytes.HasPrefix(rest, []byte("WARC/")):
		return b[i-1] == '\n' && len(rest) > 6 && (rest[5] == '0' || rest[5] == '1') && rest[6] == '.', nil
	case !bytes.HasPrefix(rest, gzipMagic):
		return false, nil
	}
	m := newWildMember(io.NewSectionReader(f.r, at, f.size-at), at, true, -1)
	defer m.free()
	w, err := m.next(true)
	var torn *TornError
	if err != nil && !errors.As(err, &torn) {
		return false, err
	}
	return w != nil, nil
}

// plainLength is the length of the block of the plain record at pos: what its header says, unless what follows then is no
// record, and one begins within it. -1: as the header says.
func (f *wildFile) plainLength() (int64, error) {
	m := newWildMember(io.NewSectionReader(f.r, f.pos, f.size-f.pos), f.pos, false, -1)
	w, err := m.next(true)
	if w == nil || err != nil {
		m.free()
		var torn *TornError
		if errors.As(err, &torn) {
			err = nil // whoever reads it will tell
		}
		return -1, err
	}
	begin, said := m.at()-int64(m.out.Buffered()), w.Header.Length
	m.free()
	if said <= f.size-begin {
		end := begin + said
		var tail [32]byte
		n, err := f.r.ReadAt(tail[:min(int64(len(tail)), f.size-end)], end)
		if err != nil && err != io.EOF {
			return -1, err
		}
		rest := bytes.TrimLeft(tail[:n], "\r\n")
		if len(rest) == 0 || len(rest) < 32 && startsRecord(rest) || bytes.HasPrefix(rest, []byte("WARC/")) || bytes.HasPrefix(rest, gzipMagic) || w.ARC {
			return -1, nil
		}
	}
	return f.trueLength(begin, min(said, f.size-begin))
}

// trueLength looks for a record that begins within a block which is not as long as its header says; -1 if none does.
func (f *wildFile) trueLength(begin, n int64) (int64, error) {
	in := &wildFile{r: f.r, size: begin + n}
	at, err := in.next(begin + 1)
	if err != nil || at < 0 {
		return -1, err
	}
	var before [4]byte
	if at-begin < int64(len(before)) {
		return -1, nil
	}
	if _, err := f.r.ReadAt(before[:], at-int64(len(before))); err != nil {
		return -1, err
	}
	trimmed := bytes.TrimRight(before[:], "\r\n")
	if len(before)-len(trimmed) < 2 { // a line of the block that looks like one
		return -1, nil
	}
	return at - begin - int64(len(before)-len(trimmed)), nil
}
