package scar

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	nbsp         = "\u00a0"
	maxHardWords = 8
)

// noBreaks finds words between two no-break spaces, which editors leave around an anchor. In a text that is full of them they tell
// nothing.
func (d *doc) noBreaks(t *text) []finding {
	if d.hard*15 > d.total {
		return nil
	}
	var out []finding
	for p := strings.Index(t.s, nbsp); p >= 0; {
		from := p + len(nbsp)
		n := strings.Index(t.s[from:], nbsp)
		if n < 0 {
			break
		}
		to := from + n
		if inner := t.s[from:to]; anchored(inner) && t.wordsBeside(p, to+len(nbsp)) {
			out = append(out, finding{
				class: NoBreakSpace, confidence: 0.6, start: p, end: to + len(nbsp),
				reason: "no-break spaces stand around “" + inner + "”, as around an anchor that was taken away",
			})
			n = strings.Index(t.s[to+len(nbsp):], nbsp)
			if n < 0 {
				break
			}
			p = to + len(nbsp) + n
			continue
		}
		p = to
	}
	return out
}

// anchored says whether words may have been an anchor.
func anchored(s string) bool {
	if strings.Count(s, " ") >= maxHardWords || len(s) < 3 || strings.ContainsAny(s, ".;:!?/()") {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(first) && unicode.IsLetter(last)
}

// wordsBeside says whether words stand before one place and behind another.
func (t *text) wordsBeside(from, to int) bool {
	a, b := t.before(from), t.after(to)
	return (unicode.IsLetter(a) || a == ',') && unicode.IsLetter(b)
}

var (
	quoted = regexp.MustCompile(`[“"„][^“”"„]{60,}[”"“]`)
	told   = regexp.MustCompile(`(?i)\b(?:said|says|wrote|writes|told|tells|according to|states|stated|claimed|claims|tweet(?:ed)?|reported|reports|noted|notes|as .{1,30} put it)\b`)
)

// sourced says whether a text names an address.
func sourced(s string) bool { return strings.Contains(s, "://") || strings.Contains(s, "www.") }

// quotations finds a long quotation with the word of somebody, and nothing that tells where it is from.
func quotations(t *text) []finding {
	if len(t.links) > 0 || sourced(t.s) {
		return nil
	}
	if t.b.Kind == Quote && len(t.words) > 20 {
		return []finding{{class: Quotation, confidence: 0.4, start: 0, end: len(t.s), reason: "a passage is quoted, and nothing links to where it is from"}}
	}
	if !strings.ContainsAny(t.s, "\"“„") {
		return nil
	}
	var out []finding
	for _, m := range quoted.FindAllStringIndex(t.s, 50) {
		near := t.s[back(t.s, m[0], 200):m[0]] + " " + t.s[m[1]:ahead(t.s, m[1], 120)]
		if told.MatchString(near) {
			out = append(out, finding{class: Quotation, confidence: 0.3, start: m[0], end: m[1], reason: "somebody is quoted, and nothing links to where it is from"})
		}
	}
	return out
}

var referring = regexp.MustCompile(`(?i)\b(?:(?:that|this|the) linked (?:article|post|piece|page|story|report|video)|linked (?:above|below|here)|click(?:ing)? here|(?:this|that|following|the attached) link|link (?:below|above|here)|read (?:more|it|the rest) here|(?:full|original) (?:article|post|story|report|interview) (?:is )?here)\b`)

// references finds words that speak of a link that isn't there.
func references(t *text) []finding {
	if len(t.links) > 0 || sourced(t.s) {
		return nil
	}
	if !strings.Contains(t.s, "ink") && !strings.Contains(t.s, "here") && !strings.Contains(t.s, "Here") {
		return nil
	}
	var out []finding
	for _, m := range referring.FindAllStringIndex(t.s, 50) {
		out = append(out, finding{class: Reference, confidence: 0.5, start: m[0], end: m[1], reason: "“" + t.s[m[0]:m[1]] + "” speaks of a link that isn't there"})
	}
	return out
}

var dateLine = regexp.MustCompile(`(?i)^(?:(?:published|posted|updated|on|by [\pL .]+[,|·])\s*:?\s*)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\pL*\.?\s+\d{1,2},?\s+(?:19|20)\d\d|\d{1,2}\.?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\pL*\.?\s+(?:19|20)\d\d)$`)

// reprints finds where the article of another begins: a date on a line of its own, behind what looks like a title, in the middle of a
// document.
func reprints(blocks []Block, i int) []finding {
	b := &blocks[i]
	if len(b.Text) > 80 || i < 6 || len(b.Links) > 0 || b.Kind == Item || b.Kind == Other || !dateLine.MatchString(strings.TrimSpace(b.Text)) {
		return nil
	}
	title := 0
	for j := i - 1; j >= max(0, i-3); j-- {
		p := &blocks[j]
		if len(p.Links) > 0 {
			return nil
		}
		if n := len(p.Text); n > 12 && n < 160 && !strings.ContainsRune(".,;:", rune(p.Text[n-1])) {
			title++
		}
	}
	if title == 0 {
		return nil
	}
	return []finding{{class: Reprint, confidence: 0.4, start: 0, end: len(b.Text), reason: "an article with a title and a date stands here, and nothing links to where it is from"}}
}
