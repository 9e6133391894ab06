package configs

import (
	"net/url"
	"strings"
)

// Replay says how copies are shown, and what is offered in the place of one that is not there.
type Replay struct {
	Fuzzy      Duration // from the time of its page, within which a requisite may stand for one that differs in nothing that matters; 0: none may
	FuzzyRules string   // a file of rules for what does not matter, beside those of the program; or empty
	Elsewhere  []string // "NAME ADDRESS" of other archives; see Elsewheres
	OpenIndex  bool     // scripts of pages of any site may read the index

	Viewers []string // origins whose scripts may read published files, or "*"

	Collections []string // that are served, beside the default one; none: all
}

// Elsewhere is another archive, which may have what this one has not.
type Elsewhere struct {
	Name   string
	Prefix string // URL of its TimeGate; the address that is looked for follows. "{time}" in it stands for a time of 14 digits
}

// Elsewheres reads replay.elsewhere, and tells which entries can't be used.
func Elsewheres(list []string) (out []Elsewhere, bad []int) {
	for i, entry := range list {
		name, prefix, ok := cutLast(strings.TrimSpace(entry))
		u, err := url.Parse(strings.ReplaceAll(prefix, "{time}", "2000"))
		if !ok || err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || hasControl(entry) {
			bad = append(bad, i)
			continue
		}
		out = append(out, Elsewhere{name, prefix})
	}
	return out, bad
}

// cutLast cuts a text at its last space.
func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return "", s, false
	}
	return strings.TrimSpace(s[:i]), s[i+1:], true
}

func (c Config) checkReplay(v *findings) {
	if c.Replay.Fuzzy < 0 {
		v.add("replay.fuzzy", c.Replay.Fuzzy, "write how far from its page's time such a copy may be, as in 24h, or 0s: none is shown")
	}
	if len(c.Replay.Elsewhere) > maxElsewhere {
		v.add("replay.elsewhere", len(c.Replay.Elsewhere), "name 20 other archives at most")
	}
	for _, name := range c.Replay.Collections {
		if !collectionName.MatchString(name) {
			v.add("replay.collections", name, "write the names of collections: up to 63 of a-z, 0-9, dot, dash and underscore, a letter or digit first")
		}
	}
	for _, v1 := range c.Replay.Viewers {
		if !isOrigin(v1) {
			v.add("replay.viewers", v1, "write origins, as in https://replayweb.page, or * for any")
		}
	}
	_, bad := Elsewheres(c.Replay.Elsewhere)
	for _, i := range bad {
		v.add("replay.elsewhere", c.Replay.Elsewhere[i], "write a name, a space, and the address of a TimeGate, for example Example Archive https://archive.example/web/{time}/")
	}
}

// isOrigin says whether s is an origin of the web as browsers spell it, or stands for any.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return s == "*" || err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Scheme+"://"+u.Host == s
}

// maxElsewhere bounds how many other archives are offered.
const maxElsewhere = 20
