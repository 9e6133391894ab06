package post

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// texts knows of the text nodes of a page which parts of them stand where in the source.
type texts map[*html.Node][]part

// part is a part of a text node: n bytes of it that stand at a place of the source, or none that is known, if size is 0.
type part struct {
	n         int
	src, size int
	verbatim  bool
}

// maxRef bounds a character reference: the longest has 33 bytes, numbers may have any number of zeros before them.
const maxRef = 64

// unmark takes the numbers of runs of text out of a page again, and keeps where those stand.
func (m *marker) unmark(root *html.Node) texts {
	out := texts{}
	for n := range root.Descendants() {
		if n.Type == html.TextNode && strings.Contains(n.Data, textOpen) {
			n.Data, out[n] = m.parts(n.Data)
		}
	}
	return out
}

func (m *marker) parts(data string) (string, []part) {
	var sb strings.Builder
	var out []part
	for {
		at := strings.Index(data, textOpen)
		if at < 0 {
			at = len(data)
		}
		if at > 0 {
			sb.WriteString(data[:at])
			out = append(out, part{n: at})
		}
		if data = data[at:]; data == "" {
			return sb.String(), out
		}
		number, rest, _ := strings.Cut(data[len(textOpen):], textClose)
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= len(m.texts) { // written by the page itself, where no text is counted
			data = data[len(textOpen):]
			continue
		}
		end := strings.Index(rest, textOpen)
		if end < 0 {
			end = len(rest)
		}
		text := rest[:end]
		data = rest[end:]
		sb.WriteString(text)
		out = append(out, partsOf(text, m.src, m.texts[i])...)
	}
}

// partsOf tells how a text was made out of its source, by undoing character references and line ends. What a parser has put behind
// it or left out of it makes it one part.
func partsOf(text string, src []byte, at span) []part {
	var out []part
	raw := src[at.start:at.end]
	rest := text
	for i := 0; i < len(raw); {
		verbatim := i
		for verbatim < len(raw) && verbatim-i < len(rest) && raw[verbatim] == rest[verbatim-i] && raw[verbatim] != '&' {
			verbatim++
		}
		for verbatim > i && verbatim < len(raw) && !utf8.RuneStart(raw[verbatim]) {
			verbatim--
		}
		if n := verbatim - i; n > 0 {
			out = append(out, part{n: n, src: at.start + i, size: n, verbatim: true})
			rest, i = rest[n:], verbatim
			continue
		}
		n, made := unescaped(raw[i:])
		if !strings.HasPrefix(rest, made) {
			out = nil
			break
		}
		out = append(out, part{n: len(made), src: at.start + i, size: n})
		rest, i = rest[len(made):], i+n
	}
	switch {
	case out == nil && text != "":
		return []part{{n: len(text), src: at.start, size: at.end - at.start}}
	case rest != "":
		out = append(out, part{n: len(rest)})
	}
	return out
}

// unescaped is what the beginning of a text becomes: how much of it, and what.
func unescaped(raw []byte) (n int, made string) {
	switch raw[0] {
	case '\r':
		if len(raw) > 1 && raw[1] == '\n' {
			return 2, "\n"
		}
		return 1, "\n"
	case 0:
		return 1, ""
	case '&':
		chunk := string(raw[:min(len(raw), maxRef)])
		if i := strings.IndexByte(chunk[1:], '&'); i >= 0 {
			chunk = chunk[:1+i]
		}
		dec := html.UnescapeString(chunk)
		same := 0
		for same < len(chunk)-1 && same < len(dec)-1 && chunk[len(chunk)-1-same] == dec[len(dec)-1-same] {
			same++
		}
		return len(chunk) - same, dec[:len(dec)-same]
	}
	if bytes.HasPrefix(raw, []byte(textOpen)) {
		return len(textOpen), "\uFFFD"
	}
	return 1, string(raw[:1])
}
