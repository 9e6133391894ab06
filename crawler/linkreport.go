package crawler

import (
	"context"
	"time"

	"linkstead/archive/link"
	"linkstead/storage"
)

// LinkReport is what is known of a link's life: the same for terminal, JSON and pages.
type LinkReport struct {
	URL        string          `json:"url"`
	Collection string          `json:"collection"`
	Posts      []string        `json:"posts,omitempty"` // short names of those that cite it
	Verdict    link.Verdict    `json:"verdict"`
	Says       string          `json:"says"` // the same, in plain words
	Since      *time.Time      `json:"since,omitempty"`
	Target     string          `json:"target,omitempty"`  // where it leads
	Suspect    link.Verdict    `json:"suspect,omitempty"` // what it becomes if it goes on failing
	Strikes    int             `json:"strikes"`
	Needed     int             `json:"needed,omitempty"` // strikes that make the verdict
	Looks      int             `json:"looks"`            // that count
	Last       *time.Time      `json:"last,omitempty"`
	LastGood   *time.Time      `json:"last_good,omitempty"`
	Next       *time.Time      `json:"next,omitempty"`     // when it is looked at again, where links are watched
	Evidence   []link.Evidence `json:"evidence,omitempty"` // all that was seen, oldest first, if that was asked for
}

// Report tells what is known of a link at a moment.
func (p *LinkPast) Report(ctx context.Context, l storage.Link, rules link.Rules, now time.Time, all bool) (*LinkReport, error) {
	s, err := p.State(ctx, l, rules)
	if err != nil {
		return nil, err
	}
	r := &LinkReport{
		URL: l.URL, Collection: l.Collection, Verdict: s.Verdict, Says: link.Explain(s, now), Target: s.Target, Suspect: s.Suspect,
		Strikes: s.Strikes, Needed: s.Needed, Looks: s.Looks, Since: timeOrNil(s.Since), Last: timeOrNil(s.Last), LastGood: timeOrNil(s.LastGood),
	}
	next := link.NextCheck(s, now, rules)
	if l.Next > storage.Urgent && l.Next < storage.Never && l.Stale == 0 {
		next = time.UnixMilli(l.Next)
	}
	next = next.UTC()
	r.Next = &next
	posts, err := p.Looks.PostsCiting(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range posts {
		r.Posts = append(r.Posts, c.ID)
	}
	if all {
		r.Evidence, err = p.of(ctx, l)
	}
	return r, err
}

// timeOrNil is a time, or nil for the zero time.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
