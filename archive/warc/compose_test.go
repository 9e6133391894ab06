package warc

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"linkstead/archive/outcome"
)

func TestComposeAndReadBack(t *testing.T) {
	big := okResponse(noise(300 << 10)) // spills, in the exchange and in the group
	for name, tc := range map[string]struct{ response, payload string }{
		"plain":    {okResponse("<p>hello"), "<p>hello"},
		"chunked":  {chunkedResponse, "hello world"},
		"empty":    {"HTTP/1.1 204 No Content\r\n\r\n", ""},
		"bare LF":  {"HTTP/1.0 200 OK\nX: y\n\nbody", "body"},
		"big":      {big, big[strings.Index(big, "\r\n\r\n")+4:]},
		"no body":  {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", ""},
		"cut body": {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc", "abc"},
		"cut size": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz", "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSegment(t)
			s.c.Memory = 64 << 10
			p := s.exchange("http://a.test/?q=1", tc.response)
			if len(p.members) != 3 {
				t.Fatalf("members: %+v", p.members)
			}
			req, block := s.read(p, p.members[0])
			if string(block) != "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n" || req.Header.Get(fieldConcurrent) != p.members[1].RecordID {
				t.Errorf("request %q to %s", block, req.Header.Get(fieldConcurrent))
			}
			resp, block := s.read(p, p.members[1])
			if string(block) != tc.response {
				t.Errorf("response block of %d bytes differs", len(block))
			}
			want := map[string]string{
				fieldType: "response", fieldDate: "2026-03-01T12:30:45.123456Z", fieldURI: "http://a.test/?q=1",
				fieldIP: "127.0.7.1", fieldBlockDigest: Digest(sha256.Sum256([]byte(tc.response))),
				fieldPayloadDigest: Digest(sha256.Sum256([]byte(tc.payload))), fieldWarcinfo: s.opts().WarcinfoID,
				fieldConcurrent: "", fieldTruncated: "",
			}
			for name, value := range want {
				if got := resp.Header.Get(name); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
			checkHTTP(t, s, p, tc.payload)
			_, block = s.read(p, p.members[2])
			c, err := ParseMeta(block)
			if err != nil || !reflect.DeepEqual(c.Meta, *testMeta(1)) || c.Outcome != outcome.Captured || c.Method != "GET" {
				t.Errorf("closing %+v: %v", c, err)
			}
		})
	}
}

func checkHTTP(t *testing.T, s *testSegment, p placed, payload string) {
	t.Helper()
	m := p.members[1]
	rec, err := ReadMember(bytes.NewReader(s.Bytes()[p.offset+m.Offset:]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	head, body, err := rec.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil || string(got) != payload {
		t.Errorf("payload of %d bytes, want %d: %v", len(got), len(payload), err)
	}
	if head.Status < 200 {
		t.Errorf("head %+v", head)
	}
	if err := rec.Finish(); err != nil || rec.Length() != m.Length {
		t.Errorf("member of %d bytes, want %d: %v", rec.Length(), m.Length, err)
	}
}

func TestComposeFailure(t *testing.T) {
	s := newTestSegment(t)
	ex := exchangeOf(t, "http://a.test/", "SSH-2.0-OpenSSH\r\n\x00\xff")
	ex.Outcome, ex.Detail = outcome.Protocol, "a.test does not speak HTTP"
	p := s.add(s.c.Compose(ex, testMeta(1), s.opts()))
	if len(p.members) != 2 || p.members[0].Type != TypeRequest {
		t.Fatalf("members %+v", p.members)
	}
	req, _ := s.read(p, p.members[0])
	if req.Header.Get(fieldConcurrent) != p.members[1].RecordID {
		t.Error("the request of a failure is not concurrent to its closing record")
	}
	_, block := s.read(p, p.members[1])
	c, err := ParseMeta(block)
	if err != nil || string(c.Evidence) != "SSH-2.0-OpenSSH\r\n\x00\xff" || c.EvidenceSize != 19 ||
		c.Outcome != outcome.Protocol || c.Detail != ex.Detail {
		t.Errorf("closing %+v: %v", c, err)
	}

	ex = &Exchange{URL: "http://exa mple/", At: testTime, Outcome: outcome.BadURL}
	p = s.add(s.c.Compose(ex, &Meta{}, s.opts()))
	rec, block := s.read(p, p.members[0])
	if c, err = ParseMeta(block); err != nil || c.URL != ex.URL || rec.Header.URL() != "" {
		t.Errorf("URL %q in the block, %q in the header: %v", c.URL, rec.Header.URL(), err)
	}
}

func TestComposeRevisit(t *testing.T) {
	s := newTestSegment(t)
	first := s.exchange("http://a.test/1", okResponse("same"))
	opts := s.opts()
	opts.Original = &Original{RecordID: first.members[1].RecordID, URL: "http://a.test/1", At: testTime, Location: "s/123"}
	ex := exchangeOf(t, "http://a.test/2", okResponse("same"))
	p := s.add(s.c.Compose(ex, testMeta(2), opts))
	rec, block := s.read(p, p.members[1])
	for name, value := range map[string]string{
		fieldType: "revisit", fieldProfile: ProfileIdentical, fieldRefersTo: first.members[1].RecordID,
		fieldRefersURI: "http://a.test/1", fieldRefersDate: "2026-03-01T12:30:45.123456Z", fieldTruncated: "",
		fieldPayloadDigest: Digest(sha256.Sum256([]byte("same"))),
	} {
		if got := rec.Header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if !bytes.HasSuffix(block, []byte("\r\n\r\n")) || int64(len(block)) != ex.Head.Len {
		t.Errorf("block %q", block)
	}
	_, block = s.read(p, p.members[2])
	if c, err := ParseMeta(block); err != nil || c.Original != "s/123" {
		t.Errorf("original %q: %v", c.Original, err)
	}
	checkHTTP(t, s, p, "")
}

func TestComposeRefuses(t *testing.T) {
	var c Composer
	orig := &Original{URL: "http://a.test/", At: testTime}
	for name, tc := range map[string]struct {
		edit func(*Exchange, *Options)
		want error
	}{
		"URL with CR":         {func(x *Exchange, _ *Options) { x.URL = "http://a.test/\r\nWARC-Type: response" }, ErrURL},
		"URL with space":      {func(x *Exchange, _ *Options) { x.URL = "http://a.test/ b" }, ErrURL},
		"no URL":              {func(x *Exchange, _ *Options) { x.URL = "" }, ErrURL},
		"relative URL":        {func(x *Exchange, _ *Options) { x.URL = "/a" }, ErrURL},
		"IP with LF":          {func(x *Exchange, _ *Options) { x.IP = "1.1.1.1\nX: y" }, ErrHeader},
		"warcinfo with CR":    {func(_ *Exchange, o *Options) { o.WarcinfoID = "<a>\r" }, ErrHeader},
		"truncated with tab":  {func(x *Exchange, _ *Options) { x.Truncated = "time\t" }, ErrHeader},
		"URL that is too big": {func(x *Exchange, _ *Options) { x.URL = "http://a.test/" + strings.Repeat("a", maxHeader) }, ErrHeader},
		"empty revisit":       {func(x *Exchange, o *Options) { x.Payload.Size, o.Original = 0, orig }, ErrExchange},
		"truncated revisit":   {func(x *Exchange, o *Options) { x.Truncated, o.Original = "time", orig }, ErrExchange},
		"headless revisit":    {func(x *Exchange, o *Options) { x.Head.Len, o.Original = 0, orig }, ErrExchange},
		"original's URL":      {func(_ *Exchange, o *Options) { o.Original = &Original{URL: "a b", At: testTime} }, ErrURL},
		"extra fields": {func(_ *Exchange, o *Options) {
			o.Extras = []Extra{{ContentType: "Application/WARC-fields; a=b"}}
		}, ErrExchange},
		"head without measure": {func(x *Exchange, _ *Options) {
			x.Head.Len = maxHead + 1
			if _, err := x.Response.Write(make([]byte, maxHead)); err != nil {
				panic(err)
			}
		}, ErrExchange},
		"head beyond the end": {func(x *Exchange, _ *Options) { x.Head.Len = 1 << 30 }, ErrExchange},
	} {
		t.Run(name, func(t *testing.T) {
			ex, opts := exchangeOf(t, "http://a.test/", okResponse("x")), Options{}
			tc.edit(ex, &opts)
			if _, err := c.Compose(ex, &Meta{}, opts); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestComposeResourceAndSingles(t *testing.T) {
	s := newTestSegment(t)
	info, block := s.read(s.groups[0], s.groups[0].members[0])
	if info.Header.Get(fieldFilename) != "s.warc.gz" || !strings.Contains(string(block), "conformsTo: http") ||
		info.Header.URL() != "" || info.Header.Get(fieldWarcinfo) != "" {
		t.Errorf("warcinfo %+v %s", info.Header, block)
	}
	opts := s.opts()
	opts.Extras = []Extra{{ContentType: "application/vnd.linkstead.post+json", Body: []byte(`{"title":"x"}`)}}
	g, err := s.c.Resource(&Resource{URL: "file:///p.md", Mime: "text/markdown", At: testTime, Body: []byte("# hi")}, testMeta(1), opts)
	if err != nil {
		t.Fatal(err)
	}
	main, ok := g.Main()
	extra, ok2 := g.Extra(0)
	if _, ok3 := g.Extra(1); !ok || !ok2 || ok3 || main.Type != TypeResource || extra != g.Members[1] {
		t.Errorf("main %+v, extra %+v", main, extra)
	}
	p := s.add(g, nil)
	rec, block := s.read(p, p.members[0])
	if string(block) != "# hi" || rec.Header.Get(fieldPayloadDigest) != rec.Header.Get(fieldBlockDigest) ||
		rec.Header.Get(fieldContentType) != "text/markdown" {
		t.Errorf("resource %+v %q", rec.Header, block)
	}
	rec, block = s.read(p, p.members[1])
	if string(block) != `{"title":"x"}` || rec.Header.Get(fieldConcurrent) != p.members[0].RecordID {
		t.Errorf("extra %+v %q", rec.Header, block)
	}
	p = s.add(s.c.Void(p.members[2].RecordID, testTime, "fenced", s.opts()))
	if rec, _ = s.read(p, p.members[0]); rec.Header.Get(fieldConcurrent) != "" || rec.Header.Get(fieldRefersTo) == "" {
		t.Errorf("void %+v", rec.Header)
	}
	p = s.add(s.c.Document(Document{URL: "urn:linkstead:run:7", ContentType: "application/json", At: testTime, Body: []byte("{}")}, s.opts()))
	if rec, block = s.read(p, p.members[0]); string(block) != "{}" || rec.Header.URL() != "urn:linkstead:run:7" {
		t.Errorf("document %+v %q", rec.Header, block)
	}
}
