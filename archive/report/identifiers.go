package report

import (
	"context"
	"slices"
	"time"

	"linkstead/archive/cite"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Names brings what names records and posts.
type Names interface {
	NotesAmong(ctx context.Context, kind string, targets []string) ([]storage.Note, error)
}

// Identifier is the short permanent name of a copy, or of an attempt that brought none.
type Identifier struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"` // of what it names
	Attempt bool      `json:"attempt,omitempty"`
}

// maxNamed bounds the records of one address that are looked through for names, and maxIdentifiers the names that are told of one.
const (
	maxNamed       = 200
	maxIdentifiers = 10
)

// identifiers tells which short names were given to the post, and to what is kept of its links, in whatever run.
func (b *Builder) identifiers(ctx context.Context, r *Report) error {
	type record struct {
		link int
		Identifier
	}
	of := map[string][]record{}
	targets := []string{r.Post.ID}
	add := func(target string, rec record) {
		if _, ok := of[target]; !ok {
			targets = append(targets, target)
		}
		of[target] = append(of[target], rec)
	}
	for i := range r.Links {
		url, n := r.Links[i].URL, 0
		for c, err := range b.Rows.Captures(ctx, r.Post.Collection, urlkey.Key(url)) {
			if err != nil {
				return err
			}
			if c.URL != url || c.RecordID == "" {
				continue
			}
			if n++; n > maxNamed {
				break
			}
			add(c.RecordID, record{i, Identifier{At: c.At.UTC()}})
		}
		for _, a := range r.Links[i].Attempts {
			if a.record != "" {
				add(a.record, record{i, Identifier{At: a.At.UTC(), Attempt: true}})
			}
		}
	}
	notes, err := b.Rows.NotesAmong(ctx, storage.NoteIdentifier, targets)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for _, n := range notes {
		if told[n.Target] { // the oldest is its name
			continue
		}
		told[n.Target] = true
		if n.Target == r.Post.ID {
			r.Post.Identifier = cite.ID(n.Subject).String()
		}
		for _, rec := range of[n.Target] {
			if l := &r.Links[rec.link]; len(l.Identifiers) < maxIdentifiers {
				rec.ID = cite.ID(n.Subject).String()
				l.Identifiers = append(l.Identifiers, rec.Identifier)
			}
		}
	}
	for i := range r.Links {
		slices.SortStableFunc(r.Links[i].Identifiers, func(a, b Identifier) int { return a.At.Compare(b.At) })
	}
	return nil
}
