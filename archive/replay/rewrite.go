package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"linkstead/archive/httpmsg"
	"linkstead/archive/markup"
)

// notation is how a document writes down its references.
type notation string

const (
	verbatim notation = "" // has none that we rewrite
	html     notation = "html"
	xml      notation = "xml"
	css      notation = "css"
	script   notation = "js"
	manifest notation = "manifest"
	jsonp    notation = "jsonp" // or JSON
	playlist notation = "hls"
)

var notations = map[string]notation{
	"text/html":                 html,
	"text/xml":                  xml,
	"application/xml":           xml,
	"text/css":                  css,
	"application/manifest+json": manifest,
	"text/javascript":           script,
	"application/javascript":    script,
	"application/x-javascript":  script,
	"application/ecmascript":    script,
	"text/ecmascript":           script,

	"application/vnd.apple.mpegurl": playlist,
	"application/x-mpegurl":         playlist,
	"application/mpegurl":           playlist,
	"audio/mpegurl":                 playlist,
	"audio/x-mpegurl":               playlist,
	"video/x-mpegurl":               playlist,
}

// notationFor tells how a body of a type is read where that alone decides, as in a window.
func notationFor(mime string) notation {
	n, ok := notations[mime]
	if !ok && strings.HasSuffix(mime, "+xml") {
		return xml // XHTML, SVG, feeds, and all others that browsers read as XML (MIME Sniffing §4.6)
	}
	return n
}

// streamType is the type of a body at a URL. Servers that don't know the types of playlists and manifests of streams send them
// as bytes or as text, and players go by the name; both are then as harmless as they were, since a browser shows neither.
func streamType(mime, url string) string {
	switch mime {
	case "text/plain", "application/octet-stream", "binary/octet-stream":
	default:
		return mime
	}
	path, _, _ := strings.Cut(url, "?")
	switch {
	case strings.HasSuffix(path, ".m3u8"):
		return "application/vnd.apple.mpegurl"
	case strings.HasSuffix(path, ".mpd"):
		return "application/dash+xml"
	}
	return mime
}

// isJSON says whether a type is JSON (MIME Sniffing §4.6).
func isJSON(mime string) bool {
	return mime == "application/json" || mime == "text/json" || strings.HasSuffix(mime, "+json")
}

// notationOf tells how a body is read. Where it is wanted as a style sheet or a script the browser reads it so whatever
// its type says, within limits that only it knows. In a window or a frame the type decides, if the browser says that this is
// where it goes; if it does not say, and the type is that of a document, the policy keeps it from doing anything there.
//
// What a script asks for stays as it is, to the byte: scripts put it together with what they know, compare it and sign it; its
// references are relative to the page that it is put into, not to where it came from; and the shim turns addresses
// inward when they are used. A player in a script asks for its playlists so, and resolves them against the archived URL, which is what
// the answer's URL says. (Wayback and pywb leave JSON alone but for rules of single sites.) What is a script by its type, or is
// JSON that a script element asks for, may be JSONP.
func notationOf(mod modifier, r *http.Request, mime string) notation {
	switch {
	case mod == asIs:
		return verbatim
	case forScript(r, mod):
		if notationFor(mime) == script {
			return jsonp
		}
		return verbatim
	}
	want := wanted(r)
	switch dest := r.Header.Get("Sec-Fetch-Dest"); {
	case want == asFrame, dest == "document":
		return notationFor(mime)
	case dest == "manifest" && isJSON(mime):
		return manifest
	case want == asPage || want == asEmbed:
		want = mod
	}
	switch want {
	case asStyle:
		if notationFor(mime) == xml {
			return xml // of XSLT; nobody takes it for CSS
		}
		return css
	case asScript:
		switch {
		case isJSON(mime):
			return jsonp
		case mime == "application/wasm":
			return verbatim
		}
		return script
	case asImage:
		if notationFor(mime) != xml {
			return verbatim
		}
	}
	return notationFor(mime)
}

// renames neutralises what would make a browser refuse the rewritten page or speak to others, and keeps it under another
// name: the page's own policy and digests, which hold for bytes that are no more, and who is told of what.
var renames = []markup.Rename{
	{Attr: "integrity", To: "data-archive-integrity"},
	{Attr: "nonce", To: "data-archive-nonce"},
	{Attr: "ping", To: "data-archive-ping"},
	{Attr: "attributionsrc", To: "data-archive-attributionsrc"},
	{Attr: "referrerpolicy", To: "data-archive-referrerpolicy"},
	{Element: "script", Attr: "type", Value: "speculationrules", To: `type="text/plain" data-archive-type`}, // loads pages that nobody asked for
	{Element: "iframe", Attr: "csp", To: "data-archive-csp"},
	{Element: "iframe", Attr: "sandbox", Word: "allow-same-origin"}, // a frame without an origin gets nothing of what our hosts serve to their own pages
	{Element: "html", Attr: "manifest", To: "data-archive-manifest"},
	{Element: "meta", Attr: "name", Value: "referrer", To: "data-archive-name"},
	{Element: "meta", Attr: "http-equiv", Value: "content-security-policy", To: "data-archive-http-equiv"},
	{Element: "meta", Attr: "http-equiv", Value: "content-security-policy-report-only", To: "data-archive-http-equiv"},
	{Element: "meta", Attr: "http-equiv", Value: "x-dns-prefetch-control", To: "data-archive-http-equiv"},
	{Element: "meta", Attr: "http-equiv", Value: "origin-trial", To: "data-archive-http-equiv"},
}

// defused is put before the names of attributes that nobody is to obey, since what they say was not understood.
const defused = "data-archive-"

// shim brings our script into a page, before any of its own, and tells it what the address does not: when the page was captured
// (data-taken, 14 digits), when its server said that it had been changed (data-modified, alike), and that it has a banner, which is
// to say what notice has.
func (p *reply) shim(form notation) string {
	notice := ""
	if p.bannered() {
		notice = ` data-banner="` + p.notice() + `"`
	}
	modified := ""
	if t, err := http.ParseTime(p.head.Get("Last-Modified")); err == nil {
		modified = ` data-modified="` + stampOf(t) + `"`
	}
	namespace := ""
	if form == xml {
		namespace = ` xmlns="` + xhtml + `"`
	}
	return `<script` + namespace + ` src="` + assetRoot + shimName + `" data-taken="` + stampOf(p.c.At) + `"` + modified + notice + ` onerror="` + unscoped + `"></script>`
}

// unscoped is what scoped scripts call where our script does not come: functions that change nothing, so that a page
// without it is one that was not scoped.
const unscoped = "__lsV=__lsO=__lsE=__lsI=__lsU=function(x){return x};__lsT=function(x,f){return{get v(){return x},set v(y){f(y)}}}"

// xhtml is the namespace of the elements of HTML in XML.
const xhtml = "http://www.w3.org/1999/xhtml"

// rewrite sends the document with its references turned inward. One that is too long for memory goes as it is, and may
// do nothing at all.
func (p *reply) rewrite(form notation) error {
	shown := string(form) + string(wanted(p.r)) // what is put into a page depends on where it goes
	if bare(p.r, p.a.mod) {
		shown += "bare"
	}
	if form == xml && navigates(p.r) {
		shown += "shown"
	}
	if p.unchanged(p.tag(shown)) {
		return nil
	}
	if p.status == http.StatusPartialContent {
		p.status = http.StatusOK // its range is of other bytes
	}
	if p.r.Method == http.MethodHead {
		p.w.WriteHeader(p.status)
		return nil
	}
	d, err := httpmsg.Decode(p.payload, p.coding)
	if err != nil {
		return fmt.Errorf("decode %q: %w", p.coding, err)
	}
	defer d.Close() //nolint:errcheck // it frees buffers alone
	limited := httpmsg.NewCapped(d, p.h.maxRewrite())
	body := bodies.Get().(*bytes.Buffer)
	defer keepBody(body)
	_, err = body.ReadFrom(limited)
	src := body.Bytes()
	if err != nil {
		p.payload.finish()
	}
	if p.payload.err != nil {
		return p.failed(p.payload.err)
	}
	if err != nil {
		p.h.Log.Debug("a body can't be decoded to its end", "url", p.c.URL, "error", err)
	}
	if limited.Capped() {
		p.w.Header().Set("Content-Security-Policy", p.h.exactPolicy())
		return p.tooLong()
	}
	if form == xml {
		p.shape = shapeOf(src, p.head.Charset())
	}
	if p.unreadable(src, form) || p.unheld(src, form) {
		p.w.Header().Set("Content-Security-Policy", p.h.exactPolicy())
	}
	p.w.WriteHeader(p.status)
	out := bufio.NewWriterSize(clientWriter{p.w}, 32<<10)
	if err := p.translate(out, src, form); err != nil {
		return err
	}
	return out.Flush()
}

// bodies hold documents while they are rewritten. Long ones are not kept.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxKept = 1 << 20 // bytes

func keepBody(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		bodies.Put(b)
	}
}

// failed answers a fault of storage that came before anything was sent.
func (p *reply) failed(err error) error {
	clear(p.w.Header())
	p.h.fault(p.w, p.r, p.a, err)
	return nil
}

// tooLong sends a document from its start, since a part of it was read in vain.
func (p *reply) tooLong() error {
	if err := p.reopen(); err != nil {
		return p.failed(err)
	}
	p.w.Header().Del("ETag")
	p.w.WriteHeader(p.status)
	return p.body(false, func(body io.Reader) error { return copyTo(p.w, body) })
}

// translate rewrites src by the scanner of its notation.
func (p *reply) translate(dst io.Writer, src []byte, form notation) error {
	ref := p.references()
	ref.charset = markup.CharsetOf(src, p.head.Charset())
	if back, text := transcoded(dst, src, p.head.Charset()); back != nil {
		return errors.Join(p.scan(back, text, form, ref), back.Close())
	}
	if mark := wideMark(src, p.head.Charset()); mark != nil {
		dst, src = widened(dst, src, mark)
	}
	return p.scan(dst, src, form, ref)
}

// scan runs the scanner of a notation over a document in which ASCII stands in its place.
func (p *reply) scan(dst io.Writer, src []byte, form notation, ref *references) error {
	opts := markup.Options{Rename: renames, Defuse: defused, Feeds: true}
	if p.shimmed(src, form) {
		opts.Insert = func(int) string { return p.shim(form) }
		opts.Scope = true
	}
	ref.keep = form == html || opts.Scope && (p.mime == "application/xhtml+xml" || p.mime == "image/svg+xml") // feeds are for others than browsers
	if ref.keep {
		opts.Selects = ref.selects()
	}
	var err error
	switch form {
	case html, xml:
		if base, ok := markup.FirstBase(src); ok && (form == html || bytes.Contains(src, []byte(xhtml))) {
			ref.withBase(ref.charset.URL(base))
		}
		if form == html {
			err = markup.HTML(dst, src, opts, ref.visit)
		} else {
			err = markup.XML(dst, src, opts, ref.visit)
		}
	case css:
		err = markup.SelectingCSS(dst, src, ref.selects(), ref.visit)
	case jsonp:
		_, err = dst.Write(calledBack(src, p.c.URL, p.a.url))
	case script:
		src = calledBack(src, p.c.URL, p.a.url)
		if p.runs() {
			err = markup.ScopedJavaScript(dst, src, ref.visit)
		} else {
			err = markup.JavaScript(dst, src, ref.visit)
		}
	case playlist:
		err = markup.Playlist(dst, src, ref.visit)
	case manifest:
		err = markup.WebManifest(dst, src, ref.visit)
	default:
		_, err = dst.Write(src)
	}
	if err != nil {
		return fmt.Errorf("rewrite %s as %s: %w", p.c.URL, form, err)
	}
	return nil
}
