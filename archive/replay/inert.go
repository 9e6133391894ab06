package replay

import (
	"strings"

	"linkstead/archive/httpmsg"
)

// inert says whether a browser shows a type without obeying it: no script runs in it and it leads nowhere by itself. What
// is not known to be so is shown in a sandbox, since browsers sniff, and rewriting never saw it.
func inert(mime string) bool {
	kind, sub, _ := strings.Cut(mime, "/")
	switch kind {
	case "image", "audio", "video", "font":
		return sub != "" && !strings.HasSuffix(sub, "xml")
	}
	switch mime {
	case "text/plain", "text/css", "text/csv", "application/json", "application/pdf", "application/octet-stream", "application/zip",
		"application/gzip", "application/wasm", "application/vnd.ms-fontobject", "application/font-woff", "application/manifest+json":
		return true
	}
	return notationFor(mime) == script
}

// ambiguous says whether browsers may take a document for another type than we do: of several types in one field they
// take the last, of several fields too (Fetch standard, "extract a MIME type").
func ambiguous(h httpmsg.Head) bool {
	types := h.Values("Content-Type")
	return len(types) > 1 || len(types) == 1 && strings.Contains(types[0], ",")
}
