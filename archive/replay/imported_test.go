package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// takeIn imports records of another program.
func (a *testArchive) takeIn(records ...string) {
	a.t.Helper()
	file, temp := strings.Join(records, ""), filepath.Join(a.dir, "import")
	must(a.t, os.MkdirAll(temp, 0o755))
	blobs, err := storage.OpenDir(filepath.Join(a.dir, "blobs"), storage.OS{})
	must(a.t, err)
	im := &warc.Importer{Rows: a.db, Blobs: blobs, Temp: temp, MaxSize: 1 << 20, Info: warc.Info{Software: "test/1"}, Now: a.clock.Now}
	rep, err := im.Import(a.t.Context(), warc.Source{Name: "other.warc", Location: "file:/other.warc", R: strings.NewReader(file), Size: int64(len(file)), Collection: collection})
	must(a.t, err)
	if rep.Captures != len(records) {
		a.t.Fatalf("%+v", rep)
	}
}

// foreign is a record of another program; fields are a line each.
func foreign(kind, url, date, fields, block string) string {
	return fmt.Sprintf("WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nWARC-Date: %s\r\nWARC-Record-ID: <urn:x:%s>\r\n%sContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n",
		kind, url, date, date, fields, len(block), block)
}

// TestImportedUnmodified: a 304 of another program is a memento of the page that it confirmed, at its own time. One whose page is not
// here leads on to what is.
func TestImportedUnmodified(t *testing.T) {
	const url = "http://a.test/x"
	const fields = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/server-not-modified\r\n"
	const answer = "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n"
	page := func(body string) string { return message(200, "text/plain", body, `ETag: "e"`) }
	day := func(year int) string { return fmt.Sprintf("%d-01-01T00:00:00Z", year) }
	a := newArchive(t)
	a.takeIn(
		foreign("revisit", url, day(2015), fields, answer), // nothing was before it
		foreign("response", url, day(2016), "", page("of 2016")),
		foreign("revisit", url, day(2017), fields, answer),
		foreign("response", url, day(2018), "", page("of 2018")),
		foreign("revisit", url, day(2020), fields+"WARC-Refers-To-Target-URI: "+url+"\r\nWARC-Refers-To-Date: "+day(2016)+"\r\n", answer),
	)
	for year, want := range map[int]string{2016: "of 2016", 2017: "of 2016", 2018: "of 2018", 2020: "of 2016"} {
		for _, mod := range []string{"", "id_", "im_"} {
			got := a.get(fmt.Sprintf("/web/%d0101000000%s/%s", year, mod, url))
			when := fmt.Sprintf(" Jan %d 00:00:00 GMT", year)
			if got.StatusCode != 200 || got.body != want || !strings.HasSuffix(got.Header.Get("Memento-Datetime"), when) {
				t.Errorf("%d %s: %d %q of %s", year, mod, got.StatusCode, got.body, got.Header.Get("Memento-Datetime"))
			}
		}
	}
	if got := a.get("/web/20150101000000id_/" + url); got.body == "of 2018" || got.StatusCode == 200 && got.body != "of 2016" {
		t.Errorf("2015: %d %q", got.StatusCode, got.body)
	}
	if n := len(mementosOf(a.timemap(testOrigin + "/web/timemap/link/" + url))); n != 4 {
		t.Errorf("%d mementos in the TimeMap", n)
	}
}
