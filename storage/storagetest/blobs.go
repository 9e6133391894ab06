package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// Sum is the lower-case hex SHA-256 of b, as Put wants it.
func Sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// put writes b to a file and puts that file.
func put(t testing.TB, s BlobStore, key string, b []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return s.Put(t.Context(), key, path, Sum(b))
}

// get reads n bytes of a blob from off.
func get(s BlobStore, key string, off, n int64) ([]byte, error) {
	r, err := s.Open(context.Background(), key, off, n)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func keys(t testing.TB, s BlobStore, prefix string) []string {
	t.Helper()
	var out []string
	for b, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("List(%q): %v", prefix, err)
		}
		out = append(out, b.Key)
	}
	return out
}

// Blobs holds a store to the contract of blob stores. Each call of open gives an empty store.
func Blobs(t *testing.T, open func(t testing.TB) BlobStore) {
	for _, c := range []struct {
		name string
		test func(*testing.T, BlobStore)
	}{
		{"PutOpenStat", blobPutOpenStat},
		{"Ranges", blobRanges},
		{"Empty", blobEmpty},
		{"Conditional", blobConditional},
		{"Race", blobRace},
		{"RaceOfEquals", blobRaceOfEquals},
		{"Missing", blobMissing},
		{"List", blobList},
		{"Delete", blobDelete},
		{"Keys", blobKeys},
		{"WrongFile", blobWrongFile},
		{"NeverTorn", blobNeverTorn},
		{"Cancelled", blobCancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func blobPutOpenStat(t *testing.T, s BlobStore) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // 3.2 MB
	const key = "notes/2024 ä+#%&/seg-1.warc.gz"
	if err := put(t, s, key, want); err != nil {
		t.Fatal(err)
	}
	if got, err := get(s, key, 0, -1); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, %v, want the %d that were put", len(got), err, len(want))
	}
	if b, err := s.Stat(t.Context(), key); err != nil || b != (storage.Blob{Key: key, Size: int64(len(want))}) {
		t.Errorf("Stat = %+v, %v", b, err)
	}
}

func blobRanges(t *testing.T, s BlobStore) {
	if err := put(t, s, "a/ten", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		off, n int64
		want   string
	}{
		{0, -1, "0123456789"}, {0, 10, "0123456789"}, {0, 1, "0"}, {3, 4, "3456"}, {9, 1, "9"}, {4, -1, "456789"},
		{-3, -1, "789"}, {-3, 2, "78"}, {-10, -1, "0123456789"}, {-1, 1, "9"},
		{5, 0, ""}, {8, 100, "89"}, {10, -1, ""}, {10, 5, ""}, {1000, -1, ""}, {1000, 5, ""}, {-1000, -1, "0123456789"},
	} {
		if got, err := get(s, "a/ten", c.off, c.n); err != nil || string(got) != c.want {
			t.Errorf("Open(%d, %d) reads %q, %v, want %q", c.off, c.n, got, err, c.want)
		}
	}
	r, err := s.Open(t.Context(), "a/ten", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing what was not read: %v", err)
	}
}

func blobEmpty(t *testing.T, s BlobStore) {
	if err := put(t, s, "empty", nil); err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{0, -1, 7} {
		if got, err := get(s, "empty", off, -1); err != nil || len(got) != 0 {
			t.Errorf("Open(%d) reads %q, %v", off, got, err)
		}
	}
	if b, err := s.Stat(t.Context(), "empty"); err != nil || b.Size != 0 {
		t.Errorf("Stat = %+v, %v", b, err)
	}
	if err := put(t, s, "empty", nil); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := put(t, s, "empty", []byte("x")); !errors.Is(err, storage.ErrExists) {
		t.Errorf("other bytes: %v, want ErrExists", err)
	}
}

func blobConditional(t *testing.T, s BlobStore) {
	for range 2 { // the second time, as after an answer that was lost
		if err := put(t, s, "x/one", []byte("one")); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"two", "", "one and more"} {
		if err := put(t, s, "x/one", []byte(other)); !errors.Is(err, storage.ErrExists) {
			t.Errorf("put of %q over another blob: %v, want ErrExists", other, err)
		}
	}
	if got, err := get(s, "x/one", 0, -1); err != nil || string(got) != "one" {
		t.Errorf("the blob holds %q, %v", got, err)
	}
}

func blobRace(t *testing.T, s BlobStore) {
	const n = 32
	var g errgroup.Group
	var mu sync.Mutex
	var won []string
	start := make(chan struct{})
	for i := range n {
		b := []byte(strings.Repeat(fmt.Sprintf("put %02d ", i), 5000))
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		g.Go(func() error {
			<-start
			err := s.Put(context.Background(), "race/key", path, Sum(b))
			if err == nil {
				mu.Lock()
				won = append(won, string(b))
				mu.Unlock()
			}
			if errors.Is(err, storage.ErrExists) {
				return nil
			}
			return err
		})
	}
	close(start)
	if err := g.Wait(); err != nil {
		t.Fatalf("a loser's error is not ErrExists: %v", err)
	}
	if len(won) != 1 {
		t.Fatalf("%d puts of different bytes under one key won", len(won))
	}
	if got, err := get(s, "race/key", 0, -1); err != nil || string(got) != won[0] {
		t.Errorf("the blob is not the winner's: %d bytes, %v", len(got), err)
	}
	if got := keys(t, s, ""); !slices.Equal(got, []string{"race/key"}) {
		t.Errorf("the losers left something: %q", got)
	}
}

// blobRaceOfEquals: who puts the same bytes at the same time has stored them, whoever was first.
func blobRaceOfEquals(t *testing.T, s BlobStore) {
	b := []byte(strings.Repeat("the same ", 5000))
	var g errgroup.Group
	start := make(chan struct{})
	for range 32 {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		g.Go(func() error {
			<-start
			return s.Put(context.Background(), "race/key", path, Sum(b))
		})
	}
	close(start)
	if err := g.Wait(); err != nil {
		t.Errorf("a put of equal bytes: %v", err)
	}
	if got, err := get(s, "race/key", 0, -1); err != nil || !bytes.Equal(got, b) {
		t.Errorf("it reads %d bytes, %v", len(got), err)
	}
}

func blobMissing(t *testing.T, s BlobStore) {
	if err := put(t, s, "folder/blob", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"none", "folder", "folder/none", "folder/blob/below", "folder/blo", "folder/blob2"} {
		if _, err := s.Open(t.Context(), key, 0, -1); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Open(%q): %v, want ErrNotFound", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Stat(%q): %v, want ErrNotFound", key, err)
		}
	}
}

func blobList(t *testing.T, s BlobStore) {
	if got := keys(t, s, ""); len(got) != 0 {
		t.Fatalf("an empty store lists %q", got)
	}
	// In byte order, "a-b" comes before "a/b", whatever a walk through folders says.
	want := []string{"B/z", "a-b/x", "a.b", "a/b", "a/c/d", "a/c0", "ab", "ä/ö"}
	for _, i := range []int{3, 7, 0, 5, 1, 6, 2, 4} {
		if err := put(t, s, want[i], []byte(want[i])); err != nil {
			t.Fatal(err)
		}
	}
	for _, prefix := range []string{"", "a", "a/", "a/c", "a/c/", "a/c/d", "B", "z", "a/x/", "none/at/all", "ä/"} {
		var sub []string
		for _, k := range want {
			if strings.HasPrefix(k, prefix) {
				sub = append(sub, k)
			}
		}
		if got := keys(t, s, prefix); !slices.Equal(got, sub) {
			t.Errorf("List(%q) = %q, want %q", prefix, got, sub)
		}
	}
	for b, err := range s.List(t.Context(), "") {
		if err != nil || b.Size != int64(len(b.Key)) {
			t.Errorf("List yields %+v, %v", b, err)
		}
		break // an early end is no error
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled List yields %v", err)
		}
	}
}

func blobDelete(t *testing.T, s BlobStore) {
	for _, k := range []string{"d/one", "d/two"} {
		if err := put(t, s, k, []byte(k)); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []string{"d/one", "d/one", "none", "none/at/all", "d", "d/two/below"} {
		if err := s.Delete(t.Context(), k); err != nil {
			t.Errorf("Delete(%q): %v", k, err)
		}
	}
	if got := keys(t, s, ""); !slices.Equal(got, []string{"d/two"}) {
		t.Errorf("left: %q", got)
	}
	if err := put(t, s, "d/one", []byte("anew")); err != nil {
		t.Errorf("put after delete: %v", err)
	}
	if got, err := get(s, "d/one", 0, -1); err != nil || string(got) != "anew" {
		t.Errorf("read %q, %v", got, err)
	}
}

func blobKeys(t *testing.T, s BlobStore) {
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\\b", "a\nb", "a\x00b", "a\x7fb", "\xff",
		"a.part", strings.Repeat("x", 201), strings.Repeat("abc/", 230) + "x",
	} {
		err := put(t, s, key, []byte("x"))
		_, open := s.Open(t.Context(), key, 0, -1)
		_, stat := s.Stat(t.Context(), key)
		gone := s.Delete(t.Context(), key)
		for _, err := range []error{err, open, stat, gone} {
			if !errors.Is(err, storage.ErrKey) {
				t.Errorf("key %q: %v, want ErrKey", key, err)
			}
		}
	}
	long := strings.Repeat(strings.Repeat("x", 150)+"/", 4) + strings.Repeat("y", 200)
	for _, key := range []string{"a b", "ü/é", "a%2fb", "a?b#c", "a..b", "...", "a:b", "a'b\"c", "(a)*", long} {
		if err := put(t, s, key, []byte(key)); err != nil {
			t.Errorf("key %q: %v", key, err)
		} else if got, err := get(s, key, 0, -1); err != nil || string(got) != key {
			t.Errorf("key %q reads %q, %v", key, got, err)
		}
	}
}

func blobWrongFile(t *testing.T, s BlobStore) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "k", path, Sum([]byte("whole"))); err == nil || errors.Is(err, storage.ErrExists) {
		t.Errorf("put of a file that does not match its checksum: %v, want an error other than ErrExists", err)
	}
	if err := s.Put(t.Context(), "k", path+"-none", Sum(nil)); err == nil || errors.Is(err, storage.ErrExists) {
		t.Errorf("put of a file that is not there: %v", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("the store holds %q", got)
	}
}

// blobNeverTorn looks at a store from outside while blobs arrive: what is there is whole.
func blobNeverTorn(t *testing.T, s BlobStore) {
	whole := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	done := make(chan struct{})
	g.Go(func() error {
		defer close(done)
		for i := range 8 {
			if err := s.Put(context.Background(), fmt.Sprintf("torn/%d", i), path, Sum(whole)); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for n := 0; ; n++ {
			for b, err := range s.List(context.Background(), "torn/") {
				if err != nil {
					return err
				}
				if b.Size != int64(len(whole)) {
					return fmt.Errorf("%s has %d bytes", b.Key, b.Size)
				}
			}
			key := fmt.Sprintf("torn/%d", n%8)
			if got, err := get(s, key, 0, -1); !errors.Is(err, storage.ErrNotFound) && (err != nil || !bytes.Equal(got, whole)) {
				return fmt.Errorf("%s reads %d bytes, %w", key, len(got), err)
			}
			select {
			case <-done:
				return nil
			default:
			}
		}
	})
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func blobCancelled(t *testing.T, s BlobStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := []byte("late")
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	err := s.Put(ctx, "k", path, Sum(b))
	got, opened := get(s, "k", 0, -1)
	switch {
	case err == nil && (opened != nil || string(got) != "late"):
		t.Errorf("put said that it is there, but it reads %q, %v", got, opened)
	case err != nil && !errors.Is(opened, storage.ErrNotFound):
		t.Errorf("put failed with %v, but it reads %q, %v", err, got, opened)
	}
}
