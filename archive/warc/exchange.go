// Package warc turns exchanges into WARC 1.1 records and back: it writes segments, recovers them after a crash, reads
// single records out of them and verifies whole ones. It never dials out and never parses HTML. It is the only importer
// of gowarc.
package warc

import (
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/storage"
)

// Exchange is one request and its response or failure, with the exact bytes that crossed the wire (above TLS).
type Exchange struct {
	URL     string    // as requested, in its WHATWG serialisation, without fragment
	Method  string    // GET, HEAD, …
	At      time.Time // UTC, when the request began: the WARC-Date of every record of the exchange
	Request []byte    // the request as sent; empty if no connection was made

	Response *storage.Spill // the final response message: head and body as they came; nil if no byte came
	Head     httpmsg.Head   // of Response; Head.Len is 0 while the headers are incomplete or are no HTTP
	Interim  []byte         // 1xx heads that came before the final response, as they came
	Excess   int64          // bytes that came after the message's end: cut, and counted here
	Payload  Payload        // of the dechunked body

	Truncated string          // WARC-Truncated: "", "length", "time" or "disconnect"
	Outcome   outcome.Outcome // how it ended
	Detail    string          // for people: what failed, on what; without Go-speak
	Cause     Cause           // for programs: the same, as far as it is known
	Notes     []string        // what was redacted, and what was not sent: notes of the closing record, before those of Meta

	// Protocol is "h2" if it was spoken over HTTP/2: then request and response are rebuilt as HTTP/1.1 messages, and not exact.
	// Empty: HTTP/1.1, and the bytes are those that crossed the wire.
	Protocol string

	IP     string // remote address, without port; empty if none was reached
	TLS    *TLS   // nil for plain http
	Timing Timing
}

// Payload describes the dechunked body, still content-encoded: what WARC-Payload-Digest is over.
type Payload struct {
	Size   int64    // bytes
	SHA256 [32]byte // meaningful for Size > 0 and for an empty body alike
}

// TLS tells how a secure connection was made, or how it failed.
type TLS struct {
	Version     string   // "TLS 1.3"; empty if the handshake failed
	Cipher      string   // IANA name
	Fingerprint string   // lower-case hex SHA-256 of the leaf certificate; empty if none came
	Invalid     string   // why the certificate did not verify, for people; empty if it did
	Fault       string   // the same for programs, or what the handshake failed of: see docs/evidence.md
	Chain       [][]byte // the certificates in DER as the server sent them, the leaf first: see Certificates
}

// The phases in which an exchange can fail.
const (
	PhaseRules   = "rules"   // nothing was asked: our own rules, or robots.txt
	PhaseDNS     = "dns"     // the name was being resolved
	PhaseConnect = "connect" // the address was being dialled
	PhaseTLS     = "tls"     // hands were being shaken
	PhaseHeaders = "headers" // the request was under way, or the end of the headers was waited for
	PhaseBody    = "body"    // the rest was waited for
)

// Cause tells how an exchange failed. What is not known, or does not apply, is empty.
type Cause struct {
	Phase     string // where; empty of a complete response
	Address   string // IP address and port that did not let us in, or may not be dialled
	DNSAnswer string // what the resolver said: not-found, server-failure, timeout, bad-answer
	DNSServer string // the name server that said it, as far as the resolver tells
	Rule      string // what forbade it: the line of robots.txt, or "robots.txt" if that could not be read; or "traps"
	Offending []byte // what is no HTTP, from its first byte on, at most MaxOffending
	At        int64  // where that stands: in the evidence, or in the response's block if that was kept
	Robots    string // nothing was asked, for the robots.txt of the same origin failed so before: WARC-Record-ID of that attempt's closing record
}

// MaxOffending bounds Cause.Offending, in bytes.
const MaxOffending = 64

// Timing holds how long each phase took; zero where it did not happen (a kept-alive connection dials nothing).
type Timing struct {
	DNS, Connect, TLS, FirstByte, Total time.Duration
}

// Meta is what the closing metadata record of an exchange tells besides the exchange itself. Recovery and rebuild make
// the rows anew from it.
type Meta struct {
	Run     int64  // the run
	Host    string // the task's key: host …
	Task    int64  // … and id
	Token   int64  // the lease under which the task was done
	Kind    string // page, requisite, redirect, robots
	Depth   int    // link hops from the post
	Via     string // the URL that led here; empty for the post itself
	Hops    string // hop path, one letter a hop: L link, E embed, R redirect, P prerequisite (robots)
	Attempt int    // 1 for the first try
	Retry   int64  // when the task is due again, milliseconds of the epoch; 0: the task has ended

	Redirect string // the target of a 3xx, resolved and serialised; empty otherwise
	Mime     string // media type as declared, lower case, without parameters
	Outlinks []Outlink
	LeftOut  []storage.LeftOut // links that were left out and do not stand in Outlinks: see Trim
	Flags    []string          // words of archive/wall: a wall stands before what was asked for, a browser is needed, …
	Notes    []string          // what was left out and why, and the like: one line each

	Link int64  // of a look at a link (storage.KindProbe): which
	Look string // … and of the step that ends it, the evidence: JSON of archive/link, opaque here
}

// probe says whether the exchange is a look at a link: evidence, and no capture.
func (m *Meta) probe() bool { return m.Kind == storage.KindProbe }

// Outlink is one URL that a document names.
type Outlink struct {
	URL     string // resolved and serialised, without fragment
	Hop     byte   // L, E, R, P, M or N
	Context string // where it stood: a/@href, img/@srcset, css/url()
	Kind    string // the kind of the task that it became; empty: it was not admitted
	Reason  string // why it was not admitted, see scope.Reason; empty: it was, or an older version left it out
	Depth   int    // of that task
	Due     int64  // of that task: its priority, see storage.Task
}

// Resource is a document that was not fetched but handed in: it becomes a resource record (WARC 1.1 §6.4).
type Resource struct {
	URL  string
	Mime string // Content-Type of the record, parameters and all
	At   time.Time
	Body []byte
}
