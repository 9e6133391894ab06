package post

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestLongRuns: of long runs of text, scripts and attributes only parts are read; links, DOIs, contexts and places are those that
// they were.
func TestLongRuns(t *testing.T) {
	const link = `A <a href="http://far.test/">word</a>. `
	long := func(s string) string { return strings.Repeat(s, 5*maxRun/len(s)) }
	for name, c := range map[string]struct {
		src, want string // want: anchor texts
	}{
		"text":               {"<p>" + long("wörd's < \"x\" ") + link + long("wörd & ") + link, "word word"},
		"a DOI in it":        {"<pre>" + long("wörd ") + " 10.1000/abc " + long("wörd ") + link, "10.1000/abc word"},
		"in an anchor":       {`<p><a href="/x">` + long("word ") + "</a>" + link, "LONG word"},
		"a script":           {"<script>" + long("if (a < b) '</scripts>' ") + "</script >" + link, "word"},
		"a huge script":      {"<script>" + strings.Repeat("a<b ", maxScript/2) + "</SCRIPT>" + link, "word"},
		"a script's comment": {"<script><!--" + long("<script>") + "</script>--></script>" + link, "word"},
		"a style sheet":      {"<style>" + long("a{b:c}<a href=x>") + "</style>" + link, "word"},
		"a title":            {"<title>" + long("a < <b> ") + "</title>" + link, "word"},
		"a title in svg":     {"<svg><title>" + long("a ") + link + "</title></svg>" + link, "word word"},
		"noscript":           {"<noscript>" + long("a ") + link + "</noscript>" + link, "word word"},
		"a text area":        {"<textarea>" + long("<a href=/no>") + "</textarea>" + link, "word"},
		"plaintext":          {link + "<plaintext>" + long("</plaintext><a href=/no>"), "word"},
		"a picture":          {`<img alt=x src="data:` + long("AAAA") + `">` + link, "word"},
		"of a link":          {`<a title="` + long("<>&'") + `" href=/near>near</a>` + link, "near word"},
		"a comment":          {"<!--" + long("a <b> ") + "-->" + link, "word"},
		"an end tag":         {"</p " + long("a ") + ">" + link, "word"},
		"no tags":            {long("word ") + " 10.1000/abc", "10.1000/abc"},
		"no UTF-8":           {"<p>" + long("w\xf6rd ") + link, "word"},
	} {
		d, err := HTML([]byte(c.src), "http://a.test/", Options{Links: All})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		text := []rune(string(decoded([]byte(c.src), "", true)))
		for _, ct := range d.Citations {
			if len(ct.Text) > 100 {
				ct.Text = "LONG"
			}
			got = append(got, ct.Text)
			if at := string(text[ct.Start:ct.End]); !strings.Contains(at, `href="http://far.test/"`) && ct.URL == "http://far.test/" || ct.Text == "word" && ct.Context == "" {
				t.Errorf("%s: %s stands at %.60q, with the context %q", name, ct.URL, at, ct.Context)
			}
			if ct.Text == "10.1000/abc" && string(text[ct.Start:ct.End]) != ct.Text {
				t.Errorf("%s: the DOI stands at %.60q", name, string(text[ct.Start:ct.End]))
			}
		}
		if got := strings.Join(got, " "); got != c.want || d.Cut {
			t.Errorf("%s: got %q, want %q; cut: %t", name, got, c.want, d.Cut)
		}
	}
}

// TestReopened: elements that the parser would open anew a million times are counted before it does. This page of 16 KB took
// 280 MB, one of a megabyte all that there was.
func TestReopened(t *testing.T) {
	var many strings.Builder
	for i := range 400 {
		fmt.Fprintf(&many, "<b a=%d>", i)
	}
	for name, c := range map[string]struct {
		src string
		cut bool
	}{
		"many in a paragraph":  {"<p>" + many.String() + strings.Repeat("<p>x", 3000), true},
		"many in a cell":       {"<table><td><p>" + many.String() + strings.Repeat("<p>x", 3000), true},
		"three, over and over": {strings.Repeat("<p><b><i>", 100_000), true},
		"left open in cells":   {"<table>" + strings.Repeat("<tr><td><font size=2><b>text", 20_000), false},
		"left open in lists":   {"<ul>" + strings.Repeat("<li><font size=2>text", 10_000), false},
		"around all":           {"<font face=x><center>" + strings.Repeat("<p>text <b>bold</b>", 10_000), false},
		"links around blocks":  {strings.Repeat("<a href=/x><div><h2>text</h2></div></a>", 10_000), false},
		"closed":               {strings.Repeat("<p><b>a</b> <i>b</i> <code>c</code></p>", 10_000), false},
	} {
		d, err := HTML([]byte(c.src), "http://a.test/", Options{})
		if err != nil || d.Cut != c.cut {
			t.Errorf("%s: cut: %t, want %t; %v", name, d.Cut, c.cut, err)
		}
	}
}

// TestReopenedAreCounted: there are never more elements than were counted, by which memory is bounded.
func TestReopenedAreCounted(t *testing.T) {
	parts := []string{
		"<p>", "<b>", "<i>", "<b a=1>", "<a href=/x>", "</a>", "</b>", "</p>", "<div>", "</div>", "<table>", "<tr>", "<td>", "</td>", "</table>",
		"text", " ", "<span>", "<li>", "<button>", "<h1>", "<nobr>", "<object>", "</object>", "<select>", "<option>", "<svg>", "</svg>", "<br>", "<form>", "<caption>",
	}
	rnd := uint32(1)
	for round := range 400 {
		var sb strings.Builder
		for range 300 {
			rnd = rnd*1664525 + 1013904223
			sb.WriteString(parts[(rnd>>16)%uint32(len(parts))])
		}
		m := newMarker([]byte(sb.String()), false)
		m.run()
		root, err := build(m.out.String(), nil)
		if err != nil {
			continue
		}
		made := 0
		for range root.Descendants() {
			made++
		}
		if counted := m.nodes; made > 2*counted+10 {
			t.Fatalf("round %d: %d nodes, %d counted of\n%s", round, made, counted, sb.String())
		}
	}
}

func TestOffsetsOfBothKinds(t *testing.T) {
	const s = "aöb€c\U0001F600d"
	a, b := inString(s), inBytes([]byte(s))
	for _, i := range []int{0, 1, 3, 7, 4, 99, -1, 3, len(s)} {
		if x, y := a.at(i), b.at(i); x != y || x != len(slices.Collect(runesTo(s, i))) {
			t.Errorf("at %d: %d and %d", i, x, y)
		}
	}
}

func runesTo(s string, end int) func(func(rune) bool) {
	return func(yield func(rune) bool) {
		for i, r := range s {
			if i >= end || !yield(r) {
				return
			}
		}
	}
}
