package pdf

import (
	"html"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxSaid bounds a title, in characters.
const maxSaid = 300

// describe reads what the document says of itself.
func (f *file) describe(d *Document, root dict, pages []*page) {
	info := f.dict(f.trailer["Info"])
	var xmp string
	if s, ok := f.resolve(root["Metadata"]).(*stream); ok {
		b := f.decoded(s)
		xmp = string(b[:min(len(b), 1<<20)])
	}
	if s, ok := f.resolve(f.dict(root["URI"])["Base"]).(text); ok && len(s) <= maxURI {
		d.Base = string(s)
	}
	if s, ok := f.resolve(root["Lang"]).(text); ok && len(s) < 40 {
		d.Lang = said(s)
	}
	own, _ := f.resolve(info["Title"]).(text)
	largest := ""
	if len(pages) > 0 {
		largest = pages[0].largest()
	}
	for _, t := range []string{xmpText(xmp, "dc:title"), said(own), largest} {
		if t = short(t); !meaningless(t) {
			d.Title = t
			break
		}
	}
	who, _ := f.resolve(info["Author"]).(text)
	if d.Author = short(said(who)); d.Author == "" {
		d.Author = short(xmpText(xmp, "dc:creator"))
	}
	made, _ := f.resolve(info["CreationDate"]).(text)
	for _, s := range []string{
		xmpText(xmp, "prism:publicationDate"), xmpText(xmp, "prism:coverDate"), xmpText(xmp, "dc:date"), xmpText(xmp, "xmp:CreateDate"), pdfDate(said(made)),
	} {
		if d.Dated = isoDate(s); d.Dated != "" {
			return
		}
	}
}

// largest is the text of a page that is shown in the largest letters.
func (p *page) largest() string {
	t := p.sb.String()
	from, to, size := 0, 0, 0.0
	for _, q := range p.pieces {
		switch {
		case strings.TrimSpace(t[q.start:q.end]) == "":
		case q.size > size*1.02:
			from, to, size = q.start, q.end, q.size
		case q.size > size*0.98 && strings.TrimSpace(t[to:q.start]) == "":
			to = q.end
		}
	}
	best := t[from:to]
	if len(strings.Fields(best)) < 2 { // a chapter's number, a large initial
		return ""
	}
	return best
}

// meaningless says whether a title names no more than the program or the file that it was made with.
func meaningless(t string) bool {
	low := strings.ToLower(t)
	return low == "" || strings.HasPrefix(low, "untitled") || strings.HasPrefix(low, "microsoft word") || strings.HasPrefix(low, "powerpoint") ||
		strings.HasSuffix(low, ".dvi") || strings.HasSuffix(low, ".tex") || strings.HasSuffix(low, ".doc") || strings.HasSuffix(low, ".docx") ||
		strings.HasSuffix(low, ".indd") || strings.HasSuffix(low, ".pdf")
}

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxSaid {
		s = strings.TrimSpace(string([]rune(s)[:maxSaid-1])) + "…"
	}
	return s
}

// said decodes a text string (§7.9.2.2).
func said(s text) string {
	switch b := []byte(s); {
	case strings.HasPrefix(string(s), "\xFE\xFF"):
		return string(utf16.Decode(units(b[2:])))
	case strings.HasPrefix(string(s), "\xFF\xFE"): // not allowed, and met
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		return string(utf16.Decode(units(b[2:])))
	case strings.HasPrefix(string(s), "\xEF\xBB\xBF"):
		return strings.ToValidUTF8(string(s[3:]), "\uFFFD")
	case utf8.Valid(b):
		return string(s)
	default:
		out, err := charmap.Windows1252.NewDecoder().Bytes(b)
		if err != nil {
			return ""
		}
		return string(out)
	}
}

var (
	xmpTag  = regexp.MustCompile(`<[^>]*>`)
	dateRaw = regexp.MustCompile(`^D?:?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?'?)?`)
	isoRaw  = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?)?)?$`)
)

// xmpText is the text of a property of XMP metadata: an element's, the first of its list, or an attribute's.
func xmpText(xmp, property string) string {
	if _, rest, ok := strings.Cut(xmp, "<"+property); ok {
		if body, _, ok := strings.Cut(rest, "</"+property); ok {
			if _, body, ok = strings.Cut(body, ">"); ok {
				if item, _, more := strings.Cut(body, "</rdf:li"); more {
					body = item
				}
				return html.UnescapeString(xmpTag.ReplaceAllString(body, ""))
			}
		}
	}
	for _, quote := range []string{`"`, `'`} {
		if _, rest, ok := strings.Cut(xmp, property+"="+quote); ok {
			value, _, _ := strings.Cut(rest, quote)
			return html.UnescapeString(value[:min(len(value), 4*maxSaid)])
		}
	}
	return ""
}

// pdfDate turns a date of §7.9.4 into ISO 8601.
func pdfDate(s string) string {
	m := dateRaw.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return ""
	}
	out := m[1]
	for i, sep := range []string{"-", "-", "T", ":", ":"} {
		if m[i+2] == "" {
			if i == 3 {
				out += ":00"
			}
			break
		}
		out += sep + m[i+2]
	}
	if m[5] == "" {
		return out
	}
	switch {
	case m[7] != "":
		out += "Z"
	case m[8] != "":
		minutes := m[10]
		if minutes == "" {
			minutes = "00"
		}
		out += m[8] + m[9] + ":" + minutes
	}
	return out
}

// isoDate keeps what is a date that there was or will be.
func isoDate(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 40 || !isoRaw.MatchString(s) {
		return ""
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1000 {
			return s
		}
	}
	return ""
}
