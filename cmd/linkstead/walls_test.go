package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"linkstead/archive/wall"
)

// TestDocumentationIsNoWall: of all pages of the documentation sites, and of the post that cites them, none is flagged.
func TestDocumentationIsNoWall(t *testing.T) {
	judged := 0
	judge := func(name string) {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		judged++
		if f := wall.Default.Judge(&wall.Page{URL: "http://docs.test/" + filepath.Base(name), Status: 200, HTML: body}); len(f.Rules) > 0 {
			t.Errorf("%s is flagged %q by %q", name, f.Words(), f.Rules)
		}
	}
	judge(aleppoHTML)
	for _, site := range docSites() {
		err := filepath.WalkDir(site.root, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && filepath.Ext(name) == ".html" {
				judge(name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if judged < 1000 {
		t.Errorf("only %d pages were judged", judged)
	}
}
