// Package text tells what a page says: the text that a reader would call its own, without menus, notices and scripts, and what
// follows from comparing texts: whether two say the same, and whether a quotation stands in one.
//
// It never reads anything but what it is given, and takes time and memory in proportion to that, whatever the page: elements are
// followed to a bounded depth, and no more than MaxBytes are looked at.
package text

import (
	"mime"
	"strings"
)

// MaxBytes is how much of a page is looked at; the rest is as if it were not there.
const MaxBytes = 16 << 20

// Page is what a page says.
type Page struct {
	Title     string // of the page as it names itself: Open Graph, its heading if that is in the title, its title
	Byline    string // who wrote it, as the page says
	Site      string // the site's name, as the page says
	Published string // when, as the page says it, in whatever notation
	Lang      string // BCP 47 as the page states it; empty if it doesn't
	Text      string // the main text: a line a block, one space between words
	Comments  string // what readers wrote below it, in the same form
	All       string // everything that can be read on the page, menus and notices too: for pages whose main text is nothing, and for quotations
	Cut       bool   // the page was larger than MaxBytes
}

// Main reads a page. What its type says is no HTML is plain text, and is its own main text. The charset is that of the type, of the
// byte order mark or of the page's own meta element; without any, UTF-8 if it is that, and else what browsers guess.
func Main(src []byte, contentType string) Page {
	cut := len(src) > MaxBytes
	if cut {
		src = src[:MaxBytes]
	}
	p := Page{}
	if kind, _, _ := mime.ParseMediaType(contentType); plain(kind) {
		p.Text = tidy(string(Decode(src, contentType, false)))
		p.All = p.Text
		p.Title = firstLine(p.Text)
	} else {
		p = readHTML(string(Decode(src, contentType, true)))
	}
	p.Cut = cut
	return p
}

// plain says whether a media type is text that is read as it stands.
func plain(kind string) bool {
	return strings.HasPrefix(kind, "text/") && kind != "text/html" && kind != "text/xml" || kind == "application/json"
}

// tidy brings plain text into the form of a Page: a line a line, one space between words, no empty lines.
func tidy(s string) string {
	var sb strings.Builder
	sb.Grow(len(s))
	for line := range strings.Lines(s) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if sb.Len() > 0 {
			sb.WriteByte('\n')
		}
		for i, w := range words {
			if i > 0 {
				sb.WriteByte(' ')
			}
			sb.WriteString(w)
		}
	}
	return sb.String()
}

// maxTitle bounds titles, bylines and the like, in bytes.
const maxTitle = 400

// firstLine is the title of a text that has none, without the marks that Markdown puts before it.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return short(strings.TrimLeft(line, "#=*-_ "))
}

// short brings a line of a name's length: one space between words, cut at a word.
func short(s string) string {
	s = strings.Join(strings.Fields(clip(s, 4*maxTitle)), " ")
	if len(s) <= maxTitle {
		return s
	}
	s = clip(s, maxTitle)
	if i := strings.LastIndexByte(s, ' '); i > maxTitle/2 {
		s = s[:i]
	}
	return s + "…"
}

// clip cuts after n bytes at most, between code points.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
