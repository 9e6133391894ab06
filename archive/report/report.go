// Package report tells what a run did with a post: every link, what became of it, and where its copy is. It reads rows
// and judges nothing; the same report serves the terminal, JSON and the pages.
package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Version is the version of the JSON document.
const Version = 1

// Rows is what a report is made from.
type Rows interface {
	Posts
	Exchanges
	Tally(ctx context.Context, run int64) (map[string]int, error)
	Task(ctx context.Context, host string, run, id int64) (storage.Task, error)
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

// Report is what became of one post and its links in one run.
type Report struct {
	Version int       `json:"version"`
	Post    Post      `json:"post"`
	Links   []Link    `json:"links"`
	LeftOut []LeftOut `json:"left_out"`
	Totals  Totals    `json:"totals"`
}

// Post is the post itself.
type Post struct {
	ID         string `json:"id"`
	Run        int64  `json:"run"`
	State      string `json:"state"` // of the run: active, paused, done
	Collection string `json:"collection"`
	Source     string `json:"source"`          // what was named
	URL        string `json:"url"`             // where it was found, after redirects
	Title      string `json:"title,omitempty"` //
	Dated      string `json:"dated,omitempty"` // when its author cited, as far as known
	Fate
}

// Fate is what became of a URL in a run, at the end of its redirects.
type Fate struct {
	Outcome    string     `json:"outcome"`               // see package outcome; "pending" if it has not ended, "purged" if it was taken out
	Status     int        `json:"status"`                // of the last hop; 0 if there was no response
	Detail     string     `json:"detail,omitempty"`      // of a failure, for people
	Redirects  []Hop      `json:"redirects"`             // the hops before the last
	Final      string     `json:"final,omitempty"`       // address of the last hop, if there were others before it
	Digest     string     `json:"digest,omitempty"`      // of the last hop's payload
	Mime       string     `json:"mime,omitempty"`        // of the last hop
	CapturedAt *time.Time `json:"captured_at,omitempty"` // of the last hop
	Replay     string     `json:"replay,omitempty"`      // address of this run's copy, from the first hop on
	Other      *Copy      `json:"other_copy,omitempty"`  // if this run has no good copy: the best that another run made
}

// Copy is a good capture of the same URL by another run.
type Copy struct {
	Run        int64     `json:"run"`
	Status     int       `json:"status"`
	CapturedAt time.Time `json:"captured_at"`
	Replay     string    `json:"replay,omitempty"`
}

// Hop is one redirect on the way.
type Hop struct {
	URL    string `json:"url"`
	Status int    `json:"status"`
}

// Link is one source of the post.
type Link struct {
	URL string `json:"url"`
	Of  string `json:"of,omitempty"` // the memento of which this is the original
	Fate
	Citations []Citation `json:"citations"`
}

// Citation is one place in the post that points to a link. Offsets count Unicode code points of the source.
type Citation struct {
	Text    string `json:"text"`
	Context string `json:"context"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
}

// LeftOut is a link that was not captured on purpose.
type LeftOut struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// Totals count. Captured, Partial, Dead, NotCaptured, Pending and Purged add up to Links.
type Totals struct {
	Links    int `json:"links"`    // distinct sources
	Captured int `json:"captured"` // links whose last hop answered below 400
	Partial  int `json:"partial"`  // the same, but the answer lacks its end
	Dead     int `json:"dead"`     // links whose last hop answered 400 or above, or gave no answer
	// NotCaptured counts links that our own rules kept us from, robots.txt among them: nothing is known of them.
	NotCaptured int            `json:"not_captured"`
	Pending     int            `json:"pending"`  // links not tried yet
	Purged      int            `json:"purged"`   // links whose captures were taken out of the archive
	LeftOut     int            `json:"left_out"` // links left out on purpose
	Tasks       map[string]int `json:"tasks"`    // everything that the run asked for, by outcome
}

// Complete says whether the post was captured, to its end, and every link has an outcome.
func (r *Report) Complete() bool {
	return r.Post.Good() && r.Post.Outcome == string(outcome.Captured) && r.Totals.Pending == 0
}

// Failure says in a sentence why there is no good and whole copy; empty if there is one.
func (f *Fate) Failure() string {
	o := outcome.Outcome(f.Outcome)
	switch {
	case f.Outcome == Pending:
		return "it has not been tried yet."
	case f.Outcome == Purged:
		return "what was captured of it was taken out of the archive."
	case o == outcome.Captured && f.Status < 400:
		return ""
	case o == outcome.Captured:
		return fmt.Sprintf("the server answered %d %s.", f.Status, http.StatusText(f.Status))
	case f.Detail != "":
		return strings.TrimSuffix(f.Detail, ".") + "."
	}
	return o.Describe().Meaning
}

// Dead says whether the source gave no good answer; not if our own rules kept us from asking, nor if nobody is to know.
func (f *Fate) Dead() bool {
	return f.Outcome != Pending && f.Outcome != Purged && !f.Good() && !outcome.Outcome(f.Outcome).Ours()
}

// What a fate is that is no outcome: of what has not been tried, and of what a purge took out of the archive.
const (
	Pending = "pending"
	Purged  = "purged"
)

// Good says whether there is a copy of an answer that was no error. A document that was handed in has no status.
func (f *Fate) Good() bool { return outcome.Outcome(f.Outcome).Kept() && f.Status < 400 }

// maxHops bounds how far redirects are followed through the rows.
const maxHops = 50

// Builder makes reports.
type Builder struct {
	Rows       Rows
	Replay     string // origin of the replay, for the addresses of copies
	Collection string // the one that is replayed there; copies in others have no address
}

// Build makes the report of a run with the post that it is of. That of a run of many posts tells of none of them: see
// BuildPost.
func (b *Builder) Build(ctx context.Context, run storage.Run) (*Report, error) {
	post, err := b.Rows.PostOf(ctx, run.ID)
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
	r := &Report{Version: Version, Links: []Link{}, LeftOut: []LeftOut{}, Post: Post{
		Run: run.ID, State: string(run.State), Collection: run.Collection, Source: post.Source, URL: post.Source,
	}}
	var err error
	if post.ID != "" {
		r.Post.ID, r.Post.URL, r.Post.Title, r.Post.Dated = post.ID, post.URL, post.Title, post.Dated
	}
	if r.Post.Fate, err = b.fate(ctx, run, post.Source); err != nil {
		return nil, err
	}
	if err := b.links(ctx, run, post, r); err != nil {
		return nil, err
	}
	if r.Totals.Tasks, err = b.Rows.Tally(ctx, run.ID); err != nil {
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
		l.Citations = append(l.Citations, Citation{Text: c.Text, Context: c.Context, Start: c.Start, End: c.End})
	}
	for i := range r.Links {
		switch l := &r.Links[i]; {
		case l.Good() && l.Outcome == string(outcome.Captured):
			r.Totals.Captured++
		case l.Good():
			r.Totals.Partial++
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

// fate follows a URL through what the run recorded of it and of what it redirected to.
func (b *Builder) fate(ctx context.Context, run storage.Run, url string) (Fate, error) {
	f := Fate{Outcome: Pending, Redirects: []Hop{}}
	if err := b.follow(ctx, run, url, &f); err != nil || f.Good() {
		return f, err
	}
	var err error
	f.Other, err = b.other(ctx, run, url)
	return f, err
}

func (b *Builder) follow(ctx context.Context, run storage.Run, url string, f *Fate) error {
	limit := redirectsOf(run)
	seen := map[string]bool{}
	for {
		if seen[url] {
			f.Outcome, f.Detail = string(outcome.Loop), "It redirects back to "+url+"."
			return nil
		}
		seen[url] = true
		c, ok, err := b.capture(ctx, run, url)
		if err != nil {
			return err
		}
		if !ok {
			return b.failure(ctx, run, url, f, limit)
		}
		if f.Replay == "" {
			f.Replay = b.replay(c)
		}
		at := c.At
		f.Outcome, f.Status, f.Digest, f.Mime, f.CapturedAt = c.Outcome, c.Status, c.Digest, c.Mime, &at
		if c.Redirect == "" {
			return nil
		}
		f.Redirects = append(f.Redirects, Hop{URL: url, Status: c.Status})
		url = c.Redirect
		f.Final = url
	}
}

// redirectsOf is the limit of redirects in a row that a run's spec sets.
func redirectsOf(run storage.Run) int {
	var spec struct {
		MaxRedirects int `json:"max_redirects"`
	}
	if json.Unmarshal(run.Spec, &spec) != nil || spec.MaxRedirects <= 0 {
		return maxHops
	}
	return spec.MaxRedirects
}

// replay is the address of a capture, if it is in the collection that is replayed.
func (b *Builder) replay(c storage.Capture) string {
	if c.Collection != b.Collection {
		return ""
	}
	return ReplayURL(b.Replay, c)
}

// other is the newest good capture of exactly this URL that another run made; nil if there is none.
func (b *Builder) other(ctx context.Context, run storage.Run, url string) (*Copy, error) {
	var best *Copy
	for c, err := range b.Rows.Captures(ctx, run.Collection, urlkey.Key(url)) {
		if err != nil {
			return nil, err
		}
		if c.Run != run.ID && c.URL == url && c.Status < 400 && outcomeWhole(c) {
			best = &Copy{Run: c.Run, Status: c.Status, CapturedAt: c.At, Replay: b.replay(c)}
		}
	}
	return best, nil
}

// ReplayURL is the address of a copy.
func ReplayURL(origin string, c storage.Capture) string {
	return fmt.Sprintf("%s/web/%s/%s", origin, c.At.UTC().Format("20060102150405"), c.URL)
}

// capture is the best capture that the run made of exactly this URL: the last whole one.
func (b *Builder) capture(ctx context.Context, run storage.Run, url string) (best storage.Capture, ok bool, err error) {
	for c, err := range b.Rows.Captures(ctx, run.Collection, urlkey.Key(url)) {
		if err != nil {
			return best, false, err
		}
		if c.Run != run.ID || c.URL != url {
			continue
		}
		if !ok || !outcomeWhole(best) || outcomeWhole(c) {
			best, ok = c, true
		}
	}
	return best, ok, nil
}

func outcomeWhole(c storage.Capture) bool { return c.Outcome == string(outcome.Captured) }

// failure is how the last try of a URL went that brought no capture.
func (b *Builder) failure(ctx context.Context, run storage.Run, url string, f *Fate, limit int) error {
	as, err := b.Rows.Attempts(ctx, run.Collection, urlkey.Key(url))
	if err != nil {
		return err
	}
	f.Outcome, f.Detail, f.Status, f.Digest, f.Mime, f.CapturedAt = Pending, "", 0, "", "", nil
	for _, a := range as {
		if a.Run == run.ID && a.URL == url {
			f.Outcome, f.Detail = a.Outcome, a.Detail
		}
	}
	if f.Outcome == Pending {
		purged, err := b.purged(ctx, run, url)
		if err != nil {
			return err
		}
		if purged {
			f.Outcome = Purged
			return nil
		}
	}
	over := run.State == storage.RunDone
	switch {
	case f.Outcome == Pending && over && run.Cut != "" && len(f.Redirects) == 0:
		f.Outcome, f.Detail = string(outcome.Quota), fmt.Sprintf("The run's budget of %s was used up before it was asked for.", run.Cut)
	case f.Outcome != Pending && !over && outcome.Outcome(f.Outcome).Retry():
		f.Outcome = Pending // it may be tried again
	case f.Outcome == Pending && over && len(f.Redirects) >= limit:
		f.Outcome, f.Detail = string(outcome.Redirects), fmt.Sprintf("It redirects more than %d times.", limit)
	case f.Outcome == Pending && over && len(f.Redirects) > 0:
		f.Outcome, f.Detail = string(outcome.Excluded), "It redirects to "+url+", which the run's rules leave out."
	}
	return nil
}

// purged says whether what the run recorded of a URL was taken out of the archive: its task has ended, and no longer says what
// it asked for.
func (b *Builder) purged(ctx context.Context, run storage.Run, url string) (bool, error) {
	t, err := b.Rows.Task(ctx, urlkey.Host(url), run.ID, urlkey.ID(url))
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil && t.URL == "" && t.Due >= storage.Never, err
}
