package crawler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/storage"
)

// look is a look that is under way: what was seen so far, and what the steps to come have to know. It is kept in the link's row.
type look struct {
	Evidence link.Evidence `json:"evidence"`
	Said     string        `json:"said,omitempty"`    // the beginning of the page's main text …
	Sibling  string        `json:"sibling,omitempty"` // … that the answer to this address is compared with

	front *link.Front // what rules for parked domains look at, of this step
}

const (
	lookBody    = 1 << 20        // bytes of an answer, unless another bound is set
	lookSaid    = 16 << 10       // bytes of a text that two answers are compared by
	lookHops    = 10             // redirects
	lookAbandon = 24 * time.Hour // after which a look that goes on elsewhere is begun anew
	lookWindow  = 10 * time.Minute
)

// lookAt carries one step of a look at a link out.
func (c *Crawler) lookAt(ctx context.Context, r *run, e *warc.Entry, p *permission, step steps) error {
	l, err := c.Watch.Links.LinkOfTask(ctx, e.Task.ID)
	if errors.Is(err, storage.ErrNotFound) { // nobody cites it any more, or another look has begun
		step.fetched()
		if err := c.Watch.Links.PostponeLook(ctx, e.Task, storage.Never); err != nil {
			return err
		}
		step.ended(storage.Never, true, nil)
		return nil
	}
	if err != nil {
		step.fetched()
		return err
	}
	k, err := c.Watch.goOn(&l, e.Task, c.Now())
	if err != nil {
		step.fetched()
		return err
	}
	if until, wait := c.tooMany(&l, e.Task); wait {
		step.fetched()
		if err := c.Watch.Links.PostponeLook(ctx, e.Task, until.UnixMilli()); err != nil {
			return err
		}
		step.ended(until.UnixMilli(), true, nil)
		return nil
	}
	e.Collection, e.Meta.Link = l.Collection, l.ID
	said := text.Page{}
	if p != nil && !p.allowed() {
		e.Exchange = c.forbidden(e.Task, p)
		step.fetched()
	} else if err := c.lookOnce(ctx, r, e, &l, k, step, &said); err != nil {
		return err
	}
	if err := c.lookedAt(ctx, r, e, &l, k, said); err != nil {
		return errors.Join(err, r.line.rec.Release(e.Exchange))
	}
	err = c.record(ctx, r, e, step.ended)
	if rerr := r.line.rec.Release(e.Exchange); err == nil && rerr != nil {
		c.Log.Warn("freeing a response", "run", e.Task.Run, "host", e.Task.Host, "url", e.Task.URL, "error", rerr)
	}
	return err
}

// goOn is the look that a task begins, or goes on with.
func (w *Watch) goOn(l *storage.Link, t storage.Task, now time.Time) (*look, error) {
	if t.ID == l.ID || len(l.Look) == 0 {
		return &look{Evidence: link.Evidence{URL: l.URL, Kind: link.Probe, At: now.UTC(), Round: round(now, w.window())}}, nil
	}
	k := &look{}
	if err := json.Unmarshal(l.Look, k); err != nil {
		return nil, fmt.Errorf("read the look at %s that is under way: %w", l.URL, err)
	}
	return k, nil
}

func (w *Watch) window() time.Duration { return cmp.Or(w.Window, lookWindow) }

// round names the round of a moment: looks that are made within the same window share one.
func round(at time.Time, window time.Duration) string {
	return at.UTC().Truncate(window).Format(time.RFC3339)
}

// tooMany says until when a look is not to be begun, because as many as may be were begun today.
func (c *Crawler) tooMany(l *storage.Link, t storage.Task) (time.Time, bool) {
	if t.ID != l.ID {
		return time.Time{}, false
	}
	ok, until := c.Watch.counted.begin(t.Host, c.Now(), c.Watch.PerHost, c.Watch.PerDay)
	return until, !ok
}

// lookOnce makes the exchange of a step, and reads what the page says.
func (c *Crawler) lookOnce(ctx context.Context, r *run, e *warc.Entry, l *storage.Link, k *look, step steps, said *text.Page) error {
	w := r.line.worker()
	defer r.line.idle.Put(w)
	req := fetch.Request{
		URL: e.Task.URL, Bytes: cmp.Or(c.Watch.Body, lookBody), Weight: pageWeight, Session: r.who,
		Answered: step.answered, Came: step.came, Over: step.over,
	}
	var asked *storage.Capture
	if k.Sibling == "" {
		last, _, err := c.Index.Validated(ctx, l.Collection, urlkey.Key(e.Task.URL), e.Task.URL)
		switch {
		case err == nil && last.Status == http.StatusOK && last.Flags == "":
			asked, req.Header = &last, conditions(&last)
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			step.fetched()
			return err
		}
	}
	x, err := w.Fetch(ctx, req, func(d fetch.Document) error {
		c.flagDocument(e, d)
		if strings.HasPrefix(d.Mime, "text/") || strings.HasSuffix(d.Mime, "+xml") {
			*said = text.Main(d.Body, d.Head.Get("Content-Type"))
			if k.Sibling == "" {
				k.fronted(e.Task.URL, d.Body, *said)
			}
		}
		return nil
	})
	if x != nil && err == nil {
		step.fares(x)
		c.Watch.network.note(e.Task.Host, x.Head.Len > 0, c.Now())
	}
	step.fetched()
	if err != nil {
		return err
	}
	e.Exchange = x
	e.Meta.Mime = x.Head.Mime()
	if redirects(x.Head) {
		if target, err := urlkey.Parse(x.URL, x.Head.Get("Location")); err == nil {
			e.Meta.Redirect = target
		}
	}
	c.flagHead(e)
	if asked != nil && x.Head.Status == http.StatusNotModified && !confirms(asked, x.Head) {
		e.Meta.Notes = append(e.Meta.Notes, "the server says that nothing was modified, and tells of another version")
	}
	return nil
}

// lookedAt takes what a step brought into the look, and says what comes next: a further step, or the link's state.
func (c *Crawler) lookedAt(ctx context.Context, r *run, e *warc.Entry, l *storage.Link, k *look, said text.Page) error {
	if k.Sibling != "" {
		if s := k.sibling(e, said); s.Status == http.StatusNotFound || s.Status == http.StatusGone {
			c.Watch.honest.note(e.Task.Host, c.Now())
		}
		return c.lookEnds(ctx, e, l, k)
	}
	ev := &k.Evidence
	tell(ev, e, c.Watch.Rules.MaxWait)
	if next := k.redirect(e); next != "" {
		return c.lookOn(e, l, k, next)
	}
	if e.Exchange.Head.Status/100 == 2 && said.All != "" {
		next, err := c.weigh(ctx, r, e, l, k, said)
		if err != nil {
			return err
		}
		if next != "" {
			k.Said, k.Sibling = clipped(mainOf(said)), next
			return c.lookOn(e, l, k, next)
		}
	}
	if e.Exchange.Head.Len == 0 && !e.Exchange.Outcome.Ours() && c.networkOut(ctx, r, e) {
		ev.Void = true
		e.Meta.Notes = append(e.Meta.Notes, "our own network failed at the time: the look does not count")
	}
	return c.lookEnds(ctx, e, l, k)
}

// weigh finds out what it takes to judge a page: how it stands to our copy, and, only where that leaves a doubt, whose the host is,
// where its other links lead, and what a sibling is answered, whose address it brings.
func (c *Crawler) weigh(ctx context.Context, r *run, e *warc.Entry, l *storage.Link, k *look, said text.Page) (sibling string, err error) {
	ev := &k.Evidence
	figures := figures(said)
	ev.Text = &figures
	if err := c.compareCopy(ctx, l, ev, said); err != nil {
		return "", err
	}
	c.Watch.parked(k)
	state, err := LinkState(*l)
	if err != nil {
		return "", err
	}
	wants := state.Wants(ev, c.Watch.Rules)
	if wants.Host {
		if err := c.hostOf(ctx, r.line.rec, k); err != nil {
			return "", err
		}
	}
	if !wants.Sibling {
		return "", nil
	}
	if err := c.around(ctx, l, ev); err != nil {
		return "", err
	}
	return c.siblingOf(e), nil
}
