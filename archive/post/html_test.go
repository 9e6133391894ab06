package post

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const address = "http://blog.wp.test/2016/02/aleppo/"

func mustHTML(t *testing.T, src string, o Options) Document {
	t.Helper()
	d, err := HTML([]byte(src), address, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// taken returns the URLs that are not left out.
func taken(d Document) []string {
	var urls []string
	for _, c := range d.Citations {
		if c.LeftOut == "" {
			urls = append(urls, c.URL)
		}
	}
	return urls
}

func TestModes(t *testing.T) {
	src := `<nav><a href=/n>n</a><a href=http://o.test/>o</a></nav><article><p>Text enough for a post. <a href=/c>c</a> <a href=http://x.test/>x</a>`
	for mode, want := range map[Mode]string{
		Default:  "http://o.test/ http://blog.wp.test/c http://x.test/",
		Content:  "http://blog.wp.test/c http://x.test/",
		Outbound: "http://o.test/ http://x.test/",
		All:      "http://blog.wp.test/n http://o.test/ http://blog.wp.test/c http://x.test/",
	} {
		if got := strings.Join(taken(mustHTML(t, src, Options{Links: mode})), " "); got != want {
			t.Errorf("mode %q: %s, want %s", mode, got, want)
		}
	}
}

func TestAleppo(t *testing.T) {
	d, src := readFixture(t, "aleppo.html", address, Options{})
	if want := strings.Count(src, "<a ") - 1; len(d.Citations) != want { // all but the mailto:
		t.Errorf("%d citations, want %d", len(d.Citations), want)
	}
	urls := taken(d)
	for _, u := range []string{
		"http://docs.python.test/library/2to3.html", "http://no-such-host.test/a", "http://pg.test:81/closed-port", "http://docs.python.test/gone/page.html",
		"http://git.test/404-not-here.html", "https://docs.python.test/library/json.html", "http://pg.test/sql-select.html?utm_source=x&b=%20y", "https://wordpress.org/",
	} {
		if !slices.Contains(urls, u) {
			t.Errorf("%s is missing", u)
		}
	}
	for _, u := range urls {
		if strings.HasPrefix(u, "http://blog.wp.test/") {
			t.Errorf("%s is no source", u)
		}
	}
}

func TestDOMSurgeryKeepsOffsets(t *testing.T) {
	for name, src := range map[string]string{
		"foster parented":       `<table><a href="http://a.test/">x</a><tr><td>y</table>`,
		"doubled by the parser": `<p><a href="http://a.test/">x<p>y</a>z`,
		"misnested":             `<b><a href="http://a.test/">x</b>y</a>`,
		"in svg":                `<svg><title><a href="http://a.test/">x</a></title></svg>`,
		"in noscript":           `<body><noscript><a href="http://a.test/">x</a></noscript>`,
		"forged mark":           `<a linkstead-n="7" href="http://a.test/">x</a><p linkstead-n="0">`,
		"upper case":            `<A HREF="http://a.test/">x</A>`,
		"self closing":          `<a href="http://a.test/"/>x</a>`,
		"after a comment":       `<!-- <a href="http://b.test/">no</a> --><a href="http://a.test/">x</a>`,
		"after a script":        `<script>"<a href='http://b.test/'>"</script><a href="http://a.test/">x</a>`,
	} {
		d := mustHTML(t, "é"+src, Options{})
		if len(d.Citations) != 1 {
			t.Errorf("%s: %d citations", name, len(d.Citations))
			continue
		}
		c := d.Citations[0]
		part := string([]rune("é" + src)[c.Start:c.End])
		if c.URL != "http://a.test/" || !strings.HasPrefix(strings.ToLower(part), "<a ") || !strings.HasSuffix(strings.ToLower(part), "</a>") {
			t.Errorf("%s: %s at %q", name, c.URL, part)
		}
	}
}

// The parser refuses pages that nest too deep; their links are sources all the same.
func TestDeepNesting(t *testing.T) {
	src := strings.Repeat("<div><font>", 3000) + `<p>Deep <a href="http://a.test/">link</a>, <script>x</script>doi:10.1000/182.</p>`
	d := mustHTML(t, src, Options{})
	if got := strings.Join(taken(d), " "); got != "http://a.test/ https://doi.org/10.1000/182" {
		t.Error(got)
	}
	if c := d.Citations[0]; c.Context != "Deep link, doi:10.1000/182." || src[c.Start:c.End] != `<a href="http://a.test/">link</a>` {
		t.Errorf("%+v", c)
	}
}

func TestCharsets(t *testing.T) {
	for name, c := range map[string]struct{ src, contentType string }{
		"header":     {"<p>\xfc <a href=http://a.test/>\xfc</a>", "text/html; charset=iso-8859-1"},
		"hint":       {"<p>\xfc <a href=http://a.test/>\xfc</a>", "latin1"},
		"bom":        {"\xef\xbb\xbf<p>ü <a href=http://a.test/>ü</a>", "text/html; charset=iso-8859-1"},
		"meta":       {"<meta charset=iso-8859-2><p>\xfc <a href=http://a.test/>\xfc</a>", ""},
		"undeclared": {"<p>" + strings.Repeat("a", 2000) + "ü <a href=http://a.test/>ü</a>", ""},
		"neither":    {"<p>\xfc <a href=http://a.test/>\xfc</a>", ""},
		"utf-16":     {"\xff\xfe<\x00a\x00 \x00h\x00r\x00e\x00f\x00=\x00h\x00t\x00t\x00p\x00:\x00/\x00/\x00a\x00.\x00t\x00e\x00s\x00t\x00/\x00>\x00\xfc\x00<\x00/\x00a\x00>\x00", ""},
	} {
		o := Options{ContentType: c.contentType}
		d := mustHTML(t, c.src, o)
		text := []rune(decode([]byte(c.src), o.ContentType, true))
		if len(d.Citations) != 1 || d.Citations[0].Text != "ü" || string(text[d.Citations[0].Start:d.Citations[0].End]) != "<a href=http://a.test/>ü</a>" {
			t.Errorf("%s: %+v", name, d.Citations)
		}
	}
}

func TestDated(t *testing.T) {
	for src, want := range map[string]string{
		`<meta name="date" content="2016-02-06">`:                                                 "2016-02-06",
		`<meta name="DC.Date" content="Sat, 06 Feb 2016 10:00:00 GMT">`:                           "2016-02-06T10:00:00Z",
		`<meta property="article:published_time" content="2016-02-06T10:00:00+0100">`:             "2016-02-06T10:00:00+01:00",
		`<script type="application/ld+json">{"@graph":[{"datePublished":"2016-02-06"}]}</script>`: "2016-02-06",
		`<script type="application/ld+json">{"broken</script><time>February 6, 2016</time>`:       "2016-02-06",
		`<span itemprop="datePublished" content="2016/02/06">yesterday</span>`:                    "2016-02-06",
		`<div id=comments><time datetime="2020-01-01"></time></div>`:                              "2016-02",
		`<meta name="date" content="2016-13-45"><time datetime="soon">`:                           "2016-02",
		``: "2016-02",
	} {
		if got := mustHTML(t, src, Options{}).Dated; got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func TestTitle(t *testing.T) {
	for src, want := range map[string]string{
		`<title>a</title>`:                                      "a",
		`<title>a</title><h1>b</h1>`:                            "b",
		`<title>a</title><h1>b</h1><h1>c</h1>`:                  "a",
		`<title>a</title><h1>b</h1><article><h1>c </h1>`:        "c",
		`<meta property="og:title" content=" d  e "><h1>b</h1>`: "d e",
		``: "",
	} {
		if got := mustHTML(t, src, Options{}).Title; got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{
		`<p>x <a href="http://a.test/">y</a> 10.1000/182`, `<table><a href=//b><tr>`, `<svg><title><a xlink:href=/x>`, "<plaintext><a href=x>", "<a href=http://a",
		"\xff<base href=http://b/c/><a href=d>e", `<a href=http://a/ linkstead-n=9><a href=b><p></a>`, "<template><a href=/>", "<select><a href=/>", "<noscript><p><a href=/>",
		`<math><mi><a href="/"></math>`, "<!--><a href=/>-->", "<blockquote cite=/x><del cite=/y>", "<linkstead-doi linkstead-n=0>x", "\xef\xbb\xbf<title>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		d, err := HTML([]byte(src), address, Options{Links: All})
		if err != nil {
			t.Fatal(err)
		}
		n := utf8.RuneCountInString(decode([]byte(src), "", true))
		for _, c := range d.Citations {
			if c.Start < 0 || c.End < c.Start || c.End > n || !utf8.ValidString(c.Context) || !utf8.ValidString(c.Text) {
				t.Errorf("%+v of %d", c, n)
			}
		}
	})
}

func BenchmarkHTML(b *testing.B) {
	src := mustRead(b, "aleppo.html")
	b.SetBytes(int64(len(src)))
	for range b.N {
		if _, err := HTML(src, address, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
