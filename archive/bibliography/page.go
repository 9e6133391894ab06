package bibliography

import (
	"context"
	"io"
	"strings"
	"time"

	"linkstead/archive/cite"
	"linkstead/archive/httpmsg"
	"linkstead/archive/pdf"
	"linkstead/archive/text"
	"linkstead/storage"
)

// How much of a page is read, decoded bytes, and how long reading a PDF may take.
const (
	maxPage  = 8 << 20
	maxBrief = 1 << 20
	maxPDF   = 64 << 20
	readPDF  = 10 * time.Second
)

// page is what a captured page says of itself, and its text.
type page struct {
	meta cite.Meta
	text string
}

// page reads a captured page. What can't be read says nothing: it can be cited all the same.
func (d *Desk) page(ctx context.Context, c storage.Capture, brief bool) (p page) {
	mime, _, _ := strings.Cut(strings.ToLower(c.Mime), ";")
	limit := int64(maxPage)
	switch mime = strings.TrimSpace(mime); {
	case mime == "application/pdf":
		limit = maxPDF
	case brief:
		limit = maxBrief
	}
	body, contentType := d.body(ctx, c, limit)
	switch {
	case mime == "application/pdf":
		until := time.Now().Add(readPDF)
		if doc, err := pdf.Read(body, func() bool { return ctx.Err() != nil || time.Now().After(until) }); err == nil {
			p.meta.Or(cite.Document{Title: doc.Title, Author: doc.Author, Published: doc.Dated, Lang: doc.Lang, From: cite.FromPDF})
			p.text = doc.Text
		}
	case strings.Contains(mime, "html"):
		p.meta = cite.Read(body, contentType, c.URL)
		if !brief {
			p.text = text.Main(body, contentType).Text
		}
	default: // an address may tell a date
		p.meta = cite.Read(nil, "", c.URL)
	}
	return p
}

// body is what a capture holds, decoded and up to a limit, with its media type as sent; nothing if it can't be read.
func (d *Desk) body(ctx context.Context, c storage.Capture, limit int64) ([]byte, string) {
	m, err := d.Library.Open(ctx, c)
	if err != nil {
		return nil, ""
	}
	defer m.Close() //nolint:errcheck // it was read as far as it goes
	contentType := m.Original.Get("Content-Type")
	if contentType == "" {
		contentType = c.Mime
	}
	in, err := httpmsg.DecodeWithin(ctx, m.Payload, strings.ToLower(strings.Join(m.Original.Values("Content-Encoding"), ",")))
	if err != nil {
		return nil, contentType
	}
	defer in.Close()                                 //nolint:errcheck // it frees buffers alone
	body, _ := io.ReadAll(io.LimitReader(in, limit)) // a part says something, too
	return body, contentType
}
