package post

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
)

var metaCharset = regexp.MustCompile(`(?i)<meta[^>]+charset`)

// decode returns the source as valid UTF-8, by the order that the package documentation tells. markup says whether a
// meta element may name the charset.
func decode(src []byte, contentType string, markup bool) string {
	return string(decoded(src, contentType, markup))
}

// decoded is decode without a copy of what is valid UTF-8 already.
func decoded(src []byte, contentType string, markup bool) []byte {
	if contentType != "" && !strings.Contains(contentType, "/") {
		contentType = "text/html; charset=" + contentType
	}
	e, _, certain := charset.DetermineEncoding(src, contentType)
	declared := certain || markup && metaCharset.Match(src[:min(len(src), 1024)])
	if !declared && utf8.Valid(src) || e == encoding.Nop {
		return valid(src)
	}
	if e == unicode.UTF8 && utf8.Valid(src) {
		return valid(src)
	}
	text, err := e.NewDecoder().Bytes(src)
	if err != nil {
		return valid(src)
	}
	return valid(text)
}

// valid drops a byte order mark and replaces each byte that is no UTF-8 by U+FFFD.
func valid(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	if utf8.Valid(b) {
		return b
	}
	return []byte(string([]rune(string(b))))
}
