package link_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linkstead/archive/link"
)

const page = "http://www.site.example/2016/02/story.html"

var aug = time.Date(2026, 8, 3, 10, 0, 0, 0, time.UTC)

// ev is a look at page: changes are laid on one that was answered with 200.
func ev(change func(e *link.Evidence)) link.Evidence {
	e := link.Evidence{URL: page, At: aug, Kind: link.Probe, Outcome: "captured", Status: 200}
	if change != nil {
		change(&e)
	}
	return e
}

func status(n int) func(*link.Evidence) { return func(e *link.Evidence) { e.Status = n } }

func outcome(words ...string) func(*link.Evidence) {
	return func(e *link.Evidence) {
		e.Outcome, e.Status = words[0], 0
		if len(words) > 1 {
			e.DNS = words[1]
		}
	}
}

func flags(n int, words ...string) func(*link.Evidence) {
	return func(e *link.Evidence) { e.Status, e.Flags = n, words }
}

func hop(n int, to string) func(*link.Evidence) {
	return func(e *link.Evidence) { e.Hops, e.Final = []link.Hop{{URL: e.URL, Status: n, Target: to}}, to }
}

func TestJudge(t *testing.T) {
	text := func(words int, hash uint64) *link.Text { return &link.Text{Words: words, Simhash: hash} }
	copied := func(same float64, had, quoted link.Answer) *link.Comparison {
		return &link.Comparison{Ref: "c", Text: *text(900, 0), Similarity: same, Had: had, Quoted: quoted}
	}
	random := link.Sibling{URL: "http://www.site.example/2016/02/qwertyuiopasdfghjklzxcvbn", Random: true, Outcome: "captured", Status: 200, Similarity: 0.97}
	honest := random
	honest.Status = 404
	other := func(n int, final string) link.Sibling {
		return link.Sibling{URL: fmt.Sprintf("http://www.site.example/other/%d", n), Outcome: "captured", Status: 200, Final: final}
	}
	home := "http://www.site.example/"
	for _, c := range []struct {
		name   string
		change func(*link.Evidence)
		want   link.Verdict
		counts bool
		reason string
	}{
		{"a page", nil, link.Alive, true, "200"},
		{"unchanged", status(304), link.Alive, true, "304"},
		{"404", status(404), link.Gone, true, "404"},
		{"410", status(410), link.Gone, true, "410"},
		{"401", status(401), link.Paywalled, true, "401"},
		{"402", status(402), link.Paywalled, true, "402"},
		{"403", status(403), link.Blocked, true, "403"},
		{"429", status(429), link.Blocked, true, "429"},
		{"451", status(451), link.Blocked, true, "451"},
		{"999", status(999), link.Blocked, true, "999"},
		{"408", status(408), link.Timeout, true, "408"},
		{"405", status(405), link.ServerError, true, "405"},
		{"500", status(500), link.ServerError, true, "500"},
		{"our proxy", status(407), link.Unknown, false, "407"},
		{"a hotel's network", status(511), link.Unknown, false, "511"},
		{"a redirect to nowhere", status(302), link.ServerError, true, "302"},
		{"a redirect that was not followed", func(e *link.Evidence) { e.Status, e.Target = 302, "http://b.example/" }, link.Unknown, false, "was not asked"},
		{"HEAD with 404", func(e *link.Evidence) { e.Method, e.Status = "HEAD", 404 }, link.Unknown, false, "HEAD"},
		{"HEAD with 200", func(e *link.Evidence) { e.Method = "HEAD" }, link.Alive, true, "200"},
		{"bot wall with 404", flags(404, "bot-wall"), link.Blocked, true, "bot wall"},
		{"bot wall with 503", flags(503, "bot-wall"), link.Blocked, true, "bot wall"},
		{"login with 200", flags(200, "login"), link.Paywalled, true, "login"},
		{"consent", flags(200, "consent-wall"), link.Paywalled, true, "consent"},
		{"cookies", flags(200, "cookie-wall"), link.Blocked, true, "cookies"},
		{"needs a browser", flags(200, "needs-browser"), link.Alive, true, "200"},
		{"no such name", outcome("dns", "not-found"), link.DNSDead, true, "does not resolve"},
		{"name servers fail", outcome("dns", "server-failure"), link.DNSDead, true, "server-failure"},
		{"name servers are silent", func(e *link.Evidence) { e.Outcome, e.Status, e.Phase = "timeout", 0, "dns" }, link.DNSDead, true, "do not answer"},
		{"timeout", outcome("timeout"), link.Timeout, true, "no answer"},
		{"refused", outcome("refused"), link.Timeout, true, "refused"},
		{"unreachable", outcome("unreachable"), link.Timeout, true, "no route"},
		{"reset", outcome("reset"), link.Timeout, true, "reset"},
		{"tls", func(e *link.Evidence) { e.Outcome, e.Status, e.TLS = "tls", 0, "expired" }, link.TLSBad, true, "expired"},
		{"a page behind a bad certificate", func(e *link.Evidence) { e.TLS = "name" }, link.TLSBad, true, "name"},
		{"404 behind a bad certificate", func(e *link.Evidence) { e.TLS, e.Status = "name", 404 }, link.Gone, true, "404"},
		{"protocol", outcome("protocol"), link.ServerError, true, "not HTTP"},
		{"empty", outcome("empty"), link.ServerError, true, "empty"},
		{"loop", outcome("redirect-loop"), link.ServerError, true, "without an end"},
		{"robots", outcome("robots"), link.Excluded, true, "robots.txt"},
		{"excluded", outcome("excluded"), link.Excluded, true, "our own rules"},
		{"private", outcome("private"), link.Excluded, true, "private"},
		{"robots.txt unreadable", outcome("robots-error"), link.Unknown, false, "robots-error"},
		{"quota", outcome("quota"), link.Unknown, false, "quota"},
		{"host down", outcome("down"), link.Unknown, false, "down"},
		{"our network", func(e *link.Evidence) { e.Status, e.Void = 404, true }, link.Unknown, false, "our own network"},
		{"cut short", func(e *link.Evidence) { e.Outcome = "cut-short" }, link.Alive, true, "200"},

		{"to https", hop(301, "https://www.site.example/2016/02/story.html"), link.Alive, true, "200"},
		{"without www", hop(301, "http://site.example/2016/02/story.html"), link.Alive, true, "200"},
		{"slash", hop(301, page+"/"), link.Alive, true, "200"},
		{"within the site", hop(301, "http://www.site.example/news/story.html"), link.Redirected, true, "301"},
		{"elsewhere for now", hop(302, "http://b.example/story.html"), link.Redirected, true, "302"},
		{"elsewhere for good", hop(308, "http://b.example/story.html"), link.Redirected, true, "308"},
		{"to the front page", hop(302, home), link.Soft404, true, "front page"},
		{"to a language's front page", hop(302, home+"en/"), link.Soft404, true, "front page"},
		{"to the front page, and still our copy", func(e *link.Evidence) { hop(302, home)(e); e.Copy = copied(0.9, "", "") }, link.Redirected, true, "302"},
		{"a section to the front page", func(e *link.Evidence) { e.URL = home + "blog"; hop(302, home)(e) }, link.Redirected, true, "302"},

		{"a random sibling is alike", func(e *link.Evidence) { e.Siblings = []link.Sibling{random} }, link.Soft404, true, "97 %"},
		{"0.95 exactly", func(e *link.Evidence) { e.Siblings = []link.Sibling{random}; e.Siblings[0].Similarity = 0.95 }, link.Soft404, true, "95 %"},
		{"not quite alike", func(e *link.Evidence) { e.Siblings = []link.Sibling{random}; e.Siblings[0].Similarity = 0.94 }, link.Alive, true, "200"},
		{"an honest host", func(e *link.Evidence) { e.Siblings = []link.Sibling{honest} }, link.Alive, true, "200"},
		{"a sibling that others link is alike", func(e *link.Evidence) { e.Siblings = []link.Sibling{random}; e.Siblings[0].Random = false }, link.Alive, true, "200"},
		{"alike, and still our copy", func(e *link.Evidence) { e.Siblings, e.Copy = []link.Sibling{random}, copied(0.85, "", "") }, link.Alive, true, "200"},
		{"alike, and the quotation stands", func(e *link.Evidence) { e.Siblings, e.Copy = []link.Sibling{random}, copied(0.3, link.Yes, link.Yes) }, link.Alive, true, "200"},
		{"alike on a home page", func(e *link.Evidence) { e.URL, e.Siblings = home, []link.Sibling{random} }, link.Alive, true, "200"},
		{"alike without scripts", func(e *link.Evidence) { e.Flags, e.Siblings = []string{"needs-browser"}, []link.Sibling{random} }, link.Alive, true, "200"},
		{"three paths, one target", func(e *link.Evidence) {
			hop(302, home+"sorry.html")(e)
			e.Siblings = []link.Sibling{other(1, home+"sorry.html"), other(2, home+"sorry.html")}
		}, link.Soft404, true, "3 unlike"},
		{"two paths, one target", func(e *link.Evidence) {
			hop(302, home+"sorry.html")(e)
			e.Siblings = []link.Sibling{other(1, home+"sorry.html"), other(1, home+"sorry.html"), other(2, "")}
		}, link.Redirected, true, "302"},
		{"a random path, the same target", func(e *link.Evidence) {
			hop(302, home+"sorry.html")(e)
			e.Siblings = []link.Sibling{{URL: random.URL, Random: true, Status: 200, Final: home + "sorry.html"}}
		}, link.Soft404, true, "same place"},

		{"parked, another page", func(e *link.Evidence) { e.Host, e.Copy = &link.Host{Parking: []string{"ns-x"}}, copied(0.1, "", "") }, link.Usurped, true, "ns-x"},
		{"parked, the same page", func(e *link.Evidence) { e.Host, e.Copy = &link.Host{Parking: []string{"ns-x"}}, copied(0.9, "", "") }, link.Alive, true, "200"},
		{"parked, half of the page", func(e *link.Evidence) { e.Host, e.Copy = &link.Host{Parking: []string{"ns-x"}}, copied(0.6, "", "") }, link.Alive, true, "200"},
		{"parked, no copy", func(e *link.Evidence) { e.Host = &link.Host{Parking: []string{"ns-x"}} }, link.Unknown, false, "no copy"},
		{"another page, not parked", func(e *link.Evidence) { e.Host, e.Copy, e.Text = &link.Host{}, copied(0.1, "", ""), text(900, 0) }, link.Alive, true, "200"},

		{"the quotation has gone", func(e *link.Evidence) { e.Copy = copied(0.95, link.Yes, link.No) }, link.Drifted, true, "quoted sentence"},
		{"the quotation was never there", func(e *link.Evidence) { e.Copy, e.Text = copied(0.95, link.No, link.No), text(900, 1) }, link.Alive, true, "200"},
		{"all new, and the quotation stands", func(e *link.Evidence) { e.Copy, e.Text = copied(0.1, link.Yes, link.Yes), text(90, 1<<40-1) }, link.Alive, true, "200"},
		{"20 bits", func(e *link.Evidence) { e.Copy, e.Text = copied(0.5, "", ""), text(900, 1<<20-1) }, link.Alive, true, "200"},
		{"21 bits", func(e *link.Evidence) { e.Copy, e.Text = copied(0.5, "", ""), text(900, 1<<21-1) }, link.Drifted, true, "distance 21"},
		{"half as long", func(e *link.Evidence) { e.Copy, e.Text = copied(0.5, "", ""), text(440, 0) }, link.Drifted, true, "900 words"},
		{"not quite twice as long", func(e *link.Evidence) { e.Copy, e.Text = copied(0.5, "", ""), text(1800, 0) }, link.Alive, true, "200"},
		{"empty now", func(e *link.Evidence) { e.Copy, e.Text = copied(0, "", ""), text(0, 0) }, link.Drifted, true, "has 0"},
		{"a short copy", func(e *link.Evidence) {
			e.Copy, e.Text = copied(0.5, "", ""), text(900, 1<<30-1)
			e.Copy.Text.Words = 49
		}, link.Alive, true, "200"},
		{"the same bytes", func(e *link.Evidence) {
			e.Copy, e.Text = copied(0.5, link.Yes, link.No), text(900, 1<<30-1)
			e.Copy.Equal = true
		}, link.Alive, true, "200"},
		{"cut short, without the quotation", func(e *link.Evidence) { e.Outcome, e.Copy = "cut-short", copied(0.5, link.Yes, link.No) }, link.Alive, true, "200"},
	} {
		e, rules := ev(c.change), link.Defaults()
		f := link.Judge(&e, &rules)
		if f.Shows != c.want || f.Counts != c.counts || !strings.Contains(f.Reason, c.reason) {
			t.Errorf("%s: %s (counts %v, %q), want %s (%v, %q)", c.name, f.Shows, f.Counts, f.Reason, c.want, c.counts, c.reason)
		}
	}
}

func TestWants(t *testing.T) {
	r := link.Defaults()
	text := &link.Text{Words: 900, Simhash: 1}
	known := link.Fold([]link.Evidence{ev(func(e *link.Evidence) { e.Text = text })}, r)
	for _, c := range []struct {
		name   string
		state  link.State
		change func(*link.Evidence)
		want   link.Wants
	}{
		{"first look", link.State{}, func(e *link.Evidence) { e.Text = text }, link.Wants{Sibling: true}},
		{"the same text again", known, func(e *link.Evidence) { e.Text = text }, link.Wants{}},
		{"another text", known, func(e *link.Evidence) { e.Text = &link.Text{Words: 9, Simhash: 1 << 40} }, link.Wants{}},
		{"quite another text", known, func(e *link.Evidence) { e.Text = &link.Text{Words: 9, Simhash: ^uint64(0)} }, link.Wants{Sibling: true, Host: true}},
		{"it still matches our copy", link.State{}, func(e *link.Evidence) { e.Copy = &link.Comparison{Equal: true} }, link.Wants{}},
		{"a home page", link.State{}, func(e *link.Evidence) { e.URL = "http://site.example/" }, link.Wants{}},
		{"404", link.State{}, status(404), link.Wants{}},
		{"a wall", link.State{}, flags(200, "login"), link.Wants{}},
		{"parking markup", known, func(e *link.Evidence) { e.Text, e.Host = nil, &link.Host{Parking: []string{"x"}} }, link.Wants{Sibling: true, Host: true}},
	} {
		e := ev(c.change)
		if got := c.state.Wants(&e, r); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
