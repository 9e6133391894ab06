package post

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// The DOM forgets where its elements stood. So the tokeniser marks each element that may cite, by an attribute with
// its number, in a copy of the source; the parser, however it moves, closes or doubles elements, keeps the mark.
const (
	markAttr = "linkstead-n"
	doiTag   = "linkstead-doi" // stands around a bare DOI in the copy
)

// span is where a marked element stands in the source, in bytes.
type span struct {
	start, end int
	doi        string // as spelled, if it is one
}

// marker makes the marked copy.
type marker struct {
	src     string
	z       *html.Tokenizer
	out     strings.Builder
	spans   []span
	open    int // index of the a element that is open, or -1
	foreign int // depth of svg and math elements: titles and styles are no raw text there
	raw     bool
	flat    bool // keep links, blocks and text alone
}

// markAnchors returns the marked copy of a source, and where each mark stood. flat drops all elements but links and
// paragraphs, for sources that nest deeper than the parser goes.
func markAnchors(src string, flat bool) (string, []span) {
	m := &marker{src: src, z: html.NewTokenizer(strings.NewReader(src)), open: -1, flat: flat}
	m.out.Grow(len(src) + len(src)/8)
	pos := 0
	for {
		kind := m.z.Next()
		if kind == html.ErrorToken {
			break
		}
		end := min(pos+len(m.z.Raw()), len(src))
		m.token(kind, pos, end)
		pos = end
	}
	if !flat {
		m.out.WriteString(src[pos:])
	}
	return m.out.String(), m.spans
}

func (m *marker) token(kind html.TokenType, start, end int) {
	raw := m.src[start:end]
	wasRaw := m.raw
	m.raw = false
	switch kind {
	case html.StartTagToken, html.SelfClosingTagToken:
		m.startTag(raw, start, end)
	case html.EndTagToken:
		name, _ := m.z.TagName()
		m.endTag(string(name), raw, end)
	case html.TextToken:
		if wasRaw && m.flat {
			return
		}
		if wasRaw || m.open >= 0 {
			m.out.WriteString(raw)
			return
		}
		m.text(raw, start)
	default:
		if !m.flat {
			m.out.WriteString(raw)
		}
	}
}

func (m *marker) startTag(raw string, start, end int) {
	b, attrs := m.z.TagName()
	name := string(b)
	href := false
	for attrs {
		var key []byte
		key, _, attrs = m.z.TagAttr()
		href = href || slices.Contains([]string{"href", "xlink:href", "cite"}, string(key))
	}
	switch name {
	case "svg", "math":
		m.foreign++
	case "noscript":
		m.z.NextIsNotRawText()
	case "title", "style", "script", "textarea", "iframe", "noembed", "noframes", "xmp", "plaintext":
		if m.foreign > 0 && name != "script" {
			m.z.NextIsNotRawText()
		} else {
			m.raw = true
		}
	case "a":
		m.close(start)
	}
	cites := href && len(m.spans) < MaxLinks && slices.Contains([]string{"a", "area", "blockquote", "q", "ins", "del"}, name)
	switch {
	case cites:
		cut := 1 + len(name)
		m.out.WriteString(raw[:cut] + " " + markAttr + `="` + strconv.Itoa(len(m.spans)) + `" ` + raw[cut:])
		m.spans = append(m.spans, span{start: start, end: end})
		if name == "a" {
			m.open = len(m.spans) - 1
		}
	case !m.flat:
		m.out.WriteString(raw)
	case blocks[name]:
		m.out.WriteString("<p>")
	}
}

func (m *marker) endTag(name, raw string, end int) {
	switch name {
	case "svg", "math":
		m.foreign = max(0, m.foreign-1)
	case "a":
		m.close(end)
	}
	switch {
	case !m.flat || name == "a":
		m.out.WriteString(raw)
	case blocks[name]:
		m.out.WriteString("<p>")
	}
}

// close ends the open a element at a place.
func (m *marker) close(at int) {
	if m.open >= 0 {
		m.spans[m.open].end = at
		m.open = -1
	}
}

// text wraps the bare DOIs of a text.
func (m *marker) text(raw string, start int) {
	done := 0
	for _, d := range findDOIs(raw) {
		if len(m.spans) >= MaxLinks {
			break
		}
		m.out.WriteString(raw[done:d.start])
		m.out.WriteString("<" + doiTag + " " + markAttr + `="` + strconv.Itoa(len(m.spans)) + `">` + raw[d.start:d.end] + "</" + doiTag + ">")
		m.spans = append(m.spans, span{start: start + d.start, end: start + d.end, doi: raw[d.start:d.end]})
		done = d.end
	}
	m.out.WriteString(raw[done:])
}
