package cdx_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"linkstead/archive/cdx"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct{ query, url, match string }{
		{"url=http://site.example/", "http://site.example/", "exact"},
		{"url=site.example/a/*", "site.example/a/", "prefix"},
		{"url=*.site.example", "site.example", "domain"},
		{"url=*.site.example/*", "site.example", "domain"},
		{"url=https://*.site.example/", "https://site.example", "domain"},
		{"url=site.example/*&matchType=host", "site.example/", "host"},
		{"url=*.site.example&matchType=host", "site.example", "host"},
		{"url=site.example/a*&matchType=exact", "site.example/a*", "exact"},
		{"url=site.example/a*b", "site.example/a*b", "exact"},
		{"url=*", "", "prefix"},
		{"url=site.example/*&matchType=&from=&limit=&filter=&fl=&sort=&closest=&page=&output=&resumeKey=", "site.example/", "prefix"}, // no value, not given
		{"url=site.example&matchType=domain", "site.example", "domain"},
	} {
		q := query(t, cdx.Pywb, c.query)
		if q.URL != c.url || q.Match != c.match {
			t.Errorf("%s: %q, %s, want %q, %s", c.query, q.URL, q.Match, c.url, c.match)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct{ query, since, until string }{ // until is the last second
		{"from=2014&to=2014", "20140101000000", "20141231235959"},
		{"from=201402&to=201402", "20140201000000", "20140228235959"},
		{"from=201602&to=201602", "20160201000000", "20160229235959"},
		{"from=20141&to=20141", "20141001000000", "20141231235959"},
		{"from=201&to=201", "20100101000000", "20191231235959"},
		{"from=20140105101112&to=20140105101112", "20140105101112", "20140105101112"},
		{"from=20149999999999&to=20149999999999", "20141231235959", "20141231235959"},
		{"from=2014010510", "20140105100000", ""},
		{"to=9", "", "99991231235959"},
	} {
		q := query(t, cdx.Wayback, c.query)
		show := func(at time.Time, less time.Duration) string {
			if at.IsZero() {
				return ""
			}
			return at.Add(-less).Format("20060102150405")
		}
		if since, until := show(q.Since, 0), show(q.Until, time.Second); since != c.since || until != c.until {
			t.Errorf("%s: %s to %s, want %s to %s", c.query, since, until, c.since, c.until)
		}
	}
	q := query(t, cdx.Pywb, "url=a&closest=2015")
	if q.Order != cdx.Nearest || q.Closest.Format("20060102150405") != "20150101000000" {
		t.Errorf("closest=2015: %v %v", q.Order, q.Closest)
	}
	for _, early := range []string{"0001", "00010101000000", "0"} {
		if q := query(t, cdx.Pywb, "url=a&closest="+early); q.Order != cdx.Nearest || q.Closest.IsZero() {
			t.Errorf("closest=%s: %v %v", early, q.Order, q.Closest)
		}
	}
	if q := query(t, cdx.Pywb, "url=a&closest=2015&sort=reverse"); q.Order != cdx.Reversed {
		t.Errorf("sort=reverse: %v", q.Order)
	}
}

// TestFaults: what can't be read, or can't be combined, is told by its name.
func TestFaults(t *testing.T) {
	long := strings.Repeat("a", 600)
	for _, c := range []struct {
		dialect      cdx.Dialect
		query, names string
	}{
		{cdx.Pywb, "", "url"}, {cdx.Pywb, "url=", "url"}, {cdx.Pywb, "url=a&url=b", "url"},
		{cdx.Pywb, "url=" + strings.Repeat("a", 17<<10), "url"}, {cdx.Pywb, "url=*.a.example/x", "url"}, {cdx.Pywb, "url=*.a.*.b", "url"},
		{cdx.Pywb, "url=*&matchType=host", "url"}, {cdx.Wayback, "url=*&matchType=domain", "url"},
		{cdx.Pywb, "url=a&matchType=fuzzy", "matchType"}, {cdx.Wayback, "url=a&matchType=Exact", "matchType"},
		{cdx.Pywb, "url=a&from=2014-01-01", "from"}, {cdx.Wayback, "url=a&to=201401011212121", "to"},
		{cdx.Pywb, "url=a&from=2015&to=2014", "from"},
		{cdx.Pywb, "url=a&sort=urlkey", "sort"}, {cdx.Pywb, "url=a&sort=closest", "closest"}, {cdx.Pywb, "url=a&closest=x", "closest"},
		{cdx.Pywb, "url=a*&closest=2014", "sort"}, {cdx.Pywb, "url=a&closest=2014&page=1", "sort"}, {cdx.Wayback, "url=a&closest=2014&limit=-1", "sort"},
		{cdx.Pywb, "url=a&limit=x", "limit"}, {cdx.Pywb, "url=a&limit=0", "limit"}, {cdx.Pywb, "url=a&limit=-1", "limit"}, {cdx.Pywb, "url=a&limit=99999999999", "limit"},
		{cdx.Wayback, "url=a&limit=0", "limit"}, {cdx.Wayback, "url=a&limit=-10001", "limit"}, {cdx.Wayback, "url=a&limit=-1&offset=1", "limit"},
		{cdx.Wayback, "url=a&limit=-1&showResumeKey=true", "limit"}, {cdx.Wayback, "url=a&limit=-1&page=0", "limit"},
		{cdx.Wayback, "url=a&offset=-1", "offset"}, {cdx.Wayback, "url=a&offset=x", "offset"},
		{cdx.Pywb, "url=a&page=-1", "page"}, {cdx.Pywb, "url=a&pageSize=0", "pageSize"}, {cdx.Pywb, "url=a&pageSize=51", "pageSize"},
		{cdx.Pywb, "url=a&page=0&showResumeKey=true", "page"},
		{cdx.Pywb, "url=a&showNumPages=perhaps", "showNumPages"}, {cdx.Pywb, "url=a&showPagedIndex=true", "showPagedIndex"},
		{cdx.Pywb, "url=a&filter=status", "filter"}, {cdx.Pywb, "url=a&filter=size:1", "filter"}, {cdx.Pywb, "url=a&filter=~mime:(", "filter"},
		{cdx.Wayback, "url=a&filter=mimetype:(?=x)", "filter"}, {cdx.Wayback, "url=a&filter=mimetype:" + long, "filter"}, {cdx.Wayback, "url=a&filter=dupecount:1", "filter"},
		{cdx.Wayback, "url=a" + strings.Repeat("&filter=status:1", 17), "filter"}, {cdx.Wayback, "url=a" + strings.Repeat("&collapse=digest", 9), "collapse"},
		{cdx.Wayback, "url=a&collapse=digest:0", "collapse"}, {cdx.Wayback, "url=a&collapse=digest:x", "collapse"}, {cdx.Wayback, "url=a&collapse=size", "collapse"},
		{cdx.Pywb, "url=a&collapseTime=15", "collapseTime"},
		{cdx.Pywb, "url=a&fl=urlkey,size", "fl"}, {cdx.Pywb, "url=a&fl=" + strings.Repeat("url,", 21), "fl"},
		{cdx.Pywb, "url=a&output=xml", "output"}, {cdx.Wayback, "url=a&output=cdxj", "output"}, {cdx.Pywb, "url=a*&output=link", "output"},
		{cdx.Wayback, "url=a&resumeKey=x", "resumeKey"}, {cdx.Wayback, "url=a&resumeKey=" + long + strings.Repeat(long, 8), "resumeKey"},
		{cdx.Wayback, "url=a&gzip=maybe", "gzip"},
	} {
		v, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := cdx.Parse(c.dialect, v)
		var p *cdx.ParamError
		if q != nil || !errors.As(err, &p) || p.Name != c.names {
			t.Errorf("%.80q: %v, want a fault of %s", c.query, err, c.names)
		} else if len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80q: its message is too long: %v", c.query, err)
		}
	}
	q := query(t, cdx.Pywb, "url=a&form=2014&collapse=digest")
	if strings.Join(q.Unknown, " ") != "collapse form" {
		t.Errorf("unknown: %v", q.Unknown)
	}
}

func TestContentTypes(t *testing.T) {
	for _, c := range []struct {
		dialect     cdx.Dialect
		query, want string
	}{
		{cdx.Pywb, "", "text/x-cdxj; charset=utf-8"}, {cdx.Pywb, "output=json", "application/x-ndjson"}, {cdx.Pywb, "output=text", "text/plain; charset=utf-8"},
		{cdx.Pywb, "url=a&output=link", "application/link-format"}, {cdx.Pywb, "showNumPages=true", "application/json"},
		{cdx.Wayback, "", "text/plain; charset=utf-8"}, {cdx.Wayback, "output=json", "application/json"}, {cdx.Wayback, "showNumPages=true&output=json", "text/plain; charset=utf-8"},
	} {
		if got := query(t, c.dialect, c.query).ContentType(); got != c.want {
			t.Errorf("%q: %s, want %s", c.query, got, c.want)
		}
	}
}

// FuzzParse: a query is read or refused by the name of a parameter; an answer to it is well-formed whatever it says.
func FuzzParse(f *testing.F) {
	f.Add("url=a*&filter=~status:2..&fl=url,orig.length&collapseTime=4&limit=3&showResumeKey=true", false)
	f.Add("url=*.a&collapse=digest:3&showSkipCount=1&lastSkipTimestamp=1&showDupeCount=1&output=json&limit=-2", true)
	f.Add("url=a&closest=2&output=link", true)
	f.Add("url=a&resumeKey="+index[2].Place.String(), true)
	f.Fuzz(func(t *testing.T, text string, wayback bool) {
		d := cdx.Pywb
		if wayback {
			d = cdx.Wayback
		}
		v, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := cdx.Parse(d, v)
		if err != nil {
			if !errors.As(err, new(*cdx.ParamError)) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		_ = ask(t, q, index, 0)
		_ = ask(t, q, index, 3)
	})
}
