package cite_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"linkstead/archive/cite"
)

// tool runs a program of Debian's on a text, and brings what it writes.
func tool(t *testing.T, text string, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: .ci/deps installs it (%v)", name, err)
	}
	c := exec.CommandContext(t.Context(), path, args...)
	var out, problems bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(text), &out, &problems
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &problems)
	}
	return out.Bytes()
}

// mods is what bibutils makes of an entry.
type mods struct {
	Title string `xml:"titleInfo>title"`
	Names []struct {
		Parts []struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"namePart"`
	} `xml:"name"`
	Issued string   `xml:"originInfo>dateIssued"`
	URLs   []string `xml:"location>url"`
	Notes  []string `xml:"note"`
}

func (m *mods) names() string {
	var out []string
	for _, n := range m.Names {
		var given, family []string
		for _, p := range n.Parts {
			if p.Type == "given" {
				given = append(given, p.Text)
			} else {
				family = append(family, p.Text)
			}
		}
		out = append(out, strings.Join(append(given, family...), " "))
	}
	return strings.Join(out, "; ")
}

func bibutils(t *testing.T, format, text string) []mods {
	t.Helper()
	program := map[string]string{"bibtex": "bib2xml", "ris": "ris2xml"}[format]
	var read struct {
		Entries []mods `xml:"mods"`
	}
	// -un: signs beyond ASCII as they are, and not as references to them.
	out := bytes.TrimPrefix(tool(t, text, program, "-i", "utf8", "-un"), []byte("\ufeff"))
	if err := xml.Unmarshal(out, &read); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return read.Entries
}

// told folds what bibutils changes by itself: TeX's quotes and signs, which it sets as a printer would.
func told(s string) string {
	s = strings.NewReplacer(`{\textbackslash}`, `\`, `\textbackslash`, `\`, "⌃", "^", "’", "'", "‘", "`", "”", "''", "“", "``", "\u00a0", " ").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// TestBibutils has bibutils, which knows nothing of us, read what stands in BibTeX and RIS. Its reader of BibLaTeX takes organizations for authors: citation-js reads that.
func TestBibutils(t *testing.T) {
	for _, format := range []string{"bibtex", "ris"} {
		f, err := cite.FormatOf(format)
		if err != nil {
			t.Fatal(err)
		}
		want := records()
		got := bibutils(t, format, f.Write(want))
		if len(got) != len(want) {
			t.Fatalf("%s: %d entries, want %d", format, len(got), len(want))
		}
		for i := range got {
			g, r := &got[i], &want[i]
			same := func(what, got, want string) {
				if told(got) != told(want) {
					t.Errorf("%s, entry %d: %s is\n%q, want\n%q", format, i, what, got, want)
				}
			}
			same("title", g.Title, r.Title())
			var names []string
			for _, n := range r.Meta.Authors {
				names = append(names, n.String())
			}
			switch {
			case format == "ris" && i == 0: // the comma before a suffix stays with the given name
				same("authors", g.names(), "Jane Doe; Jan, van der Berg Jr.")
			case format == "ris" && (i == 1 || i == 2): // it makes two people of "Research and Development", in whatever format
			default:
				same("authors", g.names(), strings.Join(names, "; "))
			}
			if format != "ris" || r.Meta.Published.Month > 0 { // of a year alone it makes another thing, together with the day of the copy
				same("date", g.Issued, r.Meta.Published.ISO())
			}
			same("URL", strings.Join(g.URLs, " "), strings.NewReplacer("{", "%7B", "}", "%7D", "|", "%7C").Replace(r.URL))
			if !strings.Contains(strings.Join(g.Notes, " "), "6 February 2016, 14:10 UTC") {
				t.Errorf("%s, entry %d: notes %q", format, i, g.Notes)
			}
		}
	}
}

// template is a template of wikitext with its parameters.
type template struct {
	Name   string            `json:"name"`
	Params map[string]string `json:"params"`
}

// templates of each line, as mwparserfromhell reads them; and what of the line stands outside of any.
const readTemplates = `
import sys, json, mwparserfromhell
out = []
for line in sys.stdin.buffer.read().decode("utf-8").split("\n")[:-1]:
    code = mwparserfromhell.parse(line)
    top = code.filter_templates(recursive=False)
    inner = [str(t.name) for t in code.filter_templates() if t not in top]
    other = [type(n).__name__ for n in code.filter(recursive=True) if type(n).__name__ in ("Wikilink", "Tag", "Comment", "Argument", "Heading")]
    out.append({
        "templates": [{"name": str(t.name).strip(), "params": {str(p.name).strip(): str(p.value).strip() for p in t.params}} for t in top],
        "inner": inner, "other": other, "loose": "".join(str(n) for n in code.nodes if n not in top),
    })
print(json.dumps(out))
`

type wikiLine struct {
	Templates []template `json:"templates"`
	Inner     []string   `json:"inner"`
	Other     []string   `json:"other"`
	Loose     string     `json:"loose"`
}

func wikitext(t *testing.T, text string) (lines []wikiLine) {
	t.Helper()
	// Debian's own Python, where its packages are.
	out := tool(t, text, "/usr/bin/python3", "-I", "-c", readTemplates)
	if err := json.Unmarshal(out, &lines); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return lines
}

// shown is what a reader sees of a parameter.
func shown(s string) string { return html.UnescapeString(strings.ReplaceAll(s, "{{!}}", "|")) }

// harmless says what a line of wikitext has beside one citation of an address; empty: nothing.
func harmless(l *wikiLine, r *cite.Record) string {
	if n := len(l.Templates); n == 0 || n > 2 || l.Templates[0].Name != "cite web" || n == 2 && l.Templates[1].Name != "dead link" {
		return fmt.Sprintf("templates %+v", l.Templates)
	}
	for _, name := range l.Inner {
		if name != "!" {
			return "a template {{" + name + "}}"
		}
	}
	if len(l.Other) > 0 || l.Loose != "" {
		return fmt.Sprintf("%v, and outside %q", l.Other, l.Loose)
	}
	p := l.Templates[0].Params
	if (p["archive-url"] == "") != (p["archive-date"] == "") || p["archive-url"] == "" && p["url-status"] != "" {
		return fmt.Sprintf("a part of a copy: %v", p)
	}
	if shown(p["title"]) != r.Title() {
		return fmt.Sprintf("title %q, want %q", p["title"], r.Title())
	}
	return ""
}

// TestMwparserfromhell reads what stands in Wikipedia's template.
func TestMwparserfromhell(t *testing.T) {
	f, err := cite.FormatOf("wikipedia")
	if err != nil {
		t.Fatal(err)
	}
	want := records()
	lines := wikitext(t, f.Write(want))
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	for i := range lines {
		if problem := harmless(&lines[i], &want[i]); problem != "" {
			t.Errorf("line %d: %s", i, problem)
		}
	}
	for name, value := range map[string]string{
		"last1": "Doe", "first1": "Jane", "last2": "van der Berg", "first2": "Jan Jr.", "title": "A hospital, bombed", "url": "http://paper.test/2016/02/story?id=1&x=50%25", "website": "The Paper",
		"date": "2016-02-05", "language": "en-GB", "access-date": "2016-02-06", "archive-date": "2016-02-06", "url-status": "dead", "quote": "two schools were bombed",
		"archive-url": "http://replay.localhost:8081/web/20160206141005/http://paper.test/2016/02/story?id=1&x=50%25#:~:text=two%20schools%20were%20bombed",
	} {
		if got := lines[0].Templates[0].Params[name]; got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if n := len(lines[0].Templates[0].Params); n != 14 {
		t.Errorf("%d parameters: %v", n, lines[0].Templates[0].Params)
	}
	for i, status := range []string{"dead", "live", "usurped", "", ""} {
		if got := lines[i].Templates[0].Params["url-status"]; got != status {
			t.Errorf("line %d: url-status %q, want %q", i, got, status)
		}
	}
}

// What means something in one of the formats, or to what shows it.
var harm = []string{
	"{", "}", "{{", "}}", "[[", "]]", "|", "\\", "\\input{/etc/passwd}", "\\write18{x}", "@misc{x,", "%", "$", "&", "#", "_", "~", "^", "''", "--", "\"", "\r\nER  - \r\nTY  - HACK\r\n", "\nTI  - x", "TY  - ",
	"\x00", "\x1b[31m", "\u202e", "\u2028", "<ref>", "</nowiki>", "<!--", "-->", "<script>alert(1)</script>", "&lt;", "&#123;", "{{!}}", "{{{1}}}", "~~~~", "__NOTOC__", "http://evil.test/", "= x =", "* x",
	" and ", ", ", ";", " = ", "`", "*", "消失", "é", "\ufeff", "\xff", "x", "word ", "Jane ", " Doe", "(", ")", "title", ",\n year = {1}", "{{dead link}}", "[http://a b]", "%}", "\\}", "\\{",
}

func harmful(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(9) {
		b.WriteString(harm[r.IntN(len(harm))])
	}
	return b.String()
}

// hostileRecords are of pages that say harmful things of themselves, the same at each run.
func hostileRecords(n int) (out []cite.Record) {
	r := rand.New(rand.NewPCG(6, 11))
	for i := range n {
		h := func() string { return html.EscapeString(harmful(r)) }
		page := `<title>` + h() + `</title><meta property="og:site_name" content="` + h() + `"><meta name=author content="` + h() + `"><meta name=citation_author content="` + h() +
			`"><meta name="dc.publisher" content="` + h() + `"><meta name=citation_volume content="` + h() + `">`
		if i%2 == 0 {
			raw, _ := json.Marshal(map[string]any{"@type": "NewsArticle", "headline": harmful(r), "author": []any{map[string]any{"@type": "Organization", "name": harmful(r)}, harmful(r)}, "datePublished": "2016-02"})
			page += `<script type="application/ld+json">` + string(raw) + `</script>`
		}
		url := fmt.Sprintf("http://evil.test/%d", i)
		rec := cite.Record{Meta: cite.Read([]byte(page), "text/html; charset=utf-8", url), URL: url, Captured: time.Date(2016, 2, 6, 14, 10, 5, 0, time.UTC), Quote: harmful(r)}
		if i%3 > 0 {
			rec.Memento = "http://replay.test/web/20160206141005/" + url
		} else {
			rec.Failure = harmful(r)
		}
		out = append(out, rec)
	}
	return out
}

// TestHostileMetadata: whatever pages say of themselves, readers that know nothing of us find as many entries as there are, each of its address.
func TestHostileMetadata(t *testing.T) {
	want := hostileRecords(400)
	for _, format := range []string{"bibtex", "ris"} {
		f, err := cite.FormatOf(format)
		if err != nil {
			t.Fatal(err)
		}
		got := bibutils(t, format, f.Write(want))
		if len(got) != len(want) {
			t.Errorf("%s: %d entries, want %d", format, len(got), len(want))
			continue
		}
		for i := range got {
			if urls := strings.Join(got[i].URLs, " "); urls != want[i].URL {
				t.Errorf("%s, entry %d: addresses %q, want %q:\n%s", format, i, urls, want[i].URL, f.Write(want[i:i+1]))
			}
			if format == "ris" && strings.TrimSpace(got[i].Title) != want[i].Title() {
				t.Errorf("%s, entry %d: title %q, want %q", format, i, got[i].Title, want[i].Title())
			}
		}
	}
	f, err := cite.FormatOf("wikipedia")
	if err != nil {
		t.Fatal(err)
	}
	lines := wikitext(t, f.Write(want))
	if len(lines) != len(want) {
		t.Fatalf("%d lines of wikitext, want %d", len(lines), len(want))
	}
	for i := range lines {
		problem := harmless(&lines[i], &want[i])
		if problem == "" && lines[i].Templates[0].Params["url"] != want[i].URL {
			problem = "another address"
		}
		if problem != "" {
			t.Errorf("line %d: %s:\n%s", i, problem, f.Write(want[i:i+1]))
		}
	}
}
