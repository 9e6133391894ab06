package watch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"linkstead/archive/urlkey"
)

// Bounds of a sitemap, as sitemaps.org sets them.
const (
	maxSitemap        = 50 << 20 // bytes, uncompressed
	maxSitemapEntries = 50_000
)

// maxPackedFeed bounds a feed that stands in a sitemap's place, in bytes, uncompressed: unlike a sitemap it is read in one piece.
const maxPackedFeed = 8 << 20

// ReadSitemap reads a sitemap (urlset), a sitemap index, a plain text sitemap, or a feed in a sitemap's place; each may be
// compressed by gzip, and is not uncompressed into memory. What was read before a fault stays: the fault is among the notes.
func ReadSitemap(body []byte, url string) (Listing, error) {
	base, err := urlkey.NewBase(url)
	if err != nil {
		return Listing{}, err
	}
	src, err := unpacked(body)
	if err != nil {
		return Listing{}, fmt.Errorf("the sitemap can't be uncompressed: %w", err)
	}
	clean, err := plainOf(src)
	if err != nil {
		return Listing{}, fmt.Errorf("the sitemap can't be read: %w", err)
	}
	text := bufio.NewReaderSize(clean, 4<<10)
	var notes []string
	m := mapReader{base: base, entries: newEntries(maxSitemapEntries), nested: newEntries(maxSitemapEntries)}
	if markup(text) {
		if err := m.read(text); errors.Is(err, errFeed) {
			return feedInPlace(body, url)
		} else if err != nil && len(m.entries.list)+len(m.nested.list) == 0 {
			return Listing{}, fmt.Errorf("the sitemap can't be read: %w", err)
		} else if err != nil {
			notes = append(notes, "the sitemap can't be read to its end: "+err.Error())
		}
	} else if err := m.lines(text); err != nil {
		notes = append(notes, "the sitemap can't be read to its end: "+err.Error())
	}
	notes = append(src.notes(), notes...)
	l := Listing{Entries: m.entries.list, Notes: append(append(notes, m.entries.notes()...), m.nested.notes()...)}
	for _, n := range m.nested.list {
		l.Nested = append(l.Nested, n.URL)
	}
	return l, nil
}

// unpacked is a body as it is read: as it is, or uncompressed.
func unpacked(body []byte) (*limited, error) {
	src := &limited{r: bytes.NewReader(body), left: maxSitemap}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(src.r)
		if err != nil {
			return nil, err
		}
		src.r = z
	}
	return src, nil
}

// feedInPlace reads a feed that stands in a sitemap's place.
func feedInPlace(body []byte, url string) (Listing, error) {
	src, err := unpacked(body)
	if err != nil {
		return Listing{}, err
	}
	src.left = max(min(maxPackedFeed, 32*int64(len(body))), int64(len(body)))
	if body, err = io.ReadAll(src); err != nil {
		return Listing{}, err
	}
	l, err := ReadFeed(body, url)
	if src.over {
		l.Notes = append(l.Notes, "only the beginning of the feed was read")
	}
	return l, err
}

// markup passes over white space, and says whether a tag follows.
func markup(r *bufio.Reader) bool {
	for {
		c, _, err := r.ReadRune()
		if err != nil {
			return false
		}
		if !unicode.IsSpace(c) {
			_ = r.UnreadRune() // there is one
			return c == '<'
		}
	}
}

// lines reads a plain text sitemap.
func (m *mapReader) lines(r *bufio.Reader) error {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) <= urlkey.MaxLength {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if u := string(bytes.TrimSpace(line)); u != "" {
			u, _ = urlkey.Parse("", u) // sitemaps.org: in full; what is none is a line of another text
			m.entries.add(u, NoStamp)
		}
		line = line[:0]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
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
func (m *mapReader) read(r *bufio.Reader) error {
	d := newMapTokens(r)
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
