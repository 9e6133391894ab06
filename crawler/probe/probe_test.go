package probe_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"linkstead/archive/outcome"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/crawler/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// web is all hosts of a test, on one loopback port.
type web struct {
	port string

	mu    sync.Mutex
	pages map[string]http.HandlerFunc // by "host/path?query"
	asked []string                    // "METHOD host/path", in order
	now   map[string]int              // requests under way, by host; "" for all
	most  map[string]int              // the most that were
}

func newWeb(t testing.TB) *web {
	w := &web{pages: map[string]http.HandlerFunc{}, now: map[string]int{}, most: map[string]int{}}
	s := httptest.NewServer(w)
	_, w.port, _ = net.SplitHostPort(s.Listener.Addr().String())
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return w
}

func (w *web) at(hostPath string) string {
	host, path, _ := strings.Cut(hostPath, "/")
	return "http://" + host + ":" + w.port + "/" + path
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	w.mu.Lock()
	w.asked = append(w.asked, r.Method+" "+host+r.URL.RequestURI())
	h := w.pages[host+r.URL.RequestURI()]
	for _, k := range []string{host, ""} {
		w.now[k]++
		w.most[k] = max(w.most[k], w.now[k])
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now[host]--
		w.now[""]--
	}()
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h(rw, r)
}

func (w *web) set(hostPath string, h http.HandlerFunc) { w.pages[hostPath] = h }

func (w *web) html(hostPath, body string) {
	w.set(hostPath, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprint(rw, body)
	})
}

func (w *web) redirect(hostPath, to string, code int) {
	w.set(hostPath, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Location", to)
		rw.WriteHeader(code)
	})
}

func (w *web) count(what string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.asked {
		if a == what {
			n++
		}
	}
	return n
}

// prober is one whose hosts are all on the web.
func (w *web) prober(t testing.TB, hosts ...string) *probe.Prober {
	rec := &fetch.Recorder{Resolve: map[string]string{}, AllowPrivate: true, Spool: t.TempDir(),
		Limits: fetch.Limits{FirstByte: 20 * time.Second, Total: 20 * time.Second}}
	for _, h := range hosts {
		rec.Resolve[h+":"+w.port] = "127.0.0.1"
	}
	t.Cleanup(rec.Close)
	return &probe.Prober{Recorder: rec}
}

func look(t testing.TB, p *probe.Prober, req probe.Request) *probe.Look {
	t.Helper()
	l, err := p.Look(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const page = "<!doctype html><title>T</title><h1 id=top>It</h1><p>Many words stand here.</p>"

// TestLook: what one look tells of good and bad answers.
func TestLook(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", page)
	w.redirect("a.test/old", "/mid", 301)
	w.redirect("a.test/mid", w.at("b.test/new#place"), 302)
	w.html("b.test/new", page)
	w.redirect("a.test/loop", "/pool", 302)
	w.redirect("a.test/pool", "/loop", 302)
	w.redirect("a.test/self", "/self", 301)
	for i := range 30 {
		w.redirect(fmt.Sprintf("a.test/n%d", i), fmt.Sprintf("/n%d", i+1), 302)
	}
	w.set("a.test/login", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(401) })
	w.set("a.test/busy", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "120")
		rw.WriteHeader(429)
	})
	p := w.prober(t, "a.test", "b.test")
	for _, c := range []struct {
		path    string
		outcome outcome.Outcome
		status  int
		hops    []int
		url     string
	}{
		{"a.test/", outcome.Captured, 200, nil, "a.test/"},
		{"a.test/none", outcome.Captured, 404, nil, "a.test/none"},
		{"a.test/old", outcome.Captured, 200, []int{301, 302}, "b.test/new"},
		{"a.test/loop", outcome.Loop, 302, []int{302}, "a.test/pool"},
		{"a.test/self", outcome.Loop, 301, nil, "a.test/self"},
		{"a.test/n0", outcome.Redirects, 302, slices.Repeat([]int{302}, 10), "a.test/n10"},
		{"a.test/login", outcome.Captured, 401, nil, "a.test/login"},
		{"a.test/busy", outcome.Captured, 429, nil, "a.test/busy"},
	} {
		l := look(t, p, probe.Request{URL: w.at(c.path)})
		var hops []int
		for _, h := range l.Hops {
			hops = append(hops, h.Status)
		}
		if l.Outcome != c.outcome || l.Status != c.status || !slices.Equal(hops, c.hops) || l.URL != w.at(c.url) {
			t.Errorf("%s: %s %d at %s over %v; want %s %d at %s over %v", c.path, l.Outcome, l.Status, l.URL, hops, c.outcome, c.status, c.url, c.hops)
		}
	}
	if l := look(t, p, probe.Request{URL: w.at("a.test/old")}); l.Hops[1].Place != "place" || !l.Whole || l.Digest == "" || l.Size != int64(len(page)) {
		t.Errorf("of a page behind redirects: place %q, whole %v, digest %q, %d bytes", l.Hops[1].Place, l.Whole, l.Digest, l.Size)
	}
	if l := look(t, p, probe.Request{URL: w.at("a.test/busy")}); l.Retry != 2*time.Minute {
		t.Errorf("Retry-After is %s", l.Retry)
	}
	if l := look(t, w.prober(t), probe.Request{URL: "http://nowhere.invalid/"}); l.Outcome != outcome.DNS || l.Status != 0 {
		t.Errorf("of a name that is not there: %s", l.Outcome)
	}
	closed := &fetch.Recorder{Resolve: map[string]string{"a.test:" + w.port: "127.0.0.1"}, Spool: t.TempDir()}
	defer closed.Close()
	if l := look(t, &probe.Prober{Recorder: closed}, probe.Request{URL: w.at("a.test/")}); l.Outcome != outcome.Private {
		t.Errorf("of a private address: %s", l.Outcome)
	}
}

// TestConditional: a look at what was seen before asks whether it has changed; where it leads is asked for anew.
func TestConditional(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` && r.Header.Get("If-Modified-Since") != "" {
			rw.WriteHeader(304)
		}
	})
	w.redirect("a.test/old", "/", 302)
	p := w.prober(t, "a.test")
	req := probe.Request{URL: w.at("a.test/"), ETag: `"1"`, Modified: "Sun, 06 Nov 1994 08:49:37 GMT"}
	if l := look(t, p, req); l.Status != 304 || l.ETag != `"1"` {
		t.Errorf("status %d, ETag %s", l.Status, l.ETag)
	}
	req.URL = w.at("a.test/old")
	if l := look(t, p, req); l.Status != 200 {
		t.Errorf("behind a redirect: status %d", l.Status)
	}
	req.ETag = "a\r\nX: b"
	if l := look(t, p, req); l.Status != 200 {
		t.Errorf("with a validator that is none: status %d", l.Status)
	}
}

// TestReadsNoMore: of files nothing is read, of endless pages the beginning; what is short is read to its end, and its connection kept.
func TestReadsNoMore(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	endless := func(mime string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", mime)
			b := []byte(page + strings.Repeat("x", 32<<10))
			for r.Context().Err() == nil {
				if _, err := rw.Write(b); err != nil {
					return
				}
			}
		}
	}
	w.set("a.test/page", endless("text/html"))
	w.set("a.test/file", endless("application/zip"))
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 40 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	w.set("a.test/bomb", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		rw.Header().Set("Content-Encoding", "gzip")
		_, _ = rw.Write(bomb.Bytes())
	})
	w.set("a.test/short", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/zip")
		_, _ = rw.Write(make([]byte, 1000))
	})
	p := w.prober(t, "a.test")
	for _, c := range []struct {
		path  string
		whole bool
	}{{"page", false}, {"file", false}, {"bomb", true}, {"short", true}} {
		read, all := 0, false
		l := look(t, p, probe.Request{URL: w.at("a.test/" + c.path), Page: func(g probe.Page) { read, all = len(g.Body), g.Whole }})
		if l.Outcome != outcome.Captured || l.Status != 200 || l.Detail != "" || l.Whole != c.whole || (l.Digest != "") != c.whole {
			t.Errorf("%s: %s %d %q, whole %v, digest %q", c.path, l.Outcome, l.Status, l.Detail, l.Whole, l.Digest)
		}
		if read > 20<<20 || all {
			t.Errorf("%s: %d bytes were handed on, whole %v", c.path, read, all)
		}
	}
}

// TestWalls: what stands before a page is told, and where a wall leads is not followed.
func TestWalls(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.set("a.test/bot", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("cf-mitigated", "challenge")
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(403)
		fmt.Fprint(rw, "<title>Just a moment...</title>")
	})
	w.redirect("a.test/members", "/login?next=/members", 302)
	p := w.prober(t, "a.test")
	if l := look(t, p, probe.Request{URL: w.at("a.test/bot")}); !slices.Contains(l.Flags, "bot-wall") {
		t.Errorf("flags %v", l.Flags)
	}
	if l := look(t, p, probe.Request{URL: w.at("a.test/members")}); !slices.Contains(l.Flags, "login") || l.Status != 302 {
		t.Errorf("flags %v, status %d", l.Flags, l.Status)
	}
}

// TestPlaces: which fragments a page has a place for.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", `<p id=one><a name="two words">x</a><h2 id="ü">y</h2><h2 id=user-content-read>z</h2><!-- id=four --><i name=five>`)
	w.html("a.test/words", `<title>hidden</title><script>hidden</script><p>The <b>bo</b>mbs so many are falling.</p><p>Our neighbours, <i>hôpital</i> no.</p>`)
	w.html("a.test/long", strings.Repeat("<p>word</p>", 1<<20)+"<p id=end>")
	w.set("a.test/file", func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("Content-Type", "application/pdf") })
	p := w.prober(t, "a.test")
	for _, c := range []struct {
		path    string
		asked   []string
		missing []string
		unsure  []string
	}{
		{"", []string{"one", "two%20words", "%C3%BC", "ü", "read", "top", "TOP", "one:~:text=x"}, nil, nil},
		{"", []string{"four", "five", "One", "six:~:text=x"}, []string{"four", "five", "One", "six:~:text=x"}, nil},
		{"words", []string{":~:text=the%20b%C3%B3mbs", ":~:text=so-,are%20falling,-fast", ":~:text=so%20MANY-,are,neighbours", ":~:text=neighbours&text=many", ":~:unknown=x", ":~:text=h%C3%B4pital,-no"},
			[]string{":~:text=so-,are%20falling,-fast"}, nil},
		{"words", []string{":~:text=hidden", ":~:text=bomb", ":~:text=neighbours,bombs", ":~:text=many&text=few", "none:~:text=many", ":~:text=falling%20on"},
			[]string{":~:text=hidden", ":~:text=bomb", ":~:text=neighbours,bombs", ":~:text=many&text=few", "none:~:text=many", ":~:text=falling%20on"}, nil},
		{"words", []string{":~:text=%20", ":~:text=a,b,c"}, nil, []string{":~:text=%20", ":~:text=a,b,c"}},
		{"", []string{"/route", "!page", "a=b", "L10", "L10-L20", "Long"}, []string{"Long"}, []string{"/route", "!page", "a=b", "L10", "L10-L20"}},
		{"long", []string{"end"}, nil, []string{"end"}},
		{"file", []string{"page2"}, nil, []string{"page2"}},
		{"gone", []string{"x"}, nil, []string{"x"}},
	} {
		l := look(t, p, probe.Request{URL: w.at("a.test/" + c.path), Fragments: c.asked})
		if !slices.Equal(l.Missing, c.missing) || !slices.Equal(l.Unsure, c.unsure) {
			t.Errorf("%s %q: missing %q, unsure %q; want %q, %q", c.path, c.asked, l.Missing, l.Unsure, c.missing, c.unsure)
		}
	}
}

// TestHead: HEAD counts once a host was seen to answer it as GET, and never on one that was seen to lie.
func TestHead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		head  func(rw http.ResponseWriter)
		heads int // of four files
		gets  int
	}{
		{"true", nil, 4, 1},
		{"refused", func(rw http.ResponseWriter) { rw.WriteHeader(405) }, 1, 4},
		{"lying", func(rw http.ResponseWriter) { rw.WriteHeader(200) }, 1, 4},
		{"other length", func(rw http.ResponseWriter) {
			rw.Header().Set("Content-Type", "application/pdf")
			rw.Header().Set("ETag", `"x"`)
			rw.Header().Set("Content-Length", "7")
		}, 4, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			for i := range 4 {
				w.set(fmt.Sprintf("a.test/%d.pdf", i), func(rw http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodHead && c.head != nil {
						c.head(rw)
						return
					}
					rw.Header().Set("Content-Type", "application/pdf")
					rw.Header().Set("ETag", `"x"`)
					http.ServeContent(rw, r, "", time.Time{}, strings.NewReader("%PDF-1.4"))
				})
			}
			w.html("a.test/", page)
			p := w.prober(t, "a.test")
			p.Head = true
			p.Gate = &probe.Hosts{Prober: p}
			heads, gets := 0, 0
			for i := range 4 {
				if l := look(t, p, probe.Request{URL: w.at(fmt.Sprintf("a.test/%d.pdf", i))}); l.Status != 200 {
					t.Errorf("file %d: status %d", i, l.Status)
				}
				heads += w.count(fmt.Sprintf("HEAD a.test/%d.pdf", i))
				gets += w.count(fmt.Sprintf("GET a.test/%d.pdf", i))
			}
			if heads != c.heads || gets != c.gets {
				t.Errorf("%d HEAD and %d GET, want %d and %d", heads, gets, c.heads, c.gets)
			}
			look(t, p, probe.Request{URL: w.at("a.test/")})
			if l := look(t, p, probe.Request{URL: w.at("a.test/gone.pdf")}); l.Status != 404 || w.count("GET a.test/gone.pdf") != 1 {
				t.Errorf("a file that is gone: status %d, not asked for by GET", l.Status)
			}
			if w.count("HEAD a.test/") != 0 {
				t.Error("a page was asked for by HEAD")
			}
		})
	}
}

// TestHosts: robots.txt is asked once and obeyed, hosts get so many requests at a time, a name that is not there is looked
// up once, and one that gives no answer is not asked for ever.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.redirect("a.test/robots.txt", "/rules", 301)
	w.set("a.test/rules", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "User-agent: *\nDisallow: /no\n") })
	w.set("broken.test/robots.txt", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
	w.redirect("open.test/go", w.at("a.test/no/1"), 302)
	reset := func(rw http.ResponseWriter, _ *http.Request) {
		c, _, err := rw.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	var reqs []probe.Request
	for i := range 20 {
		w.html(fmt.Sprintf("a.test/%d", i), page)
		w.html(fmt.Sprintf("open.test/%d", i), page)
		w.set(fmt.Sprintf("down.test/%d", i), reset)
		for _, h := range []string{"a.test/", "open.test/", "down.test/", "broken.test/", "nowhere.test/"} {
			reqs = append(reqs, probe.Request{URL: w.at(h + fmt.Sprint(i))})
		}
	}
	reqs = append(reqs, probe.Request{URL: w.at("a.test/no/0")}, probe.Request{URL: w.at("open.test/go")})
	p := w.prober(t, "a.test", "open.test", "down.test", "broken.test")
	hosts := &probe.Hosts{Prober: p, Agent: "linkstead", Obey: true, PerHost: 2, AtOnce: 3,
		Pace: pace.Limits{Backoff: time.Millisecond, MaxBackoff: time.Millisecond, DownAfter: 3}}
	p.Gate = hosts
	got := map[string]map[outcome.Outcome]int{}
	c := &probe.Checker{Prober: p, PerHost: 2, Retries: 1}
	err := c.Check(t.Context(), reqs, func(i, _ int, l *probe.Look) {
		host, _, _ := strings.Cut(strings.TrimPrefix(reqs[i].URL, "http://"), ":")
		if got[host] == nil {
			got[host] = map[outcome.Outcome]int{}
		}
		got[host][l.Outcome]++
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "map[a.test:map[captured:20 robots:1] broken.test:map[robots-error:20] down.test:map[captured:0] nowhere.test:map[dns:20] open.test:map[captured:20 robots:1]]"
	got["down.test"][outcome.Captured] = 0
	if got["down.test"][outcome.Empty] != 20 {
		t.Errorf("of a host that closes: %v", got["down.test"])
	}
	delete(got["down.test"], outcome.Empty)
	if fmt.Sprint(got) != want {
		t.Errorf("outcomes\n%v, want\n%s", got, want)
	}
	for what, n := range map[string]int{
		"GET a.test/robots.txt": 1, "GET a.test/rules": 1, "GET a.test/no/0": 0, "GET a.test/no/1": 0, "GET broken.test/0": 0,
	} {
		if w.count(what) != n {
			t.Errorf("%s came %d times, want %d", what, w.count(what), n)
		}
	}
	down := 0
	for i := range 20 {
		down += w.count(fmt.Sprintf("GET down.test/%d", i))
	}
	if down > 6 {
		t.Errorf("a host that gives no answer was asked %d times", down)
	}
	if w.most[""] > 3 || w.most["a.test"] > 2 {
		t.Errorf("%d requests at a time, %d to one host; want 3 and 2 at most", w.most[""], w.most["a.test"])
	}
}

// TestPause: requests to one host have a pause between them, which hosts on this machine are given only if it is asked for.
func TestPause(t *testing.T) {
	t.Parallel()
	for _, loopback := range []bool{false, true} {
		w := newWeb(t)
		w.html("a.test/", page)
		p := w.prober(t, "a.test")
		p.Gate = &probe.Hosts{Prober: p, Delay: time.Hour, Loopback: loopback}
		look(t, p, probe.Request{URL: w.at("a.test/")})
		if !loopback {
			look(t, p, probe.Request{URL: w.at("a.test/")})
			look(t, p, probe.Request{URL: w.at("a.test/")})
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := p.Look(ctx, probe.Request{URL: w.at("a.test/")}); !errors.Is(err, context.DeadlineExceeded) || w.count("GET a.test/") != 1 {
			t.Errorf("a second look at once: %v, %d requests", err, w.count("GET a.test/"))
		}
		cancel()
	}
}

// TestRetries: what may pass by itself is asked for again, what stands is not; and a retry waits as the host asks.
func TestRetries(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	n := 0
	w.set("a.test/", func(rw http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			rw.WriteHeader(503)
		}
	})
	p := w.prober(t, "a.test")
	p.Gate = &probe.Hosts{Prober: p, Pace: pace.Limits{Backoff: time.Millisecond, MaxBackoff: time.Millisecond}}
	c := &probe.Checker{Prober: p, Retries: 2}
	reqs := []probe.Request{{URL: w.at("a.test/")}, {URL: w.at("a.test/gone")}}
	got := map[int]string{}
	if err := c.Check(t.Context(), reqs, func(i, tries int, l *probe.Look) { got[i] = fmt.Sprint(tries, " ", l.Status) }); err != nil {
		t.Fatal(err)
	}
	if got[0] != "3 200" || got[1] != "1 404" {
		t.Errorf("tries and status %v", got)
	}
}

// TestCalledOff: a check ends when its context does, whatever hangs, and leaves nothing running.
func TestCalledOff(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.set("a.test/", func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	p := w.prober(t, "a.test")
	p.Gate = &probe.Hosts{Prober: p, Delay: time.Hour}
	var reqs []probe.Request
	for i := range 50 {
		reqs = append(reqs, probe.Request{URL: w.at("a.test/") + strings.Repeat("?", i%2)})
	}
	err := (&probe.Checker{Prober: p, PerHost: 5}).Check(ctx, reqs, func(int, int, *probe.Look) { t.Error("something was told") })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the check ended with %v", err)
	}
	if left, err := os.ReadDir(p.Recorder.Spool); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
