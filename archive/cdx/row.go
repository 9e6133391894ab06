package cdx

import (
	"strconv"
	"time"
)

// Row is one capture as an index tells of it.
type Row struct {
	Key      string    // SURT
	At       time.Time // of which lines tell the second
	URL      string
	Mime     string // of a revisit that of its page: lines say "warc/revisit"
	Status   int    // 0: it has none, or nobody knows
	Digest   string // with its algorithm: "sha256:…", "sha1:…"
	Redirect string
	Length   int64 // of the record as it is stored, bytes; negative: nobody knows
	Offset   int64 // negative: nobody knows
	File     string
	Revisit  bool
	Original string // of a revisit: what it refers to, in the words of whoever holds the index

	Place Place // where the index holds it; zero in rows that were read from a file
}

// Original is where the record stands whose payload a revisit repeats. The zero Original is unknown.
type Original struct {
	Length, Offset int64
	File           string
}

// revisitMime is what CDX files give as the type of a revisit.
const revisitMime = "warc/revisit"

// timeLayout is a time in CDX lines, UTC.
const timeLayout = "20060102150405"

// field is a column that a client can ask for.
type field uint8

const (
	fieldKey field = iota
	fieldTime
	fieldURL
	fieldMime
	fieldStatus
	fieldDigest
	fieldRedirect
	fieldRobots
	fieldLength
	fieldOffset
	fieldFile
	fieldOrigLength
	fieldOrigOffset
	fieldOrigFile
	fieldDupes
	fieldSkipped
	fieldSkippedTo
	noField
)

// names are those of the fields in each dialect; the other's are understood, too.
var names = [noField][2]string{
	fieldKey:        {"urlkey", "urlkey"},
	fieldTime:       {"timestamp", "timestamp"},
	fieldURL:        {"url", "original"},
	fieldMime:       {"mime", "mimetype"},
	fieldStatus:     {"status", "statuscode"},
	fieldDigest:     {"digest", "digest"},
	fieldRedirect:   {"redirect", "redirect"},
	fieldRobots:     {"robotflags", "robotflags"},
	fieldLength:     {"length", "length"},
	fieldOffset:     {"offset", "offset"},
	fieldFile:       {"filename", "filename"},
	fieldOrigLength: {"orig.length", "orig.length"},
	fieldOrigOffset: {"orig.offset", "orig.offset"},
	fieldOrigFile:   {"orig.filename", "orig.filename"},
	fieldDupes:      {"dupecount", "dupecount"},
	fieldSkipped:    {"skipcount", "skipcount"},
	fieldSkippedTo:  {"endtimestamp", "endtimestamp"},
}

// fieldNamed finds a field by a name of either dialect.
func fieldNamed(name string) (field, bool) {
	for f, of := range names {
		if name == of[Pywb] || name == of[Wayback] {
			return field(f), true //nolint:gosec // there are few
		}
	}
	return noField, false
}

// told is what an answer tells of a row beside the row itself.
type told struct {
	row       Row
	orig      Original
	dupes     int64     // rows of the same key and digest before it
	skipped   int64     // rows left out behind it …
	skippedTo time.Time // … and when the last of them was made
}

// append adds the value of a field, as it is; nothing if it is unknown.
func (t *told) append(dst []byte, f field) []byte {
	r := &t.row
	switch f {
	case fieldKey:
		return append(dst, r.Key...)
	case fieldTime:
		return appendTime(dst, r.At)
	case fieldURL:
		return append(dst, r.URL...)
	case fieldMime:
		if r.Revisit {
			return append(dst, revisitMime...)
		}
		return append(dst, r.Mime...)
	case fieldStatus:
		if r.Status != 0 {
			return strconv.AppendInt(dst, int64(r.Status), 10)
		}
	case fieldDigest:
		return append(dst, r.Digest...)
	case fieldRedirect:
		return append(dst, r.Redirect...)
	case fieldLength:
		return appendSize(dst, r.Length)
	case fieldOffset:
		return appendSize(dst, r.Offset)
	case fieldFile:
		return append(dst, r.File...)
	}
	return t.appendMore(dst, f)
}

// appendMore adds the value of a field that only an answer has.
func (t *told) appendMore(dst []byte, f field) []byte {
	switch {
	case f == fieldDupes:
		return strconv.AppendInt(dst, t.dupes, 10)
	case f == fieldSkipped:
		return strconv.AppendInt(dst, t.skipped, 10)
	case f == fieldSkippedTo && t.skipped > 0:
		return appendTime(dst, t.skippedTo)
	case t.orig.File == "":
		return dst
	case f == fieldOrigLength:
		return appendSize(dst, t.orig.Length)
	case f == fieldOrigOffset:
		return appendSize(dst, t.orig.Offset)
	case f == fieldOrigFile:
		return append(dst, t.orig.File...)
	}
	return dst
}

func appendSize(dst []byte, n int64) []byte {
	if n < 0 {
		return dst
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return append(dst, "00000101000000"...)
	}
	return t.AppendFormat(dst, timeLayout)
}

// isC1 says whether a control character beyond ASCII begins or ends at i: terminals obey them, too.
func isC1(s []byte, i int) bool {
	return s[i] == 0xC2 && i+1 < len(s) && s[i+1] < 0xA0 || i > 0 && s[i-1] == 0xC2 && s[i] < 0xA0
}

// appendToken adds a value of which spaces and control characters would break a line, or "-" for none.
func appendToken(dst, value []byte) []byte {
	const hex = "0123456789ABCDEF"
	if len(value) == 0 {
		return append(dst, '-')
	}
	for i, c := range value {
		if c <= ' ' || c == 0x7f || isC1(value, i) {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
