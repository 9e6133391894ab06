package storagetest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"linkstead/storage"
)

// PowerCutFS remembers what of a folder was made durable: the bytes of a file at its last Sync, the names in a folder
// at its last SyncDir. Clone writes what the harshest power cut would leave. Names need not have been made through it
// (folders, renames); only what was synced through it counts.
type PowerCutFS struct {
	hookFS
	mu    sync.Mutex
	bytes map[uint64][]byte            // by inode: content at the last Sync
	names map[string]map[string]uint64 // by folder: its entries at the last SyncDir; 0 for a folder
}

// NewPowerCutFS wraps fs.
func NewPowerCutFS(fs storage.FS) *PowerCutFS {
	p := &PowerCutFS{bytes: map[uint64][]byte{}, names: map[string]map[string]uint64{}}
	p.hookFS = hookFS{fs: fs, around: p.around}
	return p
}

func (p *PowerCutFS) around(s step) error {
	if err := s.full(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s.op {
	case OpOpen:
		return p.opened(s.name)
	case OpSync:
		return p.synced(s.name)
	case OpSyncDir:
		return p.syncedDir(s.name)
	}
	return nil
}

// opened forgets what another file with the same inode number held before it was removed.
func (p *PowerCutFS) opened(name string) error {
	st, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("watch %s: %w", name, err)
	}
	if st.Size() == 0 && !p.named(inode(st)) {
		delete(p.bytes, inode(st))
	}
	return nil
}

// named tells whether a durable name refers to the inode.
func (p *PowerCutFS) named(ino uint64) bool {
	for _, entries := range p.names {
		for _, i := range entries {
			if i == ino {
				return true
			}
		}
	}
	return false
}

func (p *PowerCutFS) synced(name string) error {
	st, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("watch %s: %w", name, err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("watch %s: %w", name, err)
	}
	p.bytes[inode(st)] = b
	return nil
}

func (p *PowerCutFS) syncedDir(dir string) error {
	es, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	names := map[string]uint64{}
	for _, e := range es {
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
		names[e.Name()] = inode(st)
		if e.IsDir() {
			names[e.Name()] = 0
		}
	}
	p.names[filepath.Clean(dir)] = names
	return nil
}

func inode(st fs.FileInfo) uint64 { return st.Sys().(*syscall.Stat_t).Ino }

// Clone writes into the empty folder dst what a power cut now would leave of src: the entries that each folder had at
// its last SyncDir, and in files the bytes of their last Sync, none if there was none.
func (p *PowerCutFS) Clone(src, dst string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clone(filepath.Clean(src), dst)
}

func (p *PowerCutFS) clone(src, dst string) error {
	if err := os.MkdirAll(dst, 0o755); err != nil {
		return fmt.Errorf("clone %s: %w", src, err)
	}
	for name, ino := range p.names[src] {
		var err error
		if ino == 0 {
			err = p.clone(filepath.Join(src, name), filepath.Join(dst, name))
		} else {
			err = os.WriteFile(filepath.Join(dst, name), p.bytes[ino], 0o644)
		}
		if err != nil {
			return fmt.Errorf("clone %s: %w", src, err)
		}
	}
	return nil
}
