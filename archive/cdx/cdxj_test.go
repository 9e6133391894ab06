package cdx_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"linkstead/archive/cdx"
)

func TestParseCDXJ(t *testing.T) {
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	full := cdx.Row{Key: "com,example)/", At: at, URL: "http://example.com/", Mime: "text/html", Status: 200, Digest: "sha1:B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A",
		Length: 1043, Offset: 333, File: "example.warc.gz"}
	with := func(change func(*cdx.Row)) cdx.Row { r := full; change(&r); return r }
	for _, c := range []struct {
		line string
		want cdx.Row
	}{
		{ // as pywb writes it
			`com,example)/ 20200102030405 {"url": "http://example.com/", "mime": "text/html", "status": "200", "digest": "B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A", "length": "1043", "offset": "333", "filename": "example.warc.gz"}`,
			full,
		},
		{ // numbers, milliseconds, a labelled digest in hexadecimal, fields of others: as browsertrix and WACZ have them
			`com,example)/ 20200102030405120 {"url":"http://example.com/","mime":"text/html","status":200,"digest":"sha-256:0000000000000000000000000000000000000000000000000000000000000000","length":1043,"offset":333,"filename":"example.warc.gz","recordDigest":"sha256:x","cookie":[1,{}]}` + "\r\n",
			with(func(r *cdx.Row) {
				r.At = at.Add(120 * time.Millisecond)
				r.Digest = "sha256:" + strings.Repeat("A", 52) + "===="
			}),
		},
		{
			`com,example)/ 20200102030405 {"url": "http://example.com/", "mime": "warc/revisit", "digest": "sha1:B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A", "length": "1043", "offset": "333", "filename": "example.warc.gz", "status": "-"}`,
			with(func(r *cdx.Row) { r.Mime, r.Revisit, r.Status = "warc/revisit", true, 0 }),
		},
		{
			`urn:x 20200102030405 {"url": "urn:x", "mime": "-", "status": null, "digest": "-"}`,
			cdx.Row{Key: "urn:x", At: at, URL: "urn:x", Length: -1, Offset: -1},
		},
	} {
		got, err := cdx.ParseCDXJ([]byte(c.line))
		if err != nil || got != c.want {
			t.Errorf("%s\n is %+v, %v\nwant %+v", c.line, got, err, c.want)
		}
		again, err := cdx.ParseCDXJ(cdx.AppendCDXJ(nil, &got))
		if want := with(func(r *cdx.Row) { *r = got; r.At = at }); err != nil || again != want {
			t.Errorf("%s\nwritten again is %+v, %v", c.line, again, err)
		}
	}
	for _, line := range []string{
		"", "x", "x y", "x 20200102030405", "x 2020 {}", "x 20201302030405 {}", "x 20200102030405 {", `x 20200102030405 {}`, `x 20200102030405 []`,
		`x 20200102030405 {"url":"u","length":"x"}`, `x 20200102030405 {"url":"u","status":1000}`, `x 20200102030405 {"url":"u","offset":-1}`,
		` 20200102030405 {"url":"u"}`, `x 20200102030405 {"url":"u","status":[]}`, "x 20200102030405 " + strings.Repeat(" ", cdx.MaxLine),
	} {
		if got, err := cdx.ParseCDXJ([]byte(line)); err == nil {
			t.Errorf("%.80q is %+v", line, got)
		}
	}
}

func TestReadCDXJ(t *testing.T) {
	file := "!OpenWayback-CDXJ 1.0\n CDX N b a\n\n" +
		`com,a)/ 20200102030405 {"url": "http://a.com/"}` + "\n" +
		"broken\n" +
		"long 20200102030405 " + strings.Repeat("x", 2*cdx.MaxLine) + "\n" +
		`com,b)/ 20200102030405 {"url": "http://b.com/"}` // without a newline
	read := func(r io.Reader) (urls string, faults []int, fatal error) {
		for row, err := range cdx.ReadCDXJ(r) {
			var line *cdx.LineError
			switch {
			case errors.As(err, &line):
				faults = append(faults, line.Line)
			case err != nil:
				return urls, faults, err
			default:
				urls += row.URL + " "
			}
		}
		return urls, faults, nil
	}
	urls, faults, err := read(iotest.HalfReader(strings.NewReader(file)))
	if urls != "http://a.com/ http://b.com/ " || len(faults) != 2 || faults[0] != 5 || faults[1] != 6 || err != nil {
		t.Errorf("read %q, faults in lines %v, %v", urls, faults, err)
	}
	gone := errors.New("gone")
	if _, _, err := read(io.MultiReader(strings.NewReader(file), iotest.ErrReader(gone))); !errors.Is(err, gone) {
		t.Errorf("a reader that fails: %v", err)
	}
}

func TestAppendCDX(t *testing.T) {
	r := index[8]
	r.Redirect = "http://site.example/c d"
	got := string(cdx.AppendCDX(nil, &r, 11)) + string(cdx.AppendCDX(nil, &r, 7))
	want := `example,site)/b?q="x" 20180101000000 http://site.example/b?q="x" text/html 301 sha256:F http://site.example/c%20d - 100 800 s1.warc.gz` + "\n" +
		`example,site)/b?q="x" 20180101000000 http://site.example/b?q="x" text/html 301 sha256:F 100` + "\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestDigest(t *testing.T) {
	for in, want := range map[string]string{
		"B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A":               "sha1:B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A",
		"sha1:B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A":          "sha1:B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A",
		"SHA-1:0000000000000000000000000000000000000000": "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"xxh128:abc": "xxh128:abc", "-": "", "": "", "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJX": "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJX",
	} {
		if got := cdx.Digest(in); got != want {
			t.Errorf("Digest(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzCDXJ: what is read and written is read again as the same, to the second.
func FuzzCDXJ(f *testing.F) {
	f.Add(`com,example)/ 20200102030405 {"url": "http://example.com/", "mime": "text/html", "status": 200, "digest": "sha-256:00", "length": "1043"}`)
	f.Add(`a 20200102030405120 {"url":"\u0000\ud800","redirect":"x"}`)
	f.Fuzz(func(t *testing.T, line string) {
		r, err := cdx.ParseCDXJ([]byte(line))
		if err != nil {
			return
		}
		text := cdx.AppendCDXJ(nil, &r)
		if strings.Count(string(text), "\n") != 1 {
			t.Fatalf("%q is written as %q", line, text)
		}
		again, err := cdx.ParseCDXJ(text)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", line, text, err)
		}
		if next := cdx.AppendCDXJ(nil, &again); string(next) != string(text) {
			t.Errorf("%q, and then %q", text, next)
		}
	})
}
