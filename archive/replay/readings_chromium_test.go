package replay_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// readings are what browsers read otherwise than a scanner might; PAYLOAD is what must be found in them.
var readings = []string{
	"<p>PAYLOAD", "<math><mtext><mglyph><style>PAYLOAD", "<math><annotation-xml><style>PAYLOAD", "<svg><mi><style>PAYLOAD", "<math><title><style>PAYLOAD",
	"<math><foreignobject><style>PAYLOAD", "<svg></p><style><!--</style>PAYLOAD", "<svg></br><style><!--</style>PAYLOAD",
	"<svg><font color=red><style><!--</style>PAYLOAD", "<svg><![CDATA[>PAYLOAD]]></svg>", "<svg><style><![CDATA[</style>PAYLOAD]]></style>",
	"<svg><title><g title='</title>PAYLOAD'>", "<svg><xmp><p title='</xmp>PAYLOAD'>", "<select><style><p title='</style>PAYLOAD'>",
	"<noscript><p title='</noscript><p title=`'>PAYLOAD`>", "<noscript><style></noscript><p title='</style>PAYLOAD'>",
}

var refreshes = []string{
	`<meta http-equiv="&#114;efresh" content="0;url=OUT">`, `<meta http-equiv=refresh content="&#x2003;0;url=OUT">`, `<meta http-equiv=refresh content="&#11;0;url=OUT">`,
	`<meta http-equiv=refresh content="0&#11;;url=OUT">`, `<meta http-equiv=refresh content="0;url=OUT?LONG">`,
}

var livelyXML = []string{
	`<?xml version="1.0"?><r><script xmlns="http://www.w3.org/1999/&#120;html">location="OUT"</script></r>`,
	`<html xmlns="http://www.w3.org/1999/xhtml"><body><script>globalThis["loc"+"ation"]="OUT"</script></body></html>`,
	`<script xmlns="http://www.w3.org/1999/xhtml">globalThis["loc"+"ation"]="OUT"</script>`,
	`<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis['loc'+'ation']='OUT'"/>`,
	`<!DOCTYPE svg [<!ENTITY a "&#60;script>globalThis['loc'+'ation']='OUT'&#60;/script>">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>`,
	`<svg xmlns="http://www.w3.org/2000/svg" xmlns:é="http://www.w3.org/2000/svg"><é:script>location="OUT"</é:script></svg>`,
	`<!DOCTYPE html [<!ENTITY e "<meta http-equiv='refresh' content='0;url=OUT'/>">]><html xmlns="http://www.w3.org/1999/xhtml"><head>&e;</head><body/></html>`,
	`<!DOCTYPE html [<!ATTLIST meta http-equiv CDATA "refresh" content CDATA "0;url=OUT">]><html xmlns="http://www.w3.org/1999/xhtml"><head><meta/></head><body/></html>`,
	`<html xmlns="http://www.w3.org/1999/xhtml"><head><meta http-equiv="&#114;efresh" content="0;url=OUT"/></head><body/></html>`,
}

// TestNoReadingLeadsOut shows pages that a scanner could take for harmless, with scripts and without, in a browser that speaks to hosts before
// it is sent to them, as it does in no incognito window.
func TestNoReadingLeadsOut(t *testing.T) {
	outside := listen(t)
	a := newArchive(t)
	out := "http://" + outside.address + "/"
	words := strings.NewReplacer("OUT", out, "LONG", strings.Repeat("a", 20_000), "`", `"`)
	pages := map[bool][]string{} // by whether scripts are off
	add := func(off bool, mime, src string, fields ...string) {
		url := fmt.Sprintf("http://site.test/%t/%d", off, len(pages[off]))
		a.page(url, mime, words.Replace(src), fields...)
		pages[off] = append(pages[off], url)
	}
	for _, r := range readings {
		add(true, "text/html", "<!doctype html>"+strings.Replace(r, "PAYLOAD", `<meta http-equiv=refresh content="0;url=OUT">`, 1))
		add(false, "text/html", "<!doctype html>"+strings.Replace(r, "PAYLOAD", `<link rel=preconnect href="OUT">`, 1))
	}
	for _, r := range refreshes {
		add(true, "text/html", "<!doctype html><p>"+r)
	}
	add(true, "text/html", "<p>", "Refresh: 0\v;url="+out)
	add(true, "text/html", "<p>", "Refresh: 0;url="+out+strings.Repeat("a", 20_000))
	for _, x := range livelyXML {
		add(strings.Contains(x, "refresh"), "application/xhtml+xml; charset=utf-8", x)
	}
	a.page("http://site.test/works", "application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>self.here = location.href</script></body></html>`)
	b := browse(t, a)

	// What the browser does with such a page by itself is seen.
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>control</title><link rel=preconnect href=" + out + "><p>"))
	}))
	t.Cleanup(control.Close)
	must(t, chromedp.Do(b.ctx, chromedp.Navigate(control.URL)))
	for end := time.Now().Add(patience); len(outside.came()) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a preconnect is not seen: the test would show nothing")
		}
	}
	before := len(outside.came())

	b.open("http://site.test/works")
	must(t, b.poll("self.here === 'http://site.test/works'"))
	for _, off := range []bool{false, true} {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		for _, url := range pages[off] {
			_ = chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+url)) // which a page that leads on may break off
			time.Sleep(100 * time.Millisecond)                                        // for what leads on at once: more can only find more
			if came := outside.came(); len(came) > before {
				t.Errorf("scripts off: %t: %s leads out: %q\n%.300s", off, url, came[before:], a.get("/web/"+stamp+"mp_/"+url, "Accept: text/html").body)
				before = len(came)
			}
		}
	}
	time.Sleep(time.Second)
	if came := outside.came(); len(came) > before {
		t.Errorf("at the end: %q", came[before:])
	}
}
