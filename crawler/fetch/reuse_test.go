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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
)

// TestStale lets a server end kept-alive connections without a word. With the request in hand, that is an attempt of its own,
// which is not repeated here.
func TestStale(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, secure := range []bool{false, true} {
		var asked atomic.Int64
		s := serve(t, secure, func(path string, _ []byte) reply {
			n := asked.Add(1)
			switch {
			case path == "/then-close":
				return reply{raw: ok, close: true}
			case path == "/empty" && n == 2:
				return reply{close: true}
			case path == "/reset" && n == 4:
				return reply{reset: true}
			}
			return reply{raw: ok}
		})
		w := recorder(t, &Recorder{}).Worker()
		for i, want := range []struct {
			path string
			outcome.Outcome
		}{{"/", outcome.Captured}, {"/empty", outcome.Empty}, {"/empty", outcome.Captured}, {"/reset", outcome.Reset}, {"/reset", outcome.Captured}} {
			id := strconv.Itoa(i)
			x, _ := fetch(t, w, Request{URL: s.url(want.path), Header: http.Header{"X-Id": {id}}})
			if x.Outcome != want.Outcome || !bytes.Equal(x.Request, s.request(id)) || (x.Response == nil) == (want.Outcome == outcome.Captured) {
				t.Errorf("tls=%v: request %d for %s: %s (%s), want %s", secure, i, want.path, x.Outcome, x.Detail, want.Outcome)
			}
		}
		if n := asked.Load(); n != 5 {
			t.Errorf("tls=%v: asked %d times, want 5", secure, n)
		}
		for range 20 {
			for x, _ := fetch(t, w, Request{URL: s.url("/then-close")}); x.Outcome != outcome.Captured; {
				if !crossed(x) {
					t.Fatalf("tls=%v: %s (%s)", secure, x.Outcome, x.Detail)
				}
				x, _ = fetch(t, w, Request{URL: s.url("/then-close")})
			}
		}
	}
}

// crossed says whether a request may have crossed with the end of a kept-alive connection.
func crossed(x *warc.Exchange) bool {
	return (x.Outcome == outcome.Empty || x.Outcome == outcome.Reset) && x.Response == nil && len(x.Request) > 0
}

// mute is a connection that is over: nothing can be sent, and nothing comes.
type mute struct{ net.Conn }

func (mute) Write([]byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
}
func (mute) Read([]byte) (int, error) { return 0, io.EOF }

// TestUnsent: a kept-alive connection that takes no byte of the request gives way to a new one, and the server is asked once.
func TestUnsent(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, false, func(string, []byte) reply {
		asked.Add(1)
		return reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}
	})
	r := recorder(t, &Recorder{})
	w := r.Worker()
	fetch(t, w, Request{URL: s.url("/")})
	c := r.idle.hosts["http://"+s.addr][0]
	c.Conn = mute{c.Conn}
	x, _ := fetch(t, w, Request{URL: s.url("/"), Header: http.Header{"X-Id": {"a"}}})
	if x.Outcome != outcome.Captured || !bytes.Equal(x.Request, s.request("a")) || asked.Load() != 2 || s.dialled() != 2 {
		t.Errorf("%s (%s), asked %d times over %d connections, want 2 and 2", x.Outcome, x.Detail, asked.Load(), s.dialled())
	}
}

// TestKeptFor: a connection is not used any more when its server is about to close it.
func TestKeptFor(t *testing.T) {
	for field, want := range map[string]time.Duration{
		"timeout=5, max=100":      4 * time.Second,
		"max=100, Timeout=\"15\"": 14 * time.Second,
		"timeout=1":               0,
		"timeout=0":               0,
		"timeout=9, timeout=3":    2 * time.Second,
		"":                        -1,
		"timeout=":                -1,
		"timeout=-1":              -1,
		"timeout=1e9":             -1,
		"timeout=99999999999999":  -1,
		"max=5":                   -1,
	} {
		d, said := keptFor(httpmsg.Head{Fields: []httpmsg.Field{{Name: "keep-alive", Value: field}}})
		if said != (want >= 0) || said && d != want {
			t.Errorf("%q: %s, %v, want %s", field, d, said, want)
		}
	}
	for _, said := range []string{"1", "60"} {
		s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=" + said + "\r\nContent-Length: 0\r\n\r\n"}))
		r := recorder(t, &Recorder{})
		fetch(t, r.Worker(), Request{URL: s.url("/")})
		if kept := len(r.idle.hosts["http://"+s.addr]) == 1; kept != (said == "60") {
			t.Errorf("timeout=%s: kept %v", said, kept)
		}
	}
}

// FuzzKeptFor: whatever a server says, a connection is kept for no negative time, and for less than a day.
func FuzzKeptFor(f *testing.F) {
	f.Add("timeout=5, max=100")
	f.Add(`timeout="", timeout=99999999999999999999`)
	f.Fuzz(func(t *testing.T, field string) {
		d, said := keptFor(httpmsg.Head{Fields: []httpmsg.Field{{Name: "Keep-Alive", Value: field}}})
		if d < 0 || d > 24*time.Hour || (!said && d != 0) {
			t.Errorf("%q: %s, %v", field, d, said)
		}
	})
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
	ask := func() (*warc.Exchange, error) {
		return w.Fetch(context.Background(), Request{URL: s.url(path), Header: http.Header{"X-Id": {id}}},
			func(d Document) error { body = bytes.Clone(d.Body); return nil })
	}
	x, err := ask()
	for err == nil && crossed(x) {
		x, err = ask()
	}
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
