package report

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/wall"
)

// Version is the version of the JSON document. 2: links whose copy shows a wall count as walled, no longer as captured.
const Version = 2

// Report is what became of one post and its links in one run.
type Report struct {
	Version int       `json:"version"`
	Post    Post      `json:"post"`
	Links   []Link    `json:"links"`
	LeftOut []LeftOut `json:"left_out"`
	Damaged []Scar    `json:"damaged,omitempty"` // in the order of the text
	Totals  Totals    `json:"totals"`
	Repairs []Repair  `json:"repairs,omitempty"` // citations whose links were lost, by number

	Completed []Completion `json:"completed,omitempty"` // by runs that asked for what this one lacked, oldest first: what they have counts here
}

// Completion is a run that asked for what another one lacked.
type Completion struct {
	Run   int64          `json:"run"`
	State string         `json:"state"`
	Tasks map[string]int `json:"tasks"` // everything that it asked for, by outcome
}

// Post is the post itself.
type Post struct {
	ID         string `json:"id"`
	Run        int64  `json:"run"`
	State      string `json:"state"` // of the run: active, paused, done
	Collection string `json:"collection"`
	Source     string `json:"source"`               // what was named
	URL        string `json:"url"`                  // where it was found, after redirects
	Title      string `json:"title,omitempty"`      //
	Dated      string `json:"dated,omitempty"`      // when its author cited, as far as known
	Identifier string `json:"identifier,omitempty"` // its short permanent name; empty: none was given
	Fate
}

// Fate is what became of a URL in a run, at the end of its redirects.
type Fate struct {
	Outcome    string      `json:"outcome"`               // see package outcome; "pending" if it has not ended, "purged" if it was taken out
	Status     int         `json:"status"`                // of the last hop; 0 if there was no response
	TLSInvalid string      `json:"tls_invalid,omitempty"` // why the last hop's certificate did not verify, though it was captured
	Attempts   []Attempt   `json:"attempts,omitempty"`    // of a failure: the run's tries at the last hop, oldest first
	Detail     string      `json:"detail,omitempty"`      // of a failure, for people
	Redirects  []Hop       `json:"redirects"`             // the hops before the last
	Final      string      `json:"final,omitempty"`       // address of the last hop, if there were others before it
	Digest     string      `json:"digest,omitempty"`      // of the last hop's payload
	Mime       string      `json:"mime,omitempty"`        // of the last hop
	Canonical  string      `json:"canonical,omitempty"`   // what the last hop says of itself is its preferred address, if that is another
	CapturedAt *time.Time  `json:"captured_at,omitempty"` // of the last hop
	Flags      []string    `json:"flags,omitempty"`       // words of package wall: what the last hop's copy shows instead of the page
	LeadsTo    string      `json:"leads_to,omitempty"`    // of a redirect that is flagged: where the wall is
	Requisites *Requisites `json:"requisites,omitempty"`  // that its page needs; nil if it names none, or if nobody knows
	Replay     string      `json:"replay,omitempty"`      // address of this run's copy, from the first hop on
	Other      *Copy       `json:"other_copy,omitempty"`  // if this run has no good copy: the best that another run made

	run int64 // that made the last hop's copy; 0 if there is none
}

// Attempt is one try that brought no response: evidence of what was found on a given day.
type Attempt struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
	Address string    `json:"address,omitempty"` // of the archive's page on it

	record string // WARC-Record-ID
}

// Copy is a good capture of the same URL by another run.
type Copy struct {
	Run        int64     `json:"run"`
	Status     int       `json:"status"`
	CapturedAt time.Time `json:"captured_at"`
	Replay     string    `json:"replay,omitempty"`
}

// Hop is one redirect on the way.
type Hop struct {
	URL    string `json:"url"`
	Status int    `json:"status"`
}

// Link is one source of the post.
type Link struct {
	URL string `json:"url"`
	Of  string `json:"of,omitempty"` // the memento of which this is the original
	Fate
	Identifiers []Identifier `json:"identifiers,omitempty"` // of copies of it and attempts on it, by the time of these
	Citations   []Citation   `json:"citations"`
}

// Citation is one place in the post that points to a link. Offsets count Unicode code points of the source, or of a PDF's text.
type Citation struct {
	Text    string `json:"text"`
	Context string `json:"context"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Page    int    `json:"page,omitempty"` // of a document that has pages, from 1

	Raw      string `json:"raw,omitempty"`      // the address as the author spelled it, if that is not how the link is
	Fragment string `json:"fragment,omitempty"` // what stands there behind "#", serialised
	Replay   string `json:"replay,omitempty"`   // the link's copy at that fragment

	Selector     string   `json:"selector,omitempty"`     // of this place in the post: the text directive of a URL's fragment
	Quotation    string   `json:"quotation,omitempty"`    // that it supports
	Dated        string   `json:"dated,omitempty"`        // when its author cited it, as far as known: as told of it, else the post's date
	Entry        string   `json:"entry,omitempty"`        // of a feed: the title of the entry in which it stands, or its address
	Alternatives []string `json:"alternatives,omitempty"` // other addresses that may be meant by what stands there, the likeliest first
}

// LeftOut is a link that was not captured on purpose.
type LeftOut struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// Totals count. Captured, Partial, Walled, Dead, NotCaptured, Pending and Purged add up to Links.
type Totals struct {
	Links    int `json:"links"`    // distinct sources
	Captured int `json:"captured"` // links whose last hop answered below 400
	Partial  int `json:"partial"`  // the same, but the answer lacks its end
	Walled   int `json:"walled"`   // links whose copy shows a wall, a login page or nothing without scripts, with whatever status
	Dead     int `json:"dead"`     // links whose last hop answered 400 or above, or gave no answer
	// NotCaptured counts links that our own rules kept us from, robots.txt among them: nothing is known of them.
	NotCaptured int            `json:"not_captured"`
	Pending     int            `json:"pending"`              // links not tried yet
	Purged      int            `json:"purged"`               // links whose captures were taken out of the archive
	LeftOut     int            `json:"left_out"`             // links left out on purpose
	Tasks       map[string]int `json:"tasks"`                // everything that the run asked for, by outcome
	Requisites  *Requisites    `json:"requisites,omitempty"` // of the post and its links together, each once; nil as in Fate
}

// Complete says whether the post was captured, to its end, and every link has an outcome.
func (r *Report) Complete() bool {
	return r.Post.Good() && r.Post.Outcome == string(outcome.Captured) && r.Totals.Pending == 0
}

// Failure says in a sentence why there is no good and whole copy; empty if there is one.
func (f *Fate) Failure() string {
	o := outcome.Outcome(f.Outcome)
	switch {
	case f.Outcome == Pending:
		return "it has not been tried yet."
	case f.Outcome == Purged:
		return "what was captured of it was taken out of the archive."
	case f.Walled():
		s := wall.Sentence(f.Flags)
		return strings.ToLower(s[:1]) + s[1:]
	case o == outcome.Captured && f.Status == http.StatusNotModified:
		return "the server answered 304 Not Modified, though it was not asked whether."
	case o == outcome.Captured && empty(f.Status):
		return fmt.Sprintf("the server answered %d %s, which leads nowhere.", f.Status, http.StatusText(f.Status))
	case o == outcome.Captured && f.Status < 400:
		return ""
	case o == outcome.Captured:
		return fmt.Sprintf("the server answered %d %s.", f.Status, http.StatusText(f.Status))
	case f.Detail != "":
		return strings.TrimSuffix(f.Detail, ".") + "."
	}
	return o.Describe().Meaning
}

// Dead says whether the source gave no good answer; not if our own rules kept us from asking, nor if a wall did, nor if
// nobody is to know.
func (f *Fate) Dead() bool {
	return f.Outcome != Pending && f.Outcome != Purged && !f.Good() && !f.Walled() && !outcome.Outcome(f.Outcome).Ours()
}

// Walled says whether the copy shows something else than what was asked for.
func (f *Fate) Walled() bool { return outcome.Outcome(f.Outcome).Kept() && len(f.Flags) > 0 }

// What a fate is that is no outcome: of what has not been tried, and of what a purge took out of the archive.
const (
	Pending = "pending"
	Purged  = "purged"
)

// Good says whether there is a copy of an answer that was no error and no wall. A document that was handed in has no status.
func (f *Fate) Good() bool {
	return outcome.Outcome(f.Outcome).Kept() && f.Status < 400 && !empty(f.Status) && !f.Walled()
}

// empty says whether an answer of this status, where the way ends, shows nothing of the page: a redirect that leads nowhere, or
// the word that nothing was modified, though nobody had asked that.
func empty(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusNotModified,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
