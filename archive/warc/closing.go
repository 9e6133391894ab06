package warc

import (
	"fmt"
	"strconv"
	"time"

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
//	original         segment/offset of the record that a revisit refers to
//	time-dns-us time-connect-us time-tls-us time-first-byte-us time-total-us
//	tls-version tls-cipher tls-fingerprint tls-invalid
//	interim          1xx heads, as they came
//	excess           bytes cut after the message's end
//	evidence evidence-size    the first bytes of an answer without a complete head, and how many came
//	note             one a note
//	outlink          URL HOP CONTEXT, and KIND DEPTH DUE if it became a task; spaces within are \x20, nothing is "-"
type Closing struct {
	Meta
	URL            string // set only if it can't stand in WARC-Target-URI
	Method         string
	Outcome        outcome.Outcome
	OutcomeVersion int
	Detail         string
	Truncated      string // WARC-Truncated of the response
	Original       string // "segment/offset", see Original.Location
	Timing         Timing
	TLS            *TLS
	Interim        []byte
	Excess         int64
	Evidence       []byte
	EvidenceSize   int64
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
	w.int("fetchTimeMs", c.Timing.Total.Milliseconds())
	w.text("outcome", string(c.Outcome))
	w.int("outcome-version", int64(c.OutcomeVersion))
	w.text("detail", c.Detail)
	w.text("truncated", c.Truncated)
	w.text("original", c.Original)
	w.text("redirect", c.Redirect)
	w.text("mime", c.Mime)
	w.wire(c)
	for _, n := range c.Notes {
		w.always("note", n)
	}
	for i := range c.Outlinks {
		w.outlink(&c.Outlinks[i])
	}
	return w.buf
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
	}
	w.bytes("interim", c.Interim)
	w.int("excess", c.Excess)
	w.bytes("evidence", c.Evidence)
	w.int("evidence-size", c.EvidenceSize)
}

func (w *fieldsWriter) outlink(l *Outlink) {
	w.buf = append(w.buf, "outlink: "...)
	w.buf = append(appendToken(w.buf, l.URL), ' ')
	w.buf = append(appendEscaped(w.buf, []byte{l.Hop}, true), ' ')
	w.buf = appendToken(w.buf, l.Context)
	if l.Kind != "" || l.Depth != 0 || l.Due != 0 {
		w.buf = append(appendToken(append(w.buf, ' '), l.Kind), ' ')
		w.buf = append(strconv.AppendInt(w.buf, int64(l.Depth), 10), ' ')
		w.buf = strconv.AppendInt(w.buf, l.Due, 10)
	}
	w.buf = append(w.buf, "\r\n"...)
}

// closingOf gathers what the closing record of an exchange tells.
func closingOf(ex *Exchange, meta *Meta, orig *Original) (Closing, error) {
	c := Closing{
		Meta: *meta, Method: ex.Method, Outcome: ex.Outcome, OutcomeVersion: outcome.Version, Detail: ex.Detail,
		Truncated: ex.Truncated, Timing: ex.Timing, TLS: ex.TLS, Interim: ex.Interim, Excess: ex.Excess,
	}
	if orig != nil {
		c.Original = orig.Location
	}
	if ex.Response == nil || ex.Head.Len > 0 || ex.Response.Size() == 0 {
		return c, nil
	}
	c.EvidenceSize = ex.Response.Size()
	c.Evidence = make([]byte, min(c.EvidenceSize, maxEvidence))
	if _, err := ex.Response.ReadAt(c.Evidence, 0); err != nil {
		return c, fmt.Errorf("read the broken answer of %s: %w", ex.URL, err)
	}
	return c, nil
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
