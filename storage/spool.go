package storage

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// Spool is the worker's own disk: segments live here from their first byte until they are stored. One process at a
// time holds it; readers are welcome without holding it.
type Spool struct {
	dir  string
	node string
	fs   FS
	lock *os.File

	spilled atomic.Int64
}

// HoldSpool takes the worker role of the spool in dir. ErrBusy if another process has it.
func HoldSpool(dir string, fsys FS) (*Spool, error) {
	for _, d := range []string{dir, filepath.Join(dir, "tmp")} {
		if err := makeDir(fsys, d); err != nil {
			return nil, fmt.Errorf("open spool: %w", err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("spool %s: %w", dir, ErrBusy)
		}
		return nil, errors.Join(err, lock.Close())
	}
	s := &Spool{dir: dir, fs: fsys, lock: lock}
	if s.node, err = s.name(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := s.cleanTemp(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// cleanTemp removes what a process left that did not live to unlink it.
func (s *Spool) cleanTemp() error {
	left, err := os.ReadDir(s.Temp())
	if err != nil {
		return fmt.Errorf("clean spool: %w", err)
	}
	for _, e := range left {
		if err := s.fs.Remove(filepath.Join(s.Temp(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clean spool: %w", err)
		}
	}
	return nil
}

// name reads the node's name, or makes one that no other node has.
func (s *Spool) name() (string, error) {
	path := filepath.Join(s.dir, "node")
	b, err := os.ReadFile(path)
	if name := strings.TrimSpace(string(b)); err == nil && name != "" {
		if len(name) > 300 || strings.ContainsFunc(name, func(r rune) bool { return r == utf8.RuneError || r == ' ' || !unicode.IsPrint(r) }) {
			return "", fmt.Errorf("%s holds no name of a node: %.100q; write the one by which the database knows this spool", path, name)
		}
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read node name: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	name := host + "-" + Random(5)
	if err := s.writeWhole(path, name+"\n"); err != nil {
		return "", fmt.Errorf("write node name: %w", err)
	}
	return name, nil
}

func (s *Spool) writeWhole(path, text string) error {
	tmp := path + ".new"
	f, err := s.fs.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(text)); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return s.fs.SyncDir(filepath.Dir(path))
}

// Random returns n random bytes as lower-case base32, without padding.
func Random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// Close gives the worker role up.
func (s *Spool) Close() error { return s.lock.Close() }

// Node is the name of this spool's node.
func (s *Spool) Node() string { return s.node }

// Temp is the folder for bytes that need not survive.
func (s *Spool) Temp() string { return filepath.Join(s.dir, "tmp") }

// Spilled counts the bytes of spills in Temp: see Spill.Metered.
func (s *Spool) Spilled() *atomic.Int64 { return &s.spilled }

// Dir is the spool's folder.
func (s *Spool) Dir() string { return s.dir }

// Free tells how many bytes the spool's disk has left for this process.
func (s *Spool) Free() (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &st); err != nil {
		return 0, fmt.Errorf("ask for the free space of %s: %w", s.dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// SpoolPath is where a spool in dir keeps a segment.
func SpoolPath(dir, segment string) string { return filepath.Join(dir, segment+".warc.gz") }

// Path is where this spool keeps a segment.
func (s *Spool) Path(segment string) string { return SpoolPath(s.dir, segment) }

// Create makes the file of a new segment and makes its name durable.
func (s *Spool) Create(segment string) (File, error) {
	f, err := s.fs.OpenFile(s.Path(segment), os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create segment %s: %w", segment, err)
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Open opens a segment that was begun earlier, for reading, cutting and sealing. ErrNotFound if the spool has none.
func (s *Spool) Open(segment string) (File, int64, error) {
	st, err := os.Stat(s.Path(segment))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("segment %s in the spool: %w", segment, ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open segment %s: %w", segment, err)
	}
	f, err := s.fs.OpenFile(s.Path(segment), os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("open segment %s: %w", segment, err)
	}
	return f, st.Size(), nil
}

// Drop removes a segment from the spool. One that is not there is no error.
func (s *Spool) Drop(segment string) error {
	if err := s.fs.Remove(s.Path(segment)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop segment %s from the spool: %w", segment, err)
	}
	return s.fs.SyncDir(s.dir)
}

// Explain adds to an error that a full disk gave rise to which disk that is, and what to do.
func (s *Spool) Explain(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return fmt.Errorf("%w\nThe disk that holds the spool %s is full. Free some space on it and start again; nothing that was acknowledged is lost", err, s.dir)
}
