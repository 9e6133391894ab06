package replay_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"linkstead/archive/replay"
)

const at = "/web/" + stamp

var shimTag = regexp.MustCompile(`<script src="/web/-/shim-[0-9a-f]+\.js"[^>]*></script>`)

// TestModifiers tells what bytes come for each modifier, with and without a browser that says what it wants.
func TestModifiers(t *testing.T) {
	a := newArchive(t)
	a.handler.Mode = replay.Shared // or documents have hosts
	const (
		doc  = `<p><a href=y>y</a><img src=i.png>`
		shim = `<script src="/web/-/shim.js"></script>`
		page = shim + `<p><a href=` + at + `/http://a.test/%2e/y>y</a><img src=` + at + `im_/http://a.test/%2e/i.png>`
		bare = shim + `<p><a href=` + at + `mp_/http://a.test/%2e/y>y</a><img src=` + at + `im_/http://a.test/%2e/i.png>`
	)
	a.page("http://a.test/x", "text/html", doc)
	a.page("http://a.test/s", "text/css", `a{b:url(i.png)}`)
	a.page("http://a.test/s.txt", "text/plain", `a{b:url(i.png)}`)
	a.page("http://a.test/m", "text/javascript", `import("./n")`)
	a.page("http://a.test/m.txt", "text/plain", `import("./n")`)
	a.page("http://a.test/d.svg", "image/svg+xml", `<svg><a href="y"/></svg>`)
	a.page("http://a.test/app", "application/json", `{"start_url":"y"}`)
	a.page("http://a.test/feed", "application/rss+xml", `<rss><channel><link>http://a.test/</link></channel></rss>`)
	a.page("http://a.test/v.m3u8", "application/vnd.apple.mpegurl", "#EXTM3U\na.ts\n")
	a.page("http://a.test/cb?callback=f", "application/json", `f({"u":"http://a.test/"})`)
	const (
		style  = `a{b:url(` + at + `im_/http://a.test/i.png)}`
		module = `import("` + at + `js_/http://a.test/n")`
		svg    = `<svg><a href="` + at + `/http://a.test/y"/></svg>`
		html   = "text/html,application/xhtml+xml,*/*;q=0.8"
	)
	for _, c := range []struct{ mod, url, dest, accept, want string }{
		{"", "x", "", "", page}, {"", "x", "document", html, page}, {"", "x", "iframe", html, page}, {"", "x", "empty", "*/*", doc},
		{"id_", "x", "", "", doc}, {"id_", "x", "document", html, doc}, {"id_", "x", "empty", "*/*", doc}, {"id_", "s", "style", "", `a{b:url(i.png)}`},
		// What scripts ask for, as HTML, CSS, XML or whatever, they get to the byte.
		{"mp_", "x", "", "", doc}, {"mp_", "x", "", "*/*", doc}, {"mp_", "x", "empty", "*/*", doc}, {"mp_", "s", "empty", "*/*", `a{b:url(i.png)}`},
		{"mp_", "d.svg", "empty", "*/*", `<svg><a href="y"/></svg>`}, {"mp_", "d.svg", "", "", `<svg><a href="y"/></svg>`}, {"cs_", "s", "empty", "", `a{b:url(i.png)}`},
		{"mp_", "m", "empty", "*/*", `import("./n")`}, {"js_", "m", "empty", "*/*", `import("./n")`}, {"mp_", "app", "empty", "*/*", `{"start_url":"y"}`},
		{"mp_", "feed", "empty", "*/*", `<rss><channel><link>http://a.test/</link></channel></rss>`}, {"mp_", "v.m3u8", "empty", "*/*", "#EXTM3U\na.ts\n"},
		{"", "feed", "", "", `<rss><channel><link>` + testOrigin + at + `/http://a.test/</link></channel></rss>`}, {"oe_", "v.m3u8", "video", "*/*", "#EXTM3U\n" + at + "oe_/http://a.test/a.ts\n"},
		{"mp_", "x", "", html, bare}, {"mp_", "x", "document", html, bare}, {"mp_", "x", "iframe", html, page},
		{"if_", "x", "", "", page}, {"if_", "x", "iframe", html, page}, {"fr_", "x", "", "", page}, {"fr_", "x", "frame", html, page},
		{"oe_", "x", "", "", page}, {"oe_", "x", "object", html, page}, {"oe_", "s", "", "", style}, {"oe_", "app", "manifest", "", `{"start_url":"` + at + `/http://a.test/y"}`},
		{"oe_", "app", "", "", `{"start_url":"y"}`},
		{"cs_", "s", "", "", style}, {"cs_", "s", "style", "", style}, {"cs_", "s.txt", "", "", style}, {"cs_", "s.txt", "style", "", style},
		{"", "s.txt", "style", "", style}, {"", "s.txt", "", "", `a{b:url(i.png)}`},
		{"js_", "m", "", "", module}, {"js_", "m", "script", "", module}, {"js_", "m.txt", "", "", module}, {"js_", "m.txt", "worker", "", module},
		{"", "m.txt", "script", "", module}, {"js_", "cb?callback=f", "script", "", `f({"u":"http://a.test/"})`},
		{"im_", "d.svg", "", "", svg}, {"im_", "d.svg", "image", "", svg}, {"", "d.svg", "document", html, svg}, {"im_", "x", "", "", doc}, {"im_", "x", "image", "", doc},
		{"cs_", "x", "document", html, page}, {"js_", "x", "iframe", html, page}, // a link of ours never leads there
	} {
		t.Run(fmt.Sprintf("%s %s %s %.9s", c.mod, c.url, c.dest, c.accept), func(t *testing.T) {
			var fields []string
			if c.dest != "" {
				fields = append(fields, "Sec-Fetch-Dest: "+c.dest)
			}
			if c.accept != "" {
				fields = append(fields, "Accept: "+c.accept)
			}
			got := a.get(at+c.mod+"/http://a.test/"+c.url, fields...)
			if body := digest.ReplaceAllString(got.body, "$1$2"); got.StatusCode != 200 || body != c.want {
				t.Errorf("%d\n%s\nwant\n%s", got.StatusCode, body, c.want)
			}
			// A document that was read as something else may do nothing, if it is opened all the same.
			sandboxed := strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox")
			foreign := c.url == "v.m3u8" || slices.Contains([]string{"x", "d.svg", "feed"}, c.url) && !strings.Contains(got.body, at)
			if sandboxed != (foreign || c.mod == "id_") {
				t.Errorf("sandboxed: %t", sandboxed)
			}
		})
	}
	// Each way to show a page has a tag of its own: caches ask by it whether what they have will do.
	tags := map[string]string{}
	for _, f := range [][]string{{"Sec-Fetch-Dest: empty"}, {"Sec-Fetch-Dest: iframe"}, {"Sec-Fetch-Dest: document"}} {
		tag := a.get(at+"mp_/http://a.test/x", f...).Header.Get("ETag")
		if tags[tag] != "" {
			t.Errorf("%s has the tag of %s", f, tags[tag])
		}
		tags[tag] = f[0]
	}
	if got := a.get("/web/2020mp_/http://a.test/x", "Accept: "+html); got.StatusCode != 302 || got.Header.Get("Location") != at+"mp_/http://a.test/x" {
		t.Errorf("a page without the banner is not led to its time: %d %q", got.StatusCode, got.Header.Get("Location"))
	}
}

// TestCharsets: what is not ASCII stays as it is, to the byte, and no charset is added.
func TestCharsets(t *testing.T) {
	a := newArchive(t)
	wide := func(s string, at int) string { // the letters come first or second in their pairs
		b := make([]byte, 2*len(s))
		for i := range len(s) {
			b[2*i+at] = s[i]
		}
		return string(b)
	}
	const src, want = `<p title=x><a href=y>`, `<p title=x><a href=` + at + `/http://a.test/%2e/y>`
	for i, c := range []struct{ name, mime, src, want string }{
		{"Shift_JIS", "text/html; charset=Shift_JIS", "\x95\x5c<a href=y title=\"\x83\x5c\">\x8a\x80", "\x95\x5c<a href=" + at + "/http://a.test/%2e/y title=\"\x83\x5c\">\x8a\x80"},
		{"GBK", "text/html", "<meta charset=gbk>\xd6\xd0\xce\xc4<a href=y>\x81\x5c", "<meta charset=gbk>\xd6\xd0\xce\xc4[]<a href=" + at + "/http://a.test/%2e/y>\x81\x5c"},
		{"windows-1251", "text/html", "\xcf\xf0<a href=y>\xe8", "\xcf\xf0[]<a href=" + at + "/http://a.test/%2e/y>\xe8"},
		{"no charset at all", "text/html", "\xff\x00\x80<a href=y>", "\xff\x00\x80[]<a href=" + at + "/http://a.test/%2e/y>"},
		{"a backslash in kanji, in a style", "text/css; charset=Shift_JIS", "a{content:\"\x95\x5c\";b:url(i);c:url(\"/\x95\x5c\")}", "a{content:\"\x95\x5c\";b:url(" + at + "im_/http://a.test/i);c:url(\"" + at + "im_/http://a.test/%E8%A1%A8\")}"},
		{"one in a script", "text/javascript; charset=gbk", "x='\x81\x5c';import('./m')", "x='\x81\x5c';import('" + at + "js_/http://a.test/m')"},
		{"one in an inline style", "text/html; charset=big5", "<style>a{content:'\xa5\x5c';b:url(i)}</style>", "[]<style>a{content:'\xa5\x5c';b:url(" + at + "im_/http://a.test/i)}</style>"},
		{"bytes that are no Shift_JIS", "text/html; charset=Shift_JIS", "\xff\xfd<a href=y>\x81", "\xff\xfd[]<a href=" + at + "/http://a.test/%2e/y>\x81"},
		{"an unknown one", "text/html; charset=klingon", "\xf8\xd0<a href=y>", "\xf8\xd0[]<a href=" + at + "/http://a.test/%2e/y>"},
		{"UTF-8 with its mark", "text/html", "\xef\xbb\xbf<p>é<a href=y>", "\xef\xbb\xbf[]<p>é<a href=" + at + "/http://a.test/%2e/y>"},
		{"UTF-16LE with its mark", "text/html", "\xff\xfe" + wide(src, 0), "\xff\xfe" + wide("[]"+want, 0)},
		{"UTF-16BE with its mark", "text/html; charset=utf-8", "\xfe\xff" + wide(src, 1), "\xfe\xff" + wide("[]"+want, 1)},
		{"UTF-16LE by its head", "text/html; charset=utf-16le", wide(src, 0), wide("[]"+want, 0)},
		{"UTF-16BE by its head", "text/html; charset=UTF-16BE", wide(src, 1), wide("[]"+want, 1)},
		{"UTF-16 means LE", "text/html; charset=utf-16", wide(src, 0), wide("[]"+want, 0)},
		{"the mark before the head", "text/html; charset=utf-16be", "\xff\xfe" + wide(src, 0), "\xff\xfe" + wide("[]"+want, 0)},
		{"a style in UTF-16", "text/css; charset=utf-16le", wide("a{b:url(i)}", 0), wide("a{b:url("+at+"im_/http://a.test/i)}", 0)},
		{"EUC-JP", "text/html; charset=euc-jp", "\xc6\xfc<a href=y>", "\xc6\xfc[]<a href=" + at + "/http://a.test/%2e/y>"},
	} {
		url := fmt.Sprintf("http://a.test/%d", i)
		a.page(url, c.mime, c.src)
		got := a.get(at + "/" + url)
		shim := shimTag.FindString(a.get(at + "/http://a.test/0").body)
		body := strings.NewReplacer(shim, "[]", wide(shim, 0), wide("[]", 0), wide(shim, 1), wide("[]", 1)).Replace(got.body)
		if body != c.want && strings.Replace(body, "[]", "", 1) != c.want {
			t.Errorf("%s: %q\nwant %q", c.name, body, c.want)
		}
		if got.Header.Get("Content-Type") != c.mime || strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %q %q", c.name, got.Header.Get("Content-Type"), got.Header.Get("Content-Security-Policy"))
		}
	}
	a.page("http://a.test/jp", "text/html; charset=iso-2022-jp", "<title>\x1b$B\x46\x7c\x1b(B</title><a href=y>")
	if got := a.get(at + "/http://a.test/jp"); !strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(got.body, "\x1b$B\x46\x7c\x1b(B") {
		t.Errorf("ISO-2022-JP: %q %q", got.Header.Get("Content-Security-Policy"), got.body)
	}
}

// TestBases: what a browser loads before it meets a late base is resolved without it; links obey it wherever they stand; one
// that has no address counts for nothing, nor does one in noscript, where scripts run.
func TestBases(t *testing.T) {
	a := newArchive(t)
	const src = `<p><a href=a>a</a><img src=early.png><noscript><base href=/no/></noscript><base target=_top><base href="/b/~/"><img src=late.png><form action=f>`
	a.page("http://a.test/d/x", "text/html; charset=windows-1251", strings.Replace(src, "~", "\xcf", 1))
	got := a.get(at + "if_/http://a.test/d/x").body
	for _, want := range []string{
		`<a href=` + at + `/http://a.test/b/%D0%9F/%2e/a>`, `<img src=` + at + `im_/http://a.test/d/%2e/early.png>`, `<base href="` + at + `/http://a.test/./b/%D0%9F/">`,
		`<img src=` + at + `im_/http://a.test/b/%D0%9F/%2e/late.png>`, `<form action=` + at + `/http://a.test/b/%D0%9F/%2e/f>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// coded is a body in a content coding.
func coded(t *testing.T, coding, s string) string {
	t.Helper()
	var b bytes.Buffer
	switch coding {
	case "gzip":
		return zipped(s)
	case "br":
		w := brotli.NewWriter(&b)
		_, err := w.Write([]byte(s))
		must(t, err)
		must(t, w.Close())
	case "zstd":
		w, err := zstd.NewWriter(&b)
		must(t, err)
		_, err = w.Write([]byte(s))
		must(t, err)
		must(t, w.Close())
	case "zlib":
		w := zlib.NewWriter(&b)
		_, err := w.Write([]byte(s))
		must(t, err)
		must(t, w.Close())
	case "raw":
		w, err := flate.NewWriter(&b, 9)
		must(t, err)
		_, err = w.Write([]byte(s))
		must(t, err)
		must(t, w.Close())
	}
	return b.String()
}

// TestCodings: a payload is decoded where it is rewritten, passed on in its coding where not, and believed to be in one only
// if it is.
func TestCodings(t *testing.T) {
	a := newArchive(t)
	const src, want = "<p><a href=y>y</a>", "<p><a href=" + at + "/http://a.test/%2e/y>y</a>"
	long := src
	for i := range 3000 {
		long += fmt.Sprintf("<p>%d", i*i*i)
	}
	for i, c := range []struct {
		name, coding, body, mod, want, passed string // what comes; "~" before: it begins so. The coding that the client is told
	}{
		{"gzip", "gzip", coded(t, "gzip", src), "if_", want, ""},
		{"br", "br", coded(t, "br", src), "if_", want, ""},
		{"zstd", "zstd", coded(t, "zstd", src), "if_", want, ""},
		{"deflate", "deflate", coded(t, "zlib", src), "if_", want, ""},
		{"raw deflate", "deflate", coded(t, "raw", src), "if_", want, ""},
		{"two of them", "br, gzip", coded(t, "gzip", coded(t, "br", src)), "if_", want, ""},
		{"gzip passed", "gzip", coded(t, "gzip", src), "id_", coded(t, "gzip", src), "gzip"},
		{"br passed", "br", coded(t, "br", src), "id_", coded(t, "br", src), "br"},
		{"zstd decoded for who takes none", "zstd", coded(t, "zstd", src), "id_", src, ""},
		{"two of them passed", "br, gzip", coded(t, "gzip", coded(t, "br", src)), "id_", coded(t, "gzip", coded(t, "br", src)), "br, gzip"},
		{"says gzip, is plain", "gzip", src, "if_", want, ""},
		{"says gzip, is plain, passed", "gzip", src, "id_", src, ""},
		{"says br, is plain", "br", src, "if_", want, ""},
		{"says br, is plain, passed", "br", src, "id_", src, ""},
		{"says zstd, is plain", "zstd", src, "if_", want, ""},
		{"says deflate, is plain", "deflate", src, "if_", want, ""},
		{"says gzip twice, is once", "gzip, gzip", coded(t, "gzip", src), "if_", want, ""},
		{"says gzip twice, is once, passed", "gzip, gzip", coded(t, "gzip", src), "id_", coded(t, "gzip", src), "gzip"},
		{"says br and gzip, is gzip", "br, gzip", coded(t, "gzip", src), "if_", want, ""},
		{"says gzip and br, is gzip", "gzip, br", coded(t, "gzip", src), "if_", want, ""},
		{"says plain, is gzip", "", coded(t, "gzip", src), "if_", want, ""},
		{"says identity, is gzip", "identity", coded(t, "gzip", src), "if_", want, ""},
		{"says plain, is gzip: the exact bytes", "", coded(t, "gzip", src), "id_", coded(t, "gzip", src), ""},
		{"cut gzip", "gzip", coded(t, "gzip", long)[:600], "if_", "~" + want, ""},
		{"cut br", "br", coded(t, "br", long)[:600], "if_", "~" + want[:8], ""},
		{"cut zstd", "zstd", coded(t, "zstd", long)[:90], "if_", "", ""}, // a block is whole or nothing
		{"cut deflate", "deflate", coded(t, "zlib", long)[:600], "if_", "~" + want, ""},
		{"cut gzip that says plain", "", coded(t, "gzip", long)[:600], "if_", "~" + want, ""},
		{"empty", "gzip", "", "if_", "", ""},
	} {
		url := fmt.Sprintf("http://a.test/%d", i)
		var fields []string
		if c.coding != "" {
			fields = append(fields, "Content-Encoding: "+c.coding)
		}
		a.capture(capture{url: url, response: message(200, "text/html", c.body, fields...)})
		got := a.get(at+c.mod+"/"+url, "Accept-Encoding: gzip, br")
		body := shimTag.ReplaceAllString(got.body, "")
		begin, ok := strings.CutPrefix(c.want, "~")
		if got.StatusCode != 200 || ok && !strings.HasPrefix(body, begin) || !ok && body != c.want || got.Header.Get("Content-Encoding") != c.passed {
			t.Errorf("%s: %d %q %q", c.name, got.StatusCode, got.Header.Get("Content-Encoding"), got.body)
		}
	}
}
