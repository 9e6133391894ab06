package crawler

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/outcome"
	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/storage"
)

// tell has evidence tell of what the exchange of a look brought, and of how long the server asks to be let alone, up to most.
func tell(ev *link.Evidence, e *warc.Entry, most time.Duration) {
	x := e.Exchange
	ev.Method, ev.Outcome, ev.Status, ev.Phase, ev.DNS = x.Method, string(x.Outcome), x.Head.Status, x.Cause.Phase, x.Cause.DNSAnswer
	ev.Target, ev.Flags, ev.Digest, ev.TLS = e.Meta.Redirect, e.Meta.Flags, "", ""
	if x.TLS != nil {
		ev.TLS = x.TLS.Fault
	}
	ev.RetryAfter = 0
	if x.Head.Status >= 300 { // a page that comes asks for nothing
		ev.RetryAfter = pace.RetryAfter(x.Head.Get("Retry-After"), x.Head.Get("Date"), ev.At, most)
	}
	if x.Outcome == outcome.Captured && x.Payload.Size > 0 {
		ev.Digest = warc.Digest(x.Payload.SHA256)
	}
	if x.URL != ev.URL {
		ev.Final = x.URL
	}
}

// redirect is where a look goes on; empty if it ends here. One that goes round, or on for too long, ends as such.
func (k *look) redirect(e *warc.Entry) string {
	ev, to := &k.Evidence, e.Meta.Redirect
	if to == "" || !urlkey.Fetchable(to) {
		return ""
	}
	hop := link.Hop{URL: e.Exchange.URL, Status: e.Exchange.Head.Status, Target: to}
	switch {
	case to == e.Exchange.URL || slices.ContainsFunc(ev.Hops, func(h link.Hop) bool { return h.URL == to }):
		ev.Outcome = string(outcome.Loop)
		return ""
	case len(ev.Hops) >= lookHops:
		ev.Outcome = string(outcome.Redirects)
		return ""
	}
	ev.Hops, ev.Target = append(ev.Hops, hop), ""
	return to
}

// lookOn has the look go on elsewhere. That is a task like any other: whoever holds the host of it asks.
func (c *Crawler) lookOn(e *warc.Entry, l *storage.Link, k *look, url string) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode the look at %s: %w", l.URL, err)
	}
	now := c.Now()
	t := storage.Task{
		Host: urlkey.Host(url), Run: storage.Standing, ID: urlkey.ID(fmt.Sprintf("%s#%d %d", url, l.ID, now.UnixMicro())), URL: url,
		Kind: storage.KindProbe, Via: e.Task.URL, Due: now.UnixMilli(),
	}
	end := &storage.LookEnd{Link: *l}
	end.Link.Look, end.Link.Hop = raw, t.ID
	e.Look, e.New = end, []storage.Task{t}
	if e.Task.ID == l.ID {
		e.Meta.Retry = now.Add(lookAbandon).UnixMilli()
	}
	return nil
}

// lookEnds folds what was seen into the link's life.
func (c *Crawler) lookEnds(ctx context.Context, e *warc.Entry, l *storage.Link, k *look) error {
	raw, err := json.Marshal(k.Evidence)
	if err != nil {
		return fmt.Errorf("encode the evidence on %s: %w", l.URL, err)
	}
	past, err := c.history().of(ctx, *l)
	if err != nil {
		return fmt.Errorf("read the history of %s: %w", l.URL, err)
	}
	own := *l
	own.Host, own.URLKey = urlkey.Host(l.URL), urlkey.Key(l.URL) // of one that was never folded, too
	if err := c.Watch.settle(&own, append(past, k.Evidence), c.Now()); err != nil {
		return err
	}
	own.Look, own.Hop = nil, 0
	e.Meta.Look, e.Look = string(raw), &storage.LookEnd{Link: own}
	if e.Task.ID == l.ID {
		e.Meta.Retry = own.Next
	} else {
		e.Look.Root = storage.Task{Host: own.Host, Run: storage.Standing, ID: l.ID, URL: l.URL, Kind: storage.KindProbe, Due: own.Next}
	}
	c.Log.Debug("a link was looked at", "url", l.URL, "verdict", own.Live, "outcome", k.Evidence.Outcome, "status", k.Evidence.Status, "void", k.Evidence.Void)
	return nil
}

// mainOf is what of a page is compared.
func mainOf(p text.Page) string {
	if p.Text != "" {
		return p.Text
	}
	return p.All
}

// clipped is the beginning of a text, cut between words.
func clipped(s string) string {
	if len(s) <= lookSaid {
		return s
	}
	s = s[:lookSaid]
	if i := strings.LastIndexAny(s, " \n"); i > 0 {
		s = s[:i]
	}
	return strings.ToValidUTF8(s, "")
}

func figures(p text.Page) link.Text {
	main := mainOf(p)
	return link.Text{Words: text.Count(main), Simhash: text.Simhash(main), Title: p.Title}
}

// siblingOf is the address beside the page that is asked for next, to tell whether its host answers everything alike; empty if
// that makes no sense: beside a front page, or where the host was found honest today.
func (c *Crawler) siblingOf(e *warc.Entry) string {
	url := e.Exchange.URL
	origin := urlkey.Origin(url)
	path, _, _ := strings.Cut(strings.TrimPrefix(url, origin), "?")
	if strings.Trim(path, "/") == "" || c.Watch.honest.is(e.Task.Host, c.Now()) {
		return ""
	}
	if i := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/'); i >= 0 {
		path = path[:i+1]
	}
	return origin + path + randomWord()
}

// randomWord is a path that nobody ever wrote.
func randomWord() string {
	b := make([]byte, 25)
	for i := range b {
		b[i] = byte('a' + rand.IntN(26)) //nolint:gosec // it need not be secret, only unheard of
	}
	return string(b)
}

// sibling takes what an address beside the page brought into the look.
func (k *look) sibling(e *warc.Entry, said text.Page) link.Sibling {
	x := e.Exchange
	s := link.Sibling{URL: k.Sibling, Random: true, Outcome: string(x.Outcome), Status: x.Head.Status, Final: e.Meta.Redirect}
	if x.Head.Status/100 == 2 {
		s.Similarity = text.Similarity(k.Said, clipped(mainOf(said)))
	}
	k.Evidence.Siblings = append(k.Evidence.Siblings, s)
	return s
}

// networkOut says whether it was our own network that failed. Canaries tell, if there are some: each node asks them for itself, for
// it is its own network that is in doubt. Without them, it is if several hosts failed of late and none answered.
func (c *Crawler) networkOut(ctx context.Context, r *run, e *warc.Entry) bool {
	w, now := c.Watch, c.Now()
	if len(w.Canaries) == 0 {
		return w.network.out(now, w.window())
	}
	if fine, known := w.network.canary(now, min(time.Minute, w.window())); known {
		return !fine
	}
	fine := false
	for _, u := range w.Canaries {
		why, err := c.canary(ctx, r, u)
		if err != nil {
			return true // the work is to stop: what was seen meanwhile counts for nothing
		}
		if fine = why == ""; fine {
			break
		}
		e.Meta.Notes = append(e.Meta.Notes, "canary "+u+" did not answer: "+why)
	}
	w.network.heard(fine, c.Now())
	return !fine
}

// canary asks for an address whose answer says that our network works, and tells why there was none.
func (c *Crawler) canary(ctx context.Context, r *run, url string) (why string, err error) {
	w := r.line.worker()
	defer r.line.idle.Put(w)
	x, err := w.Fetch(ctx, fetch.Request{URL: url, Method: http.MethodHead, Bytes: 64 << 10}, nil)
	if err != nil {
		return "", err
	}
	defer r.line.rec.Release(x) //nolint:errcheck // it holds nothing
	if x.Head.Len > 0 {
		return "", nil
	}
	return string(x.Outcome), nil
}
