package warc

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/klauspost/compress/gzip"
)

// Wild is a record of a file that another program wrote, while it is read. Once Finish was called, the length in its Header is that
// of its block, whatever the file says.
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
	head    int64 // bytes of the head of its HTTP message, once its row was made
	settled bool
	within  *within // the member, if it is read from what that unpacks to
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
		if w.within != nil {
			w.Length, w.Alone = w.within.length, false
		}
	}
	return nil
}

// Skip is a stretch of a file that was passed over.
type Skip struct {
	From   int64  `json:"from"`               // bytes of the file
	To     int64  `json:"to"`                 // its end; To == From: bytes within a gzip member …
	Within int64  `json:"unpacked,omitempty"` // … of which so many, unpacked, are no record
	Why    string `json:"why"`
}

// lost is how many bytes it took with it.
func (s Skip) lost() int64 { return s.To - s.From + s.Within }

// behind is s in a file in which what it was found in begins at offset n.
func (s Skip) behind(n int64) Skip {
	s.From, s.To = s.From+n, s.To+n
	return s
}

// Wilds reads the records of a WARC file (0.17 to 1.1) or an ARC file (1 and 2), as they are found: plain or compressed, a gzip
// member each or all in one, with bare line ends, wrong lengths, torn ends, and what is neither between them. It goes on behind
// what it can't read, and tells skip of every byte that belongs to no record. Memory is bounded, whatever the file holds, and time is linear
// in its length. Each record is to be finished before the next one is asked for: one that fails then is skipped, and was told of.
// An error that is yielded is that of reading.
func Wilds(r io.ReaderAt, size int64, skip func(Skip)) iter.Seq2[*Wild, error] {
	return AllWilds(r, size, "", skip)
}

// wilds reads the records of a file.
func wilds(f *wildFile) iter.Seq2[*Wild, error] {
	return func(yield func(*Wild, error) bool) {
		for f.pos < f.size {
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
	w    window
	size int64
	pos  int64 // of the next byte that nothing has taken
	skip func(Skip)
	arcs bool // ARC records were found
	// whole says that nothing is cut off at its end, for a checksum says so: the last record ends there, whatever its header says.
	whole bool
	temp  string // folder for what must be unpacked; empty: nothing is

	// No record begins from bare up to bareTo: what was looked through once isn't looked through again.
	bare, bareTo int64
	// spare is how many bytes may yet be read in vain: members that turn out to be torn, and what looks like the begin of one. When
	// it is used up, less is tried, so that nobody makes a file that is read for ever.
	spare int64
	probe gzip.Reader
}

func (f *wildFile) pass(to int64, why string) {
	if f.skip != nil && to > f.pos {
		f.skip(Skip{From: f.pos, To: to, Why: why})
	}
	f.pos = to
}

// member reads what begins at pos: a gzip member with the records in it, or one plain record.
func (f *wildFile) member(yield func(*Wild, error) bool) (more bool, err error) {
	head, err := f.w.peek(f.pos, startLength)
	if err != nil {
		return false, err
	}
	if len(head) == 0 { // the file has become shorter
		f.pass(f.size, "the file ends before")
		return true, nil
	}
	if rest := bytes.TrimLeft(head, "\r\n"); len(rest) < len(head) { // line ends between records belong to the one before
		f.pos += int64(len(head) - len(rest))
		return true, nil
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return f.records(yield, newWildMember(f.w.from(f.pos, f.size), f.pos, true, -1))
	case startsRecord(head):
		return f.plain(yield)
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

// plain reads the plain record at pos.
func (f *wildFile) plain(yield func(*Wild, error) bool) (more bool, err error) {
	p, why, err := f.plainRecord()
	if err != nil {
		return false, err
	}
	if why != "" {
		return true, f.resume(why)
	}
	return f.records(yield, newWildMember(f.w.from(f.pos, p.end), f.pos, false, p.length))
}

// records reads the records of gzip members that follow one another, or one plain record.
func (f *wildFile) records(yield func(*Wild, error) bool, m *wildMember) (more bool, err error) {
	defer m.free()
	m.unpacks = f.temp != "" && f.spare >= 0
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
			f.arcs = f.arcs || w.ARC
			if !yield(w, nil) {
				return false, nil
			}
			err = w.Finish()
		}
		var torn *TornError
		switch {
		case errors.As(err, &torn) && f.unpackable(m, err):
			return f.unpacked(yield, m, torn.Err)
		case errors.As(err, &torn):
			return true, f.torn(m, torn.Err.Error())
		case err != nil:
			return false, err
		}
	}
}

// torn goes on behind the begin of a member that can't be read: what follows may be within it. Where too much was read in vain, it
// goes on where the member could no longer be read.
func (f *wildFile) torn(m *wildMember, why string) error {
	f.pos = m.start
	if f.spare -= m.at() - m.start; f.spare >= 0 {
		return f.resume(why)
	}
	f.bare, f.bareTo = f.pos, max(m.at(), f.pos+1)
	return f.resume(why)
}

// inner tells of bytes within a gzip member that are no record.
func (f *wildFile) inner(m *wildMember) {
	if m.strange > 0 && f.skip != nil {
		f.skip(Skip{From: m.start, To: m.start, Within: m.strange, Why: "bytes within the gzip member are no record"})
	}
}
