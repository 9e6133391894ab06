package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// Spill holds bytes that are written once and read many times: in memory up to a threshold, above it in a temporary
// file without a name, which goes with the process. One writer; once written, any number of readers.
type Spill struct {
	dir   string
	limit int64
	mem   []byte
	file  *os.File
	size  int64
	meter *atomic.Int64 // of bytes on the disk; nil: nobody counts
	metes int64         // what this spill has in it
}

// NewSpill makes an empty spill that keeps up to limit bytes in memory and puts the rest into a file in dir.
func NewSpill(dir string, limit int64) *Spill { return &Spill{dir: dir, limit: limit} }

// Metered makes the spill count its bytes on the disk, as long as they are there, in a meter that it shares with others.
func (s *Spill) Metered(meter *atomic.Int64) *Spill {
	s.meter = meter
	return s
}

// mete sets what the meter has of this spill.
func (s *Spill) mete(n int64) {
	if s.meter != nil {
		s.meter.Add(n - s.metes)
		s.metes = n
	}
}

// Write appends p.
func (s *Spill) Write(p []byte) (int, error) {
	if s.file == nil && s.size+int64(len(p)) <= s.limit {
		s.mem = append(s.mem, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		if err := s.overflow(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.WriteAt(p, s.size)
	s.size += int64(n)
	s.mete(s.size)
	if err != nil {
		return n, fmt.Errorf("write spill: %w", err)
	}
	return n, nil
}

func (s *Spill) overflow() error {
	f, err := os.CreateTemp(s.dir, "spill-*")
	if err != nil {
		return fmt.Errorf("make spill: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(fmt.Errorf("unlink spill: %w", err), f.Close())
	}
	if _, err := f.WriteAt(s.mem, 0); err != nil {
		return errors.Join(fmt.Errorf("write spill: %w", err), f.Close())
	}
	s.file, s.mem = f, s.mem[:0]
	return nil
}

// Size is the number of bytes written.
func (s *Spill) Size() int64 { return s.size }

// Bytes returns the bytes if they are all in memory. The slice must not be changed and is good until the next Write,
// Truncate, Reset or Close.
func (s *Spill) Bytes() ([]byte, bool) {
	if s.file != nil {
		return nil, false
	}
	return s.mem, true
}

// ReadAt implements io.ReaderAt.
func (s *Spill) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.size {
		return 0, io.EOF
	}
	if s.file != nil {
		short := int64(len(p)) > s.size-off
		if short {
			p = p[:s.size-off]
		}
		n, err := s.file.ReadAt(p, off)
		if err == nil && short {
			err = io.EOF
		}
		return n, err
	}
	n := copy(p, s.mem[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// From reads the bytes from off to the end.
func (s *Spill) From(off int64) *io.SectionReader { return io.NewSectionReader(s, off, s.size-off) }

// Truncate cuts the bytes to the first n.
func (s *Spill) Truncate(n int64) error {
	if n >= s.size {
		return nil
	}
	if s.file == nil {
		s.mem = s.mem[:n]
	} else if err := s.file.Truncate(n); err != nil {
		return fmt.Errorf("truncate spill: %w", err)
	} else {
		s.mete(n)
	}
	s.size = n
	return nil
}

// Reset empties the spill for another use; its memory is kept, its file is not.
func (s *Spill) Reset() error {
	s.mem, s.size = s.mem[:0], 0
	return s.closeFile()
}

// Close frees all that the spill holds.
func (s *Spill) Close() error {
	s.mem, s.size = nil, 0
	return s.closeFile()
}

func (s *Spill) closeFile() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	s.mete(0)
	if err := f.Close(); err != nil {
		return fmt.Errorf("close spill: %w", err)
	}
	return nil
}
