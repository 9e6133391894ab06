package fetch

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
)

// dialError says that there was no connection to talk over.
type dialError struct{ cause error }

func (e *dialError) Error() string { return "connect: " + e.cause.Error() }
func (e *dialError) Unwrap() error { return e.cause }

// judge turns the cause of an exchange's end into its outcome and into words. A nil cause is a whole response.
func (w *wire) judge(x *warc.Exchange, t target, cause error) {
	var dial *dialError
	switch {
	case cause == nil:
		x.Outcome = outcome.Captured
	case errors.As(cause, &dial):
		x.Outcome, x.Detail = w.judgeDial(t, dial.cause)
	case x.Head.Len == 0:
		x.Outcome, x.Detail = w.judgeHead(x, t, cause)
	default:
		w.judgeBody(x, t, cause)
	}
}

// judgeDial explains why there is no connection.
func (w *wire) judgeDial(t target, err error) (outcome.Outcome, string) {
	var (
		dns    *net.DNSError
		priv   *privateError
		secure *handshakeError
		limit  = min(w.rec.limits.Connect, w.rec.limits.Total)
	)
	switch {
	case errors.As(err, &priv):
		return outcome.Private, fmt.Sprintf("%s leads to the private address %s, which is refused unless private "+
			"addresses are allowed", t.addr(), priv.addr)
	case errors.As(err, &dns):
		return outcome.DNS, dnsDetail(t, dns)
	case timedOut(err):
		return outcome.Timeout, fmt.Sprintf("%s did not connect within %s", t.addr(), limit)
	case errors.As(err, &secure):
		return judgeTLS(t, secure.cause)
	case errors.Is(err, syscall.ECONNREFUSED):
		return outcome.Refused, t.addr() + " refused the connection"
	case errors.Is(err, syscall.ECONNRESET):
		return outcome.Reset, t.addr() + " reset the connection at once"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return outcome.Unreachable, "there is no route to " + t.addr()
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return outcome.Unreachable, fmt.Sprintf("%s can't be reached: %s", t.addr(), errno)
	}
	return outcome.Unreachable, t.addr() + " can't be reached"
}

func dnsDetail(t target, err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return fmt.Sprintf("%s: the name does not resolve to an address", t.addr())
	case err.IsTimeout:
		return fmt.Sprintf("%s: the name server did not answer in time", t.addr())
	}
	return fmt.Sprintf("%s: the name could not be resolved, the name server failed", t.addr())
}

func judgeTLS(t target, err error) (outcome.Outcome, string) {
	var (
		header tls.RecordHeaderError
		alert  tls.AlertError
	)
	switch {
	case errors.Is(err, errInvalid):
		_, why, _ := strings.Cut(err.Error(), ": ")
		return outcome.TLS, fmt.Sprintf("%s is not trusted: %s", t.addr(), why)
	case errors.As(err, &header):
		return outcome.TLS, t.addr() + " does not speak TLS on this port"
	case errors.As(err, &alert):
		return outcome.TLS, fmt.Sprintf("%s refused the secure connection: %s", t.addr(), plainAlert(alert))
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return outcome.Reset, t.addr() + " reset the connection during the handshake"
	case ended(err):
		return outcome.TLS, t.addr() + " closed the connection during the handshake"
	}
	return outcome.TLS, t.addr() + " and we could not agree on a secure connection"
}

// plainAlert is the name of a TLS alert (RFC 8446 §6).
func plainAlert(a tls.AlertError) string { return strings.TrimPrefix(a.Error(), "tls: ") }

// judgeHead explains why there are no complete headers.
func (w *wire) judgeHead(x *warc.Exchange, t target, err error) (outcome.Outcome, string) {
	silent := x.Response == nil && x.Interim == nil
	var alert tls.AlertError
	switch {
	case errors.Is(err, errNotHTTP):
		return outcome.Protocol, t.addr() + " did not answer in HTTP"
	case errors.Is(err, errConflict):
		return outcome.Protocol, t.addr() + " declared two lengths for one response"
	case errors.Is(err, errHeadLimit):
		return outcome.Protocol, fmt.Sprintf("%s sent headers of more than %d bytes", t.addr(), w.rec.limits.HeadBytes)
	case timedOut(err) && silent:
		return outcome.Timeout, fmt.Sprintf("%s did not answer within %s", t.addr(), w.headLimit())
	case timedOut(err):
		return outcome.Timeout, fmt.Sprintf("%s did not complete its headers within %s", t.addr(), w.headLimit())
	case errors.As(err, &alert):
		return outcome.TLS, fmt.Sprintf("%s ended the secure connection: %s", t.addr(), plainAlert(alert))
	case ended(err) && silent:
		return outcome.Empty, t.addr() + " closed the connection without a reply"
	case ended(err):
		return outcome.Reset, t.addr() + " closed the connection before its headers were complete"
	case silent:
		return outcome.Reset, t.addr() + " reset the connection without a reply"
	}
	return outcome.Reset, t.addr() + " reset the connection before its headers were complete"
}

func (w *wire) headLimit() string { return min(w.rec.limits.FirstByte, w.rec.limits.Total).String() }

// judgeBody explains why the body lacks its end (WARC 1.1 §5.13).
func (w *wire) judgeBody(x *warc.Exchange, t target, err error) {
	switch {
	case errors.Is(err, errByteLimit):
		x.Outcome, x.Truncated = outcome.TooLong, "length"
		x.Detail = fmt.Sprintf("%s sent more than %d bytes; what follows was cut", t.addr(), w.rec.limits.Bytes)
	case timedOut(err):
		x.Outcome, x.Truncated = outcome.TooSlow, "time"
		x.Detail = fmt.Sprintf("%s did not complete the response within %s", t.addr(), w.rec.limits.Total)
	case errors.Is(err, httpmsg.ErrMalformed):
		x.Outcome, x.Truncated = outcome.CutShort, "disconnect"
		x.Detail = t.addr() + " broke the framing of its chunks; what was read until then is kept"
	case ended(err):
		x.Outcome, x.Truncated = outcome.CutShort, "disconnect"
		x.Detail = t.addr() + " closed the connection before the response was complete"
	default:
		x.Outcome, x.Truncated = outcome.CutShort, "disconnect"
		x.Detail = t.addr() + " reset the connection before the response was complete"
	}
}

// timedOut says whether a deadline of ours passed.
func timedOut(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || (errors.As(err, &ne) && ne.Timeout())
}

// broken says whether a connection turned out to be dead.
func broken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, net.ErrClosed)
}
