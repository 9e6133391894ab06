package replay_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// scopeSites are the captures that the page of testdata/scope asks for.
func scopeSites(t *testing.T) *testArchive {
	t.Helper()
	a := newArchive(t)
	const js = "text/javascript"
	a.page("http://site.test/dir/page.html", "text/html; charset=utf-8", file(t, "scope/page.html"))
	a.page("http://site.test/dir/frame.html", "text/html; charset=utf-8", file(t, "scope/frame.html"))
	a.page("http://cross.test/frame.html", "text/html; charset=utf-8", file(t, "scope/frame.html"))
	a.page("http://site.test/check.js", js, file(t, "shim/check.js"))
	a.page("http://site.test/dir/i.gif", "image/gif", pixel)
	a.page("http://site.test/j.gif", "image/gif", pixel)
	a.page("http://site.test/dir/module.mjs", js, "export const where = self.document ? location.href : '', meta = import.meta.url")
	a.page("http://cdn.test/other.mjs", js, "export const meta = import.meta.url")
	a.page("http://site.test/dir/worker.js", js, "'use strict'; importScripts('part.js'); postMessage([location.href, typeof eval, eval('location.host'), self.origin].join(' '))")
	a.page("http://site.test/dir/part.js", js, "self.part = location.href")
	a.page("http://site.test/dir/worker.mjs", js, "import {meta} from './module.mjs'; postMessage(location + ' ' + meta)")
	return a
}

// TestScopeInChromium lets a page tell what it sees of its place in the world.
func TestScopeInChromium(t *testing.T) {
	t.Parallel()
	a := scopeSites(t)
	b := browse(t, a)
	b.results("http://site.test/dir/page.html")
}

// TestScopeOfCodeInChromium holds that the page scopes the code it makes as the server scopes what it sends.
func TestScopeOfCodeInChromium(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.page("http://site.test/", "text/html", "<title>code</title>")
	b := browse(t, a)
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/http://site.test/")))
	pairs := []string{}
	for line := range strings.Lines(file(t, "../../markup/testdata/scope.jsonl")) {
		// import("…") the server turns, and the page only when it is run.
		if strings.HasPrefix(line, "[") && !strings.Contains(line, `import('./x')`) && !strings.Contains(line, "import('react')") {
			pairs = append(pairs, strings.TrimSpace(line))
		}
	}
	whole, err := json.Marshal([]string{file(t, "../../markup/testdata/scope.js"), file(t, "../../markup/testdata/scope.js.rewritten")})
	must(t, err)
	pairs = append(pairs, string(whole))
	wrong, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string]("["+strings.Join(pairs, ",")+
		"].filter(([src, want = src]) => __lsE(src) !== want || __lsE(want) !== want).map(([src]) => src + '\\n became\\n' + __lsE(src))"))
	must(t, err)
	if len(pairs) < 100 || len(wrong) > 0 {
		t.Errorf("of %d scripts, %d: %s", len(pairs), len(wrong), strings.Join(wrong, "\n\n"))
	}
	b.check()
}
