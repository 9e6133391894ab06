package crawler_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"linkstead/crawler/scope"
	"linkstead/crawler/session"
	"linkstead/storage"
)

// TestSessionOfARun: what a server sets during a run is sent back within it, and a later run begins without it.
func TestSessionOfARun(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var mu sync.Mutex
	sent := map[string][]string{} // by path
	see := func(body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			sent[r.Host[:1]+r.URL.Path] = append(sent[r.Host[:1]+r.URL.Path], r.Header.Get("Cookie"))
			mu.Unlock()
			rw.Header().Set("Content-Type", "text/html")
			http.SetCookie(rw, &http.Cookie{Name: "visit", Value: "first", Path: "/"})
			_, _ = rw.Write([]byte(w.fill(body)))
		}
	}
	w.set("a.test/", see(`<article><p>See <a href="/next">next</a> and <a href="{b.test/}">others</a>.</p></article>`))
	w.set("a.test/next", see("<p>next</p>"))
	w.set("b.test/", see("<p>b</p>"))
	n := newNode(t, archive(t))
	n.Session = func(s scope.Spec) (*session.Session, error) {
		return session.New(session.Options{Keep: s.Cookies == scope.CookiesSession, Language: s.Language}), nil
	}
	s := w.spec("a.test/", "b.test")
	s.Links = scope.LinksAll
	n.capture(s)
	s.Cookies = scope.CookiesSession
	n.capture(s)
	n.capture(s)
	for path, want := range map[string][]string{"a/": {"", "", ""}, "a/next": {"", "visit=first", "visit=first"}, "b/": {"", "", ""}} {
		if !slices.Equal(sent[path], want) {
			t.Errorf("%s was asked with %q, want %q", path, sent[path], want)
		}
	}
}

// TestCookiesThatCantBeRead: a run whose cookies are not on this machine is put aside, and nothing is asked for without
// them.
func TestCookiesThatCantBeRead(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", "<p>a</p>")
	w.html("b.test/", "<p>b</p>")
	n := newNode(t, archive(t))
	n.Session = func(s scope.Spec) (*session.Session, error) {
		if s.Cookies != "" {
			return nil, errors.New("there is no such file")
		}
		return nil, nil
	}
	s := w.spec("a.test/")
	s.Cookies = "/nowhere/cookies.txt"
	r := n.begin(s)
	n.capture(w.spec("b.test/"))
	r, err := n.db.Run(t.Context(), r.ID)
	if err != nil || r.State != storage.RunPaused {
		t.Errorf("the run is %s, %v", r.State, err)
	}
	w.expect(t, "b.test/")
}

// TestNotesOfASession: the closing record tells what was redacted, and what was not sent; no task and no outlink has it.
func TestNotesOfASession(t *testing.T) {
	t.Parallel()
	const word = "open-sesame-4711"
	w := newWeb(t)
	w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/to?w="+word, http.StatusFound)
	})
	w.html("b.test/", "<p>b</p>")
	n := newNode(t, archive(t))
	n.Session = func(scope.Spec) (*session.Session, error) {
		return session.New(session.Options{Sites: []session.Site{
			{Host: "a.test", Plain: true, User: "u", Password: word}, {Host: "b.test", User: "u", Password: word},
		}}), nil
	}
	n.capture(w.spec("a.test/"))
	n.capture(w.spec("b.test/"))
	x := n.closing(w.at("a.test/"))
	if notes := strings.Join(x.Notes, "\n"); !strings.Contains(notes, "redacted in the request: Authorization\nredacted in the response: the head in 1 places") {
		t.Errorf("notes: %s", notes)
	}
	masked := w.at("a.test/to?w=" + strings.Repeat("*", len(word)))
	if x.Redirect != masked {
		t.Errorf("redirect %s", x.Redirect)
	}
	for _, o := range x.Outlinks {
		if o.URL != masked {
			t.Errorf("outlink %s", o.URL)
		}
	}
	n.closing(masked)
	if notes := n.closing(w.at("b.test/")).Notes; len(notes) != 1 || !strings.Contains(notes[0], "was not sent") {
		t.Errorf("notes of what was held back: %q", notes)
	}
}

// TestWhatIsDecodedIsMasked: what a page spells otherwise is masked in what is read out of it, and a page that lists is known
// again by its masked addresses.
func TestWhatIsDecodedIsMasked(t *testing.T) {
	t.Parallel()
	const word = "Open-Sesame-4711"
	stars := strings.Repeat("*", len(word))
	w := newWeb(t)
	w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		rw.Header().Set("Link", "</pre.css?w=Open\t-Sesame-4711>; rel=preload; as=style")
		_, _ = rw.Write([]byte("<title>&#79;pen-Sesame-4711</title><article><p>See <a href='/x?w=&#79;pen-Sesame-4711'>the &#79;pen-Sesame-4711 " +
			"page</a> here.</p></article>"))
	})
	w.html("a.test/x", "<p>x")
	n := newNode(t, archive(t))
	n.Session = func(scope.Spec) (*session.Session, error) {
		return session.New(session.Options{Sites: []session.Site{{Host: "a.test", Plain: true, User: "u", Password: word}}}), nil
	}
	n.capture(w.spec("a.test/"))
	got := map[string]bool{}
	for _, o := range n.closing(w.at("a.test/")).Outlinks {
		got[o.URL] = true
		if strings.Contains(o.URL+o.Context, "Sesame") {
			t.Errorf("outlink %+v", o)
		}
	}
	if !got[w.at("a.test/x?w="+stars)] || !got[w.at("a.test/pre.css?w="+stars)] {
		t.Errorf("outlinks %v", got)
	}
	n.closing(w.at("a.test/x?w=" + stars))
}
