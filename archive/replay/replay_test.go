package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/storage"
)

const stamp = "20200517102030"

// seeded is the archive that most tables ask.
func seeded(t *testing.T) *testArchive {
	a := newArchive(t)
	a.page("http://a.test/x", "text/html", `<p><a href="y">y</a>`)
	a.capture(capture{url: "http://a.test/x", at: day.AddDate(1, 0, 0), response: message(200, "text/html", `<p>later`)})
	a.page("http://a.test/p?q=http://b.test//c%2Fd&e='(1)'", "text/plain", "odd")
	a.page("http://a.test/a//b/%2e", "text/plain", "slashes")
	a.page("http://a.test/s.css", "text/css", `@import "more.css"; a{background:url(/i.png)}`)
	a.page("http://a.test/i.png", "image/png", "\x89PNG 0123456789")
	a.page("http://a.test/z.txt", "text/plain", zipped("0123456789"), "Content-Encoding: gzip")
	a.page("http://a.test/z.html", "text/html", zipped(`<a href=y>y</a>`), "Content-Encoding: gzip")
	a.capture(capture{url: "http://a.test/chunked.txt", response: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\n\r\n"})
	a.page("http://a.test/untyped", "", "<!DOCTYPE html><a href=y>y</a>")
	a.page("http://a.test/lies", "text/html", "<a href=y>plain</a>", "Content-Encoding: gzip")
	a.page("http://a.test/unknown", "text/html", "<a href=y>plain</a>", "Content-Encoding: sdch")
	a.capture(capture{url: "http://a.test/gone", response: message(404, "text/html", "<a href=y>gone</a>")})
	a.capture(capture{url: "http://a.test/nothing", response: "HTTP/1.1 204 No Content\r\n\r\n"})
	a.capture(capture{url: "http://a.test/part", response: message(206, "text/plain", "0123", "Content-Range: bytes 0-3/10")})
	a.capture(capture{url: "http://a.test/cut", response: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123", truncated: "disconnect"})
	a.capture(capture{url: "http://a.test/cut.gz", truncated: "length", response: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" +
		"Content-Encoding: gzip\r\n\r\n" + zipped("<a href=y>" + strings.Repeat("y", 1000))[:24]})
	a.capture(capture{url: "http://a.test/to", response: message(302, "text/html", "<a href=y>moved</a>", "Location: http://b.test/target?x=1#f")})
	a.capture(capture{url: "http://a.test/mail", response: message(302, "text/html", "moved", "Location: mailto:x@a.test")})
	a.capture(capture{url: "http://a.test/dir", response: message(301, "text/html", "moved", "Location: /dir/")})
	a.capture(capture{url: "http://a.test/dir/", at: day.Add(time.Second), response: message(200, "text/html", "<a href=y>dir</a>")})
	a.capture(capture{url: "http://www.loop.test/", response: message(301, "text/html", "loop", "Location: https://www.loop.test/")})
	a.capture(capture{url: "https://www.loop.test/", response: message(301, "text/html", "loop", "Location: http://loop.test/")})
	a.page("http://a.test/i2.png", "image/webp", "\x89PNG 0123456789") // a revisit of i.png
	a.document("file:///notes.md", "text/markdown", "# see [y](http://a.test/x)")
	a.document("file:///notes.html", "text/html; charset=utf-8", `<a href="http://a.test/x">x</a><img src=pic.png>`)
	a.document("file:///notes.txt", "text/plain; charset=utf-8", "plain")
	a.failure("http://dead.test/", day, outcome.DNS, "no such host dead.test <b>")
	a.failure("http://shy.test/", day, outcome.Robots, "/ is disallowed")
	return a
}

func TestAnswers(t *testing.T) {
	a := seeded(t)
	const at = "/web/" + stamp
	for _, c := range []struct {
		name, target string
		fields       []string
		status       int
		location     string
		body         string // a part of it; "=" before: all of it
	}{
		// Times and spellings.
		{"exact", at + "/http://a.test/x", nil, 200, "", "<a href=\"" + at + "/http://a.test/%2e/y\">"},
		{"a year", "/web/2020/http://a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"newest", "/web/2/http://a.test/x", nil, 302, "/web/20210517102030/http://a.test/x", "="},
		{"oldest", "/web/1/http://a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"no time", "/web/http://a.test/x", nil, 302, "/web/20210517102030/http://a.test/x", "="},
		{"impossible month", "/web/20209999/http://a.test/x", nil, 302, "/web/20210517102030/http://a.test/x", "="},
		{"another second", "/web/20200517102031/http://a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"exact bytes at another time", "/web/2020id_/http://a.test/x", nil, 302, at + "id_/http://a.test/x", "="},
		{"one slash", at + "/http:/a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"no scheme", at + "/a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"a port without a scheme", at + "/a.test:80/x", nil, 302, at + "/http://a.test/x", "="},
		{"another scheme", at + "/https://a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"www", at + "/http://www.a.test/x", nil, 302, at + "/http://a.test/x", "="},
		{"15 digits", "/web/202005171020301/http://a.test/x", nil, 400, "", "14 digits"},
		{"a URL that is none", at + "/http://a b/", nil, 400, "", "can&#39;t be read"},
		{"no URL", at + "/", nil, 400, "", "does not name a URL"},
		{"a long URL", at + "/http://a.test/" + strings.Repeat("x", 20000), nil, 400, "", ""},
		{"a query with a URL", at + "/http://a.test/p?q=http://b.test//c%2Fd&e='(1)'", nil, 200, "", "=odd"},
		{"slashes and dots stay", at + "/http://a.test/a//b/%2e", nil, 200, "", "=slashes"},
		{"absolute form", testOrigin + at + "/http://a.test/a//b/%2e", nil, 200, "", "=slashes"},
		{"dots in the host", at + "/http://../", nil, 404, "", "no copy"},

		// Requisites need no redirect.
		{"a picture at another time", "/web/20201231000000im_/http://a.test/i.png", nil, 200, "", "=\x89PNG 0123456789"},
		{"a picture by its destination", "/web/20201231000000/http://a.test/i.png", []string{"Sec-Fetch-Dest: image"}, 200, "", "=\x89PNG 0123456789"},
		{"a style keeps the page's time", "/web/20201231000000cs_/http://a.test/s.css", nil, 200, "",
			`=@import "/web/20201231000000cs_/http://a.test/more.css"; a{background:url(/web/20201231000000im_/http://a.test/i.png)}`},
		{"a frame at another time", "/web/2020if_/http://a.test/x", nil, 200, "", `href="/web/20200701235959/http://a.test/%2e/y"`},
		{"a frame of another URL", "/web/2020if_/http://a.test/dir", nil, 302, "/web/20200701235959if_/http://a.test/dir/", "="},
		{"a missing picture", at + "im_/http://a.test/none.png", nil, 404, "", "=Not in the archive.\n"},
		{"a missing script", at + "/http://a.test/none.js", []string{"Sec-Fetch-Dest: script"}, 404, "", "=Not in the archive.\n"},
		{"for a script, as it was", at + "mp_/http://a.test/z.html", nil, 200, "", "=<a href=y>y</a>"},

		// Payloads.
		{"exact bytes", at + "id_/http://a.test/x", nil, 200, "", `=<p><a href="y">y</a>`},
		{"HEAD", at + "id_/http://a.test/x", []string{"HEAD"}, 200, "", "="},
		{"HEAD of a page", at + "/http://a.test/x", []string{"HEAD"}, 200, "", "="},
		{"decoded", at + "id_/http://a.test/z.txt", nil, 200, "", "=0123456789"},
		{"passed in its coding", at + "id_/http://a.test/z.txt", []string{"Accept-Encoding: br, x-gzip;q=0.5"}, 200, "", "=" + zipped("0123456789")},
		{"its coding is refused", at + "id_/http://a.test/z.txt", []string{"Accept-Encoding: *, gzip;q=0.0"}, 200, "", "=0123456789"},
		{"any coding", at + "id_/http://a.test/z.txt", []string{"Accept-Encoding: *"}, 200, "", "=" + zipped("0123456789")},
		{"decoded to rewrite", at + "/http://a.test/z.html", []string{"Accept-Encoding: gzip"}, 200, "", "<a href=" + at + "/http://a.test/%2e/y>"},
		{"chunks", at + "id_/http://a.test/chunked.txt", nil, 200, "", "=0123456789"},
		{"no type", at + "/http://a.test/untyped", nil, 200, "", "<a href=" + at + "/http://a.test/%2e/y>"},
		{"not gzip", at + "/http://a.test/lies", nil, 200, "", "<a href=" + at + "/http://a.test/%2e/y>plain"},
		{"an unknown coding", at + "/http://a.test/unknown", nil, 200, "", "<a href=" + at + "/http://a.test/%2e/y>plain"},
		{"its own status", at + "/http://a.test/gone", nil, 404, "", "<a href=" + at + "/http://a.test/%2e/y>gone"},
		{"204", at + "/http://a.test/nothing", nil, 204, "", "="},
		{"a part", at + "/http://a.test/part", nil, 206, "", "=0123"},
		{"cut short", at + "/http://a.test/cut", nil, 200, "", "=0123"},
		{"cut short in gzip", at + "/http://a.test/cut.gz", []string{"Accept-Encoding: gzip"}, 200, "", "<a href=" + at + "/http://a.test/%2e/y>yyy"},
		{"a revisit", at + "/http://a.test/i2.png", nil, 200, "", "=\x89PNG 0123456789"},
		{"a Markdown document", at + "/file:///notes.md", nil, 200, "", "=# see [y](http://a.test/x)"},
		{"an HTML document", at + "/file:///notes.html", nil, 200, "", `<a href="` + at + `/http://a.test/x">x</a><img src=` + at + `im_/file:///pic.png>`},

		// Redirects.
		{"a redirect", at + "/http://a.test/to", nil, 302, at + "/http://b.test/target?x=1#f", "<a href=" + at + "/http://a.test/%2e/y>moved"},
		{"a redirect of exact bytes", at + "id_/http://a.test/to", nil, 302, at + "id_/http://b.test/target?x=1#f", "=<a href=y>moved</a>"},
		{"a redirect of a picture", "/web/2019im_/http://a.test/to", nil, 302, "/web/20190702115959im_/http://b.test/target?x=1#f", ""},
		{"a redirect to what is no page", at + "/http://a.test/mail", nil, 302, "", "moved"},
		{"to itself with a slash", at + "/http://a.test/dir", nil, 302, "/web/20200517102031/http://a.test/dir/", "="},
		{"there", "/web/20200517102031/http://a.test/dir/", nil, 200, "", "dir</a>"},
		{"only to itself", at + "/https://www.loop.test/", nil, 301, "", "loop"},

		// What is no memento.
		{"front page", "/", nil, 200, "", "Nothing on this address is live"},
		{"elsewhere", "/x.js", nil, 404, "", "Nothing is here"},
		{"elsewhere for a page", "/x.js", []string{"Sec-Fetch-Dest: script"}, 404, "", "=Nothing is here.\n"},
		{"by its Referer", "/static/x.js?v=1", []string{"Referer: " + testOrigin + at + "/http://a.test/dir/x", "Sec-Fetch-Dest: script"}, 307,
			at + "js_/http://a.test/static/x.js?v=1", "="},
		{"the root by its Referer", "/", []string{"Referer: " + testOrigin + at + "/http://a.test/dir/x", "Sec-Fetch-Dest: document"}, 307, at + "/http://a.test/", "="},
		{"under /web/ by its Referer", "/web/x.png", []string{"Referer: " + testOrigin + at + "cs_/http://a.test/x.css"}, 307, at + "/http://a.test/web/x.png", "="},
		{"two slashes by its Referer", "//evil.test/x", []string{"Referer: " + testOrigin + at + "/http://a.test/"}, 307, at + "/http://a.test//evil.test/x", "="},
		{"a foreign Referer", "/x.js", []string{"Referer: http://evil.test" + at + "/http://a.test/"}, 404, "", ""},
		{"a Referer that looks like ours", "/x.js", []string{"Referer: " + testOrigin + ".evil.test" + at + "/http://a.test/"}, 404, "", ""},
		{"a list", "/web/*/http://a.test/x", nil, 200, "", "2 captures, newest first"},
		{"a list of what is kept once", "/web/*/http://a.test/i2.png", nil, 200, "", ">same as another copy</td>"},
		{"a list of a year", "/web/2021*/http://a.test/x", nil, 200, "", "1 capture, newest first"},
		{"a list of nothing", "/web/*/http://a.test/none", nil, 404, "", "no capture"},
		{"an old asset", "/web/-/shim-0.js", nil, 404, "", ""},

		// What is refused.
		{"POST, answered to GET alone", at + "/http://a.test/x", []string{"POST"}, 404, "", "no answer to what it said"},
		{"POST to a list", "/web/*/http://a.test/x", []string{"POST"}, 405, "", "can only be read"},
		{"TRACE", at + "/http://a.test/x", []string{"TRACE"}, 405, "", "can only be read"},
		{"a service worker", at + "js_/http://a.test/x", []string{"Service-Worker: script"}, 403, "", ""},
		{"another host", "/", []string{"Host: evil.test"}, 421, "", testOrigin},
		{"the host in capitals", "/", []string{"Host: Replay.Localhost:8081"}, 200, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := a.get(c.target, c.fields...)
			if got.StatusCode != c.status || got.Header.Get("Location") != c.location {
				t.Errorf("got %d %q, want %d %q", got.StatusCode, got.Header.Get("Location"), c.status, c.location)
			}
			if want, all := strings.CutPrefix(c.body, "="); all && got.body != want || !strings.Contains(got.body, want) {
				t.Errorf("got body\n%.600s\nwant\n%s", got.body, want)
			}
			for name, values := range got.Header {
				if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
					t.Errorf("a field breaks its line: %q %q", name, values)
				}
			}
		})
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}

func TestRanges(t *testing.T) {
	a := seeded(t)
	const at = "/web/" + stamp
	for _, c := range []struct {
		target, spec string
		fields       []string
		status       int
		content, out string
	}{
		{"id_/http://a.test/x", "bytes=3-5", nil, 206, "bytes 3-5/20", "<a "},
		{"im_/http://a.test/i.png", "bytes=5-", nil, 206, "bytes 5-14/15", "0123456789"},
		{"im_/http://a.test/i.png", "bytes=5-99", nil, 206, "bytes 5-14/15", "0123456789"},
		{"im_/http://a.test/i.png", "bytes=-4", nil, 206, "bytes 11-14/15", "6789"},
		{"im_/http://a.test/i.png", "bytes=-99", nil, 206, "bytes 0-14/15", "\x89PNG 0123456789"},
		{"im_/http://a.test/i.png", "bytes=-0", nil, 416, "bytes */15", ""},
		{"im_/http://a.test/i.png", "bytes=15-", nil, 416, "bytes */15", ""},
		{"im_/http://a.test/i.png", "bytes=99999999999999999999-", nil, 416, "bytes */15", ""},
		{"im_/http://a.test/i.png", "bytes=0-99999999999999999999", nil, 206, "bytes 0-14/15", "\x89PNG 0123456789"},
		{"im_/http://a.test/i.png", "bytes=5-3", nil, 200, "", "\x89PNG 0123456789"},
		{"im_/http://a.test/i.png", "bytes=0-1,3-4", nil, 200, "", "\x89PNG 0123456789"},
		{"im_/http://a.test/i.png", "lines=0-1", nil, 200, "", "\x89PNG 0123456789"},
		{"im_/http://a.test/i.png", "bytes=x-", nil, 200, "", "\x89PNG 0123456789"},
		{"im_/http://a.test/i.png", "bytes=5-", []string{`If-Range: "other"`}, 200, "", "\x89PNG 0123456789"},
		{"im_/http://a.test/i2.png", "bytes=5-6", nil, 206, "bytes 5-6/15", "01"},       // a revisit
		{"id_/http://a.test/chunked.txt", "bytes=2-4", nil, 206, "bytes 2-4/10", "234"}, // counted
		{"id_/http://a.test/chunked.txt", "bytes=10-", nil, 416, "bytes */10", ""},      // counted
		{"id_/http://a.test/z.txt", "bytes=2-4", nil, 206, "bytes 2-4/10", "234"},       // decoded, counted
		{"id_/http://a.test/cut", "bytes=2-", nil, 206, "bytes 2-3/4", "23"},            // as far as it goes
		{"/http://a.test/x", "bytes=2-4", nil, 200, "", ""},                             // rewritten: no range
		{"id_/http://a.test/gone", "bytes=0-1", nil, 404, "", "<a href=y>gone</a>"},     // of a 200 alone
		{"/file:///notes.md", "bytes=0-4", nil, 206, "bytes 0-4/26", "# see"},           // a resource
		{"id_/http://a.test/z.txt", "bytes=0-1", []string{"Accept-Encoding: gzip"}, 206, fmt.Sprintf("bytes 0-1/%d", len(zipped("0123456789"))), "\x1f\x8b"},
	} {
		got := a.get(at+c.target, append(c.fields, "Range: "+c.spec)...)
		if got.StatusCode != c.status || got.Header.Get("Content-Range") != c.content || c.out != "" && got.body != c.out {
			t.Errorf("%s of %s: %d %q %q", c.spec, c.target, got.StatusCode, got.Header.Get("Content-Range"), got.body)
		}
	}
}

func TestHeaders(t *testing.T) {
	a := newArchive(t)
	a.page("http://a.test/h", "text/html; charset=Shift_JIS", "<p>", "Content-Language: ja", "Content-Disposition: inline; filename=x",
		"X-Content-Type-Options: nosniff", "Set-Cookie: a=b", "Clear-Site-Data: \"*\"", "Content-Security-Policy: sandbox",
		"Strict-Transport-Security: max-age=1", "Refresh: 5; url=/next", "NEL: {}", "Cross-Origin-Opener-Policy: same-origin",
		"Cross-Origin-Embedder-Policy: require-corp", "Service-Worker-Allowed: /", "Link: <http://evil.test/>; rel=original",
		"Memento-Datetime: never", "Access-Control-Allow-Origin: *", "ETag: \"theirs\"", "Cache-Control: public", "Vary: *",
		"bad name: x", "Content-Location: h.ja.html", "X-Tab: a\tb\x01c", "Connection: close", "X-Archive-Orig-Link: forged")
	got := a.get("/web/" + stamp + "/http://a.test/h")
	want := map[string]string{
		"Content-Type": "text/html; charset=Shift_JIS", "Content-Language": "ja", "Content-Disposition": "inline; filename=x",
		"X-Content-Type-Options": "nosniff", "Refresh": "5; url=/web/" + stamp + "/http://a.test/next",
		"Memento-Datetime": "Sun, 17 May 2020 10:20:30 GMT",
		"Link": `<http://a.test/h>; rel="original", <` + testOrigin + `/web/http://a.test/h>; rel="timegate", <` + testOrigin +
			`/web/timemap/link/http://a.test/h>; rel="timemap"; type="application/link-format"; from="Sun, 17 May 2020 10:20:30 GMT"; until="Sun, 17 May 2020 10:20:30 GMT", <` +
			testOrigin + `/web/` + stamp + `/http://a.test/h>; rel="first last memento"; datetime="Sun, 17 May 2020 10:20:30 GMT"`,
		"Referrer-Policy": "same-origin", "Cache-Control": "private, max-age=3600", "Vary": "Accept-Encoding, Sec-Fetch-Dest, Upgrade-Insecure-Requests",
		"X-Dns-Prefetch-Control": "off", "Origin-Agent-Cluster": "?1", "Server-Timing": `taken;desc="` + stamp + `"`, "Cross-Origin-Resource-Policy": "same-origin",
		"Connection-Allowlist": `(response-origin "http://*.replay.localhost:8081" "http://replay.localhost:8081");redirects=allow`,
		"Content-Location":     "/web/" + stamp + "/http://a.test/h.ja.html", "X-Archive-Orig-Content-Location": "h.ja.html",
		"X-Archive-Orig-Set-Cookie": "a=b", "X-Archive-Orig-Clear-Site-Data": `"*"`, "X-Archive-Orig-X-Tab": "a\tb c",
		"X-Archive-Orig-Link": "<http://evil.test/>; rel=original", "X-Archive-Orig-Content-Security-Policy": "sandbox",
	}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
	for name := range got.Header {
		if want[name] == "" && !strings.HasPrefix(name, "X-Archive-Orig-") && name != "Etag" && name != "Permissions-Policy" && name != "Content-Security-Policy" {
			t.Errorf("%s passed: %q", name, got.Header[name])
		}
	}
	if tag := got.Header.Get("ETag"); a.get("/web/"+stamp+"/http://a.test/h", "If-None-Match: "+tag).StatusCode != http.StatusNotModified {
		t.Error("the tag is not recognised")
	}
	exact := a.get("/web/" + stamp + "id_/http://a.test/h")
	if csp := exact.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none';") || exact.Header.Get("Refresh") != "" {
		t.Errorf("exact bytes may do something: %q %q", csp, exact.Header.Get("Refresh"))
	}
	a.page("http://a.test/untyped", "", "x")
	if v, ok := a.get("/web/" + stamp + "/http://a.test/untyped").Header["Content-Type"]; ok && v != nil {
		t.Errorf("a type was made up: %q", v)
	}
	many := make([]string, 200)
	for i := range many {
		many[i] = fmt.Sprintf("X-Many-%d: %s", i, strings.Repeat("y", 1000))
	}
	a.page("http://a.test/many", "text/plain", "x", many...)
	n := 0
	for name, values := range a.get("/web/" + stamp + "/http://a.test/many").Header {
		n += len(name) + len(strings.Join(values, ""))
	}
	if n > 32<<10 {
		t.Errorf("%d bytes of header", n)
	}
}

// TestSeconds: each of two captures within fractions of a second is reached by its own address.
func TestSeconds(t *testing.T) {
	a := newArchive(t)
	a.capture(capture{url: "http://a.test/", at: day.Add(950 * time.Millisecond), response: message(200, "text/plain", "first")})
	a.capture(capture{url: "http://a.test/", at: day.Add(1100 * time.Millisecond), response: message(200, "text/plain", "second")})
	for s, want := range map[string]string{stamp: "first", "20200517102031": "second"} {
		if got := a.get("/web/" + s + "/http://a.test/"); got.body != want {
			t.Errorf("%s: %d %q, want %q", s, got.StatusCode, got.body, want)
		}
	}
}

// TestRest follows redirects from many addresses: each comes to rest after a few.
func TestRest(t *testing.T) {
	a := seeded(t)
	for _, url := range []string{"http://a.test/dir", "https://www.a.test/dir/", "http://loop.test/", "https://loop.test", "www.loop.test", "http:/a.test/X"} {
		for _, when := range []string{"", "2/", "1/", "2020id_/", "2020if_/", stamp + "/", "20200517102031/"} {
			target := "/web/" + when + url
			if when == "" && !strings.HasPrefix(url, "http") {
				continue
			}
			for hops := 0; ; hops++ {
				got := a.get(target)
				if target = got.Header.Get("Location"); target == "" {
					break
				}
				if hops > 4 || !strings.HasPrefix(target, "/web/") {
					t.Fatalf("%s%s goes on to %s", when, url, target)
				}
			}
		}
	}
}

func TestPages(t *testing.T) {
	a := seeded(t)
	dead := a.get("/web/2020/http://dead.test/")
	for _, want := range []string{"It was already dead on 17 May 2020", "no such host dead.test &lt;b&gt;", "The host name does not resolve"} {
		if dead.StatusCode != 404 || !strings.Contains(dead.body, want) {
			t.Errorf("the page of a dead link lacks %q:\n%s", want, dead.body)
		}
	}
	if shy := a.get("/web/2020/http://shy.test/"); strings.Contains(shy.body, "already dead") || !strings.Contains(shy.body, "robots.txt") {
		t.Errorf("a link that robots.txt forbids is called dead:\n%s", shy.body)
	}
	if l := a.get("/web/*/http://dead.test/"); !strings.Contains(l.body, "no such host") {
		t.Errorf("the list lacks the attempts:\n%s", l.body)
	}
	if l := a.get("/web/*/http://a.test/p?q=http://b.test//c%2Fd&e='(1)'"); !strings.Contains(l.body, `href="/web/`+stamp+`/http://a.test/p?q=http://b.test//c%2Fd&amp;e=%27(1)%27"`) {
		t.Errorf("the list links elsewhere:\n%s", l.body)
	}
	for _, target := range []string{"/web/2020/http://x.test/<script>alert(1)</script>", `/web/*/http://x.test/"onload="x`, "/web/2020/javascript:alert(1)", "/web/*/javascript:alert(1)",
		"/web/9<script>/http://a.test/", "/<script>"} {
		got := a.get(target)
		if strings.Contains(got.body, "<script") || strings.Contains(got.body, `"onload`) || strings.Contains(got.body, `href="javascript`) {
			t.Errorf("%s is not escaped:\n%s", target, got.body)
		}
		if csp := got.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", target, csp)
		}
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="(/web/-/[^"]*)"`).FindAllStringSubmatch(a.get("/").body+a.get("/web/"+stamp+"/http://a.test/x").body, -1) {
		if got := a.get(m[1]); got.StatusCode != 200 || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", m[1], got.StatusCode, got.Header)
		}
	}
}

// opener fails as it is told to.
type opener struct{ err error }

func (o opener) Open(context.Context, storage.Capture) (*warc.Memento, error) { return nil, o.err }

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		err        error
		status     int
		retry, say string
	}{
		{fmt.Errorf("read x: %w", warc.ErrElsewhere), 503, "60", "on its way"},
		{fmt.Errorf("read x: %w", storage.ErrAway), 503, "60", "A part of the archive"},
		{fmt.Errorf("read x: %w", storage.ErrNotFound), 500, "", "not where they should be"},
		{errors.New("open /secret/path: no such device"), 500, "", "Something went wrong"},
	} {
		a := newArchive(t)
		a.page("http://a.test/x", "text/html", "<p>")
		a.handler.Library = opener{c.err}
		got := a.get("/web/" + stamp + "/http://a.test/x")
		if got.StatusCode != c.status || got.Header.Get("Retry-After") != c.retry || !strings.Contains(got.body, c.say) {
			t.Errorf("%v: %d %q\n%s", c.err, got.StatusCode, got.Header.Get("Retry-After"), got.body)
		}
		if strings.Contains(got.body, "secret") || !strings.Contains(got.body, `href="/web/*/http://a.test/x"`) {
			t.Errorf("%v: the page tells too much or too little:\n%s", c.err, got.body)
		}
		if small := a.get("/web/" + stamp + "im_/http://a.test/x"); small.StatusCode != c.status || strings.Contains(small.body, "<") {
			t.Errorf("%v: a picture gets %d %q", c.err, small.StatusCode, small.body)
		}
		if logged := strings.Contains(a.log.String(), "ERROR"); logged == (c.status == 503) {
			t.Errorf("%v: logged %v", c.err, logged)
		}
	}
}

// TestLimits: what is too long is sent, but not rewritten, and may do nothing; a bomb ends.
func TestLimits(t *testing.T) {
	a := newArchive(t)
	a.handler.MaxRewrite, a.handler.MaxDecoded = 1000, 5000
	long := "<a href=y>" + strings.Repeat("y", 2000)
	a.page("http://a.test/long", "text/html", long)
	a.page("http://a.test/bomb", "text/html", zipped(strings.Repeat("y", 100000)), "Content-Encoding: gzip")
	got := a.get("/web/" + stamp + "/http://a.test/long")
	if got.body != long || !strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox; default-src 'none'") {
		t.Errorf("%v %.60s", got.Header, got.body)
	}
	for _, mod := range []string{"", "id_"} {
		if got := a.get("/web/" + stamp + mod + "/http://a.test/bomb"); len(got.body) != 5000 {
			t.Errorf("%s: %d bytes of a bomb", mod, len(got.body))
		}
	}
}

// TestAtOnce: a miss is not remembered, a capture is visible when it is acknowledged.
func TestAtOnce(t *testing.T) {
	a := newArchive(t)
	miss := a.get("/web/" + stamp + "/http://a.test/new")
	if miss.StatusCode != 404 || miss.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", miss.StatusCode, miss.Header)
	}
	a.page("http://a.test/new", "text/html", "here")
	if got := a.get("/web/" + stamp + "/http://a.test/new"); got.StatusCode != 200 || !bytes.Contains([]byte(got.body), []byte("here")) {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
}
