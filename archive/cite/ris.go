package cite

import (
	"fmt"
	"strings"
)

// The types of RIS, by those of CSL.
var risTypes = map[string]string{
	"article-journal": "JOUR", "article-newspaper": "NEWS", "post-weblog": "BLOG", "paper-conference": "CPAPER", "report": "RPRT", "book": "BOOK", "chapter": "CHAP",
	"thesis": "THES", "dataset": "DATA", "motion_picture": "VIDEO", "software": "COMP", "entry-encyclopedia": "ENCYC",
}

// writeRIS writes records in RIS: lines of a tag and a value, each of one line, that end in CR LF.
func writeRIS(records []Record) string {
	var b strings.Builder
	for i, key := range keys(records) {
		r := &records[i]
		line := func(tag, value string) {
			if value != "" {
				fmt.Fprintf(&b, "%s  - %s\r\n", tag, value)
			}
		}
		b.WriteString("TY  - " + orWord(risTypes[r.Type()], "ELEC") + "\r\n")
		for _, a := range r.Meta.Authors {
			line("AU", risName(a))
		}
		line("TI", r.Title())
		line("T2", orWord(r.Meta.Container.Value, r.Site()))
		line("PB", r.Meta.Publisher.Value)
		line("VL", r.Meta.Volume)
		line("IS", r.Meta.Issue)
		if from, to, ok := strings.Cut(r.Meta.Pages, "-"); ok {
			line("SP", from)
			line("EP", to)
		} else {
			line("SP", from)
		}
		if d := r.Meta.Published.Date; d.Known() {
			line("PY", fmt.Sprintf("%04d", d.Year))
			line("DA", risDate(d))
		}
		line("LA", r.Meta.Lang.Value)
		line("DO", r.Meta.DOI.Value)
		line("UR", address(r.URL))
		line("L2", r.Link()) // an address of a copy, for who reads it
		line("Y2", risDate(DateOf(r.Captured)))
		line("DB", plain(r.Archive, maxName))
		line("AN", r.ID.String())
		line("N1", r.risNote())
		line("ID", key)
		b.WriteString("ER  - \r\n\r\n")
	}
	return b.String()
}

func risDate(d Date) string {
	switch {
	case d.Month == 0:
		return fmt.Sprintf("%04d///", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d/%02d//", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d/%02d/%02d", d.Year, d.Month, d.Day)
}

// risName is a name with the commas that RIS gives a meaning; those of an institution are left out, since nothing would keep them.
func risName(n Name) string {
	bare := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, ",", " ")), " ") }
	if n.Literal != "" {
		return bare(n.Literal)
	}
	out := strings.TrimSpace(bare(n.Particle) + " " + bare(n.Family))
	if n.Given != "" || n.Suffix != "" {
		out += ", " + bare(n.Given)
	}
	if n.Suffix != "" {
		out += ", " + bare(n.Suffix)
	}
	return out
}

func (r *Record) risNote() string {
	out := r.note()
	for _, more := range append([]string{address(r.Permanent), r.PWID()}, r.Digests...) {
		if more != "" {
			out += " " + more
		}
	}
	return out
}
