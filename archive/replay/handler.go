// Package replay serves past pages over HTTP, on an origin of their own: exact bytes, or pages rewritten so that they
// and their links stay within the archive. It never asks the live web for anything, never lets an archived page do so,
// and knows no database: it is given an index and a library.
//
// # Addresses
//
// The first segment of a path names the collection; "/web/" is the default one. "/web/<time><modifier>/<URL>" is a memento: the capture of the URL that is nearest to the time. A time has up to 14
// digits; a partial one means the middle of what it names. A request for a page whose address is not exactly that of the capture
// (its second, its URL) is redirected to the one that is, so that the address tells the truth. Requisites are served
// at once, at whatever time they are asked for, and their own references keep that time: a page costs no redirect for
// each of its pictures. A request is for a page if it has no modifier, or id_, and a browser's Sec-Fetch-Dest, if there
// is one, says "document".
//
// A copy that is flagged (package wall) is shown if there is no other, or if its very second is asked for: X-Archive-Flags
// has the words, and a bar over the page says what it shows.
//
// The modifiers are those of Wayback and pywb: id_ the exact bytes; js_, cs_, im_, oe_ scripts, styles, pictures and
// other requisites; if_ (fr_) frames; mp_ what scripts ask for, and in a window a page without the banner. They say how
// bytes are read whose type does not tell.
//
// "/web/<URL>" is the TimeGate of a URL (RFC 7089), "/web/timemap/…" its TimeMap; "/web/2016*/<URL>" is a calendar of its
// captures, and "/web/*/<prefix>*" lists URLs: docs/replay.md has them all. "/web/-/" holds our own script and style sheet. Anything else that is asked
// for from an archived page is taken for a reference that a script of that page made, and redirected to where it
// belongs.
package replay

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/fuzzy"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Index is what replay asks of the database.
type Index interface {
	Walker
	Closest(ctx context.Context, collection, urlkey, url string, at time.Time) (storage.Capture, error)
	Taken(ctx context.Context, collection, urlkey, url string, from time.Time) (storage.Capture, error)
	Captures(ctx context.Context, collection, urlkey string) iter.Seq2[storage.Capture, error]
	Attempts(ctx context.Context, collection, urlkey string) ([]storage.Attempt, error)
}

// Walker reads captures in the order of the index.
type Walker interface {
	Around(ctx context.Context, collection, urlkey string, at time.Time, n int) (storage.Around, error)
	Beside(ctx context.Context, collection string, p storage.Place) (storage.Beside, error)
	Buckets(ctx context.Context, s storage.KeySpan, unit time.Duration, what bool) ([]storage.Bucket, error)
	Rows
}

// Opener opens captures; its errors are those of warc.Library.
type Opener interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
}

var _ Opener = (*warc.Library)(nil)

// Handler serves the replay origin. Its fields are set before the first request. It must be the server's own handler:
// http.ServeMux would clean the URLs out of the paths.
type Handler struct {
	Index       Index
	Library     Opener
	Access      Access                                                                      // nil: all that Index has may be seen
	Collection  string                                                                      // the default one, at /web/
	Collections func(ctx context.Context, name string) (bool, error)                        // says whether another is served, at its name; nil: none is
	Origin      string                                                                      // of this handler, "http://replay.localhost:8081": requests for any other host are refused, save those that Mode allows
	Mode        Mode                                                                        // how archived sites are kept apart
	Pages       string                                                                      // the origin of the archive's own pages: linked to, and allowed to frame mementos
	Recent      func(ctx context.Context, collection string, n int) ([]storage.Post, error) // the newest posts; nil: none are named
	Evidence    func(storage.Attempt) string                                                // path of the page there on an attempt; nil: there is none
	Now         func() time.Time
	Log         *slog.Logger

	MaxEntries int // captures of a TimeMap, after which there is another one; 0: 10,000

	Elsewhere  []Elsewhere                                          // other archives that the page for a missing copy links to
	CaptureNow func(r *http.Request, collection, url string) string // page of the archive's own that captures a URL; "": this client may not; nil: nobody may

	Fuzzy       *fuzzy.Rules  // what a part of a page may differ in from what is asked for; nil: nothing
	FuzzyWithin time.Duration // how far it may then be from the time asked for; 0: DefaultFuzzyWithin

	asks asks

	MaxRewrite int64 // bytes, decoded, up to which a document is rewritten; 0: 32 MiB
	MaxDecoded int64 // bytes, decoded, after which a body is cut; 0: 4 GiB

	Exports Exports  // files that are published, at /web/-/exports/; nil: none are
	Viewers []string // origins whose scripts may read them; "*": of any

	OpenIndex bool         // scripts of pages of any site may read the index
	listings  atomic.Int64 // of many URLs, that are being answered
}

func (h *Handler) maxRewrite() int64 {
	if h.MaxRewrite > 0 {
		return h.MaxRewrite
	}
	return 32 << 20
}

func (h *Handler) maxDecoded() int64 {
	if h.MaxDecoded > 0 {
		return h.MaxDecoded
	}
	return 4 << 30
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site, ok := h.seat(r.Host)
	target := targetOf(r)
	exported, isExport := strings.CutPrefix(target, exportsRoot)
	if !isExport {
		h.share(w, r)
	}
	switch {
	case !ok:
		// RFC 9110 §15.5.20. A page under another name could read what other sites' scripts left here.
		h.plain(w, r, http.StatusMisdirectedRequest, "This is the replay server of a Linkstead archive. Its address is "+h.Origin+"/\n")
		return
	case isExport:
		h.exports(w, r, site, exported)
		return
	case !isAllowed(r.Method):
		h.disallow(w, r, allowed)
		return
	case w.Header().Get("Access-Control-Allow-Methods") != "": // a preflight asks for no more
		h.plain(w, r, http.StatusNoContent, "")
		return
	case r.Header.Get("Service-Worker") != "":
		// A service worker would answer for every page of this origin.
		h.plain(w, r, http.StatusForbidden, "Archived service workers are not replayed.\n")
		return
	}
	if name, ok := strings.CutPrefix(target, assetRoot); ok {
		h.asset(w, r, name)
		return
	}
	a, err := parseAddress(target)
	if err == nil || !errors.Is(err, errForeign) {
		var ok bool
		if a.collection, ok = h.served(r, &a); !ok {
			err = errForeign
		}
	}
	switch {
	case errors.Is(err, errForeign):
		h.astray(w, r, target)
	case !reads(r) && a.kind != ofMemento && a.kind != ofGate:
		h.disallow(w, r, "GET, HEAD")
	case site != "" && (err != nil || a.kind != ofMemento && a.kind != ofGate):
		h.leadHome(w, r, target)
	case err != nil:
		h.refuse(w, r, err)
	default:
		h.answer(w, r, a)
	}
}

// Claims says whether a request is for the replay rather than for what else is served on its origin, as Shared allows.
func (h *Handler) Claims(r *http.Request) bool {
	target := targetOf(r)
	if strings.HasPrefix(target, "/"+defaultName+"/") {
		return true
	}
	if a, err := parseAddress(target); !errors.Is(err, errForeign) && a.kind != ofHome {
		_, ok := h.served(r, &a)
		return ok
	}
	_, ok := h.belongs(r, target)
	return ok && !navigates(r)
}

// answer answers a request for an address that is understood.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, a address) {
	if err := h.refused(r, &a); err != nil {
		h.fault(w, r, &a, err)
		return
	}
	switch a.kind {
	case ofHome:
		h.home(w, r, a)
	case ofCaptures:
		h.list(w, r, a)
	case ofPrefix:
		h.prefix(w, r, a)
	case ofGate:
		h.gate(w, r, a)
	case ofMemento:
		h.memento(w, r, a)
	case ofTimeMap:
		h.timemap(w, r, a)
	case ofCDX:
		h.cdx(w, r, a, cdx.Pywb)
	case ofWaybackCDX:
		h.cdx(w, r, a, cdx.Wayback)
	default:
		h.astray(w, r, targetOf(r))
	}
}

// served brings the collection that an address names; not ok if none of that name is served.
func (h *Handler) served(r *http.Request, a *address) (string, bool) {
	if a.name == defaultName {
		return h.Collection, true
	}
	if h.Collections == nil {
		return "", false
	}
	ok, err := h.Collections(r.Context(), a.name)
	if err != nil {
		h.Log.Error("look for a collection", "collection", a.name, "error", err)
	}
	return a.name, ok && err == nil
}

// targetOf is the request target as it came, in origin form (RFC 9112 §3.2.1): net/http's URL has lost what "//" and
// "%2F" were.
func targetOf(r *http.Request) string {
	t := r.RequestURI
	if t == "" {
		return r.URL.RequestURI()
	}
	if !strings.HasPrefix(t, "/") {
		if _, rest, ok := strings.Cut(t, "://"); ok {
			_, path, _ := strings.Cut(rest, "/")
			return "/" + path
		}
	}
	return t
}

// astray answers a request for what is no memento: the front page, or a reference that a script made against this
// origin. Where it belongs, its Referer tells (RFC 9110 §10.1.3).
func (h *Handler) astray(w http.ResponseWriter, r *http.Request, target string) {
	if to, ok := h.belongs(r, target); ok {
		h.redirect(w, r, http.StatusTemporaryRedirect, to)
		return
	}
	site, _ := h.seat(r.Host)
	path, _, _ := strings.Cut(target, "?")
	switch {
	case path != "/" && embedded(r, asPage):
		h.plain(w, r, http.StatusNotFound, "Nothing is here.\n")
	case site != "":
		h.leadHome(w, r, target)
	case path == "/":
		h.home(w, r, address{})
	default:
		h.page(w, r, http.StatusNotFound, "astray", pageData{Title: "Nothing is here"})
	}
}

// belongs resolves a reference against the archived page that made it.
func (h *Handler) belongs(r *http.Request, target string) (string, bool) {
	site, _ := h.seat(r.Host)
	path, ok := strings.CutPrefix(r.Referer(), h.originOf(site))
	if !ok {
		return "", false
	}
	from, err := parseAddress(path)
	if err != nil || from.kind != ofMemento {
		return "", false
	}
	origin := urlkey.Origin(from.url)
	a := address{name: from.name, stamp: from.stamp, mod: wanted(r)}
	if origin == "" || a.readURL(origin+target) != nil {
		return "", false
	}
	return a.String(), true
}

// disallow says that the past can't be changed (RFC 9110 §15.5.6).
func (h *Handler) disallow(w http.ResponseWriter, r *http.Request, methods string) {
	w.Header().Set("Allow", methods)
	h.plain(w, r, http.StatusMethodNotAllowed, "The past can only be read: "+methods+".\n")
}

// plain answers with a line of text.
func (h *Handler) plain(w http.ResponseWriter, r *http.Request, status int, text string) {
	head := w.Header()
	h.ownHeaders(head)
	head.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, text) // the client may have gone
	}
}

// redirect sends a client to another path of the host that it asked, or to another host of ours. Its own answers are never mementos (RFC 7089 §4.5.1).
func (h *Handler) redirect(w http.ResponseWriter, _ *http.Request, status int, path string) {
	head := w.Header()
	h.ownHeaders(head)
	head.Set("Location", path)
	w.WriteHeader(status)
}
