package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
)

// S3 is a blob store in a bucket of an S3 store. What is put appears whole or not at all, under a key that was free:
// the store itself sees to that (If-None-Match), and 'linkstead doctor' proves that it does.
type S3 struct {
	client *minio.Core
	pool   *http.Transport
	bucket string
	prefix string // of every key: empty, or with a slash at its end
	who    identity
	from   string // where the address was taken from
	hot    *hotRanges
	log    *slog.Logger

	patience time.Duration // for how long a call tries again
	stall    time.Duration // without a byte moving: the attempt is given up
	single   int64         // the largest blob that goes in one PUT, bytes
	part     int64         // of a larger one, bytes
	page     int           // keys to a page of a listing; 0: as the store likes

	away atomic.Bool  // the last answer did not come
	skew atomic.Int64 // nanoseconds that the store's clock is ahead, as its last answer said
}

const (
	s3Patience = 20 * time.Second
	s3Stall    = time.Minute
	// s3Knock is the patience with a store that is opened: its address may be misspelt.
	s3Knock = 3 * time.Second
	// s3Single is the largest object that S3 takes in one PUT.
	s3Single = 5 << 30
	s3Part   = 512 << 20
)

// String names the store as OpenBlobs takes it.
func (s *S3) String() string {
	return strings.TrimSuffix("s3://"+s.bucket+"/"+s.prefix, "/")
}

// Endpoint is the address of the store.
func (s *S3) Endpoint() string { return s.client.EndpointURL().String() }

// Who says as whom the store is asked and where that was taken from, without a secret.
func (s *S3) Who() string { return fmt.Sprintf("%s (from %s)", s.who.key, s.who.from) }

// Skew is by how much the store's clock is ahead of this machine's, by the Date of its last answer: about a second fine.
func (s *S3) Skew() time.Duration { return time.Duration(s.skew.Load()) }

// name is the whole key of a blob in the bucket.
func (s *S3) name(key string) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	return s.prefix + key, nil
}

// splitBucket reads s3://BUCKET/PREFIX.
func splitBucket(where string) (bucket, prefix string, err error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(where, "s3:"), "//")
	bucket, prefix, _ = strings.Cut(rest, "/")
	prefix = strings.Trim(prefix, "/")
	if bucket == "" {
		return "", "", errors.New("it names no bucket: write s3://BUCKET/PREFIX")
	}
	if strings.Contains(bucket, "@") {
		return "", "", errors.New("no name of a bucket has an @: write s3://BUCKET/PREFIX, and keep the keys in the environment")
	}
	if prefix != "" {
		if err := CheckKey(prefix); err != nil {
			return "", "", fmt.Errorf("its prefix can't be used: %w", err)
		}
		prefix += "/"
	}
	return bucket, prefix, nil
}

// Stat tells a blob's size; ErrNotFound if there is none.
func (s *S3) Stat(ctx context.Context, key string) (Blob, error) {
	name, err := s.name(key)
	if err != nil {
		return Blob{}, err
	}
	info, err := s.head(ctx, name)
	if err != nil {
		return Blob{}, fmt.Errorf("stat blob %s: %w", key, err)
	}
	return Blob{Key: key, Size: info.Size}, nil
}

// head asks for what the store knows of an object, its checksum included.
func (s *S3) head(ctx context.Context, name string) (info minio.ObjectInfo, err error) {
	err = s.try(ctx, "read", func(ctx context.Context, _ *watch) error {
		info, err = s.client.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{Checksum: true})
		return err
	})
	return info, err
}

// Delete removes a blob. One that is not there is no error. What another process holds in its cache stays there until
// it falls out: whoever deletes sees to it that nothing refers to the blob any more.
func (s *S3) Delete(ctx context.Context, key string) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	s.hot.forget(name)
	err = s.try(ctx, "delete", func(ctx context.Context, _ *watch) error {
		return s.client.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{})
	})
	s.hot.forget(name) // who read while it went
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// List yields the blobs whose keys begin with prefix, in byte order of their keys. Where a page can't be had it goes on
// behind the last key that it has yielded.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Blob, error] {
	return s.ListBy(ctx, prefix, s.page)
}

// ListBy is List, in pages of so many keys; 0: as the store likes.
func (s *S3) ListBy(ctx context.Context, prefix string, page int) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		last, more := "", true
		for more {
			from := last
			err := s.try(ctx, "list", func(ctx context.Context, w *watch) error {
				var err error
				more, err = s.list(ctx, w, prefix, page, &last, yield)
				if err != nil && last != from {
					return &progress{err} // the patience begins anew
				}
				return err
			})
			if p := (*progress)(nil); errors.As(err, &p) {
				continue
			}
			if err != nil {
				yield(Blob{}, fmt.Errorf("list blobs: %w", err))
			}
			return
		}
	}
}

// progress is a failure of something that had come further before it failed.
type progress struct{ error }

func (p *progress) Unwrap() error { return p.error }

// list yields what comes behind *last. It says whether there may be more.
func (s *S3) list(ctx context.Context, w *watch, prefix string, page int, last *string, yield func(Blob, error) bool) (more bool, err error) {
	owner := false
	for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
		Prefix: s.prefix + prefix, Recursive: true, StartAfter: *last, MaxKeys: page, FetchOwner: &owner,
	}) {
		if o.Err != nil {
			return true, o.Err
		}
		if o.Key <= *last && *last != "" {
			return true, fmt.Errorf("it lists %q behind %q: %w", o.Key, *last, errNoStore)
		}
		*last = o.Key
		key := strings.TrimPrefix(o.Key, s.prefix)
		if CheckKey(key) != nil {
			continue // somebody else's: the mark of a folder, say
		}
		w.pause() // what the caller does with it is not the store's time
		if !yield(Blob{Key: key, Size: o.Size}, nil) {
			return false, nil
		}
		w.touch()
	}
	return false, ctx.Err() // a listing that is cancelled just ends
}
