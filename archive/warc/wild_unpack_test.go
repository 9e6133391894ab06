package warc

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// copied is wildly for whoever copies.
func copied(t *testing.T, file string) string {
	t.Helper()
	temp := t.TempDir()
	got := wildlyOf(t, file, func(skip func(Skip)) wildsOf { return AllWilds(strings.NewReader(file), int64(len(file)), temp, skip) })
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	return got
}

// TestUnpackedTooLong: in a member of many records, those whose Content-Length is too long take none of the others with them.
func TestUnpackedTooLong(t *testing.T) {
	for _, over := range []int{500, 5000, 8000, 8193, 9000, 12_345, 40_000, 1_000_000, 1_000_000_000} {
		for every := range 3 {
			every = 1 + 9*every
			all, odd := "", 0
			for i := range 60 {
				body, length := strings.Repeat(fmt.Sprintf("%d ", i), 300), 0
				if i%every == 0 {
					odd++
					length = len("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 600\r\n\r\n") + len(body) + over
				}
				all += wildRecord("WARC/1.0", fmt.Sprintf("http://l.test/%d", i), body, "\r\n", length)
			}
			got := copied(t, zipped(all)+zipped(wildRecord("WARC/1.0", "http://last.test/", "last", "\r\n", 0)))
			if n := strings.Count(got, "response "); n != 61 || strings.Contains(got, "skip") || strings.Count(got, "Content-Length is") != odd {
				t.Errorf("%d too long, one of %d: %d records, %d of %d told of", over, every, n, strings.Count(got, "Content-Length is"), odd)
			}
		}
	}
}

// TestUnpackedTruth: a record that is as long as it says keeps the records within it, in a member of many, too.
func TestUnpackedTruth(t *testing.T) {
	b := wildRecord("WARC/1.1", "http://b.test/", "two", "\r\n", 0)
	inner := strings.Repeat(wildRecord("WARC/1.0", "http://inner.test/", strings.Repeat("inner ", 1000), "\r\n", 0), 10)
	got := copied(t, zipped(wildRecord("WARC/1.0", "http://outer.test/", inner, "\r\n", 0)+b))
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, "outer.test") {
		t.Error(got)
	}
}

// TestUnpackedLast: a record that is shorter than it says is one, though what looked like another in it was none and nothing closes it: the
// member's checksum says that nothing is cut off.
func TestUnpackedLast(t *testing.T) {
	for _, body := range []string{"one\nWARC/ is what this page is about", "\nWARC/1.0", "\nWARC/1.0\r\nWARC-Type: response\r\n"} {
		for _, length := range []int{200, 20_000, 1_000_000} {
			raw := strings.TrimRight(wildRecord("WARC/1.0", "http://a.test/", body, "\r\n", length), "\r\n")
			for _, end := range []string{"", "\n", "\r\n", "\n\n"} {
				if got := copied(t, zipped(raw+end)); strings.Count(got, "response ") != 1 || strings.Contains(got, "skip") {
					t.Errorf("%q, %d bytes said, closed by %q: %s", body, length, end, got)
				}
			}
		}
	}
}

// TestUnpackedNotCopied: whoever reads records where they lie learns that they stand in one member.
func TestUnpackedNotCopied(t *testing.T) {
	got := wildly(t, zipped(wildRecord("WARC/1.0", "http://l.test/", strings.Repeat("l", 9000), "\r\n", 1_000_000)+wildRecord("WARC/1.0", "http://b.test/", "two", "\r\n", 0)))
	if !strings.Contains(got, "alone=false") || strings.Contains(got, "alone=true") {
		t.Error(got)
	}
}

// TestUnpackedTorn: of a torn member of many records all are taken that are whole.
func TestUnpackedTorn(t *testing.T) {
	var records []string
	for i := range 300 {
		records = append(records, wildRecord("WARC/1.0", fmt.Sprintf("http://t.test/%d", i), fmt.Sprintf("%x", i*i*i*7919)+strings.Repeat("page ", i*i%700), "\r\n", 0))
	}
	for _, n := range []int{1, 2, 300} {
		file := zipped(strings.Join(records[:n], ""))
		for _, cut := range []int{1, 4, 8, 9, 20, len(file) / 10, len(file) / 2} {
			torn := file[:len(file)-cut]
			z, err := gzip.NewReader(strings.NewReader(torn))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := io.ReadAll(z)
			whole, end := 0, 0
			for _, r := range records[:n] {
				if end += len(r); end <= len(raw) {
					whole++
				}
			}
			got := copied(t, torn)
			if k := strings.Count(got, "response "); k < whole || k > whole+1 || strings.Count(got, "skip") != 1 {
				t.Errorf("%d records, %d bytes are lacking: %d of %d whole ones:\n%.300s", n, cut, k, whole, got)
			}
			next := copied(t, torn+zipped(wildRecord("WARC/1.0", "http://next.test/", "next", "\r\n", 0)))
			if !strings.Contains(next, "next.test") {
				t.Errorf("%d records, %d bytes are lacking: what follows is not found:\n%.300s", n, cut, next)
			}
		}
	}
}

// TestUnpackedLinear: no byte of a hostile file is read more than some times, though members are unpacked.
func TestUnpackedLinear(t *testing.T) {
	temp := t.TempDir()
	for name, file := range hostileFiles(1 << 20) {
		c := &counting{r: strings.NewReader(file)}
		for w, err := range AllWilds(c, int64(len(file)), temp, nil) {
			if err != nil {
				t.Fatal(name, err)
			}
			_ = w.Finish() // torn ones are skipped
		}
		if most := 16*int64(len(file)) + 1<<20; c.n > most {
			t.Errorf("%s: %d bytes of a file of %d were read", name, c.n, len(file))
		}
	}
}

// FuzzUnpacked: whoever copies is told of all that whoever does not is told of, but for what begins with a header that is borne where a
// gzip member begins and isn't looked for in a plain file.
func FuzzUnpacked(f *testing.F) {
	a, b := wildRecord("WARC/1.0", "http://a.test/", strings.Repeat("one ", 3000), "\r\n", 20_000), wildRecord("WARC/1.1", "http://b.test/", "two", "\n", 0)
	for _, s := range []string{a + b + b, b + b, b + a} {
		f.Add([]byte(s), 0)
		f.Add([]byte(s), 9)
	}
	temp := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		file := zipped(string(raw))
		file = file[:len(file)-min(max(cut, 0), len(file))]
		count := func(all wildsOf) (n int) {
			for w, err := range all {
				if err != nil {
					t.Fatal(err)
				}
				if w.Finish() == nil {
					n++
				}
			}
			return n
		}
		size := int64(len(file))
		few := count(Wilds(bytes.NewReader([]byte(file)), size, nil))
		if z, err := gzip.NewReader(strings.NewReader(file)); err == nil {
			plain, err := io.ReadAll(z)
			n := int64(len(plain))
			few = min(few, count(wilds(&wildFile{w: window{r: bytes.NewReader(plain), size: n}, size: n, spare: 4*n + 1<<20, whole: err == nil})))
		}
		if many := count(AllWilds(bytes.NewReader([]byte(file)), size, temp, nil)); many < few {
			t.Fatalf("%d records of %d", many, few)
		}
	})
}
