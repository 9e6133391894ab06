package main

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkRecrawl archives a whole documentation site twice into one archive, with nothing changed in between, and compares
// the second time with the first: the bytes that it adds, and its time. It fails if the two don't ask for the same pages.
func BenchmarkRecrawl(b *testing.B) {
	n := startNginx(b, docSites()[0])
	program := buildProgram(b)
	var first, again []bout
	for b.Loop() {
		for range pairs {
			dir := b.TempDir()
			once := runLinkstead(b, n, program, dir, nil, "--archive", dir)
			twice := runLinkstead(b, n, program, dir, nil, "--archive", dir)
			samePages(b, once.asked, twice.asked)
			twice.warc -= once.warc
			first, again = append(first, once), append(again, twice)
		}
	}
	wall := func(x bout) float64 { return x.wall.Seconds() }
	cpu := func(x bout) float64 { return x.cpu.Seconds() }
	size := func(x bout) float64 { return float64(x.warc) }
	b.ReportMetric(0, "ns/op") // the time of a pair says nothing
	b.ReportMetric(median(again, wall)/median(first, wall), "wall_ratio")
	b.ReportMetric(median(again, cpu)/median(first, cpu), "cpu_ratio")
	b.ReportMetric(median(again, size)/median(first, size), "warc_ratio")
	b.ReportMetric(float64(len(again[0].asked)), "urls")
	b.Logf("%d pairs; first: %.2f s, %.2f CPU s, WARC %.0f KB; again: %.2f s, %.2f CPU s, WARC %.0f KB", len(first),
		median(first, wall), median(first, cpu), median(first, size)/1000, median(again, wall), median(again, cpu), median(again, size)/1000)
}

// BenchmarkRecrawlHere is the second time within this process, for profiles: each iteration adds one more run to the archive.
func BenchmarkRecrawlHere(b *testing.B) {
	n := startNginx(b, docSites()[0])
	dir := b.TempDir()
	capture := func() {
		var said bytes.Buffer
		p := &program{args: siteArgs(n, "--archive", dir), getenv: func(string) string { return "" }, stdout: io.Discard, stderr: &said}
		if code := p.run(b.Context()); code != exitOK {
			b.Fatalf("exit %d\n%s", code, said.String())
		}
	}
	capture()
	b.ReportAllocs()
	for b.Loop() {
		capture()
	}
}
