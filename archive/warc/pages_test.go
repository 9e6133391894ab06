package warc

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// listOf reads a list of pages.
func listOf(t testing.TB, list string) *Pages {
	t.Helper()
	p := &Pages{}
	if err := p.Read(strings.NewReader(list)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPagesAreTakenByTheirCaptures(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	p := listOf(t, `{"format": "json-pages-1.0", "id": "pages", "title": "Pages"}
{"url":"http://a.test/#part","title":"  A\tpage\u0000of "  ,"ts":"2024-05-01T10:00:00Z"}
{"url":"http://a.test/none","title":"x","ts":"2024-05-01T10:00:00Z"}
{"url":"http://b.test/","title":"old","ts":"2023-05-01T10:00:00Z"}
{"url":"http://b.test/","title":"new","ts":"2024-05-01T10:00:00Z"}
{"url":"http://b.test/","title":"older","ts":"2022-05-01T10:00:00Z"}
{"url":"http://c.test/","title":["no text"],"ts":{}}

{"url":"about:blank"}
{"url":5}
[]
{"title":"without an address"}
`+`{"url":"http://long.test/","text":"`+strings.Repeat("x", maxPageLine)+`"}`+"\n"+`{"url":"http://d.test/","ts":20240501100000}`)
	p.saw("http://a.test/", at)
	p.saw("http://b.test/", at.Add(time.Hour))
	p.saw("http://b.test/", at.Add(time.Minute))
	p.saw("http://b.test/", at.Add(-time.Hour))
	p.saw("http://c.test/", at.Add(time.Second))
	got := map[string]string{}
	for _, n := range p.take() {
		got[n.url] = fmt.Sprint(n.title, " ", n.at.Format(time.RFC3339), " ", n.capture.Format(time.RFC3339))
	}
	want := map[string]string{
		"http://a.test/": "A page of 2024-05-01T10:00:00Z 2024-05-01T10:00:00Z",
		"http://b.test/": "new 2024-05-01T10:00:00Z 2024-05-01T10:01:00Z",
		"http://c.test/": " 2024-05-01T10:00:01Z 2024-05-01T10:00:01Z",
	}
	if !maps.Equal(got, want) {
		t.Errorf("taken %q,\nwant %q", got, want)
	}
	if again := p.take(); len(again) != 0 {
		t.Errorf("taken twice: %d", len(again))
	}
	left := map[string]int{leftNone: 2, leftAddress: 1, leftUnread: 3, leftTooLarge: 1}
	if got := p.left(); !maps.Equal(got, left) {
		t.Errorf("left out %v, want %v", got, left)
	}
}

func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range maxPages + 3 {
		fmt.Fprintf(&b, "{\"url\":\"http://many.test/%d\"}\n", i)
	}
	p := listOf(t, b.String())
	if len(p.order) != maxPages || p.Left[leftTooMany] != 3 {
		t.Errorf("%d pages, left out %v", len(p.order), p.Left)
	}
}

func TestPageInfoComesBehindItsCaptures(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	p := &Pages{}
	p.record(strings.NewReader(`{"url":"http://a.test/before","ts":"2024-05-01T10:00:00.000Z"}`))
	p.saw("http://a.test/", at)
	for i := range maxSeen - 1 {
		p.saw(fmt.Sprint("http://a.test/", i), at)
	}
	p.record(strings.NewReader(`{"pageid":"1","urls":{"http://a.test/":{"status":200}},"url":"http://a.test/","ts":"2024-05-01T10:00:00.500Z","counts":{}}`))
	p.record(strings.NewReader(`{"url":`))
	p.record(strings.NewReader(`{"urls":"` + strings.Repeat("x", maxPageInfo)))
	got := p.take()
	if len(got) != 1 || got[0].url != "http://a.test/" || !got[0].at.Equal(at.Add(500*time.Millisecond)) {
		t.Errorf("taken %v", got)
	}
	if len(p.seen) != 0 {
		t.Error("a segment that begins has seen something")
	}
	if left, want := p.left(), (map[string]int{leftNone: 1, leftUnread: 1, leftTooLarge: 1}); !maps.Equal(left, want) {
		t.Errorf("left out %v, want %v", left, want)
	}
	for list, want := range map[string]int{`{"format":"json-pages-1.0"}`: 1, `{"url":"http://b.test/"}`: 0} {
		listed := listOf(t, list)
		listed.saw("http://a.test/", at)
		listed.record(strings.NewReader(`{"url":"http://a.test/"}`))
		if got := listed.take(); len(got) != want {
			t.Errorf("with the list %s, %d other pages are taken, want %d", list, len(got), want)
		}
	}
}

func FuzzPages(f *testing.F) {
	f.Add(`{"format":"json-pages-1.0"}`+"\n"+`{"url":"http://a.test/","title":"A","ts":"2024-05-01T10:00:00Z"}`, `{"url":"http://a.test/"}`)
	f.Add(`{"url":"http://a.test/","ts":1714557600000}`, `{"url":"http://b.test/","ts":"20240501100000"}`)
	f.Add("{\"url\":\"http://a.test/\",\"title\":\"\xff\\ud800\u2028\"}\r\n\r\n[", `{{`)
	f.Fuzz(func(t *testing.T, list, info string) {
		p, bare := listOf(t, list), &Pages{}
		bare.record(strings.NewReader(info))
		at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
		for _, of := range []*Pages{p, bare} {
			for _, n := range of.order {
				of.saw(n.url, at)
			}
			for _, n := range of.take() {
				if len(n.title) > maxTitle || !utf8.ValidString(n.title) || strings.ContainsAny(n.title, "\r\n\x00") || n.title != cleanTitle(n.title) {
					t.Errorf("a title: %q", n.title)
				}
				if n.at.IsZero() {
					t.Errorf("%s has no date", n.url)
				}
				raw, err := json.Marshal(pageNote{n.title, n.at})
				var back pageNote
				if err != nil || json.Unmarshal(raw, &back) != nil || back.Title != n.title || !back.At.Equal(n.at) {
					t.Errorf("%s is not read as it was written: %v", raw, err)
				}
			}
			of.left()
		}
	})
}
