package text

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

// Decode brings a source as valid UTF-8, without a copy if it is that: by the charset of its type (or contentType is the charset itself),
// by its byte order mark, and, if it is markup, by its meta element. Without any it is UTF-8 if it is valid, and else what browsers guess.
// A byte order mark is dropped. Each byte that is none of the charset's becomes U+FFFD.
func Decode(src []byte, contentType string, markup bool) []byte {
	if contentType != "" && !strings.Contains(contentType, "/") {
		contentType = "text/html; charset=" + contentType
	}
	e, _, certain := charset.DetermineEncoding(src, contentType)
	declared := certain || markup && metaCharset.Match(src[:min(len(src), 1024)])
	if e == encoding.Nop || (!declared || e == unicode.UTF8) && utf8.Valid(src) {
		return valid(src)
	}
	text, err := e.NewDecoder().Bytes(src)
	if err != nil {
		return valid(src)
	}
	return valid(text)
}

// valid drops a byte order mark, and puts U+FFFD in the place of each byte that is no UTF-8.
func valid(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	if utf8.Valid(b) {
		return b
	}
	return []byte(string([]rune(string(b))))
}
