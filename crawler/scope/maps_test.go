package scope_test

import (
	"testing"

	"linkstead/crawler/scope"
)

func TestReadsMaps(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scope.Spec)
		want   bool
	}{
		{"a front page", func(s *scope.Spec) { s.Source, s.Depth = "http://site.example", 2 }, true},
		{"a front page, no more than its links", func(s *scope.Spec) { s.Source, s.Depth = "http://site.example/", 1 }, false},
		{"a post", func(s *scope.Spec) { s.Depth = 5 }, false},
		{"a post, if asked", func(s *scope.Spec) { s.Depth, s.Sitemaps = 5, scope.MapsRead }, true},
		{"a front page, if asked not to", func(s *scope.Spec) { s.Source, s.Depth, s.Sitemaps = "http://site.example/", 5, scope.MapsLeave }, false},
		{"a watched feed", func(s *scope.Spec) { s.Source, s.Depth, s.Watch = "http://site.example/", 5, scope.WatchFeed }, false},
	} {
		if got := compile(t, c.change).ReadsMaps(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestAdmitMapped(t *testing.T) {
	crawl := func(depth int, b scope.Bound) *scope.Scope {
		return compile(t, func(s *scope.Spec) { s.Source, s.Depth, s.Scope = "http://site.example/", depth, b })
	}
	const host = scope.BoundHost
	const at = "http://site.example/x"
	mapped := func(depth int, hops string, due int64) scope.Verdict {
		return scope.Verdict{Admitted: true, Kind: scope.KindPage, Depth: depth, Hops: hops, Due: due}
	}
	for _, c := range []struct {
		name string
		s    *scope.Scope
		link scope.Link
		want scope.Verdict
	}{
		{"robots.txt names a sitemap", crawl(2, host), scope.Link{URL: at, Hop: 'N', Hops: "P"}, mapped(1, "PN", 15)},
		{"on another host", crawl(2, host), scope.Link{URL: "http://cdn.example/map.gz", Hop: 'N', Hops: "PR"}, mapped(1, "PRN", 15)},
		{"an index names one", crawl(2, host), scope.Link{URL: at, Hop: 'N', From: at, Hops: "PN", Depth: 1}, mapped(1, "PNN", 15)},
		{"an index names one elsewhere", crawl(2, host), scope.Link{URL: "http://far.example/", Hop: 'N', From: at, Hops: "PN", Depth: 1}, scope.Verdict{Reason: scope.ReasonScope}},
		{"an index within an index", crawl(9, host), scope.Link{URL: at, Hop: 'N', From: at, Hops: "PNN", Depth: 1}, scope.Verdict{Reason: scope.ReasonDepth}},
		{"an entry", crawl(2, host), scope.Link{URL: at, Hop: 'M', From: at, Hops: "PN", Depth: 1}, mapped(2, "PNM", 25)},
		{"an entry elsewhere", crawl(2, host), scope.Link{URL: "http://far.example/", Hop: 'M', From: at, Hops: "PN", Depth: 1}, scope.Verdict{Reason: scope.ReasonScope}},
		{"a feed of the post", crawl(2, host), scope.Link{URL: at, Hop: 'N', From: at}, mapped(1, "N", 15)},
		{"a feed of a page", crawl(3, host), scope.Link{URL: at, Hop: 'N', From: at, Hops: "L", Depth: 1}, mapped(2, "LN", 25)},
		{"a feed too far away", crawl(2, host), scope.Link{URL: at, Hop: 'N', From: at, Hops: "L", Depth: 1}, scope.Verdict{Reason: scope.ReasonDepth}},
		{"an entry's redirect leaves", crawl(5, host), scope.Link{URL: "http://far.example/", Hop: 'R', From: at, Hops: "PNM", Depth: 2}, scope.Verdict{Reason: scope.ReasonScope}},
		{"an entry's links", crawl(3, host), scope.Link{URL: at, Hop: 'L', From: at, Hops: "PNM", Depth: 2}, mapped(3, "PNML", 30)},
	} {
		got := c.s.Admit(c.link)
		if got.Detail = ""; got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
