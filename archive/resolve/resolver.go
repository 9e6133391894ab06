package resolve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/cite"
	"linkstead/archive/link"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Links looks links up.
type Links interface {
	Link(ctx context.Context, id int64) (storage.Link, error) // storage.ErrNotFound
	PostsCiting(ctx context.Context, link int64) ([]storage.Post, error)
	QuotedBy(ctx context.Context, post string, run int64, url string, n int) ([]string, error)
}

// Index is what is asked for copies: the database, or a guard before it.
type Index interface {
	CapturesIn(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error]
	Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error)
}

// Access says what may not be seen: a guard.
type Access interface {
	Refused(ctx context.Context, collection, key, url string, at time.Time) error
	Tells(ctx context.Context, collection, key, url string) (bool, error)
}

// Others asks other archives for copies.
type Others interface {
	Near(ctx context.Context, url string, at time.Time) []Version
}

// Resolver answers questions. Its fields are set before it is asked, and many may ask it at a time.
type Resolver struct {
	Links   Links
	Index   Index
	Access  Access                                                                             // nil: everything may be seen
	Life    func(ctx context.Context, l storage.Link) (link.State, error)                      // what is known of a link; nil: what its row says
	Others  Others                                                                             // nil: nobody else is asked
	Quoted  func(ctx context.Context, c storage.Capture, quotes []string) (link.Answer, error) // whether a copy has all quotations; nil: nobody looks
	Memento func(c storage.Capture) string                                                     // URL of a copy
	About   func(q Question) string                                                            // URL of the page that explains
	Now     func() time.Time
	Log     *slog.Logger
}

// maxCopies bounds the copies of an address that are compared, on either side of the date.
const maxCopies = 500

// Resolve answers a question.
func (r *Resolver) Resolve(ctx context.Context, q Question) (Answer, error) {
	k, err := r.known(ctx, &q)
	if err != nil {
		return Answer{}, fmt.Errorf("resolve %s: %w", q.URL, err)
	}
	a := Decide(q, k, r.Now())
	if a.Does != Unknown && r.About != nil {
		q.At = a.when
		a.About = r.About(q)
	}
	return a, nil
}

// known gathers what is known of a link.
func (r *Resolver) known(ctx context.Context, q *Question) (k Known, err error) {
	key := urlkey.Key(q.URL)
	if r.Access != nil {
		tells, err := r.Access.Tells(ctx, q.Collection, key, q.URL)
		if err != nil || !tells {
			return k, err
		}
	}
	if err := r.life(ctx, q, &k); err != nil {
		return k, err
	}
	at := r.Now()
	if when := moment(*q, k); when.Known() {
		at = Middle(when)
	}
	if r.Access != nil {
		err := r.Access.Refused(ctx, q.Collection, key, q.URL, at)
		if err != nil && !errors.As(err, &k.Refused) {
			return k, err
		}
	}
	if k.Refused == nil || k.Refused.Effect == access.Public {
		if k.Copy, err = r.copy(ctx, q, key, at); err != nil {
			return k, err
		}
	}
	if k.Linked && (k.Copy == nil || k.Copy.Fault != "") && k.Refused == nil && r.Others != nil {
		k.Others = r.Others.Near(ctx, q.URL, at)
	}
	return k, nil
}

// life reads what is known of the link itself, and when it was cited.
func (r *Resolver) life(ctx context.Context, q *Question, k *Known) error {
	if q.Quote != "" {
		q.quotes = []string{q.Quote}
	}
	row, err := r.Links.Link(ctx, storage.LinkID(q.Collection, q.URL))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	posts, err := r.Links.PostsCiting(ctx, row.ID)
	if err != nil {
		return err
	}
	if posts, err = r.told(ctx, posts); err != nil || posts == nil {
		return err
	}
	k.Linked = true
	switch {
	case r.Life != nil:
		k.State, err = r.Life(ctx, row)
	case len(row.State) > 0:
		err = json.Unmarshal(row.State, &k.State)
	}
	if err != nil {
		return fmt.Errorf("read what is known of a link: %w", err)
	}
	slices.SortStableFunc(posts, func(a, b storage.Post) int { return Middle(Dated(&a)).Compare(Middle(Dated(&b))) })
	if len(posts) > 0 {
		k.Cited = Dated(&posts[0])
	}
	if q.Quote != "" {
		return nil
	}
	for _, p := range posts[:min(len(posts), maxPosts)] {
		if q.quotes, err = r.Links.QuotedBy(ctx, p.ID, p.Run, row.URL, maxQuotes); err != nil || len(q.quotes) > 0 {
			return err
		}
	}
	return nil
}

// told leaves those of posts that readers may know of; nil: there are posts, and they may know of none.
func (r *Resolver) told(ctx context.Context, posts []storage.Post) ([]storage.Post, error) {
	out := make([]storage.Post, 0, len(posts))
	for _, p := range posts {
		if r.Access != nil {
			ok, err := r.Access.Tells(ctx, p.Collection, urlkey.Key(p.URL), p.URL)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		out = append(out, p)
	}
	if len(out) == 0 && len(posts) > 0 {
		return nil, nil
	}
	return out, nil
}

// Where no quotation is asked for, those of the first post that quotes the link are: bounds of what is looked for.
const (
	maxPosts  = 20
	maxQuotes = 3
)

// Dated is when a post was written as far as it says so itself, else when it was captured.
func Dated(p *storage.Post) cite.Date {
	if d, ok := cite.ParseDate(p.Dated); ok {
		return d
	}
	return cite.DateOf(p.At)
}

// copy brings the best copy that readers may see; nil if there is none.
func (r *Resolver) copy(ctx context.Context, q *Question, key string, at time.Time) (*Version, error) {
	span := storage.OneKey(q.Collection, key)
	middle := storage.Place{URLKey: span.From, At: at.Truncate(time.Microsecond).Add(time.Microsecond), Offset: -1}
	var near []storage.Capture
	for _, backwards := range []bool{true, false} {
		n := 0
		for c, err := range r.Index.CapturesIn(ctx, span, middle, backwards) {
			if err != nil {
				return nil, err
			}
			near = append(near, c)
			if n++; n == maxCopies {
				break
			}
		}
	}
	slices.SortStableFunc(near, func(a, b storage.Capture) int { return a.At.Compare(b.At) })
	copies, pages := make([]link.Candidate, len(near)), make([]storage.Capture, len(near))
	for i := range near {
		var err error
		if pages[i], err = r.page(ctx, &near[i]); err != nil {
			return nil, err
		}
		copies[i] = candidate(&near[i], &pages[i])
	}
	if err := r.quoted(ctx, q, pages, copies, at); err != nil {
		return nil, err
	}
	best, ok := link.BestCopy(copies, at)
	if !ok {
		return nil, nil
	}
	c := &near[best.Index]
	return &Version{URL: r.Memento(*c), At: c.At, Quoted: best.Quoted, Bracketed: best.Bracketed, Fault: best.Fault}, nil
}

// maxHops bounds the redirects that are followed from a copy to the page that it leads to.
const maxHops = 5

// page is what a copy shows: of a redirect, what it led to at the time.
func (r *Resolver) page(ctx context.Context, c *storage.Capture) (storage.Capture, error) {
	last := *c
	for range maxHops {
		if last.Redirect == "" || last.Status < 300 || last.Status > 399 {
			break
		}
		to, err := r.Index.Closest(ctx, c.Collection, urlkey.Key(last.Redirect), last.Redirect, last.At)
		if errors.Is(err, storage.ErrNotFound) || err == nil && (to.URL == last.URL || to.At.Sub(c.At).Abs() > sameCapture) {
			break
		}
		if err != nil {
			return last, err
		}
		last = to
	}
	return last, nil
}

// candidate tells of a copy what makes it a good one. One that is a redirect is as good as the page that it led to.
func candidate(c, page *storage.Capture) link.Candidate {
	return link.Candidate{
		Ref: c.RecordID, URL: c.URL, At: c.At, Digest: page.Digest, Outcome: page.Outcome, Status: page.Status, Flags: strings.Fields(page.Flags),
	}
}

// sameCapture is how far a redirect and what it led to may be apart to be one look at the web.
const sameCapture = 24 * time.Hour

// Bounds of the search for a quotation: the pages that are read, and for how long, for all links of a request together.
const (
	maxQuoted   = 6
	maxQuotedIn = 5 * time.Second
)

// quoted looks for the quotation in the valid copies that are nearest to the date. What takes too long or can't be read stays unasked.
func (r *Resolver) quoted(ctx context.Context, q *Question, pages []storage.Capture, copies []link.Candidate, at time.Time) error {
	if len(q.quotes) == 0 || r.Quoted == nil {
		return nil
	}
	var order []int
	for i := range copies {
		if copies[i].Fault() == "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(copies[a].At.Sub(at).Abs(), copies[b].At.Sub(at).Abs()) })
	until := q.until
	if until.IsZero() {
		until = time.Now().Add(maxQuotedIn)
	}
	within, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	told := map[string]link.Answer{} // by payload
	for _, i := range order {
		answer, ok := told[pages[i].Digest]
		if !ok {
			if len(told) == maxQuoted || within.Err() != nil {
				break
			}
			var err error
			switch answer, err = r.Quoted(within, pages[i], q.quotes); {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				r.Log.Debug("a copy could not be searched for a quotation", "url", pages[i].URL, "error", err)
				answer = link.Unasked
			}
			told[pages[i].Digest] = answer
		}
		copies[i].Quoted = answer
	}
	return nil
}
