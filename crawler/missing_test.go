package crawler_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// lacking are the addresses that a post lacks, without the web's port.
func (n *node) lacking(w *web, run storage.Run, spec scope.Spec, most int64) []string {
	n.t.Helper()
	post, err := n.db.PostOf(n.t.Context(), run.ID)
	must(n.t, err)
	tasks, err := crawler.Missing(n.t.Context(), n.db, run, post, spec, most)
	must(n.t, err)
	var out []string
	for _, t := range tasks {
		out = append(out, strings.TrimPrefix(strings.Replace(t.URL, ":"+w.port, "", 1), "http://"))
	}
	slices.Sort(out)
	return out
}

// TestMissing: what a run lacks, and what another rule would let in.
func TestMissing(t *testing.T) {
	w := newWeb(t)
	var links strings.Builder
	statuses := []int{200, 301, 401, 403, 404, 408, 410, 425, 429, 500, 503}
	for _, status := range statuses {
		fmt.Fprintf(&links, "<p>A paragraph with a link to <a href='{a.test/%d}'>this</a>.", status)
		w.status(fmt.Sprintf("a.test/%d", status), status, "Location", "{a.test/503}")
	}
	w.html("a.test/", "<article>"+links.String()+"<p>And more <a href='{a.test/forbidden}'>here</a> and <a href='{a.test/long}'>there</a>"+
		"<p>or <a href='{gone.test/}'>on no host</a>.<img src='{a.test/none.png}'><img src='{a.test/hung.png}'></article>")
	w.page("a.test/robots.txt", "text/plain", "User-agent: *\nDisallow: /forbidden")
	w.html("a.test/forbidden", "secret")
	w.page("a.test/long", "text/plain", strings.Repeat("long ", 3000))
	w.set("a.test/hung.png", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	n := newNode(t, archive(t), func(p *parts) { p.limits.Bytes = 9000 })
	spec := w.spec("a.test/")
	spec.Robots, spec.Retries, spec.Links = scope.RobotsObey, 0, scope.LinksAll
	run := n.capture(spec)
	always := []string{"a.test/408", "a.test/425", "a.test/429", "a.test/500", "a.test/503", "a.test/hung.png", "gone.test/"}
	if got := n.lacking(w, run, spec, 9000); !slices.Equal(got, always) {
		t.Errorf("it lacks\n %v, want\n %v", got, always)
	}
	other := spec
	other.Robots = scope.RobotsIgnore
	want := append([]string{"a.test/forbidden", "a.test/long"}, always...)
	slices.Sort(want)
	if got := n.lacking(w, run, other, 1<<20); !slices.Equal(got, want) {
		t.Errorf("with other rules it lacks\n %v, want\n %v", got, want)
	}

	// One that completes it, and is interrupted, goes on; what it has found out counts.
	w.html("a.test/503", "up again")
	w.set("a.test/429", nil)
	spec.Missing = run.ID
	post, err := n.db.PostOf(t.Context(), run.ID)
	must(t, err)
	tasks, err := crawler.Missing(t.Context(), n.db, run, post, spec, 9000)
	must(t, err)
	second, resumed, err := crawler.Complete(t.Context(), n.db, spec, tasks, n.Now())
	must(t, err)
	again, twice, err := crawler.Complete(t.Context(), n.db, spec, tasks, n.Now())
	must(t, err)
	if resumed || !twice || again.ID != second.ID {
		t.Errorf("runs %d (resumed %t) and %d (resumed %t)", second.ID, resumed, again.ID, twice)
	}
	n.work()
	n.done(second)
	want = []string{"a.test/408", "a.test/425", "a.test/500", "a.test/hung.png", "gone.test/"}
	if got := n.lacking(w, run, spec, 9000); !slices.Equal(got, want) {
		t.Errorf("after it was completed it lacks\n %v, want\n %v", got, want)
	}
	if hits := w.hits(); hits["a.test/"] != 1 || hits["a.test/404"] != 1 || hits["a.test/503"] != 2 || hits["a.test/none.png"] != 1 {
		t.Errorf("asked for %v", hits)
	}
}

// TestMissingRevisit: a revisit whose payload is lost is missing.
func TestMissingRevisit(t *testing.T) {
	w := newWeb(t)
	w.html("a.test/", "<article><p>A paragraph with a link to <a href='{a.test/1}'>one</a> and <a href='{a.test/2}'>another</a>.</article>")
	w.html("a.test/1", "the same body")
	w.html("a.test/2", "the same body")
	n := newNode(t, archive(t), func(*parts) {})
	spec := w.spec("a.test/")
	spec.Retries, spec.Links = 0, scope.LinksAll
	run := n.capture(spec)
	if got := n.lacking(w, run, spec, 1<<20); len(got) > 0 {
		t.Fatalf("it lacks %v to begin with", got)
	}
	var want []string
	for _, name := range []string{"1", "2"} {
		url := "http://a.test:" + w.port + "/" + name
		for c, err := range n.db.Captures(t.Context(), run.Collection, urlkey.Key(url)) {
			must(t, err)
			if c.Kind != warc.KindRevisit {
				continue
			}
			want = append(want, "a.test/"+name)
			segment, offset, _ := strings.Cut(c.RefersTo, "/")
			at, err := strconv.ParseInt(offset, 10, 64)
			must(t, err)
			must(t, n.db.Mend(t.Context(), &storage.Mend{Segment: segment, Drop: []storage.Spot{{Kind: storage.SpotCapture, Offset: at}},
				Audit: storage.Audit{ID: "lost", At: n.Now(), Action: warc.ActionRepair, Detail: []byte("{}")}}))
		}
	}
	if got := n.lacking(w, run, spec, 1<<20); len(want) != 1 || !slices.Equal(got, want) {
		t.Errorf("it lacks %v, want %v", got, want)
	}
}
