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
	maxNesting     = 256 // elements within each other: the parser takes stack for each
)

// errNoFeed says that a document is no feed.
var errNoFeed = errors.New("it is neither RSS nor Atom nor JSON Feed")

// ReadFeed reads RSS 0.9x, 1.0 and 2.0, Atom and JSON Feed. Relative links are resolved against xml:base, else against the
// link of an RSS channel, else against the feed's own address. An entry without a link is known by an identifier that
// is an address, unless it says that it is no permalink.
func ReadFeed(body []byte, url string) (Listing, error) {
	if len(body) > maxFeed {
		return Listing{}, fmt.Errorf("the feed is longer than %d MiB", maxFeed>>20)
	}
	if nesting(body) > maxNesting {
		return Listing{}, fmt.Errorf("the feed has more than %d elements within each other", maxNesting)
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
	return Listing{Entries: out.list, Notes: out.notes()}, nil
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

// nesting is how many elements of an XML document stand within each other at most, without reading it in full: sections
// and comments are passed over, and what is not well-formed counts for more rather than less.
func nesting(b []byte) (most int) {
	depth := 0
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 || i+1 >= len(b) {
			return most
		}
		b = b[i+1:]
		switch {
		case bytes.HasPrefix(b, []byte("![CDATA[")):
			b = after(b, "]]>")
		case bytes.HasPrefix(b, []byte("!--")):
			b = after(b, "-->")
		case b[0] == '!' || b[0] == '?':
			b = after(b, ">")
		case b[0] == '/':
			depth = max(depth-1, 0)
		default:
			end := bytes.IndexByte(b, '>')
			if end < 0 || b[max(end-1, 0)] != '/' {
				depth++
				most = max(most, depth)
			}
		}
	}
}

// after is what follows the next mark; nothing if there is none.
func after(b []byte, mark string) []byte {
	if i := bytes.Index(b, []byte(mark)); i >= 0 {
		return b[i+len(mark):]
	}
	return nil
}
