package post

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Top-level domains that end the names of files, or are words with which a sentence may go on where a space was forgotten. A name below
// one is a domain if a path follows.
var doubtful = set(`md rs sh py pl so ps cc mk ml pm zip mov ai st ac cs hs vb tf ts st la app java js cfg
	in is it to me no at be as am my us do so an by go he we or`)

// Top-level domains below which a name alone is taken for an address: the old ones, besides those of countries.
var certain = set(`com org net edu gov mil int info biz io dev eu museum coop aero arpa`)

// findDomains tells of the domains that stand in a part of a text without a scheme, with what follows them.
func findDomains(s string, from, to int, add func(bare)) {
	for at := from; at < to; {
		i := strings.IndexByte(s[at:to], '.')
		if i < 0 {
			return
		}
		dot := at + i
		at = dot + 1
		start := hostStart(s, from, dot)
		if start == dot || start == dot-1 && s[start] == '[' {
			continue
		}
		end := start + hostEnd(s[start:min(to, start+300)])
		at = max(at, end)
		if b, ok := domain(s, start, end, to); ok {
			add(b)
			at = max(at, b.end)
			from = at
		}
	}
}

// hostStart is where the name begins that has a dot at a place.
func hostStart(s string, from, dot int) int {
	at := dot
	for at > from && dot-at < 64 {
		r, n := utf8.DecodeLastRuneInString(s[from:at])
		if !wordRune(r) && r != '-' && r != '[' && !unseen(r) || !spaced(r) {
			break
		}
		at -= n
		if r == '[' && at+1 != dot {
			return at + n
		}
	}
	return at
}

// domain is the address that begins with a name without a scheme, if it is one.
func domain(s string, start, end, to int) (b bare, ok bool) {
	before, _ := utf8.DecodeLastRuneInString(s[:start])
	if start > 0 && (joins(before) || strings.ContainsRune("@/\\.-_=%&#$+~:", before)) {
		return b, false
	}
	host := s[start:end]
	if i := strings.IndexByte(host, '@'); i >= 0 {
		return b, false
	}
	next, _ := utf8.DecodeRuneInString(s[end:])
	if end < len(s) && (next == '@' || next == '(' || next == '=' || next == '\\') {
		return b, false
	}
	host = strings.TrimRight(host, ".:-[]")
	name, port, _ := strings.Cut(meant(host), ":")
	if strings.Trim(port, "0123456789") != "" {
		return b, false
	}
	path := len(host) == end-start && end < to && s[end] == '/'
	if !named(name, path) {
		return b, false
	}
	stop := start + len(host)
	if path {
		stop = pathEnd(s[:to], end)
	}
	if b, ok = whole(s[:to], start, start, stop); ok {
		b.ref = "http://" + meant(s[b.start:b.end])
	}
	return b, ok
}

// named says whether a name is one of a host, and none of a file, a number or an abbreviation, nor two sentences without a space.
func named(name string, path bool) bool {
	labels := strings.Split(name, ".")
	if len(labels) < 2 || len(labels) > 10 || len(name) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.ContainsAny(l, "_[]%") {
			return false
		}
	}
	tld := labels[len(labels)-1]
	own := labels[len(labels)-2]
	low, err := idna.Lookup.ToASCII(strings.ToLower(name))
	if err != nil {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(low)
	if !icann && !strings.Contains(suffix, ".") || suffix == low || strings.ToLower(tld) != tld && strings.ToUpper(name) != name {
		return false
	}
	if path {
		return true
	}
	if first, _ := utf8.DecodeRuneInString(name); unicode.IsUpper(first) || utf8.RuneCountInString(own) < 2 {
		return false
	}
	switch {
	case doubtful[tld]:
		return len(labels) > 2 && labels[0] != "e" && labels[0] != "i"
	case certain[tld], len(tld) == 2, len(labels) > 2, strings.HasPrefix(tld, "xn--"):
		return true
	}
	return tld[0] >= utf8.RuneSelf
}
