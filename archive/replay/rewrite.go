package replay

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/markup"
	"linkstead/archive/wall"
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
)

var notations = map[string]notation{
	"text/html":                 html,
	"application/xhtml+xml":     xml,
	"image/svg+xml":             xml,
	"text/xml":                  xml,
	"application/xml":           xml,
	"application/rss+xml":       xml,
	"application/atom+xml":      xml,
	"application/rdf+xml":       xml,
	"application/mathml+xml":    xml,
	"text/css":                  css,
	"application/manifest+json": manifest,
	"text/javascript":           script,
	"application/javascript":    script,
	"application/x-javascript":  script,
	"application/ecmascript":    script,
	"text/ecmascript":           script,
}

// notationOf tells how a body is read. Where it is wanted as a style sheet or a script the browser reads it so whatever
// its type says, within limits that only it knows.
func notationOf(mod, want modifier, mime string) notation {
	if mod == asIs {
		return verbatim
	}
	if want == asPage || want == asEmbed {
		want = mod
	}
	switch want {
	case asStyle:
		return css
	case asScript:
		if mime == "application/json" || mime == "application/wasm" {
			return verbatim
		}
		return script
	case asImage:
		if n := notations[mime]; n != xml {
			return verbatim
		}
	}
	return notations[mime]
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
	{Element: "html", Attr: "manifest", To: "data-archive-manifest"},
	{Element: "meta", Attr: "name", Value: "referrer", To: "data-archive-name"},
	{Element: "meta", Attr: "http-equiv", Value: "content-security-policy", To: "data-archive-http-equiv"},
	{Element: "meta", Attr: "http-equiv", Value: "content-security-policy-report-only", To: "data-archive-http-equiv"},
	{Element: "meta", Attr: "http-equiv", Value: "x-dns-prefetch-control", To: "data-archive-http-equiv"},
	{Element: "meta", Attr: "http-equiv", Value: "origin-trial", To: "data-archive-http-equiv"},
}

// shim brings our script into a page, before any of its own, and tells it what a reader of a wall is to be told.
func (p *reply) shim(form notation) string {
	notice := ""
	if s := wall.Sentence(strings.Fields(p.c.Flags)); s != "" && topLevel(p.r, p.a.mod) {
		notice = ` data-archive-notice="` + s + `"`
	}
	namespace := ""
	if form == xml {
		namespace = ` xmlns="` + xhtml + `"`
	}
	return `<script` + namespace + ` src="` + assetRoot + shimName + `"` + notice + `></script>`
}

// xhtml is the namespace of the elements of HTML in XML.
const xhtml = "http://www.w3.org/1999/xhtml"

var (
	scripted = regexp.MustCompile(`(?i)<(?:[\w-]+:)?script[\s/>]|\son[a-z]+\s*=|javascript:`)
	drawing  = regexp.MustCompile(`(?i)<(?:[\w-]+:)?svg[\s/>]`)
)

// shimmed says whether our script goes along: with all HTML that is not asked for by a script, which wants the bytes alone;
// of XML with XHTML, and with drawings that run scripts and are not shown as a picture, where they couldn't.
func (p *reply) shimmed(src []byte, form notation) bool {
	if wanted(p.r) == asData || p.a.mod == asData {
		return false
	}
	if form != xml || bytes.Contains(src, []byte(xhtml)) && !drawing.Match(src[:min(len(src), 1024)]) {
		return true
	}
	return wanted(p.r) != asImage && p.a.mod != asImage && drawing.Match(src) && scripted.Match(src)
}

// rewrite sends the document with its references turned inward. One that is too long for memory goes as it is, and may
// do nothing at all.
func (p *reply) rewrite(form notation) error {
	if p.unchanged(p.tag(string(form))) {
		return nil
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
	src, err := io.ReadAll(limited)
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
	if p.unreadable(src, form) {
		p.w.Header().Set("Content-Security-Policy", p.h.exactPolicy())
	}
	p.w.WriteHeader(p.status)
	out := bufio.NewWriterSize(clientWriter{p.w}, 32<<10)
	if err := p.translate(out, src, form); err != nil {
		return err
	}
	return out.Flush()
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
	ref := newReferences(p.a, &p.c)
	opts := markup.Options{Rename: renames}
	if p.shimmed(src, form) {
		opts.Insert = func(int) string { return p.shim(form) }
	}
	var err error
	switch form {
	case html, xml:
		if base, ok := markup.FirstBase(src); ok {
			ref.withBase(base)
		}
		if form == html {
			err = markup.HTML(dst, src, opts, ref.visit)
		} else {
			err = markup.XML(dst, src, opts, ref.visit)
		}
	case css:
		err = markup.CSS(dst, src, ref.visit)
	case script:
		err = markup.JavaScript(dst, src, ref.visit)
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
