// Package resolve answers a reader who meets a link: it leads to the living page, to the best copy of a dead one, or to a page that
// explains what is known. It judges nothing itself: what a link's history means is package link's, who may see what is the guard's.
// It never fetches anything, and it leads nobody to an address that the archive doesn't know as a link: it is no open redirector.
package resolve

import (
	"time"

	"linkstead/archive/access"
	"linkstead/archive/cite"
	"linkstead/archive/link"
)

// Does is what an answer has a reader do: a word of JSON documents.
type Does string

// What can be done.
const (
	Live     Does = "live"     // go to the page itself
	Copy     Does = "copy"     // go to the copy
	Explain  Does = "explain"  // read what is known, and choose
	Withheld Does = "withheld" // the copy is there and must not be shown
	Unknown  Does = "unknown"  // the archive knows nothing of this address
)

// Question is what a reader asks.
type Question struct {
	Collection string
	URL        string
	At         cite.Date // when the link was written; unknown: what the citing posts say counts
	Quote      string    // what the source is to say; empty: what the first post that quotes it does

	quotes []string  // that are looked for
	until  time.Time // when looking ends; zero: some seconds from now
}

// Version is a copy that a reader can be led to.
type Version struct {
	URL       string      `json:"url"` // of the memento
	At        time.Time   `json:"at"`
	Archive   string      `json:"archive,omitempty"` // whose it is; empty: ours
	Quoted    link.Answer `json:"quoted,omitempty"`  // whether it has the quotation
	Bracketed bool        `json:"bracketed,omitempty"`
	Fault     string      `json:"fault,omitempty"` // why it does not stand for the page, as link.Candidate says
}

// Known is what is known of a link.
type Known struct {
	State   link.State
	Linked  bool      // some post cites it
	Cited   cite.Date // when, by the first post that does
	Copy    *Version  // the best of ours that readers may see; nil: there is none
	Refused *access.Refusal
	Others  []Version // of other archives, nearest first
}

// Answer is what a reader is told. Its JSON is documented in docs/json.md.
type Answer struct {
	Version int          `json:"version"`
	URL     string       `json:"url"`
	At      string       `json:"at,omitempty"` // when the link was written, as exact as that is known
	Verdict link.Verdict `json:"verdict"`
	Since   time.Time    `json:"since,omitzero"`
	Does    Does         `json:"does"`
	Says    string       `json:"says"`            // in plain words, one or two sentences
	To      string       `json:"to,omitempty"`    // where a reader is led
	About   string       `json:"about,omitempty"` // the page that explains
	Copy    *Version     `json:"copy,omitempty"`
	Others  []Version    `json:"others,omitempty"`
	State   *link.State  `json:"state,omitempty"` // with the evidence

	when    cite.Date // of At
	status  int
	blocked *access.Refusal
}

// answerVersion is that of Answer's JSON.
const answerVersion = 1

// Decide is the answer to a question. now is the time of the answer, in whose words dates are told.
func Decide(q Question, k Known, now time.Time) Answer {
	when := moment(q, k)
	a := Answer{Version: answerVersion, URL: q.URL, At: when.String(), when: when, Verdict: k.State.Verdict, Since: k.State.Since, Copy: k.Copy, Others: k.Others}
	if a.Verdict == "" {
		a.Verdict = link.Unknown
	}
	if !k.Linked && k.Copy == nil {
		a.Does, a.Verdict, a.Since, a.Others = Unknown, link.Unknown, time.Time{}, nil
		a.Says = "This archive knows nothing of this address: no post that it keeps links to it."
		if k.Refused != nil {
			a.refuse(k.Refused)
		}
		return a
	}
	if k.Linked {
		s := k.State
		s.Memory = link.Memory{}
		a.State = &s
	}
	sure := k.State.Suspect == ""
	best := a.best()
	switch {
	case k.Linked && a.Verdict.Live() && sure:
		a.Does, a.To = Live, q.URL
	case k.Refused != nil && k.Copy == nil:
		a.refuse(k.Refused)
	case k.Linked && a.Verdict.Dead() && best != nil:
		a.Does, a.To = Copy, best.URL
	default:
		a.Does = Explain
	}
	a.Says = a.words(&k, now)
	return a
}

// moment is the date that copies are measured by: what the question says, else when a post cited the link.
func moment(q Question, k Known) cite.Date {
	if q.At.Known() {
		return q.At
	}
	return k.Cited
}

// Middle is the moment that a date stands for when copies are measured by it: of a year, month or day its middle.
func Middle(d cite.Date) time.Time {
	switch {
	case !d.At.IsZero():
		return d.At
	case d.Day > 0:
		return time.Date(d.Year, time.Month(d.Month), d.Day, 12, 0, 0, 0, time.UTC)
	case d.Month > 0:
		return time.Date(d.Year, time.Month(d.Month), 16, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(d.Year, time.July, 2, 0, 0, 0, 0, time.UTC)
}

// best is the copy that stands for a dead link: ours if it is valid, else the nearest of another archive.
func (a *Answer) best() *Version {
	if a.Copy != nil && a.Copy.Fault == "" {
		return a.Copy
	}
	if len(a.Others) > 0 {
		return &a.Others[0]
	}
	return nil
}

func (a *Answer) refuse(r *access.Refusal) {
	a.Does, a.blocked, a.status = Withheld, r, r.Status()
}
