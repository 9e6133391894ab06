package replay_test

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/replay"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// benchRows is the size of the index of [BenchmarkClosest].
const benchRows = 2_000_000

// BenchmarkClosest is lookups of the nearest capture through the handler, from the request to the answer with its Link field, in an
// index of 2 million rows on SQLite: most URLs were captured once or some times, few of them a thousand times.
func BenchmarkClosest(b *testing.B) {
	db, err := storage.OpenDB(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "linkstead.db"), storage.DBOptions{})
	must(b, err)
	defer db.Close()
	urls := fillIndex(b, db)
	h := &replay.Handler{
		Index: db, Collection: collection, Origin: testOrigin, Pages: testPages, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range []struct {
		name   string
		target func(url string, when time.Time) string
		field  bool
	}{
		{"timegate", func(url string, _ time.Time) string { return "/web/" + url }, true},
		{"address", func(url string, when time.Time) string { return "/web/" + when.Format("20060102150405") + "/" + url }, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			begun := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
				r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
				r.Host = strings.TrimPrefix(testOrigin, "http://")
				for pb.Next() {
					when := benchTime(rnd.IntN(benchDays*24*3600 - 1))
					r.RequestURI = c.target(urls[rnd.IntN(len(urls))], when)
					if c.field {
						r.Header.Set("Accept-Datetime", when.Format(http.TimeFormat))
					}
					w := nowhere{head: http.Header{}}
					h.ServeHTTP(&w, r)
					if w.status != http.StatusFound {
						b.Errorf("%s: %d", r.RequestURI, w.status)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lookups/s")
			b.ReportMetric(float64((cpuTime(b)-begun).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

const benchDays = 365 * 10

func benchTime(sec int) time.Time {
	return time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(sec) * time.Second)
}

// fillIndex makes the rows, and gives their URLs.
func fillIndex(b *testing.B, db *storage.DB) (urls []string) {
	b.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	batch := make([]storage.Capture, 0, 20_000)
	begun := time.Now()
	flush := func() {
		must(b, db.Adopt(b.Context(), []storage.End{{Captures: batch}}))
		batch = batch[:0]
	}
	for n := 0; n < benchRows; {
		url := fmt.Sprintf("https://site%04d.example/section-%d/article-%d.html", rnd.IntN(2000), rnd.IntN(50), len(urls))
		urls = append(urls, url)
		times := 1 + rnd.IntN(8)
		if rnd.IntN(5000) == 0 {
			times = 1000
		}
		key := urlkey.Key(url)
		for range times {
			batch = append(batch, storage.Capture{
				Collection: collection, URLKey: key, At: benchTime(rnd.IntN(benchDays * 24 * 3600)), Segment: fmt.Sprintf("20260101000000000-%05d", n/1000),
				Offset: int64(n%1000) * 30_000, Length: 29_000, URL: url, Status: 200, Mime: "text/html", Digest: fmt.Sprintf("sha256:%052d", n), Kind: "response",
				RecordID: fmt.Sprintf("<urn:uuid:00000000-0000-4000-8000-%012d>", n), Outcome: "captured", Run: int64(n / 10_000),
			})
			if n++; len(batch) == cap(batch) {
				flush()
			}
		}
	}
	flush()
	b.Logf("%d rows of %d URLs in %s", benchRows, len(urls), time.Since(begun).Round(time.Second))
	return urls
}

// cpuTime is what the process has used, which tells more than the clock where others work, too.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// nowhere is a client that looks at the status alone.
type nowhere struct {
	head   http.Header
	status int
}

func (n *nowhere) Header() http.Header         { return n.head }
func (n *nowhere) WriteHeader(status int)      { n.status = status }
func (n *nowhere) Write(b []byte) (int, error) { return io.Discard.Write(b) }
