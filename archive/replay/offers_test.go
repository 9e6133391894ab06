package replay_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"linkstead/archive/outcome"
	"linkstead/archive/replay"
)

// lacking is an archive with pages around one that is missing.
func lacking(t *testing.T) *testArchive {
	a := newArchive(t)
	for _, name := range []string{"alpha", "beta", "gamma", "lambda", "mu", "nu", "omega"} {
		a.page("http://blog.test/2016/02/"+name+".html", "text/html", "<p>"+name)
	}
	a.capture(capture{url: "http://blog.test/2016/02/mu.html", at: day.AddDate(1, 0, 0), response: message(200, "text/html", "<p>later")})
	a.page("http://blog.test/2016/02/kappa.png", "image/png", "\x89PNG")
	a.capture(capture{url: "http://blog.test/2016/02/kappa.html", response: message(404, "text/html", "gone")})
	a.page("http://blog.test/", "text/html", "<p>home")
	a.page("http://blog.test/robots.txt", "text/plain", "")
	a.page("http://blog.test/2016/02/odd'(1).html", "text/html", "<p>odd")
	a.page("http://other.test/x.html", "text/html", "<p>other")
	a.failure("http://blog.test/2016/02/kappa2.html", day.AddDate(0, 0, -1), outcome.Refused, "blog.test:80 refused the connection")
	a.failure("http://blog.test/2016/02/kappa2.html", day.AddDate(0, 0, 1), outcome.DNS, "no such host blog.test")
	a.handler.Elsewhere = []replay.Elsewhere{{Name: "Example Archive", Prefix: "https://archive.example/web/{time}/"}, {Name: "Another <one>", Prefix: "https://gate.example/"}}
	a.handler.CaptureNow = func(r *http.Request, collection, url string) string {
		if r.Header.Get("X-Far") != "" {
			return ""
		}
		return testPages + "/capture?url=" + url
	}
	return a
}

// TestOffers: the page for a missing copy tells what is near, what happened, and where else to look.
func TestOffers(t *testing.T) {
	a := lacking(t)
	const at = "/web/" + stamp
	got := a.get(at + "/http://blog.test/2016/02/kappa2.html").body
	place := 0
	for _, want := range []string{
		"It was already dead on 18 May 2020", `href="` + testPages + `/capture?url=http://blog.test/2016/02/kappa2.html">Capture it now…<`,
		"/http://blog.test/2016/02/alpha.html", "/http://blog.test/2016/02/gamma.html", at + "/http://blog.test/2016/02/lambda.html",
		at + "/http://blog.test/2016/02/mu.html", "/http://blog.test/2016/02/omega.html", `href="/web/*/http://blog.test/2016/02/*">All that is kept there<`,
		`href="https://archive.example/web/` + stamp + `/http://blog.test/2016/02/kappa2.html"`,
		`href="https://gate.example/http://blog.test/2016/02/kappa2.html" rel="noreferrer nofollow">Another &lt;one&gt;<`,
		"no such host blog.test", "refused the connection",
	} {
		i := strings.Index(got[place:], want)
		if i < 0 {
			t.Errorf("%q is not there, or not in its place:\n%s", want, got)
			continue
		}
		place += i
	}
	for _, not := range []string{"kappa.png", "kappa.html\"", "robots.txt", "other.test"} {
		if strings.Contains(got, not) {
			t.Errorf("%s is offered", not)
		}
	}
	if all := a.get("/web/*/http://blog.test/2016/02/*"); all.StatusCode != 200 || !strings.Contains(all.body, "lambda.html") {
		t.Errorf("what is kept there: %d", all.StatusCode)
	}
	if far := a.get(at+"/http://blog.test/2016/02/kappa2.html", "X-Far: 1").body; strings.Contains(far, "Capture it now") {
		t.Error("whoever may not is offered to capture")
	}
	if got := a.get(at + "/http://blog.test/2019/x.html").body; !strings.Contains(got, "in <span class=\"url\">http://blog.test/</span>") || !strings.Contains(got, at+"/http://blog.test/\"") {
		t.Errorf("nothing of the host is offered:\n%s", got)
	}
	if got := a.get(at + "/http://blog.test/2016/02/p.html").body; !strings.Contains(got, `/http://blog.test/2016/02/odd&#39;(1).html"`) {
		t.Errorf("an odd address is not linked to as it is:\n%s", got)
	}
	for _, target := range []string{at + "/http://nowhere.test/", at + "/urn:isbn:1", at + "/file:///x.md", at + "/http://%zz/"} {
		if got := a.get(target); got.StatusCode != 404 && got.StatusCode != 400 || strings.Contains(got.body, "Nearby") {
			t.Errorf("%s: %d\n%s", target, got.StatusCode, got.body)
		}
	}
	// Who names no time is offered the last of each, and other archives are asked for now.
	last := a.get("/web/http://blog.test/2016/02/kappa2.html").body
	for _, want := range []string{"the last copy of each", `href="/web/20210517102030/http://blog.test/2016/02/mu.html"`, "https://archive.example/web/" + a.clock.Now().UTC().Format("20060102150405")} {
		if !strings.Contains(last, want) {
			t.Errorf("without a time, %q is not there:\n%s", want, last)
		}
	}
	// An answer to a form can't be had by asking again.
	for target, list := range map[string]bool{"/2016/02/alpha.html": true, "/2016/02/kappa2.html": false} {
		got := a.get(at+"/http://blog.test"+target, "POST")
		if got.StatusCode != 404 || !strings.Contains(got.body, "A form was sent here by POST") || strings.Contains(got.body, "no copy of this address") ||
			strings.Contains(got.body, "Capture it now") || strings.Contains(got.body, `<a href="/web/*/http://blog.test`+target) != list {
			t.Errorf("POST %s: %d\n%s", target, got.StatusCode, got.body)
		}
	}
	a.handler.Elsewhere, a.handler.CaptureNow = nil, nil
	if got := a.get(at + "/http://nowhere.test/").body; strings.Contains(got, "Elsewhere") || strings.Contains(got, "Capture it now") {
		t.Errorf("what is not configured is offered:\n%s", got)
	}
}

// TestOffersInChromium looks at the page: wide and narrow, light and dark. Nothing lies outside, nothing is asked of others.
// go test -artifacts keeps what it saw.
func TestOffersInChromium(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	b := browse(t, a)
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"wide-light", "light", 1100}, {"narrow-dark", "dark", 360}} {
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		must(t, chromedp.Do(b.ctx, chromedp.EmulateViewport(view.width, 900),
			chromedp.Navigate(b.origin+"/web/"+stamp+"/http://blog.test/2016/02/kappa2.html"), chromedp.WaitVisible("footer")))
		overflow, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > innerWidth"))
		must(t, err)
		if overflow {
			t.Errorf("%s: something is wider than the window", view.name)
		}
		unnamed, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](
			"[...document.querySelectorAll('a')].filter(a => !a.textContent.trim() || a.getBoundingClientRect().height < 24).map(a => a.outerHTML)"))
		must(t, err)
		if len(unnamed) > 0 {
			t.Errorf("%s: links without a name, or too small to hit: %q", view.name, unnamed)
		}
		shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), "notfound-"+view.name+".png"), shot, 0o644))
	}
	b.check()
}
