package replay_test

import (
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
)

// TestAssetsAreSmall: what each page asks for of ours comes in gzip, to those who take it.
func TestAssetsAreSmall(t *testing.T) {
	a := newArchive(t)
	a.page("http://a.test/", "text/html", "<title>x</title>")
	for page, form := range map[string]string{"/web/" + stamp + "/http://a.test/": `/web/-/shim-[0-9a-f]+\.js`, "/web/": `/web/-/pages-[0-9a-f]+\.css`} {
		path := regexp.MustCompile(form).FindString(a.get(page).body)
		plain := a.get(path)
		if plain.StatusCode != 200 || plain.Header.Get("Content-Encoding") != "" || len(plain.body) < 4000 {
			t.Fatalf("%s: %d %v", path, plain.StatusCode, plain.Header)
		}
		for _, takes := range []string{"gzip, deflate, br, zstd", "*"} {
			got := a.get(path, "Accept-Encoding: "+takes)
			if got.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(got.Header.Get("Vary"), "Accept-Encoding") || len(got.body) > len(plain.body)/2 {
				t.Errorf("%s for %s: %d bytes, %v", path, takes, len(got.body), got.Header)
				continue
			}
			z, err := gzip.NewReader(strings.NewReader(got.body))
			must(t, err)
			body, err := io.ReadAll(z)
			must(t, err)
			if string(body) != plain.body {
				t.Errorf("%s is another in gzip", path)
			}
		}
		if got := a.get(path, "Accept-Encoding: gzip;q=0"); got.body != plain.body {
			t.Errorf("%s is zipped for who refuses that", path)
		}
		if got := a.get(path, "HEAD", "Accept-Encoding: gzip"); got.body != "" || got.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("HEAD of %s: %q", path, got.Header)
		}
		t.Logf("%s: %d bytes", path, len(plain.body))
	}
}
