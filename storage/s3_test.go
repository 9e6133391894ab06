package storage_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"linkstead/storage/storagetest"
)

func TestS3Contract(t *testing.T) {
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	var n atomic.Int64
	storagetest.Blobs(t, func(t testing.TB) storagetest.BlobStore {
		if n.Add(1)%2 == 0 { // a bucket of its own, or a prefix
			return server.Open(t, "s3://"+server.NewBucket(t))
		}
		return server.Open(t, fmt.Sprintf("s3://%s/archive-%d/ä b", bucket, n.Load()))
	})
}
