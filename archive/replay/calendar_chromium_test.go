package replay_test

import (
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
	for _, width := range []int64{1100, 360} {
		call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
		for _, path := range []string{
			"/web/*/http://a.test/news", "/web/2018*/http://a.test/news", "/web/201603*/http://a.test/news", "/web/20160315*/http://a.test/news", "/web/*/http://a.test/dir/*", "/web/",
		} {
			must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+path)))
			wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
			must(t, err)
			if wide > width {
				t.Errorf("%s is %d wide on a screen of %d", path, wide, width)
			}
			found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](nameless))
			must(t, err)
			if found != "" {
				t.Errorf("%s has what can't be reached or has no name: %s", path, found)
			}
		}
	}
	b.check()
}
