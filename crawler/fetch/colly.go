package fetch

import (
	"context"
	"errors"
	"net/http"

	"github.com/gocolly/colly/v2"

	"linkstead/archive/warc"
)

// Worker makes one exchange after the other, under a collector of its own. It is for one goroutine.
type Worker struct {
	rec       *Recorder
	collector *colly.Collector
	wire      wire
	doc       []byte // the document's buffer, used again for the next
	job       job
}

// job is the exchange under way.
type job struct {
	ctx        context.Context
	req        Request
	onDocument func(Document) error

	x      *warc.Exchange
	err    error // no exchange: the context ended, or something local failed
	doc    *Document
	docErr error  // of onDocument
	free   func() // gives the room of a long document back
}

// Worker makes a worker.
func (r *Recorder) Worker() *Worker {
	r.init()
	w := &Worker{rec: r}
	w.wire.init(r)
	c := colly.NewCollector(colly.AllowURLRevisit(), colly.IgnoreRobotsTxt(), colly.ParseHTTPErrorResponse(),
		colly.MaxBodySize(0))
	c.DetectCharset = false
	// A client of ours, for colly's own follows redirects, keeps cookies and gives up after ten seconds.
	c.SetClient(&http.Client{
		Transport:     (*transport)(w),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	c.OnResponse(w.onResponse)
	w.collector = c
	return w
}

// visit lets colly drive the exchange. An address that colly can't parse, though it can be asked ("/100%"), is recorded
// and handed on without it.
func (w *Worker) visit() {
	if w.job.req.Bare {
		w.exchange()
		w.hand()
		return
	}
	// colly's error repeats what the exchange says.
	_ = w.collector.Request(w.job.req.Method, w.job.req.URL, nil, nil, nil)
	if w.job.x == nil && w.job.err == nil {
		w.exchange()
	}
	w.hand()
}

// onResponse is colly's first callback. It puts the document into colly's response here, since colly would read it from
// the transport's in doubling steps, a copy each, and transcode it.
func (w *Worker) onResponse(resp *colly.Response) {
	if w.job.doc != nil {
		resp.Body = w.job.doc.Body
	}
	w.hand()
}

// exchange makes the exchange of the job, and the document that it brought.
func (w *Worker) exchange() {
	j := &w.job
	j.x, j.err = w.record(j.ctx, j.req)
	if j.req.Over != nil {
		j.req.Over()
	}
	if j.err == nil && j.onDocument != nil {
		j.doc, j.err = w.document(j.x)
	}
}

// hand passes the document on, once.
func (w *Worker) hand() {
	doc := w.job.doc
	if doc == nil {
		return
	}
	w.job.doc = nil
	w.job.docErr = w.job.onDocument(*doc)
}

// errNoResponse tells colly that there is nothing to call back for.
var errNoResponse = errors.New("no response")

// transport is the worker as colly sees it.
type transport Worker

// RoundTrip makes the exchange whole, to the last byte: who reads the response can't cut the capture by stopping early.
// The response that it returns is for the callbacks alone, with no field by which colly or net/http would decode or
// follow anything; its body waits in the job. The address on the wire is the job's, since req's was escaped again.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	w := (*Worker)(t)
	w.exchange()
	j := &w.job
	if j.err != nil {
		return nil, j.err
	}
	if j.x.Head.Len == 0 {
		return nil, errNoResponse
	}
	resp := &http.Response{
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		StatusCode:   j.x.Head.Status,
		Header:       http.Header{},
		Body:         http.NoBody,
		Request:      req,
		Uncompressed: true,
	}
	if j.doc != nil {
		resp.Header["Content-Type"] = []string{j.doc.Mime}
	}
	return resp, nil
}
