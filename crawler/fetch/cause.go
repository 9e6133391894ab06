package fetch

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"
	"syscall"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
)

// Words of warc.Cause.DNSAnswer. The resolver does not tell a name that is not there from one without an address.
const (
	dnsNotFound = "not-found"
	dnsFailure  = "server-failure"
	dnsTimeout  = "timeout"
	dnsBad      = "bad-answer"
)

// Words of warc.TLS.Fault. Of a certificate that does not verify …
const (
	tlsExpired    = "expired"
	tlsNotYet     = "not-yet-valid"
	tlsName       = "name"
	tlsSelfSigned = "self-signed"
	tlsAuthority  = "authority"
	tlsNone       = "no-certificate"
	tlsOther      = "invalid"
)

// … and of a handshake that failed. "alert N NAME" is another, as the server sent it (RFC 8446 §6).
const (
	tlsNotTLS  = "not-tls"
	tlsClosed  = "closed"
	tlsReset   = "reset"
	tlsTimeout = "timeout"
	tlsFailed  = "disagreement"
)

// trace tells programs what judge tells people.
func (w *wire) trace(x *warc.Exchange, cause error) {
	var dial *dialError
	c := &x.Cause
	switch {
	case cause == nil:
	case errors.As(cause, &dial):
		w.traceDial(x, dial.cause)
	case x.Head.Len == 0:
		c.Phase = warc.PhaseHeaders
		if x.Outcome == outcome.Protocol {
			c.At = int64(w.offence(x, cause))
			c.Offending = bytes.Clone(w.head[c.At:min(len(w.head), int(c.At)+warc.MaxOffending)])
		}
		if alert, ok := alertOf(cause); ok && x.TLS != nil {
			own := *x.TLS // others share it
			own.Fault = alertWord(alert)
			x.TLS = &own
		}
	default:
		c.Phase = warc.PhaseBody
		if errors.Is(cause, httpmsg.ErrMalformed) {
			c.At, c.Offending = w.badAt, bytes.Clone(w.bad)
		}
	}
}

// offence is where in the head the bytes stand that made it none.
func (w *wire) offence(x *warc.Exchange, cause error) int {
	if errors.Is(cause, errHeadLimit) {
		return min(len(w.head), max(0, int(w.rec.limits.HeadBytes)-len(x.Interim)))
	}
	return min(len(w.head), httpmsg.Offence(w.head))
}

func (w *wire) traceDial(x *warc.Exchange, err error) {
	var (
		dns    *net.DNSError
		priv   *privateError
		secure *handshakeError
		op     *net.OpError
		c      = &x.Cause
	)
	c.Phase = warc.PhaseConnect
	switch {
	case errors.As(err, &priv):
		c.Address = priv.at.String()
	case errors.As(err, &dns):
		c.Phase, c.DNSServer, c.DNSAnswer = warc.PhaseDNS, dns.Server, dnsWord(dns)
	case errors.As(err, &secure):
		c.Phase = warc.PhaseTLS
		own := warc.TLS{}
		if x.TLS != nil {
			own = *x.TLS
		}
		if own.Fault == "" {
			own.Fault = handshakeWord(secure.cause)
		}
		x.TLS = &own
	case errors.As(err, &op) && op.Addr != nil:
		c.Address = op.Addr.String()
	}
}

func dnsWord(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return dnsNotFound
	case err.IsTimeout:
		return dnsTimeout
	case err.IsTemporary, strings.Contains(err.Err, "server misbehaving"):
		return dnsFailure
	}
	return dnsBad
}

func handshakeWord(err error) string {
	var header tls.RecordHeaderError
	alert, alerted := alertOf(err)
	switch {
	case errors.As(err, &header):
		return tlsNotTLS
	case alerted:
		return alertWord(alert)
	case timedOut(err):
		return tlsTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return tlsReset
	case ended(err):
		return tlsClosed
	}
	return tlsFailed
}

// alertOf is the alert with which a peer ended a TLS connection. The library names its type for QUIC alone.
func alertOf(err error) (tls.AlertError, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return tls.AlertError(v.Uint()), true //nolint:gosec // a byte
}

func alertWord(a tls.AlertError) string { return "alert " + strconv.Itoa(int(a)) + " " + plainAlert(a) }
