package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/outcome"
)

// TestStale lets a server close kept-alive connections without a word. Only the last attempt's bytes are kept.
func TestStale(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, secure := range []bool{false, true} {
		var asked atomic.Int64
		s := serve(t, secure, func(path string, _ []byte) reply {
			asked.Add(1)
			switch path {
			case "/then-close":
				return reply{raw: ok, close: true}
			case "/stale-once":
				if asked.Load() == 2 {
					return reply{close: true} // the request came, and the connection died
				}
			}
			return reply{raw: ok}
		})
		w := recorder(t, &Recorder{}).Worker()
		fetch(t, w, Request{URL: s.url("/")})
		x, _ := fetch(t, w, Request{URL: s.url("/stale-once"), Header: http.Header{"X-Id": {"a"}}})
		if x.Outcome != outcome.Captured || response(t, x) != ok || !bytes.Equal(x.Request, s.request("a")) {
			t.Errorf("tls=%v: %s (%s), response %q", secure, x.Outcome, x.Detail, response(t, x))
		}
		if n := asked.Load(); n != 3 {
			t.Errorf("tls=%v: asked %d times, want 3", secure, n)
		}
		for range 20 {
			if x, _ := fetch(t, w, Request{URL: s.url("/then-close")}); x.Outcome != outcome.Captured {
				t.Errorf("tls=%v: %s (%s)", secure, x.Outcome, x.Detail)
			}
		}
	}
}

// TestOutOfTurn drops a kept-alive connection on which bytes came that nobody asked for.
func TestOutOfTurn(t *testing.T) {
	said := make(chan struct{})
	gate := make(chan struct{})
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	var late io.Writer
	r := recorder(t, &Recorder{})
	s := serve(t, false, always(reply{raw: ok}))
	w := r.Worker()
	fetch(t, w, Request{URL: s.url("/")})
	s.mu.Lock()
	for c := range s.conns {
		late = c
	}
	s.mu.Unlock()
	go func() {
		<-gate
		_, _ = io.WriteString(late, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
		close(said)
	}()
	close(gate)
	<-said
	c := r.idle.hosts["http://"+s.addr][0]
	for deadline := time.Now().Add(5 * time.Second); quiet(c.raw); {
		if time.Now().After(deadline) {
			t.Fatal("the late bytes never came")
		}
	}
	x, _ := fetch(t, w, Request{URL: s.url("/")})
	if x.Head.Status != 200 || response(t, x) != ok {
		t.Errorf("response %q", response(t, x))
	}
	if n := s.dialled(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// bundled sends all that is written in one piece, once it is flushed.
type bundled struct {
	net.Conn
	hold bool
	b    bytes.Buffer
}

func (c *bundled) Write(p []byte) (int, error) {
	if c.hold {
		return c.b.Write(p)
	}
	return c.Conn.Write(p)
}

// TestBundled counts garbage that comes in a TLS record of its own, but together with the response's end: TLS has read it
// ahead, and the next exchange on that connection would take it for its response.
func TestBundled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config, _ := certificate(t)
	var wg sync.WaitGroup
	var dials atomic.Int64
	wg.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			wg.Go(func() {
				defer func() { _ = raw.Close() }()
				b := &bundled{Conn: raw}
				c := tls.Server(b, config)
				for {
					if _, err := c.Read(make([]byte, 4096)); err != nil {
						return
					}
					b.hold = true
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					_, _ = io.WriteString(c, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
					b.hold = false
					_, _ = b.b.WriteTo(raw)
				}
			})
		}
	})
	r := recorder(t, &Recorder{})
	w := r.Worker()
	for range 3 {
		x, _ := fetch(t, w, Request{URL: "https://" + l.Addr().String() + "/"})
		if x.Head.Status != 200 || x.Excess != 38 || x.Payload.Size != 2 {
			t.Errorf("status %d, excess %d", x.Head.Status, x.Excess)
		}
	}
	if n := dials.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	_ = l.Close()
	wg.Wait()
}

// TestTiming tells the phases of a new connection, and none of dialling on a kept-alive one.
func TestTiming(t *testing.T) {
	s := serve(t, true, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	w := recorder(t, &Recorder{}).Worker()
	x, _ := fetch(t, w, Request{URL: s.url("/")})
	if g := x.Timing; g.Connect <= 0 || g.TLS <= 0 || g.FirstByte <= 0 || g.Total < g.Connect+g.TLS+g.FirstByte {
		t.Errorf("new: %+v", g)
	}
	x, _ = fetch(t, w, Request{URL: s.url("/")})
	if g := x.Timing; g.DNS+g.Connect+g.TLS != 0 || g.FirstByte <= 0 || g.Total < g.FirstByte {
		t.Errorf("kept alive: %+v", g)
	}
}

// TestIdle bounds the kept-alive connections, by host, in all and by age.
func TestIdle(t *testing.T) {
	r := recorder(t, &Recorder{IdlePerHost: 2, IdleTotal: 3})
	r.init()
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	dial := func(u string) *conn {
		to, err := parseTarget(u)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := fetch(t, r.Worker(), Request{URL: u}) // leaves one idle
		c := r.idle.get(to.key())
		if c == nil {
			t.Fatalf("%s: %s, no connection was kept", u, x.Outcome)
		}
		return c
	}
	a, b, c := dial(s.url("/")), dial(s.url("/")), dial(s.url("/"))
	for _, c := range []*conn{a, b, c} {
		r.idle.put(c)
	}
	if n := len(r.idle.hosts[a.key]); n != 2 {
		t.Errorf("%d connections kept for the host, want 2", n)
	}
	r.idle.expire(a)
	if n := len(r.idle.hosts[a.key]); n != 1 || r.idle.n != 1 {
		t.Errorf("%d connections after one has expired, want 1", n)
	}
	r.Close()
	if r.idle.n != 0 || r.idle.get(a.key) != nil {
		t.Error("connections after the end")
	}
}

// TestConcurrent makes thousands of exchanges over kept-alive connections, some of which die, and compares every byte of
// each with what the server got and sent.
func TestConcurrent(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) { concurrent(t, secure) })
	}
}

func concurrent(t *testing.T, secure bool) {
	const workers, each = 48, 50
	sent := sync.Map{} // X-Id → the raw reply
	s := serve(t, secure, func(path string, head []byte) reply {
		_, id, _ := strings.Cut(string(head), "X-Id: ")
		id, _, _ = strings.Cut(id, "\r\n")
		r := randomReply(id, path)
		sent.Store(id, r.raw)
		return r
	})
	r := recorder(t, &Recorder{Limits: Limits{Memory: 8 << 10}, IdlePerHost: workers})
	var wg sync.WaitGroup
	var mismatches atomic.Int64
	for i := range workers {
		wg.Go(func() {
			w := r.Worker()
			for j := range each {
				id := fmt.Sprintf("%d-%d", i, j)
				if why := exchangeOnce(w, s, &sent, id, j); why != "" {
					if mismatches.Add(1) < 5 {
						t.Errorf("%s: %s", id, why)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := mismatches.Load(); n > 0 {
		t.Errorf("%d mismatches of %d", n, workers*each)
	}
	if n := s.dialled(); n >= workers*each/2 {
		t.Errorf("%d connections for %d exchanges: they were not kept alive", n, workers*each)
	}
}

func randomReply(id, path string) reply {
	sum := sha256.Sum256([]byte(id))
	source := rand.NewChaCha8(sum)
	b := make([]byte, rand.New(source).IntN(20_000))
	_, _ = source.Read(b) // never fails
	fields := "X-Echo: " + id + "\r\nContent-Type: text/html\r\n"
	switch path {
	case "/204":
		return reply{raw: "HTTP/1.1 204 No Content\r\nX-Echo: " + id + "\r\n\r\n"}
	case "/close":
		return reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", fields, len(b), b), close: true}
	case "/chunked":
		half := len(b) / 2
		raw := fmt.Sprintf("HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n", fields)
		for _, p := range [][]byte{b[:half], b[half:]} {
			if len(p) > 0 {
				raw += fmt.Sprintf("%X;e=1\r\n%s\r\n", len(p), p)
			}
		}
		return reply{raw: raw + "0\r\nX-Trailer: " + id + "\r\n\r\n"}
	}
	return reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", fields, len(b), b)}
}

// exchangeOnce makes one exchange and says what differs.
func exchangeOnce(w *Worker, s *server, sent *sync.Map, id string, j int) string {
	path := []string{"/length", "/chunked", "/204", "/length", "/chunked", "/close"}[j%6]
	body := []byte(nil)
	x, err := w.Fetch(context.Background(), Request{URL: s.url(path), Header: http.Header{"X-Id": {id}}},
		func(d Document) error { body = bytes.Clone(d.Body); return nil })
	if err != nil {
		return err.Error()
	}
	defer func() { _ = w.rec.Release(x) }()
	if x.Outcome != outcome.Captured {
		return string(x.Outcome) + ": " + x.Detail
	}
	got, err := io.ReadAll(x.Response.From(0))
	if err != nil {
		return err.Error()
	}
	if raw, _ := sent.Load(id); string(got) != raw {
		return "the response differs"
	}
	if !bytes.Equal(x.Request, s.request(id)) {
		return "the request differs"
	}
	if x.Payload.SHA256 != sha256.Sum256(body) {
		return "the payload differs"
	}
	return ""
}
