package cdx_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/cdx"
)

var update = flag.Bool("update", false, "write the golden files anew")

// row is one of an index in these tests: "20200101000000 /path 200 text/html A".
func row(line string) cdx.Row {
	f := strings.Fields(line)
	at, err := time.Parse("20060102150405", f[0])
	if err != nil {
		panic(err)
	}
	r := cdx.Row{Key: "example,site)" + f[1], At: at, URL: "http://site.example" + f[1], Mime: f[3], Digest: "sha256:" + f[4], Length: 100, Offset: 7, File: "s1.warc.gz"}
	if _, err := fmt.Sscan(f[2], &r.Status); err != nil {
		panic(err)
	}
	if len(f) > 5 {
		r.Revisit = f[5] == "revisit"
	}
	r.Place = cdx.Place{Key: r.Key, At: at, Segment: "s1", Offset: r.Offset}
	return r
}

// index are the rows of these tests, in order.
var index = func() (out []cdx.Row) {
	for i, line := range []string{
		"20150101000000 / 200 text/html A",
		"20160203040506 / 200 text/html A revisit",
		"20160203050000 / 200 text/html B",
		"20160301000000 / 404 text/html C",
		"20170101000000 / 200 text/html A",
		"20170101000001 / 503 text/plain D",
		"20160101000000 /a.pdf 200 application/pdf E",
		"20180101000000 /a.pdf 200 application/pdf E revisit",
		"20180101000000 /b?q=\"x\" 301 text/html F",
	} {
		r := row(line)
		r.Offset = int64(100 * i)
		r.Place.Offset = r.Offset
		out = append(out, r)
	}
	return out
}()

// query reads one, of which url may be left out.
func query(t testing.TB, d cdx.Dialect, text string) *cdx.Query {
	t.Helper()
	v, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Has("url") {
		v.Set("url", "http://site.example/*")
	}
	q, err := cdx.Parse(d, v)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// ask answers a query from rows, as one who holds an index does. It stops handing over after most rows, if that is not 0.
func ask(t testing.TB, q *cdx.Query, rows []cdx.Row, most int) string {
	t.Helper()
	var sb strings.Builder
	a := cdx.NewAnswer(&sb, q)
	a.Original = func(*cdx.Row) (cdx.Original, error) {
		return cdx.Original{Length: 55, Offset: 0, File: "s0.warc.gz"}, nil
	}
	a.Memento = func(r *cdx.Row) string {
		return "http://replay.example/web/" + r.At.Format("20060102150405") + "/" + r.URL
	}
	n := 0
	for i := range rows {
		r := &rows[i]
		if q.Backwards() {
			r = &rows[len(rows)-1-i]
		}
		if before(r, q) {
			continue
		}
		if most > 0 && n == most {
			if err := a.End(true); err != nil {
				t.Fatal(err)
			}
			return sb.String()
		}
		n++
		more, err := a.Add(r)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	if err := a.End(false); err != nil {
		t.Fatal(err)
	}
	return sb.String()
}

// before says whether a row lies before where the query wants to go on.
func before(r *cdx.Row, q *cdx.Query) bool {
	if q.After == (cdx.Place{}) {
		return false
	}
	c := strings.Compare(r.Key, q.After.Key)
	if c == 0 {
		c = r.At.Compare(q.After.At)
	}
	if c == 0 {
		c = int(r.Offset - q.After.Offset)
	}
	if q.Backwards() {
		c = -c
	}
	return c <= 0
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: -update writes it anew if this is right:\n%s", name, got)
	}
}
