package post

import "testing"

func TestLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src, mime, charset   string
		offset, line, column int
	}{
		{"", "text/plain", "", 0, 1, 1},
		{"a\nbc\n", "text/plain", "", 0, 1, 1},
		{"a\nbc\n", "text/plain", "", 3, 2, 2},
		{"a\nbc\n", "text/plain", "", 5, 3, 1},
		{"a\nbc\n", "text/plain", "", 6, 0, 0},
		{"a\nbc\n", "text/plain", "", -1, 0, 0},
		{"a\r\nb\rc", "text/plain", "", 3, 2, 1},
		{"a\r\nb\rc", "text/plain", "", 5, 3, 1},
		{"äö\nü x", "text/markdown", "", 5, 2, 3},
		{"\xef\xbb\xbfa\nb", "text/plain", "", 2, 2, 1},
		{"\xe4\n\xf6 x", "text/html", "iso-8859-1", 4, 2, 3},
		{"<meta charset=iso-8859-1>\n\xf6 x", "text/html", "", 28, 2, 3},
		{"%PDF", "application/pdf", "", 1, 0, 0},
	} {
		line, column := NewLines([]byte(c.src), c.mime, c.charset).At(c.offset)
		if line != c.line || column != c.column {
			t.Errorf("%q at %d: %d:%d, want %d:%d", c.src, c.offset, line, column, c.line, c.column)
		}
	}
}
