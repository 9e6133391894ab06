package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// extent is the part of a representation that a capture of a 206 holds (RFC 9110 §14.4).
type extent struct {
	first, last int64 // bytes
	total       int64 // of the whole; -1: unknown
}

// extentOf reads the Content-Range of a capture whose own status is 206.
func extentOf(head httpmsg.Head) (extent, bool) {
	unit, spec, ok := strings.Cut(strings.TrimSpace(head.Get("Content-Range")), " ")
	span, of, ok2 := strings.Cut(spec, "/")
	from, to, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 || !strings.EqualFold(unit, "bytes") {
		return extent{}, false
	}
	e := extent{total: -1}
	var okFirst, okLast bool
	e.first, okFirst = position(strings.TrimSpace(from))
	e.last, okLast = position(strings.TrimSpace(to))
	if of = strings.TrimSpace(of); of != "*" {
		n, ok := position(of)
		if !ok || n <= e.last {
			return extent{}, false
		}
		e.total = n
	}
	return e, okFirst && okLast && e.first <= e.last && e.last < 1<<62
}

func (e extent) String() string {
	total := "*"
	if e.total >= 0 {
		total = strconv.FormatInt(e.total, 10)
	}
	return fmt.Sprintf("bytes %d-%d/%s", e.first, e.last, total)
}

// cut tells what is held of a range that is wanted of the whole: the part from its first byte on, which is what a server may
// send of it (RFC 9110 §15.3.7). Not ok if that byte is not held; outside if no byte of the whole is meant.
func (e extent) cut(want byteRange) (held extent, ok, outside bool) {
	first, last := want.first, want.last
	if e.total >= 0 {
		start, n, ok := want.in(e.total)
		if !ok {
			return extent{}, false, true
		}
		first, last = start, start+n-1
	}
	if first < e.first || first > e.last {
		return extent{}, false, false
	}
	if last < 0 || last > e.last {
		last = e.last
	}
	return extent{first, last, e.total}, true, false
}

// span is the range that a request asks for; not ok if it asks for none, or for one that we don't serve.
func span(r *http.Request) (byteRange, bool) {
	if r.Method != http.MethodGet {
		return byteRange{}, false
	}
	return parseRange(r.Header.Get("Range"))
}

// partly answers from a capture that holds a part: with what it holds of a range, or, where none is asked for, with all that it
// holds, under its own status. What is not held is not there, though it may have been: 404.
func (p *reply) partly(tag string) error {
	held, head := p.part, p.w.Header()
	if size := p.size(); size >= 0 {
		held.last = min(held.last, held.first+size-1)
	}
	if want, ok := span(p.r); ok && p.rangeHolds(tag) {
		cut, ok, outside := held.cut(want)
		if !ok {
			if outside {
				return p.unsatisfied(held.total)
			}
			clear(head) // of ours: it is no memento
			p.h.plain(p.w, p.r, http.StatusNotFound, "Not in the archive. Of this address it holds "+held.String()+".\n")
			return nil
		}
		return p.stretch(cut, held.first, true)
	}
	if held.last < held.first { // its body never came
		p.w.WriteHeader(http.StatusOK)
		return nil
	}
	return p.stretch(held, held.first, true)
}

// stretch sends a part of the whole with 206, from a payload that begins at byte begin of it. What comes before is streamed,
// never kept.
func (p *reply) stretch(e extent, begin int64, raw bool) error {
	head, n := p.w.Header(), e.last-e.first+1
	head.Set("Accept-Ranges", "bytes")
	head.Set("Content-Range", e.String())
	head.Set("Content-Length", strconv.FormatInt(n, 10))
	p.w.WriteHeader(http.StatusPartialContent)
	if p.r.Method == http.MethodHead {
		return nil
	}
	return p.body(raw, func(body io.Reader) error {
		if _, err := io.CopyN(io.Discard, body, e.first-begin); err != nil {
			return fmt.Errorf("skip to byte %d: %w", e.first, err)
		}
		return copyTo(p.w, io.LimitReader(body, n))
	})
}

// unsatisfied says that no byte of the whole is in the range (RFC 9110 §15.5.17).
func (p *reply) unsatisfied(size int64) error {
	head := p.w.Header()
	head.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
	head.Del("Content-Encoding")
	head.Set("Content-Length", "0")
	p.w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
	return nil
}

// Bounds of a search for other parts.
const (
	maxParts    = 16             // captures that are opened for it
	maxPartRows = 200            // captures of the key that are looked at
	partsWithin = 24 * time.Hour // of the one that was chosen: what one run captured, as a rule
)

// complete finds, in the place of a capture that holds a part without what is asked for, the nearest of the same URL, from the same
// time, that holds it: browsers ask for films in parts, and an archive has them so. A request for all is
// answered by one that is whole.
func (p *reply) complete() error {
	want, ranged := span(p.r)
	if p.status != http.StatusPartialContent || topLevel(p.r, p.a.mod) && (p.a.mod == asIs || !ranged) {
		return nil // who asks for a second by its address gets what was captured then
	}
	if _, ok, outside := p.part.cut(want); ranged && (ok || outside) {
		return nil
	}
	opened := 0
	for c, err := range p.h.besides(p.r.Context(), &p.c) {
		if err != nil {
			return err
		}
		if c.Status != http.StatusOK && (c.Status != http.StatusPartialContent || !ranged) {
			continue
		}
		if opened++; opened > maxParts {
			break
		}
		other := &reply{h: p.h, w: p.w, r: p.r, a: p.a, c: c, near: p.near, differs: p.differs}
		if err := other.open(); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			continue // its own readers are told of it
		}
		if _, ok, _ := other.part.cut(want); other.status == http.StatusOK || ranged && ok {
			p.close()
			*p = *other
			return nil
		}
		other.close()
	}
	return nil
}

// besides yields the other good captures of a capture's URL from about its time, the nearest first.
func (h *Handler) besides(ctx context.Context, c *storage.Capture) iter.Seq2[storage.Capture, error] {
	in := storage.OneKey(c.Collection, c.URLKey)
	in.Since, in.Until = c.At.Add(-partsWithin), c.At.Add(partsWithin)
	return func(yield func(storage.Capture, error) bool) {
		earlier, stop := iter.Pull2(h.Index.CapturesIn(ctx, in, c.Place(), true))
		defer stop()
		later, stop := iter.Pull2(h.Index.CapturesIn(ctx, in, c.Place(), false))
		defer stop()
		before, err, hasBefore := earlier()
		after, err2, hasAfter := later()
		for n := 0; n < maxPartRows && (hasBefore || hasAfter); n++ {
			if err = errors.Join(err, err2); err != nil {
				yield(storage.Capture{}, err)
				return
			}
			var next storage.Capture
			if hasBefore && (!hasAfter || c.At.Sub(before.At) <= after.At.Sub(c.At)) {
				next = before
				before, err, hasBefore = earlier()
			} else {
				next = after
				after, err2, hasAfter = later()
			}
			if next.URL == c.URL && next.Flags == "" && next.Kind != warc.KindTruncated && !yield(next, nil) {
				return
			}
		}
	}
}
