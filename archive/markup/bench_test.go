package markup

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/net/html"
)

// docs is where Debian's python3-doc package puts its pages.
const docs = "/usr/share/doc/python3.11/html"

// pages are the pages that the benchmarks read.
func pages(b *testing.B) [][]byte {
	b.Helper()
	names, err := filepath.Glob(filepath.Join(docs, "library", "*.html"))
	if err != nil {
		b.Fatal(err)
	}
	if len(names) == 0 {
		b.Fatalf("no pages in %s/library: install the package python3-doc (apt-get install python3-doc)", docs)
	}
	var list [][]byte
	var size int64
	for _, name := range names {
		page, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, page)
		size += int64(len(page))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	return list
}

// BenchmarkTokenizeOnly is the yardstick of the two below: a bare pass of x/net/html over the same pages.
func BenchmarkTokenizeOnly(b *testing.B) {
	list := pages(b)
	for b.Loop() {
		for _, page := range list {
			z := html.NewTokenizer(bytes.NewReader(page))
			for z.Next() != html.ErrorToken {
			}
		}
	}
}

func BenchmarkHTMLExtract(b *testing.B) {
	list := pages(b)
	n := 0
	for b.Loop() {
		for _, page := range list {
			if err := HTML(nil, page, Options{}, func(Ref) (string, bool) { n++; return "", false }); err != nil {
				b.Fatal(err)
			}
		}
	}
	if n == 0 {
		b.Fatal("no URLs found")
	}
}

func BenchmarkHTMLRewrite(b *testing.B) {
	list := pages(b)
	opts := Options{
		Rename: []Rename{{Attr: "integrity", To: "data-was-integrity"}, {Attr: "nonce", To: "data-was-nonce"}},
		Insert: func(int) string { return "<script src=/shim.js></script>" },
	}
	for b.Loop() {
		for _, page := range list {
			err := HTML(io.Discard, page, opts, func(r Ref) (string, bool) { return "/web/2024/" + r.URL, true })
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkFirstBase(b *testing.B) {
	list := pages(b)
	for b.Loop() {
		for _, page := range list {
			FirstBase(page)
		}
	}
}
