package post

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longLine is how many bytes a line has that nobody has broken: its end is the end of a paragraph.
const longLine = 200

var (
	itemLine    = regexp.MustCompile(`^[ \t]*(?:[-*•+]|\d{1,3}[.)]|\[\d{1,3}\])[ \t]+`)
	headingLine = regexp.MustCompile(`^#{1,6}[ \t]+`)
	quoteLine   = regexp.MustCompile(`^[ \t]{0,3}(?:>[ \t]?)+`)
	ruleLine    = regexp.MustCompile(`^[ \t]*(?:=+|-+|\*+|_+|~+)[ \t\r]*$`)
)

// textBlocks makes the blocks of a plain text, paragraphs and lists as people set them off. A form feed begins a page, if the text
// has any.
func textBlocks(text string, paged bool) []*builder {
	t := textReader{text: text}
	if paged {
		t.page = 1
	}
	for at := 0; at < len(text); {
		end := strings.IndexAny(text[at:], "\n\f")
		if end < 0 {
			end = len(text)
		} else {
			end += at
		}
		t.line(at, end)
		at = end + 1
		if end < len(text) && text[end] == '\f' {
			t.end()
			if paged {
				t.page++
			}
		}
	}
	t.end()
	return t.runs
}

type textReader struct {
	text string
	page int
	runs []*builder
	open *builder
	long bool // the line before was none that somebody broke
}

func (t *textReader) end() { t.open = nil }

func (t *textReader) begin(kind string, level int) {
	t.open = &builder{}
	t.open.Kind, t.open.Level, t.open.Page, t.open.Content = kind, level, t.page, true
	t.runs = append(t.runs, t.open)
}

// line takes a line.
func (t *textReader) line(start, end int) {
	line := t.text[start:end]
	quote := quoteLine.FindString(line)
	switch {
	case strings.TrimSpace(line[len(quote):]) == "":
		t.end()
		return
	case ruleLine.MatchString(line):
		if t.open != nil && t.open.Kind == Paragraph && !t.long && utf8.RuneCountInString(t.open.String()) < 200 && strings.ContainsAny(line, "=-") {
			t.open.Kind, t.open.Level = Heading, 1+strings.Count(strings.TrimSpace(line)[:1], "-")
		}
		t.end()
		return
	case quote != "":
		if t.open == nil || t.open.Kind != Quote || t.long {
			t.begin(Quote, 0)
		}
		start += len(quote)
	case headingLine.MatchString(line):
		mark := headingLine.FindString(line)
		t.begin(Heading, strings.Count(mark, "#"))
		start += len(mark)
	case itemLine.MatchString(line):
		t.begin(Item, 0)
		start += len(itemLine.FindString(line))
	case t.open == nil || t.long || t.open.Kind == Heading:
		t.begin(Paragraph, 0)
	}
	t.long = end-start > longLine
	t.words(start, end)
}

// words takes the words of a line into the open block.
func (t *textReader) words(start, end int) {
	line := strings.TrimRight(t.text[start:end], " \t\r")
	if cut := hyphen(line, t.text[min(end+1, len(t.text)):]); cut > 0 && t.page > 0 || cut == len("\u00AD") {
		next := end + 1
		for next < len(t.text) && (t.text[next] == ' ' || t.text[next] == '\t') {
			next++
		}
		line = line[:len(line)-cut]
		t.open.add(line, start, len(line), true)
		return
	}
	t.open.add(line, start, len(line), true)
	t.open.add("\n", start+len(line), end+1-start-len(line), false)
}

// hyphen is how long the mark is that breaks a word at the end of a line, before another line; 0 if none does.
func hyphen(line, after string) int {
	next, _ := utf8.DecodeRuneInString(strings.TrimLeft(after, " \t"))
	if head, ok := strings.CutSuffix(line, "\u00AD"); ok && head != "" && unicode.IsLetter(next) {
		return len("\u00AD")
	}
	head, ok := strings.CutSuffix(line, "-")
	last, _ := utf8.DecodeLastRuneInString(head)
	if ok && unicode.IsLower(last) && unicode.IsLower(next) {
		return 1
	}
	return 0
}

// locate finds the blocks in which links stand, by their places in the source, which grow with the places in the text.
func locate(runs []*builder, links []found) {
	for i := range links {
		l := &links[i]
		at, ok := slices.BinarySearchFunc(runs, l.Start, func(b *builder, src int) int { return cmp.Compare(b.begins(), src) })
		if !ok {
			at--
		}
		if at < 0 || l.End <= l.Start {
			l.block = -1
			continue
		}
		l.block, l.from = at, runs[at].at(l.Start)
		l.to = max(l.from, runs[at].at(l.End))
	}
}

func (b *builder) begins() int {
	if len(b.pieces) == 0 {
		return b.last
	}
	return b.pieces[0].src
}

// at is the place in the text that a place of the source has.
func (b *builder) at(src int) int {
	i, ok := slices.BinarySearchFunc(b.pieces, src, func(p piece, src int) int { return cmp.Compare(p.src, src) })
	if !ok {
		i--
	}
	if i < 0 {
		return 0
	}
	p := b.pieces[i]
	if !p.verbatim {
		if src > p.src {
			return p.text + p.n
		}
		return p.text
	}
	return p.text + min(src-p.src, p.n)
}
