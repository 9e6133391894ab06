package crawler

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
)

// lists says whether a document on such a hop path is read for what it lists, whatever its media type.
func (r *run) lists(hops string) bool { return r.spec().Lists(hops) || r.scope.Load().Maps(hops) }

// maxMapsNamed bounds how many sitemaps of one robots.txt are taken.
const maxMapsNamed = 1000

// nameMaps makes tasks of the sitemaps that a robots.txt names in a crawl that reads them, and of the one that stands where most
// sites have it.
func (c *Crawler) nameMaps(r *run, e *warc.Entry) {
	s := r.scope.Load()
	x := e.Exchange
	if !s.MapsOf(x.URL) || redirects(x.Head) || !x.Outcome.Kept() || e.Meta.Retry != 0 {
		return
	}
	f := newFinder(r, e, x.URL)
	if x.Head.Status/100 == 2 {
		_, body, _ := bytes.Cut(e.Keep, []byte("\n")) // see robotsAnswer.encode
		names := robots.Parse(body).Sitemaps()
		for i, name := range names {
			if i == maxMapsNamed {
				f.note(fmt.Sprintf("%d sitemaps were left out: only the first %d of a robots.txt are read", len(names)-i, maxMapsNamed))
				break
			}
			if u, err := f.base.Resolve(name); err == nil && urlkey.Fetchable(u) {
				f.add(u, scope.HopNested, "robots.txt")
			} else {
				f.note(fmt.Sprintf("a sitemap is named by what is no http(s) address: %.200q", name))
			}
		}
	}
	f.add(urlkey.Origin(x.URL)+"/sitemap.xml", scope.HopNested, "sitemap.xml")
}

// guessMap is for sites whose robots.txt is not asked for, or was before it was known that the site is there: its first page
// stands for it.
func (f *finder) guessMap() {
	spec, url := f.scope.Spec(), f.e.Task.URL
	if !f.scope.MapsOf(url) || spec.Robots != scope.RobotsIgnore && urlkey.Host(url) == urlkey.Host(spec.Source) {
		return
	}
	f.add(urlkey.Origin(f.e.Task.URL)+"/sitemap.xml", scope.HopNested, "sitemap.xml")
}

// discoverMapped makes tasks of what a sitemap or a feed lists in a crawl. One that can't be read is captured all the same, and
// a note says why it leads nowhere.
func (c *Crawler) discoverMapped(r *run, e *warc.Entry, d fetch.Document) {
	if d.Status/100 != 2 {
		return
	}
	f := newFinder(r, e, d.URL)
	l, err := readMap(d)
	if err != nil {
		err = errors.New(f.hide.Text(err.Error()))
		f.note(err.Error())
		c.Log.Info("a sitemap or feed can't be read", "run", r.row.ID, "url", d.URL, "error", err)
		return
	}
	for _, n := range l.Notes {
		f.note(n)
	}
	if d.Capped || d.Broken != "" {
		f.note("not all of it was read: it is broken, or longer than the limit")
	}
	for _, n := range l.Nested {
		f.add(n, scope.HopNested, "sitemap")
	}
	for _, en := range l.Entries {
		f.add(en.URL, scope.HopEntry, "listed")
	}
	f.noteSpare("entries")
	f.noteTraps()
}

// readMap reads a sitemap or a feed, whichever it is.
func readMap(d fetch.Document) (watch.Listing, error) {
	switch {
	case bytes.HasPrefix(bytes.TrimLeft(d.Body, " \t\r\n\ufeff"), []byte("{")): // JSON Feed
		return watch.ReadFeed(d.Body, d.URL)
	case d.Mime == "text/html":
		if l, err := watch.ReadSitemap(d.Body, d.URL); err == nil && strings.Contains(string(d.Body[:min(len(d.Body), 1024)]), "<") {
			return l, nil // many a sitemap is sent as that
		}
		return watch.Listing{}, fmt.Errorf("it is a page, and neither a sitemap nor a feed")
	}
	return watch.ReadSitemap(d.Body, d.URL)
}
