package text_test

import (
	"os"
	"strings"
	"testing"

	"linkstead/archive/text"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A real page of a blog: all of the post, nothing of menus, and the comments apart.
func TestMainOfAPost(t *testing.T) {
	p := text.Main(read(t, "../post/testdata/aleppo.html"), "text/html; charset=utf-8")
	if p.Title != "Hospital bombed by Russian warplanes" || p.Lang != "en-US" || p.Cut {
		t.Errorf("title %q, language %q, cut %v", p.Title, p.Lang, p.Cut)
	}
	copied := string(read(t, "../post/testdata/aleppo.txt"))
	if c := text.Containment(copied, p.Text); c < 0.95 {
		t.Errorf("%.3f of the post's words are in its main text", c)
	}
	if c := text.Containment(p.Text, copied); c < 0.95 {
		t.Errorf("%.3f of its main text are the post's words", c)
	}
	for _, alien := range []string{"25 responses", "Privacy & Cookies", "Skip to content"} {
		if strings.Contains(p.Text, alien) {
			t.Errorf("%q is in the main text", alien)
		}
	}
	if n := text.Count(p.Comments); n < 100 {
		t.Errorf("%d words of comments", n)
	}
}

func TestMainOfPages(t *testing.T) {
	long := strings.Repeat("All work and no play makes Jack a dull boy. ", 5)
	for _, c := range []struct{ name, src, typ, want string }{
		{"nothing", "", "text/html", ""},
		{"not closed", "<p>One<p>two<li>three<td>four", "text/html", "One\ntwo\nthree\nfour"},
		{"within a line", "a<b>b</b>c <i>d</i> e<br>f", "text/html", "abc d e\nf"},
		{"crossed", "<b>a<p>b</b>c</p>d", "text/html", "a\nbc\nd"},
		{"hidden", `a<div hidden>b</div><p style="color:red; display : none">c</p><span aria-hidden=true>d</span><script>e</script><svg><title>f</title><text>g</text></svg>h`, "text/html", "a\nh"},
		{"menu", "<nav>menu</nav><div role=navigation>other</div><p>" + long + "</p>", "text/html", strings.TrimSpace(long)},
		{"article among teasers", "<article><p>" + long + "</p></article><article>tease</article>", "text/html", strings.TrimSpace(long)},
		{"densest", "<div><ul><li><a href=/>x</a><li>y</ul></div><div><p>" + long + "</p><p>" + long + "</p></div><div>imprint</div>", "text/html", strings.TrimSpace(long) + "\n" + strings.TrimSpace(long)},
		{"list of links within", "<main><p>" + long + "</p><ul><li><a href=/1>One more page to read</a><li><a href=/2>and another</a></ul></main>", "text/html", strings.TrimSpace(long)},
		{"of links alone", "<main><ul><li><a href=/1>One more page to read</a><li><a href=/2>and another</a></ul></main>", "text/html", "One more page to read\nand another"},
		{"preformatted", "<main><pre>a\n  b</pre></main>", "text/html", "a\nb"},
		{"noscript", "<p>a</p><noscript><p>b</p></noscript>", "text/html", "a\nb"},
		{"latin-1", "<p>caf\xe9", "text/html; charset=iso-8859-1", "café"},
		{"told by meta", "<meta charset=windows-1251><p>\xcf\xf0\xe8\xe2\xe5\xf2", "text/html", "Привет"},
		{"utf-16", "\xff\xfe<\x00p\x00>\x00a\x00", "text/html", "a"},
		{"told by nobody", "<p>caf\xc3\xa9", "", "café"},
		{"plain", "  One \t two\r\n\r\n\n three", "text/plain", "One two\nthree"},
		{"plain is no markup", "a <b> c", "text/plain; charset=utf-8", "a <b> c"},
		{"table", "<table><tr><td>a<td>b<tr><td>c</table>d", "text/html", "a\nb\nc\nd"},
		{"list in a list", "<ul><li>a<ul><li>b</ul>c<li>d</ul>", "text/html", "a\nb\nc\nd"},
		{"custom elements", "<x-app><div><y-part>a</y-part></div></x-app>", "text/html", "a"},
	} {
		if got := text.Main([]byte(c.src), c.typ).Text; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhatAPageSaysOfItself(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      text.Page
	}{
		{"title", "<title> A \n title</title>", text.Page{Title: "A title"}},
		{"heading in the title", "<title>A story – The Site</title><h1>A <i>story</i><a class=headerlink href=#x>¶</a></h1>", text.Page{Title: "A story"}},
		{"another heading", "<title>A story</title><h1>The Site</h1>", text.Page{Title: "A story"}},
		{"open graph", `<meta property="og:title" content="Shared"><meta property=og:site_name content=Site><title>A</title>`, text.Page{Title: "Shared", Site: "Site"}},
		{"author", `<meta name=author content="A. Writer"><meta property="article:published_time" content="2016-02-06">`, text.Page{Byline: "A. Writer", Published: "2016-02-06"}},
		{"byline", `<p class="byline">By <a href=/x>A. Writer</a></p>`, text.Page{Byline: "By A. Writer"}},
		{"language", `<html lang=de><meta property=og:locale content=en_GB>`, text.Page{Lang: "de"}},
		{"language of the metas", `<meta property=og:locale content=en_GB>`, text.Page{Lang: "en-GB"}},
	} {
		got := text.Main([]byte(c.src), "text/html")
		got.Text, got.All = "", ""
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// Pages that are made to hurt take time in proportion to their length: each of these is a megabyte.
func TestHostilePages(t *testing.T) {
	for name, part := range map[string]string{
		"deep": "<div>", "deep within a line": "<b class=x>", "ends of nothing": "</div></b>", "links": "<a href=x>y", "paragraphs": "<p>x", "formats": "<p><b><i><u>x",
		"tables": "<table><tr><td>x", "lists": "<ul><li>x", "quotes": `<a href="`, "open": "<", "references": "&amp", "silent": "<svg>", "title": "<title>", "one word": "x",
		"comments": "<!--", "crossed": "<div><span></div>", "options": "<select><option>", "headings": "<h1 class=byline>", "breaks": "<br>", "metas": "<meta name=a content=b>",
	} {
		src := strings.Repeat(part, (1<<20)/len(part))
		p := text.Main([]byte(src), "text/html")
		if len(p.Text) > len(src) || len(p.Title) > 500 {
			t.Errorf("%s: %d bytes of text, %d of title", name, len(p.Text), len(p.Title))
		}
	}
	if p := text.Main([]byte(strings.Repeat("x ", text.MaxBytes)), "text/html"); !p.Cut || len(p.Text) > text.MaxBytes {
		t.Errorf("cut %v, %d bytes", p.Cut, len(p.Text))
	}
}

func FuzzMain(f *testing.F) {
	f.Add([]byte("<title>a</title><div class=comments><p>b<table><td>c</div>"), "text/html")
	f.Add([]byte("a\xff\x00b"), "text/plain; charset=shift_jis")
	f.Add([]byte("<a href=x><a href=y><svg><title></svg></a>"), "")
	f.Fuzz(func(t *testing.T, src []byte, typ string) {
		p := text.Main(src, typ)
		for _, s := range []string{p.Title, p.Byline, p.Site, p.Text, p.Comments, p.All} {
			if s != strings.ToValidUTF8(s, "") {
				t.Fatalf("no UTF-8: %q", s)
			}
			if strings.Contains(s, "\n\n") || strings.Contains(s, "  ") || s != strings.TrimSpace(s) {
				t.Fatalf("untidy: %q", s)
			}
		}
	})
}
