package cite

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"linkstead/archive/text"
)

// Bounds on what is read of a page. What stands behind them is not looked at: pages say what they are near their front.
const (
	maxPage    = 4 << 20 // bytes
	maxTokens  = 200_000
	maxText    = 4 << 10 // bytes of text that one element may say of itself
	maxScripts = 1 << 20 // bytes of JSON-LD
)

// Read reads what an HTML page says of itself. contentType is that of the response and may be empty; address is where the page was found.
// It takes time in proportion to the page's length, and never fails: what can't be read is not said.
func Read(page []byte, contentType, address string) Meta {
	if len(page) > maxPage {
		page = page[:maxPage]
	}
	r := &reader{said: said{facts: map[field]map[string][]string{}}}
	z := html.NewTokenizer(bytes.NewReader(text.Decode(page, contentType, true)))
	z.SetMaxBuf(maxPage * 2)
	for n := 0; n < maxTokens && r.next(z); n++ {
	}
	r.linked(address)
	return r.said.meta(address)
}

// reader collects what the tokens of a page say.
type reader struct {
	said    said
	open    []saying // elements whose text is a fact
	skip    string   // an element whose text is none of the page's, such as svg
	scripts []string
	size    int // of the scripts
	canon   string
	scopes  []string // elements with itemscope: their names, so that their ends are known
	persons int      // how many of scopes are within an author
}

// saying is an element that is open, whose text tells a field.
type saying struct {
	tag   string
	depth int // of elements with the same name within it
	field field
	from  string
	text  strings.Builder
}

// maxOpen bounds the elements that are listened to at once, and scopes.
const maxOpen = 32

func (r *reader) next(z *html.Tokenizer) bool {
	switch z.Next() {
	case html.ErrorToken:
		return false
	case html.TextToken:
		if len(r.open) == 0 {
			return true
		}
		text := string(z.Text())
		for i := range r.open {
			if b := &r.open[i].text; b.Len()+len(text) <= maxText {
				b.WriteString(text)
			}
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		t := z.Token()
		r.start(&t)
		if t.Data == "script" && strings.Contains(strings.ToLower(attr(&t, "type")), "ld+json") && t.Type == html.StartTagToken {
			if z.Next() != html.TextToken {
				return true
			}
			if s := z.Raw(); r.size+len(s) <= maxScripts {
				r.scripts, r.size = append(r.scripts, string(s)), r.size+len(s)
			}
		}
	case html.EndTagToken:
		name, _ := z.TagName()
		r.end(string(name))
	}
	return true
}

func attr(t *html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// void are the elements without an end.
var void = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true, "meta": true, "source": true, "track": true, "wbr": true,
}

func (r *reader) start(t *html.Token) {
	for i := range r.open {
		if r.open[i].tag == t.Data && !void[t.Data] {
			r.open[i].depth++
		}
	}
	switch t.Data {
	case "meta":
		r.metaElement(t)
	case "html":
		r.said.add(language, FromMarkup, attr(t, "lang"))
	case "title":
		if r.skip == "" {
			r.listen(t, title, FromMarkup)
		}
	case "h1":
		if r.skip == "" {
			r.listen(t, title, FromHeading)
		}
	case "svg", "math":
		r.skip = t.Data
	case "link":
		if strings.EqualFold(attr(t, "rel"), "canonical") {
			r.canon = attr(t, "href")
		}
	case "a":
		if strings.Contains(" "+strings.ToLower(attr(t, "rel"))+" ", " author ") {
			r.listen(t, author, FromMarkup)
		}
	case "time":
		class := " " + strings.ToLower(attr(t, "class")) + " "
		_, pub := find(t, "pubdate")
		for _, c := range []string{" entry-date ", " published ", " dt-published ", " post-date "} {
			pub = pub || strings.Contains(class, c)
		}
		if pub {
			r.said.add(published, FromMarkup, attr(t, "datetime"))
		}
	}
	r.marked(t)
}

func find(t *html.Token, name string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (r *reader) end(name string) {
	if r.skip == name {
		r.skip = ""
	}
	for i := len(r.open) - 1; i >= 0; i-- {
		o := &r.open[i]
		if o.tag != name {
			continue
		}
		if o.depth--; o.depth < 0 {
			r.said.add(o.field, o.from, o.text.String())
			r.open = append(r.open[:i], r.open[i+1:]...)
		}
	}
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if r.scopes[i] == name {
			r.scopes = r.scopes[:i]
			r.persons = min(r.persons, len(r.scopes))
			break
		}
	}
}

func (r *reader) listen(t *html.Token, f field, from string) {
	if len(r.open) < maxOpen && t.Type == html.StartTagToken && !void[t.Data] {
		r.open = append(r.open, saying{tag: t.Data, field: f, from: from})
	}
}

// Properties of microdata and RDFa Lite, in lower case.
var properties = map[string]field{
	"headline": title, "datepublished": published, "datemodified": modified, "inlanguage": language,
	"schema:headline": title, "schema:datepublished": published, "schema:datemodified": modified, "dc:title": title, "dc:creator": author, "dc:date": published,
}

// marked reads what an element's itemprop, or its property of RDFa, says.
func (r *reader) marked(t *html.Token) {
	if t.Data == "meta" && attr(t, "itemprop") == "" {
		return
	}
	prop := strings.ToLower(attr(t, "itemprop"))
	if prop == "" && t.Data != "meta" {
		prop = strings.ToLower(attr(t, "property"))
	}
	_, scope := find(t, "itemscope")
	_, of := find(t, "typeof")
	scope = scope || of
	isAuthor := prop == "author" || prop == "creator" || prop == "schema:author"
	switch {
	case scope && !void[t.Data] && len(r.scopes) < maxOpen:
		r.scopes = append(r.scopes, t.Data)
		if isAuthor && r.persons == 0 {
			r.persons = len(r.scopes)
		}
		kindOf := attr(t, "itemtype")
		if kindOf == "" {
			kindOf = attr(t, "typeof")
		}
		r.said.add(kind, FromMicrodata, kindOf)
	case isAuthor, r.persons > 0 && len(r.scopes) >= r.persons && (prop == "name" || prop == "schema:name"):
		r.value(t, author)
	case properties[prop] != "" && r.persons == 0:
		r.value(t, properties[prop])
	}
}

// value takes what an element of microdata says: an attribute, or its text.
func (r *reader) value(t *html.Token, f field) {
	for _, name := range []string{"content", "datetime"} {
		if v := attr(t, name); v != "" {
			r.said.add(f, FromMicrodata, v)
			return
		}
	}
	r.listen(t, f, FromMicrodata)
}

// metaNames are the meta elements that say something, by their names in lower case.
var metaNames = map[string]struct {
	field field
	from  string
}{
	"citation_title": {title, FromHighwire}, "citation_author": {author, FromHighwire}, "citation_journal_title": {container, FromHighwire},
	"citation_conference_title": {container, FromHighwire}, "citation_publisher": {publisher, FromHighwire}, "citation_doi": {doi, FromHighwire},
	"citation_publication_date": {published, FromHighwire}, "citation_date": {published, FromHighwire}, "citation_online_date": {published, FromHighwire},
	"citation_year": {published, FromHighwire}, "citation_language": {language, FromHighwire}, "citation_volume": {volume, FromHighwire},
	"citation_issue": {issue, FromHighwire}, "citation_firstpage": {firstPage, FromHighwire}, "citation_lastpage": {lastPage, FromHighwire},

	"og:title": {title, FromOpenGraph}, "og:site_name": {site, FromOpenGraph}, "og:locale": {language, FromOpenGraph}, "og:type": {kind, FromOpenGraph},
	"article:author": {author, FromOpenGraph}, "article:published_time": {published, FromOpenGraph}, "article:modified_time": {modified, FromOpenGraph},
	"og:published_time": {published, FromOpenGraph}, "og:updated_time": {modified, FromOpenGraph}, "book:author": {author, FromOpenGraph},

	"dc.title": {title, FromDublin}, "dcterms.title": {title, FromDublin}, "dc.creator": {author, FromDublin}, "dcterms.creator": {author, FromDublin},
	"dc.publisher": {publisher, FromDublin}, "dcterms.publisher": {publisher, FromDublin}, "dc.date": {published, FromDublin}, "dc.date.issued": {published, FromDublin},
	"dcterms.issued": {published, FromDublin}, "dcterms.date": {published, FromDublin}, "dcterms.created": {published, FromDublin}, "dc.date.created": {published, FromDublin},
	"dcterms.modified": {modified, FromDublin}, "dc.date.modified": {modified, FromDublin}, "dc.language": {language, FromDublin}, "dcterms.language": {language, FromDublin},
	"dc.identifier": {doi, FromDublin}, "dc.identifier.doi": {doi, FromDublin}, "dc.source": {container, FromDublin},

	"title": {title, FromMeta}, "twitter:title": {title, FromMeta}, "parsely-title": {title, FromMeta}, "sailthru.title": {title, FromMeta},
	"author": {author, FromMeta}, "authors": {author, FromMeta}, "byl": {author, FromMeta}, "parsely-author": {author, FromMeta}, "sailthru.author": {author, FromMeta},
	"application-name": {site, FromMeta}, "publisher": {publisher, FromMeta}, "doi": {doi, FromMeta},
	"parsely-pub-date": {published, FromMeta}, "sailthru.date": {published, FromMeta}, "datepublished": {published, FromMeta}, "pubdate": {published, FromMeta},
	"publish-date": {published, FromMeta}, "publication_date": {published, FromMeta}, "date": {published, FromMeta}, "last-modified": {modified, FromMeta},
	"language": {language, FromMeta}, "content-language": {language, FromMeta},
}

func (r *reader) metaElement(t *html.Token) {
	content := attr(t, "content")
	for _, key := range []string{"property", "name", "http-equiv"} {
		name := strings.ToLower(attr(t, key))
		if m, ok := metaNames[name]; ok && (m.field != author || !strings.Contains(content, "://")) {
			r.said.add(m.field, m.from, content)
			break
		}
	}
	switch name := strings.ToLower(attr(t, "name")); name {
	case "citation_journal_title":
		r.said.add(kind, FromHighwire, "article-journal")
	case "citation_conference_title":
		r.said.add(kind, FromHighwire, "paper-conference")
	case "citation_dissertation_institution":
		r.said.add(kind, FromHighwire, "thesis-dissertation")
		r.said.add(publisher, FromHighwire, content)
	case "citation_technical_report_institution":
		r.said.add(kind, FromHighwire, "report")
		r.said.add(publisher, FromHighwire, content)
	}
}
