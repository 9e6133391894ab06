package watch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/rss"

	"linkstead/archive/urlkey"
)

// Bounds of a feed. Beyond them it is hostile or broken.
const (
	maxFeed        = 16 << 20 // bytes
	maxFeedEntries = 10_000
)

// errNoFeed says that a document is no feed.
var errNoFeed = errors.New("it is neither RSS nor Atom nor JSON Feed")

// ReadFeed reads RSS 0.9x, 1.0 and 2.0, Atom and JSON Feed. Relative links are resolved against xml:base, else against the
// link of an RSS channel, else against the feed's own address. An entry without a link is known by an identifier that
// is an address, unless it says that it is no permalink. What stood before a fault is read: the fault is among the notes.
func ReadFeed(body []byte, url string) (Listing, error) {
	body, notes, err := readable(body)
	if err != nil {
		return Listing{}, fmt.Errorf("the feed can't be read: %w", err)
	}
	f, err := parseFeed(body)
	if err != nil {
		return Listing{}, err
	}
	base, err := urlkey.NewBase(url)
	if err != nil {
		return Listing{}, err
	}
	original, _ := f.OriginalFeed().(*rss.Feed)
	if original != nil {
		if link, err := base.Resolve(f.Link); err == nil && f.Link != "" && urlkey.Fetchable(link) {
			if b, err := urlkey.NewBase(link); err == nil {
				base = b
			}
		}
	}
	out := newEntries(maxFeedEntries)
	for i, item := range f.Items {
		permalink := true
		if original != nil && i < len(original.Items) && original.Items[i].GUID != nil {
			permalink = original.Items[i].GUID.IsPermalink != "false"
		}
		out.add(entryURL(base, item, permalink), NoStamp)
	}
	return Listing{Entries: out.list, Notes: append(notes, out.notes()...)}, nil
}

// entryURL is the address of an entry; "" if it has none.
func entryURL(base *urlkey.Base, item *gofeed.Item, permalink bool) string {
	for _, link := range append([]string{item.Link}, item.Links...) {
		if link == "" {
			continue
		}
		if u, err := base.Resolve(link); err == nil && urlkey.Fetchable(u) {
			return u
		}
	}
	if u, err := urlkey.Parse("", item.GUID); permalink && err == nil && urlkey.Fetchable(u) {
		return u
	}
	return ""
}

// parseFeed is the parser behind a guard: what others wrote must not bring the worker down.
func parseFeed(body []byte) (f *gofeed.Feed, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("the feed can't be read: %v", p)
		}
	}()
	p := gofeed.NewParser()
	p.KeepOriginalFeed = true
	f, err = p.Parse(bytes.NewReader(body))
	if errors.Is(err, gofeed.ErrFeedTypeNotDetected) {
		err = errNoFeed
	}
	if err != nil {
		return nil, fmt.Errorf("the feed can't be read: %w", err)
	}
	return f, nil
}

// readable is what the parser can be given of a feed without harm, and notes on what it can't.
func readable(body []byte) (feed []byte, notes []string, err error) {
	if len(body) > maxFeed {
		body = body[:maxFeed]
		notes = append(notes, fmt.Sprintf("only the first %d MiB of the feed were read", maxFeed>>20))
	}
	body, err = plain(body, maxFeed)
	if err != nil {
		return nil, nil, err
	}
	body = bytes.TrimLeft(body, " \t\r\n\ufeff")
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		if bytes.Count(body, []byte("{")) > maxNodes {
			return nil, nil, fmt.Errorf("it has more than %d objects", maxNodes)
		}
		return body, notes, nil
	case !bytes.HasPrefix(body, []byte("<")):
		return nil, nil, errNoFeed
	}
	feed, over, fault := sound(body, maxFeedEntries)
	if feed == nil {
		return nil, nil, fault
	}
	if fault != nil && len(notes) == 0 {
		notes = append(notes, "the feed can't be read to its end: "+fault.Error())
	}
	if over > 0 {
		notes = append(notes, leftOut(over, maxFeedEntries))
	}
	return feed, notes, nil
}
