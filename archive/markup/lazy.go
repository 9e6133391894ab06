package markup

import "bytes"

// guessed visits the value of an attribute in which scripts keep an address for later, or a style that has one.
func (h *htmlScan) guessed(a *attr, r *rule) {
	raw := h.b[a.start:a.end]
	start, end := trim(raw, 0, len(raw))
	switch raw = raw[start:end]; {
	case len(raw) > 4 && equalFold(raw[:4], "url("):
		scanCSS(h.scan, h.value(a), cssContext{url: r.context, imported: r.context})
	case plausible(raw):
		h.url(a, r.role, r.context)
	}
}

// plausible says whether the value of a data-* attribute looks like a URL and not like a word, a number or JSON.
func plausible(raw []byte) bool {
	return !bytes.ContainsAny(raw, " \t\n{}[]<>\"|") && bytes.ContainsAny(raw, "/.") && bytes.ContainsFunc(raw, isLetter)
}

func isLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

// extensions end the paths of what pages load late.
var extensions = newNameTable("png", "jpg", "jpeg", "jpe", "gif", "webp", "avif", "svg", "bmp", "ico", "apng", "jxl", "tif", "tiff",
	"mp4", "m4v", "webm", "ogv", "mov", "m3u8", "mpd", "mp3", "m4a", "ogg", "oga", "wav", "vtt")

// certain says whether a value can be nothing but a URL: it says so at its start, or is a file's name.
func certain(raw []byte) bool {
	start, end := trim(raw, 0, len(raw))
	raw = raw[start:end]
	if !plausible(raw) {
		return false
	}
	for _, s := range [...]string{"http://", "https://", "//"} {
		if len(raw) > len(s) && equalFold(raw[:len(s)], s) {
			return true
		}
	}
	if i := bytes.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i]
	}
	dot := bytes.LastIndexByte(raw, '.')
	return dot > 0 && extensions.lookup(raw[dot+1:]) != 0
}
