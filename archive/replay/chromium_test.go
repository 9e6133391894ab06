package replay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"linkstead/archive/replay"
)

// browser is a headless Chromium and what it did.
type browser struct {
	t      *testing.T
	ctx    context.Context
	origin string // where pages are asked for; what is shown may be at a host below it

	mu         sync.Mutex
	outside    []string // requests beyond the origin
	ids        map[network.RequestID]string
	stopped    map[string]bool // those that were stopped before they left
	violations []string        // of a Content-Security-Policy
	exceptions []string        // of scripts
	asked      map[string]int
}

// browse starts Chromium on the archive's handler. It fails if there is none.
func browse(t *testing.T, a *testArchive) *browser {
	t.Helper()
	return browseBy(t, a, func(h http.Handler) http.Handler { return h })
}

// browseBy starts it on what stands before the handler.
func browseBy(t *testing.T, a *testArchive, by func(http.Handler) http.Handler) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Chromium is missing: apt-get install chromium (%v)", err)
	}
	server := httptest.NewServer(by(a.handler))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	must(t, err)
	a.handler.Origin = "http://replay.localhost:" + port
	alloc, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("host-resolver-rules", "MAP *.test ~NOTFOUND"),
	)
	t.Cleanup(stop)
	b := &browser{t: t, origin: a.handler.Origin, asked: map[string]int{}, ids: map[network.RequestID]string{}, stopped: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithListener(b.note))
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx)) // starts it; a deadline on this context would be one on the browser
	b.ctx, cancel = context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(cancel)
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, audits.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

func call[P, R any](b *browser, cmd cdp.Command[P, R], params P) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, cmd, params)
	must(b.t, err)
}

func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked[b.request(e.Request.URL)]++
		b.ids[e.RequestID] = e.Request.URL
	case *network.EventLoadingFailed:
		if e.BlockedReason != "" {
			b.stopped[b.ids[e.RequestID]] = true
		}
	case *network.EventWebSocketCreated:
		b.request(e.URL)
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			text, _ := json.Marshal(d)
			b.violations = append(b.violations, string(text))
		}
	case *log.EventEntryAdded:
		if strings.Contains(e.Entry.Text, "Content Security Policy") {
			b.violations = append(b.violations, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(e.ExceptionDetails)
		b.exceptions = append(b.exceptions, string(text))
	}
}

// request notes one, and gives its URL as if it had been asked of the origin itself.
func (b *browser) request(url string) string {
	for _, p := range []string{b.origin + "/", "data:", "blob:", "about:"} {
		if strings.HasPrefix(url, p) {
			return url
		}
	}
	if label, rest, ok := strings.Cut(strings.TrimPrefix(url, "http://"), "."); ok && !strings.ContainsAny(label, ":/") {
		if strings.HasPrefix(rest, strings.TrimPrefix(b.origin, "http://")+"/") {
			return "http://" + rest
		}
	}
	b.outside = append(b.outside, url)
	return url
}

// inModes runs a test for each way in which archived sites are kept apart, both at once: mostly they wait for their browsers.
func inModes(t *testing.T, f func(t *testing.T, mode replay.Mode)) {
	for name, mode := range map[string]replay.Mode{"a host a site": replay.PerSite, "one host": replay.OneHost} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, mode)
		})
	}
}

// check says what must never happen.
func (b *browser) check() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.outside {
		b.t.Errorf("a request beyond the archive: %s", u)
	}
	for _, v := range b.violations {
		b.t.Errorf("the policy had to stop: %s", v)
	}
	for _, e := range b.exceptions {
		b.t.Errorf("a script failed: %s", e)
	}
}

// patience is for how long a page may take; a loaded machine needs some.
const patience = 90 * time.Second

// poll waits until a JavaScript expression is true.
func (b *browser) poll(expression string) error {
	end := time.Now().Add(patience)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && ok || b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %s: %s", patience, expression)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// TestShimInChromium loads a page that asks for things in every way that the shim knows. The page's script tells in
// window.results what it saw.
func TestShimInChromium(t *testing.T) {
	t.Parallel()
	inModes(t, shimInChromium)
}

func shimInChromium(t *testing.T, mode replay.Mode) {
	a := newArchive(t)
	a.handler.Mode = mode
	a.page("http://site.test/dir/page", "text/html", file(t, "dynamic.html"), "Content-Security-Policy: default-src 'none'",
		"Clear-Site-Data: \"*\"", "Link: <http://live.test/link.css>; rel=preload; as=style")
	for _, name := range []string{"img-src", "img-attr", "img-ns", "img-html", "img-adjacent", "img-write", "img-set-1x", "img-fragment",
		"img-parsed", "img-svg", "css-style", "css-property", "css-text", "css-rule", "css-node", "poster", "img-template", "css-replace",
		"css-attr"} {
		a.page("http://cdn.test/"+name+".gif", "image/gif", pixel)
	}
	a.page("http://site.test/root.gif", "image/gif", pixel)
	a.page("http://site.test/dir/relative.gif", "image/gif", pixel)
	a.page("http://site.test/unshimmed.gif", "image/gif", pixel)
	a.page("http://cdn.test/script.js", "text/javascript", "window.scriptRan = true")
	a.page("http://cdn.test/written.js", "text/javascript", "window.writtenRan = true")
	a.page("http://cdn.test/module.mjs", "text/javascript", "import {n} from './part.mjs'; window.moduleRan = n")
	a.page("http://cdn.test/part.mjs", "text/javascript", "export const n = 7")
	a.page("http://cdn.test/style.css", "text/css", "@import '/more.css'; body { color: rgb(1, 2, 3) }")
	a.page("http://cdn.test/more.css", "text/css", "body { background: url(http://cdn.test/css-style.gif) }")
	a.page("http://cdn.test/data.json?a=1&b=2", "application/json", `{"n": 5}`)
	a.page("http://cdn.test/worker.js", "text/javascript", "postMessage('works')")
	a.page("http://cdn.test/frame", "text/html", "<p id=p>framed<script>parent.postMessage('framed', '*')</script>")
	a.page("http://cdn.test/next", "text/html", "<title>next</title><script>window.next = 1</script>")
	b := browse(t, a)
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/2020/http://site.test/dir/page")))
	err := b.poll("window.results && window.results.done")
	b.check()
	results, evalErr := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]any]("window.results || {}"))
	must(t, evalErr)
	for name, got := range results {
		if got != true {
			t.Errorf("%s: %v", name, got)
		}
	}
	if err != nil || len(results) < 30 {
		t.Errorf("the page's script did not end: %v, %d results", err, len(results))
	}
	b.check()

	// Away by a script of the page: the navigation stays within the archive.
	_, err = chromedp.Run(b.ctx, chromedp.Evaluate[int]("setTimeout(leave), 1"))
	must(t, err)
	if err := b.poll("window.next === 1"); err != nil {
		t.Errorf("location = … did not lead to the archived page: %v", err)
	}
	b.check()
}

// TestAleppoInChromium loads the WordPress page whose emoji loader makes a script element at run time.
func TestAleppoInChromium(t *testing.T) {
	t.Parallel()
	inModes(t, aleppoInChromium)
}

func aleppoInChromium(t *testing.T, mode replay.Mode) {
	const url = "http://blog.wp.test/2023/02/aleppo/"
	a := newArchive(t)
	a.handler.Mode = mode
	a.page(url, "text/html; charset=UTF-8", file(t, "../../post/testdata/aleppo.html"))
	a.page("http://blog.wp.test/wp-includes/js/wp-emoji-release.min.js?ver=6.1.9", "text/javascript",
		"window.emoji = 1; var i = new Image; i.setAttribute('src', _wpemojiSettings.baseUrl + '1f600.png')")
	b := browse(t, a)
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+url)))
	if err := b.poll("document.readyState === 'complete' && window.emoji === 1"); err != nil {
		t.Errorf("the emoji script did not run: %v", err)
	}
	b.mu.Lock()
	emoji := b.asked[b.origin+"/web/"+stamp+"im_/https://s.w.org/images/core/emoji/14.0.0/72x72/1f600.png"]
	b.mu.Unlock()
	if emoji == 0 {
		t.Errorf("the emoji's picture was not asked of the archive: %v", b.asked)
	}
	b.check()
}
