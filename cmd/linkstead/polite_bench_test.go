package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crowd is many hosts on one loopback port, each with many small pages. It remembers when each was asked, and when it had
// answered.
type crowd struct {
	hosts, pages int
	port         string

	mu    sync.Mutex
	asked map[string][]time.Time // of pages, by host: when a request came
	over  map[string]time.Time   // when the answer to the last one was written
	early int                    // requests that came sooner after the answer before than the delay has it
	delay time.Duration
}

func newCrowd(b *testing.B, hosts, pages int, delay time.Duration) *crowd {
	b.Helper()
	c := &crowd{hosts: hosts, pages: pages, delay: delay, asked: map[string][]time.Time{}, over: map[string]time.Time{}}
	s := httptest.NewServer(c)
	b.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	_, c.port, _ = net.SplitHostPort(s.Listener.Addr().String())
	return c
}

func (c *crowd) name(i int) string { return fmt.Sprintf("h%d.test", i) }

func (c *crowd) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	came := time.Now()
	host, _, _ := strings.Cut(r.Host, ":")
	rw.Header().Set("Content-Type", "text/html")
	switch {
	case r.URL.Path == "/robots.txt":
		http.NotFound(rw, r)
	case host == "post.test":
		fmt.Fprint(rw, "<article>")
		for i := range c.hosts {
			for k := range c.pages {
				fmt.Fprintf(rw, `<a href="http://%s:%s/%d">x</a> `, c.name(i), c.port, k)
			}
		}
	default:
		fmt.Fprintf(rw, "<title>%s</title><p>A page of %s.", r.URL.Path, host)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.over[host]; ok && came.Sub(last) < c.delay {
		c.early++
	}
	c.over[host] = time.Now()
	if r.URL.Path != "/robots.txt" && host != "post.test" {
		c.asked[host] = append(c.asked[host], came)
	}
}

// rate is how much of the requests that the delays allow were made: of each host from its first page to its last.
func (c *crowd) rate(b *testing.B) float64 {
	b.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.early > 0 {
		b.Errorf("%d requests came too early", c.early)
	}
	var allowed, took float64
	for host, at := range c.asked {
		if len(at) != c.pages {
			b.Fatalf("%s was asked for %d pages, want %d", host, len(at), c.pages)
		}
		allowed += float64(len(at)-1) * c.delay.Seconds()
		took += at[len(at)-1].Sub(at[0]).Seconds()
	}
	if len(c.asked) != c.hosts {
		b.Fatalf("%d hosts were asked, want %d", len(c.asked), c.hosts)
	}
	return allowed / took
}

// BenchmarkPolite captures from 64 hosts politely: how near the program comes to the rate that the delays allow, and what
// its waiting costs. In "busy" that is a request every 1.6 ms; in "waiting" nearly nothing but waiting.
func BenchmarkPolite(b *testing.B) {
	program := buildProgram(b)
	for _, c := range []struct {
		name  string
		pages int
		delay time.Duration
	}{{"busy", 100, 100 * time.Millisecond}, {"waiting", 3, 5 * time.Second}} {
		b.Run(c.name, func(b *testing.B) {
			var rate, cpu, wall float64
			for b.Loop() {
				web, dir := newCrowd(b, 64, c.pages, c.delay), b.TempDir()
				args := []string{"capture", "--archive", filepath.Join(dir, "A"), "--allow-private", "--delay", c.delay.String(),
					"--concurrency", "64", "--links", "all", "--json", "--resolve", "post.test:" + web.port + ":127.0.0.1"}
				for i := range web.hosts {
					args = append(args, "--resolve", web.name(i)+":"+web.port+":127.0.0.1")
				}
				cmd := exec.Command(program, append(args, "http://post.test:"+web.port+"/")...)
				cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				begun := time.Now()
				if err := cmd.Run(); err != nil {
					b.Fatalf("%v\n%s", err, stderr.String())
				}
				took := time.Since(begun).Seconds()
				rate, wall = rate+web.rate(b), wall+took
				cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
			}
			b.ReportMetric(0, "ns/op") // it is the delays
			b.ReportMetric(100*rate/float64(b.N), "rate_%")
			b.ReportMetric(100*cpu/wall, "cpu_%")
			b.ReportMetric(wall/float64(b.N), "s/capture")
		})
	}
}
