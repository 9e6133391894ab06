package cdx

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dialect is whose API a query is written for.
type Dialect uint8

// The dialects.
const (
	Pywb Dialect = iota
	Wayback
)

// Bounds of a query.
const (
	// BlockRows are the rows of a block, in which pages are measured. ZipNum files have blocks of as many lines.
	BlockRows = 3000

	maxPageSize = 50
	maxPage     = 1 << 30
	longestURL  = 16 << 10
	maxLast     = 10000 // rows from the end that are held to be turned round
	maxOffset   = math.MaxInt32
)

// Order is that in which rows are asked for.
type Order uint8

// The orders.
const (
	InOrder  Order = iota // by key, then by time
	Reversed              // against that
	Nearest               // those of one key, the nearest to a moment first
)

// form is how rows are written.
type form uint8

const (
	formCDXJ  form = iota
	formJSON       // an object a line
	formText       // values with spaces between
	formLink       // link-format (RFC 6690) of mementos
	formTable      // a JSON array of arrays, the first of which has the names
	formCDX7       // CDX files with 7 …
	formCDX11      // … and 11 fields
)

// Query is what a client asks of an index, see [Parse].
type Query struct {
	Dialect Dialect
	URL     string // as it was written, without wildcards; "" with MatchPrefix: every URL
	Match   string // exact, prefix, host or domain
	Since   time.Time
	Until   time.Time // exclusive; zero: no bound, as of Since
	Order   Order
	Closest time.Time // of Nearest
	After   Place     // begin behind it; zero: at the beginning

	Page       int  // from 0; -1: no page is asked for
	PageBlocks int  // of BlockRows rows each
	CountPages bool // nothing but the number of pages is asked for

	Originals bool     // of revisits, where their payloads stand
	NoGzip    bool     // the answer is wanted uncompressed, whatever the client accepts
	Unknown   []string // parameters that mean nothing here

	limit      int // 0: none; negative: the last
	offset     int // rows passed over
	filters    []filter
	collapses  []collapse
	fields     []field // nil: those of the form
	form       form
	showResume bool
	showDupes  bool
	showSkips  bool
	showSkipTo bool
}

// ParamError is a parameter that can't be read, or can't be combined with another.
type ParamError struct {
	Name string
	Err  error
}

func (e *ParamError) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *ParamError) Unwrap() error { return e.Err }

func bad(name, format string, args ...any) error {
	return &ParamError{name, fmt.Errorf(format, args...)}
}

// Parse reads a query. Its errors are all [*ParamError].
func Parse(d Dialect, v url.Values) (*Query, error) {
	q := &Query{Dialect: d, Page: -1, PageBlocks: 5, form: formCDXJ}
	if d == Wayback {
		q.form = formText
	}
	readers := params[d]
	var names []string
	for name, values := range v {
		r, ok := readers[name]
		if values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" }); len(values) == 0 {
			continue // clients give what they do not mean without a value
		}
		switch {
		case !ok && len(q.Unknown) < 20:
			q.Unknown = append(q.Unknown, name)
		case ok && len(values) > 1 && !r.many:
			return nil, bad(name, "it is given %d times; give it once", len(values))
		case ok:
			names = append(names, name)
		}
	}
	slices.Sort(q.Unknown)
	slices.Sort(names) // so that of several faults it is always the same that is told
	for _, name := range names {
		for _, value := range v[name] {
			if value == "" {
				continue
			}
			if err := readers[name].read(q, value); err != nil {
				return nil, &ParamError{name, err}
			}
		}
	}
	if err := q.readURL(v.Get("url"), q.Match != ""); err != nil {
		return nil, err
	}
	q.implied()
	if err := q.check(); err != nil {
		return nil, err
	}
	return q, nil
}

// implied turns on what a field that is asked for needs.
func (q *Query) implied() {
	for _, f := range q.fields {
		switch f {
		case fieldOrigLength, fieldOrigOffset, fieldOrigFile:
			q.Originals = true
		case fieldDupes:
			q.showDupes = true
		case fieldSkipped:
			q.showSkips = true
		case fieldSkippedTo:
			q.showSkipTo = true
		}
	}
}

// readURL reads the URL, in which "*" is a way to say how it matches.
func (q *Query) readURL(raw string, told bool) error {
	switch {
	case raw == "":
		return bad("url", "it is missing: give the URL whose captures you look for, or one that ends in * for all that begin so")
	case len(raw) > longestURL:
		return bad("url", "it is longer than %d bytes", longestURL)
	}
	q.URL = raw
	if told && q.Match == "exact" {
		return nil // an asterisk may be part of it
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	if host, ok := strings.CutPrefix(rest, "*."); ok {
		q.URL = scheme + strings.TrimSuffix(strings.TrimSuffix(host, "*"), "/")
		if !told {
			q.Match = "domain"
		}
		if strings.Contains(q.URL, "*") || strings.Contains(strings.TrimPrefix(q.URL, scheme), "/") {
			return bad("url", "%q: behind *. stands a host alone, as in *.example.org", clip(raw))
		}
		return nil
	}
	if bare, ok := strings.CutSuffix(raw, "*"); ok {
		q.URL = bare
		if !told {
			q.Match = "prefix"
		}
	}
	if q.Match == "" {
		q.Match = "exact"
	}
	if q.URL == "" && q.Match != "prefix" {
		return bad("url", "* alone means every URL, which only matchType=prefix can")
	}
	return nil
}

// check says what can't be combined.
func (q *Query) check() error {
	switch {
	case !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until):
		return bad("from", "it lies behind to")
	case q.Order == Nearest && q.Closest.IsZero():
		return bad("closest", "sort=closest needs it: to which time, in up to 14 digits?")
	case q.Order == Nearest && q.Match != "exact":
		return bad("sort", "captures can be sorted by their distance from a time for one URL alone: use matchType=exact")
	case q.Order == Nearest && (q.limit < 0 || q.showResume || q.After != Place{} || q.Page >= 0):
		return bad("sort", "what is sorted by its distance from a time has no pages, no resume key and no last rows; use limit")
	case q.limit < 0 && (q.offset > 0 || q.showResume || q.After != Place{} || q.Page >= 0):
		return bad("limit", "the last rows can't be combined with offset, pages or resume keys; use sort=reverse")
	case q.limit < -maxLast:
		return bad("limit", "at most the last %d rows are brought; use sort=reverse for more", maxLast)
	case q.Page >= 0 && (q.After != Place{} || q.showResume):
		return bad("page", "a page is found by its number, or by a resume key; leave one of them out")
	case q.form == formLink && q.Match != "exact":
		return bad("output", "link lists the mementos of one URL: use matchType=exact, or another output")
	}
	return nil
}

// Backwards says whether the rows are to be handed to the answer against the order of the index.
func (q *Query) Backwards() bool {
	if q.limit < 0 && len(q.collapses) == 0 {
		return q.Order == InOrder // the last ones are the first from the other end
	}
	return q.Order == Reversed
}

// ContentType is the type of the answer.
func (q *Query) ContentType() string {
	if q.CountPages && q.Dialect == Pywb {
		return "application/json"
	}
	if q.CountPages {
		return "text/plain; charset=utf-8"
	}
	switch q.form {
	case formCDXJ:
		return "text/x-cdxj; charset=utf-8"
	case formJSON:
		return "application/x-ndjson"
	case formTable:
		return "application/json"
	case formLink:
		return "application/link-format"
	}
	return "text/plain; charset=utf-8"
}

// clip shortens what a message repeats.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

func count(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q: use a number from %d to %d", clip(s), low, high)
	}
	return n, nil
}

func truth(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%q: use true or false", clip(s))
}
