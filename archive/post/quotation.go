package post

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxQuotation = 1000 // code points of a quotation that are kept
	maxAway      = 400  // bytes between a citation and the quotation that it supports
	minQuoted    = 4    // words of a quotation: fewer are a term that the author keeps at arm's length
	maxSpans     = 200  // quotations of one block
	maxNested    = 8
	maxJoined    = 20 // paragraphs of one quotation
)

// quoteSpan is a quotation within a block, in bytes of its text: with its marks, and without.
type quoteSpan struct {
	start, end  int
	from, to    int
	open        bool // it goes on in the next block
	goesOnUntil int  // the last block of it, if it does
}

// quoteMarks are the closing marks of each opening one. In some countries a mark closes that in others opens.
var quoteMarks = map[rune]string{
	'“': "”", '„': "“”", '«': "»", '»': "«", '‹': "›", '›': "‹", '‘': "’", '‚': "‘’", '"': `"`, '「': "」", '『': "』", '”': "”", '＂': "＂", '〝': "〞〟",
}

// quotations finds the quotations of a document as they are asked for.
type quotations struct {
	blocks []Block
	spans  map[int][]quoteSpan
}

// of is the quotation that a citation supports: the nearest one in its block, in a quotation that the document sets off right
// before or behind it, or in a paragraph next to it that is nothing else.
func (q *quotations) of(block, start, end int) string {
	if q.blocks[block].Kind == Quote {
		return clip(q.setOff(block), maxQuotation)
	}
	best, away := "", maxAway+1
	for i, s := range q.at(block) {
		d := 0
		switch {
		case s.end <= start:
			d = start - s.end
		case s.start >= end:
			d = s.start - end
		}
		if d >= away {
			continue
		}
		text := q.text(block, s)
		if i == 0 && q.continued(block) {
			text = q.setOff(block)
		}
		if enough(text) {
			best, away = text, d
		}
	}
	if best != "" {
		return clip(best, maxQuotation)
	}
	return clip(q.next(block, start, end), maxQuotation)
}

// next is a quotation in the blocks before and behind.
func (q *quotations) next(block, start, end int) string {
	text := q.blocks[block].Text
	before, behind := "", ""
	if start <= maxAway && block > 0 {
		before = q.whole(block-1, false)
	}
	if len(text)-end <= maxAway && block+1 < len(q.blocks) {
		behind = q.whole(block+1, true)
	}
	if behind != "" && (before == "" || strings.HasSuffix(text, ":")) {
		return behind
	}
	if before != "" && (strings.HasPrefix(text, "—") || strings.HasPrefix(text, "–") || strings.HasPrefix(text, "-") || start < 80) {
		return before
	}
	if behind == "" {
		return before
	}
	return behind
}

// whole is a block that is a quotation and nothing else, with those that belong to it, onward or back.
func (q *quotations) whole(block int, onward bool) string {
	b := &q.blocks[block]
	if b.Kind == Quote {
		if text := q.setOff(block); enough(text) {
			return text
		}
		return ""
	}
	first := block
	if !onward { // back to where the quotation begins
		for first > 0 && block-first < maxJoined && opens(q.blocks[first-1].Text) && q.unclosed(first-1) && opens(q.blocks[first].Text) {
			first--
		}
	}
	spans := q.at(first)
	if len(spans) == 0 {
		return ""
	}
	s := spans[0]
	last := &q.blocks[max(first, s.goesOnUntil)]
	if s.start > 0 || first == block && !s.open && len(last.Text)-s.end > 80 {
		return ""
	}
	if text := q.text(first, s); enough(text) {
		return text
	}
	return ""
}

// setOff is the text of a quotation that is set off: all blocks of it.
func (q *quotations) setOff(block int) string {
	if q.blocks[block].Kind != Quote {
		for block > 0 && q.unclosed(block-1) {
			block--
		}
		if spans := q.at(block); len(spans) > 0 {
			return q.text(block, spans[len(spans)-1])
		}
		return ""
	}
	first, last := block, block
	for first > 0 && q.blocks[first-1].Kind == Quote && last-first < maxJoined {
		first--
	}
	for last+1 < len(q.blocks) && q.blocks[last+1].Kind == Quote && last-first < maxJoined {
		last++
	}
	var sb strings.Builder
	for i := first; i <= last && sb.Len() < 4*maxQuotation; i++ {
		sb.WriteString(q.blocks[i].Text + " ")
	}
	return bareQuote(collapsed(sb.String()))
}

// continued says whether a block goes on with a quotation that the one before has not closed.
func (q *quotations) continued(block int) bool {
	return block > 0 && opens(q.blocks[block].Text) && q.unclosed(block-1)
}

// unclosed says whether a block ends within a quotation that the next one goes on with: as newspapers set quotations of several
// paragraphs, each opened and only the last one closed.
func (q *quotations) unclosed(block int) bool {
	spans := q.at(block)
	return len(spans) > 0 && spans[len(spans)-1].open
}

// text is a quotation, with the paragraphs that go on with it.
func (q *quotations) text(block int, s quoteSpan) string {
	text := q.blocks[block].Text[s.from:s.to]
	if !s.open {
		return collapsed(text[:min(len(text), 8*maxQuotation)])
	}
	for i := block + 1; i < len(q.blocks) && i <= block+maxJoined && len(text) < 4*maxQuotation; i++ {
		t := q.blocks[i].Text
		if !opens(t) {
			break
		}
		spans := q.at(i)
		if len(spans) == 0 {
			break
		}
		text += " " + t[spans[0].from:spans[0].to]
		if !spans[0].open {
			break
		}
	}
	return collapsed(text)
}

// at are the quotations of a block, the outermost of those that nest.
func (q *quotations) at(block int) []quoteSpan {
	if s, ok := q.spans[block]; ok {
		return s
	}
	next := ""
	if block+1 < len(q.blocks) {
		next = q.blocks[block+1].Text
	}
	b := &q.blocks[block]
	spans := quoted(b.Text, opens(next), 0)
	for _, m := range b.quotes {
		if m[1] > m[0] && m[1] <= len(b.Text) {
			spans = append(spans, quoteSpan{start: m[0], end: m[1], from: m[0], to: m[1]})
		}
	}
	for i := range spans {
		if spans[i].open {
			spans[i].goesOnUntil = block + 1
		}
	}
	q.spans[block] = spans
	return spans
}

// quoted finds the quotations of a text. goesOn says that the next block begins with a mark: one that nothing closes goes on there. Any
// other that nothing closes is passed over, a few times.
func quoted(s string, goesOn bool, passed int) []quoteSpan {
	var out []quoteSpan
	type mark struct {
		closers  string
		at, from int
	}
	var open []mark
	before := ' '
	for i, r := range s {
		n := utf8.RuneLen(r)
		next, _ := utf8.DecodeRuneInString(s[i+max(n, 1):])
		if len(open) > 0 && closes(open[len(open)-1].closers, r, next) {
			m := open[len(open)-1]
			if open = open[:len(open)-1]; len(open) == 0 && len(out) < maxSpans {
				out = append(out, quoteSpan{start: m.at, end: i + n, from: m.from, to: i})
			}
		} else if closers := quoteMarks[r]; closers != "" && begins(before) && (!ends(next) || r == '«' && next == ' ') && len(open) < maxNested {
			open = append(open, mark{closers, i, i + n})
		} else if k := len(open) - 2; k >= 0 && closes(open[k].closers, r, next) && r != '’' { // the inner one was none, or was forgotten
			m := open[k]
			if open = open[:k]; k == 0 && len(out) < maxSpans {
				out = append(out, quoteSpan{start: m.at, end: i + n, from: m.from, to: i})
			}
		}
		before = r
	}
	switch {
	case len(open) == 0 || len(out) >= maxSpans:
	case goesOn:
		out = append(out, quoteSpan{start: open[0].at, end: len(s), from: open[0].from, to: len(s), open: true})
	case passed < maxNested:
		at := open[0].from
		for _, q := range quoted(s[at:], false, passed+1) {
			out = append(out, quoteSpan{start: q.start + at, end: q.end + at, from: q.from + at, to: q.to + at})
		}
	}
	return out
}

// closes says whether a mark closes; an apostrophe within a word does not.
func closes(closers string, r, next rune) bool {
	return strings.ContainsRune(closers, r) && (r != '’' && r != '‘' || !inWord(next))
}

// begins says whether a quotation may begin behind a character, ends whether one can't before it.
func begins(before rune) bool {
	return unicode.IsSpace(before) || strings.ContainsRune("([{—–-:/“„«»‘‚\"", before) || !spaced(before)
}

func ends(next rune) bool {
	return next == utf8.RuneError || unicode.IsSpace(next) && next != '\u00A0' && next != '\u202F' || strings.ContainsRune(",.;:!?)]}", next)
}

// opens says whether a text begins with a quotation mark.
func opens(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return quoteMarks[r] != "" && r != '»' && r != '”'
}

// enough says whether a quotation is long enough to be one.
func enough(s string) bool {
	wide := 0
	for _, r := range s[:min(len(s), 200)] {
		if !spaced(r) {
			wide++
		}
	}
	return wide >= 10 || strings.Count(s, " ") >= minQuoted-1
}

// bareQuote takes away the marks around a quotation that is set off.
func bareQuote(s string) string {
	if spans := quoted(s, false, 0); len(spans) == 1 && spans[0].start == 0 && spans[0].end == len(s) {
		return s[spans[0].from:spans[0].to]
	}
	return s
}

// collapsed makes one space of all white space.
func collapsed(s string) string { return strings.Join(strings.Fields(s), " ") }
