package fulltext

import (
	"context"
	"strings"
	"time"

	"linkstead/archive/pdf"
	"linkstead/archive/text"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Kept is what a Reader asks of the database.
type Kept interface {
	TextOf(ctx context.Context, collection, digest string) ([]storage.Text, error)
}

var _ Kept = (*storage.DB)(nil)

// Reader tells whether captures hold quotations: by their texts, and of those that are not indexed, or whose text does not show it, by the documents
// themselves. Its fields are set before it is asked, and many may ask it at a time.
type Reader struct {
	Texts    Kept
	Library  Library       // nil: only texts are asked
	MaxInput int64         // bytes of a document that are read; 0: 4 MiB
	Room     chan struct{} // as many documents are read at a time as it has room for; nil: any number
}

// Bounds of a Reader.
const (
	readerInput = 4 << 20
	readerPDF   = 5 * time.Second
)

// Holds says whether a capture holds all of some quotations. What can't be told is not known: a document that is no text, cannot be read,
// or goes on where reading ended.
func (r *Reader) Holds(ctx context.Context, c storage.Capture, quotations []string) (holds, known bool, err error) {
	if len(quotations) == 0 || c.Digest == "" {
		return false, false, nil
	}
	parts, err := r.Texts.TextOf(ctx, c.Collection, c.Digest)
	if err != nil {
		return false, false, err
	}
	if len(parts) > 0 && all(joined(parts), quotations) {
		return true, true, nil
	}
	if r.Library == nil || !textual(mimeOf(c.Mime)) || c.Kind == warc.KindTruncated {
		return false, false, nil
	}
	if r.Room != nil {
		select {
		case r.Room <- struct{}{}:
			defer func() { <-r.Room }()
		case <-ctx.Done():
			return false, false, ctx.Err()
		}
	}
	return r.document(ctx, &c, quotations)
}

// document looks for quotations in all that a document says.
func (r *Reader) document(ctx context.Context, c *storage.Capture, quotations []string) (holds, known bool, err error) {
	limit := r.MaxInput
	if limit <= 0 {
		limit = readerInput
	}
	src, contentType, err := payload(ctx, r.Library, c, limit+1)
	if err != nil {
		return false, false, err
	}
	whole := int64(len(src)) <= limit
	body := ""
	if mime := mimeOf(c.Mime); mime == "application/pdf" || pdf.Is(src) {
		end := time.Now().Add(readerPDF)
		if until, ok := ctx.Deadline(); ok && until.Before(end) {
			end = until
		}
		s, err := readPDF(src, int(limit), end)
		if err != nil {
			return false, false, err
		}
		body, whole = s.body, whole && time.Now().Before(end) && int64(len(s.body)) < limit
	} else {
		p := text.Main(src, contentType)
		body, whole = p.All, whole && !p.Cut
	}
	if all(body, quotations) {
		return true, true, nil
	}
	return false, whole && body != "", nil
}

// all says whether all quotations stand in a text.
func all(body string, quotations []string) bool {
	in := text.Prepare(body)
	for _, q := range quotations {
		if !in.Find(q).Found {
			return false
		}
	}
	return true
}

// joined is the text that was cut into parts: what two have in common is in it once.
func joined(parts []storage.Text) string {
	var sb strings.Builder
	for i := range parts {
		body := parts[i].Body
		if i > 0 {
			common, n := 0, 0
			for t := range text.Terms(body) {
				if n == overlap {
					break
				}
				common, n = max(common, t.End), n+1
			}
			if strings.HasSuffix(parts[i-1].Body, body[:common]) {
				body = body[common:]
			} else {
				body = "\n" + body
			}
		}
		sb.WriteString(body)
	}
	return sb.String()
}
