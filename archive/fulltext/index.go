package fulltext

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Rows is what an Indexer asks of the database.
type Rows interface {
	Unindexed(ctx context.Context, after string, n int) ([]storage.TextMark, error)
	CapturesBehind(ctx context.Context, segment string, offset int64, n int) ([]storage.Capture, error)
	HasText(ctx context.Context, collection, digest string) (bool, error)
	PutTexts(ctx context.Context, segment string, upto int64, texts []storage.Text) error
}

// Library opens captures: a warc.Library.
type Library interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
}

var (
	_ Rows    = (*storage.DB)(nil)
	_ Library = (*warc.Library)(nil)
)

// Indexer reads captures and keeps their texts. It may be stopped at any time, and goes on where it was; two of them do the same work twice.
type Indexer struct {
	Rows     Rows
	Library  Library
	MaxBytes int   // of the text of a document that is kept; 0: 2 MiB
	MaxInput int64 // bytes of a document that are read; 0: 16 MiB
	Log      *slog.Logger
	// Conceal masks secrets of the archive's own in what a page of an address says: what was spelled otherwise in its bytes stands in
	// them still. nil: there are none.
	Conceal func(url, text string) string
}

// Done is what an Indexer has done.
type Done struct {
	Captures int64 // looked at
	Texts    int64 // kept
	Bytes    int64 // of documents read
	Waiting  int64 // segments that hold captures which another machine has not stored yet
	Failed   int64 // captures that could not be read
}

// Bounds of a step: a page of rows, and what is kept in one transaction.
const (
	segmentRows = 64
	captureRows = 128
	stepBytes   = 4 << 20 // of texts
)

// Run looks at all captures that have not been looked at.
func (x *Indexer) Run(ctx context.Context) (Done, error) {
	var d Done
	for after := ""; ; {
		marks, err := x.Rows.Unindexed(ctx, after, segmentRows)
		if err != nil {
			return d, err
		}
		for i := range marks {
			if err := x.segment(ctx, &marks[i], &d); err != nil {
				return d, fmt.Errorf("index segment %s: %w", marks[i].ID, err)
			}
			after = marks[i].ID
		}
		if len(marks) < segmentRows {
			return d, nil
		}
	}
}

// segment looks at what is new in a segment.
func (x *Indexer) segment(ctx context.Context, m *storage.TextMark, d *Done) error {
	upto := m.Upto
	for {
		cs, err := x.Rows.CapturesBehind(ctx, m.ID, upto, captureRows)
		if err != nil || len(cs) == 0 {
			return err
		}
		var texts []storage.Text
		size, elsewhere := 0, false
		last := upto
		for i := range cs {
			made, err := x.capture(ctx, &cs[i], texts, d)
			if errors.Is(err, warc.ErrElsewhere) {
				elsewhere = true
				break
			}
			if err != nil {
				return err
			}
			for k := range made {
				size += len(made[k].Body)
			}
			texts = append(texts, made...)
			last = cs[i].Offset
			d.Captures++
			if size > stepBytes {
				break
			}
		}
		if last > upto {
			if err := x.Rows.PutTexts(ctx, m.ID, last, texts); err != nil {
				return err
			}
		}
		if elsewhere {
			d.Waiting++
			return nil
		}
		upto = last
	}
}

// capture brings the texts of a capture; none if it has none, or its payload's are kept.
func (x *Indexer) capture(ctx context.Context, c *storage.Capture, step []storage.Text, d *Done) ([]storage.Text, error) {
	mime := mimeOf(c.Mime)
	if c.Status != 200 || c.Flags != "" || c.Digest == "" || c.Size == 0 || !textual(mime) || c.Kind == warc.KindTruncated || strings.HasSuffix(c.URL, "/robots.txt") {
		return nil, nil
	}
	for i := range step {
		if step[i].Digest == c.Digest && step[i].Collection == c.Collection {
			return nil, nil
		}
	}
	if has, err := x.Rows.HasText(ctx, c.Collection, c.Digest); has || err != nil {
		return nil, err
	}
	src, contentType, err := x.payload(ctx, c)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, warc.ErrElsewhere):
		return nil, err
	case errors.Is(err, storage.ErrAway):
		return nil, err
	case err != nil:
		x.failed(c, err, d)
		return nil, nil
	}
	d.Bytes += int64(len(src))
	limit := x.MaxBytes
	if limit <= 0 {
		limit = 2 << 20
	}
	s, err := read(src, mime, contentType, limit)
	if err != nil {
		x.failed(c, err, d)
		return nil, nil
	}
	if s.body == "" && s.title == "" {
		return nil, nil
	}
	if x.Conceal != nil {
		s.title, s.body = x.Conceal(c.URL, s.title), x.Conceal(c.URL, s.body)
	}
	d.Texts++
	return parts(c.Collection, c.Digest, s), nil
}

// failed notes a capture that can't be read. It is not looked at again: verify tells of what is damaged.
func (x *Indexer) failed(c *storage.Capture, err error, d *Done) {
	d.Failed++
	if x.Log != nil {
		x.Log.Debug("the text of a capture is not indexed", "url", c.URL, "segment", c.Segment, "offset", c.Offset, "error", err)
	}
}

// payload reads a document, decoded, and its type.
func (x *Indexer) payload(ctx context.Context, c *storage.Capture) (src []byte, contentType string, err error) {
	limit := x.MaxInput
	if limit <= 0 {
		limit = 16 << 20
	}
	return payload(ctx, x.Library, c, limit)
}

// payload reads limit bytes of a document, decoded, and its type.
func payload(ctx context.Context, lib Library, c *storage.Capture, limit int64) (src []byte, contentType string, err error) {
	m, err := lib.Open(ctx, *c)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	body, err := httpmsg.DecodeWithin(ctx, m.Payload, strings.Join(m.Original.Values("Content-Encoding"), ", "))
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	src, err = io.ReadAll(io.LimitReader(body, limit))
	if errors.Is(err, io.ErrUnexpectedEOF) && !isEmpty(src) {
		err = nil // as much as came
	}
	if contentType = m.Original.Get("Content-Type"); contentType == "" {
		contentType = c.Mime
	}
	return src, contentType, err
}

// mimeOf is a media type without its parameters.
func mimeOf(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}
