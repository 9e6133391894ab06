package warc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// MimePage is the media type of the metadata record that tells of a page of an imported file.
const MimePage = "application/vnd.linkstead.page+json"

// Bounds of what is read of the pages that others list.
const (
	maxPages     = 100_000
	maxPageLine  = 4 << 20 // bytes of a line: some have the whole text of the page
	maxPageBytes = 1 << 30 // of a list
	maxPageInfo  = 4 << 20 // bytes of a record of browsertrix
	maxTitle     = 1000    // bytes
	maxSeen      = 1 << 14 // captures that a record of browsertrix may follow
)

// Pages are what a file tells of its pages: a list in it ("pages.jsonl", WACZ 1.1.1), or else the records of browsertrix among the others.
// Those of which there is a capture become posts. The zero value is that of a file without a list.
type Pages struct {
	Left map[string]int // lines that tell of no page that can be kept, by why

	listed  bool // a list says which are pages, and the records of browsertrix add none
	partial bool // something of the file was imported before
	byURL   map[string]*listedPage
	order   []*listedPage // as they were found
	seen    map[string]time.Time
	ring    []string // the addresses of seen, as a ring
	at      int      // where the ring goes on
}

// listedPage is what is known of one.
type listedPage struct {
	url, title string
	at         time.Time // zero: it is not told
	capture    time.Time // the nearest of its captures; zero: none passed yet
	noted      bool
}

// pageNote is the record of a page.
type pageNote struct {
	Title string    `json:"title"`
	At    time.Time `json:"at"`
}

func (p *Pages) leave(why string) {
	if p.Left == nil {
		p.Left = map[string]int{}
	}
	p.Left[why]++
}

// What a line or a record tells that is no page here.
const (
	leftUnread   = "what is said of them can't be read"
	leftAddress  = "their addresses are not of the web"
	leftTooMany  = "there are more than can be kept in mind"
	leftNone     = "no capture of them is there"
	leftTooLarge = "what is said of them is too large"
)

// Read reads a list of pages, a JSON object a line. The first line may tell of the list. What can't be read is left out, and counted; an
// error is one of r. A list without a page says nothing: programs write one if they were told of none.
func (p *Pages) Read(r io.Reader) error {
	defer func() { p.listed = len(p.order) > 0 }()
	limited := &io.LimitedReader{R: r, N: maxPageBytes}
	in := bufio.NewReaderSize(limited, 64<<10)
	for {
		line, long, err := readLine(in)
		switch text := strings.TrimSpace(string(line)); {
		case long:
			p.leave(leftTooLarge)
		case text != "":
			p.line(text)
		}
		if errors.Is(err, io.EOF) || limited.N <= 0 {
			if limited.N <= 0 {
				p.leave(leftTooLarge)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the list of pages: %w", err)
		}
	}
}

// readLine reads a line; of one that is too long it keeps nothing.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxPageLine {
			line, long = nil, true
		}
		if !long {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// line takes a line of a list.
func (p *Pages) line(text string) {
	var l struct {
		Format string          `json:"format"` // of the first line
		URL    string          `json:"url"`
		Title  json.RawMessage `json:"title"`
		TS     json.RawMessage `json:"ts"`
	}
	if json.Unmarshal([]byte(text), &l) != nil {
		p.leave(leftUnread)
		return
	}
	if l.Format != "" && l.URL == "" {
		return
	}
	p.add(l.URL, textOf(l.Title), momentIn(l.TS))
}

// add takes a page. Of one that is there twice the newest counts.
func (p *Pages) add(url, title string, at time.Time) *listedPage {
	u, err := urlkey.Parse("", url)
	switch {
	case url == "":
		p.leave(leftUnread)
		return nil
	case err != nil || len(u) > urlkey.MaxLength || !strings.HasPrefix(u, "http:") && !strings.HasPrefix(u, "https:"):
		p.leave(leftAddress)
		return nil
	}
	if known := p.byURL[u]; known != nil {
		if known.noted || at.Before(known.at) {
			return nil
		}
		known.at = at
		if title != "" {
			known.title = title
		}
		return known
	}
	if len(p.order) >= maxPages {
		p.leave(leftTooMany)
		return nil
	}
	if p.byURL == nil {
		p.byURL = map[string]*listedPage{}
	}
	n := &listedPage{url: u, title: title, at: at}
	p.byURL[u], p.order = n, append(p.order, n)
	return n
}

// record takes what browsertrix says of a page in a record of its own ("urn:pageinfo:URL"), behind the captures of the page.
func (p *Pages) record(block io.Reader) {
	var l struct {
		URL string          `json:"url"`
		TS  json.RawMessage `json:"ts"`
	}
	if p.listed {
		return
	}
	in := &io.LimitedReader{R: block, N: maxPageInfo}
	if json.NewDecoder(in).Decode(&l) != nil {
		if in.N <= 0 {
			p.leave(leftTooLarge)
		} else {
			p.leave(leftUnread)
		}
		return
	}
	if n := p.add(l.URL, "", momentIn(l.TS)); n != nil {
		if at, ok := p.seen[n.url]; ok {
			n.near(at)
		}
	}
}

// saw tells of a capture as it passes.
func (p *Pages) saw(url string, at time.Time) {
	if n := p.byURL[url]; n != nil {
		n.near(at)
	}
	if p.listed {
		return
	}
	if p.seen == nil {
		p.seen, p.ring = map[string]time.Time{}, make([]string, maxSeen)
	}
	if _, ok := p.seen[url]; !ok {
		delete(p.seen, p.ring[p.at])
		p.ring[p.at] = url
		p.at = (p.at + 1) % maxSeen
	}
	p.seen[url] = at
}

func (n *listedPage) near(at time.Time) {
	if n.capture.IsZero() || !n.at.IsZero() && at.Sub(n.at).Abs() < n.capture.Sub(n.at).Abs() {
		n.capture = at
	}
}

// take brings the pages of which captures have passed and that were not taken yet. Of a segment that begins now, nothing has passed.
func (p *Pages) take() []*listedPage {
	var out []*listedPage
	for _, n := range p.order {
		if !n.noted && !n.capture.IsZero() {
			n.noted = true
			if n.at.IsZero() {
				n.at = n.capture
			}
			out = append(out, n)
		}
	}
	p.seen, p.ring, p.at = nil, nil, 0
	return out
}

// left tells of what became no post.
func (p *Pages) left() map[string]int {
	if p.partial {
		return nil
	}
	for _, n := range p.order {
		if !n.noted {
			p.leave(leftNone)
		}
	}
	return p.Left
}

// textOf is a title as it is kept: one line, and bounded. What is no text is none.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return cleanTitle(s)
}

func cleanTitle(s string) string {
	if len(s) > 4*maxTitle {
		s = s[:4*maxTitle]
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(s) <= maxTitle {
		return s
	}
	cut := maxTitle
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// momentIn reads a time: RFC 3339, fourteen digits, or milliseconds since 1970. The zero time if it is none, or none of the web's.
func momentIn(raw json.RawMessage) time.Time {
	var s string
	var ms int64
	var t time.Time
	if json.Unmarshal(raw, &ms) == nil {
		t = time.UnixMilli(ms)
	} else if json.Unmarshal(raw, &s) == nil {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "20060102150405", "2006-01-02"} {
			if at, err := time.Parse(layout, s); err == nil {
				t = at
				break
			}
		}
	}
	if t = t.UTC(); t.Year() < 1990 || t.Year() > 9998 {
		return time.Time{}
	}
	return t.Truncate(time.Microsecond)
}

// pageInfo begins the addresses of the records in which browsertrix tells of pages.
const pageInfo = "urn:pageinfo:"

// pagesOf makes the rows of the records of pages in a segment that tells of a file elsewhere.
func pagesOf(row storage.Segment, note io.ReaderAt, size int64, emit func(storage.Post) error) error {
	row.Location = SegmentKey(row)
	m := importingOf(row, func(storage.Capture) error { return nil })
	m.posts = emit
	return m.all(note, size, []Part{{Length: size}}, nil, nil)
}

// document is the record of a page.
func (n *listedPage) document(c *Composer, at time.Time, infoID string) (*Group, error) {
	body, err := json.Marshal(pageNote{n.title, n.at})
	if err != nil {
		return nil, fmt.Errorf("encode the note of a page: %w", err)
	}
	return c.Document(Document{URL: n.url, ContentType: MimePage, At: at, Body: body}, Options{WarcinfoID: infoID})
}

// page makes the row of the record of a page; nil if it can't be read. Those that stand in what was copied are none of ours.
func (m *importing) page(w *Wild) *storage.Post {
	var note pageNote
	if !m.ours[w.Header.Get(fieldWarcinfo)] || decodeJSON(w.Block, &note) != nil || note.At.IsZero() || note.At.Year() > 9999 {
		return nil
	}
	url := w.url()
	return &storage.Post{
		ID: storage.PostID(m.collection, url), Run: m.run, Collection: m.collection, Source: url, URL: url,
		Title: cleanTitle(note.Title), At: note.At.UTC().Truncate(time.Microsecond), Segment: m.segment, Offset: w.Offset,
	}
}
