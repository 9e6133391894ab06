package replay

import (
	"bytes"
	"strings"
	"testing"

	"linkstead/archive/markup"
	"linkstead/archive/urlkey"
)

func TestSpelling(t *testing.T) {
	const root = "/web/20200517102030/"
	for ref, want := range map[string]string{
		"http://x.test/a?b#c":   root + "http://x.test/a?b#c",
		"http://x.test":         root + "http://x.test/.",
		"http://x.test#c":       root + "http://x.test/.#c",
		"HTTP://x.test/":        root + "http://x.test/",
		"http://x.test/a/../b":  root + "http://x.test/a/../b",
		"//x.test/a":            "/." + root + "http://x.test/a",
		"//x.test":              "/." + root + "http://x.test/.",
		"/":                     root + "http://site.test/./",
		"/a?b#c":                root + "http://site.test/./a?b#c",
		"/a/../b":               root + "http://site.test/./a/../b",
		"?a=/./b":               root + "http://site.test/dir/%2E/page?a=/./b",
		"a":                     root + "http://site.test/dir/%2e/a",
		"a/b?c/d#e":             root + "http://site.test/dir/%2e/a/b?c/d#e",
		"./a":                   root + "http://site.test/dir/%2e/./a",
		"../a":                  root + "http://site.test/dir/%2e/../a",
		"../":                   root + "http://site.test/dir/%2e/../",
		"../../a":               root + "http://site.test/a", // it climbs too high to stand there
		"a/../b":                root + "http://site.test/dir/%2e/a/../b",
		"http:a":                root + "http://site.test/dir/a",
		"a b":                   root + "http://site.test/dir/%2e/a b",
		`\\x.test\a`:            root + "http://x.test/a",
		".hidden":               root + "http://site.test/dir/%2e/.hidden",
		"http://site.test/dir/": root + "http://site.test/dir/",
		"/item/{{id}}?{x}#{y}":  root + "http://site.test/./item/{{id}}?{x}#{y}",
		"{{link}}":              root + "http://site.test/dir/%2e/{{link}}",
		"/о-нас?q=слово#да":     root + "http://site.test/./о-нас?q=слово#да",
		"?q=слово":              root + "http://site.test/dir/%2E/page?q=слово",
		"/a#да":                 root + "http://site.test/./a#да",
		"//x.test/ä":            "/." + root + "http://x.test/ä",
		"//x.test/a/./b":        "/." + root + "http://x.test/a/./b",
		"http://x.test?x":       root + "http://x.test/.?x",
		"//x.test?ä":            "/." + root + "http://x.test/.?ä",
		"http://x.test/a/./b":   root + "http://x.test/a/b", // it would read as "/b"
		"http://x.test:80/":     root + "http://x.test/",
		"http://u:p@x.test/":    root + "http://x.test/",
		"http://ä.test/ä":       root + "http://xn--4ca.test/%C3%A4",
		".":                     root + "http://site.test/dir/%2e/.",
		"..":                    root + "http://site.test/dir/%2e/..",
		"x/../../y":             root + "http://site.test/dir/%2e/x/../../y",
		`/"x"<y>`:               root + "http://site.test/./%22x%22%3Cy%3E",
		"/a\u00a0b\tc":          root + "http://site.test/./a%C2%A0bc",
		"/\xff":                 root + "http://site.test/./%EF%BF%BD",
	} {
		if got, ok := inward("http://site.test/dir/page?q").visitAttribute(ref); !ok || got != want {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
	if got, ok := inward("file:///home/post.html").visitAttribute("a"); ok && strings.Contains(got, "%2e") {
		t.Errorf("of a file: %s", got)
	}
}

// TestSpellingOfCharsets: what is beyond ASCII stays where every browser reads the page as UTF-8, and quotes break out of nothing.
func TestSpellingOfCharsets(t *testing.T) {
	const a, kept, plain = `<a href="/ä?ä#ä">`, `<a href="/web/20200517102030/http://a.test/./ä?ä#ä">`, `<a href="/web/20200517102030/http://a.test/./%C3%A4?%C3%A4#%C3%A4">`
	for _, c := range []struct{ declared, src, want string }{
		{"utf-8", a, kept},
		{"", "\xEF\xBB\xBF" + a, "\xEF\xBB\xBF" + kept},
		{"", `<meta charset=utf-8>` + a, `<meta charset=utf-8>` + kept},
		{"", a, plain}, // a guess of ours, and browsers have their own
		{"", `<?xml version="1.0"?>` + a, `<?xml version="1.0"?>` + plain},
		{"iso-8859-2", "<a href=\"/\xe4?\xe4\">", `<a href="/web/20200517102030/http://a.test/./%C3%A4?%E4">`},
		{"iso-8859-2", "<a href='/{{a}}'>", `<a href='/web/20200517102030/http://a.test/./{{a}}'>`},
		{"utf-8", `<a href=/{{a}}&#32;&quot;>`, `<a href=/web/20200517102030/http://a.test/./%7B%7Ba%7D%7D%20%22>`},
		{"utf-8", `<a href=/{{a}}&#32;'b'>`, `<a href=/web/20200517102030/http://a.test/./{{a}}&#32;&#39;b&#39;>`},
		{"utf-8", `<a href='/a"&#39; b&amp;amp;'>`, `<a href='/web/20200517102030/http://a.test/./a%22&#39;%20b&amp;amp;'>`},
		{"utf-8", `<img srcset="ä, /b/{c} 2x">`, `<img srcset="/web/20200517102030im_/http://a.test/dir/%2e/ä, /web/20200517102030im_/http://a.test/./b/{c} 2x">`},
		{"utf-8", `<a href="ftp://ftp.test/a b">`, `<a href="/web/20200517102030/http://#ftp://ftp.test/a b">`},
		{"utf-8", `<img src="http://a b/">`, `<img src="/web/20200517102030im_/http://#http://a b/">`},
		{"utf-8", `<img src="http://a b/&quot;">`, `<img src="/web/20200517102030im_/http://">`},
		{"", `<a href="ftp://ä/">`, `<a href="/web/20200517102030/http://">`},
	} {
		r := inward("http://a.test/dir/page")
		r.charset = markup.CharsetOf([]byte(c.src), c.declared)
		var out bytes.Buffer
		if err := markup.HTML(&out, []byte(c.src), markup.Options{}, r.visit); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want {
			t.Errorf("%s %s became\n%s, want\n%s", c.declared, c.src, out.String(), c.want)
		}
		var again bytes.Buffer
		if err := markup.HTML(&again, out.Bytes(), markup.Options{}, r.visit); err != nil || again.String() != out.String() {
			t.Errorf("%s %s became, at the second time,\n%s (%v)", c.declared, c.src, again.String(), err)
		}
	}
}

func (r *references) visitAttribute(ref string) (string, bool) {
	return r.from(r.base, ref, asPage, true)
}

// FuzzSpelling: however a reference was spelt, browsers and our own server find the same address.
func FuzzSpelling(f *testing.F) {
	for _, ref := range []string{"http://x.test", "//x.test/./a", "/a#b", "?x?y/%2E/", "../../a", "./.", "a/./%2e/b?c", "..", ".a", "//", "?", "\\a", "a:b", "/{{a}}", "ä?ä#ä", "/a b/../c", "//x?ä", `\/x`, "http://x?{", "?{#{"} {
		f.Add("http://site.test/dir/page", ref)
	}
	f.Fuzz(func(t *testing.T, doc, ref string) {
		base, err := urlkey.NewBase(doc)
		if err != nil || !urlkey.Fetchable(base.String()) {
			return
		}
		r := inward(base.String())
		plain, ok := r.from(r.base, ref, asPage, false)
		kept, okKept := r.from(r.base, ref, asPage, true)
		if ok != okKept {
			t.Fatalf("%q: %t, %t", ref, ok, okKept)
		}
		if !ok {
			return
		}
		want, err := urlkey.Parse("http://replay.test/", plain)
		if err != nil {
			return // too long
		}
		if got, err := urlkey.Parse("http://replay.test/", kept); err != nil || got != want {
			t.Errorf("%q on %q: %q leads to %q, want %q (%v)", ref, doc, kept, got, want, err)
		}
		if again, ok := r.from(r.base, kept, asPage, true); ok {
			t.Errorf("%q on %q: %q became %q", ref, doc, kept, again)
		}
		a, err := parseAddress(plain)
		b, err2 := parseAddress(kept)
		if (err == nil) != (err2 == nil) || a.url != b.url {
			t.Errorf("%q on %q: the server reads %q as %q, %q as %q", ref, doc, plain, a.url, kept, b.url)
		}
	})
}
