package web

import (
	"crypto/sha256"
	_ "embed" // the stylesheet is data
	"encoding/hex"
	"net/http"
	"strconv"
)

//go:embed style.css
var styleSheet []byte

var (
	styleTag  = styleHash()
	stylePath = "/style.css?v=" + styleTag
)

func styleHash() string {
	sum := sha256.Sum256(styleSheet)
	return hex.EncodeToString(sum[:8])
}

// serveStyle serves the stylesheet. Under the name that the pages use it never changes.
func serveStyle(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("ETag", strconv.Quote(styleTag))
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == styleTag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == strconv.Quote(styleTag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(styleSheet)))
	_, _ = w.Write(styleSheet) // nobody is left to tell
}
