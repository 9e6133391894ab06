package bibliography

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/cite"
	"linkstead/storage"
)

// What an identifier may name.
const (
	OfCapture = "capture"
	OfAttempt = "attempt"
	OfPost    = "post"
)

// Named is what an identifier names. It is the body of its note, and holds what is needed to find it again after a purge of others has
// moved its record.
type Named struct {
	What       string    `json:"what"`
	Record     string    `json:"record,omitempty"` // WARC-Record-ID, of a capture or attempt
	Post       string    `json:"post,omitempty"`
	Collection string    `json:"collection"`
	Key        string    `json:"urlkey,omitempty"` // of a capture
	At         time.Time `json:"at"`
}

func (n *Named) target() string {
	if n.What == OfPost {
		return n.Post
	}
	return n.Record
}

// ErrNoName says that no identifier can be given: the record has no name of its own, as those of an older version.
var ErrNoName = errors.New("it has no name by which it could be found again: capture it anew")

// mints bounds how often another identifier is tried because one is taken. There are so many that it is taken but once in a lifetime.
const mints = 10

// errTaken says that an identifier names something already.
var errTaken = errors.New("it is taken")

// Mint gives what an entry is of a short identifier, or brings the one that it has: the oldest, if two were given at the same time. It is random, so that
// nobody guesses it from others, and never given again, whatever becomes of what it names.
func (d *Desk) Mint(ctx context.Context, e *Entry, by string) error {
	if e.ID != "" {
		return nil
	}
	if e.Named.target() == "" {
		return ErrNoName
	}
	body, err := json.Marshal(&e.Named)
	if err != nil {
		return err
	}
	for range mints {
		id, err := cite.NewID(rand.Reader)
		if err != nil {
			return err
		}
		err = d.Names.AddNotes(ctx, storage.NoteIdentifier, string(id), func(have []storage.Note) ([]storage.Note, error) {
			if len(have) > 0 {
				return nil, errTaken
			}
			return []storage.Note{{
				ID: storage.Random(10), Collection: e.Named.Collection, Target: e.Named.target(), At: d.Now().UTC().Truncate(time.Microsecond), Node: by, Body: body,
			}}, nil
		})
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return err
		}
		if id, err = d.identifier(ctx, e.Named.target()); err == nil {
			d.name(e, id)
		}
		return err
	}
	return fmt.Errorf("give an identifier: %w", errTaken)
}

// identifier brings the identifier of a record or post; empty if it has none.
func (d *Desk) identifier(ctx context.Context, target string) (cite.ID, error) {
	if target == "" {
		return "", nil
	}
	notes, err := d.Names.NotesOf(ctx, storage.NoteIdentifier, target)
	if err != nil || len(notes) == 0 {
		return "", err
	}
	return cite.ID(notes[0].Subject), nil
}

// ErrUnknown says that an identifier was never given; ErrGone, that what it names was taken out of the archive.
var (
	ErrUnknown = errors.New("this archive has given no such identifier")
	ErrGone    = errors.New("what it names was taken out of the archive")
)

// Find brings what an identifier names: ErrUnknown if it names nothing.
func (d *Desk) Find(ctx context.Context, id cite.ID) (Named, error) {
	notes, err := d.Names.Notes(ctx, storage.NoteIdentifier, string(id))
	if err != nil {
		return Named{}, err
	}
	if len(notes) == 0 {
		return Named{}, fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	var n Named
	if err := json.Unmarshal(notes[0].Body, &n); err != nil {
		return Named{}, fmt.Errorf("read what %s names: %w", id, err)
	}
	return n, nil
}

// ID makes the record of what an identifier names. ErrGone, with what it named, if a purge took it out.
func (d *Desk) ID(ctx context.Context, id cite.ID, w Wanted) (*Entry, Named, error) {
	n, err := d.Find(ctx, id)
	if err != nil {
		return nil, n, err
	}
	e, err := d.named(ctx, n, w)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("%s: %w", id, ErrGone)
	}
	if err == nil {
		d.name(e, id)
	}
	return e, n, err
}

func (d *Desk) named(ctx context.Context, n Named, w Wanted) (*Entry, error) {
	w.URL = "" // the copy's own
	switch n.What {
	case OfPost:
		return d.Post(ctx, n.Post, w)
	case OfAttempt:
		a, err := d.Rows.AttemptBy(ctx, n.Record)
		if err != nil {
			return nil, err
		}
		return d.attempt(ctx, a, w)
	case OfCapture:
		c, err := d.Rows.Moved(ctx, storage.Capture{Collection: n.Collection, URLKey: n.Key, At: n.At, RecordID: n.Record})
		if err != nil {
			return nil, err
		}
		return d.capture(ctx, c, w)
	}
	return nil, fmt.Errorf("it names a %s, which this version does not know: a newer one does", n.What)
}
