package markup

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden scans and rewrites whole documents, as replay would.
func TestGolden(t *testing.T) {
	opts := Options{
		Rename: []Rename{
			{Attr: "integrity", To: "data-was-integrity"},
			{Attr: "nonce", To: "data-was-nonce"},
			{Element: "meta", Attr: "http-equiv", Value: "content-security-policy", To: "data-was-http-equiv"},
		},
		Insert: func(int) string { return "<script src=/shim.js></script>" },
	}
	for name, scan := range map[string]scanner{
		"page.html": htmlOf(opts), "drawing.svg": asXML, "sheet.css": asCSS, "module.js": asScript, "app.webmanifest": asManifest,
		"scope.js": asScoped,
	} {
		src, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".refs", strings.Join(refsOf(t, scan, src), "\n")+"\n")
		golden(t, name+".rewritten", rewrite(t, scan, string(src), mark))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go test -update to write it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}

func refsOf(t *testing.T, scan scanner, src []byte) (lines []string) {
	t.Helper()
	rewrite(t, scan, string(src), func(r Ref) (string, bool) {
		lines = append(lines, r.Role.String()+" "+r.Context+" "+r.URL)
		return "", false
	})
	return lines
}
