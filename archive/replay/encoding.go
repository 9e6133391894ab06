package replay

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"linkstead/archive/markup"
)

// The byte order marks of UTF-16.
var (
	littleMark = []byte{0xff, 0xfe}
	bigMark    = []byte{0xfe, 0xff}
)

// wideMark is the byte order mark that a document in UTF-16 lacks; nil if it has one, or is not in UTF-16. Which encoding
// it is in, the mark says first, then the head, then the document (Encoding standard §6, HTML §13.2.3.1), and a document
// can say UTF-16 only by looking so at its start.
func wideMark(src []byte, declared string) []byte {
	if bytes.HasPrefix(src, littleMark) || bytes.HasPrefix(src, bigMark) || bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return nil
	}
	switch _, name := charset.Lookup(declared); {
	case name == "utf-16le", name == "" && bytes.HasPrefix(src, []byte("<\x00?\x00x\x00")):
		return littleMark
	case name == "utf-16be", name == "" && bytes.HasPrefix(src, []byte("\x00<\x00?\x00x")):
		return bigMark
	}
	return nil
}

// widened lets the scanners read UTF-16 without a byte order mark: src has it in front, and what is written to dst has it not.
func widened(dst io.Writer, src, mark []byte) (io.Writer, []byte) {
	return &withoutMark{dst: dst, left: len(mark)}, append(bytes.Clone(mark), src...)
}

type withoutMark struct {
	dst  io.Writer
	left int
}

func (w *withoutMark) Write(b []byte) (int, error) {
	n := min(w.left, len(b))
	w.left -= n
	if n == len(b) {
		return n, nil
	}
	m, err := w.dst.Write(b[n:])
	return n + m, err
}

// unreadable says whether the references of a document can't all be found: it is in an encoding that hides them, or made
// by a transformation that runs in the browser.
func (p *reply) unreadable(src []byte, form notation) bool {
	if form != html && form != xml {
		return false
	}
	return hidden(src, p.head.Charset()) || form == xml && transformed(src)
}

// hidden says whether a browser may read other characters than we do. ISO-2022-JP shifts by escape sequences, after which the
// bytes of ASCII mean others; browsers may guess it, and UTF-16, where nothing is declared.
func hidden(src []byte, declared string) bool {
	if bytes.HasPrefix(src, littleMark) || bytes.HasPrefix(src, bigMark) || bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return false
	}
	_, name := charset.Lookup(declared)
	shifts := bytes.Contains(src, []byte("\x1b$")) || bytes.Contains(src, []byte("\x1b("))
	switch {
	case strings.HasPrefix(name, "utf-16"):
		return false // wideMark has told
	case name == "replacement":
		return true
	case name != "":
		return name == "iso-2022-jp" && shifts
	case shifts:
		return !names(src)
	}
	return wideMark(src, "") == nil && (bytes.Contains(src, []byte("<\x00")) || bytes.Contains(src, []byte("\x00<")))
}

// names says whether a document itself names an encoding, and not ISO-2022-JP, where browsers look for it.
func names(src []byte) bool {
	start := src[:min(len(src), 1024)]
	if !bytes.Contains(start, []byte("charset")) {
		return false
	}
	_, name, _ := charset.DetermineEncoding(start, "")
	return name != "iso-2022-jp" && name != "replacement" && name != "windows-1252"
}

// transformed says whether an XSLT style sheet makes another document of this one. Browsers know those of CSS by their type,
// and take those without a type for CSS.
func transformed(src []byte) bool {
	const name = "xml-stylesheet"
	plain := src
	if bytes.IndexByte(src, 0) >= 0 {
		plain = bytes.ReplaceAll(src, []byte{0}, nil) // UTF-16
	}
	all := bytes.Count(plain, []byte(name))
	if all == 0 {
		return false
	}
	styles := 0
	err := markup.XML(nil, src, markup.Options{}, func(r markup.Ref) (string, bool) {
		if r.Context == name {
			styles++
		}
		return "", false
	})
	return err != nil || styles != all // others may hide in what a browser reads otherwise
}
