package storage_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

func holdSpool(t testing.TB, dir string) *storage.Spool {
	t.Helper()
	s, err := storage.HoldSpool(dir, storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // tests that look at Close call it themselves
	return s
}

func TestSpoolOneHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "spool")
	s := holdSpool(t, dir)
	for range 2 {
		if _, err := storage.HoldSpool(dir, storage.OS{}); !errors.Is(err, storage.ErrBusy) {
			t.Errorf("a second holder: %v, want ErrBusy", err)
		}
	}
	if out := inAnotherProcess(t, "hold", dir); !strings.HasPrefix(out, "busy") {
		t.Errorf("another process says %q, want busy", out)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out := inAnotherProcess(t, "hold", dir); out != "node "+s.Node() {
		t.Errorf("once it is free, another process says %q, want the node's name %s", out, s.Node())
	}
	if again := holdSpool(t, dir); again.Node() != s.Node() || s.Node() == "" {
		t.Errorf("the node was %q and is %q", s.Node(), again.Node())
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "node"), []byte("a\x1b[2J\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.HoldSpool(broken, storage.OS{}); err == nil || !strings.Contains(err.Error(), `no name of a node: "a\x1b[2J"`) {
		t.Errorf("a node without a plain name: %v", err)
	}
	if other := holdSpool(t, t.TempDir()); other.Node() == s.Node() {
		t.Errorf("two spools have the node name %q", s.Node())
	}
}

// TestSpoolLockGoesWithTheProcess: a holder that is killed leaves no lock.
func TestSpoolLockGoesWithTheProcess(t *testing.T) {
	dir := t.TempDir()
	if out := inAnotherProcess(t, "hold and die", dir); !strings.HasPrefix(out, "node ") {
		t.Fatalf("the other process says %q", out)
	}
	holdSpool(t, dir)
}

// inAnotherProcess runs this test binary again, to play a part in TestAnotherProcess.
func inAnotherProcess(t *testing.T, part string, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAnotherProcess$")
	cmd.Env = append(os.Environ(), "STORAGE_PART="+part, "STORAGE_ARGS="+strings.Join(args, "\n"))
	out, err := cmd.Output()
	text, _, _ := strings.Cut(string(out), "\n") // what the test framework prints comes after
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.Exited()) {
		t.Fatalf("the other process: %v, %s", err, out)
	}
	return text
}

// TestAnotherProcess is the part of the other process in tests that need one.
func TestAnotherProcess(t *testing.T) {
	args := strings.Split(os.Getenv("STORAGE_ARGS"), "\n")
	switch part := os.Getenv("STORAGE_PART"); part {
	case "":
	case "hold", "hold and die":
		s, err := storage.HoldSpool(args[0], storage.OS{})
		if errors.Is(err, storage.ErrBusy) {
			fmt.Println("busy")
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("node " + s.Node())
		if part == "hold and die" {
			storagetest.KillSelf()
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	case "work":
		fmt.Println(workAlong(t, args[0]))
	default:
		t.Fatalf("no part %q", part)
	}
}

func TestSpoolSegments(t *testing.T) {
	s := holdSpool(t, t.TempDir())
	f, err := s.Create("seg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create("seg"); err == nil {
		t.Error("two segments of one name")
	}
	if _, err := f.Write([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	f, size, err := s.Open("seg")
	if err != nil || size != 10 {
		t.Fatalf("opened again: %d bytes, %v", size, err)
	}
	if err := f.Truncate(6); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("ab")); err != nil { // appends, wherever the cut was
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if _, err := f.ReadAt(b, 4); err != nil || string(b) != "45ab" {
		t.Errorf("after cut and append it reads %q, %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Drop("seg"); err != nil {
			t.Errorf("drop: %v", err)
		}
	}
	if _, _, err := s.Open("seg"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("open after drop: %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(s.Temp()); err != nil {
		t.Error(err)
	}
}

// TestSpoolFaults fails every step of taking a new spool in turn; the second try gets a name that stays.
func TestSpoolFaults(t *testing.T) {
	for n, reached := 1, true; reached; n++ {
		dir := filepath.Join(t.TempDir(), "spool")
		fsys := storagetest.NewFaultFS(storage.OS{}, storagetest.Point{Op: storagetest.OpAny, N: n}, nil)
		s, err := storage.HoldSpool(dir, fsys)
		reached = fsys.Seen() >= n
		if reached != (err != nil) || err != nil && !errors.Is(err, storagetest.ErrInjected) {
			t.Fatalf("step %d: %v", n, err)
		}
		if err != nil {
			if s, err = storage.HoldSpool(dir, fsys); err != nil {
				t.Fatalf("step %d, the second try: %v", n, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if again := holdSpool(t, dir); again.Node() != s.Node() {
			t.Errorf("step %d: the node was %q and is %q", n, s.Node(), again.Node())
		}
	}
}

// TestSpoolPowerCut: the name of the node and those of segments outlive a power cut.
func TestSpoolPowerCut(t *testing.T) {
	top, after := t.TempDir(), t.TempDir()
	cut := storagetest.NewPowerCutFS(storage.OS{})
	s, err := storage.HoldSpool(filepath.Join(top, "spool"), cut)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Create("seg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("torn")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cut.Clone(top, after), f.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	again := holdSpool(t, filepath.Join(after, "spool"))
	if again.Node() != s.Node() {
		t.Errorf("the node was %q and is %q", s.Node(), again.Node())
	}
	f, size, err := again.Open("seg")
	if err != nil || size != 0 {
		t.Fatalf("the segment has %d bytes, %v, want the name and no bytes", size, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolCleansTemp: what a process left in the temporary folder goes when the next one takes the role.
func TestSpoolCleansTemp(t *testing.T) {
	dir := t.TempDir()
	s := holdSpool(t, dir)
	left := filepath.Join(s.Temp(), "spill-1")
	if err := errors.Join(os.WriteFile(left, []byte("x"), 0o644), s.Close()); err != nil {
		t.Fatal(err)
	}
	holdSpool(t, dir)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the spill of a dead process is still there: %v", err)
	}
}
