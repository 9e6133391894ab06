package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"linkstead/archive/replay"
	"linkstead/archive/urlkey"
	"linkstead/cmd/linkstead/web"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// captureNow lets a person at this machine capture what the archive lacks, by a form on its own pages. Where these share their
// origin with the copies, nobody may: an archived script could send the form.
func (e *env) captureNow(s *store, pages *web.Pages, past *replay.Handler) {
	home := e.cfg.Serve.Pages()
	_, host, _ := strings.Cut(home, "://")
	if e.cfg.Serve.OneOrigin || !e.cfg.Serve.CaptureNow || !web.LoopbackHost(host) {
		return
	}
	pages.Capture = func(ctx context.Context, collection, source string) (int64, error) {
		return e.begin(ctx, s, collection, source)
	}
	past.CaptureNow = func(r *http.Request, collection, source string) string {
		if !web.Local(r) || !urlkey.Fetchable(source) {
			return ""
		}
		return home + web.CapturePath + "?" + url.Values{"url": {source}, "collection": {collection}}.Encode()
	}
}

// begin begins a run as 'linkstead capture --detach' does: whoever works on the archive sees it through.
func (e *env) begin(ctx context.Context, s *store, collection, source string) (int64, error) {
	cfg := e.cfg
	if collection != "" && collection != cfg.Collection {
		_, err := s.db.Collection(ctx, collection)
		if errors.Is(err, storage.ErrNotFound) {
			return 0, &web.Refused{Text: fmt.Sprintf("The archive has no collection %q.", collection)}
		}
		if err != nil {
			return 0, err
		}
		cfg.Collection = collection
	}
	c := &captureCmd{}
	j := &job{spec: c.spec(cfg, source)}
	var err error
	if j.spec.Cookies, err = cookies(cfg.Cookies); err != nil {
		return 0, err
	}
	about, err := s.about(ctx, cfg.Collection)
	if err != nil {
		return 0, err
	}
	if err := inherit(&j.spec, about); err != nil {
		return 0, err
	}
	if cfg.Given("robots") {
		j.spec.Robots = scope.Policy(cfg.Robots)
	}
	if _, err := j.spec.Compile(); err != nil {
		return 0, &web.Refused{Text: err.Error()}
	}
	run, _, err := crawler.Begin(ctx, s.db, j.spec, nil, e.now())
	return run.ID, err
}
