package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"linkstead/archive/bibliography"
	"linkstead/archive/report"
	"linkstead/archive/resolve"
	"linkstead/storage"
)

// namesInJSON are the names that a value has in JSON, with those of all that it holds; of leave it holds nothing.
func namesInJSON(t reflect.Type, leave map[reflect.Type]bool, out map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || leave[t] || !strings.HasPrefix(t.PkgPath(), "linkstead") {
		return
	}
	leave[t] = true // once is enough, and a ring ends
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if name != "" {
			out[name] = true
		}
		namesInJSON(f.Type, leave, out)
	}
}

var (
	quotedWords = regexp.MustCompile("`[^`]+`")
	fieldName   = regexp.MustCompile(`[a-z_]+`)
)

// section is the part of a page of documentation below a heading that begins so.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut("\n"+string(raw), "\n## "+heading)
	if !ok {
		t.Fatalf("docs/%s has no section %s", page, heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

// TestJSONDocs: each field of a JSON document is told of where the document is described, and each that a table there begins with is one.
func TestJSONDocs(t *testing.T) {
	state, _ := reflect.TypeFor[resolve.Answer]().FieldByName("State")
	for _, c := range []struct {
		page, heading string
		of            []any
		leave         []reflect.Type // told of elsewhere
		only          bool           // its tables tell of nothing else
	}{
		{"json.md", "`capture --json`, `show --json`", []any{report.Report{}}, []reflect.Type{reflect.TypeFor[report.Repair]()}, false},
		{"json.md", "`list --json`", []any{storage.Post{}}, []reflect.Type{reflect.TypeFor[storage.Citation](), reflect.TypeFor[storage.Scar]()}, true},
		{"json.md", "`cite --json`", []any{bibliography.Document{}, bibliography.Sources{}}, nil, true},
		{"json.md", "`resolve --json`", []any{resolve.Answer{}}, []reflect.Type{state.Type.Elem()}, true},
		{"repair.md", "JSON", []any{report.Repair{}}, []reflect.Type{reflect.TypeFor[report.Fate]()}, false},
		{"search.md", "JSON", []any{searchJSON{}}, nil, false},
	} {
		leave := map[reflect.Type]bool{}
		for _, l := range c.leave {
			leave[l] = true
		}
		have := map[string]bool{}
		for _, v := range c.of {
			namesInJSON(reflect.TypeOf(v), leave, have)
		}
		if c.heading == "`list --json`" { // which of a post only names it
			delete(have, "citations")
			delete(have, "damaged")
		}
		text := section(t, c.page, c.heading)
		told := map[string]bool{}
		for _, word := range append(quotedWords.FindAllString(text, -1), regexp.MustCompile(`"[a-z_]+"`).FindAllString(text, -1)...) {
			for _, name := range fieldName.FindAllString(word, -1) {
				told[name] = true
			}
		}
		for name := range have {
			if !told[name] {
				t.Errorf("docs/%s, %s, does not tell of %q", c.page, c.heading, name)
			}
		}
		if !c.only {
			continue
		}
		for line := range strings.Lines(text) {
			cells := strings.Split(line, "|")
			if len(cells) < 3 {
				continue
			}
			for _, word := range quotedWords.FindAllString(cells[1], -1) {
				if name := strings.Trim(word, "`[]"); !have[name] {
					t.Errorf("docs/%s, %s, tells of %q, which there is not", c.page, c.heading, name)
				}
			}
		}
	}
}
