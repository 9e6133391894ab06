package urlkey_test

import (
	"strings"
	"testing"

	"linkstead/archive/urlkey"
)

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		url      string
		match    urlkey.Match
		from, to string
		in, out  string // URLs, with spaces between
	}{
		{
			"http://www.Site.example/a/", urlkey.MatchExact, "example,site)/a", "example,site)/a\x01",
			"https://site.example/A http://site.example/a/", "http://site.example/a/b http://site.example/a.html http://site.example/a?b",
		},
		{
			"http://site.example/a", urlkey.MatchPrefix, "example,site)/a", "example,site)/b",
			"http://site.example/a https://www.site.example/a/b http://site.example/a?x=1 http://site.example/about", "http://site.example/b http://a.site.example/a",
		},
		{
			"http://site.example/a/", urlkey.MatchPrefix, "example,site)/a/", "example,site)/a0",
			"http://site.example/a/b/c http://site.example/a/~", "http://site.example/a http://site.example/about",
		},
		{"http://site.example", urlkey.MatchPrefix, "example,site)", "example,site*", "http://site.example/ http://site.example/x", "http://site.example:8080/ http://a.site.example/"},
		{"http://site.example/", urlkey.MatchPrefix, "example,site)/", "example,site)0", "http://site.example/?q http://site.example/", "http://sites.example/"},
		{"http://site.example/a?", urlkey.MatchPrefix, "example,site)/a?", "example,site)/a@", "http://site.example/a?b", "http://site.example/a"},
		{"http://site.example/a?b=1&", urlkey.MatchPrefix, "example,site)/a?b=1&", "example,site)/a?b=1'", "http://site.example/a?c=1&b=1", "http://site.example/a?b=12"},
		{"http://site.example/a?b=/", urlkey.MatchPrefix, "example,site)/a?b=/", "example,site)/a?b=0", "http://site.example/a?b=/x", "http://site.example/a?b=1"},
		{"http://site.example/x/y", urlkey.MatchHost, "example,site)", "example,site*", "http://site.example/ https://www.site.example/z?q", "http://site.example:81/ http://a.site.example/"},
		{"http://site.example:81/", urlkey.MatchHost, "example,site:81)", "example,site:81*", "http://site.example:81/a", "http://site.example/ http://site.example:811/"},
		{
			"http://site.example/", urlkey.MatchDomain, "example,site)", "example,site-",
			"http://site.example/ http://a.site.example/ http://b.a.site.example:8080/x", "http://sites.example/ http://my-site.example/ http://example/",
		},
		{"http://example/", urlkey.MatchDomain, "example)", "example-", "http://site.example/ http://example/", "http://example.org/"},
		{"http://[2001:db8::1]/", urlkey.MatchDomain, "[2001:db8::1])", "[2001:db8::1]-", "http://[2001:db8::1]/x", "http://[2001:db8::2]/"},
		{"urn:uuid:", urlkey.MatchPrefix, "urn:uuid:", "urn:uuid;", "urn:uuid:1", "urn:isbn:1"},
		{"", urlkey.MatchPrefix, "", "", "http://site.example/ urn:x", ""},
	} {
		from, to, err := urlkey.Span(c.url, c.match)
		if err != nil || from != c.from || to != c.to {
			t.Errorf("Span(%q, %s) = %q, %q, %v, want %q, %q", c.url, c.match, from, to, err, c.from, c.to)
			continue
		}
		holds := func(url string) bool { key := urlkey.Key(url); return key >= from && (to == "" || key < to) }
		for _, u := range strings.Fields(c.in) {
			if !holds(u) {
				t.Errorf("%s of %q lacks %s", c.match, c.url, u)
			}
		}
		for _, u := range strings.Fields(c.out) {
			if holds(u) {
				t.Errorf("%s of %q holds %s", c.match, c.url, u)
			}
		}
	}
	for _, c := range []struct {
		url   string
		match urlkey.Match
	}{
		{"urn:x", urlkey.MatchHost},
		{"mailto:a)b", urlkey.MatchDomain},
		{"http://site.example:81/", urlkey.MatchDomain},
		{"http://site.example/", "fuzzy"},
		{"http://site.example/" + strings.Repeat("a", 900), urlkey.MatchPrefix},
	} {
		if from, to, err := urlkey.Span(c.url, c.match); err == nil {
			t.Errorf("Span(%.40q, %s) = %q, %q", c.url, c.match, from, to)
		}
	}
}

// FuzzSpan: the keys of a prefix's own URL, and of longer ones, lie in its span; nothing panics.
func FuzzSpan(f *testing.F) {
	f.Add("http://site.example/a?b=1", "prefix")
	f.Add("*.example", "domain")
	f.Add("http://[", "host")
	f.Fuzz(func(t *testing.T, url, match string) {
		from, to, err := urlkey.Span(url, urlkey.Match(match))
		if err == nil && to != "" && from >= to {
			t.Errorf("Span(%q, %s) is empty: %q, %q", url, match, from, to)
		}
		if key := urlkey.Key(url); err == nil && urlkey.Match(match) == urlkey.MatchExact && (key < from || key >= to) {
			t.Errorf("Span(%q, exact) lacks its own key", url)
		}
	})
}
