package report

import (
	"context"
	"time"

	"linkstead/archive/repair"
	"linkstead/storage"
)

// Notes brings what was added to posts beside captures.
type Notes interface {
	Notes(ctx context.Context, kind, subject string) ([]storage.Note, error)
}

// States of a damaged citation.
const (
	StateDamaged  = "damaged"  // nobody knows where it led
	StateProposed = "proposed" // there are candidates, and nobody has decided
	StateRepaired = "repaired"
)

// Repair is one citation of the post whose link was lost, and what is known of where it led. The post itself is as it was.
type Repair struct {
	N          int         `json:"n"` // among those of the post, from 1, for good
	Key        string      `json:"key"`
	State      string      `json:"state"`
	Class      string      `json:"class,omitempty"` // of the scar that it left, if it left one
	Start      int         `json:"start"`           // in the source of the version of run Run, Unicode code points
	End        int         `json:"end"`
	Run        int64       `json:"run"`
	Around     string      `json:"around,omitempty"` // what the source has there
	Repaired   *Candidate  `json:"repaired,omitempty"`
	Fate       *Fate       `json:"fate,omitempty"` // of the link that was found again
	Candidates []Candidate `json:"candidates"`     // on which nobody has decided
	Rejected   []Candidate `json:"rejected,omitempty"`
}

// Candidate is one URL to which a lost link may have led.
type Candidate struct {
	URL         string    `json:"url"`
	Text        string    `json:"text,omitempty"` // the words that the link stood on
	Method      string    `json:"method"`
	Confidence  float64   `json:"confidence"`
	Explanation string    `json:"explanation"`
	With        string    `json:"with,omitempty"` // the copy of the post that told
	By          string    `json:"by,omitempty"`   // who decided; "rule" if nobody had to
	At          time.Time `json:"at"`
}

// RepairNotes brings what was said of the damaged citations of a post, oldest first. What can't be read says nothing.
func RepairNotes(ctx context.Context, rows Notes, post string) ([]repair.Note, error) {
	notes, err := rows.Notes(ctx, storage.NoteRepair, post)
	if err != nil {
		return nil, err
	}
	var out []repair.Note
	for _, n := range notes {
		if r, err := repair.ReadNote(n.Body, n.At); err == nil {
			out = append(out, r)
		}
	}
	return out, nil
}

// Repairs are damaged citations as they are told. Those of which all candidates were rejected, and which left no scar, are none.
func Repairs(citations []repair.Citation) []Repair {
	var out []Repair
	for i := range citations {
		c := &citations[i]
		last := c.Last()
		r := Repair{
			N: c.N, Key: c.Key, State: StateDamaged, Class: last.Scar, Start: last.Start, End: last.End, Run: last.Run,
			Around: last.Around, Candidates: candidates(c.Open), Rejected: candidates(c.Rejected),
		}
		switch {
		case c.Repaired != nil:
			r.State = StateRepaired
			done := candidate(*c.Repaired)
			r.Repaired = &done
		case len(c.Open) > 0:
			r.State = StateProposed
		}
		out = append(out, r)
	}
	return out
}

func candidates(notes []repair.Note) []Candidate {
	out := make([]Candidate, 0, len(notes))
	for _, n := range notes {
		out = append(out, candidate(n))
	}
	return out
}

func candidate(n repair.Note) Candidate {
	return Candidate{URL: n.URL, Text: n.Text, Method: n.Method, Confidence: n.Confidence, Explanation: n.Explanation, With: n.With, By: n.By, At: n.At}
}

// repairs tells of the damaged citations of a post, and what became of the links that were found again.
func (b *Builder) repairs(ctx context.Context, run storage.Run, post string, r *Report) error {
	notes, err := RepairNotes(ctx, b.Rows, post)
	if err != nil {
		return err
	}
	r.Repairs = Repairs(repair.Fold(notes))
	for i := range r.Repairs {
		if done := r.Repairs[i].Repaired; done != nil {
			f, err := b.fate(ctx, run, done.URL)
			if err != nil {
				return err
			}
			r.Repairs[i].Fate = &f
		}
	}
	return nil
}
