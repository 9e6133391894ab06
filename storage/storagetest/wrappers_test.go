package storagetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"linkstead/storage"
)

func TestParsePoint(t *testing.T) {
	for _, s := range []string{"write:17", "sync@.warc.gz:3:after", "link:1+", "any:2:half", "put:1+:after"} {
		p, err := ParsePoint(s)
		if err != nil || p.String() != s {
			t.Errorf("ParsePoint(%q) = %v, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "write", "write:", "write:0", "write:x", "read:1", ":1", "write:1:never", "write:-1"} {
		if p, err := ParsePoint(s); err == nil {
			t.Errorf("ParsePoint(%q) = %v, want an error", s, p)
		}
	}
}

// twoWrites writes two pieces and syncs; it stops at the first error, as every caller must.
func twoWrites(fs storage.FS, path string) error {
	f, err := fs.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	for range 2 {
		if _, err := f.Write([]byte("abcd")); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Close(), fs.SyncDir(filepath.Dir(path)))
}

func TestFaultFS(t *testing.T) {
	for point, want := range map[string]string{
		"open:1":           "",
		"write:1":          "",
		"write:2":          "abcd",
		"write:2:half":     "abcdab",
		"write:2:after":    "abcdabcd",
		"write:1+:half":    "ab",
		"sync:1":           "abcdabcd",
		"close:1":          "abcdabcd",
		"syncdir:1":        "abcdabcd",
		"write@x.gz:1":     "",
		"any:3":            "abcd",
		"truncate:1":       "no fault",
		"write@.other:1":   "no fault",
		"write@x.gz:3":     "no fault",
		"any:1000000:half": "no fault",
	} {
		p, err := ParsePoint(point)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.gz")
		fs := NewFaultFS(storage.OS{}, p, nil)
		err = twoWrites(fs, path)
		if want == "no fault" {
			if err != nil {
				t.Errorf("%s: %v", point, err)
			}
			continue
		}
		if !errors.Is(err, ErrInjected) || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: error %v, want ErrInjected", point, err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("%s: the file holds %q, want %q", point, got, want)
		}
	}
	count := NewFaultFS(storage.OS{}, Point{Op: OpAny, N: 1 << 30}, nil)
	if err := twoWrites(count, filepath.Join(t.TempDir(), "x")); err != nil || count.Seen() != 6 {
		t.Errorf("%d operations, %v, want 6", count.Seen(), err)
	}
}

func TestCrashFSWithinOneProcess(t *testing.T) {
	for when, want := range map[When]string{Before: "abcd", Half: "abcdab", After: "abcdabcd"} {
		path := filepath.Join(t.TempDir(), "x")
		calls := 0
		fs := NewCrashFS(storage.OS{}, Point{Op: OpWrite, N: 2, When: when}, func() { calls++ })
		if err := twoWrites(fs, path); !errors.Is(err, ErrCrashed) || calls != 1 || !fs.Crashed() {
			t.Errorf("%q: %v, %d calls", when, err, calls)
		}
		if err := fs.Remove(path); !errors.Is(err, ErrCrashed) {
			t.Errorf("%q: a dead process removed a file: %v", when, err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("%q: the file holds %q, want %q", when, got, want)
		}
	}
}

func TestKillSelf(t *testing.T) {
	if path := os.Getenv("STORAGETEST_KILL"); path != "" {
		_ = twoWrites(NewCrashFS(storage.OS{}, Point{Op: OpWrite, N: 2, When: Half}, KillSelf), path)
		t.Fatal("survived")
	}
	path := filepath.Join(t.TempDir(), "x")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKillSelf$")
	cmd.Env = append(os.Environ(), "STORAGETEST_KILL="+path)
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v, want SIGKILL", err)
	}
	if got, err := os.ReadFile(path); string(got) != "abcdab" {
		t.Errorf("it left %q, %v", got, err)
	}
}

func TestPowerCutFS(t *testing.T) {
	src := t.TempDir()
	fs := NewPowerCutFS(storage.OS{})
	sub := filepath.Join(src, "a")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := twoWrites(fs, filepath.Join(sub, "kept")); err != nil {
		t.Fatal(err)
	}
	left := func() map[string]string {
		dst, got := t.TempDir(), map[string]string{}
		if err := fs.Clone(src, dst); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(dst, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			rel, _ := filepath.Rel(dst, path)
			got[rel] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := left(); len(got) != 0 {
		t.Errorf("nobody made the folder's own name durable, but %v is left", got)
	}
	if err := fs.SyncDir(src); err != nil {
		t.Fatal(err)
	}
	if got := left(); got["a/kept"] != "abcdabcd" {
		t.Errorf("synced bytes are gone: %v", got)
	}
	if err := fs.Link(filepath.Join(sub, "kept"), filepath.Join(sub, "linked")); err != nil {
		t.Fatal(err)
	}
	f, err := fs.OpenFile(filepath.Join(sub, "kept"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("unsynced")); err != nil {
		t.Fatal(err)
	}
	if got := left(); len(got) != 1 || got["a/kept"] != "abcdabcd" {
		t.Errorf("what was not synced is left: %v", got)
	}
	if err := errors.Join(f.Sync(), fs.SyncDir(sub), f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := left(); got["a/linked"] != "abcdabcdunsynced" || got["a/kept"] != "abcdabcdunsynced" {
		t.Errorf("a link shares the bytes: %v", got)
	}
}
