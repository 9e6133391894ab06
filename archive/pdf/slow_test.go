package pdf

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestLookedThroughOnce: however often a word stands in a file, each byte is looked through for it once. Were it anew for each
// word, these would take minutes.
func TestLookedThroughOnce(t *testing.T) {
	for name, part := range map[string]string{
		"trailers":        "trailer<<>>",
		"chained tables":  "xref\n0 1\ntrailer<</Size 1/Root 1 0 R/Prev 9>>\n",
		"objects":         "1 0 obj ",
		"the word alone":  "obj",
		"trailers' words": "trailer",
	} {
		f := open([]byte("%PDF-1.7\n"+strings.Repeat(part, 4<<20/len(part))), nil)
		if spent := maxTokens - f.fuel.left; spent > 8<<20 {
			t.Errorf("%s: %d tokens", name, spent)
		}
	}
}

// TestTimeIsUp: the time is asked for wherever a file may keep its reader, not only between its pages.
func TestTimeIsUp(t *testing.T) {
	m := &maker{}
	whole := m.bytes()
	for name, src := range map[string][]byte{
		"trailers": []byte("%PDF-1.7\n" + strings.Repeat("trailer<<>>", 100_000)),
		"objects":  []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj 5 endobj ", 100_000)),
		"an array": []byte("%PDF-1.7\n1 0 obj [" + strings.Repeat("1 ", 100_000)),
		"sound":    append(bytes.Clone(whole), strings.Repeat("\n%", 1000)...),
	} {
		asked := 0
		_, err := Read(src, func() bool { asked++; return asked > 1 || name == "sound" })
		if !errors.Is(err, ErrSlow) {
			t.Errorf("%s: %v after %d questions, want %v", name, err, asked, ErrSlow)
		}
	}
}
