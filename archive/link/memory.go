package link

import (
	"maps"
	"slices"
	"time"
)

// Memory is what a fold keeps of the history between two pieces of evidence. It is part of a State so that one can be
// stored and gone on with; nobody else has a use for it.
type Memory struct {
	Tally map[Verdict]Tally `json:"tally,omitempty"` // failures since the last good look, by what they show
	Kind  Verdict           `json:"kind,omitempty"`  // of the last failure
	Any   Tally             `json:"any,omitzero"`    // all of them but those of a page that answers

	GoodSince time.Time   `json:"good_since,omitzero"` // the first good look since the last one that was not
	Good      *Text       `json:"good,omitempty"`      // what the page said when it was last known to be itself
	Rose      []time.Time `json:"rose,omitempty"`      // when failures ended by a good look; the last MaxFlaps
	Drift     Tally       `json:"drift,omitzero"`      // looks that found it changed, since the last that did not
	Unseen    time.Time   `json:"unseen,omitzero"`     // the first look since the last one that saw what is there; zero: that was the last of all
	Target    string      `json:"target,omitempty"`    // permanent target at another site that the last good looks found …
	Move      Tally       `json:"move,omitzero"`       // … and these looks

	Ref string `json:"ref,omitempty"` // of the last piece of evidence
}

// Tally counts looks of one kind that are far enough apart.
type Tally struct {
	N     int       `json:"n"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`

	Fast     int       `json:"fast,omitempty"` // of a kind that takes Rules.Fast
	LastFast time.Time `json:"last_fast,omitzero"`
}

// add counts a look, if it is far enough from the one before that counted.
func (t *Tally) add(at time.Time, apart time.Duration) bool {
	if t.N > 0 && at.Sub(t.Last) < apart {
		return false
	}
	if t.N == 0 {
		t.First = at
	}
	t.N, t.Last = t.N+1, at
	return true
}

func (t *Tally) addFast(at time.Time, apart time.Duration) {
	if t.Fast == 0 || at.Sub(t.LastFast) >= apart {
		t.Fast, t.LastFast = t.Fast+1, at
	}
}

func (t *Tally) span() time.Duration { return t.Last.Sub(t.First) }

// clone keeps a state that somebody holds from being changed through one that was made of it.
func (m *Memory) clone() {
	m.Tally, m.Rose = maps.Clone(m.Tally), slices.Clone(m.Rose)
}

func (m *Memory) forgive() { m.Tally, m.Any = nil, Tally{} }
