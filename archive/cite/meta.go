package cite

import (
	"cmp"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Where a fact comes from. The order of the sources, the surest first, stands with each field in rank.
const (
	FromHighwire  = "citation_*"  // the tags that scholarly publishers write for Google Scholar
	FromLinked    = "JSON-LD"     // schema.org in scripts
	FromOpenGraph = "OpenGraph"   // og:* and article:*
	FromDublin    = "Dublin Core" // DC.* and DCTERMS.*
	FromMicrodata = "microdata"   // itemprop, and property of RDFa Lite
	FromMeta      = "meta"        // what other meta elements say
	FromMarkup    = "markup"      // the title element, html lang, rel=author, time
	FromHeading   = "heading"     // the first h1
	FromHeader    = "HTTP"
	FromAddress   = "address" // the URL's path or host
	FromPDF       = "PDF"
	FromPost      = "post" // what the archive read when it captured it as a post
)

// Fact is one thing that a page says of itself, and where it says so.
type Fact struct {
	Value string `json:"value"`
	From  string `json:"from"`
}

// Meta is what a page says of itself. What it doesn't say is empty.
type Meta struct {
	Title     Fact
	Authors   []Name
	ByFrom    string // where the authors come from
	Site      Fact   // name of the website
	Container Fact   // of a scholarly article: its journal
	Publisher Fact
	Published Dated
	Modified  Dated
	Lang      Fact // BCP 47
	Type      Fact // of CSL: article-journal, article-newspaper, post-weblog, webpage, …
	DOI       Fact
	Volume    string
	Issue     string
	Pages     string
}

// Dated is a date that a page says of itself.
type Dated struct {
	Date
	From string
}

// said collects what was found, by field and source, in the order in which it was met.
type said struct {
	facts map[field]map[string][]string
}

type field string

const (
	title, author, site, container, publisher    field = "title", "author", "site", "container", "publisher"
	published, modified, language, kind, doi     field = "published", "modified", "language", "kind", "doi"
	volume, issue, firstPage, lastPage, markedBy field = "volume", "issue", "first page", "last page", "marked"
)

// maxSaid bounds how often one source may say one field.
const maxSaid = maxAuthors

func (s *said) add(f field, from, value string) {
	if value = strings.TrimSpace(value); value == "" || len(value) > 16<<10 {
		return
	}
	if s.facts[f] == nil {
		s.facts[f] = map[string][]string{}
	}
	if len(s.facts[f][from]) < maxSaid {
		s.facts[f][from] = append(s.facts[f][from], value)
	}
}

// The sources of each field, the surest first. Highwire tags are written for citing alone; JSON-LD and OpenGraph name the article, where a title element
// often names the site, too.
var rank = map[field][]string{
	title:     {FromHighwire, FromLinked, FromOpenGraph, FromDublin, FromMicrodata, FromMeta, FromPDF, FromMarkup, FromHeading},
	author:    {FromHighwire, FromLinked, FromOpenGraph, FromDublin, FromMicrodata, FromMeta, FromPDF, FromMarkup},
	site:      {FromOpenGraph, FromLinked, FromMicrodata, FromMeta},
	container: {FromHighwire, FromDublin, FromLinked},
	publisher: {FromHighwire, FromLinked, FromDublin, FromMeta},
	published: {FromHighwire, FromLinked, FromOpenGraph, FromDublin, FromMicrodata, FromMeta, FromMarkup, FromPDF},
	modified:  {FromLinked, FromOpenGraph, FromDublin, FromMicrodata, FromMeta},
	language:  {FromMarkup, FromHighwire, FromLinked, FromOpenGraph, FromDublin, FromMeta, FromHeader, FromPDF},
	kind:      {FromHighwire, FromLinked, FromOpenGraph, FromMicrodata},
	doi:       {FromHighwire, FromDublin, FromLinked, FromMeta},
}

// first brings the surest value of a field that keep makes something of.
func first[T any](s *said, f field, keep func(string) (T, bool)) (out T, from string) {
	for _, from := range rank[f] {
		for _, v := range s.facts[f][from] {
			if out, ok := keep(v); ok {
				return out, from
			}
		}
	}
	return out, ""
}

func (s *said) fact(f field, limit int) Fact {
	for _, from := range rank[f] {
		for _, v := range s.facts[f][from] {
			if from == FromLinked { // where character references should not stand, and do
				v = html.UnescapeString(v)
			}
			if v = plain(v, limit); v != "" && !meaningless(v) {
				return Fact{v, from}
			}
		}
	}
	return Fact{}
}

// meaningless says whether a text is what a template leaves where nothing was filled in.
func meaningless(s string) bool {
	low := strings.ToLower(s)
	return slices.Contains([]string{"untitled", "null", "undefined", "none", "n/a", "title", "home", "index"}, low) ||
		strings.Contains(low, "{{") || strings.Contains(low, "<?php") || strings.HasPrefix(low, "[object ")
}

// meta judges what was found in a page of an address.
func (s *said) meta(address string) Meta {
	m := Meta{
		Title: s.fact(title, maxTitle), Site: s.fact(site, maxName), Container: s.fact(container, maxName), Publisher: s.fact(publisher, maxName),
	}
	if m.Title.From != FromHighwire && m.Title.From != FromDublin && m.Title.From != FromPDF { // these name the work, for who cites it
		m.Title.Value = withoutSite(m.Title.Value, m.Site.Value, address)
	}
	for _, from := range rank[author] {
		for _, v := range s.facts[author][from] {
			m.Authors = append(m.Authors, namesOf(from, v)...)
		}
		if m.Authors = distinct(m.Authors); len(m.Authors) > 0 {
			m.ByFrom = from
			break
		}
	}
	m.Published.Date, m.Published.From = first(s, published, ParseDate)
	if !m.Published.Known() {
		if d, ok := pathDate(address); ok {
			m.Published = Dated{d, FromAddress}
		}
	}
	m.Modified.Date, m.Modified.From = first(s, modified, ParseDate)
	v, from := first(s, language, languageTag)
	m.Lang = Fact{v, from}
	v, from = first(s, kind, func(v string) (string, bool) {
		t, ok := typeOf(v)
		return t, ok && t != webpage
	})
	if m.Type = (Fact{v, from}); v == "" {
		v, from = first(s, kind, typeOf)
		m.Type = Fact{v, from}
	}
	v, from = first(s, doi, bareDOI)
	m.DOI = Fact{v, from}
	if m.Container.Value != "" && m.Type.From != FromHighwire && m.Container.From == FromHighwire {
		m.Type = Fact{"article-journal", FromHighwire}
	}
	one := func(f field) string {
		for _, v := range s.facts[f][FromHighwire] {
			return plain(v, 40)
		}
		return ""
	}
	m.Volume, m.Issue, m.Pages = one(volume), one(issue), one(firstPage)
	if to := one(lastPage); m.Pages != "" && to != "" && to != m.Pages {
		m.Pages += "-" + to
	}
	return m
}

// namesOf reads who wrote it: a field of JSON-LD or Highwire holds one name, in others people write many.
func namesOf(from, v string) []Name {
	switch from {
	case FromLinked:
		if org, ok := strings.CutPrefix(v, isBody); ok {
			if org = plain(html.UnescapeString(org), maxName); org != "" && !noName.MatchString(org) {
				return []Name{{Literal: org}}
			}
			return nil
		}
		fallthrough
	case FromHighwire:
		if n, ok := ParseName(html.UnescapeString(v)); ok {
			return []Name{n}
		}
		return nil
	}
	return NamesIn(v)
}

func distinct(names []Name) []Name {
	var out []Name
	for _, n := range names {
		if !slices.Contains(out, n) && len(out) < maxAuthors {
			out = append(out, n)
		}
	}
	return out
}

var tag = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$`)

func languageTag(s string) (string, bool) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ",")
	if !tag.MatchString(s) {
		return "", false
	}
	parts := strings.Split(strings.ReplaceAll(s, "_", "-"), "-")
	parts[0] = strings.ToLower(parts[0])
	for i := 1; i < len(parts); i++ {
		switch len(parts[i]) {
		case 2:
			parts[i] = strings.ToUpper(parts[i])
		case 4:
			parts[i] = strings.ToUpper(parts[i][:1]) + strings.ToLower(parts[i][1:])
		}
	}
	return strings.Join(parts, "-"), true
}

// webpage is the type of what tells none.
const webpage = "webpage"

// Types of schema.org and OpenGraph, in the words of CSL.
var types = map[string]string{
	"newsarticle": "article-newspaper", "reportagenewsarticle": "article-newspaper", "analysisnewsarticle": "article-newspaper", "opinionnewsarticle": "article-newspaper",
	"reviewnewsarticle": "article-newspaper", "backgroundnewsarticle": "article-newspaper", "blogposting": "post-weblog", "liveblogposting": "post-weblog",
	"socialmediaposting": "post", "discussionforumposting": "post", "scholarlyarticle": "article-journal", "medicalscholarlyarticle": "article-journal",
	"techarticle": webpage, "article": webpage, "webpage": webpage, "report": "report", "book": "book", "chapter": "chapter", "thesis": "thesis", "dataset": "dataset",
	"videoobject": "motion_picture", "video.other": "motion_picture", "video.movie": "motion_picture", "movie": "motion_picture", "podcastepisode": "broadcast",
	"softwaresourcecode": "software", "softwareapplication": "software", "encyclopedia": "entry-encyclopedia", "review": "review", "profilepage": webpage,
	"article-journal": "article-journal", "paper-conference": "paper-conference", "thesis-dissertation": "thesis",
}

func typeOf(s string) (string, bool) {
	s = strings.ToLower(s)
	t, ok := types[s[strings.LastIndexAny(s, "/#:")+1:]]
	return t, ok
}

var doiForm = regexp.MustCompile(`^(?i:(?:https?://(?:dx\.)?doi\.org/|doi:\s*|info:doi/))?(10\.\d{4,9}/[^\s"<>{}|\\^` + "`" + `]{1,200})$`)

func bareDOI(s string) (string, bool) {
	m := doiForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return "", false
	}
	return m[1], true
}

var (
	pathDay   = regexp.MustCompile(`/((?:19|20)\d\d)/(0?[1-9]|1[0-2])(?:/(0?[1-9]|[12]\d|3[01]))?/`)
	pathDashs = regexp.MustCompile(`/((?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:[-/._]|$)`)
)

// pathDate is the date that an address tells, such as /2016/02/06/.
func pathDate(address string) (Date, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return Date{}, false
	}
	if m := pathDay.FindStringSubmatch(u.Path); m != nil {
		return ParseDate(strings.TrimSuffix(m[1]+"-"+m[2]+"-"+m[3], "-"))
	}
	if m := pathDashs.FindStringSubmatch(u.Path); m != nil {
		return ParseDate(m[1])
	}
	return Date{}, false
}

// Document is what a document other than HTML says of itself, as its reader tells it.
type Document struct {
	Title, Author, Published, Lang string
	From                           string // FromPDF, FromPost
}

// Or fills what a page doesn't say from what else is known of it.
func (m *Meta) Or(d Document) {
	if t := plain(d.Title, maxTitle); m.Title.Value == "" && t != "" {
		m.Title = Fact{t, d.From}
	}
	if len(m.Authors) == 0 && d.Author != "" {
		m.Authors, m.ByFrom = NamesIn(d.Author), d.From
	}
	if date, ok := ParseDate(d.Published); ok && !m.Published.Known() {
		m.Published = Dated{date, d.From}
	}
	if l, ok := languageTag(cmp.Or(d.Lang, "-")); ok && m.Lang.Value == "" {
		m.Lang = Fact{l, d.From}
	}
}
