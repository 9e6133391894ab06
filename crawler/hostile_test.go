package crawler_test

import (
	"fmt"
	"strings"
	"testing"

	"linkstead/archive/post"
	"linkstead/crawler/scope"
)

// TestTooMuch: a small page that names far more than a record can hold is captured all the same; what is over the bounds is
// noted, and the run goes on.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<article><a href="{a.test/bomb}">1</a> <a href="{a.test/after}">2</a></article>`)
	var many strings.Builder
	fmt.Fprintf(&many, `<base href="{a.test/}%s/">`, strings.Repeat("b", 8000))
	for i := range 3000 {
		fmt.Fprintf(&many, `<a href=%d>x</a>`, i)
	}
	w.html("a.test/bomb", many.String())
	w.html("a.test/after", "after")
	n := newNode(t, archive(t))
	n.done(n.capture(w.spec("post.test/", "a.test")))
	c := n.closing(w.at("a.test/bomb"))
	if len(c.Outlinks) == 0 || len(c.Outlinks) >= 3000 || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "more than can be kept") {
		t.Errorf("%d outlinks, notes %q", len(c.Outlinks), c.Notes)
	}
	capture(n, w.at("a.test/after"))
}

// TestTooManyCitations: of a post with more links than anybody cites, the first ones are kept, and rebuilt.
func TestTooManyCitations(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.page("post.test/", "text/plain", strings.Repeat("http://b.test.invalid/ ", post.MaxLinks+500))
	n := newNode(t, archive(t))
	s := w.spec("post.test/")
	s.Exclude = []string{"invalid"}
	r := n.done(n.capture(s))
	p, err := n.db.PostOf(t.Context(), r.ID)
	must(t, err)
	if len(p.Citations) != post.MaxLinks {
		t.Errorf("%d citations, want %d", len(p.Citations), post.MaxLinks)
	}
	if notes := n.closing(w.at("post.test/")).Notes; len(notes) != 1 || !strings.Contains(notes[0], "only the first") {
		t.Errorf("notes %q", notes)
	}
}

// TestRobotsLeadsNowhere: a robots.txt that redirects to what is no web address is none, and makes no task.
func TestRobotsLeadsNowhere(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<article><a href="{a.test/x}">1</a></article>`)
	w.status("a.test/robots.txt", 301, "Location", "file:///etc/passwd")
	w.html("a.test/x", "x")
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "a.test")
	s.Robots = scope.RobotsObey
	r := n.done(n.capture(s))
	capture(n, w.at("a.test/x"))
	tally, err := n.db.Tally(t.Context(), r.ID)
	must(t, err)
	if tally["bad-url"] != 0 {
		t.Errorf("tasks %v", tally)
	}
}
