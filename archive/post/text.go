package post

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"linkstead/archive/urlkey"
)

// Text reads a plain text: bare URLs, www. forms, DOIs and Markdown links. base resolves relative links and may be
// empty. Its only error is ErrURL.
func Text(src []byte, base string, o Options) (Document, error) {
	b, err := optionalBase(base)
	if err != nil {
		return Document{}, err
	}
	text := decode(src, o.ContentType, false)
	links, images := textLinks(text)
	d := Document{Title: firstLine(text)}
	own := ownAddress(b, &d)
	runs := textBlocks(text, false)
	locate(runs, links)
	d.judge(inString(text), b, links, runs, o.Links, own...)
	d.Images = judgeImages(text, b, images)
	return d, nil
}

// optionalBase parses a base that may be missing.
func optionalBase(base string) (*urlkey.Base, error) {
	if base == "" {
		return nil, nil
	}
	b, err := urlkey.NewBase(base)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	return b, nil
}

// ownAddress sets a document's URL and returns it if it has one on the web.
func ownAddress(b *urlkey.Base, d *Document) []string {
	if b == nil {
		return nil
	}
	d.URL = b.String()
	if urlkey.Fetchable(d.URL) {
		return []string{d.URL}
	}
	return nil
}

// firstLine returns the first line that says something, if it is short enough for a title.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimSpace(strings.TrimLeft(line, "# "))
	if utf8.RuneCountInString(line) > 200 || bareStart.MatchString(line) {
		return ""
	}
	return collapse(line)
}

// textLinks returns the links and the pictures of a text.
func textLinks(text string) (links, images []found) {
	done := 0
	for from := 0; ; {
		i := strings.Index(text[from:], "](")
		if i < 0 {
			break
		}
		at := from + i
		from = at + 2
		l, ok := markdownLink(text, at)
		if !ok || l.Start < done {
			continue
		}
		links = append(links, bareLinks(text, done, l.Start)...)
		if len(links) >= MaxLinks {
			return links[:MaxLinks], images
		}
		if l.Start > 0 && text[l.Start-1] == '!' {
			images = append(images, l)
		} else {
			links = append(links, l)
		}
		done, from = l.End, max(from, l.End)
	}
	return append(links, bareLinks(text, done, len(text))...), images
}

// bareLinks returns the bare links between two places of a text.
func bareLinks(text string, from, to int) []found {
	var out []found
	done := 0
	for _, b := range findURLs(text[from:to]) {
		if b.start < done {
			continue // its beginning was the rest of the one before
		}
		raw := text[from+b.start : from+b.end]
		if joined, end := overLines(text[:to], from+b.start, from+b.end); !b.doi && end > from+b.end {
			if filled(text, from+b.end) {
				b.end, b.ref, b.cut = end-from, meant(joined), false
				raw, done = text[from+b.start:end], b.end
			} else {
				b.others = append(b.others, target(bare{ref: meant(joined)}, joined))
			}
		}
		f := b.found(raw)
		f.Start, f.End = from+b.start, from+b.end
		f.Context = textContext(text, f.Start, f.End)
		out = append(out, f)
	}
	return out
}

// fullLine is how many bytes a line has at least at whose end an address may be broken.
const fullLine = 60

// filled says whether the line that ends behind a place is as long as lines are.
func filled(text string, at int) bool {
	return at-strings.LastIndexByte(text[max(0, at-4*fullLine):at], '\n')-max(0, at-4*fullLine) > fullLine
}

// target returns the URL reference that a bare link stands for.
func target(b bare, raw string) string {
	switch {
	case b.doi:
		return doiURL(raw)
	case b.ref != "" && b.ref[0]|0x20 != 'w':
		return b.ref
	case raw[0]|0x20 == 'w' || b.ref != "":
		return "http://" + cmp.Or(b.ref, raw)
	}
	return raw
}

// found is the citation that a bare link is.
func (b bare) found(raw string) found {
	f := found{content: true, ref: target(b, raw), others: b.others}
	f.Raw, f.Text = raw, collapse(raw)
	if b.cut {
		f.rule = cutOff
	}
	return f
}

// cutOff is why an address is left out of which an ellipsis stands for the rest.
const cutOff = "cut off"

var mdTitle = regexp.MustCompile(`^[ \t]+(?:"[^"\n]*"|'[^'\n]*')[ \t]*\)`)

// markdownLink reads the link whose "](" stands at a place. In plain text only what can't be anything else is one: a
// target with a scheme, www., or a path that begins with a slash or dots.
func markdownLink(text string, at int) (found, bool) {
	open := at - 1
	for depth := 0; ; open-- {
		if open < 0 || at-open > 4*maxContext || text[open] == '\n' && strings.HasPrefix(text[open:], "\n\n") {
			return found{}, false
		}
		if text[open] == ']' {
			depth++
		} else if text[open] == '[' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	start := at + 2
	end := start
	for depth := 0; end < len(text) && text[end] > ' ' && end-start < 2048; end++ {
		if text[end] == '(' {
			depth++
		} else if text[end] == ')' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	stop := end + 1
	if end < len(text) && text[end] != ')' {
		title := mdTitle.FindString(text[end:min(len(text), end+4*maxContext)])
		if title == "" {
			return found{}, false
		}
		stop = end + len(title)
	}
	if end >= len(text) {
		return found{}, false
	}
	raw, ref := text[start:end], ""
	if strings.HasPrefix(raw, "<") && strings.HasSuffix(raw, ">") && len(raw) > 2 {
		raw = raw[1 : len(raw)-1]
	}
	if strings.HasPrefix(strings.ToLower(raw), "www.") {
		ref = "http://" + raw
	} else if !bareStart.MatchString(raw) && !strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "./") && !strings.HasPrefix(raw, "../") {
		return found{}, false
	}
	f := found{content: true, ref: ref}
	f.Raw, f.Text, f.Start, f.End = raw, collapse(text[open+1:at]), open, stop
	f.Context = textContext(text, open, stop)
	return f, true
}

var (
	paragraphEnd = regexp.MustCompile(`\n[ \t\r]*\n|\n[ \t]*(?:[-*•+]|\d{1,3}[.)])[ \t]`)
)

// textContext returns the sentence around a place in a text, within its paragraph or list item.
func textContext(text string, start, end int) string {
	from := back(text, start, 4*maxContext)
	to := ahead(text, end, 4*maxContext)
	if gaps := paragraphEnd.FindAllStringIndex(text[from:start], -1); gaps != nil {
		from += gaps[len(gaps)-1][1]
	}
	if gap := paragraphEnd.FindStringIndex(text[end:to]); gap != nil {
		to = end + gap[0]
	}
	var p prose
	p.add(text[from:start])
	first := p.next()
	p.add(text[start:end])
	last := p.Len()
	p.add(text[end:to])
	return sentence(p.String(), first, last)
}

// judgeImages resolves the pictures of a document.
func judgeImages(text string, base *urlkey.Base, images []found) []Citation {
	var out []Citation
	offsets := inString(text)
	for _, f := range images {
		c := f.Citation
		url, ok := resolve(base, cmp.Or(f.ref, c.Raw))
		if !ok {
			continue
		}
		c.Seq, c.URL, c.Where = len(out), url, InContent
		if !urlkey.Fetchable(url) {
			c.LeftOut = "no base"
		}
		c.Start, c.End = offsets.at(c.Start), offsets.at(c.End)
		out = append(out, c)
	}
	return out
}
