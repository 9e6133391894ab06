package probe

import (
	"bytes"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"

	"linkstead/archive/text"
)

// maxSought bounds the words of a text directive, which nobody writes by hand, in bytes.
const maxSought = 8 << 10

// seek is one text directive (WICG, Scroll to Text Fragment, §3.3): words that are sought in a page, each part folded, with a space on
// either side.
type seek struct {
	first string // with the words that stand before it, and, if there is no last, those behind
	last  string // with those behind
	known bool   // it can be told what is sought
}

// seeks reads the directives of a fragment. Those that are no text directives seek nothing, as in browsers.
func seeks(directive string) (out []seek) {
	for part := range strings.SplitSeq(directive, "&") {
		value, ok := strings.CutPrefix(part, "text=")
		if !ok {
			continue
		}
		out = append(out, seekOf(value))
	}
	return out
}

// seekOf reads [prefix-,]start[,end][,-suffix].
func seekOf(value string) seek {
	parts := strings.Split(value, ",")
	before, behind := "", ""
	if p, ok := strings.CutSuffix(parts[0], "-"); ok && len(parts) > 1 {
		before, parts = p, parts[1:]
	}
	if p, ok := strings.CutPrefix(parts[len(parts)-1], "-"); ok && len(parts) > 1 {
		behind, parts = p, parts[:len(parts)-1]
	}
	if len(parts) > 2 || len(value) > maxSought {
		return seek{}
	}
	s := seek{first: folded(before) + folded(parts[0])}
	s.known = folded(parts[0]) != ""
	if len(parts) == 2 {
		s.last = folded(parts[1]) + folded(behind)
	} else {
		s.first += folded(behind)
	}
	s.first = " " + s.first
	return s
}

// folded are the words of a part of a directive, each with a space behind it.
func folded(part string) string {
	plain, err := url.PathUnescape(part)
	if err != nil {
		plain = part
	}
	return spacedWords(plain)
}

func spacedWords(s string) string {
	var sb strings.Builder
	for w := range text.Words(s) {
		for _, r := range norm.NFD.String(w.Text) { // browsers seek whatever the accents
			if !unicode.IsMark(r) {
				sb.WriteRune(r)
			}
		}
		sb.WriteByte(' ')
	}
	return sb.String()
}

// in says whether a page of these words has what is sought, and whether that can be told.
func (s seek) in(words string) (found, told bool) {
	if !s.known {
		return false, false
	}
	at := strings.Index(words, s.first)
	if at < 0 {
		return false, true
	}
	rest := words[at+len(s.first)-1:]
	return s.last == "" || strings.Contains(rest, " "+s.last), true
}

// unseen are elements whose text no page shows.
var unseen = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Template: true, atom.Noscript: true, atom.Title: true, atom.Iframe: true, atom.Textarea: true, atom.Select: true,
}

// inline are elements within words.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Bdi: true, atom.Bdo: true, atom.Big: true, atom.Cite: true, atom.Code: true, atom.Del: true,
	atom.Dfn: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Ins: true, atom.Kbd: true, atom.Mark: true, atom.Q: true, atom.S: true, atom.Samp: true,
	atom.Small: true, atom.Span: true, atom.Strike: true, atom.Strong: true, atom.Sub: true, atom.Sup: true, atom.Time: true, atom.Tt: true, atom.U: true,
	atom.Var: true, atom.Wbr: true,
}

// wordsOf are the words that a page shows, folded, each with a space on either side.
func wordsOf(body []byte) string {
	var shown strings.Builder
	z := html.NewTokenizer(bytes.NewReader(body))
	z.SetMaxBuf(len(body) + 1)
	hidden := atom.Atom(0)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return " " + spacedWords(shown.String())
		case html.TextToken:
			if hidden == 0 {
				shown.Write(z.Text())
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if hidden == 0 && unseen[a] {
				hidden = a
			}
			if !inline[a] {
				shown.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if a != 0 && a == hidden {
				hidden = 0
			}
			if !inline[a] {
				shown.WriteByte('\n')
			}
		case html.SelfClosingTagToken:
			shown.WriteByte('\n')
		}
	}
}
