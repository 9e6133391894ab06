package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// File is what the spool asks of an open file.
type File interface {
	io.Writer
	io.ReaderAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

// FS is what the spool and the folder store ask of a file system when they change it. Faults and crashes in tests are
// wrappers of it.
type FS interface {
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	Link(oldname, newname string) error
	Remove(name string) error
	SyncDir(name string) error
}

// OS is the file system of the machine.
type OS struct{}

var _ FS = OS{}

// OpenFile implements FS.
func (OS) OpenFile(name string, flag int, perm os.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Link implements FS.
func (OS) Link(oldname, newname string) error { return os.Link(oldname, newname) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir makes the names in a folder durable.
func (OS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync folder %s: %w", name, err), d.Close())
	}
	if err := d.Close(); err != nil {
		return fmt.Errorf("sync folder %s: %w", name, err)
	}
	return nil
}
