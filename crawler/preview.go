package crawler

import (
	"context"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/robots"
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

// Preview tells what captures would do. It asks for the post alone, for robots.txt before it, and keeps nothing but the pause
// after a request, in the host's row.
type Preview struct {
	Recorder *fetch.Recorder
	Agent    string           // the product token that robots.txt is read for
	Now      func() time.Time // nil: time.Now
	Hosts    Hosts            // of the archive; nil: there is none
	Say      func(string)     // told of a wait that a person would wonder about; may be nil

	asked map[string]time.Time          // when a host was asked last, …
	slow  map[string]time.Duration      // … and the pause that it asks for, until the next request
	rules map[string]*robots.Permission // by origin
}

// Plan fetches the post, following its redirects, and tells what a capture of spec would do. If the run obeys robots.txt,
// that is asked for first, of each host on the way, and none is asked before the time until which its row leaves it alone.
func (p *Preview) Plan(ctx context.Context, spec scope.Spec, doc *storage.Document) (*Planned, error) {
	s, err := spec.Compile()
	if err != nil {
		return nil, err
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	p.asked, p.slow, p.rules = map[string]time.Time{}, map[string]time.Duration{}, map[string]*robots.Permission{}
	r := &run{row: storage.Run{Collection: spec.Collection, Source: spec.Source}, who: p.Recorder.Session, seen: map[int64]bool{}}
	r.scope.Store(s)
	c := &Crawler{Now: p.Now}
	e := &warc.Entry{Task: storage.Task{URL: spec.Source}}
	if doc != nil {
		e.Resource = &warc.Resource{URL: spec.Source}
		d, err := handedIn(spec.Source, *doc)
		if err != nil {
			return nil, err
		}
		c.discoverPost(r, e, d, p.Now(), r.row.Source)
		conceal(r.secrets(e), e)
		return p.plan(e, outcome.Captured, 0, ""), nil
	}
	return p.web(ctx, c, r, e)
}

func (p *Preview) web(ctx context.Context, c *Crawler, r *run, e *warc.Entry) (*Planned, error) {
	w := p.Recorder.Worker()
	for {
		if o, why, err := p.permitted(ctx, w, r, e.Task.URL); err != nil {
			return nil, err
		} else if o != "" {
			return p.plan(e, o, 0, why), nil
		}
		x, err := p.ask(ctx, w, r, fetch.Request{URL: e.Task.URL, PDF: true}, func(d fetch.Document) error {
			return c.discover(ctx, r, e, d)
		})
		if err != nil {
			return nil, err
		}
		e.Exchange = x
		if err := c.redirect(ctx, r, e); err != nil {
			return nil, err
		}
		discoverHead(r, e, x.Head)
		oneWayOn(e)
		if err := p.Recorder.Release(x); err != nil {
			return nil, err
		}
		conceal(r.secrets(e), e)
		next := onward(e)
		if next == "" {
			return p.plan(e, x.Outcome, x.Head.Status, x.Detail), nil
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

// plan is what a capture would do after e. What a robots.txt that was asked for forbids is left out.
func (p *Preview) plan(e *warc.Entry, o outcome.Outcome, status int, detail string) *Planned {
	out := &Planned{
		Version: 1, URL: e.Task.URL, Outcome: string(o), Status: status, Detail: detail,
		Links: []string{}, Requisites: []string{}, LeftOut: []Omitted{},
	}
	for _, l := range e.Meta.Outlinks {
		switch {
		case l.Kind != string(scope.KindPage) && l.Kind != string(scope.KindRequisite):
		case p.denied(l.URL) != "":
			out.LeftOut = append(out.LeftOut, Omitted{URL: l.URL, Reason: "robots.txt: " + p.denied(l.URL)})
		case l.Kind == string(scope.KindPage):
			out.Links = append(out.Links, l.URL)
		default:
			out.Requisites = append(out.Requisites, l.URL)
		}
	}
	if e.Post != nil {
		out.Title = e.Post.Title
		for _, ct := range e.Post.Citations {
			if ct.LeftOut != "" {
				out.LeftOut = append(out.LeftOut, Omitted{URL: ct.URL, Reason: ct.LeftOut})
			}
		}
	}
	return out
}
