package crawler

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/markup"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
)

// discover finds what a document leads to. A document that can't be read is captured all the same: a note tells why it
// leads nowhere.
func (c *Crawler) discover(r *run, e *warc.Entry, d fetch.Document) {
	switch hops := e.Task.Hops; {
	case scope.Role(hops) == scope.KindRobots:
	case r.spec().Watch == scope.WatchRecheck: // the links alone are asked for
	case r.spec().IsPost(hops) && d.Status/100 == 2:
		c.discoverPost(r, e, d, c.Now().UTC(), r.row.Source)
	default:
		newFinder(r.scope.Load(), e, d.URL).scan(d)
	}
}

// finder gathers what one document leads to.
type finder struct {
	scope *scope.Scope
	e     *warc.Entry
	base  *urlkey.Base
	seen  map[string]bool
	cited map[string]bool // the post's own links
	nth   int             // requisites admitted
	over  int             // requisites over the quota
	bytes int             // of outlinks
	spare int             // outlinks over the bounds
}

// Bounds of what one document may lead to. Beyond them a page is hostile or broken, and its closing record would be as big
// as it likes.
const (
	maxOutlinks     = 100_000
	maxOutlinkBytes = 8 << 20
)

func newFinder(s *scope.Scope, e *warc.Entry, url string) *finder {
	f := &finder{scope: s, e: e, seen: map[string]bool{}, cited: map[string]bool{}}
	f.rebase(url)
	return f
}

func (f *finder) rebase(url string) {
	if b, err := urlkey.NewBase(url); err == nil {
		f.base = b
	}
}

// rebaseBy obeys the base element of an HTML document.
func (f *finder) rebaseBy(html []byte) {
	href, ok := markup.FirstBase(html)
	if !ok || f.base == nil {
		return
	}
	if u, err := f.base.Resolve(href); err == nil && urlkey.Fetchable(u) {
		f.rebase(u)
	}
}

// scan reads a document by its media type.
func (f *finder) scan(d fetch.Document) {
	var err error
	switch scanner := scannerOf(d); scanner {
	case scanHTML:
		f.rebaseBy(d.Body)
		err = markup.HTML(nil, d.Body, markup.Options{}, f.visit)
	case scanCSS:
		err = markup.CSS(nil, d.Body, f.visit)
	case scanXML:
		err = markup.XML(nil, d.Body, markup.Options{}, f.visit)
	case scanManifest:
		err = markup.WebManifest(nil, d.Body, f.visit)
	case scanScript:
		err = markup.JavaScript(nil, d.Body, f.visit)
	}
	if err != nil {
		f.note("the document can't be read: " + err.Error())
	}
	if d.Capped {
		f.note("only the beginning of the document was read: it is longer than the limit")
	}
	if f.over > 0 {
		f.note(fmt.Sprintf("%d requisites were left out: over the limit", f.over))
	}
	f.noteSpare("links")
}

// noteSpare says how much is beyond the bounds.
func (f *finder) noteSpare(what string) {
	if f.spare > 0 {
		f.note(fmt.Sprintf("%d %s were left out: the document names more than can be kept", f.spare, what))
	}
}

func (f *finder) note(s string) { f.e.Meta.Notes = append(f.e.Meta.Notes, s) }

type scanner int

const (
	scanNothing scanner = iota
	scanHTML
	scanCSS
	scanXML
	scanManifest
	scanScript
)

func scannerOf(d fetch.Document) scanner {
	switch m := d.Mime; {
	case m == "text/html" || m == "application/xhtml+xml":
		return scanHTML
	case m == "text/css":
		return scanCSS
	case m == "application/manifest+json" || m == "application/json" && strings.HasSuffix(d.URL, "manifest.json"):
		return scanManifest
	case strings.HasSuffix(m, "+xml") || m == "text/xml" || m == "application/xml":
		return scanXML
	case strings.Contains(m, "javascript") || strings.Contains(m, "ecmascript"):
		if importsModules(d.Body) {
			return scanScript
		}
	}
	return scanNothing
}

var moduleImport = regexp.MustCompile(`^import\s*(["'{*(]|[\w$]+(\s*,|\s+from\b))`)

// importsModules says whether a script may import others. Most don't, and reading them is dear.
func importsModules(js []byte) bool {
	for at := 0; ; {
		i := bytes.Index(js[at:], []byte("import"))
		if i < 0 {
			return false
		}
		at += i
		word := at > 0 && (isWord(js[at-1]) || js[at-1] == '"' || js[at-1] == '\'')
		if !word && moduleImport.Match(js[at:min(at+200, len(js))]) {
			return true
		}
		at += len("import")
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// headers takes what the head of a response refers to: Refresh, and preloads in Link (RFC 8288).
func (f *finder) headers(h httpmsg.Head) {
	for _, v := range h.Values("Refresh") {
		_ = markup.RefreshHeader(nil, []byte(v), f.visit) // its only error is a document of 2 GiB
	}
	for _, v := range h.Values("Link") {
		_ = markup.LinkHeader(nil, []byte(v), f.visit)
	}
}

// visit takes one reference.
func (f *finder) visit(ref markup.Ref) (string, bool) {
	switch {
	case ref.Role == markup.Refresh:
		f.refresh(ref)
	case ref.Role.Requisite():
		f.take(ref, scope.HopEmbed)
	case ref.Role.Outlink():
		f.take(ref, scope.HopLink)
	}
	return "", false
}

// refresh follows a document that sends its reader on: its target stands where it stood. A post that has links of its
// own stays the post, and where it sends its reader is one link more.
func (f *finder) refresh(ref markup.Ref) {
	hop := scope.HopRedirect
	if p := f.e.Post; p != nil && len(p.Citations) > 0 {
		hop = scope.HopLink
		if u, err := f.base.Resolve(ref.URL); err == nil {
			f.cited[u] = true
		}
	}
	before := len(f.e.Meta.Outlinks)
	f.take(ref, hop)
	if out := f.e.Meta.Outlinks; hop == scope.HopRedirect && len(out) > before && out[before].Kind != "" {
		f.e.Post = nil
	}
}

func (f *finder) take(ref markup.Ref, hop scope.Hop) {
	base := f.base
	if ref.Base != "" && base != nil {
		if u, err := base.Resolve(ref.Base); err == nil {
			if b, err := urlkey.NewBase(u); err == nil {
				base = b
			}
		}
	}
	if base == nil {
		return
	}
	url, err := base.Resolve(ref.URL)
	if err != nil || !urlkey.Fetchable(url) {
		return
	}
	f.add(url, hop, ref.Context)
}

// add makes an outlink of a URL, once a hop, and a task if it belongs to the run.
func (f *finder) add(url string, hop scope.Hop, context string) {
	key := string(hop) + url
	if f.seen[key] {
		return
	}
	if f.bytes += len(url) + len(context); f.bytes > maxOutlinkBytes || len(f.e.Meta.Outlinks) >= maxOutlinks {
		f.spare++
		return
	}
	f.seen[key] = true
	t := f.e.Task
	v := f.scope.Admit(scope.Link{
		URL: url, Hop: hop, Cited: f.cited[url], From: t.URL, Depth: t.Depth, Hops: t.Hops, Nth: f.nth,
	})
	if hop == scope.HopEmbed {
		if v.Admitted {
			f.nth++
		} else if v.Reason == scope.ReasonQuota {
			f.over++
		}
	}
	f.e.Meta.Outlinks = append(f.e.Meta.Outlinks, outlink(url, hop, context, v))
}
