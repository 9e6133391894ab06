package post

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func mustRead(t testing.TB, file string) []byte {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestSentence(t *testing.T) {
	for _, c := range []struct{ text, at, want string }{
		{"One. Two three. Four.", "three", "Two three."},
		{"Mr. Smith of the U.S. Survey, e.g. here. Next.", "Survey", "Mr. Smith of the U.S. Survey, e.g. here."},
		{"He said “no.” Then he left.", "Then", "Then he left."},
		{"v1.2 of http://a.test/x.html is out! Really?", "http", "v1.2 of http://a.test/x.html is out!"},
		{"一。二三。四", "二", "二三。"},
		{strings.Repeat("a ", 400) + "HERE" + strings.Repeat(" b", 400), "HERE", ""},
	} {
		at := strings.Index(c.text, c.at)
		got := sentence(c.text, at, at+len(c.at))
		if c.want != "" && got != c.want || !strings.Contains(got, c.at) || utf8.RuneCountInString(got) > maxContext+2 {
			t.Errorf("%q", got)
		}
	}
}

func TestRelativeLinksNeedABase(t *testing.T) {
	for name, parse := range map[string]func([]byte, string, Options) (Document, error){"markdown": Markdown, "text": Text} {
		for _, base := range []string{"", "file:///home/x/post.md"} {
			d, err := parse([]byte("A [link](/x), a [word](http://a.test/) and [post](mailto:a@b.test)."), base, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Citations) != 2 || d.Citations[0].LeftOut != "no base" || strings.Join(taken(d), " ") != "http://a.test/" {
				t.Errorf("%s on %q: %+v", name, base, d.Citations)
			}
		}
	}
}

func TestFrontMatter(t *testing.T) {
	for src, want := range map[string][2]string{
		"---\ntitle: A\ndate: 2016-02-06\n---\n# B\n":            {"A", "2016-02-06"},
		"+++\ntitle = \"A\"\ndate = 2016-02-06T10:00:00Z\n+++\n": {"A", "2016-02-06T10:00:00Z"},
		"---\ntitle: 'It''s' # so\ndate: \"2016-02-06\"\n---\n":  {"It's", "2016-02-06"},
		"---\ntitle: >-\n  A long\n  one\ntags:\n  - x\n---\n":   {"A long one", ""},
		"---\n\"Title\": \"a \\\"b\\\"\"\n---\n":                 {`a "b"`, ""},
		"---\ntitle: [broken\n---\n# B *c*\n":                    {"B c", ""},
		"---\nno end\n\n# B":                                     {"B", ""},
		"# B\n\n---\n":                                           {"B", ""},
	} {
		d, err := Markdown([]byte(src), "", Options{})
		if err != nil || d.Title != want[0] || d.Dated != want[1] {
			t.Errorf("%q: %q, %q, %v", src, d.Title, d.Dated, err)
		}
	}
}

// Hostile text must not take minutes. The bound is wide, for slow machines and the race detector.
func TestHostileTextIsQuick(t *testing.T) {
	for name, unit := range map[string]string{
		"closers": ")", "links": "](", "open links": "[a](http://a.test/(", "www": "www.", "schemes": "http://", "dois": "10.1000/(<[", "brackets": "[", "anchors": "<a href=/x>y",
	} {
		src := []byte("http://a.test/ " + strings.Repeat(unit, 50_000/len(unit)))
		start := time.Now()
		for _, parse := range []func([]byte, string, Options) (Document, error){Text, Markdown, HTML} {
			if _, err := parse(src, address, Options{}); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("%s take %v", name, d)
		} else {
			t.Log(name, d)
		}
	}
}

func fuzzProse(f *testing.F, parse func([]byte, string, Options) (Document, error), mayRefer bool) {
	for _, file := range []string{"links.txt", "jekyll.md"} {
		src, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		for _, line := range strings.Split(string(src), "\n") {
			f.Add(line)
		}
	}
	for _, s := range []string{
		"[a](http://b/ 'c')", "![](/x)", "[a]: http://b/\n\n[a] [x][a] [a][]", "<http://a/>", "http://a_b*c*_d/", "*http://a/*", "> [a\n> b](<http://c d>)",
		"<a href=/x>*b*\n\n<a href=y>", "<div><a href=z>\n\n</div>", "- [^1]\n\n[^1]: www.a.bc", "|a|\n|-|\n|[b](c)|", "[a](\\(b\\))", "[a](&lt;)", "\t[a](b)", "10.1000/a\x00",
		"\xff[a](/\xff)", "---\na: b\n---\n[a](b)", "a\r\n[b](c)\r\n", "[a]((((b))))", "[[a](b)](c)", "http://a/`b`", "doi:10.1000/<a>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		d, err := parse([]byte(src), "http://base.test/a/b", Options{})
		if err != nil {
			t.Fatal(err)
		}
		runes := []rune(decode([]byte(src), "", false))
		for _, c := range append(d.Citations, d.Images...) {
			if c.Start < 0 || c.End < c.Start || c.End > len(runes) {
				t.Fatalf("%+v of %d", c, len(runes))
			}
			part := string(runes[c.Start:c.End])
			if known := strings.Contains(part, c.Raw) || mayRefer && strings.ContainsAny(part, "[<"); !known {
				t.Errorf("%q is not in %q", c.Raw, part)
			}
			if !utf8.ValidString(c.Context) || !utf8.ValidString(c.Text) {
				t.Errorf("%+v", c)
			}
		}
	})
}

func FuzzText(f *testing.F)     { fuzzProse(f, Text, false) }
func FuzzMarkdown(f *testing.F) { fuzzProse(f, Markdown, true) }
