package storage

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"time"
)

// BlobReader is the part of a blob store that reads it.
type BlobReader interface {
	// Open reads n bytes of a blob from off; n < 0 reads to its end, off < 0 counts from the end. ErrNotFound if there
	// is no such blob. Reading past the end yields what there is.
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	// Stat tells a blob's size; ErrNotFound if there is none.
	Stat(ctx context.Context, key string) (Blob, error)
	// List yields the blobs whose keys begin with prefix, in byte order of their keys. A folder may hold what is none, which
	// it names as such: see Blob.Odd.
	List(ctx context.Context, prefix string) iter.Seq2[Blob, error]
	// Forget lets go of what is remembered of a blob, so that it is read anew: a store may have answered wrong once.
	Forget(key string)
}

// BlobWriter is the part of a blob store that changes it.
type BlobWriter interface {
	// Put stores the file at path, whose lower-case hex SHA-256 is sum, under key, and returns once it is durable and
	// its checksum is confirmed. If the key holds equal bytes already, that is success; if it holds others, ErrExists.
	// A file that does not match sum is not stored: ErrDamaged.
	Put(ctx context.Context, key, path, sum string) error
	// Delete removes a blob. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}

var (
	_ BlobReader = (*Dir)(nil)
	_ BlobWriter = (*Dir)(nil)
	_ BlobReader = (*S3)(nil)
	_ BlobWriter = (*S3)(nil)
)

// Blobs is a store of blobs, whatever keeps it: a folder, or a bucket of an S3 store.
type Blobs struct {
	BlobReader
	BlobWriter
	name  string
	s3    *S3
	close func()
	outside
}

// String names the store as a person would: dir:PATH or s3://BUCKET/PREFIX.
func (b *Blobs) String() string { return b.name }

// S3 is the store when it is one of S3, and nil otherwise.
func (b *Blobs) S3() *S3 { return b.s3 }

// Close gives connections back. Blobs that are open stay open.
func (b *Blobs) Close() error {
	b.close()
	b.leave()
	return nil
}

// BlobOptions say how a store is reached. A folder needs none; for S3 the environment may say all.
type BlobOptions struct {
	FS     FS                  // through which a folder is changed; nil: the machine's
	S3     S3Options           // where and as whom an S3 store is asked
	Getenv func(string) string // the environment, for AWS_…; nil: there is none
	Log    *slog.Logger        // is told when the store goes away and comes back; nil: nobody is
	// ReadOnly says that nothing will be stored or deleted, so that the right to do so is not asked for.
	ReadOnly bool
	// Patience is for how long a call tries again while an S3 store is away; 0: 20 seconds.
	Patience time.Duration
}

// S3Options are the settings of an S3 store. What is empty is taken from the environment and from the AWS files.
type S3Options struct {
	Endpoint     string // http(s)://HOST[:PORT]; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS itself
	Region       string // else AWS_REGION, AWS_DEFAULT_REGION, what the store says
	AccessKey    string // with SecretKey; else AWS_ACCESS_KEY_ID, the AWS files, a web identity or container
	SecretKey    string
	SessionToken string // of temporary credentials
	Profile      string // of the AWS files; else AWS_PROFILE, default. Set here it goes before the environment's keys
	PathStyle    string // true: HOST/BUCKET, false: BUCKET.HOST, empty or auto: as the endpoint suggests
}

// OpenBlobs opens the store that where names: dir:PATH, or s3://BUCKET/PREFIX (s3:BUCKET/PREFIX is the same). A folder
// is made if need be, a bucket is not. An S3 store is asked at once, so that what is wrong with its address, the
// credentials, the bucket or the clock is said before any work begins.
func OpenBlobs(ctx context.Context, where string, o BlobOptions) (*Blobs, error) {
	if o.FS == nil {
		o.FS = OS{}
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if path, ok := strings.CutPrefix(where, "dir:"); ok && path != "" {
		d, err := OpenDir(path, o.FS)
		if err != nil {
			return nil, err
		}
		return &Blobs{BlobReader: d, BlobWriter: d, name: where, close: func() {}, outside: outside{opts: o}}, nil
	}
	if !strings.HasPrefix(where, "s3:") {
		return nil, fmt.Errorf("blob store %q: write dir:PATH or s3://BUCKET/PREFIX", where)
	}
	s, err := openS3(ctx, where, o)
	if err != nil {
		if strings.Contains(where, "@") {
			where = "s3:…" // whoever writes keys there
		}
		return nil, fmt.Errorf("open blob store %s: %w", where, err)
	}
	return &Blobs{BlobReader: s, BlobWriter: s, name: s.String(), s3: s, close: s.pool.CloseIdleConnections, outside: outside{opts: o}}, nil
}
