package cite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"linkstead/archive/cite"
)

// facts are what a record takes from a page, as one line.
func facts(m cite.Meta) string {
	var out []string
	say := func(name, value, from string) {
		if value != "" {
			out = append(out, fmt.Sprintf("%s=%s (%s)", name, value, from))
		}
	}
	say("title", m.Title.Value, m.Title.From)
	var by []string
	for _, n := range m.Authors {
		by = append(by, n.Sorted())
	}
	say("by", strings.Join(by, "; "), m.ByFrom)
	say("site", m.Site.Value, m.Site.From)
	say("in", m.Container.Value, m.Container.From)
	say("publisher", m.Publisher.Value, m.Publisher.From)
	say("date", m.Published.String(), m.Published.From)
	say("modified", m.Modified.String(), m.Modified.From)
	say("lang", m.Lang.Value, m.Lang.From)
	say("type", m.Type.Value, m.Type.From)
	say("doi", m.DOI.Value, m.DOI.From)
	say("pages", m.Pages, "")
	return strings.Join(out, "\n")
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct{ page, url, want string }{
		"nothing": {"", "http://a.test/", ""},
		"a title": {`<title> A &amp;lt; &amp; B </title><p>x`, "http://a.test/2016/02/06/x", "title=A &lt; & B (markup)\ndate=2016-02-06 (address)"},
		"the site in the title": {`<html lang=en_us><title>Story | The Paper</title><meta property="og:site_name" content="The Paper">`, "",
			"title=Story (markup)\nsite=The Paper (OpenGraph)\nlang=en-US (markup)"},
		"the site in the title, by its domain": {`<title>Schools bombed - as it happened | World news | The Guardian</title>`, "https://www.theguardian.com/world/x", "title=Schools bombed - as it happened | World news (markup)"},
		"a domain that its name begins with":   {`<meta property=og:title content="Schools bombed - BBC News">`, "https://www.bbc.co.uk/x", "title=Schools bombed (OpenGraph)"},
		"an end that is no site":               {`<title>Aleppo - a history</title><meta property=og:site_name content="The Paper">`, "https://paper.test/x", "title=Aleppo - a history (markup)\nsite=The Paper (OpenGraph)"},
		"a front that is no site":              {`<title>Python: an introduction</title>`, "https://python.org/x", "title=Python: an introduction (markup)"},
		"nothing but the site":                 {`<title>The Guardian</title>`, "https://www.theguardian.com/", "title=The Guardian (markup)"},
		"a heading alone":                      {`<h1>A <i>big</i> one</h1><h1>Another</h1>`, "", "title=A big one (heading)"},
		"a title before a heading":             {`<h1>Heading</h1><title>T</title>`, "", "title=T (markup)"},
		"bylines": {`<script type="application/ld+json">{"@type":"Article","headline":"H","author":[{"name":"By Jane Doe"},"Reporting by John Roe","https://x.test/jane","facebook.com/jane"]}</script>`, "",
			"title=H (JSON-LD)\nby=Doe, Jane; Roe, John (JSON-LD)\ntype=webpage (JSON-LD)"},
		"a body wrote it": {`<meta name=author content="Associated Press">`, "", "by=Associated Press (meta)"},
		"precise dates": {`<script type="application/ld+json">{"@type":"Article","headline":"H","datePublished":"2016-02","dateModified":"2016-02-06T10:00:00+02:00"}</script>`, "",
			"title=H (JSON-LD)\ndate=2016-02 (JSON-LD)\nmodified=2016-02-06T08:00:00Z (JSON-LD)\ntype=webpage (JSON-LD)"},
		"10 MB of JSON-LD":           {`<title>T</title><script type="application/ld+json">{"@type":"Article","headline":"` + strings.Repeat("x", 10<<20) + `"}</script>`, "", "title=T (markup)"},
		"a picture has a title, too": {`<svg><title>Logo</title></svg><title>Story</title>`, "", "title=Story (markup)"},
		"OpenGraph": {`<meta property="og:title" content="Story"><meta property=og:type content=article><meta property=og:locale content=de_DE>
			<meta property="article:published_time" content="2016-02-06T12:00:00+01:00"><meta property="article:author" content="https://facebook.test/jane">
			<meta property="article:modified_time" content="2016-02-07"><meta name=author content="By Jane Doe and John Roe">`, "",
			"title=Story (OpenGraph)\nby=Doe, Jane; Roe, John (meta)\ndate=2016-02-06T11:00:00Z (OpenGraph)\nmodified=2016-02-07 (OpenGraph)\nlang=de-DE (OpenGraph)\ntype=webpage (OpenGraph)"},
		"Highwire": {`<meta name=citation_title content="On Rot"><meta name=citation_author content="Doe, Jane"><meta name=citation_author content="van Roe, Max">
			<meta name=citation_journal_title content="J. Links"><meta name=citation_publication_date content="2016/02"><meta name=citation_doi content="https://doi.org/10.1000/x(1)">
			<meta name=citation_firstpage content=12><meta name=citation_lastpage content=15><meta property=og:title content="On Rot | J. Links">`, "",
			"title=On Rot (citation_*)\nby=Doe, Jane; van Roe, Max (citation_*)\nin=J. Links (citation_*)\ndate=2016-02 (citation_*)\ntype=article-journal (citation_*)\ndoi=10.1000/x(1) (citation_*)\npages=12-15 ()"},
		"Dublin Core": {`<meta name="DC.Title" content=T><meta name=dc.creator content="Jane Doe"><meta name=DCTERMS.issued content=2016><meta name=DC.language content=fr>`, "",
			"title=T (Dublin Core)\nby=Doe, Jane (Dublin Core)\ndate=2016 (Dublin Core)\nlang=fr (Dublin Core)"},
		"JSON-LD": {`<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":"He said &#8220;no&#8221;","datePublished":"2016-02-06",
			"author":[{"@type":"Person","name":"Jane Doe"},{"@type":"Organization","name":"Wire, Inc."}],"publisher":{"@type":"Organization","name":"The Paper"}}</script>`, "",
			"title=He said “no” (JSON-LD)\nby=Doe, Jane; Wire, Inc. (JSON-LD)\nsite=The Paper (JSON-LD)\npublisher=The Paper (JSON-LD)\ndate=2016-02-06 (JSON-LD)\ntype=article-newspaper (JSON-LD)"},
		"a graph with references": {`<script type="application/ld+json"><!-- {"@graph":[{"@type":"WebSite","@id":"#site","name":"Site"},{"@type":"WebPage","@id":"http://a.test/x","name":"Page – Site"},
			{"@type":["Article","BlogPosting"],"headline":"Other","url":"http://a.test/y"},{"@type":"BlogPosting","headline":"This","mainEntityOfPage":{"@id":"http://a.test/x"},"author":{"@id":"#jane"}},
			{"@type":"Person","@id":"#jane","givenName":"Jane","familyName":"Doe","name":"jdoe"}]} --></script>`, "https://www.a.test/x/",
			"title=This (JSON-LD)\nby=Doe, Jane (JSON-LD)\ntype=post-weblog (JSON-LD)"},
		"broken JSON-LD": {`<script type="application/ld+json">{"@type":"Article","headline":</script><title>T</title>`, "", "title=T (markup)"},
		"wrong types":    {`<script type="application/ld+json">{"@type":7,"headline":{},"author":[[[1]],null]}</script><script type="application/ld+json">{"@type":"Article","headline":[1,{"@value":"V"}],"author":7}</script>`, "", "title=V (JSON-LD)\ntype=webpage (JSON-LD)"},
		"microdata": {`<div itemscope itemtype="https://schema.org/BlogPosting"><h1 itemprop=headline>A <i>big</i> <div>one</div></h1><span itemprop=author itemscope itemtype="https://schema.org/Person">
			<b itemprop=name>Jane Doe</b></span><time itemprop=datePublished datetime=2016-02-06>yesterday</time><span itemprop=publisher itemscope><i itemprop=name>No Author</i></span></div>`, "",
			"title=A big one (microdata)\nby=Doe, Jane (microdata)\ndate=2016-02-06 (microdata)\ntype=post-weblog (microdata)"},
		"RDFa Lite":      {`<div vocab="https://schema.org/" typeof=Article><h1 property=headline>H</h1><span property=author typeof=Person><b property=name>Jane Doe</b></span>`, "", "title=H (microdata)\nby=Doe, Jane (microdata)\ntype=webpage (microdata)"},
		"rel=author":     {`<a rel="author me" href=/>Jane Doe</a><time class="entry-date published" datetime=2016-02-06T10:00:00Z>`, "", "by=Doe, Jane (markup)\ndate=2016-02-06T10:00:00Z (markup)"},
		"a template":     {`<meta property=og:title content="{{title}}"><meta name=author content=admin><title>T</title>`, "", "title=T (markup)"},
		"control":        {"<title>a\u202eb\x00c\u200bd\r\nTY  - HACK</title>", "", "title=ab�cd TY - HACK (markup)"},
		"another coding": {"<meta charset=windows-1252><title>Caf\xe9</title>", "", "title=Café (markup)"},
	} {
		if got := facts(cite.Read([]byte(c.page), "text/html", c.url)); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
}

// What a page says can be as large, as deep and as much as its author likes; it is read to a bound.
func TestHostilePages(t *testing.T) {
	deep := strings.Repeat(`{"@type":"Article","mainEntity":`, 5000) + "1" + strings.Repeat("}", 5000)
	for name, page := range map[string]string{
		"deep JSON":      `<script type="application/ld+json">` + deep + `</script><title>T</title>`,
		"wide JSON":      `<script type="application/ld+json">[` + strings.Repeat(`{"@type":"Article"},`, 50_000) + `1]</script><title>T</title>`,
		"many metas":     strings.Repeat(`<meta name=author content="Jane Doe`+strings.Repeat("x", 50)+`">`, 40_000) + `<title>T</title>`,
		"open elements":  strings.Repeat(`<div itemprop=headline itemscope>`, 60_000) + `<title>T</title>`,
		"many scripts":   strings.Repeat(`<script type="application/ld+json">{"@type":"Article"}</script>`, 20_000) + `<title>T</title>`,
		"one attribute":  `<meta name=author content="` + strings.Repeat("y ", 1<<20) + `"><title>T</title>`,
		"a circle":       `<script type="application/ld+json">{"@graph":[{"@type":"Article","@id":"a","author":{"@id":"b"}},{"@type":"Person","@id":"b","author":{"@id":"a"},"name":"J D"}]}</script><title>T</title>`,
		"an endless one": "<title>T</title>" + strings.Repeat("<", 1<<20),
	} {
		m := cite.Read([]byte(page), "", "http://a.test/")
		if m.Title.Value != "T" && name != "open elements" {
			t.Errorf("%s: title %q", name, m.Title.Value)
		}
		if len(m.Authors) > 100 {
			t.Errorf("%s: %d authors", name, len(m.Authors))
		}
	}
}

func TestDocuments(t *testing.T) {
	m := cite.Read([]byte("%PDF-1.4"), "application/pdf", "http://a.test/x.pdf")
	m.Or(cite.Document{Title: "A paper", Author: "Jane Doe", Published: "2016-02-06T12:00:00Z", Lang: "de", From: cite.FromPDF})
	if got, want := facts(m), "title=A paper (PDF)\nby=Doe, Jane (PDF)\ndate=2016-02-06T12:00:00Z (PDF)\nlang=de (PDF)"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	m.Or(cite.Document{Title: "Another", Published: "2017", From: cite.FromPost})
	if m.Title.Value != "A paper" || m.Published.Year != 2016 {
		t.Errorf("what was known has changed: %s", facts(m))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`<title>T</title><meta name=citation_author content="Doe, Jane"><script type="application/ld+json">{"@type":"Article","author":[{"name":"x"}]}</script>`), "text/html; charset=koi8-r")
	f.Add([]byte(`<div itemscope itemprop=author><b itemprop=name>x}{\|]]`+"\x00\r\nER  - "), "")
	f.Fuzz(func(t *testing.T, page []byte, contentType string) {
		m := cite.Read(page, contentType, "http://a.test/x")
		r := cite.Record{Meta: m, URL: "http://a.test/x", Memento: "http://r.test/web/20160206120000/http://a.test/x", Captured: time.Unix(1454760000, 0), Quote: string(page)}
		for _, format := range cite.Formats {
			out := format.Write([]cite.Record{r})
			if !utf8.ValidString(out) {
				t.Errorf("%s is no UTF-8: %q", format.Name, out)
			}
			if strings.ContainsFunc(out, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' }) {
				t.Errorf("%s has control characters: %q", format.Name, out)
			}
			switch format.Name {
			case "ris":
				if n := strings.Count(out, "\nER  - "); n != 1 || strings.Count(out, "TY  - ") < 1 {
					t.Errorf("RIS broke: %q", out)
				}
				for _, line := range strings.Split(strings.TrimSpace(out), "\r\n") {
					if len(line) < 5 || line[2:5] != "  -" {
						t.Errorf("no line of RIS: %q", line)
					}
				}
			case "bibtex", "biblatex":
				if n := depth(out); n != 0 {
					t.Errorf("braces of BibTeX: %d are open at the end of %q", n, out)
				}
			case "wikipedia", "text", "markdown":
				if strings.Count(out, "\n") != 1 {
					t.Errorf("%s has more than a line: %q", format.Name, out)
				}
			}
		}
	})
}

// depth is how many braces are open at the end; -1 if one is closed that was not open.
func depth(s string) (n int) {
	for _, c := range s {
		switch c {
		case '{':
			n++
		case '}':
			if n--; n < 0 {
				return -1
			}
		}
	}
	return n
}
