package storage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// errStalled is the end of an attempt in which no byte moved for too long.
var errStalled = errors.New("the store has stopped answering")

// watch gives an attempt up when nothing moves.
type watch struct {
	timer *time.Timer
	stall time.Duration
}

func (w *watch) touch() { w.timer.Reset(w.stall) }
func (w *watch) pause() { w.timer.Stop() }

// watched makes the context of one attempt. done must be called.
func (s *S3) watched(ctx context.Context) (_ context.Context, w *watch, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	w = &watch{timer: time.AfterFunc(s.stall, func() { cancel(errStalled) }), stall: s.stall}
	return ctx, w, func() {
		w.timer.Stop()
		cancel(nil)
	}
}

// stalled gives a failure its true name: what the client library reports is a cancelled context.
func stalled(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// try carries out one request, again if what failed may pass, for as long as patience lasts and the context allows.
// ErrAway if the store could not be reached in that time. Other failures are put into words for people; doing is what
// the credentials must be good for.
func (s *S3) try(ctx context.Context, doing string, request func(context.Context, *watch) error) error {
	began := time.Now()
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		actx, w, done := s.watched(ctx)
		err := stalled(actx, request(actx, w))
		done()
		switch {
		case err == nil || !passing(err):
			s.answered()
			return s.explain(doing, err)
		case ctx.Err() != nil:
			return cutShort(ctx, err)
		}
		s.silent(err)
		wait := backoff(n, rand.Float64())
		if time.Since(began)+wait > s.patience {
			return fmt.Errorf("the store at %s: %w: %w", s.Endpoint(), ErrAway, err)
		}
		if pause(ctx, wait) != nil {
			return cutShort(ctx, err)
		}
	}
}

// cutShort is the failure of a call whose context ended before its store answered. Who set a deadline learns that the
// store is away.
func cutShort(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w: %w", ErrAway, ctx.Err(), err)
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// backoff is how long to wait after the n-th failure in a row, n from 0: it doubles up to three seconds, and chance
// (0 to 1) takes off up to a half, so that many who fail together don't come back together.
func backoff(n int, chance float64) time.Duration {
	full := min(100*time.Millisecond<<min(n, 10), 3*time.Second)
	return full - time.Duration(chance*float64(full)/2)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// silent and answered tell the log when the store goes away and when it comes back, and not of each request between.
func (s *S3) silent(err error) {
	if s.away.CompareAndSwap(false, true) {
		s.log.Warn("the blob store does not answer; trying again", "store", s.String(), "endpoint", s.Endpoint(), "error", err)
	}
}

func (s *S3) answered() {
	if s.away.CompareAndSwap(true, false) {
		s.log.Warn("the blob store answers again", "store", s.String())
	}
}

// passing says whether a failure may pass by itself: a store that is overloaded, restarts, or can't be reached.
func passing(err error) bool {
	if p := (*progress)(nil); errors.As(err, &p) {
		return false // its caller goes on by itself
	}
	if r := answer(err); r.Code != "" || r.StatusCode != 0 {
		switch r.Code {
		case "SlowDown", "SlowDownRead", "SlowDownWrite", "RequestTimeout", "RequestTimedOut", "InternalError", "ServiceUnavailable",
			"Throttling", "ThrottlingException", "RequestThrottled", "RequestLimitExceeded", "ConditionalRequestConflict",
			"OperationAborted", "IncompleteBody":
			return true
		}
		if mismatch(r.Code) { // what was sent is what its checksum says, or it would not have been sent
			return true
		}
		switch r.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, 499:
			return true
		case http.StatusNotImplemented:
			return false
		}
		return r.StatusCode >= 500
	}
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)), errors.As(err, new(x509.HostnameError)),
		errors.As(err, new(x509.CertificateInvalidError)), errors.As(err, new(*tls.CertificateVerificationError)),
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return false
	case errors.As(err, new(*fs.PathError)), errors.Is(err, ErrExists), errors.Is(err, ErrDamaged), errors.Is(err, ErrNotFound), errors.Is(err, ErrAway),
		errors.Is(err, errNoStore):
		return false
	}
	return true
}

// answer is what the store said, or zero if the failure is none of the store's words.
func answer(err error) minio.ErrorResponse {
	var r minio.ErrorResponse
	_ = errors.As(err, &r) // else it stays empty
	return r
}
