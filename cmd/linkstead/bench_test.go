package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/report"
	"linkstead/storage/storagetest"
)

// A bout is what one whole program took to archive the site.
type bout struct {
	wall, cpu time.Duration
	peak      int64          // bytes of memory, at most
	warc      int64          // bytes
	asked     map[string]int // requests by URL
}

// siteURL is the site that both programs archive.
const siteURL = "http://docs.python.test/"

// pairs are the bouts of each program in one iteration: enough for a median that leaves the cold first one out.
const pairs = 5

// BenchmarkSiteAgainstWget archives a whole documentation site with linkstead and with wget, turn by turn, and compares
// medians. Both are asked for all that the site has, without politeness, into gzipped WARCs. What is told are ratios to
// wget. It fails if the two don't find the same pages, or if linkstead asks for anything twice.
func BenchmarkSiteAgainstWget(b *testing.B) {
	n := startNginx(b, docSites()[0])
	program, hosts := buildProgram(b), hostsFile(b, n)
	var ours, theirs []bout
	for b.Loop() {
		for range pairs {
			theirs = append(theirs, runWget(b, n, hosts))
			dir := b.TempDir()
			ours = append(ours, runLinkstead(b, n, program, dir, nil, "--archive", dir))
		}
	}
	us, they := ours[len(ours)-1], theirs[len(theirs)-1]
	samePages(b, us.asked, they.asked)
	wall := func(x bout) float64 { return x.wall.Seconds() }
	cpu := func(x bout) float64 { return x.cpu.Seconds() }
	peak := func(x bout) float64 { return float64(x.peak) / (1 << 20) }
	size := func(x bout) float64 { return float64(x.warc) }
	b.ReportMetric(0, "ns/op") // the time of a pair says nothing
	b.ReportMetric(median(ours, wall)/median(theirs, wall), "wall_ratio")
	b.ReportMetric(median(ours, cpu)/median(theirs, cpu), "cpu_ratio")
	b.ReportMetric(median(ours, size)/median(theirs, size), "warc_ratio")
	b.ReportMetric(median(ours, peak), "peak_MB")
	b.ReportMetric(float64(len(us.asked)), "urls")
	b.Logf("%d pairs; linkstead: %.2f s, %.2f CPU s, %.0f MB, WARC %.0f KB; wget: %.2f s, %.2f CPU s, %.0f MB, WARC %.0f KB",
		len(ours), median(ours, wall), median(ours, cpu), median(ours, peak), median(ours, size)/1000,
		median(theirs, wall), median(theirs, cpu), median(theirs, peak), median(theirs, size)/1000)
}

func median(xs []bout, of func(bout) float64) float64 {
	var v []float64
	for _, x := range xs {
		v = append(v, of(x))
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// measure runs a program to its end. An exit code that is forgiven is none of its faults.
func measure(b *testing.B, n *nginx, cmd *exec.Cmd, forgiven ...int) bout {
	b.Helper()
	n.forget(b)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begun := time.Now()
	err := cmd.Run()
	x := bout{wall: time.Since(begun), asked: n.requests(b)}
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(forgiven, exit.ExitCode()) {
		err = nil
	}
	if err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	x.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	x.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024
	return x
}

// BenchmarkSiteOnServers archives the site into a folder with SQLite, and into S3 with PostgreSQL, turn by turn: what many
// machines cost one. The servers are real ones on this machine, and share its cores; PostgreSQL flushes each commit.
func BenchmarkSiteOnServers(b *testing.B) {
	n, s3, pg := startNginx(b, docSites()[0]), storagetest.S3(b), storagetest.Postgres(b)
	pg.Exec(b, "ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
	defer pg.Exec(b, "ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")
	program := buildProgram(b)
	var folder, servers []bout
	for b.Loop() {
		for range pairs {
			dir, bucket := b.TempDir(), s3.NewBucket(b)
			folder = append(folder, runLinkstead(b, n, program, dir, nil, "--archive", dir))
			servers = append(servers, runLinkstead(b, n, program, filepath.Join(s3.Folder, bucket), s3.Env(),
				"--archive", "s3://"+bucket, "--db", pg.DSN(b), "--spool", filepath.Join(b.TempDir(), "spool")))
		}
	}
	samePages(b, folder[0].asked, servers[0].asked)
	wall := func(x bout) float64 { return x.wall.Seconds() }
	cpu := func(x bout) float64 { return x.cpu.Seconds() }
	peak := func(x bout) float64 { return float64(x.peak) / (1 << 20) }
	b.ReportMetric(0, "ns/op") // the time of a pair says nothing
	b.ReportMetric(median(servers, wall)/median(folder, wall), "wall_ratio")
	b.ReportMetric(median(servers, cpu)/median(folder, cpu), "cpu_ratio")
	b.Logf("%d pairs; S3 and PostgreSQL: %.2f s, %.2f CPU s, %.0f MB; folder and SQLite: %.2f s, %.2f CPU s, %.0f MB", len(folder),
		median(servers, wall), median(servers, cpu), median(servers, peak), median(folder, wall), median(folder, cpu), median(folder, peak))
}

// siteArgs are the command line that captures the site: nothing beyond it, and without politeness.
func siteArgs(n *nginx, archive ...string) []string {
	return append(append([]string{"capture", "--allow-private", "--depth", "20", "--scope", "host",
		"--exclude", elsewhere, "--delay", "0s", "--per-host", "8", "--no-sitemaps", "--json"}, append(archive, n.resolve()...)...), siteURL)
}

// elsewhere are the links of the first page that lead to other sites; all of the site's own are plain.
const elsewhere = `^https:`

// BenchmarkSite is the same capture within this process, for profiles: go test -run '^$' -bench 'Site$' -cpuprofile cpu.
func BenchmarkSite(b *testing.B) {
	n := startNginx(b, docSites()[0])
	b.ReportAllocs()
	for b.Loop() {
		var said bytes.Buffer
		p := &program{args: siteArgs(n, "--archive", b.TempDir()), getenv: func(string) string { return "" }, stdout: io.Discard, stderr: &said}
		if code := p.run(b.Context()); code != exitOK {
			b.Fatalf("exit %d\n%s", code, said.String())
		}
	}
}

func buildProgram(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "linkstead")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// runLinkstead captures the site into an archive, whose WARCs come to lie below folder.
func runLinkstead(b *testing.B, n *nginx, program, folder string, env []string, archive ...string) bout {
	b.Helper()
	cmd := exec.Command(program, siteArgs(n, archive...)...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout = &out
	x := measure(b, n, cmd)
	x.warc = sizeOf(b, filepath.Join(folder, "warc", "*", "*.warc.gz"))
	var r report.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || !r.Complete() {
		b.Fatalf("linkstead: %v, %+v", err, r.Totals)
	}
	for url, k := range x.asked {
		if k > 1 {
			b.Errorf("linkstead asked for %s %d times", url, k)
		}
	}
	return x
}

// runWget runs wget in a mount namespace of its own, in which the hosts file leads to nginx: it has no --resolve.
func runWget(b *testing.B, n *nginx, hosts string) bout {
	b.Helper()
	dir := b.TempDir()
	cmd := exec.Command("unshare", "--mount", "sh", "-c", `mount --bind "$1" /etc/hosts && shift && exec "$@"`, "sh", hosts,
		"wget", "--quiet", "--mirror", "--page-requisites", "--no-timestamping", "--warc-file=site", siteURL)
	cmd.Dir = dir
	x := measure(b, n, cmd, 8) // 8: some page answered with an error
	x.warc = sizeOf(b, filepath.Join(dir, "*.warc.gz"))
	return x
}

// hostsFile is an /etc/hosts for wget alone.
func hostsFile(b *testing.B, n *nginx) string {
	b.Helper()
	for _, tool := range []string{"wget", "unshare", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Fatalf("%v\nThis benchmark compares with wget: apt-get install wget util-linux mount", err)
		}
	}
	if os.Getuid() != 0 {
		b.Fatal("Run this benchmark as root: wget gets a hosts file of its own by a mount namespace.")
	}
	text := "127.0.0.1 localhost\n"
	for h, a := range n.addr {
		text += a + " " + h + "\n"
	}
	name := filepath.Join(b.TempDir(), "hosts")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	return name
}

func sizeOf(b *testing.B, pattern string) (total int64) {
	b.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		b.Fatalf("%s: no WARC: %v", pattern, err)
	}
	for _, name := range names {
		st, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		total += st.Size()
	}
	return total
}

// samePages compares what the two asked for, but for robots.txt.
func samePages(b *testing.B, ours, theirs map[string]int) {
	b.Helper()
	lack := func(from, in map[string]int) (urls []string) {
		for _, u := range slices.Sorted(maps.Keys(from)) {
			if in[u] == 0 && !strings.HasSuffix(u, "/robots.txt") {
				urls = append(urls, u)
			}
		}
		return urls
	}
	if l := lack(theirs, ours); len(l) > 0 {
		b.Errorf("only wget asked for %v", l)
	}
	if l := lack(ours, theirs); len(l) > 0 {
		b.Errorf("only linkstead asked for %v", l)
	}
	if len(ours) < 550 {
		b.Errorf("only %d pages were found", len(ours))
	}
}
