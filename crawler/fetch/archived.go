package fetch

import (
	"context"
	"io"
	"strings"

	"linkstead/archive/httpmsg"
)

// Archived is a response that was captured before.
type Archived struct {
	URL    string
	Head   httpmsg.Head
	Open   func() (io.Reader, error) // the payload from its beginning, dechunked and still encoded; it may be called twice
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
	err = w.unpack(doc, strings.Join(a.Head.Values("Content-Encoding"), ","), func() (io.Reader, error) {
		r, err := a.Open()
		if err != nil {
			fault = err
			return nil, err
		}
		return faulty{r, &fault}, nil
	})
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
