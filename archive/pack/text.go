package pack

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	readable "linkstead/archive/text"
)

// Bounds of what a page's entry tells of it, in bytes.
const (
	maxTitle = 1000
	maxText  = 100 << 10
	maxPage  = 8 << 20 // of the page that is looked through
)

// unread are elements whose text nobody reads.
var unread = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Template: true, atom.Noscript: true, atom.Iframe: true, atom.Svg: true, atom.Textarea: true,
	atom.Select: true, atom.Object: true,
}

// pageText is the title of an HTML page and the words that it shows. contentType tells its charset, if its own words don't.
func pageText(r io.Reader, contentType string) (title, text string) {
	page, err := io.ReadAll(io.LimitReader(r, maxPage))
	if err != nil && len(page) == 0 {
		return "", ""
	}
	z := html.NewTokenizer(bytes.NewReader(readable.Decode(page, contentType, true)))
	z.SetMaxBuf(1 << 20)
	var out, head strings.Builder
	hidden := 0
	inTitle := false
	for out.Len() < maxText {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				return words(head.String(), maxTitle), words(out.String(), maxText) // as far as it goes
			}
			return words(head.String(), maxTitle), words(out.String(), maxText)
		case html.StartTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if unread[a] {
				hidden++
			}
			inTitle = a == atom.Title
			out.WriteByte(' ')
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if unread[a] && hidden > 0 {
				hidden--
			}
			if a == atom.Title {
				inTitle = false
			}
			out.WriteByte(' ')
		case html.TextToken:
			switch {
			case inTitle && hidden == 0 && head.Len() < maxTitle:
				head.Write(z.Text())
			case hidden == 0:
				out.Write(z.Text())
			}
		}
	}
	return words(head.String(), maxTitle), words(out.String(), maxText)
}

// words joins the words of a text by single spaces, up to n bytes.
func words(s string, n int) string {
	s = strings.Join(strings.Fields(html.UnescapeString(s)), " ")
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
