package replay_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/replay"
	"linkstead/storage"
)

// indexed is an archive with captures of some URLs.
func indexed(t *testing.T) *testArchive {
	a := newArchive(t)
	at := func(s string) time.Time {
		v, err := time.Parse("20060102150405", s)
		must(t, err)
		return v
	}
	page := func(url, when, body string) {
		a.capture(capture{url: url, at: at(when), response: message(200, "text/html", body)})
	}
	page("http://a.test/", "20150101000000", "one")
	page("http://a.test/", "20160101000000", "one") // a revisit
	page("https://www.a.test/", "20170101000000", "two")
	a.capture(capture{url: "http://a.test/gone", at: at("20160601000000"), response: message(404, "text/plain", "gone")})
	page("http://a.test/dir/b?x=1", "20160601000000", "b")
	page("http://sub.a.test/", "20160601000000", "sub")
	page("http://b.test/", "20160601000000", "other")
	return a
}

// lines brings the lines of an answer that must be well.
func (a *testArchive) lines(target string, fields ...string) []string {
	a.t.Helper()
	res := a.get(target, fields...)
	if res.StatusCode != http.StatusOK {
		a.t.Fatalf("%s: %d %s", target, res.StatusCode, res.body)
	}
	return strings.Split(strings.TrimSuffix(res.body, "\n"), "\n")
}

// TestCDXDialects: the two endpoints over real rows, as their clients ask them.
func TestCDXDialects(t *testing.T) {
	a := indexed(t)
	for _, c := range []struct {
		query string // of pywb's; Wayback's has the same selection
		want  string // timestamp and URL of each row
	}{
		{"url=a.test", "2015 http://a.test/, 2016 http://a.test/, 2017 https://www.a.test/"},
		{"url=https%3A%2F%2Fa.test%2F&sort=reverse", "2017 https://www.a.test/, 2016 http://a.test/, 2015 http://a.test/"},
		{"url=a.test&closest=201602", "2016 http://a.test/, 2017 https://www.a.test/, 2015 http://a.test/"},
		{"url=a.test&closest=201602&limit=1", "2016 http://a.test/"},
		{"url=a.test&closest=2010", "2015 http://a.test/, 2016 http://a.test/, 2017 https://www.a.test/"},
		{"url=a.test&closest=2030&from=2016", "2017 https://www.a.test/, 2016 http://a.test/"},
		{"url=a.test&from=2016&to=2016", "2016 http://a.test/"},
		{"url=a.test/*&from=2016&to=2016", "2016 http://a.test/, 2016 http://a.test/dir/b?x=1, 2016 http://a.test/gone"},
		{"url=a.test/dir/*", "2016 http://a.test/dir/b?x=1"},
		{"url=a.test/d&matchType=prefix", "2016 http://a.test/dir/b?x=1"},
		{"url=a.test&matchType=host&limit=2", "2015 http://a.test/, 2016 http://a.test/"},
		{"url=*.a.test&from=201606", "2017 https://www.a.test/, 2016 http://a.test/dir/b?x=1, 2016 http://a.test/gone, 2016 http://sub.a.test/"},
		{"url=*.test&limit=1&sort=reverse", "2016 http://b.test/"},
		{"url=*&limit=1", "2015 http://a.test/"},
	} {
		for path, names := range map[string]string{"/web/cdx?output=text&fl=timestamp,url&": "pywb", "/web/wayback-cdx?fl=timestamp,original&": "wayback"} {
			var got []string
			for _, line := range a.lines(path + c.query) {
				stamp, u, _ := strings.Cut(line, " ")
				got = append(got, stamp[:4]+" "+u)
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%s %s: %q\nwant %q", names, c.query, got, c.want)
			}
		}
	}
}

// TestCDXRevisits: what a revisit refers to is told where it is asked for.
func TestCDXRevisits(t *testing.T) {
	a := indexed(t)
	var rows []map[string]string
	for _, line := range a.lines("/web/cdx?url=a.test&output=json&resolveRevisits=true") {
		row := map[string]string{}
		must(t, json.Unmarshal([]byte(line), &row))
		rows = append(rows, row)
	}
	if rows[1]["mime"] != "warc/revisit" || rows[1]["status"] != "200" || rows[1]["digest"] != rows[0]["digest"] || !strings.HasPrefix(rows[1]["digest"], "sha256:") ||
		rows[1]["orig.offset"] != rows[0]["offset"] || rows[1]["orig.filename"] != rows[0]["filename"] || rows[1]["orig.length"] != rows[0]["length"] {
		t.Errorf("the revisit is %v\nof %v", rows[1], rows[0])
	}
	if !strings.HasSuffix(rows[0]["filename"], ".warc.gz") || rows[0]["orig.filename"] != "" {
		t.Errorf("the original is %v", rows[0])
	}
	if got := a.lines("/web/wayback-cdx?url=a.test&fl=mimetype,statuscode")[1]; got != "warc/revisit -" {
		t.Errorf("Wayback's: %q", got)
	}
	link := a.get("/web/cdx?url=a.test&output=link&limit=1")
	if want := "<http://a.test/>; rel=\"original\",\n<" + testOrigin + "/web/20150101000000/http://a.test/>; rel=\"memento\"; datetime=\"Thu, 01 Jan 2015 00:00:00 GMT\"\n"; link.body != want {
		t.Errorf("links: %s", link.body)
	}
}

// TestCDXAnswers: statuses, types, HEAD, gzip, and what is not found or can't be read.
func TestCDXAnswers(t *testing.T) {
	a := indexed(t)
	const none = `{"message": "No Captures found for: http://none.test/", "error": "No Captures found for: http://none.test/"}` + "\n"
	for _, c := range []struct {
		target, fields string
		status         int
		mime, body     string // body: "=" all of it, else a part
	}{
		{"/web/cdx?url=none.test", "", 404, "application/json", "=" + none},
		{"/web/cdx?url=none.test", "HEAD", 404, "application/json", "="},
		{"/web/wayback-cdx?url=none.test", "", 200, "text/plain; charset=utf-8", "="},
		{"/web/wayback-cdx?url=none.test&output=json", "", 200, "application/json", "=[]\n"},
		{"/web/cdx", "", 400, "application/json", `"message": "url: it is missing`},
		{"/web/cdx?url=a.test&limit=x", "", 400, "application/json", `limit: \"x\": use a number`},
		{"/web/wayback-cdx?url=a.test&limit=x", "", 400, "text/plain; charset=utf-8", "limit: \"x\": use a number from"},
		{"/web/cdx?url=%zz", "", 400, "application/json", "percent-encode"},
		{"/web/cdx?url=http%3A%2F%2F%5B", "", 400, "application/json", "url: "},
		{"/web/cdx?url=urn:x&matchType=host", "", 400, "application/json", "matchType: only http"},
		{"/web/cdx?url=a.test", "HEAD", 200, "text/x-cdxj; charset=utf-8", "="},
		{"/web/cdx?url=a.test&output=json", "", 200, "application/x-ndjson", `{"urlkey": "test,a)/", "timestamp": "20150101000000", "url": "http://a.test/", "mime": "text/html", "status": "200", "digest": "sha256:`},
		{"/web/cdx?url=a.test/*&showNumPages=true", "", 200, "application/json", "={\"pages\": 1, \"pageSize\": 5, \"blocks\": 1}\n"},
		{"/web/cdx?url=none.test&showNumPages=true&pageSize=1", "", 200, "application/json", "={\"pages\": 0, \"pageSize\": 1, \"blocks\": 0}\n"},
		{"/web/wayback-cdx?url=a.test&showNumPages=true", "", 200, "text/plain; charset=utf-8", "=1\n"},
		{"/web/cdx?url=a.test&page=0&limit=1", "", 200, "text/x-cdxj; charset=utf-8", "test,a)/ 20150101000000 {"},
		{"/web/cdx?url=a.test&page=1", "", 400, "application/json", "there is no page 1"},
		{"/web/cdx?url=a.test&page=99999999", "", 400, "application/json", "there is no page"},
		{"/none/cdx?url=a.test", "", 404, "", ""},
		{"/web/cdx?url=a.test", "POST", 405, "", ""},
	} {
		var fields []string
		if c.fields != "" {
			fields = []string{c.fields}
		}
		res := a.get(c.target, fields...)
		whole, exact := strings.CutPrefix(c.body, "=")
		if res.StatusCode != c.status || c.mime != "" && res.Header.Get("Content-Type") != c.mime || exact && res.body != whole || !strings.Contains(res.body, whole) {
			t.Errorf("%s %s: %d %s %q\nwant %d %s %q", c.fields, c.target, res.StatusCode, res.Header.Get("Content-Type"), res.body, c.status, c.mime, c.body)
		}
	}
	plain := a.get("/web/cdx?url=a.test")
	zip := a.get("/web/cdx?url=a.test", "Accept-Encoding: gzip")
	if zip.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("it is not compressed: %v", zip.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(zip.body))
	must(t, err)
	text, err := io.ReadAll(z)
	if err != nil || string(text) != plain.body {
		t.Errorf("compressed it is %q, %v", text, err)
	}
	if no := a.get("/web/wayback-cdx?url=a.test&gzip=false", "Accept-Encoding: gzip"); no.Header.Get("Content-Encoding") != "" {
		t.Errorf("gzip=false is compressed: %v", no.Header)
	}
	if got := a.get("/web/cdx?url=a.test&form=2014").Header.Get("X-Archive-Ignored"); got != "form" {
		t.Errorf("what is ignored: %q", got)
	}
}

// TestCDXScripts: scripts of other sites read the index only where the operator lets them, and archived ones never.
func TestCDXScripts(t *testing.T) {
	a := indexed(t)
	for _, c := range []struct {
		open         bool
		fields       string
		status       int
		allowsOrigin string
	}{
		{false, "", 200, ""},
		{false, "Sec-Fetch-Mode: navigate|Sec-Fetch-Site: same-origin", 200, ""},
		{false, "Origin: https://evil.example", 200, ""}, // an old browser keeps it from the script
		{false, "Origin: https://evil.example|Sec-Fetch-Mode: cors", 403, ""},
		{false, "Sec-Fetch-Mode: no-cors|Sec-Fetch-Dest: script", 403, ""},
		{false, "Sec-Fetch-Mode: cors|Sec-Fetch-Site: same-origin", 403, ""}, // an archived page on this origin
		{false, "Origin: null|Sec-Fetch-Mode: cors", 403, ""},
		{false, "Origin: " + testPages + "|Sec-Fetch-Mode: cors", 200, testPages},
		{true, "Origin: https://tool.example|Sec-Fetch-Mode: cors", 200, "*"},
		{true, "", 200, "*"},
	} {
		a.handler.OpenIndex = c.open
		var fields []string
		if c.fields != "" {
			fields = strings.Split(c.fields, "|")
		}
		for _, path := range []string{"/web/cdx?url=a.test", "/web/wayback-cdx?url=a.test"} {
			res := a.get(path, fields...)
			if res.StatusCode != c.status || res.Header.Get("Access-Control-Allow-Origin") != c.allowsOrigin || res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("open %t, %q: %d, %q", c.open, c.fields, res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"))
			}
			if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox;") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("the answer is not sandboxed: %v", res.Header)
			}
		}
	}
}

// TestCDXOneHost: nor do archived pages whose origins are opaque, with one host for all, in browsers that do not say who asks.
func TestCDXOneHost(t *testing.T) {
	a := indexed(t)
	a.handler.Mode = replay.OneHost
	res := a.get("/web/cdx?url=a.test", "Origin: null")
	if res.StatusCode != http.StatusOK || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d, readable for %q", res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"))
	}
	if res := a.get("/web/cdx?url=a.test", "Origin: null", "Sec-Fetch-Mode: cors"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a script's request: %d", res.StatusCode)
	}
}

// many is an archive with n rows more, of which nothing is in a segment.
func many(t testing.TB, n int) *testArchive {
	a := newArchive(t)
	fill(t, a.db, n)
	return a
}

func fill(t testing.TB, db *storage.DB, n int) {
	t.Helper()
	var cs []storage.Capture
	for i := range n {
		url := fmt.Sprintf("http://many.test/section/%07d.html", i/2)
		cs = append(cs, storage.Capture{
			Collection: collection, URLKey: fmt.Sprintf("test,many)/section/%07d.html", i/2), At: day.Add(time.Duration(i%2) * time.Hour), Segment: "s", Offset: int64(i), Length: 10,
			URL: url, Status: 200, Mime: "text/html", Digest: "sha256:X", Kind: "response", RecordID: "<urn:uuid:1>", Run: 1, Outcome: "ok",
		})
		if len(cs) == 5000 || i == n-1 {
			must(t, db.Adopt(t.Context(), []storage.End{{Captures: cs}}))
			cs = cs[:0]
		}
	}
}

// TestCDXPages: pages, and parts by resume key, are together the whole answer.
func TestCDXPages(t *testing.T) {
	const n = 2*cdx.BlockRows + 100
	a := many(t, n)
	base := "/web/wayback-cdx?url=many.test/*&fl=offset"
	whole := strings.Join(a.lines(base), "\n")
	if strings.Count(whole, "\n") != n-1 {
		t.Fatalf("the whole has %d lines", strings.Count(whole, "\n")+1)
	}
	var pages []string
	for i := range 3 {
		pages = append(pages, a.lines(fmt.Sprint(base, "&pageSize=1&page=", i))...)
	}
	if strings.Join(pages, "\n") != whole {
		t.Errorf("the pages are not the whole")
	}
	if got := a.get(base + "&pageSize=1&showNumPages=true").body; got != "3\n" {
		t.Errorf("there are %s pages", got)
	}
	var parts []string
	for key, i := "", 0; i < 4; i++ {
		lines := a.lines(base + "&limit=2000&showResumeKey=true&resumeKey=" + key)
		if len(lines) > 2 && lines[len(lines)-2] == "" {
			key, lines = lines[len(lines)-1], lines[:len(lines)-2]
		}
		parts = append(parts, lines...)
	}
	if strings.Join(parts, "\n") != whole {
		t.Errorf("the parts are not the whole")
	}
}

// TestListingIsCut: an answer that looks at too many rows, or takes too long, says where to go on.
func TestListingIsCut(t *testing.T) {
	a := many(t, 3000)
	ask := func(l *replay.Listing, query string) (string, error) {
		v, err := url.ParseQuery(query)
		must(t, err)
		q, err := cdx.Parse(cdx.Wayback, v)
		must(t, err)
		must(t, replay.ResolveURL(q))
		var out bytes.Buffer
		_, err = l.Write(t.Context(), &out, q)
		return out.String(), err
	}
	l := &replay.Listing{Rows: a.db, Collection: collection, MaxRows: 1000}
	var got []string
	key := ""
	for range 3 {
		text, err := ask(l, "url=*&fl=offset&filter=offset:.*0&resumeKey="+key)
		must(t, err)
		rows, next, _ := strings.Cut(text, "\n\n")
		got = append(got, strings.Fields(rows)...)
		key = strings.TrimSpace(next)
	}
	if len(got) != 300 || key != "" || got[299] != "2990" {
		t.Errorf("%d rows in parts, key %q", len(got), key)
	}
	slow := &replay.Listing{Rows: a.db, Collection: collection, MaxTime: time.Nanosecond}
	if _, err := ask(slow, "url=*"); !errors.Is(err, replay.ErrLong) {
		t.Errorf("no time at all: %v", err)
	}
}
