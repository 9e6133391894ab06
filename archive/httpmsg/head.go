// Package httpmsg reads HTTP/1 messages as they crossed the wire: where the head ends, where the body ends, what the
// chunks hold, what the content encoding hides. It forgives what browsers forgive and never alters a byte. It knows no
// network.
package httpmsg

import (
	"bytes"
	"errors"
	"strings"
)

// ErrIncomplete says that the blank line that ends the head has not come yet.
var ErrIncomplete = errors.New("the head is incomplete")

// ErrMalformed says that the bytes are no HTTP/1 message, however many more may come.
var ErrMalformed = errors.New("not an HTTP message")

// Field is one header field as it was spelled.
type Field struct{ Name, Value string }

// Head is the start line and the fields of a message.
type Head struct {
	Proto  string // "HTTP/1.1"
	Status int    // 0 in a request
	Reason string
	Fields []Field // in order, obs-fold unfolded, values trimmed
	Len    int64   // bytes, blank line included; 0: incomplete
}

// RequestHead is the head of a request.
type RequestHead struct {
	Head
	Method string // as spelled
	Target string // the request target, as spelled
}

// HeadEnd returns the length of the head at the start of b, its blank line included, or -1 if the blank line has not
// come. A line ends with CRLF or with a bare LF (RFC 9112 §2.2). Bytes before from are known to hold no such end: a
// caller that reads in pieces passes the length that it had looked at before.
func HeadEnd(b []byte, from int) int {
	// An end may straddle the old and the new bytes: LF CR LF.
	i := max(0, from-2)
	for i < len(b) {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return -1
		}
		i += j + 1
		switch {
		case i < len(b) && b[i] == '\n':
			return i + 1
		case i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n':
			return i + 2
		}
	}
	return -1
}

// ParseHead reads the head of a response from the start of b. It takes what browsers take: bare LF, obs-fold, a missing
// reason, any HTTP version, space before a colon (RFC 9112 §5.1) and lines without a colon, which are left out of Fields.
// It returns ErrIncomplete while the blank line is missing, and ErrMalformed as soon as the bytes can't become a head.
func ParseHead(b []byte) (Head, error) {
	if !plausible(b) {
		return Head{}, ErrMalformed
	}
	line, fields, n, err := split(b)
	if err != nil {
		return Head{}, err
	}
	h := Head{Len: int64(n)}
	var rest string
	h.Proto, rest, _ = strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " \t")
	var ok bool
	if h.Status, ok = statusOf(rest); !ok || !version(h.Proto) {
		return Head{}, ErrMalformed
	}
	h.Reason = strings.Trim(rest[3:], " \t")
	h.Fields = parseFields(fields)
	return h, nil
}

// StatusEnd is where the status ends with which a response begins, and what may follow is the reason; -1 if b does not begin
// with a version of at most "HTTP/1.1"'s length and a status. It need not be whole.
func StatusEnd(b []byte) int {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	proto, rest, _ := strings.Cut(string(line), " ")
	rest = strings.TrimLeft(rest, " \t")
	if _, ok := statusOf(rest); !ok || !version(proto) || len(proto) > len("HTTP/1.1") {
		return -1
	}
	return len(line) - len(rest) + len("200")
}

// statusOf reads the status at the start of s: three digits, and then nothing or a space.
func statusOf(s string) (status int, ok bool) {
	if len(s) < 3 || (len(s) > 3 && s[3] != ' ' && s[3] != '\t') {
		return 0, false
	}
	for i := range 3 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		status = status*10 + int(s[i]-'0')
	}
	return status, status >= 100
}

// Offence says where the bytes stand that keep b from being the head of a response with one length, for who has to show
// what ParseHead or Framing refused: a zero byte, a Content-Length that contradicts an earlier one, the status, the version;
// 0 if b does not begin as HTTP, or nothing is wrong with what has come.
func Offence(b []byte) int {
	if !plausible(b) {
		return 0
	}
	end := HeadEnd(b, 0)
	if end < 0 {
		end = len(b)
	}
	if i := bytes.IndexByte(b[:end], 0); i >= 0 {
		return i
	}
	line, _, whole := bytes.Cut(b[:end], []byte("\n"))
	if !whole {
		return 0
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	proto, rest, _ := strings.Cut(string(line), " ")
	rest = strings.TrimLeft(rest, " \t")
	if !version(proto) {
		return len("HTTP/")
	}
	if _, ok := statusOf(rest); !ok {
		return len(line) - len(rest)
	}
	return secondLength(b[:end])
}

// secondLength is where the first Content-Length field stands that contradicts one before it; 0 if there is none.
func secondLength(head []byte) int {
	known, at := Framing{Kind: UntilClose}, 0
	for line := range bytes.Lines(head) {
		one := Head{Fields: parseFields(string(line))}.length()
		if one.Kind == Conflict || one.Kind == Length && known.Kind == Length && one != known {
			return at
		}
		if one.Kind == Length {
			known = one
		}
		at += len(line)
	}
	return 0
}

// ParseRequest reads the head of a request from the start of b (RFC 9112 §3), with the errors of ParseHead.
func ParseRequest(b []byte) (RequestHead, error) {
	line, fields, n, err := split(b)
	if err != nil {
		return RequestHead{}, err
	}
	method, rest, ok := strings.Cut(line, " ")
	target, proto, ok2 := strings.Cut(strings.TrimLeft(rest, " "), " ")
	proto = strings.Trim(proto, " \t")
	if !ok || !ok2 || !token(method) || target == "" || !version(proto) {
		return RequestHead{}, ErrMalformed
	}
	h := Head{Proto: proto, Fields: parseFields(fields), Len: int64(n)}
	return RequestHead{Head: h, Method: method, Target: target}, nil
}

// plausible says whether b may be the start of a response.
func plausible(b []byte) bool {
	const sign = "HTTP/"
	n := min(len(b), len(sign))
	return strings.EqualFold(string(b[:n]), sign[:n])
}

// split cuts the head at the start of b into its start line and its field lines, the blank line left out.
func split(b []byte) (line, fields string, n int, err error) {
	n = HeadEnd(b, 0)
	if n < 0 {
		if bytes.IndexByte(b, 0) >= 0 {
			return "", "", 0, ErrMalformed
		}
		return "", "", 0, ErrIncomplete
	}
	if bytes.IndexByte(b[:n], 0) >= 0 {
		return "", "", 0, ErrMalformed
	}
	line, fields, _ = strings.Cut(string(b[:n]), "\n")
	return strings.TrimSuffix(line, "\r"), fields, n, nil
}

func parseFields(s string) []Field {
	fields := make([]Field, 0, strings.Count(s, "\n"))
	known := false // the line before was a field, so that a fold can go on with it
	for s != "" {
		var line string
		line, s, _ = strings.Cut(s, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if known {
				f := &fields[len(fields)-1]
				f.Value = strings.Trim(f.Value+" "+clean(line), " ")
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = clean(name)
		known = ok && name != ""
		if known {
			fields = append(fields, Field{name, clean(value)})
		}
	}
	return fields
}

// clean trims a value; a bare CR in it becomes a space (RFC 9112 §2.2).
func clean(v string) string {
	if strings.IndexByte(v, '\r') >= 0 {
		v = strings.ReplaceAll(v, "\r", " ")
	}
	return strings.Trim(v, " \t")
}

// version says whether s is "HTTP/" and a version, whatever the case.
func version(s string) bool {
	if len(s) < 6 || !strings.EqualFold(s[:5], "HTTP/") {
		return false
	}
	for i, c := range []byte(s[5:]) {
		if (c < '0' || c > '9') && (c != '.' || i == 0) {
			return false
		}
	}
	return true
}

// token says whether s is a token (RFC 9110 §5.6.2).
func token(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
