package pack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/httpmsg"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// waczVersion is the version of the standard that is written (WACZ, specs.webrecorder.net/wacz/1.1.1).
const waczVersion = "1.1.1"

// Names within a WACZ.
const (
	waczData   = "data.warc.gz"
	waczIndex  = "index.cdx.gz"
	waczBlocks = "index.idx"
)

// Package is what a WACZ tells of itself.
type Package struct {
	Title       string
	Description string
	Software    string
	MainURL     string    // the page to begin with …
	MainAt      time.Time // … and when it was captured
	Pages       []Page    // those that a person asked for, first of all
}

// Page is an entry point of a WACZ.
type Page struct {
	URL   string
	At    time.Time
	Title string
	ID    string
}

// maxPages bounds the pages that are listed besides those of the package.
const maxPages = 10_000

// WACZ writes a selection as a WACZ file: the records in one WARC file, stored; a ZipNum index of them; the pages, with their text;
// and the digests of all of it (WACZ 1.1.1).
func (x *Exporter) WACZ(ctx context.Context, w io.Writer, p Package, sel Selection) (done Exported, err error) {
	data, err := x.newPart("archive/" + waczData)
	if err != nil {
		return done, err
	}
	parts := []*waczPart{data}
	defer func() {
		for _, part := range parts {
			err = errors.Join(err, part.file.Close())
		}
	}()
	part := func(name string) *waczPart {
		n, perr := x.newPart(name)
		if perr != nil {
			err = errors.Join(err, perr)
			return nil
		}
		parts = append(parts, n)
		return n
	}
	index, blocks, pages, extra := part("indexes/"+waczBlocks), part("indexes/"+waczIndex), part("pages/pages.jsonl"), part("pages/extraPages.jsonl")
	if err != nil {
		return done, err
	}
	lines := &sorter{temp: x.temp}
	defer func() { err = errors.Join(err, lines.close()) }()
	list := newPageList(x, p, pages, extra)
	if err := list.head(); err != nil {
		return done, err
	}
	var line []byte
	done, err = x.WARC(ctx, data, waczData, sel, func(c storage.Capture, r *cdx.Row, asked *warc.Request) error {
		line = appendViewerLine(line[:0], &c, r, asked)
		if asked != nil || c.URLKey != urlkey.Key(c.URL) {
			return lines.add(line) // no page: it can't be opened by its address
		}
		return errors.Join(lines.add(line), list.add(ctx, &c))
	})
	if err != nil {
		return done, err
	}
	if err := (&zipNum{blocks: &counter{w: blocks}, index: index, name: waczIndex, apart: true}).all(lines); err != nil {
		return done, err
	}
	done.Format, done.Pages = "wacz", list.n
	done.Bytes, err = x.zip(w, p, parts)
	return done, err
}

// waczPart is a file within a WACZ while it is made.
type waczPart struct {
	name string
	file *os.File
	out  *bufio.Writer
	sum  hash.Hash
	crc  hash.Hash32
	size int64
}

func (x *Exporter) newPart(name string) (*waczPart, error) {
	f, err := x.temp()
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	return &waczPart{name: name, file: f, out: bufio.NewWriterSize(f, 256<<10), sum: sha256.New(), crc: crc32.NewIEEE()}, nil
}

func (p *waczPart) Write(b []byte) (int, error) {
	n, err := p.out.Write(b)
	p.sum.Write(b[:n])
	p.crc.Write(b[:n])
	p.size += int64(n)
	return n, err
}

// resource is a file as datapackage.json lists it (Frictionless Data Package).
type resource struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Hash  string `json:"hash"`
	Bytes int64  `json:"bytes"`
}

// dataPackage is datapackage.json.
type dataPackage struct {
	Profile     string     `json:"profile"`
	WACZVersion string     `json:"wacz_version"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Created     string     `json:"created"`
	Modified    string     `json:"modified"`
	Software    string     `json:"software"`
	Collection  string     `json:"collection"` // a field of ours
	MainPageURL string     `json:"mainPageURL,omitempty"`
	MainPageTS  string     `json:"mainPageDate,omitempty"`
	Resources   []resource `json:"resources"`
}

// zip writes the parts into a ZIP file: all stored, so that each can be read at any place, with their sizes before them, so that it can
// be read from its begin to its end, too.
func (x *Exporter) zip(w io.Writer, p Package, parts []*waczPart) (int64, error) {
	out := &counter{w: w}
	z := zip.NewWriter(out)
	now := x.Now().UTC()
	dp := dataPackage{
		Profile: "data-package", WACZVersion: waczVersion, Title: p.Title, Description: p.Description, Created: now.Format(time.RFC3339),
		Modified: now.Format(time.RFC3339), Software: p.Software, Collection: x.Collection, MainPageURL: p.MainURL,
	}
	if !p.MainAt.IsZero() {
		dp.MainPageTS = p.MainAt.UTC().Format(time.RFC3339)
	}
	for _, part := range parts {
		if err := part.out.Flush(); err != nil {
			return out.n, err
		}
		if err := stored(z, part.name, now, part.crc.Sum32(), part.size, io.NewSectionReader(part.file, 0, part.size)); err != nil {
			return out.n, fmt.Errorf("write %s: %w", part.name, err)
		}
		dp.Resources = append(dp.Resources, resource{part.name[strings.LastIndexByte(part.name, '/')+1:], part.name, "sha256:" + hex.EncodeToString(part.sum.Sum(nil)), part.size})
	}
	body, err := json.MarshalIndent(dp, "", "  ")
	if err != nil {
		return out.n, err
	}
	sum := sha256.Sum256(body)
	digest, err := json.MarshalIndent(map[string]string{"path": "datapackage.json", "hash": "sha256:" + hex.EncodeToString(sum[:])}, "", "  ")
	if err != nil {
		return out.n, err
	}
	for _, f := range []struct {
		name string
		body []byte
	}{{"datapackage.json", body}, {"datapackage-digest.json", digest}} {
		if err := stored(z, f.name, now, crc32.ChecksumIEEE(f.body), int64(len(f.body)), bytes.NewReader(f.body)); err != nil {
			return out.n, fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	return out.n, z.Close()
}

// stored writes one entry as it is.
func stored(z *zip.Writer, name string, at time.Time, crc uint32, size int64, r io.Reader) error {
	h := &zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc, CompressedSize64: uint64(size), UncompressedSize64: uint64(size), //nolint:gosec // it is never negative
	}
	h.ModifiedDate, h.ModifiedTime = zipDate(at) //nolint:staticcheck // CreateRaw writes these, and not Modified
	w, err := z.CreateRaw(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// zipDate is a time as ZIP files have it, in UTC (APPNOTE 4.4.6). CreateRaw writes what it is given, and zero is no date.
func zipDate(t time.Time) (date, clock uint16) {
	t = t.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		return 1<<5 | 1, 0 // the first that there is
	}
	y, m, d := t.Date()
	return uint16((y-1980)<<9 | int(m)<<5 | d), uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2) //nolint:gosec // the year is bounded
}

// pageList writes the lists of pages: those of the package in pages.jsonl, other HTML pages in extraPages.jsonl.
type pageList struct {
	x            *Exporter
	pages, extra io.Writer
	asked        map[string]Page // by URL, until they are met
	n, others    int
	seen         map[string]bool
}

func newPageList(x *Exporter, p Package, pages, extra io.Writer) *pageList {
	l := &pageList{x: x, pages: pages, extra: extra, asked: map[string]Page{}, seen: map[string]bool{}}
	for _, page := range p.Pages {
		l.asked[page.URL] = page
	}
	return l
}

// pageLine is a line of pages.jsonl (WACZ 1.1.1, "pages.jsonl").
type pageLine struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	TS    string `json:"ts"`
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
	Seed  bool   `json:"seed,omitempty"`
}

func (l *pageList) head() error {
	_, err := io.WriteString(l.pages, `{"format": "json-pages-1.0", "id": "pages", "title": "Pages", "hasText": true}`+"\n")
	_, err2 := io.WriteString(l.extra, `{"format": "json-pages-1.0", "id": "extra-pages", "title": "Their sources", "hasText": true}`+"\n")
	return errors.Join(err, err2)
}

// add lists a capture if it is a page.
func (l *pageList) add(ctx context.Context, c *storage.Capture) error {
	page, asked := l.asked[c.URL]
	html := c.Mime == "text/html" || c.Mime == "application/xhtml+xml"
	switch {
	case c.Status != http.StatusOK && !asked, !html && !asked, !asked && l.others >= maxPages:
		return nil
	case asked && !page.At.IsZero() && !page.At.Equal(c.At):
		return nil
	case l.seen[c.URL]:
		return nil
	}
	if len(l.seen) < maxPages {
		l.seen[c.URL] = true
	}
	line := pageLine{ID: page.ID, URL: c.URL, TS: c.At.UTC().Format("2006-01-02T15:04:05.000Z"), Title: page.Title, Seed: asked}
	if line.ID == "" {
		sum := sha256.Sum256([]byte(c.URL + c.At.String()))
		line.ID = hex.EncodeToString(sum[:10])
	}
	if html {
		title, text, err := l.text(ctx, c)
		if err != nil {
			return err
		}
		if line.Text = text; line.Title == "" {
			line.Title = title
		}
	}
	to := l.extra
	if asked {
		to = l.pages
		delete(l.asked, c.URL)
	} else {
		l.others++
	}
	l.n++
	return writeLine(to, line)
}

func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// text is the title and the words of a page. One that can't be read has none: the export tells what there is.
func (l *pageList) text(ctx context.Context, c *storage.Capture) (title, text string, err error) {
	m, err := l.x.Library.Open(ctx, *c)
	if err != nil {
		if ctx.Err() != nil {
			return "", "", ctx.Err()
		}
		return "", "", nil
	}
	defer m.Close() //nolint:errcheck // it was only read
	body := m.Payload
	if d, derr := httpmsg.Decode(body, strings.ToLower(strings.Join(m.Original.Values("Content-Encoding"), ","))); derr == nil {
		defer d.Close() //nolint:errcheck // it frees buffers alone
		body = d
	}
	title, text = pageText(body, m.Head.Get("Content-Type"))
	return title, text, nil
}

var _ Library = (*warc.Library)(nil)
