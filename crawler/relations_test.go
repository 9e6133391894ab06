package crawler_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"linkstead/crawler/scope"
)

// TestRelations: what a page says that it is, or is elsewhere, is noted with its relation, from its head and from its header,
// and not fetched for it; a link to the same address is followed all the same.
func TestRelations(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("p.test/", `<link rel=canonical href="/real"><link rel="alternate" hreflang=de href="/de"><link rel=amphtml href="/amp">
		<link rel=alternate type="application/rss+xml" href="/feed"><link rel="shortlink" href="/?p=1">
		<article><a href="/de">German</a> <a href="{q.test/}">other</a></article>`)
	w.status("q.test/", 200, "Link", "<{q.test/own}>; rel=canonical, </fr>; rel=\"alternate\"; hreflang=fr, <{q.test/far}>; rel=canonical; anchor=\"/x\"", "Content-Type", "text/html")
	w.html("p.test/de", `<link rel=canonical href="/de">`)
	n := newNode(t, archive(t))
	s := w.spec("p.test/", "q.test")
	s.Links, s.Depth = scope.LinksAll, 1
	r := n.capture(s)
	w.expect(t, "p.test/", "p.test/de", "q.test/")
	for url, want := range map[string][]string{
		"p.test/": {"p.test/real link/@rel=canonical", "p.test/de link/@rel=alternate", "p.test/amp link/@rel=amphtml", "p.test/feed link/@rel=alternate"},
		"q.test/": {"q.test/own Link rel=canonical", "q.test/fr Link rel=alternate"},
	} {
		var got []string
		for _, l := range n.closing(w.at(url)).Outlinks {
			if l.Reason == string(scope.ReasonNoted) {
				got = append(got, strings.Replace(strings.TrimPrefix(l.URL, "http://"), ":"+w.port, "", 1)+" "+l.Context)
				if l.Kind != "" || l.Hop != 'L' {
					t.Errorf("%s is noted as %+v", l.URL, l)
				}
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s has %q, want %q", url, got, want)
		}
	}
	for url, want := range map[string]string{"p.test/": w.at("p.test/real"), "q.test/": w.at("q.test/own"), "p.test/de": ""} {
		if c := capture(n, w.at(url)); c.Canonical != want {
			t.Errorf("the canonical address of %s is %q, want %q", url, c.Canonical, want)
		}
	}
	lines, err := n.db.RunLedger(t.Context(), r.ID)
	must(t, err)
	for _, l := range lines {
		if l.Left == string(scope.ReasonNoted) {
			t.Errorf("what is noted counts as left out: %+v", l)
		}
	}
}

// TestOneWayOn: a response that sends its reader on in several ways leads to one of them: Location, else Refresh in the head,
// else the first refresh in the document.
func TestOneWayOn(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	const metas = `<meta http-equiv=refresh content="0;url=/m1"><meta http-equiv=refresh content="0;url=/m2">`
	w.html("p.test/", `<article><a href="{a.test/}">a</a> <a href="{b.test/}">b</a> <a href="{c.test/}">c</a></article>`)
	w.html("a.test/", metas)
	w.set("b.test/", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		rw.Header()["Refresh"] = []string{"0;url=/h1", "0;url=/h2"}
		fmt.Fprint(rw, metas)
	})
	w.set("c.test/", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		rw.Header().Set("Refresh", "0;url=/h1")
		rw.Header().Set("Location", "/l")
		rw.WriteHeader(http.StatusFound)
		fmt.Fprint(rw, metas)
	})
	w.html("a.test/m1", "first")
	w.html("b.test/h1", "first")
	w.html("c.test/l", "where")
	n := newNode(t, archive(t))
	n.capture(w.spec("p.test/", "a.test", "b.test", "c.test"))
	w.expect(t, "p.test/", "a.test/", "a.test/m1", "b.test/", "b.test/h1", "c.test/", "c.test/l")
	if notes := strings.Join(n.closing(w.at("c.test/")).Notes, "\n"); !strings.Contains(notes, "in 3 more ways") {
		t.Errorf("it is noted: %q", notes)
	}
}
