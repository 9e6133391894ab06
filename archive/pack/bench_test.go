package pack_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/pack"
)

// BenchmarkExport writes 10,000 captures, imported as one file, as a WACZ with the text of their pages. It reports the highest heap that
// was seen beside the bytes that went out: neither the records nor the index are held in memory.
func BenchmarkExport(b *testing.B) {
	w := newWorld(b)
	name := filepath.Join(b.TempDir(), "many.warc.gz")
	f, err := os.Create(name)
	must(b, err)
	words := strings.Fields("the a of to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there can")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		var text strings.Builder
		for range 500 + r.IntN(3000) {
			text.WriteString(words[r.IntN(len(words))] + " ")
		}
		body := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>%d</title>%s", i, text.String())
		z := gzip.NewWriter(f)
		_, err := fmt.Fprintf(z, "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:x:%d>\r\nWARC-Date: 2020-01-01T00:00:00Z\r\nWARC-Target-URI: http://h%d.test/%d/page\r\nContent-Type: application/http;msgtype=response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", i, i%97, r.IntN(1e9), len(body), body)
		must(b, errors.Join(err, z.Close()))
	}
	must(b, f.Close())
	if rep := w.imports(name, false); rep.Captures != 10_000 {
		b.Fatalf("%+v", rep)
	}
	peak, stop := watchHeap()
	var size int64
	for b.Loop() {
		done, err := w.exporter().WACZ(b.Context(), io.Discard, pack.Package{}, w.all())
		if err != nil || done.Captures != 10_000 {
			b.Fatal(err, done)
		}
		size = done.Bytes
	}
	stop()
	b.SetBytes(size)
	b.ReportMetric(float64(peak.Load())/(1<<20), "peak-MB")
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "captures/s")
}

// watchHeap looks at the heap now and then, until it is stopped.
func watchHeap() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}
