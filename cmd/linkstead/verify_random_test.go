package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"linkstead/archive/warc"
)

// mutant is a copy of an archive in which one thing is to be changed.
type mutant struct {
	t    *testing.T
	r    *rand.Rand
	dir  string
	db   *sql.DB
	said string
	// wants are faults of which one is to be found, each set.
	wants []want
	mends bool // the rows are as before once it is repaired
}

// want is a fault that is to be found: one of these words, in this segment, at this place or of this address.
type want struct {
	words   []warc.Word
	segment string
	offset  int64 // -2: any
	url     string
}

func (w want) fits(f *warc.Flaw) bool {
	return slices.Contains(w.words, f.Word) && (w.segment == "" || f.Segment == w.segment) && (w.offset == -2 || f.Offset == w.offset) && (w.url == "" || f.URL == w.url)
}

func (m *mutant) finds(segment string, offset int64, url string, words ...warc.Word) {
	m.wants = append(m.wants, want{words, segment, offset, url})
}

// sampleArchive captures two posts into two collections, in small segments: with revisits, redirects, failures, an answer
// that breaks off.
func sampleArchive(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	host := func(name, body string) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var links strings.Builder
	for i := range 12 {
		fmt.Fprintf(&links, `<p>See <a href="http://source.test:{{PORT}}/%d.html">source %d</a>.</p>`, i, i)
		host(fmt.Sprintf("source.test/%d.html", i), fmt.Sprintf(`<p>page %d <img src="p%d.png"></p>%s`, i, i%3, noise(i)))
	}
	for i := range 3 {
		host(fmt.Sprintf("source.test/p%d.png", i), "the same picture")
	}
	host("source.test/cut", "what is broken off")
	host("source.test/_rules", "/old 302 /1.html\n/cut cut\n")
	for _, post := range []string{"one", "two"} {
		host("blog.test/"+post+".html", `<html><head><title>`+post+`</title></head><body><article>`+links.String()+
			`<p><a href="http://no-such-host.invalid/">c</a> <a href="http://source.test:{{PORT}}/old">d</a> <a href="http://source.test:{{PORT}}/cut">e</a></p></article></body></html>`)
	}
	w := startWebsite(t, root)
	archive := filepath.Join(t.TempDir(), "A")
	for _, c := range [][2]string{{"one", "default"}, {"two", "default"}, {"two", "other"}} {
		code, said := inProcess(t, []string{"LINKSTEAD_SEGMENT_SIZE=64KiB"}, append(w.resolve("blog.test", "source.test"), "capture", "--archive", archive, "--allow-private",
			"--delay", "0s", "--retries", "0", "--collection", c[1], "http://blog.test:"+w.port+"/"+c[0]+".html")...)
		if code != exitOK {
			t.Fatalf("capture: %d\n%s", code, said)
		}
	}
	return archive
}

// noise is text that does not compress well.
func noise(seed int) string {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	b := make([]byte, 20<<10)
	for k := range b {
		b[k] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[r.IntN(64)]
	}
	return string(b)
}

// inProcess runs the command line within the test.
func inProcess(t *testing.T, environ []string, args ...string) (int, string) {
	t.Helper()
	for i, a := range args { // flags of a command stand behind its name
		if i > 0 && (a == "capture" || a == "verify") {
			args = append([]string{a}, append(slices.Clone(args[:i]), args[i+1:]...)...)
			break
		}
	}
	var out, said bytes.Buffer
	p := &program{args: args, vars: environ, stdout: &out, stderr: &said, stdin: strings.NewReader(""), getenv: func(name string) string {
		for _, v := range environ {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}}
	code := p.run(context.Background())
	if out.Len() == 0 {
		return code, said.String()
	}
	return code, out.String()
}

func verifyJSON(t *testing.T, archive string, more ...string) (int, verdict) {
	t.Helper()
	code, out := inProcess(t, nil, append([]string{"verify", "--archive", archive, "--json", "--jobs", "2"}, more...)...)
	var v verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("verify: exit %d, %v\n%s", code, err, out)
	}
	return code, v
}

// TestVerifyRandom changes bytes, objects and rows of a real archive at random, one thing at a time, and verify finds and
// names each. What records tell is mended, so that all rows are what they were.
func TestVerifyRandom(t *testing.T) {
	t.Parallel()
	archive := sampleArchive(t)
	if code, v := verifyJSON(t, archive); code != exitOK || !v.OK || len(v.Faults) > 0 || v.Segments < 5 {
		t.Fatalf("an archive without faults: exit %d, %+v", code, v)
	}
	before, err := dumpRows("sqlite:" + filepath.Join(archive, "linkstead.db"))
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	rounds := map[string]struct {
		times  int
		mutate func(*mutant)
	}{
		"bit flipped": {60, flipBit}, "cut": {15, cutObject}, "appended": {10, appendBytes}, "record appended": {5, appendRecord},
		"object deleted": {5, deleteObject}, "object renamed": {5, renameObject}, "object copied": {5, copyObject},
		"row deleted": {30, deleteRow}, "field changed": {60, changeField}, "rows swapped": {10, swapRows}, "revisit misled": {6, mislead},
	}
	n := 0
	for name, r := range rounds {
		n += r.times
		t.Run(name, func(t *testing.T) {
			for k := range r.times {
				m := &mutant{t: t, r: rand.New(rand.NewPCG(seed, uint64(k))), dir: filepath.Join(t.TempDir(), "A")}
				m.play(archive, before, r.mutate)
				if t.Failed() {
					t.Fatalf("seed %d, number %d: %s", seed, k, m.said)
				}
			}
		})
	}
	if n < 200 {
		t.Errorf("only %d changes", n)
	}
}

func (m *mutant) play(archive, before string, mutate func(*mutant)) {
	t := m.t
	t.Helper()
	if err := os.CopyFS(m.dir, os.DirFS(archive)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(m.dir)
	path := filepath.Join(m.dir, "linkstead.db")
	var err error
	if m.db, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	mutate(m)
	if err := m.db.Close(); err != nil {
		t.Fatal(err)
	}
	code, v := verifyJSON(t, m.dir)
	if code != exitFailed || v.OK {
		t.Errorf("nothing was found: exit %d", code)
	}
	for _, w := range m.wants {
		if !slices.ContainsFunc(v.Faults, func(f warc.Flaw) bool { return w.fits(&f) }) {
			t.Errorf("%+v is not among\n%s", w, listed(v.Faults))
		}
	}
	if !m.mends || t.Failed() {
		return
	}
	if code, v := verifyJSON(t, m.dir, "--repair"); code != exitOK {
		t.Errorf("repair: exit %d\n%s", code, listed(v.Faults))
	}
	after, err := dumpRows("sqlite:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("the rows are not what they were:\n%s", lineDiff(before, after))
	}
	if code, v := verifyJSON(t, m.dir); code != exitOK {
		t.Errorf("once it is repaired: exit %d\n%s", code, listed(v.Faults))
	}
}

func listed(flaws []warc.Flaw) string {
	var sb strings.Builder
	for k := range flaws {
		printFlaw(&sb, &flaws[k])
	}
	return sb.String()
}

func lineDiff(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for _, l := range as {
		if !slices.Contains(bs, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range bs {
		if !slices.Contains(as, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// object picks one, and tells its segment.
func (m *mutant) object() (path, segment string, b []byte) {
	names, err := filepath.Glob(filepath.Join(m.dir, "warc", "*", "*.warc.gz"))
	if err != nil || len(names) == 0 {
		m.t.Fatalf("no objects: %v", err)
	}
	path = names[m.r.IntN(len(names))]
	if b, err = os.ReadFile(path); err != nil {
		m.t.Fatal(err)
	}
	return path, strings.TrimSuffix(filepath.Base(path), ".warc.gz"), b
}

func (m *mutant) write(path string, b []byte) {
	if err := errors.Join(os.Remove(path), os.WriteFile(path, b, 0o644)); err != nil {
		m.t.Fatal(err)
	}
}

// members are the places of the records of a segment, and its end.
func members(t *testing.T, b []byte) []int64 {
	t.Helper()
	var out []int64
	for rec, err := range warc.Scan(bytes.NewReader(b), 0) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rec.Offset)
	}
	return append(out, int64(len(b)))
}

func flipBit(m *mutant) {
	path, segment, b := m.object()
	at, bit := m.r.IntN(len(b)), m.r.IntN(8)
	ms := members(m.t, b)
	k, _ := slices.BinarySearchFunc(ms, int64(at), func(off, at int64) int {
		if off <= at {
			return -1
		}
		return 1
	})
	from, to := ms[k-1], ms[k]
	was := decoded(b[from:to])
	b[at] ^= 1 << bit
	m.said = fmt.Sprintf("bit %d of byte %d of %s, in the member at %d", bit, at, segment, from)
	m.finds(segment, -1, "", warc.WordDiffers)
	if now := decoded(b[from:to]); now == nil || !bytes.Equal(was, now) {
		m.finds(segment, from, "", warc.WordFraming, warc.WordTorn, warc.WordDigest, warc.WordRecord, warc.WordUnclosed)
	}
	m.write(path, b)
}

// decoded is what a gzip member holds; nil if it is not whole, or not alone.
func decoded(member []byte) []byte {
	in := bytes.NewReader(member)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil
	}
	z.Multistream(false)
	out, err := io.ReadAll(z)
	if err != nil || in.Len() > 0 {
		return nil
	}
	return out
}

func cutObject(m *mutant) {
	path, segment, b := m.object()
	at := m.r.IntN(len(b))
	ms := members(m.t, b)
	m.said = fmt.Sprintf("%s cut at %d", segment, at)
	m.finds(segment, -1, "", warc.WordDiffers)
	for k := range ms[1:] {
		if int64(at) > ms[k] && int64(at) < ms[k+1] {
			m.finds(segment, ms[k], "", warc.WordTorn)
		}
	}
	m.write(path, b[:at])
}

func appendBytes(m *mutant) {
	path, segment, b := m.object()
	more := make([]byte, 1+m.r.IntN(3000))
	for k := range more {
		more[k] = byte(m.r.IntN(256))
	}
	m.said = fmt.Sprintf("%d bytes behind %s", len(more), segment)
	m.finds(segment, -1, "", warc.WordDiffers)
	m.finds(segment, int64(len(b)), "", warc.WordFraming, warc.WordTorn)
	m.write(path, append(b, more...))
}

func appendRecord(m *mutant) {
	path, segment, b := m.object()
	ms := members(m.t, b)
	k := m.r.IntN(len(ms) - 1)
	m.said = fmt.Sprintf("the member at %d once more behind %s", ms[k], segment)
	m.finds(segment, -1, "", warc.WordDiffers)
	m.finds(segment, int64(len(b)), "", warc.WordRecord)
	m.write(path, append(b, slices.Clone(b[ms[k]:ms[k+1]])...))
}

func deleteObject(m *mutant) {
	path, segment, _ := m.object()
	m.said = segment + " deleted"
	m.finds(segment, -1, "", warc.WordMissing)
	if err := os.Remove(path); err != nil {
		m.t.Fatal(err)
	}
}

func renameObject(m *mutant) {
	path, segment, _ := m.object()
	m.said = segment + " renamed"
	m.finds(segment, -1, "", warc.WordMissing)
	m.finds(segment+"x", -1, "", warc.WordUnknown)
	if err := os.Rename(path, strings.TrimSuffix(path, ".warc.gz")+"x.warc.gz"); err != nil {
		m.t.Fatal(err)
	}
}

func copyObject(m *mutant) {
	path, segment, b := m.object()
	m.said = segment + " copied"
	m.finds(segment+"x", -1, "", warc.WordUnknown)
	if m.r.IntN(2) == 0 { // and damaged
		b[len(b)/2] ^= 1
	}
	if err := os.WriteFile(strings.TrimSuffix(path, ".warc.gz")+"x.warc.gz", b, 0o644); err != nil {
		m.t.Fatal(err)
	}
}
