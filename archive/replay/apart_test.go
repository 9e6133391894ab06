package replay_test

import (
	"encoding/base64"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"linkstead/archive/replay"
)

// apartScript tries, with the natives of a frame and without our script, to reach what is not the page's own. It tells in window.results.
const apartScript = `<!DOCTYPE html><title>hostile</title><body><iframe id=other src="http://other.test/secret"></iframe><script>
const results = window.results = {};
const tried = (name, f) => { try { const v = f(); results[name] = v === undefined ? "nothing" : String(v) } catch (e) { results[name] = "refused" } };
const f = document.createElement("iframe"); document.body.append(f);
const raw = f.contentWindow && f.contentDocument ? f.contentWindow : self;
const get = (o, name) => { for (; o; o = Object.getPrototypeOf(o)) { const d = Object.getOwnPropertyDescriptor(o, name); if (d) return d.get } };
tried("own cookies", () => get(raw.document, "cookie").call(raw.document));
tried("leave a cookie", () => { raw.eval("document.cookie = 'mine=1; path=/'") });
tried("other's document", () => other.contentWindow.document.body.textContent);
tried("other's storage", () => other.contentWindow.localStorage.getItem("secret"));
tried("pages' storage", () => raw.eval("localStorage.getItem('archive')"));
tried("document.domain", () => { raw.eval("document.domain = 'replay.localhost'"); return other.contentWindow.document.body.textContent });
const late = (name, p) => Promise.resolve().then(p).then((v) => { results[name] = String(v) }, () => { results[name] = "refused" });
onload = async () => {
  tried("other's document, loaded", () => other.contentWindow.document.body.textContent);
  await late("service worker", () => raw.navigator.serviceWorker.register("/web/STAMPjs_/http://hostile.test/worker.js", { scope: "/" }).then(() => "registered"));
  await late("service worker at the root", () => raw.navigator.serviceWorker.register("/worker.js").then(() => "registered"));
  await late("read the archive's pages", () => raw.eval("fetch")("PAGES/").then((r) => r.text()));
  await late("read another site's page from its host", () => raw.eval("fetch")("OTHER/web/STAMPid_/http://other.test/secret").then((r) => r.text()));
  await late("live", () => raw.eval("fetch")("http://live.test/x").then(() => "answered"));
  await late("peer", () => new Promise((ok) => {
    const P = (self[Symbol.for('linkstead.replay')] ? raw : self).RTCPeerConnection; let c; try { c = new P({ iceServers: [{ urls: "stun:127.0.0.1:STUN" }] }) } catch { return ok("refused") }
    let n = 0; c.onicecandidate = (e) => { if (e.candidate) n++; else ok(n ? "candidates" : "none") };
    try { c.createDataChannel("x"); c.createOffer().then((o) => c.setLocalDescription(o)).catch(() => ok("refused")) } catch { return ok("refused") }
    setTimeout(() => ok("nothing"), 3000);
  }));
  for (const rel of ["dns-prefetch", "preconnect", "prefetch", "preload", "modulepreload", "prerender"]) {
    const l = raw.document.createElement("link"); l.rel = rel; l.as = "image"; l.setAttribute("href", "http://live.test/" + rel); document.head.append(l);
  }
  raw.eval("new Image()").src = "http://live.test/image";
  tried("beacon", () => raw.eval("navigator.sendBeacon.bind(navigator)")("http://live.test/beacon", "x"));
  tried("socket", () => { new raw.WebSocket("ws://live.test/socket") });
  const form = document.createElement("form"); form.target = "sink"; form.setAttributeNode(Object.assign(document.createAttribute("action"), { value: "http://live.test/form" }));
  const sink = document.createElement("iframe"); sink.name = "sink"; document.body.append(sink, form);
  tried("form", () => { raw.HTMLFormElement.prototype.submit.call(form) });
  setTimeout(() => { results.done = true }, 1500);
};
</script>`

// bustScript is in a frame, and tries to lead the window that it is in elsewhere, without a click.
const bustScript = `<!DOCTYPE html><title>buster</title><script>
try { top.location = "http://live.test/busted" } catch {}
try { top.location.href = "/web/STAMP/http://hostile.test/page" } catch {}
try { parent.postMessage("tried", "*") } catch {}
</script>`

// unread puts the last script of a page where nobody rewrites it, as a hostile page would.
func unread(page string) string {
	i, j := strings.LastIndex(page, "<script>"), strings.LastIndex(page, "</script>")
	code := base64.StdEncoding.EncodeToString([]byte(page[i+len("<script>") : j]))
	return page[:i] + `<script src="data:text/javascript;base64,` + code + `">` + page[j:]
}

// TestSitesAreApart: the scripts of an archived site reach neither the archive nor another site nor the live web: the policy and the
// hosts hold that, whatever becomes of our script.
func TestSitesAreApart(t *testing.T) {
	t.Parallel()
	inModes(t, sitesAreApart)
}

func sitesAreApart(t *testing.T, mode replay.Mode) {
	a := newArchive(t)
	a.handler.Mode = mode
	b := browse(t, a)
	stun, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = stun.Close() })
	_, port, _ := net.SplitHostPort(stun.LocalAddr().String())
	words := strings.NewReplacer("STAMP", stamp, "STUN", port, "PAGES", testPages, "OTHER", strings.Replace(b.origin, "://", "://other-test.", 1))
	a.page("http://hostile.test/page", "text/html", unread(words.Replace(apartScript)))
	a.page("http://hostile.test/worker.js", "text/javascript", "addEventListener('fetch', () => {})")
	a.page("http://other.test/secret", "text/html", "<script>try { localStorage.setItem('secret', 'theirs') } catch {}</script><body>theirs")
	a.page("http://hostile.test/bust", "text/html", unread(words.Replace(bustScript)))
	a.page("http://frame.test/page", "text/html", `<!DOCTYPE html><title>framed</title><iframe src="http://hostile.test/bust"></iframe><script src="data:text/javascript,onmessage=(e)=>{self.tried=e.data.data||e.data}"></script>`)
	alone := func() {
		t.Helper()
		must(t, stun.SetReadDeadline(time.Now().Add(time.Second)))
		if n, _, err := stun.ReadFrom(make([]byte, 2048)); err == nil {
			t.Errorf("a peer was asked by UDP: %d bytes", n)
		}
	}
	// With our script, all is answered by the archive.
	b.harmless("http://hostile.test/page", "refused", "nothing", "none", "", "null", "true", "false", "Not in the archive.\n", "answered")
	alone()
	// Now it is kept from them: what holds then holds whatever natives a page gets hold of.
	call(b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/web/-/shim-*", Block: true}}})
	call(b, network.ClearBrowserCache, cdp.Empty{})
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/http://other.test/secret"))) // it leaves something behind
	must(t, b.poll("document.readyState === 'complete'"))
	b.harmless("http://hostile.test/page", "refused", "nothing", "none", "candidates", "", "null", "true", "false")
	alone()
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/http://frame.test/page")))
	must(t, b.poll("window.tried === 'tried'"))
	for range 10 { // what would lead away would do so now
		must(t, b.poll("document.title === 'framed'"))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.outside {
		if !b.stopped[u] {
			t.Errorf("a request beyond the archive: %s", u)
		}
	}
}

// harmless opens a page and checks that nothing but these came of what it tried.
func (b *browser) harmless(url string, results ...string) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+url)))
	err := b.poll("window.results && window.results.done")
	got, evalErr := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]any]("window.results || {}"))
	must(b.t, evalErr)
	if err != nil {
		b.t.Errorf("%v: %v", err, got)
	}
	for name, v := range got {
		if s, ok := v.(string); ok && !slices.Contains(results, s) {
			b.t.Errorf("%s: %q", name, s)
		}
	}
}
