package markup

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

func asScoped(dst *bytes.Buffer, src []byte, visit Visit) error {
	return ScopedJavaScript(dst, src, visit)
}

func scoped(t testing.TB, src string) string {
	t.Helper()
	var out bytes.Buffer
	if err := asScoped(&out, []byte(src), func(Ref) (string, bool) { return "", false }); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// scopeTable reads pairs of scripts and what becomes of them.
func scopeTable(t testing.TB) (table [][2]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "scope.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "[") {
			continue
		}
		var pair []string
		if err := json.Unmarshal([]byte(line), &pair); err != nil || len(pair) == 0 || len(pair) > 2 {
			t.Fatalf("%s: %v", line, err)
		}
		table = append(table, [2]string{pair[0], pair[len(pair)-1]})
	}
	return table
}

func TestScope(t *testing.T) {
	for _, c := range scopeTable(t) {
		src, want := c[0], c[1]
		got := scoped(t, src)
		if got != want {
			t.Errorf("%s\nbecame\n%s\nwant\n%s", src, got, want)
		}
		if again := scoped(t, got); again != got {
			t.Errorf("%s\nbecame\n%s\nand then\n%s", src, got, again)
		}
	}
}

// parses says whether tdewolff's parser, which shares the lexer with us but no more, takes a script for one.
func parses(src string) bool {
	_, err := js.Parse(parse.NewInputString(src), js.Options{})
	return err == nil
}

// TestScopeParses reads what became of the table by a parser.
func TestScopeParses(t *testing.T) {
	table, n := scopeTable(t), 0
	for _, c := range table {
		if !parses(c[0]) {
			continue
		}
		n++
		if got := scoped(t, c[0]); !parses(got) {
			t.Errorf("%s\nbecame\n%s\nwhich is no script", c[0], got)
		}
	}
	if n < len(table)*3/4 {
		t.Errorf("of %d scripts of the table, only %d are scripts", len(table), n)
	}
}

// libraries is where Debian's packages put the scripts of their pages.
const libraries = "/usr/share/javascript"

// TestScopeLibraries scopes scripts from real life.
func TestScopeLibraries(t *testing.T) {
	n, changed := 0, 0
	for _, dir := range []string{libraries, docs, "testdata"} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".js" {
				return nil //nolint:nilerr // what isn't there isn't tried
			}
			src, err := os.ReadFile(path)
			if err != nil || !parses(string(src)) {
				return nil //nolint:nilerr // a dangling link, or no script
			}
			n++
			got := scoped(t, string(src))
			if got != string(src) {
				changed++
			}
			if !parses(got) {
				t.Errorf("%s is no script any more", path)
			}
			if again := scoped(t, got); again != got {
				t.Errorf("%s changes again", path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d scripts, %d changed", n, changed)
	if n == 0 || changed == 0 {
		t.Errorf("%d scripts, %d changed", n, changed)
	}
}

// FuzzScope holds that a script without the names stays as it is, and that what has been scoped is not scoped again.
// Whether a script stays one is not asked of what the fuzzer makes: the parser takes much for a script that is none.
func FuzzScope(f *testing.F) {
	for _, c := range scopeTable(f) {
		f.Add([]byte(c[0]))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got := scoped(t, string(src))
		if !hasScopeNames(src) && got != string(src) {
			t.Fatalf("%q became %q", src, got)
		}
		if again := scoped(t, got); again != got {
			t.Fatalf("%q became\n%q and then\n%q", src, got, again)
		}
	})
}
