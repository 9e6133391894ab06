package replay_test

import (
	"fmt"
	"testing"
	"time"

	"linkstead/archive/fuzzy"
)

// TestFuzzy: a part of a page may be one that differs in nothing that matters, from about the same time, and says so.
func TestFuzzy(t *testing.T) {
	a := newArchive(t)
	const js, form = "application/json", "application/x-www-form-urlencoded"
	kept := func(url string, at time.Time, body string) {
		a.capture(capture{url: url, at: at, response: message(200, js, body)})
	}
	hour := day.Add(time.Hour)
	kept("http://a.test/data?id=1&_=1589710830000", hour, `"one"`)
	kept("http://a.test/data?id=2&_=1589710830001", hour, `"two"`)
	kept("http://a.test/data?id=1&_=1609459200000", day.AddDate(0, 7, 14), `"later"`)
	kept("http://a.test/feed?utm_source=a&utm_medium=b", day, `"far"`)
	kept("http://a.test/feed?utm_source=a", hour, `"near"`)
	kept("http://a.test/exact?_=1589710830000", day.AddDate(-5, 0, 0), `"old"`)
	kept("http://a.test/exact?_=1589710830001", day, `"new"`)
	kept("http://a.test/old?_=1589710830000", day.AddDate(0, 0, -2), `"of another run"`)
	a.capture(capture{url: "http://a.test/err?_=1589710830000", response: message(500, js, "")})
	a.capture(capture{url: "http://a.test/api", request: posted("POST", form, "q=x&_=1589710830000"), response: message(200, js, `"posted"`)})
	a.page("http://a.test/page?utm_source=a", "text/html", "<p>a page")
	for i := range 30 { // more captures of one key than are read over
		kept("http://a.test/busy?id=0", day.Add(time.Duration(i)*time.Second), fmt.Sprint(i))
	}
	kept("http://a.test/busy?id=1&cb=1589710830000", day, `"behind"`)
	a.handler.Fuzzy = fuzzy.Default

	const at = "/web/" + stamp
	for _, c := range []struct {
		name, target string
		fields       []string
		body, says   string // "" as says: it is what was asked for
	}{
		{"a cache buster", at + "mp_/http://a.test/data?id=1&_=1700000000000", nil, `"one"`,
			`cache-buster; asked="_=1700000000000"; found="_=1589710830000"`},
		{"of another page's time", "/web/20210101000000mp_/http://a.test/data?id=1&_=1700000000000", nil, `"later"`,
			`cache-buster; asked="_=1700000000000"; found="_=1609459200000"`},
		{"of a time from which there is none", "/web/20180101000000mp_/http://a.test/data?id=1&_=1700000000000", nil, "", ""},
		{"without one", at + "mp_/http://a.test/data?id=2", nil, `"two"`, `cache-buster; asked=""; found="_=1589710830001"`},
		{"by its destination", at + "/http://a.test/data?id=2", []string{"Sec-Fetch-Dest: empty"}, `"two"`, `cache-buster; asked=""; found="_=1589710830001"`},
		{"of another id", at + "mp_/http://a.test/data?id=3&_=1589710830000", nil, "", ""},
		{"the one that differs least", at + "mp_/http://a.test/feed?utm_source=a&fbclid=x", nil, `"near"`, `campaign; asked="fbclid=x"; found=""`},
		{"the one that was asked for, however old", at + "mp_/http://a.test/exact?_=1589710830000", nil, `"old"`, ""},
		{"of two days before", at + "mp_/http://a.test/old?_=1589710830001", nil, "", ""},
		{"an answer that was none", at + "mp_/http://a.test/err?_=1589710830001", nil, "", ""},
		{"behind a key of many captures", at + "js_/http://a.test/busy?id=1&cb=1700000000000", nil, `"behind"`,
			`cache-buster; asked="cb=1700000000000"; found="cb=1589710830000"`},
		{"a page", at + "/http://a.test/page?utm_source=b", nil, "", ""},
		{"exact bytes", at + "id_/http://a.test/data?id=2", nil, "", ""},
		{"a frame", at + "if_/http://a.test/page?utm_source=b", nil, "", ""},
		{"what the rules know nothing of", at + "im_/urn:uuid:1", nil, "", ""},
	} {
		got := a.get(c.target, c.fields...)
		if found := got.StatusCode == 200; found != (c.body != "") || found && got.body != c.body {
			t.Errorf("%s: %d %.100s", c.name, got.StatusCode, got.body)
		}
		if says := got.Header.Get("X-Archive-Fuzzy"); says != c.says {
			t.Errorf("%s: it says %s", c.name, says)
		}
	}
	if got := a.send("POST", at+"mp_/http://a.test/api", form, "q=x&_=1700000000000"); got.body != `"posted"` || got.Header.Get("X-Archive-Fuzzy") == "" {
		t.Errorf("POST: %d %s %q", got.StatusCode, got.body, got.Header)
	}
	if got := a.send("POST", at+"mp_/http://a.test/api", form, "q=y&_=1700000000000"); got.StatusCode != 404 {
		t.Errorf("POST of something else: %d %s", got.StatusCode, got.body)
	}
	a.handler.FuzzyWithin = 3 * 24 * time.Hour
	if got := a.get(at + "mp_/http://a.test/old?_=1589710830001"); got.StatusCode != 200 {
		t.Errorf("within three days: %d", got.StatusCode)
	}
	a.handler.Fuzzy = nil
	if got := a.get(at + "mp_/http://a.test/data?id=2"); got.StatusCode != 404 {
		t.Errorf("switched off: %d", got.StatusCode)
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}
