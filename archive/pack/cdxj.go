package pack

import (
	"context"
	"errors"
	"io"

	"linkstead/archive/cdx"
)

// CDXJ writes an index of a selection and of the originals of its revisits: a line for each capture, in order, that says where its record
// stands: in a WARC file of the archive's own, or in the file that was imported where it lies. With an index for its blocks, it is compressed,
// some lines at a time (ZipNum), under the name that the index gives it.
func (x *Exporter) CDXJ(ctx context.Context, w, index io.Writer, name string, sel Selection) (done Exported, err error) {
	done.Format = "cdxj"
	if err := x.closure(ctx, sel, &done); err != nil {
		return done, err
	}
	lines := &sorter{temp: x.temp}
	defer func() { err = errors.Join(err, lines.close()) }()
	var line []byte
	for _, id := range sel.segments() {
		seg, err := x.Segments.Segment(ctx, id)
		if err != nil {
			return done, err
		}
		file := seg.File()
		for c, err := range x.Rows.SegmentCaptures(ctx, x.Collection, id) {
			if err != nil {
				return done, err
			}
			if !sel[id][c.Offset] {
				continue
			}
			done.Captures++
			r := rowOf(&c)
			r.File = file
			line = cdx.AppendCDXJ(line[:0], &r)
			if err := lines.add(line); err != nil {
				return done, err
			}
		}
	}
	out := &counter{w: w}
	if index == nil {
		err = lines.each(func(l []byte) error { _, err := out.Write(l); return err })
	} else {
		err = (&zipNum{blocks: out, index: index, name: name}).all(lines)
	}
	done.Bytes = out.n
	return done, err
}
