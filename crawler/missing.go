package crawler

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Gaps reads what runs asked for, and what they have of it.
type Gaps interface {
	RunAddresses(ctx context.Context, run int64) iter.Seq2[storage.RunAddress, error]
	Completions(ctx context.Context, r storage.Run) ([]storage.Run, error)
	Captures(ctx context.Context, collection, urlkey string) iter.Seq2[storage.Capture, error]
	CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error)
}

// maxAsked bounds the addresses of a run that can be completed: they are held in memory.
const maxAsked = 1 << 20

// ErrTooLarge says that a run has asked for more than can be completed.
var ErrTooLarge = fmt.Errorf("it has asked for more than %d addresses: capture it anew instead", maxAsked)

// Missing is what a run that captured a post lacks of it, as the first tasks of a run of spec that completes it: what failed,
// came in part, or was never asked for, of the post, its links and what their pages need. What the run's rules left out stays
// out, unless they are others in spec. most is how many bytes a response may have now.
func Missing(ctx context.Context, rows Gaps, run storage.Run, post storage.Post, spec scope.Spec, most int64) ([]storage.Task, error) {
	old, err := ReadSpec(run)
	if err != nil {
		return nil, err
	}
	g := gaps{rows: rows, run: run, old: old, spec: spec, most: most, kin: map[int64]bool{run.ID: true}, asked: map[askedKey]storage.RunAddress{}}
	runs, err := rows.Completions(ctx, run)
	if err != nil {
		return nil, err
	}
	for _, r := range append([]storage.Run{run}, runs...) {
		g.kin[r.ID] = true
		if err := g.read(ctx, r.ID); err != nil {
			return nil, fmt.Errorf("run %d of %s: %w", run.ID, post.Source, err)
		}
	}
	var out []storage.Task
	for _, k := range g.order {
		a := g.asked[k]
		if !old.Single() && !g.leads(post, a.Task) {
			continue
		}
		lacks, err := g.lacks(ctx, a)
		if err != nil {
			return nil, err
		}
		if lacks {
			out = append(out, storage.Task{
				Host: a.Host, ID: a.ID, URL: a.URL, Kind: a.Kind, Depth: a.Depth, Hops: a.Hops, Via: a.Via,
				Due: scope.Again(scope.Kind(a.Kind), a.Hops, a.Depth),
			})
		}
	}
	return out, nil
}

type askedKey struct {
	host string
	id   int64
}

type gaps struct {
	rows  Gaps
	run   storage.Run
	old   scope.Spec
	spec  scope.Spec
	most  int64
	kin   map[int64]bool // the run, and those that have completed it
	asked map[askedKey]storage.RunAddress
	order []askedKey
	by    map[string]storage.Task // by URL
}

// read takes what a run asked for; what a later one says of an address counts.
func (g *gaps) read(ctx context.Context, run int64) error {
	for a, err := range g.rows.RunAddresses(ctx, run) {
		if err != nil {
			return err
		}
		// A document was handed in; robots.txt is asked for by whoever needs it; what was purged has no address any more.
		if a.Kind == KindDocument || scope.Role(a.Hops) == scope.KindRobots || a.URL == "" {
			continue
		}
		k := askedKey{a.Host, a.ID}
		if _, known := g.asked[k]; !known {
			if len(g.order) >= maxAsked {
				return ErrTooLarge
			}
			g.order = append(g.order, k)
		}
		g.asked[k] = a
	}
	return nil
}

// leads says whether a task of a run of many posts belongs to one of them: the post itself led to it.
func (g *gaps) leads(post storage.Post, t storage.Task) bool {
	if g.by == nil {
		g.by = make(map[string]storage.Task, len(g.asked))
		for _, a := range g.asked {
			g.by[a.URL] = a.Task
		}
	}
	for range maxChain {
		if t.URL == post.URL || t.URL == post.Source {
			return true
		}
		if scope.IsTop(t.Hops) || t.Via == "" {
			return false
		}
		next, ok := g.by[t.Via]
		if !ok {
			return false
		}
		t = next
	}
	return false
}

// maxChain bounds how far it is looked back for what led to an address.
const maxChain = 1000

// lacks says whether an address is to be asked for once more.
func (g *gaps) lacks(ctx context.Context, a storage.RunAddress) (bool, error) {
	o := outcome.Outcome(a.Outcome)
	switch o {
	case outcome.Robots:
		return g.spec.Robots != g.old.Robots && g.spec.Robots != scope.RobotsObey, nil
	case outcome.Private:
		return g.spec.AllowPrivate && !g.old.AllowPrivate, nil
	case outcome.Excluded, outcome.Trap, outcome.Redirects, outcome.Loop, outcome.BadURL, outcome.Withheld:
		return false, nil
	}
	if !o.Kept() || passingStatus(a.Status) {
		return true, nil
	}
	c, ok, err := g.best(ctx, a.URL)
	switch {
	case err != nil || !ok: // it was purged
		return false, err
	case c.Flags != "":
		return true, nil
	case c.Outcome == string(outcome.TooLong):
		return g.most > c.Size+c.Size/8+limitSlack, nil
	}
	if c.Kind != warc.KindRevisit {
		return c.Kind == warc.KindTruncated, nil
	}
	segment, at, ok := storage.Referred(c.RefersTo)
	if !ok {
		return true, nil
	}
	_, err = g.rows.CaptureAt(ctx, segment, at)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil // what it refers to is lost
	}
	return false, err
}

// limitSlack is by how much a limit must exceed what came, in bytes, to be another than the one that cut it: heads and framing
// count against a limit, and not as payload.
const limitSlack = 256 << 10

// passingStatus says whether an error is one that may pass: the archive has its page, and not what was asked for. That a page
// is gone, or not for everybody, is an answer.
func passingStatus(status int) bool {
	switch status {
	case 408, 425, 429:
		return true
	}
	return status >= 500
}

// best is the best capture that the runs made of an address.
func (g *gaps) best(ctx context.Context, url string) (best storage.Capture, ok bool, err error) {
	for c, err := range g.rows.Captures(ctx, g.run.Collection, urlkey.Key(url)) {
		if err != nil {
			return best, false, err
		}
		if !g.kin[c.Run] || c.URL != url {
			continue
		}
		if !ok || best.Flags != "" || best.Kind == warc.KindTruncated {
			best, ok = c, true
		}
	}
	return best, ok, nil
}

// had leaves out of what an exchange led to what the run that is being completed has asked for: it has it, or it is among the
// first tasks of this one, or its rules were against it. What a page needs and that run asked for in vain is asked for once
// more: that a new copy of the page lacks it is known by the new run's tasks alone, as the old copy may have been another page.
func (c *Crawler) had(ctx context.Context, r *run, e *warc.Entry) error {
	run := r.spec().Missing
	if run == 0 {
		return nil
	}
	tasks := e.Meta.Tasks(e.Task.URL)
	for i := range e.Meta.Outlinks {
		l := &e.Meta.Outlinks[i]
		if l.Kind == "" {
			continue
		}
		t := tasks[0]
		tasks = tasks[1:]
		_, err := c.Tasks.Task(ctx, t.Host, run, t.ID)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if t.Kind == string(scope.KindRequisite) {
			if there, err := c.there(ctx, r.row.Collection, run, t.URL); err != nil {
				return err
			} else if !there {
				continue
			}
		}
		l.Kind, l.Depth, l.Due, l.Reason = "", 0, 0, string(scope.ReasonHad)
	}
	return nil
}

// there says whether a run has a whole copy of an address that is no error.
func (c *Crawler) there(ctx context.Context, collection string, run int64, url string) (bool, error) {
	for e, err := range c.Copies.Captures(ctx, collection, urlkey.Key(url)) {
		if err != nil {
			return false, err
		}
		if e.Run == run && e.URL == url && e.Status < 400 && e.Outcome == string(outcome.Captured) {
			return true, nil
		}
	}
	return false, nil
}
