package robots_test

import (
	"strings"
	"testing"

	"linkstead/crawler/robots"
)

// The cases of this file are those of Google's robots.txt parser (robots_test.cc of github.com/google/robotstxt,
// Copyright 2019 Google LLC, Apache License 2.0), told anew as a table. In two places Google compares spellings where
// RFC 9309 §2.2.2 wants them made equal first; there the RFC is followed, and the case says so.
var googleCases = []struct {
	name, robots, agent string
	allowed, forbidden  []string
}{
	{"system: empty file", "", "FooBot", []string{""}, nil},
	{"system: empty agent", "user-agent: FooBot\ndisallow: /\n", "", []string{""}, nil},
	{"system: empty URL", "user-agent: FooBot\ndisallow: /\n", "FooBot", nil, []string{""}},
	{"system: all empty", "", "", []string{""}, nil},

	{"line: correct", "user-agent: FooBot\ndisallow: /\n", "FooBot", nil, []string{"/x/y"}},
	{"line: other names", "foo: FooBot\nbar: /\n", "FooBot", []string{"/x/y"}, nil},
	{"line: colon forgotten", "user-agent FooBot\ndisallow /\n", "FooBot", nil, []string{"/x/y"}},
	{"line: misspelt", "useragent: FooBot\ndissallow: /a\ndissalow: /b\ndisalow: /c\ndiasllow: /d\ndisallaw: /e\n", "FooBot", []string{"/x"}, []string{"/a", "/b", "/c", "/d", "/e"}},

	{"groups: FooBot", groups, "FooBot", []string{"/x/b", "/z/d"}, []string{"/y/c", "/foo/bar/"}},
	{"groups: BarBot", groups, "BarBot", []string{"/y/c", "/w/a"}, []string{"/z/d", "/foo/bar/"}},
	{"groups: BazBot", groups, "BazBot", []string{"/z/d"}, []string{"/foo/bar/"}},
	{"groups: a sitemap ends none", "User-agent: BarBot\nSitemap: https://foo.bar/sitemap\nUser-agent: *\nDisallow: /\n", "BarBot", nil, []string{"/"}},
	{"groups: a sitemap ends none, for others", "User-agent: BarBot\nSitemap: https://foo.bar/sitemap\nUser-agent: *\nDisallow: /\n", "FooBot", nil, []string{"/"}},
	{"groups: an unknown line ends none", "User-agent: FooBot\nInvalid-Unknown-Line: unknown\nUser-agent: *\nDisallow: /\n", "FooBot", nil, []string{"/"}},

	{"names: upper", "USER-AGENT: FooBot\nALLOW: /x/\nDISALLOW: /\n", "FooBot", []string{"/x/y"}, []string{"/a/b"}},
	{"names: lower", "user-agent: FooBot\nallow: /x/\ndisallow: /\n", "FooBot", []string{"/x/y"}, []string{"/a/b"}},
	{"names: camel", "uSeR-aGeNt: FooBot\nAlLoW: /x/\ndIsAlLoW: /\n", "FooBot", []string{"/x/y"}, []string{"/a/b"}},

	{"agent: upper", "User-Agent: FOO BAR\nAllow: /x/\nDisallow: /\n", "Foo", []string{"/x/y"}, []string{"/a/b"}},
	{"agent: lower", "User-Agent: foo bar\nAllow: /x/\nDisallow: /\n", "Foo", []string{"/x/y"}, []string{"/a/b"}},
	{"agent: camel", "User-Agent: FoO bAr\nAllow: /x/\nDisallow: /\n", "foo", []string{"/x/y"}, []string{"/a/b"}},
	{"agent: up to the first space", "User-Agent: *\nDisallow: /\nUser-Agent: Foo Bar\nAllow: /x/\nDisallow: /\n", "Foo", []string{"/x/y"}, nil},
	{"agent: with a space", "User-Agent: *\nDisallow: /\nUser-Agent: Foo Bar\nAllow: /x/\nDisallow: /\n", "Foo Bar", nil, []string{"/x/y"}},

	{"global: its own group", "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n", "FooBot", nil, []string{"/x/y"}},
	{"global: the others", "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n", "BarBot", []string{"/x/y"}, nil},
	{"global: none", "user-agent: FooBot\nallow: /\nuser-agent: BarBot\ndisallow: /\nuser-agent: BazBot\ndisallow: /\n", "QuxBot", []string{"/x/y"}, nil},

	{"case: lower", "user-agent: FooBot\ndisallow: /x/\n", "FooBot", nil, []string{"/x/y"}},
	{"case: upper", "user-agent: FooBot\ndisallow: /X/\n", "FooBot", []string{"/x/y"}, nil},

	{"longest: disallow", "user-agent: FooBot\ndisallow: /x/page.html\nallow: /x/\n", "FooBot", nil, []string{"/x/page.html"}},
	{"longest: allow", "user-agent: FooBot\nallow: /x/page.html\ndisallow: /x/\n", "FooBot", []string{"/x/page.html"}, []string{"/x/"}},
	{"longest: both empty", "user-agent: FooBot\ndisallow: \nallow: \n", "FooBot", []string{"/x/page.html"}, nil},
	{"longest: both root", "user-agent: FooBot\ndisallow: /\nallow: /\n", "FooBot", []string{"/x/page.html"}, nil},
	{"longest: a slash more", "user-agent: FooBot\ndisallow: /x\nallow: /x/\n", "FooBot", []string{"/x/"}, []string{"/x"}},
	{"longest: equal", "user-agent: FooBot\ndisallow: /x/page.html\nallow: /x/page.html\n", "FooBot", []string{"/x/page.html"}, nil},
	{"longest: wildcard wins", "user-agent: FooBot\nallow: /page\ndisallow: /*.html\n", "FooBot", []string{"/page"}, []string{"/page.html"}},
	{"longest: wildcard loses", "user-agent: FooBot\nallow: /x/page.\ndisallow: /*.html\n", "FooBot", []string{"/x/page.html"}, []string{"/x/y.html"}},
	{"longest: only in the agent's group", "User-agent: *\nDisallow: /x/\nUser-agent: FooBot\nDisallow: /y/\n", "FooBot", []string{"/x/page"}, []string{"/y/page"}},

	{"encoding: reserved stays", "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par\n", "FooBot", []string{"/foo/bar?qux=taz&baz=http://foo.bar?tar&par"}, nil},
	// RFC 9309 over Google: a URL that is not encoded is encoded before it is compared.
	{"encoding: three bytes", "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar/ツ\n", "FooBot", []string{"/foo/bar/%E3%83%84", "/foo/bar/ツ"}, nil},
	{"encoding: three escapes", "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar/%E3%83%84\n", "FooBot", []string{"/foo/bar/%E3%83%84", "/foo/bar/ツ"}, nil},
	// RFC 9309 over Google: escapes of unreserved characters are undone before they are compared.
	{"encoding: unreserved", "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar/%62%61%7A\n", "FooBot", []string{"/foo/bar/%62%61%7A", "/foo/bar/baz"}, nil},

	{"special: star", "User-agent: FooBot\nDisallow: /foo/bar/quz\nAllow: /foo/*/qux\n", "FooBot", []string{"/foo/quz", "/foo//quz", "/foo/bax/quz"}, []string{"/foo/bar/quz"}},
	{"special: end", "User-agent: FooBot\nDisallow: /foo/bar$\nAllow: /foo/bar/qux\n", "FooBot", []string{"/foo/bar/qux", "/foo/bar/", "/foo/bar/baz"}, []string{"/foo/bar"}},
	{"special: comment", "User-agent: FooBot\n# Disallow: /\nDisallow: /foo/quz#qux\nAllow: /\n", "FooBot", []string{"/foo/bar"}, []string{"/foo/quz"}},

	{"index.html is the folder", "User-Agent: *\nAllow: /allowed-slash/index.html\nDisallow: /\n", "foobot", []string{"/allowed-slash/", "/allowed-slash/index.html"}, []string{"/allowed-slash/index.htm", "/anyother-url"}},

	{"documentation: /fish", "user-agent: FooBot\ndisallow: /\nallow: /fish\n", "FooBot", fish, []string{"/bar", "/Fish.asp", "/catfish", "/?id=fish"}},
	{"documentation: /fish*", "user-agent: FooBot\ndisallow: /\nallow: /fish*\n", "FooBot", fish, []string{"/bar", "/Fish.bar", "/catfish", "/?id=fish"}},
	{"documentation: /fish/", "user-agent: FooBot\ndisallow: /\nallow: /fish/\n", "FooBot", []string{"/fish/", "/fish/salmon", "/fish/?salmon", "/fish/salmon.html", "/fish/?id=anything"}, []string{"/bar", "/fish", "/fish.html", "/Fish/Salmon.html"}},
	{"documentation: /*.php", "user-agent: FooBot\ndisallow: /\nallow: /*.php\n", "FooBot", []string{"/filename.php", "/folder/filename.php", "/folder/filename.php?parameters", "//folder/any.php.file.html", "/filename.php/", "/index?f=filename.php/"}, []string{"/bar", "/php/", "/index?php", "/windows.PHP"}},
	{"documentation: /*.php$", "user-agent: FooBot\ndisallow: /\nallow: /*.php$\n", "FooBot", []string{"/filename.php", "/folder/filename.php"}, []string{"/bar", "/filename.php?parameters", "/filename.php/", "/filename.php5", "/php/", "/filename?php", "/aaaphpaaa", "//windows.PHP"}},
	{"documentation: /fish*.php", "user-agent: FooBot\ndisallow: /\nallow: /fish*.php\n", "FooBot", []string{"/fish.php", "/fishheads/catfish.php?parameters"}, []string{"/bar", "/Fish.PHP"}},
	{"precedence: /p", "user-agent: FooBot\nallow: /p\ndisallow: /\n", "FooBot", []string{"/page"}, nil},
	{"precedence: /folder", "user-agent: FooBot\nallow: /folder\ndisallow: /folder\n", "FooBot", []string{"/folder/page"}, nil},
	{"precedence: /*.htm", "user-agent: FooBot\nallow: /page\ndisallow: /*.htm\n", "FooBot", nil, []string{"/page.htm"}},
	{"precedence: /$", "user-agent: FooBot\nallow: /$\ndisallow: /\n", "FooBot", []string{"/"}, []string{"/page.html"}},
}

const groups = "allow: /foo/bar/\n\nuser-agent: FooBot\ndisallow: /\nallow: /x/\nuser-agent: BarBot\ndisallow: /\nallow: /y/\n" +
	"\n\nallow: /w/\nuser-agent: BazBot\n\nuser-agent: FooBot\nallow: /z/\ndisallow: /\n"

var fish = []string{"/fish", "/fish.html", "/fish/salmon.html", "/fishheads", "/fishheads/yummy.html", "/fish.html?id=anything"}

func TestGoogleCases(t *testing.T) {
	for _, c := range googleCases {
		t.Run(c.name, func(t *testing.T) {
			expect(t, c.robots, c.agent, c.allowed, c.forbidden)
		})
	}
}

func expect(t *testing.T, text, agent string, allowed, forbidden []string) {
	t.Helper()
	rules := robots.Parse([]byte(text))
	check := func(paths []string, want bool) {
		for _, path := range paths {
			url := path
			if url != "" {
				url = "http://foo.bar" + path
			}
			if got, why := rules.Allowed(agent, url); got != want {
				t.Errorf("%s may fetch %.80s: %v (%.80s), want %v", agent, url, got, why, want)
			}
		}
	}
	check(allowed, true)
	check(forbidden, false)
}

func TestGoogleLongLines(t *testing.T) {
	const most = 2083 * 8
	fill := func(c, key string) string { return "/x/" + strings.Repeat(c, most-len("/x//x/")-len(key)+1) }
	long := fill("a", "disallow: ")
	expect(t, "user-agent: FooBot\ndisallow: "+long+"/qux\n", "FooBot", []string{"/fux"}, []string{long + "/fux"})

	a, b := fill("a", "allow: "), fill("b", "allow: ")
	expect(t, "user-agent: FooBot\ndisallow: /\nallow: "+a+"/qux\nallow: "+b+"/qux\n", "FooBot", []string{a + "/qux", b + "/fux"}, []string{"/"})
}

// Line ends of every kind, mixed or missing at the end, separate lines; the last rule stands on line 6 each time.
func TestGoogleLineEnds(t *testing.T) {
	for name, text := range map[string]string{
		"unix":     "User-Agent: foo\nAllow: /some/path\nUser-Agent: bar\n\n\nDisallow: /\n",
		"dos":      "User-Agent: foo\r\nAllow: /some/path\r\nUser-Agent: bar\r\n\r\n\r\nDisallow: /\r\n",
		"mac":      "User-Agent: foo\rAllow: /some/path\rUser-Agent: bar\r\r\rDisallow: /\r",
		"no final": "User-Agent: foo\nAllow: /some/path\nUser-Agent: bar\n\n\nDisallow: /",
		"mixed":    "User-Agent: foo\nAllow: /some/path\r\nUser-Agent: bar\n\r\n\nDisallow: /",
	} {
		rules := robots.Parse([]byte(text))
		if _, why := rules.Allowed("bar", "http://foo.bar/"); why != "Disallow: / (line 6)" {
			t.Errorf("%s: bar: %s", name, why)
		}
		if _, why := rules.Allowed("foo", "http://foo.bar/some/path"); why != "Allow: /some/path (line 2)" {
			t.Errorf("%s: foo: %s", name, why)
		}
	}
}

func TestGoogleByteOrderMarks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		obeyed     bool
	}{
		{"whole", "\xEF\xBB\xBFUser-Agent: foo\nDisallow: /\n", true},
		{"two thirds", "\xEF\xBBUser-Agent: foo\nDisallow: /\n", true},
		{"a third", "\xEFUser-Agent: foo\nDisallow: /\n", true},
		{"broken", "\xEF\x11\xBFUser-Agent: foo\nDisallow: /\n", false},
		{"in the middle", "User-Agent: foo\n\xEF\xBB\xBFDisallow: /\n", false},
	} {
		if ok, _ := robots.Parse([]byte(c.text)).Allowed("foo", "http://foo.bar/"); ok == c.obeyed {
			t.Errorf("%s: obeyed: %v", c.name, !ok)
		}
	}
}

func TestGoogleSitemaps(t *testing.T) {
	group := "User-Agent: foo\nAllow: /some/path\nUser-Agent: bar\n\n\n"
	line := "Sitemap: http://foo.bar/sitemap.xml\n"
	for _, text := range []string{group + line, line + group} {
		if got := robots.Parse([]byte(text)).Sitemaps(); len(got) != 1 || got[0] != "http://foo.bar/sitemap.xml" {
			t.Errorf("sitemaps of %q: %q", text, got)
		}
	}
}

// Google finds the path of a URL in whatever form it comes; a rule for exactly that path must meet it.
func TestGooglePaths(t *testing.T) {
	for url, path := range map[string]string{
		"": "/", "http://www.example.com": "/", "http://www.example.com/": "/", "http://www.example.com/a": "/a",
		"http://www.example.com/a/": "/a/", "http://www.example.com/a/b?c=http://d.e/": "/a/b?c=http://d.e/",
		"http://www.example.com/a/b?c=d&e=f#fragment": "/a/b?c=d&e=f", "example.com": "/", "example.com/": "/",
		"example.com/a": "/a", "example.com/a/": "/a/", "example.com/a/b?c=d&e=f#fragment": "/a/b?c=d&e=f", "a": "/",
		"a/": "/", "/a": "/a", "a/b": "/b", "example.com?a": "/?a", "example.com/a;b#c": "/a;b", "//a/b/c": "/b/c",
	} {
		rules := robots.Parse([]byte("user-agent: *\nallow: /\ndisallow: " + path + "$\n"))
		if ok, why := rules.Allowed("x", url); ok {
			t.Errorf("the path of %q is not %q (%s)", url, path, why)
		}
	}
}
