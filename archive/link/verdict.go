// Package link folds what was seen of a link over the years into verdicts, says when it is to be looked at again, and
// which copy stands for it. It is pure: time is an argument, texts are compared and hosts asked by others, and nothing
// that it judged is ever evidence. The rules, with their sources, stand in docs/verdicts.md.
package link

import "time"

// Verdict is what is known of a link's life: a word that rows, JSON and pages share.
type Verdict string

// The verdicts.
const (
	Unknown     Verdict = "unknown"      // nothing that counts has been seen yet
	Alive       Verdict = "alive"        // it answers with what was cited, as far as anybody can tell
	Redirected  Verdict = "redirected"   // alive elsewhere for the time being, or within its site
	Moved       Verdict = "moved"        // alive at another site for good
	Drifted     Verdict = "drifted"      // it answers, and no longer with what was cited
	Soft404     Verdict = "soft-404"     // it says that it is there, and it is not
	Usurped     Verdict = "usurped"      // somebody else has the domain: parked, or taken over
	Gone        Verdict = "gone"         // the server says that it is not there
	DNSDead     Verdict = "dns-dead"     // its host has no address any more
	TLSBad      Verdict = "tls-bad"      // no connection can be made that a browser would trust
	Timeout     Verdict = "timeout"      // nobody answers
	ServerError Verdict = "server-error" // the server fails
	Blocked     Verdict = "blocked"      // it is not shown to programs: of its life nobody can tell
	Paywalled   Verdict = "paywalled"    // it is not shown without a login or payment: likewise
	Excluded    Verdict = "excluded"     // robots.txt or our own rules say not to ask
)

// Verdicts are all of them, in the documented order.
var Verdicts = []Verdict{
	Unknown, Alive, Redirected, Moved, Drifted, Soft404, Usurped, Gone, DNSDead, TLSBad, Timeout, ServerError, Blocked, Paywalled, Excluded,
}

// Dead says whether a reader is better off with a copy: nothing of what was cited is there.
func (v Verdict) Dead() bool {
	switch v {
	case Soft404, Usurped, Gone, DNSDead, TLSBad, Timeout, ServerError:
		return true
	}
	return false
}

// Live says whether a reader can be sent to the link.
func (v Verdict) Live() bool { return v == Alive || v == Redirected || v == Moved }

// State is a link's life as its history tells it. The zero State is that of a link that nobody has looked at.
type State struct {
	URL     string    `json:"url"`
	Verdict Verdict   `json:"verdict"`
	Since   time.Time `json:"since,omitzero"`   // the first look that says so; of a dead link, the first that failed
	Reason  string    `json:"reason,omitempty"` // why, in a few words: "404", "its name does not resolve"
	Target  string    `json:"target,omitempty"` // where it leads, if redirected or moved

	Suspect Verdict `json:"suspect,omitempty"` // what it becomes if it goes on failing; empty: no failure stands against it
	Strikes int     `json:"strikes,omitempty"` // failures that count for the verdict, or against the link
	Needed  int     `json:"needed,omitempty"`  // how many make the verdict

	Looks    int       `json:"looks"`              // that count
	First    time.Time `json:"first,omitzero"`     // of them
	Last     time.Time `json:"last,omitzero"`      // of them
	Asked    time.Time `json:"asked,omitzero"`     // the last look of all, those in void rounds too
	LastGood time.Time `json:"last_good,omitzero"` // the last look that found it living
	Wait     time.Time `json:"wait,omitzero"`      // not to be asked before: the server said so

	Evidence []Reference `json:"evidence,omitempty"` // what led to the verdict, first to last; at most MaxEvidence, the oldest and the newest

	Memory Memory `json:"memory"` // what the next piece of evidence is folded with
}

// MaxEvidence bounds State.Evidence.
const MaxEvidence = 12

// Reference names a piece of evidence and says what it showed.
type Reference struct {
	Ref    string    `json:"ref,omitempty"`
	At     time.Time `json:"at"`
	Kind   Kind      `json:"kind"`
	Shows  Verdict   `json:"shows"`
	Reason string    `json:"reason"`
	Strike bool      `json:"strike,omitempty"` // it counted against the link
}
