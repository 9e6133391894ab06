package markup

import "bytes"

// What the text of an element in a feed or a sitemap holds: numbers of htmlScan.content beyond those of elements.
const (
	textAddress uint8 = 254
	textHTML    uint8 = 255
)

// feedRoots are the root elements of RSS, RDF Site Summary, Atom, OPML and sitemaps, and of DASH (ISO/IEC 23009-1).
var feedRoots = newNameTable("rss", "rdf", "feed", "opml", "urlset", "sitemapindex", "mpd")

// feedAddresses are elements whose text is an address (RSS 2.0, RFC 4287, sitemaps.org and its extensions, mRSS), and
// feedHTML those whose text is HTML, escaped or in a CDATA section.
var (
	feedAddresses = newNameTable("link", "url", "loc", "comments", "docs", "guid", "uri", "icon", "logo", "origlink", "origenclosurelink",
		"commentrss", "thumbnail_loc", "content_loc", "player_loc", "baseurl", "location", "patchlocation")
	feedHTML = newNameTable("description", "encoded", "content", "summary", "subtitle", "rights", "title")
)

// maxFeedBases bounds how deep xml:base attributes are followed.
const maxFeedBases = 16

// feedBase is an xml:base attribute in force down to a depth of elements.
type feedBase struct {
	depth int
	outer string
}

// feedStart takes note of a start tag of XML, and tells what its text holds.
func (h *htmlScan) feedStart(name []byte, selfClosing bool) {
	if !h.feed || selfClosing {
		return
	}
	h.deep++
	if raw := h.attr(attrXMLBase); raw != nil && len(h.bases) < maxFeedBases {
		u := unescapeRefs(raw, nil)
		start, end := trim(u, 0, len(u))
		h.bases = append(h.bases, feedBase{h.deep, h.base})
		h.base = string(u[start:end])
	}
	typ := h.attr(attrType)
	switch {
	case feedAddresses.lookup(name) != 0:
		h.content = textAddress
	case feedHTML.lookup(name) == 0:
	case trimFold(typ, "html"), trimFold(typ, "text/html"), equalFold(name, "description"), equalFold(name, "encoded"):
		h.content = textHTML
	}
}

// feedEnd takes note of an end tag.
func (h *htmlScan) feedEnd() {
	if !h.feed {
		return
	}
	if n := len(h.bases); n > 0 && h.bases[n-1].depth >= h.deep {
		h.base = h.bases[n-1].outer
		h.bases = h.bases[:n-1]
	}
	h.deep--
}

// feedText reads a stretch of text in a feed.
func (h *htmlScan) feedText(t *text) {
	if h.content == textAddress {
		start, end := trim(t.b, 0, len(t.b))
		r := Ref{URL: string(t.b[start:end]), Role: Link, Context: "feed/text", Start: start, End: end}
		if h.dash {
			r.Role, r.Context = Media, "dash/text"
		}
		if raw := t.b[start:end]; !bytes.ContainsAny(raw, " \t\n<>\"") && (h.dash && absolutePath(raw) || webAddress(raw)) {
			h.found(t, r, nil)
		}
		return
	}
	if h.depth < maxSrcdoc && bytes.IndexByte(t.b, '<') >= 0 {
		h.depth++
		newHTMLScan(h.scan, t, Options{Rename: h.opts.Rename}).document()
		h.depth--
	}
}

func webAddress(raw []byte) bool {
	return hasPrefixFold(raw, "http://") || hasPrefixFold(raw, "https://")
}

// absolutePath says whether an address keeps nothing of the path of its base. Others, in DASH, are resolved against one another by
// the player, and against the manifest's own address in the end, which is inward already.
func absolutePath(raw []byte) bool { return webAddress(raw) || len(raw) > 0 && raw[0] == '/' }

func hasPrefixFold(b []byte, lower string) bool {
	return len(b) >= len(lower) && equalFold(b[:len(lower)], lower)
}
