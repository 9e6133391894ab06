package bibliography

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"linkstead/archive/cite"
	"linkstead/archive/repair"
	"linkstead/archive/report"
	"linkstead/storage"
)

// What the distance of a source's copy is told from.
const (
	inPost  = "the post"
	ownDate = "its citation" // which has a date of its own, such as that of an entry of a feed
)

// Post makes the record of a post: its newest version's copy. storage.ErrNotFound if there is no such post.
func (d *Desk) Post(ctx context.Context, id string, w Wanted) (*Entry, error) {
	versions, err := d.Posts.PostVersions(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, fmt.Errorf("post %s: %w", id, storage.ErrNotFound)
	}
	return d.version(ctx, versions[0], w)
}

func (d *Desk) version(ctx context.Context, p storage.Post, w Wanted) (*Entry, error) {
	w.Collection, w.URL, w.At = p.Collection, p.Source, p.At
	e, err := d.URL(ctx, w)
	if errors.Is(err, ErrNothing) && p.URL != p.Source {
		w.URL = p.URL
		e, err = d.URL(ctx, w)
	}
	if err != nil {
		return nil, err
	}
	e.Meta.Or(cite.Document{Title: p.Title, Published: p.Dated, From: cite.FromPost})
	e.Named = Named{What: OfPost, Post: p.ID, Collection: p.Collection, At: p.At}
	if d.Pages != "" {
		e.Evidence = d.Pages + "/posts/" + p.ID
	}
	id, err := d.identifier(ctx, p.ID)
	d.name(e, id)
	return e, err
}

// MaxSources bounds the sources of one bibliography.
const MaxSources = 2000

// Sources makes the records of all that a version of a post cites and the archive was to keep, in the order of the post, and behind those of
// the links that it has lost and that were found again: of each the copy that is nearest to when its author cited it. missing are those of which there is neither copy nor attempt. A run of 0 is the newest.
func (d *Desk) Sources(ctx context.Context, id string, run int64) (p storage.Post, entries []*Entry, missing []string, err error) {
	versions, err := d.Posts.PostVersions(ctx, id)
	if err != nil {
		return p, nil, nil, err
	}
	for _, v := range versions {
		if run == 0 || v.Run == run {
			if p, err = d.Posts.PostIn(ctx, id, v.Run); err != nil {
				return p, nil, nil, err
			}
			break
		}
	}
	if p.ID == "" {
		return p, nil, nil, fmt.Errorf("post %s: %w", id, storage.ErrNotFound)
	}
	list := wanted(&p)
	notes, err := report.RepairNotes(ctx, d.Names, id)
	if err != nil {
		return p, nil, nil, err
	}
	for _, w := range withRepaired(list, &p, repair.Fold(notes)) {
		e, err := d.URL(ctx, w)
		switch {
		case errors.Is(err, ErrNothing):
			missing = append(missing, w.URL)
		case err != nil:
			return p, nil, nil, err
		default:
			entries = append(entries, e)
		}
	}
	return p, entries, missing, nil
}

// wanted is what is to be cited of a post: every address once, where it stands first, with the first quotation that any of its places has.
// What is told of when that place was written counts before the date of the post.
func wanted(p *storage.Post) (out []Wanted) {
	seen := map[string]int{}
	for _, c := range p.Citations {
		if c.LeftOut != "" {
			continue
		}
		if i, ok := seen[c.URL]; ok {
			out[i].Quote = cmp.Or(out[i].Quote, c.Quotation)
			continue
		}
		if len(out) == MaxSources {
			continue
		}
		w := Wanted{Collection: p.Collection, URL: c.URL, At: p.At, CitedIn: inPost, Quote: c.Quotation, Brief: true}
		if at, date, ok := Moment(c.Dated); ok {
			w.At, w.Cited, w.CitedIn = at, date, ownDate
		} else if at, date, ok := Moment(p.Dated); ok {
			w.At, w.Cited = at, date
		}
		seen[c.URL] = len(out)
		out = append(out, w)
	}
	return out
}

// withRepaired puts the links that the post has lost, and that were found again, behind those that it has. What it has is not repeated.
func withRepaired(list []Wanted, p *storage.Post, lost []repair.Citation) []Wanted {
	for i := range lost {
		n := lost[i].Repaired
		if n == nil || len(list) == MaxSources || slices.ContainsFunc(list, func(w Wanted) bool { return w.URL == n.URL }) {
			continue
		}
		w := Wanted{Collection: p.Collection, URL: n.URL, At: p.At, CitedIn: inPost, Brief: true, Repaired: how(n)}
		if at, date, ok := Moment(p.Dated); ok {
			w.At, w.Cited = at, date
		}
		list = append(list, w)
	}
	return list
}

// methods are the ways in which lost links are found again, in words.
var methods = map[string]string{
	repair.ByAlignment: "alignment with a copy of the post that has it", repair.ByQuotation: "the words that the post quotes", repair.ByTail: "what is left of its address",
	repair.ByReprint: "the article that the post repeats",
}

// how says how a lost link was found again, and who took it for the right one.
func how(n *repair.Note) string {
	if n.Method == repair.ByHand {
		return "The post has lost its link. An archivist named it"
	}
	s := fmt.Sprintf("The post has lost its link. It was found again by %s, confidence %.2f", cmp.Or(methods[n.Method], n.Method), n.Confidence)
	if n.By != "" && n.By != repair.ByRule {
		s += ", and accepted by an archivist"
	}
	return s
}

// middle is a moment that stands for a date: the moment itself, or the middle of its day, month or year.
func middle(d cite.Date) time.Time {
	switch {
	case !d.At.IsZero():
		return d.At
	case d.Day != 0:
		return time.Date(d.Year, time.Month(d.Month), d.Day, 12, 0, 0, 0, time.UTC)
	case d.Month != 0:
		return time.Date(d.Year, time.Month(d.Month), 16, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(d.Year, 7, 2, 0, 0, 0, 0, time.UTC)
}

// Moment is the moment that stands for a date as people write it; false if it is none.
func Moment(s string) (time.Time, cite.Date, bool) {
	d, ok := cite.ParseDate(strings.TrimSpace(s))
	if !ok {
		return time.Time{}, d, false
	}
	return middle(d), d, true
}

// Records are the records of entries.
func Records(entries []*Entry) []cite.Record {
	out := make([]cite.Record, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Record)
	}
	return out
}
