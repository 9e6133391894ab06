package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestListsInChromium: calendars, lists of a prefix and the front page need no script, fit a telephone, and each of their links
// can be reached by keyboard and has a name.
func TestListsInChromium(t *testing.T) {
	t.Parallel()
	a := busy(t)
	b := browse(t, a)
	const nameless = `[...document.querySelectorAll("a, input, button")].filter(e => e.tabIndex < 0 ||
		!(e.ariaLabel || e.textContent.trim() || e.labels && e.labels.length)).map(e => e.outerHTML).join()`
	for _, view := range []struct {
		scheme string
		width  int64
	}{{"light", 1200}, {"dark", 360}} {
		call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: view.width, Height: 900, DeviceScaleFactor: 1})
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		for i, path := range []string{
			"/web/*/http://a.test/news", "/web/2018*/http://a.test/news", "/web/201603*/http://a.test/news", "/web/20160315*/http://a.test/news", "/web/*/http://a.test/dir/*", "/web/",
		} {
			must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+path)))
			for fault, expression := range map[string]string{"has what can't be reached or has no name": nameless, "is too wide at": tooWide, "is hard to read": unreadable, "breaks words": broken} {
				found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
				must(t, err)
				if found != "" {
					t.Errorf("%s, %d wide and %s, %s: %s", path, view.width, view.scheme, fault, found)
				}
			}
			shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			must(t, err)
			must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("list-%d-%d-%s.png", i, view.width, view.scheme)), shot, 0o600))
		}
	}
	b.check()
}

// What a page may be faulted for, told by elements.
const (
	// Nothing stands outside of the window, or of a part that would have to be scrolled.
	tooWide = `[document.documentElement, ...document.querySelectorAll(".wide")].filter(e => e.scrollWidth > e.clientWidth).map(e => e.tagName + e.scrollWidth).join()`
	// Texts have a contrast of 4.5 to 1 to what is behind them (WCAG 2.2, 1.4.3).
	unreadable = `(() => {
		const rgb = s => { const c = document.createElement("canvas").getContext("2d"); c.fillStyle = s; c.fillRect(0, 0, 1, 1); return c.getImageData(0, 0, 1, 1).data };
		const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((l, v, i) => l + v * [.2126, .7152, .0722][i], 0);
		const probe = document.body.appendChild(document.createElement("p")); probe.style.color = "Canvas";
		const canvas = rgb(getComputedStyle(probe).color); probe.remove();
		const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c } return canvas };
		return [...document.body.querySelectorAll("*")].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).filter(e => {
			const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e)); return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5 }).map(e => e.outerHTML).join();
	})()`
	// Types and statuses stand on one line.
	broken = `[...document.querySelectorAll("td.type, td.n")].filter(e => [...e.childNodes].some(n => {
		const r = document.createRange(); r.selectNode(n); return n.nodeType === 3 && !n.data.trim().includes(" ") && r.getClientRects().length > 1 })).map(e => e.outerHTML).join()`
)
