package warc

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// maxFaults bounds the list of one verification: a segment with more is beyond a list.
const maxFaults = 1000

// Fault is one thing wrong with a segment.
type Fault struct {
	Offset   int64  // of the member
	RecordID string // empty if it can't be read
	Clause   string // of WARC 1.1, or another standard by name
	Detail   string
}

func (f Fault) String() string {
	return fmt.Sprintf("at %d, record %s: %s (%s)", f.Offset, f.RecordID, f.Detail, f.Clause)
}

// Verify reads a whole segment and lists what is wrong with it: members that are not whole single records, digests that
// do not fit, fields that are missing, forbidden or contradict each other, references that lead nowhere, exchanges that
// nothing closes or whose records disagree. It judges dechunked payload digests rightly. It stops at the first member
// that is not whole, for nothing is certain beyond it. The error is that of reading.
func Verify(r io.ReaderAt, size int64) ([]Fault, error) {
	v := verifier{seen: map[string]seen{}}
	whole, err := v.records(r, size)
	if err != nil || !whole {
		return v.faults, err
	}
	v.references()
	err = v.units(r, size)
	return v.faults, err
}

// seen is what later records may refer to.
type seen struct {
	offset    int64
	typ       Type
	url       string
	date      time.Time
	digest    string
	truncated bool
}

// reference is a WARC-Concurrent-To to be resolved at the end: it may point forward.
type reference struct {
	offset int64
	id, to string
}

type verifier struct {
	faults   []Fault
	seen     map[string]seen
	refs     []reference
	warcinfo string
	method   string // of the request of the exchange at hand
}

func (v *verifier) fault(offset int64, id, clause, format string, args ...any) {
	if len(v.faults) < maxFaults {
		v.faults = append(v.faults, Fault{Offset: offset, RecordID: id, Clause: clause, Detail: fmt.Sprintf(format, args...)})
	}
}

// records verifies each record by itself, and says whether all of them could be read.
func (v *verifier) records(r io.ReaderAt, size int64) (whole bool, err error) {
	first := true
	for rec, err := range Scan(io.NewSectionReader(r, 0, size), 0) {
		if err == nil {
			err = v.record(rec, first)
			first = false
		}
		var torn *TornError
		if errors.As(err, &torn) {
			v.fault(torn.Offset, "", "RFC 1952; §4", "no whole gzip member with one whole record: %v", torn.Err)
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	if first {
		v.fault(0, "", "§4", "the segment is empty")
	}
	return true, nil
}

func (v *verifier) record(rec *Record, first bool) error {
	h, id := &rec.Header, rec.Header.ID()
	check := headerCheck{h: h, fault: func(clause, format string, args ...any) { v.fault(rec.Offset, id, clause, format, args...) }}
	check.all()
	if _, twice := v.seen[id]; twice {
		check.fault("§5.2", "the record id is not unique")
	}
	if first && h.Type() != TypeWarcinfo {
		check.fault("§6.2", "the segment does not begin with a warcinfo record")
	}
	if h.Type() == TypeWarcinfo {
		v.warcinfo = id
	} else if w := h.Get(fieldWarcinfo); w != "" && w != v.warcinfo {
		check.fault("§5.16", "WARC-Warcinfo-ID %s is not the warcinfo record that went before", w)
	}
	if h.Type() == TypeRevisit {
		v.revisit(h, check.fault)
	}
	for _, to := range h.All(fieldConcurrent) {
		v.refs = append(v.refs, reference{rec.Offset, id, to})
	}
	v.seen[id] = seen{rec.Offset, h.Type(), h.URL(), h.Date(), h.Get(fieldPayloadDigest), rec.Truncated() != ""}
	return v.block(rec, check.fault)
}

// block hashes the block and its payload while it passes by.
func (v *verifier) block(rec *Record, fault func(clause, format string, args ...any)) error {
	h := &rec.Header
	blockSum, err := digestOf(h.Get(fieldBlockDigest))
	if err != nil {
		fault("§5.8", "WARC-Block-Digest: %v", err)
	}
	payloadSum, err := digestOf(h.Get(fieldPayloadDigest))
	if err != nil {
		fault("§5.9", "WARC-Payload-Digest: %v", err)
	}
	message := &messageCheck{typ: h.Type(), method: v.method, payload: payloadSum.hash}
	if _, err := copyFrom(io.MultiWriter(blockSum.hash, message), rec.Block); err != nil {
		return err
	}
	if blockSum.want != nil && !blockSum.fits() {
		fault("§5.8", "the block does not have its WARC-Block-Digest")
	}
	switch h.Type() {
	case TypeRequest:
		v.method = message.method
		return nil
	case TypeResponse, TypeRevisit, TypeResource:
		v.method = ""
	default:
		return nil
	}
	message.judge(rec, fault)
	if h.Type() == TypeRevisit {
		return nil
	}
	if payloadSum.want == nil {
		fault("§5.9", "no WARC-Payload-Digest")
	} else if !payloadSum.fits() {
		fault("§5.9", "the dechunked payload does not have its WARC-Payload-Digest")
	}
	return nil
}

// revisit verifies what a revisit refers to, as far as it stands in the segment.
func (v *verifier) revisit(h *Header, fault func(clause, format string, args ...any)) {
	o := (&Found{Header: *h}).Original()
	if o.URL == "" || o.At.IsZero() {
		fault("§6.7.2", "a revisit without WARC-Refers-To-Target-URI and WARC-Refers-To-Date")
	}
	if h.Get(fieldPayloadDigest) == "" {
		fault("§6.7.2", "a revisit without WARC-Payload-Digest")
	}
	if h.Get(fieldPayloadDigest) == Digest(emptySum) {
		fault("§6.7.2", "a revisit of nothing: the payload is empty")
	}
	if o.RecordID == h.ID() {
		fault("§5.11", "a revisit refers to itself")
	}
	was, here := v.seen[o.RecordID]
	if !here {
		return
	}
	switch {
	case was.typ != TypeResponse && was.typ != TypeResource:
		fault("§6.7.2", "a revisit refers to a record of type %s", was.typ)
	case was.truncated:
		fault("§6.7.2", "a revisit refers to a truncated record")
	case was.digest != h.Get(fieldPayloadDigest):
		fault("§6.7.2", "a revisit refers to a record with another payload digest")
	case was.url != o.URL:
		fault("§5.12", "WARC-Refers-To-Target-URI is not the URI of the record referred to")
	case !was.date.Equal(o.At):
		fault("§5.13", "WARC-Refers-To-Date is not the date of the record referred to")
	}
}

// references resolves what points to other records of the segment.
func (v *verifier) references() {
	for _, ref := range v.refs {
		if !v.knows(ref.to) || ref.to == ref.id {
			v.fault(ref.offset, ref.id, "§5.7", "WARC-Concurrent-To %s leads nowhere", ref.to)
		}
	}
}

// units verifies that every exchange is closed and agrees with itself.
func (v *verifier) units(r io.ReaderAt, size int64) error {
	for u, err := range Exchanges(r, 0, size) {
		var torn *TornError
		if errors.As(err, &torn) {
			v.fault(torn.Offset, "", "§5.7", "%v", torn.Err)
			return nil
		}
		if err != nil {
			return err
		}
		last := u.Last().Header
		for i := range u.Records {
			f := &u.Records[i]
			if f.Header.Get(fieldDate) != last.Get(fieldDate) {
				v.fault(f.Offset, f.Header.ID(), "§5.4", "the records of one exchange have different dates")
			}
			if f.Header.URL() != last.URL() {
				v.fault(f.Offset, f.Header.ID(), "§5.14", "the records of one exchange have different target URIs")
			}
		}
		if m := u.Main(); m != nil && u.Closing != nil && u.Closing.Truncated != m.Header.Get(fieldTruncated) {
			v.fault(m.Offset, m.Header.ID(), "§5.15", "WARC-Truncated and the closing record disagree")
		}
		if u.Voids != "" && !v.knows(u.Voids) {
			v.fault(u.Offset, last.ID(), "§5.11", "a void record refers to nothing in the segment")
		}
	}
	return nil
}

func (v *verifier) knows(id string) bool {
	_, ok := v.seen[id]
	return ok
}
