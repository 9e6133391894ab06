package warc

import (
	"os"
	"path/filepath"
	"testing"
)

// A payload whose only copy went with its segment's object is kept when it comes again.
func TestAppendKeepsWhatIsMissing(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"missing":   os.Remove,
		"cut short": func(path string) error { return os.Truncate(path, 700) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			r := w.run("c", "http://a.test/1", "http://a.test/2", "http://a.test/3")
			first := w.page(r, "http://a.test/1", "the same body")
			w.flush()
			path := filepath.Join(w.dir, "blobs", w.segment(first.Segment).Location)
			must(t, harm(path))
			second := w.page(r, "http://a.test/2", "the same body")
			if second.Kind != KindResponse {
				t.Errorf("it is kept as a %s of %s", second.Kind, second.RefersTo)
			}
			w.reads(second, "the same body")
			if third := w.page(r, "http://a.test/3", "the same body"); third.Kind != KindRevisit {
				t.Errorf("the next is kept as a %s", third.Kind)
			}
		})
	}
}
