package replay

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// askedBlob is a blob of which it is counted what was asked for.
type askedBlob struct {
	data  []byte
	asked []int64
}

func (c *askedBlob) open(off, n int64) (io.ReadCloser, error) {
	c.asked = append(c.asked, n)
	return io.NopCloser(bytes.NewReader(c.data[off : off+n])), nil
}

// TestBlobSeeker: what is read is what is there, from wherever, and a short range asks for little.
func TestBlobSeeker(t *testing.T) {
	t.Parallel()
	c := &askedBlob{data: make([]byte, 3<<20)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range c.data {
		c.data[i] = byte(r.UintN(256))
	}
	b := &blobSeeker{open: c.open, size: int64(len(c.data))}
	for range 50 {
		off := r.Int64N(b.size)
		n := r.Int64N(min(b.size-off, 1<<20) + 1)
		if _, err := b.Seek(off, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, c.data[off:off+n]) {
			t.Fatalf("%d bytes from %d: %v", n, off, err)
		}
	}
	if _, err := b.Seek(-1, io.SeekStart); err == nil {
		t.Error("a place before the begin")
	}
	if at, err := b.Seek(0, io.SeekEnd); at != b.size || err != nil {
		t.Error(at, err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Error(n, err)
	}
	c.asked = nil
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	req.Header.Set("Range", "bytes=-22")
	http.ServeContent(w, req, "", time.Time{}, b)
	if w.Code != http.StatusPartialContent || !bytes.Equal(w.Body.Bytes(), c.data[len(c.data)-22:]) || len(c.asked) != 1 || c.asked[0] != 22 {
		t.Error(w.Code, w.Body.Len(), c.asked)
	}
	w = httptest.NewRecorder()
	req.Header.Set("Range", "bytes=-0")
	http.ServeContent(w, satisfiable(req, b.size), "", time.Time{}, b)
	if w.Code != http.StatusRequestedRangeNotSatisfiable || w.Header().Get("Content-Range") != "bytes */3145728" {
		t.Error(w.Code, w.Header())
	}
	// A blob that has become shorter is no end of it.
	short := &blobSeeker{open: func(_, _ int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte("ab"))), nil }, size: 9}
	if _, err := io.ReadAll(short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}
