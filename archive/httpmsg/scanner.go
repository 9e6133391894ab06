package httpmsg

import (
	"fmt"
	"io"
)

// A Scanner follows a body that arrives in pieces and tells the payload from the framing around it. It holds no bytes.
type Scanner struct {
	kind  Kind
	left  int64 // bytes to come: of the body, or of the chunk
	state state
	digit bool // the chunk's size has a digit
}

type state int

const (
	inSize   state = iota // at the hexadecimal size of a chunk
	inExt                 // after it, up to LF: extensions (RFC 9112 §7.1.1), or the spaces that some servers send
	inData                // in the chunk's data
	inDataC               // after the data: CR or LF
	inDataL               // after that CR: LF
	inTrail               // at the start of a trailer line
	inTLine               // within a trailer line
	inTrailL              // after CR at the start of a trailer line: LF
	atEnd
)

// NewScanner makes a scanner of a body with the given framing.
func NewScanner(f Framing) Scanner {
	s := Scanner{kind: f.Kind, left: f.Length}
	if f.Kind == None || (f.Kind == Length && f.Length == 0) {
		s.state = atEnd
	}
	return s
}

// Done says whether the message has ended: no byte that follows belongs to it.
func (s *Scanner) Done() bool { return s.state == atEnd }

// Complete says whether the payload would be complete if the connection ended here. A chunked body is from its
// zero-sized chunk on, before the trailers' end (RFC 9112 §8).
func (s *Scanner) Complete() bool {
	switch s.kind {
	case UntilClose:
		return true
	case Chunked:
		return s.state == atEnd || s.state == inTrail || s.state == inTLine || s.state == inTrailL
	}
	return s.state == atEnd
}

// Next takes the first n bytes of b, which belong to the message; payload is the part of them that is payload, a slice
// of b. Call it again with the rest until nothing is left or Done. An error wraps ErrMalformed: the chunks are none.
func (s *Scanner) Next(b []byte) (payload []byte, n int, err error) {
	if s.state == atEnd {
		return nil, 0, nil
	}
	switch s.kind {
	case Length:
		n = int(min(s.left, int64(len(b))))
		if s.left -= int64(n); s.left == 0 {
			s.state = atEnd
		}
		return b[:n], n, nil
	case Chunked:
		return s.chunked(b)
	}
	return b, len(b), nil
}

func (s *Scanner) chunked(b []byte) (payload []byte, n int, err error) {
	for n < len(b) && s.state != atEnd {
		if s.state == inData {
			k := int(min(s.left, int64(len(b)-n)))
			if s.left -= int64(k); s.left == 0 {
				s.state = inDataC
			}
			return b[n : n+k], n + k, nil
		}
		if err := s.frame(b[n]); err != nil {
			return nil, n, err
		}
		n++
	}
	return nil, n, nil
}

// frame takes one byte of the framing (RFC 9112 §7.1). A bare LF ends a line as CRLF does.
func (s *Scanner) frame(c byte) error {
	switch s.state {
	case inSize:
		return s.size(c)
	case inExt:
		if c == '\n' {
			s.sized()
		}
	case inDataC, inDataL:
		switch {
		case c == '\n':
			s.state, s.left, s.digit = inSize, 0, false
		case c == '\r' && s.state == inDataC:
			s.state = inDataL
		default:
			return fmt.Errorf("chunk longer than its size: %w", ErrMalformed)
		}
	case inTrail, inTrailL:
		switch {
		case c == '\n':
			s.state = atEnd
		case c == '\r' && s.state == inTrail:
			s.state = inTrailL
		default:
			s.state = inTLine
		}
	case inTLine:
		if c == '\n' {
			s.state = inTrail
		}
	}
	return nil
}

func (s *Scanner) size(c byte) error {
	var d byte
	switch {
	case '0' <= c && c <= '9':
		d = c - '0'
	case 'a' <= c && c <= 'f':
		d = c - 'a' + 10
	case 'A' <= c && c <= 'F':
		d = c - 'A' + 10
	case (c == ' ' || c == '\t') && !s.digit:
		return nil
	case (c == ' ' || c == '\t' || c == ';' || c == '\r') && s.digit:
		s.state = inExt
		return nil
	case c == '\n' && s.digit:
		s.sized()
		return nil
	default:
		return fmt.Errorf("chunk without a size: %w", ErrMalformed)
	}
	if s.left >= 1<<59 {
		return fmt.Errorf("chunk size out of range: %w", ErrMalformed)
	}
	s.left, s.digit = s.left<<4|int64(d), true
	return nil
}

// sized ends the line of a chunk's size.
func (s *Scanner) sized() {
	if s.state = inData; s.left == 0 {
		s.state = inTrail
	}
}

// Body reads the payload out of r, which starts right after the head h: dechunked, still content-encoded. It holds no
// more than the caller's buffer. A body that lacks its end yields what came, then io.ErrUnexpectedEOF; chunks that are
// none yield what came before, then an error that wraps ErrMalformed.
func Body(h Head, method string, r io.Reader) io.Reader {
	return &body{r: r, s: NewScanner(h.Framing(method))}
}

type body struct {
	r   io.Reader
	s   Scanner
	err error
}

func (d *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for d.err == nil && !d.s.Done() {
		n, err := d.r.Read(p)
		w := d.squeeze(p, n)
		if d.err == nil && err != nil {
			if d.err = err; err == io.EOF && !d.s.Complete() {
				d.err = io.ErrUnexpectedEOF
			}
		}
		if w > 0 {
			return w, nil
		}
	}
	if d.err == nil {
		d.err = io.EOF
	}
	return 0, d.err
}

// squeeze moves the payload among the first n bytes of p to its front and returns its length.
func (d *body) squeeze(p []byte, n int) (w int) {
	for at := 0; at < n && !d.s.Done(); {
		payload, k, err := d.s.Next(p[at:n])
		if len(payload) > 0 && at == 0 && k == len(payload) {
			w = k // in its place already
		} else {
			w += copy(p[w:], payload)
		}
		if at += k; err != nil {
			d.err = err
			return w
		}
	}
	return w
}
