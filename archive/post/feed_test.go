package post

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFeed(t *testing.T) {
	d, src := readFixture(t, "wild.rss", "", Options{})
	runes := []rune(src)
	var got []string
	for _, c := range d.Citations {
		if c.LeftOut == "" {
			got = append(got, strings.Join([]string{c.URL, c.Entry, c.Dated, string(runes[c.Start:min(c.End, c.Start+12)])}, " "))
		}
	}
	want := []string{
		"http://blog.wp.test/2016/02/aleppo/ Hospital bombed – again 2016-02-21T10:00:00Z <link>http:/",
		"http://news.test/a?b=1&c=2 Hospital bombed – again 2016-02-21T10:00:00Z <a href=\"htt",
		"http://blog.wp.test/2016/02/x/ Hospital bombed – again 2016-02-21T10:00:00Z <a href=\"../",
		"http://blog.wp.test/2016/02/escaped/ Escaped 2016-02-20T10:00:00Z <guid>http:/",
		"http://far.test/?a=1&b=2 Escaped 2015-05-03 &lt;a href=\"",
		"http://plain.test/x Plain  http://plain",
		"http://out.test/y Unescaped  <link>http:/",
		"http://lost.test/ Unescaped  <a href=\"htt",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	if d.Title != "Notes & queries" || d.Lang != "en-GB" || d.Dated != "2016-02-22T10:00:00Z" || d.Citations[2].Quotation != "the bombs are falling so fast" {
		t.Errorf("%q, %q, %q: %+v", d.Title, d.Lang, d.Dated, d.Citations[2])
	}
	for _, c := range []struct{ src, mime string }{{"<svg></svg>", "image/svg+xml"}, {"<html/>", "application/xml"}, {"", "application/rss+xml"}} {
		if _, err := Read([]byte(c.src), c.mime, "", Options{}); !errors.Is(err, ErrType) {
			t.Errorf("%q: %v", c.src, err)
		}
	}
	other := "<?xml version='1.0' encoding='windows-1251'?><rss><channel><title>\xcf\xf0\xe8</title></channel></rss>"
	if d, err := Read([]byte(other), "application/rss+xml", "", Options{}); err != nil || d.Title != "При" {
		t.Errorf("%q, %v", d.Title, err)
	}
}

// TestFaultyFeed: what is no XML is told, and the rest of the feed is read all the same; so is markup that nobody has escaped.
func TestFaultyFeed(t *testing.T) {
	const item = "<item><link>http://a.test/2</link></item></channel></rss>"
	for _, c := range []struct{ name, src, fault, links string }{
		{"none", "<rss><channel><item><link>http://a.test/1</link></item>\n" + item, "", "http://a.test/1 http://a.test/2"},
		{"a control character", "<rss><channel>\n<item><title>a\x08</title><link>http://a.test/1</link></item>\n" + item, "line 2, byte 29 is not well-formed XML (the character U+0008)", "http://a.test/1 http://a.test/2"},
		{"a bad byte", "<?xml version='1.0' encoding='utf-8'?><rss><channel><item><title>a\xff</title><link>http://a.test/1</link></item>\n" + item, "line 1, byte 66 is not", "http://a.test/1 http://a.test/2"},
		{"a bare less-than", "<rss><channel><item><description>1 < 2, see http://b.test/</description></item>\n" + item, "line 1, byte 35 is not", "http://b.test/ http://a.test/2"},
		{"bare ampersands", "<rss><channel><item><description>a & b http://b.test/?c&d</description></item>\n" + item, "", "http://b.test/?c&d http://a.test/2"},
		{"cut short", "<rss><channel><item><link>http://a.test/1</link></item><item>", "ends before its root", "http://a.test/1"},
		{"cut in a tag", "<rss><channel><item><link>http://a.test/1</link></item><item a='", "byte 55 is not", "http://a.test/1"},
		{"unescaped", "<rss><channel><item><description>a <b>b</b><br> <a href='/x'>c</a> &amp;c</description><link>http://a.test/1</link></item>\n" + item, "",
			"http://a.test/1 http://a.test/x http://a.test/2"},
		{"content first", "<rss><channel><item><content:encoded>http://c.test/</content:encoded><description>http://d.test/</description></item>" + item, "", "http://c.test/ http://a.test/2"},
	} {
		d, err := Feed([]byte(c.src), "", Options{Links: All})
		var got []string
		for _, ct := range d.Citations {
			got = append(got, ct.URL)
		}
		slices.Sort(got)
		want := strings.Fields(c.links)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) || !strings.Contains(d.Fault, c.fault) || (c.fault == "") != (d.Fault == "") {
			t.Errorf("%s: %q, want %q; %q, %v", c.name, got, want, d.Fault, err)
		}
	}
}

func TestJSONFeed(t *testing.T) {
	src := `{"version": "https:\/\/jsonfeed.org\/version\/1.1", "title": "Notes \u0026 queries", "language": "en", "home_page_url": "http://blog.test/",
"items": [{"id": "1", "url": "http://blog.test/1/", "external_url": "http://far.test/", "title": "One \ud83d\ude00", "date_published": "2016-02-21T10:00:00Z",
 "content_text": "not read", "content_html": "<p>\u00e9 as <a href=\"../x?a=1&amp;b=2\">reported</a></p>", "attachments": [{"url": "http://blog.test/a.mp3"}], "_own": {"url": "http://no.test/"}},
 {"id": "2", "content_text": "Only http://plain.test/x, no more.", "date_modified": "2016-02-20T10:00:00Z"}]}`
	for _, mime := range []string{"application/feed+json", "application/json"} {
		d, err := Read([]byte(src), mime, "", Options{})
		runes := []rune(src)
		var got []string
		for _, c := range d.Citations {
			got = append(got, strings.Join([]string{c.URL, c.Entry, c.Dated, c.LeftOut, string(runes[c.Start:c.End])}, "|"))
		}
		want := []string{
			`http://blog.test/1/|One 😀|2016-02-21T10:00:00Z||"http://blog.test/1/"`,
			`http://far.test/|One 😀|2016-02-21T10:00:00Z||"http://far.test/"`,
			`http://blog.test/x?a=1&b=2|One 😀|2016-02-21T10:00:00Z||<a href=\"../x?a=1&amp;b=2\">reported</a>`,
			`http://blog.test/a.mp3|One 😀|2016-02-21T10:00:00Z|enclosure|"http://blog.test/a.mp3"`,
			`http://plain.test/x|http://blog.test/|2016-02-20T10:00:00Z||http://plain.test/x`,
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w || err != nil || d.Fault != "" {
			t.Errorf("%v, %q: got\n%s\nwant\n%s", err, d.Fault, g, w)
		}
		if d.Title != "Notes & queries" || d.Lang != "en" {
			t.Errorf("%q, %q", d.Title, d.Lang)
		}
	}
	if d, err := JSONFeed([]byte(src[:len(src)-70]), "", Options{}); err != nil || len(d.Citations) != 4 || !strings.Contains(d.Fault, "line 4, byte") {
		t.Errorf("cut short: %d citations, %q, %v", len(d.Citations), d.Fault, err)
	}
	for _, s := range []string{"{}", "[]", `{"version": "1"}`} {
		if _, err := Read([]byte(s), "application/feed+json", "", Options{}); !errors.Is(err, ErrType) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzJSONFeed(f *testing.F) {
	const begin = `{"version":"https://jsonfeed.org/version/1","items":[{`
	for _, s := range []string{`"content_html":"<a href=/x>\u00e9\ud83d\ude00\ud800\n</a>"}]}`, `"url":"http://a.test/","title":"\"b"}]}`, `"content_text":"http://b.test/ \\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		d, err := JSONFeed([]byte(begin+rest), address, Options{Links: All})
		if err != nil {
			return
		}
		text := string(decoded([]byte(begin+rest), "utf-8", false))
		n := utf8.RuneCountInString(text)
		for _, c := range d.Citations {
			if c.Start < 0 || c.End <= c.Start || c.End > n {
				t.Fatalf("%+v of %d", c, n)
			}
		}
		checkBlocks(t, d, text)
	})
}

// TestHostileFeed: a feed of many links, parts and entries is read in a time that grows with its size, up to what an entry may have.
func TestHostileFeed(t *testing.T) {
	const n = 100_000
	for _, c := range []struct {
		name, src string
		links     int
	}{
		{"links of an entry", "<rss><item>" + numbered(n, "<link href='http://a.test/%d'/>") + "</item></rss>", maxLeads},
		{"links of the feed", "<feed>" + numbered(n, "<link href='/%d' rel='self'/>") + strings.Repeat("<entry><id>x</id></entry>", 9000) + "</feed>", 0},
		{"empty parts", "<rss><item><description>" + strings.Repeat("<![CDATA[]]>", n) + strings.Repeat("http://a.test/ ", 9000) + "</description></item></rss>", 9000},
		{"comments without an end", "<rss><item>" + strings.Repeat("<!--", 10_000), 0},
		{"references", "<rss><item><description>" + strings.Repeat("&lt;a href=/x>&amp;amp;&lt;/a>", 9000) + "</description></item></rss>", 9000},
	} {
		d, err := Feed([]byte(c.src), address, Options{Links: All})
		if err != nil || len(d.Citations) != c.links {
			t.Errorf("%s: %d citations, %v", c.name, len(d.Citations), err)
		}
	}
}

func numbered(n int, format string) string {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, format, i)
	}
	return sb.String()
}

// FuzzFeed begins with feeds of few bytes: of each input that reaches new code, Go tries to leave out every part of it.
func FuzzFeed(f *testing.F) {
	for _, s := range []string{
		"<rss><item><description>a < b & c\x08<!-- &0", "<rss><item><description>a &amp;lt;a href=/x>", "<feed><entry><content type=xhtml><a href='/x'>b</a><br></content>",
		"<rss><item><title><![CDATA[a]]>b&#x41;\r\n</title>", "<rss><item><pubDate>Sun, 21 Feb 2016 10:00:00 GMT</pubDate><guid>http://a.test/</guid>",
		"<feed xml:base='/b/'><entry><link href='c'/><summary>http://d.test/ \u201cq\u201d</summary>", "<rss><item><content:encoded>&lt;p>&lt;a href=\"?a&amp;amp;b\">\u8a9e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		d, err := Feed([]byte(src), address, Options{Links: All})
		if err != nil {
			return
		}
		text := string(feedText([]byte(src), ""))
		n := utf8.RuneCountInString(text)
		for _, c := range d.Citations {
			if c.Start < 0 || c.End <= c.Start || c.End > n {
				t.Fatalf("%+v of %d", c, n)
			}
		}
		checkBlocks(t, d, text)
	})
}
