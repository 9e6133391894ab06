package post

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// checkBlocks holds what Block promises, against the decoded source.
func checkBlocks(t *testing.T, d Document, src string) {
	t.Helper()
	runes := []rune(src)
	for _, b := range d.Blocks {
		if b.Text == "" || b.Kind == "" || strings.Trim(b.Text, " \n\t") != b.Text || !utf8.ValidString(b.Text) {
			t.Fatalf("a block of kind %q: %q", b.Kind, b.Text)
		}
		table := b.Table()
		if len(table) != utf8.RuneCountInString(b.Text)+1 {
			t.Fatalf("%q: a table of %d", b.Text, len(table))
		}
		i := 0
		for at, r := range b.Text {
			start, end := b.Source(at, at+1)
			if start < 0 || end < start || end > len(runes) || start != table[i] {
				t.Fatalf("%q at %d of %q stands at %d to %d of %d; the table has %d", r, at, b.Text, start, end, len(runes), table[i])
			}
			part := string(runes[start:end])
			if end-start == 1 && part != string(r) && !unicode.IsSpace(r) && r != utf8.RuneError {
				t.Fatalf("%q at %d of %q stands at %d, where %q is", r, at, b.Text, start, part)
			}
			i++
		}
		for _, l := range b.Links {
			if l.Start < 0 || l.End < l.Start || l.End > len(b.Text) || l.Citation < 0 || l.Citation >= len(d.Citations) {
				t.Fatalf("%+v in %q, of %d", l, b.Text, len(d.Citations))
			}
		}
	}
}

func TestProseOfFixtures(t *testing.T) {
	for _, f := range fixtures {
		d, src := readFixture(t, f.file, f.url, Options{})
		checkBlocks(t, d, src)
		links := map[int]bool{}
		for _, b := range d.Blocks {
			for _, l := range b.Links {
				links[l.Citation] = true
				c := d.Citations[l.Citation]
				if got := collapse(b.Text[l.Start:l.End]); filepath.Ext(f.file) == ".html" && c.Text != "" && got != c.Text && l.End > l.Start && !strings.HasPrefix(c.Text, got) {
					t.Errorf("%s: %q stands at %q", f.file, c.Text, got)
				}
			}
		}
		for i, c := range d.Citations {
			if !links[i] && c.Of == "" && c.Text != "" && c.Text != c.Entry {
				t.Errorf("%s: %q stands in no block", f.file, c.Text)
			}
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct{ mime, src, want string }{
		{"text/html", "<h2>A &amp;\n b</h2><ul><li>one<li><p>two</ul><blockquote>said <b>so</b></blockquote><pre>a\n  b</pre>", "heading2:A & b|item:one|item:two|quote:said so|pre:a\n  b"},
		{"text/html", "<p>As  reported\u00a0<a href=/x>there</a>\u00a0 on<br>the\tday", "paragraph:As  reported\u00a0[there]\u00a0 on the day"},
		{"text/html", "<figure><img alt=x><figcaption>cap</figcaption></figure><table><tr><td>cell</td></tr></table><p>&#x201C;q&rdquo; &notit; &lt;", "caption:cap|other:cell|paragraph:“q” ¬it; <"},
		{"text/html", "a<script>no</script><p>\ufdd00\ufdd1 b\r\nc &amp", "paragraph:a|paragraph:\ufffd0\ufdd1 b c &"},
		{"text/html", "<a href=/x>one<p>two</p></a>three <q cite=/y>four</q>", "paragraph:[one]|paragraph:two|paragraph:three [four]"},
		{"text/markdown", "# A *b*\n\nSee [*the* text](/x) &amp; \\*more\nlines.\n\n> quoted\n\n* item\n\n```\ncode  x\n```\n", "heading1:A b|paragraph:See [the text] & *more lines.|quote:quoted|item:item|pre:code  x"},
		{"text/markdown", "<div>\n<p>a &lt; <a href=/x>b</a></p>\n</div>\n\n`c  d` <http://e.test/>", "paragraph:a < [b]|paragraph:c  d [http://e.test/]"},
		{"text/plain", "Head\n====\n\nOne  line\nand http://a.test/ more.\n- item\n  goes on\n- two\n\n> quo\n> ted\n", "heading1:Head|paragraph:One  line and [http://a.test/] more.|item:item goes on|item:two|quote:quo ted"},
		{"text/plain", "so\u00adft hy\u00ad\nphen and well-\nknown", "paragraph:so\u00adft hyphen and well- known"},
	} {
		d, err := Read([]byte(c.src), c.mime, address, Options{Links: All})
		if err != nil {
			t.Fatal(err)
		}
		checkBlocks(t, d, decode([]byte(c.src), "", false))
		var got []string
		for _, b := range d.Blocks {
			kind := b.Kind
			if b.Level > 0 {
				kind += fmt.Sprint(b.Level)
			}
			text := b.Text
			for i := len(b.Links) - 1; i >= 0; i-- {
				l := b.Links[i]
				text = text[:l.Start] + "[" + text[l.Start:l.End] + "]" + text[l.End:]
			}
			got = append(got, kind+":"+text)
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.src, got, c.want)
		}
	}
}

func FuzzProse(f *testing.F) {
	for _, s := range []string{"<p>a &amp b <a href=/x>c</a>", "\ufdd00\ufdd1<p>x", "<table>a<tr>b<td>&notin;c", "<select>a<b>c", "<p>a\x00b&#0;c\r\nd", "<pre>\n a\n\n b </pre>", "> a\n- b\n# c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, mime := range []string{"text/html", "text/markdown", "text/plain"} {
			d, err := Read([]byte(src), mime, address, Options{Links: All})
			if err != nil {
				t.Fatal(err)
			}
			if utf8.ValidString(src) {
				checkBlocks(t, d, decode([]byte(src), "", mime == "text/html"))
			}
		}
	})
}
