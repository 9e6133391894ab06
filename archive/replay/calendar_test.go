package replay_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// busy is an index of a page with thousands of captures in three years, of every sort, and of what stands under a folder. It has
// rows alone.
func busy(t testing.TB) *testArchive {
	a := newArchive(t)
	var cs []storage.Capture
	add := func(url string, at time.Time, status int, kind string) {
		c := storage.Capture{
			Collection: collection, URLKey: urlkey.Key(url), URL: url, At: at, Segment: "s", Offset: int64(len(cs)), Status: status, Kind: kind, Mime: "text/html",
			Digest: "sha256:x", RecordID: fmt.Sprintf("<urn:uuid:%d>", len(cs)), Outcome: "captured",
		}
		cs = append(cs, c)
	}
	const page = "http://a.test/news"
	for i := range 1500 {
		add(page, time.Date(2016, 3, 15, 0, 0, 0, 0, time.UTC).Add(time.Duration(i)*50*time.Second), 200, "response")
	}
	for i := range 30 {
		kind, status := "revisit", 200
		switch i % 5 {
		case 1:
			kind, status = "response", 404
		case 2:
			kind, status = "response", 301
		}
		add(page, time.Date(2018, 5, 1+2*(i%15), 12, i, 0, 0, time.UTC), status, kind)
	}
	add("https://www.a.test/news", time.Date(2020, 1, 31, 23, 59, 59, 0, time.UTC), 200, "response")
	for i := range 250 {
		add(fmt.Sprintf("http://a.test/dir/page-%03d?q='(%d)'", i, i), time.Date(2010+i%10, 1, 1, 0, 0, 0, 0, time.UTC), 200, "response")
	}
	add("http://a.test/dir/", time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), 200, "response")
	add("http://a.test/dir", time.Date(2015, 6, 1, 0, 0, 0, 0, time.UTC), 200, "response")
	add("http://a.test/directory", time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), 200, "response")
	add("http://sub.a.test/x", time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), 200, "response")
	add("http://a-b.test/x", time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), 200, "response")
	must(t, a.db.Adopt(t.Context(), []storage.End{{Captures: cs}}))
	return a
}

// TestCalendar walks from all years down to a minute, by the links of the pages.
func TestCalendar(t *testing.T) {
	a := busy(t)
	const page = "http://a.test/news"
	at := "/web/*/" + page
	for _, step := range []struct {
		next string   // the label or text of the link that leads on
		want []string // that the page says
		rows int      // captures listed
	}{
		{"March 2016: 1500 captures", []string{
			"1531 captures; these are the newest 100, newest first", ">2020</a>", `aria-label="May 2018: 30 captures"`, `aria-label="January 2020: 1 capture"`,
		}, 100},
		{"15 March 2016: 1500 captures", []string{"All years", `>2016</a>`, `aria-current="page">March 2016`, "2018 →", "<sup>1500</sup>"}, 100},
		{"13:00", []string{`<span class="note">72</span>`, "March 2016</a>", `aria-current="page">15 March 2016`}, 100},
		{"", []string{"72 captures, newest first", `aria-current="page">13 h`}, 72},
	} {
		got := a.get(at)
		if rows := strings.Count(got.body, "exact bytes of"); got.StatusCode != 200 || rows != step.rows {
			t.Errorf("%s: %d, %d captures, want %d", at, got.StatusCode, rows, step.rows)
		}
		for _, want := range step.want {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s lacks %s:\n%.6000s", at, want, got.body)
			}
		}
		if step.next == "" {
			break
		}
		m := regexp.MustCompile(`<a href="([^"]*)"(?:[^>]*aria-label="` + step.next + `"|>` + step.next + `<)`).FindStringSubmatch(got.body)
		if m == nil {
			t.Fatalf("%s does not lead to %s:\n%s", at, step.next, got.body)
		}
		at = m[1]
	}
	year := a.get("/web/2018*/" + page)
	for _, want := range []string{
		"30 captures, newest first", `class="same" aria-label="1 May 2018: 2 captures (2 the same as another)"`, `class="failed" aria-label="3 May 2018: 2 captures (2 errors)"`,
		`class="moved" aria-label="5 May 2018: 2 captures (2 redirects)"`, "← 2016", "2020 →",
	} {
		if !strings.Contains(year.body, want) {
			t.Errorf("the year lacks %s:\n%s", want, year.body)
		}
	}
	for target, want := range map[string]int{
		"/web/2017*/" + page: 404, "/web/201*/" + page: 200, "/web/20160315130*/" + page: 200, "/web/20160315130000*/" + page: 200, "/web/9999*/" + page: 404, "/web/0*/" + page: 404,
		"/web/2*/https://www.a.test/news/": 200,
	} {
		if got := a.get(target); got.StatusCode != want || !strings.Contains(got.body, "</html>") {
			t.Errorf("%s: %d, want %d", target, got.StatusCode, want)
		}
	}
}

// TestPrefixPages walks through what stands under a folder, each URL once.
func TestPrefixPages(t *testing.T) {
	a := busy(t)
	row := regexp.MustCompile(`<tr role="row"><td role="cell" class="url"><a href="([^"]*)">([^<]*)</a></td><td role="cell" class="n"><span class="label">Captures: </span>(\d+)</td>`)
	next := regexp.MustCompile(`<a href="([^"]*)" rel="next">`)
	var urls []string
	pages := 0
	for at := "/web/*/http://a.test/dir/*"; at != ""; pages++ {
		got := a.get(at)
		if got.StatusCode != 200 || pages > 5 {
			t.Fatalf("%s: %d\n%s", at, got.StatusCode, got.body)
		}
		for _, m := range row.FindAllStringSubmatch(got.body, -1) {
			urls = append(urls, m[2])
			if list := a.get(strings.NewReplacer("&#39;", "'", "&amp;", "&").Replace(m[1])); list.StatusCode != 200 || !strings.Contains(list.body, m[3]+" capture") {
				t.Errorf("%s leads to %d:\n%s", m[1], list.StatusCode, list.body)
			}
		}
		at = ""
		if m := next.FindStringSubmatch(got.body); m != nil {
			at = m[1]
		}
	}
	if pages != 3 || len(urls) != 251 || urls[0] != "http://a.test/dir" || urls[250] != "http://a.test/dir/page-249?q=&#39;(249)&#39;" {
		t.Errorf("%d pages, %d URLs: %v", pages, len(urls), urls)
	}
	for target, want := range map[string][]string{
		"/web/*/http://a.test/dir*":      {"100 URLs, and there are more", "http://a.test/dir<"},
		"/web/*/http://a.test/direct*":   {"1 URL<", "http://a.test/directory<"},
		"/web/2016*/http://a.test/dir/*": {"25 URLs<", "page-006"},
		"/web/*/*.a.test":                {"there are more", "*.a.test"},
		"/web/2015*/http://*.a.test/":    {"http://sub.a.test/x<", "http://a.test/directory<"},
		"/web/2018*/http://a.test/*":     {"26 URLs<", "http://a.test/news<", "</span>30</td>"},
		"/web/*/http://b.test/*":         {"no capture of an address that begins so"},
		"/web/*/http://*.a.test:8080/":   {"without a port"},
	} {
		got := a.get(target)
		for _, w := range want {
			if !strings.Contains(got.body, w) {
				t.Errorf("%s (%d) lacks %s:\n%s", target, got.StatusCode, w, got.body)
			}
		}
		if strings.Contains(got.body, "a-b.test") {
			t.Errorf("%s tells of another host", target)
		}
	}
}

// TestTwins: of two captures of a URL within a second each has an address of its own, and stays there.
func TestTwins(t *testing.T) {
	a := newArchive(t)
	for _, body := range []string{"one", "other", "other"} {
		a.page("http://a.test/x", "text/plain", body)
	}
	a.capture(capture{url: "http://a.test/x", at: day.Add(time.Second), response: message(200, "text/plain", "later")})
	list := a.get("/web/*/http://a.test/x").body
	links := regexp.MustCompile(`<a href="([^"]+/http://a.test/x)"(?: aria-label="exact[^"]*")?><time|<a href="([^"]+)" aria-label="exact`).FindAllStringSubmatch(list, -1)
	seen := map[string]int{}
	for _, m := range links {
		path := m[1] + m[2]
		got := a.get(path)
		if got.StatusCode != 200 || got.Header.Get("Location") != "" {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
		if strings.Contains(path, "~") {
			if self := "<" + testOrigin + strings.Replace(path, "id_", "", 1) + ">; rel="; !strings.Contains(got.Header.Get("Link"), self) {
				t.Errorf("%s names itself otherwise: %s", path, got.Header.Get("Link"))
			}
		}
		seen[got.body]++
	}
	if want := (map[string]int{"one": 2, "other": 4, "later": 2}); !maps.Equal(seen, want) || strings.Count(list, "one of several within that second") != 3 {
		t.Errorf("the calendar leads to %v, want %v:\n%s", seen, want, list)
	}
	if got := a.get("/web/" + stamp + "im_~none/http://a.test/x"); got.StatusCode != 200 { // a page's own part, by a relative address
		t.Errorf("a part: %d", got.StatusCode)
	}
	for target, want := range map[string]int{
		"/web/" + stamp + "~none/http://a.test/x": 302, "/web/" + stamp + "id_~none/http://a.test/x": 302, // to what the second has
		"/web/20200517102031~none/http://a.test/x": 302, "/web/2020~none/http://a.test/x": 302, "/web/" + stamp + "~x!/http://a.test/x": 404,
	} {
		if got := a.get(target); got.StatusCode != want || strings.Contains(got.Header.Get("Location"), "~") {
			t.Errorf("%s: %d to %q, want %d", target, got.StatusCode, got.Header.Get("Location"), want)
		}
	}
}
