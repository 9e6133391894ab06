package cite

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// writeWiki writes records as Wikipedia's {{cite web}}, a line each.
func writeWiki(records []Record) string {
	var b strings.Builder
	for i := range records {
		b.WriteString(records[i].wiki())
		b.WriteByte('\n')
	}
	return b.String()
}

func (r *Record) wiki() string {
	var b strings.Builder
	b.WriteString("{{cite web")
	param := func(name, value string) {
		if value != "" {
			b.WriteString(" |" + name + "=" + value)
		}
	}
	for i, a := range r.Meta.Authors {
		if n := i + 1; a.Literal != "" {
			param(fmt.Sprintf("author%d", n), wikiName(a.Literal))
		} else {
			param(fmt.Sprintf("last%d", n), wikiName(strings.TrimSpace(a.Particle+" "+a.Family)))
			param(fmt.Sprintf("first%d", n), wikiName(strings.TrimSpace(a.Given+" "+a.Suffix)))
		}
	}
	param("title", wikitext(r.Title()))
	param("url", wikiURL(address(r.URL)))
	param("website", wikitext(orWord(r.Meta.Container.Value, r.Site())))
	param("publisher", wikitext(r.Meta.Publisher.Value))
	param("date", wikiDate(r.Meta.Published.Date))
	param("language", r.Meta.Lang.Value)
	param("doi", wikiURL(r.Meta.DOI.Value))
	link := r.Link()
	if r.NoPage { // it bears nothing out
		link = ""
	}
	if link != "" {
		param("access-date", wikiDate(DateOf(r.Captured)))
		param("archive-url", wikiURL(link))
		param("archive-date", wikiDate(DateOf(r.Captured)))
		param("url-status", r.URLStatus())
	}
	param("quote", wikitext(plain(r.Quote, maxQuote)))
	b.WriteString("}}")
	if link == "" && r.seemsDead() {
		b.WriteString("{{dead link |date=" + r.Captured.UTC().Format("January 2006") + "}}")
	}
	return b.String()
}

// wikiDate is a date as the templates take it: a month without a day stands in words.
func wikiDate(d Date) string {
	if d.Month != 0 && d.Day == 0 {
		return fmt.Sprintf("%s %04d", time.Month(d.Month), d.Year)
	}
	return d.ISO()
}

// wikiName is a name that the templates take as one, whatever they guess of commas and words.
func wikiName(s string) string {
	s = wikitext(s)
	if strings.ContainsAny(s, ",;") || strings.Contains(s, " and ") {
		return "((" + s + "))"
	}
	return s
}

// wikitext escapes what means something in wikitext or in a template's parameter.
func wikitext(s string) string {
	s = wikiAmp.ReplaceAllString(s, "&amp;$1")
	s = wikiEscaper.Replace(s)
	return strings.TrimSpace(s)
}

var (
	wikiAmp     = regexp.MustCompile(`&(#?[0-9A-Za-z]+;)`)
	wikiEscaper = strings.NewReplacer(
		"|", "{{!}}", "[", "&#91;", "]", "&#93;", "{", "&#123;", "}", "&#125;", "<", "&lt;", ">", "&gt;", "''", "&#39;&#39;", "~~~", "&#126;&#126;&#126;", "__", "&#95;&#95;",
		"://", "&#58;//", "\n", " ", "\r", " ",
	)
)

// wikiURL is an address within a parameter.
func wikiURL(s string) string {
	return strings.NewReplacer("|", "%7C", "{", "%7B", "}", "%7D", "[", "%5B", "]", "%5D", "''", "%27%27", "~~~", "%7E%7E%7E", "<", "%3C", ">", "%3E", "__", "_%5F").Replace(s)
}
