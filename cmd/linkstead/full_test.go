package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// smallSite is a post with some sources.
func smallSite(t *testing.T) *website {
	t.Helper()
	root := t.TempDir()
	var links strings.Builder
	for i := range 8 {
		fmt.Fprintf(&links, `<p>See <a href="http://source.test:{{PORT}}/%d.html">source %d</a>.</p>`, i, i)
		writeFile(t, filepath.Join(root, "source.test", fmt.Sprintf("%d.html", i)), fmt.Sprintf("<p>page %d</p>%s", i, noise(i)))
	}
	writeFile(t, filepath.Join(root, "blog.test", "post.html"), "<html><head><title>A post</title></head><body><article>"+links.String()+"</article></body></html>")
	return startWebsite(t, root)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// smallCapture are the arguments that capture it.
func smallCapture(w *website, archive string) []string {
	return append([]string{"capture", "--archive", archive, "--allow-private", "--delay", "0s", "--json", "http://blog.test:" + w.port + "/post.html"},
		w.resolve("blog.test", "source.test")...)
}

var smallSegments = []string{"LINKSTEAD_SEGMENT_SIZE=64KiB"}

// TestFullSteps lets the disk be full at each step of the file system in turn, once. The capture pauses, says so once, goes on
// by itself, and misses nothing: no task has failed, nothing torn is stored.
func TestFullSteps(t *testing.T) {
	t.Parallel()
	w := smallSite(t)
	for _, p := range []storagetest.Point{
		{Op: storagetest.OpOpen}, {Op: storagetest.OpWrite}, {Op: storagetest.OpWrite, When: storagetest.Half},
		{Op: storagetest.OpSync}, {Op: storagetest.OpSync, When: storagetest.After}, {Op: storagetest.OpLink}, {Op: storagetest.OpSyncDir},
	} {
		t.Run(strings.TrimSuffix(p.String(), ":0"), func(t *testing.T) {
			const stride = 6
			p.N = 1 + rand.IntN(stride)
			for ; fullOnce(t, w, p) && !t.Failed(); p.N += stride {
			}
		})
	}
}

// fullOnce captures while the disk is full at a point, and says whether that was reached.
func fullOnce(t *testing.T, w *website, at storagetest.Point) bool {
	archive := filepath.Join(t.TempDir(), "A")
	fsys := storagetest.NewFaultFS(storage.OS{}, at, syscall.ENOSPC)
	var out, said bytes.Buffer
	p := &program{args: smallCapture(w, archive), vars: smallSegments, stdout: &out, stderr: &said, stdin: strings.NewReader(""), fs: fsys,
		getenv: func(name string) string {
			value, _ := strings.CutPrefix(smallSegments[0], name+"=")
			if value == smallSegments[0] {
				return ""
			}
			return value
		}}
	code := p.run(context.Background())
	reached := fsys.Seen() >= at.N
	// Steps before a worker has begun fail the command, which says what to try: nothing has been promised yet.
	if early := strings.Contains(said.String(), "open spool") || strings.Contains(said.String(), "open blob folder"); early && code == exitFailed {
		if !strings.Contains(said.String(), "The disk is full") {
			t.Errorf("%s: %s", at, &said)
		}
		return reached
	}
	if code != exitOK {
		t.Errorf("%s: exit %d\n%s", at, code, &said)
	}
	if n := strings.Count(said.String(), "goes on by itself"); n > 1 {
		t.Errorf("%s: it is told %d times\n%s", at, n, &said)
	}
	if !strings.Contains(out.String(), `"captured": 8`) {
		t.Errorf("%s: not all was captured\n%s", at, &out)
	}
	if code, v := verifyJSON(t, archive); code != exitOK {
		t.Errorf("%s: verify: exit %d\n%s", at, code, listed(v.Faults))
	}
	if err := strictRead(archive); err != nil {
		t.Errorf("%s: %v", at, err)
	}
	if err := os.RemoveAll(archive); err != nil {
		t.Error(err)
	}
	return reached
}

// Variables by which the program under test is given a small disk of its own: a tmpfs at a folder, of which a ballast takes
// most.
const (
	smallDiskVar = "TEST_LINKSTEAD_DISK"   // FOLDER
	ballast      = "ballast"               // a file on it
	diskSize     = 32 << 20                // bytes
	diskLeft     = 1100 << 10              // beside the ballast
	diskLeftVar  = "TEST_LINKSTEAD_LEFT"   // bytes, in place of that
	thenVerify   = "TEST_LINKSTEAD_VERIFY" // verify the archive when the command has ended well
	thenList     = "TEST_LINKSTEAD_LIST"   // FOLDER whose files are told of in the end
)

// smallDisk mounts it. The program runs in namespaces of its own, so that the disk goes with it.
func smallDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	left := diskLeft
	if s := os.Getenv(diskLeftVar); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return err
		}
		left = n
	}
	return os.WriteFile(filepath.Join(dir, ballast), make([]byte, diskSize-left), 0o644)
}

// onSmallDisk has a command run on a disk of its own, at a folder, with some bytes left.
func onSmallDisk(t *testing.T, dir string, left int, args ...string) (string, error) {
	t.Helper()
	cmd := linkstead(t, args...)
	cmd.Env = append(os.Environ(), smallDiskVar+"="+dir, diskLeftVar+"="+strconv.Itoa(left), thenList+"="+dir)
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestFullDiskOfRows: a rebuild that has no room for the new database leaves nothing of it behind, and a verification that can't
// note how far it has come verifies all the same.
func TestFullDiskOfRows(t *testing.T) {
	t.Parallel()
	w := smallSite(t)
	archive := filepath.Join(t.TempDir(), "A")
	if code, said := inProcess(t, nil, smallCapture(w, archive)...); code != exitOK {
		t.Fatalf("capture: %d\n%s", code, said)
	}
	dir := t.TempDir()
	for _, left := range []int{0, 16 << 10, 100 << 10, 200 << 10, 300 << 10} {
		out, err := onSmallDisk(t, dir, left, "rebuild", "--archive", archive, "--db", "sqlite:"+filepath.Join(dir, "rows.db"))
		if err == nil || !strings.Contains(out, "The old database was left as it is") || !strings.HasSuffix(out, "["+filepath.Join(dir, ballast)+"]\n") {
			t.Errorf("a rebuild with %d bytes left: %v\n%s", left, err, out)
		}
	}
	out, err := onSmallDisk(t, dir, 0, "verify", "--archive", archive, "--state", filepath.Join(dir, "state"))
	if err != nil || !strings.Contains(out, "The verification goes on") || !strings.Contains(out, "No faults.") {
		t.Errorf("a verification that can't be noted: %v\n%s", err, out)
	}
}

// TestFullDisk fills a real file system: spool, store and database are on it. Whatever is written when it is full, be it a
// segment, a spill or SQLite's journal, the capture pauses with a message that names the folder and what is left, and goes on
// when there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w := smallSite(t)
	for i := range 60 { // more than fits
		writeFile(t, filepath.Join(w.root, "source.test", fmt.Sprintf("%d.html", i)), noise(i))
	}
	var links strings.Builder
	for i := range 60 {
		fmt.Fprintf(&links, `<p>See <a href="http://source.test:{{PORT}}/%d.html">source %d</a>.</p>`, i, i)
	}
	writeFile(t, filepath.Join(w.root, "blog.test", "post.html"), "<html><head><title>A post</title></head><body><article>"+links.String()+"</article></body></html>")
	dir := t.TempDir()
	cmd := linkstead(t, smallCapture(w, filepath.Join(dir, "A"))...)
	cmd.Env = append(os.Environ(), smallDiskVar+"="+dir, thenVerify+"=1", "LINKSTEAD_SPOOL_FREE=0B", smallSegments[0])
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start a program in namespaces of its own: %v", err)
	}
	stop := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	said := watchFull(t, cmd, stderr, filepath.Join(dir, ballast))
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, said, &out)
	}
	if !strings.Contains(said, " is full: ") || !strings.Contains(said, dir) || !strings.Contains(said, "room again") {
		t.Errorf("not all of it is said:\n%s", said)
	}
	if n := strings.Count(said, "The disk is full"); n > 1 {
		t.Errorf("it is told %d times:\n%s", n, said)
	}
	for _, want := range []string{`"captured": 60`, `"ok": true`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not there:\n%s", want, &out)
		}
	}
}

// watchFull reads what a program says, and makes room once it says that its disk, or the store on it, is full.
func watchFull(t *testing.T, cmd *exec.Cmd, stderr io.Reader, name string) string {
	t.Helper()
	var said []string
	made := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(said, lines.Text())
		if full := strings.Contains(lines.Text(), "The disk is full") || strings.Contains(lines.Text(), "the store is full"); full && !made {
			made = true
			if err := os.Remove(fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, name)); err != nil {
				t.Errorf("make room: %v", err)
			}
		}
	}
	return strings.Join(said, "\n")
}
