package web

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"linkstead/archive/bibliography"
	"linkstead/archive/cite"
)

// TestCiteInChromium: a person's browser shows the citations in any width and scheme, and copies them by a button; without scripts a click
// selects one. go test -artifacts keeps what it saw.
func TestCiteInChromium(t *testing.T) {
	a, d, address := citable(t)
	e, err := d.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: address})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Mint(t.Context(), e, "n"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a.pages.Handler())
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	home := "http://localhost:" + port
	ctx := browse(t)
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		if _, err := chromedp.Call(ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, Origin: home,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"wide-light", "light", 1100}, {"narrow-dark", "dark", 360}} {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(view.width, 700), chromedp.Navigate(home+"/cite/"+e.ID.String()), chromedp.WaitVisible("section[data-copy] button")); err != nil {
			t.Fatal(err)
		}
		if evaluate[bool](t, ctx, "document.documentElement.scrollWidth > innerWidth") {
			t.Errorf("%s: something is wider than the window", view.name)
		}
		shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "cite-"+view.name+".png"), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := evaluate[int](t, ctx, "document.querySelectorAll('section[data-copy] button').length"); n != 8 {
		t.Errorf("%d buttons, want 8", n)
	}
	const bibtex = "[data-copy=BibTeX] "
	if err := chromedp.Do(ctx, chromedp.Click(bibtex+"button")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!document.querySelector('"+bibtex+"[role=status]').textContent")); err != nil {
		t.Fatal(err)
	}
	if said := evaluate[string](t, ctx, "document.querySelector('"+bibtex+"[role=status]').textContent"); said != "Copied." {
		t.Errorf("the button says %q", said)
	}
	copied, err := chromedp.Run(ctx, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
	if want := strings.TrimSpace(cite.Formats[1].Write([]cite.Record{e.Record})); err != nil || strings.ReplaceAll(copied, "\r\n", "\n") != want {
		t.Errorf("copied %q, %v, want %q", copied, err, want)
	}
	if err := chromedp.Do(ctx, chromedp.Click("[data-copy=RIS] pre")); err != nil {
		t.Fatal(err)
	}
	if got := evaluate[string](t, ctx, "getSelection().toString()"); !strings.HasPrefix(got, "TY  - ") || !strings.Contains(got, "ER  -") {
		t.Errorf("a click selects %q", got)
	}
}
