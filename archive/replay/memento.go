package replay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"linkstead/archive/fuzzy"
	"linkstead/archive/httpmsg"
	"linkstead/archive/markup"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// reply is one memento on its way to a client.
type reply struct {
	h *Handler
	w http.ResponseWriter
	r *http.Request
	a *address
	c storage.Capture
	m *warc.Memento

	near storage.Around // what stands about the moment that was asked for

	differs *fuzzy.Difference // of what is shown from what was asked for; nil: it is that

	part    extent // of a 206: what it holds
	payload *source
	head    httpmsg.Head // in effect: the capture's own, or of a not-modified revisit the original's, updated
	status  int
	mime    string // as declared, lower case, without parameters; sniffed if none is
	shape   markup.XMLShape
	coding  string // the content codings of the payload that we can undo; "": none
}

// memento answers a request for one.
func (h *Handler) memento(w http.ResponseWriter, r *http.Request, a address) {
	if err := a.ask(w, r); err != nil {
		return // the client has gone
	}
	c, err := h.find(r, &a)
	if errors.Is(err, storage.ErrNotFound) {
		h.missing(w, r, &a)
		return
	}
	if err != nil {
		h.fault(w, r, &a, err)
		return
	}
	to, moved := truthful(r, &a, &c.Capture)
	if moved {
		h.asks.note(r, to, digitsOf(targetOf(r)), h.Now())
	}
	if origin, ok := h.elsewhere(r, a.mod, urlOf(&c.Capture)); ok {
		if !moved {
			to = a.String()
		}
		h.redirect(w, r, http.StatusTemporaryRedirect, origin+to)
		return
	}
	if moved {
		h.redirect(w, r, http.StatusFound, to)
		return
	}
	p := &reply{h: h, w: w, r: r, a: &a, c: c.Capture, near: c.near, differs: c.differs}
	if err := p.open(); err != nil {
		h.fault(w, r, &a, err)
		return
	}
	defer func() { p.close() }()
	if err := p.complete(); err != nil {
		h.fault(w, r, &a, err)
		return
	}
	p.send()
}

// open opens the capture, and tells what is in effect.
func (p *reply) open() error {
	m, err := p.h.Library.Open(p.r.Context(), p.c)
	if err != nil {
		return err
	}
	if m.Damage != nil {
		p.h.Log.Error("a record is damaged, and an equal copy is shown in its place", "url", p.c.URL,
			"segment", p.c.Segment, "offset", p.c.Offset, "record", p.c.RecordID, "error", m.Damage)
	}
	p.m, p.payload = m, &source{r: m.Payload}
	p.head, p.status = effective(m)
	if p.status == http.StatusPartialContent {
		var ok bool
		if p.part, ok = extentOf(p.head); !ok {
			p.status = http.StatusOK // it does not say of what it is a part
		}
	}
	p.mime = p.head.Mime()
	p.readCodings(strings.Join(m.Original.Values("Content-Encoding"), ","))
	switch p.mime {
	case "", "unknown/unknown", "application/unknown", "*/*":
		return p.sniff()
	}
	return nil
}

func (p *reply) close() {
	if err := p.m.Close(); err != nil {
		p.h.Log.Error("close a capture", "url", p.c.URL, "error", err)
	}
}

// reopen begins the payload anew.
func (p *reply) reopen() error {
	p.close()
	m, err := p.h.Library.Open(p.r.Context(), p.c)
	if err != nil {
		p.m = &warc.Memento{}
		return err
	}
	p.m, p.payload = m, &source{r: m.Payload}
	return nil
}

// sniff looks at the first bytes of a body without a type, as browsers do (MIME Sniffing §7), so that a page is
// rewritten though nobody said that it is one.
func (p *reply) sniff() error {
	d, err := httpmsg.Decode(bytes.NewReader(p.payload.peek(peekSize)), p.coding)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it frees buffers alone
	var start [512]byte
	if n, _ := io.ReadFull(d, start[:]); n > 0 {
		p.mime, _, _ = strings.Cut(http.DetectContentType(start[:n]), ";")
	}
	return nil
}

// effective tells the head and status that count. A revisit has its own, unless it says that nothing was modified: then
// they are the original's, updated by the revisit's fields (RFC 9111 §3.2), or its record kept none.
func effective(m *warc.Memento) (httpmsg.Head, int) {
	switch {
	case m.Capture.Kind == warc.KindResource:
		return resourceHead(m.Header.Get("Content-Type")), http.StatusOK
	case m.Capture.Kind == warc.KindRevisit && strings.Contains(m.Header.Get("WARC-Profile"), "server-not-modified"):
		return m.Original.Updated(m.Head), sane(m.Original.Status)
	case m.Head.Status == 0:
		return m.Original, sane(m.Original.Status)
	}
	return m.Head, sane(m.Head.Status)
}

// sane maps what can't be the status of a final response to 200.
func sane(status int) int {
	if status < 200 || status > 999 {
		return http.StatusOK
	}
	return status
}

// resourceHead is that of a document that was handed in. Browsers show plain text; Markdown they would save.
func resourceHead(contentType string) httpmsg.Head {
	h := httpmsg.Head{Fields: []httpmsg.Field{{Name: "Content-Type", Value: contentType}}}
	switch h.Mime() {
	case "text/markdown", "text/x-markdown", "text/plain":
		h.Fields[0].Value = "text/plain"
		if c := (httpmsg.Head{Fields: []httpmsg.Field{{Name: "Content-Type", Value: contentType}}}).Charset(); c != "" {
			h.Fields[0].Value += "; charset=" + c
		}
	}
	return h
}

// send writes the answer.
func (p *reply) send() {
	form := notationOf(p.a.mod, p.r, streamType(p.mime, urlOf(&p.c)))
	if _, _, differ := queriesOf(p.c.URL, p.a.url); form == jsonp && !differ {
		form = verbatim // in parts, too, and with its length
	}
	head := p.w.Header()
	if p.a.mod == asIs || form != html && form != xml && !inert(p.mime) || ambiguous(p.head) {
		p.h.protect(head, p.h.exactPolicy())
	} else {
		p.h.protect(head, p.h.pagePolicy(p.r, p.a.mod, urlOf(&p.c), !inert(p.mime)))
	}
	p.h.contain(head)
	if p.a.mod == asData {
		head.Add("Vary", "Accept") // see bare
	}
	copyHeaders(head, p.head)
	p.mementoHeaders()
	p.leads()
	var err error
	switch {
	case p.status == http.StatusNoContent || p.status == http.StatusNotModified:
		p.w.WriteHeader(p.status)
	case form == verbatim:
		err = p.pass()
	default:
		err = p.rewrite(form)
	}
	if err != nil && !errors.Is(err, errWrite) && p.r.Context().Err() == nil {
		p.h.Log.Error("replay", "url", p.c.URL, "segment", p.c.Segment, "offset", p.c.Offset, "error", err)
		// The head is out already: a torn connection is the only way to say that the rest is missing.
		panic(http.ErrAbortHandler)
	}
}

// references are those of the capture, as they are rewritten for this request.
func (p *reply) references() *references {
	ref := newReferences(p.a, &p.c)
	ref.origin = p.h.originOf("")
	if bare(p.r, p.a.mod) {
		ref.page = asData // whoever reads without a banner reads on without it
	}
	return ref
}

// leads sets Location, Content-Location and Refresh to where they lead within the archive, at the time that was asked for.
func (p *reply) leads() {
	ref := p.references()
	if p.status/100 == 3 && p.status != http.StatusNotModified {
		target := p.head.Get("Location")
		if target == "" {
			target = p.c.Redirect
		}
		// One that leads back here would lead back for ever: see choose.
		if to, ok := ref.inside(target, p.a.mod); ok && !p.back(target) {
			p.w.Header().Set("Location", to)
		}
	}
	if to, ok := ref.inside(p.head.Get("Content-Location"), p.a.mod); ok {
		p.w.Header().Set("Content-Location", to)
	}
	if refresh := ref.refresh(p.head.Get("Refresh")); refresh != "" && p.a.mod != asIs {
		p.w.Header().Set("Refresh", refresh)
	}
}

func (p *reply) back(target string) bool {
	to, err := urlkey.Parse(urlOf(&p.c), target)
	return err == nil && urlkey.Key(to) == p.c.URLKey
}

// source reads a payload and remembers whether storage failed, as distinct from a body that is broken in itself.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// finish reads what a decoder has left, since it took the payload for broken: the end tells whether storage failed.
func (s *source) finish() {
	if s.err == nil {
		_, _ = io.Copy(io.Discard, s) // the error is kept
	}
}

// fatal keeps the errors that are a fault of ours; a body that breaks off or can't be decoded further just ends. Whether it was
// sent like that, the end of its payload tells.
func (p *reply) fatal(err error) error {
	if err != nil && !errors.Is(err, errWrite) {
		p.payload.finish()
	}
	switch {
	case p.payload.err != nil:
		return p.payload.err
	case errors.Is(err, errWrite), errors.Is(err, context.Canceled):
		return err
	}
	return nil
}
