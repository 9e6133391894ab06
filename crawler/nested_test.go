package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// nesting serves frames in frames, styles that import styles, and modules that import modules: each names twenty others, half of
// which lie on another host.
func nesting(w *web) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		mime, form := "text/html", `<iframe src="%s"></iframe>`
		switch {
		case strings.HasPrefix(r.URL.Path, "/css"):
			mime, form = "text/css", "@import url(%s);\n"
		case strings.HasPrefix(r.URL.Path, "/js"):
			mime, form = "text/javascript", "import %q;\n"
		}
		rw.Header().Set("Content-Type", mime)
		for i := range 20 {
			host := []string{"a.test", "b.test"}[i%2]
			fmt.Fprintf(rw, form, w.at(fmt.Sprintf("%s%s-%s%d", host, r.URL.Path, r.Host[:1], i)))
		}
	}
}

// endlessPages are a post with three links, on each of which requisites hang without end.
func endlessPages(t *testing.T) *web {
	t.Helper()
	w := newWeb(t)
	w.set("a.test/*", nesting(w))
	w.set("b.test/*", nesting(w))
	var own strings.Builder
	for i := range 150 {
		fmt.Fprintf(&own, `<img src="/own%d">`, i)
	}
	w.html("post.test/", `<article><a href="{site.test/frames}">1</a> <a href="{site.test/css}">2</a> <a href="{site.test/js}">3</a>
		<a href="{site.test/honest}">4</a></article>`+own.String())
	w.html("site.test/frames", `<iframe src="{a.test/f}"></iframe><iframe src="{b.test/f}"></iframe>`)
	w.html("site.test/css", `<link rel=stylesheet href="{a.test/css}"><link rel=stylesheet href="{b.test/css}">`)
	w.html("site.test/js", `<script type=module src="{a.test/js}"></script><script type=module src="{b.test/js}"></script>`)
	w.html("site.test/honest", `<iframe src="/frame"></iframe>`)
	w.html("site.test/frame", `<link rel=stylesheet href="/style">`)
	w.page("site.test/style", "text/css", `p { background: url(/font) }`)
	return w
}

// TestNested: what hangs on a page by way of its requisites ends, and honest pages have all of theirs. What a page itself
// names is not cut, and the records tell what was.
func TestNested(t *testing.T) {
	t.Parallel()
	const most = 100
	w := endlessPages(t)
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "site.test", "a.test", "b.test")
	s.Traps.Nested, s.PerHost = most, 4
	r := n.capture(s)
	hits := w.hits()
	for _, kind := range []string{"f", "css", "js"} {
		if k := under(hits, "a.test/"+kind) + under(hits, "b.test/"+kind); k != most+2 {
			t.Errorf("%d requests for %s, want the two that the page names, and %d", k, kind, most)
		}
	}
	if under(hits, "post.test/own") != 150 || hits["site.test/font"] != 1 {
		t.Errorf("not all that honest pages need was asked for: %v", hits)
	}
	cut, noted := 0, 0
	for _, cs := range n.closings() {
		for _, c := range cs {
			for _, o := range c.Outlinks {
				if o.Reason == "trap" && o.Kind == "" && o.Hop == 'E' {
					cut++
				}
			}
			if strings.Contains(strings.Join(c.Notes, "\n"), fmt.Sprintf("more than %d requisites hang on the page by way of others", most)) {
				noted++
			}
		}
	}
	if cut < 1000 || noted == 0 {
		t.Errorf("%d cuts in the records, %d notes", cut, noted)
	}
	if left, err := n.db.Tallies(t.Context(), r.ID, ""); err != nil || len(left) != 0 {
		t.Errorf("counts of a run that is done: %v, %v", left, err)
	}
}

// TestNestedOfHost: what the requisites of one host name ends, too, whatever pages they hang on.
func TestNestedOfHost(t *testing.T) {
	t.Parallel()
	w := endlessPages(t)
	n := newNode(t, archive(t))
	s := w.spec("post.test/", "site.test", "a.test", "b.test")
	s.Traps.Nested, s.Traps.NestedHost = 0, 70
	n.capture(s)
	hits := w.hits()
	if k := under(hits, "a.test/") + under(hits, "b.test/"); k != 2*70+6 {
		t.Errorf("%d requests, want six that pages name, and 70 by way of each of two hosts", k)
	}
	if hits["site.test/font"] != 1 {
		t.Error("an honest page lacks its font")
	}
}

// TestNestedRestarts: the limits hold across restarts.
func TestNestedRestarts(t *testing.T) {
	t.Parallel()
	const most = 200
	w := endlessPages(t)
	dir := archive(t)
	s := w.spec("post.test/", "site.test", "a.test", "b.test")
	s.Traps.Nested = most
	var came atomic.Int64
	var stop atomic.Pointer[context.CancelFunc]
	serve := nesting(w)
	counted := func(rw http.ResponseWriter, r *http.Request) {
		if f := stop.Load(); came.Add(1)%40 == 0 && f != nil {
			(*f)()
		}
		serve(rw, r)
	}
	w.set("a.test/*", counted)
	w.set("b.test/*", counted)
	first := newNode(t, dir)
	r := first.begin(s)
	stopped := 0
	for n := first; ; n = newNode(t, dir) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		stop.Store(&cancel)
		must(t, n.Work(ctx, nil))
		cancel()
		row, err := n.db.Run(t.Context(), r.ID)
		must(t, err)
		if row.State == "done" {
			n.close()
			break
		}
		if stopped++; stopped > 50 {
			t.Fatal("the run does not end")
		}
		n.close()
	}
	hits := w.hits()
	for _, kind := range []string{"f", "css", "js"} {
		if k := under(hits, "a.test/"+kind) + under(hits, "b.test/"+kind); k != most+2 {
			t.Errorf("%d requests for %s after %d restarts, want %d", k, kind, stopped, most+2)
		}
	}
	if stopped < 3 {
		t.Errorf("the work was stopped %d times", stopped)
	}
}

// TestNestedHonest: a page made of hundreds of modules has all of them, by the defaults.
func TestNestedHonest(t *testing.T) {
	t.Parallel()
	const wide = 20
	w := newWeb(t)
	w.html("post.test/", `<script type=module src="/main.js"></script>`)
	var main strings.Builder
	for i := range wide {
		fmt.Fprintf(&main, "import './m%d.js';\n", i)
		var sub strings.Builder
		for k := range wide {
			fmt.Fprintf(&sub, "import './m%d-%d.js';\n", i, k)
			w.page(fmt.Sprintf("post.test/m%d-%d.js", i, k), "text/javascript", "import './shared.js';")
		}
		w.page(fmt.Sprintf("post.test/m%d.js", i), "text/javascript", sub.String())
	}
	w.page("post.test/main.js", "text/javascript", main.String())
	n := newNode(t, archive(t))
	s := w.spec("post.test/")
	s.PerHost = 8
	n.capture(s)
	if k := under(w.hits(), "post.test/m"); k != 1+wide+wide*wide {
		t.Errorf("%d modules, want %d", k, 1+wide+wide*wide)
	}
	for url, cs := range n.closings() {
		for _, c := range cs {
			for _, o := range c.Outlinks {
				if o.Kind == "" && o.Reason != "" {
					t.Errorf("%s: %v was left out", url, o)
				}
			}
		}
	}
}
