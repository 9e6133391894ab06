package crawler_test

import (
	"net/http"
	"strings"
	"testing"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
)

// TestRobotsOfOrigins: what befalls the robots.txt of one origin befalls its own links alone, though others are looked up under
// the same key: with www, with a dot at the end of the name.
func TestRobotsOfOrigins(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.set("a.test./robots.txt", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w.status("www.a.test/robots.txt", 500)
	w.html("post.test/", `<article><a href="{a.test/x}">1</a><a href="`+w.at("a.test./x")+`">2</a><a href="{www.a.test/x}">3</a></article>`)
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "a.test.", "www.a.test")
	s.Resolve = append(s.Resolve, "a.test:"+w.port+":127.9.9.9") // nobody listens there
	s.Robots, s.Retries = scope.RobotsObey, 0
	r := n.capture(s)
	for host, want := range map[string]struct {
		outcome outcome.Outcome
		detail  string
	}{
		"a.test":     {outcome.Refused, "refused"},
		"a.test.":    {outcome.Empty, "without a reply"},
		"www.a.test": {outcome.RobotsError, "500"},
	} {
		url := w.at(host + "/x")
		task, err := n.db.Task(t.Context(), urlkey.Host(url), r.ID, urlkey.PageID(url))
		if err != nil || task.Outcome != string(want.outcome) {
			t.Errorf("%s ended as %q, %v; want %s", url, task.Outcome, err, want.outcome)
		}
		as, err := n.db.Attempts(t.Context(), "default", urlkey.Key(url))
		must(t, err)
		for _, a := range as {
			if a.URL == url && !strings.Contains(a.Detail, want.detail) {
				t.Errorf("%s: detail %q, want %q in it", url, a.Detail, want.detail)
			}
		}
	}
}
