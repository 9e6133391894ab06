package warc

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// maxLine bounds the line before an ARC record, in bytes.
const maxLine = 16 << 10

// startLength is how many bytes are looked at to say whether a record begins.
const startLength = 512

// startsRecord says whether b, which may be cut, begins like a record.
func startsRecord(b []byte) bool {
	if bytes.HasPrefix(b, []byte("WARC/")) {
		return true
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	if !schemed(line) || len(line) > maxLine {
		return false
	}
	if len(line) == len(b) {
		return len(b) >= startLength // a long URL; the line is judged when it is read
	}
	_, err := arcHeader(bytes.TrimRight(line, "\r"))
	return err == nil
}

// schemed says whether a line begins with the scheme of a URL.
func schemed(line []byte) bool {
	scheme, _, ok := bytes.Cut(line[:min(len(line), 17)], []byte(":"))
	if !ok || len(scheme) == 0 {
		return false
	}
	for _, c := range scheme {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

// headerEnd is where the header of a WARC record at the begin of b ends, behind its blank line: 0 if b ends before that, -1 if no
// header begins here. It reads as far as it must: another version line ends what seemed to be a header.
func headerEnd(b []byte) int {
	for at, line := 0, 0; at < len(b) && at < maxHeader; line++ {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			if line == 0 && len(b) > 64 || len(b) >= maxHeader {
				return -1
			}
			return 0
		}
		text := bytes.TrimSuffix(b[at:at+n], []byte("\r"))
		at += n + 1
		switch {
		case line == 0:
			if !versionLine(text) {
				return -1
			}
		case len(text) == 0:
			return at
		case text[0] == ' ' || text[0] == '\t':
		case bytes.HasPrefix(text, []byte("WARC/")), line == 1 && bytes.IndexByte(text, ':') < 1:
			return -1
		}
	}
	if len(b) >= maxHeader {
		return -1
	}
	return 0
}

// versionLine says whether a line is WARC/ with a version (WARC 1.1 §4), and nothing else.
func versionLine(line []byte) bool {
	v, ok := bytes.CutPrefix(bytes.TrimRight(line, " \t"), []byte("WARC/"))
	if !ok || len(v) < 3 || len(v) > 8 {
		return false
	}
	for _, c := range v {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}

// isHeader says whether the header of a record stands in raw, and no example of a few lines: it has a length, and fields of WARC.
func isHeader(raw []byte) bool {
	h, err := ParseHeader(raw)
	if err != nil {
		return false
	}
	for i := range h.Fields {
		if name := h.Fields[i].Name; len(name) > 5 && strings.EqualFold(name[:5], "WARC-") {
			return true
		}
	}
	return false
}

// findRecord finds the first record that begins at the begin of a line of b, from b[from] on (from > 0); -1 if none does. cut says
// that b ends before it can be told whether one begins there.
func findRecord(b []byte, from int, arcs bool) (at int, cut bool) {
	for at = from - 1; ; {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 || at+n+1 >= len(b) {
			return -1, false
		}
		at += n + 1
		switch found, cut := lineStarts(b[at:], arcs); {
		case cut:
			return at, true
		case found:
			return at, false
		}
	}
}

// lineStarts says whether a record begins at the begin of b, or that b ends before that can be told.
func lineStarts(b []byte, arcs bool) (found, cut bool) {
	const sign = "WARC/"
	if string(b[:min(len(b), len(sign))]) == sign[:min(len(b), len(sign))] {
		n := headerEnd(b)
		return n > 0 && isHeader(b[:n]), n == 0
	}
	if !arcs || !schemed(b) && len(b) > 16 {
		return false, false
	}
	n := bytes.IndexByte(b[:min(len(b), maxLine)], '\n')
	if n < 0 {
		return false, len(b) < maxLine
	}
	_, err := arcHeader(bytes.TrimRight(b[:n], "\r"))
	return err == nil, false
}

// next finds the first place from which a record begins, compressed or at the begin of a line; -1 if there is none.
func (f *wildFile) next(from int64) (int64, error) {
	if from >= f.bare && from <= f.bareTo {
		from = f.bareTo
	} else {
		f.bare = from
	}
	at, err := f.search(max(from, 1))
	if err != nil {
		return -1, err
	}
	if f.bareTo = at; at < 0 {
		f.bareTo = f.size
	}
	return at, nil
}

// search is next, without what is known of what was looked through before.
func (f *wildFile) search(from int64) (int64, error) {
	for n := 2 * probeLength; from < f.size; n = min(2*n, searchWindow) {
		b, err := f.w.peek(from-1, n) // the byte before tells where a line begins
		if err != nil {
			return -1, err
		}
		last := from-1+int64(len(b)) >= f.size || len(b) < n // or the file has become shorter
		at, cut := findRecord(b, 1, f.arcs)
		end := len(b)
		if at >= 0 {
			end = at
		}
		if z, zcut := f.findGzip(b[1:end], b[1:], last); z >= 0 {
			at, cut = z+1, zcut
		}
		switch {
		case at < 0 && last:
			return -1, nil
		case at < 0:
			from += int64(len(b)) - 16 // what begins at the end is looked at once more
		case !cut:
			return from - 1 + int64(at), nil
		case at > 1 || n < searchWindow && !last: // once more, with more behind it
			from += int64(at) - 1
			if b[at] == gzipMagic[0] {
				n = probeLength
			} else {
				n = searchWindow
			}
		default:
			from++
		}
	}
	return -1, nil
}

// probeLength is how many compressed bytes are looked at to say whether a record begins in a gzip member.
const probeLength = 16 << 10

// findGzip finds the first gzip member in b in which a record begins; all is b with what follows it, last says that nothing follows
// that. cut says that too few bytes follow to tell.
func (f *wildFile) findGzip(b, all []byte, last bool) (at int, cut bool) {
	for at = 0; ; at++ {
		n := bytes.IndexByte(b[at:], gzipMagic[0])
		if n < 0 {
			return -1, false
		}
		at += n
		if !bytes.HasPrefix(all[at:], gzipMagic[:min(len(gzipMagic), len(all)-at)]) {
			continue
		}
		if !last && len(all)-at < probeLength {
			return at, true
		}
		if f.holdsRecord(all[at:min(len(all), at+probeLength)]) {
			return at, false
		}
	}
}

// holdsRecord says whether a record begins in the gzip member at the begin of b.
func (f *wildFile) holdsRecord(b []byte) bool {
	if len(b) < 4 || b[3]&0xe0 != 0 { // RFC 1952 §2.3.1.2
		return false
	}
	if f.spare < 0 {
		b = b[:min(len(b), startLength)]
	}
	if b[3]&4 != 0 && (len(b) < 12 || int(b[10])|int(b[11])<<8 > len(b)-12) { // an extra field that is longer
		return false
	}
	r := bytes.NewReader(b)
	defer func() { f.spare -= int64(len(b) - r.Len()) }()
	if f.probe.Reset(r) != nil {
		return false
	}
	f.probe.Multistream(false)
	var start [startLength]byte
	n, err := io.ReadFull(&f.probe, start[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && n == 0 {
		return false
	}
	return startsRecord(bytes.TrimLeft(start[:n], "\r\n"))
}
