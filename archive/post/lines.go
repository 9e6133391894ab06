package post

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Lines tells on which line of a source an offset stands.
type Lines struct {
	starts []int // of each line, in code points
	size   int
}

// NewLines reads the lines of a source that is of a media type and, as far as a header said so, in a charset; see "Offsets". What has
// pages, as a PDF, has no lines: nil.
func NewLines(src []byte, mediaType, charset string) *Lines {
	if mediaType == "application/pdf" {
		return nil
	}
	html := mediaType == "text/html" || strings.HasSuffix(mediaType, "xml")
	b := decoded(src, charset, html)
	l := &Lines{starts: []int{0}}
	for i, n := 0, 0; i < len(b); n++ {
		r, size := utf8.DecodeRune(b[i:])
		i += size
		l.size = n + 1
		if r == '\n' || r == '\r' && (i >= len(b) || b[i] != '\n') {
			l.starts = append(l.starts, n+1)
		}
	}
	return l
}

// At tells line and column of an offset in code points, both from 1; 0 if there are no lines, or if it is beyond the source.
func (l *Lines) At(offset int) (line, column int) {
	if l == nil || offset < 0 || offset > l.size {
		return 0, 0
	}
	i := sort.SearchInts(l.starts, offset+1)
	return i, offset - l.starts[i-1] + 1
}
