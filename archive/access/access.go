// Package access says who may see what of the archive: rules on addresses, each with a reason, and what they come to for a
// capture at a moment. It is pure: time is an argument, it opens nothing, and how a URL becomes a key is handed to it.
//
// A rule is about all captures of a collection, or those of a domain, a host, a prefix or one address (see ParsePattern).
// The most specific rule decides, with one exception: where a legal withholding holds, no other rule lifts it. What no
// rule is about is public.
package access

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Effect is what a rule does to what it is about.
type Effect string

// The effects of rules.
const (
	Public   Effect = "public"   // readers see it
	Private  Effect = "private"  // they don't: 403, or as if it were not there, 404
	Embargo  Effect = "embargo"  // not yet: 403 with the date
	Withheld Effect = "withheld" // not for legal reasons: 451 (RFC 7725)
)

// Bounds of a rule's texts, in bytes, and of the rules of a collection.
const (
	MaxPattern = 4096
	MaxText    = 2000
	MaxRules   = 100_000
)

// Rule is one rule of a collection. Its JSON is kept in rows and in WARC files.
type Rule struct {
	ID         string    `json:"id"`
	Collection string    `json:"collection"`
	Pattern    string    `json:"pattern"` // see ParsePattern
	Effect     Effect    `json:"effect"`
	Hidden     bool      `json:"hidden,omitempty"`     // of a private one: as if it were not there
	Until      time.Time `json:"until,omitzero"`       // of an embargo: when it ends …
	After      Period    `json:"after,omitzero"`       // … or how long after the capture it does
	From       time.Time `json:"from,omitzero"`        // only captures of that moment and later …
	Before     time.Time `json:"before,omitzero"`      // … and before that one
	Reason     string    `json:"reason"`               // readers are told the reason of a withholding, and of no other rule
	Contact    string    `json:"contact,omitempty"`    // who answers questions about it
	BlockedBy  string    `json:"blocked_by,omitempty"` // URI of who carries the withholding out (RFC 7725 §4)
	Since      time.Time `json:"since"`
}

// Check says what is wrong with a rule, save for its pattern.
func (r *Rule) Check() error {
	switch r.Effect {
	case Public, Private, Withheld:
	case Embargo:
		if r.Until.IsZero() == r.After.IsZero() {
			return errors.New("an embargo ends on a date, or some time after the capture: give one of the two")
		}
	default:
		return fmt.Errorf("effect %q is unknown: use public, private, embargo or withheld", r.Effect)
	}
	if r.Effect != Embargo && (!r.Until.IsZero() || !r.After.IsZero()) {
		return errors.New("only an embargo ends by itself")
	}
	if r.Hidden && r.Effect != Private {
		return errors.New("only what is private can be hidden")
	}
	if !r.From.IsZero() && !r.Before.IsZero() && !r.From.Before(r.Before) {
		return fmt.Errorf("no capture is of %s or later and before %s", r.From.Format(time.DateOnly), r.Before.Format(time.DateOnly))
	}
	if strings.TrimSpace(r.Reason) == "" {
		return errors.New("a rule needs a reason")
	}
	if len(r.Reason) > MaxText || len(r.Contact) > MaxText || len(r.BlockedBy) > MaxText {
		return fmt.Errorf("a text of a rule has %d bytes at most", MaxText)
	}
	if r.BlockedBy == "" {
		return nil
	}
	if u, err := url.Parse(r.BlockedBy); err != nil || !u.IsAbs() || strings.ContainsAny(r.BlockedBy, "<>\"\\ \t\r\n") {
		return fmt.Errorf("%q is no URI of whoever withholds: write https://… or mailto:…", r.BlockedBy)
	}
	return nil
}

// Slot is what at most one rule of a collection has: its pattern and its bounds. A withholding has a slot beside that of
// the other effects, so that they are there again once it is lifted.
func (r *Rule) Slot() string {
	kind := ""
	if r.Effect == Withheld {
		kind = string(Withheld)
	}
	return strings.Join([]string{r.Collection, r.Pattern, kind, moment(r.From), moment(r.Before)}, "\n")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Says tells the effect of a rule for people: "private, as if it were not there".
func (r *Rule) Says() string {
	var s string
	switch r.Effect {
	case Private:
		s = "private"
		if r.Hidden {
			s = "private, as if it were not there"
		}
	case Embargo:
		s = "under embargo until " + Day(r.Until)
		if !r.After.IsZero() {
			s = "under embargo for " + r.After.Words() + " after the capture"
		}
	case Withheld:
		s = "withheld for legal reasons"
	default:
		s = "public"
	}
	if !r.From.IsZero() {
		s += ", captures from " + Day(r.From)
	}
	if !r.Before.IsZero() {
		s += ", captures before " + Day(r.Before)
	}
	return s
}

// Day is a moment for people: a date, with the time of day if it is not midnight.
func Day(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02 15:04:05 UTC")
}

// covers says whether a rule is about captures of a moment.
func (r *Rule) covers(at time.Time) bool {
	return (r.From.IsZero() || !at.Before(r.From)) && (r.Before.IsZero() || at.Before(r.Before))
}

// bounded says whether a rule is about captures of some times only.
func (r *Rule) bounded() bool { return !r.From.IsZero() || !r.Before.IsZero() }

// ends is when an embargo ends for a capture.
func (r *Rule) ends(at time.Time) time.Time {
	if r.After.IsZero() {
		return r.Until
	}
	return r.After.From(at)
}

// Verdict is what the rules say of a capture, or of an address.
type Verdict struct {
	Effect Effect
	Rule   *Rule     // nil: none is about it, and it is public
	Until  time.Time // of an embargo: when it ends for this capture
}

// Shown says whether a reader may see it.
func (v Verdict) Shown() bool { return v.Effect == Public }

// Hidden says whether a reader may not even know of it.
func (v Verdict) Hidden() bool { return v.Effect == Private && v.Rule != nil && v.Rule.Hidden }

// Status is the status code (RFC 9110, RFC 7725) of the answer to a reader.
func (v Verdict) Status() int {
	switch {
	case v.Shown():
		return 200
	case v.Effect == Withheld:
		return 451
	case v.Hidden():
		return 404
	}
	return 403
}

// Refusal is the error of whoever is asked for what may not be seen, and is not hidden: what is hidden is not found.
type Refusal struct{ Verdict }

// Error implements error.
func (r *Refusal) Error() string {
	if r.Rule == nil {
		return "it may not be seen"
	}
	return "it is " + r.Rule.Says()
}

// specific orders rules of one collection that are about the same capture: the most specific first. Of two that are about the same, the
// one with bounds comes first, and then the newer one.
func specific(a, b *compiled) int {
	bounded := func(c *compiled) int {
		if c.rule.bounded() {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(b.pattern.scope, a.pattern.scope),
		cmp.Compare(len(b.pattern.key), len(a.pattern.key)),
		cmp.Compare(bounded(b), bounded(a)),
		b.rule.Since.Compare(a.rule.Since),
		cmp.Compare(a.rule.ID, b.rule.ID),
	)
}
