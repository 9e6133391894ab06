package fetch

import (
	"io"
	"strings"
	"testing"

	"linkstead/archive/httpmsg"
)

// TestRereadLong reads a long copy whose size is known once, and one whose size is not twice. A copy that is longer than its
// row tells is not taken, and the room for it is given back.
func TestRereadLong(t *testing.T) {
	const memory, limit = 1000, 20_000
	page := strings.Repeat("<p>text</p>\n", 500)
	n := int64(len(page))
	w := recorder(t, &Recorder{Limits: Limits{Memory: memory, Decoded: limit}, Room: NewRoom(n)}).Worker()
	head := httpmsg.Head{Status: 200}
	for _, c := range []struct {
		size   int64
		opened int
		fails  bool
	}{{0, 2, false}, {-1, 2, false}, {n, 1, false}, {n + 1, 1, false}, {n - 1, 1, true}, {memory, 2, false}, {limit + 1, 2, false}} {
		opened := 0
		doc, free, err := w.Reread(t.Context(), Archived{URL: "http://a.test/", Head: head, Size: c.size, Open: func() (io.Reader, error) {
			opened++
			return strings.NewReader(page), nil
		}})
		if (err != nil) != c.fails || opened != c.opened || (doc == nil) != c.fails || doc != nil && string(doc.Body) != page {
			t.Errorf("size %d: opened %d times, %v, document %.100v", c.size, opened, err, doc)
		}
		free()
	}
}
