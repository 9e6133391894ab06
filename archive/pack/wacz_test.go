package pack_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"linkstead/archive/pack"
	"linkstead/archive/warc"
)

const page = "text/html; charset=utf-8"

// mixed is an archive with what makes indexes hard: keys of all kinds, a request other than GET, a revisit whose page changed later.
func mixed(t *testing.T) *world {
	w := newWorld(t)
	w.add(exchange{url: "http://www.blog.test/Post/?b=2&a=1", mime: page, body: "<title>A post</title>its words"})
	w.add(exchange{url: "http://blog.test/same", mime: page, body: "the same"})
	w.add(exchange{url: "http://other.test/again", mime: page, body: "the same", at: day.Add(time.Hour)})
	w.add(exchange{url: "http://blog.test/same", mime: page, body: "now another", at: day.Add(2 * time.Hour)})
	w.add(exchange{url: "http://blog.test/api", mime: "application/json", body: `{"ok":1}`, request: "POST /api HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"q\":null}"})
	w.add(exchange{url: "http://[::1]/six", mime: page, body: "six"})
	return w
}

func part(t *testing.T, z *zip.Reader, name string) []byte {
	t.Helper()
	f, err := z.Open(name)
	must(t, err)
	defer f.Close()
	body, err := io.ReadAll(f)
	must(t, err)
	return body
}

func unzip(t *testing.T, raw []byte) *zip.Reader {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(t, err)
	return z
}

// TestWACZ holds a file to WACZ 1.1.1: what must be there, how it is packed, and the digest of each of its parts.
func TestWACZ(t *testing.T) {
	t.Parallel()
	w := mixed(t)
	raw := w.wacz(pack.Package{Title: "A title", Software: "linkstead/test", MainURL: "http://www.blog.test/Post/?b=2&a=1", MainAt: day, Pages: []pack.Page{{URL: "http://www.blog.test/Post/?b=2&a=1", Title: "A post", ID: "one"}}})
	z := unzip(t, raw)
	sizes := map[string]int64{}
	for _, e := range z.File {
		if e.Method != zip.Store || e.Flags&8 != 0 {
			t.Errorf("%s: method %d, flags %x: it can't be read where it lies, or from the begin", e.Name, e.Method, e.Flags)
		}
		if y, m, d := e.Modified.Date(); y != 2020 || m != 5 || d != 17 {
			t.Errorf("%s: dated %v", e.Name, e.Modified)
		}
		sizes[e.Name] = int64(e.UncompressedSize64)
	}
	var dp struct {
		Profile     string
		WACZVersion string `json:"wacz_version"`
		Title       string
		Created     string
		Modified    string
		Software    string
		MainPageURL string
		MainPageTS  string `json:"mainPageDate"`
		Resources   []struct {
			Name, Path, Hash string
			Bytes            int64
		}
	}
	must(t, json.Unmarshal(part(t, z, "datapackage.json"), &dp))
	if dp.Profile != "data-package" || dp.WACZVersion != "1.1.1" || dp.Title != "A title" || dp.Software == "" || dp.MainPageURL == "" {
		t.Errorf("%+v", dp)
	}
	for _, at := range []string{dp.Created, dp.Modified, dp.MainPageTS} {
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			t.Error(err)
		}
	}
	for _, r := range dp.Resources {
		sum := sha256.Sum256(part(t, z, r.Path))
		if r.Hash != "sha256:"+hex.EncodeToString(sum[:]) || r.Bytes != sizes[r.Path] || r.Name != filepath.Base(r.Path) {
			t.Errorf("%+v", r)
		}
		delete(sizes, r.Path)
	}
	if len(sizes) != 2 || len(dp.Resources) != 5 {
		t.Errorf("no resources are %v; %d are", sizes, len(dp.Resources))
	}
	var digest struct{ Path, Hash string }
	must(t, json.Unmarshal(part(t, z, "datapackage-digest.json"), &digest))
	if sum := sha256.Sum256(part(t, z, "datapackage.json")); digest.Path != "datapackage.json" || digest.Hash != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("%+v", digest)
	}
	checkPages(t, part(t, z, "pages/pages.jsonl"), "http://www.blog.test/Post/?b=2&a=1")
	checkPages(t, part(t, z, "pages/extraPages.jsonl"), "http://[::1]/six", "http://blog.test/same", "http://other.test/again")
}

// checkPages holds a list of pages to the standard, and to whom it names.
func checkPages(t *testing.T, list []byte, want ...string) {
	t.Helper()
	var got []string
	for i, line := range bytes.Split(bytes.TrimSpace(list), []byte("\n")) {
		var p struct{ Format, ID, Title, URL, TS, Text string }
		must(t, json.Unmarshal(line, &p))
		if i == 0 {
			if p.Format != "json-pages-1.0" || p.ID == "" || p.Title == "" {
				t.Errorf("%s", line)
			}
			continue
		}
		if _, err := time.Parse(time.RFC3339, p.TS); err != nil || p.ID == "" || p.Text == "" {
			t.Errorf("%s: %v", line, err)
		}
		got = append(got, p.URL)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("pages %q, want %q", got, want)
	}
}

// row is a line of an index.
type row struct {
	key, at                             string
	URL, Mime, Digest, Filename, Method string
	Status, Offset, Length, RequestBody string
}

// rows reads a ZipNum index by way of its blocks, and holds them to each other.
func rows(t *testing.T, index, blocks []byte, file string) (out []row) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(index), "\n"), "\n")
	if want := fmt.Sprintf(`!meta 0 {"format": "cdxj-gzip-1.0", "filename": %q}`, file); lines[0] != want {
		t.Errorf("%s", lines[0])
	}
	if !slices.IsSorted(lines) {
		t.Errorf("not in order: %q", lines)
	}
	at := int64(0)
	var all []string
	for _, l := range lines[1:] {
		i := strings.Index(l, " {")
		var b struct {
			Offset, Length   int64
			Digest, Filename string
		}
		must(t, json.Unmarshal([]byte(l[i+1:]), &b))
		if b.Offset != at || b.Filename != file {
			t.Errorf("%s: expected at %d", l, at)
		}
		block := blocks[b.Offset : b.Offset+b.Length]
		at += b.Length
		if sum := sha256.Sum256(block); b.Digest != "sha256:"+hex.EncodeToString(sum[:]) {
			t.Errorf("%s: another digest", l)
		}
		r, err := gzip.NewReader(bytes.NewReader(block))
		must(t, err)
		in := bufio.NewScanner(r)
		for first := true; in.Scan(); first = false {
			if first && !strings.HasPrefix(in.Text(), l[:i]+" {") {
				t.Errorf("%s begins a block that is said to begin with %s", in.Text(), l[:i])
			}
			all = append(all, in.Text())
		}
		must(t, in.Err())
	}
	if at != int64(len(blocks)) || !slices.IsSorted(all) {
		t.Errorf("%d of %d bytes are in blocks; sorted %v", at, len(blocks), slices.IsSorted(all))
	}
	for _, l := range all {
		f := strings.SplitN(l, " ", 3)
		r := row{key: f[0], at: f[1]}
		must(t, json.Unmarshal([]byte(f[2]), &r))
		out = append(out, r)
	}
	return out
}

// TestIndex: each capture is found by the key that a reader makes of its address, and is the record that the line says.
func TestIndex(t *testing.T) {
	t.Parallel()
	w := mixed(t)
	z := unzip(t, w.wacz(pack.Package{}))
	index := part(t, z, "indexes/index.idx")
	data := part(t, z, "archive/data.warc.gz")
	var got []string
	for _, r := range rows(t, index, part(t, z, "indexes/index.cdx.gz"), "index.cdx.gz") {
		got = append(got, strings.Join([]string{r.key, r.at, r.Mime, r.Method, r.RequestBody}, " "))
		off, err := strconv.Atoi(r.Offset)
		must(t, err)
		n, err := strconv.Atoi(r.Length)
		must(t, err)
		one := 0
		for rec, err := range warc.Scan(bytes.NewReader(data[off:off+n]), 0) {
			must(t, err)
			one++
			if rec.Header.URL() != r.URL || rec.Header.Get("WARC-Payload-Digest") != r.Digest || r.Filename != "data.warc.gz" {
				t.Errorf("%+v is %v", r, rec.Header)
			}
			if at, err := time.Parse(time.RFC3339, rec.Header.Get("WARC-Date")); err != nil || strings.Replace(at.Format("20060102150405.000"), ".", "", 1) != r.at {
				t.Errorf("%+v is of %v (%v)", r, at, err)
			}
		}
		if one != 1 {
			t.Errorf("%+v: %d records in its member", r, one)
		}
	}
	want := []string{
		"[::1])/six 20200517102030123 text/html  ",
		"test,blog)/api?__wb_method=post&q=null 20200517102030123 application/json POST q=null",
		"test,blog)/post/?a=1&b=2 20200517102030123 text/html  ",
		"test,blog)/same 20200517102030123 text/html  ",
		"test,blog)/same 20200517122030123 text/html  ",
		"test,other)/again 20200517112030123 warc/revisit  ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	// Readers tell by the first keys of blocks whether keys are SURTs: what is none stands in blocks of its own.
	if !bytes.Contains(index, []byte("\ntest,blog)/api")) {
		t.Errorf("%s", index)
	}
}

// TestWARCIsStrict: what is exported reads without a fault, and gives the same captures where it is imported.
func TestWARCIsStrict(t *testing.T) {
	t.Parallel()
	w := mixed(t)
	name := filepath.Join(t.TempDir(), "out.warc.gz")
	f, err := os.Create(name)
	must(t, err)
	done, err := w.exporter().WARC(t.Context(), f, "out.warc.gz", w.all(), nil)
	must(t, errors.Join(err, f.Close()))
	if done.Captures != 6 || done.Left != 0 {
		t.Errorf("%+v", done)
	}
	faults, err := warc.StrictRead(name)
	must(t, err)
	for _, f := range faults {
		t.Error(f)
	}
	whole := name + ".wacz"
	must(t, os.WriteFile(whole, w.wacz(pack.Package{}), 0o600))
	want := keys(t, w)
	for _, from := range []string{name, whole} {
		for _, inPlace := range []bool{false, true} {
			other := newWorld(t)
			if rep := other.imports(from, inPlace); rep.Captures != 6 || rep.Skips != 0 || rep.Odd != 0 {
				t.Errorf("%+v", rep)
			}
			if got := keys(t, other); !slices.Equal(got, want) {
				t.Errorf("%s: %q\nwant %q", from, got, want)
			}
			if inPlace {
				inPlaceLines(t, other, filepath.Base(from))
			}
		}
	}
}

// inPlaceLines: an index of what lies elsewhere names the file in which it lies.
func inPlaceLines(t *testing.T, w *world, file string) {
	t.Helper()
	var out bytes.Buffer
	_, err := w.exporter().CDXJ(t.Context(), &out, nil, "x.cdxj", w.all())
	must(t, err)
	if n := strings.Count(out.String(), fmt.Sprintf(`"filename": %q`, file)); n != 6 || strings.Contains(out.String(), "imported-") {
		t.Errorf("%s", out.String())
	}
	// What was imported goes out again with its requests, so that the answer to a POST is told from one to a GET.
	var methods int
	z := unzip(t, w.wacz(pack.Package{}))
	for _, r := range rows(t, part(t, z, "indexes/index.idx"), part(t, z, "indexes/index.cdx.gz"), "index.cdx.gz") {
		if r.Method == "POST" {
			methods++
		}
	}
	if methods != 1 {
		t.Errorf("%d answers to POST", methods)
	}
}

func keys(t *testing.T, w *world) (out []string) {
	t.Helper()
	var lines bytes.Buffer
	_, err := w.exporter().CDXJ(t.Context(), &lines, nil, "x.cdxj", w.all())
	must(t, err)
	for l := range strings.Lines(lines.String()) {
		f := strings.SplitN(l, " ", 3)
		var r row
		must(t, json.Unmarshal([]byte(f[2]), &r))
		out = append(out, f[0]+" "+f[1]+" "+r.Status+" "+r.Mime+" "+r.Digest)
	}
	return out
}

// TestHiddenOriginals: a revisit of what readers may not see is in no export, and an export of nothing else is none.
func TestHiddenOriginals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(exchange{url: "http://hid.test/secretpath", mime: page, body: "the same"})
	w.add(exchange{url: "http://open.test/same", mime: page, body: "the same", at: day.Add(time.Hour)})
	w.hide("hid.test")
	formats := map[string]func(out io.Writer) (pack.Exported, error){
		"wacz": func(out io.Writer) (pack.Exported, error) {
			return w.exporter().WACZ(t.Context(), out, pack.Package{}, w.all())
		},
		"warc": func(out io.Writer) (pack.Exported, error) {
			return w.exporter().WARC(t.Context(), out, "x", w.all(), nil)
		},
		"cdxj": func(out io.Writer) (pack.Exported, error) {
			return w.exporter().CDXJ(t.Context(), out, nil, "x", w.all())
		},
		"zip": func(out io.Writer) (pack.Exported, error) {
			return w.exporter().CDXJ(t.Context(), out, io.Discard, "x", w.all())
		},
	}
	for name, export := range formats {
		var out bytes.Buffer
		if done, err := export(&out); !errors.Is(err, pack.ErrNothing) || out.Len() > 0 || done.Left != 1 {
			t.Errorf("%s: %v, %+v, %d bytes", name, err, done, out.Len())
		}
	}
	w.add(exchange{url: "http://open.test/", mime: page, body: "open"})
	for name, export := range formats {
		var out bytes.Buffer
		if done, err := export(&out); err != nil || done.Captures != 1 || bytes.Contains(out.Bytes(), []byte("hid")) || bytes.Contains(out.Bytes(), []byte("open.test/same")) {
			t.Errorf("%s: %v, %+v", name, err, done)
		}
	}
}
