package web

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browse starts Chromium; it fails if there is none.
func browse(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Chromium is missing: apt-get install chromium (%v)", err)
	}
	alloc, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("host-resolver-rules", "MAP *.example ~NOTFOUND"),
	)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // starts it; a deadline on this context would be one on the browser
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T { //nolint:revive // t first, as in all helpers here
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestCaptureNowInChromium: a person's browser sends what the form needs to be believed, and a page elsewhere can't make it do
// so. go test -artifacts keeps what it saw.
func TestCaptureNowInChromium(t *testing.T) {
	with, b, _ := capturing(t)
	p := newArchive(t).pages
	p.Capture = with.Capture
	server := httptest.NewServer(p.Handler())
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	home := "http://localhost:" + port
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<form method=post action="` + home + CapturePath + `"><input name=url value="http://site.example/"><button>Go</button></form>`))
	}))
	t.Cleanup(elsewhere.Close)
	ctx := browse(t)
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"wide-light", "light", 1100}, {"narrow-dark", "dark", 360}} {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(view.width, 700),
			chromedp.Navigate(home+CapturePath+"?collection=news&url=http://site.example/a"), chromedp.WaitVisible("form button")); err != nil {
			t.Fatal(err)
		}
		if evaluate[bool](t, ctx, "document.documentElement.scrollWidth > innerWidth") {
			t.Errorf("%s: something is wider than the window", view.name)
		}
		shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "capture-"+view.name+".png"), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	press := func() string {
		if err := chromedp.Do(ctx, chromedp.Click("form button"), chromedp.WaitVisible("h1")); err != nil {
			t.Fatal(err)
		}
		return evaluate[string](t, ctx, "location.pathname")
	}
	evaluate[bool](t, ctx, "document.querySelector('h1').remove(), true") // the next page brings its own
	if path := press(); path != "/runs/17" || len(b.urls) != 1 {
		t.Errorf("the form led to %s, begun %q", path, b.urls)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(elsewhere.URL), chromedp.WaitVisible("form button")); err != nil {
		t.Fatal(err)
	}
	if press(); len(b.urls) != 1 {
		t.Errorf("a page elsewhere has begun %q", b.urls)
	}
	if text := evaluate[string](t, ctx, "document.body.textContent"); !strings.Contains(text, "none of the archive's own") {
		t.Errorf("it was told: %s", text)
	}
}
