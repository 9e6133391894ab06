package crawler_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
)

const rules = "User-agent: *\nDisallow: /no\n"

// TestRobotsPolicy: what robots.txt means to a run. It is asked for once a run and origin, and archived.
func TestRobotsPolicy(t *testing.T) {
	t.Parallel()
	for policy, want := range map[scope.Policy]string{
		scope.RobotsObey:   "post.test/ post.test/robots.txt a.test/robots.txt a.test/yes a.test/also",
		scope.RobotsRecord: "post.test/ post.test/robots.txt a.test/robots.txt a.test/yes a.test/also a.test/no",
		scope.RobotsIgnore: "post.test/ a.test/yes a.test/also a.test/no",
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("post.test/", `<article><a href="{a.test/yes}">1</a><a href="{a.test/no}">2</a><a href="{a.test/also}">3</a></article>`)
			w.page("a.test/robots.txt", "text/plain", rules)
			n := newNode(t, archive(t))
			n.Hold = time.Millisecond // the rules are read again with each lease, out of the archive
			s := w.spec("post.test/", "a.test")
			s.Robots, s.PerHost = policy, 4
			n.capture(s)
			w.expect(t, strings.Fields(want)...)
			switch policy {
			case scope.RobotsObey:
				if a := failure(n, w.at("a.test/no")); a.Outcome != string(outcome.Robots) || !strings.Contains(a.Detail, "Disallow: /no") {
					t.Errorf("forbidden, it ended as %+v", a)
				}
				capture(n, w.at("a.test/robots.txt"))
			case scope.RobotsRecord:
				if notes := n.closing(w.at("a.test/no")).Notes; len(notes) != 1 || !strings.Contains(notes[0], "Disallow: /no") {
					t.Errorf("fetched all the same, with the notes %q", notes)
				}
				capture(n, w.at("a.test/robots.txt"))
			}
			s.Exclude = []string{"another run"}
			n.capture(s)
			if got := w.hits()["a.test/robots.txt"]; policy != scope.RobotsIgnore && got != 2 {
				t.Errorf("two runs asked for robots.txt %d times", got)
			}
		})
	}
}

// TestRobotsElsewhere: a robots.txt that redirects to another host is that host's task, and rules all the same.
func TestRobotsElsewhere(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<article><a href="{a.test/yes}">1</a><a href="{a.test/no}">2</a><a href="{b.test/no}">3</a></article>`)
	w.status("a.test/robots.txt", 301, "Location", "{b.test/rules}")
	w.status("b.test/rules", 302, "Location", "{a.test/rules}")
	w.page("a.test/rules", "text/plain", rules)
	w.status("b.test/robots.txt", 302, "Location", "{b.test/robots.txt?}")
	for i := range 7 { // over five redirects there is no robots.txt
		w.status("b.test/robots.txt?"+strings.Repeat("x", i), 302, "Location", "{b.test/robots.txt?"+strings.Repeat("x", i+1)+"}")
	}
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "a.test", "b.test")
	s.Robots = scope.RobotsObey
	n.capture(s)
	w.expect(t, "post.test/", "post.test/robots.txt", "a.test/robots.txt", "b.test/rules", "a.test/rules", "a.test/yes", "b.test/no",
		"b.test/robots.txt", "b.test/robots.txt?", "b.test/robots.txt?x", "b.test/robots.txt?xx", "b.test/robots.txt?xxx",
		"b.test/robots.txt?xxxx")
}

// TestRobotsFails: what befalls robots.txt befalls the links of its host, with its detail.
func TestRobotsFails(t *testing.T) {
	t.Parallel()
	hangUp := func(rw http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		robots  http.HandlerFunc
		link    string
		outcome outcome.Outcome
		detail  string
	}{
		"5xx":     {status(503), "a.test/", outcome.RobotsError, "503"},
		"429":     {status(429), "a.test/", outcome.RobotsError, "429"},
		"404":     {status(404), "a.test/", outcome.Captured, ""},
		"empty":   {hangUp, "a.test/", outcome.Empty, "without a reply"},
		"refused": {status(200), "http://down.test:1/", outcome.Refused, "down.test"},
		"dns":     {status(200), "http://unknown.invalid/", outcome.DNS, "unknown.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			link := c.link
			if !strings.HasPrefix(link, "http") {
				link = w.at(link)
			}
			w.html("post.test/", `<article><a href="`+link+`x">1</a><a href="`+link+`y">2</a></article>`)
			w.set("a.test/robots.txt", c.robots)
			n := newNode(t, archive(t))
			s := w.spec("post.test/", "a.test", "down.test")
			s.Resolve = append(s.Resolve, "down.test:1:127.0.0.1")
			s.Robots, s.Retries = scope.RobotsObey, 1
			r := n.capture(s)
			for _, u := range []string{link + "x", link + "y"} {
				task, err := n.db.Task(t.Context(), urlkey.Host(u), r.ID, urlkey.ID(u))
				if err != nil || task.Outcome != string(c.outcome) || task.Attempts != 1 {
					t.Errorf("%s ended as %+v, %v; want %s", u, task, err, c.outcome)
				}
				if c.outcome == outcome.Captured {
					continue
				}
				if a := failure(n, u); !strings.Contains(a.Detail, c.detail) {
					t.Errorf("%s: detail %q, want %q in it", u, a.Detail, c.detail)
				}
				if got := w.hits()["a.test/x"]; got != 0 {
					t.Errorf("it was asked for all the same")
				}
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }
}

// TestCrawlDelay: the site's own pause counts if it is longer, from robots.txt on and across leases.
func TestCrawlDelay(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]time.Duration{"held": 15 * time.Second, "handed back": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			album(w, "a.test", 3)
			w.page("a.test/robots.txt", "text/plain", "User-agent: linkstead\nCrawl-delay: 0.2\n")
			n := newNode(t, archive(t))
			n.Hold = hold
			s := w.spec("a.test/")
			s.Robots, s.DelayMS = scope.RobotsObey, 10
			n.capture(s)
			if hold < time.Second { // given back right after robots.txt, the wish is not known yet
				w.mu.Lock()
				w.visits = w.visits[1:]
				w.mu.Unlock()
			}
			w.polite(t, "a.test", 200*time.Millisecond)
		})
	}
}
