package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/archive/fulltext"
	"linkstead/archive/replay"
	"linkstead/archive/report"
	"linkstead/cmd/linkstead/web"
	"linkstead/configs"
)

// places are the flags that say where the archive is to be seen.
type places struct {
	Listen       *string `help:"Where the archive's pages are served (default 127.0.0.1:8080)." placeholder:"HOST:PORT"`
	Origin       *string `help:"How a browser names the pages' address (default http://, and that address)." placeholder:"ORIGIN"`
	ReplayListen *string `help:"Where the copies are served (default 127.0.0.1:8081)." placeholder:"HOST:PORT"`
	ReplayOrigin *string `help:"How a browser names the copies' address (default http://*.replay.localhost:8081: each archived site has a host below it)." placeholder:"ORIGIN"`
	OneOrigin    *bool   `name:"insecure-one-origin" help:"INSECURE: pages and copies on one address and origin, where the scripts of archived pages can read and do what you can."`
}

func (p *places) overlay(cfg *configs.Config) {
	set(&cfg.Serve.Listen, p.Listen)
	set(&cfg.Serve.PagesOrigin, p.Origin)
	set(&cfg.Serve.ReplayListen, p.ReplayListen)
	set(&cfg.Serve.ReplayOrigin, p.ReplayOrigin)
	set(&cfg.Serve.OneOrigin, p.OneOrigin)
}

// serveCmd serves the archive.
type serveCmd struct {
	Collection *string `help:"Collection to replay."`
	Workers    int     `help:"Crawlers that work captures off beside serving; 0: none." default:"1" placeholder:"N"`
	NoRules    bool    `name:"no-access-rules" help:"Show what access rules keep from readers, too: for the archivist, on loopback addresses alone."`
	places
}

func (c *serveCmd) run(ctx context.Context, e *env) (err error) {
	c.overlay(&e.cfg)
	set(&e.cfg.Collection, c.Collection)
	if c.Workers < 0 || c.Workers > maxWorkers {
		return usageError{fmt.Errorf("--workers %d: use 0 to %d", c.Workers, maxWorkers)}
	}
	if e.unruled = c.NoRules; c.NoRules {
		if err := alone(e.cfg.Serve); err != nil {
			return err
		}
	}
	e.patience, e.crawlers = readerPatience, c.Workers
	if err := e.usable(); err != nil && c.Workers > 0 { // before anything is served
		return err
	}
	s, err := e.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	h := &health{s: s}
	stop, err := e.serve(ctx, s, h)
	if err != nil {
		return err
	}
	if c.Workers > 0 {
		e.workAlong(ctx, h, c.Workers)
	}
	<-ctx.Done()
	return stop()
}

const (
	// maxWorkers bounds --workers: beyond it, more machines do more.
	maxWorkers = 64
	// readerPatience is for how long a page waits for a database that is away.
	readerPatience = 2 * time.Second
)

// serve starts serving, and returns what waits for its end, which comes with ctx's.
func (e *env) serve(ctx context.Context, s *store, health *health) (wait func() error, err error) {
	v := e.cfg.Serve
	pages := &web.Pages{Rows: s.db, Schedules: s.db, Runs: s.db, Status: s.db, Attempts: s.db, Evidence: s.lib, Collection: s.db.Collection, Reports: e.reports(s), Replay: v.Origin(), Listen: v.Listen, Now: e.now, Log: e.log}
	pages.Search, pages.SearchIn = &fulltext.Finder{Texts: s.db, Captures: s.db}, e.cfg.Collection
	pages.Lives = s.lives(e)
	pages.Hosts = []string{strings.TrimPrefix(strings.TrimPrefix(v.Pages(), "http://"), "https://")}
	pages.Citations, pages.CitedCollection = e.desk(s), e.cfg.Collection
	past := &replay.Handler{
		Collection: e.cfg.Collection, Origin: v.Origin(), Mode: modeOf(v), Pages: v.Pages(), Evidence: report.AttemptPath,
		Now: e.now, Log: e.log,
	}
	e.forReaders(s, past)
	if err := e.replaySettings(past); err != nil {
		return nil, err
	}
	e.captureNow(s, pages, past)
	e.mendNow(s, pages)
	e.exportNow(s, pages)
	var g errgroup.Group
	ctx, cancel := context.WithCancel(ctx)
	servers := []listener{{v.Listen, "--listen", health.over(pages.Handler())}, {v.ReplayListen, "--replay-listen", e.forReadersOfLinks(s, past, past)}}
	if v.OneOrigin {
		e.log.Warn("pages and copies share one origin: the scripts of archived pages can read and do what you can", "origin", v.Pages())
		servers = []listener{{v.Listen, "--listen", e.forReadersOfLinks(s, past, together(servers[0].h, past))}}
	}
	for _, srv := range servers {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", srv.addr)
		if err != nil {
			cancel()
			return nil, errors.Join(listenError(srv.addr, srv.flag, err), g.Wait())
		}
		g.Go(func() error { return serveOn(ctx, l, srv.h, e.log) })
	}
	fmt.Fprintf(e.stderr, "The archive's pages: %s/\nIts copies:          %s/\n", v.Pages(), v.Origin())
	return func() error { defer cancel(); return g.Wait() }, nil
}

// listener is a handler and where it is served.
type listener struct {
	addr, flag string
	h          http.Handler
}

// modeOf tells how archived sites are kept apart.
func modeOf(v configs.Serve) replay.Mode {
	switch {
	case v.OneOrigin:
		return replay.Shared
	case v.PerSite():
		return replay.PerSite
	}
	return replay.OneHost
}

// together serves pages and copies on one origin.
func together(pages http.Handler, past *replay.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if past.Claims(r) {
			past.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// listenError says what is wrong with the address that a flag names, without the words of the network stack around it.
func listenError(addr, flag string, err error) error {
	var reason syscall.Errno
	if errors.As(err, &reason) {
		err = reason
	}
	if reason == syscall.EADDRINUSE {
		return fmt.Errorf("listen on %s: %w\nAnother program listens there: choose another address with %s", addr, err, flag)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

// serveOn serves on l until ctx ends; requests under way may finish.
func serveOn(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-ended
	return err
}
