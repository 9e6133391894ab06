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
	"sync"
	"syscall"
	"unicode/utf8"
)

// Blob describes one stored object.
type Blob struct {
	Key  string
	Size int64  // bytes
	Odd  string // what stands there in the place of a file, such as "a named pipe": it is no blob, and must be passed over
}

// Dir is a blob store in a folder. A blob appears whole or not at all, under a key that was free.
type Dir struct {
	root string
	fs   FS

	mu    sync.Mutex
	named map[string]bool // folders below root whose names are durable
}

// OpenDir opens the store in the folder root, making the folder if need be. Changes go through fsys.
func OpenDir(root string, fsys FS) (*Dir, error) {
	if err := makeDir(fsys, root); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	return &Dir{root: filepath.Clean(root), fs: fsys, named: map[string]bool{}}, nil
}

// part ends the names of copies that are not complete.
const part = ".part"

// CheckKey refuses keys that not every store can hold: relative or empty parts, parts of more than 200 bytes, control
// characters, backslashes, what is not UTF-8, and the suffix .part.
func CheckKey(key string) error {
	bad := key == "" || len(key) > 900 || !utf8.ValidString(key) || strings.HasSuffix(key, part) ||
		strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
	for part := range strings.SplitSeq(key, "/") {
		bad = bad || part == "" || part == "." || part == ".." || len(part) > 200
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

// Put stores the file at path, whose lower-case hex SHA-256 is sum, under key, and returns once it is durable. A file
// on the same file system is linked, not copied. If the key holds equal bytes already, that is success; if it holds
// others, ErrExists. A file that does not match sum is not stored: ErrDamaged.
func (d *Dir) Put(ctx context.Context, key, path, sum string) error {
	dst, err := d.path(key)
	if err == nil {
		err = d.put(ctx, path, dst, sum)
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

func (d *Dir) put(ctx context.Context, path, dst, sum string) error {
	if err := d.settle(path, sum); err != nil {
		return err
	}
	if err := d.mkdir(filepath.Dir(dst)); err != nil {
		return err
	}
	err := d.fs.Link(path, dst)
	if err != nil && !errors.Is(err, fs.ErrExist) { // another file system, or one without links
		err = d.copyIn(ctx, path, dst, sum)
	}
	if err != nil {
		if _, gone := os.Lstat(dst); gone != nil {
			return err
		}
		// Whatever went wrong: the key is taken now, and the bytes that it holds decide.
		if err := holds(dst, sum); err != nil {
			return err
		}
	}
	// In either case: who linked it may have died before this.
	return d.fs.SyncDir(filepath.Dir(dst))
}

// settle makes the bytes of a file durable and compares them with sum. What is linked afterwards is this very file, so
// that its checksum is confirmed.
func (d *Dir) settle(path, sum string) error {
	f, err := d.fs.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := holds(path, sum); errors.Is(err, ErrExists) {
		return fmt.Errorf("%s: its SHA-256 is not %s: %w", path, sum, ErrDamaged)
	} else if err != nil {
		return err
	}
	return nil
}

// holds reads a file back. ErrExists says that it holds other bytes than those of sum.
func holds(path, sum string) error {
	f, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read %s back: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("it holds SHA-256 %s, not %s: %w", got, sum, ErrExists)
	}
	return nil
}

// mkdir makes a folder below the root and makes its name durable, even if somebody made it who died before that.
func (d *Dir) mkdir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := dir; p != d.root && !d.named[p]; p = filepath.Dir(p) {
		if err := d.fs.SyncDir(filepath.Dir(p)); err != nil {
			return err
		}
	}
	for p := dir; p != d.root; p = filepath.Dir(p) {
		d.named[p] = true
	}
	return nil
}

// copyIn copies to a temporary name that nobody else uses, syncs, reads back, and links it into place, which fails if
// the name is taken.
func (d *Dir) copyIn(ctx context.Context, path, dst, sum string) error {
	tmp := dst + "." + Random(5) + part
	err := d.copyTo(ctx, path, tmp)
	if err == nil {
		err = holds(tmp, sum)
	}
	if err == nil {
		err = d.fs.Link(tmp, dst)
	}
	if gone := d.fs.Remove(tmp); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		d.sweep(dst)
	}
	return err
}

// sweep removes what copies to dst left that did not live to its end. Those that still go on lose nothing: the key is
// taken.
func (d *Dir) sweep(dst string) {
	names, _ := os.ReadDir(filepath.Dir(dst)) // what stays is swept another time
	for _, e := range names {
		if strings.HasPrefix(e.Name(), filepath.Base(dst)+".") && strings.HasSuffix(e.Name(), part) {
			_ = d.fs.Remove(filepath.Join(filepath.Dir(dst), e.Name()))
		}
	}
}

func (d *Dir) copyTo(ctx context.Context, path, tmp string) (err error) {
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // read only
	out, err := d.fs.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return src.Read(p)
	})); err != nil {
		return err
	}
	return out.Sync()
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// absent tells whether an error means that no file has the name: none at all, or a file stands where a folder should.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// openFile opens a file for reading. What is none, such as a named pipe, which would be waited for, is ErrNotFound; a link
// to a file is as good as the file.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket
		return nil, fmt.Errorf("%s is no file: %w", path, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s, no file: %w", path, kindOf(st.Mode()), ErrNotFound)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// kindOf names what is no file; empty if it is one.
func kindOf(m fs.FileMode) string {
	switch t := m.Type(); {
	case t == 0:
		return ""
	case t&fs.ModeSymlink != 0:
		return "a symbolic link"
	case t&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case t&fs.ModeSocket != 0:
		return "a socket"
	case t&fs.ModeDevice != 0:
		return "a device"
	case t&fs.ModeDir != 0:
		return "a folder"
	}
	return "a special file"
}

// Open reads n bytes of a blob from off; n < 0 reads to its end, off < 0 counts from the end. ErrNotFound if there is
// no such blob. Reading past the end yields what there is.
func (d *Dir) Open(_ context.Context, key string, off, n int64) (io.ReadCloser, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	f, err := openFile(path)
	if absent(err) {
		return nil, fmt.Errorf("open blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, err)
	}
	r, err := section(f, off, n)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open blob %s: %w", key, err), f.Close())
	}
	return r, nil
}

// section reads a part of a file and closes the file with it.
func section(f *os.File, off, n int64) (io.ReadCloser, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
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
	if absent(err) || err == nil && !st.Mode().IsRegular() {
		return Blob{}, fmt.Errorf("stat blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return Blob{}, fmt.Errorf("stat blob %s: %w", key, err)
	}
	return Blob{Key: key, Size: st.Size()}, nil
}

// Forget does nothing: a folder remembers no bytes.
func (*Dir) Forget(string) {}

// List yields the blobs whose keys begin with prefix, in byte order of their keys, and among them what is no file, with Odd
// set: links are not followed, so that nothing counts twice and nothing outside of the folder does.
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

// all walks from the folder that the prefix names. What goes away meanwhile is left out.
func (d *Dir) all(ctx context.Context, prefix string) ([]Blob, error) {
	if strings.Contains("/"+prefix, "/../") {
		return nil, fmt.Errorf("%w: prefix %q", ErrKey, prefix)
	}
	var blobs []Blob
	folder := filepath.Join(d.root, filepath.FromSlash(prefix[:strings.LastIndexByte(prefix, '/')+1]))
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if absent(err) {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil || e.IsDir() || strings.HasSuffix(path, part) {
			return err
		}
		rel, err := filepath.Rel(d.root, path)
		if err != nil {
			return err
		}
		st, err := e.Info()
		if absent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if key := filepath.ToSlash(rel); strings.HasPrefix(key, prefix) {
			blobs = append(blobs, Blob{Key: key, Size: st.Size(), Odd: kindOf(st.Mode())})
		}
		return nil
	})
	slices.SortFunc(blobs, func(a, b Blob) int { return strings.Compare(a.Key, b.Key) })
	return blobs, err
}

// Delete removes a blob. One that is not there is no error.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if _, err := d.Stat(ctx, key); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	path, err := d.path(key)
	if err != nil {
		return err
	}
	if err := d.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return d.fs.SyncDir(filepath.Dir(path))
}
