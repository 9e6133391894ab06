package fetch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
)

// TestGuard names every kind of address that is not of the public internet, and some that are.
func TestGuard(t *testing.T) {
	for _, a := range strings.Fields(`0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.0.0.2 127.255.255.255 169.254.169.254
		172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9
		224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
		:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1
		2002:7f00:1:: 2002:a00:1::1 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 4000::1`) {
		if !private(netip.MustParseAddr(a)) {
			t.Errorf("%s passes", a)
		}
	}
	for _, a := range strings.Fields(`1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 198.17.0.1 223.255.255.255
		2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1`) {
		if private(netip.MustParseAddr(a)) {
			t.Errorf("%s is refused", a)
		}
	}
	if err := guard("tcp", "nonsense", nil); err == nil {
		t.Error("an address that is none passes")
	}
}

// TestPrivate refuses private addresses at dial time, however they are spelled or resolved, and connects to none.
func TestPrivate(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	_, port, _ := net.SplitHostPort(s.addr)
	r := recorder(t, &Recorder{Resolve: map[string]string{"public.test:" + port: "127.0.0.1", "full.test:80": s.addr}})
	r.AllowPrivate = false
	w := r.Worker()
	for _, u := range []string{
		s.url("/"), "http://[::ffff:127.0.0.1]:" + port + "/", "http://public.test:" + port + "/", "http://full.test/",
		"http://localhost:" + port + "/", "http://0.0.0.0:" + port + "/", "https://127.0.0.1:" + port + "/",
	} {
		x, _ := fetch(t, w, Request{URL: u})
		if x.Outcome != outcome.Private || x.Request != nil || x.Response != nil || x.IP != "" {
			t.Errorf("%s: %s, %q", u, x.Outcome, x.Detail)
		}
		plain(t, x.Detail)
		if !strings.Contains(x.Detail, port) && !strings.Contains(x.Detail, "full.test:80") {
			t.Errorf("%s: detail %q does not say where", u, x.Detail)
		}
	}
	if n := s.dialled(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestResolve dials what the map says, and sends the name that the URL says.
func TestResolve(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	_, port, _ := net.SplitHostPort(s.addr)
	w := recorder(t, &Recorder{Resolve: map[string]string{"a.test:80": s.addr, "b.test:" + port: "127.0.0.1"}}).Worker()
	for u, host := range map[string]string{"http://a.test/": "a.test", "http://b.test:" + port + "/": "b.test:" + port} {
		x, _ := fetch(t, w, Request{URL: u})
		if x.Outcome != outcome.Captured || !strings.Contains(string(x.Request), "\r\nHost: "+host+"\r\n") {
			t.Errorf("%s: %s %s, request %q", u, x.Outcome, x.Detail, x.Request)
		}
	}
}

// answerAll says the same to every connection at its first bytes, whatever they are.
func answerAll(t *testing.T, raw string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte(raw))
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// nameServer answers every question over UDP with rcode; -1 is silence.
func nameServer(t *testing.T, rcode int) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if rcode >= 0 && n > 12 {
				b[2], b[3] = 0x81, 0x80|byte(rcode)
				copy(b[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0})
				_, _ = pc.WriteTo(b[:n], from)
			}
		}
	})
	// The resolver asks on after its caller has given up; without its connections it stops at once.
	var mu sync.Mutex
	var asking []net.Conn
	over := false
	t.Cleanup(func() {
		mu.Lock()
		over = true
		for _, c := range asking {
			_ = c.Close()
		}
		mu.Unlock()
		_ = pc.Close()
		wg.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return nil, net.ErrClosed
		}
		var d net.Dialer
		c, err := d.DialContext(ctx, "udp", pc.LocalAddr().String())
		if err == nil {
			asking = append(asking, c)
		}
		return c, err
	}}
}

// refusing is an address at which nobody listens, and nobody else can begin to: the port is taken, and no more than that.
func refusing(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
}

// TestDialFaults maps every way of not connecting to its outcome, in words for people.
func TestDialFaults(t *testing.T) {
	dead := refusing(t)
	notTLS := answerAll(t, "HTTP/1.1 400 Bad Request\r\n\r\n")
	wordless := answerAll(t, "")
	silent, err := net.Listen("tcp", "127.0.0.1:0") // its queue takes connections; nobody shakes hands
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	cases := []struct {
		name, url string
		r         *Recorder
		outcome   outcome.Outcome
		words     string
	}{
		{"refused", "http://" + dead + "/", &Recorder{}, outcome.Refused, dead},
		{"no such name", "http://nosuch.test/", &Recorder{Resolver: nameServer(t, 3)}, outcome.DNS, "nosuch.test:80"},
		{"name server fails", "http://nosuch.test:81/", &Recorder{Resolver: nameServer(t, 2)}, outcome.DNS, "nosuch.test:81"},
		{"name server is silent", "http://nosuch.test/", &Recorder{Resolver: nameServer(t, -1), Limits: Limits{Connect: short}}, outcome.DNS, "nosuch.test:80"},
		{"handshake times out", "https://" + silent.Addr().String() + "/", &Recorder{Limits: Limits{Connect: short}}, outcome.Timeout, silent.Addr().String()},
		{"no TLS", "https://" + notTLS + "/", &Recorder{}, outcome.TLS, notTLS},
		{"no handshake", "https://" + wordless + "/", &Recorder{}, outcome.TLS, wordless},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x, doc := fetch(t, recorder(t, c.r).Worker(), Request{URL: c.url})
			if x.Outcome != c.outcome || doc != nil || x.Response != nil || len(x.Request) > 0 || x.Head.Len != 0 {
				t.Errorf("outcome %q (%s), want %q", x.Outcome, x.Detail, c.outcome)
			}
			if !strings.Contains(x.Detail, c.words) {
				t.Errorf("detail %q does not name %s", x.Detail, c.words)
			}
			plain(t, x.Detail)
		})
	}
}

// TestJudgeDial maps the errors that loopback can't make.
func TestJudgeDial(t *testing.T) {
	w := recorder(t, &Recorder{}).Worker()
	to, err := parseTarget("http://far.test/")
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(errno syscall.Errno) error { return &net.OpError{Op: "dial", Net: "tcp", Err: errno} }
	for _, c := range []struct {
		err  error
		want outcome.Outcome
	}{
		{wrap(syscall.EHOSTUNREACH), outcome.Unreachable},
		{wrap(syscall.ENETUNREACH), outcome.Unreachable},
		{wrap(syscall.EACCES), outcome.Unreachable},
		{wrap(syscall.ECONNRESET), outcome.Reset},
		{wrap(syscall.ETIMEDOUT), outcome.Timeout},
		{net.UnknownNetworkError("x"), outcome.Unreachable},
		{&handshakeError{&net.OpError{Op: "remote error", Err: tls.AlertError(40)}}, outcome.TLS},
		{&handshakeError{wrap(syscall.ECONNRESET)}, outcome.Reset},
		{&handshakeError{net.ErrClosed}, outcome.TLS},
	} {
		got, detail := w.wire.judgeDial(to, c.err)
		if got != c.want || !strings.Contains(detail, "far.test:80") {
			t.Errorf("%v: %s, %q; want %s", c.err, got, detail, c.want)
		}
		plain(t, detail)
	}
}

// TestJudgeHead maps the ends that come after the handshake, before a response.
func TestJudgeHead(t *testing.T) {
	w := recorder(t, &Recorder{}).Worker()
	to, err := parseTarget("https://far.test/")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		want outcome.Outcome
	}{
		{&net.OpError{Op: "remote error", Err: tls.AlertError(116)}, outcome.TLS}, // certificate required
		{&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, outcome.Reset},
		{&net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}, outcome.Reset},
		{&net.OpError{Op: "read", Net: "tcp", Err: syscall.ETIMEDOUT}, outcome.Timeout},
	} {
		x := &warc.Exchange{}
		w.wire.judge(x, to, c.err)
		if x.Outcome != c.want || !strings.Contains(x.Detail, "far.test:443") {
			t.Errorf("%v: %s, %q; want %s", c.err, x.Outcome, x.Detail, c.want)
		}
		plain(t, x.Detail)
	}
}

// TestTLS writes down how the connection was made, and whether the certificate stands for the host.
func TestTLS(t *testing.T) {
	s := serve(t, true, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	roots := x509.NewCertPool()
	roots.AddCert(s.leaf)
	sum := sha256.Sum256(s.leaf.Raw)
	cases := []struct {
		name, url, invalid string
		r                  *Recorder
	}{
		{"trusted", s.url("/"), "", &Recorder{Roots: roots}},
		{"trusted and must be", s.url("/"), "", &Recorder{Roots: roots, RequireValid: true}},
		{"unknown authority", s.url("/"), "unknown authority", &Recorder{}},
		{"other host", "https://other.test/", "another host", &Recorder{Roots: roots, Resolve: map[string]string{"other.test:443": s.addr}}},
		{"right name", "https://localhost.test/", "", &Recorder{Roots: roots, Resolve: map[string]string{"localhost.test:443": s.addr}}},
		{"expired", s.url("/"), "valid from", &Recorder{Roots: roots, Now: func() time.Time { return time.Now().AddDate(1, 0, 0) }}},
		{"must be valid", s.url("/"), "unknown authority", &Recorder{RequireValid: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := recorder(t, c.r).Worker()
			for range 2 { // a new connection, then a kept-alive one
				x, _ := fetch(t, w, Request{URL: c.url})
				want := outcome.Captured
				if c.r.RequireValid && c.invalid != "" {
					want = outcome.TLS
				}
				if x.Outcome != want || x.TLS == nil {
					t.Fatalf("%s (%s), TLS %v", x.Outcome, x.Detail, x.TLS)
				}
				if (x.TLS.Invalid == "") != (c.invalid == "") || !strings.Contains(x.TLS.Invalid, c.invalid) {
					t.Errorf("invalid: %q, want %q", x.TLS.Invalid, c.invalid)
				}
				if x.TLS.Version != "TLS 1.3" || !strings.HasPrefix(x.TLS.Cipher, "TLS_") || x.TLS.Fingerprint != hex.EncodeToString(sum[:]) {
					t.Errorf("TLS %+v", x.TLS)
				}
				plain(t, x.Detail+x.TLS.Invalid)
			}
		})
	}
}
