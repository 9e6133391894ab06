package cite

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

// What stands between the title of a page and the name of its site.
var titleDashes = []string{" | ", " - ", " – ", " — ", " · ", " • ", " » ", " « ", " :: ", ": "}

// withoutSite takes the name of the site off the end or the front of a title: "Story | The Paper". What stands there is the site's name if
// the page calls its site so, or, at the end, if its domain tells so: "The Guardian" of theguardian.com. Anything else may belong to the
// title, as "Python: an introduction" on python.org.
func withoutSite(title, site, address string) string {
	own := siteNames(address)
	site = letters(site)
	for _, dash := range titleDashes {
		if i := strings.LastIndex(title, dash); i > 0 {
			if end := title[i+len(dash):]; letters(end) == site && site != "" || dash != ": " && own(end) {
				return title[:i]
			}
		}
		if i := strings.Index(title, dash); i > 0 && i+len(dash) < len(title) && site != "" && letters(title[:i]) == site {
			return title[i+len(dash):]
		}
	}
	return title
}

// Words that sites put behind their names, and leave out of their domains.
var siteWords = []string{"news", "online", "blog", "magazine", "com", "org", "net"}

// siteNames says of a text whether the domain of an address tells that it is the name of the site.
func siteNames(address string) func(string) bool {
	var host, label string
	if u, err := url.Parse(address); err == nil {
		host = strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			label, _, _ = strings.Cut(domain, ".")
			label = letters(label)
		}
	}
	return func(s string) bool {
		if strings.EqualFold(strings.TrimSpace(s), host) && host != "" {
			return true
		}
		s = letters(s)
		switch {
		case s == "":
			return false
		case len(label) < 3: // too short to tell
			return false
		}
		bare := strings.TrimPrefix(s, "the")
		for _, name := range []string{label, strings.TrimPrefix(label, "the")} {
			if rest, ok := strings.CutPrefix(bare, name); ok && (rest == "" || slices.Contains(siteWords, rest)) || s == name {
				return true
			}
		}
		return false
	}
}

// letters are the letters and digits of a text, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
