package replay

import (
	"strings"
	"testing"

	"linkstead/archive/urlkey"
)

func TestSpelling(t *testing.T) {
	const root = "/web/20200517102030/"
	for ref, want := range map[string]string{
		"http://x.test/a?b#c":   root + "http://x.test/a?b#c",
		"http://x.test":         root + "http://x.test/.",
		"http://x.test#c":       root + "http://x.test/.#c",
		"HTTP://x.test/":        root + "http://x.test/",
		"http://x.test/a/../b":  root + "http://x.test/b",
		"//x.test/a":            "/." + root + "http://x.test/a",
		"//x.test":              "/." + root + "http://x.test/.",
		"/":                     root + "http://site.test/./",
		"/a?b#c":                root + "http://site.test/./a?b#c",
		"/a/../b":               root + "http://site.test/./b",
		"?a=/./b":               root + "http://site.test/dir/%2E/page?a=/./b",
		"a":                     root + "http://site.test/dir/%2e/a",
		"a/b?c/d#e":             root + "http://site.test/dir/%2e/a/b?c/d#e",
		"./a":                   root + "http://site.test/dir/%2e/./a",
		"../a":                  root + "http://site.test/dir/%2e/../a",
		"../":                   root + "http://site.test/dir/%2e/../",
		"../../a":               root + "http://site.test/a", // it climbs too high to stand there
		"a/../b":                root + "http://site.test/dir/b",
		"http:a":                root + "http://site.test/dir/a",
		"a b":                   root + "http://site.test/dir/a%20b",
		`\\x.test\a`:            root + "http://x.test/a",
		".hidden":               root + "http://site.test/dir/%2e/.hidden",
		"http://site.test/dir/": root + "http://site.test/dir/",
	} {
		if got, ok := inward("http://site.test/dir/page?q").visitAttribute(ref); !ok || got != want {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
	if got, ok := inward("file:///home/post.html").visitAttribute("a"); ok && strings.Contains(got, "%2e") {
		t.Errorf("of a file: %s", got)
	}
}

func (r *references) visitAttribute(ref string) (string, bool) {
	return r.from(r.base, ref, asPage, true)
}

// FuzzSpelling: however a reference was spelt, browsers and our own server find the same address.
func FuzzSpelling(f *testing.F) {
	for _, ref := range []string{"http://x.test", "//x.test/./a", "/a#b", "?x?y/%2E/", "../../a", "./.", "a/./%2e/b?c", "..", ".a", "//", "?", "\\a", "a:b"} {
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
