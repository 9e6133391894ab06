package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// Where process managers and load balancers ask how a process is.
const (
	pathAlive = "/healthz" // it answers: do not restart it
	pathReady = "/readyz"  // all that it depends on answers, too: send it work
)

// What they are told.
const (
	healthy = "ok"
	unready = "not ready: "
)

// health tells how a process is: alive, and ready or not. It tells no more than the names of its parts: who asks may be
// anybody.
type health struct {
	s       *store
	journal atomic.Pointer[warc.Journal] // of the worker, if there is one just now
}

// readyWithin bounds the time in which the parts must answer.
const readyWithin = 3 * time.Second

// over answers the questions about health, whatever host they are addressed to, and leaves the rest to next.
func (h *health) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case pathAlive:
			answerHealth(w, r, nil)
		case pathReady:
			answerHealth(w, r, h.unready(r.Context()))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func answerHealth(w http.ResponseWriter, r *http.Request, reasons []string) {
	head := w.Header()
	head.Set("Content-Type", "text/plain; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	text, status := healthy+"\n", http.StatusOK
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		text, status = "ask with GET\n", http.StatusMethodNotAllowed
	case len(reasons) > 0:
		text, status = unready+strings.Join(reasons, ", ")+"\n", http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, text) // nobody is left to tell
	}
}

// unready names what stands in the way of work.
func (h *health) unready(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var database, blobs string
	var asking sync.WaitGroup
	asking.Go(func() {
		if err := h.s.db.Ready(ctx); errors.Is(err, storage.ErrSchema) {
			database = "the database has another schema"
		} else if err != nil {
			database = "the database does not answer"
		}
	})
	asking.Go(func() {
		if _, err := h.s.blobs.Stat(ctx, warc.KeyPrefix+"health"); err != nil && !errors.Is(err, storage.ErrNotFound) {
			blobs = "the store does not answer"
		}
	})
	asking.Wait()
	spool := ""
	if j := h.journal.Load(); j != nil {
		if room, err := j.Room(); err != nil {
			spool = "the worker has stopped"
		} else if !room {
			spool = "the spool is full"
		}
	}
	var out []string
	for _, reason := range []string{database, blobs, spool} {
		if reason != "" {
			out = append(out, reason)
		}
	}
	return out
}

// listen answers on addr until ctx ends. wait returns when that is over.
func (h *health) listen(ctx context.Context, e *env, addr string) (wait func() error, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, listenError(addr, "--listen", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serveOn(ctx, l, h.over(http.NotFoundHandler()), e.log) }()
	return func() error { return <-ended }, nil
}
