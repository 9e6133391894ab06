package fetch

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
)

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// exact is one case of a raw server and what must be kept of it.
type exact struct {
	name   string
	method string
	reply  reply

	outcome   outcome.Outcome // captured if empty
	truncated string
	response  string // all of the reply if empty, save interim and excess
	interim   string
	excess    string
	payload   string
	status    int
	doc       string
	again     bool // the connection serves the next exchange
	broken    bool // the document lacks its end
}

const html = "Content-Type: text/html; charset=UTF-8\r\n"

func exactCases() []exact {
	z := zipped("<p>hello gzip")
	return []exact{
		{name: "content-length", reply: reply{raw: "HTTP/1.1 200 OK\r\ncontent-TYPE: Text/HTML\r\nContent-Length: 5\r\n\r\nhello"},
			payload: "hello", doc: "hello", again: true},
		{name: "chunked", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n" +
			"5;ext=1\r\nhello\r\n006 \r\n world\r\n0\r\nX-T: v\r\n\r\n"}, payload: "hello world", doc: "hello world", again: true},
		{name: "gzip", reply: reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", html, len(z), z)},
			payload: z, doc: "<p>hello gzip", again: true},
		{name: "gzip chunked", reply: reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%X\r\n%s\r\n0\r\n\r\n", html, len(z), z)},
			payload: z, doc: "<p>hello gzip", again: true},
		{name: "HTTP/1.0", reply: reply{raw: "HTTP/1.0 200 Fine\r\nServer: old\r\n\r\nbody until close", close: true},
			payload: "body until close", doc: "body until close"},
		{name: "HTTP/1.0 kept alive", reply: reply{raw: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok"},
			payload: "ok", doc: "ok", again: true},
		{name: "HEAD", method: "HEAD", reply: reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 12345\r\n\r\n"}, again: true},
		{name: "204", reply: reply{raw: "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"}, status: 204, again: true},
		{name: "304", reply: reply{raw: "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 99\r\n\r\n"}, status: 304, again: true},
		{name: "404", reply: reply{raw: "HTTP/1.1 404 Not Found\r\n" + html + "Content-Length: 4\r\n\r\nnope"}, status: 404, payload: "nope", doc: "nope", again: true},
		{name: "301", reply: reply{raw: "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"}, status: 301, again: true},
		{name: "103", reply: reply{raw: "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
			interim: "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n", payload: "ok", doc: "ok", again: true},
		{name: "100 and 102", reply: reply{raw: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
			interim: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\n\n", payload: "ok", doc: "ok", again: true},
		{name: "order and casing", reply: reply{raw: "HTTP/1.1 200 Whatever you say\r\nzeta: 1\r\nSET-cookie: a=1\r\nAlpha:2\r\nset-Cookie: b=2\r\nX-Trail:   spaced  \r\nContent-length: 2\r\n\r\nok"},
			payload: "ok", doc: "ok", again: true},
		{name: "obs-fold", reply: reply{raw: "HTTP/1.1 200 OK\r\nX-Fold: a\r\n b\r\nContent-Length: 2\r\n\r\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "bare LF", reply: reply{raw: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "no reason", reply: reply{raw: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "latin-1 header", reply: reply{raw: "HTTP/1.1 200 OK\r\nX-Caf\xc3\xa9: v\r\nX-Raw: \xe9\r\nContent-Length: 2\r\n\r\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "latin-1 body is not transcoded", reply: reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Length: 4\r\n\r\ncaf\xe9"},
			payload: "caf\xe9", doc: "caf\xe9", again: true},
		{name: "a download of gzip stays one", reply: reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: %d\r\n\r\n%s", len(z), z)},
			payload: z, again: true},
		{name: "odd field lines", reply: reply{raw: "HTTP/1.1 200 OK\r\nBad Header : x\r\nno colon here\r\nContent-Length : 2\r\n\r\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "equal lengths twice", reply: reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "textual HTTP/2", reply: reply{raw: "HTTP/2 200\r\nContent-Length: 2\r\n\r\nok"}, payload: "ok", doc: "ok", again: true},
		{name: "gzip that is none", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n<p>plain"},
			payload: "<p>plain", doc: "<p>plain", again: true},
		{name: "trailing garbage", reply: reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokGARBAGE"}, excess: "GARBAGE", payload: "ok", doc: "ok"},
		{name: "garbage after chunks", reply: reply{raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nxx"}, excess: "xx", payload: "ok", doc: "ok"},
		{name: "a body after 304", reply: reply{raw: "HTTP/1.1 304 No\r\n\r\nbody"}, excess: "body", status: 304},
		{name: "connection: close", reply: reply{raw: "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok"}, payload: "ok", doc: "ok"},

		{name: "short body", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Content-Length: 1000\r\n\r\nonly this", close: true},
			outcome: outcome.CutShort, truncated: "disconnect", payload: "only this", doc: "only this", broken: true},
		{name: "short chunk", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Transfer-Encoding: chunked\r\n\r\n400\r\nshort", close: true},
			outcome: outcome.CutShort, truncated: "disconnect", payload: "short", doc: "short", broken: true},
		{name: "reset body", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Content-Length: 1000\r\n\r\nonly this", reset: true},
			outcome: outcome.CutShort, truncated: "disconnect", payload: "only this", doc: "only this", broken: true},
		{name: "no last CRLF", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n", close: true},
			payload: "whole", doc: "whole"},
		{name: "broken chunks", reply: reply{raw: "HTTP/1.1 200 OK\r\n" + html + "Transfer-Encoding: chunked\r\n\r\n2\r\nokXX\r\n", close: true},
			outcome: outcome.CutShort, truncated: "disconnect", payload: "ok", doc: "ok", broken: true},
		{name: "short gzip", reply: reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", html, len(z)-6, z[:len(z)-6])},
			payload: z[:len(z)-6], doc: "<p>hello gzip", again: true, broken: true},

		{name: "ICY", reply: reply{raw: "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok", close: true}, outcome: outcome.Protocol},
		{name: "SSH", reply: reply{raw: "SSH-2.0-OpenSSH_9.2\r\n", hang: true}, outcome: outcome.Protocol},
		{name: "NUL", reply: reply{raw: "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok", close: true}, outcome: outcome.Protocol},
		{name: "no status", reply: reply{raw: "HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok", close: true}, outcome: outcome.Protocol},
		{name: "lengths in conflict", reply: reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!", close: true}, outcome: outcome.Protocol},
		{name: "headers too long", reply: reply{raw: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 9000) + "\r\n\r\n", close: true}, outcome: outcome.Protocol},
		{name: "endless interim", reply: reply{raw: strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 3000)+"\r\n\r\n", 2) + "HTTP/1.1 103 Early Hints\r\nX: " + strings.Repeat("x", 3000), close: true},
			outcome: outcome.Protocol, response: "HTTP/1.1 103 Early Hints\r\nX: " + strings.Repeat("x", 3000),
			interim: strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 3000)+"\r\n\r\n", 2)},
		{name: "empty", reply: reply{close: true}, outcome: outcome.Empty},
		{name: "half a head", reply: reply{raw: "HTTP/1.1 200 OK\r\nContent-Le", close: true}, outcome: outcome.Reset},
		{name: "interim only", reply: reply{raw: "HTTP/1.1 103 Early Hints\r\n\r\n", close: true}, outcome: outcome.Reset, interim: "HTTP/1.1 103 Early Hints\r\n\r\n"},
		{name: "reset", reply: reply{reset: true}, outcome: outcome.Reset},
	}
}

// TestExact compares what is kept with what a raw server sent and got, byte for byte, plain and over TLS.
func TestExact(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, c := range exactCases() {
			t.Run(fmt.Sprintf("tls=%v/%s", secure, c.name), func(t *testing.T) { c.run(t, secure) })
		}
	}
}

func (c exact) run(t *testing.T, secure bool) {
	s := serve(t, secure, always(c.reply))
	w := recorder(t, &Recorder{UserAgent: "linkstead-test", Limits: Limits{HeadBytes: 8 << 10}}).Worker()
	req := Request{URL: s.url("/p"), Method: c.method, Header: http.Header{"X-Id": {"one"}}}
	begun := time.Now()
	x, doc := fetch(t, w, req)

	want := c.response
	if want == "" {
		want = strings.TrimSuffix(strings.TrimPrefix(c.reply.raw, c.interim), c.excess)
	}
	if got := response(t, x); got != want {
		t.Errorf("response\n got %q\nwant %q", got, want)
	}
	if got, want := x.Request, s.request("one"); !bytes.Equal(got, want) {
		t.Errorf("request\n got %q\nwant %q", got, want)
	}
	if string(x.Interim) != c.interim || x.Excess != int64(len(c.excess)) {
		t.Errorf("interim %q, excess %d; want %q, %d", x.Interim, x.Excess, c.interim, len(c.excess))
	}
	if c.outcome == "" {
		c.outcome = outcome.Captured
	}
	if x.Outcome != c.outcome || x.Truncated != c.truncated {
		t.Errorf("outcome %q, truncated %q; want %q, %q", x.Outcome, x.Truncated, c.outcome, c.truncated)
	}
	if c.outcome.Kept() {
		if x.Payload.Size != int64(len(c.payload)) || x.Payload.SHA256 != sha256.Sum256([]byte(c.payload)) {
			t.Errorf("payload of %d bytes does not match %q", x.Payload.Size, c.payload)
		}
		if c.status == 0 {
			c.status = 200
		}
		if x.Head.Status != c.status {
			t.Errorf("status %d, want %d", x.Head.Status, c.status)
		}
	} else if x.Head.Len != 0 || x.Head.Status != 0 {
		t.Errorf("a head of %d bytes where none is complete", x.Head.Len)
	}
	if doc == nil {
		doc = &Document{}
	}
	if string(doc.Body) != c.doc || (doc.Broken != "") != c.broken {
		t.Errorf("document %q, broken %q; want %q, %v", doc.Body, doc.Broken, c.doc, c.broken)
	}
	c.checkRest(t, x.Detail, x.IP, secure, x.TLS != nil)
	if x.At.Before(begun.Add(-time.Minute)) || x.Timing.Total <= 0 {
		t.Errorf("at %v, total %v", x.At, x.Timing.Total)
	}

	fetch(t, w, req)
	if dials := s.dialled(); c.again != (dials == 1) {
		t.Errorf("%d connections for two exchanges; reuse wanted: %v", dials, c.again)
	}
}

func (c exact) checkRest(t *testing.T, detail, ip string, secure, tls bool) {
	t.Helper()
	if (detail == "") != (c.outcome == outcome.Captured) {
		t.Errorf("detail %q of outcome %s", detail, c.outcome)
	}
	plain(t, detail)
	if ip != "127.0.0.1" || secure != tls {
		t.Errorf("ip %q, tls %v", ip, tls)
	}
}

// plain checks that a detail is fit for people.
func plain(t testing.TB, detail string) {
	t.Helper()
	for _, word := range []string{"dial tcp", "lookup", "i/o timeout", "EOF", "read tcp", "write tcp", "connect:", "syscall", "x509", "tls:", "goroutine", "%!"} {
		if strings.Contains(detail, word) {
			t.Errorf("detail %q holds %q", detail, word)
		}
	}
}

func (s *server) dialled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}
