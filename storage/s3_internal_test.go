package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		n      int
		chance float64
		want   time.Duration
	}{
		{0, 0, 100 * time.Millisecond}, {0, 1, 50 * time.Millisecond}, {1, 0, 200 * time.Millisecond}, {3, 0.5, 600 * time.Millisecond},
		{5, 0, 3 * time.Second}, {1000, 0, 3 * time.Second}, {1000, 1, 1500 * time.Millisecond},
	} {
		if got := backoff(c.n, c.chance); got != c.want {
			t.Errorf("backoff(%d, %v) = %v, want %v", c.n, c.chance, got, c.want)
		}
	}
}

func TestWhatMayPass(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{minio.ErrorResponse{Code: "SlowDown", StatusCode: 503}, true},
		{minio.ErrorResponse{Code: "InternalError", StatusCode: 500}, true},
		{minio.ErrorResponse{Code: "502 Bad Gateway", StatusCode: 502}, true},
		{minio.ErrorResponse{Code: "429 Too Many Requests", StatusCode: 429}, true},
		{minio.ErrorResponse{Code: "ConditionalRequestConflict", StatusCode: 409}, true},
		{minio.ErrorResponse{Code: "XAmzContentSHA256Mismatch", StatusCode: 400}, true},
		{minio.ErrorResponse{Code: "NotImplemented", StatusCode: 501}, false},
		{minio.ErrorResponse{Code: "AccessDenied", StatusCode: 403}, false},
		{minio.ErrorResponse{Code: "NoSuchBucket", StatusCode: 404}, false},
		{fmt.Errorf("wrapped: %w", minio.ErrorResponse{Code: "NoSuchKey", StatusCode: 404}), false},
		{io.ErrUnexpectedEOF, true}, {errStalled, true},
		{errors.New("dial tcp 127.0.0.1:1: connect: connection refused"), true},
		{errors.New("http: server gave HTTP response to HTTPS client"), false},
		{fmt.Errorf("x: %w", ErrDamaged), false}, {fmt.Errorf("x: %w", errNoStore), false},
		{&os.PathError{Op: "read", Path: "x", Err: errors.New("input/output error")}, false},
	} {
		if got := passing(c.err); got != c.want {
			t.Errorf("%v: passing is %v, want %v", c.err, got, c.want)
		}
	}
}

func TestSplitBucket(t *testing.T) {
	for _, c := range []struct{ where, bucket, prefix string }{
		{"s3://b", "b", ""}, {"s3://b/", "b", ""}, {"s3:b/p", "b", "p/"}, {"s3://b/p/q/", "b", "p/q/"},
		{"s3://", "", ""}, {"s3:/x", "", ""}, {"s3://b/a//b", "", ""}, {"s3://b/../c", "", ""}, {"s3://key:secret@b/c", "", ""},
	} {
		b, p, err := splitBucket(c.where)
		if b != c.bucket || p != c.prefix || (err == nil) != (c.bucket != "") {
			t.Errorf("%s: %q %q %v", c.where, b, p, err)
		}
	}
}

func TestExtent(t *testing.T) {
	for _, c := range []struct {
		off, n      int64
		length, cr  string
		start, size int64
		bad         bool
	}{
		{0, -1, "10", "", 0, 10, false}, {3, 4, "4", "bytes 3-6/10", 3, 4, false}, {-3, -1, "3", "bytes 7-9/10", 7, 3, false},
		{-30, -1, "10", "", 0, 10, false}, {-3, -1, "10", "", 0, 0, true}, {3, 4, "10", "", 0, 0, true}, {0, -1, "", "", 0, 0, true},
		{3, 4, "4", "bytes */10", 0, 0, true}, {3, 4, "4", "nonsense", 0, 0, true}, {3, 4, "4", "bytes 3-6/*", 0, 0, true},
		{0, 4, "10", "", 0, 10, false}, {3, 99, "7", "bytes 3-9/10", 3, 7, false}, {3, -1, "7", "bytes 3-9/10", 3, 7, false},
		{-30, -1, "10", "bytes 0-9/10", 0, 10, false}, {-3, 2, "3", "bytes 7-9/10", 7, 3, false},
		{3, 4, "3", "bytes 3-5/10", 0, 0, true}, {3, 4, "3", "bytes 3-6/10", 0, 0, true}, {3, 4, "4", "bytes 2-5/10", 0, 0, true},
		{3, 4, "7", "bytes 3-9/10", 0, 0, true}, {3, -1, "4", "bytes 3-6/10", 0, 0, true}, {-3, -1, "2", "bytes 7-8/10", 0, 0, true},
		{3, 4, "4", "bytes 3-6/6", 0, 0, true},
	} {
		h := http.Header{"Content-Length": {c.length}}
		if c.cr != "" {
			h.Set("Content-Range", c.cr)
		}
		start, size, err := extent(h, c.off, c.n)
		if (err != nil) != c.bad || err == nil && (start != c.start || size != c.size) {
			t.Errorf("%+v: %d %d %v", c, start, size, err)
		}
	}
}

// TestHotRanges: the bound holds, the least used goes first, and what is deleted is forgotten, be it on its way.
func TestHotRanges(t *testing.T) {
	const size = 1000
	h := newHotRanges(4*(size+rangeCost), size)
	reads := 0
	get := func(name string, off int64) string {
		t.Helper()
		b, err := h.get(t.Context(), span{name, off, size}, func() ([]byte, error) {
			reads++
			return append([]byte(fmt.Sprint(name, off, " ")), make([]byte, size)...)[:size], nil
		})
		if err != nil || len(b) != size {
			t.Fatal(len(b), err)
		}
		return string(b)
	}
	for i := range int64(4) {
		get("a", i)
	}
	get("a", 0)
	get("b", 0) // a1 goes, the least used
	if reads != 5 || h.bytes > h.limit {
		t.Errorf("%d reads, %d bytes", reads, h.bytes)
	}
	if get("a", 0); reads != 5 {
		t.Error("what was just used is gone")
	}
	if get("a", 1); reads != 6 {
		t.Error("what was not used for longest is still there")
	}
	h.forget("a")
	if len(h.kept) != 1 || h.bytes != size+rangeCost || h.order.Len() != 1 {
		t.Errorf("left: %d ranges, %d bytes", len(h.kept), h.bytes)
	}
	if _, err := h.get(t.Context(), span{"c", 0, size}, func() ([]byte, error) {
		h.forget("c")
		return make([]byte, size), nil
	}); err != nil || len(h.kept) != 1 || len(h.asking) != 0 {
		t.Errorf("what was deleted while it was read is kept: %v, %d", err, len(h.kept))
	}
}

// TestHotRangesLeaderFails: who waits for another's read does not share its fate.
func TestHotRangesLeaderFails(t *testing.T) {
	h := newHotRanges(1<<20, 1<<20)
	at := span{"k", 0, 1}
	begun, fail := make(chan struct{}), make(chan struct{})
	led := make(chan error, 1)
	go func() {
		_, err := h.get(t.Context(), at, func() ([]byte, error) {
			close(begun)
			<-fail
			return nil, context.Canceled
		})
		led <- err
	}()
	<-begun
	followed := make(chan error, 1)
	go func() {
		b, err := h.get(t.Context(), at, func() ([]byte, error) { return []byte("x"), nil })
		if string(b) != "x" {
			err = fmt.Errorf("%q: %w", b, err)
		}
		followed <- err
	}()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.get(gone, at, func() ([]byte, error) { return nil, errors.New("asked twice") }); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter whose context is over: %v", err)
	}
	close(fail)
	if err := <-led; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
	if err := <-followed; err != nil {
		t.Errorf("the second: %v", err)
	}
}
