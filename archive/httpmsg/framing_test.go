package httpmsg

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func parse(t testing.TB, s string) Head {
	t.Helper()
	h, err := ParseHead([]byte(s))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return h
}

func TestFraming(t *testing.T) {
	cases := []struct {
		method, start, fields string
		want                  Framing
	}{
		{"GET", "HTTP/1.1 200", "Content-Length: 5", Framing{Length, 5}},
		{"GET", "HTTP/1.1 200", "", Framing{Kind: UntilClose}},
		{"HEAD", "HTTP/1.1 200", "Content-Length: 5", Framing{}},
		{"HEAD", "HTTP/1.1 200", "Transfer-Encoding: chunked", Framing{}},
		{"GET", "HTTP/1.1 204", "Content-Length: 5", Framing{}},
		{"GET", "HTTP/1.1 304", "Transfer-Encoding: chunked", Framing{}},
		{"GET", "HTTP/1.1 101", "Content-Length: 5", Framing{}},
		{"GET", "HTTP/1.1 200", "Transfer-Encoding: chunked", Framing{Kind: Chunked}},
		{"GET", "HTTP/1.1 200", "Transfer-Encoding: gzip, Chunked", Framing{Kind: Chunked}},
		{"GET", "HTTP/1.1 200", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", Framing{Kind: Chunked}},
		{"GET", "HTTP/1.1 200", "Transfer-Encoding: chunked\r\nContent-Length: 5", Framing{Kind: Chunked}},
		{"GET", "HTTP/1.1 200", "Transfer-Encoding: chunked, gzip\r\nContent-Length: 5", Framing{Kind: UntilClose}},
		{"GET", "HTTP/1.1 200", "Transfer-Encoding: identity\r\nContent-Length: 5", Framing{Length, 5}},
		{"GET", "HTTP/1.0 200", "Transfer-Encoding: chunked\r\nContent-Length: 5", Framing{Length, 5}},
		{"GET", "HTTP/1.1 200", "Content-Length: 5, 5", Framing{Length, 5}},
		{"GET", "HTTP/1.1 200", "Content-Length: 5\r\nContent-Length: 6", Framing{Kind: Conflict}},
		{"GET", "HTTP/1.1 200", "Content-Length: 5, 6", Framing{Kind: Conflict}},
		{"GET", "HTTP/1.1 200", "Content-Length: x", Framing{Kind: UntilClose}},
		{"GET", "HTTP/1.1 200", "Content-Length: -1", Framing{Kind: UntilClose}},
		{"GET", "HTTP/1.1 200", "Content-Length: 99999999999999999999", Framing{Kind: UntilClose}},
		{"GET", "HTTP/1.1 200", "Content-Length: 0", Framing{Length, 0}},
	}
	for _, c := range cases {
		h := parse(t, c.start+"\r\n"+c.fields+strings.Repeat("\r\n", min(1, len(c.fields)))+"\r\n")
		if got := h.Framing(c.method); got != c.want {
			t.Errorf("%s %s %q: %+v, want %+v", c.method, c.start, c.fields, got, c.want)
		}
	}
	for fields, want := range map[string]Framing{"": {}, "Content-Length: 3\r\n": {Length, 3}, "Transfer-Encoding: chunked\r\n": {Kind: Chunked}} {
		r, err := ParseRequest([]byte("POST / HTTP/1.1\r\n" + fields + "\r\n"))
		if err != nil || r.Framing(r.Method) != want {
			t.Errorf("request with %q: %+v, %v", fields, r.Framing(r.Method), err)
		}
	}
}

// bodies holds messages, cut at "~" where the message ends, and what their bodies hold.
var bodies = []struct {
	name, head, body, payload string
	complete                  bool
	err                       error
}{
	{"length", "Content-Length: 5\r\n", "hello~more", "hello", true, nil},
	{"length, short", "Content-Length: 5\r\n", "hel~", "hel", false, io.ErrUnexpectedEOF},
	{"length zero", "Content-Length: 0\r\n", "~x", "", true, nil},
	{"until close", "", "hello~", "hello", true, nil},
	{"chunks", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n~more", "hello!", true, nil},
	{"extensions", "Transfer-Encoding: chunked\r\n", "5;a=b;c=\"d\"\r\nhello\r\n000;x\r\n\r\n~", "hello", true, nil},
	{"trailers", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n~x", "hello", true, nil},
	{"bare LF", "Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n~x", "hello", true, nil},
	{"spaces", "Transfer-Encoding: chunked\r\n", " 5  \r\nhello\r\n0 \r\n\r\n~", "hello", true, nil},
	{"hex", "Transfer-Encoding: chunked\r\n", "0A\r\n0123456789\r\n0b\r\n0123456789a\r\n0\r\n\r\n~", "01234567890123456789a", true, nil},
	{"no trailers' end", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nA: b~", "a", true, nil},
	{"chunk short", "Transfer-Encoding: chunked\r\n", "5\r\nhel~", "hel", false, io.ErrUnexpectedEOF},
	{"no last chunk", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n~", "hello", false, io.ErrUnexpectedEOF},
	{"no chunk", "Transfer-Encoding: chunked\r\n", "~", "", false, io.ErrUnexpectedEOF},
	{"no size", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n\r\nx~", "hello", false, ErrMalformed},
	{"bad size", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nx\r\n~", "hello", false, ErrMalformed},
	{"chunk too long", "Transfer-Encoding: chunked\r\n", "5\r\nhello!\r\n0\r\n\r\n~", "hello", false, ErrMalformed},
	{"size out of range", "Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nx~", "", false, ErrMalformed},
}

func TestBodies(t *testing.T) {
	for _, c := range bodies {
		head := "HTTP/1.1 200 OK\r\n" + c.head + "\r\n"
		body, rest, _ := strings.Cut(c.body, "~")
		all := head + body + rest
		h := parse(t, all)

		end, complete, err := h.MessageEnd("GET", strings.NewReader(all), int64(len(all)))
		if end != int64(len(head+body)) || complete != c.complete || errors.Is(err, ErrMalformed) != errors.Is(c.err, ErrMalformed) {
			t.Errorf("%s: ends at %d, complete %v, %v; want %d, %v", c.name, end, complete, err, len(head+body), c.complete)
		}
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader, "halved": iotest.HalfReader, "with EOF": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(Body(h, "GET", wrap(strings.NewReader(body+rest))))
			if string(got) != c.payload || !errors.Is(err, c.err) {
				t.Errorf("%s, %s: %q, %v; want %q, %v", c.name, how, got, err, c.payload, c.err)
			}
		}
		if got, err := io.ReadAll(Body(h, "HEAD", strings.NewReader(body))); len(got) > 0 || err != nil {
			t.Errorf("%s: HEAD has a body %q, %v", c.name, got, err)
		}
	}
	h := parse(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
	if _, complete, err := h.MessageEnd("GET", strings.NewReader(""), 60); complete || !errors.Is(err, ErrMalformed) {
		t.Errorf("conflict: %v, %v", complete, err)
	}
	h = parse(t, "HTTP/1.1 204 OK\r\n\r\n")
	if end, complete, err := h.MessageEnd("GET", strings.NewReader(""), 19); end != 19 || !complete || err != nil {
		t.Errorf("204: %d, %v, %v", end, complete, err)
	}
}

func TestBodyReadError(t *testing.T) {
	h := parse(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
	_, err := io.ReadAll(Body(h, "GET", iotest.ErrReader(io.ErrNoProgress)))
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
	h = parse(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	if _, _, err := h.MessageEnd("GET", failing{}, 99); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrNoProgress }

// FuzzChunks checks that the three readers of chunks agree, however the bytes are cut.
func FuzzChunks(f *testing.F) {
	for _, c := range bodies {
		if strings.Contains(c.head, "chunked") {
			f.Add([]byte(strings.ReplaceAll(c.body, "~", "")), uint8(3))
		}
	}
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		h := parse(t, head)
		whole, err := io.ReadAll(Body(h, "GET", bytes.NewReader(b)))
		single, err1 := io.ReadAll(Body(h, "GET", iotest.OneByteReader(bytes.NewReader(b))))
		if !bytes.Equal(whole, single) || errors.Is(err, ErrMalformed) != errors.Is(err1, ErrMalformed) || (err == nil) != (err1 == nil) {
			t.Errorf("%q: %q, %v; byte by byte %q, %v", b, whole, err, single, err1)
		}
		s := NewScanner(h.Framing("GET"))
		var pieces []byte
		at := 0
		for at < len(b) && !s.Done() {
			p, n, err := s.Next(b[at:min(len(b), at+1+int(step))])
			pieces = append(pieces, p...)
			if at += n; err != nil {
				break
			}
		}
		if !bytes.Equal(pieces, whole) {
			t.Errorf("%q: %q in pieces of %d, want %q", b, pieces, step, whole)
		}
		all := append([]byte(head), b...)
		end, complete, endErr := h.MessageEnd("GET", bytes.NewReader(all), int64(len(all)))
		if complete != (err == nil) || end > int64(len(all)) || (endErr != nil) != errors.Is(err, ErrMalformed) {
			t.Errorf("%q: end %d, complete %v, %v; body's error %v", b, end, complete, endErr, err)
		}
	})
}
