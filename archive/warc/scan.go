package warc

import (
	"io"
	"iter"
)

// Scan reads the records of a segment in order, from r, which stands at offset at. A record is good until the next one
// is asked for; what its consumer leaves unread is read and checked then, so what a record tells is certain only once
// Finish said so, or the next record came. The first member that is not whole ends the scan with a *TornError. Memory is
// bounded, whatever r holds.
func Scan(r io.Reader, at int64) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		m := newMemberReader(r, at)
		defer m.free()
		for {
			rec, err := m.next()
			if err != nil {
				yield(nil, err)
				return
			}
			if rec == nil {
				return
			}
			if !yield(rec, nil) {
				return
			}
			if err := rec.Finish(); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
