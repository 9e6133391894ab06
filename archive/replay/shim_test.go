package replay_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"

	"linkstead/archive/replay"
)

// picture finds what the pages call their pictures.
var picture = regexp.MustCompile(`(?:pixel\.gif\?|at\(")([\w-]+)`)

// shimSites are the captures that the pages of testdata/shim ask for.
func shimSites(t *testing.T) *testArchive {
	t.Helper()
	a := newArchive(t)
	pages, err := filepath.Glob("testdata/shim/*.html")
	must(t, err)
	var pictures []string
	for _, p := range pages {
		name := filepath.Base(p)
		for _, m := range picture.FindAllStringSubmatch(file(t, "shim/"+name), -1) {
			pictures = append(pictures, m[1])
		}
		a.page("http://site.test/dir/"+name, "text/html; charset=utf-8", file(t, "shim/"+name), "Last-Modified: Tue, 01 Jan 2019 12:00:00 GMT")
	}
	check := file(t, "shim/check.js")
	for _, url := range []string{"http://site.test/check.js", "http://site.test/dir/check.js"} {
		a.page(url, "text/javascript", check)
	}
	const js = "text/javascript"
	a.page("http://site.test/dir/worker.js?of=page", js, file(t, "shim/worker.js"))
	for _, name := range []string{"worker-checks.js", "nested.js", "shared.js"} {
		a.page("http://site.test/dir/"+name, js, file(t, "shim/"+name))
	}
	a.page("http://cdn.test/module.mjs", js, file(t, "shim/module.mjs"))
	a.page("http://cdn.test/checks.mjs", js, "export "+file(t, "shim/worker-checks.js"))
	a.page("http://cdn.test/rel.json", "application/json", "{}")
	a.page("http://site.test/rel.json", "application/json", "{}")
	a.page("http://site.test/part.html", "text/html", "<p>a part")
	a.page("http://api.test/data.json?a=1&b=2", "application/json", `{"n": 5}`, "X-Total: 5")
	for _, what := range []string{"bees", "wasps"} {
		a.capture(capture{url: "http://api.test/search", request: posted("POST", "application/x-www-form-urlencoded", "q="+what),
			response: message(200, "text/plain", "answer to "+what)})
	}
	for _, name := range pictures {
		a.page("http://cdn.test/pixel.gif?"+name, "image/gif", pixel)
	}
	a.page("http://cdn.test/trusted.js", js, "trustedRan = 1")
	a.page("http://cdn.test/sheet.css", "text/css", ".a6 { background: url(pixel.gif?css-imported) }")
	a.page("http://site.test/pixel.gif", "image/gif", pixel)
	a.page("http://site.test/dir/pixel.gif?fragment", "image/gif", pixel)
	a.page("http://site.test/dir/pixel.gif?fragment-css", "image/gif", pixel)
	a.page("http://site.test/pixel.gif?written", "image/gif", pixel)
	a.page("http://cdn.test/selectors.css", "text/css", `#links a[href="#g"] { color: rgb(9, 9, 9) } #links a[href="../up.html"] { color: rgb(10, 10, 10) } a[href^="./"] { color: rgb(11, 11, 11) }`)
	for name, part := range fetchedParts {
		a.page("http://site.test/frag/"+name, part.mime, part.text)
	}
	a.page("http://site.test/blog/a", "text/html", "an article")
	return a
}

// fetchedParts are what fetched.html asks for by its script: relative to themselves their references would lead elsewhere, to what nobody
// captured.
var fetchedParts = map[string]struct{ mime, text string }{
	"f.html": {"text/html", `<a href="next.html">f</a><a href="?p=2">g</a><a href="../up">h</a><a href="/root">i</a><a href="http://site.test/dir/whole">j</a><a href="#x">k</a>` +
		`<img src="pixel.gif?fragment"><p style="background:url(pixel.gif?fragment-css)">p</p><form action="go"></form><template><a href="/in"></a></template>`},
	"s.css":  {"text/css", ".q { background: url(pixel.gif?fragment-css) } .r { background: url(/pixel.gif) }"},
	"i.svg":  {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image href="pixel.gif?fragment"/><a href="y"/><a xlink:href="/z"/></svg>`},
	"feed":   {"application/rss+xml", `<rss><channel><link>http://site.test/blog/a</link><item><link>/b</link><enclosure url="http://site.test/e.mp3"/></item></channel></rss>`},
	"atom":   {"application/atom+xml", `<feed xmlns="http://www.w3.org/2005/Atom"><link href="http://site.test/blog/a"/></feed>`},
	"p.m3u8": {"application/vnd.apple.mpegurl", "#EXTM3U\n#EXTINF:1,\na.ts\n"},
	"p.mpd":  {"application/dash+xml", `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://site.test/v/</BaseURL></MPD>`},
	"x.js":   {"text/javascript", `import("./y.js"); location.href`},
	"app":    {"application/manifest+json", `{"start_url":"/a"}`},
}

// results opens a page and waits for what its script has to tell.
func (b *browser) results(url string) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+url)))
	err := b.poll("window.results && window.results.done")
	results, evalErr := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]any]("window.results || {}"))
	must(b.t, evalErr)
	for name, got := range results {
		if got != true {
			b.t.Errorf("%s: %s: %v", url, name, got)
		}
	}
	if err != nil || len(results) < 4 {
		b.t.Errorf("%s did not end: %v, %v", url, err, results)
	}
	b.check()
	b.mu.Lock()
	b.outside, b.violations, b.exceptions = nil, nil, nil // they were told
	b.mu.Unlock()
}

var shimPages = []string{"clock", "closed", "storage", "network", "workers", "history", "natives", "dom", "frames", "written", "fetched"}

func TestShimPagesInChromium(t *testing.T) {
	t.Parallel()
	inModes(t, func(t *testing.T, mode replay.Mode) {
		a := shimSites(t)
		a.handler.Mode = mode
		b := browse(t, a)
		for _, p := range shimPages {
			b.results("http://site.test/dir/" + p + ".html")
		}
	})
}
