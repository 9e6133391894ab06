package watch_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"linkstead/archive/urlkey"
	"linkstead/crawler/watch"
)

// show writes a listing as one line an entry.
func show(l watch.Listing) string {
	var sb strings.Builder
	for _, e := range l.Entries {
		fmt.Fprintf(&sb, "%s %s\n", e.URL, e.Stamp)
	}
	for _, n := range l.Nested {
		fmt.Fprintf(&sb, "nested %s\n", n)
	}
	for _, n := range l.Notes {
		fmt.Fprintf(&sb, "note %s\n", n)
	}
	return sb.String()
}

var feeds = map[string]struct{ body, want string }{
	"rss 2.0": {`<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>https://blog.example/news/</link>
		<item><title>One</title><link>https://blog.example/one#frag</link></item>
		<item><title>Two</title><link>two</link></item>
		<item><title>No link, a permalink</title><guid>https://blog.example/three</guid></item>
		<item><title>No link, no permalink</title><guid isPermaLink="false">https://blog.example/tag-3</guid></item>
		<item><title>No address</title><link>mailto:a@example.org</link></item>
		<item><title>Twice</title><link>https://blog.example/one</link></item></channel></rss>`,
		"https://blog.example/one -\nhttps://blog.example/news/two -\nhttps://blog.example/three -\n" +
			"note 2 entries were left out: they have no http(s) address\n"},
	"rss 0.91": {`<rss version="0.91"><channel><item><title>x</title><link>/x</link></item></channel></rss>`, "https://blog.example/x -\n"},
	"rss 1.0": {`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
		<channel rdf:about="https://blog.example/"><title>T</title><link>https://blog.example/</link></channel>
		<item rdf:about="https://blog.example/a"><title>A</title><link>https://blog.example/a?b=1&amp;c=2</link></item></rdf:RDF>`,
		"https://blog.example/a?b=1&c=2 -\n"},
	"atom": {`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://other.example/sub/"><link rel="self" href="feed.atom"/>
		<entry><id>urn:1</id><title>A</title><link rel="enclosure" href="a.mp3"/><link rel="alternate" href="a.html"/></entry>
		<entry xml:base="deeper/"><id>urn:2</id><title>B</title><link href="b.html"/></entry>
		<entry><id>https://blog.example/c</id><title>C</title></entry>
		<entry><id>urn:4</id><title>D</title></entry></feed>`,
		"https://other.example/sub/a.html -\nhttps://other.example/sub/deeper/b.html -\nhttps://blog.example/c -\n" +
			"note 1 entries were left out: they have no http(s) address\n"},
	"json feed": {`{"version":"https://jsonfeed.org/version/1.1","title":"T","home_page_url":"https://blog.example/","items":[
		{"id":"1","url":"https://blog.example/j1"},{"id":"2","external_url":"https://far.example/j2"},{"id":"https://blog.example/j3"},{"id":"4"}]}`,
		"https://blog.example/j1 -\nhttps://far.example/j2 -\nhttps://blog.example/j3 -\nnote 1 entries were left out: they have no http(s) address\n"},
	"latin 1": {"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><rss version=\"2.0\"><channel><item><title>\xe9</title><link>https://blog.example/caf\xe9</link></item></channel></rss>",
		"https://blog.example/caf%C3%A9 -\n"},
	"empty": {`<rss version="2.0"><channel><title>T</title></channel></rss>`, ""},
}

const feedURL = "https://blog.example/feeds/all.xml"

func TestReadFeed(t *testing.T) {
	for name, c := range feeds {
		l, err := watch.ReadFeed([]byte(c.body), feedURL)
		if got := show(l); err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

// TestReadFeedHostile: what is no feed, or made to harm, is an error that says so, in good time.
func TestReadFeedHostile(t *testing.T) {
	for name, body := range map[string]string{
		"html":         "<!doctype html><html><body>Not here</body></html>",
		"nothing":      "",
		"text":         "hello",
		"cut":          `<rss version="2.0"><channel><item><title>x</ti`,
		"deep":         `<rss version="2.0"><channel>` + strings.Repeat("<a>", 1_000_000),
		"deep in json": `{"version":"https://jsonfeed.org/version/1","items":` + strings.Repeat("[", 1_000_000),
		"too long":     `<rss version="2.0"><channel>` + strings.Repeat(" ", 17<<20),
		"entities": `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>
			<rss version="2.0"><channel><item><link>&c;</link></item></channel></rss><rss`,
	} {
		l, err := watch.ReadFeed([]byte(body), feedURL)
		if err == nil && len(show(l)) > 100 {
			t.Errorf("%s: read as %s", name, show(l))
		}
		if err == nil && name != "entities" { // they may stay as they are written
			t.Errorf("%s: no error", name)
		}
	}
	many := `<rss version="2.0"><channel>`
	for i := range 10_010 {
		many += fmt.Sprintf("<item><link>https://blog.example/%d</link></item>", i)
	}
	l, err := watch.ReadFeed([]byte(many+"</channel></rss>"), feedURL)
	if err != nil || len(l.Entries) != 10_000 || len(l.Notes) != 1 {
		t.Errorf("a long feed: %v, %d entries, %q", err, len(l.Entries), l.Notes)
	}
}

func compressed(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const urlset = `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://i/">
	<url><loc> https://s.example/a </loc><lastmod>2026-01-02</lastmod><image:image><image:loc>https://s.example/pic</image:loc></image:image></url>
	<url><lastmod>2026-01-03T00:00:00Z</lastmod><loc><![CDATA[https://s.example/b?x=1&y=2]]></loc></url>
	<url><loc>/c?x=1&amp;y=2</loc></url><url></url><url><loc>ftp://s.example/</loc></url></urlset>`

const urlsetWant = "https://s.example/a 2026-01-02\nhttps://s.example/b?x=1&y=2 2026-01-03T00:00:00Z\nhttps://s.example/c?x=1&y=2 -\n" +
	"note 1 entries were left out: they have no http(s) address\n"

// cutURLset is what comes of one whose connection breaks.
var cutURLset, _, _ = strings.Cut(urlset, "<url></url>")

const mapURL = "https://s.example/sitemap.xml"

func TestReadSitemap(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"urlset":             {urlset, urlsetWant},
		"compressed":         {compressed(t, urlset), urlsetWant},
		"byte order mark":    {"\xef\xbb\xbf" + urlset, urlsetWant},
		"index":              {`<sitemapindex><sitemap><loc>one.xml</loc><lastmod>2026</lastmod></sitemap><sitemap><loc>https://s.example/two.xml.gz</loc></sitemap></sitemapindex>`, "nested https://s.example/one.xml\nnested https://s.example/two.xml.gz\n"},
		"text":               {"https://s.example/a\r\n\r\n  https://s.example/b  \nnot an address\n", "https://s.example/a -\nhttps://s.example/b -\nhttps://s.example/not%20an%20address -\n"},
		"feed":               {feeds["rss 0.91"].body, "https://s.example/x -\n"},
		"cut":                {cutURLset, "https://s.example/a 2026-01-02\nhttps://s.example/b?x=1&y=2 2026-01-03T00:00:00Z\nhttps://s.example/c?x=1&y=2 -\n"},
		"no namespace":       {`<URLSET><URL><LOC>https://s.example/a</LOC></URL></URLSET>`, "https://s.example/a -\n"},
		"a stamp too long":   {`<urlset><url><loc>/a</loc><lastmod>` + strings.Repeat("9", 65) + `</lastmod></url></urlset>`, "https://s.example/a -\n"},
		"compressed and cut": {compressed(t, "https://s.example/a\n")[:35], "https://s.example/a -\nnote the sitemap can't be uncompressed to its end\n"},
	} {
		l, err := watch.ReadSitemap([]byte(c.body), mapURL)
		got := show(l)
		if name == "compressed and cut" { // how much comes out is the decoder's
			if err != nil || !strings.Contains(got, "note the sitemap can't be uncompressed to its end") {
				t.Errorf("%s: %v %s", name, err, got)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

func TestReadSitemapHostile(t *testing.T) {
	for name, body := range map[string]string{
		"html": "<!doctype html><html><body>Not here</body></html>", "broken gzip": "\x1f\x8b\x08", "xml without end": "<",
		"another document": "<svg><url><loc>https://s.example/</loc></url></svg>",
	} {
		if l, err := watch.ReadSitemap([]byte(body), mapURL); err == nil {
			t.Errorf("%s: read as %s", name, show(l))
		}
	}
	deep, err := watch.ReadSitemap([]byte(`<urlset><url><loc>/a</loc></url>`+strings.Repeat("<a>", 1_000_000)), mapURL)
	if err != nil || len(deep.Entries) != 1 || len(deep.Notes) != 1 {
		t.Errorf("deep: %v, %s", err, show(deep))
	}
	bomb, err := watch.ReadSitemap([]byte(compressed(t, "https://s.example/a\n"+strings.Repeat(" ", 60<<20))), mapURL)
	if err != nil || len(bomb.Entries) != 1 || len(bomb.Notes) != 1 {
		t.Errorf("a bomb: %v, %s", err, show(bomb))
	}
	var many strings.Builder
	for i := range 50_001 {
		fmt.Fprintf(&many, "https://s.example/%d\n", i)
	}
	if l, err := watch.ReadSitemap([]byte(many.String()), mapURL); err != nil || len(l.Entries) != 50_000 || len(l.Notes) != 1 {
		t.Errorf("many: %v, %d entries, %q", err, len(l.Entries), l.Notes)
	}
}

func TestReadList(t *testing.T) {
	got, err := watch.ReadList([]byte("\xef\xbb\xbf# Sources\nhttps://a.example\n\n  http://b.example/x#part # why\r\nhttps://a.example/\n"))
	if old, err := watch.ReadList([]byte("https://a.example/\r# why\r\rhttps://b.example/\r")); err != nil || len(old) != 2 {
		t.Errorf("lines that end as of old: %q, %v", old, err)
	}
	if want := "[https://a.example/ http://b.example/x]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	for text, say := range map[string]string{
		"": "empty", "# nothing": "empty", "https://a.example\nwww.b.example\n": "line 2", "file:///etc/passwd": "line 1",
		strings.Repeat("x", 2<<20): "line 1 is no", "https://a.example/\x00": "line 1 holds a control", "# x\nroot:secret:": "line 2 is no",
	} {
		if _, err := watch.ReadList([]byte(text)); err == nil || !strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.20q: %v, want a word of %s", text, err, say)
		}
	}
}

// checkListing holds what any document may be read as.
func checkListing(t *testing.T, l watch.Listing) {
	seen := map[string]bool{}
	for _, e := range l.Entries {
		if !urlkey.Fetchable(e.URL) || e.Stamp == "" || len(e.Stamp) > 64 || seen[e.URL] {
			t.Errorf("entry %+v", e)
		}
		seen[e.URL] = true
	}
	for _, n := range l.Nested {
		if !urlkey.Fetchable(n) {
			t.Errorf("nested %q", n)
		}
	}
}

func FuzzReadFeed(f *testing.F) {
	for _, c := range feeds {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if l, err := watch.ReadFeed(body, feedURL); err == nil {
			checkListing(t, l)
		}
	})
}

func FuzzReadSitemap(f *testing.F) {
	f.Add([]byte(urlset))
	f.Add([]byte(compressed(f, urlset)))
	f.Add([]byte("https://s.example/a\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if l, err := watch.ReadSitemap(body, mapURL); err == nil {
			checkListing(t, l)
		}
	})
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte("# x\nhttps://a.example/ # y\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		urls, err := watch.ReadList(text)
		if err != nil {
			return
		}
		again, err := watch.ReadList([]byte(strings.Join(urls, "\n")))
		if err != nil || strings.Join(again, "\n") != strings.Join(urls, "\n") {
			t.Errorf("%q reads as %q again: %v", urls, again, err)
		}
	})
}
