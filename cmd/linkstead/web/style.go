package web

import (
	"crypto/sha256"
	_ "embed" // the stylesheet and the script are data
	"encoding/hex"
	"net/http"
	"strconv"
)

//go:embed style.css
var styleSheet []byte

// The script of the pages that people copy citations from.
//
//go:embed copy.js
var copyScript []byte

var (
	styleTag  = hashOf(styleSheet)
	stylePath = "/style.css?v=" + styleTag
	copyTag   = hashOf(copyScript)
	copyPath  = "/copy.js?v=" + copyTag
)

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	serveAsset(w, r, "text/css; charset=utf-8", styleTag, styleSheet)
}

func serveCopyScript(w http.ResponseWriter, r *http.Request) {
	serveAsset(w, r, "text/javascript; charset=utf-8", copyTag, copyScript)
}

// serveAsset serves a part of the program. Under the name that the pages use it never changes.
func serveAsset(w http.ResponseWriter, r *http.Request, mime, tag string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("ETag", strconv.Quote(tag))
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == tag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == strconv.Quote(tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // nobody is left to tell
}
