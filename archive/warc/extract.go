package warc

import (
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"

	"linkstead/storage"
)

// Extract is what a segment holds of one capture that is taken out of it: whole gzip members, each with one record.
type Extract struct {
	From   int64     // offset of the capture in its segment
	Data   io.Reader // the members: of an exchange of ours, all of it
	Offset int64     // of the capture's own member in Data, bytes
	Length int64     // of that member, bytes

	Request *Request // what was asked, if it was another than GET; of a request that comes by itself, it is for the capture at Of
	Of      int64    // offset of the capture for which a request is that comes by itself, From being -1
}

// Extractor takes captures out of segments, as they are.
type Extractor struct {
	Temp string // folder for records that must be packed first
}

// Extract yields what a segment holds of the captures at the offsets that are wanted, in its order. An exchange of ours comes as a
// whole, with its request and its closing record; an imported record with its request, if that stands behind it. Before the first of
// them comes the warcinfo record that they name. What is no capture has From -1. What can't be read is left out: damage is for Verify
// to tell.
func (x *Extractor) Extract(row storage.Segment, file io.ReaderAt, wanted map[int64]bool, each func(Extract) error) error {
	if Imported(row.ID) {
		return x.imported(file, row.Size, wanted, each)
	}
	size := max(row.Size, row.Committed)
	var info *Extract // the warcinfo record that goes before what is wanted, until it was told
	for from := int64(0); from < size; {
		end := from
		for u, err := range Exchanges(file, from, size) {
			if errors.As(err, new(*TornError)) {
				break
			}
			if err != nil {
				return err
			}
			end = u.End
			if u.Last().Header.Type() == TypeWarcinfo {
				info = &Extract{From: -1, Data: io.NewSectionReader(file, u.Offset, u.End-u.Offset), Length: u.End - u.Offset}
			}
			m := u.Main()
			if m == nil || !wanted[m.Offset] || u.Voided {
				continue
			}
			if info != nil {
				if err := each(*info); err != nil {
					return err
				}
				info = nil
			}
			err = each(Extract{From: m.Offset, Data: io.NewSectionReader(file, u.Offset, u.End-u.Offset), Offset: m.Offset - u.Offset, Length: m.Length, Request: u.request(file)})
			if err != nil {
				return err
			}
		}
		if end >= size {
			break
		}
		next, err := nextMember(file, end+1, size)
		if err != nil || next < 0 {
			return err
		}
		from = next
	}
	return nil
}

// besides is how many records may stand between an imported capture and its request.
const besides = 8

// imported extracts from a segment whose records stand alone.
func (x *Extractor) imported(file io.ReaderAt, size int64, wanted map[int64]bool, each func(Extract) error) error {
	spill, info := storage.NewSpill(x.Temp, 1<<20), storage.NewSpill(x.Temp, 1<<20)
	defer spill.Reset()  //nolint:errcheck // its file has no name
	defer info.Reset()   //nolint:errcheck // nor has this one's
	var taken []answered // records that were taken and whose requests may follow
	for w, err := range Wilds(file, size, nil) {
		if err != nil {
			return err
		}
		of, isRequest := requestOf(w, taken)
		if w.Header.Type() == TypeWarcinfo {
			if err := errors.Join(info.Reset(), pack(info, w)); err != nil && !errors.As(err, new(*TornError)) {
				return err
			}
			continue
		}
		if !isRequest && !wanted[w.Offset] {
			continue
		}
		if info.Size() > 0 {
			if err := each(Extract{From: -1, Data: info.From(0), Length: info.Size()}); err != nil {
				return err
			}
			if err := info.Reset(); err != nil {
				return err
			}
		}
		if err := spill.Reset(); err != nil {
			return err
		}
		id := w.Header.ID()
		err = pack(spill, w)
		if errors.As(err, new(*TornError)) {
			continue
		}
		if err != nil {
			return err
		}
		e := Extract{From: w.Offset, Data: spill.From(0), Length: spill.Size()}
		if isRequest {
			e.From, e.Of, e.Request = -1, of, packedRequest(spill)
		} else {
			taken = append(taken[max(0, len(taken)+1-besides):], answered{id, w.Offset})
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// answered is a record that was taken, and where it stands.
type answered struct {
	id string
	at int64
}

// requestOf says of which of the records that were taken a record is the request.
func requestOf(w *Wild, taken []answered) (at int64, ok bool) {
	if w.Header.Type() != TypeRequest {
		return 0, false
	}
	for _, id := range w.Header.All(fieldConcurrent) {
		if i := slices.IndexFunc(taken, func(a answered) bool { return a.id == id }); i >= 0 {
			return taken[i].at, true
		}
	}
	return 0, false
}

// packedRequest reads a request that was packed.
func packedRequest(s *storage.Spill) *Request {
	for rec, err := range Scan(s.From(0), 0) {
		if err != nil {
			return nil
		}
		return readRequest(rec.Block)
	}
	return nil
}

// pack writes a record into a gzip member of its own.
func pack(dst *storage.Spill, w *Wild) error {
	block := storage.NewSpill("", 1<<20)
	defer block.Reset() //nolint:errcheck // its file has no name
	if _, err := copyFrom(block, w.Block); err != nil {
		return err
	}
	if err := w.Finish(); err != nil {
		return err
	}
	z := gzip.NewWriter(dst)
	if _, err := z.Write(w.copyHeader(block.Size(), w.Header.ID())); err != nil {
		return err
	}
	if err := spillBlock(block, block.Size()).writeTo(z); err != nil {
		return err
	}
	if _, err := io.WriteString(z, "\r\n\r\n"); err != nil {
		return err
	}
	return z.Close()
}
