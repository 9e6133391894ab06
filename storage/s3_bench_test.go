package storage_test

import (
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"linkstead/storage/storagetest"
)

// BenchmarkS3Put puts segments of several sizes, each confirmed by checksum.
func BenchmarkS3Put(b *testing.B) {
	server := storagetest.S3(b)
	s := server.Open(b, "s3://"+server.NewBucket(b))
	for _, size := range []int{1 << 10, 1 << 20, 64 << 20} {
		text := random(size)
		path, sum := file(b, text), storagetest.Sum(text)
		b.Run(fmt.Sprint(size>>10, "KiB"), func(b *testing.B) {
			b.SetBytes(int64(size))
			for i := range b.N {
				if err := s.Put(b.Context(), fmt.Sprintf("%d/%d-%d", size, b.N, i), path, sum); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkS3Open reads small ranges, as replay does: each another one, then always the same few out of the cache.
func BenchmarkS3Open(b *testing.B) {
	server := storagetest.S3(b)
	s := server.Open(b, "s3://"+server.NewBucket(b))
	text := random(64 << 20)
	if err := s.Put(b.Context(), "k", file(b, text), storagetest.Sum(text)); err != nil {
		b.Fatal(err)
	}
	const each = 20_000
	var next atomic.Int64
	for _, c := range []struct {
		name string
		off  func(n int64) int64
	}{
		{"cold", func(n int64) int64 { return n * 1009 % (64<<20 - each) }},
		{"hot", func(n int64) int64 { return n % 16 }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(each)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					r, err := s.Open(b.Context(), "k", c.off(next.Add(1)), each)
					if err != nil {
						b.Error(err)
						return
					}
					if n, err := io.Copy(io.Discard, r); err != nil || n != each {
						b.Errorf("read %d bytes, %v", n, err)
					}
					if err := r.Close(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
