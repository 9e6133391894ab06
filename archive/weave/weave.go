// Package weave writes Robust Links attributes (robustlinks.mementoweb.org/spec) into the links of a document: data-originalurl,
// data-versionurl and data-versiondate, so that a reader finds the copy beside a link that is dead. It touches nothing else: every other
// byte stays as it was, and what was woven before is woven the same again, or anew if the copy is another one. It never looks
// anything up: it is told what to write.
package weave

import (
	"bytes"
	"html"
	"strings"
	"time"

	nethtml "golang.org/x/net/html"
)

// Version is a copy that a link can lead to when it is dead.
type Version struct {
	Original string    // URL that the author linked to
	URL      string    // of the memento
	At       time.Time // when it was captured
}

// The attributes, in the order in which they are written.
const (
	attrOriginal = "data-originalurl"
	attrVersion  = "data-versionurl"
	attrDate     = "data-versiondate"
)

// attributes are what is written into a tag, each with a space before it.
func (v *Version) attributes() string {
	var b strings.Builder
	for _, a := range [][2]string{{attrOriginal, v.Original}, {attrVersion, v.URL}, {attrDate, v.At.UTC().Format(time.DateOnly)}} {
		b.WriteString(" " + a[0] + `="` + html.EscapeString(a[1]) + `"`)
	}
	return b.String()
}

// Find tells the copy of what a link's href names, as it is spelt there with character references undone; ok is false where there is
// none, or where the link is to be left alone.
type Find func(href string) (v Version, ok bool)

// Count tells what weaving came to.
type Count struct {
	Links   int // that are woven in what came out, whether they were before or not
	Changed int // of them: those that were not, or not so
}

// HTML weaves into the a elements of an HTML document in an encoding that keeps ASCII in its place.
func HTML(src []byte, find Find) ([]byte, Count) {
	var out bytes.Buffer
	var n Count
	out.Grow(len(src) + len(src)/8)
	z := nethtml.NewTokenizer(bytes.NewReader(src))
	at := 0
	for {
		t := z.Next()
		raw := z.Raw()
		if t == nethtml.StartTagToken || t == nethtml.SelfClosingTagToken {
			if name, _ := z.TagName(); string(name) == "a" {
				// The tokenizer may normalise its buffer: the bytes of the tag are taken from the source.
				out.Write(tag(src[at:at+len(raw)], find, &n))
				at += len(raw)
				continue
			}
		}
		out.Write(src[at : at+len(raw)])
		at += len(raw)
		if t == nethtml.ErrorToken {
			out.Write(src[at:]) // what the tokenizer did not take for anything
			return out.Bytes(), n
		}
	}
}

// tag weaves into one start tag.
func tag(raw []byte, find Find, n *Count) []byte {
	attrs := attributesOf(raw)
	var href *attribute
	for i := range attrs {
		if attrs[i].name == "href" {
			href = &attrs[i]
			break // the first one counts (HTML §13.2.5.33)
		}
	}
	if href == nil {
		return raw
	}
	v, ok := find(html.UnescapeString(href.value))
	if !ok {
		return raw
	}
	// What was woven before goes, with the spaces before it.
	var out []byte
	from := 0
	for i := range attrs {
		a := &attrs[i]
		switch a.name {
		case attrOriginal, attrVersion, attrDate:
			out = append(out, raw[from:a.space]...)
			from = a.end
		}
		if a == href {
			out = append(append(out, raw[from:a.end]...), v.attributes()...)
			from = a.end
			if a.bare && from < len(raw) && raw[from] == '/' {
				out = append(out, ' ')
			}
		}
	}
	out = append(out, raw[from:]...)
	n.Links++
	if !bytes.Equal(out, raw) {
		n.Changed++
	}
	return out
}

// attribute is one attribute of a start tag.
type attribute struct {
	name       string // lower case
	value      string // as it is spelt
	space, end int    // offsets: from the space before the name to behind the value
	bare       bool   // the value stands without quotes
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

// attributesOf reads the attributes of a start tag as browsers do (HTML §13.2.5.32 to 40).
func attributesOf(raw []byte) (out []attribute) {
	i := 1
	for i < len(raw) && !isSpace(raw[i]) && raw[i] != '/' && raw[i] != '>' {
		i++ // the tag's name
	}
	end := len(raw)
	if end > 0 && raw[end-1] == '>' {
		end--
	}
	for i < end {
		a := attribute{space: i}
		for i < end && (isSpace(raw[i]) || raw[i] == '/') {
			i++
		}
		begin := i
		for i < end && !isSpace(raw[i]) && raw[i] != '/' && (raw[i] != '=' || i == begin) {
			i++
		}
		if i == begin {
			break
		}
		a.name, a.end = strings.ToLower(string(raw[begin:i])), i
		j := i
		for j < end && isSpace(raw[j]) {
			j++
		}
		if j < end && raw[j] == '=' {
			j++
			for j < end && isSpace(raw[j]) {
				j++
			}
			i = a.take(raw, j, end)
		}
		out = append(out, a)
	}
	return out
}

// take reads the value that begins at i, and says where it has ended.
func (a *attribute) take(raw []byte, i, end int) int {
	if i < end && (raw[i] == '"' || raw[i] == '\'') {
		k := bytes.IndexByte(raw[i+1:end], raw[i])
		if k < 0 {
			k = end - i - 1
		}
		a.value, a.end = string(raw[i+1:i+1+k]), min(i+k+2, end)
		return a.end
	}
	begin := i
	for i < end && !isSpace(raw[i]) {
		i++
	}
	a.value, a.end, a.bare = string(raw[begin:i]), i, true
	return i
}
