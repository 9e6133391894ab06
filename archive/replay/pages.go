package replay

import (
	"bytes"
	_ "embed" // our own pages
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/wall"
	"linkstead/archive/warc"
	"linkstead/storage"
)

//go:embed assets/pages.html
var pagesSource string

var pages = template.Must(template.New("pages").Parse(pagesSource + refusalSource))

// maxAttempts is how many failed attempts a page lists.
const maxAttempts = 100

// retryAfter is how many seconds a capture that only another machine holds may take to be stored, about.
const retryAfter = 60

// pageData is what our own pages show. html/template escapes all of it.
type pageData struct {
	Title, Style, Pages, Origin string
	URL, Detail, Stamp          string
	List                        template.HTMLAttr
	Refusal                     refusalData
	Name                        string // of the collection in paths
	Recent                      []recentRow
	Captures                    []captureRow
	Calendar                    calendar
	Keys                        []prefixRow
	Next                        template.HTMLAttr // to more of them
	Total                       int
	More                        bool
	Attempts                    []attemptRow
	Last                        string // the day of the last failed attempt
	Offers                      offersData
	Exports                     []exportRow
	Method                      string // by which something was sent that has no answer
}

type captureRow struct {
	When, ISO, Day                        string
	Path, Exact                           template.HTMLAttr
	URL                                   string // if it is not the one that was asked for
	Status, Mime, Kind, Outcome, Redirect string
	Twin                                  bool // others of its URL were captured within the same second
}

type attemptRow struct {
	When, ISO, Outcome, Meaning, Detail string
	Page                                string // of the archive's on the attempt, to be cited; empty if it has none
	dead                                bool
}

// deadly are the outcomes that say something of the source itself, and not of our rules.
var deadly = []outcome.Outcome{
	outcome.DNS, outcome.Refused, outcome.Unreachable, outcome.Reset, outcome.Timeout, outcome.TLS, outcome.Protocol, outcome.Empty,
}

// page answers with one of our own pages.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, status int, name string, data pageData) {
	data.Style, data.Pages, data.Origin = assetRoot+styleName, h.Pages, h.originOf("")
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, data); err != nil {
		h.Log.Error("make a page", "page", name, "error", err)
		h.plain(w, r, http.StatusInternalServerError, "This page could not be made.\n")
		return
	}
	head := w.Header()
	h.ownHeaders(head)
	if data.Name != "" { // its form leads to wherever a copy is shown
		head.Set("Content-Security-Policy", strings.Replace(head.Get("Content-Security-Policy"), "form-action 'none'", "form-action "+h.everywhere(""), 1))
	}
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = body.WriteTo(w) // the client may have gone
	}
}

// refuse says what is wrong with an address.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	text := err.Error()
	h.page(w, r, http.StatusBadRequest, "refused", pageData{
		Title: "This address can't be read", Detail: strings.ToUpper(text[:1]) + text[1:],
	})
}

// kinds says for readers of what kind a capture is.
var kinds = map[string]string{
	warc.KindResponse: "a copy of its own", warc.KindRevisit: "same as another copy", warc.KindResource: "handed in", warc.KindTruncated: "cut short",
}

func rowOf(a *address, c *storage.Capture, pick string) captureRow {
	own := a.own(c)
	own.pick = pick
	row := captureRow{
		When: when(c.At), ISO: iso(c.At), Day: c.At.UTC().Format("2 Jan 2006"), Path: hrefOf(&own), Mime: c.Mime, Kind: kinds[c.Kind],
		Outcome: outcome.Outcome(c.Outcome).Describe().Short, Redirect: c.Redirect,
	}
	if shows := wall.Names(strings.Fields(c.Flags)); shows != "" {
		row.Outcome += ": " + shows
	}
	row.Twin = own.pick != ""
	own.mod = asIs
	row.Exact = hrefOf(&own)
	if c.Status != 0 {
		row.Status = strconv.Itoa(c.Status)
	}
	if own.url != a.url {
		row.URL = c.URL
	}
	return row
}

// attempts fills in the newest failed attempts, newest first.
func (h *Handler) attempts(r *http.Request, a *address, data *pageData) error {
	list, err := h.Index.Attempts(r.Context(), a.collection, urlkey.Key(a.url))
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(list) {
		if len(data.Attempts) == maxAttempts {
			break
		}
		if t.URL != a.url || !strings.HasPrefix(stampOf(t.At), data.Stamp) {
			continue // of another address under the same key: https, or with www
		}
		d := outcome.Outcome(t.Outcome).Describe()
		row := attemptRow{
			When: when(t.At), ISO: iso(t.At), Outcome: d.Short, Meaning: d.Meaning, Detail: t.Detail, dead: slices.Contains(deadly, d.Outcome),
		}
		if h.Evidence != nil && h.Pages != "" {
			row.Page = strings.TrimSuffix(h.Pages, "/") + h.Evidence(t)
		}
		data.Attempts = append(data.Attempts, row)
	}
	return nil
}

// missing says that the archive has no capture of a URL, and what is known of it.
func (h *Handler) missing(w http.ResponseWriter, r *http.Request, a *address) {
	w.Header().Set("Server-Timing", "missing")
	if embedded(r, a.mod) {
		h.plain(w, r, http.StatusNotFound, "Not in the archive.\n")
		return
	}
	if site, _ := h.seat(r.Host); site != "" && topLevel(r, a.mod) {
		h.leadHome(w, r, targetOf(r))
		return
	}
	data := pageData{Title: "Not in the archive", URL: a.url}
	if err := h.unanswered(r, a, &data); err != nil {
		h.fault(w, r, a, err)
		return
	}
	if err := h.attempts(r, a, &data); err != nil {
		h.fault(w, r, a, err)
		return
	}
	var err error
	if data.Offers, err = h.offers(r, a); err != nil {
		h.fault(w, r, a, err)
		return
	}
	for _, t := range data.Attempts {
		if t.dead {
			data.Last = t.When
			break
		}
	}
	h.page(w, r, http.StatusNotFound, "missing", data)
}

// unanswered tells of a request that sent something by which method it did, and whether its address has captures otherwise.
func (h *Handler) unanswered(r *http.Request, a *address, data *pageData) error {
	if a.asked == "" {
		return nil
	}
	data.Title, data.Method = "The answer is not in the archive", r.Method
	c, err := firstOf(h.Index.CapturesIn(r.Context(), storage.OneKey(a.collection, urlkey.Key(a.url)), storage.Place{}, false))
	if err != nil || c == nil {
		return err
	}
	list := a.captures()
	data.List = hrefOf(&list)
	return nil
}

// fault says that a capture can't be shown now. What exactly failed is for the log.
func (h *Handler) fault(w http.ResponseWriter, r *http.Request, a *address, err error) {
	if r.Context().Err() != nil {
		return // nobody waits for an answer
	}
	if why := (*access.Refusal)(nil); errors.As(err, &why) {
		h.withhold(w, r, a, why)
		return
	}
	data := pageData{Title: "This copy can't be shown", URL: a.url}
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, warc.ErrElsewhere):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		data.Title = "This copy is on its way"
		data.Detail = "It has been captured, but only the machine that did so holds it yet. It will be here as soon as it is stored: try again in a minute."
	case errors.Is(err, storage.ErrAway):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		data.Title = "This copy can't be reached just now"
		data.Detail = "A part of the archive can't be reached. Nothing is lost; it comes back by itself: try again in a minute."
		h.Log.Warn("replay", "url", a.url, "error", err)
	case errors.Is(err, warc.ErrNoOriginal):
		status = http.StatusNotFound
		data.Title = "The content of this copy is elsewhere"
		data.Detail = "The archive knows that the page was visited at this time, and that it was the same as before. The copy that it was the same as is not in this archive, so that there is nothing to show. Other copies may be."
	case errors.Is(err, storage.ErrNotFound):
		data.Detail = "The archive knows of this copy, but its bytes are not where they should be. Other copies may still be readable."
		h.Log.Error("the bytes of a capture are missing", "url", a.url, "error", err)
	case errors.As(err, new(*warc.TornError)), errors.Is(err, warc.ErrNoPayload):
		data.Detail = "Its bytes are damaged: the archive no longer holds them as they were captured, and has no equal copy. Other copies may still be readable."
		h.Log.Error("the bytes of a capture are damaged; 'linkstead verify' tells more", "url", a.url, "error", err)
	default:
		data.Detail = "Something went wrong in the archive while this copy was being read. The operator's log says what. Trying again may help."
		h.Log.Error("replay", "url", a.url, "error", err)
	}
	w.Header().Set("Server-Timing", "fault")
	if embedded(r, a.mod) {
		h.plain(w, r, status, data.Title+".\n")
		return
	}
	if !a.list() {
		list := a.captures()
		data.List = hrefOf(&list)
	}
	h.page(w, r, status, "fault", data)
}

// hrefOf is the attribute that links to an address. html/template would percent-encode quotes and parentheses, which in
// an archive is another URL.
func hrefOf(a *address) template.HTMLAttr {
	return template.HTMLAttr(`href="` + template.HTMLEscapeString(a.String()) + `"`)
}

func when(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }
func iso(t time.Time) string  { return t.UTC().Format("2006-01-02T15:04:05Z") }
