package replay

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets/shim
var shimParts embed.FS

// shimOrder are the parts of the shim in the order in which they run; those before elements run in workers, too.
var shimOrder = []string{
	"natives", "facts", "address", "code", "evaluate", "clock", "network", "closed", "denied", "storage", "workers",
	"markup", "elements", "frames", "strings", "styles", "observer", "answers", "blobs", "webstorage", "cookies", "navigation", "blocked", "words", "panel", "room", "banner",
	"scope", "messages", "reveal", "selectors", "scripts",
}

var shimSource = joined(shimOrder)

// joined makes one script of parts: within one function, so that they share their names and the page sees none of them.
func joined(parts []string) []byte {
	var b bytes.Buffer
	b.WriteString("(function linkstead(given) {\n\"use strict\";\n")
	for _, name := range parts {
		text, err := shimParts.ReadFile("assets/shim/" + name + ".js")
		if err != nil {
			panic(fmt.Sprintf("the part %s of the shim: %v", name, err)) // the binary was built without it: no test would pass
		}
		b.Write(text)
	}
	b.WriteString("})();\n")
	return b.Bytes()
}

//go:embed assets/pages.css
var styleSource []byte

// The names of our assets hold their digests, so that browsers may keep them for ever.
var (
	shimVersion = digestOf(shimSource)
	shimName    = "shim-" + shimVersion + ".js"
	styleName   = "pages-" + digestOf(styleSource) + ".css"
)

// What browsers are sent of them, as a rule: made when it is first asked for.
var (
	shimZipped  = sync.OnceValue(func() []byte { return zippedOf(shimSource) })
	styleZipped = sync.OnceValue(func() []byte { return zippedOf(styleSource) })
)

func zippedOf(src []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one that there is
	_, _ = z.Write(src)                                   // to memory
	_ = z.Close()
	return b.Bytes()
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// asset serves what our own tags ask for.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request, name string) {
	body, zipped := shimSource, shimZipped
	mime := "text/javascript; charset=utf-8"
	switch name {
	case shimName:
	case styleName:
		body, zipped, mime = styleSource, styleZipped, "text/css; charset=utf-8"
	case homeName:
		h.redirect(w, r, http.StatusFound, h.homePage())
		return
	default:
		if path, ok := strings.CutPrefix(name, bannerRoot); ok {
			h.banner(w, r, path)
			return
		}
		h.plain(w, r, http.StatusNotFound, "Nothing is here.\n")
		return
	}
	head := w.Header()
	h.ownHeaders(head)
	if name == shimName {
		head.Set("Content-Security-Policy", h.pagePolicy(r, asScript, "", false)) // of the shared workers that it begins
		h.contain(head)
		head.Set("Cross-Origin-Resource-Policy", "cross-origin") // it is in the sandboxed frames of a page, too
	}
	head.Set("Content-Type", mime)
	head.Set("Cache-Control", "public, max-age=31536000, immutable")
	head.Set("Vary", "Accept-Encoding"+h.varying())
	if accepts(r.Header.Values("Accept-Encoding"), "gzip") {
		head.Set("Content-Encoding", "gzip")
		body = zipped()
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may have gone
	}
}
