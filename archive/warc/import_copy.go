package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/storage"
)

// copier writes the records of a file into segments, a gzip member each: what is copied so can be read at random, whatever it was
// before. A record keeps its fields and its block; only a length that was wrong is put right, and a name is given to one that has none.
type copier struct {
	ctx  context.Context
	im   *Importer
	src  *Source
	sum  [32]byte
	note ImportNote
	rep  *ImportReport
	made *Composer

	n      int // segments so far
	infoID string
	row    storage.Segment
	file   *os.File
	size   int64
	block  *storage.Spill
}

// all copies the records of the file.
func (c *copier) all() error {
	for _, p := range c.src.Parts {
		in := io.NewSectionReader(obedientAt{c.ctx, c.src.R}, p.Offset, min(p.Length, max(0, c.src.Size-p.Offset)))
		for w, err := range AllWilds(in, in.Size(), c.im.Temp, func(s Skip) { c.rep.skip(s.behind(p.Offset)) }) {
			if err != nil {
				return fmt.Errorf("read %s: %w", c.src.Name, err)
			}
			if err := c.record(w); errors.As(err, new(*TornError)) {
				continue // it is skipped
			} else if err != nil {
				return err
			}
			c.rep.note(w)
		}
	}
	if c.rep.Records == 0 {
		return ErrNoRecords
	}
	return c.last()
}

// last ends the last segment with what the import came to.
func (c *copier) last() error {
	if c.file == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	if err := c.pages(); err != nil {
		return err
	}
	c.pagesLeft()
	done := *c.rep
	done.Captures = 0 // those of this segment are not counted yet
	c.note.Done = &done
	if err := c.tell(c.infoID); err != nil {
		return err
	}
	return c.finish()
}

// drop frees what a copier holds.
func (c *copier) drop() {
	_ = c.block.Reset() // its file has no name
	if c.file != nil {
		_ = errors.Join(c.file.Close(), os.Remove(c.file.Name())) // of no use to anybody
		c.file = nil
	}
}

// begin begins the next segment.
func (c *copier) begin() (err error) {
	if c.file, err = os.CreateTemp(c.im.Temp, "import-*"); err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	if err := c.file.Chmod(0o644); err != nil { // in a folder it is linked, and others read it there as any other segment
		return fmt.Errorf("begin a segment: %w", err)
	}
	c.n++
	c.size = 0
	c.row = storage.Segment{ID: fmt.Sprintf("%s%04d", importedName(c.src.Collection, c.sum), c.n), Collection: c.src.Collection, Created: c.im.Now().UTC()}
	info := c.im.Info
	info.At, info.Filename, info.IsPartOf = c.row.Created, c.row.ID+segmentSuffix, c.src.Collection
	info.Description = "Imported from " + clip(c.src.Name)
	g, err := c.made.Warcinfo(info)
	if err != nil {
		return err
	}
	c.infoID = g.Members[0].RecordID
	if err := c.write(g); err != nil {
		return err
	}
	return c.tell(c.infoID)
}

// tell writes the note.
func (c *copier) tell(infoID string) error {
	body, err := json.Marshal(c.note)
	if err != nil {
		return fmt.Errorf("encode the note of an import: %w", err)
	}
	g, err := c.made.Document(Document{
		URL: "urn:linkstead:import:" + c.note.SHA256, ContentType: MimeImport, At: c.note.At, Body: body,
	}, Options{WarcinfoID: infoID})
	if err != nil {
		return err
	}
	return c.write(g)
}

// clip shortens a name to what a line of a header bears.
func clip(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, base(name))
	if len(name) > 200 {
		name = name[:200]
	}
	return strings.ToValidUTF8(name, "")
}

func (c *copier) write(g *Group) error {
	n, err := g.WriteTo(c.file)
	c.size += n
	return errors.Join(err, g.Release())
}

// record copies one record. A *TornError says that it can't be read, and is skipped.
func (c *copier) record(w *Wild) error {
	if err := c.block.Reset(); err != nil {
		return err
	}
	if _, err := copyFrom(c.block, w.Block); err != nil {
		return err
	}
	if err := w.Finish(); err != nil {
		return err
	}
	if c.file == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	g := c.made.newGroup()
	id := w.Header.ID()
	err := g.append(w.Header.Type(), id, c.header(w), spillBlock(c.block, c.block.Size()))
	if err != nil {
		return errors.Join(err, g.Release())
	}
	if err := c.write(g); err != nil {
		return err
	}
	c.page(w)
	if c.size >= c.im.MaxSize {
		return c.finish()
	}
	return nil
}

// header is the record's own, as a copy has it.
func (c *copier) header(w *Wild) []byte {
	id := w.Header.ID()
	if id == "" {
		name := sha256.Sum256(fmt.Appendf(nil, "%x %d", c.sum, w.Offset))
		id = "<urn:sha256:" + hex.EncodeToString(name[:]) + ">"
	}
	return w.copyHeader(c.block.Size(), id)
}

// copyHeader is the header of a copy: the record's own, with the length that its block has, and a name if it has none.
func (w *Wild) copyHeader(length int64, id string) []byte {
	h := &w.Header
	v := h.Version
	if !strings.HasPrefix(v, "WARC/") {
		v = version
	}
	b := append([]byte(v), "\r\n"...)
	line := func(f httpmsg.Field) {
		b = append(append(b, oneLine(f.Name)...), ": "...)
		b = append(append(b, oneLine(f.Value)...), "\r\n"...)
	}
	for _, f := range h.Fields {
		if !strings.EqualFold(f.Name, fieldLength) {
			line(f)
		}
	}
	if h.ID() == "" && id != "" {
		line(httpmsg.Field{Name: fieldID, Value: id})
	}
	return fmt.Appendf(b, "%s: %d\r\n\r\n", fieldLength, length)
}

// oneLine keeps a value from being more than one field; all other bytes stay, whatever their charset.
func oneLine(s string) []byte {
	b := []byte(s)
	for i, c := range b {
		if c == '\r' || c == '\n' || c == 0 {
			b[i] = ' '
		}
	}
	return b
}

// page looks what a record that was copied tells of pages.
func (c *copier) page(w *Wild) {
	h, pages := &w.Header, c.src.Pages
	switch url := h.URL(); h.Type() {
	case TypeResource:
		if strings.HasPrefix(url, pageInfo) {
			pages.record(io.NewSectionReader(c.block, 0, c.block.Size()))
			return
		}
	case TypeResponse, TypeRevisit:
		var begin [5]byte
		if n, _ := c.block.ReadAt(begin[:], 0); string(begin[:n]) != "HTTP/" && h.Type() == TypeResponse {
			return // it is no capture
		}
	default:
		return
	}
	if at := h.Date(); !at.IsZero() {
		pages.saw(w.url(), at)
	}
}

// pages writes the records of the pages whose captures are in the segment.
func (c *copier) pages() error {
	for _, n := range c.src.Pages.take() {
		if err := c.writePage(n); err != nil {
			return err
		}
		c.rep.Pages++
	}
	return nil
}

func (c *copier) writePage(n *listedPage) error {
	g, err := n.document(c.made, c.note.At, c.infoID)
	if err != nil {
		return err
	}
	return c.write(g)
}

// pagesLeft notes the pages that become no posts, if the last source of their file tells of it.
func (c *copier) pagesLeft() {
	if !c.src.More {
		c.rep.PagesLeft = c.src.Pages.left()
	}
}

// finish stores the segment and indexes it.
func (c *copier) finish() (err error) {
	if err := c.pages(); err != nil {
		return err
	}
	file := c.file
	if err := c.seal(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	row := c.row
	row.State, row.Committed, row.Location = storage.SegmentStored, row.Size, SegmentKey(row)
	if err := c.im.Rows.AdoptSegment(c.ctx, row); err != nil {
		return err
	}
	c.rep.Segments = append(c.rep.Segments, row.ID)
	in, err := os.Open(file.Name())
	if err != nil {
		return fmt.Errorf("index %s: %w", row.ID, err)
	}
	was := *c.rep // what was written can be read: nothing is skipped
	err = c.im.rows(c.ctx, row, in, []Part{{Length: row.Size}}, &was, nil, nil)
	c.rep.Captures, c.rep.Left = was.Captures, was.Left
	return errors.Join(err, in.Close())
}

// seal makes the segment durable in the store. Its file stays.
func (c *copier) seal() error {
	file := c.file
	c.file = nil
	h := sha256.New()
	err := file.Sync()
	if err == nil {
		c.row.Size, err = io.Copy(h, io.NewSectionReader(file, 0, 1<<62))
	}
	if err = errors.Join(err, file.Close()); err == nil {
		c.row.SHA256 = hex.EncodeToString(h.Sum(nil))
		err = c.im.Blobs.Put(c.ctx, SegmentKey(c.row), file.Name(), c.row.SHA256)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store segment %s: %w", c.row.ID, err), os.Remove(file.Name()))
	}
	return nil
}
