package warc

import (
	"errors"
	"fmt"
	"io"
)

// searchWindow is how much of a file is looked through at a time, in bytes: no header of a record is longer, see maxHeader.
const searchWindow = 256 << 10

// headWindow is how much is read at least where a record begins, in bytes.
const headWindow = 64 << 10

// window reads a file, most of it in order, and keeps what it read last: what is looked at where small records begin and end is read
// once.
type window struct {
	r    io.ReaderAt
	size int64
	at   int64 // of buf in the file
	buf  []byte
	room []byte
}

// has returns what is kept of the file from offset off on.
func (w *window) has(off int64) []byte {
	if off < w.at || off >= w.at+int64(len(w.buf)) {
		return nil
	}
	return w.buf[off-w.at:]
}

// peek returns the n bytes at off, at most searchWindow of them; fewer only where the file ends. They stand until the next call.
func (w *window) peek(off int64, n int) ([]byte, error) {
	n = int(min(int64(n), max(0, w.size-off)))
	if b := w.has(off); len(b) >= n {
		return b[:n], nil
	}
	if w.room == nil {
		w.room = make([]byte, searchWindow)
	}
	fill := int(min(int64(max(n, headWindow)), w.size-off))
	k, err := w.r.ReadAt(w.room[:fill], off)
	if err != nil && !errors.Is(err, io.EOF) {
		w.buf = nil
		return nil, fmt.Errorf("read at %d: %w", off, err)
	}
	w.at, w.buf = off, w.room[:k]
	return w.buf[:min(n, k)], nil
}

// glance is peek for a few bytes that may stand far from what is read next: what is kept stays.
func (w *window) glance(off int64, p []byte) ([]byte, error) {
	p = p[:min(int64(len(p)), max(0, w.size-off))]
	if b := w.has(off); len(b) >= len(p) {
		return b[:len(p)], nil
	}
	n, err := w.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read at %d: %w", off, err)
	}
	return p[:n], nil
}

// from reads the file in order, from off up to end.
func (w *window) from(off, end int64) io.Reader { return &passage{w, off, end} }

type passage struct {
	w       *window
	at, end int64
}

func (s *passage) Read(p []byte) (n int, err error) {
	if p = p[:min(int64(len(p)), max(0, s.end-s.at))]; len(p) == 0 {
		return 0, io.EOF
	}
	if b := s.w.has(s.at); len(b) > 0 {
		n = copy(p, b)
	} else if n, err = s.w.r.ReadAt(p, s.at); n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	s.at += int64(n)
	return n, err
}
