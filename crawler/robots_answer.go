package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	broken   bool   // it is captured, but can't be read back
}

// elsewhereWait is when to look again for a robots.txt that only another machine's spool holds.
const elsewhereWait = 5 * time.Second

// keepRobots hands what a robots.txt says on to whoever holds the host next: its segment lies in this machine's spool for
// a while.
func keepRobots(e *warc.Entry) {
	x := e.Exchange
	if !x.Outcome.Kept() {
		return
	}
	a := robotsAnswer{status: x.Head.Status, redirect: e.Meta.Redirect}
	if x.Response != nil {
		// A body that can't be decoded to its end counts as far as it goes.
		a.body, _ = decodedRobots(httpmsg.Body(x.Head, x.Method, x.Response.From(x.Head.Len)), x.Head.Get("Content-Encoding"))
	}
	e.Keep = a.encode()
}

func (a *robotsAnswer) encode() []byte {
	return append(fmt.Appendf(nil, "%d %s\n", a.status, a.redirect), a.body...)
}

func decodeRobotsAnswer(b []byte) (*robotsAnswer, error) {
	head, body, ok := bytes.Cut(b, []byte("\n"))
	a := &robotsAnswer{body: body}
	status, redirect, _ := bytes.Cut(head, []byte(" "))
	if n, err := fmt.Sscan(string(status), &a.status); !ok || n != 1 || err != nil {
		return nil, fmt.Errorf("what was kept of a robots.txt begins with %.40q", head)
	}
	a.redirect = string(redirect)
	return a, nil
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
	c, err := h.c.Index.Closest(ctx, r.row.Collection, urlkey.Key(t.URL), t.URL, h.c.Now())
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.readRobots(ctx, &c)
}

// readRobots reads an answer out of the archive.
func (h *host) readRobots(ctx context.Context, c *storage.Capture) (*robotsAnswer, error) {
	a := &robotsAnswer{status: c.Status, redirect: c.Redirect}
	m, err := h.c.Library.Open(ctx, *c)
	if err != nil && (ctx.Err() != nil || errors.Is(err, warc.ErrElsewhere)) {
		return nil, err
	}
	if err != nil {
		h.c.Log.Error("a robots.txt can't be read back out of the archive", "url", c.URL, "error", err)
		a.broken = true
		return a, nil
	}
	defer m.Close() //nolint:errcheck // it was read
	if a.body, err = decodedRobots(m.Payload, m.Original.Get("Content-Encoding")); err != nil {
		h.c.Log.Debug("robots.txt can't be decoded", "url", c.URL, "error", err)
	}
	return a, nil
}
