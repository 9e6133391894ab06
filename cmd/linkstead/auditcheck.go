package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/crawler/pace"
	"linkstead/crawler/probe"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
)

// auditDecoded bounds what is unpacked of a page that a link leads to, in bytes.
const auditDecoded = 4 << 20

// prober is the part that asks.
func (c *auditCmd) prober(e *env) (*probe.Prober, error) {
	spec := scope.Default()
	spec.AllowPrivate, spec.Resolve, spec.Language = e.cfg.AllowPrivate, e.cfg.Resolve, e.cfg.Language
	sites, err := e.sites()
	if err != nil {
		return nil, err
	}
	if spec.Cookies, err = cookies(e.cfg.Cookies); err != nil {
		return nil, err
	}
	walls, err := wallRules(e.cfg.Walls)
	if err != nil {
		return nil, err
	}
	own := e.cfg
	timeout := e.cfg.Audit.Timeout
	l := &own.Limits
	l.Connect, l.Headers, l.Idle, l.Total = min(l.Connect, timeout), min(l.Headers, timeout), min(l.Idle, timeout), timeout
	own.TLS.Verify = "record" // what an invalid certificate means is judged later
	rec := recorder(own, os.TempDir(), spec)
	rec.IdlePerHost, rec.IdleTotal = max(8, e.cfg.Audit.PerHost), max(256, 2*e.cfg.Audit.Concurrency)
	if rec.Session, err = asking(sites)(spec); err != nil {
		return nil, err
	}
	return &probe.Prober{Recorder: rec, Walls: walls, Redirects: e.cfg.Audit.Redirects, Head: true}, nil
}

// check looks at every link of the sources, each once.
func (c *auditCmd) check(ctx context.Context, e *env, a *report.Audit, docs []*auditDoc) error {
	p, err := c.prober(e)
	if err != nil {
		return err
	}
	defer p.Recorder.Close()
	p.Recorder.Limits.Decoded = min(p.Recorder.Limits.Decoded, auditDecoded)
	hosts := &probe.Hosts{
		Prober: p, Agent: robots.ProductToken(e.cfg.Agent(version)), Obey: e.cfg.Robots == string(scope.RobotsObey),
		PerHost: e.cfg.Audit.PerHost, AtOnce: e.cfg.Audit.Concurrency, Delay: time.Duration(e.cfg.Audit.Delay),
		Loopback: c.Delay != nil || e.cfg.Given("audit.delay"),
		Pace:     impatient(paceLimits(e.cfg.Politeness)), Now: e.now,
	}
	p.Gate = hosts
	reqs, links := c.asked(a, docs)
	kept := &auditShelf{pages: map[string][]byte{}}
	for i := range docs {
		c.files(docs[i], &a.Sources[i], kept)
	}
	prog := newAuditProgress(e.stderr, len(reqs))
	defer prog.close()
	work, stop := c.limit(ctx, e)
	defer stop()
	judged := linkRules(&e.cfg.Verdicts)
	checker := &probe.Checker{Prober: p, PerHost: e.cfg.Audit.PerHost, Retries: e.cfg.Audit.Retries}
	err = checker.Check(work, reqs, func(i, tries int, l *probe.Look) {
		found := linkOf(l, tries)
		found.URL = reqs[i].URL
		found.Judge(c.shown(l, &judged), report.AuditRules{Accept: c.accept.has})
		prog.tell(&found)
		for _, to := range links[i] {
			of, cited := to.Of, to.Citations
			*to = found
			to.Of, to.Citations = of, cited
			if c.Fragments {
				to.Placed()
			}
		}
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(work), errMaxTime):
		a.Cut = errMaxTime.Error()
	case ctx.Err() != nil:
		a.Cut = "it was interrupted"
	}
	return err
}

// shown is what a look shows by itself.
func (c *auditCmd) shown(l *probe.Look, rules *link.Rules) link.Finding {
	e := l.Evidence(link.Look)
	if c.Insecure {
		e.TLS = ""
	}
	return link.Judge(&e, rules)
}

// impatient is how hosts that fail are treated by who waits for the answer: nobody waits long for one link.
func impatient(l pace.Limits) pace.Limits {
	l.RetryAfter, l.MaxBackoff = min(l.RetryAfter, 30*time.Second), min(l.MaxBackoff, 10*time.Second)
	l.DownAfter = min(max(l.DownAfter, 1), 3)
	return l
}

// asked are the requests of an audit: each address once, however many sources name it, and the links that each is for.
func (c *auditCmd) asked(a *report.Audit, docs []*auditDoc) (reqs []probe.Request, links [][]*report.AuditLink) {
	at := map[string]int{}
	for i := range a.Sources {
		for k := range a.Sources[i].Links {
			l := &a.Sources[i].Links[k]
			if !urlkey.Fetchable(l.URL) || l.URL == docs[i].own {
				continue
			}
			n, known := at[l.URL]
			if !known {
				n = len(reqs)
				at[l.URL] = n
				reqs, links = append(reqs, probe.Request{URL: l.URL}), append(links, nil)
			}
			links[n] = append(links[n], l)
			if !c.Fragments {
				continue
			}
			for _, ct := range l.Citations {
				if f := ct.Fragment; f != "" && !slices.Contains(reqs[n].Fragments, f) {
					reqs[n].Fragments = append(reqs[n].Fragments, f)
				}
			}
		}
	}
	return reqs, links
}

// linkOf is what a look showed.
func linkOf(l *probe.Look, tries int) report.AuditLink {
	at := l.At.UTC().Truncate(time.Millisecond)
	out := report.AuditLink{
		State: report.StateUnchecked, Outcome: string(l.Outcome), Status: l.Status, Detail: l.Detail, Flags: l.Flags, At: &at,
		MS: l.Took().Milliseconds(), Tries: tries, Missing: l.Missing, Unsure: l.Unsure,
	}
	if l.Status/100 != 2 {
		out.Missing, out.Unsure = nil, nil
	}
	for i := range l.Hops {
		out.Redirects = append(out.Redirects, report.Hop{URL: l.Hops[i].URL, Status: l.Hops[i].Status})
	}
	if len(l.Hops) > 0 {
		out.Final = l.URL
		if place := l.Hops[len(l.Hops)-1].Place; place != "" {
			out.Final += "#" + place
		}
	}
	for _, t := range append(l.Hops, l.Answer) {
		if t.TLS != nil && t.TLS.Invalid != "" && out.TLSInvalid == "" {
			out.TLSInvalid = t.TLS.Invalid
		}
	}
	return out
}
