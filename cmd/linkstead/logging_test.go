package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostileText is what a server might send to break a line, or a terminal.
const hostileText = "a\nb\x1b[2Jc\u202ed\u009bK \"q\" \U000e0041"

// TestLogHostile: whatever is logged stays in its line, escaped, and a program reads back what it was.
func TestLogHostile(t *testing.T) {
	for _, format := range []string{logText, logJSON} {
		for _, watched := range []bool{true, false} {
			var b bytes.Buffer
			log := newLogger(&b, watched, format, slog.LevelInfo)
			log.With("run", 1).Warn("it failed: "+hostileText, "url", hostileText, "error", errors.New(hostileText), "took", 1500*time.Millisecond)
			out := b.String()
			if strings.Count(out, "\n") != 1 || strings.ContainsAny(strings.TrimSuffix(out, "\n"), "\x1b\n\u202e\u009b\U000e0041") {
				t.Errorf("%s, watched %v: %q", format, watched, out)
			}
			if format == logText {
				continue
			}
			var got struct {
				Msg, URL, Error, Took string
				Run                   int
			}
			if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.URL != hostileText || got.Error != hostileText || got.Took != "1.5s" || got.Run != 1 {
				t.Errorf("%v: %+v of %s", err, got, out)
			}
		}
	}
}

func TestLogText(t *testing.T) {
	at := time.Date(2026, 11, 23, 7, 8, 9, 0, time.Local)
	for _, tc := range []struct {
		brief bool
		level slog.Level
		attrs []slog.Attr
		want  string
	}{
		{true, slog.LevelInfo, []slog.Attr{slog.Int("run", 3)}, "07:08:09 it is done  run=3\n"},
		{true, slog.LevelError, []slog.Attr{slog.String("host", "a.test")}, "07:08:09 error: it is done  host=a.test\n"},
		{false, slog.LevelWarn, []slog.Attr{slog.String("error", "two words"), slog.String("file", "")},
			at.UTC().Format(time.RFC3339) + ` warning it is done  error="two words"  file=""` + "\n"},
		{true, slog.LevelInfo, []slog.Attr{slog.String("url", "http://user:secret@h/x?y=1")}, "07:08:09 it is done  url=http://user:…@h/x?y=1\n"},
	} {
		var b bytes.Buffer
		log := newLogger(&b, tc.brief, logText, slog.LevelDebug)
		r := slog.NewRecord(at, tc.level, "it is done", 0)
		r.AddAttrs(tc.attrs...)
		if err := log.Handler().Handle(t.Context(), r); err != nil || b.String() != tc.want {
			t.Errorf("%q, %v, want %q", b.String(), err, tc.want)
		}
	}
	var b bytes.Buffer
	newLogger(&b, false, logJSON, slog.LevelInfo).Info("long", "url", strings.Repeat("ä", maxLogged))
	if b.Len() > maxLogged+200 {
		t.Errorf("a line of %d bytes", b.Len())
	}
}

func TestLogLevel(t *testing.T) {
	for _, tc := range []struct {
		level   string
		verbose bool
		cmd     command
		want    slog.Level
	}{
		{"auto", false, &workCmd{}, slog.LevelInfo},
		{"auto", false, &serveCmd{}, slog.LevelInfo},
		{"auto", false, &captureCmd{}, slog.LevelWarn},
		{"auto", true, &captureCmd{}, slog.LevelDebug},
		{"error", false, &workCmd{}, slog.LevelError},
		{"info", false, &listCmd{}, slog.LevelInfo},
	} {
		if got := logLevel(tc.level, tc.verbose, tc.cmd); got != tc.want {
			t.Errorf("%s, %v, %T: %v", tc.level, tc.verbose, tc.cmd, got)
		}
	}
}

// TestLogKeys: every line that the program logs has keys that docs/operating.md lists, and no others.
func TestLogKeys(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "| key | what it is about |")
	table, _, _ = strings.Cut(table, "\n## ")
	used := 0
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, key := range loggedKeys(n) {
				used++
				if !strings.Contains(table, "`"+key+"`") {
					t.Errorf("%s: the key %q is not among those of docs/operating.md", fset.Position(n.Pos()), key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || used < 50 {
		t.Errorf("%d keys found, %v", used, err)
	}
}

// loggedKeys are the keys of a call that logs.
func loggedKeys(n ast.Node) (out []string) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, f.Sel.Name) || len(call.Args) < 2 {
		return nil
	}
	for _, arg := range call.Args[1:] {
		if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			key, err := strconv.Unquote(lit.Value)
			if err == nil {
				out = append(out, key)
			}
		}
	}
	return out
}
