package link

import (
	_ "embed" // the rules are data
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

//go:embed parking.rules
var parkingFile string

// Bounds of a rule file, and of what it is held against.
const (
	maxRules      = 1000
	maxRuleFile   = 1 << 20
	maxMarkup     = 128 << 10
	maxUnderWords = 1000
)

// ParkingRules are what a rule file says of parked domains.
type ParkingRules struct{ list []parkingRule }

// DefaultParking are the rules of parking.rules. They are part of the program: a fault in them is found by every test.
var DefaultParking = func() *ParkingRules {
	r, err := ParseParking(parkingFile)
	if err != nil {
		panic("parking.rules: " + err.Error())
	}
	return r
}()

// parkingRule is one rule: every word that it has must hold, and a word holds if one of its lines does.
type parkingRule struct {
	name      string
	ns, leads []string
	addresses []netip.Prefix
	title     []string
	markup    []string
	under     int
}

// Front is a host and what it shows, as the rules see it.
type Front struct {
	URL         string       // that was asked for
	Final       string       // that answered; empty: URL
	NameServers []string     // of the domain
	Addresses   []netip.Addr // that the host's name led to
	Title       string
	Words       int    // that the page shows
	HTML        []byte // decoded; nil if it is no HTML. Only its beginning is read
}

// ParseParking reads a rule file, whose grammar parking.rules tells. An error names the line.
func ParseParking(file string) (*ParkingRules, error) {
	if len(file) > maxRuleFile {
		return nil, fmt.Errorf("the rules are longer than %d bytes", maxRuleFile)
	}
	s := &ParkingRules{}
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
func (s *ParkingRules) With(more *ParkingRules) *ParkingRules {
	return &ParkingRules{slices.Concat(s.list, more.list)}
}

func (s *ParkingRules) line(word, value string) error {
	if value == "" {
		return fmt.Errorf("%q says nothing", word)
	}
	if word == "rule" {
		if len(s.list) == maxRules || strings.ContainsAny(value, " \t,") {
			return fmt.Errorf("%q is no name for a rule: one word, and %d rules at most", value, maxRules)
		}
		s.list = append(s.list, parkingRule{name: value})
		return nil
	}
	if len(s.list) == 0 {
		return fmt.Errorf("%q stands before the first rule", word)
	}
	r := &s.list[len(s.list)-1]
	switch word {
	case "ns":
		return addDomain(&r.ns, value)
	case "leads":
		return addDomain(&r.leads, value)
	case "address":
		p, err := netip.ParsePrefix(value)
		if a, aerr := netip.ParseAddr(value); err != nil && aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Addr().Zone() != "" {
			return fmt.Errorf("%q is no network: write 192.0.2.0/24, or one address", value)
		}
		r.addresses = append(r.addresses, p.Masked())
	case "title", "markup":
		value = strings.ToLower(value)
		if strings.Trim(value, "^$") == "" {
			return fmt.Errorf("%q is no phrase: it stands on every page", value)
		}
		if word == "title" {
			r.title = append(r.title, value)
		} else {
			r.markup = append(r.markup, value)
		}
	case "under":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxUnderWords {
			return fmt.Errorf("%q is no number from 1 to %d", value, maxUnderWords)
		}
		r.under = n
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return nil
}

func addDomain(to *[]string, value string) error {
	value = strings.ToLower(strings.Trim(value, "."))
	if !strings.Contains(value, ".") || strings.ContainsAny(value, " /:*@") {
		return fmt.Errorf("%q is no domain: write example.com", value)
	}
	*to = append(*to, value)
	return nil
}

// complete checks that a rule can match, and can't match everything.
func (r *parkingRule) complete() error {
	page := r.title != nil || r.markup != nil
	switch {
	case page && r.under == 0:
		return errors.New("it looks at the page, and does not say under how many words")
	case !page && r.ns == nil && r.leads == nil && r.addresses == nil:
		return errors.New("it holds for every page")
	}
	return nil
}

// Judge names the rules that say a host is parked, in their order.
func (s *ParkingRules) Judge(f *Front) []string {
	var out []string
	title := strings.ToLower(strings.Join(strings.Fields(f.Title), " "))
	markup := ""
	for i := range s.list {
		r := &s.list[i]
		if r.markup != nil && markup == "" {
			markup = strings.ToLower(string(f.HTML[:min(len(f.HTML), maxMarkup)]))
		}
		if r.matches(f, title, markup) {
			out = append(out, r.name)
		}
	}
	return out
}

func (r *parkingRule) matches(f *Front, title, markup string) bool {
	switch {
	case r.under > 0 && (f.HTML == nil || f.Words >= r.under),
		r.ns != nil && !slices.ContainsFunc(f.NameServers, func(s string) bool { return below(s, r.ns) }),
		r.leads != nil && !r.leadsThere(f),
		r.addresses != nil && !slices.ContainsFunc(f.Addresses, r.holds),
		r.title != nil && !slices.ContainsFunc(r.title, func(p string) bool { return phrase(title, p) }),
		r.markup != nil && !slices.ContainsFunc(r.markup, func(p string) bool { return phrase(markup, p) }):
		return false
	}
	return true
}

// leadsThere says whether a look ended at a market, and did not begin there: whoever cites its own pages means them.
func (r *parkingRule) leadsThere(f *Front) bool {
	from, ok := parse(f.URL)
	to, ok2 := parse(f.Final)
	return ok && ok2 && below(to.host, r.leads) && !below(from.host, r.leads)
}

func (r *parkingRule) holds(a netip.Addr) bool {
	return slices.ContainsFunc(r.addresses, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// below says whether a host is one of the domains, or below one.
func below(host string, domains []string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(domains, func(d string) bool {
		return host == d || strings.HasSuffix(host, "."+d)
	})
}

func phrase(s, p string) bool {
	p, start := strings.CutPrefix(p, "^")
	p, end := strings.CutSuffix(p, "$")
	switch {
	case start && end:
		return s == p
	case start:
		return strings.HasPrefix(s, p)
	case end:
		return strings.HasSuffix(s, p)
	}
	return strings.Contains(s, p)
}
