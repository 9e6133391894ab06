package crawler

import (
	"context"
	"fmt"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Planned is what a capture would do, as far as the post alone tells.
type Planned struct {
	Version    int       `json:"version"`
	URL        string    `json:"url"` // of the post, after redirects
	Title      string    `json:"title,omitempty"`
	Outcome    string    `json:"outcome"` // of the post
	Status     int       `json:"status"`
	Detail     string    `json:"detail,omitempty"`
	Links      []string  `json:"links"`      // pages that would be captured
	Requisites []string  `json:"requisites"` // of the post itself
	LeftOut    []Omitted `json:"left_out"`
}

// Omitted is a link that would be left out.
type Omitted struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

// Preview fetches the post alone, following its redirects, and tells what a capture would do. It keeps nothing. It does
// not ask for robots.txt: one page that a person asked to see is no crawl.
func Preview(ctx context.Context, rec *fetch.Recorder, spec scope.Spec, doc *storage.Document, now time.Time) (*Planned, error) {
	s, err := spec.Compile()
	if err != nil {
		return nil, err
	}
	r := &run{row: storage.Run{Collection: spec.Collection, Source: spec.Source}, seen: map[int64]bool{}}
	r.scope.Store(s)
	c := &Crawler{Now: func() time.Time { return now }}
	e := &warc.Entry{Task: storage.Task{URL: spec.Source}}
	if doc != nil {
		e.Resource = &warc.Resource{URL: spec.Source}
		d, err := handedIn(spec.Source, *doc)
		if err != nil {
			return nil, err
		}
		c.discoverPost(r, e, d, now, r.row.Source)
		return plan(e, outcome.Captured, 0, ""), nil
	}
	return c.previewWeb(ctx, rec.Worker(), rec, r, e)
}

func (c *Crawler) previewWeb(ctx context.Context, w *fetch.Worker, rec *fetch.Recorder, r *run, e *warc.Entry) (*Planned, error) {
	for {
		x, err := w.Fetch(ctx, fetch.Request{URL: e.Task.URL}, func(d fetch.Document) error {
			c.discover(r, e, d)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("fetch %s: %w", e.Task.URL, err)
		}
		e.Exchange = x
		c.redirect(r, e)
		newFinder(r.scope.Load(), e, x.URL).headers(x.Head)
		if err := rec.Release(x); err != nil {
			return nil, err
		}
		next := onward(e)
		if next == "" {
			return plan(e, x.Outcome, x.Head.Status, x.Detail), nil
		}
		e = &warc.Entry{Task: storage.Task{URL: next, Hops: e.Task.Hops + string(scope.HopRedirect)}}
	}
}

// onward is where an exchange sends its reader on; "" if nowhere.
func onward(e *warc.Entry) string {
	for _, l := range e.Meta.Outlinks {
		if l.Hop == byte(scope.HopRedirect) && l.Kind != "" {
			return l.URL
		}
	}
	return ""
}

func plan(e *warc.Entry, o outcome.Outcome, status int, detail string) *Planned {
	p := &Planned{
		Version: 1, URL: e.Task.URL, Outcome: string(o), Status: status, Detail: detail,
		Links: []string{}, Requisites: []string{}, LeftOut: []Omitted{},
	}
	for _, l := range e.Meta.Outlinks {
		switch {
		case l.Kind == string(scope.KindPage):
			p.Links = append(p.Links, l.URL)
		case l.Kind == string(scope.KindRequisite):
			p.Requisites = append(p.Requisites, l.URL)
		}
	}
	if e.Post != nil {
		p.Title = e.Post.Title
		for _, ct := range e.Post.Citations {
			if ct.LeftOut != "" {
				p.LeftOut = append(p.LeftOut, Omitted{URL: ct.URL, Reason: ct.LeftOut})
			}
		}
	}
	return p
}
