package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Open reads n bytes of a blob from off; n < 0 reads to its end, off < 0 counts from the end. ErrNotFound if there is
// no such blob. Reading past the end yields what there is. Small ranges with a given start come out of a cache in
// memory if somebody has read them before. A read that breaks off goes on where it broke off.
func (s *S3) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	name, err := s.name(key)
	if err != nil {
		return nil, err
	}
	off = max(off, -math.MaxInt64)
	if off > 0 {
		n = min(n, math.MaxInt64-off)
	}
	var r io.ReadCloser
	switch {
	case n == 0:
		if _, err = s.head(ctx, name); err == nil {
			r = http.NoBody
		}
	case off >= 0 && n > 0 && n <= s.hot.entry:
		var b []byte
		b, err = s.hot.get(ctx, span{name, off, n}, func() ([]byte, error) { return s.whole(ctx, name, off, n) })
		if err == nil {
			r = io.NopCloser(bytes.NewReader(b))
		}
	default:
		r, err = s.stream(ctx, name, off, n)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, err)
	}
	return r, nil
}

// Forget lets go of the ranges of a blob that are in the cache.
func (s *S3) Forget(key string) { s.hot.forget(s.prefix + key) }

func (s *S3) whole(ctx context.Context, name string, off, n int64) ([]byte, error) {
	r, err := s.stream(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	b := make([]byte, r.end-r.pos)
	_, err = io.ReadFull(r, b)
	return b, errors.Join(err, r.Close())
}

// s3Reader reads a range of an object over as many connections as it takes.
type s3Reader struct {
	s        *S3
	ctx      context.Context //nolint:containedctx // of the caller of Open: reading obeys it
	name     string
	etag     string // the object must stay the one that it was
	begun    bool
	pos, end int64
	body     io.ReadCloser
	w        *watch
	done     func()
	breaks   int
}

// s3Breaks is how often a read may break off. Each time it goes on as soon as the store answers.
const s3Breaks = 50

func (s *S3) stream(ctx context.Context, name string, off, n int64) (*s3Reader, error) {
	r := &s3Reader{s: s, ctx: ctx, name: name}
	if err := r.connect(off, n); err != nil {
		return nil, err
	}
	if off < 0 && n >= 0 {
		r.end = min(r.end, r.pos+n)
	}
	return r, nil
}

// connect asks for a range, and learns where it lies in the object.
func (r *s3Reader) connect(off, n int64) error {
	var o minio.GetObjectOptions
	if r.etag != "" {
		o.Set("If-Match", `"`+r.etag+`"`)
	}
	switch {
	case off < 0:
		o.Set("Range", fmt.Sprintf("bytes=%d", off))
	case n > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	case off > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	return r.s.try(r.ctx, "read", func(context.Context, *watch) error {
		// The body outlives this try, so the attempt has a watch of its own.
		ctx, w, done := r.s.watched(r.ctx)
		body, info, header, err := r.s.client.GetObject(ctx, r.s.bucket, r.name, o)
		if err != nil {
			defer done()
			if a := answer(err); !r.begun && (a.StatusCode == http.StatusRequestedRangeNotSatisfiable || a.Code == "InvalidRange") {
				r.begun = true // and ended: it lies behind the end
				return nil
			}
			return stalled(ctx, err)
		}
		w.pause()
		start, size, err := extent(header, off, n)
		if err != nil {
			done()
			return errors.Join(err, body.Close())
		}
		r.body, r.w, r.done, r.etag = body, w, done, info.ETag
		if !r.begun {
			r.begun, r.pos, r.end = true, start, start+size
		} else if start != r.pos || start+size < r.end {
			err = errors.Join(fmt.Errorf("asked to go on at %d, the store sends %d bytes from %d: %w", r.pos, size, start, errNoStore), r.drop())
		}
		if off >= 0 && n > 0 {
			r.end = min(r.end, off+n)
		}
		return err
	})
}

// errNoStore is the end of a conversation with a server that does not keep to what S3 is.
var errNoStore = errors.New("no S3 store that an archive can be kept in answers like this")

// extent is which part of an object a response to a request for n bytes from off holds. It must be all that was asked for
// and is there: what came short would be kept, and taken for the whole.
func extent(h http.Header, off, n int64) (start, size int64, err error) {
	size, err = strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("it does not tell the length of what it sends: %w", errNoStore)
	}
	cr := h.Get("Content-Range")
	if cr == "" && off > 0 {
		return 0, 0, fmt.Errorf("it does not know ranges: %w", errNoStore)
	}
	if cr == "" {
		if off < 0 && -off < size {
			return 0, 0, fmt.Errorf("it does not know ranges from the end: %w", errNoStore)
		}
		return 0, size, nil
	}
	start, total, ok := contentRange(cr, size)
	from, to := off, total
	if off < 0 {
		from = max(0, total+off)
	} else if n > 0 {
		to = min(off+n, total)
	}
	if !ok || start != from || start+size != to {
		return 0, 0, fmt.Errorf("asked for %d bytes from %d, it sends %d with Content-Range %q: %w", n, off, size, cr, errNoStore)
	}
	return start, size, nil
}

// contentRange reads the Content-Range of a response of so many bytes.
func contentRange(cr string, size int64) (start, total int64, ok bool) {
	rest, ok := strings.CutPrefix(cr, "bytes ")
	span, all, slash := strings.Cut(rest, "/")
	from, to, dash := strings.Cut(span, "-")
	start, err := strconv.ParseInt(from, 10, 64)
	last, lerr := strconv.ParseInt(to, 10, 64)
	total, terr := strconv.ParseInt(all, 10, 64)
	return start, total, ok && slash && dash && errors.Join(err, lerr, terr) == nil && start >= 0 && last-start+1 == size && last < total
}

// Read implements io.Reader.
func (r *s3Reader) Read(p []byte) (int, error) {
	for r.pos < r.end {
		if r.body == nil {
			if err := r.connect(r.pos, r.end-r.pos); err != nil {
				return 0, fmt.Errorf("go on reading %s at %d: %w", r.name, r.pos, err)
			}
		}
		r.w.touch()
		n, err := r.body.Read(p[:min(int64(len(p)), r.end-r.pos)])
		r.w.pause()
		r.pos += int64(n)
		if err != nil && r.pos < r.end {
			_ = r.drop() // it is broken, and another takes its place
			if r.ctx.Err() != nil {
				return n, cutShort(r.ctx, err)
			}
			if r.breaks++; r.breaks > s3Breaks {
				return n, fmt.Errorf("reading %s broke off %d times, at last at %d: %w: %w", r.name, r.breaks, r.pos, ErrAway, err)
			}
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

func (r *s3Reader) drop() error {
	err := r.body.Close()
	r.done()
	r.body = nil
	return err
}

// Close implements io.Closer.
func (r *s3Reader) Close() error {
	if r.body == nil {
		return nil
	}
	if r.pos >= r.end {
		// The rest of the response is its end: read, it leaves the connection to the next request.
		_, _ = io.CopyN(io.Discard, r.body, 1)
	}
	return r.drop()
}
