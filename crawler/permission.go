package crawler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// permission says whether a task may be fetched, or what has to come first.
type permission struct {
	first *storage.Task // robots.txt, which has to be fetched before anything can be said
	wait  time.Duration // robots.txt is another host's task, or due again later: leave this host alone for so long

	rules   robots.Permission
	ignored bool            // the run does not obey
	outcome outcome.Outcome // why nothing may be fetched from this origin; "" if rules say
	detail  string

	denied string // the line of robots.txt that forbids the task at hand; "" if none does
	noted  string // the same, where the run only takes note of it
}

func (p *permission) allowed() bool { return p.denied == "" && p.outcome == "" }

// robotsURL is where the robots.txt of a URL's origin lies (RFC 9309 §2.3).
func robotsURL(url string) string { return urlkey.Origin(url) + "/robots.txt" }

// permission says whether t may be fetched.
func (h *host) permission(ctx context.Context, r *run, t storage.Task) (*permission, error) {
	policy := r.spec().Robots
	if policy == scope.RobotsIgnore || scope.Role(t.Hops) == scope.KindRobots || t.Kind == KindDocument {
		return &permission{ignored: true}, nil
	}
	key := fmt.Sprintf("%d %s", r.row.ID, urlkey.Origin(t.URL))
	p := h.rules[key]
	if p == nil {
		var err error
		if p, err = h.robots(ctx, r, robotsURL(t.URL)); err != nil {
			return nil, err
		}
		if p.first != nil || p.wait > 0 {
			return p, nil
		}
		h.rules[key] = p
	}
	judged := *p
	if p.outcome != "" && policy == scope.RobotsObey {
		return &judged, nil
	}
	judged.outcome = ""
	if ok, line := p.rules.Allowed(h.c.Agent, t.URL); !ok && policy == scope.RobotsObey {
		judged.denied = line
	} else if !ok {
		judged.noted = line
	}
	if policy == scope.RobotsObey {
		h.slowDown(p.rules.CrawlDelay(h.c.Agent))
	}
	return &judged, nil
}

// robots follows a robots.txt through what the run has captured of it, over up to five redirects (RFC 9309 §2.3.1.2),
// and says what has to be fetched first, or what it came to.
func (h *host) robots(ctx context.Context, r *run, url string) (*permission, error) {
	hops := string(scope.HopPrereq)
	for {
		t, err := h.c.Tasks.Task(ctx, urlkey.Host(url), r.row.ID, urlkey.ID(url))
		if errors.Is(err, storage.ErrNotFound) {
			t = storage.Task{
				Host: urlkey.Host(url), Run: r.row.ID, ID: urlkey.ID(url), URL: url,
				Kind: string(scope.KindRobots), Hops: hops,
			}
			n, err := h.c.Tasks.Enqueue(ctx, []storage.Task{t})
			if err != nil {
				return nil, err
			}
			r.found(n)
			t, err = h.c.Tasks.Task(ctx, t.Host, r.row.ID, t.ID) // as it is kept: parked or cut, if its run is
			if err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
		if t.Parked() || t.Outcome == string(outcome.Quota) {
			return &permission{wait: pausedWait}, nil // of a run that was paused or cut just now, which comes to light soon
		}
		if t.Outcome == "" {
			return h.pendingRobots(r, t), nil
		}
		a, err := h.robotsAnswer(ctx, r, t)
		if errors.Is(err, warc.ErrElsewhere) { // of a worker that was killed before it could hand its answer on
			return &permission{wait: elsewhereWait}, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case a == nil:
			return h.noRobots(ctx, r, t)
		case a.broken:
			return &permission{outcome: outcome.RobotsError, detail: "robots.txt was captured, but can't be read back out of the archive."}, nil
		case a.status/100 == 3 && urlkey.Fetchable(a.redirect) && len(hops) <= 5:
			url, hops = a.redirect, hops+string(scope.HopRedirect)
			continue
		}
		p := &permission{rules: robots.FromStatus(a.status, a.body)}
		if p.rules.Unreachable() {
			p.outcome, p.detail = outcome.RobotsError, fmt.Sprintf("robots.txt could not be read: the site answered %d.", a.status)
		}
		return p, nil
	}
}

// noRobots is the permission where robots.txt got no answer: what befell it befalls the links.
func (h *host) noRobots(ctx context.Context, r *run, t storage.Task) (*permission, error) {
	p := &permission{outcome: failedAs(t), detail: outcome.Outcome(t.Outcome).Describe().Meaning}
	as, err := h.c.Index.Attempts(ctx, r.row.Collection, urlkey.Key(t.URL))
	for _, a := range as {
		if a.Run == r.row.ID && a.Detail != "" {
			p.detail = a.Detail
		}
	}
	if p.outcome == outcome.RobotsError {
		p.detail = "robots.txt could not be read. " + p.detail
	}
	return p, err
}

// failedAs is the outcome of the links on an origin whose robots.txt failed so.
func failedAs(t storage.Task) outcome.Outcome {
	switch o := outcome.Outcome(t.Outcome); o {
	case outcome.DNS, outcome.Refused, outcome.Unreachable, outcome.TLS, outcome.Private, outcome.Timeout, outcome.Reset,
		outcome.Empty, outcome.BadURL:
		return o // they would fare no better
	}
	return outcome.RobotsError
}

// maxRobotsWait bounds how long a robots.txt that redirects to another host is waited for: two hosts whose files redirect
// to each other's pages would wait for ever.
const maxRobotsWait = 5 * time.Minute

// pendingRobots says how to come by a robots.txt that has not been fetched yet.
func (h *host) pendingRobots(r *run, t storage.Task) *permission {
	if t.Host != h.lease.Host {
		waited := r.waited(t.ID, h.c.Now())
		if waited > maxRobotsWait {
			return &permission{outcome: outcome.RobotsError, detail: fmt.Sprintf(
				"robots.txt could not be read: it redirects to %s, and nothing came from there within %s.", t.URL, maxRobotsWait)}
		}
		h.c.nudge()
		return &permission{wait: min(max(waited, 300*time.Millisecond), 10*time.Second)}
	}
	if due := time.UnixMilli(t.Due).Sub(h.c.Now()); due > 0 {
		return &permission{wait: due}
	}
	return &permission{first: &t}
}
