package probe

import (
	"context"
	"net/http"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/robots"
)

// maxRobotsHops bounds the redirects of a robots.txt (RFC 9309 §2.3.1.2), maxRobots what is read of one, in bytes as they come.
const (
	maxRobotsHops = 5
	maxRobots     = robots.MaxBody + 76<<10
)

// permission is what an origin's robots.txt says. It is there once done is closed.
type permission struct {
	done   chan struct{}
	failed bool // whoever asked for it gave up: somebody else is to
	rules  robots.Permission
	last   *Answer // how it failed, if no answer came
}

// permitted says why an address may not be asked for; nil if it may. Each origin's robots.txt is asked for once.
func (h *Hosts) permitted(ctx context.Context, url string) (*Answer, error) {
	if !urlkey.Fetchable(url) {
		return nil, nil
	}
	origin := urlkey.Origin(url)
	for {
		h.mu.Lock()
		p := h.rules[origin]
		mine := p == nil
		if mine {
			p = &permission{done: make(chan struct{})}
			h.rules[origin] = p
		}
		h.mu.Unlock()
		if mine {
			if err := h.learn(ctx, p, origin); err != nil {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.done:
		}
		if !p.failed {
			return h.refusal(p, url), nil
		}
	}
}

// learn asks for the robots.txt of an origin. If that is called off, others may try again.
func (h *Hosts) learn(ctx context.Context, p *permission, origin string) error {
	err := h.ask(ctx, p, origin+"/robots.txt")
	if err != nil {
		p.failed = true
		h.mu.Lock()
		delete(h.rules, origin)
		h.mu.Unlock()
	} else if slow := p.rules.CrawlDelay(h.Agent); slow > 0 {
		at := h.of(origin + "/")
		at.mu.Lock()
		at.slow = slow
		at.mu.Unlock()
	}
	close(p.done)
	return err
}

// refusal is the answer to what robots.txt forbids.
func (h *Hosts) refusal(p *permission, url string) *Answer {
	a := &Answer{URL: url, At: h.Now().UTC(), Size: -1}
	if p.last != nil { // they would fare no better
		a.Outcome, a.Detail, a.Cause, a.TLS = p.last.Outcome, p.last.Detail, p.last.Cause, p.last.TLS
		return a
	}
	ok, why := p.rules.Allowed(h.Agent, url)
	switch {
	case ok:
		return nil
	case p.rules.Unreachable():
		a.Outcome, a.Detail = outcome.RobotsError, why
	default:
		a.Outcome, a.Detail = outcome.Robots, "robots.txt says: "+why
	}
	a.Cause = warc.Cause{Phase: warc.PhaseRules, Rule: "robots.txt"}
	return a
}

// ask fetches a robots.txt, in the turn of its host.
func (h *Hosts) ask(ctx context.Context, p *permission, url string) error {
	for hops := 0; ; hops++ {
		done, refused, err := h.turn(ctx, url)
		if err != nil {
			return err
		}
		if refused != nil {
			p.last = refused
			return nil
		}
		x, body, lacks, err := h.Prober.text(ctx, url, maxRobots)
		done(x)
		if err != nil {
			return err
		}
		a := answerOf(x)
		switch {
		case a.Status == 0:
			if p.last = a; a.Outcome == outcome.Protocol {
				p.last, p.rules = nil, robots.Partial(0, "what the site answered is not HTTP")
			}
			return nil
		case a.Target != "" && hops < maxRobotsHops:
			url = a.Target
			continue
		case a.Status/100 == 2 && lacks != "" && len(body) <= robots.MaxBody:
			p.rules = robots.Partial(a.Status, lacks)
		default:
			p.rules = robots.FromStatus(a.Status, body)
		}
		return nil
	}
}

// text fetches an answer with its decoded body, and says what keeps that from being all.
func (p *Prober) text(ctx context.Context, url string, most int64) (x *warc.Exchange, body []byte, lacks string, err error) {
	w, _ := p.workers.Get().(*fetch.Worker)
	if w == nil {
		w = p.Recorder.Worker()
	}
	defer p.workers.Put(w)
	req := fetch.Request{URL: url, Any: true, Bare: true, Enough: func(httpmsg.Head) int64 { return most }}
	x, err = w.Fetch(ctx, req, func(d fetch.Document) error {
		body = append(body, d.Body[:min(len(d.Body), robots.MaxBody+1)]...)
		if d.Broken != "" {
			lacks = "it came in part: " + strings.ToLower(d.Broken[:1]) + strings.TrimSuffix(d.Broken[1:], ".")
		}
		return nil
	})
	if err != nil {
		return nil, nil, "", err
	}
	if x.Head.Status != http.StatusOK {
		lacks = ""
	}
	return x, body, lacks, p.Recorder.Release(x)
}
