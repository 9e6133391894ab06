package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"time"

	"linkstead/archive/warc"
)

// errInvalid says that a certificate does not verify, where it must.
var errInvalid = errors.New("invalid certificate")

// handshakeError says that the connection stands but can't be made secure.
type handshakeError struct{ cause error }

func (e *handshakeError) Error() string { return "secure the connection: " + e.cause.Error() }
func (e *handshakeError) Unwrap() error { return e.cause }

// tlsConfig takes whatever a server offers: what old servers speak must be archived too, and the version, the cipher and
// the state of the certificate are written down. Certificates are verified after the handshake, by certify.
func tlsConfig() *tls.Config {
	var ciphers []uint16
	for _, c := range tls.CipherSuites() {
		ciphers = append(ciphers, c.ID)
	}
	for _, c := range tls.InsecureCipherSuites() {
		ciphers = append(ciphers, c.ID)
	}
	return &tls.Config{
		NextProtos:         []string{"http/1.1"},
		InsecureSkipVerify: true, //nolint:gosec // verified in certify, which notes the fault instead of hiding the page
		MinVersion:         tls.VersionTLS10,
		CipherSuites:       ciphers,
		ClientSessionCache: tls.NewLRUClientSessionCache(256),
	}
}

// dial makes a new connection to t, over which HTTP/2 is spoken if two is set, and tells x what it learnt on the way.
func (r *Recorder) dial(ctx context.Context, t target, x *warc.Exchange, two bool) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, min(r.limits.Connect, r.limits.Total))
	defer cancel()
	var asked time.Time
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { asked = time.Now() },
		DNSDone:  func(httptrace.DNSDoneInfo) { x.Timing.DNS = time.Since(asked) },
	})
	d := net.Dialer{Resolver: r.Resolver}
	d.Control = guard{r.Deny, r.Allow, r.AllowPrivate}.control
	begun := time.Now()
	nc, err := d.DialContext(ctx, "tcp", r.address(t))
	x.Timing.Connect = time.Since(begun) - x.Timing.DNS
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, raw: nc, key: t.key()}
	if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		c.ip = ap.Addr().Unmap().WithZone("").String()
	}
	x.IP = c.ip
	if !t.secure {
		return c, nil
	}
	begun = time.Now()
	err = r.secure(ctx, t, c, two)
	x.Timing.TLS, x.TLS = time.Since(begun), c.tls
	if err != nil {
		return nil, errors.Join(err, c.raw.Close())
	}
	return c, nil
}

// address is where to dial for t.
func (r *Recorder) address(t target) string {
	to, ok := r.Resolve[t.addr()]
	if !ok {
		return t.addr()
	}
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to
	}
	return net.JoinHostPort(strings.Trim(to, "[]"), t.port)
}

// secure shakes hands over c.
func (r *Recorder) secure(ctx context.Context, t target, c *conn, two bool) error {
	config := r.tls.Clone()
	config.ServerName = strings.TrimSuffix(t.host, ".")
	if two {
		config.NextProtos = []string{protocolH2}
	}
	c.gate = &gate{Conn: c.raw}
	tc := tls.Client(c.gate, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		return &handshakeError{err}
	}
	state := tc.ConnectionState()
	c.Conn = tc
	if two {
		c.Conn, c.protocol = overHTTP2(tc, r.limits.HeadBytes), protocolH2
	}
	c.tls = &warc.TLS{
		Version: tls.VersionName(state.Version),
		Cipher:  tls.CipherSuiteName(state.CipherSuite),
		Chain:   kept(state.PeerCertificates),
	}
	c.tls.Invalid, c.tls.Fault = r.certify(config.ServerName, state.PeerCertificates)
	if len(state.PeerCertificates) > 0 {
		sum := sha256.Sum256(state.PeerCertificates[0].Raw)
		c.tls.Fingerprint = hex.EncodeToString(sum[:])
	}
	if r.RequireValid && c.tls.Invalid != "" {
		return &handshakeError{fmt.Errorf("%w: %s", errInvalid, c.tls.Invalid)}
	}
	return nil
}

// certify says why a chain of certificates does not stand for host (RFC 5280 §6, RFC 9525), for people and in a word for
// programs; "" if it does.
func (r *Recorder) certify(host string, chain []*x509.Certificate) (why, word string) {
	if len(chain) == 0 {
		return saysNone, tlsNone
	}
	opts := x509.VerifyOptions{Roots: r.Roots, Intermediates: x509.NewCertPool(), DNSName: host, CurrentTime: r.now()}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(opts)
	var (
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		word = tlsExpired
		if opts.CurrentTime.Before(chain[0].NotBefore) {
			word = tlsNotYet
		}
		return fmt.Sprintf("the certificate is valid from %s to %s only",
			chain[0].NotBefore.UTC().Format(time.DateOnly), chain[0].NotAfter.UTC().Format(time.DateOnly)), word
	case errors.As(err, &name):
		return saysName, tlsName
	case errors.As(err, &unknown) && len(chain) == 1 && bytes.Equal(chain[0].RawIssuer, chain[0].RawSubject):
		return saysSelfSigned, tlsSelfSigned
	case errors.As(err, &unknown):
		return saysAuthority, tlsAuthority
	}
	return "the certificate does not verify", tlsOther
}

// CertificateFault is the word for programs of what certify told people, which is all that rows keep; at is when it did.
func CertificateFault(why string, at time.Time) string {
	span, expires := strings.CutPrefix(why, "the certificate is valid from ")
	switch {
	case why == "":
		return ""
	case expires:
		if from, err := time.Parse(time.DateOnly, span[:min(len(span), len(time.DateOnly))]); err == nil && at.Before(from) {
			return tlsNotYet
		}
		return tlsExpired
	case why == saysNone:
		return tlsNone
	case why == saysName:
		return tlsName
	case why == saysSelfSigned:
		return tlsSelfSigned
	case why == saysAuthority:
		return tlsAuthority
	}
	return tlsOther
}

// What certify tells people, beside a span of days.
const (
	saysNone       = "the server showed no certificate"
	saysName       = "the certificate is for another host"
	saysSelfSigned = "the certificate is signed by itself, which is an unknown authority"
	saysAuthority  = "the certificate is signed by an unknown authority"
)

// maxChain bounds the certificates that are kept of a server, in number and in bytes together.
const (
	maxChain      = 16
	maxChainBytes = 64 << 10
)

// kept are the certificates that are kept, in DER.
func kept(chain []*x509.Certificate) (der [][]byte) {
	n := 0
	for _, c := range chain[:min(len(chain), maxChain)] {
		if n += len(c.Raw); n > maxChainBytes {
			break
		}
		der = append(der, c.Raw)
	}
	return der
}

// Dial connects to an address as exchanges do: by the guard against private and denied networks, and by Resolve. It is for requests that
// are not recorded.
func (r *Recorder) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if to, ok := r.Resolve[addr]; ok {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", addr, err)
		}
		if _, _, err := net.SplitHostPort(to); err != nil {
			to = net.JoinHostPort(strings.Trim(to, "[]"), port)
		}
		addr = to
	}
	d := net.Dialer{Resolver: r.Resolver, Control: guard{r.Deny, r.Allow, r.AllowPrivate}.control}
	return d.DialContext(ctx, network, addr)
}
