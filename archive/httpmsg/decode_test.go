package httpmsg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// encode applies one coding.
func encode(t testing.TB, coding string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	case "raw":
		w, err = flate.NewWriter(&out, 6)
	case "br":
		w = brotli.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	}
	if err == nil {
		_, err = w.Write(b)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decode(r io.Reader, coding string) ([]byte, error) {
	d, err := Decode(r, coding)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(d)
	return b, errors.Join(err, d.Close())
}

func TestDecode(t *testing.T) {
	text := []byte(strings.Repeat("hello, world. ", 1000))
	enc := func(coding string, b []byte) []byte { return encode(t, coding, b) }
	cases := []struct {
		name, coding string
		in           []byte
	}{
		{"nothing", "", text},
		{"identity", "identity", text},
		{"gzip", "gzip", enc("gzip", text)},
		{"x-gzip", " X-GZip ", enc("gzip", text)},
		{"deflate", "deflate", enc("zlib", text)},
		{"deflate, raw", "deflate", enc("raw", text)},
		{"br", "br", enc("br", text)},
		{"zstd", "zstd", enc("zstd", text)},
		{"chain", "gzip, br", enc("br", enc("gzip", text))},
		{"chain of four", "deflate,gzip,,identity, zstd, gzip", enc("gzip", enc("zstd", enc("gzip", enc("raw", text))))},
		{"two members", "gzip", append(enc("gzip", text[:100]), enc("gzip", text[100:])...)},
		{"garbage after gzip", "gzip", append(enc("gzip", text), "garbage\x1f\x8b"...)},
		{"gzip's sign after gzip", "gzip", append(enc("gzip", text), "\x1f\x8b\x08"...)},
		{"gzip that is none", "gzip", text},
	}
	for range 2 { // the second time with buffers used before
		for _, c := range cases {
			for how, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader} {
				if got, err := decode(wrap(bytes.NewReader(c.in)), c.coding); err != nil || !bytes.Equal(got, text) {
					t.Errorf("%s, %s: %d bytes, %v", c.name, how, len(got), err)
				}
			}
			if got, err := decode(strings.NewReader(""), c.coding); err != nil || len(got) > 0 {
				t.Errorf("%s: an empty body gives %q, %v", c.name, got, err)
			}
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	for _, coding := range []string{"rot13", "compress", "gzip, sdch", "gzip,gzip,gzip,gzip,gzip"} {
		if _, err := Decode(strings.NewReader("x"), coding); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %v", coding, err)
		}
	}
	text := []byte(strings.Repeat("hello, world. ", 1000))
	for coding, name := range map[string]string{"gzip": "gzip", "zlib": "deflate", "raw": "deflate", "br": "br", "zstd": "zstd"} {
		b := encode(t, coding, text)
		for _, n := range []int{2, 5, len(b) / 2, len(b) - 1} {
			got, err := decode(bytes.NewReader(b[:n]), name)
			if err == nil || !bytes.HasPrefix(text, got) {
				t.Errorf("%s cut to %d of %d: %d bytes, %v", coding, n, len(b), len(got), err)
			}
		}
	}
	d, err := Decode(strings.NewReader("x"), "br")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	if _, err := d.Read(make([]byte, 1)); err == nil {
		t.Error("a closed decoder reads on")
	}
}

// TestDecodeConcurrent shares the pools among goroutines.
func TestDecodeConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := []byte(strings.Repeat(fmt.Sprint(i), 10_000))
			for _, coding := range []string{"gzip", "br", "zstd"} {
				b := encode(t, coding, text)
				for range 5 {
					if got, err := decode(bytes.NewReader(b), coding); err != nil || !bytes.Equal(got, text) {
						t.Errorf("%s: %d bytes, %v", coding, len(got), err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestCapped(t *testing.T) {
	for _, c := range []struct {
		limit  int64
		want   string
		capped bool
	}{{0, "", true}, {-1, "", true}, {3, "abc", true}, {5, "abcde", false}, {9, "abcde", false}} {
		r := NewCapped(strings.NewReader("abcde"), c.limit)
		got, err := io.ReadAll(iotest.OneByteReader(r))
		if string(got) != c.want || err != nil || r.Capped() != c.capped {
			t.Errorf("%d: %q, %v, capped %v", c.limit, got, err, r.Capped())
		}
	}
	r := NewCapped(iotest.ErrReader(io.ErrNoProgress), 0)
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrNoProgress) || r.Capped() {
		t.Errorf("%v", err)
	}
}

// TestBomb reads the first bytes of very many.
func TestBomb(t *testing.T) {
	bomb := encode(t, "gzip", make([]byte, 8<<20))
	d, err := Decode(bytes.NewReader(bomb), "gzip")
	if err != nil {
		t.Fatal(err)
	}
	r := NewCapped(d, 1000)
	got, err := io.ReadAll(r)
	if err = errors.Join(err, d.Close()); len(got) != 1000 || err != nil || !r.Capped() {
		t.Errorf("%d bytes, %v, capped %v", len(got), err, r.Capped())
	}
}
