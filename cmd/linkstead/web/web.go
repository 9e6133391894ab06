// Package web is the archive's own pages and their JSON: which posts are kept, and what became of every link in them.
// It only reads, it never dials out, and it never serves a byte that was captured: copies are the replay's, on an
// origin of its own. What comes from captured pages (titles, addresses, sentences) is treated as hostile text.
package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"linkstead/archive/fulltext"
	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/storage"
)

// Rows is what the pages list.
type Rows interface {
	Posts(ctx context.Context) ([]storage.Post, error)                   // newest version of each, newest first
	PostVersions(ctx context.Context, id string) ([]storage.Post, error) // newest first; none if there is no such post
	Run(ctx context.Context, id int64) (storage.Run, error)              // storage.ErrNotFound if there is none
	PostOf(ctx context.Context, run int64) (storage.Post, error)         // of a run that has one; storage.ErrNotFound
	Unfinished(ctx context.Context) (active []storage.Run, err error)    // runs that are not done, oldest first
}

// Reports tells what a run did with a post.
type Reports interface {
	BuildPost(ctx context.Context, run storage.Run, id string) (*report.Report, error)
	WriteCSV(ctx context.Context, rows report.URLRows, run storage.Run, to io.Writer) error
	crawler.Sources
}

var (
	_ Rows    = (*storage.DB)(nil)
	_ Reports = (*report.Builder)(nil)
)

// Pages serves the archive's own pages. It never serves a byte that was captured.
type Pages struct {
	Rows      Rows
	Reports   Reports
	Schedules Schedules
	Runs      Runs
	Attempts  Attempts
	Evidence  Evidence
	Status    report.StatusRows
	Search    *fulltext.Finder // finds all that is kept
	SearchIn  string           // the collection that is searched unless another is asked for
	Replay    string           // origin of the replay, such as http://replay.localhost:8081
	Listen    string           // address that the pages are served on, host:port; its host is answered to, besides loopback ones
	Hosts     []string         // further host names to answer to, such as the one of a reverse proxy
	// Collection tells of a collection; nil: only its name is known.
	Collection func(ctx context.Context, name string) (storage.Collection, error)
	Now        func() time.Time
	Log        *slog.Logger

	Lives Lives // what became of links over time; nil: nothing is told of that

	Citations       Citations // nil: nothing is cited
	CitedCollection string    // in which addresses are looked up that are to be cited

	Capture Begin // begins a capture for a person at this machine; nil: nobody may
	Mend    Mend  // keeps what such a person decides on repairs; nil: nobody may

	Package  MakePackage // makes a post's WACZ; nil: none is handed out
	packing  sync.Mutex
	packages atomic.Int32

	counts counts
	secret struct {
		once sync.Once
		key  [32]byte
	}
}

// answer is a page before it is written.
type answer struct {
	status int
	page   string // name of its template
	title  string
	follow int // seconds until the page asks for itself again; 0: it doesn't
	body   any
	raw    []byte // instead of a page, with its media type
	mime   string
	to     string // instead of a page, where to go
	vary   string // the request's field by which it was chosen; empty: none
	file   string // the name under which it is kept; empty: it is shown
	script string // address of the one script that the page has; empty: it has none, and may run none
}

// problem is an error that a person is told, in words meant for people.
type problem struct {
	status      int
	title, text string
	hint        string // what to try; may be empty
}

func (p *problem) Error() string { return p.title + ": " + p.text }

// Handler answers every request to the pages' origin.
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/{$}", p.serve(p.home))
	mux.Handle("/posts/{id}", p.serve(p.post))
	mux.Handle("/posts/{id}/repairs", p.serve(p.repairs))
	mux.HandleFunc("/posts/{id}/"+packageFile, p.packed)
	mux.Handle("/posts/{id}/{file}", p.serve(p.bibliography))
	mux.Handle("/cite", p.serve(p.citeURL))
	mux.Handle("/cite/{id}", p.serve(p.citeID))
	mux.Handle("/attempts/{id}", p.serve(p.attempt))
	mux.Handle("/attempts/{segment}/{offset}", p.serve(p.attempt))
	mux.Handle("/lookup", p.serve(p.lookup))
	mux.Handle("/search", p.serve(p.search))
	mux.Handle("/search.json", p.serve(p.search))
	mux.Handle("/outcomes", p.serve(p.outcomes))
	mux.Handle("/links", p.serve(p.linksPage))
	mux.Handle("/links.json", p.serve(p.linksJSON))
	mux.Handle("/schedules", p.serve(p.schedulesPage))
	mux.Handle("/schedules.json", p.serve(p.schedulesJSON))
	mux.Handle("/runs/{id}", p.runPages())
	mux.Handle("/status", p.serve(p.status))
	mux.Handle("/status.json", p.serve(p.status))
	mux.Handle(CapturePath, p.serve(p.captureNow))
	mux.HandleFunc("/style.css", serveStyle)
	mux.HandleFunc("/copy.js", serveCopyScript)
	mux.Handle("/", p.serve(nothingHere))
	return p.guard(mux)
}

// guard refuses what is not for these pages, and sets the headers that every answer has.
func (p *Pages) guard(next http.Handler) http.Handler {
	own := newHostSet(p.Listen, p.Hosts)
	policy := "default-src 'none'; style-src 'self'; form-action 'self' " + p.Replay +
		"; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !own.has(r.Host) {
			// A name that an attacker's DNS points here must not make this archive part of the attacker's site.
			plain(w, http.StatusMisdirectedRequest, "This archive does not answer to the host name in the address.\n"+
				"Use http://localhost with the port that it listens on, or the address given to it by --listen.\n")
			return
		}
		if r.URL.Path == CapturePath && p.Capture != nil || isRepairs(r.URL.Path) && p.Mend != nil {
			h.Set("Referrer-Policy", "same-origin") // without one, a form's Origin is null
			if r.Method == http.MethodPost {
				next.ServeHTTP(w, r)
				return
			}
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "These pages can only be read (GET, HEAD).\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // nobody is left to tell
}

// serve writes what a view answers. Its error goes to the log, and people get a page without detail; a problem is told
// as it is.
func (p *Pages) serve(view func(*http.Request) (*answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := view(r)
		if err == nil && a.page != "" {
			a.raw, err = render(a)
			a.mime = "text/html; charset=utf-8"
		}
		if err != nil {
			if r.Context().Err() != nil {
				return // nobody waits for the answer
			}
			p.fail(w, r, err)
			return
		}
		if a.vary != "" {
			w.Header().Set("Vary", a.vary)
		}
		if a.to != "" {
			w.Header().Set("Location", a.to)
		}
		if a.script != "" {
			w.Header().Set("Content-Security-Policy", "script-src 'self'; "+w.Header().Get("Content-Security-Policy"))
		}
		write(w, a)
	})
}

func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	var told *problem
	if errors.Is(err, storage.ErrAway) {
		p.Log.Warn("page failed", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "60")
		told = &problem{
			status: http.StatusServiceUnavailable, title: "The archive can't be reached just now",
			text: "A part of it does not answer. Nothing that is kept is harmed.", hint: "Try again in a minute.",
		}
	} else if !errors.As(err, &told) {
		p.Log.Error("page failed", "path", r.URL.Path, "error", err)
		told = &problem{
			status: http.StatusInternalServerError, title: "Something went wrong",
			text: "The archive could not make this page. Nothing that is kept is harmed.",
			hint: "Try again in a moment. The program's log tells what happened.",
		}
	}
	a := &answer{status: told.status}
	if strings.HasSuffix(r.URL.Path, ".json") {
		a.mime = jsonType
		a.raw, err = encode(struct {
			Error string `json:"error"`
			Hint  string `json:"hint,omitempty"`
		}{told.text, told.hint})
	} else {
		a.mime = "text/html; charset=utf-8"
		a.raw, err = render(&answer{page: "problem", title: told.title, body: problemView{told.title, told.text, told.hint}})
	}
	if err != nil {
		p.Log.Error("page about an error failed", "path", r.URL.Path, "error", err)
		plain(w, http.StatusInternalServerError, "Something went wrong. The program's log tells what.\n")
		return
	}
	write(w, a)
}

func write(w http.ResponseWriter, a *answer) {
	h := w.Header()
	if a.mime != "" {
		h.Set("Content-Type", a.mime)
	}
	if a.file != "" {
		h.Set("Content-Disposition", `attachment; filename="`+a.file+`"`)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(a.raw)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.raw) // nobody is left to tell
}

// problemView is the page about a problem.
type problemView struct{ Title, Text, Hint string }

func nothingHere(*http.Request) (*answer, error) {
	return nil, &problem{
		status: http.StatusNotFound, title: "No such page", text: "The archive has no page at this address.",
		hint: "The list of posts leads to everything that is kept.",
	}
}

//go:embed templates/*.html
var templateFiles embed.FS

// The templates are part of the program: a fault in them is a fault of the program, found by every test.
var templates = mustTemplates("home", "post", "repairs", "outcomes", "links", "schedules", "run", "audit", "status", "attempt", "capture", "search", "cite", "problem")

func mustTemplates(names ...string) map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, n := range names {
		t := template.New(n).Funcs(template.FuncMap{"pair": pair})
		out[n] = template.Must(t.ParseFS(templateFiles, "templates/frame.html", "templates/file.html", "templates/"+n+".html"))
	}
	return out
}

// addressView is an address as it is shown, and as it is linked to if it may be.
type addressView struct{ URL, Live string }

func pair(shown, live string) addressView { return addressView{shown, live} }

// render makes the whole page before a byte of it is sent, so that a fault never leaves half a page.
func render(a *answer) ([]byte, error) {
	var b bytes.Buffer
	err := templates[a.page].ExecuteTemplate(&b, "frame", struct {
		Title, Style, Script string
		Follow               int
		Body                 any
	}{a.title, stylePath, a.script, a.follow, a.body})
	return b.Bytes(), err
}
