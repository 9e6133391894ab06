package cdx_test

import (
	"testing"

	"linkstead/archive/cdx"
)

// BenchmarkCDXJ is lines written and read.
func BenchmarkCDXJ(b *testing.B) {
	r := index[8]
	line := cdx.AppendCDXJ(nil, &r)
	b.Run("append", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst = cdx.AppendCDXJ(dst[:0], &r)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := cdx.ParseCDXJ(line); err != nil {
				b.Fatal(err)
			}
		}
	})
}
