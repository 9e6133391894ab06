package httpmsg

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// KeptBody is Body of a message that others have kept, who may have decoded it and left its head as it was. Chunks that are none are the
// payload as it is, and a response goes on behind its Content-Length if anything but line ends is kept there.
func KeptBody(h Head, method string, r io.Reader) io.Reader {
	switch f := h.Framing(method); {
	case f.Kind == Chunked:
		return &keptBody{h: h, method: method, r: r}
	case f.Kind == Length && h.Status != 0:
		return &longBody{r: r, left: f.Length}
	}
	return Body(h, method, r)
}

// keptBody looks at the begin of a body when that is read.
type keptBody struct {
	h      Head
	method string
	r      io.Reader
	body   io.Reader
}

func (k *keptBody) Read(p []byte) (int, error) {
	if k.body == nil {
		begin, chunked, err := k.begin()
		if err != nil {
			return 0, err
		}
		all := io.MultiReader(bytes.NewReader(begin), k.r)
		if k.body = all; chunked {
			k.body = Body(k.h, k.method, all)
		}
	}
	return k.body.Read(p)
}

const (
	firstLook = 256      // bytes in which the size of a chunk ends
	mostLook  = 64 << 10 // bytes that are looked at for chunks
)

// begin reads as much as tells whether chunks follow one another. The end of all is no error.
func (k *keptBody) begin() (b []byte, chunked bool, err error) {
	for b = make([]byte, 0, firstLook); ; {
		n, err := io.ReadFull(k.r, b[len(b):cap(b)])
		b = b[:len(b)+n]
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !ended {
			return nil, false, err
		}
		chunked, sure := isChunked(b, ended)
		if sure || ended || len(b) >= mostLook {
			return b, chunked, nil
		}
		b = append(make([]byte, 0, 4*cap(b)), b...)
	}
}

// isChunked says whether b begins with chunks (RFC 9112 §7.1), as far as it goes; ended says that nothing follows on it. It is sure if
// what follows can't change that. Two in a row are believed, or one and the last; else what breaks off into something else is no chunk. One that is
// torn is believed if its size ends in CRLF, as those of servers do.
func isChunked(b []byte, ended bool) (chunked, sure bool) {
	if len(b) == 0 {
		return true, ended
	}
	for at, chunks := 0, 0; ; chunks++ {
		if chunks == 2 {
			return true, true
		}
		line, rest, whole := bytes.Cut(b[at:], []byte("\n"))
		size, ok := chunkSize(line)
		if !whole && (ok || len(line) == 0 || string(line) == "\r") {
			return chunks > 0 || !ended && bytes.IndexByte(line, ';') > 0, false
		}
		if !ok {
			return false, true
		}
		if size == 0 {
			return isLast(rest, chunks)
		}
		if size >= int64(len(rest)) {
			return chunks > 0 || bytes.HasSuffix(line, []byte("\r")), chunks > 0
		}
		end := bytes.TrimPrefix(rest[size:], []byte("\r"))
		if len(end) == 0 {
			return true, false
		}
		if end[0] != '\n' {
			return false, true
		}
		at = len(b) - len(end) + 1
		if at == len(b) {
			return true, false
		}
	}
}

// isLast says whether b follows on the size of the last chunk, behind so many others: trailers, a blank line, and no payload.
func isLast(b []byte, chunks int) (chunked, sure bool) {
	for {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		switch {
		case chunks > 0:
			return true, true
		case !whole:
			return len(bytes.TrimSuffix(line, []byte("\r"))) == 0 || bytes.IndexByte(line, ':') > 0, false
		case len(bytes.TrimSuffix(line, []byte("\r"))) == 0:
			return len(rest) == 0, len(rest) > 0
		case bytes.IndexByte(line, ':') < 1:
			return false, true
		}
		b = rest
	}
}

// chunkSize reads the line of a chunk's size (RFC 9112 §7.1), or as much of it as there is.
func chunkSize(line []byte) (int64, bool) {
	size, _, _ := strings.Cut(strings.TrimSuffix(string(line), "\r"), ";")
	size = strings.Trim(size, " \t")
	if size == "" || strings.Trim(size, "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(size, 16, 64)
	return n, err == nil
}

// longBody reads a body that may be longer than its head says.
type longBody struct {
	r    io.Reader
	left int64 // bytes that the head tells of
	rest io.Reader
}

// lineEnds is how many bytes of line ends may stand behind a body by mistake: those that close a record.
const lineEnds = 4

func (l *longBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if l.left > 0 {
		n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
		if l.left -= int64(n); err == io.EOF && l.left > 0 {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	if l.rest == nil {
		b := make([]byte, lineEnds+1)
		n, err := io.ReadFull(l.r, b)
		b = b[:n]
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			if len(bytes.Trim(b, "\r\n")) == 0 {
				b = nil
			}
		case err != nil:
			return 0, err
		}
		l.rest = io.MultiReader(bytes.NewReader(b), l.r)
	}
	return l.rest.Read(p)
}
