package warc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"linkstead/storage"
)

func TestParseHeader(t *testing.T) {
	h, err := ParseHeader([]byte("WARC/1.1\r\nWARC-Type: Response\r\nX-Fold: a\r\n\tb \r\ncontent-length: 12\r\nWARC-Target-URI: <http://a/>\r\n\r\n"))
	if err != nil || h.Type() != TypeResponse || h.Get("x-fold") != "a b" || h.Length != 12 || h.URL() != "http://a/" {
		t.Errorf("%+v: %v", h, err)
	}
	if len(h.All("WARC-Type")) != 1 || h.All("none") != nil {
		t.Errorf("%+v", h)
	}
	for _, bad := range []string{
		"", "HTTP/1.1 200 OK\r\n\r\n", "WARC/1.1\r\n\r\n", "WARC/1.1\r\nContent-Length: x\r\n\r\n", "WARC/1.1\r\nContent-Length: -1\r\n\r\n",
		"WARC/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "WARC/1.1\r\n folded\r\n\r\n", "WARC/1.1\r\nno colon\r\n\r\n",
		"WARC/1.1\r\n: x\r\n\r\n", "WARC/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "WARC/1.1\r\nContent-Length: 1\r\n\r\nx",
	} {
		if h, err := ParseHeader([]byte(bad)); !errors.Is(err, ErrHeader) {
			t.Errorf("%q: %+v, %v", bad, h, err)
		}
	}
}

// What the composer writes into a header is what is read out of it.
func FuzzParseHeader(f *testing.F) {
	for _, r := range plain(f, sample(f)) {
		head, _, _ := strings.Cut(r, "\r\n\r\n")
		f.Add([]byte(head + "\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := ParseHeader(raw)
		if err != nil {
			return
		}
		var w headerWriter
		w.buf = append(w.buf, h.Version+"\r\n"...)
		for _, f := range h.Fields {
			if !strings.EqualFold(f.Name, fieldLength) {
				w.add(f.Name, f.Value)
			}
		}
		written, err := w.end(h.Length)
		if err != nil {
			return
		}
		again, err := ParseHeader(written)
		if err != nil || again.Length != h.Length || again.URL() != h.URL() || again.Type() != h.Type() || again.ID() != h.ID() {
			t.Fatalf("%+v became %+v: %v", h, again, err)
		}
	})
}

// The scan of anything at all ends, and holds on to nothing.
func FuzzScan(f *testing.F) {
	s := sample(f)
	f.Add(s.Bytes())
	f.Add(s.Bytes()[:s.Len()/2])
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		end := int64(0)
		for rec, err := range Scan(bytes.NewReader(data), 0) {
			var torn *TornError
			if errors.As(err, &torn) {
				if torn.Offset < end || torn.Offset > int64(len(data)) {
					t.Fatalf("torn at %d after %d of %d", torn.Offset, end, len(data))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.Offset < end {
				t.Fatalf("record at %d after %d", rec.Offset, end)
			}
			if _, body, err := rec.HTTP(); err == nil {
				_, _ = io.Copy(io.Discard, body)
			}
			end = rec.Offset
		}
		for range Exchanges(bytes.NewReader(data), 0, int64(len(data))) {
			continue
		}
	})
}

func gzipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, p := range parts {
		if _, err := io.WriteString(z, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Neither a header nor a head without end is held in memory, and a bomb is only passed through.
func TestReadMemberIsBounded(t *testing.T) {
	long := strings.Repeat("a", 4<<20)
	for name, tc := range map[string]struct {
		data []byte
		want error
	}{
		"endless header": {gzipped(t, "WARC/1.1\r\nX: ", long), ErrHeader},
		"endless line":   {gzipped(t, "WARC/1.1", long), ErrHeader},
		"endless text":   {gzipped(t, long), ErrHeader},
		"endless head": {gzipped(t, "WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 8388608\r\n\r\nHTTP/1.1 200 OK\r\nX: ",
			long, long), ErrNoPayload},
		"too much":   {gzipped(t, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 1\r\n\r\na\r\n\r\n", long), ErrHeader},
		"too little": {gzipped(t, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 99999999999\r\n\r\n", long), io.ErrUnexpectedEOF},
		"no end":     {gzipped(t, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 1\r\n\r\nabcde"), ErrHeader},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			rec, err := ReadMember(bytes.NewReader(tc.data))
			if err == nil {
				_, body, herr := rec.HTTP()
				if err = herr; err == nil {
					_, err = io.Copy(io.Discard, body)
				}
				_ = rec.Close()
			}
			runtime.ReadMemStats(&after)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 6<<20 {
				t.Errorf("%d bytes were allocated", grown)
			}
		})
	}
}

// A record far larger than any buffer is composed and read with little memory.
func TestBigRecordTakesLittleMemory(t *testing.T) {
	const size = 32 << 20
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n"
	ex := exchangeOf(t, "http://a.test/big", head)
	ex.Response = storage.NewSpill(t.TempDir(), 1<<10)
	chunk := []byte(noise(1 << 20)) // what does not compress is slow to compress: most of the record is nothing
	if _, err := io.WriteString(ex.Response, head); err != nil {
		t.Fatal(err)
	}
	for i := range size >> 20 {
		if i == 4 {
			clear(chunk)
		}
		if _, err := ex.Response.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	ex.Payload.Size = size
	c := Composer{Dir: t.TempDir()}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	g, err := c.Compose(ex, testMeta(1), Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := g.Main()
	rec, err := ReadMember(io.NewSectionReader(g.Data, m.Offset, m.Length))
	if err != nil {
		t.Fatal(err)
	}
	_, body, err := rec.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, body); err != nil || n != size {
		t.Errorf("%d bytes: %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 12<<20 {
		t.Errorf("%d bytes were allocated for a record of %d", grown, size)
	}
	if err := errors.Join(rec.Close(), g.Release(), ex.Response.Close()); err != nil {
		t.Error(err)
	}
}

func TestHTTPOfOtherRecords(t *testing.T) {
	s := newTestSegment(t)
	rec, err := ReadMember(bytes.NewReader(s.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	if _, _, err := rec.HTTP(); !errors.Is(err, ErrNoPayload) {
		t.Errorf("warcinfo: %v", err)
	}
	if _, err := ReadMember(strings.NewReader("")); err == nil {
		t.Error("nothing at all is a record")
	}
}

// A store that breaks off while a payload is read must not pass for the end of the payload, whatever it says.
func TestPayloadOfBrokenReader(t *testing.T) {
	s := newTestSegment(t)
	p := s.exchange("http://a.test/", okResponse(noise(200<<10)))
	m := p.members[1]
	data := s.Bytes()[p.offset+m.Offset : p.offset+m.Offset+m.Length]
	for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("connection reset")} {
		rec, err := ReadMember(io.MultiReader(bytes.NewReader(data[:100<<10]), iotest.ErrReader(broken)))
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := rec.HTTP()
		if err != nil {
			t.Fatal(err)
		}
		var torn *TornError
		if _, err := io.Copy(io.Discard, body); !errors.Is(err, broken) || errors.As(err, &torn) {
			t.Errorf("%v: got %v", broken, err)
		}
		_ = rec.Close()
	}
	rec, err := ReadMember(bytes.NewReader(data[:100<<10]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	_, body, err := rec.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	var torn *TornError
	if _, err := io.Copy(io.Discard, body); !errors.As(err, &torn) {
		t.Errorf("a torn member: got %v", err)
	}
}
