package wall

import (
	_ "embed" // the rules are data
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed wall.rules
var rulesFile string

// Rules are what a rule file says.
type Rules struct{ list []rule }

// Default are the rules of wall.rules. They are part of the program: a fault in them is found by every test.
var Default = func() *Rules {
	r, err := Parse(rulesFile)
	if err != nil {
		panic("wall.rules: " + err.Error())
	}
	return r
}()

// rule is one rule: every word that it has must hold, and a word holds if one of its lines does.
type rule struct {
	name     string
	flags    []Flag
	status   []span
	headers  []header
	url      []*regexp.Regexp
	redirect []*regexp.Regexp
	title    []pattern
	text     []pattern
	shown    []pattern
	noscript []pattern
	markup   []pattern
	has      []trait
	without  []trait
	under    int // characters of visible text
	body     bool
}

type span struct{ from, to int }

type header struct {
	name  string
	value pattern // of the whole value, folded
}

// MaxUnder bounds the word "under": a page that shows more text than that is never read by the rules.
const MaxUnder = 3000

// Bounds of a rule file.
const (
	maxRules    = 1000
	maxRuleFile = 1 << 20
)

// Parse reads a rule file, whose grammar wall.rules tells. An error names the line.
func Parse(file string) (*Rules, error) {
	if len(file) > maxRuleFile {
		return nil, fmt.Errorf("the rules are longer than %d bytes", maxRuleFile)
	}
	s := &Rules{}
	n := 0
	for line := range strings.Lines(file) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		word, value, _ := strings.Cut(line, " ")
		if err := s.line(word, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for i := range s.list {
		if err := s.list[i].complete(); err != nil {
			return nil, fmt.Errorf("rule %s: %w", s.list[i].name, err)
		}
	}
	return s, nil
}

// With are these rules and others behind them.
func (s *Rules) With(more *Rules) *Rules { return &Rules{slices.Concat(s.list, more.list)} }

func (s *Rules) line(word, value string) error {
	if value == "" {
		return fmt.Errorf("%q says nothing", word)
	}
	if word == "rule" {
		if len(s.list) == maxRules || strings.ContainsAny(value, " \t") {
			return fmt.Errorf("%q is no name for a rule: one word, and %d rules at most", value, maxRules)
		}
		s.list = append(s.list, rule{name: value})
		return nil
	}
	if len(s.list) == 0 {
		return fmt.Errorf("%q stands before the first rule", word)
	}
	r := &s.list[len(s.list)-1]
	switch word {
	case "flag":
		return r.addFlags(value)
	case "status":
		return r.addStatus(value)
	case "header":
		name, v, _ := strings.Cut(value, " ")
		r.headers = append(r.headers, header{name, patternOf(strings.TrimSpace(v))})
	case "url":
		return addRegexp(&r.url, value)
	case "redirect":
		return addRegexp(&r.redirect, value)
	case "title":
		r.title = append(r.title, patternOf(value))
	case "text":
		r.text = append(r.text, patternOf(value))
	case "shown":
		r.shown = append(r.shown, patternOf(value))
	case "noscript":
		r.noscript = append(r.noscript, patternOf(value))
	case "markup":
		r.markup = append(r.markup, patternOf(value))
	case "has":
		return addTraits(&r.has, value)
	case "without":
		return addTraits(&r.without, value)
	case "under":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > MaxUnder {
			return fmt.Errorf("%q is no number from 1 to %d", value, MaxUnder)
		}
		r.under = n
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return nil
}

func (r *rule) addFlags(value string) error {
	for _, f := range strings.Fields(value) {
		if !slices.Contains(Flags, Flag(f)) {
			return fmt.Errorf("there is no flag %q", f)
		}
		r.flags = append(r.flags, Flag(f))
	}
	return nil
}

func (r *rule) addStatus(value string) error {
	for _, f := range strings.Fields(value) {
		from, to, ok := strings.Cut(f, "-")
		if !ok {
			to = from
		}
		a, err := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || a > b {
			return fmt.Errorf("%q is no status: write 403, or 400-599", f)
		}
		r.status = append(r.status, span{a, b})
	}
	return nil
}

func addRegexp(to *[]*regexp.Regexp, value string) error {
	re, err := regexp.Compile("(?i)" + value)
	if err != nil {
		return fmt.Errorf("%q is no pattern: %w", value, err)
	}
	*to = append(*to, re)
	return nil
}

func addTraits(to *[]trait, value string) error {
	for _, f := range strings.Fields(value) {
		t, ok := traits[f]
		if !ok {
			return fmt.Errorf("a page can't have %q", f)
		}
		*to = append(*to, t)
	}
	return nil
}

// complete checks that a rule can match, and can't match everything.
func (r *rule) complete() error {
	r.body = r.title != nil || r.text != nil || r.shown != nil || r.noscript != nil || r.markup != nil || r.has != nil || r.without != nil || r.under > 0
	switch {
	case len(r.flags) == 0:
		return fmt.Errorf("it sets no flag")
	case r.body && r.under == 0:
		return fmt.Errorf("it looks at the page, and does not say under how many characters of text")
	case !r.body && r.headers == nil && r.url == nil && r.redirect == nil && r.status == nil:
		return fmt.Errorf("it holds for every page")
	}
	return nil
}

// matches says whether all that the rule asks for holds; what is cheap is asked first. An address that is itself such as a
// rule's redirects lead to leads there by its own right.
func (r *rule) matches(a *answer) bool {
	p := a.page
	if r.status != nil && !slices.ContainsFunc(r.status, func(s span) bool { return s.from <= p.Status && p.Status <= s.to }) {
		return false
	}
	if r.headers != nil && !slices.ContainsFunc(r.headers, a.header) {
		return false
	}
	if r.body && (p.HTML == nil || a.shows() >= r.under || !a.hasAll(r.has) || a.hasAny(r.without)) {
		return false
	}
	switch {
	case r.url != nil && !matchAny(r.url, p.URL),
		r.redirect != nil && (!matchAny(r.redirect, a.target()) || matchAny(r.redirect, p.URL)),
		r.title != nil && !a.inTitle(r.title),
		r.shown != nil && !anyMatch(r.shown, a.folded()),
		r.noscript != nil && !anyMatch(r.noscript, string(a.said)),
		r.text != nil && !a.inText(r.text),
		r.markup != nil && !a.inMarkup(r.markup):
		return false
	}
	return true
}

func matchAny(res []*regexp.Regexp, s string) bool {
	return s != "" && len(s) <= maxAddress && slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(s) })
}

// maxAddress bounds an address that patterns look at, in bytes.
const maxAddress = 8 << 10

// pattern is a phrase: parts that stand one behind the other, at the beginning and at the end if it says so.
type pattern struct {
	parts      []string
	start, end bool
}

// maxGap bounds what may stand between two parts, in bytes.
const maxGap = 200

func patternOf(s string) pattern {
	s = strings.ToLower(s)
	p := pattern{}
	s, p.start = strings.CutPrefix(s, "^")
	s, p.end = strings.CutSuffix(s, "$")
	p.parts = strings.Split(s, " * ")
	return p
}

func (p *pattern) match(s string) bool {
	if p.start {
		return strings.HasPrefix(s, p.parts[0]) && p.rest(s[len(p.parts[0]):], 1)
	}
	for {
		i := strings.Index(s, p.parts[0])
		if i < 0 {
			return false
		}
		if p.rest(s[i+len(p.parts[0]):], 1) {
			return true
		}
		if p.parts[0] == "" {
			return false
		}
		s = s[i+1:]
	}
}

// rest matches the parts from the nth on: each within the gap behind the one before.
func (p *pattern) rest(s string, n int) bool {
	for ; n < len(p.parts); n++ {
		i := strings.Index(s[:min(len(s), maxGap+len(p.parts[n]))], p.parts[n])
		if i < 0 {
			return false
		}
		s = s[i+len(p.parts[n]):]
	}
	return !p.end || s == ""
}
