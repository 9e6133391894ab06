package crawler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// KindDocument is the kind of the task that takes in a document which was handed in. Its host is HostDocument.
const (
	KindDocument = "document"
	HostDocument = "document:"
)

// endedFunc is told when a task is due again, and whether its entry counts.
type endedFunc func(due int64, held bool, err error)

// steps are what a task tells of on its way.
type steps struct {
	fetched  func()                                 // the host is free for another exchange
	answered func()                                 // its answer begins …
	came     func(int)                              // … and so many bytes of it came
	over     func()                                 // its answer is over
	known    func(context.Context) (*known, error)  // what it can be asked for by
	fares    func(*warc.Exchange) (time.Time, bool) // how it fared: before when a failure is not to be tried again, and whether it is
	ended    endedFunc                              // the entry is acknowledged, counts for nothing because the lease was no longer held, or is lost
}

// task carries one task out: fetch, discover, record. Of its steps ended is called unless an error is returned.
func (c *Crawler) task(ctx context.Context, l storage.Lease, r *run, t storage.Task, p *permission, step steps) (err error) {
	e := &warc.Entry{Collection: r.row.Collection, Task: t, Meta: warc.Meta{
		Run: t.Run, Host: t.Host, Task: t.ID, Token: l.Token, Kind: t.Kind, Depth: t.Depth, Via: t.Via, Hops: t.Hops,
		Attempt: t.Attempts + 1,
	}}
	defer func() {
		if err != nil { // else once the entry counts
			c.Links.free(e)
		}
	}()
	if t.Kind == KindDocument {
		step.fetched()
		if err := c.takeIn(ctx, r, e); err != nil {
			return err
		}
		return c.record(ctx, r, e, step.ended)
	}
	if t.Kind == storage.KindProbe {
		return c.lookAt(ctx, r, e, p, step)
	}
	if p != nil && !p.allowed() {
		e.Exchange = c.forbidden(t, p)
		step.fetched()
	} else {
		if p != nil && p.noted != "" {
			e.Meta.Notes = append(e.Meta.Notes, "robots.txt asks not to fetch this: "+p.noted)
		}
		if p != nil && p.remark != "" {
			e.Meta.Notes = append(e.Meta.Notes, p.remark)
		}
		err = c.exchange(ctx, r, e, step)
		if err == nil {
			r.traps.ended(e, p)
			if err = r.nested.tell(e); err != nil {
				err = errors.Join(err, r.line.rec.Release(e.Exchange))
			}
		}
	}
	if err != nil {
		return err
	}
	err = c.record(ctx, r, e, step.ended)
	if rerr := r.line.rec.Release(e.Exchange); err == nil && rerr != nil {
		c.Log.Warn("freeing a response", "run", t.Run, "host", t.Host, "url", t.URL, "error", rerr)
	}
	return err
}

// forbidden is the exchange that did not take place.
func (c *Crawler) forbidden(t storage.Task, p *permission) *warc.Exchange {
	x := &warc.Exchange{URL: t.URL, Method: "GET", At: c.Now().UTC(), Outcome: p.outcome, Detail: p.detail}
	if x.Cause = p.cause; x.Cause.Phase == "" {
		x.Cause.Phase, x.Cause.Rule = warc.PhaseRules, cmp.Or(p.rule, "robots.txt")
	}
	x.TLS = p.tls
	if p.denied != "" {
		x.Cause.Rule = p.denied
		x.Outcome, x.Detail = outcome.Robots, "robots.txt says: "+p.denied
	}
	return x
}

// exchange fetches the task's URL and finds what it leads to.
func (c *Crawler) exchange(ctx context.Context, r *run, e *warc.Entry, step steps) error {
	w := r.line.worker()
	defer r.line.idle.Put(w)
	more := e.Meta.Attempt <= r.spec().Retries
	robots := scope.Role(e.Task.Hops) == scope.KindRobots
	free := true
	req := fetch.Request{URL: e.Task.URL, Any: r.lists(e.Task.Hops), PDF: r.spec().IsPost(e.Task.Hops), Weight: weight(r, e.Task.Hops), Session: r.who, Answered: step.answered, Came: step.came, Over: step.over}
	before, err := step.known(ctx)
	if err != nil {
		step.fetched()
		return err
	}
	if before != nil {
		req.Header = conditions(&before.last)
	}
	if robots {
		req.Bytes = robotsLimit(e.Task.URL)
	}
	x, err := w.Fetch(ctx, req, func(d fetch.Document) error {
		if before != nil && d.Status == http.StatusNotModified {
			return nil // see confirm
		}
		c.flagDocument(e, d)
		switch {
		case !passing(d.Status, robots):
			step.fetched()
			free = false
		case more:
			return nil // another try may bring what was asked for
		} // the host is not free before it is known what it asks for
		return c.find(ctx, r, e, d)
	})
	var heard *robotsAnswer
	if x != nil && err == nil {
		if robots {
			heard = heardRobots(x)
		}
		after, again := step.fares(x)
		if again && more && (x.Outcome.Retry() || x.Outcome.Kept() && passing(x.Head.Status, robots) || heard.passes()) {
			e.Meta.Retry = c.due(e.Meta.Attempt, after)
		}
	}
	if free {
		step.fetched()
	}
	e.Exchange = x
	if err != nil {
		return err
	}
	head := x.Head
	e.Meta.Mime, e.Anew = head.Mime(), r.distrusts(e.Task.ID)
	if before != nil {
		if err := c.confirm(ctx, r, e, w, before); err != nil {
			return errors.Join(err, r.line.rec.Release(x))
		}
		if e.Confirmed != nil {
			head = e.Confirmed.Head
		}
	}
	if err := c.redirect(ctx, r, e); err != nil {
		return err
	}
	c.flagHead(e)
	if robots {
		keepRobots(e, heard)
		c.nameMaps(r, e)
	} else {
		discoverHead(r, e, head)
		oneWayOn(e)
	}
	if e.Post != nil {
		e.Post.At = x.At
	}
	if err := c.had(ctx, r, e); err != nil {
		return errors.Join(err, r.line.rec.Release(x))
	}
	return nil
}

// PostWeight is about how many bytes of memory a post's tree, texts and citations take for each byte of its source; pageWeight
// is the same for pages that are only searched for links.
const (
	PostWeight = 14
	pageWeight = 2
)

func weight(r *run, hops string) int64 {
	if r.spec().IsPost(hops) {
		return PostWeight
	}
	return pageWeight
}

// maxDoublings bounds the wait before another try: from two seconds it grows to half an hour.
const maxDoublings = 10

// due is when a task is tried again whose nth try failed: later each time, and not before after. Milliseconds.
func (c *Crawler) due(nth int, after time.Time) int64 {
	at := c.Now().Add(pace.Backoff(c.RetryWait, c.RetryWait<<maxDoublings, nth, rand.Float64()))
	if after.After(at) {
		at = after.Add(time.Millisecond - 1)
	}
	return at.UnixMilli()
}

// redirect makes a task of a redirect's target (RFC 9110 §15.4).
func (c *Crawler) redirect(ctx context.Context, r *run, e *warc.Entry) error {
	x := e.Exchange
	if !redirects(x.Head) {
		return nil
	}
	target, err := urlkey.Parse(x.URL, x.Head.Get("Location"))
	if err != nil {
		e.Meta.Notes = append(e.Meta.Notes, fmt.Sprintf("the redirect's target is no address: %.200q", x.Head.Get("Location")))
		return nil
	}
	target = r.secrets(e).Address(target)
	e.Meta.Redirect = target
	v := r.admit(r.scope.Load(), e, scope.Link{
		URL: target, Hop: scope.HopRedirect, From: x.URL, Depth: e.Task.Depth, Hops: e.Task.Hops,
	})
	back, err := c.leadsBack(ctx, e, target)
	if err != nil {
		return err
	}
	if back && v.Admitted {
		v = scope.Verdict{Reason: scope.ReasonLoop, Detail: "it leads back to where it came from"}
	}
	e.Meta.Outlinks = append(e.Meta.Outlinks, outlink(target, scope.HopRedirect, "Location", v))
	if !v.Admitted {
		e.Meta.Notes = append(e.Meta.Notes, "the redirect is not followed: "+v.Detail)
	}
	return nil
}

func redirects(h httpmsg.Head) bool {
	switch h.Status {
	case 301, 302, 303, 307, 308:
		return h.Get("Location") != ""
	}
	return false
}

func outlink(url string, hop scope.Hop, context string, v scope.Verdict) warc.Outlink {
	o := warc.Outlink{URL: url, Hop: byte(hop), Context: context}
	if v.Admitted {
		o.Kind, o.Depth, o.Due = string(v.Kind), v.Depth, v.Due
	} else {
		o.Reason = string(v.Reason)
	}
	return o
}

// record hands the entry to the journal.
func (c *Crawler) record(ctx context.Context, r *run, e *warc.Entry, ended endedFunc) error {
	conceal(r.secrets(e), e)
	tasks := e.Meta.Tasks(e.Task.URL)
	if e.Look == nil { // a look has said by itself where it goes on
		e.New = r.fresh(append([]storage.Task(nil), tasks...))
	}
	if e.Confirmed != nil {
		e.Meta.Trim(e.New, func(reason string) bool { return r.untold(e.Task.Host, reason) })
	}
	ev := c.event(e)
	due := e.Meta.Retry
	if due == 0 {
		due = storage.Never
	}
	r.spending.bytes.Add(ev.Bytes)
	// What has been fetched is recorded even if the work is to stop, or the host was lost.
	err := c.append(c.last, r, e, func(held bool, err error) {
		defer r.spending.bytes.Add(-ev.Bytes)
		defer c.Links.free(e)
		if err == nil && held {
			ev.Found = e.Added
			r.committed(ev, e.Task.ID, tasks)
			c.logExchange(e, ev)
			if c.Tell != nil {
				c.Tell(ev)
			}
			if len(e.New) > 0 {
				c.nudge()
			}
		}
		ended(due, held, err)
	})
	return err
}

// logExchange logs an exchange that counts now.
func (c *Crawler) logExchange(e *warc.Entry, ev Event) {
	if !c.Log.Enabled(c.last, slog.LevelDebug) {
		return
	}
	args := []any{"run", ev.Run, "host", e.Task.Host, "url", ev.URL, "kind", ev.Kind, "outcome", string(ev.Outcome), "status", ev.Status, "bytes", ev.Bytes}
	if x := e.Exchange; x != nil {
		args = append(args, "took", x.Timing.Total.Round(time.Millisecond))
		if x.Detail != "" {
			args = append(args, "error", x.Detail)
		}
	}
	c.Log.Debug("an exchange is acknowledged", args...)
}

// append hands the entry to the journal. One that can't be recorded as it is, whatever a server did to make it so, ends as
// a failure that says so: it must not stop the work, now and at every later start.
func (c *Crawler) append(ctx context.Context, r *run, e *warc.Entry, done func(bool, error)) error {
	err := c.Journal.Append(ctx, e, done)
	bad := errors.Is(err, warc.ErrExchange) || errors.Is(err, warc.ErrURL) || errors.Is(err, warc.ErrHeader)
	if !bad || e.Exchange == nil {
		return err
	}
	c.Log.Warn("an exchange can't be recorded", "run", e.Meta.Run, "host", e.Task.Host, "url", e.Task.URL, "error", err)
	bare := *e
	bare.Post, bare.New, bare.Confirmed, bare.Named = nil, nil, nil, nil
	bare.Meta.Outlinks, bare.Meta.Notes, bare.Meta.Redirect, bare.Meta.Mime, bare.Meta.Retry = nil, nil, "", "", 0
	bare.Exchange = &warc.Exchange{
		URL: e.Task.URL, Method: e.Exchange.Method, At: e.Exchange.At, Outcome: outcome.Protocol,
		Detail: "What came can't be kept in a WARC record.",
	}
	return c.Journal.Append(ctx, &bare, done)
}

func (c *Crawler) event(e *warc.Entry) Event {
	ev := Event{Run: e.Meta.Run, URL: e.Task.URL, Kind: e.Task.Kind, Depth: e.Task.Depth, Retry: e.Meta.Retry != 0}
	if x := e.Exchange; x != nil {
		ev.Outcome, ev.Status, ev.Bytes = x.Outcome, x.Head.Status, x.Payload.Size
	} else {
		ev.Outcome, ev.Bytes = outcome.Captured, int64(len(e.Resource.Body))
	}
	return ev
}

// takeIn makes a resource of the document that was handed in for a run.
func (c *Crawler) takeIn(ctx context.Context, r *run, e *warc.Entry) error {
	doc, err := c.Index.Document(ctx, r.row.ID)
	if err != nil {
		return err
	}
	at := c.Now().UTC().Truncate(time.Microsecond)
	e.Resource = &warc.Resource{URL: e.Task.URL, Mime: doc.Mime, At: at, Body: doc.Body}
	d, err := handedIn(e.Task.URL, doc)
	if err != nil {
		return err
	}
	e.Meta.Mime = d.Mime
	c.discoverPost(r, e, d, at, r.row.Source)
	return nil
}
