// Package fuzzy tells when two addresses mean the same though their keys differ: when they differ only in parts that rules
// name, such as what is there against caches. It knows keys alone (SURTs, see package urlkey), asks nobody, and never says
// that one address is another: it says in what they differ.
package fuzzy

import (
	_ "embed" // the rules are data
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed fuzzy.rules
var rulesFile string

// Bounds of a rule file.
const (
	maxRules    = 1000
	maxRuleFile = 1 << 20
)

// Rules are what a rule file says.
type Rules struct{ list []rule }

// Default are the rules of fuzzy.rules. They are part of the program: a fault in them is found by every test.
var Default = func() *Rules {
	r, err := Parse(rulesFile)
	if err != nil {
		panic("fuzzy.rules: " + err.Error())
	}
	return r
}()

// rule is one rule.
type rule struct {
	name  string
	hosts []string // as keys begin
	path  *regexp.Regexp
	drop  []string
	when  []*regexp.Regexp // of the whole value; none: whatever it is
	keep  []string
	mask  []*regexp.Regexp
	cases []Case
}

// Case is one of a rule's examples.
type Case struct {
	Rule string
	A, B string // URLs
	Hit  bool
}

// Cases are the examples of all rules.
func (s *Rules) Cases() (out []Case) {
	for i := range s.list {
		out = append(out, s.list[i].cases...)
	}
	return out
}

// Parse reads a rule file, whose grammar fuzzy.rules tells. An error names the line.
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
	if word == "rule" {
		if len(s.list) == maxRules || value == "" || strings.ContainsAny(value, " \t\",;") {
			return fmt.Errorf("%q is no name for a rule: one word, and %d rules at most", value, maxRules)
		}
		s.list = append(s.list, rule{name: value})
		return nil
	}
	if len(s.list) == 0 {
		return fmt.Errorf("%q stands before the first rule", word)
	}
	if value == "" && word != "when" {
		return fmt.Errorf("%q says nothing", word)
	}
	return s.list[len(s.list)-1].word(word, value)
}

func (r *rule) word(word, value string) (err error) {
	switch word {
	case "host":
		for _, h := range strings.Fields(value) {
			r.hosts = append(r.hosts, hostKey(h))
		}
	case "path":
		if r.path != nil {
			return errors.New("a rule has one path")
		}
		r.path, err = regexp.Compile(value)
	case "drop":
		r.drop = append(r.drop, strings.Fields(strings.ToLower(value))...)
	case "when":
		return addRegexp(&r.when, "^(?:"+value+")$")
	case "keep":
		r.keep = append(r.keep, strings.Fields(strings.ToLower(value))...)
	case "mask":
		return addRegexp(&r.mask, value)
	case "hit", "miss":
		urls := strings.Fields(value)
		if len(urls) != 2 {
			return fmt.Errorf("%s: two addresses, with a space between", word)
		}
		r.cases = append(r.cases, Case{r.name, urls[0], urls[1], word == "hit"})
	default:
		return fmt.Errorf("%q: use rule, host, path, drop, when, keep, mask, hit or miss", word)
	}
	return err
}

func addRegexp(to *[]*regexp.Regexp, text string) error {
	re, err := regexp.Compile(text)
	if err != nil {
		return err
	}
	*to = append(*to, re)
	return nil
}

func (r *rule) complete() error {
	switch {
	case len(r.drop) == 0 && len(r.keep) == 0 && len(r.mask) == 0:
		return errors.New("it lets nothing go: use drop, keep or mask")
	case len(r.when) > 0 && len(r.drop) == 0:
		return errors.New("when says something of drop, which it has not")
	case len(r.keep) > 0 && r.hosts == nil:
		return errors.New("keep lets all else go: say of which host")
	}
	return nil
}

// hostKey is how the keys of a host begin.
func hostKey(host string) string {
	labels := strings.Split(strings.ToLower(strings.Trim(host, ".")), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ",")
}

// of says whether the rule holds for a host and path as keys have them.
func (r *rule) of(host, path string) bool {
	if r.hosts != nil && !slices.ContainsFunc(r.hosts, func(h string) bool {
		rest, ok := strings.CutPrefix(host, h)
		return ok && (rest == "" || rest[0] == ',' || rest[0] == ':')
	}) {
		return false
	}
	return r.path == nil || r.path.MatchString(path)
}

// drops says whether a field does not count.
func (r *rule) drops(field string) bool {
	name, value, has := strings.Cut(field, "=")
	if !named(r.drop, name) {
		return false
	}
	if !has {
		value = name
	}
	return r.when == nil || slices.ContainsFunc(r.when, func(re *regexp.Regexp) bool { return re.MatchString(value) })
}

func named(list []string, name string) bool {
	return slices.ContainsFunc(list, func(n string) bool {
		if begin, ok := strings.CutSuffix(n, "*"); ok {
			return strings.HasPrefix(name, begin)
		}
		return n == name
	})
}
