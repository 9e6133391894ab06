package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"linkstead/archive/bibliography"
	"linkstead/archive/cite"
	"linkstead/archive/fulltext"
	"linkstead/archive/guard"
	"linkstead/archive/link"
	"linkstead/archive/replay"
	"linkstead/archive/resolve"
	"linkstead/configs"
	otherarchives "linkstead/crawler/elsewhere"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// resolver answers readers who meet a link, under the access rules unless whoever reads is the archivist.
func (e *env) resolver(s *store) *resolve.Resolver {
	readers := &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}
	r := &resolve.Resolver{Links: s.db, Index: readers, Access: readers, Memento: e.mementoURL, About: e.aboutURL, Now: e.now, Log: e.log}
	past, rules := s.linkPast(), linkRules(&e.cfg.Verdicts)
	if s.blobs == nil {
		past.Library = nil
	}
	r.Life = func(ctx context.Context, l storage.Link) (link.State, error) { return past.State(ctx, l, rules) }
	r.Quoted = quotedIn(s)
	if e.unruled {
		r.Index, r.Access = s.db, nil
	}
	if asker := e.asker(); asker != nil {
		r.Others = others{asker, e.log}
	}
	return r
}

// readAtOnce bounds the documents in which quotations are looked for at a time.
const readAtOnce = 2

// quotedIn tells whether copies have quotations.
func quotedIn(s *store) func(ctx context.Context, c storage.Capture, quotes []string) (link.Answer, error) {
	in := &fulltext.Reader{Texts: s.db, Room: make(chan struct{}, readAtOnce)}
	if s.lib != nil && s.blobs != nil {
		in.Library = s.lib
	}
	return func(ctx context.Context, c storage.Capture, quotes []string) (link.Answer, error) {
		holds, known, err := in.Holds(ctx, c, quotes)
		switch {
		case err != nil || !known:
			return link.Unasked, err
		case holds:
			return link.Yes, nil
		}
		return link.No, nil
	}
}

// mementoURL is the address of a copy.
func (e *env) mementoURL(c storage.Capture) string {
	return e.cfg.Serve.Origin() + "/" + e.pathName(c.Collection) + "/" + c.At.UTC().Format("20060102150405") + "/" + c.URL
}

// pathName is a collection's name in paths.
func (e *env) pathName(collection string) string {
	if collection == e.cfg.Collection {
		return "web"
	}
	return collection
}

// aboutURL is the address of the page that explains what is known of a link.
func (e *env) aboutURL(q resolve.Question) string {
	v := url.Values{"url": {q.URL}, "format": {"html"}}
	if q.At.Known() {
		v.Set("at", q.At.ISO())
		if !q.At.At.IsZero() {
			v.Set("at", q.At.At.Format(time.RFC3339))
		}
	}
	if q.Quote != "" {
		v.Set("quote", q.Quote)
	}
	if q.Collection != e.cfg.Collection {
		v.Set("collection", q.Collection)
	}
	return e.cfg.Serve.Origin() + resolve.Path + "?" + v.Encode()
}

// asker asks other archives; nil if none is named.
func (e *env) asker() *otherarchives.Asker {
	named, _ := configs.AskedOf(e.cfg.Readers.Ask) // the settings were checked
	if len(named) == 0 {
		return nil
	}
	a := &otherarchives.Asker{Timeout: time.Duration(e.cfg.Readers.AskTimeout), Keep: time.Duration(e.cfg.Readers.AskKeep), Agent: e.cfg.Agent(version), Now: e.now}
	for _, n := range named {
		a.Archives = append(a.Archives, otherarchives.Archive{Name: n.Name, Kind: n.Kind, URL: n.URL})
	}
	a.Client = plainClient(recorder(e.cfg, os.TempDir(), scope.Spec{AllowPrivate: e.cfg.AllowPrivate}))
	return a
}

// plainClient makes requests that are not recorded, over connections that the guard lets through. It follows no redirects.
func plainClient(rec *fetch.Recorder) *http.Client {
	t := &http.Transport{DialContext: rec.Dial, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// named tells what short identifiers name.
func (e *env) named(s *store) func(ctx context.Context, id string) (resolve.Named, error) {
	desk := e.desk(s)
	return func(ctx context.Context, typed string) (out resolve.Named, err error) {
		id, err := cite.ParseID(typed)
		if err != nil {
			return out, fmt.Errorf("%w: %w", resolve.ErrNoName, err)
		}
		n, err := desk.Find(ctx, id)
		if errors.Is(err, bibliography.ErrUnknown) {
			return out, resolve.ErrNoName
		}
		if err != nil {
			return out, err
		}
		out.Collection, out.At = n.Collection, cite.DateOf(n.At)
		switch n.What {
		case bibliography.OfCapture:
			var c storage.Capture
			c, err = s.db.Moved(ctx, storage.Capture{Collection: n.Collection, URLKey: n.Key, At: n.At, RecordID: n.Record})
			out.URL = c.URL
		case bibliography.OfAttempt:
			var a storage.Attempt
			a, err = s.db.AttemptBy(ctx, n.Record)
			out.URL = a.URL
		default:
			var versions []storage.Post
			if versions, err = s.db.PostVersions(ctx, n.Post); err == nil && len(versions) == 0 {
				err = storage.ErrNotFound
			}
			if err == nil {
				p := versions[0]
				out.URL, out.To = p.URL, e.mementoURL(storage.Capture{Collection: p.Collection, URL: p.URL, At: p.At})
			}
		}
		if errors.Is(err, storage.ErrNotFound) {
			return resolve.Named{Gone: true}, nil
		}
		return out, err
	}
}

// others asks other archives, and tells the log of those that don't answer.
type others struct {
	asker *otherarchives.Asker
	log   *slog.Logger
}

// Near implements resolve.Others.
func (o others) Near(ctx context.Context, of string, at time.Time) []resolve.Version {
	copies, faults := o.asker.Near(ctx, of, at)
	for _, f := range faults {
		if ctx.Err() == nil {
			o.log.Warn("another archive told nothing", "archive", f.Archive, "url", of, "error", f.Err)
		}
	}
	out := make([]resolve.Version, len(copies))
	for i, c := range copies {
		out[i] = resolve.Version{URL: c.URL, At: c.At, Archive: c.Archive, Quoted: link.Unasked}
	}
	return out
}

// forReadersOfLinks answers /resolve and linkstead.js on the copies' own host, and hands all else on.
func (e *env) forReadersOfLinks(s *store, past *replay.Handler, next http.Handler) http.Handler {
	h := &resolve.Handler{
		Resolver: e.resolver(s), Collection: e.cfg.Collection, Sites: e.cfg.Readers.Sites,
		Served: func(r *http.Request, name string) (bool, error) { return past.Collections(r.Context(), name) },
		Named:  e.named(s),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if resolve.Claims(r) && past.Home(r.Host) {
			h.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
