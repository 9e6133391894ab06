package warc

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
)

// Formats of our metadata blocks: their first field. A reader that meets another value leaves the record alone.
const (
	formatExchange = "linkstead-exchange/1"
	formatVoid     = "linkstead-void/1"
)

// MaxClosing bounds the block of a closing record, in bytes. It holds some hundred thousand outlinks.
const MaxClosing = 64 << 20

// maxEvidence bounds the bytes kept of an answer that is no complete HTTP head.
const maxEvidence = 16 << 10

// Closing is all that the closing metadata record of an exchange tells (WARC 1.1 §6.6). Its block is
// application/warc-fields; the names are stable, fields with zero values are left out, values are escaped: a backslash
// is doubled, and bytes that are not printable UTF-8, or that a reader could trim or decode, are written as \xHH.
//
//	format           linkstead-exchange/1, always first
//	url              the URL, where it can't stand in WARC-Target-URI
//	method           GET, HEAD
//	run task-host task-id token kind depth attempt retry redirect mime    see Meta
//	via hopsFromSeed fetchTimeMs                                          as §6.6 names them
//	outcome outcome-version detail truncated                              see package outcome
//	phase address dns-answer dns-server rule offending offending-at
//	robots-attempt                                                        see Cause
//	original         segment/offset of the record that a revisit refers to
//	confirmed        STATUS SIZE of the page that a 304 stands for
//	confirmed-etag confirmed-last-modified    see Page: only if the 304 says something else
//	request          the request as sent, where a 304 stands for a page: it has no record of its own
//	time-dns-us time-connect-us time-tls-us time-first-byte-us time-total-us
//	tls-version tls-cipher tls-fingerprint tls-invalid tls-fault          see TLS
//	interim          1xx heads, as they came
//	excess           bytes cut after the message's end
//	protocol         h2 if request and response were rebuilt from HTTP/2, and are not exact
//	payload-size     bytes of the dechunked payload
//	evidence evidence-size    the first bytes of an answer without a complete head, and how many came
//	flag             one a word of package wall
//	note             one a note
//	link             of a look at a link: its number. Such a record stands alone: request and evidence are what was sent, and the first
//	                 bytes of what came, head and all
//	look             of the step that ends a look: its evidence as JSON, see archive/link
//	left-out         REASON N EXAMPLE: links that were left out, of a page that was not modified (see Meta.Trim)
//	outlink          URL HOP CONTEXT, and KIND DEPTH DUE if it became a task, or REASON if it didn't; spaces within are
//	                 \x20, nothing is "-"
//
// docs/evidence.md tells the same to who reads the files, with an example of each.
type Closing struct {
	Meta
	URL            string // set only if it can't stand in WARC-Target-URI
	Method         string
	Outcome        outcome.Outcome
	OutcomeVersion int
	Detail         string
	Cause          Cause
	Truncated      string // WARC-Truncated of the response
	Original       string // "segment/offset", see Original.Location
	Page           Page   // what a 304 stands for; its media type is Mime
	Request        []byte // as sent, where it has no record of its own
	Timing         Timing
	TLS            *TLS
	Interim        []byte
	Excess         int64
	Protocol       string
	PayloadSize    int64
	Evidence       []byte
	EvidenceSize   int64
}

// Page is what a reader gets of a page whose server says that it was not modified: as it was captured before, with the
// validators of now.
type Page struct {
	Status         int   // of the original
	Size           int64 // of its payload; -1: unknown
	ETag, Modified string
	Told           bool // they stand in the closing record: they are not what the 304's own head says
}

// page is what rows tell of what an answer has confirmed: its status, its size, and the validators that are kept.
func (c *Confirmed) page(answer httpmsg.Head) Page {
	etag, modified := validators(c.Head)
	e, m := validators(answer)
	return Page{c.Head.Status, c.Size, etag, modified, e != etag || m != modified}
}

// fieldsWriter writes application/warc-fields.
type fieldsWriter struct{ buf []byte }

func (w *fieldsWriter) text(name, value string) {
	if value != "" {
		w.always(name, value)
	}
}

func (w *fieldsWriter) always(name, value string) {
	w.buf = append(append(w.buf, name...), ": "...)
	w.buf = append(appendEscaped(w.buf, value, false), "\r\n"...)
}

func (w *fieldsWriter) int(name string, n int64) {
	if n != 0 {
		w.buf = append(append(w.buf, name...), ": "...)
		w.buf = append(strconv.AppendInt(w.buf, n, 10), "\r\n"...)
	}
}

func (w *fieldsWriter) bytes(name string, b []byte) {
	if len(b) > 0 {
		w.buf = append(append(w.buf, name...), ": "...)
		w.buf = append(appendEscaped(w.buf, b, false), "\r\n"...)
	}
}

// appendClosing writes c as ParseMeta reads it.
func appendClosing(dst []byte, c *Closing) []byte {
	w := fieldsWriter{dst}
	w.text("format", formatExchange)
	w.text("url", c.URL)
	w.text("method", c.Method)
	w.int("run", c.Run)
	w.text("task-host", c.Host)
	w.int("task-id", c.Task)
	w.int("token", c.Token)
	w.text("kind", c.Kind)
	w.int("depth", int64(c.Depth))
	w.int("attempt", int64(c.Attempt))
	w.int("retry", c.Retry)
	w.text("via", c.Via)
	w.text("hopsFromSeed", c.Hops)
	if c.Page.Status == 0 { // time-total-us says it, too
		w.int("fetchTimeMs", c.Timing.Total.Milliseconds())
	}
	w.text("outcome", string(c.Outcome))
	w.int("outcome-version", int64(c.OutcomeVersion))
	w.text("detail", c.Detail)
	w.cause(&c.Cause)
	w.text("truncated", c.Truncated)
	w.text("original", c.Original)
	if c.Page.Status != 0 {
		w.always("confirmed", fmt.Sprintf("%d %d", c.Page.Status, c.Page.Size))
	}
	if c.Page.Told {
		w.always("confirmed-etag", c.Page.ETag)
		w.always("confirmed-last-modified", c.Page.Modified)
	}
	w.bytes("request", c.Request)
	w.text("redirect", c.Redirect)
	w.text("mime", c.Mime)
	w.wire(c)
	w.int("link", c.Link)
	w.text("look", c.Look)
	for _, f := range c.Flags {
		w.always("flag", f)
	}
	for _, n := range c.Notes {
		w.always("note", n)
	}
	for _, l := range c.LeftOut {
		w.buf = append(appendToken(append(w.buf, "left-out: "...), l.Reason), ' ')
		w.buf = append(strconv.AppendInt(w.buf, l.N, 10), ' ')
		w.buf = append(appendToken(w.buf, l.Example), "\r\n"...)
	}
	for i := range c.Outlinks {
		w.outlink(&c.Outlinks[i])
	}
	return w.buf
}

// cause writes how the exchange failed.
func (w *fieldsWriter) cause(f *Cause) {
	w.text("phase", f.Phase)
	w.text("address", f.Address)
	w.text("dns-answer", f.DNSAnswer)
	w.text("dns-server", f.DNSServer)
	w.text("rule", f.Rule)
	w.bytes("offending", f.Offending)
	w.int("offending-at", f.At)
	w.text("robots-attempt", f.Robots)
}

// wire writes what the connection told.
func (w *fieldsWriter) wire(c *Closing) {
	w.int("time-dns-us", c.Timing.DNS.Microseconds())
	w.int("time-connect-us", c.Timing.Connect.Microseconds())
	w.int("time-tls-us", c.Timing.TLS.Microseconds())
	w.int("time-first-byte-us", c.Timing.FirstByte.Microseconds())
	w.int("time-total-us", c.Timing.Total.Microseconds())
	if c.TLS != nil {
		w.always("tls-version", c.TLS.Version)
		w.text("tls-cipher", c.TLS.Cipher)
		w.text("tls-fingerprint", c.TLS.Fingerprint)
		w.text("tls-invalid", c.TLS.Invalid)
		w.text("tls-fault", c.TLS.Fault)
	}
	w.bytes("interim", c.Interim)
	w.int("excess", c.Excess)
	w.text("protocol", c.Protocol)
	w.int("payload-size", c.PayloadSize)
	w.bytes("evidence", c.Evidence)
	w.int("evidence-size", c.EvidenceSize)
}

func (w *fieldsWriter) outlink(l *Outlink) {
	w.buf = append(w.buf, "outlink: "...)
	w.buf = append(appendToken(w.buf, l.URL), ' ')
	w.buf = append(appendEscaped(w.buf, []byte{l.Hop}, true), ' ')
	w.buf = appendToken(w.buf, l.Context)
	if l.Reason != "" {
		w.buf = append(appendToken(append(w.buf, ' '), l.Reason), "\r\n"...)
		return
	}
	if l.Kind != "" || l.Depth != 0 || l.Due != 0 {
		w.buf = append(appendToken(append(w.buf, ' '), l.Kind), ' ')
		w.buf = append(strconv.AppendInt(w.buf, int64(l.Depth), 10), ' ')
		w.buf = strconv.AppendInt(w.buf, l.Due, 10)
	}
	w.buf = append(w.buf, "\r\n"...)
}

// closingOf gathers what the closing record of an exchange tells.
func closingOf(ex *Exchange, meta *Meta, opts *Options) (Closing, error) {
	c := Closing{
		Meta: *meta, Method: ex.Method, Outcome: ex.Outcome, OutcomeVersion: outcome.Version, Detail: ex.Detail,
		Cause: ex.Cause, Truncated: ex.Truncated, Timing: ex.Timing, TLS: ex.TLS, Interim: ex.Interim, Excess: ex.Excess, Protocol: ex.Protocol,
	}
	if ex.Head.Len > 0 {
		c.PayloadSize = ex.Payload.Size
	}
	if len(ex.Notes) > 0 {
		c.Notes = slices.Concat(ex.Notes, meta.Notes)
	}
	if opts.Original != nil {
		c.Original = opts.Original.Location
	}
	if opts.Confirmed != nil {
		c.Page, c.Request = opts.Confirmed.page(ex.Head), ex.Request
	}
	if meta.probe() {
		c.Request = ex.Request
	}
	if ex.Response == nil || ex.Head.Len > 0 && !meta.probe() || ex.Response.Size() == 0 {
		return c, nil
	}
	c.EvidenceSize = ex.Response.Size()
	c.Evidence = make([]byte, min(c.EvidenceSize, maxEvidence))
	if _, err := ex.Response.ReadAt(c.Evidence, 0); err != nil {
		return c, fmt.Errorf("read the first bytes of the answer of %s: %w", ex.URL, err)
	}
	return c, nil
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
