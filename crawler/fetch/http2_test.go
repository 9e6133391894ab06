package fetch

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
)

// onlyHTTP2 shuts HTTP/1.1 out: a client that offers nothing else is told that there is no protocol in common.
func onlyHTTP2(own *tls.Config) *tls.Config {
	config := own.Clone()
	config.NextProtos = []string{protocolH2}
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := own.Clone()
		if c.NextProtos = []string{protocolH2}; !slices.Contains(hello.SupportedProtos, protocolH2) {
			c.NextProtos = []string{"spdy/3"}
		}
		return c, nil
	}
	return config
}

// TestHTTP2 asks a host that refuses HTTP/1.1, and rebuilds what it says.
func TestHTTP2(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 400_000) // more than the credit
	var mu sync.Mutex
	handshakes, got := 0, http.Header{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = r.Header.Clone()
		got.Set("Host", r.Host)
		mu.Unlock()
		if r.ProtoMajor != 2 {
			t.Errorf("asked over %s", r.Proto)
		}
		h := w.Header()
		h["Date"] = nil
		switch r.URL.Path {
		case "/big":
			h.Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, big)
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/early":
			h.Set("Link", "</s.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			h.Del("Link")
			h.Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "early")
		case "/broken":
			h.Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/moved":
			h.Set("Location", "/there")
			w.WriteHeader(http.StatusFound)
		default:
			h.Set("Content-Type", "text/plain")
			h.Set("Content-Length", "5")
			h["Set-Cookie"] = []string{"a=1", "b=2"}
			_, _ = io.WriteString(w, "hello")
		}
	}))
	own, _ := certificate(t)
	config := onlyHTTP2(own)
	per := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		mu.Lock()
		handshakes++
		mu.Unlock()
		return per(hello)
	}
	srv.EnableHTTP2, srv.TLS = true, config
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail, on purpose
	srv.StartTLS()
	defer srv.Close()
	w := recorder(t, &Recorder{UserAgent: "Test/1"}).Worker()

	for _, c := range []struct {
		path, method, head, body string
		outcome                  outcome.Outcome
	}{
		{"/", "GET", "HTTP/1.1 200 \r\ncontent-type: text/plain\r\ncontent-length: 5\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\n", "hello", outcome.Captured},
		{"/", "HEAD", "HTTP/1.1 200 \r\ncontent-type: text/plain\r\ncontent-length: 5\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\n", "", outcome.Captured},
		{"/big", "GET", "HTTP/1.1 200 \r\ncontent-type: text/html\r\n\r\n", big, outcome.Captured},
		{"/none", "GET", "HTTP/1.1 204 \r\n\r\n", "", outcome.Captured},
		{"/moved", "GET", "HTTP/1.1 302 \r\nlocation: /there\r\ncontent-length: 0\r\n\r\n", "", outcome.Captured},
		{"/early", "GET", "HTTP/1.1 200 \r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n", "early", outcome.Captured},
		{"/broken", "GET", "HTTP/1.1 200 \r\ncontent-type: text/plain\r\n\r\n", "half", outcome.CutShort},
	} {
		x, _ := fetch(t, w, Request{URL: srv.URL + c.path, Method: c.method})
		whole := response(t, x)
		if x.Outcome != c.outcome || !sameFields(whole[:x.Head.Len], c.head) || whole[x.Head.Len:] != c.body || x.Protocol != "h2" {
			t.Errorf("%s %s: %q over %q, %.300q", c.method, c.path, x.Outcome, x.Protocol, whole)
		}
		if x.Payload.SHA256 != sha256.Sum256([]byte(c.body)) || x.TLS == nil || !strings.HasPrefix(string(x.Request), c.method+" "+c.path+" HTTP/1.1\r\nHost: ") {
			t.Errorf("%s %s: payload %d, request %q", c.method, c.path, x.Payload.Size, x.Request)
		}
		if hint := "HTTP/1.1 103 \r\nlink: </s.css>; rel=preload\r\n\r\n"; c.path == "/early" && string(x.Interim) != hint {
			t.Errorf("interim %q", x.Interim)
		}
		plain(t, x.Detail)
	}
	mu.Lock()
	defer mu.Unlock()
	if got.Get("User-Agent") != "Test/1" || got.Get("Accept") != accept || !strings.HasPrefix(srv.URL, "https://"+got.Get("Host")) || got.Get("Connection") != "" {
		t.Errorf("the request had %v", got)
	}
	if handshakes != 8 { // once more for the first, which found it out
		t.Errorf("%d handshakes for 7 exchanges", handshakes)
	}
}

// sameFields compares heads whose fields a server that is not ours may put in any order.
func sameFields(a, b string) bool {
	x, y := strings.Split(a, "\r\n"), strings.Split(b, "\r\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// serve2 lets f speak frames with whoever has sent a request.
func serve2(t *testing.T, config *tls.Config, f func(c net.Conn, f *http2.Framer)) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				preface := make([]byte, len(http2.ClientPreface))
				if _, err := io.ReadFull(c, preface); err != nil {
					return
				}
				fr := http2.NewFramer(c, c)
				for {
					in, err := fr.ReadFrame()
					if err != nil {
						return
					}
					if h, ok := in.(*http2.HeadersFrame); ok && h.HeadersEnded() {
						break
					}
				}
				f(c, fr)
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return "https://" + l.Addr().String() + "/"
}

func block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// TestHTTP2Hostile ends with every peer that breaks the protocol, and says how.
func TestHTTP2Hostile(t *testing.T) {
	own, _ := certificate(t)
	head := func(f *http2.Framer, end bool, fields ...string) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: end, BlockFragment: block(fields...)})
	}
	for _, c := range []struct {
		name    string
		speak   func(net.Conn, *http2.Framer)
		outcome outcome.Outcome
		kept    string // of the response
	}{
		{"away at once", func(_ net.Conn, f *http2.Framer) { _ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil) }, outcome.Reset, ""},
		{"reset before the head", func(_ net.Conn, f *http2.Framer) { _ = f.WriteRSTStream(1, http2.ErrCodeRefusedStream) }, outcome.Reset, ""},
		{"closed before the head", func(c net.Conn, _ *http2.Framer) { _ = c.Close() }, outcome.Reset, ""},
		{"no status", func(_ net.Conn, f *http2.Framer) { head(f, true, "server", "x") }, outcome.Protocol, ""},
		{"status 99", func(_ net.Conn, f *http2.Framer) { head(f, true, ":status", "99") }, outcome.Protocol, ""},
		{"status that is a number too long", func(_ net.Conn, f *http2.Framer) { head(f, true, ":status", strings.Repeat("2", 100)) }, outcome.Protocol, ""},
		{"a line break in a field", func(_ net.Conn, f *http2.Framer) { head(f, true, ":status", "200", "x", "a\r\nWARC-Type: response") }, outcome.Protocol, ""},
		{"data before the head", func(_ net.Conn, f *http2.Framer) { _ = f.WriteData(1, true, []byte("x")) }, outcome.Protocol, ""},
		{"a promise", func(_ net.Conn, f *http2.Framer) {
			_ = f.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: block(":method", "GET")})
		}, outcome.Protocol, ""},
		{"pings for ever", func(_ net.Conn, f *http2.Framer) {
			for f.WritePing(false, [8]byte{}) == nil {
			}
		}, outcome.Protocol, ""},
		{"interim heads for ever", func(_ net.Conn, f *http2.Framer) {
			for {
				if f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: block(":status", "103")}) != nil {
					return
				}
			}
		}, outcome.Protocol, "HTTP/1.1 103 \r\n\r\n"},
		{"a head that goes on for ever", func(_ net.Conn, f *http2.Framer) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200")})
			for f.WriteContinuation(1, false, block("x", strings.Repeat("y", 10_000))) == nil {
			}
		}, outcome.Protocol, ""},
		{"a head that unpacks to megabytes", func(_ net.Conn, f *http2.Framer) {
			var fields []string
			for range 4000 {
				fields = append(fields, "x", strings.Repeat("y", 1000))
			}
			head(f, true, append([]string{":status", "200"}, fields...)...)
		}, outcome.Protocol, ""},
		{"frames larger than allowed", func(c net.Conn, _ *http2.Framer) { _, _ = c.Write([]byte{0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1}) }, outcome.Protocol, ""},
		{"garbage", func(c net.Conn, _ *http2.Framer) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("x", 100))
		}, outcome.Protocol, ""},
		{"silence", func(net.Conn, *http2.Framer) {}, outcome.Timeout, ""},
		{"silence after the head", func(_ net.Conn, f *http2.Framer) { head(f, false, ":status", "200") }, outcome.TooSlow, "HTTP/1.1 200 \r\n\r\n"},
		{"closed in the body", func(c net.Conn, f *http2.Framer) {
			head(f, false, ":status", "200")
			_ = f.WriteData(1, false, []byte("half"))
			_ = c.Close()
		}, outcome.CutShort, "HTTP/1.1 200 \r\n\r\nhalf"},
		{"shorter than declared", func(_ net.Conn, f *http2.Framer) {
			head(f, false, ":status", "200", "content-length", "5")
			_ = f.WriteData(1, true, []byte("half"))
		}, outcome.CutShort, "HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\nhalf"},
		{"longer than declared", func(_ net.Conn, f *http2.Framer) {
			head(f, false, ":status", "200", "content-length", "3")
			_ = f.WriteData(1, true, []byte("half"))
		}, outcome.Captured, "HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\nhal"},
		{"chunked, which is not for HTTP/2", func(_ net.Conn, f *http2.Framer) {
			head(f, false, ":status", "200", "transfer-encoding", "chunked")
			_ = f.WriteData(1, true, []byte("body"))
		}, outcome.Captured, "HTTP/1.1 200 \r\n\r\nbody"},
		{"trailers", func(_ net.Conn, f *http2.Framer) {
			head(f, false, ":status", "200")
			_ = f.WriteDataPadded(1, false, []byte("body"), make([]byte, 20))
			head(f, true, "x-sum", "1")
		}, outcome.Captured, "HTTP/1.1 200 \r\n\r\nbody"},
		{"too long", func(_ net.Conn, f *http2.Framer) {
			head(f, false, ":status", "200")
			for f.WriteData(1, false, make([]byte, 1000)) == nil {
			}
		}, outcome.TooLong, "HTTP/1.1 200 \r\n\r\n" + strings.Repeat("\x00", 100_000-17)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limits := Limits{FirstByte: 5 * time.Second, Total: 6 * time.Second, Bytes: 100_000, HeadBytes: 64 << 10}
			if c.outcome == outcome.Timeout || c.outcome == outcome.TooSlow {
				limits.FirstByte, limits.Idle, limits.Total = 300*time.Millisecond, 200*time.Millisecond, 500*time.Millisecond
			}
			w := recorder(t, &Recorder{Limits: limits}).Worker()
			x, _ := fetch(t, w, Request{URL: serve2(t, onlyHTTP2(own), c.speak)})
			if got := response(t, x); x.Outcome != c.outcome || got != c.kept || x.Protocol != "h2" {
				t.Errorf("%q, %s: %.200q over %q", x.Outcome, x.Detail, got, x.Protocol)
			}
			plain(t, x.Detail)
		})
	}
}

// TestHTTP2ByFrames finds a host out that shakes hands for HTTP/1.1 and then speaks in frames all the same; and does not ask one
// again that speaks neither.
func TestHTTP2ByFrames(t *testing.T) {
	own, _ := certificate(t)
	own.NextProtos = []string{"http/1.1"}
	config := own.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := own.Clone()
		c.NextProtos = hello.SupportedProtos
		return c, nil
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				fr := http2.NewFramer(c, c)
				_ = fr.WriteSettings()
				first := make([]byte, len(http2.ClientPreface))
				if _, err := io.ReadFull(c, first); err != nil || string(first) != http2.ClientPreface {
					return
				}
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: block(":status", "200")})
				_ = fr.WriteData(1, true, []byte("frames"))
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	w := recorder(t, &Recorder{}).Worker()
	x, _ := fetch(t, w, Request{URL: fmt.Sprintf("https://%s/", l.Addr())})
	if got := response(t, x); x.Outcome != outcome.Captured || got != "HTTP/1.1 200 \r\n\r\nframes" || x.Protocol != "h2" {
		t.Errorf("%q, %s: %.200q over %q", x.Outcome, x.Detail, got, x.Protocol)
	}
	neither := serve(t, true, always(reply{raw: "SSH-2.0-x\r\n", close: true}))
	if x, _ := fetch(t, w, Request{URL: neither.url("/")}); x.Outcome != outcome.Protocol || x.Protocol != "" || neither.dials != 1 {
		t.Errorf("%q over %q, %d dials", x.Outcome, x.Protocol, neither.dials)
	}
	own.NextProtos = []string{"spdy/3"}
	other := serve2(t, own, nil)
	if x, _ := fetch(t, w, Request{URL: other}); x.Outcome != outcome.TLS || x.TLS == nil || x.TLS.Fault != "alert 120 no application protocol" {
		t.Errorf("%q, %s: %+v", x.Outcome, x.Detail, x.TLS)
	}
}

// TestHTTP2LongRequest sends fields that do not fit in one frame.
func TestHTTP2LongRequest(t *testing.T) {
	own, _ := certificate(t)
	url := serve2(t, onlyHTTP2(own), func(_ net.Conn, f *http2.Framer) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: block(":status", "200")})
	})
	// The raw server reads up to the frame that ends the fields: HEADERS that don't are followed by CONTINUATION.
	w := recorder(t, &Recorder{}).Worker()
	x, _ := fetch(t, w, Request{URL: url + strings.Repeat("p", 8000), Header: http.Header{"X-Long": {strings.Repeat("v", 5000)}}})
	if x.Outcome != outcome.Captured || x.Cause.Phase == warc.PhaseTLS {
		t.Errorf("%q: %s", x.Outcome, x.Detail)
	}
}
