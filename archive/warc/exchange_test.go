package warc

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/storage"
)

var testTime = time.Date(2026, 3, 1, 12, 30, 45, 123456000, time.UTC)

// exchangeOf makes an exchange of a response as it would have come over the wire.
func exchangeOf(t testing.TB, url, response string) *Exchange {
	t.Helper()
	ex := &Exchange{
		URL: url, Method: "GET", At: testTime, Outcome: outcome.Captured, IP: "127.0.7.1",
		Request: []byte("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
		Timing:  Timing{FirstByte: 3 * time.Millisecond, Total: 5 * time.Millisecond},
	}
	ex.Response = storage.NewSpill(t.TempDir(), 1<<18)
	if _, err := io.WriteString(ex.Response, response); err != nil {
		t.Fatal(err)
	}
	head, err := httpmsg.ParseHead([]byte(response))
	if err != nil {
		return ex
	}
	ex.Head = head
	payload, _ := io.ReadAll(httpmsg.Body(head, "GET", strings.NewReader(response[head.Len:])))
	ex.Payload = Payload{Size: int64(len(payload)), SHA256: sha256.Sum256(payload)}
	return ex
}

func okResponse(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

const chunkedResponse = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n"

func testMeta(n int) *Meta {
	return &Meta{Run: 7, Host: "a.test", Task: int64(n), Token: 99, Kind: "page", Attempt: 1, Mime: "text/html",
		Outlinks: []Outlink{{URL: "http://b.test/", Hop: 'L', Context: "a/@href", Kind: "page", Depth: 1, Due: 100},
			{URL: "http://c.test/x.png", Hop: 'E', Context: "img/@src"}},
		Notes: []string{"left out: share button"}}
}

// testSegment is a segment in the making.
type testSegment struct {
	t testing.TB
	c Composer
	bytes.Buffer
	groups []placed
}

type placed struct {
	offset, end int64
	members     []Member
}

func newTestSegment(t testing.TB) *testSegment {
	s := &testSegment{t: t, c: Composer{Dir: t.TempDir()}}
	s.add(s.c.Warcinfo(Info{At: testTime, Filename: "s.warc.gz", Software: "linkstead/test", Operator: "A. Archivist",
		Description: "a test", Robots: "obey", IsPartOf: "default", Hostname: "node-1"}))
	return s
}

func (s *testSegment) opts() Options { return Options{WarcinfoID: s.groups[0].members[0].RecordID} }

// add appends a group and returns where it stands.
func (s *testSegment) add(g *Group, err error) placed {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	p := placed{offset: int64(s.Len()), members: g.Members}
	if _, err := g.WriteTo(&s.Buffer); err != nil {
		s.t.Fatal(err)
	}
	p.end = int64(s.Len())
	if p.end-p.offset != g.Size() && g.Data != nil {
		s.t.Fatalf("group of %d bytes wrote %d", g.Size(), p.end-p.offset)
	}
	if err := g.Release(); err != nil {
		s.t.Fatal(err)
	}
	s.groups = append(s.groups, p)
	return p
}

func (s *testSegment) exchange(url, response string) placed {
	s.t.Helper()
	return s.add(s.c.Compose(exchangeOf(s.t, url, response), testMeta(len(s.groups)), s.opts()))
}

// read reads the member m of the group p.
func (s *testSegment) read(p placed, m Member) (*Record, []byte) {
	s.t.Helper()
	rec, err := ReadMember(bytes.NewReader(s.Bytes()[p.offset+m.Offset : p.offset+m.Offset+m.Length]))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = rec.Close() })
	block, err := io.ReadAll(rec.Block)
	if err != nil {
		s.t.Fatal(err)
	}
	if rec.Length() != m.Length || rec.Header.ID() != m.RecordID || rec.Header.Type() != m.Type {
		s.t.Fatalf("read %s %s of %d bytes, want %+v", rec.Header.Type(), rec.Header.ID(), rec.Length(), m)
	}
	return rec, block
}

// noise is data that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}
