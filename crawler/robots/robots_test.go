package robots_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"linkstead/crawler/robots"
)

func TestRFC9309(t *testing.T) {
	for _, c := range []struct {
		name, robots, agent string
		allowed, forbidden  []string
	}{
		{"§2.2.1 groups of one agent are one", "User-Agent: a\nDisallow: /x\nUser-Agent: b\nDisallow: /\nUser-Agent: A\nDisallow: /y\n", "a", []string{"/z"}, []string{"/x", "/y"}},
		{"§2.2.1 several agents share a group", "User-Agent: a\nUser-Agent: b\nDisallow: /x\n", "b", []string{"/z"}, []string{"/x"}},
		{"§2.2.1 a version is no part of the name", "User-Agent: a/2.1\nDisallow: /\n", "a", nil, []string{"/"}},
		{"§2.2.1 a longer name is another", "User-Agent: ab\nDisallow: /\n", "a", []string{"/"}, nil},
		{"§2.2.1 an agent without rules is free", "User-Agent: *\nDisallow: /\n\nUser-Agent: a\nAllow:\n", "a", []string{"/"}, nil},
		{"§2.2.1 groups for everybody are one", "User-Agent: *\nDisallow: /x\nUser-Agent: b\nDisallow: /\nUser-Agent: *\nDisallow: /y\n", "a", []string{"/z"}, []string{"/x", "/y"}},
		{"§2.2.2 capitals of escapes", "User-Agent: *\nDisallow: /a%2fb\n", "a", []string{"/a/b"}, []string{"/a%2Fb", "/a%2fb"}},
		{"§2.2.2 escapes of unreserved characters in the URL", "User-Agent: *\nDisallow: /~joe\n", "a", nil, []string{"/%7Ejoe", "/%7ejoe", "/~joe"}},
		{"§2.2.2 spaces", "User-Agent: *\nDisallow: /a b\n", "a", nil, []string{"/a%20b"}},
		{"§2.2.3 a star that stands for itself", "User-Agent: *\nDisallow: /file-with-a-%2A.html\n", "a", []string{"/file-with-a-x.html"}, []string{"/file-with-a-*.html", "/file-with-a-%2A.html"}},
		{"§2.2.3 a dollar that stands for itself", "User-Agent: *\nDisallow: /foo-%24\nDisallow: /a$b\n", "a", []string{"/foo-"}, []string{"/foo-$", "/a$b", "/a%24b"}},
		{"§2.2.3 stars together", "User-Agent: *\nDisallow: /a***b*$\n", "a", []string{"/a"}, []string{"/ab", "/axbx"}},
		{"§2.2.3 the last part is at the end", "User-Agent: *\nDisallow: /*a*a$\n", "a", []string{"/a", "/aab"}, []string{"/aa", "/aba"}},
		{"a percent sign alone", "User-Agent: *\nDisallow: /100%\n", "a", nil, []string{"/100%", "/100%25"[:5]}},
		{"a pattern without its slash matches nothing", "User-Agent: *\nDisallow: x\n", "a", []string{"/x"}, nil},
		{"a name of digits is no name", "User-Agent: 123\nDisallow: /\n", "", []string{"/"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.robots, c.agent, c.allowed, c.forbidden) })
	}
}

func TestBodyLimit(t *testing.T) {
	head := "User-agent: *\nDisallow: /early\n"
	last := "Disallow: /private/area\n"
	for cut := 1; cut < len(last); cut++ {
		fill := strings.Repeat("#", robots.MaxBody-len(head)-cut-1) + "\n"
		rules := robots.Parse([]byte(head + fill + last))
		if ok, why := rules.Allowed("a", "http://a/private/area"); !ok {
			t.Fatalf("cut after %d bytes of the last line: %s", cut, why)
		}
		if ok, _ := rules.Allowed("a", "http://a/early"); ok {
			t.Fatal("the lines before the limit were lost")
		}
	}
}

func TestCrawlDelay(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"2": 2 * time.Second, "0.5": 500 * time.Millisecond, "86400": robots.MaxCrawlDelay, "1e300": robots.MaxCrawlDelay,
		"1e9": robots.MaxCrawlDelay, "60": robots.MaxCrawlDelay, "+3": 3 * time.Second, ".5": 500 * time.Millisecond,
		"inf": 0, "Inf": 0, "+Inf": 0, "-Inf": 0, "infinity": 0, "nan": 0, "NaN": 0, "1e999": 0, "0x1p5": 0, "1_0": 0, "5 s": 0, "2,5": 0,
		"-1": 0, "-5": 0, "-1e9": 0, "soon": 0, "": 0, "0": 0, "-0": 0, "1e-300": 0, ".": 0, "e": 0, "٣": 0,
	} {
		rules := robots.Parse([]byte("User-agent: *\nCrawl-delay: 9\n\nUser-agent: b\nDisallow: /x\nUser-agent: a\nCrawl-delay: " + value + "\nDisallow: /x\n"))
		if got := rules.CrawlDelay("A"); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
		if got := rules.CrawlDelay("b"); got != 0 {
			t.Errorf("b waits %s", got)
		}
	}
	none := robots.Parse([]byte("Crawl-delay: 5\n"))
	if got := none.CrawlDelay("a"); got != 0 {
		t.Errorf("a delay of nobody: %s", got)
	}
}

func TestFromStatus(t *testing.T) {
	body := []byte("User-agent: *\nDisallow: /x\nCrawl-delay: 3\n")
	for _, c := range []struct {
		status      int
		free, x     bool
		unreachable bool
		delay       time.Duration
	}{
		{200, true, false, false, 3 * time.Second},
		{206, false, false, true, 0},
		{304, false, false, true, 0},
		{301, true, true, false, 0},
		{401, true, true, false, 0},
		{403, true, true, false, 0},
		{404, true, true, false, 0},
		{410, true, true, false, 0},
		{429, false, false, true, 0},
		{500, false, false, true, 0},
		{503, false, false, true, 0},
		{999, false, false, true, 0},
		{0, false, false, true, 0},
	} {
		p := robots.FromStatus(c.status, body)
		free, why := p.Allowed("a", "http://a/")
		x, whyX := p.Allowed("a", "http://a/x")
		if free != c.free || x != c.x || p.Unreachable() != c.unreachable || p.CrawlDelay("a") != c.delay {
			t.Errorf("%d: %v (%s), %v (%s), unreachable %v, delay %s", c.status, free, why, x, whyX, p.Unreachable(), p.CrawlDelay("a"))
		}
		if !x && whyX == "" {
			t.Errorf("%d: forbidden without a reason", c.status)
		}
		if (p.Rules() != nil) != (c.status == 200) {
			t.Errorf("%d: rules: %v", c.status, p.Rules())
		}
	}
	if ok, _ := (robots.Permission{}).Allowed("a", "http://a/"); ok {
		t.Error("a permission that nobody gave")
	}
}

func TestProductToken(t *testing.T) {
	for ua, want := range map[string]string{
		"Mozilla/5.0 (compatible; Linkstead/0.1; +https://linkstead.example/bot)": "Linkstead",
		"My_Archive-Bot/2 (+https://a.example)":                                   "My_Archive-Bot",
		"Mozilla/5.0 (X11; Linux)":                                                "Mozilla",
		"Mozilla/5.0 (compatible; )":                                              "Mozilla",
		"":                                                                        "",
		"ツ":                                                                       "",
	} {
		if got := robots.ProductToken(ua); got != want {
			t.Errorf("%q: got %q, want %q", ua, got, want)
		}
	}
}

// A hostile file may not cost more than a friendly one: not in time, and not in memory.
func TestHostileFiles(t *testing.T) {
	for name, text := range map[string]string{
		"many stars":            "User-agent: *\n" + strings.Repeat("Disallow: /"+strings.Repeat("*a", 4000)+"b\n", 62),
		"many delays and rules": strings.Repeat("User-agent: *\nCrawl-delay: 1\n", 8000) + strings.Repeat("Disallow: /*x\n", 18000),
		"many agents and rules": strings.Repeat("User-agent: aa\nUser-agent: *\n", 8000) + strings.Repeat("Disallow: /*x\n", 18000),
	} {
		begin := time.Now()
		rules := robots.Parse([]byte(text))
		rules.Allowed("z", "http://a/"+strings.Repeat("a", 8000))
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("%s: took %s", name, d)
		}
	}
}

// slowMatch is the definition of a match, word for word (RFC 9309 §2.2.3).
func slowMatch(pattern, path string) bool {
	switch {
	case pattern == "":
		return true
	case pattern == "$":
		return path == ""
	case pattern[0] == '*':
		return slowMatch(pattern[1:], path) || path != "" && slowMatch(pattern, path[1:])
	}
	return path != "" && pattern[0] == path[0] && slowMatch(pattern[1:], path[1:])
}

func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{{"/a*b$", "/axb"}, {"/*a*a$", "/aa"}, {"/", "/x"}, {"/**", "/"}, {"/a$", "/a/"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		pattern, path = narrow(pattern, "/ab*$"), narrow(path, "/ab")
		if len(pattern) > 12 || len(path) > 20 || !strings.HasPrefix(pattern, "/") || strings.Contains(strings.TrimSuffix(pattern, "$"), "$") {
			return
		}
		rules := robots.Parse([]byte("User-agent: *\nDisallow: " + pattern + "\n"))
		if ok, _ := rules.Allowed("a", "http://a/"+path); ok == slowMatch(pattern, "/"+path) {
			t.Errorf("pattern %q, path %q: forbidden %v", pattern, "/"+path, !ok)
		}
	})
}

// narrow maps any text onto a small alphabet, so that the fuzzer meets matches at all.
func narrow(s, alphabet string) string {
	b := []byte(s)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

func FuzzParse(f *testing.F) {
	for _, c := range googleCases {
		f.Add([]byte(c.robots), c.agent, "http://foo.bar/x/y")
	}
	f.Add([]byte("\xEF\xBB\xBFUser-agent: *\r\nCrawl-delay: 1e9\rSitemap: x\n"), "a", "http://a/%zz%4")
	f.Fuzz(func(t *testing.T, body []byte, agent, url string) {
		rules := robots.Parse(body)
		ok, why := rules.Allowed(agent, url)
		if !ok && why == "" {
			t.Error("forbidden without a rule")
		}
		for _, c := range []byte(why) {
			if c < ' ' || c > '~' {
				t.Errorf("the rule %q is no plain line", why)
			}
		}
		if d := rules.CrawlDelay(agent); d < 0 || d > robots.MaxCrawlDelay {
			t.Errorf("delay %s", d)
		}
		dos := robots.Parse(bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r"), nil), []byte("\n"), []byte("\r\n")))
		unix := robots.Parse(bytes.ReplaceAll(body, []byte("\r"), nil))
		okDOS, whyDOS := dos.Allowed(agent, url)
		if okUnix, whyUnix := unix.Allowed(agent, url); len(body) < robots.MaxBody/2 && (okUnix != okDOS || whyUnix != whyDOS) {
			t.Errorf("line ends matter: %v %q, %v %q", okUnix, whyUnix, okDOS, whyDOS)
		}
	})
}
