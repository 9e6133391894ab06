package post

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"linkstead/archive/pdf"
)

// paperOf makes a PDF of pages, each of lines; annots are further entries of the first page's annotations.
func paperOf(annots string, pages ...[]string) []byte {
	var sb strings.Builder
	sb.WriteString("%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n")
	kids := ""
	for i, lines := range pages {
		var content strings.Builder
		content.WriteString("BT /F 10 Tf 14 TL 72 720 Td ")
		for _, l := range lines {
			fmt.Fprintf(&content, "(%s) Tj T* ", strings.NewReplacer("(", `\(`, ")", `\)`).Replace(l))
		}
		content.WriteString("ET")
		fmt.Fprintf(&sb, "%d 0 obj << /Type /Page /Parent 2 0 R /Contents %d 0 R /Annots [%s] >> endobj\n%d 0 obj << /Length %d >> stream\n%s\nendstream endobj\n",
			10+2*i, 11+2*i, annots, 11+2*i, content.Len(), &content)
		kids += fmt.Sprintf("%d 0 R ", 10+2*i)
		annots = ""
	}
	fmt.Fprintf(&sb, "2 0 obj << /Type /Pages /Kids [%s] /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> >> >> endobj\n", kids)
	sb.WriteString("3 0 obj << /Title (On bridges) /CreationDate (D:20160221) >> endobj\ntrailer << /Root 1 0 R /Info 3 0 R >>\n")
	return []byte(sb.String())
}

func annot(y int, from, to int, uri string) string { // Courier: six points a letter
	return fmt.Sprintf("<< /Subtype /Link /Rect [%d %d %d %d] /A << /S /URI /URI (%s) >> >> ", 72+6*from, y-3, 72+6*to, y+9, uri)
}

func TestPDF(t *testing.T) {
	src := paperOf(annot(720, 5, 16, "https://source.example/a")+annot(20, 0, 9, "../b.html")+annot(706, 0, 9, "mailto:x@y.example"), []string{
		"Read the article first. It is about brid-", "ges: see https://source.example/long/", "path_one.html (and www.second.example), doi:10.1000/182.",
		"References", "[1] https://source.example/last.", "The end of it.",
	}, []string{"https://source.example/third?a=", "1&b=2 is on the second page. https://source.example/x-", "y.html"})
	d, err := PDF(src, "http://papers.example/dir/p.pdf", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Title != "On bridges" || d.Dated != "2016-02-21" || d.URL != "http://papers.example/dir/p.pdf" || d.Cut {
		t.Errorf("%+v", d)
	}
	paper, err := pdf.Read(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := []rune(paper.Text)
	want := []struct {
		url, text, at string
		page          int
	}{
		{"http://papers.example/b.html", "", "", 1},
		{"https://source.example/a", "the article", "the article", 1},
		{"https://source.example/long/path_one.html", "https://source.example/long/path_one.html", "https://source.example/long/\npath_one.html", 1},
		{"http://www.second.example/", "www.second.example", "www.second.example", 1},
		{"https://doi.org/10.1000/182", "doi:10.1000/182", "doi:10.1000/182", 1},
		{"https://source.example/last", "https://source.example/last", "https://source.example/last", 1},
		{"https://source.example/third?a=1&b=2", "https://source.example/third?a=1&b=2", "https://source.example/third?a=\n1&b=2", 2},
		{"https://source.example/x-y.html", "https://source.example/x-y.html", "https://source.example/x-\ny.html", 2},
	}
	var got []string
	for i, c := range d.Citations {
		got = append(got, c.URL)
		if i < len(want) {
			if w := want[i]; c.URL != w.url || c.Text != w.text || string(text[c.Start:c.End]) != w.at || c.Page != w.page || c.Seq != i || c.LeftOut != "" {
				t.Errorf("citation %d: %+v over %q, want %+v", i, c, string(text[c.Start:c.End]), w)
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d citations: %q", len(got), got)
	}
	if c := d.Citations[2].Context; !strings.HasPrefix(c, "It is about bridges: see https://") {
		t.Errorf("the sentence is %q", c)
	}
	if _, err := PDF([]byte("no paper"), "", Options{}); !errors.Is(err, pdf.ErrForm) {
		t.Errorf("no PDF: %v", err)
	}
	if _, err := PDF(src, "", Options{Expired: func() bool { return true }}); !errors.Is(err, ErrSlow) {
		t.Errorf("time is up: %v", err)
	}
}

func TestOverLines(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/x/\ncrc.pdf":                           "https://a.example/x/crc.pdf",
		"http://www.cl.cam.ac.\nuk/Research/SRG/bluebook/21.html": "http://www.cl.cam.ac.uk/Research/SRG/bluebook/21.html",
		"http://a.example/comms/perfnet/\ndownload/CRC.pdf":       "http://a.example/comms/perfnet/download/CRC.pdf",
		"https://a.example/x.\nThe next sentence":                 "https://a.example/x",
		"https://a.example/\nThe next sentence":                   "https://a.example/",
		"https://a.example/x\nand/or more":                        "https://a.example/x",
		"https://a.example/x\n\n/y.html":                          "https://a.example/x",
		"https://a.example/x\f/y.html":                            "https://a.example/x",
		"https://a.example/comments\n/CWC/F.pdf":                  "https://a.example/comments/CWC/F.pdf",
		"https://a.example/a_\nb_\nc.html.":                       "https://a.example/a_b_c.html",
		"https://a.example/a?x=1&\ny=2), and":                     "https://a.example/a?x=1&y=2",
		"https://a.example/one/\nhttps://a.example/two":           "https://a.example/one/",
		"https://doi.org/10.1000/\nABC123 and":                    "https://doi.org/10.1000/ABC123",
		"https://a.example/one, \ntwo/three.html":                 "https://a.example/one",
		"https://a.example/file.\nhtml":                           "https://a.example/file.html",
	} {
		urls := findURLs(in)
		if len(urls) == 0 {
			t.Errorf("%q has no address", in)
			continue
		}
		if got, _ := overLines(in, urls[0].start, urls[0].end); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestPrintedBeginning: where an annotation says an address whole, its printed beginning is no citation of its own.
func TestPrintedBeginning(t *testing.T) {
	src := paperOf(annot(20, 0, 9, "https://a.example/some/where/else"), []string{"See https://a.example/some/whe", "re/else, https://b.example/"})
	d, err := PDF(src, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range d.Citations {
		got = append(got, c.URL)
	}
	if !slices.Equal(got, []string{"https://a.example/some/where/else", "https://b.example/"}) {
		t.Errorf("%q", got)
	}
}

func FuzzPDF(f *testing.F) {
	f.Add(paperOf(annot(720, 5, 16, "https://source.example/a"), []string{"See https://source.example/long/", "path.html"}, []string{"doi:10.1/2"}))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := PDF(src, "http://papers.example/", Options{})
		if err != nil {
			return
		}
		for i, c := range d.Citations {
			if c.Seq != i || c.Start < 0 || c.End < c.Start || c.Page < 1 {
				t.Errorf("citation %+v", c)
			}
		}
	})
}

func FuzzOverLines(f *testing.F) {
	f.Add("see https://a.example/x/\ncrc.pdf")
	f.Fuzz(func(t *testing.T, s string) {
		for _, b := range findURLs(s) {
			raw, stop := overLines(s, b.start, b.end)
			if stop < b.end || stop > len(s) || raw != strings.Join(strings.Fields(s[b.start:stop]), "") && !strings.ContainsAny(s[b.start:stop], "\t\r\v\f\u0085\u00a0") {
				t.Errorf("%q became %q", s[b.start:stop], raw)
			}
		}
	})
}
