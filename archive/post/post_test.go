package post

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"linkstead/storage"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A citation is stored as it is.
var _ = storage.Citation(Citation{})

// The fixtures: each layout with the address it is read at.
var fixtures = []struct{ file, url string }{
	{"aleppo.html", "http://blog.wp.test/2016/02/aleppo/"},
	{"aleppo.txt", ""},
	{"hugo.html", "https://blog.example.org/posts/quellen/"},
	{"densest.html", "http://home.test/~me/page.html"},
	{"medium.html", "https://ann.medium.test/a-story-1234"},
	{"cyrillic.html", "http://cyr.test/2016/02/21/"},
	{"jekyll.md", "http://jekyll.test/2016/02/06/welcome.html"},
	{"links.txt", "http://text.test/dir/a.txt"},
	{"wild.rss", ""},
	{"wild.atom", "http://atom.test/feed"},
}

func readFixture(t *testing.T, file, url string, o Options) (Document, string) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	parse := map[string]func([]byte, string, Options) (Document, error){".html": HTML, ".md": Markdown, ".txt": Text, ".rss": Feed, ".atom": Feed}[filepath.Ext(file)]
	d, err := parse(src, url, o)
	if err != nil {
		t.Fatal(err)
	}
	return d, decode(src, o.ContentType, filepath.Ext(file) == ".html")
}

func TestGoldens(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.file, func(t *testing.T) {
			d, src := readFixture(t, f.file, f.url, Options{})
			checkOffsets(t, d, src, !slices.Contains([]string{".md", ".txt"}, filepath.Ext(f.file)))
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			e.SetIndent("", " ")
			if err := e.Encode(d); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", f.file+".golden.json")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s differs from its golden; look at it, then run with -update", f.file)
			}
		})
	}
}

// checkOffsets holds the promises of the package documentation.
func checkOffsets(t *testing.T, d Document, src string, markup bool) {
	t.Helper()
	runes := []rune(src)
	for i, c := range append(d.Citations, d.Images...) {
		if c.Start < 0 || c.End < c.Start || c.End > len(runes) {
			t.Fatalf("%d: offsets %d to %d of %d", i, c.Start, c.End, len(runes))
		}
		part := string(runes[c.Start:c.End])
		switch {
		case !markup && strings.Contains(part, c.Raw):
		case !markup && strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]"): // by reference
		case !markup && strings.Contains(part, "<"): // HTML in Markdown
		case markup && (part == "" || part[0] == '<' && part[len(part)-1] == '>' || strings.Contains(part, "10.")):
		case markup && (part[0] == '<' || strings.HasPrefix(part, "&lt;") || strings.Contains(part, c.Raw)): // unclosed, escaped, or in text
		default:
			t.Errorf("%q is not in %q", c.Raw, part)
		}
		if len([]rune(c.Text)) > maxContext || len([]rune(c.Context)) > maxContext+2 {
			t.Errorf("%d: too long: %q, %q", i, c.Text, c.Context)
		}
	}
}

func TestErrURL(t *testing.T) {
	if _, err := HTML(nil, "no url", Options{}); !errors.Is(err, ErrURL) {
		t.Error(err)
	}
	if _, err := Markdown(nil, "no url", Options{}); !errors.Is(err, ErrURL) {
		t.Error(err)
	}
	if _, err := Text(nil, "::", Options{}); !errors.Is(err, ErrURL) {
		t.Error(err)
	}
}
