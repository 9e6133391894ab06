package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Blob describes one stored object.
type Blob struct {
	Key  string
	Size int64 // bytes
}

// Dir is a blob store in a folder. A blob appears whole or not at all, under a key that was free.
type Dir struct {
	root string
	fs   FS
}

// OpenDir opens the store in the folder root, making the folder if need be. Changes go through fsys.
func OpenDir(root string, fsys FS) (*Dir, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	return &Dir{root: root, fs: fsys}, nil
}

// CheckKey refuses keys that not every store can hold: relative parts, empty parts, control characters, backslashes.
func CheckKey(key string) error {
	bad := key == "" || len(key) > 900 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
	for part := range strings.SplitSeq(key, "/") {
		bad = bad || part == "" || part == "." || part == ".."
	}
	if bad {
		return fmt.Errorf("%w: %q", ErrKey, key)
	}
	return nil
}

func (d *Dir) path(key string) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	return filepath.Join(d.root, filepath.FromSlash(key)), nil
}

// Put stores the file at path under key and returns once it is durable. A file on the same file system is linked, not
// copied. If the key holds equal bytes already (sum is their lower-case hex SHA-256), that is success; if it holds
// others, ErrExists.
func (d *Dir) Put(ctx context.Context, key, path, sum string) error {
	dst, err := d.path(key)
	if err != nil {
		return err
	}
	if err := d.mkdir(filepath.Dir(dst)); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	err = d.fs.Link(path, dst)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrExist):
		return d.confirm(dst, key, sum)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("put %s: %w", key, err)
	default: // another file system, or one without links
		if err := d.copyIn(ctx, path, dst); err != nil {
			if errors.Is(err, fs.ErrExist) {
				return d.confirm(dst, key, sum)
			}
			return fmt.Errorf("put %s: %w", key, err)
		}
	}
	if err := d.fs.SyncDir(filepath.Dir(dst)); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return d.confirm(dst, key, sum)
}

// confirm reads the blob back: the checksum is what lets the spool copy go.
func (d *Dir) confirm(dst, key, sum string) error {
	f, err := os.Open(dst)
	if err != nil {
		return fmt.Errorf("confirm %s: %w", key, err)
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("confirm %s: %w", key, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("put %s: it holds SHA-256 %s, not %s: %w", key, got, sum, ErrExists)
	}
	return d.fs.SyncDir(filepath.Dir(dst))
}

// mkdir makes a folder below the root and makes its name durable.
func (d *Dir) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for p := dir; len(p) > len(d.root); p = filepath.Dir(p) {
		if err := d.fs.SyncDir(filepath.Dir(p)); err != nil {
			return err
		}
	}
	return nil
}

// copyIn copies to a temporary name, syncs, and links it into place, which fails if the name is taken.
func (d *Dir) copyIn(ctx context.Context, path, dst string) (err error) {
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // read only
	tmp := dst + ".part"
	out, err := d.fs.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.fs.Remove(tmp)) }()
	if _, err := io.Copy(out, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return src.Read(p)
	})); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Sync(); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return d.fs.Link(tmp, dst)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Open reads n bytes of a blob from off; n < 0 reads to its end, off < 0 counts from the end. ErrNotFound if there is
// no such blob. Reading past the end yields what there is.
func (d *Dir) Open(_ context.Context, key string, off, n int64) (io.ReadCloser, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, err)
	}
	return section(f, off, n)
}

// section reads a part of a file and closes the file with it.
func section(f *os.File, off, n int64) (io.ReadCloser, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if off < 0 {
		off = max(0, st.Size()+off)
	}
	if n < 0 {
		n = max(0, st.Size()-off)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, off, n), f}, nil
}

// Stat tells a blob's size; ErrNotFound if there is none.
func (d *Dir) Stat(_ context.Context, key string) (Blob, error) {
	path, err := d.path(key)
	if err != nil {
		return Blob{}, err
	}
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.IsDir() {
		return Blob{}, fmt.Errorf("stat blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return Blob{}, fmt.Errorf("stat blob %s: %w", key, err)
	}
	return Blob{Key: key, Size: st.Size()}, nil
}

// List yields the blobs whose keys begin with prefix, in byte order of their keys.
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		blobs, err := d.all(ctx, prefix)
		if err != nil {
			yield(Blob{}, fmt.Errorf("list blobs: %w", err))
			return
		}
		for _, b := range blobs {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func (d *Dir) all(ctx context.Context, prefix string) ([]Blob, error) {
	var blobs []Blob
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || e.IsDir() || strings.HasSuffix(path, ".part") {
			return err
		}
		rel, err := filepath.Rel(d.root, path)
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		if key := filepath.ToSlash(rel); strings.HasPrefix(key, prefix) {
			blobs = append(blobs, Blob{Key: key, Size: st.Size()})
		}
		return nil
	})
	slices.SortFunc(blobs, func(a, b Blob) int { return strings.Compare(a.Key, b.Key) })
	return blobs, err
}

// Delete removes a blob. One that is not there is no error.
func (d *Dir) Delete(_ context.Context, key string) error {
	path, err := d.path(key)
	if err != nil {
		return err
	}
	if err := d.fs.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	return d.fs.SyncDir(filepath.Dir(path))
}
