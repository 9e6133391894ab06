package markup

import (
	"bytes"
	"regexp"
)

// Where browsers may read a document in more ways than one, each "<" that begins a tag in some of them and is text in ours is spelled
// so that it begins none in any. What is left are the tags that we read, too.

// How "<" is spelled. All but the first mean the same as before where it stands.
const (
	ltGone   = "\\3c "            // in a style sheet: as it was in its strings
	ltRef    = "&lt;"             // in attributes, titles and text areas
	ltCDATA  = "]]>&lt;<![CDATA[" // in a CDATA section
	ltScript = `\x3c`             // in the strings of a script
)

// opens says whether a tag, or what hides tags, begins with the "<" at i.
func opens(b []byte, i int) bool {
	if b[i] != '<' || i+1 >= len(b) {
		return false
	}
	c := b[i+1]
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '/' || c == '!' || c == '?'
}

// muffle spells each "<" of a stretch that might open something, and says whether there was any.
func (h *htmlScan) muffle(start, end int, with string) (found bool) {
	for i := start; i < end; i++ {
		n := bytes.IndexByte(h.b[i:end], '<')
		if n < 0 {
			break
		}
		if i += n; opens(h.b, i) {
			h.edit(h.t, i, i+1, with)
			found = true
		}
	}
	return found
}

// muffled does so where it is doubtful, and says whether there was any.
func (h *htmlScan) muffled(start, end int, with string) bool {
	return h.doubtful() && h.muffle(start, end, with)
}

// muffleAttr visits an attribute that has such a "<", and says whether it has.
func (h *htmlScan) muffleAttr(elem uint8, a *attr) bool {
	if !h.doubtful() || !h.opensIn(a.start, a.end) {
		return false
	}
	if n := table.index[elem][a.id]; n != 0 && a.id != attrHandler && !a.again {
		switch r := &table.rules[n]; r.kind {
		case srcdoc:
			h.place(elem, a, r) // its tags are visited, too
			return true
		case plain, foreign:
			h.place(elem, a, r)
		}
	}
	h.muffle(a.start, a.end, ltRef)
	return true
}

func (h *htmlScan) opensIn(start, end int) bool {
	for i := start; i < end; i++ {
		n := bytes.IndexByte(h.b[i:end], '<')
		if n < 0 {
			return false
		}
		if i += n; opens(h.b, i) {
			return true
		}
	}
	return false
}

// leading finds the tags in a script that would lead a reader away, or a browser, if it were none. A lone letter is a variable.
var leading = regexp.MustCompile(`(?i)<(?:(?:meta|link|base|area|form|button|input|iframe|frame|object|embed|animate|set)[\s/>]|a[\s/][^<]*href)`)

// muffleScript spells the tags in a script that may be none, and says whether there was any.
func (h *htmlScan) muffleScript(start, end int) bool {
	if !h.doubtful() {
		return false
	}
	all := leading.FindAllIndex(h.b[start:end], -1)
	for _, at := range all {
		h.edit(h.t, start+at[0], start+at[0]+1, ltScript)
	}
	return len(all) > 0
}
