package warc

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"linkstead/storage"
)

// salvage reads the whole units of a segment, also those behind damage: members are gzip streams of their own, so a flipped
// bit costs one exchange, not all that follow. The offsets of the damage are in bad; end is that of the last whole unit.
func salvage(row storage.Segment, file io.ReaderAt, size int64) (tail, error) {
	var all tail
	for from := int64(0); from < size; {
		row.Committed = from
		t, err := readTail(row, file, size)
		if err != nil {
			return all, err
		}
		all.join(t, from)
		if t.end >= size {
			break
		}
		next, err := nextMember(file, t.end+1, size)
		if err != nil {
			return all, err
		}
		if next < 0 {
			break // a torn end, not damage
		}
		if t.end > from || len(all.bad) == 0 { // the members of one broken exchange are one place
			all.bad = append(all.bad, t.end)
		}
		from = next
	}
	return all, nil
}

// join adds what was read behind some damage, from a place on.
func (t *tail) join(o tail, from int64) {
	if o.end > from {
		t.end = o.end
	}
	t.ends, t.closings = append(t.ends, o.ends...), append(t.closings, o.closings...)
	t.runs, t.bad = append(t.runs, o.runs...), append(t.bad, o.bad...)
	t.refers, t.voided, t.notes = append(t.refers, o.refers...), append(t.voided, o.voided...), append(t.notes, o.notes...)
	t.access, t.said = append(t.access, o.access...), append(t.said, o.said...)
	if o.told.After(t.told) {
		t.about, t.told = o.about, o.told
	}
	if t.begun.IsZero() {
		t.begun, t.infoID = o.begun, o.infoID
	}
}

var gzipMagic = []byte{0x1f, 0x8b, 8}

// nextMember finds the first place from which a gzip member with a WARC record begins; -1 if there is none.
func nextMember(file io.ReaderAt, from, size int64) (int64, error) {
	buf := make([]byte, 256<<10)
	for at := from; at < size; {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return -1, fmt.Errorf("look for the next record: %w", err)
		}
		if n < len(gzipMagic) {
			return -1, nil
		}
		i := bytes.Index(buf[:n], gzipMagic)
		if i < 0 {
			at += int64(n - len(gzipMagic) + 1)
			continue
		}
		at += int64(i)
		rec, err := ReadMember(io.NewSectionReader(file, at, size-at))
		if err == nil {
			return at, rec.Close()
		}
		at++
	}
	return -1, nil
}
