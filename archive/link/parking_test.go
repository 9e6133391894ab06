package link_test

import (
	"net/netip"
	"strings"
	"testing"

	"linkstead/archive/link"
)

func TestParking(t *testing.T) {
	lander := []byte(`<html><head><title>site.example</title><script src="https://www.google.com/adsense/domains/caf.js"></script>`)
	for _, c := range []struct {
		name  string
		front link.Front
		want  string
	}{
		{"a site", link.Front{URL: "http://a.example/", NameServers: []string{"ns1.a.example"}, Words: 5, HTML: []byte("<p>Hello")}, ""},
		{"name servers", link.Front{URL: "http://a.example/", NameServers: []string{"NS2.SedoParking.com."}}, "ns-parking"},
		{"a name that only ends alike", link.Front{URL: "http://a.example/", NameServers: []string{"ns1.notbodis.com"}}, ""},
		{"a registrar's own", link.Front{URL: "http://a.example/", NameServers: []string{"ns1.domaincontrol.com", "ns1.dns-parking.com"}}, ""},
		{"lander", link.Front{URL: "http://a.example/", HTML: lander, Words: 12}, "lander-adsense"},
		{"who writes about landers", link.Front{URL: "http://a.example/", HTML: lander, Words: 300}, ""},
		{"for sale", link.Front{URL: "http://a.example/", Title: "A.example  domain is for sale", HTML: []byte("<p>"), Words: 40}, "lander-sale"},
		{"leads to a market", link.Front{URL: "http://a.example/x", Final: "https://www.hugedomains.com/domain_profile.cfm?d=a"}, "leads-market"},
		{"the market itself", link.Front{URL: "https://sedo.com/search", Final: "https://www.sedo.com/"}, ""},
		{"two at once", link.Front{URL: "http://a.example/", NameServers: []string{"ns1.bodis.com"}, HTML: lander}, "ns-parking lander-adsense"},
	} {
		if got := strings.Join(link.DefaultParking.Judge(&c.front), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	own, err := link.ParseParking("rule net\naddress 192.0.2.0/24\naddress 2001:db8::1\n\n# a note\nrule both\nns x.example\ntitle ^soon$\nunder 10")
	if err != nil {
		t.Fatal(err)
	}
	all := link.DefaultParking.With(own)
	for _, c := range []struct {
		front link.Front
		want  string
	}{
		{link.Front{Addresses: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.9")}}, "net"},
		{link.Front{Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::2")}}, ""},
		{link.Front{NameServers: []string{"x.example"}, Title: " Soon ", HTML: []byte("x")}, "both"},
		{link.Front{NameServers: []string{"x.example"}, Title: "Soon again", HTML: []byte("x")}, ""},
		{link.Front{Title: "soon", HTML: []byte("x")}, ""},
		{link.Front{NameServers: []string{"x.example"}, Title: "soon"}, ""},
	} {
		if got := strings.Join(all.Judge(&c.front), " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.front, got, c.want)
		}
	}
}

func TestParkingRulesAtFault(t *testing.T) {
	for file, want := range map[string]string{
		"ns a.example":                      "line 1: \"ns\" stands before",
		"rule a b":                          "line 1",
		"rule a":                            "rule a: it holds for every page",
		"rule a\nunder 9":                   "holds for every page",
		"rule a\ntitle x":                   "does not say under how many words",
		"rule a\nns example":                "line 2: \"example\" is no domain",
		"rule a\nns http://b.example/":      "is no domain",
		"rule a\naddress 300.0.0.1":         "is no network",
		"rule a\nunder 5000\ntitle x":       "from 1 to 1000",
		"rule a\nmarkup ^$":                 "is no phrase",
		"rule a\ncolour red":                "unknown word",
		"rule a\ntitle":                     "says nothing",
		strings.Repeat("#", 1<<20+1):        "longer than",
		strings.Repeat("rule a\n", 1000+1):  "1000 rules at most",
		"rule a\nns b.example\nleads b c.d": "is no domain",
	} {
		if _, err := link.ParseParking(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", file, err, want)
		}
	}
}

func FuzzParkingRules(f *testing.F) {
	f.Add("rule a\nns b.example\n", "ns.b.example", "t", []byte("<p>"))
	f.Add("rule a\ntitle ^a$\nmarkup b\nunder 9\naddress ::/0\nleads c.d", "", "A", []byte("B"))
	f.Fuzz(func(t *testing.T, file, ns, title string, html []byte) {
		rules, err := link.ParseParking(file)
		if err != nil {
			return
		}
		front := link.Front{URL: "http://a.example/", Final: ns, NameServers: []string{ns}, Title: title, HTML: html}
		if names := rules.Judge(&front); strings.Contains(strings.Join(names, ""), " ") {
			t.Errorf("%q is no name", names)
		}
		if len(rules.Judge(&link.Front{})) > 0 {
			t.Error("a rule holds for nothing at all")
		}
	})
}

// Addresses come from the web: whatever they are, a look at them is judged.
func FuzzJudge(f *testing.F) {
	f.Add("http://a.example/b", "http://b.example/", "http://a.example/c", 200, 301)
	f.Add("http://[::1]:80/%zz", "//", "\x00", 302, 0)
	f.Fuzz(func(t *testing.T, url, final, sibling string, status, hop int) {
		r := link.Defaults()
		e := link.Evidence{
			URL: url, At: aug, Outcome: "captured", Status: status, Final: final, Hops: []link.Hop{{URL: url, Status: hop, Target: final}},
			Siblings: []link.Sibling{{URL: sibling, Status: 200, Final: final, Random: true}},
		}
		s := link.Fold([]link.Evidence{e}, r)
		s.Wants(&e, r)
		if link.Judge(&e, &r).Reason == "" || link.Explain(s, aug) == "" {
			t.Error("no word of a reason")
		}
		if next := link.NextCheck(s, aug, r); next.Before(aug) {
			t.Error("due in the past")
		}
	})
}
