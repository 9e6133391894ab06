package storagetest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// aFolder stands for a folder where else the number of a file stands.
const aFolder = ^uint64(0)

// disk is what is durable, and what may be.
type disk struct {
	files   map[uint64]*diskFile
	folders map[string]*diskFolder
	dice    *rand.Rand        // chooses what is left of what is not durable; nil: nothing is
	cast    map[uint64][]byte // what was left of files, since each name of one shows the same
}

type diskFile struct {
	durable []byte
	since   []change
}

// change is bytes written at an offset, or if there are none, the file's end set to it.
type change struct {
	off  int64
	data []byte
}

type diskFolder struct {
	durable map[string]uint64
	since   []naming
}

// naming is a name that leads to another file, or with id 0 to none.
type naming struct {
	name string
	id   uint64
}

func newDisk() *disk {
	return &disk{files: map[uint64]*diskFile{}, folders: map[string]*diskFolder{}, cast: map[uint64][]byte{}}
}

func (d *disk) file(id uint64) *diskFile {
	if d.files[id] == nil {
		d.files[id] = &diskFile{}
	}
	return d.files[id]
}

func (d *disk) folder(dir string) *diskFolder {
	dir = filepath.Clean(dir)
	if d.folders[dir] == nil {
		d.folders[dir] = &diskFolder{}
	}
	return d.folders[dir]
}

func (d *disk) name(path string, id uint64) {
	f := d.folder(filepath.Dir(path))
	f.since = append(f.since, naming{filepath.Base(path), id})
}

// holds is what a name leads to while the power is on; 0 if to nothing that is known.
func (d *disk) holds(path string) uint64 {
	f, base := d.folder(filepath.Dir(path)), filepath.Base(path)
	for _, n := range slices.Backward(f.since) {
		if n.name == base {
			return n.id
		}
	}
	return f.durable[base]
}

// leadsTo tells whether some name is known to lead to a file, or did when it was last durable.
func (d *disk) leadsTo(id uint64) bool {
	for _, f := range d.folders {
		for _, i := range f.durable {
			if i == id {
				return true
			}
		}
		for _, n := range f.since {
			if n.id == id {
				return true
			}
		}
	}
	return false
}

func (f *diskFile) change(c change) { f.since = append(f.since, c) }

// holds makes durable just these bytes.
func (f *diskFile) holds(b []byte) { f.durable, f.since = bytes.Clone(b), nil }

// sync makes durable what was changed.
func (f *diskFile) sync() {
	for _, c := range f.since {
		f.durable = c.apply(f.durable)
	}
	f.since = nil
}

func (f *diskFolder) holds(names map[string]uint64) { f.durable, f.since = maps.Clone(names), nil }

func (c change) apply(b []byte) []byte {
	if c.data == nil && int64(len(b)) > c.off {
		return b[:c.off]
	}
	if end := c.off + int64(len(c.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.off:], c.data)
	return b
}

// sectors are the parts of a change that come whole or not at all.
func (c change) sectors() (out []change) {
	if c.data == nil {
		return []change{c}
	}
	for b, off := c.data, c.off; len(b) > 0; {
		n := min(sector-off%sector, int64(len(b)))
		out = append(out, change{off, b[:n]})
		b, off = b[n:], off+n
	}
	return out
}

// left is what a power cut leaves of a file.
func (f *diskFile) left(dice *rand.Rand) []byte {
	b := bytes.Clone(f.durable)
	if dice == nil {
		return b
	}
	var parts []change
	for _, c := range f.since {
		parts = append(parts, c.sectors()...)
	}
	switch dice.IntN(4) {
	case 0:
		return b
	case 1:
		parts = parts[:dice.IntN(len(parts)+1)]
	case 2:
		parts = slices.DeleteFunc(parts, func(change) bool { return dice.IntN(2) == 0 })
	}
	for _, c := range parts {
		b = c.apply(b)
	}
	return b
}

// left is what a power cut leaves of the names in a folder.
func (f *diskFolder) left(dice *rand.Rand) map[string]uint64 {
	out := maps.Clone(f.durable)
	if dice == nil {
		return out
	}
	if out == nil {
		out = map[string]uint64{}
	}
	became := map[string][]uint64{}
	for _, n := range f.since {
		became[n.name] = append(became[n.name], n.id)
	}
	for _, name := range slices.Sorted(maps.Keys(became)) {
		if n := dice.IntN(len(became[name]) + 1); n > 0 {
			out[name] = became[name][n-1]
		}
	}
	return out
}

// clone leaves out -shm files: SQLite empties what it finds when it is the first to open a database.
func (d *disk) clone(src, dst string) error {
	if err := os.MkdirAll(dst, 0o755); err != nil {
		return fmt.Errorf("clone %s: %w", src, err)
	}
	names := d.folder(src).left(d.dice)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var err error
		switch id := names[name]; {
		case id == aFolder:
			err = d.clone(filepath.Join(src, name), filepath.Join(dst, name))
		case id != 0 && !strings.HasSuffix(name, "-shm"):
			if _, ok := d.cast[id]; !ok {
				d.cast[id] = d.file(id).left(d.dice)
			}
			err = os.WriteFile(filepath.Join(dst, name), d.cast[id], 0o644)
		}
		if err != nil {
			return fmt.Errorf("clone %s: %w", src, err)
		}
	}
	return nil
}
