package replay_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"linkstead/archive/fuzzy"
	"linkstead/archive/replay"
)

// TestAskedInChromium: a page's script gets the answers to what it posts, as a browser spells it, what differs in nothing that
// matters, and parts of films; a form at the top of the window, too.
func TestAskedInChromium(t *testing.T) {
	t.Parallel()
	inModes(t, askedInChromium)
}

func askedInChromium(t *testing.T, mode replay.Mode) {
	const js = "application/json"
	a := newArchive(t)
	a.handler.Mode, a.handler.Fuzzy = mode, fuzzy.Default
	const api = "http://api.test/search"
	a.page("http://site.test/page", "text/html", `<!DOCTYPE html><title>asks</title>
<form method=post action="http://site.test/sent" id=form><input name=q value="a b"></form>
<script>
window.results = {};
const note = (name, want, promise) => promise.then(got => { results[name] = got === want || String(got) }, e => { results[name] = String(e) });
const text = (url, init) => fetch(url, init).then(r => r.text());
const xhr = (body, type) => new Promise((done, fail) => {
  const x = new XMLHttpRequest(); x.open('POST', '`+api+`');
  if (type) x.setRequestHeader('Content-Type', type);
  x.onload = () => done(x.responseText); x.onerror = fail; x.send(body);
});
const parts = new FormData(); parts.set('page', '3');
Promise.all([
  note('json', '"json"', text('`+api+`', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: 'a b', page: 1})})),
  note('form', '"form"', text('`+api+`', {method: 'POST', body: new URLSearchParams({q: 'a b', page: '2'})})),
  note('parts', '"parts"', text('`+api+`', {method: 'POST', body: parts})),
  note('put', '"put"', text('`+api+`', {method: 'PUT', body: 'hello'})),
  note('xhr', '"form"', xhr('page=2&q=a+b', 'application/x-www-form-urlencoded')),
  note('bytes', '"bytes"', xhr(new Uint8Array([1, 2, 3]))),
  note('never', 404, fetch('`+api+`', {method: 'POST', body: 'never asked'}).then(r => r.status)),
  note('get', '"got"', text('`+api+`')),
  note('buster', '"data"', text('http://api.test/data?id=1&_=' + 1700000000000)),
  note('range', '345', text('http://api.test/film', {headers: {Range: 'bytes=3-5'}})),
]).then(() => { results.done = true });
</script>`)
	a.page(api, js, `"got"`)
	n := 0
	kept := func(url, request, answer string) {
		n++
		a.capture(capture{url: url, at: day.Add(time.Duration(n) * time.Second), request: request, response: message(200, js, answer)})
	}
	kept(api, posted("POST", js, `{"query":"a b","page":1}`), `"json"`)
	kept(api, posted("POST", "application/x-www-form-urlencoded", "page=2&q=a+b"), `"form"`)
	kept(api, posted("POST", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"page\"\r\n\r\n3\r\n--x--\r\n"), `"parts"`)
	kept(api, posted("PUT", "text/plain;charset=UTF-8", "hello"), `"put"`)
	kept(api, "POST /search HTTP/1.1\r\nContent-Length: 3\r\n\r\n\x01\x02\x03", `"bytes"`)
	kept("http://api.test/data?id=1&_=1589710830000", "", `"data"`)
	a.capture(capture{url: "http://api.test/film", response: message(206, "video/mp4", "012", "Content-Range: bytes 0-2/10")})
	a.capture(capture{url: "http://api.test/film", at: day.Add(time.Second), response: message(206, "video/mp4", "34567", "Content-Range: bytes 3-7/10")})
	a.capture(capture{url: "http://site.test/sent", request: posted("POST", "application/x-www-form-urlencoded", "q=a+b"), response: message(200, "text/html", "<title>sent</title>")})

	b := browse(t, a)
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/http://site.test/page")))
	err := b.poll("window.results && window.results.done")
	results, evalErr := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]any]("window.results || {}"))
	must(t, evalErr)
	for name, got := range results {
		if got != true {
			t.Errorf("%s: %v", name, got)
		}
	}
	if err != nil || len(results) != 11 {
		t.Errorf("the page's script did not end: %v, %v", err, results)
	}
	_, err = chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.getElementById('form').submit(), true"))
	must(t, err)
	if err := b.poll("document.title === 'sent'"); err != nil {
		t.Errorf("the form was not answered: %v", err)
	}
	b.check()
}
