package post

import (
	_ "embed" // the rules are data
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"linkstead/archive/urlkey"
)

//go:embed leftout.yaml
var leftOutFile []byte

//go:embed mementos.yaml
var mementoFile []byte

// rule leaves out links that aren't sources. The fields are told in leftout.yaml.
type rule struct {
	Name  string
	Any   []string // URL patterns for links to whatever site
	Own   []string // URL patterns for links that aren't sources by their place
	Text  []string // patterns for the whole link text, of the same links as Own
	Class []string
	Rel   []string
	Hits  []fixture
	Miss  []fixture

	any, own, text []*regexp.Regexp
}

// fixture is a link that a rule is tested on.
type fixture struct{ URL, Text, Class, Rel, From string }

// link is what a rule looks at.
type link struct {
	url, text string
	rel       []string
	own       bool // it leads to the document's own site, or stands outside the main content
}

// archiveRule finds the original in the URL of a memento.
type archiveRule struct {
	Name    string
	Pattern string
	Hits    [][2]string // memento, original
	Miss    []string

	re *regexp.Regexp
}

// The rule files are part of the program: a fault in them is a fault of the program, found by every test.
var (
	leftOutRules = mustRules()
	classRules   = mustClasses()
	archiveRules = mustArchives()
)

func mustRules() []rule {
	var rules []rule
	if err := yaml.Unmarshal(leftOutFile, &rules); err != nil {
		panic(fmt.Sprintf("leftout.yaml: %v", err))
	}
	for i := range rules {
		r := &rules[i]
		r.any, r.own, r.text = patterns(r.Any, ""), patterns(r.Own, ""), patterns(r.Text, "^(?:%s)$")
	}
	return rules
}

func patterns(exprs []string, frame string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, e := range exprs {
		if frame != "" {
			e = fmt.Sprintf(frame, e)
		}
		out = append(out, regexp.MustCompile("(?i)"+e))
	}
	return out
}

func mustClasses() map[string]string {
	m := map[string]string{}
	for _, r := range leftOutRules {
		for _, c := range r.Class {
			m[c] = r.Name
		}
	}
	return m
}

func mustArchives() []archiveRule {
	var rules []archiveRule
	if err := yaml.Unmarshal(mementoFile, &rules); err != nil {
		panic(fmt.Sprintf("mementos.yaml: %v", err))
	}
	for i := range rules {
		rules[i].re = regexp.MustCompile("(?i)" + rules[i].Pattern)
	}
	return rules
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
			return r.Name
		}
		if l.own && slices.ContainsFunc(r.Rel, func(rel string) bool { return slices.Contains(l.rel, rel) }) {
			return r.Name
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
		m := archiveRules[i].re.FindStringSubmatch(memento)
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
