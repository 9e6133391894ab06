package markup

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// editor copies src to dst with some stretches replaced. Replacements come in ascending order.
type editor struct {
	dst  io.Writer // nil: nothing is written
	src  []byte
	done int // src[:done] has been dealt with
	err  error
}

func (e *editor) replace(start, end int, with string) {
	if e.err != nil || start < e.done || end < start {
		return
	}
	e.flush(start)
	if e.err == nil && with != "" {
		_, e.err = io.WriteString(e.dst, with)
	}
	e.done = end
}

func (e *editor) flush(to int) {
	if e.err == nil && to > e.done {
		_, e.err = e.dst.Write(e.src[e.done:to])
		e.done = to
	}
}

func (e *editor) close() error {
	if e.dst != nil {
		e.flush(len(e.src))
	}
	return e.err
}

// text is a stretch of a document in one language: the bytes as that language reads them, and the way back to the
// bytes of the text around it. Nested languages (CSS in an attribute of a srcdoc document of a UTF-16 page) make a chain
// of texts, and an edit in the innermost climbs it, escaped once a level.
type text struct {
	b     []byte
	outer *text
	base  int     // where b starts in outer, or what at is relative to
	at    []int32 // where b[i] starts in outer, with one more for the end; nil: one byte for one byte
	esc   func(string) string
}

// raw gives the offset in the input of b[i].
func (t *text) raw(i int) int {
	for ; t != nil; t = t.outer {
		if t.at != nil {
			i = int(t.at[i])
		}
		i += t.base
	}
	return i
}

// escape spells s as it must stand in the input.
func (t *text) escape(s string) string {
	for ; t != nil; t = t.outer {
		if t.esc != nil {
			s = t.esc(s)
		}
	}
	return s
}

// document is the outermost text. UTF-16 is told by its byte order mark (Encoding standard §6.1, BOM sniff).
func document(src []byte) *text {
	switch {
	case bytes.HasPrefix(src, []byte{0xFE, 0xFF}):
		return utf16Text(src, binary.BigEndian)
	case bytes.HasPrefix(src, []byte{0xFF, 0xFE}):
		return utf16Text(src, binary.LittleEndian)
	}
	return &text{b: src}
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// utf16Text reads src as UTF-16. Lone surrogates read as U+FFFD and stay as they are; an odd last byte is not read.
func utf16Text(src []byte, order byteOrder) *text {
	t := &text{b: make([]byte, 0, len(src)/2), at: make([]int32, 0, len(src)/2+1)}
	for i := 2; i+1 < len(src); {
		r, n := rune(order.Uint16(src[i:])), 2
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+3 < len(src) {
				low = rune(order.Uint16(src[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				n = 4
			}
		}
		t.b = utf8.AppendRune(t.b, r)
		for len(t.at) < len(t.b) {
			t.at = append(t.at, int32(i))
		}
		i += n
	}
	t.at = append(t.at, int32(max(2, len(src)&^1)))
	t.esc = func(s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	return t
}
