package crawler

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/markup"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/crawler/session"
)

// discover finds what a document leads to. A document that can't be read is captured all the same: a note tells why it
// leads nowhere. The error is that of the context, which ended while the links waited for memory.
func (c *Crawler) discover(ctx context.Context, r *run, e *warc.Entry, d fetch.Document) error {
	switch hops := e.Task.Hops; {
	case scope.Role(hops) == scope.KindRobots:
	case r.spec().Watch == scope.WatchRecheck: // the links alone are asked for
	case r.spec().IsPost(hops) && d.Status/100 == 2:
		c.discoverPost(r, e, d, c.Now().UTC(), r.row.Source)
	default:
		f := newFinder(r, e, d.URL)
		f.within(ctx, c.Links, len(d.Body))
		f.scan(d, c.until())
		f.forget()
		c.Links.settle(e, f.cost)
		return f.fault
	}
	return nil
}

// until is when the search in a document that begins now is over.
func (c *Crawler) until() time.Time { return time.Now().Add(cmp.Or(c.Discover, time.Minute)) }

// finder gathers what one document leads to.
type finder struct {
	run   *run
	scope *scope.Scope // of the run when the finder was made
	e     *warc.Entry
	hide  *session.Set // masked in each address
	doc   *urlkey.Base // the document's own URL
	base  *urlkey.Base // what its references are relative to

	charset *markup.Charset   // of the document
	seen    map[spelling]bool // addresses taken, by hop
	raw     map[spelling]bool // references resolved before: a page may name one a million times
	lean    bool              // links that are no news to the run need not be told
	cited   map[string]bool   // the post's own links
	nth     int               // requisites admitted
	over    int               // requisites over the quota
	bytes   int               // of outlinks
	spare   int               // outlinks over the bounds
	until   time.Time         // when the search is over
	asked   int               // references …
	late    int               // … and those that were left out for it
	traps   int               // links that were left out as traps …
	why     string            // … and why the first one was

	ctx    context.Context // of waits for room
	room   *LinkRoom       // for many links; nil: no bound
	length int             // of the document, in bytes
	cost   int64           // of the links so far, in bytes …
	share  int64           // … and the room for them, if it was asked for
	fault  error           // why no room was given: the search is over
}

// Bounds of what one document may lead to. Beyond them a page is hostile or broken, and its closing record would be as big
// as it likes.
const (
	maxOutlinks     = 100_000
	maxOutlinkBytes = 8 << 20
)

func newFinder(r *run, e *warc.Entry, url string) *finder {
	f := &finder{run: r, scope: r.scope.Load(), e: e, hide: r.secrets(e), cited: map[string]bool{}}
	sets := spellings.Get().(*[2]map[spelling]bool)
	f.seen, f.raw = sets[0], sets[1]
	// What a 304 stands for leads to what the record of the original tells: see warc.Meta.Trim.
	f.lean = e.Confirmed != nil && f.scope.Spec().Missing == 0
	f.rebase(url)
	f.doc = f.base
	return f
}

// spellings are the sets of finders, used again: most of what they cost is to grow. Big ones are left to the collector.
var spellings = sync.Pool{New: func() any { return &[2]map[spelling]bool{{}, {}} }}

const bigSpellings = 2048

// forget gives up what the finder was made with. It is of no use then.
func (f *finder) forget() {
	sets := &[2]map[spelling]bool{f.seen, f.raw}
	f.seen, f.raw = nil, nil
	if max(len(sets[0]), len(sets[1])) > bigSpellings {
		return
	}
	clear(sets[0])
	clear(sets[1])
	spellings.Put(sets)
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
	if u, err := f.base.Resolve(f.charset.URL(href)); err == nil && urlkey.Fetchable(u) {
		f.rebase(u)
	}
}

// scan reads a document by its media type, and takes references until a time.
func (f *finder) scan(d fetch.Document, until time.Time) {
	f.until = until
	f.charset = markup.CharsetOf(d.Body, d.Charset)
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
	if f.late > 0 {
		f.note(fmt.Sprintf("%d references were left out: finding what the document leads to took longer than the limit", f.late))
	}
	if f.over > 0 {
		f.note(fmt.Sprintf("%d requisites were left out: over the limit", f.over))
	}
	f.noteSpare("links")
	f.noteTraps()
}

// noteSpare says how much is beyond the bounds.
func (f *finder) noteSpare(what string) {
	if f.spare > 0 {
		f.note(fmt.Sprintf("%d %s were left out: the document names more than can be kept", f.spare, what))
	}
}

// noteTraps says what was left out as a trap, and was no task either.
func (f *finder) noteTraps() {
	if f.traps > 0 {
		f.note(fmt.Sprintf("%d links were left out as traps; of the first one, %s", f.traps, f.why))
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

// discoverHead takes what the head of a response refers to: Refresh, and preloads in Link (RFC 8288). Most have neither.
func discoverHead(r *run, e *warc.Entry, h httpmsg.Head) {
	refresh, link := h.Values("Refresh"), h.Values("Link")
	if len(refresh)+len(link) == 0 {
		return
	}
	f := newFinder(r, e, e.Exchange.URL)
	for _, v := range refresh {
		_ = markup.RefreshHeader(nil, []byte(v), f.visit) // its only error is a document of 2 GiB
	}
	for _, v := range link {
		_ = markup.LinkHeader(nil, []byte(v), f.visit)
	}
	f.forget()
}

// oneWayOn leaves one of the ways on which a response sends its reader, as a browser takes one: Location, else Refresh in the
// head, else the first refresh in the document (HTML, "shared declarative refresh steps"). With more a server would make each
// page two, and each of these two more.
func oneWayOn(e *warc.Entry) {
	way := func(l warc.Outlink) int {
		switch {
		case l.Hop != byte(scope.HopRedirect) || l.Kind == "":
			return 0
		case l.Context == "Location":
			return 3
		case l.Context == "Refresh":
			return 2
		}
		return 1
	}
	most := 0
	for _, l := range e.Meta.Outlinks {
		most = max(most, way(l))
	}
	all := len(e.Meta.Outlinks)
	taken := false
	e.Meta.Outlinks = slices.DeleteFunc(e.Meta.Outlinks, func(l warc.Outlink) bool {
		if way(l) == 0 || way(l) == most && !taken {
			taken = taken || way(l) > 0
			return false
		}
		return true
	})
	if n := all - len(e.Meta.Outlinks); n > 0 {
		e.Meta.Notes = append(e.Meta.Notes, fmt.Sprintf("it sends its reader on in %d more ways: only one is followed", n))
	}
}

// lateEvery is at how many references the clock is looked at once.
const lateEvery = 32

// visit takes one reference.
func (f *finder) visit(ref markup.Ref) (string, bool) {
	looks := f.asked%lateEvery == 0
	f.asked++
	ref.URL = f.charset.URL(ref.URL)
	switch {
	case f.fault != nil:
	case f.late > 0 || looks && !f.until.IsZero() && time.Now().After(f.until):
		f.late++ // what is left of the document is passed over at the scanner's speed
	case ref.Role == markup.Refresh:
		f.refresh(ref)
	case ref.Rel != "":
		f.relate(ref)
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
			f.cited[f.hide.Address(u)] = true
		}
	}
	before := len(f.e.Meta.Outlinks)
	f.take(ref, hop)
	if out := f.e.Meta.Outlinks; hop == scope.HopRedirect && len(out) > before && out[before].Kind != "" {
		f.e.Post = nil
	}
}

// relate notes what a page says that it is, or is elsewhere: its preferred address, translations, other forms. A reader goes
// there by other links, and nobody needs it to see the page. A feed is read for pages, if the run reads them.
func (f *finder) relate(ref markup.Ref) {
	if f.base == nil {
		return
	}
	url, err := f.base.Resolve(ref.URL)
	if url = f.hide.Address(url); err != nil || !urlkey.Fetchable(url) {
		return
	}
	context := "link/@rel=" + ref.Rel
	if ref.Context == "Link" {
		context = "Link rel=" + ref.Rel
	}
	if ref.Feed && f.scope.FeedsOf(f.e.Task.Hops, f.e.Task.Depth) {
		f.add(url, scope.HopNested, context)
		return
	}
	key := spelling{base: context, url: url}
	if f.seen[key] {
		return
	}
	if f.bytes += len(url) + len(context); f.bytes > maxOutlinkBytes || len(f.e.Meta.Outlinks) >= maxOutlinks || !f.afford(len(url)+len(context)) {
		f.spare++
		return
	}
	f.seen[key] = true
	f.e.Meta.Outlinks = append(f.e.Meta.Outlinks, outlink(url, scope.HopLink, context, scope.Verdict{Reason: scope.ReasonNoted}))
}

// spelling is a reference as it stands on a page.
type spelling struct {
	hop       scope.Hop
	base, url string
}

func (f *finder) take(ref markup.Ref, hop scope.Hop) {
	base := f.base
	as := spelling{hop, ref.Base, ref.URL}
	if ref.Early && ref.Role.Requisite() && f.doc != f.base {
		base, as.base = f.doc, "early "+ref.Base // a browser has loaded it before it meets the base
	}
	if f.raw[as] {
		return
	}
	if len(f.raw) < maxOutlinks && len(ref.URL) < 256 && f.spare == 0 {
		f.raw[as] = true
	}
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
	if hidden := f.hide.Address(url); hidden != url {
		if url = hidden; !urlkey.Fetchable(url) {
			return
		}
	}
	key := spelling{hop: hop, url: url}
	if f.seen[key] {
		return
	}
	if f.bytes += len(url) + len(context); f.bytes > maxOutlinkBytes || len(f.e.Meta.Outlinks) >= maxOutlinks || !f.afford(len(url)+len(context)) {
		f.spare++
		return
	}
	f.seen[key] = true
	t := f.e.Task
	l := scope.Link{URL: url, Hop: hop, Cited: f.cited[url], From: t.URL, Depth: t.Depth, Hops: t.Hops, Nth: f.nth}
	v := f.run.admit(f.scope, f.e, l)
	if v.Reason == scope.ReasonTrap && !v.Admitted {
		if f.traps++; f.traps == 1 {
			f.why = v.Detail
		}
	}
	if hop == scope.HopEmbed {
		if v.Admitted {
			f.nth++
		} else if v.Reason == scope.ReasonQuota {
			f.over++
		}
	}
	if f.lean && v.Admitted && (hop == scope.HopLink || hop == scope.HopEmbed) && context != warc.CitationContext && f.run.knows(l) {
		return
	}
	f.e.Meta.Outlinks = append(f.e.Meta.Outlinks, outlink(url, hop, context, v))
}
