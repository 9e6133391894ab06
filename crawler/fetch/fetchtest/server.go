// Package fetchtest is a web server that does everything wrong, for tests: raw bytes over sockets, faulty certificates,
// connections that end or never do. It is never part of the program.
package fetchtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"time"
)

// Then is what a server does once it has said what it has to say.
type Then int

// What it does.
const (
	Close  Then = iota // closes the connection
	Reset              // resets it
	Hang               // says nothing more until the client goes
	Drip               // sends More, again and again, with a pause after each, until the client goes
	Repeat             // the same without a pause
	Stay               // answers the next request in the same way
)

// Script is what a server says and does on every connection.
type Script struct {
	TLS   *tls.Config // hands are shaken first; nil: none are
	Blind bool        // it acts at the first byte, whatever that is, and shakes no hands
	Raw   string
	Then  Then
	More  string
}

// dripPause is short enough for a server to be seen to drip within the limits of a test.
const dripPause = 20 * time.Millisecond

// Server is one that follows a script, on a port of its own on loopback.
type Server struct {
	Addr string // 127.0.0.1:PORT

	l    net.Listener
	stop chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	dials int
}

// Start starts a server. The caller closes it.
func Start(s Script) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &Server{Addr: l.Addr().String(), l: l, stop: make(chan struct{}), conns: map[net.Conn]bool{}}
	srv.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			srv.mu.Lock()
			srv.conns[c] = true
			srv.dials++
			srv.mu.Unlock()
			srv.wg.Go(func() { srv.serve(c, s) })
		}
	})
	return srv, nil
}

// Dials counts the connections that were made.
func (srv *Server) Dials() int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.dials
}

// Open counts the connections that the server has not closed.
func (srv *Server) Open() int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return len(srv.conns)
}

// Close breaks all connections, and waits until nothing is left of the server.
func (srv *Server) Close() error {
	close(srv.stop)
	err := srv.l.Close()
	srv.mu.Lock()
	for c := range srv.conns {
		err = errors.Join(err, c.Close())
	}
	clear(srv.conns)
	srv.mu.Unlock()
	srv.wg.Wait()
	return err
}

func (srv *Server) serve(raw net.Conn, s Script) {
	defer func() {
		srv.mu.Lock()
		if srv.conns[raw] {
			_ = raw.Close() // nobody is left to tell
			delete(srv.conns, raw)
		}
		srv.mu.Unlock()
	}()
	c := raw
	if s.TLS != nil && !s.Blind {
		c = tls.Server(raw, s.TLS)
	}
	in := bufio.NewReader(c)
	if _, err := in.Peek(1); s.Blind && err != nil {
		return
	}
	for {
		if !s.Blind && !request(in) {
			return
		}
		if _, err := io.WriteString(c, s.Raw); err != nil {
			return
		}
		switch s.Then {
		case Stay:
			continue
		case Hang:
			_, _ = io.Copy(io.Discard, in) // until the client goes
		case Drip, Repeat:
			srv.repeat(c, s)
		case Reset:
			if t, ok := raw.(*net.TCPConn); ok {
				_ = t.SetLinger(0)
			}
		case Close:
			if t, ok := c.(*tls.Conn); ok {
				_ = t.Close()
			}
		}
		return
	}
}

// request reads up to the end of a request's head.
func request(in *bufio.Reader) bool {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == "\r\n" {
			return true
		}
	}
}

func (srv *Server) repeat(c net.Conn, s Script) {
	for {
		if _, err := io.WriteString(c, s.More); err != nil {
			return
		}
		if s.Then == Repeat {
			continue
		}
		pause := time.NewTimer(dripPause)
		select {
		case <-pause.C:
		case <-srv.stop:
			pause.Stop()
			return
		}
	}
}

// Certificate makes one that signs itself, for a name, good between two times.
func Certificate(name string, from, until time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
