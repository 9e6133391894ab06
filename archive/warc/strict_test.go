package warc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/archive/outcome"
)

func strictOf(t *testing.T, s *testSegment) ([]Fault, map[Exemption]int) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "s.warc.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(s.Bytes()); err != nil {
		t.Fatal(err)
	}
	faults, exempt, err := strictRead(f)
	if err != nil {
		t.Fatal(err)
	}
	return faults, exempt
}

// Everything that the composer writes passes gowarc with every policy set to fail, but for the exemptions by name.
func TestStrictRead(t *testing.T) {
	s := sample(t)
	for i, response := range []string{
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nX-Fold: a\r\n b\r\n\r\nuntil close",
		"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		okResponse(noise(200 << 10)),
		"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		s.exchange(fmt.Sprintf("http://a.test/more/%d?q=é#", i), response)
	}
	ex := exchangeOf(t, "http://a.test/head", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
	ex.Method, ex.Request = "HEAD", []byte("HEAD /head HTTP/1.1\r\nHost: a.test\r\n\r\n")
	s.add(s.c.Compose(ex, testMeta(1), s.opts()))
	meta := testMeta(2)
	meta.Notes = hostile
	meta.Outlinks = append(meta.Outlinks, Outlink{URL: "http://x.test/?a==?utf-7?q?b?=", Hop: 'L', Context: "a/@href"})
	ex = exchangeOf(t, "http://a.test/broken", "SSH-2.0\r\n\x00")
	ex.Outcome, ex.Detail, ex.Interim = outcome.Protocol, "two\nlines", []byte("HTTP/1.1 103 Early Hints\r\n\r\n")
	s.add(s.c.Compose(ex, meta, s.opts()))
	faults, exempt := strictOf(t, s)
	if len(faults) > 0 {
		t.Errorf("%v", faults)
	}
	if len(exempt) != 1 || exempt[ExemptChunked] != 2 {
		t.Errorf("exemptions %v", exempt)
	}
}

// A request that was cut off is exempt; nothing else in its exchange is.
func TestStrictReadExemptsCutHead(t *testing.T) {
	s := newTestSegment(t)
	ex := exchangeOf(t, "http://a.test/", "")
	ex.Request, ex.Outcome = []byte("GET / HTTP/1.1\r\nHo"), outcome.Reset
	s.add(s.c.Compose(ex, testMeta(1), s.opts()))
	faults, exempt := strictOf(t, s)
	if len(faults) > 0 || len(exempt) != 1 || exempt[ExemptCutHead] != 1 {
		t.Errorf("%v, exemptions %v", faults, exempt)
	}
}

func TestStrictReadFindsWhatVerifyFinds(t *testing.T) {
	s := sample(t)
	records := plain(t, s)
	records[theResponse] = strings.Replace(records[theResponse], "same", "SAME", 1)
	path := filepath.Join(t.TempDir(), "s.warc.gz")
	if err := os.WriteFile(path, packed(t, records), 0o600); err != nil {
		t.Fatal(err)
	}
	if faults, err := StrictRead(path); err != nil || len(faults) != 2 {
		t.Errorf("%v, %v", faults, err)
	}
	if _, err := StrictRead(path + ".not"); err == nil {
		t.Error("a missing file is no error")
	}
}
