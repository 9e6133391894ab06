package replay_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"linkstead/archive/replay"
)

// bannerPage is a page of several times, of which one part is missing, one is old, and one was never captured.
func bannerPage(t *testing.T) *testArchive {
	a := newArchive(t)
	for _, years := range []int{-4, -2, -1, 0, 0, 1, 3} {
		a.capture(capture{url: "http://site.test/page", at: day.AddDate(years, 0, 0), response: message(200, "text/html",
			`<!DOCTYPE html><title>Paper</title><style>* { color: green !important } body *, linkstead-banner * { font-size: 20px !important } linkstead-banner { display: none !important; top: 900px !important }
			@media print { p { color: black } }</style><h1 id=h>A paper</h1><p><img src="near.gif"><img src="old.gif"><img src="none.gif"><img src="http://cdn.test/x.gif">
			<iframe src="http://site.test/frame"></iframe><iframe src="http://cdn.test/frame"></iframe><img src="gone.gif"><img src="broken.gif"><header id=head style="position: fixed; top: 0; left: 0; width: 100%; height: 30px">Menu</header><nav id=stuck style="position: sticky; top: 0">Contents</nav>
			<script>new Image().src = "http://site.test/near.gif";
			fetch("http://site.test/never-read").catch(() => 0); fetch("/data", {method: "POST", body: "x"}).then(r => { if (!r.ok) throw r.status }).catch(() => 0);
			addEventListener("unhandledrejection", (e) => { window.unhandled = e.reason; e.preventDefault() }); fetch("http://site.test/unread.json").then(r => { throw "unhandled" });
			onload = () => {
				const a = document.createAttribute("style"); a.value = "background: \\75 rl(http://live.test/)"; document.getElementById("h").setAttributeNode(a) }</script><p>`+strings.Repeat("Text of the paper. ", 600))})
	}
	a.page("http://site.test/near.gif", "image/gif", pixel)
	a.capture(capture{url: "http://site.test/old.gif", at: day.AddDate(-2, 0, 0), response: message(200, "image/gif", pixel+"old")})
	a.page("http://cdn.test/x.gif", "image/gif", pixel+"x")
	a.page("http://site.test/frame", "text/html", `<script>fetch("/framed").catch(() => 0)</script>`)
	a.page("http://cdn.test/frame", "text/html", "<p>elsewhere")
	a.page("http://site.test/unread.json", "application/json", "{}")
	a.capture(capture{url: "http://site.test/gone.gif", response: message(404, "text/html", "gone")})
	a.capture(capture{url: "http://site.test/broken.gif", response: message(503, "text/html", "broken")})
	a.capture(capture{url: "http://site.test/not-there", response: message(404, "text/html", "<!DOCTYPE html>Nothing else")})
	a.capture(capture{url: "http://site.test/not-there", response: message(404, "text/html", "<!DOCTYPE html><html dir=rtl><title>404</title><p id=h>Nothing")})
	return a
}

func TestBannerFacts(t *testing.T) {
	a := bannerPage(t)
	got := a.get("/web/-/banner/web/" + stamp + "/http://site.test/page")
	var facts struct {
		Taken, Asked string
		Count        int
		First, Prev  struct{ Stamp, Path string }
		Next, Last   struct{ Stamp, Path string }
		Years        []struct {
			Year   string
			Count  int
			Months []int
			List   string
		}
	}
	must(t, json.Unmarshal([]byte(got.body), &facts))
	if facts.Taken != stamp || facts.Count != 7 || facts.First.Stamp != "20160517102030" || facts.Prev.Stamp != "20190517102030" ||
		facts.Next.Path != "/web/20210517102030/http://site.test/page" || facts.Last.Stamp != "20230517102030" || facts.Asked != "" {
		t.Errorf("%s", got.body)
	}
	if len(facts.Years) != 6 || facts.Years[3].Count != 2 || facts.Years[3].Months[4] != 2 || facts.Years[3].List != "/web/2020*/http://site.test/page" {
		t.Errorf("%+v", facts.Years)
	}
	if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Memento-Datetime") != "" {
		t.Errorf("%v", got.Header)
	}
	for target, status := range map[string]int{"/web/-/banner/web/2020/http://none.test/": 404, "/web/-/banner/nosuch/2020/http://site.test/page": 404,
		"/web/-/banner/web/*/http://site.test/page": 404, "/web/-/banner/": 404, "/web/-/banner/x": 404, "/web/-/banner/web/-/banner/web/2020/http://site.test/page": 404} {
		if got := a.get(target); got.StatusCode != status {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
	}
	if to := a.get("/web/-/home").Header.Get("Location"); to != testPages+"/" {
		t.Errorf("home is at %q", to)
	}
}

// TestAskedTime: who is redirected is told how far the capture is from what was asked; nobody else is.
func TestAskedTime(t *testing.T) {
	a := bannerPage(t)
	const page = "/web/20230517102030/http://site.test/page"
	about := func(fields ...string) string { return a.get("/web/-/banner"+page, fields...).body }
	if to := a.get("/web/20250101/http://site.test/page", "User-Agent: one").Header.Get("Location"); to != page {
		t.Fatal(to)
	}
	if !strings.Contains(about("User-Agent: one"), `"asked":"20250101`) || strings.Contains(about("User-Agent: two"), "asked") {
		t.Errorf("%s, others %s", about("User-Agent: one"), about("User-Agent: two"))
	}
	a.clock.Advance(time.Hour)
	if strings.Contains(about("User-Agent: one"), "asked") {
		t.Error("told an hour later")
	}
	a.get("/web/2023/http://site.test/page", "User-Agent: one")
	if strings.Contains(about("User-Agent: one"), "asked") {
		t.Error("a capture from within the year that was asked for is called far from it")
	}
}

func TestBannerInChromium(t *testing.T) {
	t.Parallel()
	inModes(t, bannerInChromium)
}

func bannerInChromium(t *testing.T, mode replay.Mode) {
	a := bannerPage(t)
	twins := regexp.MustCompile(`/web/\d{14}~[^"]*`).FindAllString(a.get("/web/*/http://site.test/not-there").body, -1)
	if len(twins) != 2 {
		t.Fatalf("two captures of a second have the addresses %q", twins)
	}
	a.handler.Mode = mode
	b := browse(t, a)
	shot := func(name string) {
		t.Helper()
		image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		must(t, err)
		must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), image, 0o600))
	}
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 390}} {
		call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: view.width, Height: 700, DeviceScaleFactor: 1})
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/20200601/http://site.test/page")))
		must(t, b.poll("document.querySelector('linkstead-banner') && document.getElementById('h').getBoundingClientRect().top > 45"))
		shot(view.name)
	}
	// By keyboard alone: the banner is the first thing in the window. Narrow, it has earlier, later, all, the panel.
	for range 4 {
		must(t, chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Tab)))
	}
	must(t, chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Enter)))
	shot("narrow panel")
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 700, DeviceScaleFactor: 1})
	shot("wide panel")
	missing, foreign := "4 parts are missing", "1 frame can't be looked into"
	if mode == replay.OneHost { // each document is of an origin of its own
		missing, foreign = "3 parts are missing", "2 frames can't be looked into"
	}
	wants := []string{"17 May 2020, 10:20 UTC", "15 days earlier than asked for", "7 captures", "Earlier", "Later", "2020: 2 captures",
		"captured within a day of it", "The earliest part is 2 years earlier", missing, foreign, "2 parts were missing then, too, or failed", "http://site.test/gone.gif", "the same second; was missing then, too: 404",
		"http://site.test/broken.gif", "the same second; failed then, too: its server answered 503", "http://site.test/never-read", "http://site.test/data", "http://site.test/unread.json",
		"http://site.test/none.gif", "missing: the archive has no copy", "http://site.test/old.gif", "http://cdn.test/x.gif", "1 request beyond the archive was stopped", "http://live.test/"}
	if told := b.told(wants...); told != "" {
		t.Errorf("the banner does not tell %s", told)
	}
	shot("panel")
	b.clear(true)
	must(t, chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Escape)))
	must(t, chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Tab)))
	must(t, chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Enter)))
	must(t, b.poll("document.getElementById('h').getBoundingClientRect().top < 40")) // nothing is kept free for it
	if told := b.told("Archived on 17 May 2020: show the banner"); told != "" {
		t.Errorf("the hidden banner does not tell %s", told)
	}
	shot("hidden")
	b.clear(false)
	// What a page does to it is in vain.
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`(() => {
		const e = document.querySelector("linkstead-banner");
		e.style.setProperty("display", "none", "important");
		e.style.setProperty("opacity", "0", "important");
		return String(e.shadowRoot) + getComputedStyle(e).display + getComputedStyle(e).opacity + getComputedStyle(e).position;
	})()`))
	must(t, err)
	must(t, b.poll(`getComputedStyle(document.querySelector("linkstead-banner")).display === "block" && getComputedStyle(document.querySelector("linkstead-banner")).opacity === "1"`))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	must(t, b.poll(`getComputedStyle(document.querySelector("linkstead-banner")).display === "none"`))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "screen"})

	// A page that was an error says so, whichever way it is written.
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+twins[0])))
	if told := b.told("Its server answered 404 Not Found then, and showed this.", "No part that was asked for is missing."); !strings.HasPrefix(told, "No part") {
		t.Errorf("the banner of a 404 does not tell %s", told)
	}
	must(t, b.poll(`getComputedStyle(document.querySelector("linkstead-banner")).direction === "ltr"`))
	must(t, b.poll(`document.dir === "rtl" && document.URL === "http://site.test/not-there"`))
	shot("rtl")

	// A page in a frame, or asked for without it, has none.
	for _, mod := range []string{"if_", "mp_"} {
		must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+mod+"/http://site.test/page")))
		must(t, b.poll("document.readyState === 'complete' && !document.querySelector('linkstead-banner')"))
	}
}

// clear waits until what sticks to the top of the window stands below the banner, or again where the page has it.
func (b *browser) clear(shown bool) {
	b.t.Helper()
	at := "0"
	if shown {
		at = "document.documentElement.computedStyleMap().get('margin-top').value"
	}
	for _, scrolled := range []string{"0", "400"} {
		must(b.t, b.poll(`(scrollTo(0, `+scrolled+`), scrollY === `+scrolled+`) && document.getElementById("head").getBoundingClientRect().top === `+at+
			` && (scrollY === 0 || document.getElementById("stuck").getBoundingClientRect().top === `+at+`)`))
	}
	must(b.t, b.poll(`(scrollTo(0, 0), scrollY === 0) && document.getElementById("head").style.top === "0px" && window.unhandled === "unhandled"`))
}

// told waits until all texts stand in the accessibility tree, closed shadow trees too, and tells which don't.
func (b *browser) told(texts ...string) (missing string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		must(b.t, err)
		var all strings.Builder
		for _, n := range tree.Nodes {
			if n.Name != nil {
				all.Write(n.Name.Value)
				all.WriteByte('\n')
			}
		}
		missing = ""
		for _, text := range texts {
			if !strings.Contains(all.String(), text) {
				missing = text
			}
		}
		if missing == "" || time.Now().After(end) {
			return missing
		}
	}
}
