package warc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nlnwa/whatwg-url/url"

	"linkstead/archive/httpmsg"
)

// Type is a WARC-Type (WARC 1.1 §5.5).
type Type string

// The record types that this package writes. Others (conversion, continuation) are read like any record.
const (
	TypeWarcinfo Type = "warcinfo" // §6.2
	TypeResponse Type = "response" // §6.3
	TypeResource Type = "resource" // §6.4
	TypeRequest  Type = "request"  // §6.5
	TypeMetadata Type = "metadata" // §6.6
	TypeRevisit  Type = "revisit"  // §6.7
)

// ProfileIdentical is the WARC-Profile of our revisits (WARC 1.1 §6.7.2): the payload is that of the record referred to.
const ProfileIdentical = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"

// ProfileNotModified is the WARC-Profile of revisits that a server has asked for (§6.7.3): it answered 304, so that the
// payload is still that of the record referred to.
const ProfileNotModified = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

// Media types of blocks.
const (
	mimeRequest  = "application/http;msgtype=request"
	mimeResponse = "application/http;msgtype=response"
	mimeFields   = "application/warc-fields"
)

// Names of header fields (WARC 1.1 §5).
const (
	fieldType          = "WARC-Type"
	fieldID            = "WARC-Record-ID"
	fieldDate          = "WARC-Date"
	fieldLength        = "Content-Length"
	fieldContentType   = "Content-Type"
	fieldURI           = "WARC-Target-URI"
	fieldIP            = "WARC-IP-Address"
	fieldConcurrent    = "WARC-Concurrent-To"
	fieldBlockDigest   = "WARC-Block-Digest"
	fieldPayloadDigest = "WARC-Payload-Digest"
	fieldTruncated     = "WARC-Truncated"
	fieldProfile       = "WARC-Profile"
	fieldRefersTo      = "WARC-Refers-To"
	fieldRefersURI     = "WARC-Refers-To-Target-URI"
	fieldRefersDate    = "WARC-Refers-To-Date"
	fieldWarcinfo      = "WARC-Warcinfo-ID"
	fieldFilename      = "WARC-Filename"

	// fieldProtocol is a proposal (github.com/iipc/warc-specifications, issue 42), not part of WARC 1.1: on the request and the
	// response of an exchange that was rebuilt from another protocol than HTTP/1.1.
	fieldProtocol = "WARC-Protocol"
)

// version is the first line of every record that we write (WARC 1.1 §4).
const version = "WARC/1.1"

// maxHeader bounds the header of a record, in bytes: what is longer is neither written nor read.
const maxHeader = 256 << 10

// dateLayout writes a WARC-Date with microseconds, as the index keeps them (WARC 1.1 §5.4 allows up to 9 digits).
const dateLayout = "2006-01-02T15:04:05.000000Z"

// ErrHeader says that a record header can't be written or read: a control character in a value (which could forge a
// field or a whole record), a field that is missing, a line that is none.
var ErrHeader = errors.New("malformed WARC header")

// ErrURL says that a URL can't stand in WARC-Target-URI.
var ErrURL = errors.New("URL can't be a WARC-Target-URI")

// Header is the header of one record, in the order and spelling of the file.
type Header struct {
	Version string          // "WARC/1.1"
	Fields  []httpmsg.Field // values trimmed, continuation lines joined by one space
	Length  int64           // Content-Length: bytes of the block
}

// Get returns the first value of the named field, or "". Names are compared without regard to case (§4).
func (h *Header) Get(name string) string {
	for i := range h.Fields {
		if strings.EqualFold(h.Fields[i].Name, name) {
			return h.Fields[i].Value
		}
	}
	return ""
}

// All returns every value of the named field, in order.
func (h *Header) All(name string) []string {
	var all []string
	for i := range h.Fields {
		if strings.EqualFold(h.Fields[i].Name, name) {
			all = append(all, h.Fields[i].Value)
		}
	}
	return all
}

// Type is the WARC-Type, lower case.
func (h *Header) Type() Type { return Type(strings.ToLower(h.Get(fieldType))) }

// ID is the WARC-Record-ID as written, with its angle brackets.
func (h *Header) ID() string { return h.Get(fieldID) }

// URL is the WARC-Target-URI. The angle brackets that wget puts around it are taken off.
func (h *Header) URL() string { return unbracket(h.Get(fieldURI)) }

// Date is the WARC-Date in UTC (§5.4), zero if there is none that can be read.
func (h *Header) Date() time.Time { return parseDate(h.Get(fieldDate)) }

func parseDate(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func unbracket(s string) string {
	if len(s) > 1 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}

// ParseHeader reads the header of a record: the version line, the fields and the blank line that ends them (WARC 1.1
// §4). Only what is needed to find the block's end is demanded: the version and one Content-Length; Verify judges the
// rest. Its errors are ErrHeader.
func ParseHeader(raw []byte) (Header, error) {
	text := string(raw)
	line, rest, _ := strings.Cut(text, "\n")
	h := Header{Version: strings.TrimSuffix(line, "\r"), Length: -1}
	if !strings.HasPrefix(h.Version, "WARC/") || len(h.Version) > 16 {
		return h, fmt.Errorf("%w: no version line", ErrHeader)
	}
	h.Fields = make([]httpmsg.Field, 0, strings.Count(rest, "\n"))
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if err := h.add(line); err != nil {
			return h, err
		}
	}
	if strings.Trim(rest, "\r\n") != "" {
		return h, fmt.Errorf("%w: bytes after the blank line", ErrHeader)
	}
	if h.Length < 0 {
		return h, fmt.Errorf("%w: no Content-Length", ErrHeader)
	}
	return h, nil
}

// add reads one line into h. A line that is no field continues the one before it: without digests, wget 1.21 writes bytes of its memory
// where a digest would stand, and a line end may be among them.
func (h *Header) add(line string) error {
	if line[0] == ' ' || line[0] == '\t' {
		if len(h.Fields) == 0 {
			return fmt.Errorf("%w: continuation of nothing", ErrHeader)
		}
		return h.fold(line)
	}
	name, value, ok := strings.Cut(line, ":")
	if name = strings.TrimRight(name, " \t"); !ok || name == "" {
		if len(h.Fields) == 0 {
			return fmt.Errorf("%w: line without a name", ErrHeader)
		}
		return h.fold(line)
	}
	f := httpmsg.Field{Name: name, Value: strings.Trim(value, " \t")}
	h.Fields = append(h.Fields, f)
	return h.length(f)
}

// fold adds a line to the value of the last field.
func (h *Header) fold(line string) error {
	last := &h.Fields[len(h.Fields)-1]
	last.Value = strings.TrimSpace(last.Value + " " + strings.TrimSpace(line))
	return h.length(*last)
}

// length takes Content-Length out of f. Two that differ would let two readers see two different records.
func (h *Header) length(f httpmsg.Field) error {
	if !strings.EqualFold(f.Name, fieldLength) {
		return nil
	}
	n, err := strconv.ParseUint(f.Value, 10, 62)
	if err != nil || (h.Length >= 0 && h.Length != int64(n)) {
		return fmt.Errorf("%w: Content-Length %.40q", ErrHeader, f.Value)
	}
	h.Length = int64(n)
	return nil
}

// headerWriter writes a record header and refuses whatever could not be read back as the same fields.
type headerWriter struct {
	buf []byte
	err error
}

func (w *headerWriter) start(t Type, id string, at time.Time) {
	w.buf = append(append(w.buf[:0], version...), "\r\n"...)
	w.err = nil
	w.add(fieldType, string(t))
	w.add(fieldID, id)
	w.add(fieldDate, formatDate(at))
}

// add writes a field; an empty value writes nothing.
func (w *headerWriter) add(name, value string) {
	if value == "" || w.err != nil {
		return
	}
	if !cleanValue(value) {
		w.err = fmt.Errorf("%w: %s %.80q", ErrHeader, name, value)
		return
	}
	w.buf = append(append(append(append(w.buf, name...), ": "...), value...), "\r\n"...)
}

func (w *headerWriter) addDigest(name string, sum [32]byte) {
	if w.err == nil {
		w.buf = append(append(w.buf, name...), ": "...)
		w.buf = append(appendDigest(w.buf, sum), "\r\n"...)
	}
}

// end closes the header. Content-Length comes last, where a person looks for it.
func (w *headerWriter) end(length int64) ([]byte, error) {
	w.buf = append(append(w.buf, fieldLength...), ": "...)
	w.buf = append(strconv.AppendInt(w.buf, length, 10), "\r\n\r\n"...)
	if w.err == nil && len(w.buf) > maxHeader {
		w.err = fmt.Errorf("%w: longer than %d bytes", ErrHeader, maxHeader)
	}
	return w.buf, w.err
}

// cleanValue says whether a field value can be written as it is: UTF-8 (§4), no control character, no space around it.
func cleanValue(s string) bool {
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	ascii := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(s)
}

// checkURL says whether u can be a WARC-Target-URI: one that the WHATWG parser takes, free of what could end the field
// or the URI early (§5.14).
func checkURL(u string) error {
	if u == "" || !cleanValue(u) || strings.ContainsAny(u, " <>\"") {
		return fmt.Errorf("%w: %.200q", ErrURL, u)
	}
	if _, err := url.Parse(u); err != nil {
		return fmt.Errorf("%w: %.200q", ErrURL, u)
	}
	return nil
}

func formatDate(t time.Time) string { return t.UTC().Format(dateLayout) }
