package replay

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// rangeHolds says whether the range is wanted of what we have: If-Range names the same entity (RFC 9110 §13.1.5).
func (p *reply) rangeHolds(tag string) bool {
	f := p.r.Header.Get("If-Range")
	return f == "" || f == tag
}

// ranged answers a request for one range with 206 or 416 (RFC 9110 §14). The skipped bytes are streamed, never kept.
// Where the size is unknown, the payload is read twice, once to count. It is not done if the range is none that we
// serve: several at once, or another unit.
func (p *reply) ranged(spec string, size int64, raw bool) (done bool, err error) {
	want, ok := parseRange(spec)
	if !ok || p.r.Method != http.MethodGet {
		return false, nil
	}
	if size < 0 {
		if size, err = p.count(raw); err != nil {
			return true, err
		}
	}
	start, n, ok := want.in(size)
	if !ok {
		return true, p.unsatisfied(size)
	}
	return true, p.stretch(extent{start, start + n - 1, size}, 0, raw)
}

// count reads the payload to its end, and begins it anew.
func (p *reply) count(raw bool) (n int64, err error) {
	err = p.body(raw, func(body io.Reader) error {
		n, err = io.Copy(io.Discard, body)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, p.reopen()
}

// byteRange is what one range asks for: from first to last, or the last bytes of all.
type byteRange struct {
	first, last int64 // last < 0: to the end
	suffix      int64 // > 0 or first < 0: so many from the end
}

// parseRange reads a Range field of one range (RFC 9110 §14.1.2). Others may be ignored (§14.2).
func parseRange(spec string) (byteRange, bool) {
	unit, set, ok := strings.Cut(spec, "=")
	from, to, dash := strings.Cut(strings.TrimSpace(set), "-")
	if !ok || !dash || !strings.EqualFold(strings.TrimSpace(unit), "bytes") || strings.Contains(set, ",") {
		return byteRange{}, false
	}
	first, okFirst := position(from)
	last, okLast := position(to)
	switch {
	case from == "" && okLast:
		return byteRange{first: -1, suffix: last}, true
	case okFirst && to == "":
		return byteRange{first: first, last: -1}, true
	case okFirst && okLast && first <= last:
		return byteRange{first: first, last: last}, true
	}
	return byteRange{}, false
}

func position(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = 1<<63 - 1 // more digits than any body has bytes
	}
	return n, true
}

// in tells which bytes of size bytes are meant; not ok if none.
func (b byteRange) in(size int64) (start, n int64, ok bool) {
	switch {
	case b.first < 0:
		n = min(b.suffix, size)
		return size - n, n, n > 0
	case b.first >= size:
		return 0, 0, false
	case b.last < 0 || b.last >= size:
		return b.first, size - b.first, true
	}
	return b.first, b.last - b.first + 1, true
}
