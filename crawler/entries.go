package crawler

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// find finds what a document of a run leads to.
func (c *Crawler) find(ctx context.Context, r *run, e *warc.Entry, d fetch.Document) error {
	switch {
	case scope.Role(e.Task.Hops) == scope.KindPage && r.spec().Lists(e.Task.Hops):
		if d.Status/100 != 2 {
			return nil
		}
		return c.discoverEntries(ctx, r, e, d)
	case r.scope.Load().Maps(e.Task.Hops):
		c.discoverMapped(r, e, d)
		return nil
	case r.spec().IsPost(e.Task.Hops) && !r.spec().Single() && d.Status/100 == 2:
		source, err := c.entryOf(ctx, r, e.Task)
		if err != nil {
			return err
		}
		c.discoverPost(r, e, d, c.Now().UTC(), source)
		return nil
	}
	return c.discover(ctx, r, e, d)
}

// entryOf is the address under which a feed or a sitemap lists what a task stands for: the task's own, unless redirects
// led there.
func (c *Crawler) entryOf(ctx context.Context, r *run, t storage.Task) (string, error) {
	if t.Hops[len(t.Hops)-1] == byte(scope.HopEntry) {
		return t.URL, nil
	}
	url, err := c.Watched.EntryOf(ctx, r.row.Schedule, t.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return t.URL, nil
	}
	return url, err
}

// discoverEntries makes tasks of what a feed, a sitemap or a list names: of a list all of it, else what is new or has
// changed since it was last captured. A document that can't be read is captured all the same; a note says why it leads
// nowhere, and the run's row if it is what the schedule names.
func (c *Crawler) discoverEntries(ctx context.Context, r *run, e *warc.Entry, d fetch.Document) error {
	f := newFinder(r, e, d.URL)
	l, unread := c.listing(r, e, d)
	concealListing(f.hide, &l)
	if unread != nil {
		unread = errors.New(f.hide.Text(unread.Error()))
	}
	if scope.IsSeed(e.Task.Hops) {
		if err := c.History.SetFault(ctx, r.row.ID, sentence(unread)); err != nil {
			return err
		}
	}
	if unread != nil {
		c.Log.Warn("what a schedule watches can't be read", "schedule", r.row.Schedule, "run", r.row.ID, "url", d.URL, "error", unread)
		f.note(unread.Error())
		return nil
	}
	for _, n := range l.Notes {
		f.note(n)
	}
	if d.Capped || d.Broken != "" {
		f.note("not all of it was read: it is broken, or longer than the limit")
	}
	if r.spec().Watch == scope.WatchList {
		for _, en := range l.Entries {
			f.add(en.URL, scope.HopEntry, "list")
		}
		f.scan(d, c.until())
		return nil
	}
	if len(l.Nested) > 0 && !scope.IsSeed(e.Task.Hops) {
		f.note(fmt.Sprintf("%d sitemaps were left out: an index within an index is not followed", len(l.Nested)))
		l.Nested = nil
	}
	for _, n := range l.Nested {
		f.add(n, scope.HopNested, "sitemap")
	}
	fresh, err := c.fresh(ctx, r, l.Entries)
	if err != nil {
		return err
	}
	for _, en := range fresh {
		f.add(en.URL, scope.HopEntry, warc.EntryContext+en.Stamp)
	}
	f.noteSpare("entries")
	f.noteTraps()
	return nil
}

// sentence is what an error says for people; empty if there is none.
func sentence(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSuffix(strings.ReplaceAll(err.Error(), "\n", ": "), ".") + "."
}

// listing reads what a document names, by what the run watches.
func (c *Crawler) listing(r *run, e *warc.Entry, d fetch.Document) (watch.Listing, error) {
	switch r.spec().Watch {
	case scope.WatchFeed:
		return watch.ReadFeed(d.Body, d.URL)
	case scope.WatchSitemap:
		return watch.ReadSitemap(d.Body, d.URL)
	}
	doc, err := readPost(d, r.spec(), c.until())
	if err != nil {
		return watch.Listing{}, fmt.Errorf("the links of a document of type %q can't be read: %w", d.Mime, err)
	}
	var l watch.Listing
	for _, ct := range doc.Citations {
		if ct.LeftOut == "" && urlkey.Fetchable(ct.URL) {
			l.Entries = append(l.Entries, watch.Entry{URL: ct.URL, Stamp: watch.NoStamp})
		}
	}
	return l, nil
}

// fresh are the entries that were never captured, or are listed as another version now.
func (c *Crawler) fresh(ctx context.Context, r *run, list []watch.Entry) ([]watch.Entry, error) {
	ids := make([]int64, len(list))
	for i, en := range list {
		ids[i] = urlkey.PageID(en.URL)
	}
	known, err := c.Watched.Known(ctx, r.row.Schedule, ids)
	if err != nil {
		return nil, err
	}
	var out []watch.Entry
	for i, en := range list {
		if stamp, ok := known[ids[i]]; !ok || en.Stamp != watch.NoStamp && en.Stamp != stamp {
			out = append(out, en)
		}
	}
	return out, nil
}
