package storage_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// exam is an Exam that remembers what it found.
func exam(t testing.TB) (*storage.Exam, *[]storage.Finding) {
	found := &[]storage.Finding{}
	return &storage.Exam{Temp: t.TempDir(), Big: 1 << 20, Tell: func(f storage.Finding) { *found = append(*found, f) }}, found
}

// failed lists the checks that failed. Each must say what it means and what to try.
func failed(t testing.TB, found []storage.Finding) (names []string) {
	t.Helper()
	for _, f := range found {
		if !f.OK {
			names = append(names, f.Check)
		}
		if f.Detail == "" || !f.OK && (f.Means == "" || f.Try == "") {
			t.Errorf("a finding that says too little: %+v", f)
		}
	}
	return names
}

func TestExamOfGoodStores(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	folder := filepath.Join(t.TempDir(), "blobs")
	dir, err := storage.OpenDir(folder, storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	bucket := server.NewBucket(t)
	s3 := server.Open(t, "s3://"+bucket+"/p").S3()
	type store interface {
		storage.BlobReader
		storage.BlobWriter
	}
	for name, s := range map[string]store{"folder": dir, "S3": s3} {
		x, found := exam(t)
		if err := x.Blobs(t.Context(), s, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if bad := failed(t, *found); len(bad) != 0 || len(*found) < 9 {
			t.Errorf("%s: %d checks, failed: %v: %+v", name, len(*found), bad, *found)
		}
		for b, err := range s.List(t.Context(), "") {
			t.Errorf("%s: %s is left, %v", name, b.Key, err)
		}
		if left, err := os.ReadDir(x.Temp); err != nil || len(left) != 0 {
			t.Errorf("%s: files are left: %v %v", name, left, err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("folders are left: %v %v", left, err)
	}
	left, err := raw(t, server).ListObjectsV2(bucket, "", "", "", "", 10)
	if err != nil || len(left.Contents) != 0 {
		t.Errorf("objects are left: %v %v", left.Contents, err)
	}
}

// bad is a store with one fault.
type bad struct {
	*storage.Dir
	root                                                      string
	overwrites, deaf, noSuffix, reversed, keeps, short, empty bool
}

func (b *bad) Put(ctx context.Context, key, path, sum string) error {
	if b.empty {
		if st, err := os.Stat(path); err == nil && st.Size() == 0 {
			return errors.New("an object must hold something")
		}
	}
	if b.deaf {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum = storagetest.Sum(text)
	}
	err := b.Dir.Put(ctx, key, path, sum)
	if errors.Is(err, storage.ErrExists) && b.overwrites {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tmp := filepath.Join(b.root, "."+storage.Random(5)+".part")
		if err := os.WriteFile(tmp, text, 0o600); err != nil {
			return err
		}
		return os.Rename(tmp, filepath.Join(b.root, key))
	}
	return err
}

func (b *bad) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if b.noSuffix && off < 0 {
		off = 0
	}
	r, err := b.Dir.Open(ctx, key, off, n)
	if err == nil && b.short && n < 0 {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, 100_000), r}, nil
	}
	return r, err
}

func (b *bad) List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error] {
	if !b.reversed {
		return b.Dir.List(ctx, prefix)
	}
	return func(yield func(storage.Blob, error) bool) {
		var all []storage.Blob
		for x, err := range b.Dir.List(ctx, prefix) {
			if err != nil {
				yield(x, err)
				return
			}
			all = append(all, x)
		}
		slices.Reverse(all)
		for _, x := range all {
			if !yield(x, nil) {
				return
			}
		}
	}
}

func (b *bad) Delete(ctx context.Context, key string) error {
	if b.keeps && strings.HasSuffix(key, "/gone") {
		return nil
	}
	return b.Dir.Delete(ctx, key)
}

// TestExamFindsFaults: each fault of a store is found by the check that is there for it.
func TestExamFindsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*bad)
		want  []string
	}{
		{"overwrites", func(b *bad) { b.overwrites = true }, []string{"one of 32 wins", "no overwriting"}},
		{"does not check", func(b *bad) { b.deaf = true }, []string{"wrong checksum refused"}},
		{"no suffix ranges", func(b *bad) { b.noSuffix = true }, []string{"ranges"}},
		{"no order", func(b *bad) { b.reversed = true }, []string{"list in order"}},
		{"does not delete", func(b *bad) { b.keeps = true }, []string{"delete"}},
		{"cuts what is large", func(b *bad) { b.short = true }, []string{"big blob"}},
		{"nothing empty", func(b *bad) { b.empty = true }, []string{"empty blob"}},
	} {
		root := t.TempDir()
		dir, err := storage.OpenDir(root, storage.OS{})
		if err != nil {
			t.Fatal(err)
		}
		b := &bad{Dir: dir, root: root}
		c.spoil(b)
		x, found := exam(t)
		err = x.Blobs(t.Context(), b, b)
		if got := failed(t, *found); !slices.Equal(got, c.want) {
			t.Errorf("%s: failed %q, want %q: %+v", c.name, got, c.want, *found)
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestExamIsCutShort: after Ctrl-C nothing is left, and a store that goes away ends the questions.
func TestExamIsCutShort(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir, err := storage.OpenDir(root, storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	x, found := exam(t)
	tell := x.Tell
	x.Tell = func(f storage.Finding) {
		if tell(f); f.Check == "ranges" {
			cancel()
		}
	}
	if err := x.Blobs(ctx, dir, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 || len(*found) == 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	x, found = exam(t)
	away := storagetest.NewFaultBlobs(dir, storagetest.Point{Op: storagetest.OpPut, N: 3, Rest: true}, storage.ErrAway)
	if err := x.Blobs(t.Context(), away, away); err != nil {
		t.Errorf("away: %v", err)
	}
	if bad := failed(t, *found); len(bad) != 1 || (*found)[len(*found)-1].OK {
		t.Errorf("away: %v", bad)
	}
}

func TestExamOfRows(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new", "linkstead.db")
	there := filepath.Join(t.TempDir(), "linkstead.db")
	db, err := storage.OpenDB(t.Context(), "sqlite:"+there, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	server := storagetest.Postgres(t)
	fresh, used := server.DSN(t), server.DSN(t)
	pg, err := storage.OpenDB(t.Context(), used, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close()
	for _, c := range []struct {
		dsn    string
		schema string
		want   []string
	}{
		{"sqlite:" + file, "no tables yet", nil},
		{"sqlite:" + there, "may be written", nil},
		{fresh, "no tables yet", []string{"durable"}}, // the tests' server does not flush
		{used, "may be written", []string{"durable"}},
	} {
		x, found := exam(t)
		if err := x.Rows(t.Context(), c.dsn); err != nil {
			t.Errorf("%s: %v", c.dsn, err)
		}
		if bad := failed(t, *found); !slices.Equal(bad, c.want) || len(*found) != 8 {
			t.Errorf("%s: failed %v: %+v", c.dsn, bad, *found)
		}
		for _, f := range *found {
			if f.Check == "schema" && !strings.Contains(f.Detail, c.schema) {
				t.Errorf("%s: %q does not say %q", c.dsn, f.Detail, c.schema)
			}
		}
	}
	if _, err := os.Stat(filepath.Dir(file)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder that was made is left: %v", err)
	}
	left, err := filepath.Glob(there + ".doctor*")
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	for _, own := range [][3]string{{"sqlite", "file:" + there, "hosts"}, {"pgx", used, "linkstead.hosts"}} {
		var n int
		plain, err := sql.Open(own[0], own[1])
		if err == nil {
			err = errors.Join(plain.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+own[2]).Scan(&n), plain.Close())
		}
		if err != nil || n != 0 {
			t.Errorf("the archive's own tables hold %d rows: %v", n, err)
		}
	}
	// An unreachable server: one finding, no waiting for the others.
	x, found := exam(t)
	if err := x.Rows(t.Context(), "postgres://u:hidden@127.0.0.1:1/n"); err != nil {
		t.Error(err)
	}
	if bad := failed(t, *found); len(bad) != 1 || strings.Contains((*found)[0].Detail, "hidden") {
		t.Errorf("unreachable: %+v", *found)
	}
	// Nor of one that lets nobody in.
	x, found = exam(t)
	if err := x.Rows(t.Context(), strings.Replace(fresh, "test_", "missing_", 1)); err != nil {
		t.Error(err)
	}
	if bad := failed(t, *found); len(bad) != 1 || len(*found) != 1 || !strings.Contains((*found)[0].Detail, "createdb") ||
		!strings.Contains((*found)[0].Means, "the rest was not asked") {
		t.Errorf("missing: %+v", *found)
	}
}

func TestExamOfTheSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x, found := exam(t)
	x.Need = 1
	if err := x.Spool(t.Context(), filepath.Join(dir, "not", "yet"), storage.OS{}); err != nil || len(failed(t, *found)) != 0 {
		t.Errorf("%v, %+v", err, *found)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
	x, found = exam(t)
	x.Need = 1 << 62
	broken := storagetest.NewFaultFS(storage.OS{}, storagetest.Point{Op: storagetest.OpSync, N: 5}, nil)
	if err := x.Spool(t.Context(), dir, broken); err != nil {
		t.Error(err)
	}
	if bad := failed(t, *found); !slices.Equal(bad, []string{"durable", "space"}) {
		t.Errorf("failed: %v", bad)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// TestExamReads sees to it that a damaged read is found.
func TestExamReads(t *testing.T) {
	t.Parallel()
	dir, err := storage.OpenDir(t.TempDir(), storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	b := &flipping{Dir: dir}
	x, found := exam(t)
	if err := x.Blobs(t.Context(), b, b); err != nil {
		t.Error(err)
	}
	if bad := failed(t, *found); len(bad) < 5 || !slices.Contains(bad, "put and read") || !slices.Contains(bad, "big blob") {
		t.Errorf("failed: %v", bad)
	}
}

type flipping struct{ *storage.Dir }

func (f *flipping) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r, err := f.Dir.Open(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	if len(text) > 0 {
		text[len(text)/2] ^= 1
	}
	return io.NopCloser(bytes.NewReader(text)), errors.Join(err, r.Close())
}
