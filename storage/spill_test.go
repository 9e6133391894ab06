package storage_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"linkstead/storage"
)

func TestSpill(t *testing.T) {
	dir := t.TempDir()
	s := storage.NewSpill(dir, 10)
	write := func(text string) {
		t.Helper()
		if n, err := s.Write([]byte(text)); err != nil || n != len(text) {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	expect := func(want string, inMemory bool) {
		t.Helper()
		got, err := io.ReadAll(s.From(0))
		if err != nil || string(got) != want || s.Size() != int64(len(want)) {
			t.Errorf("it holds %q, %v, size %d, want %q", got, err, s.Size(), want)
		}
		if b, ok := s.Bytes(); ok != inMemory || ok && string(b) != want {
			t.Errorf("Bytes = %q, %v, want in memory: %v", b, ok, inMemory)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("a file with a name: %v, %v", left, err)
		}
	}
	expect("", true)
	write("0123456789")
	expect("0123456789", true)
	write("ab")
	expect("0123456789ab", false)
	if err := s.Truncate(11); err != nil {
		t.Fatal(err)
	}
	expect("0123456789a", false)
	if err := s.Truncate(3); err != nil {
		t.Fatal(err)
	}
	write("xyz")
	expect("012xyz", false)
	if err := s.Truncate(100); err != nil {
		t.Fatal(err)
	}
	expect("012xyz", false)
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	expect("", true)
	write("anew")
	if err := s.Truncate(2); err != nil {
		t.Fatal(err)
	}
	expect("an", true)
	write("0123456789") // above the threshold in one write
	expect("an0123456789", false)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	expect("", true)

	bad := storage.NewSpill(filepath.Join(dir, "none"), 1)
	write2 := func() error { _, err := bad.Write([]byte("ab")); return err }
	if err := write2(); !errors.Is(err, os.ErrNotExist) || bad.Size() != 0 {
		t.Errorf("no folder for the file: %v, size %d", err, bad.Size())
	}
}

func TestSpillReadAt(t *testing.T) {
	want := []byte("0123456789")
	for _, limit := range []int64{0, 9, 10, 100} {
		s := storage.NewSpill(t.TempDir(), limit)
		if _, err := s.Write(want); err != nil {
			t.Fatal(err)
		}
		r := bytes.NewReader(want)
		for off := range int64(13) {
			for n := range 13 {
				if off == 10 && n == 0 {
					continue // readers differ here
				}
				a, b := make([]byte, n), make([]byte, n)
				i, err := s.ReadAt(a, off)
				j, werr := r.ReadAt(b, off)
				if i != j || !errors.Is(err, werr) || !bytes.Equal(a, b) {
					t.Errorf("limit %d: ReadAt(%d bytes, %d) = %d %q, %v, want %d %q, %v", limit, n, off, i, a, err, j, b, werr)
				}
			}
		}
		var g errgroup.Group
		for off := range int64(8) {
			g.Go(func() error {
				got, err := io.ReadAll(s.From(off))
				if err == nil && !bytes.Equal(got, want[off:]) {
					err = errors.New("wrong bytes")
				}
				return err
			})
		}
		if err := errors.Join(g.Wait(), s.Close()); err != nil {
			t.Errorf("limit %d, many readers: %v", limit, err)
		}
	}
}

// TestSpillModel: whatever the threshold, a spill is a buffer.
func TestSpillModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var want []byte
		s := storage.NewSpill(dir, rapid.Int64Range(0, 40).Draw(rt, "limit"))
		defer s.Close()
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				p := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "bytes")
				if n, err := s.Write(p); n != len(p) || err != nil {
					rt.Fatal(n, err)
				}
				want = append(want, p...)
			},
			"truncate": func(rt *rapid.T) {
				n := rapid.IntRange(0, 60).Draw(rt, "to")
				if err := s.Truncate(int64(n)); err != nil {
					rt.Fatal(err)
				}
				want = want[:min(n, len(want))]
			},
			"reset": func(rt *rapid.T) {
				if err := s.Reset(); err != nil {
					rt.Fatal(err)
				}
				want = want[:0]
			},
			"": func(rt *rapid.T) {
				if got, err := io.ReadAll(s.From(0)); err != nil || !bytes.Equal(got, want) {
					rt.Fatalf("it holds %q, %v, want %q", got, err, want)
				}
			},
		})
	})
}
