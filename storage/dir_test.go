package storage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// otherDevice is a file system on which links from another folder than root fail, as if it were another device.
type otherDevice struct {
	storage.FS
	root string
}

func (o otherDevice) Link(oldname, newname string) error {
	if strings.HasPrefix(oldname, o.root+string(filepath.Separator)) {
		return o.FS.Link(oldname, newname)
	}
	return &os.LinkError{Op: "link", Old: oldname, New: newname, Err: syscall.EXDEV}
}

func openDir(t testing.TB, root string, fsys storage.FS) *storage.Dir {
	t.Helper()
	d, err := storage.OpenDir(root, fsys)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDirLinking(t *testing.T) {
	storagetest.Blobs(t, func(t testing.TB) storagetest.BlobStore { return openDir(t, t.TempDir(), storage.OS{}) })
}

func TestDirCopying(t *testing.T) {
	storagetest.Blobs(t, func(t testing.TB) storagetest.BlobStore {
		root := t.TempDir()
		return openDir(t, root, otherDevice{storage.OS{}, root})
	})
}

// TestDirAcrossDevices runs the suite across two real devices, where the machine has two.
func TestDirAcrossDevices(t *testing.T) {
	storagetest.Blobs(t, func(t testing.TB) storagetest.BlobStore {
		root, err := os.MkdirTemp(secondDevice(t.TempDir()), "linkstead-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.RemoveAll(root); err != nil {
				t.Error(err)
			}
		})
		return openDir(t, root, storage.OS{})
	})
}

// secondDevice is a folder on another device than dir's, or dir itself.
func secondDevice(dir string) string {
	const shm = "/dev/shm"
	var a, b syscall.Stat_t
	if syscall.Stat(dir, &a) == nil && syscall.Stat(shm, &b) == nil && a.Dev != b.Dev {
		return shm
	}
	return dir
}

// TestDirFaults fails every step of a put in turn. After each fault the store holds nothing or the whole blob, and a
// second try succeeds and is durable.
func TestDirFaults(t *testing.T) {
	for _, how := range []string{"linking", "copying"} {
		for _, when := range []storagetest.When{storagetest.Before, storagetest.Half, storagetest.After} {
			for n, reached := 1, true; reached; n++ {
				p := storagetest.Point{Op: storagetest.OpAny, N: n, When: when}
				t.Run(fmt.Sprintf("%s/%s", how, p), func(t *testing.T) { reached = faultyPut(t, how, p) })
			}
		}
	}
}

func faultyPut(t *testing.T, how string, p storagetest.Point) (reached bool) {
	top := t.TempDir()
	src, root := filepath.Join(top, "spool", "file"), filepath.Join(top, "blobs")
	want := []byte("a whole segment")
	if err := errors.Join(os.Mkdir(filepath.Dir(src), 0o755), os.WriteFile(src, want, 0o644)); err != nil {
		t.Fatal(err)
	}
	cut := storagetest.NewPowerCutFS(storage.OS{})
	if err := cut.SyncDir(top); err != nil {
		t.Fatal(err)
	}
	fault := storagetest.NewFaultFS(cut, p, nil)
	var fsys storage.FS = fault
	if how == "copying" {
		fsys = otherDevice{fsys, root}
	}
	var d *storage.Dir
	put := func() (err error) {
		if d == nil {
			if d, err = storage.OpenDir(root, fsys); err != nil {
				return err
			}
		}
		return d.Put(context.Background(), "col/seg.warc.gz", src, storagetest.Sum(want))
	}
	err := put()
	reached = fault.Seen() >= p.N
	if err != nil && !errors.Is(err, storagetest.ErrInjected) {
		t.Errorf("the put failed with %v", err)
	}
	got, err := os.ReadFile(filepath.Join(root, "col", "seg.warc.gz"))
	if err != nil && !errors.Is(err, os.ErrNotExist) || err == nil && string(got) != string(want) {
		t.Errorf("after the fault the store holds %q, %v", got, err)
	}
	if reached {
		if err := put(); err != nil {
			t.Errorf("the second try failed: %v", err)
		}
	}
	after := t.TempDir()
	if err := cut.Clone(top, after); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(after, "blobs", "col", "seg.warc.gz")); err != nil || string(got) != string(want) {
		t.Errorf("a power cut after the put leaves %q, %v", got, err)
	}
	return reached
}

// TestDirCrash ends the process at every step of a put in turn; another process opens the store and puts again.
func TestDirCrash(t *testing.T) {
	for _, how := range []string{"linking", "copying"} {
		for _, when := range []storagetest.When{storagetest.Before, storagetest.Half, storagetest.After} {
			for n, crashed := 1, true; crashed; n++ {
				p := storagetest.Point{Op: storagetest.OpAny, N: n, When: when}
				t.Run(fmt.Sprintf("%s/%s", how, p), func(t *testing.T) { crashed = crashedPut(t, how, p) })
			}
		}
	}
}

func crashedPut(t *testing.T, how string, p storagetest.Point) bool {
	top := t.TempDir()
	src, root := filepath.Join(top, "file"), filepath.Join(top, "blobs")
	want := []byte("a whole segment")
	if err := os.WriteFile(src, want, 0o644); err != nil {
		t.Fatal(err)
	}
	fsOf := func(fsys storage.FS) storage.FS {
		if how == "copying" {
			return otherDevice{fsys, root}
		}
		return fsys
	}
	crash := storagetest.NewCrashFS(storage.OS{}, p, func() {})
	if d, err := storage.OpenDir(root, fsOf(crash)); err == nil {
		_ = d.Put(t.Context(), "k", src, storagetest.Sum(want)) // the process is gone; only the folder counts
	}
	again := openDir(t, root, fsOf(storage.OS{}))
	if b, err := again.Stat(t.Context(), "k"); err == nil && b.Size != int64(len(want)) {
		t.Errorf("the crash left a torn blob of %d bytes", b.Size)
	}
	if err := again.Put(t.Context(), "k", src, storagetest.Sum(want)); err != nil {
		t.Error(err)
	}
	names, err := os.ReadDir(root)
	if err != nil || len(names) != 1 {
		t.Errorf("the folder holds %v, %v", names, err)
	}
	return crash.Crashed()
}

// TestDirRelativeRoot: folders are made and named durably below a root that is given in a relative form.
func TestDirRelativeRoot(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("file", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{".", "./blobs/", "deep/er/../blobs"} {
		fsys := storagetest.NewFaultFS(storage.OS{}, storagetest.Point{Op: storagetest.OpSyncDir, N: 1 << 30}, nil)
		d := openDir(t, root, fsys)
		before := fsys.Seen()
		if err := d.Put(t.Context(), "a/b/c", "file", storagetest.Sum([]byte("x"))); err != nil {
			t.Errorf("root %q: %v", root, err)
		}
		if n := fsys.Seen() - before; n != 3 {
			t.Errorf("root %q: %d folders synced, want 3: a/b, a, the root", root, n)
		}
		var got []string
		for b, err := range d.List(t.Context(), "a/") {
			got = append(got, b.Key)
			if err != nil {
				t.Error(err)
			}
		}
		if fmt.Sprint(got) != "[a/b/c]" {
			t.Errorf("root %q lists %q", root, got)
		}
		if err := d.Delete(t.Context(), "a/b/c"); err != nil {
			t.Error(err)
		}
	}
}

// What is no file stands in nobody's way: it is listed as what it is, and opening it waits for nobody.
func TestDirPassesOverWhatIsNoFile(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root, storage.OS{})
	path := filepath.Join(root, "a", "file")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("bytes"), 0o644),
		syscall.Mkfifo(filepath.Join(root, "a", "pipe"), 0o644), os.Symlink(path, filepath.Join(root, "a", "link")),
		os.Symlink(filepath.Join(root, "nowhere"), filepath.Join(root, "a", "void")), os.Symlink(root, filepath.Join(root, "a", "round"))); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(root, "a", "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := map[string]string{}
	for b, err := range d.List(t.Context(), "a/") {
		if err != nil {
			t.Fatal(err)
		}
		got[b.Key] = b.Odd
	}
	want := map[string]string{"a/file": "", "a/pipe": "a named pipe", "a/link": "a symbolic link", "a/void": "a symbolic link", "a/round": "a symbolic link", "a/socket": "a socket"}
	if !maps.Equal(got, want) {
		t.Errorf("listed %v", got)
	}
	for _, key := range []string{"a/pipe", "a/socket", "a/void", "a/round", "a"} {
		if _, err := d.Open(t.Context(), key, 0, -1); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("open %s: %v", key, err)
		}
		if _, err := d.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("stat %s: %v", key, err)
		}
	}
	sum := sha256.Sum256([]byte("bytes"))
	if err := d.Put(t.Context(), "a/pipe", path, hex.EncodeToString(sum[:])); err == nil {
		t.Error("a named pipe holds the bytes")
	}
	in, err := d.Open(t.Context(), "a/link", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(in); err != nil || string(b) != "bytes" {
		t.Errorf("a link to a file holds %q, %v", b, err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
}
