// Package storage keeps bytes and rows: blobs, the spool, the schema, the frontier and the index. Its rows are plain
// structs. It never parses a URL, an HTTP message or HTML.
package storage

import (
	"encoding/json"
	"path"
	"path/filepath"
	"time"
)

// Never is the due time of a task that has ended, and of a host that has nothing to do.
const Never int64 = 1 << 60

// Urgent is the first due time that is a time. A task that is due at once has its priority, below Urgent and small
// first, for its due time: all such times lie in the past, so that one index gives both the order of work and what is
// due.
const Urgent int64 = 1000

// parked is added to the due times of a paused run's tasks: later than every time, sooner than Never.
const parked int64 = 1 << 50

// Run is one execution of a capture.
type Run struct {
	ID         int64           `json:"id"`
	Collection string          `json:"collection,omitempty"`
	Source     string          `json:"source,omitempty"`   // the URL or document that the run captures
	Spec       json.RawMessage `json:"spec,omitempty"`     // JSON; the crawler's, opaque here
	Schedule   string          `json:"schedule,omitempty"` // name of the schedule that began it
	State      RunState        `json:"-"`
	Started    time.Time       `json:"started,omitzero"`
	Ended      time.Time       `json:"-"` // zero while it goes on
	Cut        string          `json:"-"` // the budget that ended it: pages, bytes or seconds; empty if none did
	Changes    json.RawMessage `json:"-"` // JSON; the crawler's, opaque here: what differs from the schedule's run before
	Fault      string          `json:"-"` // why what it watches could not be read, though it answered, or, of a paused run, why it can't be carried out; empty if neither
}

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunActive RunState = "active" // its tasks are being worked off, by this process or the next one
	RunPaused RunState = "paused" // interrupted by a person: its tasks wait until the run is resumed
	RunDone   RunState = "done"
)

// Counts tell how far a run has come.
type Counts struct {
	Found    int64 // tasks
	Ended    int64 // tasks
	Captured int64 // exchanges of which a response was kept
	Failed   int64 // tasks that ended without one
	Bytes    int64 // of payloads
	Pages    int64 // pages that ended: posts, what links lead to, entries; no requisites, redirects or robots.txt
}

// Task is one URL of one run, on one host. Its key is (Host, Run, ID).
type Task struct {
	Host     string // lease key: host name, with ":port" unless it is 80 or 443
	Run      int64
	ID       int64 // 63-bit hash of URL; of a page, without session ids
	URL      string
	Kind     string // page, requisite, redirect, robots, tick, probe
	Depth    int    // link hops from the post
	Hops     string // hop path, see warc.Meta
	Via      string
	Due      int64 // milliseconds of the epoch, or a priority (see Urgent), or Never: it has ended
	Attempts int   // tries so far
	Outcome  string
	Stamp    string // of a new entry of a feed or a sitemap: what is listed of its version, never empty; kept in table entries
}

// Parked says whether a task waits until its run is resumed.
func (t Task) Parked() bool { return t.Due >= parked && t.Due < Never }

// Lease is the right to talk to a host.
type Lease struct {
	Host  string
	Token int64         // random, 63 bits, never 0
	Tasks []Task        // due ones, most urgent first
	Delay time.Duration // pause after an exchange, as the host's row knows it: kept after a crash, too
	Pace  Pace          // how the host fares, as its row knows it
}

// Pace is how a host fares, whoever asks it: the crawler's, kept for whoever has the host next. Times are whole
// milliseconds. It may be lost: a rebuild begins without.
type Pace struct {
	Failures int           // exchanges in a row that failed
	Since    time.Time     // when the first of them ended; zero if none did
	Retry    time.Time     // before which it is not to be asked because of the last one; zero if at any time …
	Why      string        // … and what that was
	Response time.Duration // how long it takes to answer; 0 if nobody knows
	Until    time.Time     // before which nobody is to ask it, for whatever reason …
	Reason   string        // … and that: a word of crawler/pace
}

// SegmentState is where a segment stands in its life.
type SegmentState string

// The states of a segment.
const (
	SegmentOpen   SegmentState = "open"   // being appended to, in the spool of its node
	SegmentSealed SegmentState = "sealed" // complete, in the spool of its node
	SegmentStored SegmentState = "stored" // in the blob store, checksum confirmed
	SegmentLost   SegmentState = "lost"   // its node never came back
)

// Segment is one WARC object.
type Segment struct {
	ID         string // also its file name without ".warc.gz"
	Collection string
	Node       string // whose spool holds it until it is stored
	Location   string // blob key once stored
	State      SegmentState
	Committed  int64  // bytes that rows account for; what lies beyond is not acknowledged
	Size       int64  // bytes, once sealed
	SHA256     string // lower-case hex, once sealed
	Created    time.Time
}

// File is the name, without its folder, of the file in which the records stand: of what was indexed where it lies, that file's.
func (s *Segment) File() string {
	if Outside(s.Location) {
		return path.Base(filepath.ToSlash(s.Location))
	}
	return s.ID + ".warc.gz"
}

// Capture is one row of the index.
type Capture struct {
	Collection string
	URLKey     string
	At         time.Time // microseconds, UTC
	Segment    string
	Offset     int64 // of the gzip member of the response, revisit or resource record
	Length     int64 // of that member, bytes compressed
	URL        string
	Status     int
	Mime       string
	Digest     string // "sha256:" + base32 of the dechunked payload
	Kind       string // response, revisit, resource, truncated
	RefersTo   string // of a revisit: "segment/offset" of the capture that holds the payload
	Redirect   string // target of a 3xx
	RecordID   string // WARC-Record-ID, "<urn:uuid:…>"
	Run        int64
	Outcome    string
	Flags      string // words of archive/wall, a space between them: what makes it a worse copy than any other
	ETag       string // as sent; empty if it wasn't, or is longer than is kept
	Modified   string // Last-Modified as sent; the same, and empty if it could miss a change: see archive/warc
	TLSInvalid string // why the certificate did not verify; empty if it did, or there was none
	Size       int64  // of the payload; -1 in rows of an older version
	MS         int64  // how long the exchange took, milliseconds; -1 in rows of an older version
	Canonical  string // the page's preferred address, as it says itself; empty if it says none, or its own
	Unmodified bool   // a revisit whose server answered 304: status, type and head are those of what it refers to, too
}

// Attempt is one fetch that yielded no capture, or a probe.
type Attempt struct {
	Collection string
	URL        string
	URLKey     string
	At         time.Time
	Run        int64
	Outcome    string
	Detail     string
	Segment    string // where the evidence stands …
	Offset     int64  // … its metadata record
	RecordID   string // WARC-Record-ID of that; empty in rows of an older version
	MS         int64  // how long it took, milliseconds; -1 in rows of an older version
	Link       int64  // of a look at a link: its id; 0 of others
	Look       string // of the step that ends a look: its evidence, JSON of archive/link, opaque here
}

// Document is what was handed in for a run that captures a document rather than a URL. It goes when the run is done.
type Document struct {
	Mime string
	Body []byte
}

// Post is one version of a document whose sources are kept: one a run.
type Post struct {
	ID         string     `json:"id"` // short, the same for every run of the same source in the same collection
	Run        int64      `json:"run"`
	Collection string     `json:"collection,omitempty"`
	Source     string     `json:"source,omitempty"` // what the archivist named
	URL        string     `json:"url"`              // where it was found, after redirects; file:///… for a document handed in
	Title      string     `json:"title,omitempty"`
	Dated      string     `json:"dated,omitempty"` // when its author cited, ISO 8601 as far as known; empty if unknown
	At         time.Time  `json:"at"`
	Segment    string     `json:"-"` // its post record …
	Offset     int64      `json:"-"`
	Citations  []Citation `json:"citations,omitempty"`
	Damaged    []Scar     `json:"damaged,omitempty"` // citations that lost their link, in the order of the text
}

// Citation is one place in a post that points to a source.
type Citation struct {
	Seq     int    `json:"seq"`               // order in the document, from 0
	URL     string `json:"url"`               // the link: resolved, serialised, without fragment
	Raw     string `json:"raw,omitempty"`     // as the author spelled it
	Text    string `json:"text,omitempty"`    // anchor text
	Context string `json:"context,omitempty"` // the sentence around it
	Start   int    `json:"start"`             // offset in the source, Unicode code points
	End     int    `json:"end"`
	Where   string `json:"where,omitempty"`   // content, outbound, elsewhere
	LeftOut string `json:"leftout,omitempty"` // why it was not captured; empty: it was
	Of      string `json:"of,omitempty"`      // for the original of a memento link: the memento's URL
	Page    int    `json:"page,omitempty"`    // on which it stands, from 1; 0 in a document without pages

	Selector     string `json:"selector,omitempty"`     // of its place: the text directive of a URL's fragment, "text=…"
	Quotation    string `json:"quotation,omitempty"`    // that it supports
	Dated        string `json:"dated,omitempty"`        // when its author cited it, if that is told of it; else it is the post's
	Entry        string `json:"entry,omitempty"`        // of a feed: the title of the entry in which it stands, or its address
	Alternatives string `json:"alternatives,omitempty"` // other addresses that may be meant, a line each, the likeliest first
}

// More is the length of what is kept of a citation besides its address, its text and its sentence, in bytes.
func (c *Citation) More() int {
	return len(c.Selector) + len(c.Quotation) + len(c.Dated) + len(c.Entry) + len(c.Alternatives)
}
