package replay

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"linkstead/archive/markup"
	"linkstead/storage"
)

// inward makes the references of a document as a handler does.
func inward(url string) *references {
	a := &address{name: defaultName, stamp: "20200517102030"}
	r := newReferences(a, &storage.Capture{URL: url, At: time.Date(2020, 5, 17, 10, 20, 30, 0, time.UTC)})
	r.origin, r.keep = "http://replay.localhost:8081", true
	return r
}

func TestOursStays(t *testing.T) {
	const there = "/web/20160101000000/http://b.test/x"
	for _, c := range []struct {
		doc, ref string
		stays    bool
	}{
		{"http://a.test/", there, true},
		{"http://a.test/", "/web/20160101000000im_/http://b.test/x#y", true},
		{"http://a.test/", "http://replay.localhost:8081" + there, true},
		{"http://a.test/", "http://b-test.replay.localhost:8081" + there, true},
		{"http://a.test/", "http://evil.test" + there, false},
		{"http://a.test/", "http://replay.localhost.evil.test" + there, false},
		{"http://a.test/", "/web/2016/http://b.test/x", false}, // not as we spell them
		{"http://a.test/", "/web/design/", false},
		{"http://a.test/", "/web/20160101000000/", false},
		{"http://a.test/", "/other/20160101000000/http://b.test/x", false},
		{"https://web.archive.org/", there, false},
		{"https://archive.test/web/20100101000000/http://c.test/", there, false},
		{"https://archive.test/web/20100101000000/http://c.test/", "http://replay.localhost:8081" + there, true},
	} {
		got, changed := inward(c.doc).inside(c.ref, asPage)
		if changed == c.stays {
			t.Errorf("%s on %s: %q %t", c.ref, c.doc, got, changed)
		}
		if changed && !strings.HasPrefix(got, "/web/20200517102030/http") {
			t.Errorf("%s on %s: %q", c.ref, c.doc, got)
		}
	}
}

// FuzzRewriteTwice: what has been turned inward stays as it is.
func FuzzRewriteTwice(f *testing.F) {
	for _, s := range []string{
		`<base href=/b/><a href=x ping=y><img srcset="a 1x, b 2x" style="a:url(u)"><script type=importmap>{"imports":{"a":"./a"},"integrity":{}}</script>`,
		`<img src=early><base href="http://b.test/d/"><object data=o codebase=c/></object><iframe srcdoc="<base href=/s/><a href=x>">`,
		`<meta http-equiv=refresh content="0;url=x"><svg><set attributeName=href to=u /></svg><script type=speculationrules>{"prefetch":[{"urls":["x"]}]}</script>`,
		`<a href="/web/20200101000000/http://c.test/"><a href="//h">`,
		`<a href="/{{x}} y"><a href="ftp://f/ä"><a href='http://x/"' ping="ä {b}"><img srcset="ä, {b} 1x,c|" data-src="/&#123;a&#125;"><base href="/{d}/">`,
	} {
		f.Add(s, "http://a.test/dir/page")
	}
	f.Fuzz(func(t *testing.T, src, url string) {
		if !strings.HasPrefix(url, "http://a.test/") || strings.Contains(src, "<!--") || len(src) > 4096 {
			return // escaped in a script, "<!--" reads another way
		}
		once := turned(t, src, url)
		if twice := turned(t, once, url); twice != once {
			t.Fatalf("%q became\n%q and then\n%q", src, once, twice)
		}
	})
}

func turned(t *testing.T, src, url string) string {
	t.Helper()
	r := inward(url)
	r.charset = markup.CharsetOf([]byte(src), "utf-8")
	if base, ok := markup.FirstBase([]byte(src)); ok {
		r.withBase(base)
	}
	var out bytes.Buffer
	if err := markup.HTML(&out, []byte(src), markup.Options{Rename: renames, Defuse: defused, Feeds: true, Selects: r.selects()}, r.visit); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
