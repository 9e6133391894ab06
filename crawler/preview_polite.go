package crawler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// A preview waits at most maxPreviewWait for a host's turn: nobody wants to look at a silent terminal for longer. It looks
// again each previewTick, since whoever holds the host may be done sooner. A wait of more than previewSilence is told of.
const (
	maxPreviewWait = time.Minute
	previewTick    = 300 * time.Millisecond
	previewSilence = 2 * time.Second
)

// turn waits until a host may be asked, and borrows it: its row leaves it alone no more, nobody else asks it, and the pause
// since this preview's own last request is over.
func (p *Preview) turn(ctx context.Context, r *run, host string) (storage.Lease, error) {
	began, told := p.Now(), false
	for {
		until, why, err := p.alone(ctx, r, host)
		if err != nil {
			return storage.Lease{}, err
		}
		now := p.Now()
		wait := until.Sub(now)
		if wait <= 0 {
			if l, ok, err := p.borrow(ctx, host); ok || err != nil {
				return l, err
			}
			until, why, wait = now.Add(previewTick), storage.WaitLeased, previewTick // somebody was faster
		}
		if wait > maxPreviewWait && why != storage.WaitLeased || now.Sub(began) > maxPreviewWait {
			return storage.Lease{}, fmt.Errorf("%s is %s\nTry again then", host, leftAlone(why, until))
		}
		if !told && wait > previewSilence && p.Say != nil {
			p.Say(fmt.Sprintf("Waiting: %s is %s.", host, leftAlone(why, until)))
			told = true
		}
		timer := time.NewTimer(min(wait, previewTick))
		select {
		case <-ctx.Done():
			timer.Stop()
			return storage.Lease{}, ctx.Err()
		case <-timer.C:
		}
	}
}

// alone is until when a host is not to be asked, and why.
func (p *Preview) alone(ctx context.Context, r *run, host string) (until time.Time, why string, err error) {
	if p.Hosts != nil {
		row, err := p.Hosts.HostPause(ctx, host)
		if err != nil {
			return until, "", err
		}
		until, why = row.Until, row.Why
	}
	if last, ok := p.asked[host]; ok {
		if own := last.Add(max(r.delay(), p.slow[host])); own.After(until) {
			until, why = own, string(pace.ReasonDelay)
			if p.slow[host] > r.delay() {
				why = string(pace.ReasonCrawlDelay)
			}
		}
	}
	return until, why, nil
}

// leftAlone says until when a host is left alone, for people.
func leftAlone(why string, until time.Time) string {
	at := until.Local().Format("15:04:05 MST")
	switch pace.Reason(why) {
	case storage.WaitLeased:
		return "being asked by a worker just now, until " + at + " perhaps"
	case pace.ReasonRetryAfter:
		return "left alone until " + at + ": it asked for that (Retry-After)"
	case pace.ReasonCrawlDelay:
		return "left alone until " + at + ": its robots.txt asks for that pause (Crawl-delay)"
	case pace.ReasonBackoff, pace.ReasonDown:
		return "left alone until " + at + ": it failed to answer"
	}
	return "left alone until " + at + ", for the pause between requests"
}

// permitted asks robots.txt, if the run obeys it, once for each origin, with up to five redirects (RFC 9309 §2.3.1.2). It tells
// how a capture of url would end at once, and why; "" if it may be fetched.
func (p *Preview) permitted(ctx context.Context, w *fetch.Worker, r *run, url string) (outcome.Outcome, string, error) {
	if r.spec().Robots != scope.RobotsObey || !urlkey.Fetchable(url) {
		return "", "", nil
	}
	origin := urlkey.Origin(url)
	rules := p.rules[origin]
	if rules == nil {
		var failed outcome.Outcome
		var why string
		var err error
		if rules, failed, why, err = p.askRobots(ctx, w, r, robotsURL(url)); err != nil || failed != "" {
			return failed, why, err
		}
		p.rules[origin] = rules
		host := urlkey.Host(url)
		p.slow[host] = max(p.slow[host], rules.CrawlDelay(p.Agent))
	}
	if line := p.denied(url); line != "" {
		return outcome.Robots, "robots.txt says: " + line, nil
	}
	return "", "", nil
}

// denied is the line of a robots.txt that was asked for which forbids url; "" if none does, or if it was not asked for.
func (p *Preview) denied(url string) string {
	if rules := p.rules[urlkey.Origin(url)]; rules != nil {
		if ok, line := rules.Allowed(p.Agent, url); !ok {
			return line
		}
	}
	return ""
}

// askRobots fetches a robots.txt. If it can't be had, it says how the links of its origin end, and why.
func (p *Preview) askRobots(ctx context.Context, w *fetch.Worker, r *run, url string) (*robots.Permission, outcome.Outcome, string, error) {
	for hops := 0; ; hops++ {
		x, err := p.ask(ctx, w, r, fetch.Request{URL: url, Any: true, Bytes: robotsLimit(url)}, nil)
		if err != nil {
			return nil, "", "", err
		}
		heard := heardRobots(x)
		if err := p.Recorder.Release(x); err != nil {
			return nil, "", "", err
		}
		if heard == nil {
			return nil, failedAs(storage.Task{Outcome: string(x.Outcome)}), x.Detail, nil
		}
		if redirects(x.Head) && hops < 5 {
			if to, err := urlkey.Parse(url, x.Head.Get("Location")); err == nil && urlkey.Fetchable(to) {
				url = to
				continue
			}
		}
		rules := heard.permission()
		if !rules.Unreachable() {
			return &rules, "", "", nil
		}
		why := fmt.Sprintf("robots.txt could not be read: the site answered %d.", heard.status)
		if lacks := rules.Lacks(); lacks != "" {
			why = "robots.txt could not be read: " + strings.TrimSuffix(lacks, ".") + "."
		}
		return nil, outcome.RobotsError, why, nil
	}
}
