package replay

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"linkstead/storage"
)

func TestPad(t *testing.T) {
	for digits, want := range map[string]string{
		"1": "15000101000000", "2": "24991231115959", "0": "04991231120000", "2020": "20200701235959", "202002": "20200215115959",
		"20200229": "20200229115959", "20210229": "20210228115959", "2020013": "20200130235959", "20209999": "20201231115959",
		"20200101000000": "20200101000000", "99999999999999": "99991231235959", "00000000000000": "00000101000000",
		"2020010199": "20200101232959", "20200131120": "20200131120459",
	} {
		if got := pad(digits); got != want {
			t.Errorf("%s became %s, want %s", digits, got, want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for target, want := range map[string]address{
		"/web/20200101000000id_/http://a.test/x?y#z":      {name: "web", stamp: "20200101000000", mod: asIs, url: "http://a.test/x?y"},
		"/web/20200101000000id_~o2zgwusx/http://a.test/x": {name: "web", stamp: "20200101000000", mod: asIs, pick: "o2zgwusx", url: "http://a.test/x"},
		"/web/2020~abcd/http://a.test/":                   {name: "web", stamp: "20200701235959", pick: "abcd", loose: true, url: "http://a.test/"},
		"/news/2020/a.test":                               {name: "news", stamp: "20200701235959", loose: true, url: "http://a.test/"},
		"/web/http://a.test/?q=1":                         {kind: ofGate, name: "web", url: "http://a.test/?q=1"},
		"/web/2016*/http://a.test/x":                      {kind: ofCaptures, name: "web", stamp: "2016", url: "http://a.test/x"},
		"/web/*/http://a.test/x*":                         {kind: ofPrefix, name: "web", url: "http://a.test/x"},
		"/web/2016*/a.test/*":                             {kind: ofPrefix, name: "web", stamp: "2016", loose: true, url: "http://a.test/"},
		"/web/2016*@dGVzdCxhKS94/http://a.test/*":         {kind: ofPrefix, name: "web", stamp: "2016", after: "test,a)/x", url: "http://a.test/"},
		"/web/*/http://*.a.test/":                         {kind: ofPrefix, name: "web", domain: true, url: "http://a.test/"},
		"/news/timemap/link/http://a.test/":               {kind: ofTimeMap, name: "news", format: "link", url: "http://a.test/"},
		"/web/timemap/json/3/http://a.test/":              {kind: ofTimeMap, name: "web", format: "json", page: 3, url: "http://a.test/"},
		"/web/timemap/cdxj/3/a":                           {kind: ofTimeMap, name: "web", format: "cdxj", loose: true, url: "http://0.0.0.3/a"},
		"/web/cdx?url=x":                                  {kind: ofCDX, name: "web"},
		"/a-b.c_d/wayback-cdx":                            {kind: ofWaybackCDX, name: "a-b.c_d"},
		"/web/":                                           {kind: ofHome, name: "web"},
		"/web":                                            {kind: ofHome, name: "web"},
	} {
		if got, err := parseAddress(target); err != nil || got != want {
			t.Errorf("%s is %+v (%v), want %+v", target, got, err, want)
		}
	}
	for target, want := range map[string]error{
		"/": errForeign, "": errForeign, "/-/x": errForeign, "/News/2020/a.test": errForeign, "/web/x/http://a.test/": errForeign, "/web/timemap/html/http://a.test/": errForeign,
		"/web/timemap/link": errForeign, "/web/123456789012345/a.test": errStamp, "/web/2020/http://[/": errURL,
		"/web/*@/http://a.test/*": errForeign, "/web/*@@@/http://a.test/*": errForeign, "/web/*x/http://a.test/*": errForeign,
		"/web/2020~/http://a.test/": errForeign, "/web/2020~abc/http://a.test/": errForeign, "/web/2020~ABCD/http://a.test/": errForeign, "/web/2020*~abcd/http://a.test/": errForeign, "/web/~abcd/http://a.test/": errForeign,
	} {
		if got, err := parseAddress(target); !errors.Is(err, want) {
			t.Errorf("%s is %+v (%v), want %v", target, got, err, want)
		}
	}
}

// FuzzParseAddress: whatever is asked, nothing panics; what is understood is a path of ours that is understood the same
// again, and that no header or page can be broken with.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"/web/20200101000000/http://a.test/x?y=/web/2020/#z", "/web/2020id_/https:/a.test", "/web/*/a.test", "/web/2*/file:///x", "/web/http://a.test",
		"/web/20200101000000mp_/http://a.test/%2e%2e/%00", "/web/1/urn:x y<>", "/web/1/javascript:alert(1)", "/web//", "/web/-/x", "/x", "",
		"/web/2016*/http://host.test/dir/*", "/web/*/*.host.test", "/web/2016*@dGVzdCxhKS94/http://host.test/*", "/news/*/http://*.host.test/", "/web/timemap/link/http://a.test/", "/news/timemap/json/2/http://a.test/",
		"/web/cdx?url=x", "/web/wayback-cdx", "/web/", "/web", "/web/timemap/html/http://a.test", "/-/x", "/.x/2016/a.test",
		"/web/99999999999999/http://[::1]:80/", "/web/1/http://a.test\\..\\b", "/web/1/\r\nX: y", "/web/1/http://xn--a/", "/web/20200101000000id_~o2zgwusx/http://a.test/", "/web/1~abcd~efgh/a.test",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		a, err := parseAddress(target)
		if err != nil {
			if !errors.Is(err, errForeign) && !errors.Is(err, errStamp) && !errors.Is(err, errURL) {
				t.Fatalf("%q: %v", target, err)
			}
			return
		}
		path := a.String()
		if !strings.HasPrefix(path, "/"+a.name+"/") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>`, r) }) {
			t.Fatalf("%q leads to %q", target, path)
		}
		again, err := parseAddress(path)
		if err != nil || again.stamp != a.stamp || again.mod != a.mod || again.kind != a.kind || again.domain != a.domain || again.after != a.after || again.page != a.page || again.name != a.name {
			t.Fatalf("%q became %q, and that %+v (%v)", target, path, again, err)
		}
		// Serialising twice is a fixed point, so that redirects come to rest.
		if third, err := parseAddress(again.String()); err != nil || third.url != again.url {
			t.Fatalf("%q became %q, then %q (%v)", target, again.url, third.url, err)
		}
		if a.kind == ofMemento {
			if at := a.at(); at.IsZero() && a.stamp != "00010101000000" {
				t.Fatalf("%q is no time", a.stamp)
			}
			own := a.own(&storage.Capture{URL: a.url, At: a.at()})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if to, ok := truthful(r, &own, &storage.Capture{URL: a.url, At: a.at()}); ok {
				t.Fatalf("%q redirects to itself: %q", own.String(), to)
			}
		}
	})
}

func TestNotation(t *testing.T) {
	for _, c := range []struct {
		mod  modifier
		dest string
		mime string
		form notation
	}{
		{asPage, "", "text/html", html}, {asIs, "", "text/html", verbatim}, {asPage, "", "application/xhtml+xml", xml},
		{asStyle, "", "text/plain", css}, {asPage, "style", "", css}, {asScript, "", "text/plain", script},
		{asScript, "", "application/json", jsonp}, {asImage, "", "text/html", verbatim}, {asImage, "image", "image/svg+xml", xml},
		{asImage, "", "image/png", verbatim}, {asEmbed, "font", "text/css", css}, {asPage, "iframe", "text/html", html},
		{asData, "empty", "application/json", verbatim}, {asPage, "", "text/plain", verbatim}, {asEmbed, "manifest", "application/manifest+json", manifest},
		{asEmbed, "manifest", "application/json", manifest}, {asEmbed, "", "application/json", verbatim},
		{asPage, "", "application/rss+xml", xml}, {asPage, "", "application/vnd.x+xml", xml}, {asPage, "", "application/ld+json", verbatim},
		{asData, "document", "text/html", html},
		// what scripts ask for
		{asData, "", "text/html", verbatim}, {asPage, "empty", "text/html", verbatim}, {asEmbed, "empty", "image/svg+xml", verbatim},
		{asStyle, "empty", "text/css", verbatim}, {asData, "empty", "application/rss+xml", verbatim}, {asData, "empty", "text/javascript", jsonp},
		{asData, "empty", "application/vnd.apple.mpegurl", verbatim}, {asEmbed, "video", "application/vnd.apple.mpegurl", playlist},
		{asScript, "script", "text/html", script}, {asStyle, "style", "text/html", css},
		{asScript, "", "text/html", script}, {asScript, "document", "text/html", html}, {asStyle, "iframe", "text/html", html}, // not by our links
		{asScript, "json", "application/json", jsonp}, {asScript, "script", "application/wasm", verbatim},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Sec-Fetch-Dest", c.dest)
		if got := notationOf(c.mod, r, c.mime); got != c.form {
			t.Errorf("%q %q %q is %q, want %q", c.mod, c.dest, c.mime, got, c.form)
		}
	}
}
