package replay_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// TestParts: captures of 206 answer what they hold, each for itself and for each other, and nothing else.
func TestParts(t *testing.T) {
	const whole = "0123456789"
	a := newArchive(t)
	part := func(url string, at time.Time, first, last int, total string, fields ...string) {
		a.capture(capture{url: url, at: at, response: message(206, "video/mp4", whole[first:last+1],
			append(fields, fmt.Sprintf("Content-Range: bytes %d-%d/%s", first, last, total))...)})
	}
	part("http://a.test/film", day, 0, 3, "10")
	part("http://a.test/film", day.Add(time.Second), 4, 6, "10")
	part("http://a.test/film", day.Add(48*time.Hour), 7, 9, "10") // of another run
	part("http://a.test/both", day, 0, 3, "10")
	a.capture(capture{url: "http://a.test/both", at: day.Add(time.Minute), response: message(200, "video/mp4", whole)})
	part("http://a.test/all", day, 0, 9, "10")
	part("http://a.test/endless", day, 2, 5, "*")
	a.capture(capture{url: "http://a.test/mute", response: message(206, "video/mp4", whole)})
	a.capture(capture{url: "http://a.test/lies", response: message(206, "video/mp4", whole, "Content-Range: bytes 4-3/2")})
	a.capture(capture{url: "http://a.test/coded", response: message(206, "text/plain", zipped(whole), "Content-Encoding: gzip", "Content-Range: bytes 0-33/50")})
	a.capture(capture{url: "http://a.test/page", response: message(206, "text/html", "<a href=y>y</a>", "Content-Range: bytes 0-14/50")})
	a.capture(capture{url: "http://a.test/cut", truncated: "disconnect", response: "HTTP/1.1 206 Partial Content\r\nContent-Type: video/mp4\r\n" +
		"Content-Length: 8\r\nContent-Range: bytes 0-7/10\r\n\r\n0123"})

	const at = "/web/" + stamp + "oe_/http://a.test/"
	for _, c := range []struct {
		name, target, spec string
		status             int
		content, body      string
	}{
		{"all of a part", at + "film", "", 206, "bytes 0-3/10", "0123"},
		{"what it holds", at + "film", "bytes=1-2", 206, "bytes 1-2/10", "12"},
		{"from the first byte on", at + "film", "bytes=0-", 206, "bytes 0-3/10", "0123"},
		{"what another holds", at + "film", "bytes=4-", 206, "bytes 4-6/10", "456"},
		{"what both hold some of", at + "film", "bytes=2-5", 206, "bytes 2-3/10", "23"},
		{"what was captured another day", at + "film", "bytes=7-", 404, "", "Not in the archive. Of this address it holds bytes 0-3/10.\n"},
		{"the same, then", "/web/20200519102030oe_/http://a.test/film", "bytes=7-", 206, "bytes 7-9/10", "789"},
		{"the end", at + "film", "bytes=-1", 404, "", "Not in the archive. Of this address it holds bytes 0-3/10.\n"},
		{"behind the end", at + "film", "bytes=10-", 416, "bytes */10", ""},
		{"several at once", at + "film", "bytes=0-0,2-2", 206, "bytes 0-3/10", "0123"},
		{"one that is whole nearby", at + "both", "", 200, "", whole},
		{"a range of it", at + "both", "bytes=8-", 206, "bytes 8-9/10", "89"},
		{"exact bytes stay", "/web/" + stamp + "id_/http://a.test/both", "", 206, "bytes 0-3/10", "0123"},
		{"a part that is all", at + "all", "", 206, "bytes 0-9/10", whole},
		{"its end", at + "all", "bytes=-2", 206, "bytes 8-9/10", "89"},
		{"of what nobody knows the end", at + "endless", "bytes=3-", 206, "bytes 3-5/*", "345"},
		{"its end", at + "endless", "bytes=-1", 404, "", "Not in the archive. Of this address it holds bytes 2-5/*.\n"},
		{"a part of nothing", at + "mute", "", 200, "", whole},
		{"a range of that", at + "mute", "bytes=9-", 206, "bytes 9-9/10", "9"},
		{"a part that can't be", at + "lies", "", 200, "", whole},
		{"a part that is coded", at + "coded", "bytes=0-1", 206, "bytes 0-1/10", "01"},
		{"a page, rewritten", "/web/" + stamp + "if_/http://a.test/page", "", 200, "", ""},
		{"one that was cut short", at + "cut", "", 206, "bytes 0-3/10", "0123"},
		{"what it lacks", at + "cut", "bytes=5-", 404, "", ""},
	} {
		fields := []string{"Sec-Fetch-Dest: video"}
		if strings.Contains(c.target, "id_/") || strings.Contains(c.target, "if_/") {
			fields = nil
		}
		if c.spec != "" {
			fields = append(fields, "Range: "+c.spec)
		}
		got := a.get(c.target, fields...)
		if got.StatusCode != c.status || got.Header.Get("Content-Range") != c.content || c.body != "" && got.body != c.body {
			t.Errorf("%s: %d %q %q", c.name, got.StatusCode, got.Header.Get("Content-Range"), got.body)
		}
		if m := got.Header.Get("Memento-Datetime"); (m == "") != (c.status == 404) {
			t.Errorf("%s: Memento-Datetime %q", c.name, m)
		}
	}
	if got := a.get(at+"film", "HEAD"); got.StatusCode != 206 || got.Header.Get("Content-Length") != "4" || got.body != "" {
		t.Errorf("HEAD: %d %q", got.StatusCode, got.Header)
	}
	tag := a.get(at+"all", "Range: bytes=0-1").Header.Get("ETag")
	if got := a.get(at+"all", "Range: bytes=1-1", "If-Range: "+tag); got.body != "1" {
		t.Errorf("If-Range with its tag: %d %q", got.StatusCode, got.body)
	}
	if got := a.get(at+"all", "Range: bytes=1-1", `If-Range: "other"`); got.body != whole {
		t.Errorf("If-Range with another: %d %q", got.StatusCode, got.body)
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}

// long records a payload of n bytes, which is never held in memory.
func (a *testArchive) long(url string, n int64) {
	a.t.Helper()
	task, token := a.task(url)
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n", n)
	spill := storage.NewSpill(a.dir, 1<<16)
	_, err := spill.Write([]byte(head))
	must(a.t, err)
	sum, block := sha256.New(), []byte(strings.Repeat("All work and no play. ", 3000)[:1<<16])
	for left := n; left > 0; left -= int64(len(block)) {
		block = block[:min(left, int64(len(block)))]
		_, _ = sum.Write(block)
		_, err := spill.Write(block)
		must(a.t, err)
	}
	parsed, err := httpmsg.ParseHead([]byte(head))
	must(a.t, err)
	a.add(&warc.Entry{Task: task, Meta: warc.Meta{Token: token, Mime: "video/mp4"}, Exchange: &warc.Exchange{
		URL: url, Method: "GET", At: day, Request: []byte("GET / HTTP/1.1\r\n\r\n"), Response: spill, Head: parsed,
		Payload: warc.Payload{Size: n, SHA256: [32]byte(sum.Sum(nil))}, Outcome: outcome.Captured,
	}})
}

// last asks for the last byte, and tells what was allocated for it.
func (a *testArchive) last(target string, n int64) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
	r.RequestURI, r.Host = target, strings.TrimPrefix(testOrigin, "http://")
	r.Header.Set("Range", "bytes=-1")
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	if w.Code != 206 || w.Body.Len() != 1 || w.Header().Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", n-1, n-1, n) {
		a.t.Fatalf("%d %q %d bytes", w.Code, w.Header(), w.Body.Len())
	}
	return after.TotalAlloc - before.TotalAlloc
}

// TestRangeAtTheEnd: what comes before a range is read, and not kept.
func TestRangeAtTheEnd(t *testing.T) {
	const size = 64 << 20
	a := newArchive(t)
	a.long("http://a.test/film", size)
	if got := a.last("/web/"+stamp+"oe_/http://a.test/film", size); got > 8<<20 {
		t.Errorf("%d MiB were allocated for one byte", got>>20)
	}
}

// BenchmarkRangeAtTheEnd asks for the last byte of a record of 1 GB.
func BenchmarkRangeAtTheEnd(b *testing.B) {
	const size = 1 << 30
	a := newArchive(b)
	a.long("http://a.test/film", size)
	b.ReportAllocs()
	b.SetBytes(size)
	var most uint64
	for b.Loop() {
		if got := a.last("/web/"+stamp+"oe_/http://a.test/film", size); got > 8<<20 {
			b.Errorf("%d MiB were allocated for one byte", got>>20)
		} else {
			most = max(most, got)
		}
	}
	b.ReportMetric(float64(most)/1024, "KiB/request")
}
