package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
)

// Outside says whether a location names a file that the store does not keep, and that was indexed where it lies: file:PATH, with the
// whole path, or s3://BUCKET/KEY.
func Outside(location string) bool {
	return strings.HasPrefix(location, "file:") || strings.HasPrefix(location, "s3://")
}

// outside are the files that a store does not keep, and that can be read by it as its own can.
type outside struct {
	opts    BlobOptions
	mu      sync.Mutex
	buckets map[string]*S3
}

// Open reads a part of a blob, or of a file outside: see BlobReader.
func (b *Blobs) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if !Outside(key) {
		return b.BlobReader.Open(ctx, key, off, n)
	}
	if path, ok := strings.CutPrefix(key, "file:"); ok {
		f, err := openFile(path)
		if absent(err) {
			return nil, fmt.Errorf("open %s: %w", path, ErrNotFound)
		}
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		r, err := section(f, off, n)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.Close())
		}
		return r, nil
	}
	s, name, err := b.bucket(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx, name, off, n)
}

// Stat tells the size of a blob, or of a file outside.
func (b *Blobs) Stat(ctx context.Context, key string) (Blob, error) {
	if !Outside(key) {
		return b.BlobReader.Stat(ctx, key)
	}
	if path, ok := strings.CutPrefix(key, "file:"); ok {
		f, err := openFile(path)
		if absent(err) {
			return Blob{}, fmt.Errorf("stat %s: %w", path, ErrNotFound)
		}
		if err != nil {
			return Blob{}, fmt.Errorf("stat %s: %w", path, err)
		}
		st, err := f.Stat()
		if err = errors.Join(err, f.Close()); err != nil {
			return Blob{}, fmt.Errorf("stat %s: %w", path, err)
		}
		return Blob{Key: key, Size: st.Size()}, nil
	}
	s, name, err := b.bucket(ctx, key)
	if err != nil {
		return Blob{}, err
	}
	blob, err := s.Stat(ctx, name)
	blob.Key = key
	return blob, err
}

// Forget lets go of what is remembered of a blob.
func (b *Blobs) Forget(key string) {
	if !Outside(key) {
		b.BlobReader.Forget(key)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, name, _ := strings.Cut(strings.TrimPrefix(key, "s3://"), "/")
	if s := b.buckets[bucket]; s != nil {
		s.Forget(name)
	}
}

// bucket connects to the bucket that a location names, as whoever the store is asked as.
func (b *Blobs) bucket(ctx context.Context, location string) (*S3, string, error) {
	name, key, ok := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if !ok || key == "" {
		return nil, "", fmt.Errorf("%s: write s3://BUCKET/KEY", location)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.buckets[name]; s != nil {
		return s, key, nil
	}
	o := b.opts
	o.ReadOnly = true
	s, err := openS3(ctx, "s3://"+name, o)
	if err != nil {
		return nil, "", fmt.Errorf("open %s: %w", location, err)
	}
	if b.buckets == nil {
		b.buckets = map[string]*S3{}
	}
	b.buckets[name] = s
	return s, key, nil
}

// leave gives the connections to buckets outside back.
func (o *outside) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.buckets {
		s.pool.CloseIdleConnections()
	}
}

// Locate names a file of this machine, or an object of S3, as a location: the path is made whole.
func Locate(file string) (string, error) {
	if strings.HasPrefix(file, "s3://") {
		return file, nil
	}
	path, err := filepath.Abs(strings.TrimPrefix(file, "file:"))
	if err != nil {
		return "", fmt.Errorf("name %s: %w", file, err)
	}
	return "file:" + path, nil
}

// readAhead is how much of a blob is asked for at a time where it is read from its begin to its end, in bytes.
const readAhead = 8 << 20

// ReaderAt reads a blob or a file outside at any place. Whoever reads on from where it read last asks the store seldom.
func (b *Blobs) ReaderAt(ctx context.Context, location string) (io.ReaderAt, int64, error) {
	st, err := b.Stat(ctx, location)
	if err != nil {
		return nil, 0, err
	}
	return NewReaderAt(ctx, b, location, st.Size), st.Size, nil
}

// Opener opens a part of a blob: see BlobReader.
type Opener interface {
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
}

// NewReaderAt reads a blob of size bytes at any place, in large pieces.
func NewReaderAt(ctx context.Context, b Opener, key string, size int64) io.ReaderAt {
	return &blobAt{ctx: ctx, b: b, key: key, size: size}
}

// blobAt reads a blob in pieces, of which it keeps two: readers look ahead of the place where they are.
type blobAt struct {
	ctx  context.Context
	b    Opener
	key  string
	size int64

	mu     sync.Mutex
	pieces [2]piece
	next   int
}

type piece struct {
	at   int64
	data []byte
}

// ReadAt implements io.ReaderAt.
func (r *blobAt) ReadAt(p []byte, off int64) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) {
		if off+int64(n) >= r.size {
			return n, io.EOF
		}
		data, err := r.piece(off + int64(n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data)
	}
	return n, nil
}

// piece brings the bytes from a place on, some of them at least.
func (r *blobAt) piece(at int64) ([]byte, error) {
	for i := range r.pieces {
		if s := &r.pieces[i]; at >= s.at && at < s.at+int64(len(s.data)) {
			return s.data[at-s.at:], nil
		}
	}
	s := &r.pieces[r.next]
	r.next = 1 - r.next
	from := at - at%readAhead
	want := min(readAhead, r.size-from)
	in, err := r.b.Open(r.ctx, r.key, from, want)
	if err != nil {
		return nil, err
	}
	if int64(cap(s.data)) < want {
		s.data = make([]byte, want)
	}
	s.at, s.data = from, s.data[:want]
	n, err := io.ReadFull(in, s.data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) { // it has become shorter
		r.size, err = from+int64(n), nil
	}
	s.data = s.data[:n]
	if err = errors.Join(err, in.Close()); err != nil {
		s.data = s.data[:0]
		return nil, fmt.Errorf("read %s at %d: %w", r.key, from, err)
	}
	return s.data[min(at-from, int64(n)):], nil
}
