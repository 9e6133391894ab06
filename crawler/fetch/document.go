package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
)

// document decodes the response of x if it is of a kind that may name other addresses. The error is a local one.
func (w *Worker) document(x *warc.Exchange) (*Document, error) {
	if x.Response == nil || x.Head.Len == 0 || x.Method == http.MethodHead {
		return nil, nil
	}
	mime := x.Head.Mime()
	if mime != "" && !textual(mime) && !w.job.req.Any {
		return nil, nil
	}
	doc := &Document{URL: x.URL, Status: x.Head.Status, Mime: mime, Charset: x.Head.Charset()}
	if x.Truncated != "" {
		doc.Broken = x.Detail
	}
	if err := w.read(x, doc); err != nil {
		return nil, err
	}
	if mime == "" {
		guess, _, _ := strings.Cut(http.DetectContentType(doc.Body), ";")
		if doc.Mime = guess; !w.job.req.Any && !strings.HasPrefix(guess, "text/") || len(doc.Body) == 0 {
			return nil, nil
		}
	}
	return doc, nil
}

// textual says whether a media type may name other addresses.
func textual(mime string) bool {
	switch mime {
	case "application/xml", "application/json", "application/javascript", "application/x-javascript",
		"application/ecmascript":
		return true
	}
	return strings.HasPrefix(mime, "text/") || strings.HasSuffix(mime, "+xml") || strings.HasSuffix(mime, "+json")
}

// read reads the decoded body of x into doc, up to the limit.
func (w *Worker) read(x *warc.Exchange, doc *Document) error {
	limit := w.rec.limits.Decoded
	encoding := strings.Join(x.Head.Values("Content-Encoding"), ",")
	if b, ok := x.Response.Bytes(); ok && encoding == "" && x.Head.Framing(x.Method).Kind != httpmsg.Chunked {
		doc.Body = b[x.Head.Len:] // as it lies: nothing to undo
		if int64(len(doc.Body)) > limit {
			doc.Body, doc.Capped = doc.Body[:limit], true
		}
		return nil
	}
	dec, err := httpmsg.Decode(httpmsg.Body(x.Head, x.Method, x.Response.From(x.Head.Len)), encoding)
	if err != nil {
		doc.Broken = fmt.Sprintf("The encoding %.40q is not known.", encoding)
		return nil
	}
	capped := httpmsg.NewCapped(dec, limit)
	buf := bytes.NewBuffer(w.doc[:0])
	_, err = buf.ReadFrom(capped)
	doc.Body, doc.Capped = buf.Bytes(), capped.Capped()
	if w.doc = buf.Bytes(); int64(cap(w.doc)) > w.rec.limits.Memory {
		w.doc = nil // a giant's buffer is not kept for the next
	}
	var disk *os.PathError
	if errors.As(err, &disk) {
		return errors.Join(fmt.Errorf("read response of %s: %w", x.URL, err), dec.Close())
	}
	if err != nil && doc.Broken == "" {
		doc.Broken = "The body could not be decoded to its end."
		if errors.Is(err, io.ErrUnexpectedEOF) {
			doc.Broken = "The encoded body lacks its end."
		}
	}
	return dec.Close()
}
