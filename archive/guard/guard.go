// Package guard stands between readers and the index: what access rules keep from them is not there. Whatever lists or
// looks up captures for a reader asks a Guard in the place of the database, so that one rule holds everywhere: in replay, in
// both CDX endpoints, in TimeMaps, calendars and offers, in export.
//
// A rule is asked for the key of a capture and the time at which it was captured. A capture has the key of its URL, and, if
// it answers to POST or the like, another one under which it is found: both must be open.
//
// It fails closed: where the rules can't be read, nothing is shown.
package guard

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"linkstead/archive/access"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Rules is what a Guard asks of the database about access rules.
type Rules interface {
	AccessStamp(ctx context.Context) (string, error)
	AccessRules(ctx context.Context) (stamp string, rules []storage.AccessChange, err error)
}

// Guard answers as the index does to a reader. Its fields are set before it is asked, and many may ask it at a time.
type Guard struct {
	Rows  Rows
	Rules Rules
	Now   func() time.Time // by which embargoes end
	Fresh time.Duration    // for how long rules hold before it is asked whether they still do; 0: a second

	known   atomic.Pointer[known]
	reading singleflight.Group
}

// known is all rules as they were at a moment. It is never changed.
type known struct {
	stamp string
	read  time.Time // before the stamp was read
	sets  map[string]*access.Set
	bad   map[string]error // of collections whose rules can't be understood: nothing of them is shown
}

func (g *Guard) fresh() time.Duration {
	if g.Fresh > 0 {
		return g.Fresh
	}
	return time.Second
}

// Set brings the rules of a collection, as they were a moment ago at most; nil if there are none.
func (g *Guard) Set(ctx context.Context, collection string) (*access.Set, error) {
	k, err := g.rules(ctx)
	if err != nil {
		return nil, err
	}
	return k.sets[collection], k.bad[collection]
}

// Stamp tells the rules of all collections from those of another moment.
func (g *Guard) Stamp(ctx context.Context) (string, error) {
	k, err := g.rules(ctx)
	if err != nil {
		return "", err
	}
	return k.stamp, nil
}

// readFor bounds how long reading the rules may take. It is nobody's own: whoever asks meanwhile waits for it, too.
const readFor = 30 * time.Second

func (g *Guard) rules(ctx context.Context) (*known, error) {
	k := g.known.Load()
	if k != nil && time.Since(k.read) < g.fresh() {
		return k, nil
	}
	done := g.reading.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readFor)
		defer cancel()
		next, err := g.reread(ctx, g.known.Load())
		if err == nil {
			g.known.Store(next)
		}
		return next, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*known), nil
	}
}

// reread reads the rules if they have changed.
func (g *Guard) reread(ctx context.Context, old *known) (*known, error) {
	read := time.Now()
	if old != nil {
		stamp, err := g.Rules.AccessStamp(ctx)
		if err != nil {
			return nil, err
		}
		if stamp == old.stamp {
			return &known{stamp: stamp, read: read, sets: old.sets, bad: old.bad}, nil
		}
	}
	stamp, changes, err := g.Rules.AccessRules(ctx)
	if err != nil {
		return nil, err
	}
	next := &known{stamp: stamp, read: read, sets: map[string]*access.Set{}, bad: map[string]error{}}
	rules := map[string][]access.Rule{}
	for _, c := range changes {
		change, err := access.ReadChange(c.Change)
		if err != nil {
			next.bad[c.Collection] = fmt.Errorf("access rules of collection %s: %w", c.Collection, err)
			continue
		}
		rules[c.Collection] = append(rules[c.Collection], change.Rule)
	}
	for name, rs := range rules {
		set, err := access.Compile(rs, KeyOf)
		if err != nil {
			next.bad[name] = fmt.Errorf("access rules of collection %s: %w", name, err)
			continue
		}
		next.sets[name] = set
	}
	return next, nil
}

// KeyOf is how rules learn the key of a URL.
func KeyOf(url string) (string, error) {
	u, err := urlkey.Parse("", url)
	return urlkey.Key(u), err
}

// Served says whether a reader finds a collection at all. One of which everything is hidden is as one that is not there.
func (g *Guard) Served(ctx context.Context, collection string) (bool, error) {
	set, err := g.Set(ctx, collection)
	return err == nil && !set.Gone(g.Now()), err
}

// Listed says whether a collection is named to a reader who did not ask for it by its name.
func (g *Guard) Listed(ctx context.Context, collection string) (bool, error) {
	set, err := g.Set(ctx, collection)
	return err == nil && set.Listed(g.Now()), err
}

// Refused is an *access.Refusal if a reader who asks for a URL at a moment is to be told that it may not be seen. It is nil for what
// may be seen, for what is hidden, and where the answer is another capture, which may be seen.
//
// Where the rules say the same of all captures of the URL, the answer does not depend on whether there are any.
func (g *Guard) Refused(ctx context.Context, collection, key, url string, at time.Time) error {
	s, err := g.sieve(ctx, collection)
	if err != nil || s == nil {
		return err
	}
	same := true
	for _, v := range s.views(key, url) {
		whole, ok := v.Whole(s.now)
		if ok && !whole.Shown() {
			return refusal(whole)
		}
		same = same && ok
	}
	if same {
		return nil
	}
	c, err := g.Rows.Closest(ctx, collection, key, url, at)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	verdict := s.verdict(c.URLKey, c.URL, c.At)
	if verdict.Shown() || verdict.Hidden() {
		return nil
	}
	if c.At.Truncate(time.Second).Equal(at.Truncate(time.Second)) {
		return refusal(verdict)
	}
	if _, err = g.Closest(ctx, collection, key, url, at); errors.Is(err, storage.ErrNotFound) {
		return refusal(verdict)
	}
	return err
}

// Tells says whether readers may know anything at all of a URL: not where the rules hide it, or all that was captured of it.
func (g *Guard) Tells(ctx context.Context, collection, key, url string) (bool, error) {
	s, err := g.sieve(ctx, collection)
	if err != nil || s == nil {
		return err == nil, err
	}
	same := true
	for _, v := range s.views(key, url) {
		whole, ok := v.Whole(s.now)
		if ok && whole.Hidden() {
			return false, nil
		}
		same = same && ok
	}
	if same {
		return true, nil
	}
	c, err := g.Rows.Closest(ctx, collection, key, url, s.now)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if !s.verdict(c.URLKey, c.URL, c.At).Hidden() {
		return true, nil
	}
	_, err = g.Closest(ctx, collection, key, url, s.now)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// refusal is the error for a verdict; nil for what is hidden, which is to be looked for and not found like anything else.
func refusal(v access.Verdict) error {
	if v.Shown() || v.Hidden() {
		return nil
	}
	return &access.Refusal{Verdict: v}
}
