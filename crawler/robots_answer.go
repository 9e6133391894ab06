package crawler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/robots"
	"linkstead/storage"
)

// robotsAnswer is what a run was answered when it asked for a robots.txt.
type robotsAnswer struct {
	status   int
	redirect string
	body     []byte // decoded, up to robots.MaxBody and a byte more
	lacks    string // why the body does not tell all that robots.txt says; empty if it does
	broken   bool   // it is captured, but can't be read back
}

// Bounds of what is fetched of a robots.txt, head and framing included, in bytes. Where it redirects to another page, that
// page may be a link's, too.
const (
	maxRobots          = robots.MaxBody + 76<<10
	maxRobotsElsewhere = 16 << 20
)

// robotsLimit is how much of an answer to a question for robots.txt is fetched.
func robotsLimit(url string) int64 {
	if strings.HasSuffix(url, "/robots.txt") {
		return maxRobots
	}
	return maxRobotsElsewhere
}

// elsewhereWait is when to look again for a robots.txt that only another machine's spool holds.
const elsewhereWait = 5 * time.Second

// heardRobots is what a server answered; nil if it did not.
func heardRobots(x *warc.Exchange) *robotsAnswer {
	if !x.Outcome.Kept() {
		return nil
	}
	a := &robotsAnswer{status: x.Head.Status}
	var err error
	if x.Response != nil {
		a.body, err = decodedRobots(httpmsg.Body(x.Head, x.Method, x.Response.From(x.Head.Len)), x.Head.Get("Content-Encoding"))
	}
	a.judge(x.Outcome, err)
	return a
}

// judge takes note of what keeps the body from telling all that robots.txt says (RFC 9309 §2.3.1.4): what is missing of it may
// forbid anything. What lies beyond the bytes that count is not missing.
func (a *robotsAnswer) judge(o outcome.Outcome, err error) {
	switch {
	case len(a.body) > robots.MaxBody:
	case o != outcome.Captured:
		a.lacks = "it came in part. " + o.Describe().Meaning
	case err != nil:
		a.lacks = "its content encoding can't be undone"
	}
}

// permission is what the answer means.
func (a *robotsAnswer) permission() robots.Permission {
	if a.status/100 == 2 && a.lacks != "" {
		return robots.Partial(a.status, a.lacks)
	}
	return robots.FromStatus(a.status, a.body)
}

// passes says whether another try may bring more than was answered.
func (a *robotsAnswer) passes() bool { return a != nil && a.permission().Lacks() != "" }

// keepRobots hands what a robots.txt says on to whoever holds the host next: its segment lies in this machine's spool for
// a while.
func keepRobots(e *warc.Entry, a *robotsAnswer) {
	if a == nil {
		e.Keep = encodeCause(e.Exchange)
		return
	}
	a.redirect = e.Meta.Redirect
	e.Keep = a.encode()
}

// encode writes status, target and what is lacking into a line, which no address has a space in, and the body behind it.
func (a *robotsAnswer) encode() []byte {
	return append(fmt.Appendf(nil, "%d %s %s\n", a.status, a.redirect, a.lacks), a.body...)
}

func decodeRobotsAnswer(b []byte) (*robotsAnswer, error) {
	head, body, ok := bytes.Cut(b, []byte("\n"))
	a := &robotsAnswer{body: body}
	status, rest, _ := bytes.Cut(head, []byte(" "))
	redirect, lacks, _ := bytes.Cut(rest, []byte(" "))
	if n, err := fmt.Sscan(string(status), &a.status); !ok || n != 1 || err != nil {
		return nil, fmt.Errorf("what was kept of a robots.txt begins with %.40q", head)
	}
	a.redirect, a.lacks = string(redirect), string(lacks)
	return a, nil
}

// robotsCause is what a robots.txt failed of: as it was handed on, or else as it is recorded. A record that can't be read says
// nothing: the attempt is named all the same.
func (h *host) robotsCause(ctx context.Context, t storage.Task, a storage.Attempt) (warc.Cause, *warc.TLS, error) {
	kept, err := h.c.Tasks.Kept(ctx, t.Host, t.Run, t.ID)
	if err == nil {
		return decodeCause(kept)
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return warc.Cause{}, nil, err
	}
	c, _, err := h.c.Library.Attempt(ctx, a)
	if err != nil {
		if ctx.Err() == nil {
			h.c.Log.Debug("the attempt on a robots.txt can't be read back", "host", h.lease.Host, "url", a.URL, "error", err)
		}
		return warc.Cause{}, nil, ctx.Err()
	}
	cause, secure := handedOn(c.Cause, c.TLS)
	return cause, secure, nil
}

// handedOn is what one attempt tells of another that failed so before: not where bytes stand that are the other's evidence.
func handedOn(c warc.Cause, t *warc.TLS) (warc.Cause, *warc.TLS) {
	c.Offending, c.At = nil, 0
	if t != nil {
		t = &warc.TLS{Version: t.Version, Cipher: t.Cipher, Fingerprint: t.Fingerprint, Invalid: t.Invalid, Fault: t.Fault}
	}
	return c, t
}

// keptCause is what is handed on of a robots.txt that failed.
type keptCause struct {
	Cause warc.Cause
	TLS   *warc.TLS
}

func encodeCause(x *warc.Exchange) []byte {
	cause, secure := handedOn(x.Cause, x.TLS)
	b, err := json.Marshal(keptCause{cause, secure})
	if err != nil { // it is made of texts and numbers
		return nil
	}
	return b
}

func decodeCause(b []byte) (warc.Cause, *warc.TLS, error) {
	var k keptCause
	if err := json.Unmarshal(b, &k); err != nil {
		return k.Cause, nil, fmt.Errorf("what was kept of a robots.txt that failed begins with %.40q", b)
	}
	return k.Cause, k.TLS, nil
}

func decodedRobots(payload io.Reader, coding string) ([]byte, error) {
	body, err := httpmsg.Decode(payload, coding)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(body, robots.MaxBody+1))
	return text, errors.Join(err, body.Close())
}

// robotsAnswer is what the run was answered: as it was handed on, or else as it was captured. nil if it got no whole answer.
func (h *host) robotsAnswer(ctx context.Context, r *run, t storage.Task) (*robotsAnswer, error) {
	if !outcome.Outcome(t.Outcome).Kept() {
		return nil, nil
	}
	kept, err := h.c.Tasks.Kept(ctx, t.Host, t.Run, t.ID)
	if err == nil {
		return decodeRobotsAnswer(kept)
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	c, err := h.capturedRobots(ctx, r, t)
	if err != nil || c == nil {
		return nil, err
	}
	return h.readRobots(ctx, c)
}

// capturedRobots is what the run captured last of a robots.txt; nil if nothing. Other origins have the same key (https, www,
// a dot at the end), and their rules are not this one's.
func (h *host) capturedRobots(ctx context.Context, r *run, t storage.Task) (last *storage.Capture, err error) {
	key := urlkey.Key(t.URL)
	near, err := h.c.Index.Closest(ctx, r.row.Collection, key, t.URL, h.c.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case near.URL == t.URL && near.Run == t.Run:
		return &near, nil
	}
	for c, err := range h.c.Copies.Captures(ctx, r.row.Collection, key) {
		if err != nil {
			return nil, err
		}
		if c.URL == t.URL && c.Run == t.Run {
			last = &c
		}
	}
	return last, nil
}

// readRobots reads an answer out of the archive.
func (h *host) readRobots(ctx context.Context, c *storage.Capture) (*robotsAnswer, error) {
	a := &robotsAnswer{status: c.Status, redirect: c.Redirect}
	m, err := h.c.Library.Open(ctx, *c)
	if err != nil && (ctx.Err() != nil || errors.Is(err, warc.ErrElsewhere)) {
		return nil, err
	}
	if err != nil {
		h.c.Log.Error("a robots.txt can't be read back out of the archive", "host", h.lease.Host, "url", c.URL, "error", err)
		a.broken = true
		return a, nil
	}
	defer m.Close() //nolint:errcheck // it was read
	if a.body, err = decodedRobots(m.Payload, m.Original.Get("Content-Encoding")); err != nil {
		h.c.Log.Debug("robots.txt can't be decoded", "host", h.lease.Host, "url", c.URL, "error", err)
	}
	a.judge(outcome.Outcome(c.Outcome), err)
	return a, nil
}
