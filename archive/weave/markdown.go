package weave

import (
	"html"
	"regexp"
	"strings"
)

// Style is how attributes are written into Markdown, which has no notation of its own for them.
type Style string

// The styles. All keep the link readable where they are not understood.
const (
	Inline   Style = "html"     // <a href="…" data-…>text</a>: raw HTML, which CommonMark passes on
	Kramdown Style = "kramdown" // [text](url){: data-…="…"}: kramdown, so Jekyll
	Pandoc   Style = "pandoc"   // [text](url){data-…="…"}: pandoc, Quarto, markdown-it-attrs
)

// Styles are all of them.
var Styles = []Style{Inline, Kramdown, Pandoc}

// Link is a link of a Markdown document, in the order of the source.
type Link struct {
	Start, End int    // of the whole construct, bytes
	URL        string // as the author meant it, without what resolves it
}

// attributeList is what a style with lists writes, and what it finds again.
var attributeList = regexp.MustCompile(`^\{:? ?(?:data-(?:originalurl|versionurl|versiondate)="[^"\n{}]*" ?){1,3}\}`)

// Markdown weaves into the links of a Markdown document in UTF-8. find is asked with Link.URL. Links whose text can't be told from their
// notation are left alone.
func Markdown(src string, links []Link, style Style, find Find) (string, Count) {
	var out strings.Builder
	var n Count
	from := 0
	for _, l := range links {
		if l.Start < from || l.End > len(src) || l.Start >= l.End {
			continue // within another one, such as a picture's
		}
		construct := src[l.Start:l.End]
		if len(construct) > 1 && construct[0] == '<' && (construct[1] == 'a' || construct[1] == 'A') && strings.ContainsAny(construct[2:min(3, len(construct))], " \t\n/>") {
			woven, one := HTML([]byte(construct), func(string) (Version, bool) { return find(l.URL) })
			out.WriteString(src[from:l.Start] + string(woven))
			from, n.Links, n.Changed = l.End, n.Links+one.Links, n.Changed+one.Changed
			continue
		}
		v, ok := find(l.URL)
		if !ok {
			continue
		}
		woven, behind, ok := weaveOne(construct, src[l.End:], style, &v)
		if !ok {
			continue
		}
		out.WriteString(src[from:l.Start] + woven)
		from = l.End + behind
		n.Links++
		if woven != src[l.Start:from] {
			n.Changed++
		}
	}
	out.WriteString(src[from:])
	return out.String(), n
}

// weaveOne gives what is to stand for a link, and how many bytes behind it belong to what was woven before.
func weaveOne(construct, rest string, style Style, v *Version) (woven string, behind int, ok bool) {
	behind = len(attributeList.FindString(rest))
	text, bracketed := textOf(construct)
	switch style {
	case Kramdown, Pandoc:
		if !bracketed { // a list behind a bare URL would be read as part of it, or as text
			return "", 0, false
		}
		open := "{"
		if style == Kramdown {
			open = "{:"
		}
		list := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(strings.TrimSpace(v.attributes()))
		if style == Kramdown {
			list = " " + list
		}
		return construct + open + list + "}", behind, true
	default:
		if !bracketed {
			text = strings.Trim(construct, "<>")
			if strings.ContainsAny(text, "<>\n") {
				return "", 0, false
			}
		}
		return `<a href="` + html.EscapeString(v.Original) + `"` + v.attributes() + titleOf(construct) + ">" + text + "</a>", behind, true
	}
}

// linkTitle is the title at the end of an inline link (CommonMark §6.3).
var linkTitle = regexp.MustCompile(`(?s)\][ \t]*\(.*[ \t\n]("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\))[ \t\n]*\)$`)

var escapedMark = regexp.MustCompile("\\\\([!-/:-@\\[-`{-~])")

// titleOf is the title of a link as an attribute, with the space before it; empty if it has none.
func titleOf(construct string) string {
	m := linkTitle.FindStringSubmatch(construct)
	if m == nil {
		return ""
	}
	said := escapedMark.ReplaceAllString(m[1][1:len(m[1])-1], "$1")
	return ` title="` + html.EscapeString(html.UnescapeString(said)) + `"`
}

// textOf is the text of a link that is written with brackets.
func textOf(construct string) (string, bool) {
	if !strings.HasPrefix(construct, "[") {
		return "", false
	}
	depth, code := 0, 0
	for i := 0; i < len(construct); i++ {
		switch c := construct[i]; {
		case c == '`':
			run := len(construct[i:]) - len(strings.TrimLeft(construct[i:], "`"))
			if code == 0 && strings.Contains(construct[i+run:], strings.Repeat("`", run)) {
				code = run
			} else if code == run {
				code = 0
			}
			i += run - 1
		case code > 0:
		case c == '\\':
			i++
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				return construct[1:i], i > 1
			}
		}
	}
	return "", false
}
