package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/net/html"
)

// docs are where Debian's packages put the pages of the documentation sites that localweb serves.
var docs = map[string]string{
	"http://docs.python.test/": "/usr/share/doc/python3.11/html",
	"http://pg.test/":          "/usr/share/doc/postgresql-doc-15/html",
	"http://git.test/":         "/usr/share/doc/git-doc",
}

// benchPages is how many of them are replayed.
const benchPages = 700

// benchPage is one page as a server sent it.
type benchPage struct {
	url    string
	zipped []byte
	size   int
}

// docPages reads distinct pages, an equal part from all over each site.
func docPages(b *testing.B) []benchPage {
	b.Helper()
	var all []benchPage
	seen := map[string]bool{}
	for _, site := range []string{"http://docs.python.test/", "http://pg.test/", "http://git.test/"} {
		var names []string
		must(b, filepath.WalkDir(docs[site], func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".html") {
				return err
			}
			names = append(names, path)
			return nil
		}))
		slices.Sort(names)
		for _, name := range names {
			src, err := os.ReadFile(name)
			must(b, err)
			if len(src) == 0 || seen[string(src)] {
				continue
			}
			seen[string(src)] = true
			rel, err := filepath.Rel(docs[site], name)
			must(b, err)
			all = append(all, benchPage{url: site + rel, zipped: []byte(zipped(string(src))), size: len(src)})
		}
	}
	if len(all) < benchPages {
		b.Fatalf("%d pages: install python3-doc, postgresql-doc-15 and git-doc (apt-get install …)", len(all))
	}
	list := make([]benchPage, benchPages)
	for i := range list {
		list[i] = all[i*len(all)/benchPages]
	}
	return list
}

// cpu is the time that this process has spent on the processors.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// discard is a client that reads nothing into memory.
type discard struct {
	header http.Header
	status int
	n      int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(n int)   { d.status = n }
func (d *discard) Write(p []byte) (int, error) {
	d.n += len(p)
	return len(p), nil
}

// BenchmarkReplayPages replays 700 distinct pages, each captured in gzip, and compares the processor's time with what it takes
// to gunzip and tokenise the same pages by x/net/html, in turns. Then eight connections ask for them over TCP.
func BenchmarkReplayPages(b *testing.B) {
	a := newArchive(b)
	list := docPages(b)
	size := 0
	for _, p := range list {
		a.page(p.url, "text/html; charset=utf-8", string(p.zipped), "Content-Encoding: gzip")
		size += p.size
	}
	must(b, a.journal.FlushAll(b.Context()))
	b.SetBytes(int64(size))
	var ours, yard time.Duration
	for b.Loop() {
		begin := cpu(b)
		for _, p := range list {
			replayOne(b, a, p.url)
		}
		runtime.GC()
		middle := cpu(b)
		for _, p := range list {
			tokenise(b, p.zipped)
		}
		runtime.GC()
		ours, yard = ours+middle-begin, yard+cpu(b)-middle
	}
	urls := make([]string, len(list))
	for i, p := range list {
		urls[i] = p.url
	}
	clear(list)
	runtime.GC()
	took, peak := connections(b, a, urls)
	b.ReportMetric(float64(ours)/float64(yard), "x-gunzip+tokenise")
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N*len(urls)), "µs-cpu/page")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
	b.ReportMetric(float64(peak)/1e6, "MB-peak")
}

func replayOne(b *testing.B, a *testArchive, url string) {
	r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
	r.RequestURI, r.Host = "/web/"+stamp+"/"+url, strings.TrimPrefix(testOrigin, "http://")
	w := &discard{header: http.Header{}}
	a.handler.ServeHTTP(w, r)
	if w.status != http.StatusOK || w.n == 0 {
		b.Fatalf("%s: %d, %d bytes", url, w.status, w.n)
	}
}

func tokenise(b *testing.B, zipped []byte) {
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	must(b, err)
	t := html.NewTokenizer(z)
	for t.Next() != html.ErrorToken {
	}
	if !errors.Is(t.Err(), io.EOF) {
		b.Fatal(t.Err())
	}
}

// connections asks for all pages over eight connections, and tells how long each took, in order, and how many bytes the
// process held at most.
func connections(b *testing.B, a *testArchive, urls []string) ([]time.Duration, uint64) {
	server := httptest.NewUnstartedServer(a.handler)
	server.Start()
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	must(b, err)
	a.handler.Origin = "http://127.0.0.1:" + port
	defer func() { a.handler.Origin = testOrigin }()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	var (
		mu   sync.Mutex
		took []time.Duration
		wg   sync.WaitGroup
	)
	next := make(chan string)
	for range 8 {
		wg.Go(func() {
			for url := range next {
				begin := time.Now()
				if err := fetchOne(b.Context(), client, a.handler.Origin+"/web/"+stamp+"/"+url); err != nil {
					b.Error(err)
				}
				mu.Lock()
				took = append(took, time.Since(begin))
				mu.Unlock()
			}
		})
	}
	peak := uint64(0)
	for i, url := range append(slices.Clone(urls[:64]), urls...) { // the first warm the connections up
		if i == 64 {
			mu.Lock()
			took = took[:0]
			mu.Unlock()
		}
		next <- url
		if i%16 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse+m.MSpanInuse+m.MCacheInuse+m.GCSys)
		}
	}
	close(next)
	wg.Wait()
	slices.Sort(took)
	return took, peak
}

func fetchOne(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || n == 0) {
		err = fmt.Errorf("%s: %s, %d bytes", url, res.Status, n)
	}
	return err
}
