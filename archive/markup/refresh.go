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

// scanRefresh follows the shared declarative refresh steps (HTML §4.2.5.3): "5; url='next.html'", with everything but the
// number optional.
func scanRefresh(s *scan, t *text, context string) {
	b := t.b
	i := skipSpace(b, 0)
	digits := i
	for i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == '.') {
		i++
	}
	if i == digits || i >= len(b) || b[i] != ';' && b[i] != ',' && !isSpace(b[i]) {
		return
	}
	i = skipSpace(b, i)
	if i < len(b) && (b[i] == ';' || b[i] == ',') {
		i++
	}
	i = skipSpace(b, i)
	if len(b)-i >= 3 && equalFold(b[i:i+3], "url") {
		at := skipSpace(b, i+3)
		if at >= len(b) || b[at] != '=' {
			refreshTo(s, t, i, len(b), context, "")
			return
		}
		i = skipSpace(b, at+1)
	}
	end, quotes := len(b), ""
	if i < len(b) && (b[i] == '"' || b[i] == '\'') {
		quotes = string(b[i])
		i++
		if n := bytes.IndexByte(b[i:], quotes[0]); n >= 0 {
			end = i + n
		}
	}
	refreshTo(s, t, i, end, context, quotes)
}

func refreshTo(s *scan, t *text, start, end int, context, quotes string) {
	start, end = trim(t.b, start, end)
	r := Ref{URL: string(t.b[start:end]), Role: Refresh, Context: context, Start: start, End: end}
	s.found(t, r, func(s string) string { return percent(s, quotes) })
}

// meta visits the URL in a meta element's content: where a refresh leads, or a picture for previews.
func (h *htmlScan) meta(a *attr) {
	if trimFold(h.attr(attrHTTPEquiv), "refresh") {
		scanRefresh(h.scan, h.value(a), "meta/@refresh")
		return
	}
	for _, id := range [...]uint8{attrProperty, attrName, attrItemprop} {
		if key := h.attr(id); key != nil && social.lookup(bytes.TrimSpace(key)) != 0 {
			h.url(a, Social, "meta/@content")
			return
		}
	}
}

// social are the names under which meta elements hold URLs for link previews and tiles.
var social = newNameTable("og:image", "og:image:url", "og:image:secure_url", "og:video", "og:video:url", "og:video:secure_url",
	"og:audio", "og:audio:url", "og:audio:secure_url", "og:url", "twitter:image", "twitter:image:src", "twitter:player",
	"twitter:player:stream", "twitter:url", "msapplication-tileimage", "msapplication-config", "msapplication-square70x70logo",
	"msapplication-square150x150logo", "msapplication-square310x310logo", "msapplication-wide310x150logo", "thumbnail",
	"image", "url", "thumbnailurl", "contenturl", "embedurl", "logo")
