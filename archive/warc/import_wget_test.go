package warc

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportWget imports what wget writes, in its ways to write it, and reads the pages.
func TestImportWget(t *testing.T) {
	wget, err := exec.LookPath("wget")
	if err != nil {
		t.Fatalf("the tests need wget (.ci/deps): %v", err)
	}
	long := "<title>Long</title>" + strings.Repeat("<p>words and words", 5000)
	pages := map[string]string{"/": "<title>Front</title><a href=/long>long</a><a href=/chunks>chunks</a>", "/long": long, "/chunks": "<p>in chunks"}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/chunks" {
			rw.(http.Flusher).Flush()
		}
		_, _ = fmt.Fprint(rw, body)
	}))
	defer srv.Close()
	for _, mode := range [][]string{nil, {"--no-warc-compression"}, {"--no-warc-digests"}, {"--warc-cdx"}, {"--no-warc-compression", "--no-warc-digests", "--no-warc-keep-log"}, {"--warc-header=operator: somebody"}} {
		w := newWorld(t, nil, nil)
		out := filepath.Join(w.dir, "wget")
		must(t, os.MkdirAll(out, 0o755))
		args := append([]string{"--no-config", "--quiet", "--no-proxy", "--tries=2", "--timeout=60", "-r", "-l2", "-e", "robots=off", "--delete-after", "--warc-file=w", "--warc-tempdir=" + out}, mode...)
		cmd := exec.CommandContext(t.Context(), wget, append(args, srv.URL+"/")...)
		cmd.Dir = out
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("wget %v: %v\n%s", mode, err, b)
		}
		files, err := filepath.Glob(filepath.Join(out, "w.warc*"))
		must(t, err)
		if len(files) != 1 {
			t.Fatalf("wget %v wrote %v", mode, files)
		}
		b, err := os.ReadFile(files[0])
		must(t, err)
		if rep := w.takeIn("main", string(b)); rep.Skips > 0 || rep.Odd > 0 || rep.Captures < len(pages) {
			t.Errorf("%v: %+v", mode, rep)
		}
		for path, body := range pages {
			w.reads(w.capture("main", srv.URL+path), body)
		}
	}
}

// TestImportWgetWithoutDigests: wget 1.21 with --no-warc-digests writes bytes of its memory where a response's digest would stand. Whatever
// they are, the response is imported, read, verified and rebuilt.
func TestImportWgetWithoutDigests(t *testing.T) {
	const url, body = "http://blog.test/", "<title>Front</title>"
	for _, garbage := range []string{"\xd0\xbaU", "\xd0\n\x8bUV", "\xd0\n:UV", "\xd0\n \tV", "\xd0\r\x8bV", "\xd0\nW\nV"} {
		file := strings.Replace(wildRecord("WARC/1.0", url, body, "\r\n", 0), "Content-Type", "WARC-Block-Digest: "+garbage+"\r\nWARC-Payload-Digest: \r\nContent-Type", 1)
		for _, file := range []string{file, zipped(file)} {
			w := newWorld(t, nil, nil)
			if rep := w.takeIn("main", file); rep.Skips > 0 || rep.Odd > 0 || rep.Captures != 1 {
				t.Errorf("%q: %+v", garbage, rep)
				continue
			}
			w.reads(w.capture("main", url), body)
			w.verifiesClean()
			w.rebuildOver()
			w.reads(w.capture("main", url), body)
		}
	}
}
