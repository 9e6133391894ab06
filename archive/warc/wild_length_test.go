package warc

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestWildLengths: whatever a record says of its length, its block is what stands between its header and what follows, and the records
// about it are read as they are.
func TestWildLengths(t *testing.T) {
	const body = "<title>t</title><p>hello world</p>\n<p>hello world</p>"
	block := len("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 53\r\n\r\n") + len(body)
	a, c := wildRecord("WARC/1.0", "http://a.test/", "one", "\r\n", 0), wildRecord("WARC/1.0", "http://c.test/", "three", "\r\n", 0)
	lengths := []int{1, 5, 17, 18, 60, block - 10, block - 1, 5000, 1 << 40}
	for k := range 24 {
		lengths = append(lengths, block+k)
	}
	for _, said := range lengths {
		b := wildRecord("WARC/1.0", "http://b.test/", body, "\r\n", said)
		for how, file := range map[string]string{
			"plain": a + b + c, "last": a + c + b, "a member each": zipped(a, b, c), "one member": zipped(a + b + c),
		} {
			if how == "one member" && said > 10_000 {
				continue // what is far ahead isn't known: all of the member is its block
			}
			got := wildly(t, file)
			lines := strings.Count(got, "\n")
			if lines != 3 || strings.Contains(got, "skip") || strings.Contains(got, "torn") {
				t.Errorf("%s, %d for %d:\n%s", how, said, block, got)
				continue
			}
			near := said > block && said <= block+4 // such a block may well end in line ends
			if !near && !strings.Contains(got, fmt.Sprintf("block=%d ", block)) {
				t.Errorf("%s, %d for %d:\n%s", how, said, block, got)
			}
			if n := strings.Count(got, "its Content-Length is"); n != 1 && said != block && !near || said == block && n > 0 {
				t.Errorf("%s, %d for %d: %d notes:\n%s", how, said, block, n, got)
			}
		}
	}
}

// TestWildEvidence: where records stand within records, or rubbish behind them, what a record says of its length is believed.
func TestWildEvidence(t *testing.T) {
	a, b := wildRecord("WARC/1.0", "http://a.test/", "one", "\r\n", 0), wildRecord("WARC/1.1", "http://b.test/", "two", "\r\n", 0)
	pages := ""
	for i := range 30 {
		pages += wildRecord("WARC/1.0", fmt.Sprintf("http://u.test/%d", i), strings.Repeat("line\r\n", i), "\r\n", 0)
	}
	within := func(body string) string { return wildRecord("WARC/1.0", "http://outer.test/", body, "\r\n", 0) }
	text := "an example:\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\n\r\nand so on"
	rest := wildRecord("WARC/1.0", "http://r.test/", "some text", "\r\n", 0)
	for name, test := range map[string]struct {
		file  string
		lines int
		has   string
	}{
		"a WARC within":             {within(a+b) + b, 2, "outer.test"},
		"a WARC within, no end":     {strings.TrimSuffix(within(a+b), "\r\n\r\n"), 1, "outer.test"},
		"a compressed WARC within":  {within(zipped(a, b)) + b, 2, "outer.test"},
		"within a member":           {zipped(within(a+b), b), 2, "outer.test"},
		"text like a record":        {within(text) + b, 2, "outer.test"},
		"… and a wrong length":      {wildRecord("WARC/1.0", "http://outer.test/", text, "\r\n", 70) + b, 2, fmt.Sprintf("block=%d", 66+len(text)-2)},
		"rubbish behind":            {rest + "\x00\x00\x00\x00\n" + b, 3, "block=72 \nskip"},
		"rot behind a whole one":    {strings.TrimRight(rest, "\r\n") + "\x00\x00\x00\x00" + a[20:] + b, 3, "block=72 \nskip"},
		"rubbish at the end":        {a + rest + "\x00\x00", 3, "block=72 \nskip"},
		"DOS to Unix":               {strings.ReplaceAll(pages, "\r\n", "\n"), 30, "u.test/29"},
		"DOS to Unix, in a member":  {zipped(strings.ReplaceAll(pages, "\r\n", "\n")), 30, "u.test/29"},
		"cut behind a head":         {a + strings.TrimSuffix(wildRecord("WARC/1.0", "http://cut.test/", "", "\r\n", 5000), "\r\n\r\n"), 2, "skip"},
		"a long header, too short":  {wildRecord("WARC/1.0", "http://s.test/", "short", "\r\n", 20) + wildRecord("WARC/1.0", "http://long.test/"+strings.Repeat("x", 100_000), "y", "\r\n", 0), 2, "long.test"},
		"a header that never ends":  {"WARC/1.0\r\n" + strings.Repeat("A: b\r\n", 100_000) + a, 2, "a.test"},
		"a version line like a URL": {"WARC/1.0:\r\nContent-Length: 0\r\n\r\n" + a, 2, "a.test"},
	} {
		got := wildly(t, test.file)
		if strings.Count(got, "\n") != test.lines || !strings.Contains(got, test.has) {
			t.Errorf("%s:\n%.3000swant %d lines and %q", name, got, test.lines, test.has)
		}
	}
}

// TestWildARC: records of ARC files whose length is wrong are found by the lines before them.
func TestWildARC(t *testing.T) {
	record := func(n, length int) string {
		block := fmt.Sprintf("HTTP/1.0 200 OK\r\n\r\npage %d\n", n)
		if length < 0 {
			length = len(block)
		}
		return fmt.Sprintf("http://arc.test/%d 127.0.0.1 20080430204826 text/html %d\n%s\n", n, length, block)
	}
	desc := "filedesc://x.arc 0.0.0.0 20080430204825 text/plain 76\n1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n\n"
	for _, length := range []int{-1, 3, 25, 40, 100, 5000} {
		got := wildly(t, desc+record(1, -1)+record(2, length)+record(3, -1))
		if strings.Count(got, "\n") != 4 || !strings.Contains(got, "arc.test/3") || strings.Count(got, "block=26") < 2 {
			t.Errorf("%d:\n%s", length, got)
		}
	}
}

// counting counts the bytes that are read.
type counting struct {
	r io.ReaderAt
	n int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// hostileFiles are files of about size bytes that try to have the same bytes read again and again.
func hostileFiles(size int) map[string]string {
	many := func(s string) string { return strings.Repeat(s, size/len(s)) }
	page := "HTTP/1.1 200 OK\r\n\r\n"
	head := "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://nest.test/\r\nContent-Length: "
	member := zipped(wildRecord("WARC/1.0", "http://z.test/", "z", "\r\n", 0))
	stored := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x00\x20\x00\xdf\xffWARC/1.0\r\nContent-Length: 9999\r\n" // a member that begins well
	return map[string]string{
		"version lines in a short block": head + "10\r\n\r\n" + page + many("WARC/1.0\r\n"),
		"version lines alone":            many("WARC/1.0\r\n"),
		"headers of endless records":     many("WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 99999999999\r\n\r\n"),
		"headers of long records":        many(head + "700000\r\n\r\nxxxxxxxxxxx"),
		"headers without an end":         many("WARC/1.0\r\nWARC-Type: response\r\n"),
		"fields like versions":           many("WARC/1.0:\r\n"),
		"fields":                         "WARC/1.0\r\n" + many("A: b\r\n"),
		"signs of gzip":                  many("\x1f\x8b\x08"),
		"signs of gzip with names":       many("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03"),
		"extra fields":                   many("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\x03\xff\xff"),
		"torn members":                   many(member[:len(member)-9]),
		"members in members":             many(stored),
		"turn by turn":                   many(member + wildRecord("WARC/1.0", "http://p.test/", "p", "\r\n", 0)),
		"line ends":                      wildRecord("WARC/1.0", "http://p.test/", "p", "\r\n", 3) + many("\n"),
		"lines of ARC":                   "http://a.test/ 127.0.0.1 20080430204826 text/html 2\nab\n" + many("a:b c d e 9\n"),
		"endless records of ARC":         many("http://a.test/ 127.0.0.1 20080430204826 text/html 99999999\n"),
		"records too short":              many(wildRecord("WARC/1.0", "http://p.test/", "p", "\r\n", 3)),
		"members too short":              zipped(many(wildRecord("WARC/1.0", "http://p.test/", "p", "\r\n", 3))),
	}
}

// TestWildsLinear: no byte of a file is read more than a few times, however it is made.
func TestWildsLinear(t *testing.T) {
	for name, file := range hostileFiles(1 << 20) {
		c := &counting{r: strings.NewReader(file)}
		for w, err := range Wilds(c, int64(len(file)), nil) {
			if err != nil {
				t.Fatal(name, err)
			}
			_ = w.Finish() // torn ones are skipped
		}
		for k := range 40 { // a file that has become shorter while it was read
			for w, err := range Wilds(strings.NewReader(file[:1000+k]), int64(len(file)), nil) {
				if err != nil {
					t.Fatal(name, err)
				}
				_ = w.Finish()
			}
		}
		if most := 12*int64(len(file)) + 1<<20; c.n > most {
			t.Errorf("%s: %d bytes of a file of %d were read", name, c.n, len(file))
		}
	}
}

// BenchmarkWildsHostile reads hostile files of 1 MiB, and tells how many bytes were allocated for each.
func BenchmarkWildsHostile(b *testing.B) {
	for name, file := range hostileFiles(1 << 20) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				for w, err := range Wilds(bytes.NewReader([]byte(file)), int64(len(file)), nil) {
					if err != nil {
						b.Fatal(err)
					}
					_ = w.Finish()
				}
			}
		})
	}
}
