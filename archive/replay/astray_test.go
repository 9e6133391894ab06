package replay_test

import (
	"regexp"
	"strings"
	"testing"
)

// shownAt asks for an address as a browser does that shows it in a window at the host of the site a.test.
func (a *testArchive) shownAt(url string) answer {
	return a.get("/web/"+stamp+url, "Host: a-test."+strings.TrimPrefix(testOrigin, "http://"), "Sec-Fetch-Dest: document")
}

// live finds an address that a browser would go to, and not the archive.
var live = regexp.MustCompile(`(^|[^0-9_]/|[^/#])http://live\.test`) // as a fragment it asks nobody

// TestNothingStaysLive: what can't be turned inward leads nowhere.
func TestNothingStaysLive(t *testing.T) {
	a := newArchive(t)
	long := "http://live.test/" + strings.Repeat("a", 20_000)
	for name, src := range map[string]string{
		"long refresh":   `<meta http-equiv=refresh content="0;url=` + long + `">`,
		"long link":      `<a href="` + long + `">`,
		"long form":      `<form action="` + long + `"><button formaction="` + long + `">`,
		"long picture":   `<img src="` + long + `" srcset="` + long + ` 1x"><p style="background:url(` + long + `)">`,
		"long base":      `<base href="` + long + `/"><a href=x>`,
		"broken":         `<a href="http://live.test:x/"><a href=" ht&#10;tp://live.test:99999/">`,
		"spelled":        `<a href="&#104;ttp://live.test/&#x2003;">`,
		"deep frames":    nested(`<meta http-equiv=refresh content="0;url=http://live.test/">`, 6),
		"animated":       `<svg><a><animate attributeName="x&#108;ink:href" values="http://live.test/"/></a></svg>`,
		"after drawings": `<svg></svg><p><a xlink:href="http://live.test/">`,
	} {
		url := "http://a.test/" + strings.ReplaceAll(name, " ", "-")
		a.page(url, "text/html", src)
		got := a.shownAt("/" + url).body
		if name == "deep frames" {
			if strings.Count(got, "/web/-/shim") != 5 || !strings.Contains(got, " data-archive-srcdoc=") {
				t.Errorf("%s: %s", name, got)
			}
			continue
		}
		if live.MatchString(got) {
			t.Errorf("%s: %.3000s", name, got)
		}
	}
	// Schemes of their own stay, however long.
	const own = `<a href="mailto:a@b.test"></a><a href="javascript:void(1)"></a><a href="#x"></a><a href="data:text/plain,~"></a>`
	src := strings.Replace(own, "~", strings.Repeat("a", 20_000), 1)
	a.page("http://a.test/own", "text/html", src)
	if got := a.shownAt("/http://a.test/own").body; !strings.HasSuffix(got, src) {
		t.Errorf("%.3000s", got)
	}
}

// nested puts a document into frames.
func nested(src string, deep int) string {
	for range deep {
		src = `<iframe srcdoc="` + strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(src) + `"></iframe>`
	}
	return src
}

// TestRefreshField: it leads inward, or is not there.
func TestRefreshField(t *testing.T) {
	a := newArchive(t)
	long := strings.Repeat("a", 20_000)
	for i, c := range []struct{ field, want string }{
		{"5; url='/x'", "5; url='/web/" + stamp + "/http://a.test/x'"},
		{"5", "5"},
		{"0\v;url=http://live.test/", "0 ;url=/web/" + stamp + "/http://live.test/"},
		{"0;url=http://live.test/" + long, "0;url=/web/" + stamp + "/http://"},
		{"\xa00;url=http://live.test/", ""},
		{"0\xa0;url=http://live.test/", ""},
		{"x;url=http://live.test/", ""},
		{"0;url=http://a.test/?" + long[:8000], "0;url=/web/" + stamp + "/http://a.test/?" + long[:8000]},
		{"0;'" + "x'" + long + long, ""},
	} {
		url := "http://a.test/" + string(rune('a'+i))
		a.page(url, "text/html", "<p>", "Refresh: "+c.field)
		if got := a.shownAt("/" + url).Header.Get("Refresh"); got != c.want {
			t.Errorf("%.100q: %.200q, want %.200q", c.field, got, c.want)
		}
	}
}

// TestLivelyXML: each XML document that could run scripts if it is shown has ours before all of its own, or runs none.
func TestLivelyXML(t *testing.T) {
	a := newArchive(t)
	const (
		xhtml  = `xmlns="http://www.w3.org/1999/xhtml"`
		svg    = `xmlns="http://www.w3.org/2000/svg"`
		run    = `location="http://live.test/"`
		shim   = "[shim]"
		barred = "sandbox; default-src 'none'"
	)
	for i, c := range []struct{ mime, src, want string }{
		{"application/xml", `<r><script xmlns="http://www.w3.org/1999/&#120;html">` + run + `</script></r>`, `<r>` + shim + `<script`},
		{"application/xhtml+xml", `<html ` + xhtml + `><body><script>` + run + `</script></body></html>`, xhtml + `>` + shim + `<body>`},
		{"application/xhtml+xml", `<html ` + xhtml + `><script>` + run + `</script><head/></html>`, xhtml + `>` + shim + `<script>`},
		{"application/xml", `<script ` + xhtml + `>` + run + `</script>`, barred},
		{"image/svg+xml", `<svg ` + svg + ` onload='` + run + `'/>`, barred},
		{"image/svg+xml", `<!DOCTYPE svg [<!ENTITY a "&#60;script>x&#60;/script>">]><svg ` + svg + `>&a;</svg>`, `<!DOCTYPE svg []><svg ` + svg + `>` + shim + `&a;`},
		{"image/svg+xml", `<svg ` + svg + ` xmlns:é="http://www.w3.org/2000/svg"><é:script>` + run + `</é:script></svg>`, `>` + shim + `<é:script>`},
		{"image/svg+xml", `<!DOCTYPE svg [<!ENTITY s "http://www.w3.org/2000/svg">]><svg xmlns="&s;"><script>` + run + `</script></svg>`, `<svg xmlns="&s;">` + shim + `<script>`},
		{"image/svg+xml", `<!DOCTYPE svg [<!x>]><svg ` + svg + `><script>` + run + `</script></svg>`, barred},
		{"application/rss+xml", `<rss><x:script xmlns:x="http://www.w3.org/1999/xhtml">` + run + `</x:script></rss>`, `<rss>` + shim},
		{"text/xml", `<math xmlns="http://www.w3.org/1998/Math/MathML" onclick='x'/>`, barred},
		{"application/xhtml+xml", `<!DOCTYPE html [<!ATTLIST meta http-equiv CDATA "refresh" content CDATA "0;url=http://live.test/">]><html ` + xhtml + `><head><meta/></head></html>`, `<!DOCTYPE html []>`},
		{"text/xml", "\xff\xfe" + spread(`<r><script `+xhtml+`>x</script></r>`), spread(`<r>`) + shim},
		{"application/xml", `<r><a/></r>`, `<r><a/></r>`},
		{"image/svg+xml", `<svg ` + svg + `><title>a &amp; b</title></svg>`, svg + `><title>`},
	} {
		url := "http://a.test/" + string(rune('a'+i))
		a.page(url, c.mime, c.src)
		got := a.shownAt("/" + url)
		if policy := got.Header.Get("Content-Security-Policy"); strings.HasPrefix(policy, barred) != (c.want == barred) {
			t.Errorf("%s: %s", c.src, policy)
		}
		body := xmlShim.ReplaceAllString(got.body, shim)
		if strings.HasPrefix(c.src, "\xff\xfe") {
			body = strings.ReplaceAll(body, spread(xmlShim.FindString(strings.ReplaceAll(body, "\x00", ""))), shim)
		}
		if c.want != barred && !strings.Contains(body, c.want) {
			t.Errorf("%s became\n%s\nwant %s", c.src, body, c.want)
		}
		// As a picture it runs nothing, whatever it is; a script gets the bytes.
		for _, dest := range []string{"image", "empty"} {
			if got := a.get("/web/"+stamp+"im_/"+url, "Sec-Fetch-Dest: "+dest); strings.Contains(got.body, "/web/-/shim") {
				t.Errorf("for %s: %s", dest, got.body)
			}
		}
		// The address of a picture may be opened in a window.
		again := a.get("/web/"+stamp+"im_/"+url, "Host: a-test."+strings.TrimPrefix(testOrigin, "http://"), "Sec-Fetch-Dest: document")
		strip := strings.NewReplacer(` data-banner=""`, "", spread(` data-banner=""`), "")
		if strip.Replace(again.body) != strip.Replace(got.body) || again.Header.Get("Content-Security-Policy")[:20] != got.Header.Get("Content-Security-Policy")[:20] {
			t.Errorf("as a picture in a window: %s", again.body)
		}
	}
}

var xmlShim = regexp.MustCompile(`<script xmlns="http://www.w3.org/1999/xhtml" src="/web/-/shim[^>]*></script>`)

// spread is ASCII as UTF-16.
func spread(s string) string {
	b := make([]byte, 2*len(s))
	for i := range len(s) {
		b[2*i] = s[i]
	}
	return string(b)
}
