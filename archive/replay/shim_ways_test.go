package replay_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"linkstead/archive/replay"
)

// open leads the browser to the capture of a URL.
func (b *browser) open(url string) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+url)))
}

// run runs a script in the page.
func (b *browser) run(script string) string {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String((() => { "+script+" })())"))
	must(b.t, err)
	return got
}

// TestWaysOnInChromium leads a reader on by all that pages lead on with: each ends at the capture.
func TestWaysOnInChromium(t *testing.T) {
	t.Parallel()
	inModes(t, func(t *testing.T, mode replay.Mode) {
		a := newArchive(t)
		a.handler.Mode = mode
		const from = "http://site.test/dir/from.html"
		a.page(from, "text/html", `<title>from</title><body><a id=a href="../to.html">on</a><form id=get action="/search"><input name=q value="a b"></form>
<form id=post action="/answer" method=post><input name=q value=bees></form><p id=shadow></p>
<script>var made = document.createElement("form"); made.innerHTML = '<input name=q value="a b">'; made.id = "made"; document.body.append(made);
made.action = "http://site.test/search"; document.getElementById("shadow").attachShadow({mode: "open"}).innerHTML = '<a href="http://site.test/to.html">x</a>'</script>`)
		a.page("http://site.test/to.html", "text/html", "<title>to</title>")
		a.page("http://site.test/search?q=a+b", "text/html", "<title>to</title>")
		a.capture(capture{url: "http://site.test/answer", request: posted("POST", "application/x-www-form-urlencoded", "q=bees"),
			response: message(200, "text/html", "<title>to</title>")})
		b := browse(t, a)
		ways := map[string]string{
			"link":                   "document.getElementById('a').click()",
			"link in a shadow":       "document.getElementById('shadow').shadowRoot.firstChild.click()",
			"GET form":               "document.getElementById('get').submit()",
			"requested submit":       "document.getElementById('get').requestSubmit()",
			"form made by script":    "document.getElementById('made').submit()",
			"POST form":              "document.getElementById('post').submit()",
			"window.open":            "open('http://site.test/to.html', '_self')",
			"meta refresh by script": "document.head.innerHTML += '<meta http-equiv=refresh content=\"0; url=http://site.test/to.html\">'",
		}
		if mode == replay.PerSite { // browsers tell pages of opaque origins of no navigation: there it takes scoped scripts
			ways["location"] = "setTimeout(() => { location = 'http://site.test/to.html' })"
			ways["navigation"] = "navigation.navigate('http://site.test/to.html').committed.catch(() => {})"
		}
		for name, script := range ways {
			b.open(from)
			b.run(script)
			if err := b.poll("document.title === 'to' && location.host.endsWith('" + b.origin[len("http://"):] + "')"); err != nil {
				t.Errorf("%s: %v, at %s", name, err, b.run("return location.href + document.body.innerText"))
			}
		}
		b.check()
	})
}

// TestEachShowingIsAlike shows a page twice: what it does by chance is the same.
func TestEachShowingIsAlike(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	const url = "http://site.test/dice.html"
	a.page(url, "text/html", `<body><script>var i = new Image; i.src = "/beacon.gif?cb=" + Math.random(); var dice = [Math.random(), Math.random()].join()</script>`)
	a.page("http://site.test/other.html", "text/html", `<script>var dice = [0, Math.random(), Math.random()].slice(1).join()</script>`)
	b := browse(t, a)
	b.open(url)
	first := b.run("return dice + i.src")
	b.open("http://site.test/other.html")
	if other := b.run("return dice"); other == "" || first[:len(other)] == other {
		t.Errorf("another page has the same dice: %s", other)
	}
	b.open(url)
	if again := b.run("return dice + i.src"); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	b.check()
}

// TestOriginsStoreApart has pages of two origins of one site, which are shown at one host, store things.
func TestOriginsStoreApart(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	const store = `<script>localStorage.item = "of " + origin(); sessionStorage.item = "s"; document.cookie = "own=1"; document.cookie = "site=1; domain=site.test";
function origin() { return "one" }
new BroadcastChannel("c").onmessage = (e) => { window.heard = e.data };
addEventListener("storage", (e) => { window.stored = e.key + e.newValue + (e.storageArea === localStorage) });
var q = indexedDB.open("db", 1); q.onsuccess = () => { q.result.close(); window.done = 1 }</script>`
	a.page("http://one.site.test/", "text/html", store)
	a.page("http://one.site.test/again", "text/html", "<script>indexedDB.databases().then((l) => { window.databases = l.map((d) => d.name).join() })</script>")
	a.page("http://two.site.test/", "text/html", "<script>indexedDB.databases().then((l) => { window.databases = l.map((d) => d.name).join() })</script>")
	b := browse(t, a)
	b.open("http://one.site.test/")
	if err := b.poll("window.done"); err != nil {
		t.Fatal(err)
	}
	const sees = "return [localStorage.item, sessionStorage.item, document.cookie, databases, localStorage.length].join('|')"
	for url, want := range map[string]string{"http://one.site.test/again": "of one|s|own=1; site=1|db|1", "http://two.site.test/": "||site=1||0"} {
		b.open(url)
		if err := b.poll("'databases' in window"); err != nil {
			t.Fatal(err)
		}
		if got := b.run(sees); got != want {
			t.Errorf("%s sees %q, want %q", url, got, want)
		}
	}
	// A frame of the same origin is heard, one of another is not.
	b.open("http://one.site.test/")
	b.run("const f = document.createElement('iframe'); f.id = 'two'; f.src = 'http://two.site.test/'; document.body.append(f); f.onload = () => { window.two = 1 }")
	b.run("const f = document.createElement('iframe'); f.id = 'one'; f.src = 'http://one.site.test/again'; document.body.append(f); f.onload = () => { window.one = 1 }")
	if err := b.poll("window.one && window.two"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"two", "one"} {
		b.run("const w = document.getElementById('" + id + "').contentWindow; w.localStorage.told = '" + id + "'; new w.BroadcastChannel('c').postMessage('" + id + "')")
	}
	if err := b.poll("window.stored && window.heard"); err != nil {
		t.Error(err)
	}
	if got := b.run("return window.stored + window.heard"); got != "toldonetrueone" {
		t.Errorf("heard %q", got)
	}
	b.check()
}

// TestPagesRenderWithoutScripts shows a page where scripts are off.
func TestPagesRenderWithoutScripts(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.page("http://site.test/plain.html", "text/html", `<title>plain</title><link rel=stylesheet href="http://cdn.test/style.css">
<noscript><p id=no>without</p></noscript><img id=i src="http://cdn.test/a.gif"><a id=a href="/to.html">on</a><script>document.title = "ran"</script>`)
	a.page("http://cdn.test/style.css", "text/css", "body { color: rgb(1, 2, 3) }")
	a.page("http://cdn.test/a.gif", "image/gif", pixel)
	b := browse(t, a)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open("http://site.test/plain.html")
	got := b.run("return [document.title, getComputedStyle(document.body).color, document.getElementById('no')?.textContent, document.getElementById('i').naturalWidth].join()")
	if got != "plain,rgb(1, 2, 3),without,1" {
		t.Errorf("without scripts: %q", got)
	}
	b.check()
}
