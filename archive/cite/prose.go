package cite

import (
	"html"
	"net/url"
	"strings"
)

// hand writes the words of a record in one of the forms that people read.
type hand struct {
	text  func(s string) string              // escapes
	title func(r *Record) string             // with a link, where the form has them
	link  func(words, address string) string // an address behind words
	bare  func(address string) string        // an address that is its own text
	em    func(s string) string              // escapes, and sets apart
	entry func(b *strings.Builder, s string) // one whole record
	code  func(s string) string              // a name for machines
}

// prose is a record as a line of a list of sources.
func (r *Record) prose(h *hand) string {
	var out []string
	who := make([]string, 0, len(r.Meta.Authors))
	for _, a := range r.Meta.Authors {
		who = append(who, h.text(a.Sorted()))
	}
	by := strings.Join(who, "; ")
	if d := r.Meta.Published.ISO(); d != "" {
		by = strings.TrimSpace(by + " (" + d + ")")
	}
	if by != "" {
		out = append(out, by)
	}
	out = append(out, "“"+h.title(r)+"”")
	if site := orWord(r.Meta.Container.Value, r.Site()); site != "" {
		out = append(out, h.em(site))
	}
	if a := address(r.URL); a != "" {
		out = append(out, h.bare(a))
	}
	out = append(out, strings.TrimSuffix(h.text(r.note()), "."))
	if link := r.Link(); link != "" {
		out = append(out, h.link("Archived copy", link))
	} else if e := address(r.Evidence); e != "" {
		out = append(out, h.link("Evidence", e))
	}
	if q := plain(r.Quote, maxQuote); q != "" {
		out = append(out, "“"+h.text(q)+"”")
	}
	names := append([]string{r.PWID()}, r.Digests...)
	if r.Memento == "" {
		names = append(names, r.Name)
	}
	for _, name := range names {
		if name != "" {
			out = append(out, h.code(name))
		}
	}
	if a := address(r.Permanent); a != "" {
		out = append(out, h.text("Permanent address ")+h.bare(a))
	} else if r.ID != "" {
		out = append(out, h.text("Identifier "+r.ID.String()))
	}
	return strings.Join(out, ". ") + "."
}

func written(records []Record, h *hand) string {
	var b strings.Builder
	for i := range records {
		h.entry(&b, records[i].prose(h))
	}
	return b.String()
}

func writeText(records []Record) string {
	as := func(s string) string { return s }
	return written(records, &hand{
		text: as, em: as, code: as, bare: func(a string) string { return "<" + a + ">" }, title: func(r *Record) string { return r.Title() },
		link:  func(words, address string) string { return words + ": <" + address + ">" },
		entry: func(b *strings.Builder, s string) { b.WriteString(s + "\n") },
	})
}

func writeHTML(records []Record) string {
	link := func(words, address string) string {
		return `<a href="` + html.EscapeString(address) + `">` + html.EscapeString(words) + `</a>`
	}
	return written(records, &hand{
		text: html.EscapeString, bare: func(a string) string { return link(a, a) }, link: link,
		em:    func(s string) string { return "<cite>" + html.EscapeString(s) + "</cite>" },
		code:  func(s string) string { return "<code>" + html.EscapeString(s) + "</code>" },
		title: func(r *Record) string { return r.RobustLink(r.Title()) },
		entry: func(b *strings.Builder, s string) { b.WriteString("<p class=\"source\">" + s + "</p>\n") },
	})
}

// RobustLink is a link in HTML to the original, which carries the copy with it (https://robustlinks.mementoweb.org/spec/).
func (r *Record) RobustLink(words string) string {
	original := address(r.URL)
	if original == "" {
		return html.EscapeString(words)
	}
	s := `<a href="` + html.EscapeString(original) + `" data-originalurl="` + html.EscapeString(original) + `"`
	if link := r.Link(); link != "" {
		s += ` data-versionurl="` + html.EscapeString(link) + `" data-versiondate="` + r.Captured.UTC().Format("2006-01-02") + `"`
	}
	return s + `>` + html.EscapeString(words) + `</a>`
}

func writeMarkdown(records []Record) string {
	return written(records, &hand{
		text: markdown, em: func(s string) string { return "*" + markdown(s) + "*" },
		bare: func(a string) string { return "<" + a + ">" },
		link: func(words, a string) string { return "[" + words + "](<" + a + ">)" },
		code: func(s string) string { return "`" + strings.ReplaceAll(s, "`", "%60") + "`" },
		title: func(r *Record) string {
			if a := address(r.URL); a != "" {
				return "[" + markdown(r.Title()) + "](<" + a + ">)"
			}
			return markdown(r.Title())
		},
		entry: func(b *strings.Builder, s string) { b.WriteString("- " + s + "\n") },
	})
}

// markdown escapes what means something to CommonMark, and what its common extensions make a link of.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_[]<>&#|~:!$^@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return strings.ReplaceAll(b.String(), "www.", `www\.`)
}

// Host is the name under which an archive stands in PWIDs, of the address it is served at: its host, without a port.
func Host(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
