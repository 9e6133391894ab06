package warc

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

const importedPrefix = storage.ImportedPrefix

// Imported says whether the records of a segment are those of another program, by the segment's name: each of them stands alone then,
// nothing closes an exchange, and what they say of digests is theirs to answer for.
func Imported(segment string) bool { return strings.HasPrefix(segment, importedPrefix) }

// importedName begins the names of all segments of a file in a collection: who imports it again gets the same.
func importedName(collection string, sum [32]byte) string {
	name := sha256.Sum256(append(sum[:], collection...))
	return importedPrefix + hex.EncodeToString(name[:12]) + "-"
}

// importedRun numbers what came with a file, apart from the runs of this archive: of a run, answers that tell of a moment alone give
// way to better ones of the same run.
func importedRun(segment string) int64 {
	name, _, _ := strings.Cut(strings.TrimPrefix(segment, importedPrefix), "-")
	sum := sha256.Sum256([]byte(name))
	return -1 - int64(binary.BigEndian.Uint64(sum[:8])>>2)
}

// importing makes rows of the records of one segment as they pass: the same at import, at a rebuild and when it is verified.
type importing struct {
	collection, segment string
	run                 int64
	emit                func(storage.Capture) error

	held  []heldCapture  // the newest, whose requests may follow
	asked []heldRequest  // the newest requests that were no GET, whose answers may follow
	left  map[string]int // records that got no row, by why
	out   map[int64]bool // records of a file that was imported in place of which purges have taken the rows, by offset
	done  *ImportNote    // at the end of a file's last segment

	posts func(storage.Post) error // takes the pages; nil: nobody does
	pages *Pages                   // is told of captures; nil: nobody is
	ours  map[string]bool          // the names of the segment's own warcinfo records
	begun bool                     // what comes now was copied, or is of pages
}

type heldCapture struct {
	row storage.Capture
	id  string
	to  []string // WARC-Concurrent-To
}

type heldRequest struct {
	url, asked, id string
	to             []string
}

// How many records may stand between a request and its answer.
const (
	heldCaptures = 8
	heldRequests = 8
)

// take reads a record to its end and makes its row, if it is one that gets any. A *TornError says that it can't be read, and gets
// none.
func (m *importing) take(w *Wild) error {
	switch t := w.Header.Type(); t {
	case TypeRequest:
		return m.request(w)
	case TypeResponse, TypeRevisit, TypeResource:
		if m.out[w.Offset] {
			return w.Finish()
		}
		row, why, err := w.row()
		if err == nil {
			err = w.Finish()
		}
		if w.Note != "" && row.Size >= 0 && w.Header.Get(fieldPayloadDigest) != "" { // it was taken from what the header says
			row.Size = max(0, w.Header.Length-w.head)
		}
		switch {
		case err != nil:
			return err
		case why != "":
			m.leave(why)
			return nil
		}
		if m.pages != nil {
			m.pages.saw(row.URL, row.At)
		}
		row.Collection, row.Segment, row.Run, row.Offset, row.Length = m.collection, m.segment, m.run, w.Offset, w.Length
		return m.hold(heldCapture{row, w.Header.ID(), w.Header.All(fieldConcurrent)})
	case TypeWarcinfo:
		if id := w.Header.ID(); !m.begun && id != "" {
			m.ours[id] = true
		}
	case TypeMetadata:
		if err := m.metadata(w); err != nil {
			return err
		}
	case "continuation":
		m.leave("a part of a record that was split (WARC 1.1 §6.9)")
	}
	return w.Finish()
}

// metadata takes what the archive itself tells of a file.
func (m *importing) metadata(w *Wild) error {
	switch w.Header.Get(fieldContentType) {
	case MimeImport:
		m.begun = true
		var note ImportNote
		if decodeJSON(w.Block, &note) == nil && note.Done != nil {
			m.done = &note
		}
	case MimePage:
		p := m.page(w)
		if err := w.Finish(); err != nil || p == nil || m.posts == nil {
			return err
		}
		return m.posts(*p)
	}
	return nil
}

func (m *importing) leave(why string) {
	if m.left == nil {
		m.left = map[string]int{}
	}
	m.left[why]++
}

// request keeps what a request asked for, unless that is what its URL tells.
func (m *importing) request(w *Wild) error {
	url := w.url()
	a := asked(url, w.Block)
	if err := w.Finish(); err != nil || a == url {
		return err
	}
	r := heldRequest{url, a, w.Header.ID(), w.Header.All(fieldConcurrent)}
	for i := range slices.Backward(m.held) {
		if r.answers(&m.held[i]) {
			m.held[i].row.URLKey = urlkey.Key(a)
			return nil
		}
	}
	m.asked = append(m.asked[max(0, len(m.asked)+1-heldRequests):], r)
	return nil
}

// answers says whether c is the answer to r: one of the records names the other, or, where neither names any, they are of one URL.
func (r *heldRequest) answers(c *heldCapture) bool {
	if c.row.URL != r.url {
		return false
	}
	if slices.Contains(r.to, c.id) || slices.Contains(c.to, r.id) {
		return true
	}
	return len(r.to) == 0 && len(c.to) == 0
}

func (m *importing) hold(c heldCapture) error {
	for i := range m.asked {
		if m.asked[i].answers(&c) {
			c.row.URLKey = urlkey.Key(m.asked[i].asked)
			m.asked = slices.Delete(m.asked, i, i+1)
			break
		}
	}
	if m.held = append(m.held, c); len(m.held) <= heldCaptures {
		return nil
	}
	first := m.held[0].row
	m.held = slices.Delete(m.held, 0, 1)
	return m.emit(first)
}

// end gives out the last rows.
func (m *importing) end() error {
	for _, c := range m.held {
		if err := m.emit(c.row); err != nil {
			return err
		}
	}
	m.held, m.asked = nil, nil
	return nil
}

// url is the record's target as it is looked up: written out as the URL standard does, where it can be.
func (w *Wild) url() string {
	raw := w.Header.URL()
	if !utf8.ValidString(raw) { // its bytes are what was asked for
		var b strings.Builder
		for i := range len(raw) {
			if c := raw[i]; c < utf8.RuneSelf {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		raw = b.String()
	}
	if len(raw) > urlkey.MaxLength {
		return raw
	}
	if u, err := urlkey.Parse("", raw); err == nil {
		return u
	}
	return raw
}

// row makes the row of a record that holds a page, or tells why there is none. It reads as far as it must.
func (w *Wild) row() (c storage.Capture, why string, err error) {
	h := &w.Header
	c = storage.Capture{
		URL: w.url(), At: h.Date(), Kind: string(h.Type()), Digest: canonicalDigest(h.Get(fieldPayloadDigest)),
		RecordID: h.ID(), Outcome: string(outcome.Captured), MS: -1, Size: -1, Unmodified: notModified(h),
	}
	switch {
	case h.Get(fieldURI) == "":
		return c, "no WARC-Target-URI", nil
	case len(c.URL) > urlkey.MaxLength:
		return c, fmt.Sprintf("a WARC-Target-URI of over %d bytes", urlkey.MaxLength), nil
	case c.At.IsZero():
		return c, "no WARC-Date that can be read", nil
	case c.Kind != KindResource && !strings.HasPrefix(c.URL, "http:") && !strings.HasPrefix(c.URL, "https:"):
		return c, "no response by HTTP", nil
	}
	c.URLKey = urlkey.Key(c.URL)
	head, payload, err := w.HTTP()
	if errors.Is(err, ErrNoPayload) {
		return c, "no HTTP message", nil
	}
	if err != nil {
		return c, "", err
	}
	if h.Get(fieldTruncated) != "" && c.Kind == KindResponse {
		c.Kind = KindTruncated
	}
	w.head = head.Len
	w.describe(&c, head)
	if c.Digest == "" && c.Kind != KindRevisit {
		sum := sha256.New()
		if c.Size, err = copyFrom(sum, payload); err != nil {
			return c, "", err
		}
		c.Digest = Digest([32]byte(sum.Sum(nil)))
	}
	return c, "", nil
}

// describe fills in what the head tells.
func (w *Wild) describe(c *storage.Capture, head httpmsg.Head) {
	h := &w.Header
	if c.Kind == KindRevisit {
		c.RefersTo = w.lack(c).String() // until the original's place is known
	}
	if c.Kind == KindResource {
		c.Mime, c.Size = bareMime(h.Get(fieldContentType)), h.Length
		return
	}
	c.Status, c.Mime = head.Status, head.Mime()
	c.ETag, c.Modified = validators(head)
	if to := head.Get("Location"); c.Status/100 == 3 && c.Status != http.StatusNotModified && to != "" && len(to) <= urlkey.MaxLength {
		if u, err := urlkey.Parse(c.URL, to); err == nil {
			c.Redirect = u
		}
	}
	if len(head.Values("Transfer-Encoding")) == 0 && c.Kind == KindResponse {
		c.Size = max(0, h.Length-head.Len)
	}
}

// lack is what the record of a revisit says of its original. What looks like a place in a segment of ours is none of theirs to name.
func (w *Wild) lack(c *storage.Capture) storage.Lack {
	h := &w.Header
	l := storage.Lack{ID: "<" + c.Digest + ">"} // all that name none lack the same
	if id := h.Get(fieldRefersTo); unbracket(id) != id && len(id) <= maxLackID && !strings.ContainsAny(id, " \t") {
		l.ID = id
	}
	at := parseDate(h.Get(fieldRefersDate))
	if u, err := urlkey.Parse("", unbracket(h.Get(fieldRefersURI))); err == nil && !at.IsZero() {
		l.URLKey, l.Exact, l.At = urlkey.Key(u), storage.Exactly(u), at
	} else if c.Unmodified {
		l.URLKey, l.At, l.Before = c.URLKey, c.At, true
	}
	return l
}

// maxLackID bounds the name of a record that is kept for another one, in bytes.
const maxLackID = 512

// canonicalDigest spells a labelled digest as rows do, so that equal ones are equal: a lower-case label and base32. One that can't
// be read is none.
func canonicalDigest(s string) string {
	d, err := digestOf(s)
	if err != nil || d.want == nil {
		return ""
	}
	label, _, _ := strings.Cut(s, ":")
	label = strings.ReplaceAll(strings.ToLower(label), "-", "")
	return label + ":" + base32.StdEncoding.EncodeToString(d.want)
}

// all reads the records of an imported segment and emits their rows; skip is told of what could not be read, and each of every record
// that could. Both may be nil.
func (m *importing) all(r io.ReaderAt, size int64, parts []Part, skip func(Skip), each func(*Wild) error) error {
	for _, p := range parts {
		in := io.NewSectionReader(r, p.Offset, min(p.Length, max(0, size-p.Offset)))
		for w, err := range Wilds(in, in.Size(), func(s Skip) {
			if skip != nil {
				skip(s.behind(p.Offset))
			}
		}) {
			if err != nil {
				return err
			}
			w.Offset += p.Offset
			if err := m.take(w); errors.As(err, new(*TornError)) {
				continue // it is skipped
			} else if err != nil {
				return err
			}
			if each != nil {
				if err := each(w); err != nil {
					return err
				}
			}
		}
	}
	return m.end()
}

// Part is a WARC or ARC file within another file: all of it, or what stands unpacked in a WACZ.
type Part struct {
	Name   string `json:"name,omitempty"`
	Offset int64  `json:"offset"` // bytes
	Length int64  `json:"length"` // bytes
}
