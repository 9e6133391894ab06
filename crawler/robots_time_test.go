package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// TestRobotsOnceMore: one fault of a robots.txt, whatever it is, costs a second request, and no host.
func TestRobotsOnceMore(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]http.HandlerFunc{
		"503":   status(503),
		"500":   status(500),
		"429":   status(429),
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("post.test/", `<article><a href="{a.test/yes}">1</a><a href="{a.test/no}">2</a></article>`)
			var n atomic.Int32
			w.set("a.test/robots.txt", func(rw http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 1 {
					fault(rw, r)
					return
				}
				fmt.Fprint(rw, rules)
			})
			w.html("a.test/yes", "yes")
			node := newNode(t, archive(t))
			s := w.spec("post.test/", "a.test")
			s.Robots, s.Retries = scope.RobotsObey, 2
			r := node.capture(s)
			if h := w.hits(); h["a.test/robots.txt"] != 2 || h["a.test/yes"] != 1 || h["a.test/no"] != 0 {
				t.Errorf("asked for %v", h)
			}
			node.ended(r, w.at("a.test/yes"), outcome.Captured)
			node.ended(r, w.at("a.test/no"), outcome.Robots)
		})
	}
}

// ended checks how a task of a run ended.
func (n *node) ended(r storage.Run, url string, want outcome.Outcome) {
	n.t.Helper()
	task, err := n.db.Task(n.t.Context(), urlkey.Host(url), r.ID, urlkey.ID(url))
	if err != nil || task.Outcome != string(want) {
		n.t.Errorf("%s ended as %q, %v; want %s", url, task.Outcome, err, want)
	}
}

// TestRobotsDayByDay: a run that goes on for longer than a day asks for robots.txt again, and obeys what it says then.
func TestRobotsDayByDay(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("post.test/", `<article><a href="{a.test/early}">1</a></article>`)
	w.page("a.test/robots.txt", "text/plain", "User-agent: *\nAllow: /\n")
	w.html("a.test/early", "early")
	n := newNode(t, archive(t), timed(c))
	s := w.spec("post.test/", "a.test")
	s.Robots = scope.RobotsObey
	r := n.begin(s)
	late := w.at("a.test/late")
	_, err := n.db.Enqueue(t.Context(), []storage.Task{{
		Host: urlkey.Host(late), Run: r.ID, ID: urlkey.ID(late), URL: late, Kind: "page", Depth: 1, Hops: "L",
		Due: n.Now().Add(25 * time.Hour).UnixMilli(),
	}})
	must(t, err)
	must(t, n.Work(t.Context(), func(ctx context.Context) (bool, error) {
		tally, err := n.db.Tally(ctx, r.ID)
		return tally["pending"] == 1, err
	}))
	w.expect(t, "post.test/", "post.test/robots.txt", "a.test/robots.txt", "a.test/early")
	w.page("a.test/robots.txt", "text/plain", "User-agent: *\nDisallow: /late\n")
	c.forward(26 * time.Hour)
	n.work()
	n.done(r)
	if h := w.hits(); h["a.test/robots.txt"] != 2 || h["a.test/late"] != 0 {
		t.Errorf("asked for %v", h)
	}
	n.ended(r, late, outcome.Robots)
}

// TestRobotsForsaken: a robots.txt that has been out of reach for thirty days, as far as the archive knows, counts as not
// being there; until it is.
func TestRobotsForsaken(t *testing.T) {
	t.Parallel()
	w, c := newWeb(t), &turned{}
	w.html("post.test/", `<article><a href="{a.test/no}">1</a></article>`)
	w.html("a.test/no", "no")
	n := newNode(t, archive(t), timed(c))
	recorder := n.Recorder
	n.Recorder = func(s scope.Spec) *fetch.Recorder {
		r := recorder(s)
		r.Now = c.now
		return r
	}
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	const day = 24 * time.Hour
	for i, step := range []struct {
		later  time.Duration
		robots http.HandlerFunc
		want   outcome.Outcome
	}{
		{0, status(404), outcome.Captured},
		{day, status(503), outcome.RobotsError}, // from now on
		{28 * day, hangUp, outcome.Empty},
		{day, status(500), outcome.RobotsError},
		{day + time.Hour, status(429), outcome.Captured},
		{day, hangUp, outcome.Captured},
		{day, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, rules) }, outcome.Robots},
		{day, status(503), outcome.RobotsError},
	} {
		c.forward(step.later)
		w.set("a.test/robots.txt", step.robots)
		s := w.spec("post.test/", "a.test")
		s.Robots, s.Retries, s.Exclude = scope.RobotsObey, 0, []string{fmt.Sprint("no such thing ", i)}
		r := n.beginAt(s, c.now())
		n.work()
		n.done(r)
		n.ended(r, w.at("a.test/no"), step.want)
	}
	var notes []string
	for _, x := range n.closings()[w.at("a.test/no")] {
		notes = append(notes, x.Notes...)
	}
	if len(notes) != 2 || !strings.Contains(notes[0], "robots.txt has been out of reach since") {
		t.Errorf("the exchanges are noted with %q", notes)
	}
}
