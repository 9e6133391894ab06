package fetch

import (
	"strings"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"

	"linkstead/archive/outcome"
)

// TestWireURL compares the request line with the serialisation that was given, which net/url would have escaped again.
func TestWireURL(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok"}))
	w := recorder(t, &Recorder{}).Worker()
	for _, path := range []string{
		"/a|b", "/100%", "/%7Euser", "/a%2fb", "/a//b", "/x?q=a|b", "/x?q=[1]&y='", "/caf%E9", "/a^b`c{d}", "/x?", "/?",
		"/a;b=1", "/%", "/x?a=%zz", "/é?é", "/a/../b", "/x?a=\"<>", "//", "/:@!$&'()*+,;=", "/a b", "/%00",
	} {
		u, err := whatwg.Parse(s.url(path))
		if err != nil {
			t.Fatal(err)
		}
		given := u.Href(true)
		x, doc := fetch(t, w, Request{URL: given + "#fragment"})
		if x.URL != given {
			t.Errorf("%s: the exchange is of %s", given, x.URL)
		}
		line, _, _ := strings.Cut(string(x.Request), "\r\n")
		if want := "GET " + strings.TrimPrefix(given, s.url("")) + " HTTP/1.1"; line != want {
			t.Errorf("%s: request line %q, want %q", given, line, want)
		}
		if doc == nil || doc.URL != given || string(doc.Body) != "ok" {
			t.Errorf("%s: document %+v", given, doc)
		}
	}
}

func TestParseTarget(t *testing.T) {
	cases := []struct{ url, host, path, addr string }{
		{"http://example.org/", "example.org", "/", "example.org:80"},
		{"http://example.org", "example.org", "/", "example.org:80"},
		{"http://example.org?q", "example.org", "/?q", "example.org:80"},
		{"https://example.org:8443/a", "example.org:8443", "/a", "example.org:8443"},
		{"https://example.org:443/a", "example.org", "/a", "example.org:443"},
		{"http://user:p%40ss@example.org/@x", "example.org", "/@x", "example.org:80"},
		{"http://[2001:db8::1]/", "[2001:db8::1]", "/", "[2001:db8::1]:80"},
		{"http://[2001:db8::1]:81/", "[2001:db8::1]:81", "/", "[2001:db8::1]:81"},
		{"HTTP://xn--caf-dma.test/", "xn--caf-dma.test", "/", "xn--caf-dma.test:80"},
	}
	for _, c := range cases {
		got, err := parseTarget(c.url)
		if err != nil || got.host1 != c.host || got.path != c.path || got.addr() != c.addr {
			t.Errorf("parseTarget(%q) = %+v, %v", c.url, got, err)
		}
	}
	w := recorder(t, &Recorder{}).Worker()
	for _, u := range []string{
		"", "example.org", "ftp://example.org/", "http://", "http:///path", "http://a b/", "http://example.org/a b",
		"http://example.org/\r\nX: y", "http://example.org:x/", "http://example.org:123456/", "http://[::1/", "http://[x]/",
		"http://é/", "mailto:a@b", "http://a%00b/", "http://user@/",
	} {
		if _, err := parseTarget(u); err == nil {
			t.Errorf("parseTarget(%q) did not fail", u)
		}
		if x, _ := fetch(t, w, Request{URL: u}); x.Outcome != outcome.BadURL || x.Detail == "" || x.Request != nil {
			t.Errorf("%q: %s, %q", u, x.Outcome, x.Detail)
		}
	}
}

// TestUserinfo never sends a name and password that an address holds.
func TestUserinfo(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	x, _ := fetch(t, recorder(t, &Recorder{}).Worker(), Request{URL: "http://me:secret@" + s.addr + "/"})
	if got := string(x.Request); x.Outcome != outcome.Captured || strings.Contains(got, "secret") || strings.Contains(got, "Authorization") {
		t.Errorf("%s: request %q", x.Outcome, got)
	}
}
