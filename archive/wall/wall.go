// Package wall recognises answers that stand before what was asked for: bot walls, consent walls, login pages, pages
// that ask for cookies, and pages that show nothing without scripts. It is pure: it looks at one answer, and neither
// asks nor runs anything.
//
// What it knows is in wall.rules. A page that shows some thousand characters of text is what it seems to be, and is
// decided before any rule looks at its text: a banner over an article and a login form beside it make no wall.
package wall

import (
	"slices"
	"strings"
)

// Flag is a word for what a copy shows instead of the page. The words stand in WARC metadata, rows and JSON.
type Flag string

// The flags.
const (
	Bot          Flag = "bot-wall"      // a challenge, or a refusal of programs
	Consent      Flag = "consent-wall"  // consent to tracking, or payment, is asked for first
	Login        Flag = "login"         // a login page stands where the page was
	Cookie       Flag = "cookie-wall"   // the reader is asked to accept cookies by a browser that does
	NeedsBrowser Flag = "needs-browser" // nothing is there until scripts have run
)

// Flags are all of them, in the order in which they are told.
var Flags = []Flag{Bot, Consent, Login, Cookie, NeedsBrowser}

// Page is an answer as the rules see it.
type Page struct {
	URL    string                     // that was asked for
	Status int                        // HTTP status
	Values func(name string) []string // of a header field; nil: there are none
	Target string                     // where a redirect leads, resolved; empty if it is none
	HTML   []byte                     // decoded; nil if it is no HTML. Only its beginning is read
}

// Finding is what the rules say of a page.
type Finding struct {
	Flags []Flag   // each once, in the order of Flags; none: it is what it seems to be
	Rules []string // names of the rules that say so
}

// Judge says what a page shows instead of what was asked for.
func (s *Rules) Judge(p *Page) Finding {
	var f Finding
	a := answer{page: p}
	for i := range s.list {
		if r := &s.list[i]; r.matches(&a) {
			f.add(r)
		}
	}
	slices.SortFunc(f.Flags, func(a, b Flag) int { return slices.Index(Flags, a) - slices.Index(Flags, b) })
	return f
}

func (f *Finding) add(r *rule) {
	f.Rules = append(f.Rules, r.name)
	for _, flag := range r.flags {
		if !slices.Contains(f.Flags, flag) {
			f.Flags = append(f.Flags, flag)
		}
	}
}

// Words are the flags as rows have them, and back.
func (f *Finding) Words() []string {
	out := make([]string, 0, len(f.Flags))
	for _, w := range f.Flags {
		out = append(out, string(w))
	}
	return out
}

// Names says in a few words what a copy with these flags shows; empty if there are none.
func Names(flags []string) string {
	var out []string
	for _, w := range Flags {
		if slices.Contains(flags, string(w)) {
			out = append(out, names[w])
		}
	}
	return strings.Join(out, ", ")
}

var names = map[Flag]string{
	Bot: "bot wall", Consent: "consent wall", Login: "login page", Cookie: "asks for cookies", NeedsBrowser: "needs a browser",
}

// Sentence says what a copy with these flags shows instead of the page; empty if there are none.
func Sentence(flags []string) string {
	for _, w := range Flags {
		if slices.Contains(flags, string(w)) {
			return sentences[w]
		}
	}
	return ""
}

var sentences = map[Flag]string{
	Bot:          "This copy shows a bot wall, not the page.",
	Consent:      "This copy shows a wall that asks for consent, not the page.",
	Login:        "This copy shows a login page, not the page.",
	Cookie:       "This copy shows a page that asks for cookies, not the page.",
	NeedsBrowser: "This copy shows nothing until its scripts have run: it needs a browser.",
}
