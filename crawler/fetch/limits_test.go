package fetch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
)

// short is long enough for loopback and short enough for a test that waits for it to pass.
const short = time.Second

// TestTimeLimits lets each limit of seconds pass, on servers that would never end by themselves.
func TestTimeLimits(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	cases := []struct {
		name      string
		reply     reply
		limits    Limits
		outcome   outcome.Outcome
		truncated string
		prefix    string // of the response
	}{
		{"no first byte", reply{hang: true}, Limits{FirstByte: short}, outcome.Timeout, "", ""},
		{"half a head", reply{raw: head, hang: true}, Limits{FirstByte: short}, outcome.Timeout, "", head},
		{"dribbled head", reply{raw: head + "X: ", drip: true}, Limits{FirstByte: short}, outcome.Timeout, "", head + "X: "},
		{"total in the head", reply{raw: head, hang: true}, Limits{Total: short}, outcome.Timeout, "", head},
		{"body stops", reply{raw: head + "Content-Length: 9\r\n\r\npart", hang: true}, Limits{Total: short}, outcome.TooSlow, "time", head + "Content-Length: 9\r\n\r\npart"},
		{"dribbled body", reply{raw: head + "\r\npart", drip: true}, Limits{Total: short}, outcome.TooSlow, "time", head + "\r\npart"},
		{"no last chunk", reply{raw: head + "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", hang: true}, Limits{Total: short}, outcome.TooSlow, "time", head},
		{"no line after the last chunk", reply{raw: head + "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n", hang: true}, Limits{Total: short}, outcome.Captured, "", head},
	}
	for _, secure := range []bool{false, true} {
		for _, c := range cases {
			t.Run(fmt.Sprintf("tls=%v/%s", secure, c.name), func(t *testing.T) {
				t.Parallel()
				s := serve(t, secure, always(c.reply))
				w := recorder(t, &Recorder{Limits: c.limits}).Worker()
				x, doc := fetch(t, w, Request{URL: s.url("/")})
				if x.Outcome != c.outcome || x.Truncated != c.truncated {
					t.Errorf("outcome %q, truncated %q; want %q, %q", x.Outcome, x.Truncated, c.outcome, c.truncated)
				}
				if got := response(t, x); !strings.HasPrefix(got, c.prefix) || (c.prefix == "") != (got == "") {
					t.Errorf("response %q, want %q and perhaps more", got, c.prefix)
				}
				if (x.Head.Len > 0) != c.outcome.Kept() {
					t.Errorf("a head of %d bytes with outcome %s", x.Head.Len, x.Outcome)
				}
				if doc != nil && doc.Broken != x.Detail {
					t.Errorf("document broken: %q, want %q", doc.Broken, x.Detail)
				}
				plain(t, x.Detail)
			})
		}
	}
}

// TestByteLimit cuts responses at every place around their limit.
func TestByteLimit(t *testing.T) {
	body := strings.Repeat("0123456789", 20)
	shapes := map[string]string{
		"length":  fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body),
		"chunked": fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
		"close":   "HTTP/1.1 200 OK\r\n\r\n" + body,
	}
	for shape, raw := range shapes {
		s := serve(t, false, always(reply{raw: raw, close: true}))
		for _, by := range []int{-1, 0, 1, 7, len(body) / 2} {
			limit := len(raw) - by
			w := recorder(t, &Recorder{Limits: Limits{Bytes: int64(limit)}}).Worker()
			x, _ := fetch(t, w, Request{URL: s.url("/")})
			want, cut := outcome.Captured, ""
			if by > 0 {
				want, cut = outcome.TooLong, "length"
			}
			if x.Outcome != want || x.Truncated != cut {
				t.Errorf("%s, %d over: outcome %q, truncated %q; want %q, %q", shape, by, x.Outcome, x.Truncated, want, cut)
			}
			if got := response(t, x); got != raw[:min(limit, len(raw))] {
				t.Errorf("%s, %d over: response %q", shape, by, got)
			}
			plain(t, x.Detail)
		}
	}
}

// TestDecodedLimit gives discovery a bomb: what is kept is small, and so is what is handed on.
func TestDecodedLimit(t *testing.T) {
	z := zipped(strings.Repeat("a", 4<<20))
	s := serve(t, false, always(reply{raw: fmt.Sprintf(
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(z), z)}))
	w := recorder(t, &Recorder{Limits: Limits{Decoded: 1000}}).Worker()
	x, doc := fetch(t, w, Request{URL: s.url("/")})
	if x.Outcome != outcome.Captured || x.Payload.Size != int64(len(z)) {
		t.Errorf("outcome %q, payload %d", x.Outcome, x.Payload.Size)
	}
	if doc == nil || len(doc.Body) != 1000 || !doc.Capped || doc.Broken != "" {
		t.Fatalf("document %.80v", doc)
	}
	s = serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 1001\r\n\r\n" + strings.Repeat("a", 1001)}))
	if _, doc = fetch(t, w, Request{URL: s.url("/")}); doc == nil || len(doc.Body) != 1000 || !doc.Capped {
		t.Errorf("plain document %.80v", doc)
	}
}

// TestDecodeTime: decoding that takes longer than its limit ends there; the capture is whole.
func TestDecodeTime(t *testing.T) {
	z := zipped(strings.Repeat("a", 1<<20))
	s := serve(t, false, always(reply{raw: fmt.Sprintf(
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(z), z)}))
	x, doc := fetch(t, recorder(t, &Recorder{Limits: Limits{Discover: time.Nanosecond}}).Worker(), Request{URL: s.url("/")})
	if x.Outcome != outcome.Captured || x.Payload.Size != int64(len(z)) {
		t.Errorf("outcome %q, payload %d", x.Outcome, x.Payload.Size)
	}
	if doc == nil || !strings.Contains(doc.Broken, "longer than 1ns") || len(doc.Body) == 1<<20 {
		t.Errorf("document %.80v", doc)
	}
}

// TestSpill keeps a body that does not fit in memory in a file without a name, and frees it.
func TestSpill(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<16)
	raw := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	s := serve(t, false, always(reply{raw: raw}))
	r := recorder(t, &Recorder{Limits: Limits{Memory: 10_000}})
	w := r.Worker()
	x, doc := fetch(t, w, Request{URL: s.url("/")})
	if _, inMemory := x.Response.Bytes(); inMemory {
		t.Error("a megabyte was kept in memory")
	}
	if n := files(t, r.Spool); n != 0 {
		t.Errorf("%d files with names", n)
	}
	if response(t, x) != raw || x.Payload.SHA256 != sha256.Sum256([]byte(body)) || string(doc.Body) != body {
		t.Error("the spilled response differs")
	}
	if err := r.Release(x); err != nil || x.Response != nil {
		t.Errorf("release: %v", err)
	}
	if err := r.Release(x); err != nil {
		t.Errorf("release again: %v", err)
	}
}

// TestDiskFault reports a spool that can't be written as an error, not as a death of the source.
func TestDiskFault(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("a", 100)}))
	r := recorder(t, &Recorder{Limits: Limits{Memory: 50}})
	r.Spool += "/gone"
	x, err := r.Worker().Fetch(context.Background(), Request{URL: s.url("/")}, nil)
	if x != nil || err == nil || !strings.Contains(err.Error(), s.url("/")) {
		t.Errorf("exchange %v, error %v", x, err)
	}
}

// TestCancel ends exchanges in each phase by their context.
func TestCancel(t *testing.T) {
	for name, r := range map[string]reply{
		"head": {hang: true},
		"body": {raw: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", hang: true},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		s := serve(t, false, func(string, []byte) reply {
			time.AfterFunc(20*time.Millisecond, cancel)
			return r
		})
		rec := recorder(t, &Recorder{})
		x, err := rec.Worker().Fetch(ctx, Request{URL: s.url("/")}, nil)
		if x != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: exchange %v, error %v", name, x, err)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := serve(t, false, always(reply{hang: true}))
	if x, err := recorder(t, &Recorder{}).Worker().Fetch(ctx, Request{URL: s.url("/")}, nil); x != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("before: exchange %v, error %v", x, err)
	}
}

// TestDocuments tells which responses are handed on, and that the callback's error comes back with the exchange.
func TestDocuments(t *testing.T) {
	cases := []struct{ fields, body, mime, doc string }{
		{"Content-Type: text/html", "<p>x", "text/html", "<p>x"},
		{"Content-Type: Application/XHTML+xml; charset=x", "<p>x", "application/xhtml+xml", "<p>x"},
		{"Content-Type: text/css", "a{}", "text/css", "a{}"},
		{"Content-Type: image/svg+xml", "<svg/>", "image/svg+xml", "<svg/>"},
		{"Content-Type: application/manifest+json", "{}", "application/manifest+json", "{}"},
		{"Content-Type: text/plain", "", "text/plain", ""},
		{"X-None: 1", "<!doctype html><p>x", "text/html", "<!doctype html><p>x"},
		{"X-None: 1", "\x89PNG\r\n\x1a\n", "", ""},
		{"Content-Type: image/png", "<p>x", "", ""},
		{"Content-Type: application/octet-stream", "<p>x", "", ""},
		{"Content-Type: text/html\r\nContent-Encoding: rot13", "<p>x", "text/html", ""},
	}
	for _, c := range cases {
		s := serve(t, false, always(reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s", c.fields, len(c.body), c.body)}))
		x, doc := fetch(t, recorder(t, &Recorder{}).Worker(), Request{URL: s.url("/f.xml.gz")})
		if x.Outcome != outcome.Captured {
			t.Errorf("%s: outcome %s", c.fields, x.Outcome)
		}
		if (doc != nil) != (c.mime != "") {
			t.Errorf("%s: document %v", c.fields, doc)
		} else if doc != nil && (doc.Mime != c.mime || string(doc.Body) != c.doc || doc.URL != x.URL || doc.Status != 200) {
			t.Errorf("%s: document %+v", c.fields, doc)
		}
	}
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx"}))
	w := recorder(t, &Recorder{}).Worker()
	x, err := w.Fetch(context.Background(), Request{URL: s.url("/")}, func(Document) error { return io.ErrNoProgress })
	if x == nil || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("exchange %v, error %v", x, err)
	}
}

// TestRequestFields keeps out of a request what would break or misframe it.
func TestRequestFields(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}))
	w := recorder(t, &Recorder{UserAgent: "us/1", From: "archive@example.org"}).Worker()
	x, _ := fetch(t, w, Request{URL: s.url("/"), Header: http.Header{
		"Accept": {"text/plain"}, "Cookie": {"a=1"}, "Host": {"evil"}, "Content-Length": {"9"}, "Connection": {"close"},
	}})
	want := "GET / HTTP/1.1\r\nHost: " + s.addr + "\r\nUser-Agent: us/1\r\nFrom: archive@example.org\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Accept: text/plain\r\nCookie: a=1\r\n\r\n"
	if string(x.Request) != want {
		t.Errorf("request %q, want %q", x.Request, want)
	}
	for _, req := range []Request{
		{URL: s.url("/"), Header: http.Header{"X": {"a\r\nY: b"}}},
		{URL: s.url("/"), Header: http.Header{"X: a\r\nY": {"b"}}},
		{URL: s.url("/"), Method: "PO ST"},
	} {
		if x, err := w.Fetch(context.Background(), req, nil); x != nil || err == nil {
			t.Errorf("%+v: exchange %v, error %v", req, x, err)
		}
	}
}
