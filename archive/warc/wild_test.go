package warc

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
)

// wildRecord writes a response record with a page as other programs do.
func wildRecord(ver, url, body, eol string, length int) string {
	block := "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body
	if length == 0 {
		length = len(block)
	}
	return strings.Join([]string{ver, "WARC-Type: response", "WARC-Target-URI: " + url, "WARC-Date: 2016-02-06T10:20:30Z",
		"WARC-Record-ID: <urn:uuid:" + fmt.Sprintf("%x", len(url)) + ">", "Content-Type: application/http;msgtype=response",
		fmt.Sprintf("Content-Length: %d", length), "", ""}, eol) + block + eol + eol
}

func zipped(parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, p)
		_ = z.Close()
	}
	return b.String()
}

// wildly reads a file and tells of its records and of what was skipped, a line each.
func wildly(t *testing.T, file string) string {
	t.Helper()
	return wildlyOf(t, file, func(skip func(Skip)) wildsOf { return Wilds(strings.NewReader(file), int64(len(file)), skip) })
}

type wildsOf = iter.Seq2[*Wild, error]

func wildlyOf(t *testing.T, file string, read func(skip func(Skip)) wildsOf) string {
	t.Helper()
	var out strings.Builder
	skip := func(s Skip) { fmt.Fprintf(&out, "skip %d-%d %s\n", s.From, s.To, s.Why) }
	for w, err := range read(skip) {
		if err != nil {
			t.Fatal(err)
		}
		block, err := io.ReadAll(w.Block)
		if err == nil {
			err = w.Finish()
		}
		if err != nil {
			fmt.Fprintf(&out, "torn %d\n", w.Offset)
			continue
		}
		if w.Offset+w.Length > int64(len(file)) {
			t.Errorf("the record at %d has %d bytes of a file of %d", w.Offset, w.Length, len(file))
		} else if w.Alone {
			readBack(t, file[w.Offset:w.Offset+w.Length], block)
		}
		fmt.Fprintf(&out, "%s %s %d+%d alone=%v block=%d %s\n", w.Header.Type(), w.Header.URL(), w.Offset, w.Length, w.Alone, len(block), w.Note)
	}
	return out.String()
}

// readBack reads a record by its place, as replay does.
func readBack(t *testing.T, record string, block []byte) {
	t.Helper()
	rec, err := readMember(strings.NewReader(record), importedPrefix+"x")
	if err != nil {
		t.Error(err)
		return
	}
	got, err := io.ReadAll(rec.Block)
	if err != nil || !bytes.Equal(got, block) {
		t.Errorf("read by its place, it has %d bytes (%v), and %d when it was found", len(got), err, len(block))
	}
	if err := rec.Close(); err != nil {
		t.Error(err)
	}
}

func TestWilds(t *testing.T) {
	a := wildRecord("WARC/1.0", "<http://a.test/>", "one", "\r\n", 0) // wget's brackets
	b := wildRecord("WARC/0.17", "http://b.test/ with space", "two and more", "\n", 0)
	c := wildRecord("WARC/1.1", "http://c.test/", strings.Repeat("three ", 40_000), "\r\n", 0)
	la, lb, lc := len(a), len(b), len(c)
	za, zb, zc := zipped(a), zipped(b), zipped(c)
	desc := "filedesc://x.arc 0.0.0.0 20080430204825 text/plain 76\n1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n\n"
	arc := "http://arc.test/a b 127.0.0.1 20080430204826 text/html 22\nHTTP/1.0 200 OK\r\n\r\nabc\n"
	arc += "dns:arc.test 127.0.0.1 20080430204826 text/dns 3\nabc\n"
	for name, test := range map[string]struct {
		file string
		want []string // of each line, what it has
	}{
		"plain":           {a + b + c, []string{"response http://a.test/ 0+", "response http://b.test/ with space " + fmt.Sprintf("%d+%d alone=true", la, lb), "block=240"}},
		"a member each":   {za + zb + zc, []string{fmt.Sprintf("a.test/ 0+%d alone=true", len(za)), fmt.Sprintf(" %d+%d alone=true", len(za), len(zb)), fmt.Sprintf(" %d+%d alone=true", len(za+zb), len(zc))}},
		"one for all":     {zipped(a + b + c), []string{"a.test/ 0+", "alone=false", "c.test/ 0+"}},
		"mixed":           {zipped(a) + b + zipped(c), []string{"alone=true", "b.test", "c.test"}},
		"torn plain":      {a + c[:len(c)-1000], []string{"a.test", fmt.Sprintf("skip %d-%d", la, la+lc-1000)}},
		"torn member":     {za + zc[:len(zc)-9], []string{"a.test", "torn", fmt.Sprintf("skip %d-%d", len(za), len(za+zc)-9)}},
		"rot in a member": {za + zb[:30] + "XXXX" + zb[34:] + zc, []string{"a.test", fmt.Sprintf("skip %d-%d", len(za), len(za+zb)), "c.test"}},
		"rubbish":         {"rubbish\n" + a + "\x00\x00\x00" + zb + "end", []string{"skip 0-8", "a.test", fmt.Sprintf("skip %d-%d", 8+la, 11+la), "b.test", "skip "}},
		"too long":        {wildRecord("WARC/1.0", "http://l.test/", "long", "\r\n", 200) + a + c, []string{"l.test/ 0+", "a.test", "c.test"}},
		"much too long":   {wildRecord("WARC/1.0", "http://l.test/", "long", "\r\n", 1<<40) + a + c, []string{"l.test/ 0+", "a.test", "c.test"}},
		"too short":       {wildRecord("WARC/1.0", "http://s.test/", "short", "\r\n", 50) + a, []string{"s.test/ 0+", "a.test"}},
		"too long, gzip":  {zipped(wildRecord("WARC/1.0", "http://l.test/", "long", "\r\n", 2000)) + za, []string{"block=67 its Content-Length is 2000", "a.test"}},
		"too short, gzip": {zipped(wildRecord("WARC/1.0", "http://s.test/", "short", "\r\n", 50)) + za, []string{"block=68 its Content-Length is 50", "a.test"}},
		"arc":             {desc + arc, []string{"warcinfo", "response http://arc.test/a b", "resource dns:arc.test"}},
		"arc.gz":          {zipped(desc, arc), []string{"warcinfo", "arc.test/a b", "dns:arc.test"}},
		"nothing":         {"", nil},
		"line ends":       {"\r\n\r\n" + a + "\r\n\r\n\r\n\r\n" + zb + "\n", []string{"a.test", "b.test"}},
	} {
		got := wildly(t, test.file)
		lines := strings.SplitAfter(strings.TrimSuffix(got, "\n"), "\n")
		if got == "" {
			lines = nil
		}
		ok := len(lines) == len(test.want)
		for i := 0; ok && i < len(lines); i++ {
			ok = strings.Contains(lines[i], test.want[i])
		}
		if !ok {
			t.Errorf("%s:\n%swant %q", name, got, test.want)
		}
	}
}

// FuzzWilds: whatever a file holds, nothing panics, every byte is of a record, a skipped stretch or a line end, and what can be read
// by its place is read so.
func FuzzWilds(f *testing.F) {
	a, b := wildRecord("WARC/1.0", "http://a.test/", "one", "\r\n", 0), wildRecord("WARC/1.1", "http://b.test/", "two", "\n", 70)
	for _, s := range []string{a + b, zipped(a, b), zipped(a + b), zipped(a) + b + "x", a[:100], zipped(a)[:60] + zipped(b), "\x1f\x8b\x08", "WARC/", "http://a b 20080101000000 x 4\nabcd\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		taken := int64(0)
		skip := func(s Skip) {
			if s.From < 0 || s.To < s.From || s.To > int64(len(file)) {
				t.Fatalf("skipped %+v of %d bytes", s, len(file))
			}
			taken += s.To - s.From
		}
		ends, records := int64(0), 0
		c := &counting{r: strings.NewReader(file)}
		for w, err := range Wilds(c, int64(len(file)), skip) {
			if err != nil {
				t.Fatal(err)
			}
			if records++; records > len(file)+10_000 {
				t.Fatal("it does not end")
			}
			block, err := io.ReadAll(w.Block)
			if err != nil || w.Finish() != nil {
				continue
			}
			if w.Offset < 0 || w.Length <= 0 || w.Offset+w.Length > int64(len(file)) || w.Alone && w.Offset < ends {
				t.Fatalf("a record at %d+%d of %d bytes, behind one that ends at %d", w.Offset, w.Length, len(file), ends)
			}
			if w.Alone {
				readBack(t, file[w.Offset:w.Offset+w.Length], block)
				taken, ends = taken+w.Length, w.Offset+w.Length
			}
		}
		if taken > int64(len(file)) {
			t.Fatalf("%d of %d bytes", taken, len(file))
		}
		if c.n > 16*int64(len(file))+1<<20 {
			t.Fatalf("%d bytes of %d were read", c.n, len(file))
		}
	})
}
