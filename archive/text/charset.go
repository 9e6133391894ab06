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

// decode brings the source as valid UTF-8. markup says whether a meta element may name the charset.
func decode(src []byte, contentType string, markup bool) string {
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

// valid drops a byte order mark, and puts U+FFFD in the place of what is no UTF-8.
func valid(b []byte) string {
	return strings.ToValidUTF8(string(bytes.TrimPrefix(b, []byte("\uFEFF"))), "\uFFFD")
}
