package storagetest

import (
	"os"

	"linkstead/storage"
)

// step is one operation that is about to be carried out.
type step struct {
	op   Op
	name string
	full func() error // carries it out
	half func() error // carries out half of it, where that has a meaning; else nil
}

// hookFS hands every changing operation to around, which decides what becomes of it.
type hookFS struct {
	fs     storage.FS
	around func(step) error
}

var _ storage.FS = (*hookFS)(nil)

func (h *hookFS) OpenFile(name string, flag int, perm os.FileMode) (storage.File, error) {
	var f storage.File
	err := h.around(step{op: OpOpen, name: name, full: func() (err error) {
		f, err = h.fs.OpenFile(name, flag, perm)
		return err
	}})
	if err != nil {
		if f != nil {
			_ = f.Close() // it was opened, but the caller is told otherwise
		}
		return nil, err
	}
	return &hookFile{File: f, name: name, around: h.around}, nil
}

func (h *hookFS) Link(oldname, newname string) error {
	return h.around(step{op: OpLink, name: newname, full: func() error { return h.fs.Link(oldname, newname) }})
}

func (h *hookFS) Remove(name string) error {
	return h.around(step{op: OpRemove, name: name, full: func() error { return h.fs.Remove(name) }})
}

func (h *hookFS) SyncDir(name string) error {
	return h.around(step{op: OpSyncDir, name: name, full: func() error { return h.fs.SyncDir(name) }})
}

type hookFile struct {
	storage.File
	name   string
	around func(step) error
}

func (f *hookFile) Write(p []byte) (n int, err error) {
	write := func(p []byte) func() error {
		return func() error {
			k, err := f.File.Write(p)
			n += k
			return err
		}
	}
	err = f.around(step{op: OpWrite, name: f.name, full: write(p), half: write(p[:len(p)/2])})
	return n, err
}

func (f *hookFile) Sync() error {
	return f.around(step{op: OpSync, name: f.name, full: f.File.Sync})
}

func (f *hookFile) Truncate(size int64) error {
	return f.around(step{op: OpTruncate, name: f.name, full: func() error { return f.File.Truncate(size) }})
}

// Close closes the file whatever becomes of the step: no descriptor is left behind.
func (f *hookFile) Close() error {
	closed := false
	err := f.around(step{op: OpClose, name: f.name, full: func() error {
		closed = true
		return f.File.Close()
	}})
	if !closed {
		_ = f.File.Close() // the caller is told of the fault instead
	}
	return err
}
