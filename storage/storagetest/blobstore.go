package storagetest

import (
	"context"
	"io"
	"iter"

	"linkstead/storage"
)

// BlobStore is what every store of blobs offers. Its parts stand where they are used; here is the whole, for the suite
// and for wrappers.
type BlobStore interface {
	BlobWriter
	BlobReader
}

// BlobWriter is the part of a blob store that changes it.
type BlobWriter interface {
	Put(ctx context.Context, key, path, sum string) error
	Delete(ctx context.Context, key string) error
}

// BlobReader is the part of a blob store that reads it.
type BlobReader interface {
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	Stat(ctx context.Context, key string) (storage.Blob, error)
	List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error]
	Forget(key string)
}

var _ BlobStore = (*storage.Dir)(nil)
