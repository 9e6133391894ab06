package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/pdf"
	"linkstead/archive/warc"
)

// document decodes the response of x if it is of a kind that may name other addresses. The error is a local one.
func (w *Worker) document(x *warc.Exchange) (*Document, error) {
	if x.Response == nil || x.Head.Len == 0 || x.Method == http.MethodHead {
		return nil, nil
	}
	mime := x.Head.Mime()
	if !readable(mime, w.job.req.Any, w.job.req.PDF) {
		return nil, nil
	}
	doc := &Document{URL: x.URL, Status: x.Head.Status, Mime: mime, Charset: x.Head.Charset(), Head: x.Head}
	if x.Truncated != "" {
		doc.Broken = x.Detail
	}
	if err := w.read(x, doc); err != nil {
		return nil, err
	}
	if !doc.names(w.job.req.Any, w.job.req.PDF) {
		return nil, nil
	}
	return doc, nil
}

// names says whether a document whose body was read may name other addresses, and guesses its media type if none is declared,
// or if a paper is wanted and a type that says little is.
func (d *Document) names(all, paper bool) bool {
	if paper && papers[d.Mime] {
		if pdf.Is(d.Body) {
			d.Mime = "application/pdf"
			return true
		}
		if d.Mime != "" && !all {
			return false
		}
	}
	if d.Mime == "" {
		guess, _, _ := strings.Cut(http.DetectContentType(d.Body), ";")
		if d.Mime = guess; !all && !strings.HasPrefix(guess, "text/") || len(d.Body) == 0 {
			return false
		}
	}
	return true
}

// papers are the media types under which PDFs are sent.
var papers = map[string]bool{
	"": true, "application/pdf": true, "application/x-pdf": true, "application/octet-stream": true, "binary/octet-stream": true,
	"application/force-download": true, "application/download": true,
}

// readable says whether a body of a media type is to be read at all.
func readable(mime string, all, paper bool) bool {
	return mime == "" || all || textual(mime) || paper && papers[mime]
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
	return w.unpack(doc, encoding, func() (io.Reader, error) {
		return httpmsg.Body(x.Head, x.Method, x.Response.From(x.Head.Len)), nil
	})
}

// unpack reads a body into doc, decoded, up to the limit. What opens it is called twice if it is long.
func (w *Worker) unpack(doc *Document, encoding string, body func() (io.Reader, error)) error {
	limit := w.rec.limits.Decoded
	ctx, cancel := context.WithTimeout(w.job.ctx, w.rec.limits.Discover)
	defer cancel()
	open := func() (*unpacking, error) {
		r, err := body()
		if err != nil {
			return nil, err
		}
		in := &counted{r: r}
		dec, err := httpmsg.DecodeWithin(ctx, in, encoding)
		return &unpacking{ReadCloser: dec, in: in}, err
	}
	dec, err := open()
	if err != nil {
		doc.Broken = fmt.Sprintf("The encoding %.40q is not known.", encoding)
		return nil
	}
	few := min(limit, w.rec.limits.Memory)
	if w.doc == nil {
		w.doc = make([]byte, 0, 64<<10)
	}
	w.doc, doc.Capped, err = fill(dec, w.doc[:0], few)
	doc.Body = w.doc
	if doc.Capped && few < limit {
		size, much, bomb := dec.measure(few, limit)
		if bomb {
			size = min(size, maxBomb)
			doc.Broken = "It unpacks to more than a hundred times its size, and goes on: only the beginning was read."
		}
		if err := dec.Close(); err != nil {
			return err
		}
		if dec, err = open(); err != nil { // it was opened a moment ago
			return err
		}
		if w.job.free, err = w.rec.Room.take(w.job.ctx, size*max(1, w.job.req.Weight)); err != nil {
			return errors.Join(fmt.Errorf("wait for memory to read %s: %w", doc.URL, err), dec.Close())
		}
		doc.Body, _, err = fill(dec, make([]byte, 0, size), size)
		doc.Capped = much
	}
	var disk *os.PathError
	if errors.As(err, &disk) {
		return errors.Join(fmt.Errorf("read response of %s: %w", doc.URL, err), dec.Close())
	}
	if w.job.ctx.Err() != nil {
		return errors.Join(w.job.ctx.Err(), dec.Close())
	}
	if err != nil && ctx.Err() != nil {
		doc.Broken = fmt.Sprintf("Decoding it took longer than %s: only the beginning was read.", w.rec.limits.Discover)
	}
	if err != nil && doc.Broken == "" {
		doc.Broken = "The body could not be decoded to its end."
		if errors.Is(err, io.ErrUnexpectedEOF) {
			doc.Broken = "The encoded body lacks its end."
		}
	}
	return dec.Close()
}
