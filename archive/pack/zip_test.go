package pack

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"linkstead/archive/warc"
)

// aRecord is a gzip member with a record.
func aRecord(n int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	block := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\npage %d", n)
	_, _ = fmt.Fprintf(z, "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://z.test/%d\r\nWARC-Date: 2016-02-06T10:20:30Z\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", n, len(block), block)
	_ = z.Close()
	return b.String()
}

type zipFile struct {
	name   string
	data   string
	method uint16
	raw    func(h *zip.FileHeader) // nil: as a ZIP writer does it, with a descriptor behind it
}

func zipOf(t *testing.T, files ...zipFile) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: f.method}
		var w io.Writer
		var err error
		if f.raw == nil {
			w, err = z.CreateHeader(h)
		} else {
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(f.data)), uint64(len(f.data))
			f.raw(h)
			w, err = z.CreateRaw(h)
		}
		if err == nil {
			_, err = io.WriteString(w, f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// found are the targets of the records that a file brings, and what was passed over in it.
func found(t *testing.T, file string) (urls, passed []string, err error) {
	t.Helper()
	s, err := File{Name: "f.wacz", R: strings.NewReader(file), Size: int64(len(file))}.Sources(t.TempDir(), false)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	for _, src := range s.List {
		parts := src.Parts
		if len(parts) == 0 {
			parts = []warc.Part{{Length: src.Size}}
		}
		for _, p := range parts {
			for w, err := range warc.Wilds(io.NewSectionReader(src.R, p.Offset, p.Length), p.Length, nil) {
				if err != nil {
					t.Fatal(err)
				}
				url := w.Header.URL()
				if w.Finish() == nil {
					urls = append(urls, strings.TrimPrefix(url, "http://z.test/"))
				}
			}
		}
	}
	return urls, s.Passed, nil
}

func asIs(*zip.FileHeader) {}

// TestZipFiles: what archives a ZIP file holds, whole, torn, in folders, in others; and what is told of those that can't be read.
func TestZipFiles(t *testing.T) {
	one, two := zipFile{"archive/a.warc.gz", aRecord(1), zip.Store, asIs}, zipFile{"archive/b.warc.gz", aRecord(2), zip.Deflate, nil}
	three := zipFile{"archive/c.warc.gz", aRecord(3), zip.Store, nil}
	pages := zipFile{"pages/pages.jsonl", "{}\n", zip.Deflate, nil}
	whole := zipOf(t, one, pages, two, three)
	directory := strings.Index(whole, "PK\x01\x02")
	many := ""
	for n := range 40 {
		many += aRecord(10 + n)
	}
	packed := zipFile{"archive/b.warc.gz", many, zip.Deflate, nil}
	rotten, cut := []byte(zipOf(t, one, packed, three)), zipOf(t, one, packed)
	at := strings.Index(string(rotten), "archive/b.warc.gz") + 17
	rotten[at] ^= 6 // the kind of its first block is none
	crc := []byte(zipOf(t, one, two, three))
	crc[bytes.LastIndex(crc[:bytes.LastIndex(crc, []byte("archive/c.warc.gz"))], []byte("archive/b.warc.gz"))-30] ^= 1
	bad := zipFile{"archive/z.warc.zst", "\x28\xb5\x2f\xfd" + strings.Repeat("\xff", 100), zip.Store, asIs}
	for name, test := range map[string]struct{ file, urls, passed string }{
		"a rotten one":        {string(rotten), "1 3", "archive/b.warc.gz: "},
		"a wrong checksum":    {string(crc), "1 3 2", "archive/b.warc.gz: it can't be unpacked to its end, and was taken as far as it goes: zip: checksum error"},
		"a rotten zst":        {zipOf(t, one, bad, three), "1 3", "archive/z.warc.zst: "},
		"cut in a packed one": {cut[:len(one.data)+100+len(aRecord(10))*3], "1 10 11", "no end"},
		"whole":               {whole, "1 3 2", ""},
		"no end":              {whole[:len(whole)-10], "1 3 2", "no end"},
		"no directory":        {whole[:directory], "1 3 2", "no end"},
		"cut within a file":   {zipOf(t, one, zipFile{"archive/b.warc.gz", aRecord(2) + aRecord(4), zip.Store, asIs})[:len(one.data)+len(aRecord(2))+110], "1 2", "no end"},
		"in a folder":         {zipOf(t, zipFile{"archive/sub/a.warc.gz", aRecord(1), zip.Store, asIs}), "1", ""},
		"no folder":           {zipOf(t, zipFile{"a.warc.gz", aRecord(1), zip.Store, asIs}), "1", ""},
		"another name":        {zipOf(t, one, zipFile{"archive/x.dat", "x", zip.Store, asIs}), "1", "archive/x.dat: its name is not that of a WARC file"},
		"encrypted":           {zipOf(t, one, zipFile{"archive/e.warc.gz", "xxxx", zip.Store, func(h *zip.FileHeader) { h.Flags |= 1 }}), "1", "archive/e.warc.gz: it is encrypted"},
		"an unknown method":   {zipOf(t, one, zipFile{"archive/e.warc.gz", "xxxx", 12, func(h *zip.FileHeader) { h.Method = 12 }}), "1", "method 12"},
		"a WACZ in it":        {zipOf(t, zipFile{"x.wacz", whole, zip.Store, asIs}), "1 3 2", ""},
		"a packed one in it":  {zipOf(t, one, zipFile{"x.wacz", whole, zip.Deflate, nil}), "1", "packed twice"},
	} {
		urls, passed, err := found(t, test.file)
		if got := strings.Join(urls, " "); err != nil || got != test.urls {
			t.Errorf("%s: records %q, %v; want %q", name, got, err, test.urls)
		}
		if got := strings.Join(passed, "; "); (got == "") != (test.passed == "") || !strings.Contains(got, test.passed) {
			t.Errorf("%s: passed over %q, want %q", name, got, test.passed)
		}
	}
}

// TestZipBounds: sizes that are none, and files that share bytes, are refused.
func TestZipBounds(t *testing.T) {
	file := zipOf(t, zipFile{"archive/a.warc.gz", aRecord(1), zip.Store, asIs})
	grown := func(packed, unpacked uint32) string { // as the central directory says it
		b := []byte(file)
		at := bytes.Index(b, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(b[at+20:], packed)
		binary.LittleEndian.PutUint32(b[at+24:], unpacked)
		return string(b)
	}
	n := uint32(len(aRecord(1)))
	for name, test := range map[string]struct{ file, why string }{
		"more than the file": {grown(1<<30, 1<<30), "more than the file"},
		"two lengths":        {grown(n, n+1), "two lengths"},
		"wraps": {zipOf(t, zipFile{"archive/a.warc.gz", aRecord(1), zip.Store, func(h *zip.FileHeader) {
			h.CompressedSize64, h.UncompressedSize64 = 1<<63-1, 1<<63-1
		}}), "more than the file"},
		"wraps twice": {zipOf(t, zipFile{"archive/a.warc.gz", aRecord(1), zip.Store, func(h *zip.FileHeader) {
			h.CompressedSize64, h.UncompressedSize64 = 1<<64-1, 1<<64-1
		}}), "more than the file"},
		"shared bytes": {twice(zipOf(t, zipFile{"archive/a.warc.gz", aRecord(1), zip.Store, asIs}, zipFile{"archive/b.warc.gz", aRecord(1), zip.Store, asIs})), "share bytes"},
		"nothing":      {zipOf(t, zipFile{"x.txt", "x", zip.Store, asIs}), "without WARC files"},
		"all encrypted": {zipOf(t, zipFile{"archive/e.warc.gz", "xxxx", zip.Store, func(h *zip.FileHeader) { h.Flags |= 1 }}),
			"it is encrypted"},
	} {
		if _, _, err := found(t, test.file); err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%s: %v, want %q", name, err, test.why)
		}
	}
	packed := zipOf(t, zipFile{"archive/a.warc.gz", aRecord(1), zip.Deflate, nil})
	if _, err := (File{Name: "f.wacz", R: strings.NewReader(packed), Size: int64(len(packed))}).Sources(t.TempDir(), true); !errors.Is(err, ErrPacked) {
		t.Errorf("in place: %v", err)
	}
}

// twice lets the second file of a directory stand where the first does.
func twice(file string) string {
	b := []byte(file)
	at := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[at+42:], 0)
	return string(b)
}

// FuzzZip: whatever a ZIP file says, what is read stands in it, and nothing panics.
func FuzzZip(f *testing.F) {
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("PK\x03\x04\x14\x00\x08\x00\x00\x00" + strings.Repeat("\x00", 16) + "\x0e\x00\x00\x00archive/a.warcxxPK\x07\x08\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := File{Name: "f", R: bytes.NewReader(b), Size: int64(len(b))}.Sources(t.TempDir(), true)
		if err != nil {
			return
		}
		for _, src := range s.List {
			for _, p := range src.Parts {
				if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > int64(len(b)) {
					t.Fatalf("%+v of %d bytes", p, len(b))
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPagesOfAWACZ: its list of pages is read however it is packed, also where the end of the file is gone; what can't be read is told of.
func TestPagesOfAWACZ(t *testing.T) {
	list := func(method uint16, raw func(h *zip.FileHeader)) zipFile {
		return zipFile{"pages/pages.jsonl", strings.Repeat("no JSON\n", 3), method, raw}
	}
	record := zipFile{"archive/a.warc.gz", aRecord(1), zip.Store, nil}
	unknown := func(h *zip.FileHeader) { h.Method = 12 }
	encrypted := func(h *zip.FileHeader) { h.Flags |= 1 }
	stored, packed := zipOf(t, list(zip.Store, nil), record), zipOf(t, list(zip.Deflate, nil), record)
	torn := stored[:strings.LastIndex(stored, "PK\x01\x02")]
	for name, c := range map[string]struct {
		file, passed string
		read         int
	}{
		"stored": {stored, "", 3}, "packed": {packed, "", 3},
		"unknown":   {zipOf(t, list(zip.Store, unknown), record), "pages/pages.jsonl: it is packed by method 12", 0},
		"encrypted": {zipOf(t, list(zip.Store, encrypted), record), "pages/pages.jsonl: it is encrypted", 0},
		"torn":      {torn[:strings.LastIndex(torn, "PK\x01\x02")], "", 3},
	} {
		s, err := File{Name: "f.wacz", R: strings.NewReader(c.file), Size: int64(len(c.file))}.Sources(t.TempDir(), false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := 0
		for _, lines := range s.Pages.Left {
			n += lines
		}
		if n != c.read || !strings.Contains(strings.Join(s.Passed, "\n"), c.passed) {
			t.Errorf("%s: %d lines were read, want %d; passed over %q", name, n, c.read, s.Passed)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
