package warc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportedAsFound: what is wrong with records that others wrote is borne, in copies as where they lie: lengths that are too short or
// too long, bodies that were dechunked under a head that says otherwise.
func TestImportedAsFound(t *testing.T) {
	page := func(n int) string { return fmt.Sprintf("<title>page %d</title>", n) + strings.Repeat("words ", 50) }
	whole := wildRecord("WARC/1.0", "http://a.test/0", page(0), "\r\n", 0)
	digest := func(r string) string {
		return strings.Replace(r, "WARC-Date", "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\nWARC-Date", 1)
	}
	short := digest(wildRecord("WARC/1.0", "http://a.test/1", page(1), "\r\n", 60))
	long := digest(wildRecord("WARC/1.0", "http://a.test/2", page(2), "\r\n", 3000))
	chunks := strings.Replace(wildRecord("WARC/1.0", "http://a.test/3", page(3), "\r\n", 0), "Content-Length: 321\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n", 1)
	if !strings.Contains(chunks, "chunked") {
		t.Fatal(chunks)
	}
	clipped := strings.Replace(wildRecord("WARC/1.0", "http://a.test/4", page(4), "\r\n", 0), "Content-Length: 321\r\n\r\n", "Content-Length: 049\r\n\r\n", 1)
	for how, file := range map[string]string{"plain": whole + short + chunks + clipped + long + wildRecord("WARC/1.0", "http://a.test/9", "the last", "\r\n", 0), "gzip": zipped(whole, short, chunks, clipped, long)} {
		for _, inPlace := range []bool{false, true} {
			w := newWorld(t, nil, nil)
			path := filepath.Join(w.dir, "other.warc")
			must(t, os.WriteFile(path, []byte(file), 0o644))
			temp := filepath.Join(w.dir, "temp")
			must(t, os.MkdirAll(temp, 0o755))
			c := &cutting{DB: w.db, store: w.blobs, left: 1 << 30}
			im := &Importer{Rows: c, Blobs: c, Temp: temp, MaxSize: 1 << 20, Info: Info{Software: "test/1"}, Now: w.clock.Now}
			rep, err := im.Import(t.Context(), Source{
				Name: "other.warc", Location: "file:" + path, R: strings.NewReader(file), Size: int64(len(file)), Collection: "main", InPlace: inPlace,
			})
			must(t, err)
			if inPlace { // the store of the test reads its own keys alone
				in, err := w.db.Segment(t.Context(), rep.Segments[0])
				must(t, err)
				key := KeyPrefix + "main/placed.warc.gz"
				must(t, w.blobs.Put(t.Context(), key, path, rep.SHA256))
				w.lib.places.Store(in.ID, key)
			}
			if rep.Skips > 0 || rep.Odd < 2 || rep.Odd > 3 {
				t.Errorf("%s, in place %v: %+v", how, inPlace, rep)
			}
			segments, err := filepath.Glob(filepath.Join(w.dir, "*", "warc", "main", "imported-*"))
			must(t, err)
			for _, name := range segments {
				st, err := os.Stat(name)
				must(t, err)
				if st.Mode().Perm()&0o444 != 0o444 {
					t.Errorf("%s can be read by %v alone", name, st.Mode())
				}
			}
			if len(segments) == 0 {
				t.Error("no segments are in the store")
			}
			for n := range 5 {
				row := w.capture("main", fmt.Sprintf("http://a.test/%d", n))
				w.reads(row, page(n))
				m, err := w.lib.Open(t.Context(), row)
				must(t, err)
				if size := m.Size(); n != 3 && size != int64(len(page(n))) {
					t.Errorf("%s, in place %v: page %d is said to have %d bytes", how, inPlace, n, size)
				}
				must(t, m.Close())
			}
		}
	}
}
