package crawler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// TestPost: a post with links on several hosts, and with all that each page needs to be seen again.
func TestPost(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("post.test/", `<title>A post</title><link rel="stylesheet" href="/s/main.css"><link rel="manifest" href="/app.webmanifest">
		<article><p>See <a href="{a.test/page}">one</a>, <a href="{b.test/moved}">two</a>, <a href="{a.test/page}#again">three</a>
		and <a href="{gone.test/}">four</a>.</p><img srcset="/small.png 1x, /large.png 2x" src="/small.png">
		<iframe src="{frames.test/frame}"></iframe></article>`)
	w.page("post.test/s/main.css", "text/css", `@import "more.css"; b{background:url(back.png)}`)
	w.page("post.test/s/more.css", "text/css", `@font-face{font-family:f;src:url(/fonts/f.woff2)} @import url("main.css");`)
	w.page("post.test/app.webmanifest", "application/manifest+json", `{"icons":[{"src":"/icon.png"}]}`)
	w.html("frames.test/frame", `<base href="/deep/"><script src="in.js"></script><a href="{a.test/not-a-source}">x</a>`)
	w.html("a.test/page", `<img src="{img.test/p.png}"><a href="{a.test/beyond}">beyond</a>`)
	w.status("b.test/moved", 301, "Location", "{c.test/here}")
	w.html("c.test/here", `<meta http-equiv="refresh" content="0; url={c.test/really}">`)
	w.html("c.test/really", `<p>Here.</p>`)
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "a.test", "b.test", "c.test", "frames.test", "img.test") // gone.test does not resolve
	r := n.capture(s)
	w.expect(t, "post.test/", "post.test/s/main.css", "post.test/s/more.css", "post.test/s/back.png", "post.test/fonts/f.woff2",
		"post.test/app.webmanifest", "post.test/icon.png", "post.test/small.png", "post.test/large.png", "frames.test/frame",
		"frames.test/deep/in.js", "a.test/page", "img.test/p.png", "b.test/moved", "c.test/here", "c.test/really")
	p, err := n.db.PostOf(t.Context(), r.ID)
	must(t, err)
	if p.Title != "A post" || len(p.Citations) != 4 || p.URL != w.at("post.test/") {
		t.Errorf("the post is %+v", p)
	}
	if c := capture(n, w.at("post.test/")); !c.At.Equal(p.At) {
		t.Errorf("the post is of %s, its capture of %s", p.At, c.At)
	}
	if c := capture(n, w.at("b.test/moved")); c.Status != 301 || c.Redirect != w.at("c.test/here") {
		t.Errorf("the redirect is captured as %+v", c)
	}
	for url, want := range map[string]struct{ hops, kind, via string }{
		"post.test/fonts/f.woff2": {"EEE", "requisite", "post.test/s/more.css"},
		"frames.test/deep/in.js":  {"EE", "requisite", "frames.test/frame"},
		"c.test/here":             {"LR", "redirect", "b.test/moved"},
		"c.test/really":           {"LRR", "redirect", "c.test/here"},
		"img.test/p.png":          {"LE", "requisite", "a.test/page"},
	} {
		host, _, _ := strings.Cut(url, "/")
		task, err := n.db.Task(t.Context(), host+":"+w.port, r.ID, urlkey.ID(w.at(url)))
		if err != nil || task.Hops != want.hops || task.Kind != want.kind || task.Via != w.at(want.via) || task.Outcome != "captured" {
			t.Errorf("%s is the task %+v, %v", url, task, err)
		}
	}
	if o := failure(n, w.at("gone.test/")).Outcome; o != string(outcome.DNS) {
		t.Errorf("what does not resolve ended as %q", o)
	}
	got, err := n.db.Counts(t.Context(), r.ID, "")
	if want := (storage.Counts{Found: 17, Ended: 17, Captured: 16, Failed: 1, Bytes: got.Bytes, Pages: 4}); err != nil || got != want || got.Bytes == 0 {
		t.Errorf("counts %+v, %v, want %+v", got, err, want)
	}
}

// capture is the one capture of a URL.
func capture(n *node, url string) storage.Capture {
	n.t.Helper()
	cs := captures(n, url)
	if len(cs) != 1 {
		n.t.Fatalf("%s has %d captures, want 1", url, len(cs))
	}
	return cs[0]
}

func captures(n *node, url string) (out []storage.Capture) {
	n.t.Helper()
	for c, err := range n.db.Captures(n.t.Context(), "default", urlkey.Key(url)) {
		must(n.t, err)
		if c.URL == url {
			out = append(out, c)
		}
	}
	return out
}

// failure is the one attempt at a URL.
func failure(n *node, url string) storage.Attempt {
	n.t.Helper()
	as, err := n.db.Attempts(n.t.Context(), "default", urlkey.Key(url))
	must(n.t, err)
	if len(as) != 1 {
		n.t.Fatalf("%s has %d attempts, want 1", url, len(as))
	}
	return as[0]
}

// TestSite: what --depth, --scope and --exclude let in.
func TestSite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*scope.Spec)
		want   string // beyond the post and its citation
	}{
		{"post alone", func(*scope.Spec) {}, ""},
		{"one hop", func(s *scope.Spec) { s.Depth = 1 }, "s.test/docs/one s.test/other"},
		{"host", func(s *scope.Spec) { s.Depth = 5 }, "s.test/docs/one s.test/docs/two s.test/docs/three s.test/other"},
		{"prefix", func(s *scope.Spec) { s.Depth, s.Scope = 5, scope.BoundPrefix }, "s.test/docs/one s.test/docs/two s.test/docs/three"},
		{"domain", func(s *scope.Spec) { s.Depth, s.Scope = 5, scope.BoundDomain },
			"s.test/docs/one s.test/docs/two s.test/docs/three s.test/other sub.s.test/"},
		{"any", func(s *scope.Spec) { s.Depth, s.Scope = 2, scope.BoundAny },
			"s.test/docs/one s.test/docs/two s.test/other sub.s.test/ far.test/beyond"},
		{"exclude", func(s *scope.Spec) { s.Depth, s.Exclude = 5, []string{"/docs/t", "far"} }, "s.test/docs/one s.test/other -far.test/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("s.test/docs/", `<nav><a href="one">1</a> <a href="/other">o</a></nav><a href="{far.test/}">far</a>`)
			w.html("s.test/docs/one", `<a href="two">2</a><a href="./">up</a><a href="{sub.s.test/}">sub</a>`)
			w.html("s.test/docs/two", `<a href="three?">3</a><a href="three">3</a>`)
			w.html("far.test/", `<a href="/beyond">beyond</a>`)
			n := newNode(t, archive(t))
			s := w.spec("s.test/docs/", "far.test", "sub.s.test")
			s.Links = scope.LinksOutbound
			c.change(&s)
			n.capture(s)
			want := append([]string{"s.test/docs/", "far.test/"}, strings.Fields(c.want)...)
			if slices.Contains(want, "s.test/docs/three") {
				want = append(want, "s.test/docs/three?")
			}
			want = slices.DeleteFunc(want, func(u string) bool { return slices.Contains(want, "-"+u) || u[0] == '-' })
			w.expect(t, want...)
		})
	}
}

// TestQuota: requisites over the limit are left out, and a note says how many.
func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("q.test/", `<link rel=stylesheet href=/s.css><p>Text.</p>`+strings.Repeat(`<img src=/1.png><img src=/2.png><img src=/3.png>`, 2))
	w.page("q.test/s.css", "text/css", `a{background:url(4.png)} b{background:url(5.png)} i{background:url(6.png)}`)
	n := newNode(t, archive(t))
	s := w.spec("q.test/")
	s.MaxRequisites = 2
	n.capture(s)
	w.expect(t, "q.test/", "q.test/s.css", "q.test/1.png", "q.test/4.png", "q.test/5.png")
	if got := n.closing(w.at("q.test/")).Notes; !slices.Equal(got, []string{"2 requisites were left out: over the limit"}) {
		t.Errorf("notes of the page: %q", got)
	}
	if got := n.closing(w.at("q.test/s.css")).Notes; len(got) != 1 {
		t.Errorf("notes of the stylesheet: %q", got)
	}
}

// TestRedirects: each hop is a capture and a task of its host; loops end, and chains over the limit.
func TestRedirects(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("r.test/", `<article><a href="{x.test/loop}">loop</a> <a href="{self.test/}">self</a> <a href="{x.test/0}">chain</a>
		<a href="{y.test/bad}">bad</a></article>`)
	w.status("x.test/loop", 302, "Location", "{y.test/loop}")
	w.status("y.test/loop", 307, "Location", "{x.test/loop}")
	w.status("self.test/", 301, "Location", "/")
	for i := range 10 {
		w.status(fmt.Sprintf("%s.test/%d", "xy"[i%2:i%2+1], i), 308, "Location", fmt.Sprintf("{%s.test/%d}", "yx"[i%2:i%2+1], i+1))
	}
	w.status("y.test/bad", 301, "Location", "http://[::1")
	n := newNode(t, archive(t))
	s := w.spec("r.test/", "x.test", "y.test", "self.test")
	s.MaxRedirects = 3
	n.capture(s)
	w.expect(t, "r.test/", "x.test/loop", "y.test/loop", "self.test/", "x.test/0", "y.test/1", "x.test/2", "y.test/3", "y.test/bad")
	for _, u := range []string{"x.test/loop", "y.test/loop", "self.test/", "x.test/2", "y.test/3"} {
		if c := capture(n, w.at(u)); c.Status/100 != 3 || c.Redirect == "" {
			t.Errorf("%s is captured as %+v", u, c)
		}
	}
	for u, want := range map[string]string{
		"y.test/3":   "more than 3 redirects",
		"self.test/": "redirects to itself",
		"y.test/bad": "no address",
	} {
		if notes := n.closing(w.at(u)).Notes; len(notes) != 1 || !strings.Contains(notes[0], want) {
			t.Errorf("notes of %s: %q, want %q in them", u, notes, want)
		}
	}
}

// TestRefresh: where a page sends its reader stands where the page stood; a post that has sources of its own stays the
// post.
func TestRefresh(t *testing.T) {
	t.Parallel()
	const article = `<title>It</title><article><a href="{src.test/}">source</a></article>`
	for _, c := range []struct {
		name, first, post string
		header            bool
		want              []string
	}{
		{name: "a door", first: `<meta http-equiv=refresh content="0;url=/it">`, post: "p.test/it", want: []string{"p.test/it", "src.test/"}},
		{name: "a door by header", header: true, post: "p.test/it", want: []string{"p.test/it", "src.test/"}},
		{name: "a post that moves on", first: `<meta http-equiv=refresh content="900;url=/it"><title>I</title><article><a href="{own.test/}">own</a></article>`,
			post: "p.test/", want: []string{"p.test/it", "own.test/"}},
		{name: "a post that reloads", first: `<meta http-equiv=refresh content="60;url=/">` + article, post: "p.test/", want: []string{"src.test/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("p.test/", c.first)
			if c.header {
				w.status("p.test/", 200, "Refresh", "0; url={p.test/it}", "Content-Type", "text/html")
			}
			w.html("p.test/it", article)
			n := newNode(t, archive(t))
			r := n.capture(w.spec("p.test/", "src.test", "own.test"))
			w.expect(t, append(c.want, "p.test/")...)
			p, err := n.db.PostOf(t.Context(), r.ID)
			if err != nil || p.URL != w.at(c.post) || len(p.Citations) != 1 {
				t.Errorf("the post is %+v, %v", p, err)
			}
		})
	}
}

// TestUnreadable: what can't be read is captured all the same.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"deep": strings.Repeat("<div><blockquote>", 5000) + `<a href="{src.test/}">deep</a>`,
		"NUL":  "\x00\x00<\x00a href=\xff\xfe<!DOCTYPE",
		"void": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("p.test/", text)
			n := newNode(t, archive(t))
			n.capture(w.spec("p.test/", "src.test"))
			if c := capture(n, w.at("p.test/")); c.Status != 200 {
				t.Errorf("captured as %+v", c)
			}
		})
	}
}
