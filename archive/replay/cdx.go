package replay

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/cdx"
	"linkstead/storage"
)

// maxListings bounds the answers that list more than one URL at the same time: each of them may read millions of rows.
const maxListings = 8

// cdxStall is for how long a client may take nothing of an answer.
const cdxStall = time.Minute

// cdx answers a query on the index, in the dialect that its address stands for.
func (h *Handler) cdx(w http.ResponseWriter, r *http.Request, a address, d cdx.Dialect) {
	h.cdxHeaders(w.Header(), r)
	if h.isScript(r) {
		h.cdxFault(w, r, d, http.StatusForbidden, "scripts of web pages may not read this archive's index; its operator can let them (replay.open_index)")
		return
	}
	q, err := cdxQuery(targetOf(r), d)
	if err != nil {
		h.cdxFault(w, r, d, http.StatusBadRequest, err.Error())
		return
	}
	if len(q.Unknown) > 0 {
		w.Header().Set("X-Archive-Ignored", fieldValue(url.QueryEscape(strings.Join(q.Unknown, " "))))
	}
	if q.Match != "exact" {
		defer h.listings.Add(-1)
		if h.listings.Add(1) > maxListings {
			w.Header().Set("Retry-After", "5")
			h.cdxFault(w, r, d, http.StatusServiceUnavailable, "the archive answers as many listings as it can already; try again in some seconds")
			return
		}
	}
	l := &Listing{Rows: h.Index, Collection: a.collection, Memento: func(c *storage.Capture, twin string) string {
		own := a.own(c)
		own.pick = twin
		return h.absolute(&own)
	}, Shown: func(ctx context.Context, c *storage.Capture) (storage.Capture, error) {
		own := a.own(c)
		shown, err := h.choose(ctx, &own, true)
		return shown.Capture, err
	}}
	if q.CountPages {
		h.cdxPages(w, r, l, q)
		return
	}
	h.cdxRows(w, r, l, q)
}

// cdxQuery reads the query of a target.
func cdxQuery(target string, d cdx.Dialect) (*cdx.Query, error) {
	_, raw, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, errors.New("the query can't be read: percent-encode the values of its parameters")
	}
	q, err := cdx.Parse(d, values)
	if err != nil {
		return nil, err
	}
	return q, ResolveURL(q)
}

// ResolveURL gives the URL of a query the spelling in which captures are looked up, as that of an address.
func ResolveURL(q *cdx.Query) error {
	if q.URL == "" {
		return nil
	}
	var a address
	if err := a.readURL(q.URL); err != nil {
		return &cdx.ParamError{Name: "url", Err: err}
	}
	q.URL = a.url
	return nil
}

// cdxPages tells how many pages an answer has.
func (h *Handler) cdxPages(w http.ResponseWriter, r *http.Request, l *Listing, q *cdx.Query) {
	pages, blocks, err := l.Pages(r.Context(), q)
	if err != nil {
		h.cdxError(w, r, q, err)
		return
	}
	text := strconv.FormatInt(pages, 10) + "\n"
	if q.Dialect == cdx.Pywb {
		text = fmt.Sprintf("{\"pages\": %d, \"pageSize\": %d, \"blocks\": %d}\n", pages, q.PageBlocks, blocks)
	}
	h.cdxText(w, r, http.StatusOK, q.ContentType(), text)
}

// cdxRows streams the rows.
func (h *Handler) cdxRows(w http.ResponseWriter, r *http.Request, l *Listing, q *cdx.Query) {
	out := &cdxWriter{w: w, r: r, q: q}
	buf := bufio.NewWriterSize(out, 32<<10)
	n, err := l.Write(r.Context(), buf, q)
	if err == nil && (n > 0 || buf.Buffered() > 0 || q.Dialect == cdx.Wayback) {
		if err = buf.Flush(); err == nil {
			err = out.close()
		}
	}
	switch {
	case out.done:
		// A HEAD has all that it asked for.
	case err != nil && out.begun:
		if r.Context().Err() == nil && !errors.Is(err, errWrite) {
			h.Log.Error("list the index", "url", q.URL, "error", err)
		}
		panic(http.ErrAbortHandler) // or what is there would pass for the whole answer
	case err != nil:
		h.cdxError(w, r, q, err)
	case !out.begun:
		h.cdxFault(w, r, q.Dialect, http.StatusNotFound, "No Captures found for: "+shown(q))
	}
}

// shown is the URL of a query for a message.
func shown(q *cdx.Query) string {
	switch q.Match {
	case "prefix":
		return q.URL + "*"
	case "exact":
		return q.URL
	}
	return q.URL + " (" + q.Match + ")"
}

// cdxWriter begins an answer with its first bytes, and compresses it for who takes that.
type cdxWriter struct {
	w     http.ResponseWriter
	r     *http.Request
	q     *cdx.Query
	zip   *gzip.Writer
	begun bool
	done  bool // it was asked for the head alone
}

var errHead = errors.New("only the head was asked for")

// Write implements io.Writer.
func (c *cdxWriter) Write(b []byte) (n int, err error) {
	c.begin()
	if c.done {
		return 0, errHead
	}
	deadline := http.NewResponseController(c.w)
	_ = deadline.SetWriteDeadline(time.Now().Add(cdxStall)) // what can't be timed is a test's
	if c.zip != nil {
		n, err = c.zip.Write(b)
	} else {
		n, err = c.w.Write(b)
	}
	_ = deadline.SetWriteDeadline(time.Time{})
	if err != nil {
		err = fmt.Errorf("%w: %w", errWrite, err)
	}
	return n, err
}

func (c *cdxWriter) begin() {
	if c.begun {
		return
	}
	c.begun = true
	c.w.Header().Set("Content-Type", c.q.ContentType())
	zipped := !c.q.NoGzip && accepts(c.r.Header.Values("Accept-Encoding"), "gzip")
	if zipped {
		c.w.Header().Set("Content-Encoding", "gzip")
	}
	c.w.WriteHeader(http.StatusOK)
	switch c.done = c.r.Method == http.MethodHead; {
	case c.done:
	case zipped:
		c.zip, _ = gzip.NewWriterLevel(c.w, gzip.BestSpeed) // a level that there is
	}
}

// close ends the answer.
func (c *cdxWriter) close() error {
	c.begin()
	if c.zip == nil {
		return nil
	}
	return c.zip.Close()
}

// cdxError says why there is no answer.
func (h *Handler) cdxError(w http.ResponseWriter, r *http.Request, q *cdx.Query, err error) {
	switch {
	case r.Context().Err() != nil:
		// Nobody waits for an answer.
	case errors.As(err, new(*cdx.ParamError)):
		h.cdxFault(w, r, q.Dialect, http.StatusBadRequest, err.Error())
	case errors.Is(err, ErrBeyond):
		h.cdxFault(w, r, q.Dialect, http.StatusBadRequest, fmt.Sprintf("page: there is no page %d; the first one is 0, and showNumPages tells how many there are", q.Page))
	case errors.Is(err, ErrLong):
		h.cdxFault(w, r, q.Dialect, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, storage.ErrAway):
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		h.Log.Warn("list the index", "url", q.URL, "error", err)
		h.cdxFault(w, r, q.Dialect, http.StatusServiceUnavailable, "the index can't be reached just now; try again in a minute")
	default:
		h.Log.Error("list the index", "url", q.URL, "error", err)
		h.cdxFault(w, r, q.Dialect, http.StatusInternalServerError, "the index could not be read; the operator's log says why")
	}
}

// cdxFault answers with a message: in JSON, under both names that clients of pywb look for, or as a line of text.
func (h *Handler) cdxFault(w http.ResponseWriter, r *http.Request, d cdx.Dialect, status int, message string) {
	if d == cdx.Wayback {
		h.cdxText(w, r, status, "text/plain; charset=utf-8", message+"\n")
		return
	}
	text := cdx.AppendString([]byte(`{"message": `), message)
	text = cdx.AppendString(append(text, `, "error": `...), message)
	h.cdxText(w, r, status, "application/json", string(text)+"}\n")
}

func (h *Handler) cdxText(w http.ResponseWriter, r *http.Request, status int, mime, text string) {
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, text) // the client may have gone
	}
}

// cdxHeaders sets what answers of the index have. Scripts of other sites may read them where the operator says so: anybody
// may ask for them then, without credentials, so that a script learns what its author could read anyway. An archive on
// loopback or in an office is another thing: there, a page of any site that somebody opens could read out what is kept.
//
// Nor do archived pages read them, which are on this very origin: the answer is sandboxed, hence of no origin, in a
// window and in a frame, and isScript tells requests of scripts.
func (h *Handler) cdxHeaders(head http.Header, r *http.Request) {
	h.ownHeaders(head)
	head.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	head.Set("Vary", "Accept-Encoding, Origin, Sec-Fetch-Mode")
	switch origin := r.Header.Get("Origin"); {
	case h.OpenIndex:
		head.Set("Access-Control-Allow-Origin", "*")
	case origin != "" && origin == strings.TrimSuffix(h.Pages, "/"):
		head.Set("Access-Control-Allow-Origin", origin)
	default:
		head.Del("Access-Control-Allow-Origin") // what share lets pages read is their own requisites
	}
	head.Set("Access-Control-Expose-Headers", "X-Archive-Ignored")
}

// isScript says whether a request was made by a script, or for an element, of a page that may not read the index. Browsers say so
// (Fetch Metadata); for those that do not, and for all that are no browsers, there is the rule of one origin.
func (h *Handler) isScript(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	if h.OpenIndex || mode == "" || mode == "navigate" {
		return false
	}
	return r.Header.Get("Origin") != strings.TrimSuffix(h.Pages, "/") || h.Pages == ""
}
