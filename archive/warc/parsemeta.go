package warc

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

// ErrNotClosing says that a metadata block is not the closing record of one of our exchanges: another program's, or
// another record of ours.
var ErrNotClosing = errors.New("not the closing record of an exchange")

// ErrMeta says that a closing record can't be read: it is ours, and damaged.
var ErrMeta = errors.New("malformed closing record")

// ParseMeta reads the block of a closing metadata record: exactly what was composed. Fields that it does not know are
// passed over, so that later versions may add some.
func ParseMeta(block []byte) (Closing, error) {
	var c Closing
	format, rest := firstField(block)
	if format != formatExchange {
		return c, ErrNotClosing
	}
	for n := 2; len(rest) > 0; n++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := strings.Cut(string(line), ":")
		if !ok {
			return c, fmt.Errorf("%w: line %d is no field", ErrMeta, n)
		}
		if err := c.set(name, strings.TrimPrefix(value, " ")); err != nil {
			return c, fmt.Errorf("%w: line %d, %.40q: %w", ErrMeta, n, name, err)
		}
	}
	return c, nil
}

// firstField returns the format of one of our blocks and the lines after it.
func firstField(block []byte) (format string, rest []byte) {
	line, rest, _ := bytes.Cut(block, []byte("\r\n"))
	value, ok := bytes.CutPrefix(line, []byte("format: "))
	if !ok || len(value) > 64 {
		return "", nil
	}
	return string(value), rest
}

// set puts the value of one field in its place.
func (c *Closing) set(name, value string) error {
	switch name {
	case "outlink":
		l, err := parseOutlink(value)
		c.Outlinks = append(c.Outlinks, l)
		return err
	case "confirmed":
		status, size, _ := strings.Cut(value, " ")
		var err, err2 error
		c.Page.Status, err = strconv.Atoi(status)
		c.Page.Size, err2 = strconv.ParseInt(size, 10, 64)
		if err != nil || err2 != nil || c.Page.Status <= 0 {
			return fmt.Errorf("%.40q is no status and size", value)
		}
		return nil
	case "left-out":
		l, err := parseLeftOut(value)
		c.LeftOut = append(c.LeftOut, l)
		return err
	case "flag":
		s, err := unescape(value)
		c.Flags = append(c.Flags, s)
		return err
	case "note":
		s, err := unescape(value)
		c.Notes = append(c.Notes, s)
		return err
	}
	if p := c.textField(name); p != nil {
		s, err := unescape(value)
		*p = s
		return err
	}
	if set, ok := intFields[name]; ok {
		n, err := strconv.ParseInt(value, 10, 64)
		set(c, n)
		return err
	}
	return c.setRest(name, value)
}

func (c *Closing) setRest(name, value string) error {
	switch name {
	case "outcome":
		s, err := unescape(value)
		c.Outcome = outcome.Outcome(s)
		return err
	case "interim":
		s, err := unescape(value)
		c.Interim = []byte(s)
		return err
	case "request":
		s, err := unescape(value)
		c.Request = []byte(s)
		return err
	case "evidence":
		s, err := unescape(value)
		c.Evidence = []byte(s)
		return err
	case "offending":
		s, err := unescape(value)
		c.Cause.Offending = []byte(s)
		return err
	}
	return nil
}

func (c *Closing) textField(name string) *string {
	switch name {
	case "url":
		return &c.URL
	case "method":
		return &c.Method
	case "task-host":
		return &c.Host
	case "kind":
		return &c.Kind
	case "via":
		return &c.Via
	case "hopsFromSeed":
		return &c.Hops
	case "detail":
		return &c.Detail
	case "truncated":
		return &c.Truncated
	case "protocol":
		return &c.Protocol
	case "original":
		return &c.Original
	case "confirmed-etag":
		c.Page.Told = true
		return &c.Page.ETag
	case "confirmed-last-modified":
		c.Page.Told = true
		return &c.Page.Modified
	case "redirect":
		return &c.Redirect
	case "mime":
		return &c.Mime
	case "look":
		return &c.Look
	}
	if p := c.Cause.textField(name); p != nil {
		return p
	}
	return c.tlsField(name)
}

func (f *Cause) textField(name string) *string {
	switch name {
	case "phase":
		return &f.Phase
	case "address":
		return &f.Address
	case "dns-answer":
		return &f.DNSAnswer
	case "dns-server":
		return &f.DNSServer
	case "rule":
		return &f.Rule
	case "robots-attempt":
		return &f.Robots
	}
	return nil
}

func (c *Closing) tlsField(name string) *string {
	if !strings.HasPrefix(name, "tls-") {
		return nil
	}
	if c.TLS == nil {
		c.TLS = new(TLS)
	}
	switch name {
	case "tls-version":
		return &c.TLS.Version
	case "tls-cipher":
		return &c.TLS.Cipher
	case "tls-fingerprint":
		return &c.TLS.Fingerprint
	case "tls-invalid":
		return &c.TLS.Invalid
	case "tls-fault":
		return &c.TLS.Fault
	}
	return nil
}

var intFields = map[string]func(*Closing, int64){
	"run":                func(c *Closing, n int64) { c.Run = n },
	"task-id":            func(c *Closing, n int64) { c.Task = n },
	"token":              func(c *Closing, n int64) { c.Token = n },
	"link":               func(c *Closing, n int64) { c.Link = n },
	"depth":              func(c *Closing, n int64) { c.Depth = int(n) },
	"attempt":            func(c *Closing, n int64) { c.Attempt = int(n) },
	"retry":              func(c *Closing, n int64) { c.Retry = n },
	"outcome-version":    func(c *Closing, n int64) { c.OutcomeVersion = int(n) },
	"excess":             func(c *Closing, n int64) { c.Excess = n },
	"offending-at":       func(c *Closing, n int64) { c.Cause.At = n },
	"payload-size":       func(c *Closing, n int64) { c.PayloadSize = n },
	"evidence-size":      func(c *Closing, n int64) { c.EvidenceSize = n },
	"time-dns-us":        func(c *Closing, n int64) { c.Timing.DNS = micros(n) },
	"time-connect-us":    func(c *Closing, n int64) { c.Timing.Connect = micros(n) },
	"time-tls-us":        func(c *Closing, n int64) { c.Timing.TLS = micros(n) },
	"time-first-byte-us": func(c *Closing, n int64) { c.Timing.FirstByte = micros(n) },
	"time-total-us":      func(c *Closing, n int64) { c.Timing.Total = micros(n) },
}

func parseLeftOut(value string) (l storage.LeftOut, err error) {
	words := strings.Split(value, " ")
	if len(words) != 3 {
		return l, fmt.Errorf("%d words", len(words))
	}
	if l.Reason, err = unescapeToken(words[0]); err != nil {
		return l, err
	}
	if l.N, err = strconv.ParseInt(words[1], 10, 64); err != nil {
		return l, err
	}
	l.Example, err = unescapeToken(words[2])
	return l, err
}

func parseOutlink(value string) (Outlink, error) {
	var l Outlink
	words := strings.Split(value, " ")
	if len(words) != 3 && len(words) != 4 && len(words) != 6 {
		return l, fmt.Errorf("%d words", len(words))
	}
	var hop string
	for _, t := range []struct {
		word string
		to   *string
	}{{words[0], &l.URL}, {words[2], &l.Context}} {
		s, err := unescapeToken(t.word)
		if err != nil {
			return l, err
		}
		*t.to = s
	}
	hop, err := unescape(words[1])
	if err != nil || len(hop) != 1 {
		return l, errEscape
	}
	l.Hop = hop[0]
	switch len(words) {
	case 3:
		return l, nil
	case 4:
		l.Reason, err = unescapeToken(words[3])
		return l, err
	}
	if l.Kind, err = unescapeToken(words[3]); err != nil {
		return l, err
	}
	if l.Depth, err = strconv.Atoi(words[4]); err != nil {
		return l, err
	}
	l.Due, err = strconv.ParseInt(words[5], 10, 64)
	return l, err
}
