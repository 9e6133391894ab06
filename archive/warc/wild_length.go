package warc

import (
	"bytes"
	"fmt"
	"strings"

	"linkstead/archive/httpmsg"
)

// plainRecord is where a plain record ends.
type plainRecord struct {
	length int64 // of its block
	end    int64 // behind the line ends that follow it
}

// plainRecord finds out where the plain record at pos ends, or why there is none.
func (f *wildFile) plainRecord() (p plainRecord, why string, err error) {
	raw, arc, err := f.header()
	if err != nil {
		return p, "", err
	}
	var h Header
	if arc {
		h, err = arcHeader(bytes.TrimRight(raw, "\r\n"))
	} else {
		h, err = ParseHeader(raw)
	}
	switch {
	case err != nil:
		return p, err.Error(), nil
	case len(raw) == 0:
		return p, fmt.Sprintf("%v: it has no end", ErrHeader), nil
	}
	begin := f.pos + int64(len(raw))
	p.length, err = f.blockLength(begin, &h, arc)
	if err != nil {
		return p, "", err
	}
	if p.length < 0 {
		return p, fmt.Sprintf("the file ends within a record: %d of %d bytes are there", f.size-begin, h.Length), nil
	}
	p.end, err = f.behindLines(begin + p.length)
	return p, "", err
}

// header reads the header of the plain record at pos, or the line before an ARC record.
func (f *wildFile) header() (raw []byte, arc bool, err error) {
	for n := 4 << 10; ; n *= 4 {
		b, err := f.w.peek(f.pos, min(n, maxHeader))
		if err != nil {
			return nil, false, err
		}
		if arc = !bytes.HasPrefix(b, []byte("WARC/")); arc {
			if end := bytes.IndexByte(b, '\n'); end >= 0 || len(b) >= maxLine {
				return b[:min(end+1, maxLine)], true, nil
			}
		} else if end := headerEnd(b); end != 0 {
			return b[:max(end, 0)], false, nil
		}
		if len(b) < n {
			return nil, arc, nil
		}
	}
}

// behindLines is where the line ends at an offset end.
func (f *wildFile) behindLines(at int64) (int64, error) {
	var room [startLength]byte
	for {
		b, err := f.w.glance(at, room[:])
		if err != nil {
			return at, err
		}
		rest := bytes.TrimLeft(b, "\r\n")
		at += int64(len(b) - len(rest))
		if len(rest) > 0 || len(b) == 0 {
			return at, nil
		}
	}
}

// blockLength is the length of the block at begin; -1 if the file ends within it. What the header says is believed where a record, or
// the end of the file, follows; or a blank line, if what the block holds bears it out. Else the block ends where the next record begins,
// or with the file.
func (f *wildFile) blockLength(begin int64, h *Header, arc bool) (int64, error) {
	said, rest := h.Length, f.size-begin
	if said <= rest {
		fits, err := f.fits(begin, h)
		if fits || err != nil {
			return said, err
		}
	}
	at, err := f.follower(begin)
	if err != nil {
		return -1, err
	}
	if at < 0 {
		if arc && said <= rest {
			return said, nil
		}
		at = f.size
	}
	var room [4]byte
	from := max(begin, at-int64(len(room)))
	before, err := f.w.glance(from, room[:at-from])
	if err != nil {
		return -1, err
	}
	n := at - begin - int64(separator(before))
	if at < f.size || said <= rest || f.whole {
		return n, nil
	}
	whole := separator(before) > 1
	if whole && isMessage(h) { // it may have been cut behind its head
		_, whole, err = f.head(begin, n)
	}
	if !whole {
		n = -1
	}
	return n, err
}

// follower finds the next record behind the begin of a block; -1 if there is none. A gzip member counts at the begin of a line alone,
// else it is part of the block.
func (f *wildFile) follower(begin int64) (int64, error) {
	for from := begin; ; {
		at, err := f.next(from)
		if err != nil || at < 0 {
			return -1, err
		}
		var room [2]byte
		b, err := f.w.glance(at-1, room[:])
		if err != nil {
			return -1, err
		}
		if len(b) == len(room) && (b[0] == '\n' || b[1] != gzipMagic[0]) {
			return at, nil
		}
		from = at + 1
	}
}

// separator is how many bytes at the end of b are the two line ends that close a record, or the one that is there.
func separator(b []byte) int {
	for _, end := range []string{"\r\n\r\n", "\n\n", "\r\n", "\n"} {
		if bytes.HasSuffix(b, []byte(end)) {
			return len(end)
		}
	}
	return 0
}

// fits says whether the block at begin ends where its header says.
func (f *wildFile) fits(begin int64, h *Header) (bool, error) {
	var room [2 * startLength]byte
	b, err := f.w.glance(begin+h.Length, room[:])
	if err != nil {
		return false, err
	}
	rest := bytes.TrimLeft(b, "\r\n")
	if len(rest) == 0 || startsRecord(rest) || bytes.HasPrefix(rest, gzipMagic) {
		return true, nil
	}
	blank := bytes.HasPrefix(b, []byte("\r\n\r\n")) || bytes.HasPrefix(b, []byte("\n\n"))
	if !isMessage(h) {
		return blank, nil
	}
	head, ok, err := f.head(begin, h.Length)
	if err != nil || !ok {
		return false, err
	}
	framing := head.Framing("")
	if framing.Kind == httpmsg.Length && h.Type() == TypeResponse && h.Get(fieldTruncated) == "" && head.Len+framing.Length >= h.Length {
		return head.Len+framing.Length == h.Length, nil
	}
	return blank, nil
}

// isMessage says whether a record's block is an HTTP message.
func isMessage(h *Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get(fieldContentType)), "application/http")
}

// head reads the head of the HTTP message in the first n bytes of the block at begin, if it is not too long.
func (f *wildFile) head(begin, n int64) (httpmsg.Head, bool, error) {
	b, err := f.w.peek(begin, int(min(n, headWindow)))
	if err != nil {
		return httpmsg.Head{}, false, err
	}
	end := httpmsg.HeadEnd(b, 0)
	if end < 0 {
		return httpmsg.Head{}, false, nil
	}
	head, err := httpmsg.ParseHead(b[:end])
	return head, err == nil, nil
}
