package scope

import (
	"strings"

	"linkstead/archive/urlkey"
)

// Maps says whether a crawl reads the sitemaps and feeds of its site for pages that no link may lead to.
type Maps string

// What a crawl does with sitemaps and feeds. If nobody says, they are read where a whole site was asked for: when the source
// is its front page.
const (
	MapsRead  Maps = "yes"
	MapsLeave Maps = "no"
)

// A sitemap, or a feed, is as far away as a page of links would be: a hop from what names it, and what it lists a hop
// further. So a run reads them only if it follows two hops.

// ReadsMaps says whether the run reads the sitemaps and feeds of its site.
func (s *Scope) ReadsMaps() bool {
	return s.spec.Watch == "" && s.spec.Depth >= 2 && (s.spec.Sitemaps == MapsRead || s.spec.Sitemaps == "" && s.front)
}

// Maps says whether a document on such a hop path is read for entries in a crawl: a sitemap or a feed.
func (s *Scope) Maps(hops string) bool {
	return s.ReadsMaps() && strings.HasSuffix(strings.TrimRight(hops, string(HopRedirect)), string(HopNested))
}

// MapsOf says whether the sitemaps of a URL's host are read: whether there are pages of the run.
func (s *Scope) MapsOf(url string) bool {
	if !s.ReadsMaps() || !urlkey.Fetchable(url) {
		return false
	}
	switch s.spec.Scope {
	case BoundAny, BoundHost, BoundPrefix: // a site whose front page redirects from or to www. has one robots.txt, maybe there
		return strings.TrimPrefix(urlkey.Host(url), "www.") == strings.TrimPrefix(s.root.host, "www.")
	default:
		return s.inBounds(url)
	}
}

// FeedsOf says whether the feeds that a page names are read: those of the source and of what it links to. Further down,
// each page may name one of its own comments.
func (s *Scope) FeedsOf(hops string, depth int) bool {
	return s.ReadsMaps() && depth <= 1 && Role(hops) == KindPage && !s.Maps(hops)
}

// admitMapped decides on a sitemap or a feed of a crawl, and on what they list.
func (s *Scope) admitMapped(l Link) Verdict {
	if !s.ReadsMaps() {
		return refuse(ReasonDepth, "sitemaps and feeds are not read")
	}
	if v, out := s.excluded(l.URL); out {
		return v
	}
	nested := s.Maps(l.Hops)
	depth := l.Depth + 1
	if nested && l.Hop == HopNested {
		depth = l.Depth // the index stands for it
	}
	last := depth
	if l.Hop == HopNested {
		last++ // what it lists
	}
	switch before := strings.TrimRight(l.Hops, string(HopRedirect)); {
	case last > s.spec.Depth:
		return refuse(ReasonDepth, "what it lists would be further away than the run follows")
	case l.Hop == HopEntry && !s.inBounds(l.URL):
		return refuse(ReasonScope, s.bounds())
	case l.Hop == HopEntry:
		return s.unlessTrap(l, admit(l, KindPage, depth, int64(depth)*duePerDepth+dueOther))
	case strings.HasSuffix(before, "NN"):
		return refuse(ReasonDepth, "an index within an index is not followed")
	case Role(l.Hops) != KindRobots && !s.MapsOf(l.URL) && urlkey.Host(l.URL) != urlkey.Host(l.From):
		return refuse(ReasonScope, s.bounds()) // robots.txt alone may name what lies elsewhere (sitemaps.org, cross submits)
	}
	return admit(l, KindPage, depth, int64(depth)*duePerDepth+dueOther)
}

// isFront says whether an address is that of a site's front page.
func isFront(source string) bool {
	u, err := urlkey.Parse("", source)
	return err == nil && urlkey.Fetchable(u) && u == urlkey.Origin(u)+"/"
}
