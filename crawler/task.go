package crawler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
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

// task carries one task out: fetch, discover, record. fetched is called when the host is free for another exchange, and
// ended, unless an error is returned, when the entry is acknowledged, counts for nothing because the lease was no longer
// held, or is lost.
func (c *Crawler) task(ctx context.Context, l storage.Lease, r *run, t storage.Task, p *permission, fetched func(), ended endedFunc) error {
	e := &warc.Entry{Collection: r.row.Collection, Task: t, Meta: warc.Meta{
		Run: t.Run, Host: t.Host, Task: t.ID, Token: l.Token, Kind: t.Kind, Depth: t.Depth, Via: t.Via, Hops: t.Hops,
		Attempt: t.Attempts + 1,
	}}
	if t.Kind == KindDocument {
		fetched()
		if err := c.takeIn(ctx, r, e); err != nil {
			return err
		}
		return c.record(ctx, r, e, ended)
	}
	var err error
	if p != nil && !p.allowed() {
		e.Exchange = c.forbidden(t, p)
		fetched()
	} else {
		if p != nil && p.noted != "" {
			e.Meta.Notes = append(e.Meta.Notes, "robots.txt asks not to fetch this: "+p.noted)
		}
		err = c.exchange(ctx, r, e, fetched)
	}
	if err != nil {
		return err
	}
	err = c.record(ctx, r, e, ended)
	if rerr := r.line.rec.Release(e.Exchange); err == nil && rerr != nil {
		c.Log.Warn("freeing a response", "url", t.URL, "error", rerr)
	}
	return err
}

// forbidden is the exchange that did not take place.
func (c *Crawler) forbidden(t storage.Task, p *permission) *warc.Exchange {
	x := &warc.Exchange{URL: t.URL, Method: "GET", At: c.Now().UTC(), Outcome: p.outcome, Detail: p.detail}
	if p.denied != "" {
		x.Outcome, x.Detail = outcome.Robots, "robots.txt says: "+p.denied
	}
	return x
}

// exchange fetches the task's URL and finds what it leads to.
func (c *Crawler) exchange(ctx context.Context, r *run, e *warc.Entry, fetched func()) error {
	w := r.line.worker()
	defer r.line.idle.Put(w)
	free := true
	x, err := w.Fetch(ctx, fetch.Request{URL: e.Task.URL, Any: r.spec().Lists(e.Task.Hops)}, func(d fetch.Document) error {
		fetched()
		free = false
		return c.find(ctx, r, e, d)
	})
	if free {
		fetched()
	}
	e.Exchange = x
	if err != nil {
		return err
	}
	e.Meta.Mime = x.Head.Mime()
	c.redirect(r, e)
	if scope.Role(e.Task.Hops) == scope.KindRobots {
		keepRobots(e)
	} else {
		newFinder(r.scope.Load(), e, x.URL).headers(x.Head)
	}
	if e.Post != nil {
		e.Post.At = x.At
	}
	if x.Outcome.Retry() && e.Meta.Attempt <= r.spec().Retries {
		e.Meta.Retry = c.Now().Add(c.RetryWait << min(e.Meta.Attempt-1, maxDoublings)).UnixMilli()
	}
	return nil
}

// maxDoublings bounds the wait before another try: from two seconds it grows to half an hour.
const maxDoublings = 10

// redirect makes a task of a redirect's target (RFC 9110 §15.4).
func (c *Crawler) redirect(r *run, e *warc.Entry) {
	x := e.Exchange
	if !redirects(x.Head) {
		return
	}
	target, err := urlkey.Parse(x.URL, x.Head.Get("Location"))
	if err != nil {
		e.Meta.Notes = append(e.Meta.Notes, fmt.Sprintf("the redirect's target is no address: %.200q", x.Head.Get("Location")))
		return
	}
	e.Meta.Redirect = target
	v := r.scope.Load().Admit(scope.Link{
		URL: target, Hop: scope.HopRedirect, From: x.URL, Depth: e.Task.Depth, Hops: e.Task.Hops,
	})
	e.Meta.Outlinks = append(e.Meta.Outlinks, outlink(target, scope.HopRedirect, "Location", v))
	if !v.Admitted {
		e.Meta.Notes = append(e.Meta.Notes, "the redirect is not followed: "+v.Detail)
	}
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
	}
	return o
}

// record hands the entry to the journal.
func (c *Crawler) record(ctx context.Context, r *run, e *warc.Entry, ended endedFunc) error {
	tasks := e.Meta.Tasks(e.Task.URL)
	e.New = r.fresh(append([]storage.Task(nil), tasks...))
	ev := c.event(e)
	due := e.Meta.Retry
	if due == 0 {
		due = storage.Never
	}
	r.spending.bytes.Add(ev.Bytes)
	// What has been fetched is recorded even if the work is to stop, or the host was lost.
	err := c.append(c.last, r, e, func(held bool, err error) {
		defer r.spending.bytes.Add(-ev.Bytes)
		if err == nil && held {
			ev.Found = e.Added
			r.committed(ev, e.Task.ID, tasks)
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

// append hands the entry to the journal. One that can't be recorded as it is, whatever a server did to make it so, ends as
// a failure that says so: it must not stop the work, now and at every later start.
func (c *Crawler) append(ctx context.Context, r *run, e *warc.Entry, done func(bool, error)) error {
	err := c.Journal.Append(ctx, e, done)
	bad := errors.Is(err, warc.ErrExchange) || errors.Is(err, warc.ErrURL) || errors.Is(err, warc.ErrHeader)
	if !bad || e.Exchange == nil {
		return err
	}
	c.Log.Warn("an exchange can't be recorded", "url", e.Task.URL, "error", err)
	bare := *e
	bare.Post, bare.New = nil, nil
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
