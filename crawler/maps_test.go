package crawler_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
)

// zipped serves a text as a gzip file.
func (w *web) zipped(hostPath, text string) {
	w.set(hostPath, func(rw http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(w.fill(text)))
		_ = z.Close()
		rw.Header().Set("Content-Type", "application/gzip")
		_, _ = rw.Write(b.Bytes())
	})
}

// TestMaps: a crawl of a site has the pages that only its sitemaps and feeds name, as far as they are in scope and near enough,
// and says of a sitemap that can't be read why.
func TestMaps(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.page("s.test/robots.txt", "text/plain", "User-agent: *\nDisallow: /hidden\nSitemap: {s.test/index.xml.gz}\nsitemap: /list.txt\nSitemap: {s.test/broken.xml}\nSitemap: mailto:x\n")
	w.html("s.test/", `<link rel="alternate" type="application/atom+xml" href="/feed"><a href="/linked">linked</a>`)
	w.html("s.test/linked", `<link rel="alternate" type="application/feed+json" href="/more.json">`)
	w.zipped("s.test/index.xml.gz", `<sitemapindex><sitemap><loc>{s.test/one.xml.gz}</loc></sitemap></sitemapindex>`)
	w.zipped("s.test/one.xml.gz", `<urlset><url><loc>{s.test/mapped}</loc></url><url><loc>{far.test/}</loc></url><url><loc>{s.test/hidden}</loc></url>
		<url><loc>{s.test/linked}</loc></url></urlset>`)
	w.page("s.test/list.txt", "text/plain", "{s.test/in-a-text}\nno address\n")
	w.page("s.test/broken.xml", "application/xml", "<html>")
	w.page("s.test/sitemap.xml", "application/xml", `<urlset><url><loc>{s.test/guessed}</loc></url></urlset>`)
	w.page("s.test/feed", "application/atom+xml", `<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="{s.test/in-the-feed}"/></entry></feed>`)
	w.page("s.test/more.json", "application/feed+json", `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"`+w.at("s.test/in-json")+`"}]}`)
	for _, p := range []string{"mapped", "in-a-text", "guessed", "in-the-feed", "in-json"} {
		w.html("s.test/"+p, `<a href="/`+p+`/next">next</a>`)
	}
	n := newNode(t, archive(t))
	s := w.spec("s.test/", "far.test")
	s.Depth, s.Robots = 2, scope.RobotsObey
	n.capture(s)
	near := []string{"s.test/robots.txt", "s.test/", "s.test/linked", "s.test/index.xml.gz", "s.test/one.xml.gz", "s.test/list.txt", "s.test/broken.xml",
		"s.test/sitemap.xml", "s.test/feed", "s.test/mapped", "s.test/in-a-text", "s.test/guessed", "s.test/in-the-feed"}
	w.expect(t, near...)
	if c := capture(n, w.at("s.test/one.xml.gz")); c.Status != 200 || c.Mime != "application/gzip" {
		t.Errorf("a sitemap is captured as %+v", c)
	}
	if notes := n.closing(w.at("s.test/broken.xml")).Notes; len(notes) != 1 || !strings.Contains(notes[0], "the sitemap can't be read") {
		t.Errorf("notes of a sitemap that can't be read: %q", notes)
	}
	if notes := n.closing(w.at("s.test/robots.txt")).Notes; len(notes) != 1 || !strings.Contains(notes[0], `"mailto:x"`) {
		t.Errorf("notes of robots.txt: %q", notes)
	}
	if task, err := n.db.Task(t.Context(), "s.test:"+w.port, 1, urlkey.PageID(w.at("s.test/mapped"))); err != nil || task.Depth != 2 || task.Hops != "PNNM" || task.Via != w.at("s.test/one.xml.gz") {
		t.Errorf("an entry is the task %+v, %v", task, err)
	}
	for _, c := range []struct {
		name   string
		change func(*scope.Spec)
		want   []string
	}{
		{"a hop further", func(s *scope.Spec) { s.Depth = 3 }, append(near, "s.test/more.json", "s.test/in-json", "s.test/mapped/next", "s.test/in-a-text/next",
			"s.test/guessed/next", "s.test/in-the-feed/next")},
		{"not asked for", func(s *scope.Spec) { s.Sitemaps = scope.MapsLeave }, []string{"s.test/robots.txt", "s.test/", "s.test/linked"}},
		{"without robots.txt", func(s *scope.Spec) { s.Robots = scope.RobotsIgnore },
			[]string{"s.test/", "s.test/linked", "s.test/sitemap.xml", "s.test/feed", "s.test/guessed", "s.test/in-the-feed"}},
		{"few", func(s *scope.Spec) { s.Traps.Lists = 2 }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.mu.Lock()
			w.visits = nil
			w.mu.Unlock()
			n := newNode(t, archive(t))
			s := s
			c.change(&s)
			n.capture(s)
			if c.want != nil {
				w.expect(t, c.want...)
				return
			}
			hits := w.hits()
			if k := hits["s.test/index.xml.gz"] + hits["s.test/list.txt"] + hits["s.test/broken.xml"] + hits["s.test/sitemap.xml"] + hits["s.test/feed"] + hits["s.test/one.xml.gz"]; k != 2 {
				t.Errorf("%d sitemaps and feeds, want 2", k)
			}
		})
	}
}
