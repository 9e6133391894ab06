package replay_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/replay"
)

// mapLink is a link of a TimeMap.
type mapLink struct{ uri, rel, datetime, from, until, mime string }

var linkForm = regexp.MustCompile(`^<([^<> ]+)>; rel="([a-z ]+)"(?:; type="([^"]*)")?(?:; from="([^"]*)"; until="([^"]*)")?(?:; datetime="([^"]*)")?$`)

// timemap reads a TimeMap in link format, strictly.
func (a *testArchive) timemap(target string) (links []mapLink) {
	a.t.Helper()
	got := a.get(strings.TrimPrefix(target, testOrigin))
	if got.StatusCode != 200 || got.Header.Get("Content-Type") != "application/link-format" || got.Header.Get("Memento-Datetime") != "" {
		a.t.Fatalf("%s: %d %v", target, got.StatusCode, got.Header)
	}
	if !strings.HasSuffix(got.body, "\n") {
		a.t.Errorf("%s has no end:\n%s", target, got.body)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(got.body, "\n"), ",\n") {
		m := linkForm.FindStringSubmatch(line)
		if m == nil {
			a.t.Fatalf("%s: %q is no link", target, line)
		}
		links = append(links, mapLink{uri: m[1], rel: m[2], mime: m[3], from: m[4], until: m[5], datetime: m[6]})
	}
	return links
}

func mementosOf(links []mapLink) (out []mapLink) {
	for _, l := range links {
		if strings.Contains(l.rel, "memento") {
			out = append(out, l)
		}
	}
	return out
}

// TestTimeMap holds TimeMaps to RFC 7089 §5: each URI in one is that of a memento, made when it says.
func TestTimeMap(t *testing.T) {
	a := decades(t)
	const self = testOrigin + "/web/timemap/link/http://a.test/x"
	links := a.timemap(self)
	for i, want := range []mapLink{
		{uri: "http://a.test/x", rel: "original"},
		{uri: self, rel: "self", mime: "application/link-format", from: "Mon, 01 Mar 2010 12:00:00 GMT", until: "Thu, 01 Mar 2018 12:00:01 GMT"},
		{uri: testOrigin + "/web/http://a.test/x", rel: "timegate"},
		{uri: testOrigin + "/web/20100301120000/http://a.test/x", rel: "first memento", datetime: "Mon, 01 Mar 2010 12:00:00 GMT"},
	} {
		if links[i] != want {
			t.Errorf("link %d is %+v, want %+v", i, links[i], want)
		}
	}
	mementos := mementosOf(links)
	if len(mementos) != 6 || mementos[5].rel != "last memento" || mementos[3].rel != "memento" {
		t.Errorf("the mementos are %+v", mementos)
	}
	for _, m := range mementos {
		got := a.get(strings.TrimPrefix(m.uri, testOrigin))
		if got.Header.Get("Memento-Datetime") != m.datetime {
			t.Errorf("%s: %d of %q, want %q", m.uri, got.StatusCode, got.Header.Get("Memento-Datetime"), m.datetime)
		}
		if link := got.Header.Get("Link"); !strings.Contains(link, "<"+m.uri+`>; rel="`) {
			t.Errorf("%s does not name itself: %s", m.uri, link)
		}
	}
	// Any spelling of the key has the same mementos; each is told under its own address.
	if other := mementosOf(a.timemap("/web/timemap/link/https://www.a.test/x/")); !slices.Equal(other, mementos) {
		t.Errorf("under another spelling they are %+v", other)
	}
	for target, status := range map[string]int{
		"/web/timemap/link/http://a.test/none": 404, "/web/timemap/json/http://a.test/none": 404, "/web/timemap/link/2/http://a.test/x": 404, "/web/timemap/link/1/http://a.test/x": 200,
		"/web/timemap/link/a.test/x": 200, "/web/timemap/html/http://a.test/x": 404, "/nosuch/timemap/link/http://a.test/x": 404, "/web/timemap/link/http://a b/": 400,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got := a.get(target, method)
			if got.StatusCode != status || method == "HEAD" && got.body != "" {
				t.Errorf("%s %s: %d %q, want %d", method, target, got.StatusCode, got.body, status)
			}
		}
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}

// TestTimeMapPages: a list that is too long is an index of TimeMaps, which together have each memento once (RFC 7089 §5.1.1).
func TestTimeMapPages(t *testing.T) {
	a := newArchive(t)
	a.handler.MaxEntries = 4
	const n = 11
	for i := range n {
		a.capture(capture{url: "http://a.test/", at: day.Add(time.Duration(i) * time.Hour), response: message(200, "text/plain", fmt.Sprint("copy ", i))})
	}
	index := a.timemap("/web/timemap/link/http://a.test/")
	var all []mapLink
	pages := 0
	for _, p := range index {
		if p.rel != "timemap" {
			continue
		}
		pages++
		page := a.timemap(p.uri)
		ms := mementosOf(page)
		if ms[0].datetime != p.from || ms[len(ms)-1].datetime != p.until {
			t.Errorf("%s is from %s until %s, and has %+v", p.uri, p.from, p.until, ms)
		}
		rels := ""
		for _, l := range page {
			switch l.rel {
			case "self", "prev timemap", "next timemap":
				rels += l.rel[:4] + " " + strings.TrimPrefix(l.uri, testOrigin+"/web/timemap/link/")[:2] + l.from[17:19] + "-" + l.until[17:19] + " "
			}
		}
		if want := []string{"self 1/10-13 next 2/14-17 ", "self 2/14-17 prev 1/10-13 next 3/18-20 ", "self 3/18-20 prev 2/14-17 "}[pages-1]; rels != want {
			t.Errorf("%s: %s, want %s", p.uri, rels, want)
		}
		all = append(all, ms...)
	}
	if pages != 3 || len(all) != n || all[0].rel != "first memento" || all[n-1].rel != "last memento" || len(mementosOf(index)) > 0 {
		t.Errorf("%d pages, %d mementos, index %+v", pages, len(all), index)
	}
	if got := a.get("/web/timemap/link/4/http://a.test/"); got.StatusCode != 404 {
		t.Errorf("a page too many: %d", got.StatusCode)
	}
	var doc struct {
		Index []struct{ From, Until, URI string } `json:"timemap_index"`
		Self  string                              `json:"self"`
	}
	must(t, json.Unmarshal([]byte(a.get("/web/timemap/json/http://a.test/").body), &doc))
	if len(doc.Index) != 3 || doc.Index[2].URI != testOrigin+"/web/timemap/json/3/http://a.test/" || doc.Index[2].From != "2020-05-17T18:20:30Z" {
		t.Errorf("the index in JSON is %+v", doc)
	}
}

// TestTimeMapJSON: its shape is that of mementoweb.org/guide/timemap-json.
func TestTimeMapJSON(t *testing.T) {
	a := decades(t)
	a.handler.MaxEntries = 100
	type memento struct{ Datetime, URI string }
	type page struct{ From, Until, URI string }
	var doc struct {
		Original string `json:"original_uri"`
		Self     string `json:"self"`
		Gate     string `json:"timegate_uri"`
		Maps     struct {
			Link string `json:"link_format"`
			JSON string `json:"json_format"`
			CDXJ string `json:"cdxj_format"`
		} `json:"timemap_uri"`
		Pages    struct{ Prev, Next *page } `json:"pages"`
		Mementos struct {
			First, Last memento
			List        []memento
		} `json:"mementos"`
	}
	read := func(target string) {
		t.Helper()
		got := a.get(target)
		d := json.NewDecoder(strings.NewReader(got.body))
		d.DisallowUnknownFields()
		if err := d.Decode(&doc); err != nil || got.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %v %v\n%s", target, err, got.Header, got.body)
		}
	}
	read("/web/timemap/json/http://a.test/x")
	first, last := memento{"2010-03-01T12:00:00Z", testOrigin + "/web/20100301120000/http://a.test/x"}, memento{"2018-03-01T12:00:01Z", testOrigin + "/web/20180301120001/https://a.test/x"}
	ms := doc.Mementos
	if doc.Original != "http://a.test/x" || doc.Gate != testOrigin+"/web/http://a.test/x" || doc.Maps.Link != testOrigin+"/web/timemap/link/http://a.test/x" ||
		doc.Self != doc.Maps.JSON || ms.First != first || ms.Last != last || len(ms.List) != 6 || ms.List[0] != first || ms.List[5] != last {
		t.Errorf("the TimeMap is %+v", doc)
	}
	a.handler.MaxEntries = 3
	read("/web/timemap/json/2/http://a.test/x")
	if p := doc.Pages; p.Prev == nil || p.Next == nil || p.Next.URI != testOrigin+"/web/timemap/json/3/http://a.test/x" || p.Prev.Until != "2014-03-01T12:00:00Z" || len(doc.Mementos.List) != 2 {
		t.Errorf("page 2 is %+v %+v %+v", p.Prev, p.Next, doc.Mementos)
	}
}

// TestTimeMapCDXJ: lines of an index, as pywb writes them.
func TestTimeMapCDXJ(t *testing.T) {
	a := decades(t)
	got := a.get("/web/timemap/cdxj/http://a.test/x")
	var rows []cdx.Row
	for r, err := range cdx.ReadCDXJ(strings.NewReader(got.body)) {
		must(t, err)
		rows = append(rows, r)
	}
	if got.Header.Get("Content-Type") != "text/x-cdxj" || len(rows) != 6 || rows[0].Key != "test,a)/x" || rows[0].URL != "http://a.test/x" || rows[2].Status != 404 ||
		rows[5].URL != "https://a.test/x" || !strings.HasSuffix(rows[0].File, ".warc.gz") || rows[0].Length <= 0 {
		t.Errorf("%v %+v", got.Header, rows)
	}
	a.handler.MaxEntries = 4
	if got := a.get("/web/timemap/cdxj/http://a.test/x"); !strings.HasPrefix(got.body, `!timemap {"uri": "`+testOrigin+`/web/timemap/cdxj/1/http://a.test/x", "from": "20100301120000", "until": "20150301120000"}`) {
		t.Errorf("the index is %s", got.body)
	}
	if got := a.get("/web/timemap/cdxj/2/http://a.test/x"); strings.Count(got.body, "\n") != 2 {
		t.Errorf("page 2 is %s", got.body)
	}
}

// TestTimeMapIsCut: what breaks while it is written ends without an end, since nobody must take a part for the whole.
func TestTimeMapIsCut(t *testing.T) {
	a := decades(t)
	a.handler.Index = failing{a.db, 3}
	defer func() {
		if recover() == nil || !strings.Contains(a.log.String(), "index on fire") {
			t.Errorf("the list ends as if it were whole: %s", a.log)
		}
	}()
	got := a.get("/web/timemap/link/http://a.test/x")
	t.Errorf("%d %s", got.StatusCode, got.body)
}

var _ replay.Index = failing{}

// TestTimeMapReaches: from and until of a TimeMap are those of its mementos, whatever else was captured before and after.
func TestTimeMapReaches(t *testing.T) {
	a := newArchive(t)
	at := func(hours int) time.Time { return day.Add(time.Duration(hours) * time.Hour) }
	back := func(hours int) {
		a.capture(capture{url: "http://a.test/x", at: at(hours), response: message(301, "text/html", "", "Location: https://www.a.test/x/")})
	}
	back(0)
	back(1)
	for i := range 3 {
		a.capture(capture{url: "https://www.a.test/x/", at: at(2 + i), response: message(200, "text/plain", fmt.Sprint("copy ", i))})
	}
	back(5)
	self := a.timemap("/web/timemap/link/http://a.test/x")[1]
	if self.rel != "self" || self.from != at(2).Format(http.TimeFormat) || self.until != at(4).Format(http.TimeFormat) {
		t.Errorf("%+v", self)
	}
	a.handler.MaxEntries = 3
	var maps []mapLink
	for _, l := range a.timemap("/web/timemap/link/http://a.test/x") {
		if l.rel == "self" || l.rel == "timemap" {
			maps = append(maps, l)
		}
	}
	for i, want := range [][2]int{{2, 4}, {2, 2}, {3, 4}} {
		if len(maps) != 3 || maps[i].from != at(want[0]).Format(http.TimeFormat) || maps[i].until != at(want[1]).Format(http.TimeFormat) {
			t.Errorf("%d of %+v", i, maps)
		}
	}
}
