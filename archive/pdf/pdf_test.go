package pdf

import (
	"bytes"
	"compress/lzw"
	"encoding/ascii85"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func mustRead(t *testing.T, src []byte) *Document {
	t.Helper()
	d, err := read(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const twoLines = "BT /F1 12 Tf 72 700 Td (Read the article first, and) Tj 0 -14 Td (see the second line.) Tj 0 -40 Td (Another paragraph.) Tj ET"

func TestText(t *testing.T) {
	for _, pack := range []bool{false, true} {
		m := paper(twoLines, plainFont, link("103.5 697 156.5 712", "https://source.example/a"), link("0 0 10 10", "https://source.example/none"))
		m.pack = pack
		d := mustRead(t, m.bytes())
		if want := "Read the article first, and\nsee the second line.\n\nAnother paragraph.\f"; d.Text != want {
			t.Errorf("packed %v: %q, want %q", pack, d.Text, want)
		}
		if d.Title != "On bridges" || d.Dated != "2016-02-21T10:30:00+01:00" || d.Lang != "en-GB" || len(d.Pages) != 1 || d.Cut {
			t.Errorf("packed %v: %+v", pack, d)
		}
		if len(d.Links) != 2 || d.Links[0].URI != "https://source.example/a" || d.Links[0].Page != 1 {
			t.Fatalf("links %+v", d.Links)
		}
		if l := d.Links[0]; d.Text[l.Start:l.End] != "the article" {
			t.Errorf("the link stands over %q", d.Text[l.Start:l.End])
		}
		if l := d.Links[1]; l.Start != 0 || l.End != 0 {
			t.Errorf("a link over nothing stands at %d to %d", l.Start, l.End)
		}
	}
}

// TestLaTeX: letters are placed one by one, words are kept apart by steps alone, ligatures are glyphs of their own, and a
// link broken over lines is one.
func TestLaTeX(t *testing.T) {
	content := "BT /F1 10 Tf 72 700 Td [(An)-333(e)14(\\016cient)-330(w)28(a)27(y)-333(of)-333(bridg-)]TJ 0 -12 Td [(ing)-333(the)-333(gap)]TJ " +
		"0 -12 Td (https://source.example/long/) Tj 0 -12 Td (path.html) Tj ET"
	fonts := "/F1 << /Type /Font /Subtype /Type1 /BaseFont /CMR10 /FirstChar 14 /LastChar 14 /Widths [556] " +
		"/Encoding << /Type /Encoding /Differences [14 /ffi 39 /quoteright] >> >>"
	d := mustRead(t, paper(content, fonts, link("72 674 300 686", "https://source.example/long/path.html"), link("72 662 300 674", "https://source.example/long/path.html")).bytes())
	if want := "An efficient way of bridg-\ning the gap\nhttps://source.example/long/\npath.html\f"; d.Text != want {
		t.Errorf("%q, want %q", d.Text, want)
	}
	if len(d.Links) != 1 || d.Text[d.Links[0].Start:d.Links[0].End] != "https://source.example/long/\npath.html" {
		t.Errorf("links %+v", d.Links)
	}
}

func TestFonts(t *testing.T) {
	m := paper("BT /F1 12 Tf 72 700 Td <00010002> Tj 0 -14 Td <0003> Tj /F2 12 Tf 0 -14 Td (\\001\\351\\222) Tj /F3 12 Tf 0 -14 Td (f\\252) Tj /F4 12 Tf 0 -14 Td <6865> Tj ET",
		"/F1 7 0 R /F2 << /Type /Font /Subtype /TrueType /Encoding << /BaseEncoding /WinAnsiEncoding /Differences [1 /uni00E4 /f_i.alt] >> >> "+
			"/F3 << /Type /Font /Subtype /Type1 >> /F4 << /Type /Font /Subtype /Type0 /Encoding /UniGB-UCS2-H /DescendantFonts [] >>")
	m.objects[7] = "<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 8 0 R /DescendantFonts [<< /DW 500 /W [1 [600 700] 3 9 400] >>] >>"
	m.flate(8, "", "begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0003> <FB01> endbfchar "+
		"1 beginbfrange <0001> <0002> <00410301> endbfrange 1 beginbfrange <0005> <0006> [<0061> <0062>] endbfrange endcmap")
	d := mustRead(t, m.bytes())
	if want := "ÁA\u0302\nfi\näé’\nf“\n桥\f"; d.Text != want && d.Text != "A\u0301A\u0302\nfi\näé’\nf“\n桥\f" {
		t.Errorf("%q, want %q", d.Text, want)
	}
	for in, want := range map[string]string{
		"A": "A", "eacute": "é", "Scaron": "Š", "uni20AC": "€", "u1F600": "😀", "f_f_i": "ffi", "a.sc": "a", "ffl": "ffl", "g123": "", "uniZZZZ": "",
	} {
		if got := glyph(in); got != want {
			t.Errorf("glyph %s is %q, want %q", in, got, want)
		}
	}
}

// TestFilters: streams of every coding, a form within a form, a picture in line whose bytes look like text.
func TestFilters(t *testing.T) {
	m := newMaker()
	m.objects[1] = "<< /Type /Catalog /Pages 3 0 R >>"
	m.objects[3] = "<< /Type /Pages /Kids [4 0 R] /Resources << /Font << " + plainFont + " >> /XObject << /X 10 0 R >> >> >>"
	m.objects[4] = "<< /Type /Page /Contents [5 0 R 6 0 R 7 0 R 8 0 R 9 0 R] >>"
	line := func(n int, s string) string { return fmt.Sprintf("BT /F1 12 Tf 72 %d Td (%s) Tj ET", 700-14*n, s) }
	a85 := make([]byte, 1000)
	src := []byte(line(0, "eighty-five"))
	m.stream(5, "/Filter /ASCII85Decode", append(a85[:ascii85.Encode(a85, src)], "~>"...))
	m.stream(6, "/Filter [/AHx]", []byte(fmt.Sprintf("%x>", line(1, "hex"))))
	m.stream(7, "/Filter /RunLengthDecode", append(append([]byte{byte(len(line(2, "run")) - 1)}, line(2, "run")...), 128))
	var z bytes.Buffer
	w := lzw.NewWriter(&z, lzw.MSB, 8)
	_, _ = w.Write([]byte(line(3, "lzw lzw lzw")))
	_ = w.Close()
	m.stream(8, "/Filter /LZWDecode /DecodeParms << /EarlyChange 0 >>", z.Bytes())
	m.stream(9, "", []byte("BI /W 1 /H 1 ID (no text) Tj\x00 EI /X Do "))
	m.stream(10, "/Type /XObject /Subtype /Form /Matrix [1 0 0 1 0 0] /Resources << /XObject << /Y 11 0 R >> >>", []byte("/Y Do"))
	m.stream(11, "/Type /XObject /Subtype /Form /Resources << /Font << "+plainFont+" >> /XObject << /Y 11 0 R >> >>", []byte(line(4, "form")+" /Y Do"))
	d := mustRead(t, m.bytes())
	if want := "eighty-five\nhex\nrun\nlzw lzw lzw\nform"; !strings.HasPrefix(d.Text, want) || strings.Contains(d.Text, "no text") {
		t.Errorf("%q, want %q", d.Text, want)
	}
}

func TestMetadata(t *testing.T) {
	m := paper("BT /F1 10 Tf 72 700 Td (small text first) Tj /F1 24 Tf 0 -30 Td (A title in) Tj 0 -28 Td (large letters) Tj ET", plainFont)
	m.objects[2] = "<< /Title (paper.dvi) /Author (Jane Doe) /CreationDate (D:2016) >>"
	if d := mustRead(t, m.bytes()); d.Title != "A title in large letters" || d.Author != "Jane Doe" || d.Dated != "2016" {
		t.Errorf("%q %q", d.Title, d.Dated)
	}
	m.objects[1] = "<< /Type /Catalog /Pages 3 0 R /Metadata 9 0 R /URI << /Base (https://base.example/) >> >>"
	m.flate(9, "/Type /Metadata", `<x:xmpmeta><rdf:Description xmp:CreateDate="2017-03-04T05:06:07+02:00"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">Bridges &amp; ferries</rdf:li></rdf:Alt></dc:title>`+
		`<prism:publicationDate>2017-05</prism:publicationDate></rdf:Description></x:xmpmeta>`)
	if d := mustRead(t, m.bytes()); d.Title != "Bridges & ferries" || d.Dated != "2017-05" || d.Base != "https://base.example/" {
		t.Errorf("%q %q %q", d.Title, d.Dated, d.Base)
	}
	if got := said("\xFE\xFF\x00B\x00r\x00\xFC"); got != "Brü" {
		t.Errorf("UTF-16: %q", got)
	}
	if got := said("Br\xFC"); got != "Brü" {
		t.Errorf("one byte a character: %q", got)
	}
	for in, want := range map[string]string{
		"D:20160221103000Z": "2016-02-21T10:30:00Z", "D:201602211030": "2016-02-21T10:30", "20160221": "2016-02-21", "D:2016022110": "2016-02-21T10:00",
		"yesterday": "", "D:20161399": "", "D:20160221103000-08'00'": "2016-02-21T10:30:00-08:00",
	} {
		if got := isoDate(pdfDate(in)); got != want {
			t.Errorf("date %s is %q, want %q", in, got, want)
		}
	}
}

func TestLocked(t *testing.T) {
	d := mustRead(t, locked(twoLines, true))
	if !strings.HasPrefix(d.Text, "Read the article") || d.Title != "A sealed title" {
		t.Errorf("%q %q", d.Title, d.Text)
	}
	if _, err := read(locked(twoLines, false), nil); !errors.Is(err, ErrLocked) {
		t.Errorf("a file with a password: %v", err)
	}
}

// TestBroken: what is damaged is read as far as it goes.
func TestBroken(t *testing.T) {
	whole := paper(twoLines, plainFont, link("103.5 697 156.5 712", "https://source.example/a")).bytes()
	if _, err := read([]byte("<html>"), nil); !errors.Is(err, ErrForm) {
		t.Errorf("no PDF: %v", err)
	}
	body, _, _ := bytes.Cut(whole, []byte("xref"))
	// Without its trailer, with rubbish before it, with a table that lies, after an update.
	for name, src := range map[string][]byte{
		"no trailer": body,
		"rubbish":    append([]byte("HTTP rubbish\r\n"), whole...),
		"updated":    append(bytes.Replace(whole, []byte("/a)"), []byte("/b)"), 1), []byte("4 0 obj << /Type /Page /Contents 5 0 R /Annots ["+link("103.5 697 156.5 712", "https://source.example/a")+"] /Parent 3 0 R >> endobj")...),
		"length":     bytes.Replace(whole, []byte("/Length "), []byte("/Length 9"), 1),
	} {
		d, err := read(src, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := strings.HasPrefix(d.Text, "Read the article")
		if name == "no trailer" { // the page's resources are inherited, and the page alone is found
			text = true
		}
		if !text || len(d.Links) != 1 || d.Links[0].URI != "https://source.example/a" {
			t.Errorf("%s: %q %+v", name, d.Text, d.Links)
		}
	}
	for n := range len(whole) {
		if _, err := read(whole[:n], nil); err != nil && !errors.Is(err, ErrForm) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

// TestHostile: bombs, loops and depths end soon, with what could be read.
func TestHostile(t *testing.T) {
	bomb := newMaker()
	bomb.objects[1] = "<< /Type /Catalog /Pages 3 0 R >>"
	bomb.objects[3] = "<< /Type /Pages /Kids [4 0 R] >>"
	bomb.objects[4] = "<< /Type /Page /Contents [" + strings.Repeat("5 0 R ", 500) + "] >>"
	bomb.flate(5, "", strings.Repeat(" ", 60<<20))
	deep := newMaker()
	deep.objects[1] = "<< /Pages " + strings.Repeat("[", 1_000_000) + " >>"
	loop := newMaker()
	loop.objects[1] = "<< /Pages 3 0 R >>"
	loop.objects[3] = "<< /Kids [3 0 R 3 0 R 4 0 R] >>"
	loop.objects[4] = "<< /Kids [3 0 R 4 0 R] >>"
	chain := newMaker()
	chain.objects[1] = "6 0 R"
	chain.objects[6] = "1 0 R"
	length := newMaker()
	length.objects[1] = "<< /Length 1 0 R >>"
	length.raw[1] = []byte("x")
	kids := newMaker()
	kids.objects[1] = "<< /Pages 3 0 R >>"
	kids.objects[3] = "<< /Kids [" + strings.Repeat("<< /Contents 5 0 R >> ", 100_000) + "] >>"
	kids.flate(5, "", strings.Repeat("BT (x) Tj ET ", 10_000))
	for name, m := range map[string]*maker{"bomb": bomb, "deep": deep, "loop": loop, "chain": chain, "length": length, "kids": kids} {
		d, err := read(m.bytes(), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if (name == "bomb" || name == "kids") && !d.Cut {
			t.Errorf("%s: read to its end", name)
		}
	}
	if _, err := read(kids.bytes(), func() bool { return true }); !errors.Is(err, ErrSlow) {
		t.Errorf("time is up: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	m := paper(twoLines, plainFont, link("103.5 697 156.5 712", "https://source.example/a"))
	f.Add(m.bytes())
	m.pack = true
	f.Add(m.bytes())
	f.Add(locked(twoLines, true))
	plain := newMaker()
	plain.objects[1] = "<< /Pages << /Kids [<< /Contents 5 0 R /Resources << /Font << " + plainFont + " /F2 6 0 R >> >> /Annots [" + link("0 0 900 900", "x") + "] >>] >> >>"
	plain.stream(5, "", []byte("q 1 0 0 1 0 0 cm BT /F1 1 Tf (a) Tj [(b) -900 (c)] TJ T* (d) ' 1 2 (e) \" /F2 1 Tf <0041> Tj ET Q"))
	plain.objects[6] = "<< /Subtype /Type0 /ToUnicode 7 0 R /DescendantFonts [<< /W [1 [2] 3 4 5] >>] >>"
	plain.stream(7, "/Filter [/LZWDecode /RL /A85 /AHx]", []byte("1 beginbfrange <00> <ff> <0041> endbfrange"))
	f.Add(plain.bytes())
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := read(src, nil)
		if err != nil {
			return
		}
		for _, l := range d.Links {
			if l.Start < 0 || l.End < l.Start || l.End > len(d.Text) || l.Page < 1 || l.Page > len(d.Pages) {
				t.Errorf("link %+v in %d bytes", l, len(d.Text))
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	src := paper(strings.Repeat(twoLines+"\n", 2000), plainFont).bytes()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Read(src, nil); err != nil {
			b.Fatal(err)
		}
	}
}
