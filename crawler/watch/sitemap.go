package watch

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"linkstead/archive/urlkey"
)

// Bounds of a sitemap, as sitemaps.org sets them.
const (
	maxSitemap        = 50 << 20 // bytes, uncompressed
	maxSitemapEntries = 50_000
)

// ReadSitemap reads a sitemap (urlset), a sitemap index, a plain text sitemap, or a feed in a sitemap's place; each may be
// compressed by gzip. What was read before a fault stays: the fault is among the notes.
func ReadSitemap(body []byte, url string) (Listing, error) {
	var notes []string
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return Listing{}, fmt.Errorf("the sitemap can't be uncompressed: %w", err)
		}
		body, err = io.ReadAll(io.LimitReader(z, maxSitemap+1))
		if err != nil {
			notes = append(notes, "the sitemap can't be uncompressed to its end")
		}
	}
	if len(body) > maxSitemap {
		body = body[:maxSitemap]
		notes = append(notes, fmt.Sprintf("only the first %d MiB of the sitemap were read", maxSitemap>>20))
	}
	base, err := urlkey.NewBase(url)
	if err != nil {
		return Listing{}, err
	}
	if body, err = plain(body, maxSitemap); err != nil {
		return Listing{}, fmt.Errorf("the sitemap can't be read: %w", err)
	}
	out, nested := newEntries(maxSitemapEntries), newEntries(maxSitemapEntries)
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		for line := range bytes.Lines(body) {
			if u := strings.TrimSpace(string(line)); u != "" {
				out.add(resolved(base, u), NoStamp)
			}
		}
	} else {
		m := mapReader{base: base, entries: out, nested: nested}
		if err := m.read(body); errors.Is(err, errFeed) {
			return ReadFeed(body, url)
		} else if err != nil && len(out.list)+len(nested.list) == 0 {
			return Listing{}, fmt.Errorf("the sitemap can't be read: %w", err)
		} else if err != nil {
			notes = append(notes, "the sitemap can't be read to its end: "+err.Error())
		}
	}
	l := Listing{Entries: out.list, Notes: append(append(notes, out.notes()...), nested.notes()...)}
	for _, n := range nested.list {
		l.Nested = append(l.Nested, n.URL)
	}
	return l, nil
}

func resolved(base *urlkey.Base, ref string) string {
	u, err := base.Resolve(ref)
	if err != nil {
		return ""
	}
	return u
}

var (
	errFeed      = errors.New("a feed")
	errNoSitemap = errors.New("it is neither a sitemap nor a sitemap index")
)

// mapReader reads urlset and sitemapindex.
type mapReader struct {
	base            *urlkey.Base
	entries, nested *entries
	loc, lastmod    string
}

// read goes through a plain document, in constant memory. Elements are known by their local names: many sitemaps have the
// namespace wrong.
func (m *mapReader) read(body []byte) error {
	d := newTokens(body)
	var path []string
	var text *string
	for {
		t, err := d.next()
		if errors.Is(err, io.EOF) {
			if path == nil {
				return errNoSitemap
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			name := strings.ToLower(t.Name.Local)
			if len(path) == 0 {
				switch name {
				case "urlset", "sitemapindex":
				case "rss", "feed", "rdf":
					return errFeed
				default:
					return errNoSitemap
				}
			}
			if len(path) > maxNesting {
				return fmt.Errorf("more than %d elements within each other", maxNesting)
			}
			path = append(path, name)
			text = m.begin(path)
		case xml.CharData:
			if text != nil && len(*text) < urlkey.MaxLength {
				*text += string(t)
			}
		case xml.EndElement:
			if len(path) > 1 {
				m.end(path)
				path = path[:len(path)-1]
			}
			text = nil
		}
	}
}

// begin says where the text of an element goes.
func (m *mapReader) begin(path []string) *string {
	if len(path) == 2 {
		m.loc, m.lastmod = "", ""
	}
	if len(path) != 3 || path[1] != "url" && path[1] != "sitemap" {
		return nil
	}
	switch path[2] {
	case "loc":
		return &m.loc
	case "lastmod":
		return &m.lastmod
	}
	return nil
}

func (m *mapReader) end(path []string) {
	if len(path) != 2 || strings.TrimSpace(m.loc) == "" {
		return
	}
	to := m.entries
	if path[0] == "sitemapindex" {
		to = m.nested
	}
	to.add(resolved(m.base, strings.TrimSpace(m.loc)), m.lastmod)
	m.loc = ""
}
