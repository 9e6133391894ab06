package post

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// describe reads a page's title, date and language.
func describe(doc *goquery.Document, url string) Document {
	lang, _ := doc.Find("html[lang]").First().Attr("lang")
	return Document{Title: title(doc), Dated: dated(doc, url), Lang: strings.TrimSpace(lang)}
}

// title prefers what the page says for sharing, then its headline, then its title element.
func title(doc *goquery.Document) string {
	for _, sel := range []string{`meta[property="og:title"]`, `meta[name="og:title"]`, `meta[name="citation_title"]`, `meta[name="DC.title"]`} {
		if s, _ := doc.Find(sel).First().Attr("content"); strings.TrimSpace(s) != "" {
			return collapse(s)
		}
	}
	for _, sel := range []string{`[itemprop="headline"]`, `h1.entry-title, h1.post-title`, `article h1`, `main h1`} {
		if s := collapse(doc.Find(sel).First().Text()); s != "" {
			return s
		}
	}
	if h1 := doc.Find("h1"); h1.Length() == 1 && collapse(h1.Text()) != "" {
		return collapse(h1.Text())
	}
	return collapse(doc.Find("head title, title").First().Text())
}

// The meta elements that date a page, the surest first; names are compared in lower case.
var dateMetas = []string{
	"article:published_time", "og:published_time", "datepublished", "citation_publication_date", "citation_date", "parsely-pub-date", "sailthru.date",
	"dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "publish-date", "publication_date",
	"publishdate", "pubdate", "pub_date", "article.published", "date",
}

// dated returns when a page was published, as far as it says.
func dated(doc *goquery.Document, url string) string {
	metas := map[string]string{}
	doc.Find("meta[content]").Each(func(_ int, s *goquery.Selection) {
		for _, key := range []string{"property", "name", "itemprop"} {
			name := strings.ToLower(s.AttrOr(key, ""))
			if _, seen := metas[name]; name != "" && !seen {
				metas[name] = isoDate(s.AttrOr("content", ""))
			}
		}
	})
	if d := metas[dateMetas[0]]; d != "" {
		return d
	}
	if d := linkedData(doc); d != "" {
		return d
	}
	for _, name := range dateMetas {
		if d := metas[name]; d != "" {
			return d
		}
	}
	for _, sel := range []string{
		`[itemprop="datePublished"]`, `time.entry-date, time.published, time.dt-published, time[pubdate], .entry-date time, .post-date time`, `article time`, `main time`, `time`,
	} {
		found := ""
		doc.Find(sel).EachWithBreak(func(_ int, s *goquery.Selection) bool {
			if s.Closest(commentSelector).Length() == 0 {
				found = firstDate(s.AttrOr("datetime", ""), s.AttrOr("content", ""), s.Text())
			}
			return found == ""
		})
		if found != "" {
			return found
		}
	}
	return pathDate(url)
}

func firstDate(candidates ...string) string {
	for _, c := range candidates {
		if d := isoDate(c); d != "" {
			return d
		}
	}
	return ""
}

// linkedData returns the datePublished of a page's JSON-LD.
func linkedData(doc *goquery.Document) string {
	found := ""
	doc.Find(`script[type="application/ld+json"]`).EachWithBreak(func(_ int, s *goquery.Selection) bool {
		var v any
		if json.Unmarshal([]byte(s.Text()), &v) == nil {
			found = datePublished(v, 0)
		}
		return found == ""
	})
	return found
}

func datePublished(v any, depth int) string {
	if depth > 8 {
		return ""
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if d := datePublished(e, depth+1); d != "" {
				return d
			}
		}
	case map[string]any:
		if s, ok := v["datePublished"].(string); ok {
			if d := isoDate(s); d != "" {
				return d
			}
		}
		for _, key := range []string{"@graph", "mainEntity", "mainEntityOfPage"} {
			if d := datePublished(v[key], depth+1); d != "" {
				return d
			}
		}
	}
	return ""
}

var (
	isoPattern  = regexp.MustCompile(`^(\d{4})-(\d\d)(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?)?$`)
	datePath    = regexp.MustCompile(`/((?:19|20)\d\d)/(0[1-9]|1[0-2])(?:/(0[1-9]|[12]\d|3[01]))?/`)
	dateDashed  = regexp.MustCompile(`/((?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[-/._]`)
	dateLayouts = []string{
		time.RFC1123Z, time.RFC1123, time.RFC850, "Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "2006-01-02T15:04:05-0700", "20060102T150405Z",
		"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -0700 MST",
	}
	dayLayouts = []string{
		"2006/01/02", "2006/1/2", "2006.01.02", "20060102", "January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006", "Monday, January 2, 2006",
		"Monday, 2 January 2006", "January 2 2006", "2006-1-2", "02.01.2006", "2.1.2006",
	}
)

// isoDate returns a date in ISO 8601, as exact as it was; empty if s is none.
func isoDate(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if isoPattern.MatchString(s) {
		iso := strings.Replace(s, " ", "T", 1)
		iso = strings.ReplaceAll(iso, " ", "")
		day, _, timed := strings.Cut(iso, "T")
		if _, err := time.Parse("2006-01-02", (day + "-01")[:10]); err != nil {
			return ""
		}
		if n := len(iso); timed && n > 5 && strings.ContainsRune("+-", rune(iso[n-5])) {
			iso = iso[:n-2] + ":" + iso[n-2:]
		}
		return iso
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format("2006-01-02")
		}
	}
	return ""
}

// pathDate returns the date that a URL's path tells, "2016-02" of /2016/02/.
func pathDate(url string) string {
	if m := datePath.FindStringSubmatch(url); m != nil {
		if m[3] == "" {
			return m[1] + "-" + m[2]
		}
		return isoDate(m[1] + "-" + m[2] + "-" + m[3])
	}
	if m := dateDashed.FindStringSubmatch(url + "/"); m != nil {
		return isoDate(m[1])
	}
	return ""
}
