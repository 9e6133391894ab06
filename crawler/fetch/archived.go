package fetch

import (
	"context"
	"fmt"
	"io"
	"strings"

	"linkstead/archive/httpmsg"
)

// Archived is a response that was captured before.
type Archived struct {
	URL    string
	Head   httpmsg.Head
	Open   func() (io.Reader, error) // the payload from its beginning, dechunked and still encoded; it may be called twice
	Size   int64                     // of the payload, bytes; 0: not known
	Any    bool                      // see Request
	PDF    bool                      // see Request
	Weight int64                     // see Request
}

// Reread hands on the document that a captured response brought, as Fetch does off the wire: nil if it is of a kind that names no
// other addresses, and nothing was read then. It is good until free is called. The error is that of ctx, or the payload's own.
func (w *Worker) Reread(ctx context.Context, a Archived) (doc *Document, free func(), err error) {
	free = func() {}
	mime := a.Head.Mime()
	if !readable(mime, a.Any, a.PDF) {
		return nil, free, nil
	}
	w.job = job{ctx: ctx, req: Request{URL: a.URL, Any: a.Any, Weight: a.Weight}}
	defer func() { w.job = job{} }()
	doc = &Document{URL: a.URL, Status: a.Head.Status, Mime: mime, Charset: a.Head.Charset(), Head: a.Head}
	var fault error
	open := func() (io.Reader, error) {
		r, err := a.Open()
		if err != nil {
			fault = err
			return nil, err
		}
		return faulty{r, &fault}, nil
	}
	encoding := strings.Join(a.Head.Values("Content-Encoding"), ",")
	if encoding == "" && a.Size > w.rec.limits.Memory && a.Size <= w.rec.limits.Decoded {
		err = w.whole(doc, a.Size, open)
	} else {
		err = w.unpack(doc, encoding, open)
	}
	if w.job.free != nil {
		free = w.job.free
	}
	if fault != nil {
		err = fault
	}
	if err != nil || !doc.names(a.Any, a.PDF) {
		free()
		return nil, func() {}, err
	}
	return doc, free, nil
}

// whole reads a long payload that is not encoded, whose size is known: it is read once, not measured first.
func (w *Worker) whole(doc *Document, size int64, open func() (io.Reader, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	if w.job.free, err = w.rec.Room.take(w.job.ctx, size*max(1, w.job.req.Weight)); err != nil {
		return fmt.Errorf("wait for memory to read %s: %w", doc.URL, err)
	}
	var more bool
	if doc.Body, more, err = fill(r, make([]byte, 0, size), size); more {
		return fmt.Errorf("the payload is longer than the %d bytes that its row tells", size)
	}
	return err
}

// faulty keeps the error of a reader, as distinct from what is wrong with the coding of its bytes.
type faulty struct {
	r     io.Reader
	fault *error
}

func (f faulty) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		*f.fault = err
	}
	return n, err
}
