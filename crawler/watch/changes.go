package watch

import (
	"encoding/json"
	"fmt"
	"iter"

	"linkstead/archive/outcome"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Change is how an address differs from the run before.
type Change string

// The changes.
const (
	New     Change = "new"     // it was not asked for before
	Changed Change = "changed" // another payload
	Failed  Change = "failed"  // it answered before, and fails now
	Back    Change = "back"    // it failed before, and answers now
	Gone    Change = "gone"    // it is no longer asked for
)

// Diff is how a run differs from the one before of the same schedule, in posts and pages: not in requisites. It is kept as
// JSON in the run's row.
type Diff struct {
	Against int64  `json:"against"` // number of the run before; 0: there was none
	New     int    `json:"new"`
	Changed int    `json:"changed"`
	Failed  int    `json:"failed"`
	Back    int    `json:"back"`
	Gone    int    `json:"gone"`
	Same    int    `json:"same"`
	List    []Item `json:"list"` // by address; at most MaxItems
	More    int    `json:"more,omitempty"`
}

// Item is one address that differs.
type Item struct {
	URL    string `json:"url"`
	Change Change `json:"change"`
}

// MaxItems bounds the addresses that a Diff names.
const MaxItems = 1000

// Any says whether anything differs.
func (d *Diff) Any() bool { return d.New+d.Changed+d.Failed+d.Back+d.Gone > 0 }

// DecodeDiff reads what a run's row keeps; ok is false if it keeps nothing.
func DecodeDiff(raw json.RawMessage) (d Diff, ok bool, err error) {
	if len(raw) == 0 {
		return d, false, nil
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, false, fmt.Errorf("read the changes of a run: %w", err)
	}
	return d, true, nil
}

// state is what an end says of an address.
type state int

const (
	unknown  state = iota // not asked for, or our own rules kept us from it
	answered              // with a copy that is no error
	failing
)

func stateOf(e storage.RunEnd) state {
	o := outcome.Outcome(e.Outcome)
	switch {
	case o == outcome.Pending || o.Ours():
		return unknown
	case o.Kept() && e.Status < 400:
		return answered
	}
	return failing
}

// Compare merges the ends of two runs, each in the order of the addresses' bytes. goes says whether an address that is no
// longer asked for is gone: not where a run asks for what is new alone, or was cut.
func Compare(before, after iter.Seq2[storage.RunEnd, error], goes bool) (Diff, error) {
	d := Diff{List: []Item{}}
	b, stopB := reader(before)
	defer stopB()
	a, stopA := reader(after)
	defer stopA()
	old, okB, err := b()
	if err != nil {
		return d, err
	}
	now, okA, err := a()
	for err == nil && (okA || okB) {
		switch {
		case !okA || okB && old.URL < now.URL:
			if goes && stateOf(old) != unknown {
				d.add(old.URL, Gone)
			}
			old, okB, err = b()
		case !okB || now.URL < old.URL:
			if stateOf(now) != unknown {
				d.add(now.URL, New)
			}
			now, okA, err = a()
		default:
			d.compare(old, now)
			if old, okB, err = b(); err == nil {
				now, okA, err = a()
			}
		}
	}
	return d, err
}

// compare takes an address that both runs asked for.
func (d *Diff) compare(old, now storage.RunEnd) {
	switch was, is := stateOf(old), stateOf(now); {
	case was == unknown || is == unknown: // nothing can be said
	case was == answered && is == failing:
		d.add(now.URL, Failed)
	case was == failing && is == answered:
		d.add(now.URL, Back)
	case was == answered && old.Version != now.Version:
		d.add(now.URL, Changed)
	default:
		d.Same++
	}
}

func (d *Diff) add(url string, c Change) {
	*map[Change]*int{New: &d.New, Changed: &d.Changed, Failed: &d.Failed, Back: &d.Back, Gone: &d.Gone}[c]++
	if len(d.List) < MaxItems {
		d.List = append(d.List, Item{url, c})
	} else {
		d.More++
	}
}

// reader reads pages one by one, each address once; what redirects of requisites lead to is passed over.
func reader(s iter.Seq2[storage.RunEnd, error]) (next func() (storage.RunEnd, bool, error), stop func()) {
	pull, stop := iter.Pull2(s)
	last := ""
	return func() (storage.RunEnd, bool, error) {
		for {
			e, err, ok := pull()
			if !ok || err != nil {
				return storage.RunEnd{}, false, err
			}
			if scope.Role(e.Hops) != scope.KindPage || e.URL == last {
				continue
			}
			last = e.URL
			return e, true, nil
		}
	}, stop
}

// Encode gives what a run's row keeps.
func (d *Diff) Encode() (json.RawMessage, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode the changes of a run: %w", err)
	}
	return b, nil
}
