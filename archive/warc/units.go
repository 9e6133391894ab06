package warc

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"linkstead/archive/httpmsg"
)

// ErrUnclosed says that records of an exchange lack the metadata record that closes it, or stand among another's.
var ErrUnclosed = errors.New("records of an exchange that nothing closes")

// Found is what the index wants to know of a record.
type Found struct {
	Offset int64 // of its member in the segment, bytes
	Length int64 // of its member, bytes
	Header Header
	Head   httpmsg.Head // of the HTTP message in a response or revisit
	asked  string       // of a request that is no GET: see Unit.Asked
	kept   []byte       // the block of a JSON record of ours, where whoever read it has kept that
}

// Kind is the kind of a capture, see storage.Capture: "response", "revisit", "resource", or "truncated" for a response
// that lacks its end.
func (i *Found) Kind() string {
	if i.Header.Type() == TypeResponse && i.Header.Get(fieldTruncated) != "" {
		return "truncated"
	}
	return string(i.Header.Type())
}

// Mime is the media type of the payload as it was declared: lower case, without parameters.
func (i *Found) Mime() string {
	if i.Header.Type() != TypeResource {
		return i.Head.Mime()
	}
	return bareMime(i.Header.Get(fieldContentType))
}

// bareMime is a media type in lower case, without parameters.
func bareMime(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// Digest is the WARC-Payload-Digest.
func (i *Found) Digest() string { return i.Header.Get(fieldPayloadDigest) }

// NotModified says whether the record is a revisit that a 304 has asked for (WARC 1.1 §6.7.3).
func (i *Found) NotModified() bool { return notModified(&i.Header) }

func notModified(h *Header) bool {
	return h.Type() == TypeRevisit && strings.HasSuffix(h.Get(fieldProfile), "/server-not-modified")
}

// Original is the record that a revisit refers to; its Location stands in the closing record.
func (i *Found) Original() Original {
	return Original{
		RecordID: i.Header.Get(fieldRefersTo),
		URL:      unbracket(i.Header.Get(fieldRefersURI)),
		At:       parseDate(i.Header.Get(fieldRefersDate)),
	}
}

// Open reads the record anew, from the segment that it was found in.
func (i *Found) Open(segment io.ReaderAt) (*Record, error) {
	return ReadMember(io.NewSectionReader(segment, i.Offset, i.Length))
}

// Unit is what counts as a whole in a segment: an exchange or a document up to its closing metadata record, or a record
// that stands alone: warcinfo, a void, a document of ours.
type Unit struct {
	Offset, End int64 // the bytes of the segment that it takes
	Records     []Found
	Closing     *Closing // nil if it is a record that stands alone
	Voided      bool     // a void record says that this exchange did not count
	Voids       string   // a void record: the WARC-Record-ID of the closing record that it voids
}

// Main is the response, revisit or resource; nil for a failure and a record that stands alone.
func (u *Unit) Main() *Found {
	for i := range u.Records {
		switch u.Records[i].Header.Type() {
		case TypeResponse, TypeRevisit, TypeResource:
			return &u.Records[i]
		}
	}
	return nil
}

// Headless says that this is what is left of an exchange whose main record can't be read: its closing record names it. It is
// no failed attempt, and counts for nothing.
func (u *Unit) Headless() bool {
	return u.Closing != nil && u.Main() == nil && len(u.Last().Header.All(fieldConcurrent)) > 0
}

// Last is the closing record, or the one that stands alone.
func (u *Unit) Last() *Found { return &u.Records[len(u.Records)-1] }

// Extras are the metadata records between the main record and the closing one: posts and the like.
func (u *Unit) Extras() []*Found {
	var extras []*Found
	for i := range u.Records[:len(u.Records)-1] {
		if u.Records[i].Header.Type() == TypeMetadata {
			extras = append(extras, &u.Records[i])
		}
	}
	return extras
}

// URL is the URL of the exchange, also where it could not stand in a header.
func (u *Unit) URL() string {
	if u.Closing != nil && u.Closing.URL != "" {
		return u.Closing.URL
	}
	return u.Last().Header.URL()
}

// Exchanges reads the whole units of a segment from offset from, where one begins, up to size: for recovery, rebuild
// and import. Exchanges that a void record further on declares void are marked. It ends with a *TornError if the rest is
// no whole unit; its Cut is where the last whole one ends. Other errors are those of reading, and say nothing about the
// segment. Units may be kept.
func Exchanges(r io.ReaderAt, from, size int64) iter.Seq2[*Unit, error] {
	return func(yield func(*Unit, error) bool) {
		voids, err := readVoids(r, from, size)
		if err != nil {
			yield(nil, err)
			return
		}
		g := grouper{voids: voids, unit: Unit{Offset: from, End: from}}
		for rec, err := range Scan(io.NewSectionReader(r, from, size-from), from) {
			var unit *Unit
			if err == nil {
				unit, err = g.take(rec)
			}
			if err != nil {
				yield(nil, g.cut(err))
				return
			}
			if unit != nil && !yield(unit, nil) {
				return
			}
		}
		if len(g.unit.Records) > 0 {
			yield(nil, &TornError{Offset: size, Cut: g.unit.Offset, Err: ErrUnclosed})
		}
	}
}

// readVoids finds the closing records that void records name. Whatever is torn is left to the second reading.
func readVoids(r io.ReaderAt, from, size int64) (map[string]bool, error) {
	voids := map[string]bool{}
	for rec, err := range Scan(io.NewSectionReader(r, from, size-from), from) {
		var torn *TornError
		if errors.As(err, &torn) {
			return voids, nil
		}
		if err != nil {
			return nil, err
		}
		if format, err := formatOf(rec); err == nil && format == formatVoid {
			voids[rec.Header.Get(fieldRefersTo)] = true
		}
	}
	return voids, nil
}

// formatOf reads the format of a metadata record of ours; "" for any other record.
func formatOf(rec *Record) (string, error) {
	if rec.Header.Type() != TypeMetadata || !isFields(rec.Header.Get(fieldContentType)) {
		return "", nil
	}
	var first [80]byte
	n, err := io.ReadFull(rec.Block, first[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	format, _ := firstField(first[:n])
	return format, nil
}

// grouper gathers records into units.
type grouper struct {
	voids map[string]bool
	unit  Unit // in the making; without records, it begins where the last one ended
}

// cut says where to cut so that only whole units remain.
func (g *grouper) cut(err error) error {
	var torn *TornError
	if errors.As(err, &torn) {
		return &TornError{Offset: torn.Offset, Cut: g.unit.Offset, Err: torn.Err}
	}
	return err
}

// take adds a record, and returns the unit that it completes.
func (g *grouper) take(rec *Record) (*Unit, error) {
	info, u := Found{Offset: rec.Offset, Header: rec.Header}, &g.unit
	alone := true
	var err error
	switch info.Header.Type() {
	case TypeMetadata:
		u.Closing, u.Voids, err = readMetadata(rec)
		alone = u.Closing == nil && info.Header.Get(fieldConcurrent) == ""
	case TypeResponse, TypeRevisit:
		info.Head, _, err = rec.HTTP()
		if errors.Is(err, ErrNoPayload) {
			err = nil // a damaged head is for Verify to tell
		}
		alone = false
	case TypeRequest:
		if info.asked = asked(info.Header.URL(), rec.Block); info.asked == info.Header.URL() {
			info.asked = "" // most are, and units are kept
		}
		alone = false
	case TypeResource:
		alone = false
	}
	if err == nil {
		err = rec.Finish()
	}
	if err != nil {
		return nil, err
	}
	if alone && len(u.Records) > 0 {
		return nil, &TornError{Offset: rec.Offset, Err: ErrUnclosed}
	}
	info.Length = rec.Length()
	u.Records = append(u.Records, info)
	u.End = info.Offset + info.Length
	if !alone && u.Closing == nil {
		return nil, nil
	}
	if u.Closing != nil && !u.coherent() {
		return nil, &TornError{Offset: rec.Offset, Err: ErrUnclosed}
	}
	u.Voided = u.Closing != nil && g.voids[info.Header.ID()]
	done := *u
	*u = Unit{Offset: done.End, End: done.End}
	return &done, nil
}

// readMetadata reads a metadata record as far as it is ours.
func readMetadata(rec *Record) (closing *Closing, voids string, err error) {
	if !isFields(rec.Header.Get(fieldContentType)) || rec.Header.Length > MaxClosing {
		return nil, "", nil
	}
	block, err := io.ReadAll(rec.Block)
	if err != nil {
		return nil, "", err
	}
	if format, _ := firstField(block); format == formatVoid {
		return nil, rec.Header.Get(fieldRefersTo), nil
	}
	c, err := ParseMeta(block)
	if errors.Is(err, ErrNotClosing) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", &TornError{Offset: rec.Offset, Err: fmt.Errorf("record %s: %w", rec.Header.ID(), err)}
	}
	return &c, "", nil
}

// coherent says whether all records of the unit belong to one exchange: they name one record, the anchor, in
// WARC-Concurrent-To, and it is among them.
func (u *Unit) coherent() bool {
	anchor := u.Last().Header.ID()
	if m := u.Main(); m != nil {
		anchor = m.Header.ID()
	}
	found := false
	for i := range u.Records {
		h := &u.Records[i].Header
		if h.ID() == anchor {
			found = true
		} else if !slices.Contains(h.All(fieldConcurrent), anchor) {
			return false
		}
	}
	return found
}
