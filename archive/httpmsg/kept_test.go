package httpmsg

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestKeptBody: chunks are undone where there are any; what somebody dechunked, and left the field in the head, is there in full.
func TestKeptBody(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked\r\n"
	page := "<html><body>already dechunked, header kept</body></html>"
	for _, c := range []struct{ name, head, body, payload string }{
		{"chunks", chunked, "5\r\nhello\r\n0\r\n\r\n", "hello"},
		{"chunks with extensions", chunked, "5;" + strings.Repeat("x", 500) + "\r\nhello\r\n0\r\n\r\n", "hello"},
		{"spaces behind the size", chunked, "5   \r\nhello\r\n0\r\n\r\n", "hello"},
		{"bare line ends", chunked, "5\nhello\n0\n\n", "hello"},
		{"nothing", chunked, "", ""},
		{"no payload", chunked, "0\r\n\r\n", ""},
		{"a torn size", chunked, "5", ""},
		{"dechunked", chunked, page, page},
		{"dechunked, begins like a size", chunked, "add one\r\n", "add one\r\n"},
		{"dechunked, an empty line first", chunked, "\r\n" + page, "\r\n" + page},
		{"dechunked, one long line", chunked, strings.Repeat("a", 1000), strings.Repeat("a", 1000)},
		{"dechunked and compressed", chunked + "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x00rest", "\x1f\x8b\x08\x00rest"},
		{"not chunked", "Content-Length: 5\r\n", "helloxx", "hello"},
	} {
		h := parse(t, "HTTP/1.1 200 OK\r\n"+c.head+"\r\n")
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.body), "bytewise": iotest.OneByteReader(strings.NewReader(c.body)), "with EOF": iotest.DataErrReader(strings.NewReader(c.body)),
		} {
			got, err := io.ReadAll(KeptBody(h, "GET", r))
			if string(got) != c.payload || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, %s: %q, %v", c.name, how, got, err)
			}
		}
	}
	h := parse(t, "HTTP/1.1 200 OK\r\n"+chunked+"\r\n")
	if _, err := io.ReadAll(KeptBody(h, "GET", iotest.ErrReader(io.ErrNoProgress))); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
}
