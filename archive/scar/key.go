package scar

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	keyWords = 6   // on either side
	keySpan  = 160 // bytes on either side in which they are looked for
)

// key names a scar by its class, its own letters and the words around it, so that white space, markup and what stands elsewhere may
// differ. Equal ones of a document are numbered.
func key(text string, f finding, seen map[string]int) string {
	h := sha256.New()
	h.Write([]byte(f.class))
	before := folded(text[back(text, f.start, keySpan):f.start])
	after := folded(text[f.end:ahead(text, f.end, keySpan)])
	if f.start > keySpan && len(before) > 0 {
		before = before[1:] // the span may have cut it
	}
	if len(text)-f.end > keySpan && len(after) > 0 {
		after = after[:len(after)-1]
	}
	before = before[max(0, len(before)-keyWords):]
	after = after[:min(len(after), keyWords)]
	for _, part := range [][]string{before, folded(text[f.start:f.end]), after} {
		h.Write([]byte("\n" + strings.Join(part, " ")))
	}
	name := strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)))[:12]
	seen[name]++
	if n := seen[name]; n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// folded returns the words of a text in lower case.
func folded(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// around returns a scar with some words before and behind it, on one line; the scar itself stands as it is.
func around(text string, start, end int) string {
	from, to := back(text, start, 60), ahead(text, end, 60)
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
	before, after := "", ""
	if from > 0 {
		before = "… "
	}
	if to < len(text) {
		after = " …"
	}
	return before + text[from:start] + cut(text[start:end], MaxText) + text[end:to] + after
}

// back returns a place some bytes before another, where a character begins.
func back(s string, at, n int) int {
	i := max(0, at-n)
	for i < at && !utf8.RuneStart(s[i]) {
		i++
	}
	return i
}

// ahead returns a place some bytes behind another, where a character begins.
func ahead(s string, at, n int) int {
	i := min(len(s), at+n)
	for i > at && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// cut shortens a text to some code points.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
