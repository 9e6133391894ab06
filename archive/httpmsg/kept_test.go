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
		{"a torn size with an extension", chunked, "5;x", "5;x"},
		{"torn in a chunk", chunked, "7d0\r\nhello", "hello"},
		{"torn behind a chunk", chunked, "5\r\nhello", "hello"},
		{"torn in the next", chunked, "5\r\nhello\r\n7d0\r\nworld", "helloworld"},
		{"torn in the next size", chunked, "5\r\nhello\r\n7", "hello"},
		{"torn, bare line ends", chunked, "5\nhello\n7d0\nworld", "helloworld"},
		{"torn in the last", chunked, "5\r\nhello\r\n0\r", "hello"},
		{"a long chunk", chunked, "20000\r\n" + strings.Repeat("a", 0x20000) + "\r\n0\r\n\r\n", strings.Repeat("a", 0x20000)},
		{"a long chunk, torn", chunked, "20000\r\n" + strings.Repeat("a", 70_000), strings.Repeat("a", 70_000)},
		{"breaks off after two", chunked, "5\r\nhello\r\n5\r\nworld\r\n<html>", "helloworld"},
		{"trailers", chunked, "5\r\nhello\r\n0\r\nExpires: 0\r\n\r\n", "hello"},
		{"no payload but trailers", chunked, "0\r\nExpires: 0\r\n\r\n", ""},
		{"dechunked, a number", chunked, "42", "42"},
		{"dechunked, a number in a line", chunked, "42\n", "42\n"},
		{"dechunked, numbers from 0", chunked, "0\n1\n2\n", "0\n1\n2\n"},
		{"dechunked, numbers", chunked, "10\n20\n30\n", "10\n20\n30\n"},
		{"dechunked, CSV", chunked, "1;2;3\r\n4;5;6\r\n", "1;2;3\r\n4;5;6\r\n"},
		{"dechunked, a chunk and no other", chunked, "4\r\nabcd\r\n{\"not\":\"chunk\"}", "4\r\nabcd\r\n{\"not\":\"chunk\"}"},
		{"dechunked, an end first", chunked, "0\r\n\r\nand more", "0\r\n\r\nand more"},
		{"dechunked, many numbers", chunked, strings.Repeat("12345678\n", 20_000), strings.Repeat("12345678\n", 20_000)},
		{"dechunked", chunked, page, page},
		{"dechunked, begins like a size", chunked, "add one\r\n", "add one\r\n"},
		{"dechunked, an empty line first", chunked, "\r\n" + page, "\r\n" + page},
		{"dechunked, one long line", chunked, strings.Repeat("a", 1000), strings.Repeat("a", 1000)},
		{"dechunked and compressed", chunked + "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x00rest", "\x1f\x8b\x08\x00rest"},
		{"a length", "Content-Length: 5\r\n", "hello", "hello"},
		{"a length that is too short", "Content-Length: 5\r\n", "hello world", "hello world"},
		{"… by little", "Content-Length: 5\r\n", "hello!", "hello!"},
		{"… by line ends", "Content-Length: 5\r\n", "hello\r\n\r\n", "hello"},
		{"a length that is too long", "Content-Length: 50\r\n", "hello", "hello"},
		{"no length", "", "hello\r\n", "hello\r\n"},
	} {
		h := parse(t, "HTTP/1.1 200 OK\r\n"+c.head+"\r\n")
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.body), "bytewise": iotest.OneByteReader(strings.NewReader(c.body)), "with EOF": iotest.DataErrReader(strings.NewReader(c.body)),
		} {
			got, err := io.ReadAll(KeptBody(h, "GET", r))
			if string(got) != c.payload || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, %s: %q, %v", c.name, how, got, err)
			}
		}
	}
	h := parse(t, "HTTP/1.1 200 OK\r\n"+chunked+"\r\n")
	if _, err := io.ReadAll(KeptBody(h, "GET", iotest.ErrReader(io.ErrNoProgress))); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
}

// FuzzKeptBody: a body is what its chunks are, or all that is kept, and how it is read makes no difference.
func FuzzKeptBody(f *testing.F) {
	for _, s := range []string{"5\r\nhello\r\n0\r\n\r\n", "0\n1\n2\n", "10\n20\n", "5;x", "\r\n", "7d0\r\nx"} {
		f.Add(s)
	}
	h := Head{Proto: "HTTP/1.1", Status: 200, Fields: []Field{{Name: "Transfer-Encoding", Value: "chunked"}}}
	f.Fuzz(func(t *testing.T, kept string) {
		got, _ := io.ReadAll(KeptBody(h, "GET", strings.NewReader(kept)))
		slow, _ := io.ReadAll(KeptBody(h, "GET", iotest.OneByteReader(strings.NewReader(kept))))
		chunks, _ := io.ReadAll(Body(h, "GET", strings.NewReader(kept)))
		if string(got) != string(slow) || string(got) != kept && string(got) != string(chunks) {
			t.Fatalf("%q, slowly %q, of %q", got, slow, kept)
		}
	})
}
