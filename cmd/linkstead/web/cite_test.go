package web

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/archive/bibliography"
	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

func TestWhatAReaderOfCitationsAccepts(t *testing.T) {
	for field, want := range map[string]string{
		"": "", "*/*": "", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "", "application/x-bibtex": "bibtex", "application/x-bibtex, */*": "bibtex",
		"text/html;q=0.5, application/x-research-info-systems": "ris", "application/vnd.citationstyles.csl+json; q=0.9, text/html": "", "text/plain": "text", "text/markdown": "markdown",
		"application/x-bibtex;q=0": "", "application/x-bibtex;q=x": "", "image/png": "", "APPLICATION/VND.CITATIONSTYLES.CSL+JSON": "csl",
	} {
		f, ok := accepted([]string{field})
		if got := f.Name; ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v, want %q", field, got, ok, want)
		}
	}
}

// hostilePage means harm to whatever shows what it says of itself.
const hostilePage = `<title></code></pre><script>alert(1)</script>` + "\x1b[31m\u202e" + `</title><meta name=author content="<b>Jane</b> Doe &amp; \"x\"">`

// citable is an archive with a copy of a page, and the desk that cites it.
func citable(t *testing.T) (a *archive, d *bibliography.Desk, url string) {
	t.Helper()
	a = newArchive(t)
	ctx, dir := t.Context(), t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	x := &warc.Exchange{URL: "http://site.test/?a=1&b=%27", Method: http.MethodGet, At: day, Request: []byte("GET / HTTP/1.1\r\n\r\n"), Outcome: outcome.Captured}
	x.Response = storage.NewSpill(dir, 1<<20)
	response := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(hostilePage), hostilePage)
	_, err := x.Response.Write([]byte(response))
	check(err)
	x.Head, err = httpmsg.ParseHead([]byte(response))
	check(err)
	x.Payload = warc.Payload{Size: int64(len(hostilePage)), SHA256: sha256.Sum256([]byte(hostilePage))}
	g, err := (&warc.Composer{}).Compose(x, &warc.Meta{Run: 1, Attempt: 1, Kind: "page"}, warc.Options{})
	check(err)
	seg := storage.Segment{ID: "default-cited", Collection: "default", Node: "n", State: storage.SegmentOpen, Created: a.now}
	check(os.MkdirAll(filepath.Dir(storage.SpoolPath(dir, seg.ID)), 0o755))
	var b bytes.Buffer
	_, err = g.WriteTo(&b)
	check(err)
	check(os.WriteFile(storage.SpoolPath(dir, seg.ID), b.Bytes(), 0o644))
	check(a.db.AdoptSegment(ctx, seg))
	m, _ := g.Main()
	c := storage.Capture{
		Collection: "default", URL: x.URL, URLKey: urlkey.Key(x.URL), At: x.At, Segment: seg.ID, Offset: m.Offset, Length: m.Length, Status: 200, Mime: "text/html", Kind: warc.KindResponse,
		RecordID: m.RecordID, Run: 1, Outcome: string(outcome.Captured), Size: -1,
	}
	check(a.db.Adopt(ctx, []storage.End{{Captures: []storage.Capture{c}, Task: storage.Task{Host: "h", Run: 1, ID: 1, URL: x.URL}}}))
	d = &bibliography.Desk{
		Rows: a.db, Posts: a.db, Names: a.db, Library: &warc.Library{Shelves: a.db, Spool: dir}, Collection: "default", Replay: replayOrigin, Pages: "http://localhost:8080", Now: a.pages.Now,
	}
	a.pages.Citations, a.pages.CitedCollection = d, "default"
	return a, d, x.URL
}

// TestCitePage: the page shows what a hostile page says of itself, and none of it does anything; the forms come by their names and by Accept.
func TestCitePage(t *testing.T) {
	a, d, address := citable(t)
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e, err := d.URL(ctx, bibliography.Wanted{Collection: "default", URL: address})
	check(err)
	check(d.Mint(ctx, e, "n"))
	first := e.ID
	check(d.Mint(ctx, e, "n"))
	if e.ID != first {
		t.Errorf("%s has another identifier: %s", first, e.ID)
	}
	for _, path := range []string{"/cite/" + e.ID.String(), "/cite?at=2026-03-01&quote=%3Cb%3E&url=" + urlEscaped(address)} {
		w := a.get(path)
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "script-src 'self'; default-src 'none'; ") {
			t.Errorf("%s: %s", path, policy)
		}
		if w.Code != http.StatusOK || w.Header().Get("Vary") != "Accept" || w.Header().Get("Content-Disposition") != "" {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		if body := w.Body.String(); strings.Contains(body, "<script>") || strings.Count(body, "<script") != 1 || strings.Contains(body, "<b>") || strings.ContainsAny(body, "\x1b\u202e") || !strings.Contains(body, "alert(1)") {
			t.Errorf("%s:\n%s", path, body)
		}
	}
	for path, mime := range map[string]string{
		e.ID.String() + ".bib": "application/x-bibtex; charset=utf-8", strings.ToUpper(string(e.ID)) + ".ris": "application/x-research-info-systems; charset=utf-8",
		string(e.ID) + ".json": "application/vnd.citationstyles.csl+json", e.ID.String() + ".biblatex.bib": "application/x-bibtex; charset=utf-8", e.ID.String() + ".html": "text/html; charset=utf-8",
	} {
		_, ext, _ := strings.Cut(path, ".")
		if w := a.get("/cite/" + path); w.Header().Get("Content-Disposition") != `attachment; filename="`+e.ID.String()+"."+ext+`"` || strings.Contains(w.Header().Get("Content-Security-Policy"), "script") {
			t.Errorf("%s: %v", path, w.Header())
		}
		if w := a.get("/cite/" + path); w.Code != http.StatusOK || w.Header().Get("Content-Type") != mime || strings.Contains(w.Body.String(), "<script>") != strings.Contains(path, "bib") &&
			!strings.Contains(path, "ris") {
			t.Errorf("%s: %d %s\n%s", path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
	slip := []byte(e.ID)
	slip[0], slip[1] = slip[1], slip[0]
	if slip[0] == slip[1] {
		slip[0] = map[bool]byte{true: 'b', false: 'c'}[slip[0] == 'c']
	}
	for path, status := range map[string]int{
		"/cite/" + string(slip): 404, "/cite/00000-00000": 404, "/cite/nothing": 404, "/cite": 400, "/cite?url=ftp://a.test/": 400, "/cite?url=http://a.test/&at=soon": 400,
		"/cite?url=http://never.test/": 404, "/cite?url=http://a.test/&format=docx": 400, "/posts/none/bibliography.bib": 404, "/posts/none/other.bib": 404,
	} {
		if w := a.get(path); w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
	gone, err := a.db.Closest(ctx, "default", urlkey.Key(address), address, day)
	check(err)
	e.ID, e.Named.Record = "", gone.RecordID[:len(gone.RecordID)-2]+"0>"
	if e.Named.Record == gone.RecordID {
		e.Named.Record = gone.RecordID[:len(gone.RecordID)-2] + "1>"
	}
	check(d.Mint(ctx, e, "n"))
	if w := a.get("/cite/" + e.ID.String()); w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "will never name anything else") {
		t.Errorf("what is not there any more: %d", w.Code)
	}
}

func urlEscaped(s string) string {
	return strings.NewReplacer("&", "%26", "%", "%25", "?", "%3F").Replace(s)
}
