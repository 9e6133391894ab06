// Package elsewhere asks other archives for copies of an address: by Memento (RFC 7089), whose TimeGates and TimeMaps most archives
// serve, and by the availability API of the Wayback Machine. It asks nobody who is not named to it, keeps what it was told for some
// time, and takes little of any answer. It never fetches a copy.
package elsewhere

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// How an archive is asked.
const (
	TimeGate = "timegate" // RFC 7089 §4: the address is put behind the archive's, the date into Accept-Datetime
	TimeMap  = "timemap"  // RFC 7089 §5: all its mementos, as application/link-format
	Wayback  = "wayback"  // the availability API: url= and timestamp= behind the archive's address
)

// Kinds are all ways of asking.
var Kinds = []string{TimeGate, TimeMap, Wayback}

// Archive is one that may be asked.
type Archive struct {
	Name string
	Kind string
	URL  string // what the address is put behind
}

// Copy is a copy that another archive says it has.
type Copy struct {
	Archive string // its name
	URL     string // of the memento
	At      time.Time
}

// Fault says why an archive told nothing.
type Fault struct {
	Archive string
	Err     error
}

// Asker asks archives. Its fields are set before its first use; any number of goroutines may ask it.
type Asker struct {
	Archives []Archive
	Client   *http.Client  // whose connections are guarded; it must follow no redirects (http.ErrUseLastResponse)
	Timeout  time.Duration // for each archive; 0: 10 s
	Keep     time.Duration // for so long an answer is not asked for again; 0: a day. A fault is kept for a hundredth of it
	Agent    string        // User-Agent
	Now      func() time.Time

	mu   sync.Mutex
	kept map[question]*answer
}

// question is what is kept an answer for.
type question struct {
	archive int
	url     string
	day     int64 // that was asked for: another hour brings no other copy worth asking for
}

type answer struct {
	copy  Copy
	ok    bool
	err   error
	until time.Time
	done  chan struct{} // closed when the rest is there
}

// maxKept bounds the answers that are kept.
const maxKept = 10_000

// Near asks every archive for its copy of an address that is nearest to a time, all at once, and gives what they have, nearest first.
// What can't be asked is told beside it: that is no reason to do without the others.
func (a *Asker) Near(ctx context.Context, url string, at time.Time) ([]Copy, []Fault) {
	answers := make([]*answer, len(a.Archives))
	var all sync.WaitGroup
	for i := range a.Archives {
		all.Go(func() { answers[i] = a.one(ctx, i, url, at) })
	}
	all.Wait()
	var copies []Copy
	var faults []Fault
	for i, one := range answers {
		if one.err != nil {
			faults = append(faults, Fault{a.Archives[i].Name, one.err})
		}
		if one.ok {
			copies = append(copies, one.copy)
		}
	}
	slices.SortStableFunc(copies, func(x, y Copy) int { return cmp.Compare(x.At.Sub(at).Abs(), y.At.Sub(at).Abs()) })
	return copies, faults
}

// one brings the answer of one archive. Who asks the same meanwhile waits for it.
func (a *Asker) one(ctx context.Context, i int, url string, at time.Time) *answer {
	q := question{i, url, at.Unix() / (24 * 60 * 60)}
	for {
		mine, theirs := a.take(q)
		if mine != nil {
			a.ask(ctx, q, mine, url, at)
			return mine
		}
		select {
		case <-theirs.done:
		case <-ctx.Done():
			return &answer{err: ctx.Err()}
		}
		if !errors.Is(theirs.err, context.Canceled) { // it was they who gave up, not the archive
			return theirs
		}
	}
}

// take gives an answer that is there or on its way, or else one that the caller is to bring.
func (a *Asker) take(q question) (mine, theirs *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	if old := a.kept[q]; old != nil && (old.until.IsZero() || now.Before(old.until)) {
		return nil, old
	}
	if len(a.kept) >= maxKept {
		for k, v := range a.kept {
			if !v.until.IsZero() && (now.After(v.until) || len(a.kept) >= maxKept) {
				delete(a.kept, k)
			}
		}
	}
	if a.kept == nil {
		a.kept = map[question]*answer{}
	}
	mine = &answer{done: make(chan struct{})}
	a.kept[q] = mine
	return mine, nil
}

func (a *Asker) ask(ctx context.Context, q question, to *answer, url string, at time.Time) {
	asking, cancel := context.WithTimeout(ctx, cmp.Or(a.Timeout, 10*time.Second))
	defer cancel()
	from := &a.Archives[q.archive]
	c, ok, err := a.nearest(asking, from, url, at)
	if err != nil {
		err = fmt.Errorf("ask %s: %w", from.Name, err)
		if ctx.Err() != nil {
			err = fmt.Errorf("ask %s: %w", from.Name, context.Canceled)
		}
	}
	keep := cmp.Or(a.Keep, 24*time.Hour)
	if err != nil {
		keep /= 100
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	to.copy, to.ok, to.err, to.until = c, ok, err, a.Now().Add(keep)
	if errors.Is(err, context.Canceled) {
		delete(a.kept, q)
	}
	close(to.done)
}

func (a *Asker) nearest(ctx context.Context, from *Archive, url string, at time.Time) (Copy, bool, error) {
	switch from.Kind {
	case TimeGate:
		return a.gate(ctx, from, url, at)
	case TimeMap:
		return a.timeMap(ctx, from, url, at)
	default:
		return a.available(ctx, from, url, at)
	}
}
