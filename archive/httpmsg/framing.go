package httpmsg

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Kind is a way in which a message tells where its body ends.
type Kind int

// The kinds, in the order of RFC 9112 §6.3.
const (
	None       Kind = iota // no body follows the head
	Chunked                // the last chunk ends it
	Length                 // Content-Length counts it
	UntilClose             // the end of the connection ends it
	Conflict               // Content-Length fields disagree: nobody can tell
)

// Framing tells where a body ends.
type Framing struct {
	Kind   Kind
	Length int64 // bytes, for Kind Length
}

// Framing returns the framing of the message, by RFC 9112 §6.3; method is that of the request, to which the message is
// the response or which it heads itself. Where the RFC leaves a client to give up, it does what browsers do: chunks
// under HTTP/1.0 are no chunks, a Content-Length that is no number is none, and "identity" is no transfer coding.
func (h Head) Framing(method string) Framing {
	if h.Status != 0 && (method == "HEAD" || h.Status < 200 || h.Status == 204 || h.Status == 304) {
		return Framing{Kind: None}
	}
	if h.atLeast11() {
		if last := h.lastCoding(); last == "chunked" {
			return Framing{Kind: Chunked}
		} else if last != "" {
			return Framing{Kind: UntilClose}
		}
	}
	f := h.length()
	if f.Kind == UntilClose && h.Status == 0 {
		f.Kind = None // a request never lasts until the connection ends
	}
	return f
}

// lastCoding returns the final transfer coding.
func (h Head) lastCoding() string {
	last := ""
	for _, t := range h.Tokens("Transfer-Encoding") {
		if t, _, _ = strings.Cut(t, ";"); t != "identity" {
			last = strings.TrimSpace(t)
		}
	}
	return last
}

// length returns the framing that the Content-Length fields make.
func (h Head) length() Framing {
	f := Framing{Kind: UntilClose}
	for _, t := range h.Tokens("Content-Length") {
		n, err := strconv.ParseUint(t, 10, 63)
		if err != nil {
			continue
		}
		if f.Kind == Length && f.Length != int64(n) {
			return Framing{Kind: Conflict}
		}
		f = Framing{Kind: Length, Length: int64(n)}
	}
	return f
}

// MessageEnd finds the end of the message of size bytes in r, of which h is the head. end is the length of the message,
// head included; what follows is not part of it. complete is false if the message lacks its end; end is then size. The
// error is that of reading, or wraps ErrMalformed if the chunks are none.
func (h Head) MessageEnd(method string, r io.ReaderAt, size int64) (end int64, complete bool, err error) {
	f := h.Framing(method)
	switch f.Kind {
	case None:
		return min(h.Len, size), size >= h.Len, nil
	case Length:
		if size-h.Len < f.Length {
			return size, false, nil
		}
		return h.Len + f.Length, true, nil
	case UntilClose:
		return size, true, nil
	case Conflict:
		return size, false, fmt.Errorf("framing of body: %w", ErrMalformed)
	}
	s, buf, at := NewScanner(f), make([]byte, 32<<10), h.Len
	for at < size && !s.Done() {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		for b := buf[:n]; len(b) > 0 && !s.Done(); {
			_, k, err := s.Next(b)
			if err != nil {
				return size, false, err
			}
			b, at = b[k:], at+int64(k)
		}
		if err != nil && err != io.EOF {
			return at, false, fmt.Errorf("read body: %w", err)
		}
		if n == 0 {
			break
		}
	}
	return at, s.Complete(), nil
}
