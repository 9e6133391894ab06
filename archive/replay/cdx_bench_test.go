package replay_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"linkstead/archive/replay"
	"linkstead/storage"
)

// BenchmarkCDX is queries on an index of 2 million rows on SQLite, through the handler: all of it, parts of it, and what a
// player asks. It tells the lines of an answer, and the most memory that was in use while it was written.
func BenchmarkCDX(b *testing.B) {
	db, err := storage.OpenDB(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "linkstead.db"), storage.DBOptions{})
	must(b, err)
	defer db.Close()
	urls := fillIndex(b, db)
	url := urls[len(urls)/2]
	h := &replay.Handler{
		Index: db, Collection: collection, Origin: testOrigin, Pages: testPages, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range []struct{ name, target string }{
		{"all", "/web/cdx?url=*"},
		{"all-gzip", "/web/cdx?url=*"},
		{"filtered", "/web/cdx?url=*&filter=~url:.*article-7.*html&output=json"},
		{"collapsed", "/web/wayback-cdx?url=*&collapse=urlkey&output=json&from=2020&to=2021"},
		{"pages", "/web/cdx?url=*&showNumPages=true"},
		{"last-page", "/web/cdx?url=*&page=133"},
		{"last-rows", "/web/wayback-cdx?url=*&limit=-10"},
		{"host", "/web/cdx?url=site0007.example/*&limit=1000"},
		{"closest", "/web/cdx?url=" + url + "&closest=2019&limit=1"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var lines, heap uint64
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
				r.Host, r.RequestURI = strings.TrimPrefix(testOrigin, "http://"), c.target
				if strings.HasSuffix(c.name, "gzip") {
					r.Header.Set("Accept-Encoding", "gzip")
				}
				w := &counted{nowhere: nowhere{head: http.Header{}}}
				h.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatalf("%s: %d", c.target, w.status)
				}
				lines, heap = w.lines, max(heap, w.heap)
			}
			b.ReportMetric(float64(lines), "lines")
			b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(heap)/(1<<20), "heap-MiB")
		})
	}
}

// counted is a client that counts lines, and looks at the memory of the process.
type counted struct {
	nowhere
	lines, heap uint64
	writes      int
	collect     bool // garbage, before each look
}

func (c *counted) Write(b []byte) (int, error) {
	c.lines += uint64(bytes.Count(b, []byte("\n")))
	if c.writes++; c.writes%20 == 1 {
		if c.collect {
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		c.heap = max(c.heap, m.HeapInuse)
	}
	return len(b), nil
}

// TestCDXMemory: what a listing holds does not grow with what it lists.
func TestCDXMemory(t *testing.T) {
	const n = 12_000
	a := many(t, n)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	w := &counted{nowhere: nowhere{head: http.Header{}}, collect: true}
	r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
	r.Host, r.RequestURI = strings.TrimPrefix(testOrigin, "http://"), "/web/cdx?url=*"
	a.handler.ServeHTTP(w, r)
	if w.status != http.StatusOK || w.lines != n {
		t.Fatalf("%d, %d lines", w.status, w.lines)
	}
	if grown := int64(w.heap) - int64(before.HeapInuse); grown > 2<<20 { // the lines are some 3 MB
		t.Errorf("%d KiB of memory for %d lines", grown>>10, n)
	}
}
