package markup

import (
	"bytes"
	"io"
)

// RefreshHeader visits the URL in the value of a Refresh header field.
func RefreshHeader(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) {
		t = &text{b: t.b, esc: func(s string) string { return percent(s, "\r\n") }, outer: t}
		scanRefresh(s, t, "Refresh")
	})
}

// ClearRefresh says whether every browser reads a Refresh field as RefreshHeader does. What is in any other is not to be obeyed: some
// take white space for nothing that others don't know, and lead on where nobody looked.
func ClearRefresh(value []byte) bool {
	_, ok := readRefresh(value)
	return ok
}

// refreshParts are where the URL of a refresh stands; start is -1 if there is none. Quotes must not stand in it.
type refreshParts struct {
	start, end int
	quotes     string
}

// scanRefresh visits the URL of a refresh.
func scanRefresh(s *scan, t *text, context string) {
	if p, ok := readRefresh(t.b); ok && p.start >= 0 {
		refreshTo(s, t, p.start, p.end, context, p.quotes)
	}
}

// readRefresh follows the shared declarative refresh steps (HTML §4.2.5.3): "5; url='next.html'", with everything but the
// number optional. It is not ok if that is no refresh, for some browser may take it for one.
func readRefresh(b []byte) (p refreshParts, ok bool) {
	p.start = -1
	i := skipSpace(b, 0)
	digits := i
	for i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == '.') {
		i++
	}
	if i >= len(b) {
		return p, true // of the document itself, or of nothing
	}
	if i == digits || b[i] != ';' && b[i] != ',' && !isSpace(b[i]) {
		return p, false
	}
	i = skipSpace(b, i)
	if i < len(b) && (b[i] == ';' || b[i] == ',') {
		i++
	}
	i = skipSpace(b, i)
	p.start, p.end = i, len(b)
	if len(b)-i >= 3 && equalFold(b[i:i+3], "url") {
		at := skipSpace(b, i+3)
		if at >= len(b) || b[at] != '=' {
			return p, true
		}
		i = skipSpace(b, at+1)
	}
	if i < len(b) && (b[i] == '"' || b[i] == '\'') {
		p.quotes = string(b[i])
		i++
		if n := bytes.IndexByte(b[i:], p.quotes[0]); n >= 0 {
			p.end = i + n
		}
	}
	p.start = i
	return p, true
}

func refreshTo(s *scan, t *text, start, end int, context, quotes string) {
	start, end = trim(t.b, start, end)
	r := Ref{URL: string(t.b[start:end]), Role: Refresh, Context: context, Start: start, End: end}
	s.found(t, r, func(s string) string { return percent(s, quotes) })
}

// meta visits the URL in a meta element's content: where a refresh leads, or a picture for previews.
func (h *htmlScan) meta(a *attr) {
	if h.refreshes {
		scanRefresh(h.scan, h.value(a), "meta/@refresh")
		return
	}
	for _, id := range [...]uint8{attrProperty, attrName, attrItemprop} {
		if key := h.plain(id); key != nil && social.lookup(bytes.TrimSpace(key)) != 0 {
			h.url(a, Social, "meta/@content")
			return
		}
	}
}

// refreshing tells whether the meta element just read leads on, and whether that was not understood. In XML an entity may be
// anything.
func (h *htmlScan) refreshing() {
	equiv := h.plain(attrHTTPEquiv)
	h.refreshes = trimFold(equiv, "refresh")
	h.unclear = h.xml && bytes.IndexByte(equiv, '&') >= 0 || h.refreshes && !ClearRefresh(h.plain(attrContent))
}

// social are the names under which meta elements hold URLs for link previews and tiles.
var social = newNameTable("og:image", "og:image:url", "og:image:secure_url", "og:video", "og:video:url", "og:video:secure_url",
	"og:audio", "og:audio:url", "og:audio:secure_url", "og:url", "twitter:image", "twitter:image:src", "twitter:player",
	"twitter:player:stream", "twitter:url", "msapplication-tileimage", "msapplication-config", "msapplication-square70x70logo",
	"msapplication-square150x150logo", "msapplication-square310x310logo", "msapplication-wide310x150logo", "thumbnail",
	"image", "url", "thumbnailurl", "contenturl", "embedurl", "logo")
