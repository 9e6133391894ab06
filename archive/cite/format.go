package cite

import (
	"fmt"
	"slices"
	"strings"
)

// Format is a form in which records are written.
type Format struct {
	Name  string // as in --format
	Ext   string // of a file
	Mime  string
	Title string // for people
	write func([]Record) string
}

// Formats are all of them.
var Formats = []Format{
	{"csl", "json", "application/vnd.citationstyles.csl+json", "CSL-JSON", writeCSL},
	{"bibtex", "bib", "application/x-bibtex", "BibTeX", func(rs []Record) string { return writeBib(rs, classic) }},
	{"biblatex", "biblatex.bib", "application/x-bibtex", "BibLaTeX", func(rs []Record) string { return writeBib(rs, biblatex) }},
	{"ris", "ris", "application/x-research-info-systems", "RIS", writeRIS},
	{"wikipedia", "wiki", "text/plain; charset=utf-8", "Wikipedia", writeWiki},
	{"html", "html", "text/html; charset=utf-8", "HTML with Robust Links", writeHTML},
	{"markdown", "md", "text/markdown; charset=utf-8", "Markdown", writeMarkdown},
	{"text", "txt", "text/plain; charset=utf-8", "Plain text", writeText},
}

// FormatOf finds a format by its name, or by the ending of a file.
func FormatOf(name string) (Format, error) {
	name = strings.ToLower(strings.TrimPrefix(name, "."))
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name || f.Ext == name })
	if i < 0 {
		return Format{}, fmt.Errorf("%q is no format of citations: use %s", name, strings.Join(FormatNames(), ", "))
	}
	return Formats[i], nil
}

// FormatNames are the names of all formats.
func FormatNames() (names []string) {
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return names
}

// Write writes records in a format: whole entries, each ending its line.
func (f Format) Write(records []Record) string { return f.write(records) }

// keys are the names of records in a bibliography: of the first author or the site, the year, and the title's first word, or the identifier's.
// No two are the same.
func keys(records []Record) []string {
	out := make([]string, len(records))
	seen := map[string]int{}
	for i := range records {
		k := records[i].key()
		if n := seen[k]; n > 0 {
			out[i] = fmt.Sprintf("%s-%d", k, n+1)
		} else {
			out[i] = k
		}
		seen[k]++
	}
	return out
}

func (r *Record) key() string {
	who := r.Site()
	if a := r.Meta.Authors; len(a) > 0 {
		if who = a[0].Family; who == "" {
			who = a[0].Literal
		}
	}
	year := "nd"
	if d := r.Meta.Published; d.Known() {
		year = fmt.Sprintf("%04d", d.Year)
	}
	word := string(r.ID)
	if word == "" {
		for _, w := range strings.Fields(r.Title()) {
			if w = keyed(w); len(w) > 3 {
				word = w
				break
			}
		}
	}
	who = keyed(who)
	return strings.TrimSuffix(strings.Join([]string{orWord(who, "source"), year, word}, "_"), "_")
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}
