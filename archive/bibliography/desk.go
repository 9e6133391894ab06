// Package bibliography makes citation records of what the archive holds: of captures, of attempts that brought none, of posts and all
// their sources. It reads rows and captured pages, gives out short identifiers and finds what they name. It never dials out, and
// decides nothing about what a reader may see: whoever asks it is an archivist, or hands it rows that rules stand before.
package bibliography

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"linkstead/archive/cite"
	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Rows is what is looked up.
type Rows interface {
	Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error)
	Moved(ctx context.Context, c storage.Capture) (storage.Capture, error)
	Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error)
	AttemptBy(ctx context.Context, recordID string) (storage.Attempt, error)
}

// Posts brings posts, links and collections.
type Posts interface {
	PostVersions(ctx context.Context, id string) ([]storage.Post, error)
	PostIn(ctx context.Context, id string, run int64) (storage.Post, error)
	Link(ctx context.Context, id int64) (storage.Link, error)
}

// Names keeps short identifiers.
type Names interface {
	AddNotes(ctx context.Context, kind, subject string, add func(have []storage.Note) ([]storage.Note, error)) error
	Notes(ctx context.Context, kind, subject string) ([]storage.Note, error)
	NotesOf(ctx context.Context, kind, target string) ([]storage.Note, error)
}

// Library opens captures.
type Library interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
}

var (
	_ Rows    = (*storage.DB)(nil)
	_ Posts   = (*storage.DB)(nil)
	_ Names   = (*storage.DB)(nil)
	_ Library = (*warc.Library)(nil)
)

// Desk makes records. Its fields are set before it is asked, and many may ask it at a time.
type Desk struct {
	Rows    Rows
	Posts   Posts
	Names   Names
	Library Library

	Collection string // the one that is replayed at Replay; copies in others have no address
	Replay     string // origin of the replay
	Resolver   string // origin that leads readers to what identifiers name; empty: none does
	Pages      string // origin of the archive's pages
	Archive    string // who keeps it, for people
	PWID       string // a domain name for it; empty: records have no PWID
	Now        func() time.Time
}

// Wanted says what of an address is to be cited.
type Wanted struct {
	Collection string
	URL        string
	At         time.Time // the copy nearest to this moment; zero: the newest
	Cited      cite.Date // when its author cited it
	CitedIn    string    // in what: "the post"
	Quote      string
	Brief      bool   // of many: less is read of each page
	Repaired   string // how its lost link was found again, in words
}

// Entry is a record with what it was made of.
type Entry struct {
	cite.Record
	Named  Named // what an identifier of it names
	Quoted bool  // the copy holds the quotation; false if there is none
}

// ErrNothing says that the archive has neither a copy nor an attempt.
var ErrNothing = errors.New("the archive has no copy of it, and has not tried to get one")

// URL makes the record of an address: of its best copy near a moment, or if there is none, of the attempt that is nearest to it.
func (d *Desk) URL(ctx context.Context, w Wanted) (*Entry, error) {
	at := w.At
	if at.IsZero() {
		at = d.Now()
	}
	key := urlkey.Key(w.URL)
	c, err := d.Rows.Closest(ctx, w.Collection, key, w.URL, at)
	if err == nil {
		return d.capture(ctx, c, w)
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	tries, err := d.Rows.Attempts(ctx, w.Collection, key)
	if err != nil {
		return nil, err
	}
	var best *storage.Attempt
	for i := range tries {
		if best == nil || tries[i].At.Sub(at).Abs() <= best.At.Sub(at).Abs() {
			best = &tries[i]
		}
	}
	if best == nil {
		return nil, fmt.Errorf("cite %s: %w", w.URL, ErrNothing)
	}
	return d.attempt(ctx, *best, w)
}

// maxHops bounds the redirects that are followed to the page that an address leads to.
const maxHops = 10

// capture makes the record of a copy: what is cited is the address that was asked for, what it says is what the page says at the end of
// its redirects.
func (d *Desk) capture(ctx context.Context, c storage.Capture, w Wanted) (*Entry, error) {
	last := c
	for range maxHops {
		if last.Redirect == "" || last.Status/100 != 3 || len(last.Redirect) > urlkey.MaxLength {
			break
		}
		next, err := d.Rows.Closest(ctx, c.Collection, urlkey.Key(last.Redirect), last.Redirect, c.At)
		if errors.Is(err, storage.ErrNotFound) || err == nil && next.RecordID == last.RecordID {
			break
		}
		if err != nil {
			return nil, err
		}
		last = next
	}
	e := &Entry{Named: Named{What: OfCapture, Record: c.RecordID, Collection: c.Collection, Key: c.URLKey, At: c.At}}
	e.Record = cite.Record{
		URL: cmp.Or(w.URL, c.URL), Captured: c.At, Name: bare(c.RecordID), Archive: d.Archive, PWIDName: d.PWID, Quote: w.Quote, Cited: w.Cited, CitedIn: w.CitedIn,
		Repaired: w.Repaired,
	}
	f := fate(&last)
	e.Failure, e.NoPage, e.Dead = strings.TrimSuffix(f.Failure(), "."), !f.Good(), f.Dead()
	if c.Collection == d.Collection {
		e.Memento = report.ReplayURL(d.Replay, c)
	}
	if last.Digest != "" {
		e.Digests = append(e.Digests, last.Digest)
	}
	p := d.page(ctx, last, w.Brief && w.Quote == "") // whether it holds the quotation takes its text
	e.Meta = p.meta
	if w.Quote != "" && p.text != "" {
		e.Quoted, _, _ = text.Quoted(p.text, w.Quote)
	}
	return e, d.known(ctx, e)
}

// fate is how a capture ended.
func fate(c *storage.Capture) report.Fate {
	f := report.Fate{Outcome: c.Outcome, Status: c.Status, Flags: strings.Fields(c.Flags)}
	if f.Outcome == "" {
		f.Outcome = string(outcome.Captured)
	}
	if c.Kind == warc.KindRevisit && c.Unmodified {
		f.Status = http.StatusOK
	}
	return f
}

// attempt makes the record of an attempt that brought no response.
func (d *Desk) attempt(ctx context.Context, a storage.Attempt, w Wanted) (*Entry, error) {
	f := report.Fate{Outcome: a.Outcome, Detail: a.Detail}
	e := &Entry{Named: Named{What: OfAttempt, Record: a.RecordID, Collection: a.Collection, At: a.At}}
	e.Record = cite.Record{
		URL: cmp.Or(w.URL, a.URL), Captured: a.At, Name: bare(a.RecordID), Archive: d.Archive, Quote: w.Quote, Cited: w.Cited, CitedIn: w.CitedIn,
		Failure: strings.TrimSuffix(f.Failure(), "."), NoPage: true, Dead: f.Dead(), Repaired: w.Repaired,
	}
	if d.Pages != "" {
		e.Evidence = d.Pages + report.AttemptPath(a)
	}
	return e, d.known(ctx, e)
}

// known adds what else is known: the identifier, if it has one, and how the original fares today.
func (d *Desk) known(ctx context.Context, e *Entry) error {
	id, err := d.identifier(ctx, e.Named.target())
	if err != nil {
		return err
	}
	d.name(e, id)
	l, err := d.Posts.Link(ctx, storage.LinkID(e.Named.Collection, e.URL))
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	e.Live = l.Live
	return err
}

// name notes the identifier of an entry, with the addresses that it gives it; empty: it has none.
func (d *Desk) name(e *Entry, id cite.ID) {
	if e.ID, e.Permanent = id, ""; id == "" {
		return
	}
	if d.Resolver != "" {
		e.Permanent = d.Resolver + ReaderPath + id.String()
	}
	if d.Pages != "" && e.Evidence == "" {
		e.Evidence = d.Pages + Path(id)
	}
}

// bare is a record's name without its angle brackets.
func bare(recordID string) string { return strings.Trim(recordID, "<>") }

// ReaderPath is the path, before an identifier, that leads readers to what it names: package resolve answers there.
const ReaderPath = "/r/"

// Path is the path of the page on what an identifier names.
func Path(id cite.ID) string { return "/cite/" + id.String() }
