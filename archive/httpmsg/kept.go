package httpmsg

import (
	"bytes"
	"io"
	"strings"
)

// KeptBody is Body of a message that others have kept, who may have dechunked it and left Transfer-Encoding in its head: a body that does
// not begin with the size of a chunk is the payload as it is.
func KeptBody(h Head, method string, r io.Reader) io.Reader {
	if h.Framing(method).Kind != Chunked {
		return Body(h, method, r)
	}
	return &keptBody{h: h, method: method, r: r}
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
		begin, err := readLine(k.r)
		if err != nil {
			return 0, err
		}
		all := io.MultiReader(bytes.NewReader(begin), k.r)
		if k.body = all; len(begin) == 0 || isChunkSize(begin) {
			k.body = Body(k.h, k.method, all)
		}
	}
	return k.body.Read(p)
}

// maxSizeLine is how many bytes are looked at for the size of a chunk.
const maxSizeLine = 256

// readLine reads up to the end of the first line, or a little more or less. The end of r is no error.
func readLine(r io.Reader) ([]byte, error) {
	b := make([]byte, 0, maxSizeLine)
	for len(b) < cap(b) && bytes.IndexByte(b, '\n') < 0 {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// isChunkSize says whether b begins with the line of a chunk's size (RFC 9112 §7.1), or with as much of it as there is.
func isChunkSize(b []byte) bool {
	line, _, ended := bytes.Cut(b, []byte("\n"))
	size, _, extended := strings.Cut(strings.TrimSuffix(string(line), "\r"), ";")
	size = strings.Trim(size, " \t")
	if size == "" || len(size) > 16 || !ended && !extended && len(b) >= maxSizeLine {
		return false
	}
	return strings.Trim(size, "0123456789abcdefABCDEF") == ""
}
