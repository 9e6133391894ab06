package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"syscall"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Ends of an exchange that are nobody's I/O error.
var (
	errHeadLimit = errors.New("head over its limit")
	errByteLimit = errors.New("response over its limit")
	errNotHTTP   = errors.New("not HTTP")
	errConflict  = errors.New("lengths in conflict")
)

// wire speaks HTTP/1.1 over one connection at a time. Its buffers serve one exchange after the other.
type wire struct {
	rec  *Recorder
	buf  []byte    // what one read brought
	head []byte    // what came so far, until the final head is complete
	sum  hash.Hash // over the payload
	veil veil      // hides secrets in what came

	looked   int                      // bytes of head that hold no end
	done     bool                     // the message's end has come, not just the connection's
	start    time.Time                // of the exchange, for its total
	answered func()                   // see Request
	came     func(int)                // see Request
	sent     time.Time                // when the request was on its way
	most     int64                    // bytes of the response
	enough   func(httpmsg.Head) int64 // see Request

	bad   []byte // what broke the framing of the body …
	badAt int64  // … and where it stands in the response
}

// wireBuffer is as much as one read takes. Four TLS records fit.
const wireBuffer = 64 << 10

func (w *wire) init(r *Recorder) {
	w.rec, w.buf, w.sum = r, make([]byte, wireBuffer), sha256.New()
}

// localError is a fault of this machine, which no exchange can tell of.
type localError struct{ cause error }

func (e *localError) Error() string { return e.cause.Error() }
func (e *localError) Unwrap() error { return e.cause }

// record makes one exchange. The error is the context's or a local fault; every other end is in the exchange.
func (w *Worker) record(ctx context.Context, req Request) (*warc.Exchange, error) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return nil, fmt.Errorf("ask %s: method %q is neither GET nor HEAD", req.URL, req.Method)
	}
	x := &warc.Exchange{URL: req.URL, Method: req.Method, At: w.rec.now()}
	t, err := parseTarget(req.URL)
	if err != nil {
		x.Outcome, x.Cause.Phase = outcome.BadURL, warc.PhaseRules
		x.Detail = fmt.Sprintf("%.200q is not an http or https address that can be asked", req.URL)
		return x, nil
	}
	x.URL = t.url
	who := cmp.Or(req.Session, w.rec.Session)
	asked := who.Ask(whereOf(t), x.At)
	msg, ok := w.rec.message(t, req, asked)
	if !ok {
		return nil, fmt.Errorf("ask %s: a header field of the request holds a line break", t.url)
	}
	w.wire.answered = req.Answered
	w.wire.came, w.wire.enough = req.Came, req.Enough
	w.wire.veil.about(who, whereOf(t), asked)
	if w.wire.most = w.rec.limits.Bytes; req.Bytes > 0 {
		w.wire.most = min(w.wire.most, req.Bytes)
	}
	return w.wire.exchange(ctx, t, msg, x)
}

// exchange sends msg and keeps what comes back. On a kept-alive connection that turns out to be dead before a byte of the
// request is on its way, it makes a new one. Once the server may have the request in hand, its end is the exchange's: an
// attempt that leaves evidence, and is followed by the pauses that any other is followed by.
func (w *wire) exchange(ctx context.Context, t target, msg message, x *warc.Exchange) (*warc.Exchange, error) {
	w.start = time.Now()
	if c := w.rec.idle.get(t.key()); c != nil {
		err := w.talk(ctx, c, msg, x)
		if len(x.Request) > 0 || x.Response != nil || x.Interim != nil || !broken(err) || ctx.Err() != nil {
			return w.end(ctx, t, x, err)
		}
		*x = warc.Exchange{URL: x.URL, Method: x.Method, At: w.rec.now()}
		w.start = time.Now()
	}
	two := w.rec.onlyH2.has(t.key())
	err := w.connect(ctx, t, msg, x, two)
	if t.secure && !two && ctx.Err() == nil && w.refusedHTTP1(err) {
		if gone := w.rec.Release(x); gone != nil {
			return nil, gone
		}
		*x = warc.Exchange{URL: x.URL, Method: x.Method, At: w.rec.now()}
		if err = w.connect(ctx, t, msg, x, true); x.Head.Len > 0 {
			w.rec.onlyH2.add(t.key())
		}
	}
	return w.end(ctx, t, x, err)
}

// connect makes a connection and talks over it, over HTTP/2 if two is set.
func (w *wire) connect(ctx context.Context, t target, msg message, x *warc.Exchange, two bool) error {
	c, err := w.rec.dial(ctx, t, x, two)
	switch {
	case err == nil:
		return w.talk(ctx, c, msg, x)
	case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
		return &localError{fmt.Errorf("open a connection, too many files are open on this machine: %w", err)}
	}
	return &dialError{err}
}

// refusedHTTP1 says whether a host speaks HTTP/2 alone: it would not shake hands for HTTP/1.1 (RFC 7301 §3.2), or answered in
// frames.
func (w *wire) refusedHTTP1(err error) bool {
	const noApplicationProtocol = 120
	var dial *dialError
	if errors.As(err, &dial) {
		alert, ok := alertOf(err)
		return ok && alert == noApplicationProtocol
	}
	return errors.Is(err, errNotHTTP) && speaksH2(w.head)
}

// end writes down how the exchange ended.
func (w *wire) end(ctx context.Context, t target, x *warc.Exchange, cause error) (*warc.Exchange, error) {
	x.Timing.Total = time.Since(w.start)
	x.Notes = w.veil.notes(len(x.Request) > 0)
	var local *localError
	switch {
	case ctx.Err() != nil && cause != nil:
		cause = fmt.Errorf("ask %s: %w", x.URL, context.Cause(ctx))
	case errors.As(cause, &local):
		cause = fmt.Errorf("record %s: %w", x.URL, local.cause)
	default:
		w.judge(x, t, cause)
		return x, nil
	}
	return nil, errors.Join(cause, w.rec.Release(x))
}

// talk sends msg over c and reads the response into x. It keeps c for others, or closes it. The error is nil if and only
// if the response is whole.
func (w *wire) talk(ctx context.Context, c *conn, msg message, x *warc.Exchange) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	x.IP, x.TLS, x.Protocol = c.ip, c.tls, c.protocol
	w.sent = time.Now()
	w.deadline(ctx, c, w.sent.Add(w.rec.limits.FirstByte))
	w.veil.begin(x.At)
	x.Request = msg.shown(len(msg.wire))
	n, err := c.Write(msg.wire)
	sentAll := err == nil
	x.Request = msg.shown(n)

	// A server may answer and close before it has read the request: what it says counts for more than our failed write.
	readErr := w.readHead(c, x)
	if readErr == nil {
		readErr = w.readBody(ctx, c, x)
	}
	if readErr == nil && c.protocol == "" {
		x.Excess += c.surplus(w.buf)
	}
	if readErr != nil && !sentAll && x.Response == nil && !timedOut(readErr) {
		readErr = err
	}
	reusable := stop() && readErr == nil && w.done && sentAll && c.protocol == "" && x.Excess == 0 && x.Head.KeepAlive()
	if reusable && c.SetDeadline(time.Time{}) == nil {
		c.most, c.bounded = keptFor(x.Head)
		w.rec.idle.put(c)
	} else {
		_ = c.Close() // all that it had to say has been read
	}
	return readErr
}

// deadline bounds what follows on c by at and by the exchange's total, unless the context has ended already.
func (w *wire) deadline(ctx context.Context, c *conn, at time.Time) {
	if total := w.start.Add(w.rec.limits.Total); at.After(total) {
		at = total
	}
	_ = c.SetDeadline(at) // fails only on a closed connection, and so will the next read
	if ctx.Err() != nil {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
}

// readHead reads up to the end of the final head, and perhaps beyond. Interim heads go to x.Interim (RFC 9110 §15.2). On
// an error all that came is kept in x.Response.
func (w *wire) readHead(c *conn, x *warc.Exchange) error {
	w.head, w.looked = w.head[:0], 0
	for {
		n, err := c.Read(w.buf)
		if n > 0 && x.Timing.FirstByte == 0 {
			x.Timing.FirstByte = time.Since(w.sent)
		}
		w.head = append(w.head, w.buf[:n]...)
		whole, parseErr := w.parse(x)
		if whole {
			if w.answered != nil {
				w.answered()
			}
			return nil // an error of the read comes again with the next
		}
		if parseErr != nil {
			err = parseErr
		}
		if err != nil {
			if len(w.head) == 0 {
				return err
			}
			w.veil.evidence(w.head)
			return errors.Join(err, w.keep(x, w.head))
		}
	}
}

// parse looks for the final head in what came, and says whether it is whole.
func (w *wire) parse(x *warc.Exchange) (bool, error) {
	for {
		end := httpmsg.HeadEnd(w.head, w.looked)
		if len(x.Interim)+max(end, 0) > int(w.rec.limits.HeadBytes) ||
			(end < 0 && len(x.Interim)+len(w.head) > int(w.rec.limits.HeadBytes)) {
			return false, errHeadLimit
		}
		if end < 0 {
			// What does not start as a response never becomes one: no use to wait for a blank line.
			w.looked = len(w.head)
			if _, err := httpmsg.ParseHead(w.head[:min(len(w.head), 16)]); errors.Is(err, httpmsg.ErrMalformed) {
				return false, errNotHTTP
			}
			return false, nil
		}
		h, err := httpmsg.ParseHead(w.head[:end])
		if err != nil {
			return false, errNotHTTP
		}
		if h.Status >= 200 || h.Status == http.StatusSwitchingProtocols {
			if h, err = w.veil.head(h, w.head[:end]); err != nil {
				return false, errNotHTTP
			}
			if h.Framing(x.Method).Kind == httpmsg.Conflict {
				return false, errConflict
			}
			x.Head = h
			return true, nil
		}
		w.veil.interim(w.head[:end])
		x.Interim = append(x.Interim, w.head[:end]...)
		w.head, w.looked = append(w.head[:0], w.head[end:]...), 0
	}
}

// readBody reads the rest of the message whose head has been read, and hashes its payload on the way.
func (w *wire) readBody(ctx context.Context, c *conn, x *warc.Exchange) error {
	w.done = false
	w.sum.Reset()
	defer func() { w.sum.Sum(x.Payload.SHA256[:0]) }()
	if err := w.keep(x, w.head[:x.Head.Len]); err != nil {
		return err
	}
	f := x.Head.Framing(x.Method)
	if w.enough != nil {
		w.most = min(w.most, x.Head.Len+max(0, w.enough(x.Head)))
	}
	w.veil.body(f.Kind == httpmsg.Chunked)
	err := w.receive(ctx, c, x, f)
	var local *localError
	if !w.veil.on() || errors.As(err, &local) {
		return err
	}
	if kept := w.unveiled(x, err == nil); kept != nil {
		return errors.Join(err, kept)
	}
	if errors.Is(err, httpmsg.ErrMalformed) {
		if _, err := x.Response.ReadAt(w.bad, w.badAt); err != nil { // as it is kept
			return &localError{err}
		}
	}
	if withheld := w.look(ctx, x); withheld != nil {
		return withheld
	}
	return err
}

// receive reads a body up to its end.
func (w *wire) receive(ctx context.Context, c *conn, x *warc.Exchange, f httpmsg.Framing) error {
	s := httpmsg.NewScanner(f)
	if err := w.take(x, &s, w.head[x.Head.Len:]); err != nil {
		return err
	}
	for !s.Done() {
		if w.enough != nil && x.Response.Size()+w.veil.waiting() >= w.most {
			return errByteLimit // a byte more would only be waited for
		}
		w.deadline(ctx, c, time.Now().Add(w.rec.limits.Idle))
		n, err := c.Read(w.buf)
		if err := w.take(x, &s, w.buf[:n]); err != nil {
			return err
		}
		switch {
		case err == nil || s.Done():
		case f.Kind == httpmsg.UntilClose && ended(err):
			return nil
		case f.Kind == httpmsg.Chunked && s.Complete():
			return nil // only the line after the last chunk is missing: nothing of the payload
		default:
			return err
		}
	}
	w.done = true
	return nil
}

// take keeps that part of b which belongs to the message, up to the limit, and counts the rest.
func (w *wire) take(x *warc.Exchange, s *httpmsg.Scanner, b []byte) error {
	within := b[:min(int64(len(b)), max(0, w.most-x.Response.Size()-w.veil.waiting()))]
	at := 0
	for at < len(within) && !s.Done() {
		payload, n, err := s.Next(within[at:])
		if err != nil {
			at += n
			w.badAt = x.Response.Size() + w.veil.waiting() + int64(at)
			w.bad = append(w.bad[:0], within[at:min(len(within), at+warc.MaxOffending)]...)
			return errors.Join(err, w.pass(x, within)) // where the message ends is anybody's guess: all is evidence
		}
		at += n
		if w.veil.on() {
			w.veil.payload(at-len(payload), at)
		} else {
			_, _ = w.sum.Write(payload) // a hash never fails
		}
		x.Payload.Size += int64(len(payload))
	}
	if err := w.pass(x, within[:at]); err != nil {
		return err
	}
	switch {
	case s.Done():
		x.Excess = int64(len(b) - at)
	case len(within) < len(b):
		return errByteLimit
	}
	return nil
}

// keep appends b to the response.
func (w *wire) keep(x *warc.Exchange, b []byte) error {
	if x.Response == nil {
		x.Response = w.rec.spills.Get().(*storage.Spill)
	}
	if _, err := x.Response.Write(b); err != nil {
		return &localError{err}
	}
	if w.came != nil {
		w.came(len(b))
	}
	return nil
}

// ended says whether the peer closed the connection in an orderly way, or as TLS peers often do, without the closing
// alert, which over TLS looks like an unexpected end.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
