package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"linkstead/archive/link"
	"linkstead/crawler"
)

// TestLinksAsTheyWere: the page of what became of links, and its JSON; what addresses say is text.
func TestLinksAsTheyWere(t *testing.T) {
	a := newArchive(t)
	since, next := day.Add(-9*24*time.Hour), day.Add(3*24*time.Hour)
	all := []*crawler.LinkReport{
		{URL: "http://gone.example/a?b=1&c=<script>", Collection: "default", Posts: []string{"waf3kq2m7ayz"}, Verdict: link.Gone,
			Says: "Gone since 3 August (404, 3 checks over 9 days).", Since: &since, Strikes: 3, Needed: 3, Looks: 4, Last: &day, Next: &next},
		{URL: "http://lives.example/", Collection: "default", Posts: []string{"waf3kq2m7ayz", "k2notes4sfds"}, Verdict: link.Alive, Says: "Alive.",
			Suspect: link.Timeout, Strikes: 1, Needed: 5, Looks: 2, Last: &day, LastGood: &since, Next: &next},
		{URL: "http://new.example/", Collection: "default", Posts: []string{"k2notes4sfds"}, Verdict: link.Unknown, Says: "Nobody has looked yet."},
	}
	a.pages.Lives = func(_ context.Context, _, state string, _ int) (out []*crawler.LinkReport, err error) {
		for _, l := range all {
			if state == "" || string(l.Verdict) == state {
				out = append(out, l)
			}
		}
		return out, nil
	}
	for name, path := range map[string]string{"links.html": "/links", "links_gone.html": "/links?state=gone", "links_none.html": "/links?state=moved", "links.json": "/links.json"} {
		w := a.get(path)
		golden(t, name, strings.ReplaceAll(w.Body.String(), styleTag, "STYLE"))
		if !strings.HasSuffix(name, ".json") && strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s: an address is markup", path)
		}
	}
	if a.log.Len() > 0 {
		t.Error(a.log.String())
	}
}
