package replay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
)

// errWrite says that the client no longer takes what we send.
var errWrite = errors.New("the client has gone")

// pass sends the payload as it is: in its own content coding if the client takes that, else decoded.
func (p *reply) pass() error {
	coding := p.coding
	// Browsers make nothing of a compressed body that breaks off.
	raw := coding == "" || p.c.Kind != warc.KindTruncated && accepts(p.r.Header.Values("Accept-Encoding"), coding)
	form := "raw"
	if raw && coding != "" {
		p.w.Header().Set("Content-Encoding", coding)
	} else if !raw {
		form = "plain"
	}
	tag := p.tag(form)
	if p.unchanged(tag) {
		return nil
	}
	switch {
	case p.status == http.StatusPartialContent && raw:
		return p.partly(tag)
	case p.status == http.StatusPartialContent:
		p.status = http.StatusOK // its range is of the coded bytes
	}
	size := int64(-1)
	if raw {
		size = p.size()
	}
	if p.status == http.StatusOK {
		p.w.Header().Set("Accept-Ranges", "bytes")
		if spec := p.r.Header.Get("Range"); spec != "" && p.rangeHolds(tag) {
			if done, err := p.ranged(spec, size, raw); done || err != nil {
				return err
			}
		}
	}
	if size >= 0 {
		p.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	p.w.WriteHeader(p.status)
	if p.r.Method == http.MethodHead {
		return nil
	}
	return p.body(raw, func(body io.Reader) error { return copyTo(p.w, body) })
}

// body hands the payload over, raw or decoded.
func (p *reply) body(raw bool, f func(io.Reader) error) error {
	if raw {
		return p.fatal(f(p.payload))
	}
	d, err := httpmsg.Decode(p.payload, p.coding)
	if err != nil {
		return fmt.Errorf("decode %q: %w", p.coding, err)
	}
	err = f(httpmsg.NewCapped(d, p.h.maxDecoded()))
	_ = d.Close() // it frees buffers alone
	return p.fatal(err)
}

// copyTo copies, and tells failures of the client from others.
func copyTo(w io.Writer, r io.Reader) error {
	_, err := io.Copy(clientWriter{w}, r)
	return err
}

// clientWriter marks the errors of a client's connection.
type clientWriter struct{ w io.Writer }

func (c clientWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if err != nil {
		return n, errors.Join(errWrite, err)
	}
	return n, nil
}

// size is the length of the dechunked payload in bytes, or -1 if only reading would tell.
func (p *reply) size() int64 { return p.m.Size() }

// accepts says whether a client takes all codings of a list (RFC 9110 §12.5.3).
func accepts(fields []string, codings string) bool {
	for c := range strings.SplitSeq(codings, ",") {
		if c = strings.TrimSpace(c); c != "" && c != "identity" && !acceptsOne(fields, strings.TrimPrefix(c, "x-")) {
			return false
		}
	}
	return true
}

func acceptsOne(fields []string, coding string) bool {
	others := false
	for _, f := range fields {
		for item := range strings.SplitSeq(f, ",") {
			name, params, _ := strings.Cut(strings.ToLower(item), ";")
			name = strings.TrimPrefix(strings.TrimSpace(name), "x-")
			switch name {
			case coding:
				return !refused(params)
			case "*":
				others = !refused(params)
			}
		}
	}
	return others
}

// refused says whether a weight is zero (RFC 9110 §12.4.2).
func refused(params string) bool {
	q, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	return ok && strings.Trim(q, "0.") == ""
}
