package post

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var jsonFeedVersion = regexp.MustCompile(`"https?:\\?/\\?/jsonfeed\.org\\?/version\\?/`)

// IsJSONFeed says whether a document is a JSON Feed, which says so itself.
func IsJSONFeed(src []byte) bool {
	src = bytes.TrimSpace(bytes.TrimPrefix(src[:min(len(src), 64<<10)], []byte("\uFEFF")))
	return bytes.HasPrefix(src, []byte("{")) && jsonFeedVersion.Match(src)
}

// JSONFeed reads a JSON Feed (https://jsonfeed.org/version/1.1) as Feed reads others.
func JSONFeed(src []byte, base string, o Options) (Document, error) {
	b, err := optionalBase(base)
	if err != nil {
		return Document{}, err
	}
	text := decoded(src, "utf-8", false) // JSON has no other charset (RFC 8259 §8.1)
	if !IsJSONFeed(text) {
		return Document{}, ErrType
	}
	f := &feedReader{src: text, base: b, expired: o.Expired}
	f.open = &f.channel
	r := &jsonReader{f: f, z: json.NewDecoder(bytes.NewReader(text))}
	if err := r.value("", 0); errors.Is(err, ErrSlow) {
		return Document{}, err
	} else if err != nil && !f.cut {
		at := min(int(r.z.InputOffset()), len(text))
		what := err.Error()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			what = "it ends too early"
		}
		f.fault = fmt.Sprintf("line %d, byte %d is no JSON (%s); what stands before it was read", 1+bytes.Count(text[:at], []byte("\n")), at, what)
	}
	f.finish()
	d := Document{Title: collapse(f.channel.title.string()), Lang: f.lang, Cut: f.cut, Fault: f.fault}
	own := ownAddress(b, &d)
	d.judge(inBytes(text), b, f.links, f.runs, o.Links, own...)
	return d, nil
}

// jsonReader goes through a JSON Feed once.
type jsonReader struct {
	f      *feedReader
	z      *json.Decoder
	tokens int
}

var errCut = errors.New("there is more than is read")

// value reads a value that is at a path such as items.url; what is in a list is at the path of the list.
func (r *jsonReader) value(path string, depth int) error {
	if r.tokens++; r.tokens%1000 == 0 && r.f.expired != nil && r.f.expired() {
		return ErrSlow
	}
	before := int(r.z.InputOffset())
	t, err := r.z.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth > maxFeedDepth {
			r.f.cut = true
			return errCut
		}
		return r.within(t, path, depth)
	case string:
		end := min(int(r.z.InputOffset()), len(r.f.src))
		before += max(0, bytes.IndexByte(r.f.src[before:end], '"'))
		r.text(path, t, before, end)
	}
	return nil
}

// within reads an object or a list.
func (r *jsonReader) within(open json.Delim, path string, depth int) error {
	item := open == '{' && path == "items"
	if item {
		if r.f.n++; r.f.n > maxEntries || len(r.f.links) >= MaxLinks {
			r.f.cut = true
			return errCut
		}
		r.f.open = &entry{n: r.f.n}
	}
	for r.z.More() {
		at := path
		if open == '{' {
			t, err := r.z.Token()
			if err != nil {
				return err
			}
			name, _ := t.(string)
			at = strings.TrimPrefix(path+"."+name, ".")
		}
		if err := r.value(at, depth+1); err != nil {
			return err
		}
	}
	if _, err := r.z.Token(); err != nil {
		return err
	}
	if item {
		r.f.finish()
	}
	return nil
}

// text takes what a string says.
func (r *jsonReader) text(path, value string, start, end int) {
	f := r.f
	e := f.open
	whole := source{}
	switch path {
	case "title", "items.title", "items.content_html", "items.content_text", "items.summary":
		whole = literal(value, f.src, start, end)
	}
	switch path {
	case "title":
		f.channel.title = whole
	case "language":
		f.lang = value
	case "home_page_url":
		f.channel.links = append(f.channel.links, feedLink{value, "alternate", start, end})
	case "items.title":
		e.title = whole
	case "items.url":
		f.leadsTo(value, "alternate", start, end)
	case "items.external_url":
		f.leadsTo(value, "via", start, end)
	case "items.attachments.url":
		f.leadsTo(value, "enclosure", start, end)
	case "items.content_html":
		e.body, e.bodyType = whole, "html"
	case "items.content_text":
		if e.bodyType != "html" {
			e.body, e.bodyType = whole, "text"
		}
	case "items.summary":
		e.summary, e.summaryType = whole, "text"
	case "items.date_published":
		e.date = cmp.Or(e.date, isoDate(value))
	case "items.date_modified":
		e.updated = cmp.Or(e.updated, isoDate(value))
	}
}

// literal is a string's text with the places of its parts. If they can't be told, all of it is where the string is.
func literal(value string, src []byte, start, end int) (out source) {
	var parts []part
	size := 0
	for at := start + 1; at < end-1; {
		if src[at] != '\\' {
			n := bytes.IndexByte(src[at:end-1], '\\')
			if n < 0 {
				n = end - 1 - at
			}
			parts = append(parts, part{n: n, src: at, size: n, verbatim: true})
			size, at = size+n, at+n
			continue
		}
		n, long := escapeOf(src[at : end-1])
		parts = append(parts, part{n: n, src: at, size: long})
		size, at = size+n, at+long
	}
	if size != len(value) {
		parts = []part{{n: len(value), src: start, size: end - start}}
	}
	out.add(value, parts)
	return out
}

// escapeOf tells how many bytes of UTF-8 an escape stands for, and how long it is.
func escapeOf(s []byte) (n, long int) {
	if len(s) < 6 || s[1] != 'u' {
		return 1, min(2, len(s))
	}
	r := hexRune(s[2:6])
	if utf16.IsSurrogate(r) {
		if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if pair := utf16.DecodeRune(r, hexRune(s[8:12])); pair != utf8.RuneError {
				return utf8.RuneLen(pair), 12
			}
		}
		return utf8.RuneLen(utf8.RuneError), 6
	}
	return utf8.RuneLen(r), 6
}

func hexRune(s []byte) (r rune) {
	for _, c := range s {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		}
	}
	return r
}
