package configs

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Readers says what readers are told of links, and who is asked for it.
type Readers struct {
	Sites      []string // origins whose scripts may ask, or "*"
	Ask        []string // "NAME KIND ADDRESS" of other archives that are asked for copies; see Asked
	AskTimeout Duration // for each of them
	AskKeep    Duration // for which their answers are kept
}

// Asked is another archive that is asked for copies.
type Asked struct {
	Name string
	Kind string // timegate, timemap, wayback
	URL  string
}

// askKinds are the ways of asking.
var askKinds = []string{"timegate", "timemap", "wayback"}

// AskedOf reads readers.ask, and tells which entries can't be used.
func AskedOf(list []string) (out []Asked, bad []int) {
	for i, entry := range list {
		rest, to, ok := cutLast(strings.TrimSpace(entry))
		name, kind, named := cutLast(rest)
		u, err := url.Parse(to)
		if !ok || !named || name == "" || !slices.Contains(askKinds, kind) || err != nil || u.Scheme != "https" && u.Scheme != "http" ||
			u.Hostname() == "" || u.User != nil || u.Fragment != "" || hasControl(entry) {
			bad = append(bad, i)
			continue
		}
		out = append(out, Asked{name, kind, to})
	}
	return out, bad
}

func (r Readers) check(v *findings) {
	for _, s := range r.Sites {
		if !isOrigin(s) {
			v.add("readers.sites", s, "write origins, as in https://blog.example.org, or * for any")
		}
	}
	if len(r.Ask) > maxElsewhere {
		v.add("readers.ask", len(r.Ask), "name 20 other archives at most")
	}
	_, bad := AskedOf(r.Ask)
	for _, i := range bad {
		v.add("readers.ask", r.Ask[i], "write a name, timegate, timemap or wayback, and an address, for example Arquivo.pt timegate https://arquivo.pt/wayback/")
	}
	if r.AskTimeout <= 0 || time.Duration(r.AskTimeout) > time.Minute {
		v.add("readers.ask_timeout", r.AskTimeout, "write how long another archive is waited for, up to 1m: a reader waits as long")
	}
	if r.AskKeep < 0 {
		v.add("readers.ask_keep", r.AskKeep, "write for how long its answers are kept, as in 24h")
	}
}
