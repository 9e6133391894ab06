package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// TestPurgeKilled kills a purge as by kill -9 at every kind of step. Whatever was done by then: captures that stay read
// back, what goes is gone wholly or not at all, and the same command finishes it and leaves nothing behind.
func TestPurgeKilled(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	secret := "<p>" + strings.Repeat("the secret words ", 40)
	for name, text := range map[string]string{
		"blog.test/post.html":  `<title>post</title><article><p><a href="http://src.test:{{PORT}}/secret.html">a</a> <a href="http://src.test:{{PORT}}/twin.html">b</a> <a href="http://src.test:{{PORT}}/else.html">c</a></p></article>`,
		"src.test/secret.html": secret, "src.test/twin.html": secret, "src.test/else.html": "something else",
	} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	w := startWebsite(t, root)
	reached := map[string]bool{}
	ops := []string{"open", "write@.warc.gz:half", "sync@.warc.gz:after", "link", "link:after", "remove", "remove:after", "syncdir"}
	for _, op := range ops {
		name, when, _ := strings.Cut(op, ":")
		for n := 1; n < 9; n += 1 + rand.IntN(2) { // another run takes the others
			point := fmt.Sprintf("%s:%d", name, n)
			if when != "" {
				point += ":" + when
			}
			if !purgeKilledAt(t, w, point) {
				break
			}
			reached[op] = true
		}
		if !reached[op] {
			t.Errorf("no purge was killed at %s", op)
		}
	}
}

// purgeKilledAt makes an archive, kills a purge in it at a point, and looks. It says whether the purge died.
func purgeKilledAt(t *testing.T, w *website, point string) bool {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "A")
	post := "http://blog.test:" + w.port + "/post.html"
	for range 2 { // the second one is all revisits
		runKilled(t, "", append([]string{"capture", "--archive", archive, "--allow-private", "--delay", "0s", "--robots", "ignore", post},
			w.resolve("blog.test", "src.test")...)...)
	}
	secret := "http://src.test:" + w.port + "/secret.html"
	purge := []string{"purge", "--archive", archive, "--yes", "--reason", "a test", secret}
	died := runKilled(t, point, purge...)
	if n := readAll(t, archive, "http://src.test:"+w.port, false); n != 0 && n != 2 {
		t.Errorf("killed at %s: %d of 2 captures are purged", point, 2-n)
	}
	runKilled(t, "", purge...)
	if n := readAll(t, archive, "http://src.test:"+w.port, true); n != 0 {
		t.Errorf("killed at %s, and purged again: %d captures are left", point, n)
	}
	if err := strictRead(archive); err != nil {
		t.Errorf("killed at %s: %v", point, err)
	}
	want, err := dumpOf(archive)
	if err != nil {
		t.Fatal(err)
	}
	runKilled(t, "", "rebuild", "--archive", archive)
	if got, err := dumpOf(archive); err != nil || got != want {
		t.Errorf("killed at %s: a rebuild makes other rows (%v):\n%s\nnot\n%s", point, err, got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(archive, "spool", "purge", "*")); len(left) > 0 {
		t.Errorf("killed at %s: %v is left", point, left)
	}
	return died
}

func dumpOf(archive string) (string, error) {
	return dumpRows("sqlite:" + filepath.Join(archive, "linkstead.db"))
}

// runKilled runs the program, and kills it at a point unless that is empty. It says whether it died.
func runKilled(t *testing.T, point string, args ...string) bool {
	t.Helper()
	cmd := linkstead(t, args...)
	if point != "" {
		cmd.Env = append(os.Environ(), crashVar+"="+point)
	}
	var out bytes.Buffer
	cmd.Stderr, cmd.Stdout = &out, io.Discard
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return true
	}
	if err != nil {
		t.Fatalf("%q, to be killed at %q: %v\n%s", args, point, err, out.String())
	}
	return false
}

// readAll reads every capture of a site back, and counts those of the secret page. Each segment of the database must be in
// the store, and nothing else once the purge is finished.
func readAll(t *testing.T, archive, site string, finished bool) (secrets int) {
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
	var named []string
	twins := 0
	for _, s := range segments {
		named = append(named, filepath.Join(archive, s.Location))
		for c, err := range db.SegmentCaptures(ctx, s.ID) {
			if err != nil {
				t.Fatal(err)
			}
			m, err := lib.Open(ctx, c)
			if err != nil {
				t.Errorf("%s does not read back: %v", c.URL, err)
				continue
			}
			body, err := io.ReadAll(m.Payload)
			if err = errors.Join(err, m.Close()); err != nil {
				t.Error(err)
			}
			switch c.URL {
			case site + "/secret.html":
				secrets++
			case site + "/twin.html":
				twins++
				if !strings.HasPrefix(string(body), "<p>the secret words") {
					t.Errorf("%s reads back as %.40q", c.URL, body)
				}
			}
		}
	}
	if twins != 2 {
		t.Errorf("%d captures of the twin are left, not 2", twins)
	}
	doomed, err := db.Doomed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	there, _ := filepath.Glob(filepath.Join(archive, "warc", "*", "*"))
	slices.Sort(named)
	if finished && (len(doomed) > 0 || !slices.Equal(there, named)) {
		t.Errorf("the store holds %q, rows name %q, doomed are %q", there, named, doomed)
	}
	return secrets
}
