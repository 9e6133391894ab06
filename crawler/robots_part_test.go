package crawler_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
)

// raw answers with bytes as they are, and closes.
func raw(response string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte(response)) // whoever asked may have gone
		_ = c.Close()
	}
}

// TestRobotsInPart: a robots.txt of which the end is missing, or which can't be read, is tried again and then forbids all; it is
// never taken for one that allows what its lines don't forbid.
func TestRobotsInPart(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write([]byte("User-agent: *\nDisallow: /\n"))
	must(t, err)
	must(t, z.Close())
	const some = "User-agent: *\nAllow: /pub\n"
	for name, c := range map[string]struct{ answer, detail string }{
		"cut":     {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 200\r\n\r\n" + some, "in part"},
		"chunks":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n" + some + "\r\nZZ\r\nDisallow: /\n", "in part"},
		"gzip":    {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n" + zipped.String()[:30], "encoding"},
		"brotli":  {"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 26\r\n\r\nUser-agent: *\nDisallow: /\n", "encoding"},
		"unknown": {"HTTP/1.1 200 OK\r\nContent-Encoding: x-foo\r\nContent-Length: 26\r\n\r\nUser-agent: *\nDisallow: /\n", "encoding"},
		"206":     {"HTTP/1.1 206 Partial Content\r\nContent-Length: 13\r\n\r\nUser-agent: *", "206"},
		"304":     {"HTTP/1.1 304 Not Modified\r\n\r\n", "304"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("post.test/", `<article><a href="{a.test/x}">1</a></article>`)
			w.set("a.test/robots.txt", raw(c.answer))
			n := newNode(t, archive(t))
			n.Hold = time.Millisecond
			s := w.spec("post.test/", "a.test")
			s.Robots, s.Retries = scope.RobotsObey, 1
			n.capture(s)
			if a := failure(n, w.at("a.test/x")); a.Outcome != string(outcome.RobotsError) || !strings.Contains(a.Detail, c.detail) {
				t.Errorf("the link ended as %+v", a)
			}
			if got := w.hits(); got["a.test/robots.txt"] != 2 || got["a.test/x"] != 0 {
				t.Errorf("asked for %v", got)
			}
		})
	}
}

// TestRobotsTooLong: of a robots.txt without an end little more is fetched than counts, and what counts rules.
func TestRobotsTooLong(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<article><a href="{a.test/yes}">1</a><a href="{a.test/no}">2</a></article>`)
	w.html("a.test/yes", "yes")
	w.set("a.test/robots.txt", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", strconv.Itoa(1<<30))
		_, _ = rw.Write([]byte(rules))
		for line := []byte(strings.Repeat("# a comment\n", 1000)); ; {
			if _, err := rw.Write(line); err != nil {
				return
			}
		}
	})
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "a.test")
	s.Robots = scope.RobotsObey
	n.capture(s)
	if c := capture(n, w.at("a.test/robots.txt")); c.Outcome != string(outcome.TooLong) || c.Kind != warc.KindTruncated || c.Size < robots.MaxBody || c.Size > 2*robots.MaxBody {
		t.Errorf("robots.txt was kept as %+v", c)
	}
	capture(n, w.at("a.test/yes"))
	if a := failure(n, w.at("a.test/no")); a.Outcome != string(outcome.Robots) {
		t.Errorf("forbidden, it ended as %+v", a)
	}
	w.expect(t, "post.test/", "post.test/robots.txt", "a.test/robots.txt", "a.test/yes")
}
