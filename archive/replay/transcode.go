package replay

import (
	"bytes"
	"io"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// shifting are the encodings in which bytes of ASCII are parts of other characters: a backslash may be half a kanji, and would
// hide the end of a string from a scanner. None of them hides an angle bracket or a quote. (ISO-2022-JP does: see hidden.)
var shifting = map[string]bool{"shift_jis": true, "gbk": true, "gb18030": true, "big5": true}

// transcoded gives a document in such an encoding to the scanners in UTF-8, and what is written to dst back in its own encoding.
// It does so only if the way back leads to the very same bytes; nil if it doesn't, or if the document is read as it is.
func transcoded(dst io.Writer, src []byte, declared string) (*transform.Writer, []byte) {
	enc, name := encodingOf(src, declared)
	if !shifting[name] || !bytes.ContainsFunc(src, func(r rune) bool { return r >= 0x80 }) {
		return nil, nil
	}
	text, err := enc.NewDecoder().Bytes(src)
	if err != nil || bytes.Contains(text, []byte("\uFFFD")) {
		return nil, nil
	}
	back, err := enc.NewEncoder().Bytes(text)
	if err != nil || !bytes.Equal(back, src) {
		return nil, nil
	}
	return transform.NewWriter(dst, enc.NewEncoder()), text
}

// encodingOf tells the encoding that is declared: by the head, or else by the document where browsers look for it.
func encodingOf(src []byte, declared string) (encoding.Encoding, string) {
	if bytes.HasPrefix(src, littleMark) || bytes.HasPrefix(src, bigMark) || bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return nil, ""
	}
	if enc, name := charset.Lookup(declared); name != "" {
		return enc, name
	}
	start := src[:min(len(src), 1024)]
	if !bytes.Contains(start, []byte("charset")) {
		return nil, ""
	}
	enc, name, _ := charset.DetermineEncoding(start, "")
	return enc, name
}
