package session

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// What a person declared a secret is looked for everywhere. The value of a cookie was chosen by a server, which may as well
// have chosen the words of somebody else's page: so it is looked for on those hosts alone to which that cookie may go, who
// are told it and may repeat it; and not at all if it is no more than a word or a date.

// value is the value of a secret cookie, with the hosts to which that may go.
type value struct {
	text   string
	domain string // lower case, without dots around it
	only   bool   // domain itself, and not the hosts under it
}

// values are cookies' values that are looked for, oldest first.
type values struct {
	by map[string][]value // by site: what one sets pushes nothing of another's out
	n  int
}

// Bounds of the values that a run has learnt. Beyond them, the newest of each site are looked for, and the site with most of
// them loses first.
const (
	maxLearnt      = 100      // of a site …
	maxLearntBytes = 64 << 10 // … and as many bytes of them
	maxAllLearnt   = 3000     // of all
)

// add takes a value, and says whether it was not known. Of a site, the newest are kept, that many at most and so long in all.
func (vs *values) add(v value, most, bytes int) bool {
	if vs.by == nil {
		vs.by = map[string][]value{}
	}
	site := siteOf(v.domain)
	of := vs.by[site]
	at := slices.Index(of, v)
	switch {
	case at >= 0: // it is in use: as good as new
		vs.by[site] = append(slices.Delete(of, at, at+1), v)
		return false
	case len(of) >= most:
		of = slices.Delete(of, 0, 1)
	default:
		vs.n++
	}
	of = append(of, v)
	for size := sizeOf(of); size > bytes; of = slices.Delete(of, 0, 1) {
		size -= len(of[0].text)
		vs.n--
	}
	vs.by[site] = of
	return true
}

func sizeOf(of []value) (n int) {
	for _, v := range of {
		n += len(v.text)
	}
	return n
}

// bound forgets what is beyond the bound of all.
func (vs *values) bound() {
	for vs.n > maxAllLearnt {
		most := ""
		for site, of := range vs.by {
			if len(of) > len(vs.by[most]) || len(of) == len(vs.by[most]) && site < most {
				most = site
			}
		}
		vs.by[most] = slices.Delete(vs.by[most], 0, 1)
		vs.n--
	}
}

// of are the values that may have gone to a host.
func (vs *values) of(host string) (out []string) {
	for _, v := range vs.by[siteOf(host)] {
		if host == v.domain || !v.only && under(host, v.domain) {
			out = append(out, v.text)
		}
	}
	return out
}

// siteOf is the registrable domain of a host. Cookies don't go beyond it.
func siteOf(host string) string {
	if address(host) {
		return host
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return site
	}
	return host
}

// plainHost is a host as values know it.
func plainHost(host string) string { return strings.Trim(strings.ToLower(host), "[].") }

// enough is how hard to guess a value must be to be looked for, in bits. Whoever wants to know a weaker one tries them all.
const enough = 44

// telling says whether a cookie's value is long and odd enough to be looked for in pages: "Switzerland", "dark-mode",
// "2026-03-01" and "HTTP/1.1 200" are not.
func telling(s string) bool {
	return len(s) >= MinCookie && len(s) <= maxCookieBytes && guesses(s) >= enough
}

// guesses estimates how many bits it takes to guess a value: few for a word, whatever its length, more for digits, many for
// letters and digits mixed.
func guesses(s string) (bits float64) {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return classOf(r) == other }) {
		var sum float64
		n, switches, last := 0, 0, other
		for i, r := range part {
			c := classOf(r)
			if i > 0 && c != last && (last != upper || c != lower) {
				sum += ofRun(n, last)
				if (c == digit) != (last == digit) {
					switches++
				}
				n = 0
			}
			n++
			last = c
		}
		if sum += ofRun(n, last); switches >= 2 {
			sum = max(sum, 5*float64(len(part)))
		}
		bits += sum
	}
	return bits
}

// ofRun is what a run of n letters or digits adds.
func ofRun(n int, c class) float64 {
	if c == digit {
		return 3.3 * float64(n)
	}
	return 12 + 2*float64(max(0, n-12))
}

type class byte

const (
	other class = iota
	digit
	lower // and all letters beyond ASCII
	upper
)

func classOf(r rune) class {
	switch {
	case '0' <= r && r <= '9':
		return digit
	case 'A' <= r && r <= 'Z':
		return upper
	case 'a' <= r && r <= 'z', r >= 0x80:
		return lower
	}
	return other
}
