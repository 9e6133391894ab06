package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"linkstead/archive/report"
)

// auditPages is how many pages of each documentation site the benchmark's list of links names at most.
const auditPages = 300

// BenchmarkAudit audits the post of 2016 and a list of links to the documentation sites, and asks for the same addresses by a
// plain loop of net/http with as many requests at the same time, turn by turn. What is told is the ratio of their rates, in
// addresses a second. The plain loop reads bodies to their end, as a client has to that wants to keep its connections; it asks for
// no robots.txt, retries nothing and judges nothing.
func BenchmarkAudit(b *testing.B) {
	n := startAleppo(b)
	post := filepath.Join(b.TempDir(), "post.html")
	src, err := os.ReadFile(aleppoHTML)
	if err != nil {
		b.Fatal(err)
	}
	list := auditList(b)
	if err := os.WriteFile(post, src, 0o644); err != nil {
		b.Fatal(err)
	}
	const atOnce = 8
	args := append([]string{"audit", "--json", "--fail-on", "none", "--allow-private", "--retries", "0", "--timeout", "10s",
		"--max-concurrency", fmt.Sprint(atOnce), "--per-host", fmt.Sprint(atOnce)}, n.resolve()...)
	args = append(args, post, list)
	var ours, whole, theirs []float64
	for b.Loop() {
		for range pairs {
			urls, asking, all := auditRate(b, args)
			ours, whole = append(ours, asking), append(whole, all)
			theirs = append(theirs, plainRate(b, n, urls, atOnce))
		}
	}
	b.ReportMetric(0, "ns/op") // the time of a pair says nothing
	b.ReportMetric(middle(ours)/middle(theirs), "rate_ratio")
	b.ReportMetric(middle(whole)/middle(theirs), "whole_ratio")
	b.Logf("%d pairs; audit: %.0f addresses/s, %.0f with reading and reporting; plain loop: %.0f", len(ours), middle(ours), middle(whole), middle(theirs))
}

// auditList is a document with links to pages of the documentation sites.
func auditList(b *testing.B) string {
	b.Helper()
	var text strings.Builder
	for _, site := range docSites() {
		found := 0
		err := filepath.WalkDir(site.root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".html") && found < auditPages {
				found++
				fmt.Fprintf(&text, "- http://%s%s\n", site.name, filepath.ToSlash(strings.TrimPrefix(path, site.root)))
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	name := filepath.Join(b.TempDir(), "list.md")
	if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	return name
}

// auditRate runs an audit, and tells which addresses it looked at and how many a second: from the first request to the end of the
// last, and with reading and reporting.
func auditRate(b *testing.B, args []string) (urls []string, asking, all float64) {
	b.Helper()
	var out, errs bytes.Buffer
	p := &program{args: args, getenv: func(string) string { return "" }, stdout: &out, stderr: &errs}
	began := time.Now()
	if code := p.run(b.Context()); code != exitOK {
		b.Fatalf("exit %d\n%s", code, errs.String())
	}
	took := time.Since(began)
	var got struct{ Sources []report.AuditSource }
	var first, last time.Time
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		b.Fatal(err)
	}
	for i := range got.Sources {
		for k := range got.Sources[i].Links {
			l := &got.Sources[i].Links[k]
			urls = append(urls, l.URL)
			if l.At == nil {
				continue
			}
			if first.IsZero() || l.At.Before(first) {
				first = *l.At
			}
			if end := l.At.Add(time.Duration(l.MS) * time.Millisecond); end.After(last) {
				last = end
			}
		}
	}
	n := float64(len(urls))
	return urls, n / last.Sub(first).Seconds(), n / took.Seconds()
}

// plainRate asks for addresses by a plain loop.
func plainRate(b *testing.B, n *nginx, urls []string, atOnce int) float64 {
	b.Helper()
	var d net.Dialer
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: atOnce,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if to, ok := n.addr[host]; ok && err == nil {
				addr = net.JoinHostPort(to, port)
			}
			return d.DialContext(ctx, network, addr)
		},
	}}
	defer client.CloseIdleConnections()
	began := time.Now()
	todo := make(chan string)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for url := range todo {
				resp, err := client.Get(url)
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	for _, u := range urls {
		todo <- u
	}
	close(todo)
	wg.Wait()
	return float64(len(urls)) / time.Since(began).Seconds()
}

func middle(xs []float64) float64 {
	v := make([]bout, len(xs))
	for i, x := range xs {
		v[i].wall = time.Duration(x * float64(time.Second))
	}
	return median(v, func(x bout) float64 { return x.wall.Seconds() })
}
