package storagetest

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// shim is SQLite's own VFS for this system with a watch on what it does to databases, journals and write-ahead logs. All
// of it is carried out by the original; shared memory and locks are left to it.
type shim struct {
	cut  *PowerCutFS
	base uintptr // the original's sqlite3_vfs
}

// shimFile is an open file that is watched.
type shimFile struct {
	*shim
	id      uint64
	path    string
	dirSync bool    // the first sync makes the folder durable, too
	base    uintptr // the original's sqlite3_io_methods
}

// SQLite knows what it calls us with by addresses alone.
var shims = struct {
	sync.Mutex
	n       int
	vfs     map[uintptr]*shim     // by sqlite3_vfs
	files   map[uintptr]*shimFile // by sqlite3_file
	methods map[uintptr]uintptr   // ours, by the original's
}{vfs: map[uintptr]*shim{}, files: map[uintptr]*shimFile{}, methods: map[uintptr]uintptr{}}

// VFS makes a VFS of SQLite under which databases are watched, and tells its name. It is for as long as the test runs, and
// each database that was opened by it must be closed before.
func (p *PowerCutFS) VFS(t testing.TB) string {
	tls := libc.NewTLS()
	defer tls.Close()
	base := sqlite3.Xsqlite3_vfs_find(tls, 0)
	shims.Lock()
	shims.n++
	name := fmt.Sprintf("powercut%d", shims.n)
	shims.Unlock()
	cname, err := libc.CString(name)
	vfs := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if err != nil || vfs == 0 || base == 0 {
		t.Fatalf("no memory for a VFS: %v", err)
	}
	v := at[sqlite3.Tsqlite3_vfs](vfs)
	*v = *at[sqlite3.Tsqlite3_vfs](base)
	v.FpNext, v.FzName, v.FxOpen, v.FxDelete = 0, cname, pointer(shimOpen), pointer(shimDelete)
	shims.Lock()
	shims.vfs[vfs] = &shim{cut: p, base: base}
	shims.Unlock()
	if rc := sqlite3.Xsqlite3_vfs_register(tls, vfs, 0); rc != sqlite3.SQLITE_OK {
		t.Fatalf("register VFS %s: %d", name, rc)
	}
	t.Cleanup(func() { dropShim(t, vfs, cname) })
	return name
}

func dropShim(t testing.TB, vfs, cname uintptr) {
	tls := libc.NewTLS()
	defer tls.Close()
	shims.Lock()
	defer shims.Unlock()
	for _, f := range shims.files {
		if f.shim == shims.vfs[vfs] {
			t.Errorf("%s is still open when its VFS goes", f.path)
			return
		}
	}
	if rc := sqlite3.Xsqlite3_vfs_unregister(tls, vfs); rc != sqlite3.SQLITE_OK {
		t.Errorf("unregister VFS: %d", rc)
		return
	}
	delete(shims.vfs, vfs)
	libc.Xfree(tls, vfs)
	libc.Xfree(tls, cname)
}

// at is what is at an address of C's memory, which the collector neither moves nor frees.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// pointer is a function of the package as C code calls it, fn is a function of C code as Go calls it; both as modernc's
// compiler has them.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func fn[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

func shimOf(vfs uintptr) *shim {
	shims.Lock()
	defer shims.Unlock()
	return shims.vfs[vfs]
}

func shimFileOf(file uintptr) *shimFile {
	shims.Lock()
	defer shims.Unlock()
	return shims.files[file]
}

// methodsOver are the original's methods with ours for what changes the file. They are kept: there is one set of each kind.
func methodsOver(tls *libc.TLS, base uintptr) uintptr {
	if m := shims.methods[base]; m != 0 {
		return m
	}
	m := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	if m == 0 {
		return 0
	}
	o := at[sqlite3.Tsqlite3_io_methods](m)
	*o = *at[sqlite3.Tsqlite3_io_methods](base)
	o.FxClose, o.FxWrite, o.FxTruncate, o.FxSync = pointer(shimClose), pointer(shimWrite), pointer(shimTruncate), pointer(shimSync)
	shims.methods[base] = m
	return m
}

const (
	watched = sqlite3.SQLITE_OPEN_MAIN_DB | sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_SUPER_JOURNAL | sqlite3.SQLITE_OPEN_WAL
	// SQLite's VFS syncs the folder with the first sync of these.
	withFolder = sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_SUPER_JOURNAL | sqlite3.SQLITE_OPEN_WAL
)

func shimOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	s := shimOf(vfs)
	s.cut.mu.Lock()
	defer s.cut.mu.Unlock()
	open := fn[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](at[sqlite3.Tsqlite3_vfs](s.base).FxOpen)
	rc := open(tls, s.base, name, file, flags, out)
	if rc != sqlite3.SQLITE_OK || name == 0 || flags&watched == 0 {
		return rc
	}
	f := &shimFile{shim: s, path: libc.GoString(name), dirSync: flags&sqlite3.SQLITE_OPEN_CREATE != 0 && flags&withFolder != 0}
	var err error
	if f.id, err = s.cut.opened(f.path); err != nil {
		s.cut.failed(err)
		return rc
	}
	shims.Lock()
	defer shims.Unlock()
	methods := &at[sqlite3.Tsqlite3_file](file).FpMethods
	f.base = *methods
	if m := methodsOver(tls, f.base); m != 0 {
		*methods, shims.files[file] = m, f
	} else {
		s.cut.failed(fmt.Errorf("watch %s: no memory", f.path))
	}
	return rc
}

func shimClose(tls *libc.TLS, file uintptr) int32 {
	f := shimFileOf(file)
	shims.Lock()
	delete(shims.files, file) // before another is opened at the address
	shims.Unlock()
	return fn[func(*libc.TLS, uintptr) int32](f.methods().FxClose)(tls, file)
}

func shimWrite(tls *libc.TLS, file, buf uintptr, n int32, off int64) int32 {
	f := shimFileOf(file)
	f.cut.mu.Lock()
	defer f.cut.mu.Unlock()
	rc := fn[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.methods().FxWrite)(tls, file, buf, n, off)
	if rc == sqlite3.SQLITE_OK {
		f.cut.wrote(f.path, f.id, off, bytes.Clone(unsafe.Slice(at[byte](buf), n)))
	}
	return rc
}

func shimTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := shimFileOf(file)
	f.cut.mu.Lock()
	defer f.cut.mu.Unlock()
	rc := fn[func(*libc.TLS, uintptr, int64) int32](f.methods().FxTruncate)(tls, file, size)
	if rc == sqlite3.SQLITE_OK {
		f.cut.shortened(f.path, f.id, size)
	}
	return rc
}

func shimSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f := shimFileOf(file)
	f.cut.mu.Lock()
	defer f.cut.mu.Unlock()
	rc := fn[func(*libc.TLS, uintptr, int32) int32](f.methods().FxSync)(tls, file, flags)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	f.cut.record("sync "+filepath.Base(f.path), func(d *disk) { d.file(f.id).sync() })
	if f.dirSync {
		f.dirSync = false
		f.cut.failed(f.cut.syncedDir(filepath.Dir(f.path)))
	}
	return rc
}

func shimDelete(tls *libc.TLS, vfs, name uintptr, dirSync int32) int32 {
	s := shimOf(vfs)
	s.cut.mu.Lock()
	defer s.cut.mu.Unlock()
	path := libc.GoString(name)
	s.cut.removing(path)
	rc := fn[func(*libc.TLS, uintptr, uintptr, int32) int32](at[sqlite3.Tsqlite3_vfs](s.base).FxDelete)(tls, s.base, name, dirSync)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	s.cut.named(path, 0)
	if dirSync&1 != 0 {
		s.cut.failed(s.cut.syncedDir(filepath.Dir(path)))
	}
	return rc
}

func (f *shimFile) methods() *sqlite3.Tsqlite3_io_methods {
	return at[sqlite3.Tsqlite3_io_methods](f.base)
}

// failed notes what could not be remembered, if anything.
func (p *PowerCutFS) failed(err error) {
	if p.err == nil {
		p.err = err
	}
}
