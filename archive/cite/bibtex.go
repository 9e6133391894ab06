package cite

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The two dialects of BibTeX.
type dialect int

const (
	classic  dialect = iota // of 1988: what has no field stands in the note
	biblatex                // biber's: dates, languages and addresses have fields
)

// keyed is a word as it may stand in an entry's key: ASCII letters and digits, lower case, without accents.
func keyed(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) && b.Len() < 30 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// The entry types, by those of CSL.
var bibTypes = map[string][2]string{
	"article-journal": {"article", "article"}, "paper-conference": {"inproceedings", "inproceedings"}, "book": {"book", "book"}, "thesis": {"phdthesis", "thesis"},
	"report": {"techreport", "report"}, "dataset": {"misc", "dataset"}, "software": {"misc", "software"}, "motion_picture": {"misc", "video"},
}

func writeBib(records []Record, d dialect) string {
	var b strings.Builder
	for i, key := range keys(records) {
		if i > 0 {
			b.WriteByte('\n')
		}
		records[i].bib(&b, key, d)
	}
	return b.String()
}

func (r *Record) bib(b *strings.Builder, key string, d dialect) {
	entry := [2]string{"misc", "online"}[d]
	if t, ok := bibTypes[r.Type()]; ok && (t[0] == "misc" || r.Meta.Container.Value != "" || t[0] == "book") {
		entry = t[d]
	}
	fmt.Fprintf(b, "@%s{%s", entry, key)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, ",\n  %-12s = {%s}", name, value)
		}
	}
	var authors []string
	for _, a := range r.Meta.Authors {
		authors = append(authors, bibName(a))
	}
	field("author", strings.Join(authors, " and "))
	field("title", "{"+tex(r.Title())+"}") // doubled, so that no style changes its case
	where := "organization"
	switch entry {
	case "article":
		where = [2]string{"journal", "journaltitle"}[d]
	case "inproceedings":
		where = "booktitle"
	}
	if where != "organization" {
		field(where, tex(r.Meta.Container.Value))
		field("publisher", tex(r.Meta.Publisher.Value))
		field("volume", tex(r.Meta.Volume))
		field("number", tex(r.Meta.Issue))
		field("pages", strings.Replace(tex(r.Meta.Pages), "-", "--", 1))
	} else {
		field(where, tex(r.Site()))
	}
	r.bibDate(field, d)
	field("doi", bibURL(r.Meta.DOI.Value))
	field("url", bibURL(address(r.URL)))
	field("urldate", r.Captured.UTC().Format("2006-01-02"))
	if lang := r.Meta.Lang.Value; d == biblatex {
		field("langid", babel[strings.Split(lang, "-")[0]])
	} else {
		field("language", tex(lang))
	}
	field([2]string{"note", "addendum"}[d], r.bibNote())
	b.WriteString("\n}\n")
}

func (r *Record) bibDate(field func(name, value string), d dialect) {
	date := r.Meta.Published.Date
	if d == biblatex {
		field("date", date.ISO())
		return
	}
	if date.Known() {
		field("year", fmt.Sprintf("%04d", date.Year))
	}
	if date.Month > 0 {
		field("month", fmt.Sprint(date.Month))
	}
	if date.Day > 0 {
		field("day", fmt.Sprint(date.Day))
	}
}

func (r *Record) bibNote() string {
	out := []string{tex(r.note())}
	if link := r.Link(); link != "" {
		out = append(out, `Archived at \url{`+bibURL(link)+`}.`)
	} else if e := address(r.Evidence); e != "" {
		out = append(out, `Evidence at \url{`+bibURL(e)+`}.`)
	}
	if p := address(r.Permanent); p != "" {
		out = append(out, `Permanent address \url{`+bibURL(p)+`}.`)
	}
	if p := r.PWID(); p != "" {
		out = append(out, `\url{`+bibURL(p)+`}.`)
	}
	for _, d := range r.Digests {
		out = append(out, tex(d)+".")
	}
	return strings.Join(out, " ")
}

// bibName is a name that is read back as it is: an institution in braces, "von Last, Jr, First" for people.
func bibName(n Name) string {
	if n.Literal != "" {
		return "{" + tex(n.Literal) + "}"
	}
	part := func(s string) string {
		if s = tex(s); strings.Contains(s, ",") || strings.Contains(" "+strings.ToLower(s)+" ", " and ") {
			return "{" + s + "}"
		}
		return s
	}
	family := part(n.Family)
	if first, _ := firstRune(n.Family); n.Particle == "" && unicode.IsLower(first) {
		family = "{" + family + "}" // or it would be taken for a particle
	}
	out := strings.TrimSpace(part(n.Particle) + " " + family)
	if n.Suffix != "" {
		out += ", " + part(n.Suffix)
	}
	if n.Given != "" {
		out += ", " + part(n.Given)
	}
	return out
}

func firstRune(s string) (rune, bool) {
	for _, r := range s {
		return r, true
	}
	return 0, false
}

// tex escapes what means something to TeX; a brace counts for BibTeX even behind a backslash. Letters beyond ASCII stay: BibTeX passes them on, biber knows them.
func tex(s string) string { return texEscaper.Replace(s) }

var texEscaper = strings.NewReplacer(
	`\`, `{\textbackslash}`, `{`, `{\textbraceleft}`, `}`, `{\textbraceright}`, `%`, `\%`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `_`, `\_`, `~`, `{\textasciitilde}`, `^`, `{\textasciicircum}`,
	"''", `'{}'`, "``", "`{}`", `--`, `-{}-`, // which TeX makes other signs of
)

// bibURL is an address within a field: braces would end it, and a backslash begin a command.
func bibURL(s string) string {
	return strings.NewReplacer("{", "%7B", "}", "%7D", `\`, "%5C").Replace(s)
}

// The names that babel has for languages.
var babel = map[string]string{
	"en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "pt": "portuguese", "nl": "dutch", "sv": "swedish", "da": "danish", "nb": "norwegian",
	"no": "norwegian", "nn": "nynorsk", "fi": "finnish", "pl": "polish", "cs": "czech", "sk": "slovak", "hu": "hungarian", "ro": "romanian", "bg": "bulgarian", "el": "greek",
	"ru": "russian", "uk": "ukrainian", "tr": "turkish", "ar": "arabic", "he": "hebrew", "fa": "persian", "hi": "hindi", "ja": "japanese", "zh": "chinese", "ko": "korean",
	"ca": "catalan", "hr": "croatian", "sr": "serbian", "sl": "slovene", "lt": "lithuanian", "lv": "latvian", "et": "estonian", "is": "icelandic", "ga": "irish", "vi": "vietnamese",
}
