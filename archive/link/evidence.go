package link

import "time"

// Kind is how a piece of evidence came about: a word that WARC metadata, rows and JSON share.
type Kind string

// The kinds.
const (
	Captured Kind = "capture" // the link was captured: a response was kept and is in the index
	Attempt  Kind = "attempt" // it was to be captured, and no response was kept
	Probe    Kind = "probe"   // it was looked at by the standing run
	Look     Kind = "audit"   // it was looked at by somebody, with no archive
)

// Evidence is one look at a link: what was asked, and what came. It holds facts and no judgement. The zero value of a
// field says that nobody looked. Evidence is never changed: what is learnt later is a further piece.
type Evidence struct {
	URL  string    `json:"url"` // of the link, as it was asked for first
	At   time.Time `json:"at"`  // when the request began, in UTC
	Kind Kind      `json:"kind"`
	Ref  string    `json:"ref,omitempty"` // names its record, as SEGMENT/OFFSET or the record's UUID; evidence with the same one counts once

	Method  string `json:"method,omitempty"`  // of the last request: GET, or HEAD; empty: GET
	Outcome string `json:"outcome,omitempty"` // how the last request ended, a word of package outcome
	Phase   string `json:"phase,omitempty"`   // where it failed, as in docs/evidence.md
	DNS     string `json:"dns,omitempty"`     // what the resolver answered if it failed there: not-found, server-failure, …
	Status  int    `json:"status,omitempty"`  // that the last response had; of a redirect that was not followed, its own
	TLS     string `json:"tls,omitempty"`     // fault of the certificate or the handshake, as in docs/evidence.md; a response may have come all the same

	Hops   []Hop    `json:"hops,omitempty"`   // the redirects that were followed, first to last
	Final  string   `json:"final,omitempty"`  // the address that answered last; empty: URL
	Target string   `json:"target,omitempty"` // where the last response leads, if it is a redirect that was not followed
	Flags  []string `json:"flags,omitempty"`  // walls before the page, words of package wall

	RetryAfter time.Duration `json:"retry_after,omitempty"` // that the server asked for, counted from At; nanoseconds in JSON
	Digest     string        `json:"digest,omitempty"`      // payload digest, as rows have it
	Text       *Text         `json:"text,omitempty"`        // what the page says

	Copy     *Comparison `json:"copy,omitempty"`     // with an earlier copy of ours that is valid
	Siblings []Sibling   `json:"siblings,omitempty"` // what other addresses of the host answered at the same time
	Host     *Host       `json:"host,omitempty"`     // what was found out about the host

	Round string `json:"round,omitempty"` // the round in which it was looked at; empty: it belongs to none
	Void  bool   `json:"void,omitempty"`  // our own network failed in that round: the look does not count, whatever came
}

// Hop is one redirect.
type Hop struct {
	URL    string `json:"url"`
	Status int    `json:"status"` // 301, 302, 303, 307, 308; 200 for a refresh by the page itself
	Target string `json:"target"` // resolved
}

// Text is what a page says, in figures.
type Text struct {
	Words   int    `json:"words"`          // of its main text
	Simhash uint64 `json:"simhash,string"` // 64 bits, of the main text; a string in JSON, whose numbers can't hold it
	Title   string `json:"title,omitempty"`
}

// Comparison is how a page stands to an earlier copy of it: one that is valid (see BestCopy), nearest to the date on
// which the link was cited.
type Comparison struct {
	Ref        string    `json:"ref"`
	At         time.Time `json:"at"`              // of the copy
	Text       Text      `json:"text"`            // of the copy
	Similarity float64   `json:"similarity"`      // of both main texts, 0 to 1; compared by shingles
	Equal      bool      `json:"equal,omitempty"` // the payloads are the same bytes
	Quoted     Answer    `json:"quoted,omitempty"`
	Had        Answer    `json:"had,omitempty"` // whether the copy itself has what Quoted asks for
}

// Answer is yes, no, or nothing where nobody asked.
type Answer string

// The answers.
const (
	Unasked Answer = ""
	Yes     Answer = "yes"
	No      Answer = "no"
)

// Sibling is what another address of the same host answered when the link was looked at.
type Sibling struct {
	URL        string  `json:"url"`
	Random     bool    `json:"random,omitempty"` // a path that nobody ever wrote: 25 random letters beside the link's own
	Outcome    string  `json:"outcome"`
	Status     int     `json:"status,omitempty"`
	Final      string  `json:"final,omitempty"` // where its redirects ended; empty: URL
	Similarity float64 `json:"similarity"`      // of its text to the link's, 0 to 1
}

// Host is what was found out about a host that looks as if it had changed hands.
type Host struct {
	NameServers []string `json:"name_servers,omitempty"` // of its domain
	Addresses   []string `json:"addresses,omitempty"`    // that its name led to
	Parking     []string `json:"parking,omitempty"`      // names of the rules of parking.rules that it hit; see ParkingRules.Judge
}
