package weave

import (
	"bytes"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"
)

var day = time.Date(2016, 2, 6, 23, 0, 0, 0, time.UTC)

// known finds a copy of all that a.test has.
func known(href string) (Version, bool) {
	if !strings.HasPrefix(href, "http://a.test/") {
		return Version{}, false
	}
	return Version{Original: href, URL: "http://r.test/web/20160206230000/" + href, At: day}, true
}

const woven = ` data-originalurl="http://a.test/x" data-versionurl="http://r.test/web/20160206230000/http://a.test/x" data-versiondate="2016-02-06"`

func TestHTML(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", `<p><a href="http://a.test/x">x</a></p>`, `<p><a href="http://a.test/x"` + woven + `>x</a></p>`},
		{"unknown", `<a href="http://b.test/x">x</a>`, `<a href="http://b.test/x">x</a>`},
		{"no address", `<a name=x>x</a><a>`, `<a name=x>x</a><a>`},
		{"single quotes, spaces, capitals", `<A  Class = 'k'  HREF = 'http://a.test/x'  >x</A>`, `<A  Class = 'k'  HREF = 'http://a.test/x'` + woven + `  >x</A>`},
		{"no quotes", `<a href=http://a.test/x>x</a>`, `<a href=http://a.test/x` + woven + `>x</a>`},
		{"woven with another copy", `<a href="http://a.test/x" data-versionurl='http://old.test/' data-versiondate=2015-01-01 title=t>`, `<a href="http://a.test/x"` + woven + ` title=t>`},
		{"woven before the address", "<a data-originalurl=\"http://a.test/x\"\n href=\"http://a.test/x\">", "<a\n href=\"http://a.test/x\"" + woven + ">"},
		{"references", `<a href="http://a.test/?a=1&amp;b=%22&quot;">`, `<a href="http://a.test/?a=1&amp;b=%22&quot;" data-originalurl="http://a.test/?a=1&amp;b=%22&#34;" data-versionurl="http://r.test/web/20160206230000/http://a.test/?a=1&amp;b=%22&#34;" data-versiondate="2016-02-06">`},
		{"the first one counts", `<a href="http://b.test/" href="http://a.test/x">`, `<a href="http://b.test/" href="http://a.test/x">`},
		{"in a comment, a script, a text area", `<!-- <a href="http://a.test/x"> --><script>'<a href="http://a.test/x">'</script><textarea><a href="http://a.test/x"></textarea>`,
			`<!-- <a href="http://a.test/x"> --><script>'<a href="http://a.test/x">'</script><textarea><a href="http://a.test/x"></textarea>`},
		{"other elements", `<link href="http://a.test/x"><abbr href="http://a.test/x">`, `<link href="http://a.test/x"><abbr href="http://a.test/x">`},
		{"never closed", `<a href="http://a.test/x`, `<a href="http://a.test/x`},
		{"odd bytes", "\xef\xbb\xbf<p>\x00\xff<a href=http://a.test/x>\r\n\xe4</a", "\xef\xbb\xbf<p>\x00\xff<a href=http://a.test/x" + woven + ">\r\n\xe4</a"},
	} {
		got, n := HTML([]byte(c.in), known)
		if string(got) != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
		if (n.Changed > 0) != (c.in != c.want) {
			t.Errorf("%s: %+v", c.name, n)
		}
		again, n := HTML(got, known)
		if !bytes.Equal(again, got) || n.Changed > 0 {
			t.Errorf("%s: woven twice:\n got %q\nwant %q, %+v", c.name, again, got, n)
		}
	}
}

func TestMarkdown(t *testing.T) {
	const u = "http://a.test/x"
	list := strings.TrimSpace(woven)
	for _, c := range []struct {
		name, in string
		style    Style
		want     string
	}{
		{"inline", "See [x *y*](" + u + ") now.", Inline, `See <a href="` + u + `"` + woven + ">x *y*</a> now."},
		{"kramdown", "See [x](" + u + ") now.", Kramdown, "See [x](" + u + "){: " + list + "} now."},
		{"pandoc", "See [x](" + u + " \"t\") now.", Pandoc, "See [x](" + u + " \"t\"){" + list + "} now."},
		{"a title", "[x](" + u + " \"t\")", Inline, `<a href="` + u + `"` + woven + ` title="t">x</a>`},
		{"brackets within", "[a [b] `]` \\] c](" + u + ")", Inline, `<a href="` + u + `"` + woven + ">a [b] `]` \\] c</a>"},
		{"an autolink", "<" + u + ">", Inline, `<a href="` + u + `"` + woven + ">" + u + "</a>"},
		{"an autolink has no place for a list", "<" + u + ">", Kramdown, "<" + u + ">"},
		{"bare", u, Inline, `<a href="` + u + `"` + woven + ">" + u + "</a>"},
		{"an element", `<a class=k href="` + u + `">x</a>`, Kramdown, `<a class=k href="` + u + `"` + woven + ">x</a>"},
		{"another copy", "[x](" + u + "){: data-versionurl=\"http://old.test/\" data-versiondate=\"2015-01-01\"} on", Kramdown, "[x](" + u + "){: " + list + "} on"},
		{"another style of list", "[x](" + u + "){" + list + "}", Kramdown, "[x](" + u + "){: " + list + "}"},
	} {
		end := strings.LastIndex(c.in, u) + len(u)
		start := strings.IndexAny(c.in, "[<h")
		for _, closer := range []string{")", ">", `">x</a>`, ` "t")`} {
			if rest, ok := strings.CutPrefix(c.in[end:], closer); ok && (closer != ">" || c.in[start] == '<') {
				end = len(c.in) - len(rest)
			}
		}
		if c.name == "another copy" || strings.HasPrefix(c.name, "another style") {
			end = strings.Index(c.in, ")") + 1
		}
		got, n := Markdown(c.in, []Link{{start, end, u}}, c.style, known)
		if got != c.want || (n.Changed > 0) != (c.in != c.want) {
			t.Errorf("%s:\n got %q\nwant %q, %+v", c.name, got, c.want, n)
		}
	}
}

// FuzzHTML: whatever comes, woven twice is woven once, and without a copy nothing changes.
func FuzzHTML(f *testing.F) {
	f.Add([]byte(`<a href="http://a.test/x" data-versionurl=1>`))
	f.Add([]byte(`<svg><title><a href=http://a.test/x></title>`))
	f.Add([]byte("<a/href='http://a.test/x'/data-versiondate>"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if same, n := HTML(src, func(string) (Version, bool) { return Version{}, false }); !bytes.Equal(same, src) || n.Links > 0 {
			t.Fatalf("changed: %q", same)
		}
		once, n := HTML(src, known)
		twice, m := HTML(once, known)
		if !bytes.Equal(once, twice) || m.Changed > 0 || m.Links != n.Links {
			t.Fatalf("once %q\ntwice %q", once, twice)
		}
		if plain(t, src) != plain(t, once) {
			t.Fatalf("another page:\n%q\n%q", src, once)
		}
	})
}

// plain is what a parser makes of a page, without what was woven.
func plain(t *testing.T, src []byte) string {
	t.Helper()
	z := nethtml.NewTokenizer(bytes.NewReader(src))
	var b strings.Builder
	for z.Next() != nethtml.ErrorToken {
		tok := z.Token()
		kept := tok.Attr[:0]
		for _, a := range tok.Attr {
			if !strings.HasPrefix(a.Key, "data-") {
				kept = append(kept, a)
			}
		}
		tok.Attr = kept
		b.WriteString(tok.String() + "\n")
	}
	return b.String()
}
