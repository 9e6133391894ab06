package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// The documentation site that every benchmark and crash test captures (Debian's python3-doc).
const pythonDocs = "/usr/share/doc/python3.11/html"

// docsSite serves the documentation as docs.test on a website of its own.
func docsSite(t testing.TB) *website {
	t.Helper()
	if _, err := os.Stat(filepath.Join(pythonDocs, "index.html")); err != nil {
		t.Fatalf("%v\nInstall the documentation: apt-get install python3-doc (make test does it)", err)
	}
	root := t.TempDir()
	if err := os.Symlink(pythonDocs, filepath.Join(root, "docs.test")); err != nil {
		t.Fatal(err)
	}
	return startWebsite(t, root)
}

// captureSite is the command that captures a whole site.
func captureSite(t testing.TB, w *website, archive string, more ...string) *exec.Cmd {
	t.Helper()
	args := append([]string{"capture", "--archive", archive, "--allow-private", "--delay", "0s", "--per-host", "8", "--links", "content",
		"--exclude", `^https?://[^/]*(org|com|net|io)/`, "--depth", "20", "--json"}, w.resolve("docs.test")...)
	args = append(args, more...)
	args = append(args, "http://docs.test:"+w.port+"/")
	cmd := linkstead(t, args...)
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// TestKilled kills a site capture at every kind of step, starts it again each time, and looks at what came of it: it goes
// on at once, nothing acknowledged is lost, each URL has one committed capture, and no more is fetched again than the
// killed worker had not acknowledged.
func TestKilled(t *testing.T) {
	t.Parallel()
	points := crashPoints()
	rand.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	for round := 0; len(points) > 0; round++ {
		if round == 10 {
			t.Fatalf("points %v were not reached", points)
		}
		w, archive, kills := docsSite(t), filepath.Join(t.TempDir(), "A"), 0
		// A point that a nearly complete capture does not reach any more is left for the next one.
		for len(points) > 0 && runCrashing(t, w, archive, points[0]) {
			points = points[1:]
			kills++
		}
		if len(points) == 0 {
			if _, err := captureSite(t, w, archive).Output(); err != nil {
				t.Fatalf("the last capture: %v\n%s", err, stderrOf(err))
			}
		}
		t.Logf("killed %d times; %d requests", kills, w.total())
		checkSite(t, w, archive, kills)
	}
}

// crashPoints are five or more points in each kind of step. Segments are made small, so that they are sealed and stored
// while the capture goes on.
func crashPoints() []string {
	var points []string
	for i := range 5 {
		points = append(points,
			fmt.Sprintf("write@.warc.gz:%d:half", 3+30*i),  // append: torn
			fmt.Sprintf("write@.warc.gz:%d:after", 5+30*i), // append: whole, not durable
			fmt.Sprintf("sync@.warc.gz:%d", 2+4*i),         // group commit: before the fsync
			fmt.Sprintf("sync@.warc.gz:%d:after", 3+4*i),   // group commit: between fsync and transaction
			fmt.Sprintf("close@.warc.gz:%d", 1+i%3),        // seal: the row says so
			fmt.Sprintf("link:%d", 1+i%3),                  // put: before the blob is there
			fmt.Sprintf("link:%d:after", 1+i%3),            // put: the blob is there, no row says so
			fmt.Sprintf("remove@.warc.gz:%d", 1+i%3))       // put: stored, the spool copy is still there
	}
	return points
}

// runCrashing runs a capture that is to die at a point, and says whether it did.
func runCrashing(t *testing.T, w *website, archive, point string) bool {
	t.Helper()
	cmd := captureSite(t, w, archive)
	cmd.Env = append(os.Environ(), crashVar+"="+point, "LINKSTEAD_SEGMENT_SIZE=600KiB")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return true
	}
	if err != nil {
		t.Fatalf("killed at %s: %v\n%s", point, err, stderr.String())
	}
	return false
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// checkSite compares an archive with the site that it was made from.
func checkSite(t *testing.T, w *website, archive string, kills int) {
	t.Helper()
	ctx := context.Background()
	db, err := storage.OpenDB(ctx, "sqlite:"+filepath.Join(archive, "linkstead.db"), storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := storage.OpenDir(archive, storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	lib := &warc.Library{Shelves: db, Blobs: blobs, Spool: filepath.Join(archive, "spool")}
	segments, err := db.Segments(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, s := range segments {
		if s.State != storage.SegmentStored {
			t.Errorf("segment %s is %s at the end", s.ID, s.State)
		}
		for c, err := range db.SegmentCaptures(ctx, s.ID) {
			if err != nil {
				t.Fatal(err)
			}
			seen[c.URL]++
			checkCapture(ctx, t, lib, w, c)
		}
	}
	if len(seen) < 550 {
		t.Errorf("%d URLs were captured, about 557 are there", len(seen))
	}
	for url, n := range seen {
		if n != 1 {
			t.Errorf("%s has %d committed captures", url, n)
		}
	}
	const unacknowledged = 48 + 8
	if again := w.total() - len(seen); again > kills*unacknowledged {
		t.Errorf("%d requests were made again after %d kills, more than %d each", again, kills, unacknowledged)
	}
	if err := strictRead(archive); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(archive, "spool", "*.warc.gz")); len(left) > 0 {
		t.Errorf("the spool still holds %v", left)
	}
}

// checkCapture reads a capture back and compares it with the file that was served.
func checkCapture(ctx context.Context, t *testing.T, lib *warc.Library, w *website, c storage.Capture) {
	t.Helper()
	m, err := lib.Open(ctx, c)
	if err != nil {
		t.Errorf("%s does not read back: %v", c.URL, err)
		return
	}
	defer m.Close()
	body, err := httpmsg.Decode(m.Payload, m.Original.Get("Content-Encoding"))
	if err != nil {
		t.Errorf("%s: %v", c.URL, err)
		return
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("%s: %v", c.URL, err)
	}
	if c.Status != 200 {
		return
	}
	name := strings.TrimPrefix(c.URL, "http://docs.test:"+w.port)
	name, _, _ = strings.Cut(name, "?")
	if strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	want, err := os.ReadFile(filepath.Join(pythonDocs, name))
	if err != nil {
		t.Errorf("%s: %v", c.URL, err)
		return
	}
	if g, n := sha256.Sum256(got), sha256.Sum256(want); g != n {
		t.Errorf("%s reads back as %s, was %s", c.URL, hex.EncodeToString(g[:4]), hex.EncodeToString(n[:4]))
	}
}
