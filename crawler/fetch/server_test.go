package fetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"linkstead/archive/warc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reply is what the raw server does with one request.
type reply struct {
	raw   string
	close bool // then close
	reset bool // then reset
	hang  bool // then say nothing until the client gives up
	drip  bool // then one byte after the other until the client gives up
}

// server answers raw bytes and remembers the raw requests.
type server struct {
	addr   string
	secure bool
	leaf   *x509.Certificate
	answer func(path string, head []byte) reply

	mu    sync.Mutex
	heads map[string][]byte // by X-Id
	conns map[net.Conn]bool
	dials int
}

func serve(t testing.TB, secure bool, answer func(path string, head []byte) reply) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		addr: l.Addr().String(), secure: secure, answer: answer,
		heads: map[string][]byte{}, conns: map[net.Conn]bool{},
	}
	var config *tls.Config
	if secure {
		config, s.leaf = certificate(t)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.dials++
			s.conns[c] = true
			s.mu.Unlock()
			wg.Go(func() {
				s.talk(c, config)
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		wg.Wait()
	})
	return s
}

func (s *server) url(path string) string {
	if s.secure {
		return "https://" + s.addr + path
	}
	return "http://" + s.addr + path
}

func (s *server) talk(raw net.Conn, config *tls.Config) {
	c := raw
	if config != nil {
		c = tls.Server(raw, config)
	}
	defer func() { _ = c.Close() }()
	br := bufio.NewReader(c)
	for {
		var head []byte
		for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			line, err := br.ReadBytes('\n')
			if err != nil {
				return
			}
			head = append(head, line...)
		}
		path := strings.Fields(string(head))[1]
		_, id, _ := strings.Cut(string(head), "X-Id: ")
		id, _, _ = strings.Cut(id, "\r\n")
		s.mu.Lock()
		s.heads[id] = head
		s.mu.Unlock()
		r := s.answer(path, head)
		if _, err := io.WriteString(c, r.raw); err != nil {
			return
		}
		switch {
		case r.drip:
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				wait := time.NewTimer(2 * time.Millisecond)
				<-wait.C
			}
		case r.hang:
			_, _ = io.Copy(io.Discard, br)
			return
		case r.reset:
			_ = raw.(*net.TCPConn).SetLinger(0)
			_ = raw.Close()
			return
		case r.close:
			return
		}
	}
}

func (s *server) request(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heads[id]
}

// always answers the same.
func always(r reply) func(string, []byte) reply { return func(string, []byte) reply { return r } }

// certificate makes a self-signed one for 127.0.0.1 and localhost.test.
func certificate(t testing.TB) (*tls.Config, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost.test"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos:   []string{"h2", "http/1.1"},
	}, leaf
}

// recorder makes a recorder that is closed with the test.
func recorder(t testing.TB, r *Recorder) *Recorder {
	t.Helper()
	r.AllowPrivate, r.Spool = true, t.TempDir()
	t.Cleanup(r.Close)
	return r
}

// fetch makes one exchange, which is released with the test.
func fetch(t testing.TB, w *Worker, req Request) (*warc.Exchange, *Document) {
	t.Helper()
	var got *Document
	x, err := w.Fetch(context.Background(), req, func(d Document) error {
		d.Body = bytes.Clone(d.Body)
		got = &d
		return nil
	})
	if err != nil {
		t.Fatalf("fetch %s: %v", req.URL, err)
	}
	t.Cleanup(func() {
		if err := w.rec.Release(x); err != nil {
			t.Error(err)
		}
	})
	return x, got
}

// response returns the bytes of the response; "" if there is none.
func response(t testing.TB, x *warc.Exchange) string {
	t.Helper()
	if x.Response == nil {
		return ""
	}
	b, err := io.ReadAll(x.Response.From(0))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files counts what is left in a folder.
func files(t testing.TB, dir string) int {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(es)
}
