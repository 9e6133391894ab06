package pack

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"linkstead/archive/cdx"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// TestViewerKey: the keys are those under which ReplayWeb.page looks, held to what it was seen to ask for.
func TestViewerKey(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"http://a.test/", "test,a)/"},
		{"https://www.a.test/Dir/?b=2&a=1", "test,a)/dir/?a=1&b=2"},
		{"http://www12.a.test/x/", "test,a)/x/"},
		{"http://a.test:8080//x//y/../z?", "test,a:8080)//x//z"},
		{"https://a.test:443/%C3%A9%2F?q=%20+", "test,a)/%c3%a9%2f?q=%20+"},
		{"http://127.0.0.1/a", "1,0,0,127)/a"},
		{"http://[2001:db8::1]:81/a", "[2001:db8::1]:81)/a"},
		{"http://a.test/?a&a=2&a=1&&b#frag", "test,a)/?&a&a=1&a=2&b"},
	} {
		got, ok := viewerKey(c[0])
		if !ok || got != c[1] {
			t.Errorf("%s: %q %v, want %q", c[0], got, ok, c[1])
		}
	}
	for _, u := range []string{"urn:x:y", "file:/a b", "http://", ""} {
		if got, ok := viewerKey(u); ok {
			t.Errorf("%q has the key %q", u, got)
		}
	}
}

func TestViewerBody(t *testing.T) {
	t.Parallel()
	const form, js = "application/x-www-form-urlencoded; charset=utf-8", "application/json"
	for _, c := range []struct{ kind, body, want string }{
		{form, "a=b+c&d=%2F&e=%C3%A9%20", "a=b+c&d=%2F&e=é "},
		{form, "a=%zz", ""},
		{form, "a=%C3", ""},
		{js, `{"a":1,"b":{"a":true,"c":[2.0,null,"x y*~"]},"e":""}`, "a=1&a.2_=true&c=2&c.2_=null&c.3_=x+y*~"},
		{js, `{"n":1e21,"m":1e-7,"o":-0.0,"p":12345678901234567890}`, "n=1e%2B21&m=1e-7&o=0&p=12345678901234567000"},
		{js, `{"a":`, ""},
		{js, `[1,"z"]`, "=1&.2_=z"},
		{"text/plain", `{"a":1}`, "a=1"},
		{"text/plain", "hello", ""},
		{"application/octet-stream", "hello", "__wb_post_data=aGVsbG8="},
		{"", "", "__wb_post_data="},
		{`multipart/form-data; boundary=xx`, "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1 2\r\n--xx\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n3\r\n--xx--\r\n", "a=1+2&b=3"},
		{form, strings.Repeat("a", maxViewerBody+1), ""},
	} {
		if got := viewerBody(&warc.Request{Method: "POST", Type: c.kind, Body: []byte(c.body)}); got != c.want {
			t.Errorf("%s %.40s: %q, want %q", c.kind, c.body, got, c.want)
		}
	}
}

// TestViewerLine: a line has what a reader in a browser asks for.
func TestViewerLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 5, 17, 10, 20, 30, 123_999_000, time.UTC)
	c := storage.Capture{URL: "https://www.a.test/Api/", URLKey: "test,a)/api", At: at}
	row := cdx.Row{Key: c.URLKey, At: at, URL: c.URL, Mime: "text/html", Status: 200, Digest: "sha256:X", Length: 5, Offset: 7, File: "data.warc.gz"}
	const plain = `test,a)/api/ 20200517102030123 {"url": "https://www.a.test/Api/", "mime": "text/html", "status": "200", "digest": "sha256:X", "length": "5", "offset": "7", "filename": "data.warc.gz"}` + "\n"
	if got := string(appendViewerLine(nil, &c, &row, nil)); got != plain {
		t.Errorf("%s", got)
	}
	row.Revisit = true
	if got := string(appendViewerLine(nil, &c, &row, nil)); got != strings.Replace(plain, "text/html", "warc/revisit", 1) {
		t.Errorf("%s", got)
	}
	row.Revisit = false
	c.URLKey, row.Key = "test,a)/api?__wb_method=post&a=1", "test,a)/api?__wb_method=post&a=1"
	posted := strings.Replace(strings.TrimSuffix(plain, "}\n"), "api/ ", "api/?__wb_method=post&a=1 ", 1) + `, "urlkey": "test,a)/api?__wb_method=post&a=1", "method": "POST", "requestBody": "a=1"}` + "\n"
	if got := string(appendViewerLine(nil, &c, &row, &warc.Request{Method: "POST", Type: "application/json", Body: []byte(`{"a":1}`)})); got != posted {
		t.Errorf("%s\nwant\n%s", got, posted)
	}
	// Its request is not there: it still must not stand for the answer to a GET.
	if got := string(appendViewerLine(nil, &c, &row, nil)); !strings.Contains(got, `"method": "POST"`) {
		t.Errorf("%s", got)
	}
}

// FuzzViewerBody: whatever was asked, the line stays one line of bounded length, and JSON in UTF-8.
func FuzzViewerBody(f *testing.F) {
	for _, kind := range []string{"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain", "a/b"} {
		for _, body := range []string{"", "a=1&b=%C3%A9", `{"a":[1,{"b":null}]}`, "--x\r\nname=\"a\"\r\n\r\nb\r\n--x--", "%", "%C3%"} {
			f.Add(kind, body)
		}
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		q := viewerBody(&warc.Request{Method: "POST", Type: kind, Body: []byte(body)})
		if len(q) > 3*maxViewerBody || !utf8.ValidString(q) {
			t.Errorf("%q", q)
		}
		if strings.HasPrefix(kind, "application/json") {
			if _, err := url.ParseQuery(strings.ReplaceAll(q, "%", "")); err != nil && !strings.Contains(q, ";") {
				t.Errorf("%q: %v", q, err)
			}
		}
		c := storage.Capture{URL: "http://a.test/", URLKey: "test,a)/?__wb_method=post", At: time.Unix(0, 0)}
		row := cdx.Row{Key: c.URLKey, URL: c.URL}
		line := string(appendViewerLine(nil, &c, &row, &warc.Request{Method: "POST", Type: kind, Body: []byte(body)}))
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "}\n") {
			t.Errorf("%q", line)
		}
	})
}

// TestZipDate: dates of ZIP entries are dates.
func TestZipDate(t *testing.T) {
	t.Parallel()
	date, clock := zipDate(time.Date(2026, 11, 23, 17, 8, 59, 0, time.UTC))
	if date != 46<<9|11<<5|23 || clock != 17<<11|8<<5|29 {
		t.Error(date, clock)
	}
	for _, y := range []int{1979, 2108, 1} {
		if date, _ := zipDate(time.Date(y, 5, 5, 0, 0, 0, 0, time.UTC)); date != 1<<5|1 {
			t.Error(y, date)
		}
	}
}
