package watch_test

import (
	"runtime"
	"strings"
	"testing"

	"linkstead/crawler/watch"
)

const rssHead = `<rss version="2.0"><channel><item><link>https://blog.example/first</link></item>`

// TestReadFeedBombs: however deep elements are hidden and however much is put into one, the parser takes no more stack and
// memory than a feed is worth, and what stood before is read.
func TestReadFeedBombs(t *testing.T) {
	deep := strings.Repeat("<q:b>", 3_000_000)
	for name, body := range map[string]string{
		"behind an instruction": `<?x ><!-- ?>` + rssHead + deep + `<!-- -->`,
		"behind a doctype":      `<!DOCTYPE x "><!--">` + rssHead + deep + `<!-- -->`,
		"with a slash":          rssHead + strings.Repeat(`<q:b x='/>'>`, 1_300_000),
		"another charset":       `<?xml version="1.0" encoding="utf-8"?>` + rssHead + `<?xml version="1.0" encoding="utf-16le"?>` + deep,
		"attributes":            rssHead + "<item " + strings.Repeat(`a="b" `, 2_700_000) + "></item></channel></rss>",
		"bare attributes":       rssHead + "<q:b " + strings.Repeat("a ", 8_000_000) + "></q:b></channel></rss>",
		"many attributes":       rssHead + strings.Repeat("<q:b "+strings.Repeat("a ", 20_000)+"/>", 380),
		"elements":              rssHead + strings.Repeat("<q:b/>", 2_700_000) + "</channel></rss>",
		"namespaces":            rssHead + strings.Repeat("<q:b "+strings.Repeat(`xmlns:abc="d" `, 4_000)+">", 200),
	} {
		var l watch.Listing
		var err error
		if took := allocated(func() { l, err = watch.ReadFeed([]byte(body), feedURL) }); took > 400<<20 {
			t.Errorf("%s: %d MiB", name, took>>20)
		}
		if err != nil || len(l.Entries) != 1 || len(l.Notes) != 1 {
			t.Errorf("%s: %v, %s", name, err, show(l))
		}
	}
	objects := `{"version":"https://jsonfeed.org/version/1","items":[` + strings.Repeat("{},", 5_000_000) + "{}]}"
	if l, err := watch.ReadFeed([]byte(objects), feedURL); err == nil {
		t.Errorf("objects: %s", show(l))
	}
}

// TestReadSitemapBomb: a tag of megabytes is not taken apart.
func TestReadSitemapBomb(t *testing.T) {
	body := compressed(t, `<urlset><url><loc>/a</loc></url><url `+strings.Repeat("a ", 25_000_000)+"></url></urlset>")
	var l watch.Listing
	var err error
	took := allocated(func() { l, err = watch.ReadSitemap([]byte(body), mapURL) })
	if err != nil || len(l.Entries) != 1 || len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "a tag is longer than 64 KiB") {
		t.Errorf("%v, %s", err, show(l))
	}
	if took > 16<<20 {
		t.Errorf("%d MiB", took>>20)
	}
}

// TestReadSitemapUnpacksNothing: a compressed sitemap is not uncompressed into memory.
func TestReadSitemapUnpacksNothing(t *testing.T) {
	body := compressed(t, "https://s.example/a\n"+strings.Repeat(strings.Repeat(" ", 1000)+"\n", 40_000)+"https://s.example/b")
	var l watch.Listing
	var err error
	took := allocated(func() { l, err = watch.ReadSitemap([]byte(body), mapURL) })
	if err != nil || len(l.Entries) != 2 || len(l.Notes) != 0 || took > 1<<20 {
		t.Errorf("%v, %d entries, %q, %d KiB", err, len(l.Entries), l.Notes, took>>10)
	}
}

// TestReadSitemapInPieces: wherever a piece ends, what is read is the same.
func TestReadSitemapInPieces(t *testing.T) {
	const entry = `<url><loc>https://s.example/ö&amp;&#38;&#1;&#x1;x€` + "\x01\xff" + `</loc></url>`
	first, err := watch.ReadSitemap([]byte("<urlset>"+entry+"</urlset>"), mapURL)
	if err != nil || len(first.Entries) != 1 {
		t.Fatal(err, show(first))
	}
	want := first.Entries[0].URL
	for pad := (64 << 10) - len(entry); pad < 64<<10; pad++ {
		head := "\xef\xbb\xbf<urlset><!--"
		body := head + strings.Repeat("x", 1000) + "-->" + strings.Repeat(" <a/>", (pad-len(head)-1003)/5) + strings.Repeat(" ", (pad-len(head)-1003)%5) + entry + "</urlset>"
		l, err := watch.ReadSitemap([]byte(body), mapURL)
		if err != nil || len(l.Entries) != 1 || l.Entries[0].URL != want {
			t.Fatalf("%d bytes before: %v, %s", pad, err, show(l))
		}
	}
}

// allocated is how many bytes a function took in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestReadBroken: a bad byte, a forbidden character or a missing end costs what it stands in at most.
func TestReadBroken(t *testing.T) {
	item := func(s string) string {
		return "<item><title>" + s + "</title><link>https://blog.example/" + s[:1] + "</link></item>"
	}
	all := "https://blog.example/a -\nhttps://blog.example/b -\nhttps://blog.example/c -\n"
	for name, c := range map[string]struct{ body, want string }{
		"bad byte":          {rss(item("a"), item("b\xff"), item("c")), all},
		"control character": {rss(item("a"), item("b\x01\x00"), item("c")), all},
		"by reference":      {rss(item("a"), item("b&#1;&#x1F;&#xfffe;&#00;"), item("c")), all},
		"no character":      {rss(item("a"), item("b\ufffe\uffff"), item("c")), all},
		"bad byte, json":    {"{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{\"url\":\"https://blog.example/a\",\"title\":\"\xff\x01\"}]}", "https://blog.example/a -\n"},
		"said to be utf-16": {`<?xml version="1.0" encoding="utf-16"?>` + rss(item("a"), item("b"), item("c")), all},
		"end is missing": {strings.TrimSuffix(rss(item("a"), item("b"), item("c")), "</item></channel></rss>"),
			"https://blog.example/a -\nhttps://blog.example/b -\nnote the feed can't be read to its end: its end is missing\n"},
		"cut in a tag": {rss(item("a"), item("b")) + "x", "https://blog.example/a -\nhttps://blog.example/b -\n"},
		"ends nothing": {rss(item("a"), "<item><title>b</b></item>"), "https://blog.example/a -\nnote the feed can't be read to its end: </b> ends nothing\n"},
		"left open":    {rss(item("a"), "<item><p>b</item>", item("c")), "https://blog.example/a -\nhttps://blog.example/c -\nnote 1 entries were left out: they have no http(s) address\n"},
		"root is far":  {"<!-- " + strings.Repeat("x", 8000) + " -->" + rss(item("a"), item("b"), item("c")), all},
	} {
		if l, err := watch.ReadFeed([]byte(c.body), feedURL); err != nil || show(l) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, show(l), c.want)
		}
	}
	for name, body := range map[string]string{
		"a browser's": "<!doctype html><html><br><p>Not here", "an unknown charset": `<?xml version="1.0" encoding="nosuch"?><rss/>`,
	} {
		if l, err := watch.ReadFeed([]byte(body), feedURL); err == nil || !strings.Contains(err.Error(), "neither RSS") && !strings.Contains(err.Error(), "nosuch") {
			t.Errorf("%s: %v\n%s", name, err, show(l))
		}
	}
	l, err := watch.ReadSitemap([]byte("<urlset><url><loc>/a</loc><lastmod>2026\x01</lastmod></url><url><loc>/b</loc><lastmod>\xff&#2;</lastmod></url></urlset>"), mapURL)
	if err != nil || len(l.Entries) != 2 || len(l.Notes) != 0 {
		t.Errorf("a sitemap: %v\n%s", err, show(l))
	}
	wide := "\xfe\xff" + "\x00" + strings.Join(strings.Split("<urlset><url><loc>/a</loc></url></urlset>", ""), "\x00")
	if l, err := watch.ReadSitemap([]byte(wide), mapURL); err != nil || show(l) != "https://s.example/a -\n" {
		t.Errorf("a sitemap in UTF-16: %v\n%s", err, show(l))
	}
}

func rss(items ...string) string {
	return `<rss version="2.0"><channel>` + strings.Join(items, "") + "</channel></rss>"
}
