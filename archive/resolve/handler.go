package resolve

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the script and the page
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/cite"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Paths of the handler, on whatever origin it is served.
const (
	Path       = "/resolve"
	ScriptPath = "/linkstead.js"
	NamePath   = "/r/" // followed by a short identifier
)

//go:embed assets/linkstead.js
var script []byte

//go:embed assets/explain.html
var explainSource string

//go:embed assets/explain.css
var explainStyle string

var explain = template.Must(template.New("explain").Parse(explainSource))

// maxURLs bounds the addresses of one request.
const maxURLs = 50

// maxQuote bounds a quotation that is asked for, bytes.
const maxQuote = 2000

// Named is what a short identifier names.
type Named struct {
	Question
	To   string // where it leads at once; empty: what becomes of the link is asked
	Gone bool   // it was taken out of the archive
}

// ErrNoName says that nothing has such an identifier. Its text, or that of what wraps it, is for people.
var ErrNoName = errors.New("this archive has given no such identifier")

// Handler answers readers over HTTP: /resolve, short identifiers, and the script for blogs.
type Handler struct {
	Resolver   *Resolver
	Collection string   // the default one
	Sites      []string // origins whose scripts may ask; "*": of any
	// Served says whether a collection is served to readers at all; nil: only the default one is.
	Served func(r *http.Request, collection string) (bool, error)
	Named  func(ctx context.Context, id string) (Named, error) // what a short identifier names; nil: none is known
}

// Claims says whether a request is for this handler.
func Claims(r *http.Request) bool {
	if id, ok := strings.CutPrefix(r.URL.Path, NamePath); ok {
		return id != "" && !strings.Contains(id, "/") // a collection may have that name, too
	}
	return r.URL.Path == Path || r.URL.Path == ScriptPath
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	if r.URL.Path == ScriptPath {
		h.script(w, r)
		return
	}
	h.share(w, r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		head.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		head.Set("Allow", "GET, HEAD, OPTIONS")
		h.plain(w, http.StatusMethodNotAllowed, "Links can only be asked about (GET, HEAD).")
		return
	}
	answer := h.resolve
	if strings.HasPrefix(r.URL.Path, NamePath) {
		answer = h.named
	}
	if err := answer(w, r); err != nil && r.Context().Err() == nil {
		var told *unfit
		switch {
		case errors.As(err, &told):
			h.plain(w, told.status, told.text)
		case errors.Is(err, storage.ErrAway):
			head.Set("Retry-After", "60")
			h.plain(w, http.StatusServiceUnavailable, "The archive can't be reached just now. Try again in a minute.")
		default:
			h.Resolver.Log.Error("a link could not be resolved", "error", err)
			h.plain(w, http.StatusInternalServerError, "The archive could not answer. Its log tells why.")
		}
	}
}

// unfit is an error that whoever asked is told.
type unfit struct {
	status int
	text   string
}

func (u *unfit) Error() string { return u.text }

func (h *Handler) plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // nobody is left to tell
}

// share lets scripts of some sites read the answer. It depends on nothing that a browser knows of a reader.
func (h *Handler) share(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept, Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(h.Sites, origin) && !slices.Contains(h.Sites, "*") {
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD")
}

// script serves linkstead.js. Any page may load it: what it asks, only those may that are named.
func (h *Handler) script(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256(script)
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Access-Control-Allow-Origin", "*") // for who pins it by integrity=
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeContent(w, r, "linkstead.js", time.Time{}, bytes.NewReader(script))
}

// asked reads what a request asks.
func (h *Handler) asked(r *http.Request) (qs []Question, asJSON bool, err error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, false, &unfit{http.StatusBadRequest, "The address can't be read: what stands behind its question mark is malformed."}
	}
	q := Question{Collection: h.Collection, Quote: values.Get("quote")}
	if name := values.Get("collection"); name != "" && name != h.Collection {
		ok := false
		if h.Served != nil {
			if ok, err = h.Served(r, name); err != nil {
				return nil, false, err
			}
		}
		if !ok {
			return nil, false, &unfit{http.StatusNotFound, "There is no collection of that name here."}
		}
		q.Collection = name
	}
	if len(q.Quote) > maxQuote {
		return nil, false, &unfit{http.StatusBadRequest, "The quotation is too long: " + strconv.Itoa(maxQuote) + " bytes are enough to find it by."}
	}
	if at := values.Get("at"); at != "" {
		ok := false
		if q.At, ok = cite.ParseDate(at); !ok {
			return nil, false, &unfit{http.StatusBadRequest, "at: write when the link was written, as in 2016-02-21, 2016-02-21T10:00:00Z or 20160221100000."}
		}
	}
	urls := values["url"]
	if len(urls) == 0 || len(urls) > maxURLs {
		return nil, false, &unfit{http.StatusBadRequest, fmt.Sprintf("Ask for one to %d addresses: %s?url=https://example.org/page&at=2016-02-21", maxURLs, Path)}
	}
	switch values.Get("format") {
	case "json":
		asJSON = true
	case "html":
	case "":
		asJSON = prefersJSON(r.Header.Get("Accept"))
	default:
		return nil, false, &unfit{http.StatusBadRequest, "format: json or html."}
	}
	if len(urls) > 1 && !asJSON {
		return nil, false, &unfit{http.StatusBadRequest, "Several addresses are answered as JSON alone: add format=json."}
	}
	for _, raw := range urls {
		u, err := urlkey.Parse("", raw)
		if err != nil || !urlkey.Fetchable(u) || len(raw) > urlkey.MaxLength {
			return nil, false, &unfit{http.StatusBadRequest, "url: only http and https addresses can be asked for, in full, for example https://example.org/page"}
		}
		q.URL = u
		qs = append(qs, q)
	}
	return qs, asJSON, nil
}

// prefersJSON says whether an Accept field (RFC 9110 §12.5.1) puts JSON before HTML.
func prefersJSON(accept string) bool {
	json, html := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, rest, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		for p := range strings.SplitSeq(rest, ";") {
			if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
				if f, err := strconv.ParseFloat(v, 64); err == nil {
					q = f
				}
			}
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "application/json":
			json = max(json, q)
		case "text/html", "application/xhtml+xml", "text/*", "*/*":
			html = max(html, q)
		}
	}
	return json > html || json > 0 && !strings.Contains(accept, "text/html")
}

// listed is the JSON document for several addresses.
type listed struct {
	Version int      `json:"version"`
	Links   []Answer `json:"links"`
}

func (h *Handler) resolve(w http.ResponseWriter, r *http.Request) error {
	qs, asJSON, err := h.asked(r)
	if err != nil {
		return err
	}
	answers := make([]Answer, len(qs))
	until := time.Now().Add(maxQuotedIn)
	for i, q := range qs {
		q.until = until
		if answers[i], err = h.Resolver.Resolve(r.Context(), q); err != nil {
			return err
		}
	}
	w.Header().Set("Cache-Control", "no-cache")
	if asJSON {
		return h.json(w, r, answers)
	}
	return h.one(w, r, &answers[0], r.URL.Query().Get("format") == "html")
}

// named leads to what a short identifier names, or tells what became of it.
func (h *Handler) named(w http.ResponseWriter, r *http.Request) error {
	id := strings.TrimPrefix(r.URL.Path, NamePath)
	if h.Named == nil {
		return &unfit{http.StatusNotFound, "This archive gives no identifiers."}
	}
	n, err := h.Named(r.Context(), id)
	if err == nil && !n.Gone {
		err = h.tells(r, &n)
	}
	switch {
	case errors.Is(err, ErrNoName):
		return &unfit{http.StatusNotFound, "There is nothing here by the name " + strconv.Quote(id) + ": " + err.Error() + "."}
	case err != nil:
		return err
	case n.Gone:
		return &unfit{http.StatusGone, "What this identifier names was taken out of the archive. It will not be given to anything else."}
	}
	w.Header().Set("Cache-Control", "no-cache")
	asJSON := r.URL.Query().Get("format") == "json" || r.URL.Query().Get("format") == "" && prefersJSON(r.Header.Get("Accept"))
	if n.To != "" && !asJSON {
		w.Header().Set("Location", n.To)
		w.WriteHeader(http.StatusFound)
		return nil
	}
	a, err := h.Resolver.Resolve(r.Context(), n.Question)
	if err != nil {
		return err
	}
	if a.State == nil && a.Does == Explain && a.Copy != nil && a.Copy.Fault == "" {
		a.Does, a.To = Copy, a.Copy.URL // no post links to it: the copy is what was named
	}
	if asJSON {
		return h.json(w, r, []Answer{a})
	}
	return h.one(w, r, &a, r.URL.Query().Get("format") == "html")
}

// tells says, by ErrNoName, that readers may not know of what an identifier names: not even which address it is.
func (h *Handler) tells(r *http.Request, n *Named) error {
	ok := n.Collection == h.Collection
	if !ok && h.Served != nil {
		var err error
		if ok, err = h.Served(r, n.Collection); err != nil {
			return err
		}
	}
	if ok && h.Resolver.Access != nil {
		var err error
		if ok, err = h.Resolver.Access.Tells(r.Context(), n.Collection, urlkey.Key(n.URL), n.URL); err != nil {
			return err
		}
	}
	if !ok {
		return ErrNoName
	}
	return nil
}

func (h *Handler) json(w http.ResponseWriter, r *http.Request, answers []Answer) error {
	var body any = &answers[0]
	if len(r.URL.Query()["url"]) > 1 || r.URL.Query().Get("format") == "json" {
		// A list says of each what becomes of it; the evidence is for who asks for one.
		body = &listed{answerVersion, answers}
		for i := range answers {
			if len(answers) > 1 {
				answers[i].State = nil
			}
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(append(raw, '\n')) // nobody is left to tell
	return nil
}

// one leads a reader on, or shows the page that explains.
func (h *Handler) one(w http.ResponseWriter, r *http.Request, a *Answer, show bool) error {
	if a.Does != Unknown {
		w.Header().Add("Link", "<"+a.URL+`>; rel="original"`)
	}
	if (a.Does == Live || a.Does == Copy) && !show {
		w.Header().Set("Location", a.To)
		w.WriteHeader(http.StatusFound)
		return nil
	}
	status := http.StatusOK
	switch a.Does {
	case Withheld:
		status = a.status
		if by := a.blocked; by != nil && by.Rule != nil && status == http.StatusUnavailableForLegalReasons && by.Rule.BlockedBy != "" {
			w.Header().Add("Link", "<"+by.Rule.BlockedBy+`>; rel="blocked-by"`)
		}
	case Unknown:
		status = http.StatusNotFound
	}
	var page bytes.Buffer
	if err := explain.Execute(&page, pageOf(a)); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(explainStyle))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // nobody is left to tell
	return nil
}
