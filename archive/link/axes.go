package link

import (
	"slices"
	"time"
)

// ReferenceState is how a citation stands in its post: a word that rows, JSON and pages share.
type ReferenceState string

// The states of a reference.
const (
	Intact        ReferenceState = "intact"
	Damaged       ReferenceState = "damaged"       // its link is missing, cut or mangled
	Repaired      ReferenceState = "repaired"      // and somebody, or a sure method, has found it
	Unrecoverable ReferenceState = "unrecoverable" // and whoever looked has given it up
)

// Mark is one thing that became known of a citation: it was found damaged, a repair was accepted or taken back (damaged
// again), it was given up, a later copy of the post has its link (intact).
type Mark struct {
	State      ReferenceState `json:"state"`
	Class      string         `json:"class,omitempty"`      // of the damage
	Method     string         `json:"method,omitempty"`     // of the repair
	Confidence float64        `json:"confidence,omitempty"` // of the repair, 0 to 1
	At         time.Time      `json:"at"`
	Ref        string         `json:"ref,omitempty"`
}

// ReferenceAxis is the first axis: the citation itself.
type ReferenceAxis struct {
	State      ReferenceState `json:"state"`
	Class      string         `json:"class,omitempty"`      // of the damage
	Method     string         `json:"method,omitempty"`     // of the repair
	Confidence float64        `json:"confidence,omitempty"` // of the repair, 0 to 1
	Since      time.Time      `json:"since,omitzero"`
}

// FoldReference is the state of a citation after all that became known of it, in whatever order it is handed in. A citation
// is intact until something says otherwise; one that is repaired is given up only after the repair was taken back.
func FoldReference(marks []Mark) ReferenceAxis {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	a := ReferenceAxis{State: Intact}
	for _, m := range marks {
		switch {
		case m.State == Unrecoverable && a.State != Damaged, m.State == Repaired && a.State == Intact:
			continue // there is nothing to give up, or to repair
		case m.State == a.State && m.State != Repaired && (m.Class == "" || m.Class == a.Class):
			continue
		}
		next := ReferenceAxis{State: m.State, Class: m.Class, Since: m.At}
		switch m.State {
		case Repaired:
			next.Method, next.Confidence = m.Method, m.Confidence
		case Intact:
			next.Class = ""
		}
		if next.Class == "" && m.State != Intact {
			next.Class = a.Class
		}
		a = next
	}
	return a
}

// CopyState is whether there is a copy of what a link leads to: a word that rows, JSON and pages share.
type CopyState string

// The states of a copy.
const (
	NoCopy    CopyState = "none"
	Ours      CopyState = "ours"
	Elsewhere CopyState = "elsewhere" // another archive has one
	Failed    CopyState = "failed"    // it was tried
	Withheld  CopyState = "withheld"  // it is there, and must not be shown
)

// CopyAxis is the third axis: what a reader can have instead of the link.
type CopyAxis struct {
	State  CopyState `json:"state"`
	Reason string    `json:"reason,omitempty"` // why it failed
	Ref    string    `json:"ref,omitempty"`    // of the copy or the attempt; the address of a copy elsewhere
	At     time.Time `json:"at,omitzero"`
}

// FoldCopy is the third axis after all captures and attempts: the newest valid copy of ours that may be shown; else that
// there is one which may not; else one elsewhere; else why the newest try failed. Copies that are not valid are failures.
func FoldCopy(copies []Candidate, tries []Evidence, r Rules) CopyAxis {
	var axis CopyAxis
	axis.State = NoCopy
	rank := func(s CopyState) int { return slices.Index([]CopyState{NoCopy, Failed, Elsewhere, Withheld, Ours}, s) }
	take := func(a CopyAxis) {
		if rank(a.State) > rank(axis.State) || a.State == axis.State && a.At.After(axis.At) {
			axis = a
		}
	}
	for i := range copies {
		c := &copies[i]
		a := CopyAxis{State: Ours, Ref: c.Ref, At: c.At}
		switch fault := c.Fault(); {
		case fault != "":
			if c.Elsewhere {
				continue
			}
			a.State, a.Reason = Failed, fault
		case c.Withheld:
			a.State = Withheld
		case c.Elsewhere:
			a.State, a.Ref = Elsewhere, c.URL
		}
		take(a)
	}
	for i := range tries {
		e := &tries[i]
		if e.Kind == Attempt {
			take(CopyAxis{State: Failed, Reason: Judge(e, &r).Reason, Ref: e.Ref, At: e.At})
		}
	}
	return axis
}
