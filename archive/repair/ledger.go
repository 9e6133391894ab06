package repair

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Verdict is what a note says of a candidate.
type Verdict string

// The verdicts.
const (
	Damaged  Verdict = "damaged"  // a link is missing here, and nobody knows of a candidate yet
	Proposed Verdict = "proposed" // a candidate waits for an archivist
	Accepted Verdict = "accepted" // the citation is repaired
	Rejected Verdict = "rejected" // it doesn't lead there
)

// ByRule is who decided where no person did.
const ByRule = "rule"

// Note is what was said of one candidate: the body of a storage.Note.
type Note struct {
	N       int     `json:"n"` // of the citation, among those of its post, from 1; it keeps it
	Verdict Verdict `json:"verdict"`
	Candidate
	By   string    `json:"by,omitempty"`   // who decided
	With string    `json:"with,omitempty"` // the copy that it was aligned with
	Run  int64     `json:"run"`            // of the version of the post in whose source the place is
	At   time.Time `json:"-"`
}

// Citation is one damaged citation of a post, as its notes leave it.
type Citation struct {
	N        int
	Key      string
	Repaired *Note  // nil: it is not
	Open     []Note // candidates on which nobody has decided, in the order in which they came
	Rejected []Note
	last     Note
}

// Last is what was said last of the citation: it tells where it is.
func (c *Citation) Last() Note { return c.last }

// ReadNote reads the body of a note.
func ReadNote(body json.RawMessage, at time.Time) (Note, error) {
	var n Note
	if err := json.Unmarshal(body, &n); err != nil {
		return n, fmt.Errorf("read a repair: %w", err)
	}
	n.At = at
	return n, nil
}

// Fold is what notes on a post, oldest first, come to: its damaged citations by number. A later note counts more than an earlier
// one. One without a key says nothing.
func Fold(notes []Note) []Citation {
	by := map[string]*Citation{}
	var order []*Citation
	for _, n := range notes {
		if n.Key == "" {
			continue
		}
		c := by[n.Key]
		if c == nil {
			c = &Citation{N: n.N, Key: n.Key}
			by[n.Key] = c
			order = append(order, c)
		}
		c.add(n)
	}
	out := make([]Citation, 0, len(order))
	for _, c := range order {
		out = append(out, *c)
	}
	slices.SortStableFunc(out, func(a, b Citation) int { return cmp.Compare(a.N, b.N) })
	return out
}

func (c *Citation) add(n Note) {
	c.last = n
	if n.URL == "" {
		return
	}
	other := func(m Note) bool { return m.URL == n.URL }
	rejected := slices.ContainsFunc(c.Rejected, other)
	if n.Verdict == Proposed && (rejected || slices.ContainsFunc(c.Open, other) || c.Repaired != nil && other(*c.Repaired)) {
		return
	}
	c.Open, c.Rejected = slices.DeleteFunc(c.Open, other), slices.DeleteFunc(c.Rejected, other)
	switch n.Verdict {
	case Proposed:
		c.Open = append(c.Open, n)
	case Accepted:
		if old := c.Repaired; old != nil && !other(*old) { // it may be taken back
			c.Open = append(c.Open, *old)
		}
		c.Repaired = &n
	case Rejected:
		if c.Repaired != nil && other(*c.Repaired) {
			c.Repaired = nil
		}
		c.Rejected = append(c.Rejected, n)
	}
}

// New is what is to be noted of candidates and scars that were found, given what has been noted: of those that are new, each with the
// number of its citation. Those that are certain are accepted, if auto is set and nobody has decided on their citation. Of
// scars without a candidate only those that strong says yes to are noted.
func New(have []Note, ranked []Candidate, scars []Scar, auto bool, strong func(Scar) bool) []Note {
	known := map[string]*Citation{}
	next := 1
	for _, c := range Fold(have) {
		known[c.Key] = &c
		next = max(next, c.N+1)
	}
	number := func(key string) int {
		if c := known[key]; c != nil {
			return c.N
		}
		known[key] = &Citation{N: next, Key: key}
		next++
		return next - 1
	}
	certain := map[string]bool{}
	for _, c := range Certain(ranked) {
		certain[c.Key] = auto
	}
	var out []Note
	for _, f := range merged(ranked, scars, strong) {
		c := known[f.Key]
		switch {
		case f.URL == "" && c != nil:
			continue
		case f.URL == "":
			out = append(out, Note{N: number(f.Key), Verdict: Damaged, Candidate: f})
			continue
		case c != nil && (c.Repaired != nil && c.Repaired.URL == f.URL || slices.ContainsFunc(c.Rejected, func(n Note) bool { return n.URL == f.URL })):
			continue
		}
		rival := c != nil && (c.Repaired != nil || len(c.Rejected) > 0 || slices.ContainsFunc(c.Open, func(n Note) bool { return n.URL != f.URL }))
		if certain[f.Key] && !rival {
			out = append(out, Note{N: number(f.Key), Verdict: Accepted, Candidate: f, By: ByRule})
			continue
		}
		if c == nil || !slices.ContainsFunc(c.Open, func(n Note) bool { return n.URL == f.URL }) {
			out = append(out, Note{N: number(f.Key), Verdict: Proposed, Candidate: f})
		}
	}
	return out
}

// merged are candidates, and the scars for which there is none, by place.
func merged(ranked []Candidate, scars []Scar, strong func(Scar) bool) []Candidate {
	out := slices.Clone(ranked)
	filled := map[string]bool{}
	for _, c := range ranked {
		filled[c.Key] = true
	}
	for _, s := range scars {
		if !filled[s.Key] && strong(s) {
			out = append(out, Candidate{Place: Place{s.Start, s.End}, Key: s.Key, Scar: s.Class, Confidence: s.Confidence, Around: s.Text})
		}
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return cmp.Compare(a.Start, b.Start) })
	return out
}
