package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium and what it saw since its last look.
type browser struct {
	t     testing.TB
	ctx   context.Context
	shots string // folder of the screenshots; go test -artifacts keeps it

	mu      sync.Mutex
	changed chan struct{} // closed at the next event, and made anew
	sight
}

// sight is what one page did.
type sight struct {
	asked      []*response          // in order
	requests   map[string]*response // by URL
	ids        map[network.RequestID]*response
	loaders    map[string]string // of the main frame: URL by loader
	idle       map[string]bool   // loaders whose network has come to rest
	violations []string          // of a Content-Security-Policy
	faults     []string          // errors on the console, exceptions
}

// response is an answer as the browser got it.
type response struct {
	url     string
	kind    network.ResourceType
	status  int64
	whole   bool   // it came to its end
	stopped bool   // by a Content-Security-Policy, before it left the browser
	sum     string // SHA-256 of the decoded body
}

// facts are what a page looks like.
type facts struct {
	Title    string
	Styles   []string  // of every element: its computed style
	Pictures []picFact // of every img
	Ran      string    // what the page's scripts left behind
}

type picFact struct {
	URL   string
	Width int // natural, in pixels; 0: not shown
}

// factsScript tells addresses as they were before they were turned inward.
const factsScript = `(() => {
	const was = s => s.replace(/https?:\/\/(?:[a-z0-9-]+\.)?replay\.localhost:\d+\/web\/\d+[a-z]*_?\//g, '');
	const props = ['display', 'position', 'color', 'background-color', 'background-image', 'font-family', 'font-size', 'font-weight',
		'line-height', 'letter-spacing', 'text-align', 'list-style-image', 'margin', 'padding', 'border', 'width', 'height', 'opacity', 'content'];
	return {
		Title: document.title,
		Styles: [...document.querySelectorAll('html, body, body *')].map(e => {
			const c = getComputedStyle(e);
			return e.tagName + '.' + e.className + ': ' + was(props.map(p => p + ':' + c.getPropertyValue(p)).join('; '));
		}),
		Pictures: [...document.images].map(i => ({URL: was(i.currentSrc || i.src), Width: i.naturalWidth})),
		Ran: JSON.stringify([document.documentElement.dataset, window.addComment, window.wp]),
	};
})()`

var siteHost = regexp.MustCompile(`^http://[a-z0-9-]+\.(replay\.localhost:\d+/)`)

// atOrigin is an address as if it had been asked of the replay's origin: each archived site has a host below it.
func atOrigin(url string) string { return siteHost.ReplaceAllString(url, "http://$1") }

// watchScript reports violations from within, before anything else runs.
const watchScript = `addEventListener('securitypolicyviolation', e => noteViolation(JSON.stringify(
	[e.documentURI, e.effectiveDirective, e.blockedURI, e.sourceFile, e.lineNumber])), true)`

// browse starts Chromium. Names lead where the rules say (--host-resolver-rules), and nowhere else.
func browse(t testing.TB, rules ...string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Chromium is missing: apt-get install chromium (make test does it): %v", err)
	}
	rules = append(rules, "MAP * ~NOTFOUND", "EXCLUDE *.localhost", "EXCLUDE 127.0.0.1")
	b := &browser{t: t, shots: t.ArtifactDir(), changed: make(chan struct{})}
	alloc, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("blink-settings", "lazyLoadEnabled=false"), // or no picture below loads
		chromedp.Flag("host-resolver-rules", strings.Join(rules, ", ")),
	)
	t.Cleanup(stop)
	b.forget()
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithListener(b.note))
	t.Cleanup(cancel)
	b.ctx = ctx
	b.do() // starts it; a deadline on this context would be one on the browser
	b.ctx, cancel = context.WithTimeout(ctx, 12*time.Minute)
	t.Cleanup(cancel)
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	call(b, log.Enable, cdp.Empty{})
	call(b, audits.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	call(b, runtime.AddBinding, runtime.AddBindingParams{Name: "noteViolation"})
	call(b, page.Enable, page.EnableParams{})
	call(b, page.SetLifecycleEventsEnabled, page.SetLifecycleEventsEnabledParams{Enabled: true})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchScript})
	b.do(chromedp.EmulateViewport(1280, 2000))
	return b
}

// call sends a command of the DevTools protocol.
func call[P, R any](b *browser, cmd cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, cmd, params)
	if err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
	return r
}

// run runs an action for its result.
func run[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
	return v
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
}

// forget starts a new sight.
func (b *browser) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sight = sight{requests: map[string]*response{}, ids: map[network.RequestID]*response{}, loaders: map[string]string{}, idle: map[string]bool{}}
}

func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.RedirectResponse != nil {
			b.answered(e.RequestID, e.RedirectResponse)
		}
		r := &response{url: atOrigin(e.Request.URL), kind: e.Type}
		b.asked = append(b.asked, r)
		b.requests[r.url], b.ids[e.RequestID] = r, r
	case *network.EventWebSocketCreated:
		b.asked = append(b.asked, &response{url: atOrigin(e.URL)})
	case *network.EventResponseReceived:
		b.answered(e.RequestID, e.Response)
	case *network.EventLoadingFinished:
		if r := b.ids[e.RequestID]; r != nil {
			r.whole = true
		}
	case *network.EventLoadingFailed:
		if r := b.ids[e.RequestID]; r != nil {
			r.stopped = e.BlockedReason == network.BlockedReasonCsp
		}
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			b.loaders[string(e.Frame.LoaderID)] = atOrigin(e.Frame.URL)
		}
	case *page.EventLifecycleEvent:
		if e.Name == "networkIdle" {
			b.idle[string(e.LoaderID)] = true
		}
	case *runtime.EventBindingCalled:
		b.violations = append(b.violations, e.Payload)
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			text, _ := json.Marshal(d) // it came as JSON
			b.violations = append(b.violations, string(text))
		}
	case *log.EventEntryAdded:
		if strings.Contains(e.Entry.Text, "Content Security Policy") {
			b.violations = append(b.violations, e.Entry.Text)
		}
		if e.Entry.Level == log.EntryLevelError {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.faults = append(b.faults, "console.error")
		}
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(e.ExceptionDetails) // it came as JSON
		b.faults = append(b.faults, string(text))
	default:
		return
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *browser) answered(id network.RequestID, resp *network.Response) {
	if r := b.ids[id]; r != nil {
		r.status = resp.Status
	}
}

// await waits until something holds, which is asked again at every event.
func (b *browser) await(what string, holds func(*sight) bool) {
	b.t.Helper()
	late := time.NewTimer(60 * time.Second)
	defer late.Stop()
	for {
		b.mu.Lock()
		ok, changed := holds(&b.sight), b.changed
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			b.t.Fatalf("Chromium: %s: not within a minute; it asked for %v", what, urlsOf(b.asked))
		case <-b.ctx.Done():
			b.t.Fatalf("Chromium: %s: %v", what, b.ctx.Err())
		}
	}
}

// until waits until an expression is true in the page.
func (b *browser) until(expression string) {
	b.t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.NewTimer(2*time.Minute)
	defer tick.Stop()
	defer late.Stop()
	for {
		// chromedp.Poll would ask the page that has just been left.
		r, err := chromedp.Call(b.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "!!(" + expression + ")"})
		if err == nil && r.Result != nil && string(r.Result.Value) == "true" {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			b.t.Fatalf("Chromium: %s: not within two minutes: %v", expression, err)
		case <-b.ctx.Done():
			b.t.Fatalf("Chromium: %s: %v", expression, b.ctx.Err())
		}
	}
}

// settled waits for a page whose URL ends so, until its network has come to rest and every picture is there or is lost.
func (b *browser) settled(suffix string) (url string) {
	b.t.Helper()
	b.await("load "+suffix, func(s *sight) bool {
		for loader := range s.idle {
			if u, ok := s.loaders[loader]; ok && strings.HasSuffix(u, suffix) {
				url = u
				return true
			}
		}
		return false
	})
	b.until(`document.readyState === 'complete' && [...document.images].every(i => i.complete)`)
	return url
}

// load opens a page and waits until it has settled.
func (b *browser) load(url string) {
	b.t.Helper()
	b.forget()
	b.open(url)
	b.settled(url)
}

// open starts to load a page.
func (b *browser) open(url string) {
	b.t.Helper()
	if r := call(b, page.Navigate, page.NavigateParams{URL: url}); r.ErrorText != "" {
		b.t.Fatalf("Chromium: %s: %s", url, r.ErrorText)
	}
}

// look takes down what the page is, and makes a screenshot.
func (b *browser) look(name string) (sight, facts) {
	b.t.Helper()
	f, shot := run(b, chromedp.Evaluate[facts](factsScript)), run(b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(b.shots, name+".png"), shot, 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	s := b.sight
	ids := map[network.RequestID]*response{}
	for id, r := range b.ids {
		if r.whole && r.status == 200 && !strings.HasPrefix(r.url, "data:") {
			ids[id] = r
		}
	}
	b.mu.Unlock()
	for id, r := range ids {
		r.sum = sumOf(call(b, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id}).Body)
	}
	return s, f
}

func urlsOf(rs []*response) (urls []string) {
	for _, r := range rs {
		urls = append(urls, r.url)
	}
	return urls
}

// beyond are the requests that left the browser for others than these origins.
func (s *sight) beyond(origins ...string) (urls []string) {
	for _, r := range s.asked {
		if !r.stopped && !strings.HasPrefix(r.url, "data:") && !strings.HasPrefix(r.url, "blob:") &&
			!slices.ContainsFunc(origins, func(o string) bool { return strings.HasPrefix(r.url, o+"/") }) {
			urls = append(urls, r.url)
		}
	}
	return urls
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
