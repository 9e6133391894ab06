package warc

import (
	"bytes"
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

// Verify reads a whole segment, once, and lists what is wrong with it: members that are not whole single records, digests
// that do not fit, fields that are missing, forbidden or contradict each other, references that lead nowhere, exchanges
// that nothing closes or whose records disagree. It judges dechunked payload digests rightly. It stops at the first member
// that is not whole, for nothing is certain beyond it. The error is that of reading.
func Verify(r io.ReaderAt, size int64) ([]Fault, error) {
	v := newVerifier()
	err := v.records(io.NewSectionReader(r, 0, size), 0)
	var torn *TornError
	if errors.As(err, &torn) {
		v.torn(torn)
		return v.faults, nil
	}
	if err == nil {
		v.end(size)
	}
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

// verifier reads records one after another, each once.
type verifier struct {
	faults   []Fault
	more     int // faults beyond maxFaults
	seen     map[string]seen
	refs     []reference
	warcinfo string
	method   string // of the request of the exchange at hand
	good     string // the last URL that was found good
	group    grouper
	broken   bool          // the unit at hand holds what could not be read: what is left of it has been told of
	damaged  bool          // something before could not be read
	take     func(u *Unit) // is told of each whole unit; may be nil
}

func newVerifier() *verifier { return &verifier{seen: map[string]seen{}} }

func (v *verifier) fault(offset int64, id, clause, format string, args ...any) {
	if len(v.faults) == maxFaults {
		v.more++
		return
	}
	v.faults = append(v.faults, Fault{Offset: offset, RecordID: id, Clause: clause, Detail: fmt.Sprintf(format, args...)})
}

// torn tells of a member that is not whole.
func (v *verifier) torn(t *TornError) {
	v.fault(t.Offset, "", clauseMember, "no whole gzip member with one whole record: %v", t.Err)
}

// Clauses that tell more than which rule was broken.
const (
	clauseMember       = "RFC 1952; §4" // the member can't be read
	clauseUnclosed     = "§5.7"         // its exchange is not whole
	clauseBlock        = "§5.8"
	clauseCertificates = "RFC 8555 §9.1"
	clausePayload      = "§5.9"
)

// records verifies the records of r, which stands at offset at, up to its end or the first member that is not whole, which
// is a *TornError.
func (v *verifier) records(r io.Reader, at int64) error {
	v.group.unit = Unit{Offset: at, End: at}
	for rec, err := range Scan(r, at) {
		if err == nil {
			err = v.record(rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// end judges what can be judged once all records have passed.
func (v *verifier) end(size int64) {
	if len(v.seen) == 0 {
		v.fault(0, "", clauseMember, "the segment is empty")
	}
	for _, ref := range v.refs {
		if !v.knows(ref.to) || ref.to == ref.id {
			v.fault(ref.offset, ref.id, clauseUnclosed, "WARC-Concurrent-To %s leads nowhere", ref.to)
		}
	}
	if len(v.group.unit.Records) > 0 && !v.broken {
		v.fault(size, "", clauseUnclosed, "%v", ErrUnclosed)
	}
}

// record verifies one record, and takes the unit that it completes.
func (v *verifier) record(rec *Record) error {
	h, id := &rec.Header, rec.Header.ID()
	check := headerCheck{h: h, good: v.good, fault: func(clause, format string, args ...any) { v.fault(rec.Offset, id, clause, format, args...) }}
	check.all()
	v.good = check.good
	if _, twice := v.seen[id]; twice {
		check.fault("§5.2", "the record id is not unique")
	}
	if len(v.seen) == 0 && rec.Offset == 0 && h.Type() != TypeWarcinfo {
		check.fault("§6.2", "the segment does not begin with a warcinfo record")
	}
	if h.Type() == TypeWarcinfo {
		v.warcinfo = id
	} else if w := h.Get(fieldWarcinfo); w != "" && w != v.warcinfo && (v.warcinfo != "" || !v.damaged) {
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

// maxKept bounds what is kept of a JSON record of ours while its exchange passes, in bytes.
const maxKept = MaxClosing

// block hashes the block and its payload while the record is read and grouped.
func (v *verifier) block(rec *Record, fault func(clause, format string, args ...any)) error {
	h := &rec.Header
	blockSum, err := digestOf(h.Get(fieldBlockDigest))
	if err != nil {
		fault(clauseBlock, "WARC-Block-Digest: %v", err)
	}
	payloadSum, err := digestOf(h.Get(fieldPayloadDigest))
	if err != nil {
		fault(clausePayload, "WARC-Payload-Digest: %v", err)
	}
	message := &messageCheck{typ: h.Type(), method: v.method, payload: payloadSum.hash}
	to := []io.Writer{blockSum.hash, message}
	var kept bytes.Buffer
	if t := h.Get(fieldContentType); h.Type() == TypeMetadata && (t == MimePost || t == MimeRun || t == MimeCertificates || t == MimeAccess || t == MimeNote) && h.Length <= maxKept {
		to = append(to, &kept)
	}
	rec.Block = io.TeeReader(rec.Block, io.MultiWriter(to...))
	if err := v.unit(rec, &kept); err != nil {
		return err
	}
	if blockSum.want != nil && !blockSum.fits() {
		fault(clauseBlock, "the block does not have its WARC-Block-Digest")
	}
	switch h.Type() {
	case TypeRequest:
		v.method = message.method
		return nil
	case TypeResponse, TypeRevisit, TypeResource:
		v.method = ""
	default:
		v.method = "" // the request before had no answer
		return nil
	}
	message.judge(rec, fault)
	if h.Type() == TypeRevisit {
		return nil
	}
	if payloadSum.want == nil {
		fault(clausePayload, "no WARC-Payload-Digest")
	} else if !payloadSum.fits() {
		fault(clausePayload, "the dechunked payload does not have its WARC-Payload-Digest")
	}
	return nil
}

// unit reads the record to its end and puts it into its unit. Whatever is wrong with the unit, the next one begins anew.
func (v *verifier) unit(rec *Record, kept *bytes.Buffer) error {
	u, err := v.group.take(rec)
	var torn *TornError
	if errors.As(err, &torn) && !rec.m.broken {
		if err := rec.Finish(); err != nil {
			return err
		}
		if !v.broken {
			v.fault(rec.Offset, rec.Header.ID(), clauseUnclosed, "%v", torn.Err)
		}
		u, err = v.group.mend(rec, torn.Err), nil
		v.broken = false
	}
	if err != nil {
		return err
	}
	if isCertificates(&rec.Header) {
		if _, err := Certificates(rec.Header.URL(), kept.Bytes()); err != nil {
			v.fault(rec.Offset, rec.Header.ID(), clauseCertificates, "%v", err)
		}
	} else if kept.Len() > 0 {
		at := &v.group.unit
		if u != nil {
			at = u
		}
		at.Last().kept = kept.Bytes()
	}
	if u != nil {
		v.broken = false
		v.agree(u)
		if v.take != nil {
			v.take(u)
		}
	}
	return nil
}

// mend goes on after records that are no whole unit: as few as can be are left out.
func (g *grouper) mend(rec *Record, why error) *Unit {
	u := g.unit
	end := rec.Offset + rec.Length()
	g.unit = Unit{Offset: end, End: end}
	if !errors.Is(why, ErrUnclosed) {
		return nil
	}
	if u.Closing == nil { // a record that stands alone, among those of an exchange
		return &Unit{Offset: rec.Offset, End: end, Voids: u.Voids, Records: []Found{{Offset: rec.Offset, Length: rec.Length(), Header: rec.Header}}}
	}
	for len(u.Records) > 1 {
		u.Records = u.Records[1:]
		if u.Offset = u.Records[0].Offset; u.coherent() {
			return &u
		}
	}
	return nil
}

// agree verifies that the records of a unit agree with each other.
func (v *verifier) agree(u *Unit) {
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

func (v *verifier) knows(id string) bool {
	_, ok := v.seen[id]
	return ok
}
