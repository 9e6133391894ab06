// Package probe looks at a link once and tells what was to be seen: the answers on the way, the wall before the page, the
// places in it. It judges nothing, keeps no rows and writes no records: what a look means, archive/link says.
//
// A look is a GET, conditional if an earlier answer is known, of which no more is read than is of use. HEAD is for files on
// hosts that were seen to answer it as they answer GET (RFC 9110 §9.3.2 asks for that, and many hosts don't).
package probe

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/wall"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
)

// Bounds of a look. Most is what is read of a page, in bytes as they come; the next what is read to its end all the same,
// since that costs less than another connection.
const (
	DefaultMost      = 256 << 10
	DefaultRedirects = 10
	drained          = 64 << 10
	placesMost       = 16 // times as much is read of a page in which places are looked for
	maxRetryAfter    = 30 * 24 * time.Hour
)

// Gate says when a request may be made, and whether. It is asked before each, redirects' too, and never while another
// request of the same look is under way.
type Gate interface {
	// Enter waits for the turn of url. If it may be asked, done is to be called with what came, or nil if nothing did. If
	// not, refused is an answer without a request that tells why. The error is the context's.
	Enter(ctx context.Context, url string) (done func(*warc.Exchange), refused *Answer, err error)
}

// Prober looks at links. It is for any number of goroutines. Set the fields before the first use.
type Prober struct {
	Recorder  *fetch.Recorder
	Walls     *wall.Rules // nil: wall.Default
	Gate      Gate        // nil: every request at once
	Most      int64       // bytes that are read of a page; 0: DefaultMost
	Redirects int         // in a row; 0: DefaultRedirects
	Head      bool        // HEAD for files, where a host answers it truly

	workers sync.Pool
	heads   heads
}

// Request is what to look at.
type Request struct {
	URL       string   // without fragment
	ETag      string   // validators of an earlier answer: the request is conditional
	Modified  string   // Last-Modified of it, as it was spelled
	Fragments []string // places in the page that are looked for, as a URL has them behind "#"
	All       bool     // the page is wanted whole, as far as the recorder's limits go, and papers (PDF) are pages, too

	Page func(Page) // is handed the page at the end, if it is text and was read; may be nil. It must keep nothing of it.
}

// Page is the text that a look ended at, decoded, as far as it was read.
type Page struct {
	URL     string
	Status  int
	Mime    string
	Charset string // as declared in the head; empty if it is not
	Body    []byte
	Whole   bool // Body is all of it
}

// Answer is what one request brought.
type Answer struct {
	URL     string
	Method  string // empty if nothing was asked
	At      time.Time
	Outcome outcome.Outcome // outcome.Captured too if what came was cut by us on purpose
	Status  int             // 0 without an answer
	Detail  string          // of a failure, for people
	Target  string          // where a redirect leads, resolved, without fragment; empty if it is none
	Place   string          // the fragment of Target
	Mime    string
	Size    int64  // bytes of the payload as declared or, if it was read to its end, as it came; -1 if nobody knows
	Whole   bool   // it was read to its end
	Digest  string // of the payload, lower-case hex SHA-256, if it is whole
	ETag    string
	Changed string // Last-Modified
	Retry   time.Duration
	Flags   []string // words of archive/wall
	Rules   []string // the rules that say so
	Cause   warc.Cause
	TLS     *warc.TLS // nil for plain http
	IP      string
	Timing  warc.Timing
}

// Look is what a link showed: its last answer, and those before.
type Look struct {
	Answer
	Hops    []Answer // redirects, in order
	Missing []string // of the fragments that were asked for: those that the page does not have
	Unsure  []string // … and those of which nobody can tell, as only a part of the page was read, or it is no HTML
}

// Look looks at a link, and follows its redirects. The error is the context's or a local fault.
func (p *Prober) Look(ctx context.Context, req Request) (*Look, error) {
	l := &Look{Unsure: req.Fragments}
	most := p.Redirects
	if most == 0 {
		most = DefaultRedirects
	}
	for first := true; ; first = false {
		if !first {
			req.ETag, req.Modified = "", ""
		}
		a, err := p.turn(ctx, req, l)
		if err != nil {
			return nil, err
		}
		l.Answer = *a
		if a.Target == "" || len(a.Flags) > 0 { // where a wall leads is the wall's, not the page's
			return l, nil
		}
		seen := func(h Answer) bool { return h.URL == a.Target }
		switch {
		case a.Target == a.URL || slices.ContainsFunc(l.Hops, seen):
			l.Outcome, l.Detail = outcome.Loop, "Its redirects lead back to "+a.Target+"."
			return l, nil
		case len(l.Hops) >= most:
			l.Outcome, l.Detail = outcome.Redirects, "It redirects more than "+plural(most)+" in a row."
			return l, nil
		}
		l.Hops = append(l.Hops, *a)
		req.URL = a.Target
	}
}

// turn asks for one address when the gate lets it.
func (p *Prober) turn(ctx context.Context, req Request, l *Look) (*Answer, error) {
	done := func(*warc.Exchange) {}
	if p.Gate != nil {
		var refused *Answer
		var err error
		if done, refused, err = p.Gate.Enter(ctx, req.URL); err != nil || refused != nil {
			return refused, err
		}
	}
	if p.Head && p.heads.fit(req) {
		if a, err := p.byHead(ctx, req, done, l); a != nil || err != nil {
			return a, err
		}
		if p.Gate != nil {
			return p.again(ctx, req, l)
		}
	}
	a, x, err := p.ask(ctx, http.MethodGet, req, l)
	done(x)
	return a, err
}

// again is the GET after a HEAD that told too little, in a turn of its own.
func (p *Prober) again(ctx context.Context, req Request, l *Look) (*Answer, error) {
	done, refused, err := p.Gate.Enter(ctx, req.URL)
	if err != nil || refused != nil {
		return refused, err
	}
	a, x, err := p.ask(ctx, http.MethodGet, req, l)
	done(x)
	if err == nil {
		p.heads.compare(req.URL, a)
	}
	return a, err
}

// Ask makes one request and follows nothing. The gate is not asked: whoever calls has the host.
func (p *Prober) Ask(ctx context.Context, req Request) (*Answer, error) {
	a, _, err := p.ask(ctx, http.MethodGet, req, &Look{})
	return a, err
}

// ask makes a request. The exchange that it returns has given its response back.
func (p *Prober) ask(ctx context.Context, method string, req Request, l *Look) (*Answer, *warc.Exchange, error) {
	w, _ := p.workers.Get().(*fetch.Worker)
	if w == nil {
		w = p.Recorder.Worker()
	}
	defer p.workers.Put(w)
	fr := fetch.Request{URL: req.URL, Method: method, Header: conditions(req), PDF: req.All, Bare: true}
	if !req.All {
		fr.Enough = func(h httpmsg.Head) int64 { return p.enough(h, method, len(req.Fragments) > 0) }
	}
	var finding wall.Finding
	flagged := false
	x, err := w.Fetch(ctx, fr, func(d fetch.Document) error {
		if d.Status/100 == 3 {
			return nil
		}
		html := isHTML(&d)
		if html {
			finding, flagged = p.judge(&wall.Page{URL: d.URL, Status: d.Status, Values: d.Head.Values, HTML: d.Body}), true
		}
		whole := !d.Capped && d.Broken == ""
		if html && d.Status/100 == 2 {
			scripted := slices.Contains(finding.Words(), string(wall.NeedsBrowser)) // what its scripts make of it is not seen
			l.Missing, l.Unsure = places(d.Body, d.Charset, req.Fragments, whole && !scripted)
		}
		if req.Page != nil {
			req.Page(Page{URL: d.URL, Status: d.Status, Mime: d.Mime, Charset: d.Charset, Body: d.Body, Whole: whole})
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	a := answerOf(x)
	if !flagged && x.Head.Len > 0 {
		finding = p.judge(&wall.Page{URL: x.URL, Status: x.Head.Status, Values: x.Head.Values, Target: a.Target})
	}
	a.Flags, a.Rules = finding.Words(), finding.Rules
	return a, x, p.Recorder.Release(x)
}

func (p *Prober) judge(page *wall.Page) wall.Finding {
	if p.Walls != nil {
		return p.Walls.Judge(page)
	}
	return wall.Default.Judge(page)
}

// enough is how much of an answer's body is read.
func (p *Prober) enough(h httpmsg.Head, method string, all bool) int64 {
	most := p.Most
	if most == 0 {
		most = DefaultMost
	}
	f := h.Framing(method)
	switch {
	case f.Kind == httpmsg.Length && f.Length <= drained:
		return f.Length
	case h.Status/100 == 3:
		return drained
	case !textual(h.Mime()):
		return 0
	case all:
		return most * placesMost
	}
	return most
}

// textual says whether what is in a body tells more than its head does.
func textual(mime string) bool {
	return mime == "" || strings.HasPrefix(mime, "text/") || strings.HasSuffix(mime, "+xml") || mime == "application/xml"
}

func isHTML(d *fetch.Document) bool {
	return d.Mime == "text/html" || d.Mime == "application/xhtml+xml"
}

func conditions(req Request) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"If-None-Match": req.ETag, "If-Modified-Since": req.Modified} {
		if value != "" && !strings.ContainsAny(value, "\r\n\x00") {
			h.Set(name, value)
		}
	}
	return h
}

// answerOf is what an exchange tells. What we cut on purpose is no fault of the server's.
func answerOf(x *warc.Exchange) *Answer {
	a := &Answer{
		URL: x.URL, Method: x.Method, At: x.At, Outcome: x.Outcome, Status: x.Head.Status, Detail: x.Detail, Size: -1,
		Cause: x.Cause, TLS: x.TLS, IP: x.IP, Timing: x.Timing,
	}
	if x.Head.Len == 0 {
		return a
	}
	a.Mime, a.ETag, a.Changed = x.Head.Mime(), x.Head.Get("ETag"), x.Head.Get("Last-Modified")
	a.Retry = pace.RetryAfter(x.Head.Get("Retry-After"), x.Head.Get("Date"), x.At, maxRetryAfter)
	if f := x.Head.Framing(http.MethodGet); f.Kind == httpmsg.Length {
		a.Size = f.Length
	}
	switch {
	case x.Outcome == outcome.TooLong:
		a.Outcome, a.Detail, a.Cause = outcome.Captured, "", warc.Cause{}
	case x.Outcome == outcome.Captured && x.Method != http.MethodHead:
		a.Whole, a.Size, a.Digest = true, x.Payload.Size, hexOf(x.Payload.SHA256)
	}
	if redirects(x.Head.Status) {
		a.Target, a.Place = target(x.URL, x.Head.Get("Location"))
	}
	return a
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// target resolves a Location (RFC 9110 §10.2.2).
func target(url, location string) (to, place string) {
	if location == "" {
		return "", ""
	}
	to, err := urlkey.Parse(url, location)
	if err != nil || !urlkey.Fetchable(to) {
		return "", ""
	}
	return to, urlkey.SerialisedFragment(location)
}
