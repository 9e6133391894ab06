package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// giants are answers that are as big as they like, once decoded or on the wire.
var giants = []struct {
	name, mime string
	unit       string // what the body repeats
	size       int64  // bytes of it
	gzipped    bool
	limit      string // of a response's bytes; "": the default
}{
	{name: "body_capped", mime: "application/octet-stream", unit: "\x00", size: 5 << 30},
	{name: "body_whole", mime: "application/octet-stream", unit: "\x00", size: 5 << 30, limit: "6GiB"},
	{name: "bomb_html", mime: "text/html", unit: " ", size: 400 << 20, gzipped: true},
	{name: "bomb_links", mime: "text/html", unit: `<a href="/x">x</a> `, size: 400 << 20, gzipped: true},
	{name: "bomb_nested", mime: "text/html", unit: `<div>`, size: 400 << 20, gzipped: true},
	{name: "page_of_links", mime: "text/html", unit: `<a href="/x">x</a> `, size: 40 << 20},
	{name: "page_of_elements", mime: "text/html", unit: `<p>`, size: 40 << 20},
	{name: "page_of_text", mime: "text/html", unit: `word `, size: 40 << 20},
	{name: "endless_links", mime: "text/html", unit: `<a href="/x">x</a> `, size: 5 << 30},
	{name: "endless_elements", mime: "text/html", unit: `<p>`, size: 5 << 30},
	{name: "endless_text", mime: "text/html", unit: `word `, size: 5 << 30},
	{name: "reopened_elements", mime: "text/html", unit: `<p><b><i>`, size: 3 << 20},
	{name: "bomb_css", mime: "text/css", unit: `a{b:url(/x)}`, size: 400 << 20, gzipped: true},
}

// BenchmarkGiants captures a page with one small link, then with a link to a giant, and then the giant as the post itself: what
// the giant costs in memory, by the process's own high-water mark, medians of three.
func BenchmarkGiants(b *testing.B) {
	program := buildProgram(b)
	for _, g := range giants {
		b.Run(g.name, func(b *testing.B) {
			body := repeated(g.unit, g.size)
			packed := func() io.Reader { return body() }
			if g.gzipped {
				var buf bytes.Buffer
				z := gzip.NewWriter(&buf)
				if _, err := io.Copy(z, body()); err != nil || z.Close() != nil {
					b.Fatal(err)
				}
				packed = func() io.Reader { return bytes.NewReader(buf.Bytes()) }
			}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				switch r.URL.Path {
				case "/small":
					_, _ = io.WriteString(w, `<p>A post with <a href="/tiny">a link</a>.`)
				case "/big":
					_, _ = io.WriteString(w, `<p>A post with <a href="/giant">a link</a>.`)
				case "/giant":
					w.Header().Set("Content-Type", g.mime)
					if g.gzipped {
						w.Header().Set("Content-Encoding", "gzip")
					}
					_, _ = io.Copy(w, packed())
				default:
					_, _ = io.WriteString(w, "tiny")
				}
			}))
			defer srv.Close()
			var small, link, post, tight []bout
			for b.Loop() {
				for range 3 {
					small = append(small, captureGiant(b, program, srv.URL+"/small", g.limit))
					link = append(link, captureGiant(b, program, srv.URL+"/big", g.limit))
					if g.mime == "text/html" {
						post = append(post, captureGiant(b, program, srv.URL+"/giant", g.limit))
						tight = append(tight, captureGiant(b, program, srv.URL+"/giant", g.limit, "--max-memory", "128MiB"))
					}
				}
			}
			base := median(small, peakMB)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(base, "small_MB")
			b.ReportMetric(median(link, peakMB)-base, "as_link_MB_more")
			if len(post) > 0 {
				b.ReportMetric(median(post, peakMB)-base, "as_post_MB_more")
				b.ReportMetric(median(tight, peakMB), "as_post_of_128_MB")
			}
		})
	}
}

// repeated is a body of size bytes that repeats unit.
func repeated(unit string, size int64) func() io.Reader {
	block := []byte(strings.Repeat(unit, 1<<16/len(unit)))
	return func() io.Reader { return io.LimitReader(endless(block), size) }
}

type endless []byte

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && n < 1<<20 {
		k := copy(p[n:], e)
		if k < len(e) && n > 0 {
			break
		}
		n += k
	}
	return n, nil
}

// BenchmarkMaxMemory captures a post that links to 64 pages of 3 MB on 16 hosts, with and without a bound of memory: the process's
// own high-water mark.
func BenchmarkMaxMemory(b *testing.B) {
	program := buildProgram(b)
	page := []byte(strings.Repeat(`<p>A paragraph with <a href="/x">a link</a> and <img src=/i.png> a picture.`, 40_000))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/post":
			for i := range 64 {
				fmt.Fprintf(w, `<p>A <a href="http://h%d.test:%s/p%d">link</a>.`, i%16, port(r.Host), i)
			}
		case strings.HasPrefix(r.URL.Path, "/p"):
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(page)
		default:
			_, _ = io.WriteString(w, "tiny")
		}
	}))
	defer srv.Close()
	var args []string
	for i := range 16 {
		args = append(args, "--resolve", fmt.Sprintf("h%d.test:%s:127.0.0.1", i, port(srv.Listener.Addr().String())))
	}
	var with, without []bout
	for b.Loop() {
		for range 3 {
			with = append(with, captureGiant(b, program, srv.URL+"/post", "", append(args, "--max-memory", "128MiB")...))
			without = append(without, captureGiant(b, program, srv.URL+"/post", "", args...))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(with, peakMB), "of_128_MB")
	b.ReportMetric(median(without, peakMB), "unbound_MB")
	b.ReportMetric(median(with, wallS)/median(without, wallS), "wall_ratio")
}

// BenchmarkMaxMemoryOfLinks captures a post that links to a page of 100,000 links on each of 16 hosts, with and without a bound of
// memory: what links take is many times the page's own length.
func BenchmarkMaxMemoryOfLinks(b *testing.B) {
	program := buildProgram(b)
	var page strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&page, `<a href="/x%d?%s">a</a>`, i, strings.Repeat("q", 40))
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		switch r.URL.Path {
		case "/post":
			for i := range 16 {
				fmt.Fprintf(w, `<p>A <a href="http://h%d.test:%s/long">link</a>.`, i, port(r.Host))
			}
		case "/long":
			_, _ = io.WriteString(w, page.String())
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer srv.Close()
	var args []string
	for i := range 16 {
		args = append(args, "--resolve", fmt.Sprintf("h%d.test:%s:127.0.0.1", i, port(srv.Listener.Addr().String())))
	}
	var with, without []bout
	for b.Loop() {
		for range 3 {
			with = append(with, captureGiant(b, program, srv.URL+"/post", "", append(args, "--max-memory", "128MiB")...))
			without = append(without, captureGiant(b, program, srv.URL+"/post", "", args...))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(with, peakMB), "of_128_MB")
	b.ReportMetric(median(without, peakMB), "unbound_MB")
}

// BenchmarkMaxMemoryOfOne captures what one document asks most memory for, with and without a bound of memory: a compressed
// sitemap of eight million entries, a paper with 300,000 annotations, a page whose elements are opened anew in each paragraph.
func BenchmarkMaxMemoryOfOne(b *testing.B) {
	program := buildProgram(b)
	var sitemap bytes.Buffer
	z := gzip.NewWriter(&sitemap)
	_, _ = io.WriteString(z, `<?xml version="1.0"?><urlset>`)
	_, _ = io.Copy(z, repeated("<url><loc>/page</loc></url>\n", 8_000_000*28)())
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	paper := "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]>>endobj 3 0 obj<</Type/Page/Annots[" +
		strings.Repeat("<</Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(/page)>>>>", 300_000) + "]>>endobj trailer<</Root 1 0 R>>"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			_, _ = io.WriteString(w, "Sitemap: /map.xml.gz\n")
		case "/map.xml.gz":
			_, _ = w.Write(sitemap.Bytes())
		case "/paper.pdf":
			w.Header().Set("Content-Type", "application/pdf")
			_, _ = io.WriteString(w, paper)
		case "/reopened":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.Copy(w, repeated("<p><b><i>", 3<<20)())
		default:
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<p>tiny")
		}
	}))
	defer srv.Close()
	for name, args := range map[string][]string{"sitemap": {"/", "--depth", "3"}, "annotations": {"/paper.pdf"}, "reopened": {"/reopened"}} {
		b.Run(name, func(b *testing.B) {
			var with, without []bout
			for b.Loop() {
				for range 3 {
					with = append(with, captureGiant(b, program, srv.URL+args[0], "", append(args[1:], "--max-memory", "128MiB")...))
					without = append(without, captureGiant(b, program, srv.URL+args[0], "", args[1:]...))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(with, peakMB), "of_128_MB")
			b.ReportMetric(median(without, peakMB), "unbound_MB")
		})
	}
}

func peakMB(x bout) float64 { return float64(x.peak) / (1 << 20) }
func wallS(x bout) float64  { return x.wall.Seconds() }

func port(hostPort string) string { return hostPort[strings.LastIndexByte(hostPort, ':')+1:] }

func captureGiant(b *testing.B, program, url, limit string, args ...string) bout {
	b.Helper()
	cmd := exec.Command(program, append([]string{"capture", "--allow-private", "--delay", "0s", "--archive", b.TempDir(), "--links", "all", url}, args...)...)
	cmd.Env = os.Environ()
	if limit != "" {
		cmd.Env = append(cmd.Env, "LINKSTEAD_LIMITS_BYTES="+limit)
	}
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begun := time.Now()
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() > 2 {
		b.Fatalf("%v\n%s", err, out.String())
	}
	if os.Getenv("GIANTS_SAY") != "" {
		fmt.Fprintln(os.Stderr, url, time.Since(begun), out.String())
	}
	return bout{wall: time.Since(begun), peak: cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024}
}

// BenchmarkFrontierMemory lets a worker work for ten seconds on a thousand hosts with a hundred addresses each, of which almost all
// wait, and on the same hosts with one each: what waits costs rows, not memory.
func BenchmarkFrontierMemory(b *testing.B) {
	program := buildProgram(b)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "tiny") }))
	defer srv.Close()
	var few, many []bout
	for b.Loop() {
		for range 3 {
			few = append(few, workOn(b, program, port(srv.Listener.Addr().String()), 1))
			many = append(many, workOn(b, program, port(srv.Listener.Addr().String()), 100))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(few, peakMB), "1000_urls_MB")
	b.ReportMetric(median(many, peakMB), "100000_urls_MB")
}

// workOn works for ten seconds on a thousand hosts.
func workOn(b *testing.B, program, port string, each int) bout {
	b.Helper()
	const hosts = 1000
	dir := b.TempDir()
	db := storagetest.OpenRows(b, "sqlite:"+filepath.Join(dir, "linkstead.db"), nil)
	spec := scope.Default()
	spec.Source, spec.AllowPrivate, spec.DelayMS, spec.Robots = "http://h0.test:"+port+"/", true, 60_000, scope.RobotsIgnore
	for i := range hosts {
		spec.Resolve = append(spec.Resolve, fmt.Sprintf("h%d.test:%s:127.0.0.1", i, port))
	}
	r, _, err := crawler.Begin(b.Context(), db, spec, nil, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for i := range hosts {
		var tasks []storage.Task
		for k := range each {
			url := fmt.Sprintf("http://h%d.test:%s/%d", i, port, k)
			tasks = append(tasks, storage.Task{Host: urlkey.Host(url), Run: r.ID, ID: urlkey.PageID(url), URL: url, Kind: string(scope.KindPage), Hops: "L", Depth: 1, Due: 10})
		}
		if _, err := db.Enqueue(b.Context(), tasks); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "work", "--archive", dir, "--concurrency", "64")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 0 {
		b.Fatalf("%v\n%s", err, said.String())
	}
	return bout{peak: cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024}
}
