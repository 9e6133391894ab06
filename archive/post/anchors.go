package post

import (
	"bytes"
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

	// Stand around the number of a run of text, before it: noncharacters, which no document has a use for.
	textOpen  = "\uFDD0"
	textClose = "\uFDD1"
)

// span is where a marked element stands in the source, in bytes.
type span struct {
	start, end int
	doi        string // as spelled, if it is one
}

// maxNodes bounds the elements and runs of text that are read of one page. Each becomes a node of a hundred bytes and more; the
// longest articles of an encyclopaedia have fifty thousand elements.
const maxNodes = 200_000

// marker makes the marked copy.
type marker struct {
	src     []byte
	z       *html.Tokenizer
	out     strings.Builder
	spans   []span
	texts   []span    // the runs of text
	open    int       // index of the a element that is open, or -1
	foreign int       // depth of svg and math elements: titles and styles are no raw text there
	raw     string    // the element whose raw text comes next; empty if none does
	flat    bool      // keep links, blocks and text alone
	nodes   int       // elements and runs of text so far
	again   reopening // elements that the parser makes more than once
}

// markAnchors makes the marked copy of a source. flat drops all elements but links and paragraphs, for sources that nest deeper
// than the parser goes. cut says that the source has more nodes than are read.
func markAnchors(src []byte, flat bool) (m *marker, cut bool) {
	m = newMarker(src, flat)
	cut = m.run()
	return m, cut
}

func newMarker(src []byte, flat bool) *marker {
	return &marker{src: src, z: html.NewTokenizer(bytes.NewReader(src)), open: -1, flat: flat}
}

// run makes the copy, and says whether the source has more nodes than are read.
func (m *marker) run() (cut bool) {
	pos := 0
	for {
		if m.nodes > maxNodes {
			return true
		}
		if n := m.long(pos); n > 0 {
			m.shorten(pos, pos+n)
			pos += n
			m.z = html.NewTokenizer(bytes.NewReader(m.src[pos:]))
			continue
		}
		kind := m.z.Next()
		if kind == html.ErrorToken {
			break
		}
		end := min(pos+len(m.z.Raw()), len(m.src))
		m.token(kind, pos, end)
		pos = end
	}
	if !m.flat && len(m.src)-pos < maxRun {
		m.out.Write(m.src[pos:])
	}
	return false
}

func (m *marker) token(kind html.TokenType, start, end int) {
	raw := m.src[start:end]
	wasRaw := m.raw != ""
	m.raw = ""
	switch kind {
	case html.StartTagToken, html.SelfClosingTagToken:
		m.nodes++
		m.startTag(raw, start, end)
	case html.EndTagToken:
		name, _ := m.z.TagName()
		m.endTag(string(name), raw, end)
	case html.TextToken:
		m.nodes += 1 + m.again.text()
		if wasRaw && m.flat {
			return
		}
		switch {
		case wasRaw:
			m.out.Write(raw)
		case m.open >= 0:
			m.words(raw, start)
		default:
			m.text(raw, start)
		}
	default:
		m.nodes++
		if !m.flat && len(raw) < maxRun {
			m.out.Write(raw)
		}
	}
}

func (m *marker) startTag(raw []byte, start, end int) {
	b, attrs := m.z.TagName()
	name := string(b)
	href := false
	var short strings.Builder // of its attributes, those that are not too long
	for attrs {
		var key, value []byte
		key, value, attrs = m.z.TagAttr()
		href = href || slices.Contains([]string{"href", "xlink:href", "cite"}, string(key))
		if len(raw) > maxRun && len(key)+len(value) < maxAttr && short.Len() < maxRun {
			short.WriteString(" " + string(key) + `="` + html.EscapeString(string(value)) + `"`)
		}
	}
	m.nodes += m.again.start(name, raw)
	m.context(name, start)
	cites := href && len(m.spans) < MaxLinks && slices.Contains([]string{"a", "area", "blockquote", "q", "ins", "del"}, name)
	mark := ""
	if cites {
		mark = " " + markAttr + `="` + strconv.Itoa(len(m.spans)) + `" `
		m.spans = append(m.spans, span{start: start, end: end})
		if name == "a" {
			m.open = len(m.spans) - 1
		}
	}
	switch {
	case (cites || !m.flat) && len(raw) > maxRun:
		m.out.WriteString("<" + name + mark + short.String() + ">")
	case cites:
		m.out.Write(raw[:1+len(name)])
		m.out.WriteString(mark)
		m.out.Write(raw[1+len(name):])
	case !m.flat:
		m.out.Write(raw)
	case blocks[name]:
		m.out.WriteString("<p>")
	}
}

// context takes note of what a start tag says of that which follows.
func (m *marker) context(name string, start int) {
	switch name {
	case "svg", "math":
		m.foreign++
	case "noscript":
		m.z.NextIsNotRawText()
	case "title", "style", "script", "textarea", "iframe", "noembed", "noframes", "xmp", "plaintext":
		if m.foreign > 0 && name != "script" {
			m.z.NextIsNotRawText()
		} else {
			m.raw = name
		}
	case "a":
		m.close(start)
	}
}

func (m *marker) endTag(name string, raw []byte, end int) {
	m.nodes += m.again.end(name)
	switch name {
	case "svg", "math":
		m.foreign = max(0, m.foreign-1)
	case "a":
		m.close(end)
	}
	switch {
	case !m.flat || name == "a":
		if len(raw) > maxRun {
			raw = []byte("</" + name + ">")
		}
		m.out.Write(raw)
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

// text takes a run of text, and wraps the bare DOIs in it.
func (m *marker) text(raw []byte, start int) {
	done := 0
	if bytes.Contains(raw, []byte("10.")) {
		for _, d := range findDOIs(string(raw)) {
			if len(m.spans) >= MaxLinks {
				break
			}
			m.words(raw[done:d.start], start+done)
			m.out.WriteString("<" + doiTag + " " + markAttr + `="` + strconv.Itoa(len(m.spans)) + `">`)
			m.words(raw[d.start:d.end], start+d.start)
			m.out.WriteString("</" + doiTag + ">")
			m.spans = append(m.spans, span{start: start + d.start, end: start + d.end, doi: string(raw[d.start:d.end])})
			done = d.end
		}
	}
	m.words(raw[done:], start+done)
}

// words takes text into the copy, with its number before it. White space alone has none: where it stands, more than that could
// change what the parser makes of the page.
func (m *marker) words(raw []byte, start int) {
	if len(bytes.Trim(raw, " \t\n\f\r\x00")) == 0 {
		m.out.Write(raw)
		return
	}
	m.out.WriteString(textOpen + strconv.Itoa(len(m.texts)) + textClose)
	m.texts = append(m.texts, span{start: start, end: start + len(raw)})
	if bytes.Contains(raw, []byte(textOpen)) {
		raw = bytes.ReplaceAll(raw, []byte(textOpen), []byte("\uFFFD"))
	}
	m.out.Write(raw)
}
