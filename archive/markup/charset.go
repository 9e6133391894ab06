package markup

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
)

// Charset is the encoding of a document, as far as its addresses need it. A nil one is UTF-8.
type Charset struct {
	src      []byte
	declared string
	enc      encoding.Encoding
	known    bool
	told     bool // that it is UTF-8 or UTF-16, rather than guessed
}

// CharsetOf tells the encoding of a document, of which the declared name is that in the head of the response, "" if there is
// none: a byte order mark goes first, then the head, then what the document itself says. It keeps src, and looks into it when
// the first address asks for it, which few do.
func CharsetOf(src []byte, declared string) *Charset {
	return &Charset{src: src, declared: declared}
}

// maxPrescan is how far a meta element that names the charset is looked for, in bytes: browsers look on to the end of the head.
const maxPrescan = 64 << 10

// encoding is nil for UTF-8, and for UTF-16, whose addresses are spelled in UTF-8 (Encoding standard §4.3, output encoding).
func (c *Charset) encoding() encoding.Encoding {
	if c.known {
		return c.enc
	}
	c.known = true
	for _, mark := range []string{"\xEF\xBB\xBF", "\xFE\xFF", "\xFF\xFE"} {
		if bytes.HasPrefix(c.src, []byte(mark)) {
			c.told = true
			return nil
		}
	}
	enc, name := charset.Lookup(c.declared)
	c.told = name != ""
	if name == "" {
		start := c.src[:min(len(c.src), maxPrescan)]
		if i := bytes.Index(start, []byte("charset")); i > 900 { // beyond where the library looks
			start = start[max(0, bytes.LastIndexByte(start[:i], '<')):]
		}
		enc, name, _ = charset.DetermineEncoding(start, "")
		c.told = declaresUTF8(start)
	}
	switch {
	case name == "utf-8" && !utf8.Valid(c.src):
		enc, name = charset.Lookup("windows-1252") // nothing was declared, or nothing true
	case name == "windows-1252" && c.declared == "" && utf8.Valid(c.src):
		name = "utf-8" // nothing was declared, and it is
	}
	if name != "utf-8" && !strings.HasPrefix(name, "utf-16") && name != "replacement" {
		c.enc = enc
	}
	c.src = nil
	return c.enc
}

// declaresUTF8 says whether a meta element does at the start of an HTML document, which would else be guessed at. XML has another place.
func declaresUTF8(start []byte) bool {
	start = bytes.Clone(start[:min(len(start), 1024)]) // as far as the library looks
	for i, b := range start {
		if b >= utf8.RuneSelf {
			start[i] = '?'
		}
	}
	_, name, _ := charset.DetermineEncoding(start, "")
	return name == "utf-8" && !bytes.HasPrefix(start, []byte("<?xml"))
}

// ToldUTF8 says whether every browser reads the document as UTF-8 or UTF-16, since its server or it itself says so: then letters beyond ASCII in
// an address mean what they meant before, wherever they are put.
func (c *Charset) ToldUTF8() bool {
	return c == nil || c.encoding() == nil && c.told
}

// URL spells an address that stands in the document as a browser asks for it (URL standard §4.4, basic URL parser): its path in
// UTF-8, its query in the document's encoding, in which what it does not have is a character reference.
func (c *Charset) URL(s string) string {
	ascii := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	if ascii || c == nil {
		return s
	}
	enc := c.encoding()
	if enc == nil {
		return s
	}
	rest, fragment, hash := strings.Cut(s, "#")
	path, query, mark := strings.Cut(rest, "?")
	path = decodedText(enc, path)
	if mark {
		path += "?" + encodedQuery(enc, query)
	}
	if hash {
		path += "#" + decodedText(enc, fragment)
	}
	return path
}

// decodedText reads s, which is in an encoding, or in UTF-8 if it came from character references.
func decodedText(enc encoding.Encoding, s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out, err := enc.NewDecoder().String(s)
	if err != nil {
		return s
	}
	return out
}

// encodedQuery percent-encodes what is not ASCII.
func encodedQuery(enc encoding.Encoding, s string) string {
	if !utf8.ValidString(s) {
		return percentHigh(s) // the document's own bytes
	}
	var out strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			out.WriteByte(byte(r))
			continue
		}
		b, err := enc.NewEncoder().String(string(r))
		if err != nil || strings.HasPrefix(b, "&#") {
			b = "%26%23" + strconv.Itoa(int(r)) + "%3B"
		}
		out.WriteString(percentHigh(b))
	}
	return out.String()
}

// percentHigh percent-encodes the bytes that are not ASCII.
func percentHigh(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}
