package resolve_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"linkstead/archive/link"
	"linkstead/archive/post"
	"linkstead/archive/resolve"
)

// browse starts Chromium, which finds nothing but this machine; it fails if there is none.
func browse(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Chromium is missing: apt-get install chromium (%v)", err)
	}
	alloc, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
	)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx)) // starts it; a deadline on this context would be one on the browser
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T { //nolint:revive // t first, as in all helpers here
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// asks are the requests that the archive saw.
type asks struct {
	mu  sync.Mutex
	all []*http.Request
}

func (a *asks) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.all = append(a.all, r)
		a.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// TestScriptInChromium: on a real post, dead links are marked and have their copies beside them, drifted ones what is known, and living
// ones stay as they are; nothing is kept in the browser, and no page elsewhere is told anything. go test -artifacts keeps what it looks like.
func TestScriptInChromium(t *testing.T) {
	w := newWorld(t)
	body, err := os.ReadFile("../post/testdata/aleppo.html")
	must(t, err)
	d, err := post.HTML(body, "http://blog.wp.test/2016/02/aleppo/", post.Options{})
	must(t, err)
	var urls []string
	seen := map[string]bool{}
	for _, c := range d.Citations {
		if c.LeftOut == "" && c.Where == post.InContent && strings.HasPrefix(c.URL, "http") && !seen[c.URL] {
			seen[c.URL] = true
			urls = append(urls, c.URL)
		}
	}
	if len(urls) < 20 {
		t.Fatalf("%d links", len(urls))
	}
	hostile := dead(link.Gone, `404</a><img src=x onerror="window.owned=1">`)
	for i, s := range []link.State{dead(link.Gone, "404"), {Verdict: link.Drifted, Reason: "its words are others", Since: now}, {Verdict: link.Alive, Looks: 3, LastGood: now}, hostile} {
		w.link(urls[i], s)
		w.copy(urls[i], written.Add(2*time.Hour), nil)
	}
	w.write()
	var asked asks
	archive := httptest.NewServer(asked.over(w.handler))
	t.Cleanup(archive.Close)
	page := bytes.Replace(body, []byte("</body>"), []byte(`<script src="`+archive.URL+resolve.ScriptPath+`" data-date="2016-02-06T12:00:00Z" data-select="a[href]" nonce="n1"></script></body>`), 1)
	blog := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Content-Security-Policy", "script-src 'nonce-n1'; connect-src "+archive.URL+"; style-src 'nonce-n1'")
		_, _ = rw.Write(page)
	}))
	t.Cleanup(blog.Close)
	home := strings.Replace(blog.URL, "127.0.0.1", "localhost", 1)
	w.handler.Sites = []string{home}
	ctx := browse(t)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1000, 900), chromedp.Navigate(home+"/"), chromedp.WaitReady("body")))
	for end := time.Now().Add(30 * time.Second); evaluate[int](t, ctx, `document.querySelectorAll('[data-linkstead]').length`) < 3 && time.Now().Before(end); {
		<-time.After(50 * time.Millisecond)
	}
	of := func(i int, what string) string {
		return evaluate[string](t, ctx, `(function(){for(const a of document.querySelectorAll('a[href]'))if(a.href.split('#')[0]===`+quoted(urls[i])+`&&!a.closest('.linkstead-note'))return String(`+what+`);return 'none'})()`)
	}
	for _, c := range []struct {
		link       int
		what, want string
	}{
		{0, "a.className", "linkstead-dead"}, {0, "a.dataset.linkstead", "gone"}, {0, "a.dataset.originalurl", urls[0]},
		{0, "a.dataset.versiondate", "2016-02-06"}, {0, "a.dataset.versionurl", "http://r.test/web/20160206140000/" + urls[0]},
		{0, "a.nextSibling.className", "linkstead-note"}, {0, "a.nextSibling.querySelector('a').href", "http://r.test/web/20160206140000/" + urls[0]},
		{0, "a.nextSibling.textContent.slice(0, 35)", " [archived copy of February 6, 2016"},
		{0, "getComputedStyle(a).textDecorationLine", "underline line-through"}, {0, "a.nextSibling.querySelector('.linkstead-says').textContent.includes('Gone since')", "true"},
		{1, "a.className", "linkstead-doubtful"}, {1, "a.nextSibling.querySelector('a').href.includes('/resolve?')", "true"},
		{2, "a.hasAttribute('data-linkstead')", "false"}, {2, "a.className", ""},
		{3, "a.className", "linkstead-dead"}, {3, "typeof window.owned", "undefined"}, {3, "a.nextSibling.querySelector('img')", "null"},
		{4, "a.hasAttribute('data-linkstead')", "false"},
	} {
		if got := of(c.link, c.what); got != c.want {
			t.Errorf("link %d: %s is %q, want %q", c.link, c.what, got, c.want)
		}
	}
	if kept := evaluate[string](t, ctx, `document.cookie + localStorage.length + sessionStorage.length`); kept != "00" {
		t.Errorf("kept in the browser: %q", kept)
	}
	asked.mu.Lock()
	if n := len(asked.all); n < 2 || n > 4 {
		t.Errorf("%d requests to the archive", n)
	}
	for _, r := range asked.all {
		if r.Header.Get("Cookie") != "" || r.URL.Path == resolve.Path && r.Header.Get("Referer") != "" {
			t.Errorf("%s was told %v", r.URL.Path, r.Header)
		}
	}
	asked.mu.Unlock()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), "aleppo.png"), shot, 0o644))
	// The page that explains.
	for _, view := range []struct {
		name  string
		width int64
	}{{"wide", 1000}, {"narrow", 340}} {
		must(t, chromedp.Do(ctx, chromedp.EmulateViewport(view.width, 700), chromedp.Navigate(archive.URL+"/resolve?format=html&url="+url.QueryEscape(urls[1])), chromedp.WaitReady("body")))
		if evaluate[bool](t, ctx, "document.documentElement.scrollWidth > innerWidth") {
			t.Errorf("%s: something is wider than the window", view.name)
		}
		if font := evaluate[string](t, ctx, "getComputedStyle(document.body).maxWidth"); font == "none" {
			t.Error("its own policy keeps its style from it")
		}
		shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), "explain-"+view.name+".png"), shot, 0o644))
	}
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
