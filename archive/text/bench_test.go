package text_test

import (
	"testing"

	"linkstead/archive/text"
)

// BenchmarkMain reads a real page: the rate is of HTML.
func BenchmarkMain(b *testing.B) {
	src := read(b, "../post/testdata/aleppo.html")
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		text.Main(src, "text/html; charset=utf-8")
	}
}

// BenchmarkQuoted looks for a quotation with an edit in the text of that page.
func BenchmarkQuoted(b *testing.B) {
	p := text.Main(read(b, "../post/testdata/aleppo.html"), "text/html; charset=utf-8")
	b.SetBytes(int64(len(p.Text)))
	for b.Loop() {
		text.Quoted(p.Text, "the Russians have made several constructive ideas about how a ceasefire in fact could be implemented")
	}
}
