package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A rebuild that was killed between its renames is finished by the next: what it had carried over is not lost. A complete
// database whose old one is still in place is not taken.
func TestFinishSwitch(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // in place afterwards
	}{
		"killed between": {map[string]string{"db.rebuilt": "new", "db.20260101000000": "old"}, "new"},
		"killed before":  {map[string]string{"db.rebuilt": "new", "db": "old"}, "old"},
		"unfinished":     {map[string]string{"db.rebuilding": "half"}, ""},
		"nothing":        {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for f, s := range c.files {
				if err := os.WriteFile(filepath.Join(dir, f), []byte(s), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "db")
			if err := finishSwitch(path); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); string(got) != c.want || (err != nil) != (c.want == "") {
				t.Errorf("in place is %q, %v; want %q", got, err, c.want)
			}
			if _, err := os.Stat(path + rebuilt); err == nil {
				t.Error("it still waits")
			}
		})
	}
}
