package web

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Attempts finds what brought no response.
type Attempts interface {
	AttemptBy(ctx context.Context, recordID string) (storage.Attempt, error) // storage.ErrNotFound if there is none
	AttemptAt(ctx context.Context, segment string, offset int64) (storage.Attempt, error)
}

// Evidence reads the record of an attempt.
type Evidence interface {
	Attempt(ctx context.Context, a storage.Attempt) (*warc.Closing, warc.Header, error)
}

var (
	_ Attempts = (*storage.DB)(nil)
	_ Evidence = (*warc.Library)(nil)
)

// attemptDoc is the JSON document of an attempt. What is not known, or does not apply, is left out.
type attemptDoc struct {
	Version    int           `json:"version"`
	URL        string        `json:"url"`
	At         time.Time     `json:"at"`
	Outcome    string        `json:"outcome"`
	Meaning    string        `json:"meaning"`
	Detail     string        `json:"detail,omitempty"`
	Phase      string        `json:"phase,omitempty"`
	IP         string        `json:"ip,omitempty"`
	Address    string        `json:"address,omitempty"`
	DNSAnswer  string        `json:"dns_answer,omitempty"`
	DNSServer  string        `json:"dns_server,omitempty"`
	TLS        *attemptTLS   `json:"tls,omitempty"`
	Rule       string        `json:"rule,omitempty"`
	Robots     string        `json:"robots_attempt,omitempty"` // address of the archive's page on the attempt that this one goes by
	Offending  *attemptBytes `json:"offending,omitempty"`
	Evidence   *attemptBytes `json:"evidence,omitempty"`
	Interim    *attemptBytes `json:"interim,omitempty"`
	Method     string        `json:"method,omitempty"`
	Try        int           `json:"try,omitempty"`
	Run        int64         `json:"run"`
	Via        string        `json:"via,omitempty"`
	TotalMS    int64         `json:"total_ms"`
	Collection string        `json:"collection"`
	Segment    string        `json:"segment"`
	Offset     int64         `json:"offset"`
	RecordID   string        `json:"record_id,omitempty"`
	Notes      []string      `json:"notes,omitempty"`
}

type attemptTLS struct {
	Version     string `json:"version,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Invalid     string `json:"invalid,omitempty"`
	Fault       string `json:"fault,omitempty"`
}

// attemptBytes are bytes of a server, in base64: they are no text.
type attemptBytes struct {
	At     *int64 `json:"at,omitempty"`   // where they stand in the evidence; nil: not in it
	Size   int64  `json:"size,omitempty"` // how many came, if these are the first of them
	Base64 string `json:"base64"`
}

const attemptVersion = 1

// attemptView is the page on an attempt.
type attemptView struct {
	URL, Live string
	Title     string
	Asked     string // what At is the time of
	Robots    string // the page on the attempt on robots.txt that this one goes by
	At        *moment
	Fate      fate
	Facts     []factView
	Offending string
	Place     string // where the offending bytes stand
	Evidence  []string
	Size      string // how many bytes came, if not all of them are shown
	Interim   []string
	Run       int64
	Try       int
	RecordID  string
	Segment   string
	Offset    int64
	JSON      string
	Cite      string
}

type factView struct{ Name, Value string }

// attempt tells of one attempt, as a page or, under a name that ends in .json, as JSON.
func (p *Pages) attempt(r *http.Request) (*answer, error) {
	a, isJSON, err := p.namedAttempt(r)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, &problem{
			status: http.StatusNotFound, title: "No such attempt", text: "The archive has recorded no attempt under this name.",
			hint: "A purge may have taken it out. The page of a post leads to the attempts on its links.",
		}
	}
	if err != nil {
		return nil, err
	}
	c, h, err := p.Evidence.Attempt(r.Context(), a)
	if errors.Is(err, warc.ErrElsewhere) {
		w := &problem{status: http.StatusServiceUnavailable, title: "Not stored yet", hint: "Try again in a few minutes."}
		w.text = "The record of this attempt is still on the machine that made it."
		return nil, w
	}
	if err != nil {
		return nil, err
	}
	if isJSON {
		raw, err := encode(attemptJSON(a, c, h))
		return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
	}
	v := attemptPage(a, c, h)
	return &answer{status: http.StatusOK, page: "attempt", title: v.Fate.Word + ": " + v.URL, body: v}, nil
}

// namedAttempt finds the attempt that a path names: by its record, or by its place.
func (p *Pages) namedAttempt(r *http.Request) (storage.Attempt, bool, error) {
	if segment := r.PathValue("segment"); segment != "" {
		at, isJSON := strings.CutSuffix(r.PathValue("offset"), ".json")
		offset, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return storage.Attempt{}, isJSON, storage.ErrNotFound
		}
		a, err := p.Attempts.AttemptAt(r.Context(), segment, offset)
		return a, isJSON, err
	}
	id, isJSON := strings.CutSuffix(r.PathValue("id"), ".json")
	a, err := p.Attempts.AttemptBy(r.Context(), "<urn:uuid:"+id+">")
	return a, isJSON, err
}

func attemptJSON(a storage.Attempt, c *warc.Closing, h warc.Header) *attemptDoc {
	d := &attemptDoc{
		Version: attemptVersion, URL: a.URL, At: a.At, Outcome: a.Outcome, Meaning: outcome.Outcome(a.Outcome).Describe().Meaning,
		Detail: a.Detail, Phase: c.Cause.Phase, IP: h.Get("WARC-IP-Address"), Address: c.Cause.Address,
		DNSAnswer: c.Cause.DNSAnswer, DNSServer: c.Cause.DNSServer, Rule: c.Cause.Rule, Robots: robotsAttempt(c),
		Evidence: bytesOf(c.Evidence, new(int64), c.EvidenceSize), Interim: bytesOf(c.Interim, nil, 0), Offending: bytesOf(c.Cause.Offending, &c.Cause.At, 0),
		Method: c.Method, Try: c.Attempt, Run: a.Run, Via: c.Via, TotalMS: c.Timing.Total.Milliseconds(),
		Collection: a.Collection, Segment: a.Segment, Offset: a.Offset, RecordID: a.RecordID, Notes: c.Notes,
	}
	if t := c.TLS; t != nil {
		d.TLS = &attemptTLS{t.Version, t.Fingerprint, t.Invalid, t.Fault}
	}
	return d
}

// robotsAttempt is the path of the page on the attempt on robots.txt that c goes by; "" if it goes by its own.
func robotsAttempt(c *warc.Closing) string {
	if c.Cause.Robots == "" {
		return ""
	}
	return report.AttemptPath(storage.Attempt{RecordID: c.Cause.Robots})
}

func bytesOf(b []byte, at *int64, size int64) *attemptBytes {
	if len(b) == 0 {
		return nil
	}
	return &attemptBytes{at, size, base64.StdEncoding.EncodeToString(b)}
}

func attemptPage(a storage.Attempt, c *warc.Closing, h warc.Header) *attemptView {
	f := report.Fate{Outcome: a.Outcome, Detail: a.Detail}
	v := &attemptView{
		URL: shownURL(a.URL), Live: liveURL(a.URL), At: momentOf(a.At), Fate: fateOf(&f), Run: a.Run, Try: c.Attempt,
		RecordID: strings.Trim(a.RecordID, "<>"), Segment: a.Segment, Offset: a.Offset, JSON: report.AttemptPath(a) + ".json",
		Offending: escapedLine(c.Cause.Offending), Evidence: escaped(c.Evidence), Interim: escaped(c.Interim),
	}
	if v.Offending != "" {
		v.Place = fmt.Sprintf("from byte %d on", c.Cause.At)
	}
	if int64(len(c.Evidence)) < c.EvidenceSize {
		v.Size = fmt.Sprintf("the first %d of %d bytes", len(c.Evidence), c.EvidenceSize)
	}
	v.Title, v.Asked, v.Robots = "An attempt that brought no response", "Asked for", robotsAttempt(c)
	what := "asked for on %s"
	switch {
	case c.Cause.Phase == warc.PhaseRules:
		v.Title, v.Asked, what = "Not asked for, by rule", "Decided", "not asked for, as decided on %s"
	case c.Cause.Robots != "":
		v.Asked, what = "Due", "due on %s, by what became of its server’s robots.txt, which was asked for first"
	}
	v.Cite = fmt.Sprintf("%s, "+what+": %s", v.URL, a.At.UTC().Format(time.RFC3339), strings.TrimSuffix(f.Failure(), "."))
	fact := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, factView{name, clean(value, maxContext)})
		}
	}
	fact("Phase", phaseWords[c.Cause.Phase])
	fact("Server", h.Get("WARC-IP-Address"))
	fact("Address", c.Cause.Address)
	fact("Resolver’s answer", c.Cause.DNSAnswer)
	fact("Name server", c.Cause.DNSServer)
	fact("Rule", c.Cause.Rule)
	if t := c.TLS; t != nil {
		fact("Secure connection", t.Version)
		fact("Its fault", t.Fault)
		fact("Certificate (SHA-256)", t.Fingerprint)
	}
	if c.Timing.Total > 0 {
		fact("Took", c.Timing.Total.Round(time.Millisecond).String())
	}
	return v
}

// phaseWords say in which phase an attempt failed.
var phaseWords = map[string]string{
	warc.PhaseRules: "not asked, by rule", warc.PhaseDNS: "resolving the name", warc.PhaseConnect: "connecting",
	warc.PhaseTLS: "securing the connection", warc.PhaseHeaders: "waiting for the headers", warc.PhaseBody: "receiving the body",
}

// escaped shows bytes of a server as lines of plain ASCII: whatever is no printable ASCII stands as \xHH.
func escaped(b []byte) (lines []string) {
	for len(b) > 0 && len(lines) < maxEvidenceLines {
		n := min(len(b), evidenceLine)
		for i, c := range b[:n] {
			if c == '\n' {
				n = i + 1
				break
			}
		}
		lines = append(lines, escapedLine(b[:n]))
		b = b[n:]
	}
	if len(b) > 0 {
		lines = append(lines, fmt.Sprintf("… and %d bytes more", len(b)))
	}
	return lines
}

const (
	evidenceLine     = 100 // bytes
	maxEvidenceLines = 400
)

func escapedLine(b []byte) string {
	var sb strings.Builder
	for _, c := range b {
		switch {
		case c == '\r':
			sb.WriteString(`\r`)
		case c == '\n':
			sb.WriteString(`\n`)
		case c == '\\':
			sb.WriteString(`\\`)
		case c >= ' ' && c < 0x7f:
			sb.WriteByte(c)
		default:
			fmt.Fprintf(&sb, `\x%02x`, c)
		}
	}
	return sb.String()
}
