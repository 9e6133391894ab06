package post

import (
	"errors"
	"fmt"
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
		"<rss><item><description>a &amp;lt;a href=/x>", "<feed><entry><content type=xhtml><a href='/x'>b</a><br></content>",
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
