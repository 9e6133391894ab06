// Package fulltext makes what captured pages say findable: it reads captures, keeps their texts as rows, and finds those that a query or a
// quotation asks for, with the captures that they are of. The texts are made from the captures alone and can be made anew at any time.
//
// What may be seen is for whoever answers Captures to say: a text is found by its captures only, so that a reader whose captures a guard
// brings learns of nothing that is kept from readers.
package fulltext

import (
	"bytes"
	"strings"
	"time"

	"linkstead/archive/pdf"
	"linkstead/archive/text"
	"linkstead/storage"
)

const (
	// partTerms is how many words a part of a text has: PostgreSQL keeps no more than 256 places of one word.
	partTerms = 4000
	// overlap is how many words a part has in common with the next one, so that phrases are found across.
	overlap = maxPhrase
	// fewWords is how short a main text is beside which everything on the page is kept, too.
	fewWords = 40
	// pdfTime is for how long a PDF is read.
	pdfTime = 20 * time.Second
)

// said is what a payload says.
type said struct{ title, lang, body string }

// read tells what a document of a type says, as much as limit bytes of it.
func read(src []byte, mime, contentType string, limit int) (said, error) {
	if mime == "application/pdf" || mime == "" && pdf.Is(src) {
		return readPDF(src, limit, time.Now().Add(pdfTime))
	}
	p := text.Main(src, contentType)
	s := said{title: p.Title, lang: p.Lang, body: p.Text}
	if p.Comments != "" {
		s.body = strings.TrimPrefix(s.body+"\n"+p.Comments, "\n")
	}
	if text.Count(p.Text) < fewWords {
		s.body = p.All
	}
	s.body = cut(s.body, limit)
	return s, nil
}

func readPDF(src []byte, limit int, end time.Time) (said, error) {
	d, err := pdf.Read(src, func() bool { return time.Now().After(end) })
	if err != nil {
		return said{}, err
	}
	t := text.Main([]byte(strings.ReplaceAll(d.Text, "\f", "\n")), "text/plain; charset=utf-8")
	title := strings.Join(strings.Fields(d.Title), " ")
	if title == "" {
		title = t.Title
	}
	return said{title: cut(title, 400), lang: d.Lang, body: cut(t.Text, limit)}, nil
}

// cut ends a text after so many bytes, between lines or words if there are some.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	if i := strings.LastIndexAny(s, " \n"); i > limit/2 {
		s = s[:i]
	}
	return strings.ToValidUTF8(s, "")
}

// parts are the rows of what a payload says.
func parts(collection, digest string, s said) []storage.Text {
	var title []string
	for t := range text.Terms(s.title) {
		title = append(title, t.Text)
	}
	out := []storage.Text{}
	var words []string
	var starts []int
	from, to := 0, 0
	flush := func() {
		out = append(out, storage.Text{
			Collection: collection, Digest: digest, Part: len(out), Title: s.title, Lang: cut(s.lang, 40),
			Body: s.body[from:to], TitleWords: title[:min(len(title), 200)], BodyWords: words,
		})
	}
	fresh := 0 // words that no part before has
	for t := range text.Terms(s.body) {
		if len(words) == partTerms {
			flush()
			words = append([]string(nil), words[partTerms-overlap:]...)
			starts = append([]int(nil), starts[partTerms-overlap:]...)
			from, fresh = starts[0], 0
		}
		words, starts, to = append(words, t.Text), append(starts, t.Start), max(to, t.End)
		fresh++
	}
	if fresh > 0 || len(out) == 0 {
		to = len(s.body)
		flush()
	}
	return out
}

// textual says whether documents of a type are read.
func textual(mime string) bool {
	switch mime {
	case "text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/x-markdown", "application/pdf":
		return true
	}
	return false
}

// isEmpty says whether there is nothing to read in a document.
func isEmpty(src []byte) bool { return len(bytes.TrimSpace(src)) == 0 }
