package post

import (
	_ "embed" // the rules are data
	"iter"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"linkstead/archive/urlkey"
)

//go:embed leftout.rules
var leftOutFile string

//go:embed mementos.rules
var mementoFile string

// rule leaves out links that aren't sources, as leftout.rules tells.
type rule struct {
	name           string
	any, own, text []*regexp.Regexp
	class, rel     []string
	hits, misses   []string
}

// link is what a rule looks at.
type link struct {
	url, text string
	rel       []string
	own       bool // it leads to the document's own site, or stands outside the main content
}

// archiveRule finds the original in the URL of a memento, as mementos.rules tells.
type archiveRule struct {
	name         string
	pattern      *regexp.Regexp
	hits, misses []string
}

// The rule files are part of the program: a fault in them is a fault of the program, found by every test.
var (
	leftOutRules = mustRules(leftOutFile)
	classRules   = classes(leftOutRules)
	archiveRules = mustArchives(mementoFile)
)

func mustRules(file string) []rule {
	var rules []rule
	for key, value := range ruleLines(file) {
		if key == "rule" {
			rules = append(rules, rule{name: value})
			continue
		}
		r := &rules[len(rules)-1]
		switch key {
		case "any":
			r.any = append(r.any, regexp.MustCompile("(?i)"+value))
		case "own":
			r.own = append(r.own, regexp.MustCompile("(?i)"+value))
		case "text":
			r.text = append(r.text, regexp.MustCompile("(?i)^(?:"+value+")$"))
		case "class":
			r.class = append(r.class, strings.Fields(value)...)
		case "rel":
			r.rel = append(r.rel, strings.Fields(value)...)
		case "hit":
			r.hits = append(r.hits, value)
		case "miss":
			r.misses = append(r.misses, value)
		default:
			panic("leftout.rules: unknown word " + key)
		}
	}
	return rules
}

func mustArchives(file string) []archiveRule {
	var rules []archiveRule
	for key, value := range ruleLines(file) {
		if key == "rule" {
			rules = append(rules, archiveRule{name: value})
			continue
		}
		r := &rules[len(rules)-1]
		switch key {
		case "pattern":
			r.pattern = regexp.MustCompile("(?i)" + value)
		case "hit":
			r.hits = append(r.hits, value)
		case "miss":
			r.misses = append(r.misses, value)
		default:
			panic("mementos.rules: unknown word " + key)
		}
	}
	return rules
}

// ruleLines yields the lines of a rule file: their first word, and the rest.
func ruleLines(file string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(file) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			key, value, _ := strings.Cut(line, " ")
			if !yield(key, strings.TrimSpace(value)) {
				return
			}
		}
	}
}

func classes(rules []rule) map[string]string {
	m := map[string]string{}
	for _, r := range rules {
		for _, c := range r.class {
			m[strings.ToLower(c)] = r.name
		}
	}
	return m
}

// ruleByClass names the rule that leaves out an element with such classes and id, and all links in it.
func ruleByClass(class, id string) string {
	for _, c := range append(strings.Fields(class), id) {
		if name := classRules[strings.ToLower(c)]; name != "" {
			return name
		}
	}
	return ""
}

// leftOut names the first rule that leaves out a link, or nothing.
func leftOut(l link) string {
	for i := range leftOutRules {
		r := &leftOutRules[i]
		if match(r.any, l.url) || l.own && (match(r.own, l.url) || match(r.text, l.text)) {
			return r.name
		}
		if l.own && slices.ContainsFunc(r.rel, func(rel string) bool { return slices.Contains(l.rel, rel) }) {
			return r.name
		}
	}
	return ""
}

func match(res []*regexp.Regexp, s string) bool {
	return s != "" && slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(s) })
}

// Unwrap returns the URL whose copy a memento URL names; ok is false if it is no memento, or one that names none
// (perma.cc). An original may be a memento in turn.
func Unwrap(memento string) (original string, ok bool) {
	for i := range archiveRules {
		m := archiveRules[i].pattern.FindStringSubmatch(memento)
		if m == nil {
			continue
		}
		if url, ok := originalURL(m[len(m)-1]); ok && len(url) < len(memento) {
			return url, true
		}
	}
	return "", false
}

// originalURL repairs what archives and servers do to a URL inside a path: its slashes folded, its scheme dropped,
// percent-encoded as a whole.
func originalURL(s string) (string, bool) {
	low := strings.ToLower(s)
	if strings.HasPrefix(low, "http%3a") || strings.HasPrefix(low, "https%3a") {
		if decoded, err := url.PathUnescape(s); err == nil {
			s, low = decoded, strings.ToLower(decoded)
		}
	}
	switch {
	case strings.HasPrefix(low, "http:/") || strings.HasPrefix(low, "https:/"):
		scheme, rest, _ := strings.Cut(s, ":")
		s = scheme + "://" + strings.TrimLeft(rest, "/")
	case hasScheme(s) && !strings.Contains(s[:strings.IndexByte(s, ':')], "."):
		return "", false
	default:
		s = "http://" + strings.TrimLeft(s, "/")
	}
	parsed, err := urlkey.Parse("", s)
	if err != nil || !strings.ContainsAny(urlkey.Hostname(parsed), ".:") {
		return "", false
	}
	return parsed, true
}
