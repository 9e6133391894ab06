package repair

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const aside = 4 // words to either side that a key is made of

// key names a place that no scar names, by the words there and beside it: later copies of the same text have the same keys. Two links
// in one place are rivals: they have the same key.
func (h *hanger) key(p spot, at Place) string {
	hash := sha256.New()
	part := func(from, to int) {
		for i := max(from, 0); i < min(to, len(h.a)); i++ {
			hash.Write([]byte(fold(read(h.damaged, h.a[i])) + " "))
		}
		hash.Write([]byte{'|'})
	}
	part(p.first-aside, p.first)
	part(p.first, p.last)
	part(p.last, p.last+aside)
	k := "w" + strings.ToLower(base32.StdEncoding.EncodeToString(hash.Sum(nil))[:9])
	n := slices.Index(h.keys[k], at)
	if n < 0 {
		n = len(h.keys[k])
		h.keys[k] = append(h.keys[k], at)
	}
	if n > 0 {
		k = fmt.Sprintf("%s-%d", k, n+1)
	}
	return k
}

const shown = 60 // bytes about a place that are shown, on either side

// around is what the damaged text has at a spot, for people.
func (h *hanger) around(p spot) string {
	if len(h.a) == 0 {
		return ""
	}
	x, y := h.a[min(max(p.first, 0), len(h.a)-1)], h.a[min(max(p.last-1, 0), len(h.a)-1)]
	if p.first >= p.last && p.before >= 0 {
		x, y = h.a[p.before], h.a[p.before]
	}
	text := h.damaged[x.block].Text
	to := int(y.end)
	if y.block != x.block {
		to = len(text)
	}
	return excerpt(text, int(x.start), to)
}

// excerpt is a part of a text with some words about it.
func excerpt(text string, start, end int) string {
	from, to := max(0, start-shown), min(len(text), end+shown)
	if from > 0 {
		if i := strings.IndexByte(text[from:start], ' '); i >= 0 {
			from += i + 1
		}
	}
	if to < len(text) {
		if i := strings.LastIndexByte(text[end:to], ' '); i >= 0 {
			to = end + i
		}
	}
	for from < start && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	out := strings.Join(strings.Fields(text[from:to]), " ")
	if from > 0 {
		out = "…" + out
	}
	if to < len(text) {
		out += "…"
	}
	return cut(out, 400)
}

// cut bounds a text to so many code points.
func cut(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
