package storagetest

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"linkstead/storage"
)

// PowerCutFS remembers what of a folder was made durable: the bytes of a file at its last Sync, the names in a folder
// at its last SyncDir; and what was done since. Clone writes what the harshest power cut would leave, CloneAt what one at
// any earlier moment can leave. Names need not have been made through it (folders, renames); only what was synced through
// it counts. Of SQLite databases that are opened by the name of VFS, every write and sync is remembered in the same order.
type PowerCutFS struct {
	hookFS
	mu     sync.Mutex // held while a step is carried out: what is remembered is the order in which it happened
	ids    map[uint64]uint64
	lastID uint64
	now    *disk
	events []event
	err    error // the first thing that could not be remembered
}

// event is one change of what is or may be durable.
type event struct {
	what string
	do   func(*disk)
}

// NewPowerCutFS wraps fs.
func NewPowerCutFS(fs storage.FS) *PowerCutFS {
	p := &PowerCutFS{ids: map[uint64]uint64{}, now: newDisk()}
	p.hookFS = hookFS{fs: fs, around: p.around}
	return p
}

// Settle takes all that is in a folder now as durable, whoever made it.
func (p *PowerCutFS) Settle(dir string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return p.syncedDir(path)
		case e.Type().IsRegular():
			return p.synced(path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle %s: %w", dir, err)
	}
	return nil
}

// Moments is how many things have changed so far that CloneAt can cut in between.
func (p *PowerCutFS) Moments() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.events)
}

// What tells which step was the last before a moment.
func (p *PowerCutFS) What(moment int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if moment < 1 || moment > len(p.events) {
		return "nothing"
	}
	return p.events[moment-1].what
}

func (p *PowerCutFS) record(what string, do func(*disk)) {
	p.events = append(p.events, event{what, do})
	do(p.now)
}

func (p *PowerCutFS) around(s step) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var before int64
	if s.op == OpWrite {
		before = sizeOf(s.name)
	}
	if s.op == OpRemove {
		p.removing(s.name)
	}
	if err := s.full(); err != nil {
		return err
	}
	switch s.op {
	case OpOpen:
		_, err := p.opened(s.name)
		return err
	case OpWrite:
		return p.grown(s.name, before)
	case OpTruncate:
		return p.truncated(s.name)
	case OpSync:
		return p.synced(s.name)
	case OpSyncDir:
		return p.syncedDir(s.name)
	case OpLink:
		id, err := p.id(s.name)
		if err != nil {
			return err
		}
		p.named(s.name, id)
	case OpRemove:
		p.named(s.name, 0)
	}
	return nil
}

func sizeOf(name string) int64 {
	st, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return st.Size()
}

// id is the number of a file in what is remembered. The system uses an inode's number again once the file is gone.
func (p *PowerCutFS) id(name string) (uint64, error) {
	st, err := os.Stat(name)
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", name, err)
	}
	return p.idOf(st), nil
}

func (p *PowerCutFS) idOf(st fs.FileInfo) uint64 {
	ino := inode(st)
	if p.ids[ino] == 0 {
		p.lastID++
		p.ids[ino] = p.lastID
	}
	return p.ids[ino]
}

// opened notices a file and its name. An empty one whom no name is known to lead to is a new one, whatever its inode held
// before.
func (p *PowerCutFS) opened(name string) (uint64, error) {
	st, err := os.Stat(name)
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", name, err)
	}
	if st.Size() == 0 && !p.now.leadsTo(p.ids[inode(st)]) {
		delete(p.ids, inode(st))
	}
	id := p.idOf(st)
	if p.now.holds(name) != id {
		p.named(name, id)
	}
	return id, nil
}

// removing forgets the number of an inode whose last name is about to go.
func (p *PowerCutFS) removing(name string) {
	if st, err := os.Stat(name); err == nil && st.Sys().(*syscall.Stat_t).Nlink < 2 {
		delete(p.ids, inode(st))
	}
}

// named notices that a name leads to another file, or to none.
func (p *PowerCutFS) named(name string, id uint64) {
	what := "name "
	if id == 0 {
		what = "remove "
	}
	p.record(what+filepath.Base(name), func(d *disk) { d.name(name, id) })
}

// grown notices what was written at the end of a file.
func (p *PowerCutFS) grown(name string, before int64) error {
	id, err := p.id(name)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("watch %s: %w", name, err)
	}
	if int64(len(b)) <= before {
		return nil
	}
	p.wrote(name, id, before, b[before:])
	return nil
}

func (p *PowerCutFS) truncated(name string) error {
	id, err := p.id(name)
	if err != nil {
		return err
	}
	p.shortened(name, id, sizeOf(name))
	return nil
}

func (p *PowerCutFS) shortened(name string, id uint64, size int64) {
	p.record(fmt.Sprintf("truncate %s to %d", filepath.Base(name), size), func(d *disk) { d.file(id).change(change{off: size}) })
}

func (p *PowerCutFS) wrote(name string, id uint64, off int64, b []byte) {
	p.record(fmt.Sprintf("write %d at %d of %s", len(b), off, filepath.Base(name)), func(d *disk) { d.file(id).change(change{off: off, data: b}) })
}

func (p *PowerCutFS) synced(name string) error {
	id, err := p.id(name)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("watch %s: %w", name, err)
	}
	p.record("sync "+filepath.Base(name), func(d *disk) { d.file(id).holds(b) })
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
		if names[e.Name()] = aFolder; !e.IsDir() {
			names[e.Name()] = p.idOf(st)
		}
	}
	p.record("sync folder "+filepath.Base(dir), func(d *disk) { d.folder(dir).holds(names) })
	return nil
}

func inode(st fs.FileInfo) uint64 { return st.Sys().(*syscall.Stat_t).Ino }

// Clone writes into the empty folder dst what a power cut now would leave of src at the worst: the entries that each folder
// had at its last SyncDir, and in files the bytes of their last Sync, none if there was none.
func (p *PowerCutFS) Clone(src, dst string) error { return p.CloneAt(p.Moments(), 0, src, dst) }

// CloneAt writes into the empty folder dst what a power cut at a moment can leave of src. What was synced is there. Of what
// was done since, seed chooses what is there, too: for each file nothing, all, a beginning that ends within a write, or any
// of its sectors (512 bytes, each whole or not at all), and for each name any beginning of what became of it. Seed 0
// chooses nothing. No byte changes that was not written (SQLite's powersafe overwrite), and nothing that was synced is lost.
func (p *PowerCutFS) CloneAt(moment int, seed uint64, src, dst string) error {
	p.mu.Lock()
	events, err := p.events[:moment], p.err
	p.mu.Unlock()
	if err != nil {
		return err
	}
	d := newDisk()
	for _, e := range events {
		e.do(d)
	}
	if seed != 0 {
		d.dice = rand.New(rand.NewPCG(seed, uint64(moment)))
	}
	return d.clone(filepath.Clean(src), dst)
}
