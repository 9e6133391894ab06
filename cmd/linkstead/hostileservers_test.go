package main

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mccutchen/go-httpbin/v2/httpbin"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch/fetchtest"
	"linkstead/storage/storagetest"
)

// hostileLimits are settings under which every case ends soon, and none ends that would have come to its end by itself on a
// busy machine.
const hostileLimits = `
concurrency: 200
robots: ignore
deny_networks: [127.0.0.77]
limits:
  connect: 8s
  headers: 8s
  total: 10s
  bytes: 256KiB
`

// hostileLink is a link of the post, and what has to become of it.
type hostileLink struct {
	url     string
	outcome outcome.Outcome
	status  int
	c       *fetchtest.Case
}

// hostilePost is a post that links to every server that does something wrong.
type hostilePost struct {
	t     *testing.T
	links []hostileLink
	args  []string
}

func (p *hostilePost) lead(host, addr string) string {
	p.t.Helper()
	ip, port, err := net.SplitHostPort(addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.args = append(p.args, "--resolve", host+":"+port+":"+ip)
	return host + ":" + port
}

func (p *hostilePost) add(url string, o outcome.Outcome, status int) {
	p.links = append(p.links, hostileLink{url: url, outcome: o, status: status})
}

// cases start a raw server for each way of being hostile.
func (p *hostilePost) cases() {
	p.t.Helper()
	cases, err := fetchtest.Cases()
	if err != nil {
		p.t.Fatal(err)
	}
	loop := fetchtest.Case{Name: "turning", Script: fetchtest.Script{Raw: "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"}, Outcome: outcome.Loop}
	for _, c := range append(cases, loop) {
		srv, err := fetchtest.Start(c.Script)
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() {
			if err := srv.Close(); err != nil {
				p.t.Error(err)
			}
		})
		_, port, _ := strings.Cut(p.lead(c.Host(), srv.Addr), ":")
		p.links = append(p.links, hostileLink{url: c.URL(port), outcome: c.Outcome, c: &c})
	}
}

// peers are an honest server of oddities, and a network before it that breaks.
func (p *hostilePost) peers() {
	p.t.Helper()
	bin := httptest.NewServer(httpbin.New(httpbin.WithMaxBodySize(1 << 20)))
	p.t.Cleanup(func() { bin.CloseClientConnections(); bin.Close() })
	addr := bin.Listener.Addr().String()
	at := "http://" + p.lead("httpbin.test", addr)
	for path, status := range map[string]int{
		"/status/404": 404, "/status/503": 503, "/redirect/3": 200, "/gzip": 200, "/deflate": 200, "/stream/5": 200, "/encoding/utf8": 200,
		"/bytes/1000": 200, "/stream-bytes/2000": 200, "/drip?numbytes=5&duration=0.1&delay=0": 200, "/status/418": 418, "/base64/aGVsbG8=": 200,
	} {
		p.add(at+path, outcome.Captured, status)
	}
	for _, x := range []struct {
		kind       string
		attributes map[string]int
		outcome    outcome.Outcome
	}{
		{"limit_data", map[string]int{"bytes": 600}, outcome.CutShort},
		{"reset_peer", map[string]int{"timeout": 0}, outcome.Reset},
		{"timeout", map[string]int{"timeout": 0}, outcome.Timeout},
		{"slicer", map[string]int{"average_size": 10, "size_variation": 5, "delay": 10}, outcome.Captured},
		{"latency", map[string]int{"latency": 300}, outcome.Captured},
	} {
		proxy := storagetest.NewProxy(p.t, addr)
		proxy.Toxic(x.kind, "downstream", x.attributes)
		p.add("http://"+p.lead(strings.ReplaceAll(x.kind, "_", "-")+".test", proxy.Addr)+"/bytes/4000?seed=7", x.outcome, 0)
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.add("http://"+p.lead("denied.test", "127.0.0.77:81")+"/", outcome.Private, 0)
	p.add("http://no-such-host.invalid/", outcome.DNS, 0)
	p.add("http://"+p.lead("refused.test", dead.Addr().String())+"/", outcome.Refused, 0)
	if err := dead.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// TestHostileServers: a post links to servers that do everything wrong. Every link has the outcome that it should have, with
// its evidence, and what was written is right.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	p := &hostilePost{t: t}
	p.cases()
	p.peers()
	dir := t.TempDir()
	var post strings.Builder
	post.WriteString("<!doctype html><title>Hostile</title><article>")
	for i, l := range p.links {
		fmt.Fprintf(&post, "<p>See <a href=%q>%d</a>.</p>\n", l.url, i)
	}
	config := filepath.Join(dir, "hostile.yaml")
	name := filepath.Join(dir, "post.html")
	for file, text := range map[string]string{config: hostileLimits, name: post.String()} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(dir, "A")
	r := captureReport(t, archive, append(p.args, "--config", config, name)...)
	if len(r.Links) != len(p.links) || r.Totals.Pending != 0 {
		t.Errorf("%d links, %d of them pending; want %d, 0", len(r.Links), r.Totals.Pending, len(p.links))
	}
	byURL := map[string]*report.Link{}
	for i := range r.Links {
		byURL[r.Links[i].URL] = &r.Links[i]
	}
	told := closingsOf(t, archive)
	for _, want := range p.links {
		got := byURL[want.url]
		if got == nil {
			t.Errorf("%s is no link", want.url)
			continue
		}
		if got.Outcome != string(want.outcome) || want.status != 0 && got.Status != want.status {
			t.Errorf("%s: %s %d (%s), want %s %d", want.url, got.Outcome, got.Status, got.Detail, want.outcome, want.status)
		}
		if tried := len(got.Attempts) == 1 && strings.Contains(got.Attempts[0].Address, "/attempts/"); !want.outcome.Kept() && want.outcome != outcome.Loop && !tried {
			t.Errorf("%s: no attempt to cite: %+v", want.url, got.Attempts)
		}
		if want.c != nil {
			toldOf(t, want.c, told[want.url])
		}
	}
	if err := strictRead(archive); err != nil {
		t.Error(err)
	}
}

// toldOf holds the closing record of a case to what it should tell.
func toldOf(t *testing.T, want *fetchtest.Case, got *warc.Closing) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: no closing record", want.Name)
		return
	}
	fault := ""
	if got.TLS != nil {
		fault = got.TLS.Fault
	}
	if got.Cause.Phase != want.Phase || got.Truncated != want.Truncated || !strings.HasPrefix(fault, want.Fault) ||
		!strings.HasPrefix(string(got.Cause.Offending), want.Offending) {
		t.Errorf("%s: phase %q, truncated %q, TLS fault %q, offending %q; want %q, %q, %q, %q", want.Name, got.Cause.Phase, got.Truncated,
			fault, got.Cause.Offending, want.Phase, want.Truncated, want.Fault, want.Offending)
	}
	if !want.Outcome.Kept() && !strings.HasPrefix(string(got.Evidence), want.Kept) {
		t.Errorf("%s: evidence %.100q, want %.100q", want.Name, got.Evidence, want.Kept)
	}
}

// closingsOf are the closing records of an archive, by address.
func closingsOf(t *testing.T, archive string) map[string]*warc.Closing {
	t.Helper()
	out := map[string]*warc.Closing{}
	names, err := filepath.Glob(filepath.Join(archive, "warc", "*", "*.warc.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		for u, err := range warc.Exchanges(f, 0, st.Size()) {
			if err != nil {
				t.Fatal(err)
			}
			if u.Closing != nil {
				out[u.URL()] = u.Closing
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
