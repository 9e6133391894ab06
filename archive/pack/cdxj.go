package pack

import (
	"context"
	"errors"
	"io"
	"slices"

	"linkstead/archive/cdx"
)

// CDXJ writes an index of a selection: a line for each capture, in order, that says where its record stands among the archive's own WARC
// files. With an index for its blocks, it is compressed, some lines at a time (ZipNum), under the name that the index gives it.
func (x *Exporter) CDXJ(ctx context.Context, w, index io.Writer, name string, sel Selection) (done Exported, err error) {
	done.Format = "cdxj"
	lines := &sorter{temp: x.temp}
	defer func() { err = errors.Join(err, lines.close()) }()
	segments := make([]string, 0, len(sel))
	for id := range sel {
		segments = append(segments, id)
	}
	slices.Sort(segments)
	var line []byte
	for _, id := range segments {
		for c, err := range x.Rows.SegmentCaptures(ctx, x.Collection, id) {
			if err != nil {
				return done, err
			}
			if !sel[id][c.Offset] {
				continue
			}
			done.Captures++
			r := rowOf(&c)
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
