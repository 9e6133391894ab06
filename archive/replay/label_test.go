package replay

import (
	"strings"
	"testing"

	"linkstead/archive/urlkey"
)

func TestLabel(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://example.com/", "example-com"},
		{"https://www.example.com:8443/x", "example-com"},
		{"http://a.b.example.co.uk/", "example-co-uk"},
		{"http://my-blog.example/", "my--blog-example"},
		{"http://me.github.io/", "me-github-io"},
		{"http://127.0.0.1:8000/", "127-0-0-1"},
		{"http://localhost:8000/", "localhost"},
		{"http://[::1]/", "1---"},
		{"http://xn--bcher-kva.example/", "xn-bcher-kva-example---"},
		{"http://xn.test/", "xn-test"},
		{"http://xn-a.test/", "xn-a-test---"},
		{"http://a--b.test/", "a-b-test---"},
		{"http://a-.test/", "a-test---"},
		{"http://a_b.test/", "a-b-test---"},
		{"http://-/", "site---"},
		{"http://" + strings.Repeat("long", 15) + "-.test/", strings.Repeat("long", 8) + "---"},
		{"file:///notes.md", "document---"},
	} {
		got := label(c.url)
		if got != c.want && (!strings.HasSuffix(c.want, "---") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %s, want %s", c.url, got, c.want)
		}
	}
	if label("file:///a.md") == label("file:///b.md") {
		t.Error("two documents that were handed in share a site")
	}
}

// FuzzLabel: a label is one that a browser takes for a host as it stands, and of two sites never the same.
func FuzzLabel(f *testing.F) {
	for _, s := range []string{"a.test|b.test", "a-b.test|a.b.test", "a.-b.test|a-.b.test", "xn--a.test|xn-a.test", "127.0.0.1|[::1]", "x---y|x.-y", "1.2|0x1.2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, hosts string) {
		one, two, _ := strings.Cut(hosts, "|")
		labels := map[string]string{}
		for _, host := range []string{one, two} {
			u, err := urlkey.Parse("", "http://"+host+"/")
			if err != nil || urlkey.Site(u) == "" {
				continue
			}
			l := label(u)
			if at, err := urlkey.Parse("", "http://"+l+".replay.localhost:8081/"); err != nil || at != "http://"+l+".replay.localhost:8081/" || !isLabel(l) {
				t.Errorf("%s has the label %q, which is none: %s %v", u, l, at, err)
			}
			if other, ok := labels[l]; ok && other != urlkey.Site(u) {
				t.Errorf("%s and %s share %s", other, urlkey.Site(u), l)
			}
			labels[l] = urlkey.Site(u)
		}
	})
}
