package post

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"linkstead/archive/urlkey"
)

// Bounds of a feed.
const (
	maxEntries   = 10_000
	maxFeedDepth = 256
	maxLeads     = 64 // where an entry leads to by elements of its own
)

var (
	xmlEncoding = regexp.MustCompile(`^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']`)
	markupIn    = regexp.MustCompile(`<[a-zA-Z/!?]|&(?:#[0-9xX]|\w+;)`)
	feedRoot    = regexp.MustCompile(`(?s)^\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*(?:\[[^\]]*\])?[^>]*>\s*)*<(?:\w+:)?(?:rss|feed|RDF)[\s>]`)
)

// IsFeed says whether a document's root is one of a feed.
func IsFeed(src []byte) bool {
	return feedRoot.Match(bytes.TrimPrefix(src[:min(len(src), 8<<10)], []byte("\uFEFF")))
}

// Feed reads RSS 0.9x, 1.0 and 2.0 or Atom as one document, whose citations are those of its entries: where an entry leads to, and the
// links in its content, be it HTML, XHTML or text. Each tells its entry and is dated by it. A feed with faults is read as far as it goes, beyond
// them too, and Document.Fault tells the first. base is the feed's own address, and may be empty; relative links are resolved against xml:base,
// else the entry's. Its errors are ErrURL, ErrSlow and ErrType.
func Feed(src []byte, base string, o Options) (Document, error) {
	b, err := optionalBase(base)
	if err != nil {
		return Document{}, err
	}
	text := feedText(src, o.ContentType)
	if !IsFeed(text) {
		return Document{}, ErrType
	}
	f := &feedReader{src: text, base: b, expired: o.Expired}
	if err := f.read(); err != nil {
		return Document{}, err
	}
	d := Document{Title: collapse(f.channel.title.string()), Dated: f.channel.date, Lang: f.lang, Cut: f.cut, Fault: f.fault}
	own := ownAddress(b, &d)
	d.judge(inBytes(text), b, f.links, f.runs, o.Links, own...)
	return d, nil
}

// feedText is a feed in UTF-8, by what its header says of it, else by what it says itself.
func feedText(src []byte, contentType string) []byte {
	if m := xmlEncoding.FindSubmatch(src[:min(len(src), 1024)]); m != nil && !strings.Contains(contentType, "charset") {
		contentType = "text/xml; charset=" + string(m[1])
	}
	return decoded(src, contentType, false)
}

// source is a text with the places that its parts have in the source.
type source struct {
	text  strings.Builder
	parts []part
	ends  []int // of the parts
}

func (s *source) string() string { return s.text.String() }

// add adds parts of a text. What is empty is none: a search for a place goes by where parts end.
func (s *source) add(text string, parts []part) {
	s.text.WriteString(text)
	for _, p := range parts {
		if p.n > 0 {
			s.parts = append(s.parts, p)
		}
	}
}

// entry is what is known of an entry, or of the feed itself.
type entry struct {
	title, link, guid source
	body, summary     source
	bodyType          string // of body and of summary: html, text; of xhtml, it is html already
	summaryType       string
	date, updated     string
	base              string
	links             []feedLink
	n                 int
}

// feedLink is where an entry leads to.
type feedLink struct {
	raw, rel   string
	start, end int // of the element
}

// feedReader goes through a feed once.
type feedReader struct {
	src     []byte
	base    *urlkey.Base
	expired func() bool

	channel entry
	lang    string
	cut     bool
	fault   string // the first
	faults  int
	closed  bool // the root is
	links   []found
	runs    []*builder

	open    *entry // of what is read now
	n       int
	in      *source // what the text of the element that is open belongs to
	field   string  // the element
	depth   int
	atDepth int  // of the field
	begun   int  // where the field begins
	inner   int  // where what is in it begins
	marked  bool // there are elements in it, which nobody has escaped
	cdata   bool // a part of it is a CDATA section
	value   strings.Builder
}

func (f *feedReader) start(t xml.StartElement, start, end int) {
	get := func(name string) string {
		for _, a := range t.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	name := t.Name.Local
	if f.field != "" && (f.xhtml() || name != "item" && name != "entry") {
		f.marked = true
		return // within what is read already
	}
	switch name {
	case "item", "entry":
		f.finish()
		f.n++
		f.open = &entry{n: f.n, base: get("base")}
		return
	case "feed", "channel", "rss":
		f.lang = cmp.Or(f.lang, get("lang"))
		f.channel.base = cmp.Or(f.channel.base, get("base"))
		return
	case "image", "textinput", "author", "contributor": // have titles and links of their own
		f.begin("other", nil, start, end)
		return
	}
	if name == "source" && get("url") == "" {
		f.begin("other", nil, start, end)
		return
	}
	f.element(t.Name.Space, name, get, start, end)
}

// element begins an element that tells of an entry.
func (f *feedReader) element(space, name string, get func(string) string, start, end int) {
	e := f.open
	switch {
	case space == "media" || space == "itunes":
	case name == "title":
		f.begin(name, &e.title, start, end)
	case name == "link" && get("href") != "":
		f.leadsTo(get("href"), cmp.Or(get("rel"), "alternate"), start, end)
	case name == "link":
		f.begin(name, &e.link, start, end)
	case name == "guid" && get("isPermaLink") != "false":
		f.begin(name, &e.guid, start, end)
	case name == "enclosure" && get("url") != "":
		f.leadsTo(get("url"), "enclosure", start, end)
	case name == "source" && get("url") != "":
		f.leadsTo(get("url"), "via", start, end)
	case name == "comments" && space == "":
		f.begin(name, nil, start, end)
	case name == "encoded", name == "content":
		e.bodyType = cmp.Or(get("type"), map[bool]string{true: "html", false: "text"}[name == "encoded"])
		if s := get("src"); s != "" {
			f.leadsTo(s, "via", start, end)
		}
		f.begin(name, &e.body, start, end)
	case name == "description", name == "summary":
		e.summaryType = cmp.Or(get("type"), map[bool]string{true: "html", false: "text"}[name == "description"])
		f.begin(name, &e.summary, start, end)
	case name == "pubDate", name == "date", name == "published", name == "issued", name == "updated", name == "modified", name == "lastBuildDate", name == "language":
		f.begin(name, nil, start, end)
	}
}

// leadsTo notes where the entry leads to. An entry of more than maxLeads is no one's: the rest is cut.
func (f *feedReader) leadsTo(raw, rel string, start, end int) {
	if len(f.open.links) >= maxLeads {
		f.cut = true
		return
	}
	f.open.links = append(f.open.links, feedLink{raw, rel, start, end})
}

func (f *feedReader) begin(field string, in *source, start, end int) {
	f.field, f.in, f.atDepth, f.begun, f.inner = field, in, f.depth, start, end
	f.marked, f.cdata = false, false
	f.value.Reset()
}

func (f *feedReader) text(t xml.CharData, start, end int) {
	if f.field == "" || f.field == "other" || f.xhtml() {
		return
	}
	if f.in == nil {
		f.value.Write(t[:min(len(t), 1024)])
		return
	}
	raw := f.src[start:end]
	if inner, ok := bytes.CutPrefix(raw, []byte("<![CDATA[")); ok {
		f.cdata = true
		inner = bytes.TrimSuffix(inner, []byte("]]>"))
		f.in.add(string(inner), []part{{n: len(inner), src: start + len("<![CDATA["), size: len(inner), verbatim: true}})
		return
	}
	f.in.add(string(t), partsOf(string(t), f.src, span{start: start, end: end}))
}

// xhtml says whether what is open is content that is marked up in the feed itself.
func (f *feedReader) xhtml() bool {
	return f.in == &f.open.body && f.open.bodyType == "xhtml" || f.in == &f.open.summary && f.open.summaryType == "xhtml"
}

// unescaped says whether what is open is content with markup that nobody has escaped, which readers take for what it was meant to be.
func (f *feedReader) unescaped() bool {
	return f.in != nil && (f.in == &f.open.body || f.in == &f.open.summary) && f.marked && !f.cdata && !f.xhtml()
}

func (f *feedReader) end(name string, start, end int) {
	if f.field == "" {
		if name == "item" || name == "entry" {
			f.finish()
		}
		return
	}
	if f.depth > f.atDepth && (name != f.field || f.xhtml()) { // markup that nobody has escaped may not close what it opens
		return
	}
	e := f.open
	f.depth = f.atDepth
	if f.unescaped() {
		*f.in = source{}
	}
	if f.xhtml() || f.unescaped() {
		f.in.add(string(f.src[f.inner:start]), []part{{n: start - f.inner, src: f.inner, size: start - f.inner, verbatim: true}})
	}
	value := strings.TrimSpace(f.value.String())
	switch f.field {
	case "encoded", "content", "description", "summary":
		if f.unescaped() && f.in == &e.body {
			e.bodyType = "html"
		} else if f.unescaped() {
			e.summaryType = "html"
		}
	case "link":
		f.leadsTo(strings.TrimSpace(e.link.string()), "alternate", f.begun, end)
		e.link = source{}
	case "guid":
		if raw := strings.TrimSpace(e.guid.string()); bareStart.MatchString(raw) {
			f.leadsTo(raw, "guid", f.begun, end)
		}
	case "comments":
		f.leadsTo(value, "replies", f.begun, end)
	case "pubDate", "date", "published", "issued":
		e.date = cmp.Or(e.date, isoDate(value))
	case "updated", "modified", "lastBuildDate":
		e.updated = cmp.Or(e.updated, isoDate(value))
	case "language":
		f.lang = cmp.Or(f.lang, value)
	}
	f.field, f.in = "", nil
}

// finish makes the citations of the entry that was read.
func (f *feedReader) finish() {
	e := f.open
	f.open = &f.channel
	f.field, f.in = "", nil
	if e == &f.channel || e == nil {
		f.channel.date = cmp.Or(f.channel.date, f.channel.updated)
		return
	}
	base, address := f.address(e)
	title := collapse(plainText(e.title.string()))
	like := found{content: true, base: base, block: -1}
	like.Entry, like.Dated = cmp.Or(title, address), cmp.Or(e.date, e.updated)
	if title != "" {
		b := &builder{}
		b.Kind, b.Level, b.Content, b.Entry = Heading, 2, true, e.n
		for rest, i := e.title.string(), 0; i < len(e.title.parts); i++ {
			p := e.title.parts[i]
			b.add(rest[:p.n], p.src, p.size, p.verbatim)
			rest = rest[p.n:]
		}
		f.runs = append(f.runs, b)
	}
	f.leads(e, like, title)
	body, kind := &e.body, e.bodyType
	if strings.TrimSpace(body.string()) == "" {
		body, kind = &e.summary, e.summaryType
	}
	f.content(e, body, kind, like)
}

// address is what the relative links of an entry are resolved against: xml:base, else where the entry is found; and that.
func (f *feedReader) address(e *entry) (*urlkey.Base, string) {
	base := f.base
	for _, raw := range []string{f.channel.at("alternate"), f.channel.base, e.base} {
		base = further(base, raw)
	}
	own := further(base, cmp.Or(e.at("alternate"), e.at("guid")))
	switch {
	case own == nil:
		return nil, ""
	case f.channel.base+e.base != "":
		return base, own.String()
	}
	return own, own.String()
}

// further is a base that is told relative to another; that other if it is none.
func further(base *urlkey.Base, raw string) *urlkey.Base {
	if raw == "" {
		return base
	}
	if b, err := resolveIn(base, raw); err == nil && urlkey.Fetchable(b.String()) {
		return b
	}
	return base
}

// at is where an entry leads to by a relation.
func (e *entry) at(rel string) string {
	for _, l := range e.links {
		if l.rel == rel {
			return l.raw
		}
	}
	return ""
}

// relations of entries that are told of, and why those are left out that are no sources.
var relations = map[string]string{"alternate": "", "via": "", "related": "", "guid": "", "enclosure": "enclosure", "replies": "reply"}

// leads are the citations of an entry's own links.
func (f *feedReader) leads(e *entry, like found, title string) {
	var said []string
	for _, l := range e.links {
		why, ok := relations[l.rel]
		if !ok || l.raw == "" || slices.Contains(said, l.raw) {
			continue
		}
		said = append(said, l.raw)
		c := like
		c.Raw, c.Start, c.End, c.rule = l.raw, l.start, l.end, why
		if l.rel == "alternate" || l.rel == "guid" {
			c.Text, c.Context = title, title
		}
		f.links = append(f.links, c)
	}
}

// content reads what an entry says.
func (f *feedReader) content(e *entry, s *source, kind string, like found) {
	text := s.string()
	if strings.TrimSpace(text) == "" || strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "audio/") || strings.HasPrefix(kind, "video/") {
		return
	}
	first := len(f.runs)
	var links []found
	if kind == "text" || kind == "text/plain" || !markupIn.MatchString(text) {
		links, _ = textLinks(text)
		runs := textBlocks(text, false)
		locate(runs, links)
		f.runs = append(f.runs, runs...)
	} else {
		marked, err := parse([]byte(text), f.expired)
		if err != nil {
			return
		}
		f.cut = f.cut || marked.cut
		w := walk(marked)
		links = w.links()
		f.runs = append(f.runs, w.runs...)
	}
	for _, b := range f.runs[first:] {
		b.Content, b.Entry = true, e.n
		b.pieces = s.moved(b.pieces)
	}
	for _, l := range links {
		l.content, l.base, l.Entry, l.Dated = true, like.base, like.Entry, like.Dated
		l.Start, _ = s.place(l.Start)
		if l.End > 0 {
			_, l.End = s.place(l.End - 1)
		}
		l.End = max(l.Start, l.End)
		if l.block >= 0 {
			l.block += first
		}
		f.links = append(f.links, l)
	}
	f.links = f.links[:min(len(f.links), MaxLinks)]
}

// plainText is the text of a title, in which markup may be escaped.
func plainText(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	z := html.NewTokenizer(strings.NewReader(s))
	var sb strings.Builder
	for z.Next() != html.ErrorToken {
		if t := z.Token(); t.Type == html.TextToken {
			sb.WriteString(t.Data)
		}
	}
	return sb.String()
}
