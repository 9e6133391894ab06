package replay_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
)

// decades is an archive of a page that changes, moves and dies: http until 2016, https from then on.
func decades(t testing.TB) *testArchive {
	a := newArchive(t)
	for _, c := range []struct {
		year                      int
		url, location, mime, body string
		status                    int
	}{
		{2010, "http://a.test/x", "", "text/html", "ten", 200},
		{2012, "http://a.test/x", "", "text/html", "twelve", 200},
		{2014, "http://a.test/x", "", "text/html", "gone", 404},
		{2015, "http://a.test/x", "", "text/html", "broken", 500},
		{2016, "http://a.test/x", "http://b.test/y", "text/html", "moved", 302},
		{2018, "http://a.test/x", "https://a.test/x", "text/html", "self", 301},
		{2018, "https://a.test/x", "", "text/html", "eighteen", 200},
	} {
		fields := []string{}
		if c.location != "" {
			fields = append(fields, "Location: "+c.location)
		}
		at := time.Date(c.year, 3, 1, 12, 0, 0, 0, time.UTC)
		if strings.HasPrefix(c.url, "https:") {
			at = at.Add(time.Second)
		}
		a.capture(capture{url: c.url, at: at, response: message(c.status, c.mime, c.body, fields...)})
	}
	return a
}

// TestMemento holds replay to RFC 7089, clause by clause.
func TestMemento(t *testing.T) {
	a := decades(t)
	const (
		gate = "/web/http://a.test/x"
		map0 = `<` + testOrigin + `/web/timemap/link/http://a.test/x>; rel="timemap"; type="application/link-format"; from="Mon, 01 Mar 2010 12:00:00 GMT"; until="Thu, 01 Mar 2018 12:00:01 GMT"`
	)
	memento := func(year, url, rel string) string {
		at, err := time.Parse("20060102150405", year+"0301120000"[:10])
		must(t, err)
		if strings.HasPrefix(url, "https:") {
			at = at.Add(time.Second)
		}
		return "<" + testOrigin + "/web/" + at.Format("20060102150405") + "/" + url + `>; rel="` + rel + `"; datetime="` + at.Format(http.TimeFormat) + `"`
	}
	for _, c := range []struct {
		clause, target, when string
		status               int
		location, datetime   string
		links                []string // that the Link field has
		not                  string   // what it has not
	}{
		{"§4.2.1 a TimeGate redirects to the nearest", gate, "Tue, 01 Nov 2011 00:00:00 GMT", 302, "/web/20120301120000/http://a.test/x", "", []string{
			`<http://a.test/x>; rel="original"`, `<` + testOrigin + gate + `>; rel="timegate"`, map0,
			memento("2010", "http://a.test/x", "first prev memento"), memento("2012", "http://a.test/x", "memento"),
			memento("2014", "http://a.test/x", "next memento"), memento("2018", "https://a.test/x", "last memento"),
		}, ""},
		{"§4.5.3 before the first", gate, "Sat, 01 Jan 1000 00:00:00 GMT", 302, "/web/20100301120000/http://a.test/x", "", []string{memento("2010", "http://a.test/x", "first memento")}, "prev"},
		{"§4.5.3 after the last", gate, "Fri, 31 Dec 9999 23:59:59 GMT", 302, "/web/20180301120001/https://a.test/x", "", []string{memento("2018", "https://a.test/x", "last memento")}, "next"},
		{"§4.5.3 no time: the last", gate, "", 302, "/web/20180301120001/https://a.test/x", "", []string{memento("2018", "https://a.test/x", "last memento")}, "next"},
		{"§4.5.3 a time that is none", gate, "yesterday", 400, "", "", nil, "memento"},
		{"§4.5.3 another spelling", gate, "Sunday, 06-Nov-94 08:49:37 GMT", 400, "", "", nil, "memento"},
		{"§4.5.3 another zone", gate, "Tue, 01 Nov 2011 00:00:00 CET", 400, "", "", nil, "memento"},
		{"§4.5.3 fractions", gate, "Tue, 01 Nov 2011 00:00:00.5 GMT", 400, "", "", nil, "memento"},
		{"§4.5.3 a day that is none", gate, "Tue, 31 Feb 2011 00:00:00 GMT", 400, "", "", nil, "memento"},
		{"§4.2 nothing is archived", "/web/http://a.test/none", "Tue, 01 Nov 2011 00:00:00 GMT", 404, "", "", []string{`<http://a.test/none>; rel="original"`}, "memento"},
		{"§2.1.1 a memento says when", "/web/20100301120000/http://a.test/x", "", 200, "", "Mon, 01 Mar 2010 12:00:00 GMT", []string{
			`<http://a.test/x>; rel="original"`, `<` + testOrigin + gate + `>; rel="timegate"`, map0, memento("2010", "http://a.test/x", "first memento"),
			memento("2012", "http://a.test/x", "next memento"),
		}, "prev"},
		{"§4.2.1 a memento is not negotiated", "/web/20100301120000/http://a.test/x", "Thu, 01 Mar 2018 12:00:00 GMT", 200, "", "Mon, 01 Mar 2010 12:00:00 GMT", nil, "prev"},
		{"§4.5.4 a memento of a redirect", "/web/20160301120000/http://a.test/x", "", 302, "/web/20160301120000/http://b.test/y", "Tue, 01 Mar 2016 12:00:00 GMT",
			[]string{memento("2015", "http://a.test/x", "prev memento"), memento("2018", "https://a.test/x", "last next memento")}, ""},
		{"§4.5.5 a memento of a 404", "/web/20140301120000/http://a.test/x", "", 404, "", "Sat, 01 Mar 2014 12:00:00 GMT", []string{memento("2014", "http://a.test/x", "memento")}, ""},
		{"§4.5.5 a memento of a 500", "/web/20150301120000/http://a.test/x", "", 500, "", "Sun, 01 Mar 2015 12:00:00 GMT", []string{memento("2015", "http://a.test/x", "memento")}, ""},
		{"§2.1.1 our own redirect is no memento", "/web/2011/http://a.test/x", "", 302, "/web/20120301120000/http://a.test/x", "", nil, "prev"},
		{"a redirect to itself is none", "/web/20180301120000/http://a.test/x", "", 302, "/web/20180301120001/https://a.test/x", "", nil, "prev"},
		{"§2.1.1 exact bytes", "/web/20120301120000id_/http://a.test/x", "", 200, "", "Thu, 01 Mar 2012 12:00:00 GMT", []string{memento("2012", "http://a.test/x", "memento")}, ""},
	} {
		t.Run(c.clause, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				fields := []string{method}
				if c.when != "" {
					fields = append(fields, "Accept-Datetime: "+c.when)
				}
				got := a.get(c.target, fields...)
				if got.StatusCode != c.status || got.Header.Get("Location") != c.location || got.Header.Get("Memento-Datetime") != c.datetime {
					t.Errorf("%s: %d %q %q, want %d %q %q", method, got.StatusCode, got.Header.Get("Location"), got.Header.Get("Memento-Datetime"), c.status, c.location, c.datetime)
				}
				link := got.Header.Get("Link")
				for _, want := range c.links {
					if !strings.Contains(link, want) {
						t.Errorf("%s: Link\n\t%s\nlacks\n\t%s", method, strings.ReplaceAll(link, ", <", ",\n\t<"), want)
					}
				}
				if c.not != "" && strings.Contains(link, c.not) {
					t.Errorf("%s: Link\n\t%s\nhas %s", method, strings.ReplaceAll(link, ", <", ",\n\t<"), c.not)
				}
				if gated := strings.HasPrefix(c.target, "/web/http"); gated != strings.Contains(got.Header.Get("Vary"), "accept-datetime") {
					t.Errorf("%s: §2.1.2 Vary is %q", method, got.Header.Get("Vary"))
				}
			}
		})
	}
	if got := a.get(gate, "Accept-Datetime: Tue, 01 Nov 2011 00:00:00 GMT", "Accept-Datetime: Wed, 02 Nov 2011 00:00:00 GMT"); got.StatusCode != 400 {
		t.Errorf("two times: %d", got.StatusCode)
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}

// TestTimeIsKept: whoever follows redirects of the past stays at the time that was asked for, though each has its own.
func TestTimeIsKept(t *testing.T) {
	a := newArchive(t)
	year := func(y int) time.Time { return time.Date(y, 7, 1, 0, 0, 0, 0, time.UTC) }
	for i, hop := range []string{"http://a.test/", "http://b.test/", "http://c.test/"} {
		next := []string{"http://b.test/", "http://c.test/", "http://d.test/"}[i]
		for _, y := range []int{2013 - i, 2019 + i} { // farther and farther from 2016
			a.capture(capture{url: hop, at: year(y), response: message(301, "text/plain", hop, "Location: "+next)})
		}
	}
	for _, y := range []int{2009, 2015, 2022} {
		a.capture(capture{url: "http://d.test/", at: year(y), response: message(200, "text/plain", "as of "+year(y).Format("2006"))})
	}
	for _, from := range []string{"/web/2016/http://a.test/", "/web/20160701000000/a.test", "/web/20160701000000id_/http://a.test/", "/web/2016if_/http://a.test/", "/web/http://a.test/"} {
		target := from
		hops, kept := 0, 0
		for ; ; hops++ {
			got := a.get(target, "Accept-Datetime: Fri, 01 Jul 2016 00:00:00 GMT")
			if got.StatusCode == 301 {
				if got.Header.Get("Memento-Datetime") == "" {
					t.Errorf("%s: a redirect of the past is a memento", target)
				}
				kept++
			}
			if got.StatusCode/100 != 3 {
				if got.body != "as of 2015" || kept != 3 {
					t.Errorf("%s leads to %s: %d %q, through %d redirects of the past", from, target, got.StatusCode, got.body, kept)
				}
				break
			}
			if target = got.Header.Get("Location"); hops > 8 {
				t.Fatalf("%s goes on to %s", from, target)
			}
		}
	}
}

// TestSelfRedirects: captures that only lead back are passed over, many of them, and whatever their order; where there is
// nothing else, they are shown, and lead nowhere.
func TestSelfRedirects(t *testing.T) {
	a := newArchive(t)
	for i := range 30 {
		at := day.Add(time.Duration(i) * time.Hour)
		a.capture(capture{url: "http://www.a.test/", at: at, response: message(301, "text/html", "to https", "Location: https://www.a.test/")})
		a.capture(capture{url: "https://www.a.test/", at: at.Add(time.Second), response: message(301, "text/html", "off www", "Location: https://a.test/")})
		if i%10 == 5 {
			a.capture(capture{url: "https://a.test/", at: at.Add(2 * time.Second), response: message(200, "text/html", "here "+at.Format("150405"))})
		}
	}
	for _, c := range [][2]string{{"20200517102030", "here 152030"}, {"20200518102030", "here 112030"}, {"20200519102030", "here 112030"}, {"1", "here 152030"}} {
		for _, url := range []string{"http://www.a.test/", "https://www.a.test/", "http://a.test/"} {
			if got := a.follow("/web/" + c[0] + "id_/" + url); got.body != c[1] {
				t.Errorf("%s at %s: %d %q, want %q", url, c[0], got.StatusCode, got.body, c[1])
			}
		}
	}
	// All three that are shown are neighbours of each other, over what lies between.
	got := a.get("/web/20200518012032/https://a.test/")
	for _, want := range []string{`/web/20200517152032/https://a.test/>; rel="first prev memento"`, `/web/20200518112032/https://a.test/>; rel="last next memento"`} {
		if link := got.Header.Get("Link"); !strings.Contains(link, want) {
			t.Errorf("%d Link %s lacks %s", got.StatusCode, link, want)
		}
	}
}

// TestVerySecond: what is never the best answer is shown to whoever asks for its very second.
func TestVerySecond(t *testing.T) {
	a := newArchive(t)
	a.capture(capture{url: "http://a.test/", at: day, truncated: "length", response: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123"})
	a.capture(capture{url: "http://a.test/", at: day.AddDate(1, 0, 0), response: message(200, "text/plain", "0123456789")})
	for stamp, want := range map[string]string{"20200517102030": "0123", "20200517102031": "0123456789", "2020": "0123456789"} {
		if got := a.follow("/web/" + stamp + "id_/http://a.test/"); got.body != want {
			t.Errorf("%s: %q, want %q", stamp, got.body, want)
		}
	}
}

// TestLongLinks: a Link field never grows beyond what clients take.
func TestLongLinks(t *testing.T) {
	a := newArchive(t)
	for _, n := range []int{1000, 3000, 15000} {
		long := "http://a.test/" + strings.Repeat("x", n)
		for i := range 3 {
			a.capture(capture{url: long, at: day.AddDate(i, 0, 0), response: message(200, "text/plain", "long")})
		}
		got := a.get("/web/20210517102030/" + long)
		link := got.Header.Get("Link")
		if got.StatusCode != 200 || !strings.HasPrefix(link, "<"+long+`>; rel="original"`) || len(link) > max(8<<10, n+100) {
			t.Errorf("%d: %d, a Link of %d bytes", n, got.StatusCode, len(link))
		}
	}
}

// FuzzAcceptDatetime: whatever is sent, a TimeGate answers 302, 400 or 404, says that it negotiates, and is no memento.
func FuzzAcceptDatetime(f *testing.F) {
	for _, s := range []string{"Thu, 31 May 2007 20:35:00 GMT", "Thu, 31 May 2007 20:35:00.5 GMT", "", "now", "Thu, 31 May 07 20:35:00 GMT", "\xff", "Mon, 01 Jan 0000 00:00:00 GMT"} {
		f.Add(s, "http://a.test/x")
	}
	a := decades(f)
	f.Fuzz(func(t *testing.T, when, target string) {
		a := &testArchive{t: t, handler: a.handler}
		if strings.ContainsAny(when, "\r\n\x00") {
			return
		}
		if u, err := urlkey.Parse("", target); err != nil || !urlkey.Fetchable(u) || strings.ContainsAny(target, "\r\n") {
			return
		}
		if !strings.HasPrefix(target, "http:/") && !strings.HasPrefix(target, "https:/") {
			return
		}
		got := a.get("/web/"+target, "Accept-Datetime: "+when)
		if s := got.StatusCode; s != 302 && s != 400 && s != 404 {
			t.Fatalf("%q %q: %d", when, target, s)
		}
		if got.Header.Get("Memento-Datetime") != "" {
			t.Fatalf("%q %q: a TimeGate is no memento", when, target)
		}
		if to := got.Header.Get("Location"); to != "" {
			if _, err := url.Parse(testOrigin + to); err != nil || !strings.HasPrefix(to, "/web/") {
				t.Fatalf("%q %q: leads to %q", when, target, to)
			}
		}
	})
}
