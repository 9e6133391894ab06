package warc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"linkstead/storage"
)

// BenchmarkInspect verifies an archive, and beside it, in turn, gunzips and hashes the same files and does no more: as many
// files at a time. It reports how many bytes each gets through, and how the two compare.
func BenchmarkInspect(b *testing.B) {
	w := newWorld(b, nil, func(p *JournalParts) { p.MaxSize = 4 << 20 })
	const pages = 1600
	u := urls(pages, 100)
	run := w.run("default", u...)
	for i, url := range u {
		e := w.entry(run, url, okResponse(prose(i)))
		if _, err := w.append(e); err != nil {
			b.Fatal(err)
		}
	}
	w.flush()
	names := w.published()
	var size int64
	for _, n := range names {
		st, err := os.Stat(n)
		must(b, err)
		size += st.Size()
	}
	for _, jobs := range []int{1, 2} {
		b.Run(fmt.Sprintf("jobs %d", jobs), func(b *testing.B) {
			var ours, plain time.Duration
			for b.Loop() {
				began := time.Now()
				i := &Inspector{Rows: w.db, Index: w.db, Blobs: w.blobs, Spool: filepath.Join(w.dir, "spool"), Jobs: jobs, Now: time.Now}
				done, err := i.Inspect(context.Background())
				must(b, err)
				if done.Left() > 0 || done.Bytes != size {
					b.Fatalf("%+v", done)
				}
				ours += time.Since(began)
				began = time.Now()
				must(b, gunzipAll(names, jobs))
				plain += time.Since(began)
			}
			b.ReportMetric(float64(size)*float64(b.N)/1e6/ours.Seconds(), "MB/s")
			b.ReportMetric(float64(size)*float64(b.N)/1e6/plain.Seconds(), "plain-MB/s")
			b.ReportMetric(plain.Seconds()/ours.Seconds(), "of-plain")
		})
	}
}

// prose is a page that compresses about as pages do.
func prose(seed int) string {
	var sb strings.Builder
	for k := range 600 {
		sum := sha256.Sum256(fmt.Append(nil, seed, k))
		fmt.Fprintf(&sb, "<p class=\"p%d\">%x the quick brown fox %d</p>\n", k%7, sum[:6], k*seed)
	}
	return sb.String()
}

// gunzipAll decompresses files and hashes what they hold, and the files themselves, and nothing else.
func gunzipAll(names []string, jobs int) error {
	todo, errs := make(chan string, len(names)), make(chan error, jobs)
	for _, n := range names {
		todo <- n
	}
	close(todo)
	for range jobs {
		go func() {
			var err error
			for n := range todo {
				if err == nil {
					err = gunzipSum(n)
				}
			}
			errs <- err
		}()
	}
	for range jobs {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func gunzipSum(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	file, inner := sha256.New(), sha256.New()
	z, err := gzip.NewReader(io.TeeReader(f, file))
	if err != nil {
		return err
	}
	_, err = io.Copy(inner, z)
	return err
}

// TestHashing: a stream is handed on as it is, and hashed to its end, however it is read.
func TestHashing(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	sum, n := sha256.New(), 0
	h := newHashing(bytes.NewReader(data), sum, func(k int) { n += k })
	var got bytes.Buffer
	for k := 1; ; k = k*3 + 1 {
		_, err := io.CopyN(&got, h, int64(k))
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
	}
	h.finish()
	if want := sha256.Sum256(data); !bytes.Equal(sum.Sum(nil), want[:]) || !bytes.Equal(got.Bytes(), data) || n != len(data) {
		t.Errorf("%d of %d bytes, sum %x", n, len(data), sum.Sum(nil))
	}
}

var _ InspectRows = (*storage.DB)(nil)
