// Package report tells what a run did with a post: every link, what became of it, and where its copy is. It reads rows
// and judges nothing; the same report serves the terminal, JSON and the pages.
package report

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"strings"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Rows is what a report is made from.
type Rows interface {
	Posts
	Exchanges
	Needs
	Notes
	Names
	Tally(ctx context.Context, run int64) (map[string]int, error)
	Task(ctx context.Context, host string, run, id int64) (storage.Task, error)
	Kin
}

// Exchanges brings what was recorded of addresses.
type Exchanges interface {
	Captures(ctx context.Context, collection, urlkey string) iter.Seq2[storage.Capture, error]
	Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error)
}

// Posts brings posts with their citations.
type Posts interface {
	PostOf(ctx context.Context, run int64) (storage.Post, error)            // of a run that has one
	PostIn(ctx context.Context, id string, run int64) (storage.Post, error) // of a run that has many
}

// Builder makes reports.
type Builder struct {
	Rows       Rows
	Replay     string // origin of the replay, for the addresses of copies
	Pages      string // origin of the archive's own pages, for the addresses of attempts; empty: they have none
	Collection string // the one that is replayed there; copies in others have no address

	kin map[int64]bool // the runs of the report at hand; nil: one alone
}

// Build makes the report of a run with the post that it is of. That of a run of many posts tells of none of them: see
// BuildPost.
func (b *Builder) Build(ctx context.Context, run storage.Run) (*Report, error) {
	post, err := b.Rows.PostOf(ctx, run.ID)
	if root := missingOf(run); root != 0 && errors.Is(err, storage.ErrNotFound) {
		post, err = b.Rows.PostOf(ctx, root)
	}
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && post.Source != run.Source:
		post = storage.Post{Source: run.Source}
	case err != nil:
		return nil, err
	}
	return b.build(ctx, run, post)
}

// BuildPost makes the report of one of a run's posts; storage.ErrNotFound if the run did not keep it.
func (b *Builder) BuildPost(ctx context.Context, run storage.Run, id string) (*Report, error) {
	post, err := b.Rows.PostIn(ctx, id, run.ID)
	if err != nil {
		return nil, err
	}
	return b.build(ctx, run, post)
}

// Source tells what became of what a run was asked for: a post, a feed, a sitemap.
func (b *Builder) Source(ctx context.Context, run storage.Run) (Fate, error) {
	return b.fate(ctx, run, run.Source)
}

func (b *Builder) build(ctx context.Context, run storage.Run, post storage.Post) (*Report, error) {
	b, run, runs, err := b.related(ctx, run)
	if err != nil {
		return nil, err
	}
	r := &Report{Version: Version, Links: []Link{}, LeftOut: []LeftOut{}, Damaged: scarsOf(post.Damaged), Post: Post{
		Run: run.ID, State: string(run.State), Collection: run.Collection, Source: post.Source, URL: post.Source,
	}}
	if post.ID != "" {
		r.Post.ID, r.Post.URL, r.Post.Title, r.Post.Dated = post.ID, post.URL, post.Title, post.Dated
	}
	if r.Post.Fate, err = b.fate(ctx, run, post.Source); err != nil {
		return nil, err
	}
	if err := b.links(ctx, run, post, r); err != nil {
		return nil, err
	}
	if err := b.repairs(ctx, run, post.ID, r); err != nil {
		return nil, err
	}
	if err := b.identifiers(ctx, r); err != nil {
		return nil, err
	}
	if r.Totals.Tasks, err = b.Rows.Tally(ctx, run.ID); err != nil {
		return nil, err
	}
	asked := []int64{run.ID}
	for _, done := range runs {
		asked = append(asked, done.ID)
		tally, err := b.Rows.Tally(ctx, done.ID)
		if err != nil {
			return nil, err
		}
		r.Completed = append(r.Completed, Completion{Run: done.ID, State: string(done.State), Tasks: tally})
	}
	if err := b.requisites(ctx, asked, r); err != nil {
		return nil, err
	}
	return r, nil
}

func (b *Builder) links(ctx context.Context, run storage.Run, post storage.Post, r *Report) error {
	at := map[string]int{}
	for _, c := range post.Citations {
		if c.LeftOut != "" {
			r.LeftOut = append(r.LeftOut, LeftOut{URL: c.URL, Reason: c.LeftOut, Text: c.Text})
			continue
		}
		i, ok := at[c.URL]
		if !ok {
			fate, err := b.fate(ctx, run, c.URL)
			if err != nil {
				return err
			}
			i = len(r.Links)
			at[c.URL] = i
			r.Links = append(r.Links, Link{URL: c.URL, Of: c.Of, Fate: fate})
		}
		l := &r.Links[i]
		l.Citations = append(l.Citations, citationOf(&c, l, post.Dated))
	}
	for i := range r.Links {
		switch l := &r.Links[i]; {
		case l.Good() && l.Outcome == string(outcome.Captured):
			r.Totals.Captured++
		case l.Good():
			r.Totals.Partial++
		case l.Walled():
			r.Totals.Walled++
		case l.Outcome == Pending:
			r.Totals.Pending++
		case l.Outcome == Purged:
			r.Totals.Purged++
		case outcome.Outcome(l.Outcome).Ours():
			r.Totals.NotCaptured++
		default:
			r.Totals.Dead++
		}
	}
	r.Totals.Links, r.Totals.LeftOut = len(r.Links), len(r.LeftOut)
	return nil
}

// citationOf is a place that points to a link.
func citationOf(c *storage.Citation, l *Link, dated string) Citation {
	out := Citation{Text: c.Text, Context: c.Context, Start: c.Start, End: c.End, Page: c.Page, Fragment: urlkey.SerialisedFragment(c.Raw),
		Selector: c.Selector, Quotation: c.Quotation, Dated: cmp.Or(c.Dated, dated), Entry: c.Entry}
	if c.Alternatives != "" {
		out.Alternatives = strings.Split(c.Alternatives, "\n")
	}
	if c.Raw != c.URL {
		out.Raw = c.Raw
	}
	if out.Fragment != "" && l.Replay != "" {
		out.Replay = l.Replay + "#" + out.Fragment
	}
	return out
}
