package replay

import (
	"crypto/sha256"
	_ "embed" // our own script, style and pages
	"encoding/hex"
	"net/http"
)

//go:embed assets/shim.js
var shimSource []byte

//go:embed assets/pages.css
var styleSource []byte

// The names of our assets hold their digests, so that browsers may keep them for ever.
var (
	shimVersion = digestOf(shimSource)
	shimName    = "shim-" + shimVersion + ".js"
	styleName   = "pages-" + digestOf(styleSource) + ".css"
)

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// asset serves what our own tags ask for.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request, name string) {
	var body []byte
	mime := "text/javascript; charset=utf-8"
	switch name {
	case shimName:
		body = shimSource
	case styleName:
		body, mime = styleSource, "text/css; charset=utf-8"
	default:
		h.plain(w, r, http.StatusNotFound, "Nothing is here.\n")
		return
	}
	head := w.Header()
	h.ownHeaders(head)
	head.Set("Content-Type", mime)
	head.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may have gone
	}
}
