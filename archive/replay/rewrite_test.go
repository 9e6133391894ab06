package replay_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"linkstead/archive/markup"
)

var update = flag.Bool("update", false, "write the golden files anew")

// digest is that of our script, which changes with each change of it.
var digest = regexp.MustCompile(`(/web/-/shim)-[0-9a-f]+(\.js(?:"|&quot;))[^>]*`)

func TestRewriteGolden(t *testing.T) {
	a := newArchive(t)
	for name, mime := range map[string]string{
		"page.html": "text/html", "style.css": "text/css", "drawing.svg": "image/svg+xml", "module.mjs": "text/javascript",
		"app.webmanifest": "application/manifest+json", "scripted.svg": "image/svg+xml", "page.xhtml": "application/xhtml+xml",
		"feed.rss": "application/rss+xml", "feed.atom": "application/atom+xml",
		"list.m3u8": "application/vnd.apple.mpegurl", "video.mpd": "application/dash+xml",
	} {
		url := "http://site.test/dir/" + name
		a.page(url, mime, file(t, "rewrite/"+name))
		got := digest.ReplaceAllString(a.get("/web/"+stamp+"/"+url).body, "$1$2")
		golden := filepath.Join("testdata", "golden", name)
		if *update {
			must(t, os.WriteFile(golden, []byte(got), 0o600))
		}
		if want := file(t, "golden/"+name); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestStreamsByName: playlists and manifests of streams are rewritten as text and as bytes, too, if their names tell what they are.
func TestStreamsByName(t *testing.T) {
	a := newArchive(t)
	for _, mime := range []string{"text/plain", "application/octet-stream", "binary/octet-stream"} {
		for _, name := range []string{"list.m3u8", "video.mpd"} {
			url := "http://site.test/dir/" + strings.ReplaceAll(mime, "/", "-") + "/" + name
			src := file(t, "rewrite/"+name)
			a.page(url, mime, src)
			a.page(url+"?token=1", mime, src)
			a.page(url+".txt", mime, src)
			for query, changed := range map[string]bool{"": true, "?token=1": true, ".txt": false} {
				if got := a.get("/web/" + stamp + "oe_/" + url + query); (got.body != src) != changed {
					t.Errorf("%s as %s: changed: %v", name+query, mime, !changed)
				}
			}
		}
	}
}

// TestAleppoStaysInside: after rewriting, no reference of the page leads out, but for names that nobody fetches.
func TestAleppoStaysInside(t *testing.T) {
	const url = "http://blog.wp.test/2023/02/aleppo/"
	a := newArchive(t)
	src := file(t, "../../post/testdata/aleppo.html")
	a.page(url, "text/html; charset=UTF-8", src)
	got := a.get("/web/" + stamp + "/" + url).body
	count := func(doc string) (inside, outside int) {
		must(t, markup.HTML(nil, []byte(doc), markup.Options{}, func(r markup.Ref) (string, bool) {
			switch {
			case strings.HasPrefix(strings.TrimPrefix(r.URL, "/."), "/web/"):
				inside++
			case r.Role == markup.Canonical, r.Role == markup.Social, strings.HasPrefix(r.URL, "#"), strings.HasPrefix(r.URL, "data:"),
				strings.HasPrefix(r.URL, "mailto:"):
			default:
				outside++
				if strings.Contains(doc, "/web/-/shim") {
					t.Errorf("%s %s leads out", r.Context, r.URL)
				}
			}
			return "", false
		}))
		return inside, outside
	}
	_, before := count(src)
	inside, outside := count(got)
	if outside != 0 || inside < before || before < 100 {
		t.Errorf("%d references before; after, %d inside and %d outside", before, inside, outside)
	}
}
