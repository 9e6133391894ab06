package report

import (
	"time"
)

// AuditVersion is the version of the JSON document of an audit.
const AuditVersion = 1

// Audit is what was found when the links of some sources were looked at once.
type Audit struct {
	Version int
	At      time.Time // when it began
	Offline bool      // the sources were read, and nothing was asked
	Cut     string    // why not every link was looked at; empty: every one was
	FailOn  []string  // what makes it fail: states of links, FailDamaged, FailFragment
	Sources []AuditSource
}

// AuditSource is one source.
type AuditSource struct {
	Source  string         `json:"source"`          // as it was named
	URL     string         `json:"url"`             // where it was found, or what file it is
	Title   string         `json:"title,omitempty"` //
	Dated   string         `json:"dated,omitempty"` //
	Failure string         `json:"failure,omitempty"`
	Notes   []string       `json:"notes,omitempty"`
	Links   []AuditLink    `json:"links"`   // each once, in the order of the text
	Damaged []AuditScar    `json:"damaged"` // citations whose link is missing, cut or mangled
	LeftOut []AuditLeftOut `json:"left_out"`
	Totals  AuditTotals    `json:"totals"`
}

// AuditLink is a link, and what one look at it showed.
type AuditLink struct {
	URL        string          `json:"url"`
	State      AuditState      `json:"state"`
	Verdict    string          `json:"verdict,omitempty"` // of this look alone: a word of package link
	Reason     string          `json:"reason,omitempty"`  // for people: why it is not ok, or what is to be known of it
	Suggest    string          `json:"suggest,omitempty"` // the address to write instead: it redirects there for good
	Outcome    string          `json:"outcome,omitempty"` // a word of package outcome; empty if it was not asked for
	Status     int             `json:"status,omitempty"`
	Redirects  []Hop           `json:"redirects,omitempty"`
	Final      string          `json:"final,omitempty"`
	Flags      []string        `json:"flags,omitempty"`
	TLSInvalid string          `json:"tls_invalid,omitempty"`
	Missing    []string        `json:"missing_fragments,omitempty"` // places that its page does not have
	Unsure     []string        `json:"unsure_fragments,omitempty"`  // … or of which nobody can tell
	Detail     string          `json:"detail,omitempty"`
	At         *time.Time      `json:"at,omitempty"`
	MS         int64           `json:"ms,omitempty"`
	Tries      int             `json:"tries,omitempty"`
	Of         string          `json:"of,omitempty"` // the memento of which this is the original
	Citations  []AuditCitation `json:"citations"`
}

// AuditCitation is one place that points to a link.
type AuditCitation struct {
	Text     string `json:"text"`
	Context  string `json:"context"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Line     int    `json:"line,omitempty"`   // from 1; 0 in a document without lines
	Column   int    `json:"column,omitempty"` // from 1, in code points
	Page     int    `json:"page,omitempty"`
	Raw      string `json:"raw,omitempty"`
	Fragment string `json:"fragment,omitempty"`
	Place    Place  `json:"place,omitempty"` // what came of looking for the fragment; empty if it was not looked for

	Selector     string   `json:"selector,omitempty"`     // of this place: the text directive of a URL's fragment
	Quotation    string   `json:"quotation,omitempty"`    // that it supports
	Dated        string   `json:"dated,omitempty"`        // when its author cited it, as far as known: as told of it, else the source's date
	Entry        string   `json:"entry,omitempty"`        // of a feed: the title of the entry in which it stands, or its address
	Alternatives []string `json:"alternatives,omitempty"` // other addresses that may be meant by what stands there, the likeliest first
}

// AuditScar is a damaged citation. Offsets count Unicode code points of the source.
type AuditScar struct {
	Class      string  `json:"class"`
	Strong     bool    `json:"strong"` // the class is one that clean prose has next to none of
	Confidence float64 `json:"confidence"`
	Start      int     `json:"start"`
	End        int     `json:"end"`
	Text       string  `json:"text"`
	Context    string  `json:"context,omitempty"` // some words before and behind it
	Reason     string  `json:"reason"`
	Key        string  `json:"key,omitempty"`
	Line       int     `json:"line,omitempty"`
	Column     int     `json:"column,omitempty"`
}

// AuditLeftOut is a link that was not looked at on purpose.
type AuditLeftOut struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// AuditTotals count links by state, each once; they add up to Links.
type AuditTotals struct {
	Links      int `json:"links"`
	OK         int `json:"ok"`
	Redirected int `json:"redirected"`
	Blocked    int `json:"blocked"`
	Broken     int `json:"broken"`
	Unchecked  int `json:"unchecked"`
	Misplaced  int `json:"misplaced"` // citations of places that their pages do not have, whatever the links' states
	Damaged    int `json:"damaged"`
	LeftOut    int `json:"left_out"`
}

// Count makes the totals anew.
func (s *AuditSource) Count() {
	s.Totals = AuditTotals{Links: len(s.Links), Damaged: len(s.Damaged), LeftOut: len(s.LeftOut)}
	for i := range s.Links {
		*s.Totals.of(s.Links[i].State)++
		s.Totals.Misplaced += len(s.Links[i].Misplaced())
	}
}

func (t *AuditTotals) of(s AuditState) *int {
	switch s {
	case StateOK:
		return &t.OK
	case StateRedirected:
		return &t.Redirected
	case StateBlocked:
		return &t.Blocked
	case StateBroken:
		return &t.Broken
	}
	return &t.Unchecked
}

// Totals of all sources: a link that several name counts for each.
func (a *Audit) Totals() (t AuditTotals) {
	for i := range a.Sources {
		o := &a.Sources[i].Totals
		t.Links, t.OK, t.Redirected = t.Links+o.Links, t.OK+o.OK, t.Redirected+o.Redirected
		t.Blocked, t.Broken, t.Unchecked = t.Blocked+o.Blocked, t.Broken+o.Broken, t.Unchecked+o.Unchecked
		t.Damaged, t.LeftOut, t.Misplaced = t.Damaged+o.Damaged, t.LeftOut+o.LeftOut, t.Misplaced+o.Misplaced
	}
	return t
}

// Failed says whether something was found that the audit is to fail on: it always is if a source could not be read, or if not
// all could be looked at.
func (a *Audit) Failed() bool {
	if a.Cut != "" {
		return true
	}
	for i := range a.Sources {
		s := &a.Sources[i]
		if s.Failure != "" {
			return true
		}
		for _, what := range a.FailOn {
			if s.has(what) {
				return true
			}
		}
	}
	return false
}

// has says whether there is something of what an audit can fail on.
func (s *AuditSource) has(what string) bool {
	switch what {
	case FailDamaged:
		return s.Strong() > 0
	case FailFragment:
		return s.Totals.Misplaced > 0
	}
	return *s.Totals.of(AuditState(what)) > 0
}

// Strong counts the damaged citations that are almost certainly such: on these an audit can fail.
func (s *AuditSource) Strong() (n int) {
	for i := range s.Damaged {
		if s.Damaged[i].Strong {
			n++
		}
	}
	return n
}

// auditHead is what an audit's JSON tells besides its sources.
type auditHead struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	Offline bool      `json:"offline"`
	Cut     string    `json:"cut,omitempty"`
	Failed  bool      `json:"failed"`
}

// Document is the audit as JSON has it: of one source its fields themselves, of several a list.
func (a *Audit) Document() any {
	head := auditHead{AuditVersion, a.At.UTC().Truncate(time.Millisecond), a.Offline, a.Cut, a.Failed()}
	if len(a.Sources) == 1 {
		return struct {
			auditHead
			AuditSource
		}{head, a.Sources[0]}
	}
	return struct {
		auditHead
		Sources []AuditSource `json:"sources"`
		Totals  AuditTotals   `json:"totals"`
	}{head, a.Sources, a.Totals()}
}
