package replay_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestServerInChromium shows what only a browser can tell of the rewriting on the server: in which charset it reads what our
// insertions have moved, where it resolves addresses, and which scripts meet the shim.
func TestServerInChromium(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	wide := func(s string) string {
		b := make([]byte, 2*len(s))
		for i := range len(s) {
			b[2*i] = s[i]
		}
		return string(b)
	}
	const (
		japanese = "\x93\xfa\x96\x7b\x95\x5c" // 日本表 in Shift_JIS, the last letter with a backslash in it
		shimmed  = `self[Symbol.for('linkstead.replay')]`
	)
	links := strings.Repeat(`<link rel=alternate href="/a/rather/long/address/of/a/feed">`, 14)
	a.page("http://a.test/late", "text/html", `<!doctype html><html><head><!--`+strings.Repeat("x", 900)+`--><meta charset=shift_jis><title>`+japanese+`</title><p>`)
	a.page("http://a.test/moved", "text/html", `<!doctype html><html><head>`+links+`<meta charset=shift_jis><title>`+japanese+`</title><p>`)
	a.page("http://a.test/header", "text/html; charset=Shift_JIS", `<!doctype html><meta charset=utf-8><title>`+japanese+`</title><p>`)
	a.page("http://a.test/mark", "text/html; charset=Shift_JIS", "\xef\xbb\xbf<!doctype html><meta charset=gbk><title>日本表</title><p>")
	a.page("http://a.test/wide", "text/html; charset=utf-16le", wide(`<!doctype html><title>wide</title><a id=a href=next>x</a>`))
	a.page("http://a.test/cyrillic", "text/html; charset=windows-1251", "<!doctype html><title>\xcf</title><a id=a href='/\xcf?q=\xcf'>x</a><img id=i src='/\xcf.gif'>")
	a.page("http://a.test/%D0%9F.gif", "image/gif", pixel)
	a.page("http://a.test/base", "text/html", `<!doctype html><title>base</title><img id=i src=early.gif><a id=a href=next>x</a><base href="/dir/"><img id=l src=late.gif>`)
	a.page("http://a.test/early.gif", "image/gif", pixel)
	a.page("http://a.test/dir/late.gif", "image/gif", pixel)
	a.page("http://a.test/maps", "text/html", `<!doctype html><title>maps</title><script type=importmap>{"imports":{"lib":"/lib.mjs"},"integrity":{"/lib.mjs":"sha384-AAAA"}}</script>`+
		`<script type=speculationrules>{"prefetch":[{"urls":["/never"]}],"prerender":[{"urls":["/never"]}]}</script>`+
		`<link rel=modulepreload href="/part.mjs" integrity="sha384-AAAA"><script type=module>import {n} from "lib"; self.n = n</script>`)
	a.page("http://a.test/lib.mjs", "text/javascript", `import {m} from "./part.mjs"; export const n = m + 1`)
	a.page("http://a.test/part.mjs", "text/javascript", `export const m = 6`)
	a.page("http://a.test/never", "text/html", "<p>")
	a.page("http://a.test/d.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><title>drawn</title><script>self.n = `+shimmed+` ? 7 : 0</script><rect width="9" height="9"/></svg>`)
	a.page("http://a.test/x.xhtml", "application/xhtml+xml", `<?xml version="1.0"?><?xml-stylesheet type="text/css" href="x.css"?><h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>x</h:title></h:head>`+
		`<h:body><h:p id="p">p</h:p><h:script>self.n = `+shimmed+` ? 7 : 0</h:script></h:body></h:html>`)
	a.page("http://a.test/x.css", "text/css", `#p { color: rgb(1, 2, 3) }`)
	a.page("http://a.test/plain", "text/html", `<!doctype html><title>plain</title><p>`, "Content-Encoding: gzip")
	b := browse(t, a)
	ends := func(id, attr, want string) string {
		return `('/' + document.getElementById('` + id + `').` + attr + `).endsWith('` + want + `')`
	}
	loaded := func(id string) string { return `document.getElementById('` + id + `').naturalWidth === 1` }
	for _, c := range []struct{ url, title, charset, check string }{
		{"late", "日本表", "Shift_JIS", shimmed},
		{"moved", "日本表", "Shift_JIS", shimmed},
		{"header", "日本表", "Shift_JIS", shimmed},
		{"mark", "日本表", "UTF-8", shimmed},
		{"wide", "wide", "UTF-16LE", shimmed + " && " + ends("a", "href", "http://a.test/next")},
		{"cyrillic", "П", "windows-1251", ends("a", "href", "http://a.test/%D0%9F?q=%CF") + " && " + loaded("i")},
		{"base", "base", "", loaded("i") + " && " + loaded("l") + " && " + ends("a", "href", "http://a.test/dir/next")},
		{"maps", "maps", "", "self.n === 7"},
		{"d.svg", "drawn", "UTF-8", "self.n === 7"},
		{"x.xhtml", "x", "UTF-8", "self.n === 7 && getComputedStyle(document.getElementById('p')).color === 'rgb(1, 2, 3)'"},
		{"plain", "plain", "", shimmed},
	} {
		must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/http://a.test/"+c.url)))
		if err := b.poll("document.readyState === 'complete' && (" + c.check + ")"); err != nil {
			t.Fatalf("%s: %s is not so: %v", c.url, c.check, err)
		}
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string]("[document.title, document.characterSet]"))
		must(t, err)
		if got[0] != c.title || c.charset != "" && got[1] != c.charset {
			t.Errorf("%s: %q, want %q in %q", c.url, got, c.title, c.charset)
		}
	}
	b.mu.Lock()
	never := b.asked[b.origin+"/web/"+stamp+"/http://a.test/never"]
	b.mu.Unlock()
	if never > 0 {
		t.Error("speculation rules rule")
	}
	b.check()
}
