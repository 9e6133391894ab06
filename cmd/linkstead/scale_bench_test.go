package main

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"linkstead/archive/warc"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// BenchmarkSiteRequests tells what a store is asked for: while the site is captured into it, and while each copy is read
// twice. docs/scale.md reckons with it. Segments are made small, or the whole site would be one.
func BenchmarkSiteRequests(b *testing.B) {
	n, s3 := startNginx(b, docSites()[0]), storagetest.S3(b)
	for b.Loop() {
		count := countRequests(b, s3.Endpoint)
		bucket, dir := s3.NewBucket(b), b.TempDir()
		dsn := "sqlite:" + filepath.Join(dir, "linkstead.db")
		env := map[string]string{
			"AWS_ACCESS_KEY_ID": s3.AccessKey, "AWS_SECRET_ACCESS_KEY": s3.SecretKey, "AWS_REGION": "us-east-1",
			"AWS_ENDPOINT_URL": count.url, "LINKSTEAD_SEGMENT_SIZE": "1MiB",
		}
		var said bytes.Buffer
		p := &program{
			args:   siteArgs(n, "--archive", "s3://"+bucket, "--db", dsn, "--spool", filepath.Join(dir, "spool")),
			getenv: func(k string) string { return env[k] }, stdout: io.Discard, stderr: &said,
		}
		if code := p.run(b.Context()); code != exitOK {
			b.Fatalf("exit %d\n%s", code, said.String())
		}
		asked := count.taken()
		db := storagetest.OpenRows(b, dsn, nil)
		segments, captures := stored(b, db)
		b.ReportMetric(float64(len(segments)), "segments")
		for _, method := range []string{"PUT", "GET", "HEAD", "POST", "DELETE"} {
			b.ReportMetric(float64(asked[method]), method+"/site")
		}
		if asked["PUT"] < len(segments) {
			b.Fatalf("%d segments by %d PUTs", len(segments), asked["PUT"])
		}
		var size int64
		for _, s := range segments {
			size += s.Size
		}
		b.ReportMetric(float64(size)/float64(len(captures)), "B/capture")

		o := s3.Options()
		o.S3.Endpoint = count.url
		blobs, err := storage.OpenBlobs(b.Context(), "s3://"+bucket, o)
		if err != nil {
			b.Fatal(err)
		}
		lib := &warc.Library{Shelves: db, Blobs: blobs}
		count.taken()
		for _, pass := range []string{"cold", "hot"} {
			for _, c := range captures {
				readCopy(b, lib, c)
			}
			asked := count.taken()
			b.ReportMetric(float64(asked["GET"]+asked["HEAD"])/float64(len(captures)), pass+"_asked/copy")
		}
		_ = blobs.Close() // it can't fail
	}
	b.ReportMetric(0, "ns/op") // the counts are what matters
}

func stored(b *testing.B, db *storage.DB) (segments []storage.Segment, captures []storage.Capture) {
	b.Helper()
	segments, err := db.Segments(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range segments {
		for c, err := range db.SegmentCaptures(b.Context(), s.ID) {
			if err != nil || s.State != storage.SegmentStored {
				b.Fatal(s, err)
			}
			captures = append(captures, c)
		}
	}
	if len(captures) < 550 {
		b.Fatalf("%d captures", len(captures))
	}
	return segments, captures
}

func readCopy(b *testing.B, lib *warc.Library, c storage.Capture) {
	b.Helper()
	m, err := lib.Open(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, m.Payload); err != nil {
		b.Fatal(err)
	}
	if err := m.Close(); err != nil {
		b.Fatal(err)
	}
}

// A counter stands before a store and counts what it is asked for, by method.
type counter struct {
	url string
	mu  sync.Mutex
	n   map[string]int
}

func countRequests(b *testing.B, endpoint string) *counter {
	b.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		b.Fatal(err)
	}
	c := &counter{n: map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.n[r.Method]++
		c.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	b.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

// taken are the requests since the last time.
func (c *counter) taken() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := maps.Clone(c.n)
	clear(c.n)
	return n
}
