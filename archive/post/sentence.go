package post

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxContext bounds Text and Context, in code points.
const maxContext = 300

// Abbreviations after which a sentence goes on. Single letters (initials, "U.S.") are such too.
var abbreviations = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`mr mrs ms dr prof st sr jr gen col lt sgt capt gov sen rep rev hon vs etc cf al eds ed
		no nos vol pp ch sec fig figs eq inc ltd co corp dept est approx jan feb mar apr jun jul aug sep sept oct nov dec bzw usw ca e.g i.e a.m p.m`) {
		m[w] = true
	}
	return m
}()

// sentence returns the sentence of text around [start, end), bytes. text has its white space collapsed.
func sentence(text string, start, end int) string {
	start, end = min(max(start, 0), len(text)), min(max(end, start, 0), len(text))
	from := back(text, start, 4*maxContext)
	to := ahead(text, end, 4*maxContext)
	window := text[from:to]
	start, end = start-from, end-from
	first, last := 0, len(window)
	for i, r := range window {
		switch r {
		case '.', '!', '?', '…', '。', '！', '？':
		default:
			continue
		}
		stop, ok := boundary(window, i, r)
		if !ok {
			continue
		}
		if stop <= start {
			first = stop
		} else if stop >= end {
			last = stop
			break
		}
	}
	return shorten(window, first, last, start, end)
}

// boundary returns where the sentence ends whose mark r stands at i, closing quotes included.
func boundary(s string, i int, r rune) (int, bool) {
	stop := i + utf8.RuneLen(r)
	for stop < len(s) {
		c, n := utf8.DecodeRuneInString(s[stop:])
		if !strings.ContainsRune(`.!?…"'”’»)]`, c) {
			break
		}
		stop += n
	}
	if r == '。' || r == '！' || r == '？' {
		return stop, true
	}
	if stop == len(s) {
		return stop, true
	}
	if s[stop] != ' ' {
		return 0, false
	}
	if next, _ := utf8.DecodeRuneInString(s[stop+1:]); unicode.IsLower(next) {
		return 0, false
	}
	if r == '.' && stop == i+1 {
		word := strings.TrimLeft(s[strings.LastIndexByte(s[:i], ' ')+1:i], `("'“‘[`)
		if n := len(word); n == 1 && unicode.IsLetter(rune(word[0])) || n > 2 && word[n-2] == '.' || abbreviations[strings.ToLower(word)] {
			return 0, false
		}
	}
	return stop, true
}

// shorten cuts s[first:last] to maxContext code points around [start, end).
func shorten(s string, first, last, start, end int) string {
	if utf8.RuneCountInString(s[first:last]) <= maxContext {
		return strings.TrimSpace(s[first:last])
	}
	spare := max(0, maxContext-utf8.RuneCountInString(s[start:min(end, last)]))
	from := max(first, back(s, start, spare/2))
	to := ahead(s, from, maxContext)
	if to >= last {
		to = last
		from = max(first, back(s, last, maxContext))
	}
	from, to = wholeWords(s, first, last, from, to, start, end)
	text := strings.TrimSpace(s[from:to])
	if from > first {
		text = "…" + text
	}
	if to < last {
		text += "…"
	}
	return text
}

// maxPart is how much of a word, in bytes, is left out for the sake of a cut between words. What has no spaces for that long is cut anywhere.
const maxPart = 60

// wholeWords draws from and to, within [first, last), to where words begin and end, and never into [start, end).
func wholeWords(s string, first, last, from, to, start, end int) (int, int) {
	if from > first && s[from-1] != ' ' {
		if i := strings.IndexByte(s[from:min(from+maxPart, len(s))], ' '); i >= 0 && from+i < start {
			from += i + 1
		}
	}
	if to < last && s[to] != ' ' {
		low := max(to-maxPart, from)
		if i := strings.LastIndexByte(s[low:to], ' '); i >= 0 && low+i >= end {
			to = low + i
		}
	}
	return from, to
}

// back returns the offset n code points before i, ahead the one n code points behind it.
func back(s string, i, n int) int {
	for ; n > 0 && i > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return i
}

func ahead(s string, i, n int) int {
	for ; n > 0 && i < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return i
}

// collapse trims, makes one space of each run of white space, and bounds the result to maxContext code points.
func collapse(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if to := ahead(s, 0, maxContext); to < len(s) {
		_, to = wholeWords(s, 0, len(s), 0, ahead(s, 0, maxContext-1), 0, 0)
		return strings.TrimSpace(s[:to]) + "…"
	}
	return s
}

// contextIn is the sentence around a place in a block's text.
func contextIn(text string, start, end int) string {
	end = min(end, ahead(text, start, 4*maxContext))
	from, to := back(text, start, 4*maxContext), ahead(text, end, 4*maxContext)
	var p prose
	p.add(text[from:start])
	first := p.next()
	p.add(text[start:end])
	last := max(first, p.Len())
	p.add(text[end:to])
	return sentence(p.String(), first, last)
}

// prose is one block of text, white space collapsed, in which links stand.
type prose struct {
	strings.Builder
	space bool // white space came since the last character
}

func (p *prose) add(s string) {
	for _, r := range s {
		if unicode.IsSpace(r) {
			p.space = true
			continue
		}
		if p.space && p.Len() > 0 {
			p.WriteByte(' ')
		}
		p.space = false
		p.WriteRune(r)
	}
}

// next returns where the next character will stand.
func (p *prose) next() int {
	if p.space && p.Len() > 0 {
		return p.Len() + 1
	}
	return p.Len()
}
