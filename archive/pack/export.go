package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Rows is what an export asks of the index. It answers as it does to a reader: what access rules keep from readers is not there.
type Rows interface {
	SegmentCaptures(ctx context.Context, collection, segment string) iter.Seq2[storage.Capture, error]
	CaptureAt(ctx context.Context, segment string, offset int64) (storage.Capture, error)
}

// Segments is what it asks of the segments.
type Segments interface {
	Segment(ctx context.Context, id string) (storage.Segment, error)
	Holders(ctx context.Context, collection, digest string) ([]storage.Capture, error)
}

// Library opens captures; see warc.Library.
type Library interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
}

// Selection are captures, by segment and offset.
type Selection map[string]map[int64]bool

// Add adds a capture; false if it is there already.
func (s Selection) Add(segment string, offset int64) bool {
	if s[segment][offset] {
		return false
	}
	if s[segment] == nil {
		s[segment] = map[int64]bool{}
	}
	s[segment][offset] = true
	return true
}

// segments are those of which it has captures, in order.
func (s Selection) segments() []string {
	ids := make([]string, 0, len(s))
	for id, at := range s {
		if len(at) > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// ErrNothing says that there is nothing to be exported.
var ErrNothing = errors.New("nothing of it may be seen by readers, and repeats nothing that they may not see")

// Exporter writes captures into files that other tools read.
type Exporter struct {
	Collection string
	Rows       Rows
	Segments   Segments
	Library    Library
	Open       func(ctx context.Context, s storage.Segment) (io.ReaderAt, io.Closer, error) // the bytes of a segment
	Temp       string                                                                       // folder for what does not fit into memory
	Info       warc.Info                                                                    // what the WARC file tells of itself
	Now        func() time.Time
}

// Exported tells what an export came to.
type Exported struct {
	File      string `json:"file"`
	Address   string `json:"address,omitempty"` // at which it is published
	Format    string `json:"format"`
	Captures  int    `json:"captures"`
	Originals int    `json:"originals"` // of them, not asked for, and there since a revisit refers to them
	Left      int    `json:"left_out"`  // revisits whose originals may not be seen, or are gone
	Pages     int    `json:"pages,omitempty"`
	Bytes     int64  `json:"bytes"`
}

// closure adds the originals of revisits to a selection, however many steps lead to them. What is wanted and may not be seen goes out of
// it, and so do revisits of which the original may not be. ErrNothing if nothing remains.
func (x *Exporter) closure(ctx context.Context, sel Selection, done *Exported) error {
	todo := sel.segments()
	seen := Selection{}
	for len(todo) > 0 {
		segment := todo[0]
		todo = todo[1:]
		there := map[int64]bool{}
		for c, err := range x.Rows.SegmentCaptures(ctx, x.Collection, segment) {
			if err != nil {
				return err
			}
			if !sel[segment][c.Offset] {
				continue
			}
			there[c.Offset] = true
			if c.Kind != warc.KindRevisit || !seen.Add(segment, c.Offset) {
				continue
			}
			o, err := x.original(ctx, &c)
			if errors.Is(err, storage.ErrNotFound) {
				delete(there, c.Offset)
				done.Left++
				continue
			}
			if err != nil {
				return err
			}
			if o.Segment == segment {
				there[o.Offset] = true
			}
			if sel.Add(o.Segment, o.Offset) {
				done.Originals++
				if !slices.Contains(todo, o.Segment) {
					todo = append(todo, o.Segment)
				}
			}
		}
		sel[segment] = there
	}
	if len(sel.segments()) == 0 {
		return ErrNothing
	}
	return nil
}

// original finds the capture that holds the payload of a revisit, if it may be seen.
func (x *Exporter) original(ctx context.Context, c *storage.Capture) (storage.Capture, error) {
	if segment, offset, ok := storage.Referred(c.RefersTo); ok {
		o, err := x.Rows.CaptureAt(ctx, segment, offset)
		if !errors.Is(err, storage.ErrNotFound) {
			return o, err
		}
	}
	holders, err := x.Segments.Holders(ctx, c.Collection, c.Digest)
	if err != nil {
		return storage.Capture{}, err
	}
	for _, h := range c.Originals(holders, "") {
		o, err := x.Rows.CaptureAt(ctx, h.Segment, h.Offset)
		if !errors.Is(err, storage.ErrNotFound) {
			return o, err
		}
	}
	return storage.Capture{}, fmt.Errorf("original of %s: %w", c.URL, storage.ErrNotFound)
}

// line is called with each capture as it stands in the file that is written, and what was asked, if that was another request than GET.
type line func(c storage.Capture, row *cdx.Row, asked *warc.Request) error

// WARC writes the captures of a selection, and the originals of its revisits, into one WARC file of a gzip member for each record. name is
// what the file is called; tell, if it is not nil, is told of each capture and where it stands in it.
func (x *Exporter) WARC(ctx context.Context, w io.Writer, name string, sel Selection, tell line) (Exported, error) {
	done := Exported{Format: "warc"}
	if err := x.closure(ctx, sel, &done); err != nil {
		return done, err
	}
	out := &counter{w: w}
	info := x.Info
	info.At, info.Filename, info.IsPartOf = x.Now().UTC(), name, x.Collection
	g, err := (&warc.Composer{Dir: x.Temp}).Warcinfo(info)
	if err != nil {
		return done, err
	}
	if _, err := g.WriteTo(out); err != nil {
		return done, errors.Join(err, g.Release())
	}
	if err := g.Release(); err != nil {
		return done, err
	}
	for _, id := range sel.segments() {
		if err := x.segment(ctx, out, name, id, sel[id], tell, &done); err != nil {
			return done, fmt.Errorf("export from segment %s: %w", id, err)
		}
	}
	done.Bytes = out.n
	return done, nil
}

// segment writes what a segment holds of a selection.
func (x *Exporter) segment(ctx context.Context, out *counter, name, id string, wanted map[int64]bool, tell line, done *Exported) (err error) {
	row, err := x.Segments.Segment(ctx, id)
	if err != nil {
		return err
	}
	rows := make(map[int64]storage.Capture, len(wanted))
	for c, err := range x.Rows.SegmentCaptures(ctx, x.Collection, id) {
		if err != nil {
			return err
		}
		if wanted[c.Offset] {
			rows[c.Offset] = c
		}
	}
	file, closer, err := x.Open(ctx, row)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	ex := &warc.Extractor{Temp: x.Temp}
	waits := map[int64]cdx.Row{} // rows whose requests may follow
	err = ex.Extract(row, file, wanted, func(e warc.Extract) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := out.n
		if _, err := io.Copy(out, e.Data); err != nil {
			return err
		}
		if r, ok := waits[e.Of]; ok && e.From < 0 && e.Request != nil {
			delete(waits, e.Of)
			return tell(rows[e.Of], &r, e.Request)
		}
		c, ok := rows[e.From]
		if !ok {
			return nil
		}
		done.Captures++
		if tell == nil {
			return nil
		}
		r := rowOf(&c)
		r.Length, r.Offset, r.File = e.Length, at+e.Offset, name
		if e.Request == nil && c.URLKey != urlkey.Key(c.URL) {
			waits[e.From] = r
			return nil
		}
		return tell(c, &r, e.Request)
	})
	for at, r := range waits {
		err = errors.Join(err, tell(rows[at], &r, nil))
	}
	return err
}

// rowOf tells of a capture as an index does.
func rowOf(c *storage.Capture) cdx.Row {
	return cdx.Row{
		Key: c.URLKey, At: c.At, URL: c.URL, Mime: c.Mime, Status: c.Status, Digest: c.Digest, Redirect: c.Redirect,
		Length: c.Length, Offset: c.Offset, File: c.Segment + ".warc.gz", Revisit: c.Kind == warc.KindRevisit,
	}
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// temp makes a file without a name in the folder for what does not fit into memory.
func (x *Exporter) temp() (*os.File, error) {
	f, err := os.CreateTemp(x.Temp, "export-*")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
