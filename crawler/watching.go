package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// The standing run, number 0, looks at links: one task a link, due when its history says so. It has no row and no end. A look is one
// exchange, or several that are tasks of their own: redirects and siblings are asked for by whoever holds their hosts.

// Watch is how links are looked at. Its fields are set once; several crawlers of a process may share one.
type Watch struct {
	Links    LinkRows
	History  LinkHistory
	Rules    link.Rules
	Parking  *link.ParkingRules // nil: nobody tells whether a domain is parked
	Spec     scope.Spec         // as whom and how politely links are asked for
	Every    time.Duration      // how often it is seen to that links have their tasks; 0: 1 min
	Body     int64              // bytes that are read of an answer; 0: 1 MiB
	PerHost  int                // looks that are begun at a host in a day; 0: no bound
	PerDay   int                // looks that are begun by this node in a day; 0: no bound
	Canaries []string           // addresses that tell whether our own network works
	Window   time.Duration      // within which looks tell of the network; 0: 10 min

	Once bool // only what is due is looked at: nothing that is due later gets its task now

	sweeping sync.Mutex
	network  network
	counted  looksBegun
	honest   honestHosts
}

// LinkRows are the links, their tasks, and what became of looks.
type LinkRows interface {
	LinkOfTask(ctx context.Context, task int64) (storage.Link, error)
	LinkPosts(ctx context.Context) (more bool, err error)
	ParkLooks(ctx context.Context, park bool) (int, error)
	LinkWriter
}

// LinkWriter writes what histories come to.
type LinkWriter interface {
	StaleLinks(ctx context.Context, n int) ([]storage.Link, error)
	SaveLinks(ctx context.Context, links []storage.Link) error
	PostponeLook(ctx context.Context, t storage.Task, due int64) error
	DropUncited(ctx context.Context) error
}

// LinkHistory is what links' states are folded from, beside captures and attempts.
type LinkHistory interface {
	Looks(ctx context.Context, link int64) ([]storage.Attempt, error)
	PostsCiting(ctx context.Context, link int64) ([]storage.Post, error)
	Quotations(ctx context.Context, l storage.Link, n int) ([]string, error)
}

var (
	_ LinkRows    = (*storage.DB)(nil)
	_ LinkHistory = (*storage.DB)(nil)
	_ LinksAround = (*storage.DB)(nil)
)

const (
	watchEvery  = time.Minute
	staleAtOnce = 50 // links that are folded in one transaction
)

// standing is the standing run. Its days, in which a robots.txt is asked for once, begin with the epoch.
func (c *Crawler) standing() storage.Run {
	spec, err := c.Watch.Spec.Encode()
	if err != nil { // it has no part that can't be encoded
		spec = nil
	}
	return storage.Run{ID: storage.Standing, Collection: c.Watch.Spec.Collection, Spec: spec, State: storage.RunActive, Started: time.Unix(0, 0).UTC()}
}

// watchLinks sees to it, until ctx ends, that links have states and tasks. One crawler of a process does so.
func (c *Crawler) watchLinks(ctx context.Context) error {
	if c.Watch == nil || c.Watch.Once || !c.Watch.sweeping.TryLock() {
		return nil
	}
	defer c.Watch.sweeping.Unlock()
	every := c.Watch.Every
	if every == 0 {
		every = watchEvery
	}
	for {
		if err := c.sweepLinks(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		t := time.NewTimer(every)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// sweepLinks gives links of posts their rows where they lack them, and folds those anew of which something has come to light. What it
// does may be done any number of times.
func (c *Crawler) sweepLinks(ctx context.Context) error {
	rows := c.Watch.Links
	for more := true; more; {
		var err error
		if more, err = rows.LinkPosts(ctx); err != nil {
			return err
		}
	}
	if err := rows.DropUncited(ctx); err != nil {
		return err
	}
	for {
		stale, err := rows.StaleLinks(ctx, staleAtOnce)
		if err != nil {
			return err
		}
		for i := range stale {
			if err := c.refold(ctx, &stale[i]); err != nil {
				return err
			}
		}
		if len(stale) > 0 {
			if err := rows.SaveLinks(ctx, stale); err != nil {
				return err
			}
			c.nudge()
		}
		if len(stale) < staleAtOnce {
			break
		}
	}
	n, err := rows.ParkLooks(ctx, false) // by a capture that watches nothing
	if n > 0 {
		c.nudge()
	}
	return err
}

// refold folds a link's history anew.
func (c *Crawler) refold(ctx context.Context, l *storage.Link) error {
	l.URLKey, l.Host = urlkey.Key(l.URL), urlkey.Host(l.URL)
	h, err := c.history().of(ctx, *l)
	if err != nil {
		return fmt.Errorf("read the history of %s: %w", l.URL, err)
	}
	return c.Watch.settle(l, h, c.Now())
}

// settle writes into a link what its history comes to.
func (w *Watch) settle(l *storage.Link, history []link.Evidence, now time.Time) error {
	s := foldLink(w.Rules, l.URL, history)
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the state of %s: %w", l.URL, err)
	}
	l.State, l.Live, l.Since, l.Strikes, l.Looked = raw, string(s.Verdict), s.Since, s.Strikes, s.Asked
	l.Next = max(link.NextCheck(s, now, w.Rules).UnixMilli(), storage.Urgent)
	if !urlkey.Fetchable(l.URL) {
		l.Next = storage.Never
	}
	return nil
}

// LinkState reads the state that a link's row keeps; the zero State if it was not folded yet.
func LinkState(l storage.Link) (link.State, error) {
	var s link.State
	if len(l.State) == 0 {
		return link.State{URL: l.URL, Verdict: link.Unknown}, nil
	}
	if err := json.Unmarshal(l.State, &s); err != nil {
		return s, fmt.Errorf("read the state of %s: %w", l.URL, err)
	}
	return s, nil
}

// unwatched has looks wait that this crawler does not make, since it watches nothing: whoever does has them due again.
func (h *host) unwatched(ctx context.Context) error {
	h.forget(storage.Standing)
	rows, ok := h.c.Tasks.(interface {
		ParkLooks(ctx context.Context, park bool) (int, error)
	})
	if !ok {
		return errors.New("looks at links can't be parked here")
	}
	_, err := rows.ParkLooks(ctx, true)
	return err
}
